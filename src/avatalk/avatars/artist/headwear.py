"""What is worn on the head: a hijab here, hats in `avatalk.avatars.artist.hats`."""

from __future__ import annotations

from avatalk.avatars.artist import hats
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, chin_y, sheet
from avatalk.avatars.artist.svg import Drawing, Point, line, mirror, mix


def _opening(character: Character) -> list[Point]:
    """Return the closed outline in which the face shows, from the crown clockwise."""
    c = chin_y(character)
    right: list[Point] = [
        (50, -150),
        (98, -122),
        (123, -66),
        (129, 0),
        (124, 66),
        (104, 126),
        (71, c - 27),
        (36, c + 1),
    ]
    return [(0, -157), *right, (0, c + 8), *mirror(right)]


def back(character: Character) -> list[Sheet]:
    """Draw what lies behind the neck."""
    if character.headwear == "bubble":
        return [_glass(0.3)]
    if character.hair != "hijab":
        return []
    s, c = sheet(-190, -240, 190, 330), chin_y(character)
    dark = mix(character.accent, "#0a0609", 0.45)
    right: list[Point] = [(70, -200), (150, -80), (158, 60), (140, c), (150, c + 60)]
    s.shape.blob([*right, *mirror(right)], dark)
    return [s]


def front(character: Character) -> list[Sheet]:
    """Draw a hat, or the scarf around the face and over the shoulders."""
    if character.headwear == "bubble":
        return [_reflections()]
    if character.hair != "hijab":
        return hats.draw(character)
    s, c, tint = sheet(-290, -260, 290, 560), chin_y(character), character.accent
    dark, light = mix(tint, "#12060a", 0.55), mix(tint, "#ffffff", 0.4)
    right: list[Point] = [
        (64, -236),
        (126, -196),
        (163, -112),
        (174, -10),
        (170, 80),
        (158, 150),
        (164, c + 10),
        (214, c + 74),
        (262, c + 150),
        (236, c + 240),
        (150, c + 300),
        (60, c + 322),
    ]
    outer = [(0, -246), *right, (0, c + 326), *mirror(right)]
    hole = _opening(character)
    shape = line(outer, closed=True, tension=0.95) + line(list(reversed(hole)), closed=True)
    fill = s.shape.linear(
        -190, -120, 210, 240, (0, mix(tint, light, 0.5), 1), (0.45, tint, 1), (1, mix(tint, dark, 0.55), 1)
    )
    s.shape.body.append(f'<path fill-rule="evenodd" d="{shape}" fill="{fill}"/>')
    d = s.shading
    with d.blurred(9):
        d.stroke(line(hole, closed=True), dark, 15, 0.6)
        d.stroke(line([(150, -150), (172, -60), (172, 60), (154, 150)]), dark, 26, 0.5)
        d.stroke(line([(-60, -214), (-128, -146), (-152, -40), (-150, 70)]), light, 22, 0.55)
        d.stroke(line([(-150, c - 20), (-90, c + 56), (10, c + 92), (110, c + 60)]), dark, 20, 0.6)
        d.stroke(line([(-140, c + 20), (-70, c + 92), (30, c + 120)]), light, 15, 0.5)
        d.stroke(line([(-190, c + 90), (-100, c + 160), (20, c + 180), (140, c + 120)]), dark, 18, 0.5)
        d.stroke(line([(-180, c + 124), (-90, c + 190), (30, c + 206)]), light, 16, 0.42)
        d.stroke(line([(-200, c + 190), (-90, c + 250), (60, c + 262), (200, c + 170)]), dark, 18, 0.45)
        d.stroke(line([(120, c - 30), (156, c + 40), (210, c + 96)]), dark, 16, 0.5)
    folds: list[tuple[list[Point], float]] = [
        ([(-128, 60), (-126, 130), (-84, c + 30), (-10, c + 60), (70, c + 40)], 0.4),
        ([(-152, 90), (-146, 160), (-100, c + 62), (-10, c + 104), (100, c + 70)], 0.34),
        ([(142, 60), (136, 140), (110, c + 10), (50, c + 46)], 0.4),
        ([(158, 120), (156, c - 10), (130, c + 60), (60, c + 100), (-40, c + 116)], 0.32),
        ([(-196, c + 70), (-130, c + 140), (-20, c + 168), (90, c + 140), (180, c + 80)], 0.3),
        ([(-28, -238), (-96, -186), (-138, -96), (-150, 20)], 0.2),
        ([(30, -240), (104, -190), (146, -100), (158, 10)], 0.25),
    ]
    with d.blurred(4):
        for points, opacity in folds:
            d.stroke(line(points), dark, 6, opacity)
            d.stroke(line([(x - 4, y - 6) for x, y in points]), light, 6, opacity * 0.8)
    s.detail.stroke(line(hole, closed=True), light, 2.0, 0.4)
    if character.headwear == "veil":  # a nun's: white linen shows around the face
        inner = [(x * 0.965, y * 0.975) for x, y in hole]
        s.detail.stroke(line(inner, closed=True), dark, 17, 0.35)
        s.detail.stroke(line(inner, closed=True), character.headwear_colour, 14)
    return [_cap(character.headwear_colour if character.headwear == "veil" else tint, dark), s]


