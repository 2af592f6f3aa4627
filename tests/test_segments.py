"""A video made in pieces is the video made at once."""

from fractions import Fraction
from itertools import accumulate

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk import VideoRequest, render
from avatalk.errors import Cancelled, OutputError
from avatalk.events import Monitor
from avatalk.media import Cue
from avatalk.pipeline import plan
from avatalk.speech.audio import open_audio
from avatalk.video.encode import Captions
from avatalk.video.segments import bounds, join, moved, take_out, write_segment, write_sound

TEXT = "This video is made in several pieces, and nobody can tell where they meet."


@settings(deadline=None)
@given(
    n_frames=st.integers(1, 50_000),
    fps=st.sampled_from([Fraction(1), Fraction(12), Fraction(25), Fraction(30000, 1001), Fraction(120)]),
)
def test_bounds_cover_the_video_in_pieces_of_2_to_10_s(n_frames, fps):
    pieces = bounds(n_frames, fps)
    assert [start for start, _ in pieces] == [0] + [stop for _, stop in pieces[:-1]]
    assert pieces[-1][1] == n_frames
    lengths = [(stop - start) / fps for start, stop in pieces]
    assert max(lengths) <= 10 and (len(pieces) == 1 or min(lengths) >= 2)


def make(folder, request, seconds=1.0, order=None, seam=None):
    """The video of `request` in pieces, the paths of the pieces, and how many frames it has."""
    with plan(request) as made:
        cuts = seam or bounds(made.n_frames, made.fps, seconds)
        pieces = [folder / f"{index}.mp4" for index in range(len(cuts))]
        for index in order or range(len(cuts)):
            start, stop = cuts[index]
            write_segment(
                pieces[index],
                made.drawn(start, stop),
                stop - start,
                made.fps,
                (made.width, made.height),
                quality=request.quality,
                monitor=Monitor(),
            )
        write_sound(folder / "sound.m4a", made.speech.audio, quality=request.quality, monitor=Monitor())
        texts = Captions(made.captions, made.speech.language) if made.captions else None
        joined = folder / "joined.mp4"
        n = join(
            joined,
            pieces,
            folder / "sound.m4a",
            made.fps,
            comment='{"text": "é"}',
            monitor=Monitor(),
            captions=texts,
        )
        assert n == made.n_frames
    return joined, pieces


def captions_of(path):
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        return [(packet.pts, packet.duration, bytes(packet)) for packet in container.demux(stream)]


