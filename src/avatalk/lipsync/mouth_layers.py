"""The layers inside the mouth: rows of teeth, tongue, and the teeth of the photograph where it shows them.

Sizes are those of an adult's teeth over an adult's eye distance (outer corners, about 90 mm; tooth widths
after Wheeler's Dental Anatomy), in face units; a narrow mouth gets smaller teeth. A layer is a premultiplied
RGBA picture, (rows, columns, 4) float32, colours 0..255, alpha 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.lipsync.mouth_palette import Palette
from avatalk.lipsync.warp_frame import FaceFrame, FloatArray, resample, smooth_curve, smoothstep
from avatalk.lipsync.warp_shapes import Mouth
from avatalk.media import Float32Array, UInt8Array

BoolArray = npt.NDArray[np.bool_]

USUAL_WIDTH = 0.55  # of a mouth
TOOTH_HEIGHT = 0.115
TONGUE_WIDTH, TIP_WIDTH = 0.205, 0.120  # half of it
TONGUE_TOP = -0.050  # of the tongue at rest, below the closed lips' line, on the jaw
TEETH_SHARE = 0.35  # of the photographed gap that has to be bright for its teeth to be used

REACH_U, REACH_UP, REACH_DOWN = 0.44, 0.18, 0.34  # of a layer around the middle of the mouth


@dataclass(frozen=True, slots=True)
class Row:
    """One row of teeth, from the midline outwards; lengths in face units.

    Attributes:
        widths: of the teeth as seen from the front.
        set_back: how much shorter each tooth is than the first one.
        edge: of the first tooth, below the closed lips' line.
        down: 1 for upper teeth, which end below, -1 for lower ones.
        light: 1, less for the row that stands further back.
    """

    widths: tuple[float, ...]
    set_back: tuple[float, ...]
    edge: float
    down: int
    light: float


UPPER = Row((0.092, 0.072, 0.074, 0.060, 0.050), (0.0, 0.006, 0.001, 0.012, 0.020), 0.026, 1, 1.0)
LOWER = Row((0.058, 0.062, 0.066, 0.058, 0.050), (0.0, 0.0, -0.003, 0.004, 0.010), 0.006, -1, 0.86)


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of one mouth, all on the same canvas.

    Attributes:
        scale: canvas pixels per face unit.
        corner: (2,) float64 centre of the canvas' first pixel, face units.
        upper: upper teeth, fixed to the skull; the photograph's own where it shows them.
        lower: lower teeth, fixed to the jaw.
        tongue: its body, on the jaw.
        tip: its tip, when raised.
    """

    scale: float
    corner: FloatArray
    upper: Float32Array
    lower: Float32Array
    tongue: Float32Array
    tip: Float32Array

    @classmethod
    def of(cls, picture: UInt8Array, frame: FaceFrame, mouth: Mouth, palette: Palette, blur: float) -> Layers:
        """Draw all layers; `blur` is the photograph's, in its pixels."""
        scale = float(min(2.0 * frame.unit, 500.0))
        middle = mouth.closed[5]
        corner = middle - [REACH_U, REACH_UP] + 0.5 / scale
        columns, rows = round(2 * REACH_U * scale), round((REACH_UP + REACH_DOWN) * scale)
        u, v = np.meshgrid(corner[0] + np.arange(columns) / scale, corner[1] + np.arange(rows) / scale)

        # Tooth coordinates: a narrow mouth has small teeth, a side that is turned away has narrow ones.
        size = float(np.clip((mouth.closed[-1, 0] - mouth.closed[0, 0]) / USUAL_WIDTH, 0.6, 1.3))
        half = 0.5 * USUAL_WIDTH * size
        left, right = (max(abs(float(mouth.closed[k, 0] - middle[0])) / half, 0.35) for k in (0, -1))
        across = u - middle[0]
        tooth_u, tooth_v = np.where(across < 0, across / left, across / right) / size, (v - middle[1]) / size

        sigma = 0.4 * blur * scale / frame.unit

        def soft(layer: Float32Array) -> Float32Array:
            return np.asarray(cv2.GaussianBlur(layer, (0, 0), sigma), np.float32)

        upper = _photographed(picture, frame, mouth, palette, u, v)
        return cls(
            scale,
            corner,
            upper=soft(_teeth(tooth_u, tooth_v, UPPER, palette)) if upper is None else upper,
            lower=soft(_teeth(tooth_u, tooth_v, LOWER, palette)),
            tongue=soft(_tongue(tooth_u, tooth_v, TONGUE_WIDTH, TONGUE_TOP, palette)),
            tip=soft(_tongue(tooth_u, tooth_v, TIP_WIDTH, TONGUE_TOP + 0.01, palette)),
        )


def _layer(colour: FloatArray, alpha: FloatArray) -> Float32Array:
    return np.dstack([np.clip(colour, 0, 255) * alpha[..., None], alpha]).astype(np.float32)


