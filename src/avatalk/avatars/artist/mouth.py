"""A mouth painted frame by frame from viseme parameters: lips, teeth, tongue and the dark behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatalk.avatars.artist.brush import Axis, Floats, colour, coverage, glow, over
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import MOUTH_Y
from avatalk.avatars.artist.svg import Box, mix
from avatalk.avatars.artist.tones import tones

DROP = 35.0  # how far the lower lip goes down at its widest, head units
_TEETH = 8.4  # edge of the upper teeth below the line of the lips, head units
_f = np.float32


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
        return max(self.open, 0.15 * self.teeth, 0.2 * self.tongue) * (1 - self.closed)

    @property
    def drop(self) -> float:
        """Head units by which the jaw carries the lower lip down."""
        return DROP * self.parted * (1 - 0.2 * self.round)


def reach(pose: Pose) -> Box:
    """Return what the mouth may touch: x0, y0, x1, y1 around (0, `MOUTH_Y`), head units."""
    return -74.0, -32.0, 74.0, 30.0 + pose.drop


@dataclass(frozen=True, slots=True)
class _Lips:
    """The mouth at some pixels, (height, width) float32 each.

    Attributes:
        x: head units from the middle of the mouth.
        v: head units below the line of the lips.
        s: x as a share of half the mouth's width.
        top: v of the upper lip's upper edge at this x.
        inner_top: of its lower edge.
        inner_low: of the lower lip's upper edge.
        bottom: of its lower edge.
        half: head units of half the mouth's width.
    """

    x: Floats
    v: Floats
    s: Floats
    top: Floats
    inner_top: Floats
    inner_low: Floats
    bottom: Floats
    half: float


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
        self._lip = colour(t.lips)
        self._lip_dark = colour(mix(mix(t.lips, t.deep, 0.45), "#3a1216", 0.25))
        self._lip_light = colour(mix(mix(t.lips, t.light, 0.45), t.blush, 0.25))
        self._shine = colour(mix(t.light, "#ffffff", 0.55))
        self._gloss = _f(0.34 + 0.3 * character.makeup)
        self._seam = colour(mix(t.deep, "#2c0c0e", 0.6))
        self._edge = max(scale, 1.0) * (1.8 if male else 1.25)
        self._dark, self._back = colour("#14050a"), colour("#3d1216")
        self._enamel, self._between = colour(mix("#f6efe6", "#d9c7ae", 0.5 * old)), colour("#9c7d70")
        self._flesh, self._flesh_dark, self._flesh_light = (
            colour("#bf5d5e"),
            colour("#742a2f"),
            colour("#eaa69e"),
        )

    def paint(self, ground: Floats, x: Floats, y: Floats, pose: Pose) -> None:
        """Paint the mouth.

        Args:
            ground: (3, height, width) float32 RGB 0..255, changed in place.
            x: (height, width) float32, head units of each pixel.
            y: likewise.
            pose: what the mouth does.
        """
        k, half = self._scale, self.half_width(pose)
        v, s = y - _f(MOUTH_Y), x / _f(half)
        at = self._axis.index(s)
        top, inner_top, inner_low, bottom = (curve[at] for curve in self._contours(pose))
        m = _Lips(x, v, s, top, inner_top, inner_low, bottom, half)
        within = coverage((1 - np.abs(s)) * _f(half), k)
        if pose.parted > 0.004:
            hole = np.minimum(coverage(v - m.inner_top, k), coverage(m.inner_low - v, k)) * within
            over(ground, self._interior(m, pose), hole)
        lower = np.minimum(coverage(v - m.inner_low, k), coverage(m.bottom - v, k, self._edge)) * within
        over(ground, self._lower_lip(m), lower)
        upper = np.minimum(coverage(v - m.top, k, self._edge), coverage(m.inner_top - v, k)) * within
        over(ground, self._upper_lip(m), upper)
        self._seam_line(ground, m, pose)

    def half_width(self, pose: Pose) -> float:
        """Head units from the middle to a corner of the mouth."""
        spread = 0.13 * pose.wide + 0.08 * self._smile * (1 - pose.round)
        return self._half * (
            1 + spread - 0.4 * pose.round - 0.14 * pose.parted * (1 - pose.wide) * (1 - pose.round)
        )

    def _contours(self, pose: Pose) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the four edges of the lips over the axis, head units below the line of the lips."""
        s = self._axis.x
        side = np.abs(s)
        bow = np.clip(1 - s * s, 0, 1)
        parted, drop, rounded = pose.parted, pose.drop, pose.round
        smile = self._smile * (1 - 0.85 * rounded) * (1 - 0.45 * parted) + 0.3 * pose.wide
        waist = 1.4 * np.exp(-((s / 0.16) ** 2)) - 1.2 * np.exp(-(((side - 0.36) / 0.2) ** 2))
        waist *= 1 - 0.7 * rounded
        level = 1.6 * (1 - smile)  # an earnest mouth sits a little lower
        corner = (0.34 + 0.14 * rounded) * drop
        seam = level + (corner - 15.5 * smile) * side**2.1
        gap = bow ** (0.62 - 0.14 * rounded + 0.2 * pose.wide)
        lift = 5.5 * parted * (1 - 0.2 * rounded) + 1.6 * pose.teeth
        inner_top = seam + waist - lift * gap
        inner_low = seam + waist * max(1 - 6 * parted, 0) + np.maximum(drop - 1.6 * pose.teeth, 0) * gap
        flat = (
            level + (corner - 15.5 * smile) * side**3.2 - seam - 0.8 * waist * max(1 - 6 * parted, 0)
        )  # the lower edge bends less than the line
        shape = (1 - 0.42 * pose.closed) * (1 + 0.2 * rounded) * (1 - 0.12 * pose.wide - 0.1 * self._smile)
        peaks = 0.84 + 0.24 * np.exp(-(((side - 0.24) / 0.17) ** 2)) - 0.12 * np.exp(-((s / 0.09) ** 2))
        top = inner_top - self._up * shape * bow**0.72 * peaks
        pout = np.clip(1 - side**2.3, 0, 1) ** 0.8
        low = self._low * shape * (1 - 0.4 * pose.teeth) * (1 - 0.12 * parted)
        bottom = inner_low + low * pout + flat * bow
        edges = (top, inner_top, inner_low, np.maximum(bottom, inner_low))
        return edges[0].astype(_f), edges[1].astype(_f), edges[2].astype(_f), edges[3].astype(_f)

    def _interior(self, m: _Lips, pose: Pose) -> Floats:
        ground = np.empty((3, *m.x.shape), _f)
        ground[:] = self._back[:, None, None]
        drop = pose.drop
        over(ground, self._dark, _f(0.8) * np.exp(-np.clip(m.v - 6, 0, None) / _f(14)))
        if drop > 9:
            self._tongue(ground, m, drop * 0.98 + 1.5, 31.0, 11.0, 0.85)
            edge = drop * 0.93 - 0.5 + 3 * (m.x / 40) ** 2
            self._teeth(ground, m, m.v - edge, 9.0, 0.6)
        arch = (m.x / _f(40)) ** 2
        rim = _TEETH - 5.0 * arch - 6.0 * pose.round - 2.0 * pose.tongue
        self._teeth(ground, m, rim - m.v, 11.5, 1.0)
        over(ground, self._dark, np.exp(-np.clip(m.v - m.inner_top, 0, None) / _f(3.2)) * _f(0.6))
        if pose.tongue > 0:
            self._tongue(
                ground, m, _TEETH - 1.0 + 0.25 * drop + 6 * (1 - pose.tongue), 24.0, 7.5, pose.tongue
            )
        over(ground, self._dark, np.clip(np.abs(m.s) - 0.5, 0, 1) * _f(1.2))
        over(ground, self._dark, np.exp(-np.clip(m.inner_low - m.v, 0, None) / _f(2.2)) * _f(0.35))
        return ground

    def _teeth(self, ground: Floats, m: _Lips, inside: Floats, pitch: float, light: float) -> None:
        """Paint a row of teeth where `inside` is positive, each `pitch` head units wide."""
        column = m.x / _f(pitch)
        away = np.abs(column - np.round(column))  # 0 in the gap between two teeth, 0.5 in the middle of one
        side = np.abs(m.x) / _f(max(m.half * 0.9, 30))
        mask = coverage(inside - 15 * np.clip(0.26 - away, 0, 1) ** 2, self._scale, 1.3)
        tooth = np.empty_like(ground)
        tooth[:] = (self._enamel * _f(0.72 + 0.28 * light))[:, None, None]
        over(tooth, self._between, _f(0.5) * np.clip(1 - away / 0.09, 0, 1))
        over(tooth, self._between, np.clip(side, 0, 1) ** 2 * _f(0.75))
        over(ground, tooth, mask * np.clip((1 - side) * 5, 0, 1) * _f(0.5 + 0.46 * light))

    def _tongue(self, ground: Floats, m: _Lips, y: float, rx: float, ry: float, alpha: float) -> None:
        """Paint the tongue as an ellipse around (0, y) below the line of the lips."""
        r = np.hypot(m.x / _f(rx), (m.v - _f(y)) / _f(ry))
        tongue = np.empty_like(ground)
        tongue[:] = self._flesh[:, None, None]
        over(tongue, self._flesh_dark, np.clip(r - 0.4, 0, 1) * _f(0.9))
        over(tongue, self._flesh_light, glow(m.x + 5, m.v - _f(y - ry * 0.35), 0.4 * rx, 0.32 * ry) * _f(0.6))
        over(tongue, self._flesh_dark, np.exp(-((m.x / _f(2.4)) ** 2)) * _f(0.25))
        over(ground, tongue, coverage((1 - r) * _f(ry), self._scale, 2.5) * _f(alpha))

    def _upper_lip(self, m: _Lips) -> Floats:
        lip = np.empty((3, *m.x.shape), _f)
        lip[:] = self._lip[:, None, None]
        t = np.clip((m.v - m.top) / np.maximum(m.inner_top - m.top, _f(1)), 0, 1)
        side = np.abs(m.s + _f(0.03))
        over(lip, self._lip_dark, _f(0.2) + _f(0.5) * t * t + np.clip(side - 0.55, 0, 1) * _f(0.5))
        light = np.exp(-(((t - 0.28) / _f(0.26)) ** 2) - ((side - 0.24) / _f(0.2)) ** 2)
        over(lip, self._lip_light, light * _f(0.55))
        return lip

    def _lower_lip(self, m: _Lips) -> Floats:
        lip = np.empty((3, *m.x.shape), _f)
        lip[:] = self._lip[:, None, None]
        t = np.clip((m.v - m.inner_low) / np.maximum(m.bottom - m.inner_low, _f(1)), 0, 1)
        over(lip, self._lip_light, np.exp(-(((t - 0.48) / _f(0.27)) ** 2) - (m.s / _f(0.6)) ** 2) * _f(0.6))
        crease = _f(0.5) + _f(0.5) * np.sin(m.x * _f(1.45) + np.sin(m.x * _f(0.37)) * 2)
        shade = np.clip(0.34 - t, 0, 1) * _f(1.3) + np.clip(t - 0.66, 0, 1) * _f(1.1)
        shade += np.clip(np.abs(m.s) - 0.5, 0, 1) * _f(0.55) + crease * _f(0.08)
        over(lip, self._lip_dark, np.minimum(shade, 1))
        shine = np.exp(-(((t - 0.4) / _f(0.13)) ** 2) - ((m.s + _f(0.12)) / _f(0.26)) ** 2)
        over(lip, self._shine, shine * self._gloss)
        return lip

    def _seam_line(self, ground: Floats, m: _Lips, pose: Pose) -> None:
        """Darken the line where the lips meet, and the corners."""
        middle = (m.inner_top + m.inner_low) * _f(0.5)
        line = np.clip(1 - np.abs(m.v - middle) / _f(1.5 + 0.5 * pose.closed), 0, 1)
        line *= np.clip(1 - (m.inner_low - m.inner_top) / 5, 0, 1) * np.clip((1.04 - np.abs(m.s)) * 6, 0, 1)
        corner = glow(np.abs(m.s) - 1, m.v - middle, 0.055, 3.0) * _f(0.4)
        over(ground, self._seam, np.maximum(line * _f(0.82), corner))
