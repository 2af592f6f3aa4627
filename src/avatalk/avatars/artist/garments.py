"""Plain garments: jumpers, tops and shirts, their necklines and collars."""

from __future__ import annotations

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, chin_y, sheet
from avatalk.avatars.artist.neckwear import bow_tie, tie
from avatalk.avatars.artist.svg import Point, line, mix
from avatalk.avatars.artist.torso import BODY, body, neck_width


def crew(character: Character) -> list[Sheet]:
    """Draw a jumper or T-shirt with a round neck."""
    c, n, s = chin_y(character), neck_width(character), sheet(*BODY)
    neck = [
        (-n - 14, c + 52),
        (-n + 6, c + 88),
        (-36, c + 116),
        (36, c + 116),
        (n - 6, c + 88),
        (n + 14, c + 52),
    ]
    body(s, character, character.colour, neck)
    band(s, neck, character.colour, 15)
    return [s]


def band(s: Sheet, neck: list[Point], tint: str, width: float) -> None:
    """Draw the band of a neckline, which stands up at the sides of the neck."""
    dark, light = mix(tint, "#08060c", 0.45), mix(tint, "#ffffff", 0.22)
    n = len(neck) - 1
    outer = []
    for i, (x, y) in enumerate(neck):
        end = abs(2 * i / n - 1) ** 2
        outer.append((x + (width * 0.75 * end if i > n / 2 else -width * 0.75 * end), y + width * (1 - end)))
    s.detail.stroke(line([(x, y + 5) for x, y in outer[1:-1]]), dark, 7, 0.2)
    s.detail.path(line([*neck, *reversed(outer)], closed=True, tension=0.8), mix(tint, dark, 0.06))
    s.detail.stroke(line(outer), dark, 1.5, 0.6)
    s.detail.stroke(line([(x, y + 1.5) for x, y in neck]), light, 2.0, 0.5)


def vneck(character: Character) -> list[Sheet]:
    """Draw a top with a pointed neckline."""
    c, n, s = chin_y(character), neck_width(character), sheet(*BODY)
    neck = [
        (-n - 3, c + 40),
        (-n + 8, c + 92),
        (-40, c + 158),
        (0, c + 206),
        (40, c + 158),
        (n - 8, c + 92),
        (n + 3, c + 40),
    ]
    body(s, character, character.colour, neck)
    band(s, neck, character.colour, 13)
    return [s]


def turtleneck(character: Character) -> list[Sheet]:
    """Draw a jumper with a rolled collar."""
    c, n, s = chin_y(character), neck_width(character), sheet(*BODY)
    tint = character.colour
    neck = [(-n - 18, c + 60), (-n - 4, c + 40), (0, c + 60), (n + 4, c + 40), (n + 18, c + 60)]
    body(s, character, tint, neck)
    roll = sheet(-150, 150, 150, 330)
    top = [(-n - 3, c - 4), (-n * 0.6, c + 17), (0, c + 26), (n * 0.6, c + 17), (n + 3, c - 4)]
    low = [(n + 13, c + 56), (n * 0.64, c + 88), (0, c + 98), (-n * 0.64, c + 88), (-n - 13, c + 56)]
    shape = line([*top, *low], closed=True, tension=0.9)
    dark, light = mix(tint, "#08060c", 0.5), mix(tint, "#ffffff", 0.3)
    roll.shape.path(
        shape,
        roll.shape.linear(
            -n,
            0,
            n,
            0,
            (0, mix(tint, dark, 0.25), 1),
            (0.3, mix(tint, light, 0.3), 1),
            (1, mix(tint, dark, 0.6), 1),
        ),
    )
    with roll.shading.blurred(7):
        roll.shading.stroke(line([(x, y - 2) for x, y in top]), dark, 16, 0.75)
        roll.shading.stroke(line([(x, y + 2) for x, y in low]), dark, 12, 0.5)
        roll.shading.stroke(line([(x * 1.02, y + 34) for x, y in top]), light, 12, 0.4)
    with roll.detail.clipped(shape):
        for i in range(-13, 14):
            x = n * 1.05 * (abs(i) / 13) ** 0.85 * (1 if i > 0 else -1)
            y = 22 * (abs(i) / 13) ** 1.6
            roll.detail.stroke(
                line([(x, c + 24 - y), (x * 1.04, c + 60 - y), (x * 1.1, c + 104 - y)]), dark, 2.2, 0.22
            )
    with s.shading.blurred(8):
        s.shading.stroke(line([(x * 1.05, y + 6) for x, y in low]), dark, 16, 0.6)
    return [s, roll]


