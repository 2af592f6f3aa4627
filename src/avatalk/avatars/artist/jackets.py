"""Garments that open in front and show what is worn beneath."""

from __future__ import annotations

from dataclasses import replace

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, chin_y, sheet
from avatalk.avatars.artist.garments import crew, shirt, vneck_plain
from avatalk.avatars.artist.svg import Point, line, mix
from avatalk.avatars.artist.torso import BODY, body, folds, neck_width, shoulders


def _beneath(character: Character) -> Character:
    """Return the character in the colour of what is worn beneath a jacket."""
    return replace(character, colour=character.accent)


def front(character: Character, tint: str, inner: list[Sheet], opening: list[Point]) -> list[Sheet]:
    """Lay the two fronts of a jacket over what is worn beneath it; `opening` is its right edge, downwards."""
    right, s = shoulders(character), sheet(*BODY)
    dark, light = mix(tint, "#060509", 0.55), mix(tint, "#ffffff", 0.28)
    for side in (-1, 1):
        edge = [(side * x, y) for x, y in opening]
        outer = [(side * x, y) for x, y in right[1:]]
        a, b = (mix(tint, light, 0.45), tint) if side < 0 else (mix(tint, dark, 0.1), mix(tint, dark, 0.55))
        outline = line([*edge, *reversed(outer)], closed=True, tension=0.7)
        s.shape.path(outline, b)
        near = a if side < 0 else b
        fill = s.shading.linear(side * 40, 300, side * 380, 460, (0, near, 1), (1, b, 1))
        s.shading.flood(fill, min(side * 1e4, 0), max(side * 1e4, 0))
    folds(s.shading, character, tint)
    with inner[0].shading.blurred(9):
        for side in (-1, 1):
            inner[0].shading.stroke(line([(side * (x - 4), y) for x, y in opening]), "#0a0709", 18, 0.55)
    return [*inner, s]


def blazer(character: Character) -> list[Sheet]:
    """Draw a jacket with lapels over a shirt or a top."""
    c, n = chin_y(character), neck_width(character)
    male = character.sex == "male"
    tint, worn = character.colour, _beneath(character)
    inner = shirt(worn) if male or character.tie or character.worn.bow_tie else vneck_plain(worn)
    opening = [(n + 12, c + 40), (n + 6, c + 96), (66, c + 216), (8, c + 372), (1, c + 412), (1, 1500)]
    sheets = front(character, tint, inner, opening)
    s = sheet(-190, 200, 190, 620)
    dark, light = mix(tint, "#060509", 0.6), mix(tint, "#ffffff", 0.3)
    for side in (-1, 1):
        lapel = [
            (n + 6, c + 34),
            (n + 2, c + 98),
            (62, c + 218),
            (8, c + 376),
            (60, c + 318),
            (128, c + 232),
            (146, c + 196),
            (116, c + 178),
            (150, c + 160),
            (n + 48, c + 96),
            (n + 28, c + 52),
        ]
        points = [(side * x, y) for x, y in lapel]
        shape = line(points, closed=True, tension=0.3)
        a = mix(tint, light, 0.5 if side < 0 else 0.12)
        b = mix(tint, dark, 0.1 if side < 0 else 0.42)
        s.shape.path(shape, s.shape.linear(side * 150, c + 60, side * 20, c + 360, (0, a, 1), (1, b, 1)))
        s.detail.stroke(line([(x + side * 2, y + 3) for x, y in points[3:9]], tension=0.3), dark, 6, 0.22)
        s.detail.stroke(line(points[3:9], tension=0.3), dark, 1.6, 0.65)
        s.detail.stroke(line([points[7], (side * (n + 20), c + 132)], tension=0.3), dark, 1.6, 0.55)
        s.detail.stroke(line([(x * 0.985, y - 2) for x, y in points[0:4]], tension=0.3), light, 1.6, 0.45)
    return [*sheets, s]


