"""The captions of a video: what they say, when, and where in the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from avatalk.compose.burn import CaptionLayer, Style
from avatalk.compose.cues import CHARACTERS_PER_S, cues_of, reading_time, too_fast
from avatalk.compose.fonts import find_fonts
from avatalk.events import Monitor
from avatalk.media import Cue, Face, Speech

_LIPS = (13, 14, 61, 291)  # landmarks: inner edges above and below, corners
_LOOKS = 200  # faces of a track that are looked at
_OFTEN = 0.2  # share of them


def check_letters(text: str, language: str, monitor: Monitor) -> None:
    """Find fonts for burned captions of `text` before any work is done.

    Raises:
        EngineUnavailable: there is none for some letters.
    """
    find_fonts(text, language, Monitor(monitor.on_progress, monitor.cancelled))


def find_cues(speech: Speech, monitor: Monitor) -> tuple[Cue, ...]:
    """The cues of `speech`; without words none, and a warning."""
    if speech.words is None:
        monitor.warn(
            "There are no captions: the words of the recording are not known. "
            "Give them with --transcript words.txt."
        )
        return ()
    cues = cues_of(speech.words, speech.audio.duration_s, speech.language)
    if fast := too_fast(cues):
        wanted_s = sum(map(reading_time, cues))
        slower = math.floor(20 * speech.audio.duration_s / wanted_s) / 20
        monitor.warn(
            f"{fast} of {len(cues)} captions pass faster than {CHARACTERS_PER_S:.0f} characters a second,"
            f" which few can read: speech at {min(slower, 0.95):.2f} of this speed would give them time."
        )
    return tuple(cues)


def burned(
    speech: Speech,
    faces: Sequence[Face | None] | None,
    size: tuple[int, int],
    fps: Fraction,
    monitor: Monitor,
) -> CaptionLayer | None:
    """The captions to draw in the picture, in lines that fit its width; None where no words are known.

    Args:
        speech: what is said.
        faces: in pixels of the canvas; None for a drawn avatar, whose mouth stands clear of them.
        size: width and height of the canvas, pixels.
        fps: frames per second, exact.
        monitor: warned of signs that cannot be written.

    Raises:
        EngineUnavailable: no font has their letters.
    """
    if speech.words is None:
        return None
    style = Style(*size)
    cues = cues_of(speech.words, speech.audio.duration_s, speech.language, style.columns)
    fonts = find_fonts("".join(line for cue in cues for line in cue.lines), speech.language, monitor)
    above = Style(*size, top=True)
    hidden = _covered(faces, style)
    if hidden > _OFTEN and _covered(faces, above) < hidden:
        style = above
    return CaptionLayer(cues, fps, style, fonts)


def _covered(faces: Sequence[Face | None] | None, style: Style) -> float:
    """The share of faces whose mouth lies behind the captions."""
    if not faces:
        return 0.0
    first, last = style.zone
    looked = [face for face in faces[:: max(1, len(faces) // _LOOKS)] if face is not None]
    rows = [face.landmarks[list(_LIPS), 1] for face in looked]
    return float(np.mean([row.max() > first and row.min() < last for row in rows])) if rows else 0.0
