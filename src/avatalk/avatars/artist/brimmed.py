"""Hats with a brim, each a function of its colour, in head units."""

from __future__ import annotations

from collections.abc import Sequence

from avatalk.avatars.artist.face import Sheet, sheet
from avatalk.avatars.artist.hat_parts import dome, shades, whole
from avatalk.avatars.artist.svg import Point, line, mirror, mix


def _brim(tint: str, upper: Sequence[Point], lower: Sequence[Point]) -> Sheet:
    """Draw a brim between the right halves of its edges, from the middle outwards."""
    dark, light = shades(tint)
    s = sheet(-290, -300, 290, -50)
    s.shape.path(
        line([*whole(upper), *reversed(whole(lower))], closed=True, tension=0.9),
        s.shape.linear(
            -240, -150, 240, -90, (0, mix(tint, light, 0.5), 1), (0.5, tint, 1), (1, mix(tint, dark, 0.5), 1)
        ),
    )
    with s.shading.blurred(7):
        s.shading.stroke(line([(x * 0.6, y - 30) for x, y in whole(lower)]), dark, 26, 0.55)
        s.shading.stroke(line([(x, y - 4) for x, y in whole(lower)]), light, 5, 0.5)
    s.detail.stroke(line(whole(lower)), dark, 2.0, 0.6)
    return s


def _ribbon(s: Sheet, top: Sequence[Point], low: Sequence[Point], tint: str) -> None:
    """Draw a ribbon around a crown between the right halves of its edges."""
    s.detail.path(line([*whole(top), *reversed(whole(low))], closed=True, tension=0.9), tint)
    s.detail.stroke(line([(x, y + 3) for x, y in whole(top)]), mix(tint, "#ffffff", 0.3), 1.6, 0.5)


def hat(tint: str) -> list[Sheet]:
    """Draw a felt hat with a dent and a ribbon."""
    dark, light = shades(tint)
    brim, crown = sheet(-270, -190, 270, -60), sheet(-170, -330, 170, -80)
    upper = [(0, -150), (130, -148), (216, -136), (246, -122)]
    lower = [(0, -84), (110, -88), (200, -104), (246, -122)]
    brim.shape.path(
        line([*whole(upper), *reversed(whole(lower))], closed=True, tension=0.9),
        brim.shape.linear(
            -240, -150, 240, -90, (0, mix(tint, light, 0.5), 1), (0.5, tint, 1), (1, mix(tint, dark, 0.5), 1)
        ),
    )
    with brim.shading.blurred(7):
        brim.shading.stroke(line([(x * 0.6, y - 30) for x, y in whole(lower)]), dark, 26, 0.55)
        brim.shading.stroke(line([(x, y - 4) for x, y in whole(lower)]), light, 5, 0.5)
    brim.detail.stroke(line(whole(lower)), dark, 2.0, 0.6)
    edge = [(0, -106), (70, -108), (118, -114), (136, -120)]
    dome(crown, [(0, -276), (40, -292), (86, -288), (116, -252), (130, -170), (137, -122)], edge, tint)
    with crown.shading.blurred(8):
        crown.shading.blob([(-26, -282), (26, -282), (20, -230), (0, -206), (-20, -230)], dark, 0.5)
    ribbon = [(0, -142), (70, -144), (116, -150), (133, -156)]
    band = mix(tint, "#120c0c", 0.72)
    crown.detail.path(
        line(
            [*whole(ribbon), *reversed(whole([(0, -106), (70, -108), (117, -114), (136, -120)]))],
            closed=True,
            tension=0.9,
        ),
        band,
    )
    crown.detail.stroke(line([(x, y + 3) for x, y in whole(ribbon)]), mix(band, "#ffffff", 0.3), 1.6, 0.5)
    return [brim, crown]


