"""Caps, helmets, turbans: each a function of its colour, in head units; and what all hats do to a head."""

from __future__ import annotations

from collections.abc import Callable

from avatalk.avatars.artist import brimmed, crowns
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, sheet
from avatalk.avatars.artist.hat_parts import dome, draw_visor, shades, whole
from avatalk.avatars.artist.svg import Drawing, Point, line, mix

HAIR_BELOW = -112.0
"""Under a hat no hair is seen above this height."""

_EDGES: dict[str, list[Point]] = {
    # The right half of the lower edge over the forehead, from the middle outwards.
    "beanie": [(0, -112), (64, -106), (118, -90), (152, -62)],
    "cap": [(0, -60), (64, -68), (118, -92), (146, -98)],
    "hat": [(0, -92), (110, -96), (200, -116)],
    "peaked": [(0, -76), (60, -82), (112, -102), (146, -106)],
    "turban": [(0, -140), (52, -118), (104, -90), (148, -44)],
    "headband": [(0, -110), (70, -104), (124, -84), (150, -58)],
    "helmet": [(0, -84), (80, -88), (150, -98), (176, -104)],
    "beret": [(0, -132), (70, -126), (118, -104), (148, -70)],
    "straw": [(0, -88), (110, -92), (200, -112)],
    "sombrero": [(0, -88), (110, -92), (200, -128)],
    "bowler": [(0, -96), (90, -100), (150, -116)],
    "tophat": [(0, -96), (90, -100), (150, -116)],
    "tricorn": [(0, -100), (110, -104), (190, -118)],
    "wizard": [(0, -92), (110, -96), (200, -116)],
    "flatcap": [(0, -82), (60, -88), (110, -102), (146, -98)],
    "fez": [(0, -126), (60, -122), (112, -106)],
    "toque": [(0, -116), (70, -112), (118, -100), (146, -82)],
    "horned": [(0, -110), (80, -106), (150, -92)],
}


def covers_hair(character: Character) -> bool:
    """Return whether what is worn hides the top of the hair."""
    return character.headwear not in ("none", "headband", "crown", "tiara", "bubble", "veil")


def draw(character: Character) -> list[Sheet]:
    """Draw what is worn on the head."""
    maker = _MAKERS.get(character.headwear)
    return [] if maker is None else maker(character.headwear_colour)


def cast(d: Drawing, character: Character, tint: str) -> None:
    """Lay the shadow of a brim on the forehead."""
    edge = _EDGES.get(character.headwear)
    if edge is None:
        return
    deep = (
        0.7 if character.headwear not in ("beanie", "turban", "headband", "beret", "toque", "fez") else 0.45
    )
    with d.blurred(9):
        d.stroke(line([(x, y + 9) for x, y in whole(edge)]), tint, 26, deep)


def _beanie(tint: str) -> list[Sheet]:
    dark, light = shades(tint)
    s, band = sheet(-190, -320, 190, -20), sheet(-190, -200, 190, -20)
    edge = [(x, y - 34) for x, y in _EDGES["beanie"]]
    dome(s, [(0, -288), (62, -276), (120, -232), (152, -160), (157, -96)], edge, tint)
    for i in range(-8, 9):
        x = 17.5 * i
        y = -286 + 0.0062 * x * x
        low = -146 + 0.0022 * x * x
        s.detail.stroke(
            line([(x * 0.55, y), (x * 1.04, (y + low) / 2 - 8), (x * 1.12, low)]), dark, 2.4, 0.26
        )
        s.detail.stroke(
            line([(x * 0.55 + 4, y + 2), (x * 1.04 + 6, (y + low) / 2 - 8), (x * 1.12 + 6, low)]),
            light,
            1.6,
            0.22,
        )
    low_edge = _EDGES["beanie"]
    top_edge = [(x * 1.03, y - 54) for x, y in low_edge]
    wide = [(x * 1.045, y) for x, y in low_edge]
    fold = mix(tint, light, 0.12)
    band.shape.path(line([*whole(top_edge), *reversed(whole(wide))], closed=True, tension=0.9), fold)
    band.shading.flood(
        band.shading.linear(
            -160, 0, 160, 0, (0, mix(fold, light, 0.3), 1), (0.5, fold, 1), (1, mix(fold, dark, 0.6), 1)
        )
    )
    with band.shading.blurred(5):
        band.shading.stroke(line(whole(wide)), dark, 10, 0.5)
        band.shading.stroke(line([(x, y + 12) for x, y in whole(top_edge)]), light, 8, 0.3)
    for i in range(-12, 13):
        x = 12.6 * i
        y = -112 + 0.0021 * x * x
        band.detail.stroke(line([(x * 1.03, y - 50), (x * 1.05, y - 25), (x * 1.04, y - 3)]), dark, 2.2, 0.28)
    band.detail.stroke(line(whole(top_edge)), dark, 2.2, 0.55)
    return [s, band]


