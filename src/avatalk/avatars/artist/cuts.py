"""Short hair and none: styles as functions of the character, in head units."""

from __future__ import annotations

import math

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.locks import HAIRLINE, Curls, Lock, Style, arch, drawn_back, ribbon, sides, turned


def bald(character: Character) -> Style:
    """No hair, but for an old man's temples."""
    if character.age < 50:
        return Style()
    side = Lock(
        [(-137, -96), (-150, -60), (-154, -10), (-148, 34)],
        [(-128, -70), (-138, -40), (-141, 0), (-141, 30)],
        0.8,
        29,
        0.4,
        casts=False,
    )
    return Style((), [side, turned(side, 0.5)])


def side(_: Character) -> Style:
    """Short hair swept to one side."""
    sweep = Lock(
        [(-106, -158), (-116, -206), (-70, -248), (18, -262), (104, -238), (150, -164), (150, -52)],
        [(-100, -148), (-88, -162), (-44, -170), (10, -168), (68, -156), (112, -126), (146, -48)],
        0.85,
        108,
        0.34,
    )
    return Style((), [*sides(), sweep])


def short(_: Character) -> Style:
    """Short hair with receding temples, combed to one side."""
    sweep = Lock(
        [(112, -148), (124, -196), (84, -232), (10, -246), (-78, -230), (-140, -168), (-149, -56)],
        [(104, -142), (96, -158), (58, -176), (6, -172), (-56, -170), (-108, -138), (-145, -52)],
        0.7,
        108,
        0.5,
    )
    return Style((), [*sides(), sweep])


def crop(_: Character) -> Style:
    """Straight textured hair with a broken fringe."""
    crown = Lock(
        [(-122, -100), (-143, -160), (-98, -234), (0, -260), (100, -232), (143, -158), (126, -96)],
        [(-118, -98), (-102, -128), (-54, -136), (4, -134), (58, -136), (106, -124), (122, -94)],
        0.4,
        50,
        0.3,
    )
    locks = []
    tips = (
        (132, -92, 20), (112, -120, 26), (96, -98, 20), (64, -126, 30), (40, -106, 24), (14, -130, 28),
        (-14, -100, 26), (-46, -126, 26), (-66, -96, 24), (-96, -118, 22), (-112, -84, 18),
    )  # fmt: skip
    for k, (x, y, w) in enumerate(tips):
        root, mid, half = 0.3 * x - 12, 0.86 * x - 8, (y - 176) / 2
        locks.append(
            Lock(
                [
                    (root - w * 0.6, -253 + abs(x) * 0.12),
                    (mid - w, -226 + abs(x) * 0.16),
                    (x - w, -178),
                    (x - 0.8 * w - 5, half),
                    (x - 17, y),
                ],
                [
                    (root + w * 0.6, -252 + abs(x) * 0.12),
                    (mid + w, -222 + abs(x) * 0.16),
                    (x + w * 0.8, -172),
                    (x + 0.55 * w - 6, half + 4),
                    (x - 14, y),
                ],
                0.4 + 0.45 * (1 - k / 10),
                30,
                0.4,
            )
        )
    return Style((), [*sides(), crown, tuple(locks)])


def pixie(_: Character) -> Style:
    """Short layered hair with a swept fringe, fuller at the crown."""
    behind = Lock(
        [(-20, -220), (-136, -196), (-164, -70), (-152, 60), (-110, 130)],
        [(20, -220), (136, -196), (166, -70), (154, 60), (112, 130)],
        0.1,
        14,
        0.3,
    )
    sides = Lock(
        [(-60, -236), (-140, -196), (-172, -90), (-168, 10), (-140, 84)],
        [(-60, -190), (-104, -150), (-134, -80), (-140, -10), (-138, 60)],
        0.75,
        50,
        0.3,
    )
    sweep = Lock(
        [(60, -236), (-10, -268), (-96, -246), (-152, -176), (-158, -92), (-142, -30)],
        [(66, -186), (30, -168), (-24, -140), (-76, -108), (-116, -78), (-136, -34)],
        1.0,
        72,
        0.36,
    )
    right = Lock(
        [(54, -238), (110, -240), (164, -176), (176, -90), (170, 8), (142, 82)],
        [(58, -192), (82, -172), (118, -130), (138, -76), (142, -12), (139, 60)],
        0.5,
        58,
        0.3,
    )
    return Style([behind], [sides, right, sweep])


def fade(_: Character) -> Style:
    """Very short hair that runs out above the ears."""
    top = Curls([*arch(141, 132, -98, -60, 16), (136, -40), *HAIRLINE, (-136, -40)], 4.6, 700, 0.6, 1.5)
    sides = Lock(
        [(-139, -110), (-148, -60), (-148, -10), (-143, 24)],
        [(-120, -100), (-131, -60), (-137, -10), (-140, 20)],
        0.5,
        0,
        0.3,
        faded=True,
        casts=False,
    )
    return Style((), [sides, turned(sides, 0.3), top])


