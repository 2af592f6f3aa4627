"""Stage 6: frames and sound become one MP4 that any player opens.

H.264 High, yuv420p, BT.709 limited range (ITU-T H.264, BT.709-6); AAC at 48 kHz; `moov` before `mdat`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from avatalk.errors import BadInput, OutputError
from avatalk.events import Monitor
from avatalk.media import Cue, UInt8Array
from avatalk.speech.audio import AudioClip
from avatalk.video.soft import add_captions, packet_of
from avatalk.workspace import cannot_write, check_writable, complete_or_nothing

AUDIO_RATE = 48_000
_AUDIO_BLOCK_S = 1.0
# A fixed number of threads: x264's output depends on it, and the same request makes the same bytes.
_THREADS = 4
_BT709 = 1
_AVX512_SKX = 256  # CV_CPU_AVX512_SKX of OpenCV
_KR, _KG, _KB = 0.2126, 0.7152, 0.0722  # luma of BT.709
# (3, 4): full-range RGB to limited-range Y, Cb, Cr, and their offsets.
_RGB_TO_YUV = np.array(
    [
        [_KR * 219 / 255, _KG * 219 / 255, _KB * 219 / 255, 16],
        [-_KR / (2 - 2 * _KB) * 224 / 255, -_KG / (2 - 2 * _KB) * 224 / 255, 112 / 255, 128],
        [112 / 255, -_KG / (2 - 2 * _KR) * 224 / 255, -_KB / (2 - 2 * _KR) * 224 / 255, 128],
    ],
    np.float32,
)


@dataclass(frozen=True, slots=True)
class Effort:
    """What the encoders are told for a quality.

    Attributes:
        preset: of x264.
        crf: constant rate factor of x264, lower is better.
        audio_bit_rate: bits per second.
        params: where x264 is to differ from its preset.
    """

    preset: str
    crf: int
    audio_bit_rate: int
    params: str = ""


@dataclass(frozen=True, slots=True)
class Captions:
    """What a track of captions says: cues in time order, and their language, BCP-47 or empty."""

    cues: tuple[Cue, ...]
    language: str


EFFORTS = {
    "draft": Effort("ultrafast", 27, 96_000),
    # A talking head hardly moves: with mbtree, superfast gives the size and quality of veryfast.
    "standard": Effort("superfast", 19, 160_000, "mbtree=1:rc-lookahead=5"),
    "high": Effort("medium", 17, 256_000),
}


def check_output(path: Path) -> None:
    """Find out before hours of work whether `path` can be written.

    Raises:
        BadInput: its ending is not ``.mp4``.
        OutputError: its folder is missing or read-only.
    """
    if path.suffix.lower() not in (".mp4", ".m4v"):
        raise BadInput(
            f"{path.name or 'The output'} does not end in .mp4.",
            hint="Videos are written as MP4.",
            stage="encode",
            field="output",
        )
    check_writable(path)


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
) -> None:
    """Write the finished file at `path`, or nothing.

    Args:
        path: of the file; its folder exists.
        frames: each (height, width, 3) uint8 RGB, in order.
        n_frames: how many there are, for the progress.
        fps: frames per second; frame i is shown at i / fps exactly.
        size: width and height, even.
        audio: the sound, laid from time 0.
        quality: a key of `EFFORTS`.
        comment: metadata of the file: the request that made it.
        monitor: told of every frame.
        captions: a track of their own, if wanted.

    Raises:
        OutputError: the folder is read-only or the disk is full.
        Cancelled: through `monitor`.
    """
    with complete_or_nothing(path) as part:
        try:
            _write(part, frames, n_frames, fps, size, audio, EFFORTS[quality], comment, monitor, captions)
        except av.FFmpegError as error:
            if isinstance(error, OSError) and error.errno:
                raise cannot_write(path, OSError(error.errno, error.strerror)) from error
            raise OutputError(
                f"The video could not be encoded: {error.strerror}.",
                hint="This is a fault of avatalk: please report it with the request.",
                stage="encode",
            ) from error


def _write(
    part: Path,
    frames: Iterable[UInt8Array],
    n_frames: int,
    fps: Fraction,
    size: tuple[int, int],
    audio: AudioClip,
    effort: Effort,
    comment: str,
    monitor: Monitor,
    captions: Captions | None,
) -> None:
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata["comment"] = comment
        picture = _video_stream(container, fps, size, effort)
        channels = min(2, audio.channels)
        sound = container.add_stream("aac", rate=AUDIO_RATE, bit_rate=effort.audio_bit_rate)
        sound.layout = "stereo" if channels == 2 else "mono"
        sound_frames, sound_until = _audio_frames(audio, channels), 0
        cues = deque(captions.cues if captions else ())
        texts = add_captions(container, captions.language) if captions else None
        for index, frame in enumerate(frames):
            # The sound runs ahead, so that a player finds both close together in the file.
            while sound_until <= index / fps * AUDIO_RATE and (block := next(sound_frames, None)):
                container.mux(sound.encode(block))
                sound_until += block.samples
            while texts and cues and cues[0].start_s <= index / fps:
                container.mux(packet_of(cues.popleft(), texts))
            container.mux(picture.encode(_video_frame(frame, index)))
            monitor.report("encode", index + 1, n_frames, "frames")
        for block in sound_frames:
            container.mux(sound.encode(block))
        while texts and cues:
            container.mux(packet_of(cues.popleft(), texts))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))


def _video_stream(
    container: av.container.OutputContainer, fps: Fraction, size: tuple[int, int], effort: Effort
) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=fps)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.time_base = 1 / fps
    context = stream.codec_context
    context.time_base = 1 / fps
    context.gop_size = max(1, round(fps * 4))  # a player can seek to within 4 s
    context.thread_count = _THREADS
    context.color_range = ColorRange.MPEG
    context.colorspace = Colorspace.ITU709
    context.color_primaries = context.color_trc = _BT709
    params = [effort.params] if effort.params else []
    if cv2.checkHardwareSupport(_AVX512_SKX):
        # x264's AVX-512 code of mbtree reads memory that nobody wrote: the same frames gave up to 15
        # different files. Its AVX2 code does not, and is as fast.
        params.append("asm=avx2")
    context.options = {
        "preset": effort.preset,
        "crf": str(effort.crf),
        "profile": "high",
        "x264-params": ":".join(params),
    }
    return stream


def _video_frame(frame: UInt8Array, index: int) -> av.VideoFrame:
    """`frame` as yuv420p in BT.709, limited range.

    By OpenCV, which takes a third of the time of swscale.
    """
    height, width = frame.shape[:2]
    planes = np.empty((height * 3 // 2, width), np.uint8)
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    full = cv2.transform(frame, _RGB_TO_YUV)
    half = cv2.resize(full, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    cv2.extractChannel(full, 0, planes[:height])
    cv2.extractChannel(half, 1, chroma[0])
    cv2.extractChannel(half, 2, chroma[1])
    yuv = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    yuv.pts = index
    return yuv


def _audio_frames(audio: AudioClip, channels: int) -> Iterator[av.AudioFrame]:
    start = 0
    for block in audio.blocks(AUDIO_RATE, channels, _AUDIO_BLOCK_S):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block.T), format="fltp", layout="stereo" if channels == 2 else "mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE, start, Fraction(1, AUDIO_RATE)
        start += len(block)
        yield frame