def cardigan(character: Character) -> list[Sheet]:
    """Draw a knitted jacket with buttons."""
    c, n = chin_y(character), neck_width(character)
    worn = _beneath(character)
    opening = [
        (n + 16, c + 44),
        (n + 8, c + 100),
        (74, c + 200),
        (34, c + 330),
        (32, c + 400),
        (32, c + 440),
        (32, 1500),
    ]
    sheets = front(character, character.colour, crew(worn), opening)
    s, tint = sheet(-140, 200, 140, 1500), character.colour
    dark, light = mix(tint, "#060509", 0.5), mix(tint, "#ffffff", 0.25)
    for side in (-1, 1):
        edge = [(side * x, y) for x, y in opening]
        wide = [(side * (x + (6 if i == 0 else 18)), y) for i, (x, y) in enumerate(opening)]
        s.shape.path(
            line([*edge, *reversed(wide)], closed=True, tension=0.6),
            mix(tint, dark, 0.12 if side < 0 else 0.35),
        )
        s.detail.stroke(line(wide), dark, 1.4, 0.6)
        s.detail.stroke(line([(x + side * 2, y) for x, y in edge]), light, 1.6, 0.5)
    for y in (c + 372, c + 452):
        s.detail.ellipse(-37, y, 6.5, 6.5, mix(tint, "#f0e6d6", 0.55))
        s.detail.ellipse(-37, y, 2, 2, dark, 0.7)
    return [*sheets, s]


def hoodie(character: Character) -> list[Sheet]:
    """Draw a jumper with a hood and its cords."""
    *sheets, hood = cowl(character)
    _cords(hood, character)
    return [*sheets, hood]


def cowl(character: Character) -> list[Sheet]:
    """Draw a jumper or a habit with a hood."""
    c, n = chin_y(character), neck_width(character)
    tint = character.colour
    dark, light = mix(tint, "#060509", 0.5), mix(tint, "#ffffff", 0.25)
    worn = _beneath(character)
    inner, s, hood = crew(worn), sheet(*BODY), sheet(-200, 190, 200, 580)
    neck = [
        (-n - 20, c + 70),
        (-n + 2, c + 110),
        (-40, c + 152),
        (40, c + 152),
        (n - 2, c + 110),
        (n + 20, c + 70),
    ]
    body(s, character, tint, neck)
    for side in (-1, 1):
        roll = [
            (n - 2, c + 14),
            (n + 36, c + 24),
            (n + 52, c + 64),
            (n + 30, c + 124),
            (52, c + 186),
            (6, c + 204),
            (4, c + 176),
            (46, c + 144),
            (n - 14, c + 92),
            (n - 4, c + 50),
        ]
        points = [(side * x, y) for x, y in roll]
        a, b = (light, tint) if side < 0 else (tint, mix(tint, dark, 0.5))
        hood.shape.path(
            line(points, closed=True, tension=0.9),
            hood.shape.linear(side * 130, c + 20, side * 10, c + 190, (0, mix(tint, a, 0.5), 1), (1, b, 1)),
        )
        with hood.shading.blurred(6):
            hood.shading.stroke(line([*points[5:], points[0]]), dark, 14, 0.6)
            hood.shading.stroke(line([(x * 0.93, y) for x, y in points[2:5]]), light, 10, 0.3)
        hood.detail.stroke(line(points[1:6]), dark, 1.6, 0.5)
    with s.shading.blurred(9):
        s.shading.stroke(
            line([(-n - 40, c + 90), (-60, c + 200), (0, c + 214), (60, c + 200), (n + 40, c + 90)]),
            dark,
            18,
            0.5,
        )
    return [*inner, s, hood]


