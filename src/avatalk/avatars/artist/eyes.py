"""Eyes painted frame by frame: ball, iris, lids and lashes."""

from __future__ import annotations

import cv2
import numpy as np

from avatalk.avatars.artist.brush import Axis, Floats, Indices, colour, coverage, glow, over
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import EYE_X
from avatalk.avatars.artist.svg import mix
from avatalk.avatars.artist.tones import tones

REACH = (-38.0, -31.0, 47.0, 23.0)  # what an eye may touch: x outwards from its middle, y


class Eyes:
    """Both eyes of a character.

    Args:
        character: whose.
        scale: pixels per head unit.
    """

    def __init__(self, character: Character, scale: float) -> None:
        self._scale = scale
        f, t = character.face, tones(character)
        e, tilt = 1.07 * f.eyes, 2.6 * f.tilt
        old = min(max((character.age - 45) / 35, 0.0), 1.0)
        male = character.sex == "male"
        slim = 0.9 if male else 1.0
        merry = 0.07 * max(character.smile, 0.0)  # a smile narrows the eyes
        self._size = e
        wide = character.expression.lids
        open_ = 1 + (0.22 if wide > 0 else 0.45) * wide
        self._axis = a = Axis(-44, 50)
        up = [(-31, 6.0), (-27.5, -0.5), (-17, -10.6), (-2, -15.8), (13, -14.4), (24, -8.0), (31, -0.4)]
        low = [(-31, 6.0), (-25, 8.8), (-10, 11.6), (8, 11.8), (22, 7.8), (31, -0.4)]
        self._upper = a.spline(
            [
                (x * e, (y * slim * (1 - merry) * (open_ if y < 0 else 1) + old * max(x, 0) * 0.08) * e)
                for x, y in up
            ]
        )
        self._lower = a.spline([(x * e, y * slim * (1 - 1.4 * merry) * e) for x, y in low])
        x = a.x / e
        lean = -tilt * np.clip(x, -31, 44) / 31
        beyond = np.clip(x - 31, 0, None)
        self._upper += lean - beyond * 0.62
        self._lower += lean - beyond * 0.62
        self._shut = self._lower + (self._upper - self._lower) * 0.1
        strength = (0.62 if male else 1.0) * (1 + 0.35 * character.makeup)
        self._lash = strength * a.spline(
            [
                (-33, 0.0),
                (-27, 0.9),
                (-10, 2.0),
                (10, 2.7),
                (26, 3.4),
                (33, 2.4),
                (39 if not male else 34, 0.0),
            ]
        )
        self._lash *= x < (39 if not male else 34)
        fold = 7.6 - 5.0 * f.lid - 1.6 * old
        self._fold = fold * a.spline([(-34, 0.25), (-24, 0.7), (0, 1.0), (22, 1.0), (36, 0.9), (42, 0.8)])
        self._crease_alpha = (0.62 - 0.35 * f.lid) * a.spline(
            [(-36, 0.0), (-26, 0.5), (-8, 0.85), (14, 1.0), (28, 0.8), (38, 0.0)]
        )
        self._crease_alpha *= np.abs(x - 1) < 37
        ink = mix("#1d120e", t.deep, 0.18 if male else 0.05)
        self._ink = colour(ink)
        self._line = colour(mix(t.deep, "#241009", 0.25))
        self._lid = colour(mix(mix(t.base, t.shade, 0.28), t.blush, 0.15 + 0.25 * character.makeup))
        self._lid_light = colour(mix(t.light, t.base, 0.35))
        self._white = colour(mix("#f6f2ef", t.base, 0.06 + 0.06 * old + 0.09 * character.skin.tone))
        self._pink = colour(mix(t.blush, "#d98c84", 0.5))
        self._shadow = colour(mix(t.deep, "#3a2420", 0.5))
        self._iris, self._radius = _iris(character.eye_colour, 13.2 * min(e, 1.13), scale)

    def paint(
        self, ground: Floats, x: Floats, y: Floats, side: int, blink: float, gaze: tuple[float, float]
    ) -> None:
        """Paint one eye.

        Args:
            ground: (3, height, width) float32 RGB 0..255, changed in place.
            x: (height, width) float32, head units of each pixel.
            y: likewise.
            side: -1 the eye on the left of the picture, 1 the other.
            blink: 0 open to 1 shut.
            gaze: -1..1 to the right and down.
        """
        k = self._scale
        u, at = side * x - EYE_X, None
        at = self._axis.index(u)
        b = np.float32(min(max(blink, 0.0), 1.0))
        sink = np.float32(0.8 * max(gaze[1], 0.0) * (1 - b))
        upper_rest = self._upper + sink
        upper = (upper_rest + (self._shut - upper_rest) * b)[at]
        lower = (self._lower - b * np.float32(0.6))[at]
        open_part = np.minimum(coverage(y - upper, k), coverage(lower - y, k)) * (np.abs(u) < 31 * self._size)
        self._paint_lid(ground, u, y, at, upper, b)
        if b < 0.97:
            self._paint_ball(ground, x, u, y, upper, lower, open_part, side, gaze)
        self._paint_lashes(ground, u, y, at, upper, lower, b)

    def _paint_lid(
        self, ground: Floats, u: Floats, y: Floats, at: Indices, upper: Floats, b: np.float32
    ) -> None:
        k, fold = self._scale, self._fold
        crease = (self._upper - fold + b * np.float32(1.5))[at]
        inside = (np.abs(u) < 33 * self._size).astype(np.float32)
        lid = np.minimum(coverage(y - crease, k, 2.5), coverage(upper - y, k)) * inside
        depth = np.clip((y - crease) / np.maximum(upper - crease, 1), 0, 1)
        fade = np.clip((33 * self._size - np.abs(u)) / 7, 0, 1)
        over(ground, self._lid, lid * fade * (np.float32(0.5) + np.float32(0.45) * b))
        over(
            ground,
            self._lid_light,
            lid * fade * glow(depth - 0.52, (u + 4 * 0) / 30, 0.26, 1) * np.float32(0.5),
        )
        over(ground, self._line, lid * fade * np.clip(depth - 0.7, 0, 1) * np.float32(0.7))
        thin = np.float32(1.15)
        line = np.clip(1 - np.abs(y - crease) / thin, 0, 1) * self._crease_alpha[at]
        over(ground, self._line, line * (1 - np.float32(0.45) * b))
        above = np.exp(-np.clip(crease - y, 0, None) / 4) * (y < crease) * self._crease_alpha[at]
        over(ground, self._line, above * np.float32(0.16))

    def _paint_ball(
        self,
        ground: Floats,
        x: Floats,
        u: Floats,
        y: Floats,
        upper: Floats,
        lower: Floats,
        inside: Floats,
        side: int,
        gaze: tuple[float, float],
    ) -> None:
        k = self._scale
        ball = np.empty_like(ground)
        ball[:] = self._white[:, None, None]
        over(ball, self._shadow, np.float32(0.34) * np.clip((np.abs(u - 2) / (31 * self._size)), 0, 1) ** 3)
        over(ball, self._pink, np.float32(0.85) * glow(u + 29 * self._size, y - 5, 5.2, 6))
        cx, cy = side * EYE_X + gaze[0] * 7.0 - side * 0.4, -3.1 + gaze[1] * 4.2
        r, n = self._radius, self._iris.shape[0]
        dx, dy = x - np.float32(cx), y - np.float32(cy)
        over(ball, self._shadow, np.float32(0.16) * np.clip(1.45 - np.hypot(dx, dy) / r, 0, 1))
        half = np.float32((n - 1) / 2)
        step = np.float32(half / (r * 1.12))
        iris = cv2.remap(
            self._iris, dx * step + half, dy * step + half, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
        )
        ball *= 1 - iris[..., 3]
        ball += iris[..., :3].transpose(2, 0, 1)
        shade = np.exp(-np.clip(y - upper, 0, None) / np.float32(4.6)) * np.float32(0.6)
        over(ball, self._shadow, shade)
        lx, ly = x - np.float32(cx * 0.55 + side * EYE_X * 0.45 - 4.6), y - np.float32(cy * 0.6 - 6.0)
        over(ball, colour("#ffffff"), coverage(3.0 - np.hypot(lx, ly * 0.92), k, 1.5) * np.float32(0.95))
        over(ball, colour("#ffffff"), coverage(1.7 - np.hypot(dx - 5.0, dy - 5.6), k, 2) * np.float32(0.4))
        over(ball, self._pink, np.clip(1 - (lower - y) / 2.4, 0, 1) * np.float32(0.5))
        over(ground, ball, inside)

    def _paint_lashes(
        self, ground: Floats, u: Floats, y: Floats, at: Indices, upper: Floats, lower: Floats, b: np.float32
    ) -> None:
        k = self._scale
        thick = self._lash[at]
        down = np.float32(1.2) + b
        lashes = np.minimum(
            coverage(y - upper + thick * (1 - 0.4 * b), k, 1.3),
            coverage(upper + down * np.minimum(thick * 0.5, 1) - y, k, 1.3),
        )
        lashes *= np.clip(thick * k, 0, 1)
        over(ground, self._ink, lashes * np.float32(0.96))
        under = (
            np.clip(1 - np.abs(y - lower - 0.7) / np.float32(1.3), 0, 1)
            * np.clip((u + 24) / 40, 0, 1)
            * (u < 32 * self._size)
        )
        over(ground, self._line, under * np.float32(0.5) * (1 - b))


