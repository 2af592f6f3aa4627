"""From a coarse mask to an edge: alpha at full resolution, and the person's own colour in it.

The alpha comes from a guided filter (He, Sun and Tang, "Guided Image Filtering", 2013) with the picture's
colours as guide, whose coefficients are found on a small copy (He and Sun, "Fast Guided Filter", 2015). The
colour in the edge is parted into that of the person and that of the background by blur fusion (Forte and
Pitié, "Approximate Fast Foreground Colour Estimation", 2021). Only the edge is computed at full size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array, UInt8Array

_RADIUS = 4  # of the guided filter, pixels of the small picture
_SMOOTH = 3e-4  # its regularisation: variance of the colours, 0..1 each, below which an edge is none
_SURE = (0.2, 0.8)  # a mask outside these is background, or person
_SNAP = (0.1, 0.9)  # likewise of the filtered alpha, whose tails are haze
_WIDE, _NEAR = 41, 7  # pixels of the small picture over which colours are sought, first and then

Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Colours:
    """Whose colours meet in a person's edge, at low resolution.

    Attributes:
        window: rows and columns of the small picture that are described; elsewhere is nobody.
        person: (rows, columns, 3) uint8 RGB, colours of the person near each pixel.
        behind: likewise of the background.
    """

    window: Window
    person: UInt8Array
    behind: UInt8Array


@dataclass(frozen=True, slots=True)
class Edge:
    """What is known of a person's edge at low resolution, within the window of its colours.

    Attributes:
        alpha: (rows, columns) float32, 0..1.
        lines: (rows, columns, 4) float32: alpha at a pixel is the first three times its colour, 0..1 RGB,
            plus the fourth.
        colours: of both sides.
    """

    alpha: Float32Array
    lines: Float32Array
    colours: Colours


def find_edge(small: UInt8Array, mask: Float32Array) -> Edge | None:
    """Find the edge of a person.

    Args:
        small: (height, width, 3) uint8 RGB, the picture at a few hundred pixels.
        mask: (height, width) float32, 0..1: how sure it is that a pixel shows a person.

    Returns:
        The edge; None if there is nobody.
    """
    window = _window(mask, 2 * _RADIUS)
    if window is None:
        return None
    low, high = _SURE
    guide = np.asarray(small[window], np.float32) * np.float32(1 / 255)
    sure = np.clip((mask[window] - low) * np.float32(1 / (high - low)), 0, 1)
    lines = _guided(guide, sure)
    alpha = _snapped(guide, lines)
    return Edge(alpha, lines, Colours(window, *_colours(guide, alpha)))


def edge_alpha(picture: UInt8Array, small: tuple[int, int], edge: Edge | None) -> UInt8Array:
    """Find alpha at full resolution.

    Args:
        picture: (height, width, 3) uint8 RGB.
        small: width and height of the picture that `edge` was found in.
        edge: of the person; None if there is nobody.

    Returns:
        (height, width) uint8.
    """
    height, width = picture.shape[:2]
    out = np.zeros((height, width), np.uint8)
    if edge is None:
        return out
    # Rows and columns of the picture that the small window covers.
    across, down = width / small[0], height / small[1]
    rows, columns = edge.colours.window
    part = (
        slice(round(rows.start * down), round(rows.stop * down)),
        slice(round(columns.start * across), round(columns.stop * across)),
    )
    near = np.ones((3, 3), np.uint8)
    inside = cv2.erode((edge.alpha >= 1).astype(np.uint8), near)
    touched = cv2.dilate((edge.alpha > 0).astype(np.uint8), near)
    cut = out[part]
    size = cut.shape[1::-1]
    cut[:] = cv2.resize(inside * np.uint8(255), size, interpolation=cv2.INTER_NEAREST)
    soft = np.zeros_like(out)
    soft[part] = cv2.resize(touched - inside, size, interpolation=cv2.INTER_NEAREST)
    places = _places(soft)
    if places is not None:
        x, y = places
        seen = picture[y, x].astype(np.float32) * np.float32(1 / 255)
        alpha = _snapped(seen, _read(edge.lines, _within(places, picture, small, edge.colours)))
        out[y, x] = alpha * np.float32(255) + np.float32(0.5)
    return out


def lay_edge(
    picture: UInt8Array, small: tuple[int, int], colours: Colours | None, alpha: UInt8Array
) -> UInt8Array:
    """Cut a person out of a picture.

    Args:
        picture: (height, width, 3) uint8 RGB.
        small: width and height of the picture that the edge was found in.
        colours: of the edge; None if there is nobody.
        alpha: (height, width) uint8, as `edge_alpha` finds it, or steadier.

    Returns:
        (height, width, 4) uint8 premultiplied RGBA.
    """
    out = np.zeros((*picture.shape[:2], 4), np.uint8)
    if colours is None:
        return out
    whole = cv2.inRange(alpha, 255, 255)  # type: ignore[call-overload,unused-ignore]
    cv2.copyTo(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA), whole, out)
    places = _places(cv2.inRange(alpha, 1, 254))  # type: ignore[call-overload,unused-ignore]
    if places is not None:
        x, y = places
        share = alpha[y, x].astype(np.float32)[:, None] * np.float32(1 / 255)
        at = _within(places, picture, small, colours)
        seen = picture[y, x].astype(np.float32)
        person, behind = _read(colours.person, at), _read(colours.behind, at)
        person += share * (seen - share * person - (1 - share) * behind)
        np.clip(person, 0, 255, out=person)
        out[y, x, :3] = person * share + np.float32(0.5)
        out[y, x, 3] = alpha[y, x]
    return out


def _places(mask: npt.NDArray[Any]) -> npt.NDArray[np.int32] | None:
    """Columns and rows of what is not zero, (2, n)."""
    places = cv2.findNonZero(mask)
    return None if places is None else np.asarray(places.reshape(-1, 2).T, np.int32)


def _within(
    places: npt.NDArray[np.int32], picture: UInt8Array, small: tuple[int, int], colours: Colours
) -> Float32Array:
    """From pixels (2, n) of a picture to places (n, 2) in the window of its edge's colours."""
    height, width = picture.shape[:2]
    rows, columns = colours.window
    x, y = places
    at = np.empty((len(x), 2), np.float32)
    at[:, 0] = (x + 0.5) * (small[0] / width) - (columns.start + 0.5)
    at[:, 1] = (y + 0.5) * (small[1] / height) - (rows.start + 0.5)
    return at


