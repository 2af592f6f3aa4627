"""Garments of a trade or an occasion: dresses, robes, overalls, uniforms, a raincoat, a spacesuit."""

from __future__ import annotations

from dataclasses import replace

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, chin_y, sheet
from avatalk.avatars.artist.garments import crew, shirt
from avatalk.avatars.artist.jackets import cowl, front
from avatalk.avatars.artist.neckwear import beneath
from avatalk.avatars.artist.svg import Point, line, mirror, mix
from avatalk.avatars.artist.tones import tones
from avatalk.avatars.artist.torso import BODY, body, folds, neck_width, outline, shoulders


def _wide(character: Character) -> float:
    return 1.16 if character.sex == "male" else 1.0


def dress(character: Character) -> list[Sheet]:
    """Draw a dress with a wide round neckline."""
    c, n, s = chin_y(character), neck_width(character), sheet(*BODY)
    right: list[Point] = [(52, c + 164), (n + 22, c + 128), (n + 62, c + 74)]
    neck = [*mirror(right), (0, c + 174), *right]
    body(s, character, character.colour, neck)
    dark, light = mix(character.colour, "#08060c", 0.45), mix(character.colour, "#ffffff", 0.3)
    s.detail.stroke(line([(x, y + 7) for x, y in neck[1:-1]]), dark, 3, 0.3)
    s.detail.stroke(line([(x, y + 1.5) for x, y in neck[1:-1]]), light, 2.4, 0.55)
    with s.shading.blurred(5):
        for x in (-120, -70, 60, 110):
            s.shading.stroke(line([(x * 0.7, c + 176), (x, c + 240), (x * 1.1, c + 330)]), dark, 7, 0.3)
    return [s]


def tank(character: Character) -> list[Sheet]:
    """Draw bare shoulders and a top with straps."""
    c, n, k, t = chin_y(character), neck_width(character), _wide(character), tones(character)
    skin, s = sheet(*BODY), sheet(*BODY)
    right = shoulders(character)
    edge = [(-n + 20, c + 40), (0, c + 80), (n - 20, c + 40)]
    faded = skin.shape.linear(
        -200, 0, 200, 0, (0, t.base, 1), (0.2, t.base, 0), (0.8, t.base, 0), (1, t.base, 1)
    )
    skin.shape.path(line([*edge, *right[1:], *mirror(right[1:])], closed=True, tension=0.8), faded)
    d = skin.shading
    d.flood(
        d.linear(
            -330,
            300,
            330,
            480,
            (0, mix(t.base, t.light, 0.5), 1),
            (0.4, t.base, 1),
            (1, mix(t.base, t.shade, 0.85), 1),
        )
    )
    with d.blurred(9):
        for side in (-1, 1):
            d.stroke(
                line([(side * 22, c + 128), (side * 90, c + 112), (side * 200 * k, c + 118)]),
                t.shade,
                13,
                0.55,
            )
            d.stroke(
                line([(side * 24, c + 142), (side * 90, c + 126), (side * 200 * k, c + 134)]),
                t.light,
                10,
                0.5,
            )
            d.stroke(line([(side * 264 * k, c + 300), (side * 270 * k, c + 460)]), t.shade, 16, 0.6)
        d.blob([(290 * k, c + 140), (420, c + 170), (420, 900), (320 * k, 900)], t.shade, 0.6)
        d.ellipse(0, c + 70, n + 30, 34, t.deep, 0.4)
    strap: list[Point] = [(n + 40, c + 76), (n + 22, c + 120), (56, c + 172)]
    arm: list[Point] = [
        (n + 92 * k, c + 96),
        (n + 98 * k, c + 170),
        (222 * k, c + 238),
        (262 * k, c + 290),
        (270 * k, 1500),
    ]
    neck = [*((-x, y) for x, y in strap), (0, c + 184), *reversed(strap)]
    s.shape.path(line([*neck, *arm, *mirror(arm)], closed=True, tension=0.7), character.colour)
    tint = character.colour
    lit, dim, dark = mix(tint, "#ffffff", 0.1), mix(tint, "#0c0a12", 0.34), mix(tint, "#08060c", 0.45)
    s.shading.flood(s.shading.linear(-300, 300, 300, 520, (0, lit, 1), (0.4, tint, 1), (1, dim, 1)))
    folds(s.shading, character, tint)
    for points in (neck, arm, mirror(arm)):
        s.detail.stroke(line(points, tension=0.7), dark, 2.2, 0.5)
    return [skin, *beneath(character), s]