def _cap(tint: str) -> list[Sheet]:
    dark, light = shades(tint)
    s, visor = sheet(-190, -300, 190, -60), sheet(-180, -170, 180, -30)
    edge = [(0, -120), (80, -114), (128, -98), (154, -78)]
    dome(s, [(0, -266), (66, -258), (124, -220), (152, -158), (156, -104)], edge, tint)
    for x in (-62, 0, 62):
        s.detail.stroke(line([(x * 0.1, -264), (x * 1.0, -206), (x * 1.34, -120)]), dark, 1.8, 0.4)
        s.detail.stroke(line([(x * 0.1 + 3, -262), (x + 3, -206), (x * 1.34 + 3, -120)]), light, 1.1, 0.3)
    s.detail.ellipse(0, -265, 9, 5, mix(tint, dark, 0.3))
    top = [(0, -132), (70, -126), (122, -106), (150, -88)]
    draw_visor(visor, top, [(0, -54), (66, -60), (122, -80), (150, -86)], tint)
    return [s, visor]


def _peaked(tint: str) -> list[Sheet]:
    dark, light = shades(tint)
    disc, band, visor = sheet(-220, -310, 220, -120), sheet(-180, -200, 180, -70), sheet(-180, -160, 180, -40)
    upper = [(0, -272), (70, -264), (140, -234), (186, -196), (178, -176)]
    lower = [(0, -160), (80, -158), (140, -160), (178, -176)]
    disc.shape.path(line([*whole(upper), *reversed(whole(lower))], closed=True, tension=0.8), tint)
    disc.shading.flood(
        disc.shading.linear(
            -150, -260, 170, -160, (0, mix(tint, light, 0.5), 1), (0.5, tint, 1), (1, mix(tint, dark, 0.6), 1)
        )
    )
    with disc.shading.blurred(10):
        disc.shading.stroke(line([(x, y - 4) for x, y in whole(lower)]), dark, 22, 0.6)
        disc.shading.ellipse(-60, -234, 70, 18, light, 0.45, -14)
    disc.detail.stroke(line(whole(upper[:-1])), light, 2.2, 0.4)
    trim = mix(tint, "#0b0a10", 0.55)
    top = [(0, -166), (80, -164), (130, -158), (154, -150)]
    bottom = [(0, -116), (76, -112), (126, -98), (155, -82)]
    band.shape.path(line([*whole(top), *reversed(whole(bottom))], closed=True, tension=0.9), trim)
    with band.shading.blurred(8):
        band.shading.ellipse(-70, -140, 46, 14, light, 0.3, -6)
        band.shading.stroke(line([(120, -160), (152, -120), (154, -86)]), "#05040a", 22, 0.5)
    band.detail.stroke(line([(x, y - 5) for x, y in whole(bottom)]), "#cfa24a", 6, 0.95)
    band.detail.stroke(line([(x, y - 6.5) for x, y in whole(bottom)]), "#f3dda0", 1.6, 0.8)
    for x, y, r in ((0, -168, 21), (0, -168, 13)):
        band.detail.ellipse(x, y, r, r * 1.1, "#caa047" if r > 15 else "#f0d58e")
    band.detail.ellipse(0, -168, 8, 9, mix(tint, dark, 0.4))
    draw_visor(
        visor,
        [(0, -124), (70, -120), (116, -108), (142, -94)],
        [(0, -70), (60, -75), (112, -92), (142, -94)],
        "#17171c",
    )
    return [disc, band, visor]


def _turban(tint: str) -> list[Sheet]:
    dark, light = shades(tint)
    s = sheet(-220, -330, 220, -10)
    edge = _EDGES["turban"]
    dome(s, [(0, -292), (70, -286), (140, -240), (180, -164), (176, -92), (160, -46)], edge, tint)
    folds: list[tuple[Point, Point, Point, Point]] = []
    for k in range(7):
        t = k / 6
        folds.append(
            ((-14 + 4 * t, -146 - 132 * t), (60, -150 - 122 * t), (128, -104 - 112 * t), (170, -50 - 96 * t))
        )
    with s.shading.blurred(4):
        for side in (-1, 1):
            for a, b, c, e in folds:
                points = [(side * p[0], p[1]) for p in (a, b, c, e)]
                s.shading.stroke(line(points), dark, 9, 0.45)
                s.shading.stroke(line([(x, y - 9) for x, y in points]), light, 7, 0.32)
    for side in (-1, 1):
        for a, b, c, e in folds:
            s.detail.stroke(line([(side * p[0], p[1]) for p in (a, b, c, e)]), dark, 1.6, 0.45)
    knot = [(0, -150), (20, -172), (22, -214), (8, -246), (-8, -246), (-22, -214), (-20, -172)]
    s.detail.path(
        line(knot, closed=True),
        s.detail.linear(-20, 0, 22, 0, (0, mix(tint, light, 0.35), 1), (1, mix(tint, dark, 0.4), 1)),
    )
    s.detail.stroke(line(knot, closed=True), dark, 1.5, 0.4)
    s.detail.stroke(line([(x, y + 1) for x, y in whole(edge)]), dark, 2.2, 0.5)
    return [s]


