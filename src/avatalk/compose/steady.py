"""Masks of a clip that do not flicker: each is the mean of its neighbours' where nothing moved.

Rule: the mask of a frame is a function of the frames up to three before and after it in the clip, so it is
the same in whatever order the frames are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from avatalk.compose.matting import Read
from avatalk.media import Float32Array, UInt8Array

See = Callable[[UInt8Array], tuple[UInt8Array, Float32Array]]
"""From a picture to a small copy, (height, width, 3) uint8 RGB, and its mask, (height, width) float32."""

_REACH = 3  # frames before and after
_SAME = 3.0  # steps of 255 by which colours of something that stands still differ, after a blur

# By largest difference of a channel, how much a neighbour's mask counts.
_TRUST = np.exp(-0.5 * (np.arange(256) / _SAME) ** 2).astype(np.float32)


def steadied(
    read: Read, numbers: Sequence[int], length: int, see: See
) -> Iterator[tuple[UInt8Array, UInt8Array, Float32Array]]:
    """Yield frames, their small copies and steady masks.

    Args:
        read: yields frames of the clip by number.
        numbers: of the frames that are wanted, in any order, repeated or not.
        length: of the clip, frames.
        see: run once for a frame as long as the numbers go on one by one.
    """
    pictures = read([number for missing in _missing(numbers, length) for number in missing])
    held: dict[int, tuple[UInt8Array, UInt8Array, UInt8Array, Float32Array]] = {}
    for number, missing in zip(numbers, _missing(numbers, length), strict=True):
        around = _around(number, length)
        for lapsed in held.keys() - set(around):
            del held[lapsed]
        for wanted in missing:
            picture = next(pictures)
            small, mask = see(picture)
            held[wanted] = picture, small, np.asarray(cv2.blur(small, (5, 5)), np.uint8), mask
        picture, small, soft, _ = held[number]
        yield picture, small, _mean([(held[other][2], held[other][3]) for other in around], soft)


def _around(number: int, length: int) -> range:
    return range(max(number - _REACH, 0), min(number + _REACH, length - 1) + 1)


def _missing(numbers: Sequence[int], length: int) -> Iterator[list[int]]:
    """For each frame, which of its neighbours are to be read, in the order that is cheapest to decode."""
    held: set[int] = set()
    before = -1
    for number in numbers:
        around = _around(number, length)
        held.intersection_update(around)
        missing = [other for other in around if other not in held]
        held.update(missing)
        yield missing if number >= before else missing[::-1]
        before = number


def _mean(neighbours: Sequence[tuple[UInt8Array, Float32Array]], soft: UInt8Array) -> Float32Array:
    total, weight = np.zeros(soft.shape[:2], np.float32), np.zeros(soft.shape[:2], np.float32)
    for other, mask in neighbours:
        red, green, blue = cv2.split(cv2.absdiff(other, soft))
        trust = cv2.LUT(cv2.max(cv2.max(red, green), blue), _TRUST)
        total += trust * mask
        weight += trust
    return np.asarray(total / weight, np.float32)