def _teeth(u: FloatArray, v: FloatArray, row: Row, palette: Palette) -> Float32Array:
    """One row of teeth in front of its gum."""
    far, widths = np.abs(u), np.array(row.widths)
    seams = np.concatenate([[0.0], np.cumsum(widths)])
    tooth = np.clip(np.searchsorted(seams, far, side="right") - 1, 0, len(widths) - 1)
    across = 2 * (far - seams[tooth]) / widths[tooth] - 1  # -1..1 over each tooth
    shorter = np.array(row.set_back)[tooth] + 0.010 * np.abs(across) ** 3.5 + 0.12 * far**2
    depth = row.down * (row.edge - v) - shorter  # from the cutting edge towards the gum
    alpha = smoothstep(depth / 0.008 + 0.5) * smoothstep((seams[-1] - far) / 0.03)

    seam = np.exp(-(((1 - np.abs(across)) * widths[tooth] / 2 / 0.004) ** 2))
    turned_away = np.clip(1.0 - (far / 0.40) ** 2, 0.10, 1)  # along the arch, into the shade
    light = row.light * turned_away * (1 - 0.10 * across**2) * (1 - 0.16 * seam)
    light *= 0.90 + 0.10 * smoothstep(depth / 0.030)  # the cutting edge is translucent
    warmer = smoothstep((depth - 0.04) / 0.08)[..., None] * np.array([0.0, 0.03, 0.09])
    enamel = palette.teeth * (1 - warmer) * light[..., None]
    is_gum = smoothstep((depth - TOOTH_HEIGHT + 0.022 * across**2) / 0.012)[..., None]
    return _layer(enamel + is_gum * (palette.gum * (0.85 * turned_away)[..., None] - enamel), alpha)


def _tongue(u: FloatArray, v: FloatArray, half_width: float, top: float, palette: Palette) -> Float32Array:
    """A soft hill with a groove, lit from the front, its far upper side in the dark."""
    shape = np.clip(1 - (u / half_width) ** 2, 0, 1)
    depth = v - top - 0.05 * (1 - np.sqrt(shape))
    alpha = smoothstep(depth / 0.02) * smoothstep(shape / 0.2)
    light = (0.30 + 0.70 * smoothstep(depth / 0.07)) * (0.6 + 0.4 * shape)
    light *= 1 - 0.14 * np.exp(-((u / 0.014) ** 2))
    return _layer(palette.tongue * light[..., None], alpha)


def _photographed(
    picture: UInt8Array, frame: FaceFrame, mouth: Mouth, palette: Palette, u: FloatArray, v: FloatArray
) -> Float32Array | None:
    """The upper teeth as the photograph shows them, or None if it shows none to speak of.

    Teeth are what is bright and not red between the lips, from the upper lip down to the first dark or the
    lower lip. Under the upper lip they are carried on upwards.
    """
    if not mouth.was_open:
        return None
    columns, step = u[0], float(v[1, 0] - v[0, 0])
    contours = map(smooth_curve, (mouth.upper, mouth.lower))
    top, bottom = (np.interp(columns, curve[:, 0], curve[:, 1]) for curve in contours)
    where = frame.to_pixels(np.stack([u, np.clip(v, top, np.maximum(top, bottom))], axis=-1))
    seen = resample(picture, where.astype(np.float32)).astype(np.float64)
    between = (v > top) & (v < bottom)
    luma = seen.mean(axis=2)
    white = float(np.percentile(luma[between], 90)) if between.any() else 0.0
    bright = between & (luma > 0.5 * white) & (np.ptp(seen, axis=2) < 0.45 * seen.max(axis=2))
    if white < 0.55 * palette.teeth.mean() or bright.sum() < TEETH_SHARE * between.sum():
        return None
    arc = _cutting_edge(columns, v, bright, bottom - top)
    if arc is None:
        return None
    edge = np.minimum(arc, bottom - 0.022)
    sides = np.minimum(u - mouth.upper[0, 0], mouth.upper[-1, 0] - u)
    alpha = smoothstep((edge - v) / 0.012 + 0.5) * smoothstep(sides / 0.03)
    # Shown at least as far below the shut lips as drawn teeth: a jaw that hangs has left its upper lip high.
    middle = mouth.closed[5]
    lower = np.clip(middle[1] + UPPER.edge - np.interp(middle[0], columns, edge), 0, 0.06)
    return _moved_down(_layer(seen, alpha), round(float(lower) / step))


def _cutting_edge(
    columns: FloatArray, v: FloatArray, bright: BoolArray, gap: FloatArray
) -> FloatArray | None:
    """The v at which the photographed upper teeth end, as an arc over `columns`; None if too few show."""
    step = float(v[1, 0] - v[0, 0])
    # Dark lines that are thinner than the gap between two rows of teeth do not end a tooth.
    tall = np.ones((max(3, round(0.02 / step)), 3), np.uint8)
    teeth = cv2.morphologyEx(bright.astype(np.uint8), cv2.MORPH_CLOSE, tall) > 0
    ended = np.logical_or.accumulate(teeth, axis=0) & ~teeth
    edge = v[np.argmax(ended, axis=0), 0]
    use = (teeth.sum(axis=0) > 0.4 * gap / step) & (gap > 0.02)
    for _ in range(2):  # the second time without the columns that are far off the arc
        if use.sum() < 8:
            return None
        arc = np.polyval(np.polyfit(columns[use], edge[use], 2), columns)
        use &= np.abs(edge - arc) < 0.02
    return np.asarray(arc - 0.008)


def _moved_down(layer: Float32Array, rows: int) -> Float32Array:
    """`layer` some rows further down, its first row repeated above."""
    return np.concatenate([np.repeat(layer[:1], rows, axis=0), layer[: len(layer) - rows]])
