"""The head's small turns: a 2.5-D motion of face and hair that fades out in the neck and beyond the hair.

For the small angles of a talking head a rotation is linear in its angle, so each of yaw, pitch, roll and
breath is one displacement field. Turning moves what is near (the nose) more than what is far (the ears);
the silhouette hardly moves, and neither does the background behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from avatalk.lipsync.warp_frame import FACE_OVAL, Box, FaceFrame, FloatArray, Grid, border_ramp, smoothstep
from avatalk.lipsync.warp_shapes import spread
from avatalk.media import Float32Array

HAIR = 0.55  # hair above the oval's top, face units
SIDE = 0.16  # hair and ears beside it
FADE = 0.9  # the motion is gone at this many head radii past the head
NECK = 0.75  # length below the chin over which neck and collar come to rest
SWING = 0.25  # the neck carries the head a little the way it turns: face units per radian
BREATH_RISE = 0.012  # of the head at breath = 1, face units

# Where depth is read: the profile, cheeks, brows and the oval.
RELIEF = (
    *(1, 4, 5, 6, 168, 9, 151, 2, 0, 17, 18, 199, 152, 50, 280, 205, 425, 117, 346, 33, 263, 133, 362),
    *(70, 300, 105, 334, 129, 358, 61, 291, 207, 427, 213, 433, 135, 364, 123, 352, 104, 333),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeadFields:
    """Forward displacement in pixels per radian (breath: per unit) on a coarse lattice over the head.

    Attributes:
        grid: the lattice.
        fields: ``yaw``, ``pitch``, ``roll``, ``breath`` → (rows, columns, 2) float32.
        bands: rectangles that together hold all pixels that can move; the rest of the
            lattice's rectangle, about a quarter, needs no resampling.
    """

    grid: Grid
    fields: dict[str, Float32Array]
    bands: tuple[Box, ...]

    @classmethod
    def of(cls, frame: FaceFrame, face: Grid, width: int, height: int) -> HeadFields:
        """Lay the fields over the head in a picture of `width` x `height`, and over the lattice `face`."""
        oval = frame.points[list(FACE_OVAL)]
        centre_u = 0.5 * (oval[:, 0].min() + oval[:, 0].max())
        half_width = 0.5 * np.ptp(oval[:, 0]) + SIDE
        top, chin = oval[:, 1].min() - HAIR, oval[:, 1].max()
        centre = np.array([centre_u, 0.5 * (top + chin)])
        radii = np.array([half_width, 0.5 * (chin - top)])

        low, high = centre - (1 + FADE) * radii, centre + (1 + FADE) * radii
        high[1] = min(high[1], chin + NECK)
        corners = frame.to_pixels(np.array([low, [high[0], low[1]], high, [low[0], high[1]]]))
        cell = max(2, round(frame.unit / 10))
        skin = face.pixels[[0, -1], [0, -1]]
        low, high = np.vstack([corners, skin]).min(axis=0), np.vstack([corners, skin + 1]).max(axis=0)
        grid = Grid(low, high, cell, width, height)
        uv = frame.to_face(grid.nodes.reshape(-1, 2).astype(np.float64))

        ratio = np.linalg.norm((uv - centre) / radii, axis=1)
        weight = 1 - smoothstep((ratio - 1.0) / (FADE - cell / frame.unit))
        weight *= 1 - smoothstep((uv[:, 1] - chin + 0.1) / NECK)
        weight *= border_ramp(grid, width, height, 0.5 * frame.unit).reshape(-1)

        near = _nearness(frame, centre, radii, uv)
        nothing, ones = np.zeros(len(uv)), np.ones(len(uv))
        pivot = np.array([centre_u, chin + 0.5])
        moves = {
            "yaw": (near + SWING, nothing),
            "pitch": (nothing, near + SWING),
            "roll": (pivot[1] - uv[:, 1], uv[:, 0] - pivot[0]),
            "breath": (nothing, -BREATH_RISE * ones),
        }
        shape = (*grid.shape, 2)
        fields = {
            name: frame.vectors_to_pixels(np.stack(move, axis=1) * weight[:, None])
            .astype(np.float32)
            .reshape(shape)
            for name, move in moves.items()
        }
        return cls(grid, fields, _bands(grid, weight.reshape(grid.shape), face))


def _bands(grid: Grid, weight: FloatArray, face: Grid, rows: int = 4) -> tuple[Box, ...]:
    """Rectangles, `rows` nodes high, around what moves with the head or belongs to the lattice `face`."""
    height, width = grid.pixels.shape[:2]
    moves = cv2.resize((weight > 0).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    moves = cv2.dilate(moves, np.ones((3, 3), np.uint8), iterations=grid.cell)
    x, y = face.x - grid.x, face.y - grid.y
    moves[y : y + face.pixels.shape[0], x : x + face.pixels.shape[1]] = 1
    bands = []
    for top in range(0, height, rows * grid.cell):
        bottom = min(top + rows * grid.cell, height)
        columns = np.flatnonzero(moves[top:bottom].any(axis=0))
        if len(columns):
            bands.append(
                (grid.x + int(columns[0]), grid.y + top, grid.x + int(columns[-1]) + 1, grid.y + bottom)
            )
    return tuple(bands)


def _nearness(frame: FaceFrame, centre: FloatArray, radii: FloatArray, uv: FloatArray) -> FloatArray:
    """How far in front of the head's axis each point (n, 2) lies, face units; 0 at the head's outline."""
    oval = list(FACE_OVAL[::2])
    axis = float(frame.depth[[127, 356, 234, 454]].mean())
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    outline = centre + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    at = np.vstack([frame.points[[*RELIEF, *oval]], outline, centre + 1.6 * (outline - centre)])
    near = np.concatenate([np.clip(axis - frame.depth[[*RELIEF, *oval]], 0, 1.5), np.zeros(2 * len(outline))])
    return np.clip(spread(at, near[:, None], uv, stiffness=3e-3)[:, 0], 0, 1.5)
