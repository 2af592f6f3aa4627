"""A character rasterised once for a canvas, and any pose of it as a frame.

The picture of the bust is bent by one smooth displacement field, so nothing can tear or leave a hole: the
head turns as a round body (every point moves by the angle times its depth), the jaw carries the chin down,
the chest breathes. Lips, lids and eyes are then painted where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from avatalk.avatars.artist import eyes as eyes_
from avatalk.avatars.artist import mouth as mouth_
from avatalk.avatars.artist import portrait
from avatalk.avatars.artist.brush import Floats, smoothstep
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.eyes import Eyes
from avatalk.avatars.artist.face import EYE_X, MOUTH_Y, chin_y
from avatalk.avatars.artist.mouth import Mouth, Pose
from avatalk.avatars.artist.raster import View, paint_sheets, place, sample
from avatalk.avatars.artist.svg import Box, rgb
from avatalk.avatars.cutout import laid
from avatalk.media import UInt8Array

Window = tuple[slice, slice]

_REST = (0.0,) * 8
_CHIN_SHARE = 0.74  # of the way of the lower lip goes the chin; the rest is the lip's own
_JAW_END = 100.0  # head units below the chin where nothing follows the jaw any more
_ROOM = 40.0  # head units by which anything painted may move
_HEAD_HALF = 264.0  # half the width of the band in which head and hair move, head units


class Puppet:
    """A character on a canvas.

    Args:
        character: whom to draw.
        width: of the canvas, pixels.
        height: of the canvas, pixels.
        close: how much larger than a bust the person is shown, 1 to 2.
        backdrop: (height, width, 3) uint8 RGB, what stands behind; None for the character's own wall.
    """

    def __init__(
        self,
        character: Character,
        width: int,
        height: int,
        close: float = 1.0,
        backdrop: UInt8Array | None = None,
    ) -> None:
        self._view = view = place(width, height, close)
        self._backdrop = _backdrop(character, width, height) if backdrop is None else backdrop
        under = paint_sheets(portrait.beneath(character), view)
        self._above = paint_sheets(portrait.above(character), view)
        rest = cv2.merge([255 - self._above[..., 3]] * 4)
        self._texture = np.asarray(cv2.add(cv2.multiply(under, rest, scale=1 / 255), self._above), np.uint8)
        self._under = under
        self._eyes, self._mouth = Eyes(character, view.scale), Mouth(character, view.scale)
        self._gape = character.expression.gape
        self._field = Field(character, view, _painted(self._texture, view.scale))

    def still(self) -> UInt8Array:
        """Return the frame at rest: (height, width, 3) uint8 RGB."""
        return self.frame(Pose(), _REST)

    def frame(self, pose: Pose, motion: tuple[float, ...]) -> UInt8Array:
        """Return one frame.

        Args:
            pose: of the mouth.
            motion: yaw, pitch, roll, blink, brow, gaze_x, gaze_y, breath as in `avatalk.media.MotionCurve`.

        Returns:
            (height, width, 3) uint8 RGB, the caller's own.
        """
        v, frame = self._view, self._backdrop.copy()
        for (rows, cols), bust in self._bust(pose, motion):
            part = frame[v.top + rows.start : v.top + rows.stop, v.left + cols.start : v.left + cols.stop]
            part[:] = laid(bust, part)
        return frame

    def layer(self, pose: Pose, motion: tuple[float, ...]) -> UInt8Array:
        """Return a frame without its backdrop: (height, width, 4) uint8 premultiplied RGBA; see `frame`."""
        v = self._view
        canvas = np.zeros((*self._backdrop.shape[:2], 4), np.uint8)
        for (rows, cols), bust in self._bust(pose, motion):
            part = canvas[v.top + rows.start : v.top + rows.stop, v.left + cols.start : v.left + cols.stop]
            part[:] = bust
        return canvas

    def cutout(self) -> UInt8Array:
        """Return the frame at rest without its backdrop: (height, width, 4) uint8 RGBA, not premultiplied."""
        return np.asarray(cv2.cvtColor(self.layer(Pose(), _REST), cv2.COLOR_mRGBA2RGBA), np.uint8)

    def _bust(self, pose: Pose, motion: tuple[float, ...]) -> Iterator[tuple[Window, UInt8Array]]:
        """Yield the bust in bands, each with its rows and columns: RGBA, premultiplied."""
        if self._gape > pose.open:  # pressed lips close all the same, see `Pose.parted`
            pose = replace(pose, open=self._gape)
        bands = self._field.bands(pose, motion, self._mouth)
        for window, head, bent in bands:
            out = sample(self._texture, bent)
            if head is not None:
                self._paint_face(out, window, head, bent, pose, motion)
            yield window, out

    def _paint_face(
        self,
        out: UInt8Array,
        window: Window,
        head: Floats,
        bent: Floats,
        pose: Pose,
        motion: tuple[float, ...],
    ) -> None:
        blink, gaze = motion[3], (motion[5], motion[6])
        x0, y0, x1, y1 = eyes_.REACH
        for side in (-1, 1):
            box = (x0, y0, x1, y1) if side > 0 else (-x1, y0, -x0, y1)
            paint = partial(self._eyes.paint, side=side, blink=blink, gaze=gaze)
            self._paint(out, window, head, bent, (side * EYE_X, 0.0), box, paint)
        self._paint(
            out, window, head, bent, (0.0, MOUTH_Y), mouth_.reach(pose), partial(self._mouth.paint, pose=pose)
        )

    def _paint(
        self,
        out: UInt8Array,
        window: Window,
        head: Floats,
        bent: Floats,
        at: tuple[float, float],
        reach: Box,
        painter: Callable[[Floats, Floats, Floats], None],
    ) -> None:
        """Paint around a point of the moved head, beneath what hangs before the face."""
        v, (height, width) = self._view, head.shape[:2]
        zero = np.float32(v.eye_x - v.left), np.float32(v.eye_y - v.top)
        px, py = (
            float(zero[0]) + at[0] * v.scale - window[1].start,
            float(zero[1]) + at[1] * v.scale - window[0].start,
        )
        row, col = min(max(int(py), 0), height - 1), min(max(int(px), 0), width - 1)
        px += col + window[1].start - float(head[row, col, 0])
        py += row + window[0].start - float(head[row, col, 1])
        x0, x1 = max(int(px + reach[0] * v.scale), 0), min(int(px + reach[2] * v.scale) + 1, width)
        y0, y1 = max(int(py + reach[1] * v.scale), 0), min(int(py + reach[3] * v.scale) + 1, height)
        if x1 <= x0 or y1 <= y0:
            return
        part = (slice(y0, y1), slice(x0, x1))
        source = np.ascontiguousarray(bent[part])
        under = sample(self._under, source)
        above = sample(self._above, source)
        x = (head[part][..., 0] + (np.float32(0.5) - zero[0])) / np.float32(v.scale)
        y = (head[part][..., 1] + (np.float32(0.5) - zero[1])) / np.float32(v.scale)
        ground = under[..., :3].transpose(2, 0, 1).astype(np.float32, order="C")
        painter(ground, x, y)
        if above[..., 3].any():
            ground *= 1 - above[..., 3] * np.float32(1 / 255)
            ground += above[..., :3].transpose(2, 0, 1)
        out[part][..., :3] = np.clip(ground + np.float32(0.5), 0, 255).astype(np.uint8).transpose(1, 2, 0)


class Field:
    """Where each pixel of a frame comes from, computed on a coarse grid of nodes.

    Args:
        character: whose proportions.
        view: where the bust stands.
        painted: x0, y0, x1, y1 in pixels of the bust's picture outside which nothing is ever shown.
    """

    def __init__(self, character: Character, view: View, painted: tuple[int, int, int, int]) -> None:
        self._scale = view.scale
        step = self._step = max(round(8 * view.scale), 2)
        n, m = -(-view.width // step), -(-view.height // step)
        rows, cols = np.mgrid[:m, :n].astype(np.float32)
        x, y, _, _ = view.units(0, 0, 0, 0)
        hx = self._x = np.float32(x) + (cols + 0.5) * np.float32(step / view.scale)
        hy = self._y = np.float32(y) + (rows + 0.5) * np.float32(step / view.scale)
        chin = self._chin = chin_y(character)
        ball = np.sqrt(np.clip(1 - (hx / 178) ** 2 - ((hy + 6) / 262) ** 2, 0, None))
        nose = np.exp(-((hx / 24) ** 2) - ((hy - 74) / 34) ** 2)
        self._firm = 1 - smoothstep((hy - (chin - 40)) / 200)
        self._deep = (112 * ball + 30 * nose + 14) * self._firm
        self._chest = smoothstep((hy - chin) / 150)
        self._brow = np.exp(-(((np.abs(hx) - 60) / 46) ** 2) - ((hy + 40) / 26) ** 2)
        size = view.width, view.height
        x0, y0, x1, _ = (edge // step for edge in painted)
        rows, cols = self._nodes(view, (-_HEAD_HALF, -400, _HEAD_HALF, chin + _JAW_END))
        head = slice(max(rows.start, y0), rows.stop), slice(max(cols.start, x0), min(cols.stop, x1 + 1))
        chest = slice(head[0].stop, m), slice(x0, min(n, x1 + 1))
        bent = self._nodes(view, (-175, -100, 175, chin + _JAW_END))
        self._head = head
        self._bent = (
            slice(max(bent[0].start, head[0].start), bent[0].stop),
            slice(max(bent[1].start, head[1].start), min(bent[1].stop, head[1].stop)),
        )
        self._bands = [
            (nodes, self._grid(nodes, size)) for nodes in (head, chest) if nodes[0].stop > nodes[0].start
        ]

    def bands(
        self, pose: Pose, motion: tuple[float, ...], mouth: Mouth
    ) -> Iterator[tuple[Window, Floats | None, Floats]]:
        """Yield the parts of the bust: rows and columns, and for each of their pixels two places.

        The first is its place on the unmoved head (None for the chest), the second the place on the picture
        that it shows, (height, width, 2) float32 x, y in pixels of the bust's picture.
        """
        yaw, pitch, roll, blink, brow, _, _, breath = (np.float32(v) for v in motion)
        hx, hy, firm = self._x, self._y, self._firm
        pivot = np.float32(self._chin + 30)
        dx = yaw * self._deep - roll * (hy - pivot) * firm
        dy = (
            pitch * self._deep + roll * hx * firm - breath * (np.float32(0.9) + np.float32(1.7) * self._chest)
        )
        moved = np.dstack([dx, dy])
        for nodes, (window, grid) in self._bands:
            head = grid - self._enlarge(moved, nodes, grid.shape)
            if nodes is not self._head:
                yield window, None, head
                continue
            at = self._bent
            jaw = np.dstack(self._jaw(hx[at] - dx[at], hy[at] - dy[at], pose, mouth))
            jaw[..., 1] -= (8 * brow - 2 * blink) * self._brow[at]
            bent = head.copy()
            y0, x0 = ((at[k].start - nodes[k].start) * self._step for k in (0, 1))
            part = bent[y0 : y0 + jaw.shape[0] * self._step, x0 : x0 + jaw.shape[1] * self._step]
            part -= self._enlarge(jaw, (slice(0, jaw.shape[0]), slice(0, jaw.shape[1])), part.shape)
            yield window, head, bent

    def _nodes(self, view: View, box: Box) -> Window:
        """Return the rows and columns of the nodes of a box in head units."""
        x0, y0, x1, y1 = view.pixels(box)
        k = self._step
        return slice(y0 // k, max(-(-y1 // k), y0 // k + 1)), slice(x0 // k, max(-(-x1 // k), x0 // k + 1))

    def _grid(self, nodes: Window, size: tuple[int, int]) -> tuple[Window, Floats]:
        """Return the pixels of some nodes: rows, columns and their coordinates, (height, width, 2)."""
        k = self._step
        rows = slice(nodes[0].start * k, min(nodes[0].stop * k, size[1]))
        cols = slice(nodes[1].start * k, min(nodes[1].stop * k, size[0]))
        x, y = np.meshgrid(
            np.arange(cols.start, cols.stop, dtype=np.float32),
            np.arange(rows.start, rows.stop, dtype=np.float32),
        )
        return (rows, cols), np.dstack([x, y])

    def _enlarge(self, values: Floats, nodes: Window, shape: tuple[int, ...]) -> Floats:
        """Interpolate displacements of some nodes, in head units, to their pixels, in pixels."""
        k, (rows, cols) = self._step, nodes
        r0, r1 = max(rows.start - 1, 0), min(rows.stop + 1, values.shape[0])
        c0, c1 = max(cols.start - 1, 0), min(cols.stop + 1, values.shape[1])
        part = values[r0:r1, c0:c1].astype(np.float32) * np.float32(self._scale)
        whole = cv2.resize(part, ((c1 - c0) * k, (r1 - r0) * k), interpolation=cv2.INTER_LINEAR)
        y, x = (rows.start - r0) * k, (cols.start - c0) * k
        return np.asarray(whole[y : y + shape[0], x : x + shape[1]], np.float32)

    def _jaw(self, x: Floats, y: Floats, pose: Pose, mouth: Mouth) -> tuple[Floats, Floats]:
        drop = _CHIN_SHARE * pose.drop
        side = np.abs(x)
        reach = 1 - smoothstep((side - 38) / 96)
        ramp = smoothstep((y - MOUTH_Y - 0.05 * side) / (1.6 * drop + 16 + 0.4 * side))
        fade = 1 - smoothstep((y - self._chin - 0.3 * drop) / (1.8 * drop + 34))
        jy = drop * reach * ramp * fade
        rest = mouth.half_width(Pose())
        pull = np.float32(mouth.half_width(pose) - rest)
        near = np.exp(-(((side - rest) / 30) ** 2) - ((y - MOUTH_Y) / 34) ** 2)
        return pull * np.sign(x) * near, jy


def _painted(texture: UInt8Array, scale: float) -> tuple[int, int, int, int]:
    """The part of the bust's picture that is not empty, with room for every movement of the head."""
    x, y, width, height = cv2.boundingRect(texture[..., 3])
    room = round(_ROOM * scale)
    rows, cols = texture.shape[:2]
    return (
        max(x - room, 0),
        max(y - room, 0),
        min(x + width + room, cols - 1),
        min(y + height + room, rows - 1),
    )


def _backdrop(character: Character, width: int, height: int) -> UInt8Array:
    """Paint a softly lit studio wall, dithered so that it shows no bands."""
    lit, dark = (np.array(rgb(c), np.float32) for c in character.backdrop)
    y, x = np.mgrid[0:48, 0:64].astype(np.float32)
    x, y = (x + 0.5) / 64 - 0.5, (y + 0.5) / 48
    aspect = width / max(width, height), height / max(width, height)
    away = np.hypot((x + 0.10) * aspect[0] * 1.25, (y - 0.40) * aspect[1] * 1.35)
    fall = smoothstep(away / np.float32(0.78)) * 0.92 + 0.12 * (y - 0.2)
    small = lit + (dark - lit) * np.clip(fall, 0, 1.15)[..., None]
    wall = cv2.resize(small.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    grain = np.random.Generator(np.random.PCG64(7)).random((height, width, 1), np.float32)
    painted: UInt8Array = np.clip(wall + grain, 0, 255).astype(np.uint8)
    return painted
