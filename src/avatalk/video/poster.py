"""The small picture that stands for a video before it is played."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
from PIL import Image

from avatalk.errors import OutputError
from avatalk.media import MOTION_CHANNELS, MotionCurve, VisemeCurve

WIDEST = 640
"""Pixels."""

_EARLY_S = 15.0  # where the frame is looked for: what is decoded for it begins nearby
_MOUTH = 0.4  # opening at which somebody speaks, and does not gape
_JPEG_QUALITY = 85


def spoken_frame(visemes: VisemeCurve, motion: MotionCurve) -> int:
    """Return the number of an early frame in which the avatar speaks, its eyes open and its head straight."""
    n_early = max(1, round(_EARLY_S * visemes.fps))
    moves = dict(zip(MOTION_CHANNELS, motion.values[:n_early].T, strict=True))
    away = np.abs(visemes.opening[:n_early] - _MOUTH) + 2.0 * moves["blink"]
    for turn in ("yaw", "pitch", "roll"):
        away = away + np.abs(moves[turn])
    return int(np.argmin(away))


def thumbnail(video: Path, index: int) -> bytes:
    """Return frame `index` of a video as JPEG, at most `WIDEST` pixels wide.

    Args:
        video: made by avatalk.
        index: of the frame, from 0.

    Raises:
        OutputError: the video has no such frame.
    """
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None and stream.average_rate is not None  # for the checker
        wanted = round(index / stream.average_rate / stream.time_base)
        container.seek(wanted, stream=stream)
        for frame in container.decode(stream):
            if frame.pts is not None and frame.pts >= wanted:
                picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
                picture.thumbnail((WIDEST, 4 * WIDEST))
                written = io.BytesIO()
                picture.save(written, "jpeg", quality=_JPEG_QUALITY)
                return written.getvalue()
    raise OutputError(f"The video has no frame {index}.", hint="Make it again.", stage="encode")