def _cords(hood: Sheet, character: Character) -> None:
    c, dark = chin_y(character), mix(character.colour, "#060509", 0.5)
    for side in (-1, 1):
        cord = [(side * 40, c + 180), (side * 46, c + 250), (side * 40, c + 318)]
        hood.detail.stroke(line([(x + 2, y + 3) for x, y in cord]), dark, 4, 0.3)
        hood.detail.stroke(line(cord), mix(character.accent, "#ffffff", 0.2), 4)
        hood.detail.stroke(line([cord[2], (side * 39.6, c + 334)]), mix(dark, "#c9c4bc", 0.6), 5)


def zipped(character: Character) -> list[Sheet]:
    """Draw a jacket of leather or cloth with a zip and a turned-down collar."""
    c, n, tint = chin_y(character), neck_width(character), character.colour
    opening: list[Point] = [(n + 16, c + 44), (n + 4, c + 96), (58, c + 176), (36, c + 260), (34, 1500)]
    sheets, s = front(character, tint, crew(_beneath(character)), opening), sheet(-210, 190, 210, 1500)
    dark, light = mix(tint, "#060509", 0.6), mix(tint, "#ffffff", 0.32)
    for side in (-1, 1):
        flap = [
            (n + 3, c + 18),
            (n - 4, c + 84),
            (60, c + 158),
            (96, c + 196),
            (n + 70, c + 128),
            (n + 44, c + 58),
        ]
        points = [(side * x, y) for x, y in flap]
        a, b = (mix(tint, light, 0.5), tint) if side < 0 else (mix(tint, light, 0.15), mix(tint, dark, 0.5))
        s.shape.path(
            line(points, closed=True, tension=0.4),
            s.shape.linear(side * 150, c + 40, side * 50, c + 190, (0, b, 1), (1, a, 1)),
        )
        with s.shading.blurred(6):
            s.shading.stroke(line(points[:3]), dark, 9, 0.5)
            s.shading.stroke(line([(x * 0.98, y - 8) for x, y in points[3:]]), light, 8, 0.4)
        s.detail.stroke(line(points[2:5], tension=0.4), dark, 1.8, 0.7)
        zip_ = [(side * x, y) for x, y in opening[2:]]
        s.detail.stroke(line(zip_), dark, 9, 0.9)
        s.detail.stroke(line(zip_), "#b9bcc2", 3.4, 0.9)
    return [*sheets, s]


def waistcoat(character: Character) -> list[Sheet]:
    """Draw a waistcoat over a shirt with sleeves."""
    c, n, tint = chin_y(character), neck_width(character), character.colour
    k = 1.16 if character.sex == "male" else 1.0
    s = sheet(*BODY)
    dark, light = mix(tint, "#060509", 0.55), mix(tint, "#ffffff", 0.28)
    opening: list[Point] = [
        (n + 22, c + 64),
        (n + 4, c + 106),
        (60, c + 170),
        (12, c + 232),
        (2, c + 262),
        (2, 1500),
    ]
    arm: list[Point] = [
        (206 * k, c + 104),
        (196 * k, c + 170),
        (214 * k, c + 290),
        (240 * k, 900),
        (240 * k, 1500),
    ]
    for side in (-1, 1):
        points = [(side * x, y) for x, y in [*opening, *reversed(arm)]]
        a, b = (mix(tint, light, 0.35), tint) if side < 0 else (tint, mix(tint, dark, 0.5))
        s.shape.path(line(points, closed=True, tension=0.6), b)
        fill = s.shading.linear(side * 40, 300, side * 260, 460, (0, a, 1), (1, b, 1))
        s.shading.flood(fill, min(side * 1e4, 0), max(side * 1e4, 0))
        s.detail.stroke(line(points[: len(opening)], tension=0.6), dark, 1.8, 0.6)
        s.detail.stroke(line([(side * x, y) for x, y in arm], tension=0.6), dark, 2.2, 0.6)
    folds(s.shading, character, tint)
    for y in (c + 272, c + 334):
        s.detail.ellipse(-14, y, 6, 6, mix(dark, "#8a8078", 0.5))
    return [*shirt(_beneath(character)), s]