def straw(tint: str) -> list[Sheet]:
    """Draw a wide hat of plaited straw."""
    dark, light = shades(tint)
    upper = [(0, -150), (130, -150), (214, -142), (260, -112)]
    lower = [(0, -80), (110, -84), (206, -96), (260, -112)]
    brim, top = _brim(tint, upper, lower), sheet(-170, -330, 170, -80)
    edge = [(0, -106), (70, -108), (118, -114), (138, -122)]
    dome(top, [(0, -280), (50, -278), (98, -258), (124, -200), (136, -128)], edge, tint)
    for k in range(1, 6):
        u = k / 6
        ring = [
            (x0 + (x1 - x0) * u, y0 + (y1 - y0) * u) for (x0, y0), (x1, y1) in zip(upper, lower, strict=True)
        ]
        brim.detail.stroke(line(whole(ring)), dark, 1.5, 0.35)
        brim.detail.stroke(line([(x, y + 2) for x, y in whole(ring)]), light, 1.2, 0.4)
    for k in range(8):
        y = -266 + 16 * k
        half = 60 + 62 * (k / 7) ** 0.6
        top.detail.stroke(line([(-half, y + 12), (0, y), (half, y + 12)]), dark, 1.5, 0.28)
    _ribbon(top, [(0, -140), (70, -142), (116, -148), (134, -154)], edge, mix(tint, "#3a2a1c", 0.75))
    return [brim, top]


def sombrero(tint: str) -> list[Sheet]:
    """Draw a sombrero: a tall crown and a very wide brim that turns up."""
    dark, _ = shades(tint)
    upper = [(0, -152), (120, -156), (204, -190), (262, -236)]
    lower = [(0, -76), (120, -82), (216, -122), (262, -236)]
    brim, top = _brim(tint, upper, lower), sheet(-170, -330, 170, -80)
    edge = [(0, -104), (70, -106), (112, -112), (128, -122)]
    dome(top, [(0, -304), (34, -300), (62, -276), (94, -200), (124, -128)], edge, tint)
    trim = [(x * 0.985, y - 9) for x, y in lower]
    brim.detail.stroke(line(whole(trim)), "#a3273a", 9, 0.95)
    brim.detail.stroke(line([(x, y - 9) for x, y in whole(trim)]), "#e9c46a", 4, 0.95)
    _ribbon(top, [(0, -146), (64, -148), (104, -154), (116, -160)], edge, "#a3273a")
    zigzag = [(-108.0 + 18 * k, -130.0 - 12 * (k % 2)) for k in range(13)]
    top.detail.stroke(line(zigzag, tension=0), "#e9c46a", 4, 0.95)
    top.detail.stroke(line(whole(edge)), dark, 2, 0.5)
    return [brim, top]


def bowler(tint: str) -> list[Sheet]:
    """Draw a round stiff hat with a narrow brim."""
    brim = _brim(
        tint,
        [(0, -140), (100, -142), (160, -152), (184, -146)],
        [(0, -90), (96, -94), (160, -116), (184, -146)],
    )
    top, edge = sheet(-170, -330, 170, -80), [(0, -108), (70, -110), (116, -118), (136, -128)]
    dome(top, [(0, -286), (66, -276), (116, -238), (136, -180), (138, -136)], edge, tint)
    _ribbon(top, [(0, -138), (70, -140), (118, -148), (137, -156)], edge, mix(tint, "#0c0a0c", 0.6))
    return [brim, top]


def tophat(tint: str) -> list[Sheet]:
    """Draw a top hat, as tall as the picture allows."""
    dark, light = shades(tint)
    brim = _brim(
        tint,
        [(0, -140), (100, -144), (168, -158), (196, -156)],
        [(0, -90), (96, -94), (168, -118), (196, -156)],
    )
    top, edge = sheet(-190, -330, 190, -80), [(0, -108), (70, -110), (112, -118), (128, -126)]
    wall = [(0, -304), (80, -306), (142, -304), (134, -240), (128, -180), (129, -132)]
    top.shape.path(line([*whole(wall), *reversed(whole(edge))], closed=True, tension=0.5), tint)
    ends = (
        (0, mix(tint, dark, 0.4), 1.0),
        (0.25, mix(tint, light, 0.5), 1.0),
        (0.5, tint, 1.0),
        (1, mix(tint, dark, 0.7), 1.0),
    )
    top.shading.flood(top.shading.linear(-140, 0, 140, 0, *ends))
    top.detail.stroke(line([(-140, -303), (0, -296), (140, -303)]), light, 2, 0.4)
    _ribbon(top, [(0, -148), (70, -150), (112, -158), (128, -166)], edge, mix(tint, "#6b6b76", 0.35))
    return [brim, top]


