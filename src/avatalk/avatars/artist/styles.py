"""Hair styles, each a function of the character, in head units."""

from __future__ import annotations

import math
from collections.abc import Callable

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.locks import Curls, Lock, Style, arch, ribbon, turned, wavy
from avatalk.avatars.artist.svg import Point


def _bald(character: Character) -> Style:
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


def _bob(_: Character) -> Style:
    left = Lock(
        [(-34, -236), (-98, -232), (-158, -164), (-182, -30), (-188, 96), (-180, 160), (-150, 210)],
        [(-30, -176), (-72, -152), (-116, -100), (-138, -20), (-144, 70), (-126, 140), (-84, 202)],
        0.9,
        86,
        0.3,
    )
    right = Lock(
        [(-34, -236), (66, -244), (160, -166), (188, -26), (191, 100), (183, 164), (152, 214)],
        [(-34, -178), (34, -166), (108, -112), (139, -26), (146, 74), (128, 144), (86, 206)],
        0.55,
        101,
        0.32,
    )
    behind = Lock(
        [(-20, -215), (-130, -190), (-176, -60), (-178, 80), (-140, 200)],
        [(20, -215), (130, -190), (178, -60), (180, 80), (142, 200)],
        0.05,
        14,
        0.3,
    )
    return Style([behind], [right, left])


def _straight(_: Character) -> Style:
    left = Lock(
        [(-4, -234), (-86, -232), (-154, -166), (-178, -20), (-184, 140), (-192, 290), (-186, 560)],
        [(-2, -178), (-56, -158), (-112, -104), (-139, -10), (-143, 120), (-132, 270), (-118, 560)],
        0.85,
        94,
        0.26,
    )
    behind = Lock(
        [(-20, -215), (-130, -190), (-176, -60), (-172, 120), (-156, 330)],
        [(20, -215), (130, -190), (176, -60), (172, 120), (156, 330)],
        0.05,
        14,
        0.3,
    )
    return Style([behind], [turned(left, 0.55), left])


def _waves(_: Character) -> Style:
    """Long hair in loose waves."""
    behind = Lock(
        [(-20, -215), (-140, -200), (-186, -60), (-196, 130), (-170, 300)],
        [(20, -215), (140, -200), (186, -60), (196, 130), (170, 300)],
        0.05,
        14,
        0.3,
    )
    ribbons: list[Lock] = []
    order = (
        (1.0, 0.3, 372),
        (0.62, 2.3, 410),
        (0.82, 4.0, 330),
        (0.3, 5.4, 388),
        (0.5, 1.2, 350),
        (0.06, 3.2, 356),
        (0.2, 4.6, 300),
    )
    for side in (1, -1):
        for q, phase, end in order:
            centre = [
                (26 - 20 * q * side, -196 - 38 * q),
                (26 + side * (54 + 36 * q), -192 - 42 * q),
                (side * (114 + 46 * q), -128 - 32 * q),
                (side * (142 + 44 * q), -20.0),
                (side * (146 + 54 * q), 110.0),
                (side * (146 + 62 * q), 230.0),
                (side * (120 + 84 * q), float(end)),
            ]
            lock = ribbon(centre, (9, 24, 25, 23, 32, 30, 5), (0.95 if side < 0 else 0.55) - 0.25 * q, 12)
            ribbons.append(wavy(lock, 12, 2.1, phase))
    frame = [
        Lock(
            [(26, -226), (26 + side * 60, -222), (side * 134, -146), (side * 158, -10), (side * 162, 90)],
            [(26, -182), (26 + side * 40, -170), (side * 108, -112), (side * 139, -20), (side * 147, 90)],
            0.9 if side < 0 else 0.5,
            46,
            0.3,
        )
        for side in (1, -1)
    ]
    return Style(
        [behind], [tuple(ribbons[:5]), frame[0], tuple(ribbons[5:12]), frame[1], tuple(ribbons[12:])]
    )