def _headband(tint: str) -> list[Sheet]:
    dark, light = shades(tint)
    s = sheet(-180, -190, 180, -30)
    low = _EDGES["headband"]
    top = [(x * 1.0, y - 36) for x, y in low]
    s.shape.path(line([*whole(top), *reversed(whole(low))], closed=True, tension=0.9), tint)
    s.shading.flood(
        s.shading.linear(
            -150, 0, 160, 0, (0, mix(tint, light, 0.3), 1), (0.45, tint, 1), (1, mix(tint, dark, 0.65), 1)
        )
    )
    with s.shading.blurred(4):
        s.shading.stroke(line(whole(low)), dark, 7, 0.5)
        s.shading.stroke(line([(x, y + 10) for x, y in whole(top)]), light, 7, 0.4)
    s.detail.stroke(line(whole(top)), dark, 1.6, 0.5)
    return [s]


def _helmet(tint: str) -> list[Sheet]:
    dark, light = shades(tint)
    s, rim = sheet(-210, -330, 210, -60), sheet(-220, -160, 220, -50)
    dome(
        s,
        [(0, -300), (76, -288), (140, -236), (170, -166), (176, -112)],
        [(0, -120), (90, -118), (176, -112)],
        tint,
    )
    for x in (-40, 0, 40):
        ridge = [(x * 0.5, -298), (x * 0.9, -230), (x * 1.1, -122)]
        s.detail.stroke(line([(a + 7, b) for a, b in ridge]), dark, 5, 0.35)
        s.detail.stroke(line(ridge), mix(tint, light, 0.6), 11, 0.75)
        s.detail.stroke(line([(a - 3, b) for a, b in ridge]), "#ffffff", 2.4, 0.45)
    upper = [(0, -134), (90, -132), (160, -124), (192, -108)]
    draw_visor(rim, upper, [(0, -86), (84, -90), (150, -100), (192, -106)], tint)
    return [s, rim]


def _beret(tint: str) -> list[Sheet]:
    dark, light = shades(tint)
    s, band = sheet(-230, -330, 230, -60), sheet(-180, -180, 180, -50)
    puff = [
        (-152, -112), (-182, -160), (-170, -226), (-96, -278), (10, -290), (116, -262),
        (190, -204), (206, -158), (160, -128), (60, -148), (-60, -150),
    ]  # fmt: skip
    s.shape.path(line(puff, closed=True, tension=0.9), tint)
    s.shading.flood(
        s.shading.linear(
            -150,
            -270,
            190,
            -130,
            (0, mix(tint, light, 0.5), 1),
            (0.45, tint, 1),
            (1, mix(tint, dark, 0.6), 1),
        )
    )
    with s.shading.blurred(12):
        s.shading.stroke(
            line([(-150, -122), (-60, -158), (60, -156), (160, -136), (204, -160)]), dark, 24, 0.55
        )
        s.shading.ellipse(-70, -238, 70, 26, light, 0.4, -16)
        s.shading.stroke(line([(60, -270), (130, -226), (170, -170)]), dark, 18, 0.3)
    s.detail.stroke(line([(8, -288), (12, -300), (18, -306)]), dark, 5, 0.9)
    low = _EDGES["beret"]
    top = [(x * 1.01, y - 18) for x, y in low]
    band.shape.path(
        line([*whole(top), *reversed(whole(low))], closed=True, tension=0.9), mix(tint, dark, 0.5)
    )
    return [s, band]


_MAKERS: dict[str, Callable[[str], list[Sheet]]] = {
    "beanie": _beanie,
    "cap": _cap,
    "hat": brimmed.hat,
    "peaked": _peaked,
    "turban": _turban,
    "headband": _headband,
    "helmet": _helmet,
    "beret": _beret,
    "straw": brimmed.straw,
    "sombrero": brimmed.sombrero,
    "bowler": brimmed.bowler,
    "tophat": brimmed.tophat,
    "tricorn": brimmed.tricorn,
    "wizard": brimmed.wizard,
    "flatcap": crowns.flat_cap,
    "fez": crowns.fez,
    "toque": crowns.toque,
    "crown": crowns.crown,
    "tiara": crowns.tiara,
    "horned": crowns.horned,
}