def shirt(character: Character) -> list[Sheet]:
    """Draw a buttoned shirt, and a tie or bow tie in its collar."""
    c, n, s = chin_y(character), neck_width(character), sheet(*BODY)
    tint = character.colour
    neck = [
        (-n - 8, c + 40),
        (-n + 14, c + 84),
        (-16, c + 146),
        (16, c + 146),
        (n - 14, c + 84),
        (n + 8, c + 40),
    ]
    body(s, character, tint, neck)
    dark, light = mix(tint, "#0a0810", 0.45), mix(tint, "#ffffff", 0.4)
    s.detail.stroke(line([(17, c + 148), (18, c + 300), (18, 900)]), dark, 1.6, 0.5)
    s.detail.stroke(line([(-15, c + 150), (-16, c + 300), (-16, 900)]), dark, 1.3, 0.35)
    for y in (c + 186, c + 268, c + 350, c + 432):
        s.detail.ellipse(1.5, y + 1.6, 5.4, 5.4, dark, 0.5)
        s.detail.ellipse(0.6, y, 5.2, 5.2, mix(light, "#e8e2d8", 0.6))
        s.detail.ellipse(0.6, y, 1.5, 1.5, dark, 0.6)
    return [s, collar(character, tint), *tie(character), *bow_tie(character)]


def collar(character: Character, tint: str) -> Sheet:
    """Draw the collar of a shirt."""
    c, n, s = chin_y(character), neck_width(character), sheet(-150, 180, 150, 430)
    dark, light = mix(tint, "#0a0810", 0.45), mix(tint, "#ffffff", 0.4)
    for side in (-1, 1):
        flap = [
            (side * (n + 1), c + 16),
            (side * (n * 0.86), c + 62),
            (side * 17, c + 142),
            (side * 60, c + 196),
            (side * (n + 12), c + 118),
            (side * (n + 17), c + 52),
        ]
        shape = line(flap, closed=True, tension=0.35)
        a, b = (mix(tint, light, 0.55), tint) if side < 0 else (mix(tint, light, 0.2), mix(tint, dark, 0.3))
        s.shape.path(shape, s.shape.linear(side * n, c + 20, side * 40, c + 180, (0, b, 1), (1, a, 1)))
        edge = line([flap[2], flap[3], flap[4]], tension=0.35)
        s.detail.stroke(line([(x + side * 1.5, y + 4) for x, y in flap[2:5]], tension=0.35), dark, 5, 0.16)
        s.detail.stroke(edge, dark, 1.5, 0.45)
        s.detail.stroke(line([(x * 0.97, y - 6) for x, y in flap[2:5]], tension=0.35), light, 1.1, 0.5)
        with s.shading.blurred(5):
            s.shading.stroke(line([flap[0], flap[1], flap[2]], tension=0.4), dark, 8, 0.45)
    return s


def vneck_plain(character: Character) -> list[Sheet]:
    """Draw a plain top as worn beneath a jacket."""
    c, n, s = chin_y(character), neck_width(character), sheet(*BODY)
    neck = [
        (-n - 20, c + 62),
        (-n + 4, c + 108),
        (-44, c + 150),
        (0, c + 168),
        (44, c + 150),
        (n - 4, c + 108),
        (n + 20, c + 62),
    ]
    body(s, character, character.colour, neck)
    s.detail.stroke(line([(x, y + 4) for x, y in neck]), mix(character.colour, "#08060c", 0.4), 1.5, 0.5)
    return [s]