def _sides(strands: int = 50) -> list[Lock]:
    side = Lock(
        [(-92, -196), (-142, -136), (-155, -60), (-152, 6), (-141, 34)],
        [(-88, -150), (-118, -112), (-129, -60), (-134, -10), (-139, 28)],
        0.7,
        strands,
        0.35,
        faded=True,
    )
    return [side, turned(side, 0.4)]


def _side(_: Character) -> Style:
    """Short hair swept to one side."""
    sweep = Lock(
        [(-106, -158), (-116, -206), (-70, -248), (18, -262), (104, -238), (150, -164), (150, -52)],
        [(-100, -148), (-88, -162), (-44, -170), (10, -168), (68, -156), (112, -126), (146, -48)],
        0.85,
        108,
        0.34,
    )
    return Style((), [*_sides(), sweep])


def _short(_: Character) -> Style:
    """Short hair with receding temples, combed to one side."""
    sweep = Lock(
        [(112, -148), (124, -196), (84, -232), (10, -246), (-78, -230), (-140, -168), (-149, -56)],
        [(104, -142), (96, -158), (58, -176), (6, -172), (-56, -170), (-108, -138), (-145, -52)],
        0.7,
        108,
        0.5,
    )
    return Style((), [*_sides(), sweep])


def _crop(_: Character) -> Style:
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
    return Style((), [*_sides(), crown, tuple(locks)])


def _pixie(_: Character) -> Style:
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


def _drawn_back() -> list[Lock]:
    """Hair combed back from the face to both sides of the crown."""
    left = Lock(
        [(-138, 26), (-162, -50), (-158, -130), (-110, -214), (-20, -248)],
        [(-134, 10), (-132, -60), (-108, -120), (-60, -164), (-4, -178)],
        0.9,
        72,
        0.5,
    )
    right = Lock(
        [(138, 26), (164, -50), (160, -130), (112, -214), (-20, -248)],
        [(134, 10), (133, -60), (108, -122), (60, -164), (-4, -178)],
        0.55,
        79,
        0.5,
    )
    return [right, left]


def _bun(_: Character) -> Style:
    """Hair drawn back into a bun at the crown."""
    knot = Lock(
        [(-52, -236), (-66, -272), (-26, -300), (30, -298), (66, -266), (52, -234)],
        [(-40, -228), (-40, -240), (-12, -248), (16, -248), (40, -240), (42, -228)],
        0.7,
        50,
        0.35,
        casts=False,
    )
    turn = Lock(
        [(60, -240), (50, -284), (4, -296), (-44, -276), (-58, -240)],
        [(48, -230), (26, -254), (2, -260), (-24, -252), (-46, -230)],
        0.85,
        43,
        0.5,
        casts=False,
    )
    return Style([knot, turn], _drawn_back())


_HAIRLINE: list[Point] = [
    (133, -44),
    (120, -100),
    (92, -140),
    (48, -158),
    (0, -160),
    (-48, -158),
    (-92, -140),
    (-120, -100),
    (-133, -44),
]


def _afro(_: Character) -> Style:
    behind = Curls(arch(226, 214, -70, 120, 24), 10, 520, 0.35, 8)
    front = Curls([*arch(218, 206, -72, 30, 20), (150, 40), *_HAIRLINE, (-150, 40)], 9.5, 760, 0.9, 7)
    return Style([behind], [front])


def _curls(_: Character) -> Style:
    behind = Curls(arch(196, 250, -20, 200, 24), 19, 260, 0.3, 12)
    front = Curls(
        [*arch(190, 196, -66, 60, 18), (152, 130), (140, 20), *_HAIRLINE, (-140, 20), (-152, 130)],
        17,
        173,
        0.85,
        11,
    )
    return Style([behind], [front])


def _fade(_: Character) -> Style:
    top = Curls([*arch(141, 132, -98, -60, 16), (136, -40), *_HAIRLINE, (-136, -40)], 4.6, 700, 0.6, 1.5)
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