def tricorn(tint: str) -> list[Sheet]:
    """Draw a pirate's cocked hat with a trim and a skull."""
    dark, light = shades(tint)
    s = sheet(-280, -330, 280, -60)
    upper = [(0, -288), (70, -272), (140, -222), (200, -166), (254, -128)]
    lower = [(0, -94), (110, -100), (200, -116), (254, -128)]
    outline = line([*whole(upper), *reversed(whole(lower))], closed=True, tension=0.8)
    s.shape.path(outline, tint)
    s.shading.flood(
        s.shading.linear(
            -220, -240, 240, -110, (0, mix(tint, light, 0.6), 1), (0.5, tint, 1), (1, mix(tint, dark, 0.6), 1)
        )
    )
    with s.shading.blurred(9):
        s.shading.stroke(line(whole(lower)), dark, 22, 0.6)
        s.shading.stroke(line([(x * 0.8, y + 34) for x, y in whole(upper)]), light, 12, 0.35)
    with s.detail.clipped(outline):
        s.detail.stroke(line([(x, y + 3) for x, y in whole(upper)], tension=0.8), "#c99a3c", 12)
        s.detail.stroke(line([(x, y + 5) for x, y in whole(upper)], tension=0.8), "#f0d58e", 2, 0.8)
    bone = "#efeae0"
    for side in (-1, 1):
        s.detail.stroke(line([(-34 * side, -146), (34 * side, -186)]), bone, 8)
    s.detail.ellipse(0, -178, 24, 25, bone)
    s.detail.path(line([(-13, -164), (13, -164), (11, -142), (-11, -142)], closed=True, tension=0.3), bone)
    for x in (-9, 9):
        s.detail.ellipse(x, -177, 6.5, 7.5, mix(tint, "#000000", 0.3))
    s.detail.stroke(
        line([(-5, -152), (-5, -143)]) + line([(5, -152), (5, -143)]), mix(tint, "#000000", 0.3), 2
    )
    return [s]


def wizard(tint: str) -> list[Sheet]:
    """Draw a pointed hat with stars, its tip bent."""
    dark, _ = shades(tint)
    brim = _brim(
        tint,
        [(0, -150), (130, -150), (206, -140), (240, -122)],
        [(0, -86), (110, -90), (196, -106), (240, -122)],
    )
    s = sheet(-180, -330, 180, -80)
    edge = [(136, -120), (112, -114), (0, -106), (-112, -114), (-136, -120)]
    cone = [
        (-126, -134),
        (-84, -214),
        (-34, -288),
        (4, -306),
        (52, -298),
        (40, -280),
        (76, -214),
        (126, -134),
    ]
    s.shape.path(line([*cone, *edge], closed=True, tension=0.7), tint)
    s.shading.flood(
        s.shading.linear(
            -130, 0, 140, 0, (0, mix(tint, "#ffffff", 0.2), 1), (0.4, tint, 1), (1, mix(tint, dark, 0.8), 1)
        )
    )
    with s.shading.blurred(6):
        s.shading.stroke(line([(-60, -250), (0, -236), (58, -246)]), dark, 10, 0.5)
        s.shading.stroke(line([(-90, -196), (0, -184), (84, -200)]), dark, 10, 0.4)
    low = list(reversed(mirror(edge[:2]))) + edge[2:3] + list(reversed(edge[:2]))
    s.detail.stroke(line([(x * 0.97, y - 16) for x, y in low]), "#c99a3c", 15)
    for x, y, r in ((-44, -190, 10), (38, -212, 8), (4, -250, 7), (60, -168, 7), (-78, -158, 7)):
        ring = [
            (x + (r if k % 2 else r * 0.42) * dx, y + (r if k % 2 else r * 0.42) * dy)
            for k, (dx, dy) in enumerate(_STAR)
        ]
        s.detail.path(line(ring, closed=True, tension=0), "#f3dda0")
    return [brim, s]


_STAR = (
    (0.0, 1.0), (0.59, 0.81), (0.95, 0.31), (0.95, -0.31), (0.59, -0.81),
    (0.0, -1.0), (-0.59, -0.81), (-0.95, -0.31), (-0.95, 0.31), (-0.59, 0.81),
)  # fmt: skip
