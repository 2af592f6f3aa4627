"""Stage 6: frames and sound become one file that any player opens.

MP4: H.264 High, yuv420p; AAC at 48 kHz; `moov` before `mdat`. WebM: VP9 and Opus. MOV: ProRes 4444 and PCM.
BT.709, limited range (ITU-T H.264, BT.709-6). What is transparent stays so in WebM and MOV.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from avatalk.errors import OutputError
from avatalk.events import Monitor
from avatalk.media import Cue, UInt8Array
from avatalk.speech.audio import AudioClip
from avatalk.video.formats import Format, format_of
from avatalk.video.pictures import write_pictures
from avatalk.video.pixels import video_frame
from avatalk.video.soft import add_captions, packet_of
from avatalk.workspace import cannot_write, complete_or_nothing

AUDIO_RATE = 48_000
_AUDIO_BLOCK_S = 1.0
# A fixed number of threads: what encoders give depends on it, and the same request makes the same bytes.
_THREADS = 4
_BT709 = 1
_AVX512_SKX = 256  # CV_CPU_AVX512_SKX of OpenCV


@dataclass(frozen=True, slots=True)
class Effort:
    """What the encoders are told for a quality.

    Attributes:
        preset: of x264.
        crf: constant rate factor of x264, lower is better.
        audio_bit_rate: bits per second.
        threads: of x264. Fast presets take a third less time in one, since threads wait for each other, and
            make smaller files; frames are drawn meanwhile.
        params: where x264 is to differ from its preset.
        vp9_crf: of libvpx, lower is better.
        vp9_speed: of libvpx, 0 best to 8 fastest.
    """

    preset: str
    crf: int
    audio_bit_rate: int
    threads: int = 1
    params: str = ""
    vp9_crf: int = 30
    vp9_speed: int = 7


@dataclass(frozen=True, slots=True)
class Captions:
    """What a track of captions says: cues in time order, and their language, BCP-47 or empty."""

    cues: tuple[Cue, ...]
    language: str


EFFORTS = {
    "draft": Effort("ultrafast", 27, 96_000, vp9_crf=40, vp9_speed=8),
    # A talking head hardly moves: with mbtree, superfast gives the size and quality of veryfast.
    "standard": Effort("superfast", 19, 160_000, params="mbtree=1:rc-lookahead=5"),
    "high": Effort("medium", 17, 256_000, threads=4, vp9_crf=24, vp9_speed=5),
}


def encode(
    path: Path,
    frames: Iterable[UInt8Array],
    n_frames: int,
    fps: Fraction,
    size: tuple[int, int],
    audio: AudioClip,
    *,
    quality: str,
    comment: str,
    monitor: Monitor,
    captions: Captions | None = None,
    transparent: bool = False,
) -> None:
    """Write the finished file at `path`, or nothing.

    Args:
        path: of the file; its folder exists.
        frames: each (height, width, 3) uint8 RGB, in order; or (height, width, 4) premultiplied RGBA, if
            `transparent`.
        n_frames: how many there are, for the progress.
        fps: frames per second; frame i is shown at i / fps exactly.
        size: width and height, even.
        audio: the sound, laid from time 0.
        quality: a key of `EFFORTS`.
        comment: metadata of the file: the request that made it.
        monitor: told of every frame.
        captions: a track of their own, if wanted.
        transparent: whether frames have alpha.

    Raises:
        OutputError: the folder is read-only or the disk is full.
        Cancelled: through `monitor`.
    """
    kind, effort = format_of(path), EFFORTS[quality]
    if not kind.muxer:
        write_pictures(path, frames, n_frames, audio, comment=comment, monitor=monitor)
        return
    with writing(path) as part, opened(part, kind, comment) as container:
        picture = video_stream(container, kind, fps, size, effort, transparent)
        _write(container, picture, kind, frames, n_frames, fps, audio, effort, monitor, captions)


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a hidden name beside `path` that becomes `path` on success; FFmpeg's errors become the user's.

    Raises:
        OutputError: the folder is read-only or the disk is full.
    """
    with complete_or_nothing(path) as part:
        try:
            yield part
        except av.FFmpegError as error:
            if isinstance(error, OSError) and error.errno:
                raise cannot_write(path, OSError(error.errno, error.strerror)) from error
            raise OutputError(
                f"The video could not be encoded: {error.strerror}.",
                hint="This is a fault of avatalk: please report it with the request.",
                stage="encode",
            ) from error


def opened(part: Path, kind: Format, comment: str) -> av.container.OutputContainer:
    """Open a file of that kind for writing, with `comment` in it."""
    # Matroska would take a number by chance: the same request makes the same bytes.
    options = {"movflags": "+faststart"} if kind.muxer != "webm" else {"fflags": "+bitexact"}
    container = av.open(str(part), "w", format=kind.muxer, options=options)
    container.metadata["comment"] = comment
    return container