def _cap(tint: str, dark: str) -> Sheet:
    """Draw the edge of the cap under the scarf."""
    under = sheet(-140, -170, 140, -60)
    cap = mix(tint, dark, 0.4)
    brow: list[Point] = [(-120, -84), (-92, -128), (-48, -150), (0, -156), (48, -150), (92, -128), (120, -84)]
    low = [(x * 0.985, y + 9) for x, y in reversed(brow)]
    under.shape.blob([*brow, *low], cap)
    return under


_BUBBLE: list[Point] = [(92, -282), (176, -226), (228, -120), (240, 0), (226, 120), (176, 232)]


def _glass(opacity: float) -> Sheet:
    """Draw the hollow of an astronaut's helmet behind the head."""
    s = sheet(-270, -320, 270, 330)
    ring = line([(0, -300), *_BUBBLE, *mirror(_BUBBLE)], closed=True, tension=0.9)
    s.shape.path(
        ring, s.shape.linear(-200, -250, 220, 200, (0, "#dfeefa", opacity), (1, "#5f7690", opacity + 0.2))
    )
    return s


def _reflections() -> Sheet:
    """Draw the rim and the reflections of an astronaut's helmet, which leave the face clear."""
    s = sheet(-270, -320, 270, 330)
    ring = [*mirror(_BUBBLE), (0, -300), *_BUBBLE]
    s.shape.stroke(line([(x * 0.985, y * 0.985) for x, y in ring], tension=0.9), "#9fb4c8", 4, 0.5)
    s.shape.stroke(line(ring, tension=0.9), "#eef2f6", 9, 0.95)
    s.shape.stroke(line([(x * 1.015, y * 1.015) for x, y in ring], tension=0.9), "#7c8694", 2.5, 0.8)
    with s.shape.blurred(3):
        s.shape.stroke(line([(-206, 40), (-210, -60), (-186, -160), (-132, -232)]), "#ffffff", 17, 0.6)
        s.shape.stroke(line([(-100, -258), (-74, -270)]), "#ffffff", 15, 0.55)
        s.shape.stroke(line([(208, 60), (190, 140)]), "#ffffff", 10, 0.4)
    return s


def cast(d: Drawing, character: Character, tint: str) -> None:
    """Lay the shadow that headwear casts on the face."""
    hats.cast(d, character, tint)
    if character.hair == "hijab":
        with d.blurred(8):
            d.stroke(
                line([(x * 0.98, y + (6 if y < 0 else 0)) for x, y in _opening(character)], closed=True),
                tint,
                18,
                0.45,
            )