def overalls(character: Character) -> list[Sheet]:
    """Draw a bib and its straps over a shirt."""
    c, n, k, tint = chin_y(character), neck_width(character), _wide(character), character.colour
    worn, s = replace(character, colour=character.accent, tie=None), sheet(-300, 230, 300, 1500)
    dark, light = mix(tint, "#08060c", 0.5), mix(tint, "#ffffff", 0.35)
    fill = s.shape.linear(
        -140, 300, 150, 420, (0, mix(tint, light, 0.3), 1), (0.5, tint, 1), (1, mix(tint, dark, 0.45), 1)
    )
    bib: list[Point] = [(102 * k, c + 150), (118 * k, c + 250), (170 * k, c + 330), (200 * k, 1500)]
    straps = []
    for side in (-1, 1):
        centre = [(side * (n + 60 * k), c + 56), (side * (n + 34 * k), c + 120), (side * 84 * k, c + 176)]
        straps.append(
            line(
                [*((x - 19, y) for x, y in centre), *((x + 19, y) for x, y in reversed(centre))],
                closed=True,
                tension=0.5,
            )
        )
    with s.shape.clipped(outline(character)), s.detail.clipped(outline(character)):
        for part in (*straps, line([*mirror(bib), *bib], closed=True, tension=0.25)):
            s.shape.stroke(part, "#0a0709", 5, 0.2)
            s.shape.path(part, fill)
            s.detail.stroke(part, dark, 1.8, 0.6)
    seam = [(x - 9, y + 9) for x, y in bib]
    s.detail.stroke(line([*mirror(seam), *seam], tension=0.25), "#d8a860", 1.6, 0.7)
    for side in (-1, 1):
        x, y = side * 84 * k, c + 172
        s.detail.ellipse(
            x, y, 10, 10, s.detail.radial(x - 3, y - 4, 14, (0, "#f3dda0", 1), (1, "#8a6424", 1))
        )
    pocket = [(-48, c + 200), (48, c + 200), (48, c + 290), (0, c + 304), (-48, c + 290)]
    s.detail.stroke(line(pocket, closed=True, tension=0.1), dark, 1.8, 0.55)
    return [*(shirt(worn) if character.sex == "male" else crew(worn)), s]


def robe(character: Character) -> list[Sheet]:
    """Draw a robe that hangs in deep folds, over a shirt."""
    c, n, tint = chin_y(character), neck_width(character), character.colour
    worn = replace(character, colour=character.accent)
    opening: list[Point] = [
        (n + 18, c + 52),
        (n + 2, c + 104),
        (52, c + 168),
        (10, c + 234),
        (3, c + 262),
        (3, 1500),
    ]
    sheets = front(character, tint, shirt(worn), opening)
    s, dark, light = sheets[-1], mix(tint, "#030206", 0.7), mix(tint, "#ffffff", 0.34)
    with s.shading.blurred(6):
        for x in (70, 112, 154, 198, 240, 290):
            for side in (-1, 1):
                fold = [
                    (side * (x * 0.9 + 14), c + 128 + 0.1 * x),
                    (side * x, c + 200),
                    (side * x * 1.04, 900),
                ]
                s.shading.stroke(line(fold), dark, 11, 0.6)
                s.shading.stroke(line([(px - 11, y) for px, y in fold]), light, 8, 0.4)
    for side in (-1, 1):
        edge = [(side * x, y) for x, y in opening]
        wide = [(side * (x + 26), y + 4) for x, y in opening]
        s.detail.path(line([*edge, *reversed(wide)], closed=True, tension=0.6), mix(tint, light, 0.16))
        s.detail.stroke(line(wide, tension=0.6), dark, 1.8, 0.7)
    return sheets


