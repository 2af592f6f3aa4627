"""Long hair: styles as functions of the character, in head units."""

from __future__ import annotations

import math

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.cuts import short
from avatalk.avatars.artist.locks import HAIRLINE, Curls, Lock, Style, arch, drawn_back, ribbon, turned, wavy


def bob(_: Character) -> Style:
    """Hair to the chin, parted."""
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


def straight(_: Character) -> Style:
    """Long straight hair."""
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


def waves(_: Character) -> Style:
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


def bun(_: Character) -> Style:
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
    return Style([knot, turn], drawn_back())


def afro(_: Character) -> Style:
    """A round mass of small curls."""
    behind = Curls(arch(226, 214, -70, 120, 24), 10, 520, 0.35, 8)
    front = Curls([*arch(218, 206, -72, 30, 20), (150, 40), *HAIRLINE, (-150, 40)], 9.5, 760, 0.9, 7)
    return Style([behind], [front])


def curls(_: Character) -> Style:
    """Curls to the shoulders."""
    behind = Curls(arch(196, 250, -20, 200, 24), 19, 260, 0.3, 12)
    front = Curls(
        [*arch(190, 196, -66, 60, 18), (152, 130), (140, 20), *HAIRLINE, (-140, 20), (-152, 130)],
        17,
        173,
        0.85,
        11,
    )
    return Style([behind], [front])


def ponytail(_: Character) -> Style:
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
    return Style([cap], [*drawn_back(), tuple(wavy(lock, 5, 1.2, 1.0) for lock in tail)])


def braids(_: Character) -> Style:
    """Two plaits over the shoulders."""
    parts: list[Lock | tuple[Lock, ...]] = [*drawn_back()]
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


def locs(_: Character) -> Style:
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


def _bangs() -> tuple[Lock, ...]:
    """A fringe over the forehead."""
    parts = []
    for k, x in enumerate((-104, 104, -84, 84, -63, 63, -42, 42, -21, 21, 0)):
        low = -58 - 0.0022 * x * x + 3 * (k % 3)
        centre = [
            (x * 0.32 - 4, -236 + 0.08 * abs(x)),
            (x * 0.74, -196.0),
            (x * 0.98, -130.0),
            (x * 1.02, low),
        ]
        parts.append(ribbon(centre, (14, 17, 16, 11), 0.9 if x < 30 else 0.6, 26))
    return tuple(parts)


def fringe(character: Character) -> Style:
    """A bob with a fringe."""
    cut = bob(character)
    return Style(cut.back, [*cut.front, _bangs()])


def longfringe(character: Character) -> Style:
    """Long straight hair with a fringe."""
    cut = straight(character)
    return Style(cut.back, [*cut.front, _bangs()])


def pigtails(_: Character) -> Style:
    """Two bunches at the sides of the head."""
    parts: list[Lock | tuple[Lock, ...]] = [*drawn_back()]
    for side in (-1, 1):
        tail = [
            ribbon(
                [
                    (side * 146, -54),
                    (side * (186 + dx), -40),
                    (side * (206 + dx), 40),
                    (side * (196 + 1.3 * dx), 130),
                    (side * (176 + 1.6 * dx), end),
                ],
                (9, 24, 27, 22, 3),
                light if side < 0 else light - 0.25,
                20,
            )
            for dx, end, light in ((-14, 200.0, 0.5), (14, 214.0, 0.7), (0, 232.0, 0.9))
        ]
        parts.append(tuple(wavy(lock, 5, 1.2, 1.0) for lock in tail))
    return Style((), parts)


def mullet(character: Character) -> Style:
    """Short in front, long at the neck."""
    behind = Lock(
        [(-20, -215), (-136, -190), (-160, -60), (-168, 120), (-150, 290)],
        [(20, -215), (136, -190), (160, -60), (168, 120), (150, 290)],
        0.15,
        60,
        0.5,
    )
    return Style([behind], short(character).front)
