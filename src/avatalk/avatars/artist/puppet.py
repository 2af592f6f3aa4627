"""A character rasterised once for a canvas, and any pose of it as a frame.

The picture of the bust is bent by one smooth displacement field, so nothing can tear or leave a hole: the
head turns as a round body (every point moves by the angle times its depth), the jaw carries the chin down,
the chest breathes. Lips, lids and eyes are then painted where they stand.
"""

from __future__ import annotations

import cv2
import numpy as np

from avatalk.avatars.artist import eyes as eyes_
from avatalk.avatars.artist import mouth as mouth_
from avatalk.avatars.artist import portrait
from avatalk.avatars.artist.brush import smoothstep
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.eyes import Eyes
from avatalk.avatars.artist.face import EYE_X, MOUTH_Y, chin_y
from avatalk.avatars.artist.mouth import Mouth, Pose
from avatalk.avatars.artist.raster import paint_sheets, place
from avatalk.avatars.artist.svg import rgb
from avatalk.media import Float32Array, UInt8Array

_REST = (0.0,) * 8


class Puppet:
    """A character on a canvas.

    Args:
        character: whom to draw.
        width: of the canvas, pixels.
        height: of the canvas, pixels.
    """

    def __init__(self, character: Character, width: int, height: int) -> None:
        self._view = view = place(width, height)
        self._backdrop = _backdrop(character, width, height)
        under = paint_sheets(portrait.beneath(character), view)
        self._above = paint_sheets(portrait.above(character), view)
        rest = cv2.merge([255 - self._above[..., 3]] * 4)
        self._texture = cv2.add(cv2.multiply(under, rest, scale=1 / 255), self._above)
        self._under = under
        self._eyes, self._mouth = Eyes(character, view.scale), Mouth(character, view.scale)
        self._field = Field(
            character, view.scale, view.width, view.height, view.eye_x - view.left, view.eye_y - view.top
        )

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
        v = self._view
        bust = self.bust(pose, motion)
        frame = self._backdrop.copy()
        part = frame[v.top : v.top + v.height, v.left : v.left + v.width]
        rest = cv2.merge([255 - bust[..., 3]] * 3)
        part[:] = cv2.add(cv2.multiply(part, rest, scale=1 / 255), cv2.cvtColor(bust, cv2.COLOR_RGBA2RGB))
        return frame

    def bust(self, pose: Pose, motion: tuple[float, ...]) -> UInt8Array:
        """Return the bust alone: (view.height, view.width, 4) uint8 RGBA, premultiplied."""
        head, bent = self._field.maps(pose, motion, self._mouth)
        out = cv2.remap(self._texture, bent, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        blink, gaze = motion[3], (motion[5], motion[6])
        for side in (-1, 1):
            box = (
                eyes_.REACH
                if side > 0
                else (-eyes_.REACH[2], eyes_.REACH[1], -eyes_.REACH[0], eyes_.REACH[3])
            )
            with_eye = self._window(head, side * EYE_X, 0.0, box)
            if with_eye is not None:
                self._paint(
                    out,
                    head,
                    bent,
                    with_eye,
                    lambda g, x, y, side=side: self._eyes.paint(g, x, y, side, blink, gaze),
                )
        window = self._window(head, 0.0, MOUTH_Y, mouth_.REACH)
        if window is not None:
            self._paint(out, head, bent, window, lambda g, x, y: self._mouth.paint(g, x, y, pose))
        return out

    def cutout(self) -> UInt8Array:
        """Return the canvas at rest with alpha, not premultiplied: (height, width, 4) uint8 RGBA."""
        v = self._view
        canvas = np.zeros((*self._backdrop.shape[:2], 4), np.uint8)
        bust = cv2.cvtColor(self.bust(Pose(), _REST), cv2.COLOR_mRGBA2RGBA)
        canvas[v.top : v.top + v.height, v.left : v.left + v.width] = bust
        return canvas

    def _window(
        self, head: Float32Array, x: float, y: float, reach: tuple[float, float, float, float]
    ) -> tuple[slice, slice] | None:
        """Return the pixels around a point of the moved head, as rows and columns of the bust."""
        v, h = self._view, head.shape
        px, py = v.eye_x - v.left + x * v.scale, v.eye_y - v.top + y * v.scale
        row, col = min(max(int(py), 0), h[0] - 1), min(max(int(px), 0), h[1] - 1)
        px += px - float(head[row, col, 0]) - (px - col)
        py += py - float(head[row, col, 1]) - (py - row)
        x0, x1 = max(int(px + reach[0] * v.scale), 0), min(int(px + reach[2] * v.scale) + 1, h[1])
        y0, y1 = max(int(py + reach[1] * v.scale), 0), min(int(py + reach[3] * v.scale) + 1, h[0])
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None

    def _paint(
        self, out: UInt8Array, head: Float32Array, bent: Float32Array, window: tuple[slice, slice], painter
    ) -> None:
        v = self._view
        under = cv2.remap(self._under, np.ascontiguousarray(bent[window]), None, cv2.INTER_LINEAR)
        above = cv2.remap(self._above, np.ascontiguousarray(bent[window]), None, cv2.INTER_LINEAR)
        at = head[window]
        x = (at[..., 0] + np.float32(0.5 - (v.eye_x - v.left))) / np.float32(v.scale)
        y = (at[..., 1] + np.float32(0.5 - (v.eye_y - v.top))) / np.float32(v.scale)
        ground = under[..., :3].transpose(2, 0, 1).astype(np.float32)
        painter(ground, x, y)
        ground *= 1 - above[..., 3] * np.float32(1 / 255)
        ground += above[..., :3].transpose(2, 0, 1)
        out[window][..., :3] = np.clip(ground + np.float32(0.5), 0, 255).astype(np.uint8).transpose(1, 2, 0)


class Field:
    """Where each pixel of a frame comes from, computed on a coarse grid of nodes.

    Args:
        character: whose proportions.
        scale: pixels per head unit.
        width: of the bust's picture, pixels.
        height: likewise.
        x: column of the point between the eyes.
        y: row of it.
    """

    def __init__(
        self, character: Character, scale: float, width: int, height: int, x: float, y: float
    ) -> None:
        self._scale, self._size = scale, (width, height)
        step = self._step = max(round(8 * scale), 2)
        n, m = -(-width // step), -(-height // step)
        rows, cols = np.mgrid[:m, :n].astype(np.float32)
        self._x = ((cols + 0.5) * step - x) / scale
        self._y = ((rows + 0.5) * step - y) / scale
        px, py = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self._grid = np.dstack([px, py])
        chin = self._chin = chin_y(character)
        hx, hy = self._x, self._y
        ball = np.sqrt(np.clip(1 - (hx / 178) ** 2 - ((hy + 6) / 262) ** 2, 0, None))
        nose = np.exp(-((hx / 24) ** 2) - ((hy - 74) / 34) ** 2)
        self._firm = 1 - smoothstep((hy - (chin - 40)) / 200)
        self._deep = (112 * ball + 30 * nose + 14) * self._firm
        self._chest = smoothstep((hy - chin) / 150)
        self._brow = np.exp(-(((np.abs(hx) - 60) / 46) ** 2) - ((hy + 40) / 26) ** 2)

    def maps(self, pose: Pose, motion: tuple[float, ...], mouth: Mouth) -> tuple[Float32Array, Float32Array]:
        """Return for each pixel its place on the unmoved head, and on the picture with jaw and brows at rest."""
        yaw, pitch, roll, blink, brow, _, _, breath = (np.float32(v) for v in motion)
        hx, hy, firm = self._x, self._y, self._firm
        pivot = np.float32(self._chin + 30)
        dx = yaw * self._deep - roll * (hy - pivot) * firm
        dy = (
            pitch * self._deep + roll * hx * firm - breath * (np.float32(0.9) + np.float32(1.7) * self._chest)
        )
        head = self._enlarge(np.dstack([dx, dy]))
        np.subtract(self._grid, head, out=head)
        jx, jy = self._jaw(hx - dx, hy - dy, pose, mouth)
        jy = jy - (8 * brow - 2.0 * blink) * self._brow
        bent = head - self._enlarge(np.dstack([jx, jy]))
        return head, bent

    def _enlarge(self, nodes: Float32Array) -> Float32Array:
        m, n = nodes.shape[:2]
        nodes = np.ascontiguousarray(nodes, np.float32) * np.float32(self._scale)
        whole = cv2.resize(nodes, (n * self._step, m * self._step), interpolation=cv2.INTER_LINEAR)
        return whole[: self._size[1], : self._size[0]]

    def _jaw(
        self, x: Float32Array, y: Float32Array, pose: Pose, mouth: Mouth
    ) -> tuple[Float32Array, Float32Array]:
        drop = pose.drop
        side = np.abs(x)
        reach = 1 - smoothstep((side - 20) / 140)
        ramp = smoothstep((y - MOUTH_Y - 0.05 * side) / (1.6 * drop + 16 + 0.4 * side))
        fade = 1 - smoothstep((y - self._chin - drop) / (2.2 * drop + 60))
        jy = drop * reach * ramp * fade
        rest = mouth.half_width(Pose())
        pull = np.float32(mouth.half_width(pose) - rest)
        near = np.exp(-(((side - rest) / 30) ** 2) - ((y - MOUTH_Y) / 34) ** 2)
        return (pull * np.sign(x) * near).astype(np.float32), jy.astype(np.float32)


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
    return np.clip(wall + grain, 0, 255).astype(np.uint8)