def _curly(_: Character) -> Style:
    """A short mop of curls."""
    top = Curls([*arch(166, 178, -84, -34, 18), (142, -30), *_HAIRLINE, (-142, -30)], 13, 240, 0.8, 9)
    sides = Curls([(-158, -60), (-132, -70), (-134, -10), (-140, 24), (-153, 10)], 10, 30, 0.6, 5)
    other = Curls([(132, -70), (158, -60), (153, 10), (140, 24), (134, -10)], 10, 30, 0.4, 5)
    return Style((), [sides, other, top])


def _ponytail(_: Character) -> Style:
    """Hair drawn back into a tail that falls over one shoulder."""
    tail = [
        ribbon(
            [(140 + dx * 0.3, 62), (160 + dx, 120), (162 + dx, 200), (146 + dx * 1.2, 300), (120 + dx, end)],
            (9, 21, 26, 21, 4),
            light,
            20,
        )
        for dx, end, light in ((-12, 380.0, 0.35), (16, 400.0, 0.6), (2, 430.0, 0.85))
    ]
    cap = Lock(
        [(-20, -215), (-120, -190), (-150, -60), (-132, 70)],
        [(20, -215), (120, -190), (150, -60), (134, 70)],
        0.1,
        14,
        0.3,
    )
    return Style([cap], [*_drawn_back(), tuple(wavy(lock, 5, 1.2, 1.0) for lock in tail)])


def _braids(_: Character) -> Style:
    """Two plaits over the shoulders."""
    parts: list[Lock | tuple[Lock, ...]] = [*_drawn_back()]
    for side in (-1, 1):
        strands = []
        for k in range(11):
            y, x = 36.0 + 31 * k, 142 + 12 * math.sin(k / 3.2)
            w, lean = 20 - 0.55 * k, 13 if k % 2 else -13
            centre = [(side * x - lean, y - 20.0), (side * x, y), (side * x + lean * 0.9, y + 28)]
            strands.append(ribbon(centre, (w * 0.55, w, w * 0.4), 0.85 if side < 0 else 0.5, 9))
        end = side * 139.0
        strands.append(ribbon([(end, 360), (end + 3, 384), (end - 2, 412)], (9, 13, 3), 0.6, 8))
        parts.append(tuple(strands))
    return Style((), parts)


def _slick(_: Character) -> Style:
    """Hair combed straight back."""
    return Style((), [*_sides(), *_drawn_back()])


def _locs(_: Character) -> Style:
    """Long locs that hang to the shoulders."""
    behind = Lock(
        [(-30, -240), (-140, -200), (-178, -60), (-178, 120), (-160, 270)],
        [(30, -240), (140, -200), (178, -60), (178, 120), (160, 270)],
        0.05,
        14,
        0.3,
    )
    parts: list[Lock | tuple[Lock, ...]] = []
    for k in range(7):
        q = 1 - k / 6
        for side in (1, -1):
            centre = [
                (side * (2.0 + 8 * q), -190 - 58 * q),
                (side * (58 + 48 * q), -180 - 56 * q),
                (side * (112 + 54 * q), -124 - 34 * q),
                (side * (137 + 52 * q), -20.0),
                (side * (141 + 62 * q), 110.0),
                (side * (136 + 70 * q), 190.0 + 90 * ((k * 5) % 7) / 7),
            ]
            lock = ribbon(centre, (8, 12, 11, 10, 9, 6), (0.95 if side < 0 else 0.6) - 0.06 * (k % 3), 6)
            parts.append((wavy(lock, 5, 1.8, k * 1.7 + side),))
    return Style([behind], parts)


def _none(_: Character) -> Style:
    return Style()


STYLES: dict[str, Callable[[Character], Style]] = {
    "bald": _bald,
    "bob": _bob,
    "straight": _straight,
    "waves": _waves,
    "side": _side,
    "short": _short,
    "crop": _crop,
    "pixie": _pixie,
    "bun": _bun,
    "afro": _afro,
    "curls": _curls,
    "fade": _fade,
    "curly": _curly,
    "ponytail": _ponytail,
    "braids": _braids,
    "slick": _slick,
    "locs": _locs,
    "hijab": _none,
}

COVERS_EARS = frozenset({"bob", "straight", "waves", "curls", "afro", "locs", "hijab"})