def _read(field: Float32Array | UInt8Array, at: Float32Array) -> Float32Array:
    """Read a field (rows, columns, channels) bilinearly at n places (n, 2)."""
    n = len(at)
    row = 4096  # OpenCV takes up to 32767
    places = np.resize(at, (-(-n // row), row, 2))
    read = cv2.remap(  # type: ignore[call-overload,unused-ignore]
        field, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(read.reshape(-1, field.shape[2])[:n], np.float32)


def _window(mask: Float32Array, rim: int) -> Window | None:
    """Rows and columns that hold all of a mask, and a rim."""
    seen = mask > 0.02
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows) or not (mask > _SURE[0]).any():
        return None
    top, left = max(int(rows[0]) - rim, 0), max(int(columns[0]) - rim, 0)
    return slice(top, min(int(rows[-1]) + rim + 1, mask.shape[0])), slice(
        left, min(int(columns[-1]) + rim + 1, mask.shape[1])
    )


def _snapped(guide: Float32Array, lines: Float32Array) -> Float32Array:
    """Alpha of colours (..., 3), 0..1, by their lines (..., 4)."""
    low, high = _SNAP
    alpha = np.einsum("...k,...k->...", guide, lines[..., :3])
    alpha += lines[..., 3] - np.float32(low)
    alpha *= np.float32(1 / (high - low))
    return np.asarray(np.clip(alpha, 0, 1), np.float32)


def _mean(field: Float32Array, reach: int) -> Float32Array:
    return np.asarray(cv2.blur(field, (reach, reach), borderType=cv2.BORDER_REFLECT), np.float32)


def _stacked(*planes: npt.NDArray[Any]) -> Float32Array:
    return np.asarray(cv2.merge(planes), np.float32)


def _guided(guide: Float32Array, mask: Float32Array) -> Float32Array:
    """Return the lines of `Edge`: around each pixel, the best linear map from colours to the mask."""
    reach = 2 * _RADIUS + 1
    r, g, b = cv2.split(guide)
    mean = _mean(guide, reach)
    mean_mask = _mean(mask, reach)
    with_mask = _mean(guide * mask[..., None], reach) - mean * mean_mask[..., None]
    mr, mg, mb = cv2.split(mean)
    vr, vg, vb = cv2.split(_mean(guide * guide, reach) - mean * mean + np.float32(_SMOOTH))
    rg, rb, gb = cv2.split(_mean(_stacked(r * g, r * b, g * b), reach))
    rg, rb, gb = rg - mr * mg, rb - mr * mb, gb - mg * mb
    # Cramer's rule, for every pixel at once.
    i_rr, i_rg, i_rb = vg * vb - gb * gb, gb * rb - rg * vb, rg * gb - vg * rb
    i_gg, i_gb, i_bb = vr * vb - rb * rb, rb * rg - vr * gb, vr * vg - rg * rg
    scale = 1 / (vr * i_rr + rg * i_rg + rb * i_rb)
    cr, cg, cb = cv2.split(with_mask)
    ar = (i_rr * cr + i_rg * cg + i_rb * cb) * scale
    ag = (i_rg * cr + i_gg * cg + i_gb * cb) * scale
    ab = (i_rb * cr + i_gb * cg + i_bb * cb) * scale
    return _mean(_stacked(ar, ag, ab, mean_mask - ar * mr - ag * mg - ab * mb), reach)


def _colours(seen: Float32Array, alpha: Float32Array) -> tuple[UInt8Array, UInt8Array]:
    """Part colours (rows, columns, 3), 0..1, into those of the person and of the background, 0..255."""
    share = _stacked(alpha, alpha, alpha)
    rest = 1 - share
    person, behind = seen, seen
    for reach in (_WIDE, _NEAR):
        near = _mean(person * share, reach) / (_mean(alpha, reach) + np.float32(1e-4))[..., None]
        far = _mean(behind * rest, reach) / (_mean(rest[..., 0], reach) + np.float32(1e-4))[..., None]
        person = np.clip(near + share * (seen - share * near - rest * far), 0, 1)
        behind = far
    return _eight_bit(person), _eight_bit(behind)


def _eight_bit(colours: Float32Array) -> UInt8Array:
    return np.asarray(colours * np.float32(255) + np.float32(0.5), np.uint8)
