"""Hair styles as locks between guide lines and as masses of curls, in head units."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.svg import Point

Guide = Sequence[Point]


@dataclass(frozen=True, slots=True)
class Lock:
    """Hair that flows between two guides.

    Attributes:
        a: outer guide, from the root to the tip.
        b: inner guide, as many points.
        light: how much of the key light it catches, 0 to 1.
        strands: how many are drawn.
        sheen: where along it the highlight lies, 0 root to 1 tip.
        faded: whether it runs out into the skin at its tip.
        casts: whether it casts a shadow on the face.
    """

    a: Guide
    b: Guide
    light: float = 0.6
    strands: int = 60
    sheen: float = 0.3
    faded: bool = False
    casts: bool = True


@dataclass(frozen=True, slots=True)
class Curls:
    """A mass of curls.

    Attributes:
        outline: closed, clockwise.
        size: of a curl.
        count: of curls.
        light: how much of the key light it catches, 0 to 1.
        bumps: how far curls stand out of the outline.
    """

    outline: Guide
    size: float
    count: int
    light: float = 0.6
    bumps: float = 6.0


@dataclass(frozen=True, slots=True)
class Style:
    """Parts of a hair style, each list back to front."""

    back: Sequence[Lock | Curls] = ()
    front: Sequence[Lock | Curls] = ()


def _turned(lock: Lock, light: float) -> Lock:
    """Return the lock on the other side of the head."""
    return replace(lock, a=[(-x, y) for x, y in lock.a], b=[(-x, y) for x, y in lock.b], light=light)


def _wavy(lock: Lock, size: float, turns: float, start: float = 0.3) -> Lock:
    """Return the lock with its guides resampled and waved."""

    def wave(guide: Guide, phase: float) -> Guide:
        out = []
        n = 14
        for i in range(n):
            at = i / (n - 1) * (len(guide) - 1)
            k = min(int(at), len(guide) - 2)
            p, q, f = guide[k], guide[k + 1], at - k
            f = f * f * (3 - 2 * f) * 0.3 + f * 0.7
            grow = min(max((i / (n - 1) - start) / 0.3, 0.0), 1.0)
            shift = size * grow * math.sin(turns * 2 * math.pi * i / (n - 1) + phase)
            out.append((p[0] + (q[0] - p[0]) * f + shift, p[1] + (q[1] - p[1]) * f))
        return out

    return replace(lock, a=wave(lock.a, 0.0), b=wave(lock.b, 0.5))


def _bald(character: Character) -> Style:
    if character.age < 50:
        return Style()
    side = Lock(
        [(-137, -96), (-150, -60), (-154, -10), (-148, 34)],
        [(-128, -70), (-138, -40), (-141, 0), (-141, 30)],
        0.8,
        40,
        0.4,
        casts=False,
    )
    return Style((), [side, _turned(side, 0.5)])


def _bob(_: Character) -> Style:
    left = Lock(
        [(-34, -236), (-98, -232), (-158, -164), (-182, -30), (-188, 96), (-180, 160), (-150, 210)],
        [(-30, -176), (-72, -152), (-116, -100), (-138, -20), (-144, 70), (-126, 140), (-84, 202)],
        0.9,
        120,
        0.3,
    )
    right = Lock(
        [(-34, -236), (66, -244), (160, -166), (188, -26), (191, 100), (183, 164), (152, 214)],
        [(-34, -178), (34, -166), (108, -112), (139, -26), (146, 74), (128, 144), (86, 206)],
        0.55,
        140,
        0.32,
    )
    behind = Lock(
        [(-20, -215), (-130, -190), (-176, -60), (-178, 80), (-140, 200)],
        [(20, -215), (130, -190), (178, -60), (180, 80), (142, 200)],
        0.05,
        60,
        0.3,
    )
    return Style([behind], [right, left])


def _straight(_: Character) -> Style:
    left = Lock(
        [(-4, -234), (-86, -232), (-154, -166), (-178, -20), (-186, 140), (-200, 290), (-178, 420)],
        [(-2, -178), (-56, -158), (-112, -104), (-139, -10), (-143, 120), (-128, 270), (-96, 410)],
        0.85,
        130,
        0.26,
    )
    behind = Lock(
        [(-20, -215), (-130, -190), (-176, -60), (-184, 120), (-180, 330)],
        [(20, -215), (130, -190), (176, -60), (184, 120), (180, 330)],
        0.05,
        60,
        0.3,
    )
    return Style([behind], [_turned(left, 0.55), left])


def _waves(_: Character) -> Style:
    behind = Lock(
        [(-20, -215), (-140, -200), (-196, -60), (-214, 130), (-210, 330)],
        [(20, -215), (140, -200), (196, -60), (214, 130), (210, 330)],
        0.05,
        70,
        0.3,
    )
    outer = Lock(
        [(28, -238), (-76, -246), (-166, -176), (-200, -20), (-206, 130), (-226, 270), (-196, 410)],
        [(24, -196), (-62, -190), (-128, -120), (-152, 0), (-150, 130), (-150, 270), (-130, 420)],
        0.75,
        90,
        0.3,
    )
    inner = Lock(
        [(26, -226), (-60, -222), (-136, -150), (-162, 0), (-172, 130), (-176, 260), (-138, 370)],
        [(26, -180), (-36, -168), (-100, -118), (-139, -20), (-140, 110), (-118, 240), (-96, 360)],
        1.0,
        90,
        0.3,
    )
    routes = [_wavy(outer, 17, 2.3), _wavy(inner, 14, 2.1)]
    right = [
        Lock(
            [(24, -238), (90, -244), (172, -172), (204, -16), (208, 130), (228, 270), (198, 410)],
            [(24, -190), (80, -176), (136, -110), (154, 0), (150, 130), (150, 270), (132, 420)],
            0.45,
            90,
            0.3,
        ),
        Lock(
            [(26, -228), (78, -220), (142, -146), (164, 0), (174, 130), (178, 260), (140, 372)],
            [(26, -182), (58, -166), (110, -112), (140, -20), (141, 110), (120, 240), (98, 362)],
            0.6,
            80,
            0.3,
        ),
    ]
    return Style([behind], [_wavy(right[0], -17, 2.3), _wavy(right[1], -14, 2.1), *routes])


def _sides(strands: int = 50) -> list[Lock]:
    side = Lock(
        [(-92, -196), (-142, -136), (-155, -60), (-152, 6), (-141, 34)],
        [(-88, -150), (-118, -112), (-129, -60), (-134, -10), (-139, 28)],
        0.7,
        strands,
        0.35,
        faded=True,
    )
    return [side, _turned(side, 0.4)]


def _side(_: Character) -> Style:
    """Short hair swept to one side."""
    sweep = Lock(
        [(-106, -158), (-116, -206), (-70, -248), (18, -262), (104, -238), (150, -164), (151, -84)],
        [(-100, -148), (-88, -162), (-44, -170), (10, -168), (68, -156), (112, -126), (133, -80)],
        0.85,
        150,
        0.34,
    )
    wisp = Lock(
        [(-104, -166), (-96, -226), (-30, -258), (56, -248), (112, -206)],
        [(-98, -164), (-74, -196), (-24, -204), (42, -200), (92, -176)],
        1.0,
        70,
        0.4,
        casts=False,
    )
    return Style((), [*_sides(), sweep, wisp])


def _short(_: Character) -> Style:
    """Short hair brushed up and back."""
    left = Lock(
        [(-126, -88), (-150, -146), (-142, -206), (-98, -246), (-60, -256)],
        [(6, -160), (4, -192), (4, -220), (4, -246), (6, -266)],
        0.9,
        130,
        0.62,
    )
    middle = Lock(
        [(-58, -146), (-62, -190), (-58, -232), (-44, -258)],
        [(64, -148), (70, -190), (66, -232), (56, -256)],
        0.85,
        80,
        0.6,
        casts=False,
    )
    return Style((), [*_sides(), _turned(left, 0.5), left, middle])


def _crop(_: Character) -> Style:
    """Straight textured hair with a broken fringe."""
    crown = Lock(
        [(-124, -96), (-146, -160), (-100, -238), (0, -264), (104, -236), (148, -158), (128, -92)],
        [(-120, -92), (-104, -116), (-54, -124), (4, -122), (58, -124), (108, -114), (124, -90)],
        0.4,
        70,
        0.3,
    )
    locks = []
    tips = ((116, -84), (94, -112), (62, -96), (26, -112), (-8, -94), (-46, -110), (-78, -92), (-110, -86))
    for k, (x, y) in enumerate(tips):
        locks.append(
            Lock(
                [
                    (x * 0.36 - 18, -258 + abs(x) * 0.1),
                    (x * 0.8 - 30, -236 + abs(x) * 0.18),
                    (x * 1.04 - 26, -170),
                    (x + 6, y),
                ],
                [
                    (x * 0.36 + 22, -256 + abs(x) * 0.1),
                    (x * 0.8 + 30, -230 + abs(x) * 0.18),
                    (x * 1.04 + 24, -166),
                    (x + 10, y),
                ],
                0.45 + 0.4 * (k / 7),
                34,
                0.4,
                casts=True,
            )
        )
    return Style((), [*_sides(), crown, *locks])


def _pixie(_: Character) -> Style:
    """Short layered hair with a swept fringe, fuller at the crown."""
    behind = Lock(
        [(-20, -220), (-136, -196), (-164, -70), (-152, 60), (-110, 130)],
        [(20, -220), (136, -196), (166, -70), (154, 60), (112, 130)],
        0.1,
        50,
        0.3,
    )
    sides = Lock(
        [(-60, -236), (-140, -196), (-172, -90), (-168, 10), (-140, 84)],
        [(-60, -190), (-104, -150), (-134, -80), (-140, -10), (-138, 60)],
        0.75,
        70,
        0.3,
    )
    sweep = Lock(
        [(60, -236), (-10, -268), (-96, -246), (-152, -176), (-158, -92), (-142, -30)],
        [(66, -186), (30, -168), (-24, -140), (-76, -108), (-116, -78), (-136, -34)],
        1.0,
        100,
        0.36,
    )
    right = Lock(
        [(54, -238), (110, -240), (164, -176), (176, -90), (170, 8), (142, 82)],
        [(58, -192), (82, -172), (118, -130), (138, -76), (142, -12), (139, 60)],
        0.5,
        80,
        0.3,
    )
    return Style([behind], [sides, right, sweep])


def _bun(_: Character) -> Style:
    """Hair drawn back into a bun at the crown."""
    knot = Lock(
        [(-52, -236), (-66, -272), (-26, -300), (30, -298), (66, -266), (52, -234)],
        [(-40, -228), (-40, -240), (-12, -248), (16, -248), (40, -240), (42, -228)],
        0.7,
        70,
        0.35,
        casts=False,
    )
    turn = Lock(
        [(60, -240), (50, -284), (4, -296), (-44, -276), (-58, -240)],
        [(48, -230), (26, -254), (2, -260), (-24, -252), (-46, -230)],
        0.85,
        60,
        0.5,
        casts=False,
    )
    left = Lock(
        [(-138, 26), (-162, -50), (-158, -130), (-110, -214), (-20, -248)],
        [(-134, 10), (-132, -60), (-108, -120), (-60, -164), (-4, -178)],
        0.9,
        100,
        0.5,
    )
    right = Lock(
        [(138, 26), (164, -50), (160, -130), (112, -214), (-20, -248)],
        [(134, 10), (133, -60), (108, -122), (60, -164), (-4, -178)],
        0.55,
        110,
        0.5,
    )
    return Style([knot, turn], [right, left])


def _round(rx: float, ry: float, cy: float, low: float, count: int = 18) -> list[Point]:
    """Return a round outline from one side over the top to the other, ending at y = `low`."""
    angle = math.pi / 2 + math.asin(min(max((low - cy) / ry, -1), 1))
    turns = [-angle + 2 * angle * i / (count - 1) for i in range(count)]
    return [(rx * math.sin(a), cy - ry * math.cos(a)) for a in turns]


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
    behind = Curls(_round(226, 214, -70, 120, 24), 13, 420, 0.35, 12)
    front = Curls([*_round(218, 206, -72, 30, 20), (150, 40), *_HAIRLINE, (-150, 40)], 12, 420, 0.9, 10)
    return Style([behind], [front])


def _curls(_: Character) -> Style:
    behind = Curls(_round(196, 250, -20, 200, 24), 19, 260, 0.3, 12)
    front = Curls(
        [*_round(190, 196, -66, 60, 18), (152, 130), (140, 20), *_HAIRLINE, (-140, 20), (-152, 130)],
        17,
        240,
        0.85,
        11,
    )
    return Style([behind], [front])


def _fade(_: Character) -> Style:
    top = Curls([*_round(141, 132, -98, -60, 16), (136, -40), *_HAIRLINE, (-136, -40)], 4.6, 700, 0.6, 1.5)
    sides = Lock(
        [(-139, -110), (-148, -60), (-148, -10), (-143, 24)],
        [(-120, -100), (-131, -60), (-137, -10), (-140, 20)],
        0.5,
        0,
        0.3,
        faded=True,
        casts=False,
    )
    return Style((), [sides, _turned(sides, 0.3), top])


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
    "hijab": _none,
}

COVERS_EARS = frozenset({"bob", "straight", "waves", "curls", "afro", "hijab"})