def psnr(one, other):
    return 10 * np.log10(255**2 / max(1e-9, np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize(
    ("quality", "fps", "captions"),
    [("standard", "25", "soft"), ("draft", "30000/1001", "none"), ("high", "12", "none")],
)
def test_pieces_joined_are_the_video_made_at_once(tmp_path, decode, moov_before_mdat, quality, fps, captions):
    request = VideoRequest(text=TEXT, size="128x128", quality=quality, fps=fps, captions=captions)
    render(request, tmp_path / "whole.mp4")
    joined, pieces = make(tmp_path, request)
    whole, ours = decode(tmp_path / "whole.mp4"), decode(joined)
    assert len(pieces) > 2
    for fact in ("codec", "profile", "pix_fmt", "rate", "video_s", "streams", "times", "audio_s"):
        assert ours[fact] == whole[fact], fact
    assert np.array_equal(ours["sound"], whole["sound"])
    assert min(map(psnr, ours["frames"], whole["frames"])) > 34
    assert ours["comment"] == '{"text": "é"}'
    assert moov_before_mdat(joined)
    if captions == "soft":
        assert captions_of(joined) == captions_of(tmp_path / "whole.mp4") != []


def test_the_frames_are_exactly_those_of_the_pieces(tmp_path, decode):
    request = VideoRequest(text=TEXT, size="128x128", quality="standard")
    joined, pieces = make(tmp_path, request)
    apart = []
    for piece in pieces:
        with av.open(str(piece)) as container:
            apart += [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    ours = decode(joined)["frames"]
    assert len(ours) == len(apart) and all(map(np.array_equal, ours, apart))


@pytest.mark.parametrize("seam", [[(0, 1), (1, 3), (3, 5)], [(0, 3), (3, 4), (4, 5)]])
def test_pieces_shorter_than_the_encoder_looks_ahead(tmp_path, decode, seam):
    request = VideoRequest(text="One, two, three.", size="128x128", quality="high", fps="1")
    with plan(request) as made:
        seam = [(start, min(stop, made.n_frames)) for start, stop in seam if start < made.n_frames]
        seam[-1] = (seam[-1][0], made.n_frames)
    joined, _ = make(tmp_path, request, seam=seam)
    assert decode(joined)["times"] == list(range(seam[-1][1]))
    with av.open(str(joined)) as container:
        times = [packet.dts for packet in container.demux(video=0) if packet.dts is not None]
    assert times == sorted(set(times))


def test_any_order_gives_the_same_bytes(tmp_path):
    request = VideoRequest(text=TEXT, size="128x128", quality="standard")
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    ones = make(folders[0], request)
    others = make(folders[1], request, order=[3, 0, 2, 1, *range(4, len(ones[1]))])
    for one, other in zip([ones[0], *ones[1]], [others[0], *others[1]], strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_pieces_of_another_size_are_refused_and_nothing_is_left(tmp_path):
    small = VideoRequest(text="Yes.", size="128x128", quality="draft")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, ours = make(tmp_path / "a", small)
    _, others = make(tmp_path / "b", small.model_copy(update={"size": (192, 128)}))
    sound = tmp_path / "a" / "sound.m4a"
    with pytest.raises(OutputError) as caught:
        join(tmp_path / "c.mp4", [*ours, *others], sound, Fraction(25), comment="", monitor=Monitor())
    assert caught.value.hint
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_cancelling_leaves_nothing(tmp_path):
    monitor = Monitor()
    monitor.cancelled.set()
    frames = iter([np.zeros((128, 128, 3), np.uint8)])
    with pytest.raises(Cancelled):
        write_segment(
            tmp_path / "a.mp4", frames, 1, Fraction(25), (128, 128), quality="draft", monitor=monitor
        )
    assert not list(tmp_path.iterdir())


def test_encoding_sound_tells_how_far_it_is_and_stops(tmp_path, espeak_wav):
    """The sound of an hour takes a minute: whoever cancels meanwhile does not wait for it."""
    sound, told = open_audio(str(espeak_wav(TEXT)), Monitor()), []

    def stop(progress):
        told.append(progress)
        if progress.done == 2:
            raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        write_sound(tmp_path / "a.m4a", sound, quality="draft", monitor=Monitor(stop))
    assert [step.done for step in told] == [0, 1, 2] and told[0].total > 3
    assert not list(tmp_path.iterdir())


def test_a_late_caption_is_kept(tmp_path):
    request = VideoRequest(text="Yes, of course.", size="128x128", quality="draft")
    joined, pieces = make(tmp_path, request)
    cues = Captions((Cue(0.0, 0.5, ("First",)), Cue(0.9, 1.0, ("Last",))), "en")
    join(joined, pieces, tmp_path / "sound.m4a", Fraction(25), comment="", monitor=Monitor(), captions=cues)
    assert [text[2:] for _, _, text in captions_of(joined) if text[2:]] == [b"First", b"Last"]


@given(
    lengths=st.lists(st.integers(5, 300), min_size=1, max_size=40),
    said=st.dictionaries(st.integers(0, 39), st.integers(1, 600), max_size=4),
)
def test_pieces_lie_between_sentences_and_stay_where_nothing_is_corrected(lengths, said):
    joints = list(accumulate(lengths))
    cuts = bounds(joints[-1], Fraction(25), 6.0, joints[:-1])
    assert [cut[0] for cut in cuts] + [joints[-1]] == [0] + [cut[1] for cut in cuts]
    if len(cuts) > 1:
        assert all(50 <= stop - start <= 250 for start, stop in cuts)
    starts = [0, *joints]
    splices = [(starts[n], starts[n + 1], length) for n, length in sorted(said.items()) if n < len(lengths)]
    new = moved(cuts, splices, Fraction(25), 6.0)
    whole = joints[-1] + sum(length - (stop - start) for start, stop, length in splices)
    assert [cut[0] for cut in new] + [whole] == [0] + [cut[1] for cut in new]
    assert all(0 < stop - start <= 250 for start, stop in new)
    for start, stop in cuts:
        if not any(first < stop and start < last for first, last, _ in splices):
            by = sum(length - (last - first) for first, last, length in splices if last <= start)
            assert (start + by, stop + by) in new


def test_pieces_are_taken_out_of_the_joined_video_as_they_were(tmp_path):
    """The same packets, hence the same bytes when they are joined again."""
    fps, cuts = Fraction(25), [(0, 30), (30, 71), (71, 90)]
    request = VideoRequest(text="This is said once, and then it is taken apart.", size="128x128")
    with plan(request) as made:
        pieces, sound, again = [], tmp_path / "sound.m4a", []
        write_sound(sound, made.speech.audio, quality="draft", monitor=Monitor())
        for start, stop in cuts:
            pieces.append(tmp_path / f"{start}.mp4")
            frames = made.frames(start % 40, start % 40 + stop - start)
            write_segment(
                pieces[-1], frames, stop - start, fps, (128, 128), quality="standard", monitor=Monitor()
            )
    join(tmp_path / "a.mp4", pieces, sound, fps, comment="", monitor=Monitor())
    for start, stop in cuts:
        again.append(tmp_path / f"again{start}.mp4")
        take_out(tmp_path / "a.mp4", again[-1], start, stop, fps)
    join(tmp_path / "b.mp4", again, sound, fps, comment="", monitor=Monitor())
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    for start, stop in ((10, 30), (71, 91), (30, 31 + 71)):
        with pytest.raises(OutputError):
            take_out(tmp_path / "a.mp4", tmp_path / "c.mp4", start, stop, fps)
    with pytest.raises(OutputError):
        take_out(tmp_path / "gone.mp4", tmp_path / "c.mp4", 0, 30, fps)
    assert not (tmp_path / "c.mp4").exists()
