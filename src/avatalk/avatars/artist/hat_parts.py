"""What hats are made of: crowns and visors, in head units."""

from __future__ import annotations

from collections.abc import Sequence

from avatalk.avatars.artist.face import Sheet
from avatalk.avatars.artist.svg import Point, line, mirror, mix


def whole(right: Sequence[Point]) -> list[Point]:
    """Return a line from left to right by its right half, which begins in the middle."""
    return [*mirror(list(right[1:])), *right]


def shades(tint: str) -> tuple[str, str]:
    """Return the dark and the light shade of a hat's cloth."""
    return mix(tint, "#08060c", 0.55), mix(tint, "#ffffff", 0.32)


def dome(s: Sheet, top: Sequence[Point], edge: Sequence[Point], tint: str) -> None:
    """Fill a crown between its outline (right half, from the middle) and its lower edge, softly lit."""
    dark, light = shades(tint)
    outline = line([*whole(top), *reversed(whole(edge))], closed=True, tension=0.8)
    s.shape.path(outline, tint)
    s.shading.flood(
        s.shading.linear(
            -150,
            -240,
            170,
            -90,
            (0, mix(tint, light, 0.55), 1),
            (0.45, tint, 1),
            (1, mix(tint, dark, 0.7), 1),
        )
    )
    with s.shading.blurred(13):
        s.shading.stroke(line(whole(top)), dark, 22, 0.5)
        s.shading.ellipse(-58, -222, 62, 30, light, 0.5, -24)
        s.shading.blob([(104, -90), (170, -90), (180, -190), (120, -262), (126, -170)], dark, 0.45)


def draw_visor(s: Sheet, top: Sequence[Point], low: Sequence[Point], tint: str) -> None:
    """Draw a visor between two edges given by their right halves."""
    dark, light = shades(tint)
    shape = line([*whole(top), *reversed(whole(low))], closed=True, tension=0.9)
    s.shape.path(
        shape,
        s.shape.linear(
            0, top[0][1], 0, low[0][1], (0, dark, 1), (0.45, tint, 1), (1, mix(tint, light, 0.4), 1)
        ),
    )
    s.detail.stroke(line(whole(low)), dark, 2.4, 0.7)
    s.detail.stroke(line([(x * 0.96, y - 4) for x, y in whole(low)]), light, 1.6, 0.45)
    s.detail.stroke(line([(x, y + 2) for x, y in whole(top)]), dark, 4, 0.5)
