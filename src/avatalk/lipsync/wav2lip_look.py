"""What the mouth of a frame lacks to look like the rest of it: colour, sharpness and grain, steadied in time.

All three are measured in the frame itself, so each frame of a clip has its own, and what is measured
trembles: with grain, with the face's movement and with every sound. `steadied` tells
what is to tremble and what is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array

REACH = 8
"""Frames before and after that the look of a frame depends on."""
_STEADY = 3.0  # frames, width of the bell over them
_SAME_LIGHT = 8.0  # 0..255, width of the bell over differences of light: skin by skin, a cut differs by 30
_SHARPEST = 1.0
_COARSEST = 8.0  # 0..255; what is more is stubble or a pattern
_LEAST_PIXELS = 64  # that grain can be measured in
_SAMPLES = 2000  # of them that suffice
_TILE = 256
_QUARTILE = 0.3186  # of the absolute values of normal numbers, in standard deviations
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


class Look(NamedTuple):
    """What is done to an answer of the network to fit it into a frame.

    Attributes:
        skin: (3,) RGB, 0..255, colour of the frame's own skin around the mouth.
        answer: (3,) RGB, 0..255, colour of the network's answer there.
        sharpness: share of its fine structure that is added to it.
        grain: (2,) standard deviation of the frame's grain, fine and coarse, 0..255.
    """

    skin: Float32Array
    answer: Float32Array
    sharpness: Float32Array
    grain: Float32Array

    @property
    def tint(self) -> Float32Array:
        """(3,) RGB, 0..255, what is added to the colours of the answer."""
        return self.skin - self.answer


def steadied(looks: Sequence[Look | None], index: int) -> Look:
    """Return the look of a frame, without what trembles from frame to frame and should not.

    Skin, sharpness and grain are those of the frames around, but for frames in another light. The answer's
    colour is the frame's own, so what the network makes brighter by chance is taken back at once. When the
    skin that is measured trembles, a network that heeds the face trembles along, and it belongs there: as
    much of it stays as the answers go with it.

    Args:
        looks: of the frame and of up to `REACH` before and after it; None where there is no face.
        index: of the frame among them; it has a look.
    """
    here = looks[index]
    assert here is not None
    near = [(number - index, look) for number, look in enumerate(looks) if look is not None]
    skin, answer, sharp, grains = (
        np.array(values) for values in zip(*(look for _, look in near), strict=True)
    )
    far = np.array([distance for distance, _ in near]) / _STEADY
    unlike = (skin - here.skin) / _SAME_LIGHT
    weights = np.exp(-0.5 * (far**2 + (unlike**2).sum(axis=1)))
    weights = (weights / weights.sum()).astype(np.float32)
    steady = weights @ skin
    trembling, along = luma(skin - steady), luma(answer - weights @ answer)
    heeded = float((weights * trembling * along).sum() / max((weights * trembling**2).sum(), 1e-6))
    kept = np.float32(np.clip(heeded, 0.0, 1.0))
    return Look(steady + kept * (here.skin - steady), here.answer, weights @ sharp, weights @ grains)


def sharpness(texture: Float32Array, fine: Float32Array, weights: Float32Array) -> Float32Array:
    """Return the share of `fine` that comes closest to `texture`, 0 to 1, ().

    Args:
        texture: (height, width), luma that a frame has beyond an enlarged picture of it.
        fine: (height, width), the finest structure of that enlarged picture.
        weights: (height, width), 0..1.
    """
    best = float((weights * texture * fine).sum()) / max(float((weights * fine * fine).sum()), 1e-3)
    return np.asarray(min(max(best, 0.0), _SHARPEST), np.float32)


def grain(texture: Float32Array, skin: npt.NDArray[np.bool_]) -> Float32Array:
    """Return the standard deviation of the fine and of the coarse grain of skin, (2,).

    It is told from the smaller half of what there is: edges, folds and hairs are the larger.

    Args:
        texture: (height, width), luma that a frame has beyond an enlarged picture of it, 0..255.
        skin: (height, width), where to look.
    """
    if int(skin.sum()) < _LEAST_PIXELS:
        return np.zeros(2, np.float32)
    places = np.flatnonzero(skin)
    places = places[:: 1 + len(places) // _SAMPLES]
    parts = np.sort(np.abs([band.ravel()[places] for band in _bands(texture)]), axis=1)
    quartiles = parts[:, len(places) // 4] / _QUARTILE
    return np.minimum(quartiles, _COARSEST).astype(np.float32)


def grown(strength: Float32Array, size: tuple[int, int], seed: int) -> Float32Array:
    """Return grain like that of a frame, (height, width) luma around 0, another for each seed.

    Args:
        strength: from `grain`.
        size: height and width.
        seed: not negative.
    """
    starts = np.random.Generator(np.random.PCG64(seed)).integers(_TILE, size=2)
    rows, columns = ((first + np.arange(length)) % _TILE for first, length in zip(starts, size, strict=True))
    place = np.ix_(rows, columns)
    return np.asarray(
        sum(one * tile[place] for one, tile in zip(strength, _tiles(), strict=True)), np.float32
    )


def luma(colours: Float32Array) -> Float32Array:
    """(…, 3) RGB → (…) of BT.709, on the same scale."""
    return np.asarray(colours @ _LUMA, np.float32)


@cache
def _tiles() -> tuple[Float32Array, Float32Array]:
    """Fine and coarse grain of standard deviation 1, (256, 256) each, which joins its own edges."""
    noise = np.random.Generator(np.random.PCG64(0)).standard_normal((_TILE, _TILE)).astype(np.float32)
    margin = 16
    fine, coarse = (
        band[margin:-margin, margin:-margin] for band in _bands(np.pad(noise, margin, mode="wrap"))
    )
    return fine / fine.std(), coarse / coarse.std()


def _bands(texture: Float32Array) -> tuple[Float32Array, Float32Array]:
    """What changes from pixel to pixel, and what changes over two or three."""
    softer = cv2.GaussianBlur(texture, (0, 0), 1.0)
    return texture - softer, softer - cv2.GaussianBlur(softer, (0, 0), 2.0)