def curly(_: Character) -> Style:
    """A short mop of curls."""
    top = Curls([*arch(166, 178, -84, -34, 18), (142, -30), *HAIRLINE, (-142, -30)], 13, 240, 0.8, 9)
    sides = Curls([(-158, -60), (-132, -70), (-134, -10), (-140, 24), (-153, 10)], 10, 30, 0.6, 5)
    other = Curls([(132, -70), (158, -60), (153, 10), (140, 24), (134, -10)], 10, 30, 0.4, 5)
    return Style((), [sides, other, top])


def slick(_: Character) -> Style:
    """Hair combed straight back."""
    return Style((), [*sides(), *drawn_back()])


def _shaved() -> list[Lock]:
    side = Lock(
        [(-128, -150), (-146, -92), (-150, -20), (-144, 26)],
        [(-104, -150), (-127, -90), (-136, -20), (-140, 22)],
        0.5,
        0,
        0.3,
        faded=True,
        casts=False,
    )
    return [side, turned(side, 0.3)]


def mohawk(_: Character) -> Style:
    """A crest over the middle of a shaved head."""
    crest = []
    for k, x in enumerate((-46, 46, -36, 36, -26, 26, -15, 15, 0)):
        root, tip = (x * 0.8, -122 - 0.9 * abs(x)), (x * 1.75 + (4 if k % 2 else -4), -304 + 0.9 * abs(x))
        middle = [(x * 1.1, -186.0), (x * 1.4, -244.0)]
        crest.append(ribbon([root, *middle, tip], (5, 21, 20, 2), 0.95 - 0.06 * (k % 4), 30))
    behind = Lock(
        [(-44, -200), (-62, -250), (-34, -284), (-4, -298)],
        [(44, -200), (62, -250), (34, -284), (4, -298)],
        0.3,
        30,
    )
    return Style([behind], [tuple(crest)])


def undercut(_: Character) -> Style:
    """Long hair on top, swept up and over shaved sides."""
    sweep = Lock(
        [(-112, -150), (-128, -214), (-80, -272), (12, -288), (104, -262), (142, -196), (132, -120)],
        [(-100, -140), (-90, -160), (-44, -166), (10, -166), (66, -160), (104, -142), (124, -112)],
        0.85,
        120,
        0.34,
    )
    return Style((), [*_shaved(), sweep])


def ring(_: Character) -> Style:
    """Hair at the sides of a head that is bald on top."""
    side = Lock(
        [(-118, -142), (-158, -112), (-171, -50), (-167, 20), (-148, 62)],
        [(-128, -108), (-133, -76), (-137, -36), (-140, 8), (-139, 46)],
        0.8,
        64,
        0.4,
        casts=False,
    )
    return Style((), [side, turned(side, 0.5)])


def combover(character: Character) -> Style:
    """Thin strands combed over a bald crown."""
    strands = []
    for k in range(6):
        y = 13.0 * k
        centre = [
            (-136, -96 + 0.4 * y),
            (-112, -176 + 0.9 * y),
            (-20, -222 + 0.95 * y),
            (70, -204 + 0.8 * y),
            (122, -146 + 0.4 * y),
        ]
        strands.append(ribbon(centre, (5, 4, 3.4, 2.6, 1), 0.6, 7))
    return Style((), [*ring(character).front, tuple(strands)])


def messy(_: Character) -> Style:
    """Tousled hair that stands off in all directions."""
    cap = Lock(
        [(-134, -70), (-156, -150), (-100, -240), (0, -262), (100, -240), (156, -150), (134, -66)],
        [(-122, -90), (-104, -124), (-54, -142), (4, -140), (58, -142), (106, -122), (124, -88)],
        0.4,
        50,
        0.3,
    )
    tufts = []
    for k in range(24):
        turn = math.radians(-84 + 168 * ((k * 7) % 24) / 23)
        lean = 0.2 * (((k * 5) % 7) / 3 - 1)
        root = (96 * math.sin(turn), -120 - 92 * math.cos(turn))
        reach = 1 + 0.14 * ((k * 3) % 4) / 3
        tip = (158 * reach * math.sin(turn + lean), -108 - 158 * reach * math.cos(turn + lean))
        bend = (0.45 * root[0] + 0.55 * tip[0] - 60 * lean, 0.45 * root[1] + 0.55 * tip[1] - 6)
        tufts.append(ribbon([root, bend, tip], (18, 15, 1.5), 0.35 + 0.5 * ((k * 3) % 5) / 4, 14))
    for k, x in enumerate((-108, 92, -70, 58, 20, -30)):
        tip = (x + 26 * (k % 3 - 1), -96.0 + 12 * (k % 2) - 0.0018 * x * x)
        tufts.append(ribbon([(x * 0.6, -206), (x * 0.85, -158), tip], (17, 15, 1.5), 0.75, 14))
    return Style((), [*sides(), cap, tuple(tufts)])
