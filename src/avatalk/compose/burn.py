"""Captions drawn in the picture: white bold letters, edged dark, on a translucent rounded box.

Each caption is drawn once, when a frame first shows it, and then laid over the frames; what a frame shows
depends on its index alone.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import cv2
import numpy as np
import resvg_py

from avatalk.compose.bidi import reads_right_to_left
from avatalk.compose.cues import LINE
from avatalk.compose.fonts import Fonts
from avatalk.compose.lettering import UNITS, set_line
from avatalk.media import Cue, UInt8Array

_SIZE = 0.0525  # height of an em in shorter sides of the picture
_LEAST_EM = 8.0  # pixels
_SAFE = 0.05  # of each side, that stays free: 90 % are title-safe (SMPTE ST 2046-1)
_COLUMN = 0.56  # ems that a character takes on average
_PADDING = 0.4, 0.14  # ems between the letters and the sides of the box, across and down
_RADIUS = 0.3
_BOX_OPACITY, _EDGE_OPACITY = 0.5, 0.75
_EDGE, _EDGE_STRENGTH = 0.07, 2.0  # ems of blur, and how much of it
_KEPT = 8  # captions kept drawn; neighbours are asked for by several threads


@dataclass(frozen=True, slots=True)
class Style:
    """How captions look on a canvas.

    Attributes:
        width: of the canvas, pixels.
        height: of the canvas, pixels.
        top: whether they stand at the top, not at the bottom.
    """

    width: int
    height: int
    top: bool = False

    @property
    def em(self) -> float:
        """Pixels of an em."""
        return max(_LEAST_EM, _SIZE * min(self.width, self.height))

    @property
    def columns(self) -> int:
        """Columns of a line that fits at this size."""
        return max(8, min(LINE, int((1 - 2 * _SAFE) * self.width / (_COLUMN * self.em))))

    @property
    def zone(self) -> tuple[float, float]:
        """First and last row that two lines may cover."""
        tall = 3.2 * self.em
        edge = _SAFE * self.height
        return (edge, edge + tall) if self.top else (self.height - edge - tall, self.height - edge)


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A caption as drawn: laid over ``frame[y:, x:]`` as frame · keep / 255 + colour.

    Attributes:
        x: left edge, pixels.
        y: top edge, pixels.
        keep: (rows, columns, 3) uint8, how much of the picture stays.
        colour: (rows, columns, 3) uint8 RGB, premultiplied.
    """

    x: int
    y: int
    keep: UInt8Array
    colour: UInt8Array


class CaptionLayer:
    """The captions of a video, over any of its frames, from any thread."""

    def __init__(self, cues: Sequence[Cue], fps: Fraction, style: Style, fonts: Fonts) -> None:
        """Take captions as they are shown.

        Args:
            cues: in time order, without overlap.
            fps: frame i is shown at i / fps; it shows the cue that lasts then.
            style: for the canvas.
            fonts: for all letters of the cues.
        """
        self.cues, self.style, self.fonts = tuple(cues), style, fonts
        self._starts = [math.ceil(Fraction(cue.start_s) * fps) for cue in cues]
        self._stops = [math.ceil(Fraction(cue.end_s) * fps) for cue in cues]
        self._label = lru_cache(_KEPT)(self._draw)

    def over(self, frame: UInt8Array, index: int) -> UInt8Array:
        """Lay the caption of frame `index` over it, in place, and return it.

        Args:
            frame: uint8 of the size of the style: (height, width, 3) RGB or (height, width, 4) premultiplied
                RGBA.
            index: of the frame.
        """
        number = bisect_right(self._starts, index) - 1
        if number >= 0 and index < self._stops[number]:
            label = self._label(number)
            rows, columns = label.keep.shape[:2]
            part = frame[label.y : label.y + rows, label.x : label.x + columns]
            keep, colour = label.keep, label.colour
            if part.shape[2] == 4:
                keep, colour = np.dstack([keep, keep[..., 0]]), np.dstack([colour, 255 - keep[..., 0]])
            cv2.multiply(part, keep, part, 1 / 255)
            cv2.add(part, colour, part)
        return frame

    def traces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the captions of frames `start` to `stop` - 1 as drawn, and which of these show them."""
        for number in range(bisect_right(self._stops, start), bisect_left(self._starts, stop)):
            label = self._label(number)
            first, last = max(self._starts[number] - start, 0), min(self._stops[number], stop) - start
            yield repr((first, last, label.x, label.y, label.keep.shape)).encode()
            yield label.keep.tobytes()
            yield label.colour.tobytes()

    def _draw(self, number: int) -> Label:
        return draw(self.cues[number].lines, self.style, self.fonts)


def draw(lines: Sequence[str], style: Style, fonts: Fonts) -> Label:
    """Draw one caption for its canvas; shrunk where a line would not fit between the margins."""
    backwards = reads_right_to_left("".join(lines))
    written = list(filter(None, map(fonts.written, lines)))
    if not written:
        nothing = np.zeros((0, 0, 3), np.uint8)
        return Label(0, 0, nothing, nothing)
    shaped = [set_line(text, fonts.of, backwards, fonts.language) for text in written]
    ascent, descent = max(line.ascent for line in shaped), max(line.descent for line in shaped)
    pitch = ascent + descent
    across, down = _PADDING
    wide = max(line.width for line in shaped) + 2 * across
    tall = pitch * len(shaped) + 2 * down
    room = (1 - 2 * _SAFE) * style.width, (1 - 2 * _SAFE) * style.height
    em = min(style.em, room[0] / wide, room[1] / tall)
    width, height = math.ceil(wide * em), math.ceil(tall * em)
    paths = "".join(
        f'<path transform="translate({(wide - line.width) / 2 * UNITS:.0f} '
        f'{(down + ascent + pitch * row) * UNITS:.0f})" d="{line.path}"/>'
        for row, line in enumerate(shaped)
        if line.path
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<rect width="{width}" height="{height}" rx="{_RADIUS * em:.2f}"/>'
        f'<g fill="white" transform="scale({em / UNITS:.8f})">{paths}</g></svg>'
    )
    keep, colour = _pixels(svg, _EDGE * em)
    rows = style.height - height
    edge = round(_SAFE * style.height)
    y = min(edge, rows) if style.top else max(rows - edge, 0)
    return Label((style.width - width) // 2, y, keep, colour)


def _pixels(svg: str, edge: float) -> tuple[UInt8Array, UInt8Array]:
    """What stays of the picture behind, and what is added, both (height, width, 3) uint8.

    Args:
        svg: white letters on an opaque black box.
        edge: width of the dark edge around the letters, pixels.
    """
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
    drawn = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
    letters, box = np.ascontiguousarray(drawn[..., 0]), drawn[..., 3]
    # An edge by blurring costs a tenth of one by strokes.
    dark = cv2.GaussianBlur(letters, (0, 0), max(edge, 0.5)).astype(np.float32)
    dark = np.minimum(dark * (_EDGE_STRENGTH / 255), _EDGE_OPACITY)
    shade = (255 - _BOX_OPACITY * box.astype(np.float32)) * (1 - dark)
    keep = np.rint(shade * (255 - letters.astype(np.float32)) / 255).astype(np.uint8)
    return np.asarray(cv2.merge([keep] * 3), np.uint8), np.asarray(cv2.merge([letters] * 3), np.uint8)
