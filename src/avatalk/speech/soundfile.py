"""Speech as a sound file of the kind that its name says."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream

from avatalk.errors import BadInput, OutputError
from avatalk.events import Monitor
from avatalk.speech.audio import AudioClip
from avatalk.workspace import cannot_write, check_writable, complete_or_nothing


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of file is written: container, codec, hertz (0: the sound's own), bits per second."""

    container: str
    codec: str
    sample_rate: int = 0
    bit_rate: int = 0


_KINDS = {
    ".wav": _Kind("wav", "pcm_s16le"),
    ".flac": _Kind("flac", "flac"),
    ".mp3": _Kind("mp3", "libmp3lame", bit_rate=96_000),
    ".m4a": _Kind("ipod", "aac", bit_rate=96_000),
    ".ogg": _Kind("ogg", "libopus", 48_000, 64_000),
    ".opus": _Kind("ogg", "libopus", 48_000, 64_000),
}


def check_sound_path(path: Path) -> None:
    """Find out before any work whether a sound file can be written at `path`.

    Raises:
        BadInput: its ending is none of a kind that is written.
        OutputError: its folder is missing or read-only.
    """
    if path.suffix.lower() not in _KINDS:
        raise BadInput(
            f"{path.name or 'The output'} does not end in {', '.join(_KINDS)}.",
            hint="Name the file by the kind it shall be, such as speech.wav.",
            stage="speech",
            field="output",
        )
    check_writable(path)


def write_sound(path: Path, clip: AudioClip, monitor: Monitor) -> None:
    """Write the sound of `clip`, a 16-bit mono WAV file, at `path`, or nothing.

    Raises:
        OutputError: the folder is read-only, or the disk is full.
        Cancelled: through `monitor`.
    """
    kind = _KINDS[path.suffix.lower()]
    with complete_or_nothing(path) as part:
        if kind.container == "wav":
            shutil.copyfile(clip.path, part)
            return
        try:
            _encode(part, clip, kind, monitor)
        except av.FFmpegError as error:
            if isinstance(error, OSError) and error.errno:
                raise cannot_write(path, OSError(error.errno, error.strerror)) from error
            raise OutputError(
                f"{path} could not be encoded: {error.strerror}.",
                hint="Write a .wav file instead, and please report this.",
                stage="speech",
            ) from error


def _encode(part: Path, clip: AudioClip, kind: _Kind, monitor: Monitor) -> None:
    rate = kind.sample_rate or clip.sample_rate
    with av.open(str(part), "w", format=kind.container) as container:
        stream = container.add_stream(kind.codec, rate=rate)
        assert isinstance(stream, AudioStream)  # by its codec
        stream.layout = "mono"
        if kind.bit_rate:
            stream.bit_rate = kind.bit_rate
        start = 0
        for block in clip.blocks(rate):
            monitor.check()
            samples = np.round(block.T * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            start += len(block)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
