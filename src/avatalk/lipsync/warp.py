"""The animator for photographs: a warp of the picture itself, driven by visemes and head motion.

Per frame, with everything else prepared once:

1. the head's turn and the face's blendshapes are mixed on coarse lattices and inverted (where does each
   pixel of the frame come from in the photograph?);
2. one bicubic resampling brings face and hair; what does not move keeps its very bits;
3. the eyes look about and blink;
4. the lips are drawn as two sheets with the inside of the mouth between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from avatalk.avatars.cutout import laid
from avatalk.errors import FaceError
from avatalk.lipsync.base import Animation, Shot
from avatalk.lipsync.mouth_interior import Interior, Pose
from avatalk.lipsync.warp_eyes import Eye
from avatalk.lipsync.warp_frame import Box, FaceFrame, FloatArray, Grid, resample, smooth_curve
from avatalk.lipsync.warp_head import HeadFields
from avatalk.lipsync.warp_shapes import JAW_DROP, SHAPES, Mouth, ShapeFields
from avatalk.media import MOTION_CHANNELS, VISEME_CHANNELS, Face, Float32Array, UInt8Array

_AT_ONCE = 500  # frames


class MeshWarp:
    """Animates a photograph by warping it (the engine ``animator``)."""

    def prepare(self, shot: Shot) -> Animation:
        """Prepare a shot whose avatar is a photograph with one face.

        Raises:
            FaceError: no face was found in the photograph.
        """
        faces = shot.track.faces if shot.track is not None else ()
        face = next((face for face in faces if face is not None), None)
        if shot.avatar.picture is None or face is None:
            raise FaceError(
                "The picture shows no face to animate.",
                hint="Use a photograph with one face seen from the front, at least 40 pixels high.",
                stage="lipsync",
                field="avatar",
            )
        return WarpedPhotograph(shot, shot.avatar.picture, face)


@dataclass(frozen=True, slots=True)
class Flow:
    """Where in the photograph the pixels of one frame come from; all arrays are (…, 2) float32, pixels.

    Attributes:
        corner: x, y in the frame of the first pixel of `where`.
        where: (h, w, 2) place in the photograph of every pixel that may move.
        upper: displacement back to it on the face's lattice, of the sheet with the upper lip.
        lower: likewise, of the sheet with the lower lip.
        turned: forward displacement of the head on its lattice; None when the head is still.
    """

    corner: tuple[int, int]
    where: Float32Array
    upper: Float32Array
    lower: Float32Array
    turned: Float32Array | None


@dataclass(frozen=True, slots=True)
class Parts:
    """The bands of `HeadFields` by what the picture has there, whatever moves: nothing, edges, or all.

    Attributes:
        soft: rectangles with edges in them.
        solid: rectangles that stay opaque.
    """

    soft: tuple[Box, ...]
    solid: tuple[Box, ...]

    @classmethod
    def of(cls, layer: UInt8Array, bands: tuple[Box, ...], reach: Float32Array) -> Parts:
        """Part `bands` of a picture, RGBA, whose pixels come from up to `reach` (h, w) pixels away."""
        # By a chessboard's distance to the nearest pixel that is not so.
        clear, opaque = (
            np.asarray(cv2.distanceTransform((layer[..., 3] == value).astype(np.uint8), cv2.DIST_C, 3))
            > reach
            for value in (0, 255)
        )
        found: tuple[list[Box], list[Box]] = ([], [])
        for x0, y0, x1, y1 in bands:
            solid = opaque[y0:y1, x0:x1].all(axis=0)
            kind = np.where(solid, 1, np.where(clear[y0:y1, x0:x1].all(axis=0), -1, 0))
            ends = [0, *(np.flatnonzero(np.diff(kind)) + 1).tolist(), x1 - x0]
            for left, right in pairwise(ends):
                if kind[left] >= 0:
                    found[kind[left]].append((x0 + left, y0, x0 + right, y1))
        return cls(tuple(found[0]), tuple(found[1]))


class WarpedPhotograph(Animation):
    """A photograph ready to speak."""

    def __init__(self, shot: Shot, picture: UInt8Array, face: Face) -> None:
        """Lay out all fields and layers of `face` in `picture`, RGB or premultiplied RGBA."""
        self._visemes = shot.visemes.values
        self._motion = shot.motion.values
        # The face is opaque, so all that is drawn on it is drawn from the colours alone.
        self._layer = np.ascontiguousarray(picture)
        self._ground = shot.backdrop
        self._resting = self._layer if shot.backdrop is None else laid(self._layer, shot.backdrop)
        self._picture = np.ascontiguousarray(picture[..., :3])
        self._height, self._width = picture.shape[:2]
        self._frame = FaceFrame.of(face)
        self._mouth = Mouth.of(self._frame, self._picture)
        self._shapes = ShapeFields.of(self._frame, self._mouth, self._width, self._height)
        self._head = HeadFields.of(self._frame, self._shapes.grid, self._width, self._height)
        self._eyes = [Eye.of(self._picture, self._frame, eye) for eye in (0, 1)]
        self._parts = Parts((), self._head.bands)
        if picture.shape[2] == 4:
            self._parts = Parts.of(self._layer, self._head.bands, self._reach())
        self._interior = Interior(self._picture, self._frame, self._mouth)

    def _reach(self) -> Float32Array:
        """(height, width) how far away, in pixels, what a frame shows there may come from, at the most."""
        head, shapes = self._head, self._shapes
        names = [name for name in MOTION_CHANNELS if name in head.fields]
        moves = np.stack([head.fields[name] for name in names])
        amounts = self._motion[:, [MOTION_CHANNELS.index(name) for name in names]]
        turned = np.zeros(head.grid.shape, np.float32)
        for start in range(0, len(amounts), _AT_ONCE):
            away = np.linalg.norm(np.tensordot(amounts[start : start + _AT_ONCE], moves, 1), axis=-1)
            np.maximum(turned, away.max(axis=0), out=turned)
        # The shapes would be many numbers: all at their largest, added up.
        largest = dict(zip(VISEME_CHANNELS, 1.3 * np.abs(self._visemes).max(axis=0, initial=0), strict=True))
        sheets = np.zeros((2, *shapes.grid.shape), np.float32)
        for total, fields in zip(sheets, (shapes.upper, shapes.lower), strict=True):
            for name, field in fields.items():
                total += largest.get(name, 1.0) * np.linalg.norm(field, axis=-1)
        shaped = sheets.max(axis=0)
        reach = np.full((self._height, self._width), 3, np.float32)  # bicubic resampling reads two further
        near = float(turned.max() + shaped.max())
        for grid, sizes in ((head.grid, turned), (shapes.grid, shaped)):
            # What comes from a place moves as far as that does, so the neighbours count.
            window = np.ones((2 * int(np.ceil(near / grid.cell)) + 1,) * 2, np.uint8)
            far = np.asarray(cv2.dilate(sizes, window)).repeat(grid.cell, 0).repeat(grid.cell, 1)
            x0, y0, x1, y1 = self._inside(grid)
            reach[y0:y1, x0:x1] += far[: y1 - y0, : x1 - x0]
        return reach

    @property
    def by_rows(self) -> bool:
        """See `Animation.by_rows`; how a cut-out picture is parted depends on all rows."""
        return bool(self._layer.shape[2] == 3)

    def frames(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """See `Animation.frames`."""
        for index in range(start, stop):
            viseme = dict(zip(VISEME_CHANNELS, self._visemes[index].tolist(), strict=True))
            motion = dict(zip(MOTION_CHANNELS, self._motion[index].tolist(), strict=True))
            yield self._draw(viseme, motion)

    def _draw(self, viseme: dict[str, float], motion: dict[str, float]) -> UInt8Array:
        amounts = {name: viseme.get(name, 0.0) for name in SHAPES}
        amounts["open"] *= 1.3 - 0.3 * amounts["open"]  # the eye misses the smallest openings
        amounts["rest"] = 1.0 if self._mouth.was_open else 0.0
        amounts["brow"] = motion["brow"]

        frame = self._resting.copy()
        flow = self._flow(_mix(self._head.fields, motion), amounts)
        (x, y), where = flow.corner, flow.where
        whole = ((x, y, x + where.shape[1], y + where.shape[0]),)
        for x0, y0, x1, y1 in whole if flow.turned is None else self._parts.soft:
            part = resample(self._layer, where[y0 - y : y1 - y, x0 - x : x1 - x])
            frame[y0:y1, x0:x1] = part if self._ground is None else laid(part, self._ground[y0:y1, x0:x1])
        for x0, y0, x1, y1 in () if flow.turned is None else self._parts.solid:
            frame[y0:y1, x0:x1, :3] = resample(self._picture, where[y0 - y : y1 - y, x0 - x : x1 - x])
        if motion["blink"] or motion["gaze_x"] or motion["gaze_y"]:
            for eye in self._eyes:
                self._look(frame[..., :3], eye, flow, motion)
        if any(amounts[name] for name in SHAPES if name != "brow"):
            self._speak(frame[..., :3], flow, amounts, viseme["tongue"])
        return frame

    def _flow(self, turned: Float32Array | None, amounts: dict[str, float]) -> Flow:
        """Find where in the photograph every pixel that may move comes from."""
        shapes, grid, head = self._shapes, self._shapes.grid, self._head.grid
        seen = grid.nodes
        if turned is not None:
            back = head.inverse(turned, rounds=3)
            seen = grid.nodes + head.sample(back, grid.nodes)
        sheets = []
        for fields in (shapes.upper, shapes.lower):
            move = _mix(fields, amounts)
            sheets.append(seen if move is None else seen + grid.sample(grid.inverse(move, rounds=7), seen))
        below = grid.sample(shapes.below, seen)[..., None]
        both = sheets[0] + below * (sheets[1] - sheets[0])
        face, upper, lower = (sheet - grid.nodes for sheet in (both, *sheets))
        skin = grid.upsample(face, self._inside(grid))
        if turned is None:
            return Flow((grid.x, grid.y), skin, upper, lower, None)
        where = head.upsample(back, self._inside(head))
        # The head's lattice reaches past the face's on all sides, both cut off alike at the picture's edges.
        x, y = grid.x - head.x, grid.y - head.y
        where[y : y + skin.shape[0], x : x + skin.shape[1]] = skin
        return Flow((head.x, head.y), where, upper, lower, turned)

    def _inside(self, grid: Grid) -> Box:
        """The lattice's rectangle without what whole cells have past the picture's right and lower edge."""
        x0, y0, x1, y1 = grid.box
        return x0, y0, min(x1, self._width), min(y1, self._height)

    def _skull(self, turned: Float32Array | None) -> FloatArray:
        """(2, 3) face units → pixels, at the mouth, with the head as turned in this frame."""
        probe = np.array([[0.0, 0.0], [-0.2, 0.0], [0.2, 0.0], [0.0, -0.2], [0.0, 0.2]])
        pixels = self._frame.to_pixels(probe)
        if turned is not None:
            pixels = pixels + self._head.grid.sample(turned, pixels.astype(np.float32)[None])[0]
        matrix = np.column_stack([pixels[2] - pixels[1], pixels[4] - pixels[3]]) / 0.4
        return np.column_stack([matrix, pixels[0]])

    def _look(self, frame: UInt8Array, eye: Eye, flow: Flow, motion: dict[str, float]) -> None:
        """Draw one eye's lids and gaze over `frame`."""
        x0, y0, x1, y1 = eye.box(3.0)
        if flow.turned is not None:
            middle = np.array([[[(x0 + x1) / 2, (y0 + y1) / 2]]], np.float32)
            dx, dy = self._head.grid.sample(flow.turned, middle)[0, 0]
            x0, y0, x1, y1 = x0 + dx, y0 + dy, x1 + dx, y1 + dy
        (x, y), where = flow.corner, flow.where
        left, top = max(x, int(x0), 1), max(y, int(y0), 1)
        right = min(x + where.shape[1], int(x1) + 1, self._width - 1)
        bottom = min(y + where.shape[0], int(y1) + 1, self._height - 1)
        if right <= left or bottom <= top:
            return
        patch = where[top - y : bottom - y, left - x : right - x]
        shown = frame[top:bottom, left:right]
        gaze = (motion["gaze_x"], motion["gaze_y"])
        frame[top:bottom, left:right] = eye.draw(self._picture, patch, shown, motion["blink"], gaze)

    def _speak(self, frame: UInt8Array, flow: Flow, amounts: dict[str, float], tongue: float) -> None:
        """Draw both lips and what is between them over `frame`."""
        contours = np.stack([self._mouth.upper, self._mouth.lower])
        for name, amount in amounts.items():
            if amount:
                contours = contours + amount * self._shapes.lips[name]
        curves = [smooth_curve(contour) for contour in contours]
        skull = self._skull(flow.turned)

        grid = self._shapes.grid
        margin = 0.04 + 2.0 * grid.cell / self._frame.unit
        low, high = contours.min(axis=(0, 1)) - margin, contours.max(axis=(0, 1)) + margin
        low[0], high[0] = low[0] - 0.08, high[0] + 0.08
        ring = np.array([[*low, 1], [high[0], low[1], 1], [*high, 1], [low[0], high[1], 1]]) @ skull.T
        x0, y0, x1, y1 = self._inside(grid)
        left, top = max(x0, int(ring[:, 0].min()), 1), max(y0, int(ring[:, 1].min()), 1)
        right = min(x1, int(ring[:, 0].max()) + 1, self._width - 1)
        bottom = min(y1, int(ring[:, 1].max()) + 1, self._height - 1)
        if right <= left or bottom <= top:
            return
        box = (left, top, right, bottom)
        above, below = (resample(self._picture, grid.upsample(s, box)) for s in (flow.upper, flow.lower))
        local = skull.copy()
        local[:, 2] -= [left, top]
        pose = Pose(local, curves[0], curves[1], JAW_DROP * amounts["open"], tongue, amounts["round"])
        frame[top:bottom, left:right] = self._interior.paint(pose, above, below)


def _mix(fields: dict[str, Float32Array], amounts: dict[str, float]) -> Float32Array | None:
    """Sum of amount x field; None when nothing moves. Summed in one fixed order, so always the same bits."""
    total: Float32Array | None = None
    for name, field in fields.items():
        amount = np.float32(amounts[name])
        if amount:
            total = field * amount if total is None else total + field * amount
    return total
