"""Eyes: the skin above comes down over them, lash line first, to blink; between the lids they look about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatalk.lipsync.warp_frame import FaceFrame, FloatArray, resample, smooth_curve, smoothstep
from avatalk.media import Float32Array, UInt8Array

# Each lid from the picture's left corner of the eye to the right one; the underside of its brow; its iris.
EYES = (
    (
        (33, 246, 161, 160, 159, 158, 157, 173, 133),
        (33, 7, 163, 144, 145, 153, 154, 155, 133),
        (52, 53, 65),
        468,
    ),
    (
        (362, 398, 384, 385, 386, 387, 388, 466, 263),
        (362, 382, 381, 380, 374, 373, 390, 249, 263),
        (282, 283, 295),
        473,
    ),
)
LOWER_SHARE = 0.12  # of the closing that the lower lid does
FOLD = 0.75  # how much of the way up to the brow the lid's skin is drawn from
LASHES = 0.045  # face units above a lid's edge that keep their look: lashes, eye-liner
LASH_LINE = 0.010  # width of the dark line where the lids meet, face units
GAZE = 0.024  # how far the iris goes sideways at gaze_x = 1, face units: about ten degrees
GAZE_DOWN = 0.010  # and down at gaze_y = 1
RIM = 0.008  # of the eye under the upper lid, in the lashes' shade, that stays as it is, face units
FRESH = 0.85  # share of plain skin in a lid that is drawn down: there is more of it than the photograph shows


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye, in its own units: u along the eye, v downwards, as in the face frame but turned to the eye.

    Attributes:
        origin: (2,) float64 pixel of the eye's left corner.
        axes: (2, 2) float64 rows are the unit vectors of u and v.
        u: (n,) float64 pixels along the eye; `upper` and `lower` are the lids' v there.
        upper: (n,) float64.
        lower: (n,) float64.
        iris: (2,) float64 the u of its middle and its radius, pixels.
        fold: pixels above the lid from where its skin comes down.
        unit: pixels per face unit.
        skin: (2, 3) float64 RGB of the skin under the eye, at its left and at its right end.
        lash: (3,) float64 RGB of the lashes.
    """

    origin: FloatArray
    axes: FloatArray
    u: FloatArray
    upper: FloatArray
    lower: FloatArray
    iris: FloatArray
    fold: float
    unit: float
    skin: FloatArray
    lash: FloatArray

    @classmethod
    def of(cls, picture: UInt8Array, frame: FaceFrame, eye: int) -> Eye:
        """Read eye 0 (left in the picture) or 1 off the landmarks and the photograph."""
        upper_ids, lower_ids, brow_ids, iris_id = EYES[eye]
        pixels = frame.to_pixels(frame.points)
        start, along = pixels[upper_ids[0]], pixels[upper_ids[-1]] - pixels[upper_ids[0]]
        along = along / max(float(np.linalg.norm(along)), 1e-6)
        axes = np.array([along, [-along[1], along[0]]])
        upper = smooth_curve((pixels[list(upper_ids)] - start) @ axes.T)
        lower = smooth_curve((pixels[list(lower_ids)] - start) @ axes.T)
        u = np.linspace(0.0, upper[-1, 0], 49)
        above, below = np.interp(u, upper[:, 0], upper[:, 1]), np.interp(u, lower[:, 0], lower[:, 1])
        rim = (pixels[iris_id : iris_id + 5] - start) @ axes.T
        iris = np.array([rim[0, 0], 0.5 * np.ptp(rim[1:, 0])])
        brow = ((pixels[list(brow_ids)] - start) @ axes.T)[:, 1].mean()
        below = np.maximum(above, below)
        fold = FOLD * max(float(above.min() - brow), 0.1 * frame.unit)

        def look(v: FloatArray, *shifts: float) -> FloatArray:
            """Colours (shifts, n, 3) of the photograph along a lid, shifted down by face units."""
            rows = [np.stack([u, v + shift * frame.unit], axis=-1) @ axes + start for shift in shifts]
            return resample(picture, np.stack(rows).astype(np.float32), smooth=False).astype(np.float64)

        under = look(below, 0.05, 0.065, 0.08)
        skin = np.stack([np.median(part.reshape(-1, 3), axis=0) for part in (under[:, :25], under[:, 24:])])
        lash = np.percentile(look(above, -0.01, 0.0, 0.01).reshape(-1, 3), 12, axis=0)
        lash = 0.4 * lash + 0.5 * lash.mean()  # dark and nearly grey, though an eye's colour may have got in
        return cls(start, axes, u, above, below, iris, fold, frame.unit, 0.96 * skin, lash)

    def box(self, margin: float) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in pixels around all that a blink can change."""
        v0, v1 = self.upper.min() - self.fold, self.lower.max() + self.fold
        ends = (
            np.array([[self.u[0], v0], [self.u[-1], v0], [self.u[0], v1], [self.u[-1], v1]]) @ self.axes
            + self.origin
        )
        low, high = ends.min(axis=0) - margin, ends.max(axis=0) + margin
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def draw(
        self,
        picture: UInt8Array,
        where: Float32Array,
        shown: UInt8Array,
        blink: float,
        gaze: tuple[float, float],
    ) -> UInt8Array:
        """Draw the eye.

        Args:
            picture: (H, W, 3) uint8 the photograph.
            where: (h, w, 2) float32 pixel of the photograph seen at each pixel of the patch, eye as it was.
            shown: (h, w, 3) uint8 the patch with the eye as it was.
            blink: 0 open to 1 shut.
            gaze: to the right and down, -1 to 1 each.

        Returns:
            (h, w, 3) uint8 the patch with the eye as wanted.
        """
        u, v = np.moveaxis((where - self.origin) @ self.axes.T, -1, 0)
        top, bottom = np.interp(u, self.u, self.upper), np.interp(u, self.u, self.lower)
        patch = shown.astype(np.float64)
        if any(gaze):
            patch = self._look(picture, u, v, top, bottom, patch, gaze)
        if blink > 0:
            patch = self._shut(picture, u, v, top, bottom, patch, blink)
        return np.rint(np.clip(patch, 0, 255)).astype(np.uint8)

    def _seen(self, picture: UInt8Array, u: FloatArray, v: FloatArray) -> FloatArray:
        """The photograph at eye coordinates, (h, w, 3)."""
        return resample(picture, (np.stack([u, v], axis=-1) @ self.axes + self.origin).astype(np.float32))

    def _look(
        self,
        picture: UInt8Array,
        u: FloatArray,
        v: FloatArray,
        top: FloatArray,
        bottom: FloatArray,
        patch: FloatArray,
        gaze: tuple[float, float],
    ) -> FloatArray:
        """Move the iris between the lids; the white beside it gives way, the corners stay."""
        middle, radius = self.iris
        room = np.maximum(np.array([middle, self.u[-1] - middle]) - radius, 1e-3)
        aside = float(np.clip(gaze[0] * GAZE * self.unit, -0.45 * room[0], 0.45 * room[1]))
        follows = smoothstep(1 - (np.abs(u - middle) - radius) / np.where(u < middle, room[0], room[1]))
        height = np.clip((v - top) / np.maximum(bottom - top, 1e-3), 0, 1)
        down = gaze[1] * GAZE_DOWN * self.unit * 4 * height * (1 - height)
        moved = self._seen(picture, u - aside * follows, v - down * follows)
        inside = np.clip(np.minimum(v - top - RIM * self.unit, bottom - v) + 0.5, 0, 1)
        return np.asarray(patch + (moved - patch) * inside[..., None])

    def _shut(
        self,
        picture: UInt8Array,
        u: FloatArray,
        v: FloatArray,
        top: FloatArray,
        bottom: FloatArray,
        patch: FloatArray,
        blink: float,
    ) -> FloatArray:
        """Draw the lids over the eye."""
        gap = bottom - top
        down, up = blink * (1 - LOWER_SHARE) * gap, blink * LOWER_SHARE * gap
        edge = top + down

        # Where the upper lid's skin comes from: whole steps at both ends of the stretch keep the lash line as
        # sharp as it is and the seam with the brow unseen.
        past = v - (top - self.fold)
        lid = v - down * smoothstep(past / (self.fold + down))
        cheek = v + up * smoothstep(1 - (v - (bottom - up)) / self.fold)
        upper, lower = self._seen(picture, u, lid), self._seen(picture, u, cheek)
        upper = upper + (self._skin_at(u) - upper) * self._fresh(v, top, edge, blink)[..., None]

        is_lid = np.clip(edge - v + 0.5, 0, 1)[..., None]
        is_cheek = np.clip(v - (bottom - up) + 0.5, 0, 1)[..., None] * (1 - is_lid)
        patch = patch * (1 - is_lid - is_cheek) + upper * is_lid + lower * is_cheek
        tapered = smoothstep(gap / (0.6 * gap.max() + 1e-6))
        line = np.exp(-(((v - edge) / (LASH_LINE * self.unit)) ** 2)) * tapered
        return np.asarray(
            patch + (self.lash - patch) * (0.8 * smoothstep(np.asarray(1.5 * blink)) * line)[..., None]
        )

    def _skin_at(self, u: FloatArray) -> FloatArray:
        """Plain skin (h, w, 3) for the lid."""
        along = np.clip(u / self.u[-1], 0, 1)[..., None]
        return np.asarray(self.skin[0] + along * (self.skin[1] - self.skin[0]))

    def _fresh(self, v: FloatArray, top: FloatArray, edge: FloatArray, blink: float) -> FloatArray:
        """Share (h, w) of plain skin: in the middle of the drawn-down lid, none at its fold and lashes."""
        from_fold = smoothstep((v - top + 0.6 * self.fold) / (0.6 * self.fold + 0.2 * (edge - top) + 1e-6))
        from_lashes = smoothstep((edge - v) / (LASHES * self.unit))
        return np.asarray(FRESH * smoothstep(np.asarray(1.5 * blink)) * from_fold * from_lashes)
