"""Letters of any script as outlines: a line of text is shaped by HarfBuzz, run by run.

A run is of one direction, one script and one typeface. The unit of length is the em.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import uharfbuzz as hb

from avatalk.compose.bidi import visual_runs
from avatalk.compose.phrases import clusters
from avatalk.speech.scripts import script_of

_UNITS = 4096
_NO_GLYPH = 0
_BOLD = 600.0
_BOLDER = 0.03  # ems added to each side of a stem of a typeface that has no bold
_TALLEST = 1.65  # ems from the highest to the lowest that a typeface may claim


@dataclass(frozen=True, slots=True)
class Typeface:
    """One face of a font file.

    Attributes:
        path: of the file.
        index: of the face, in a collection.
    """

    path: Path
    index: int = 0

    def covers(self, text: str) -> bool:
        """Whether it has a glyph for every character of `text`; joiners and the like need none."""
        known = characters_of(self)
        return all(ord(char) in known or unicodedata.category(char) == "Cf" for char in text)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as drawn, in ems, from its left end on the baseline; y grows downwards.

    Attributes:
        path: SVG path data in 1/4096 em (`Line.UNITS`).
        width: its advance.
        ascent: above the baseline.
        descent: below it.
    """

    path: str
    width: float
    ascent: float
    descent: float


UNITS = _UNITS


@lru_cache(maxsize=64)
def _face(typeface: Typeface) -> hb.Face:
    return hb.Face(hb.Blob.from_file_path(str(typeface.path)), typeface.index)


@lru_cache(maxsize=64)
def characters_of(typeface: Typeface) -> frozenset[int]:
    """Every character that the typeface has a glyph for."""
    return frozenset(_face(typeface).unicodes)


@lru_cache(maxsize=64)
def _font(typeface: Typeface) -> hb.Font:
    font = hb.Font(_face(typeface))
    font.scale = (_UNITS, _UNITS)
    if font.get_style_value(hb.StyleTag.WEIGHT) < _BOLD:
        font.synthetic_bold = (_BOLDER, _BOLDER, False)
    return font


def faces_in(path: Path) -> int:
    """Number of faces in a font file; 0 if it is none."""
    try:
        return int(hb.Face(hb.Blob.from_file_path(str(path))).count) if path.stat().st_size else 0
    except (OSError, hb.HarfBuzzError):
        return 0


def set_line(text: str, choose: Callable[[str], Typeface], right_to_left: bool, language: str) -> Line:
    """Shape one line.

    Args:
        text: without line breaks.
        choose: the typeface of a character with its marks.
        right_to_left: the direction of the paragraph.
        language: BCP-47, or empty; decides between forms of a letter.
    """
    pieces: list[str] = []
    at, ascent, descent = 0.0, 0.0, 0.0
    runs = list(_runs(text, choose))
    for start, stop, backwards in visual_runs(text, right_to_left):
        inside = [(max(a, start), min(b, stop), face) for a, b, face in runs if a < stop and b > start]
        for a, b, face in reversed(inside) if backwards else inside:
            at = _shape(text[a:b], face, backwards, language, at, pieces)
            extents = _font(face).get_font_extents("ltr")
            ascent = max(ascent, extents.ascender / _UNITS)
            descent = max(descent, -extents.descender / _UNITS)
    if ascent + descent > _TALLEST:
        ascent, descent = 0.75 * _TALLEST, 0.25 * _TALLEST
    return Line("".join(pieces), at / _UNITS, ascent, descent)


def _runs(text: str, choose: Callable[[str], Typeface]) -> Iterator[tuple[int, int, Typeface]]:
    """Runs of one script and typeface; what belongs to no script stays with what stands before it.

    But for digits, which look the same at the beginning of a line and after a Chinese character.
    """
    kinds: list[tuple[str, Typeface]] = []
    for cluster in clusters(text):
        script = script_of(cluster[0])
        if script:
            kind = (script, choose(cluster))
        elif kinds and not cluster[0].isdigit() and kinds[-1][1].covers(cluster):
            kind = kinds[-1]
        else:
            kind = ("", choose(cluster))
        kinds += [kind] * len(cluster)
    for (_, face), group in groupby(range(len(text)), kinds.__getitem__):
        indices = list(group)
        yield indices[0], indices[-1] + 1, face


def _shape(text: str, face: Typeface, backwards: bool, language: str, at: float, pieces: list[str]) -> float:
    """Append the outlines of one run that begins at `at`; return where it ends."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if backwards else "ltr"
    if language:
        buffer.language = language
    font = _font(face)
    hb.shape(font, buffer)
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if (
            info.codepoint == _NO_GLYPH
        ):  # a mark that the typeface of its letter lacks: better none than a box
            continue
        pen = _Pen(at + place.x_offset, -place.y_offset, pieces)
        font.draw_glyph(info.codepoint, _DRAW, pen)
        at += place.x_advance
    return at


@dataclass(frozen=True, slots=True)
class _Pen:
    x: float
    y: float
    pieces: list[str]

    def add(self, command: str, *points: float) -> None:
        """Append one command of path data, its points moved to the pen's place and turned downwards."""
        where = [f"{self.x + x:.0f} {self.y - y:.0f}" for x, y in zip(points[::2], points[1::2], strict=True)]
        self.pieces.append(command + " ".join(where))


def _drawing() -> hb.DrawFuncs:
    funcs = hb.DrawFuncs()
    funcs.set_move_to_func(lambda x, y, pen: pen.add("M", x, y))
    funcs.set_line_to_func(lambda x, y, pen: pen.add("L", x, y))
    funcs.set_quadratic_to_func(lambda a, b, x, y, pen: pen.add("Q", a, b, x, y))
    funcs.set_cubic_to_func(lambda a, b, c, d, x, y, pen: pen.add("C", a, b, c, d, x, y))
    funcs.set_close_path_func(lambda pen: pen.add("Z"))
    return funcs


_DRAW = _drawing()