def _write(
    container: av.container.OutputContainer,
    picture: av.VideoStream,
    kind: Format,
    frames: Iterable[UInt8Array],
    n_frames: int,
    fps: Fraction,
    audio: AudioClip,
    effort: Effort,
    monitor: Monitor,
    captions: Captions | None,
) -> None:
    channels = min(2, audio.channels)
    sound = audio_stream(container, kind, channels, effort)
    sound_frames, sound_until = audio_frames(audio, channels), 0
    cues = deque(captions.cues if captions else ())
    texts = add_captions(container, captions.language) if captions else None
    pixel_format = str(picture.codec_context.pix_fmt)
    resampler = av.AudioResampler(format=sound.codec_context.format, layout=sound.layout, rate=AUDIO_RATE)

    def mux_sound(block: av.AudioFrame | None) -> None:
        for converted in resampler.resample(block):
            container.mux(sound.encode(converted))

    for index, frame in enumerate(frames):
        # The sound runs ahead, so that a player finds both close together in the file.
        while sound_until <= index / fps * AUDIO_RATE and (block := next(sound_frames, None)):
            sound_until += block.samples
            mux_sound(block)
        while texts and cues and cues[0].start_s <= index / fps:
            container.mux(packet_of(cues.popleft(), texts))
        container.mux(picture.encode(video_frame(frame, pixel_format, index)))
        monitor.report("encode", index + 1, n_frames, "frames")
    for block in sound_frames:
        mux_sound(block)
    mux_sound(None)
    while texts and cues:
        container.mux(packet_of(cues.popleft(), texts))
    container.mux(picture.encode(None))
    container.mux(sound.encode(None))


def audio_stream(
    container: av.container.OutputContainer, kind: Format, channels: int, effort: Effort
) -> av.AudioStream:
    """Add the stream of the sound: 1 or 2 channels at `AUDIO_RATE`."""
    stream = container.add_stream(kind.sound, rate=AUDIO_RATE, layout="stereo" if channels == 2 else "mono")
    assert isinstance(stream, av.AudioStream)  # likewise
    if not kind.sound.startswith("pcm"):
        stream.bit_rate = effort.audio_bit_rate
    return stream


def video_stream(
    container: av.container.OutputContainer,
    kind: Format,
    fps: Fraction,
    size: tuple[int, int],
    effort: Effort,
    transparent: bool,
) -> av.VideoStream:
    """Add the stream of the pictures; frame i is shown at i / fps."""
    codec, pixel_format, options = _CODECS[kind.muxer](effort, transparent)
    stream = container.add_stream(codec, rate=fps)
    assert isinstance(stream, av.VideoStream)  # for the checker: the codec is one of video
    stream.width, stream.height = size
    stream.pix_fmt = pixel_format
    stream.time_base = 1 / fps
    context = stream.codec_context
    context.time_base = 1 / fps
    context.gop_size = max(1, round(fps * 4))  # a player can seek to within 4 s
    context.thread_count = effort.threads if codec == "libx264" else _THREADS
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = context.color_trc = _BT709
    context.options = options
    if transparent and kind.muxer == "webm":
        stream.metadata["alpha_mode"] = "1"  # tells players to look for the second picture of each frame
    return stream


def _h264(effort: Effort, _transparent: bool) -> tuple[str, str, dict[str, str]]:
    params = [effort.params] if effort.params else []
    if cv2.checkHardwareSupport(_AVX512_SKX):
        # x264's AVX-512 code of mbtree reads memory that nobody wrote: the same frames gave up to 15
        # different files. Its AVX2 code does not, and is as fast.
        params.append("asm=avx2")
    options = {
        "preset": effort.preset,
        "crf": str(effort.crf),
        "profile": "high",
        "x264-params": ":".join(params),
    }
    return "libx264", "yuv420p", options


def _vp9(effort: Effort, transparent: bool) -> tuple[str, str, dict[str, str]]:
    options = {
        "crf": str(effort.vp9_crf),
        "b": "0",
        "deadline": "good",
        "cpu-used": str(min(effort.vp9_speed, 5)),
        "row-mt": "1",
        "tile-columns": "1",
        "auto-alt-ref": "0",  # what is transparent cannot have such frames
    }
    if effort.vp9_speed > 5:
        options |= {"deadline": "realtime", "cpu-used": str(effort.vp9_speed)}
    return "libvpx-vp9", "yuva420p" if transparent else "yuv420p", options


def _prores(_effort: Effort, transparent: bool) -> tuple[str, str, dict[str, str]]:
    pixel_format = "yuva444p10le" if transparent else "yuv444p10le"
    return "prores_ks", pixel_format, {"profile": "4444", "vendor": "apl0", "alpha_bits": "16"}


_CODECS: dict[str, Callable[[Effort, bool], tuple[str, str, dict[str, str]]]] = {
    "mp4": _h264,
    "webm": _vp9,
    "mov": _prores,
}


def audio_frames(audio: AudioClip, channels: int) -> Iterator[av.AudioFrame]:
    """Yield the sound in planar blocks of a second at `AUDIO_RATE`."""
    start = 0
    for block in audio.blocks(AUDIO_RATE, channels, _AUDIO_BLOCK_S):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block.T), format="fltp", layout="stereo" if channels == 2 else "mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE, start, Fraction(1, AUDIO_RATE)
        start += len(block)
        yield frame