def _iris(tint: str, radius: float, scale: float) -> tuple[Floats, float]:
    """Draw an iris, 1.12 radii to each side: (n, n, 4) float32, RGB 0..255 premultiplied by alpha 0..1."""
    n = max(int(2 * radius * 1.12 * scale) | 1, 9)
    g = np.linspace(-1.12, 1.12, n, dtype=np.float32)
    y, x = np.meshgrid(g, g, indexing="ij")
    d, angle = np.hypot(x, y), np.arctan2(y, x)
    ground = np.empty((3, n, n), np.float32)
    dark, light = colour(mix(tint, "#0d0806", 0.5)), colour(mix(tint, "#fff1d6", 0.42))
    ground[:] = colour(tint)[:, None, None]
    over(ground, dark, np.float32(0.75) * np.clip(0.45 - y * 0.75, 0, 1))
    over(
        ground,
        light,
        np.float32(0.75) * np.clip(y * 0.9 + 0.1, 0, 1) * np.clip(1 - np.abs(d - 0.62) / 0.3, 0, 1),
    )
    fibre = 0.5 + 0.5 * np.sin(23 * angle + 2.3 * np.sin(7 * angle + 1))
    over(ground, light, (0.2 * fibre * np.clip(1 - np.abs(d - 0.6) / 0.32, 0, 1)).astype(np.float32))
    px = radius * scale
    over(ground, dark, np.float32(0.8) * np.clip((d - 0.76) / 0.2, 0, 1))
    over(ground, colour("#0c0706"), np.clip((0.43 - d) * px / 1.4 + 0.5, 0, 1))
    alpha = np.clip((1 - d) * px / 1.6 + 0.5, 0, 1)
    return np.ascontiguousarray(
        np.concatenate([ground * alpha, alpha[None]]).transpose(1, 2, 0), np.float32
    ), radius
