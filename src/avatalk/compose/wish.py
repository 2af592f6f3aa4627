"""What a request says of the background and of overlays, read without looking at any file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

COLOURS = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "green": (0, 255, 0),
    "red": (209, 52, 52),
    "blue": (0, 128, 255),
}
"""Named grounds, RGB."""
BLUR = 0.5
"""Strength of a plain ``blur``."""
CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right", "centre")

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Ground:
    """A background as the request says it.

    Attributes:
        kind: ``keep``, ``colour``, ``gradient``, ``blur``, ``file`` or ``transparent``.
        colours: of a plain ground or a gradient, from the top down; RGB 0..255.
        strength: of the blur, 0..1.
        path: of a picture or clip.
    """

    kind: str
    colours: tuple[Colour, ...] = ()
    strength: float = 0.0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A picture laid over the video.

    Attributes:
        path: of the picture; its alpha is heeded.
        corner: one of `CORNERS`.
        width: as a share of the video's width, 0..1.
    """

    path: str
    corner: str
    width: float


def read_ground(text: str) -> Ground:
    """Read a background.

    Raises:
        ValueError: it is none; the message says how it is written.
    """
    name, _, rest = text.strip().partition(":")
    word = name.lower()
    if word in ("keep", "transparent") and not rest:
        return Ground(word)
    if word in COLOURS and not rest:
        return Ground("colour", (COLOURS[word],))
    if word == "blur":
        try:
            strength = float(rest) if rest else BLUR
        except ValueError:
            strength = math.nan
        if not 0 < strength <= 1:
            raise ValueError("the strength of a blur lies above 0 and up to 1, such as blur:0.5")
        return Ground("blur", strength=strength)
    if word == "gradient":
        return Ground("gradient", tuple(_colour(part) for part in _two(rest)))
    if text.strip().startswith("#"):
        return Ground("colour", (_colour(text),))
    # A file has a dot or a slash in its name; anything else is a word nobody knows.
    if not re.search(r"[./\\]", text):
        raise ValueError(
            f"a background is keep, {', '.join(COLOURS)}, #rrggbb, blur, gradient:#rrggbb,#rrggbb, "
            "transparent, or the path of a picture or clip"
        )
    return Ground("file", path=text.strip())


def read_overlay(text: str) -> Overlay:
    """Read an overlay, ``logo.png:top-right:12%``; the corner and the size may be left out.

    Raises:
        ValueError: it is none; the message says how it is written.
    """
    path, corner, width = text.strip(), "top-right", 0.12
    if match := re.fullmatch(r"(.+):(\d+(?:\.\d+)?)\s*%", path):
        path, width = match[1], float(match[2]) / 100
    if match := re.fullmatch(r"(.+):([a-z]+(?:-[a-z]+)?)", path):
        path, corner = match[1], match[2].replace("center", "centre")
    if corner not in CORNERS or not 0.01 <= width <= 1 or not Path(path).name:
        raise ValueError(
            "an overlay is written FILE:CORNER:SIZE, such as logo.png:top-right:12%; corners are "
            f"{', '.join(CORNERS)}, the size is 1% to 100% of the width"
        )
    return Overlay(path, corner, width)


def _two(text: str) -> list[str]:
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError("a gradient is written gradient:#rrggbb,#rrggbb, from the top down")
    return parts


def _colour(text: str) -> Colour:
    text = text.strip().lower()
    if text in COLOURS:
        return COLOURS[text]
    if match := re.fullmatch(r"#([0-9a-f])([0-9a-f])([0-9a-f])", text):
        text = "#" + "".join(2 * digit for digit in match.groups())
    if not re.fullmatch(r"#[0-9a-f]{6}", text):
        raise ValueError(f"a colour is {', '.join(COLOURS)} or #rrggbb, not {text!r}")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