def uniform(character: Character) -> list[Sheet]:
    """Draw a shirt with epaulettes and breast pockets; the second colour is that of the epaulettes."""
    c, n, k, tint = chin_y(character), neck_width(character), _wide(character), character.colour
    first, *others = shirt(character)
    dark = mix(tint, "#08060c", 0.5)
    s = sheet(-360, 240, 360, 520)
    for side in (-1, 1):
        flap = [
            (side * (n + 66 * k), c + 78),
            (side * 262 * k, c + 118),
            (side * 256 * k, c + 146),
            (side * (n + 60 * k), c + 106),
        ]
        s.shape.stroke(line([(x, y + 5) for x, y in flap], closed=True, tension=0.2), "#0a0709", 4, 0.2)
        s.shape.path(line(flap, closed=True, tension=0.2), character.accent)
        s.shape.stroke(line(flap, closed=True, tension=0.2), mix(character.accent, "#000000", 0.4), 1.4, 0.7)
        for u in (0.62, 0.76, 0.9):
            (x0, y0), (x1, y1), (x2, y2), (x3, y3) = flap
            a, b = (x0 + (x1 - x0) * u, y0 + (y1 - y0) * u), (x3 + (x2 - x3) * u, y3 + (y2 - y3) * u)
            s.shape.stroke(line([a, b]), "#d9b45a", 6)
        pocket = [
            (side * 92 * k, c + 196),
            (side * 196 * k, c + 196),
            (side * 196 * k, c + 216),
            (side * 144 * k, c + 230),
            (side * 92 * k, c + 216),
        ]
        first.detail.path(line(pocket, closed=True, tension=0.1), mix(tint, dark, 0.15))
        first.detail.stroke(line(pocket, closed=True, tension=0.1), dark, 1.6, 0.6)
        first.detail.ellipse(side * 144 * k, c + 216, 4, 4, "#d9b45a")
    return [first, others[0], s, *others[1:]]


def raincoat(character: Character) -> list[Sheet]:
    """Draw a closed coat with a hood, shining as oilcloth does."""
    c, tint = chin_y(character), character.colour
    inner, s, hood = cowl(replace(character, accent=mix(tint, "#0a0609", 0.4)))
    dark, light = mix(tint, "#08060c", 0.5), mix(tint, "#ffffff", 0.6)
    with s.shading.blurred(5):
        s.shading.stroke(line([(-150, c + 128), (-210, c + 150), (-250, c + 190)]), light, 12, 0.7)
        s.shading.stroke(line([(-118, c + 190), (-128, c + 270), (-120, c + 360)]), light, 9, 0.5)
        s.shading.stroke(line([(150, c + 150), (190, c + 168)]), light, 8, 0.5)
    s.detail.stroke(line([(20, c + 190), (21, c + 300), (21, 1500)]), dark, 2, 0.6)
    s.detail.stroke(line([(-20, c + 190), (-21, c + 300), (-21, 1500)]), dark, 1.4, 0.35)
    for y in (c + 216, c + 300, c + 384):
        s.detail.ellipse(0, y, 9, 9, s.detail.radial(-3, y - 3, 12, (0, "#ffffff", 1), (1, "#8b8f96", 1)))
    return [inner, s, hood]


