"""Pieces of a video as fragmented MP4: what players show is the joined video, from whatever it is cut."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from avatalk import VideoRequest
from avatalk.events import Monitor
from avatalk.pipeline import plan
from avatalk.video.fragments import fragment, opening, playlist
from avatalk.video.segments import bounds, join, write_segment, write_sound

TEXT = "This video is watched while it is made, and nobody can tell where its pieces meet."


def made(folder, quality, fps):
    """The pieces of a video, its sound, its cuts, and the joined video."""
    with plan(VideoRequest(text=TEXT, size="128x128", quality=quality, fps=fps)) as film:
        cuts = bounds(film.n_frames, film.fps, 1.3)
        pieces = [folder / f"{number}.mp4" for number in range(len(cuts))]
        for path, (start, stop) in zip(pieces, cuts, strict=True):
            write_segment(
                path,
                film.drawn(start, stop),
                stop - start,
                film.fps,
                (film.width, film.height),
                quality=quality,
                monitor=Monitor(),
            )
        sound = folder / "sound.m4a"
        write_sound(sound, film.speech.audio, quality=quality, monitor=Monitor())
    whole = folder / "whole.mp4"
    join(whole, pieces, sound, film.fps, comment="", monitor=Monitor())
    return pieces, sound, cuts, whole


def shown(path):
    """Times and frames, and times and samples, in the order in which a player gets them."""
    found = []
    for kind in ("video", "audio"):
        if isinstance(path, io.BytesIO):
            path.seek(0)
        with av.open(path if isinstance(path, io.BytesIO) else str(path)) as container:
            frames = list(container.decode(**{kind: 0}))
        found.append([Fraction(frame.pts) * frame.time_base for frame in frames])
        found.append([frame.to_ndarray() for frame in frames])
    return found


@pytest.mark.parametrize(
    ("quality", "fps"), [("standard", "25"), ("high", "30000/1001"), ("draft", "12"), ("high", "1")]
)
def test_fragments_of_all_pieces_are_the_joined_video(tmp_path, quality, fps):
    pieces, sound, cuts, whole = made(tmp_path, quality, fps)
    rate, parts = Fraction(fps), []
    assert len(cuts) > 2
    for number, (start, stop) in enumerate(cuts):
        where = {"number": number, "start": start, "stop": stop, "last": number == len(cuts) - 1}
        parts.append(fragment(pieces[number], sound, rate, **where))
        # One who began to watch before the video was finished gets the same bytes afterwards.
        assert fragment(whole, whole, rate, origin=0, **where) == parts[-1]
    head = opening(pieces[0], sound, rate)
    assert opening(whole, whole, rate) == head and head[4:8] == b"ftyp"
    assert all(part[4:8] == b"moof" for part in parts)
    times, frames, sound_times, samples = shown(io.BytesIO(head + b"".join(parts)))
    wanted = shown(whole)
    assert times == wanted[0] == [index / rate for index in range(cuts[-1][1])]
    assert all(map(np.array_equal, frames, wanted[1]))
    # The last block is as long as the others here: a finished file says where to cut it, a fragment cannot.
    assert len(samples) == len(wanted[3])
    assert all(map(np.array_equal, samples[:-1], wanted[3][:-1]))
    assert max(abs(one - other) for one, other in zip(sound_times, wanted[2], strict=True)) <= Fraction(
        1, 48000
    )


def test_one_may_begin_in_the_middle(tmp_path):
    pieces, sound, cuts, whole = made(tmp_path, "standard", "25")
    start, stop = cuts[1]
    with sound.open("rb") as heard, pieces[1].open("rb") as seen:  # files from anywhere, not only paths
        part = fragment(seen, heard, Fraction(25), number=1, start=start, stop=stop, last=False)
    times, frames, sound_times, _ = shown(io.BytesIO(opening(pieces[0], sound, Fraction(25)) + part))
    wanted = shown(whole)
    assert times == [index / Fraction(25) for index in range(start, stop)]
    assert all(map(np.array_equal, frames, wanted[1][start:stop]))
    # The decoder of sound wants the block before to show the first.
    assert 0 <= sound_times[0] - times[0] < Fraction(2 * 1024, 48000)


def test_a_playlist_grows_and_ends():
    fps = Fraction(30000, 1001)
    text = playlist([(0, 150), (150, 301)], fps, longest=180, ended=False, fragment_at="f/{number}.m4s")
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U" and "#EXT-X-TARGETDURATION:7" in lines
    assert '#EXT-X-MAP:URI="init.mp4"' in lines
    assert lines[-4:] == ["#EXTINF:5.00500,", "f/0.m4s", "#EXTINF:5.03837,", "f/1.m4s"]
    assert playlist([(0, 150)], fps, longest=180, ended=True).endswith("\n#EXT-X-ENDLIST\n")
