"""Stage 6 without a codec: a folder of PNG pictures, and the sound beside them."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from avatalk.events import Monitor
from avatalk.media import UInt8Array
from avatalk.speech.audio import AudioClip
from avatalk.video.pixels import straight
from avatalk.workspace import cannot_write, complete_or_nothing

_RATE = 48_000


def write_pictures(
    folder: Path,
    frames: Iterable[UInt8Array],
    n_frames: int,
    audio: AudioClip,
    *,
    comment: str,
    monitor: Monitor,
) -> None:
    """Write ``000000.png`` and so on, and ``speech.wav``, into a new folder, or nothing.

    Args:
        folder: to make; `check_output` has found that it is not there yet.
        frames: each (height, width, 3) uint8 RGB or (height, width, 4) premultiplied RGBA, in order.
        n_frames: how many there are, for the progress.
        audio: the sound.
        comment: the request that made them, kept in the first picture.
        monitor: told of every frame.

    Raises:
        OutputError: the folder cannot be written, or the disk is full.
        Cancelled: through `monitor`.
    """
    try:
        with complete_or_nothing(folder) as part:
            part.mkdir()
            try:
                _write_all(part, frames, n_frames, audio, comment, monitor)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
    except OSError as error:
        raise cannot_write(folder, error) from error


def _write_all(
    folder: Path,
    frames: Iterable[UInt8Array],
    n_frames: int,
    audio: AudioClip,
    comment: str,
    monitor: Monitor,
) -> None:
    for index, frame in enumerate(frames):
        info = PngInfo()
        if index == 0:
            info.add_itxt("comment", comment)
        picture = Image.fromarray(straight(frame) if frame.shape[2] == 4 else frame)
        picture.save(folder / f"{index:06d}.png", compress_level=2, pnginfo=info)
        monitor.report("encode", index + 1, n_frames, "frames")
    channels = min(2, audio.channels)
    with (folder / "speech.wav").open("wb") as raw, wave.open(raw, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        for block in audio.blocks(_RATE, channels, 1.0):
            file.writeframesraw(np.round(np.clip(block, -1, 1) * 32767).astype("<i2").tobytes())