def chef(character: Character) -> list[Sheet]:
    """Draw a double-breasted jacket with a standing collar."""
    c, n, tint, s = chin_y(character), neck_width(character), character.colour, sheet(*BODY)
    neck = [
        (-n - 10, c + 44),
        (-n + 10, c + 88),
        (-14, c + 124),
        (14, c + 124),
        (n - 10, c + 88),
        (n + 10, c + 44),
    ]
    body(s, character, tint, neck)
    dark = mix(tint, "#0a0810", 0.45)
    stand = sheet(-150, 190, 150, 400)
    for side in (-1, 1):
        flap = [
            (side * (n + 1), c + 12),
            (side * n * 0.84, c + 62),
            (side * 8, c + 112),
            (side * 16, c + 144),
            (side * (n * 0.95), c + 104),
            (side * (n + 14), c + 52),
        ]
        a, b = (mix(tint, "#ffffff", 0.4), tint) if side < 0 else (tint, mix(tint, dark, 0.25))
        stand.shape.path(
            line(flap, closed=True, tension=0.5),
            stand.shape.linear(side * n, c, 0, c + 140, (0, b, 1), (1, a, 1)),
        )
        stand.detail.stroke(line(flap, closed=True, tension=0.5), dark, 1.5, 0.5)
    with s.shading.blurred(4):
        s.shading.stroke(line([(16, c + 146), (92, c + 190), (104, c + 300), (104, 900)]), dark, 8, 0.5)
    s.detail.stroke(line([(14, c + 142), (86, c + 184), (100, c + 300), (100, 1500)]), dark, 2, 0.6)
    button = mix(character.accent, "#20222a", 0.75)
    for y in (c + 186, c + 250, c + 314):
        for x in (-62, 62):
            s.detail.ellipse(x + 1, y + 3, 10, 10, dark, 0.4)
            s.detail.ellipse(
                x,
                y,
                9.5,
                9.5,
                s.detail.radial(x - 3, y - 3, 13, (0, mix(button, "#ffffff", 0.4), 1), (1, button, 1)),
            )
    return [s, stand]


def spacesuit(character: Character) -> list[Sheet]:
    """Draw a padded suit with the ring on which a helmet sits."""
    c, n, tint, s = chin_y(character), neck_width(character), character.colour, sheet(*BODY)
    neck = [(-n - 24, c + 56), (-n, c + 92), (0, c + 110), (n, c + 92), (n + 24, c + 56)]
    body(s, character, tint, neck)
    dark, light = mix(tint, "#20242e", 0.5), mix(tint, "#ffffff", 0.5)
    with s.shading.blurred(7):
        for side in (-1, 1):
            for y in (190, 240, 290):
                s.shading.stroke(
                    line([(side * 250, c + y), (side * 310, c + y - 16), (side * 370, c + y + 8)]),
                    dark,
                    9,
                    0.4,
                )
                s.shading.stroke(
                    line([(side * 250, c + y + 14), (side * 310, c + y), (side * 370, c + y + 22)]),
                    light,
                    9,
                    0.4,
                )
    s.detail.path(f"M150 {c + 178:.0f}h76v30h-76Z", "#2f5f9f")
    s.detail.path(f"M150 {c + 188:.0f}h76v8h-76Z", "#f1eee8")
    s.detail.ellipse(-178, c + 194, 26, 26, "#24406e")
    s.detail.ellipse(-178, c + 194, 20, 20, "#b83232")
    s.detail.stroke(line([(-198, c + 204), (-176, c + 188), (-156, c + 180)]), "#ffffff", 4)
    ring = sheet(-260, 150, 260, 420)
    wide = [(-n - 66, c + 62), (-n * 0.9, c + 128), (0, c + 152), (n * 0.9, c + 128), (n + 66, c + 62)]
    narrow = [(-n - 50, c + 34), (-n * 0.8, c + 92), (0, c + 112), (n * 0.8, c + 92), (n + 50, c + 34)]
    metal = ((0, "#8b919b", 1.0), (0.25, "#f6f8fa", 1.0), (0.6, "#aeb4bd", 1.0), (1, "#5f656f", 1.0))
    ring.shape.path(
        line([*narrow, *reversed(wide)], closed=True, tension=0.9), ring.shape.linear(-180, 0, 180, 0, *metal)
    )
    ring.detail.stroke(line(wide), "#3a3f48", 1.8, 0.6)
    ring.detail.stroke(line([(x, y + 14) for x, y in narrow]), "#5f656f", 2, 0.6)
    return [s, ring]
