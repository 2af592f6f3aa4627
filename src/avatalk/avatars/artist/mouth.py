"""A mouth painted frame by frame from viseme parameters: lips, teeth, tongue and the dark behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatalk.avatars.artist.brush import Axis, colour, coverage, glow, over
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import MOUTH_Y
from avatalk.avatars.artist.svg import mix
from avatalk.avatars.artist.tones import tones
from avatalk.media import Float32Array

DROP = 34.0  # how far the lower lip goes down at its widest, head units


@dataclass(frozen=True, slots=True)
class Pose:
    """Six viseme parameters as in `avatalk.media.VISEME_CHANNELS`, all 0..1."""

    open: float = 0.0
    closed: float = 0.0
    wide: float = 0.0
    round: float = 0.0
    teeth: float = 0.0
    tongue: float = 0.0

    @property
    def parted(self) -> float:
        """Gap between the lips, 0..1: pressed lips stay shut whatever else is asked."""
        return max(self.open, 0.16 * self.teeth, 0.13 * self.tongue) * (1 - self.closed)

    @property
    def drop(self) -> float:
        """Head units by which the jaw carries the lower lip down."""
        return DROP * self.parted * (1 - 0.18 * self.round)


def reach(pose: Pose) -> tuple[float, float, float, float]:
    """Return what the mouth may touch: x0, y0, x1, y1 around (0, `MOUTH_Y`), head units."""
    return -72.0, -30.0, 72.0, 30.0 + pose.drop


class Mouth:
    """The mouth of a character.

    Args:
        character: whose.
        scale: pixels per head unit.
    """

    def __init__(self, character: Character, scale: float) -> None:
        self._scale = scale
        f, t = character.face, tones(character)
        old = min(max((character.age - 40) / 40, 0.0), 1.0)
        male = character.sex == "male"
        self._half = (53.0 if male else 51.0) * f.mouth
        full = f.lips * (1 - 0.3 * old) * (0.82 if male else 1.0)
        self._up, self._low = 12.4 * full, 16.2 * full
        self._smile = character.smile
        self._axis = Axis(-1.6, 1.6)
        deep = mix(t.lips, t.deep, 0.45)
        self._lip = colour(t.lips)
        self._lip_dark = colour(mix(deep, "#3a1216", 0.25))
        self._lip_light = colour(mix(mix(t.lips, t.light, 0.45), t.blush, 0.25))
        self._shine = colour(mix(t.light, "#ffffff", 0.55))
        self._gloss = 0.34 + 0.3 * character.makeup
        self._seam = colour(mix(t.deep, "#2c0c0e", 0.6))
        self._skin_shadow = colour(t.deep)
        self._edge = 1.8 if male else 1.25

    def paint(self, ground: Float32Array, x: Float32Array, y: Float32Array, pose: Pose) -> None:
        """Paint the mouth.

        Args:
            ground: (3, height, width) float32 RGB 0..255, changed in place.
            x: (height, width) float32, head units of each pixel.
            y: likewise.
            pose: what the mouth does.
        """
        k = self._scale
        half = self.half_width(pose)
        v = y - np.float32(MOUTH_Y)
        s = x / np.float32(half)
        at = self._axis.index(s)
        top, inner_top, inner_low, bottom = (c[at] for c in self._contours(pose))
        within = coverage((1 - np.abs(s)) * np.float32(half), k)
        hole = np.minimum(coverage(v - inner_top, k), coverage(inner_low - v, k)) * within
        if pose.parted > 0.004:
            inside = self._interior(x, v, s, inner_top, inner_low, pose, half)
            over(ground, inside, hole)
        lower = (
            np.minimum(coverage(v - inner_low, k), coverage(bottom - v, k, self._edge * max(k, 1))) * within
        )
        upper = np.minimum(coverage(v - top, k, self._edge * max(k, 1)), coverage(inner_top - v, k)) * within
        over(ground, self._lower_lip(ground, x, v, s, inner_low, bottom, pose), lower)
        over(ground, self._upper_lip(ground, x, v, s, top, inner_top, pose), upper)
        self._seam_line(ground, s, v, inner_top, inner_low, within, pose)

    def half_width(self, pose: Pose) -> float:
        """Head units from the middle to a corner of the mouth."""
        return self._half * (
            1 + 0.14 * pose.wide + 0.08 * self._smile - 0.34 * pose.round - 0.06 * pose.open * (1 - pose.wide)
        )

    def _contours(self, pose: Pose) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array]:
        s = self._axis.x
        bow = np.clip(1 - s * s, 0, 1)
        smile = self._smile * (1 - 0.8 * pose.round) + 0.35 * pose.wide
        seam = (
            -12.5 * smile * np.abs(s) ** 2.1
            + 1.4 * np.exp(-((s / 0.16) ** 2))
            - 1.2 * np.exp(-(((np.abs(s) - 0.36) / 0.2) ** 2))
        )
        seam = seam + 1.6 * (1 - smile)  # an earnest mouth sits a little lower
        seam = seam + 0.2 * pose.drop * np.abs(s) ** 1.8
        gap_shape = bow ** np.float32(0.62 + 0.25 * pose.wide)
        drop = pose.drop
        lift = 5.0 * pose.parted * (1 - 0.4 * pose.round) + 1.6 * pose.teeth
        inner_top = seam - lift * gap_shape
        inner_low = seam + (drop - 1.6 * pose.teeth) * gap_shape
        press = 1 - 0.42 * pose.closed
        push = 1 + 0.22 * pose.round
        thin = 1 - 0.12 * pose.wide - 0.1 * self._smile
        peaks = bow**0.72 * (
            0.84 + 0.24 * np.exp(-(((np.abs(s) - 0.24) / 0.17) ** 2)) - 0.12 * np.exp(-((s / 0.09) ** 2))
        )
        top = inner_top - self._up * press * push * thin * peaks
        pout = np.clip(1 - np.abs(s) ** 2.3, 0, 1) ** 0.8
        bottom = (
            inner_low
            + self._low * press * push * thin * (1 - 0.4 * pose.teeth) * (1 - 0.12 * pose.parted) * pout
        )
        return (
            top.astype(np.float32),
            inner_top.astype(np.float32),
            inner_low.astype(np.float32),
            bottom.astype(np.float32),
        )

    def _interior(
        self,
        x: Float32Array,
        v: Float32Array,
        s: Float32Array,
        top: Float32Array,
        low: Float32Array,
        pose: Pose,
        half: float,
    ) -> Float32Array:
        k = self._scale
        ground = np.empty((3, *x.shape), np.float32)
        ground[:] = colour("#3b1114")[:, None, None]
        over(
            ground,
            colour("#16050a"),
            np.float32(0.75) * np.exp(-np.clip(v - 8, 0, None) / np.float32(16)) * (v > -20),
        )
        self._tongue(ground, x, v, pose)
        drop = pose.drop
        arch = np.float32(1.0) * (x / 40) ** 2
        if drop > 6:
            edge = 4.0 + drop * 0.86 - 1.5 + arch * 3
            self._teeth(ground, x, edge - 0 * v, v - edge, 9.0, 0.62)
        edge = 8.6 - arch * 5.5 - 1.0 * np.float32(pose.round)
        self._teeth(ground, x, edge, edge - v, 11.5, 1.0)
        depth = np.exp(-np.clip(v - top, 0, None) / np.float32(3.4))
        over(ground, colour("#1a0608"), depth * np.float32(0.62))
        over(ground, colour("#1a0608"), np.clip(np.abs(s) - 0.45, 0, 1) * np.float32(1.1))
        over(
            ground, colour("#1a0608"), np.exp(-np.clip(low - v, 0, None) / np.float32(2.2)) * np.float32(0.35)
        )
        return ground

    def _teeth(
        self,
        ground: Float32Array,
        x: Float32Array,
        edge: Float32Array,
        inside: Float32Array,
        pitch: float,
        light: float,
    ) -> None:
        k = self._scale
        column = x / np.float32(pitch) + np.float32(0.0)
        away = np.abs(column - np.round(column))  # 0 in the gap between two teeth, 0.5 in the middle of one
        scallop = np.float32(1.5) * np.clip(0.28 - away, 0, 1) ** 2 * 10
        mask = coverage(inside - scallop, k, 1.3) * coverage(np.float32(44) - np.abs(x), k)
        tooth = np.empty_like(ground)
        tooth[:] = (colour("#f6efe6") * np.float32(0.72 + 0.28 * light))[:, None, None]
        over(tooth, colour("#a98c7c"), np.float32(0.55) * np.clip(1 - away / 0.09, 0, 1))
        over(tooth, colour("#7d5a52"), np.clip(np.abs(x) / 44, 0, 1) ** 1.6 * np.float32(0.6))
        over(ground, tooth, mask * np.float32(0.55 + 0.42 * light))

    def _tongue(self, ground: Float32Array, x: Float32Array, v: Float32Array, pose: Pose) -> None:
        k = self._scale
        raised = pose.tongue
        cy = (5.0 + pose.drop * 1.02 + 7.0) * (1 - raised) + raised * (16.0 + 0.35 * pose.drop)
        rx, ry = 33.0 - 8 * raised, 13.0 + 5 * raised * (1 if pose.drop > 8 else 0.4)
        r = np.hypot(x / np.float32(rx), (v - np.float32(cy)) / np.float32(ry))
        tongue = np.empty_like(ground)
        tongue[:] = colour("#b8585a")[:, None, None]
        over(tongue, colour("#6e2429"), np.clip(r - 0.35, 0, 1) * np.float32(0.9))
        over(
            tongue, colour("#e59a94"), glow(x + 5, v - np.float32(cy - ry * 0.45), 13, 4.5) * np.float32(0.55)
        )
        over(tongue, colour("#7b2a30"), np.exp(-((x / 2.6) ** 2)) * np.float32(0.3))
        over(ground, tongue, coverage((1 - r) * np.float32(ry), k, 2.0) * np.float32(0.55 + 0.4 * raised))

    def _upper_lip(
        self,
        ground: Float32Array,
        x: Float32Array,
        v: Float32Array,
        s: Float32Array,
        top: Float32Array,
        low: Float32Array,
        pose: Pose,
    ) -> Float32Array:
        lip = np.empty_like(ground)
        lip[:] = self._lip[:, None, None]
        t = np.clip((v - top) / np.maximum(low - top, np.float32(1)), 0, 1)
        over(lip, self._lip_dark, np.float32(0.2) + np.float32(0.5) * t * t)
        over(
            lip,
            self._lip_light,
            np.exp(-(((t - 0.28) / 0.26) ** 2))
            * np.exp(-(((np.abs(s + 0.03) - 0.24) / 0.2) ** 2))
            * np.float32(0.55),
        )
        over(lip, self._lip_dark, np.clip(np.abs(s) - 0.55, 0, 1) * np.float32(0.7))
        return lip

    def _lower_lip(
        self,
        ground: Float32Array,
        x: Float32Array,
        v: Float32Array,
        s: Float32Array,
        top: Float32Array,
        low: Float32Array,
        pose: Pose,
    ) -> Float32Array:
        lip = np.empty_like(ground)
        lip[:] = self._lip[:, None, None]
        t = np.clip((v - top) / np.maximum(low - top, np.float32(1)), 0, 1)
        over(lip, self._lip_dark, np.clip(0.34 - t, 0, 1) * np.float32(1.3))
        over(
            lip,
            self._lip_light,
            np.exp(-(((t - 0.48) / 0.27) ** 2)) * np.exp(-((s / 0.6) ** 2)) * np.float32(0.6),
        )
        over(
            lip,
            self._lip_dark,
            np.clip(t - 0.66, 0, 1) * np.float32(1.1) + np.clip(np.abs(s) - 0.5, 0, 1) * np.float32(0.55),
        )
        crease = 0.5 + 0.5 * np.sin(x * np.float32(1.45) + np.sin(x * np.float32(0.37)) * 2)
        over(lip, self._lip_dark, (crease * np.float32(0.1)) * np.exp(-(((t - 0.5) / 0.4) ** 2)))
        shine = np.exp(-(((t - 0.4) / 0.13) ** 2)) * np.exp(-(((s + 0.12) / 0.26) ** 2))
        over(lip, self._shine, shine * np.float32(self._gloss))
        return lip

    def _seam_line(
        self,
        ground: Float32Array,
        s: Float32Array,
        v: Float32Array,
        top: Float32Array,
        low: Float32Array,
        within: Float32Array,
        pose: Pose,
    ) -> None:
        gap = low - top
        middle = (top + low) * np.float32(0.5)
        width = np.float32(1.5 + 0.5 * pose.closed)
        taper = np.clip((1.04 - np.abs(s)) * 6, 0, 1)
        line = np.clip(1 - np.abs(v - middle) / width, 0, 1) * np.clip(1 - gap / 5, 0, 1) * taper
        over(ground, self._seam, line * np.float32(0.82))
        corner = glow(np.abs(s) - 1, (v - middle) / 40, 0.055, 0.075)
        over(ground, self._seam, corner * np.float32(0.4))
