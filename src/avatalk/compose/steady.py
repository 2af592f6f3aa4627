"""Mattes of a clip that do not flicker: each is the mean of its neighbours' where nothing moved.

First the coarse masks are steadied, for a network sees the same person a little otherwise in every frame,
then the refined alphas, into which the grain of the video came. A neighbour counts by how alike its colours
are and, for alphas, by how alike it is itself: an edge that moves before a wall of its own colour is to leave
no trace.

Rule: what a frame gets is a function of the frames up to a reach before and after it in the clip, so it is
the same in whatever order frames are asked for. (A recursive filter would cost less, but knows no such
rule.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array, UInt8Array

MASKS = 3  # frames before and after whose masks count
ALPHAS = 10  # likewise whose alphas do

_STEPS = np.arange(256)
# By largest difference of a channel, in steps of 255 and after a blur, how much a neighbour's mask counts;
_TRUST = np.exp(-0.5 * (_STEPS / 3) ** 2).astype(np.float32)
# likewise its alpha, which is known pixel by pixel;
_TRUST_ALPHA = np.exp(-0.5 * (_STEPS / 4) ** 2).astype(np.float32)
# and by the difference of the alphas themselves: flicker is small, what an edge sweeps over is not.
_ALIKE = np.exp(-0.5 * (_STEPS / 255 / 0.3) ** 2).astype(np.float32)
# Of a mean, shares below the first are none and above the second all: what few neighbours have would be haze.
_SNAP = (0.025, 0.975)

T = TypeVar("T")


def neighbours(
    fetch: Callable[[Sequence[int]], Iterator[T]], numbers: Sequence[int], length: int, reach: int
) -> Iterator[tuple[T, list[T]]]:
    """Yield what belongs to frames, and what belongs to all frames around each, itself among them.

    Args:
        fetch: yields what belongs to frames, by number; asked once, and once for each frame as long as the
            numbers go on one by one.
        numbers: of the frames that are wanted, in any order, repeated or not.
        length: of the clip, frames.
        reach: frames before and after.
    """
    fetched = fetch([number for missing in _missing(numbers, length, reach) for number in missing])
    held: dict[int, T] = {}
    for number, missing in zip(numbers, _missing(numbers, length, reach), strict=True):
        around = _around(number, length, reach)
        for lapsed in held.keys() - set(around):
            del held[lapsed]
        for wanted in missing:
            held[wanted] = next(fetched)
        yield held[number], [held[other] for other in around]


def _around(number: int, length: int, reach: int) -> range:
    return range(max(number - reach, 0), min(number + reach, length - 1) + 1)


def _missing(numbers: Sequence[int], length: int, reach: int) -> Iterator[list[int]]:
    """For each frame, which of its neighbours are to be fetched, in the order that is cheapest to decode."""
    held: set[int] = set()
    before = -1
    for number in numbers:
        around = _around(number, length, reach)
        held.intersection_update(around)
        missing = [other for other in around if other not in held]
        held.update(missing)
        yield missing if number >= before else missing[::-1]
        before = number


def steady_mask(soft: UInt8Array, around: Sequence[tuple[UInt8Array, Float32Array]]) -> Float32Array:
    """Return the mean of masks around a frame.

    Args:
        soft: (height, width, 3) uint8 RGB, the frame, small and blurred.
        around: the same of its neighbours, itself among them, and their masks, (height, width) float32.
    """
    total, weight = np.zeros(soft.shape[:2], np.float32), np.zeros(soft.shape[:2], np.float32)
    for other, mask in around:
        red, green, blue = cv2.split(cv2.absdiff(other, soft))
        trust = cv2.LUT(cv2.max(cv2.max(red, green), blue), _TRUST)
        total += trust * mask
        weight += trust
    return np.asarray(total / weight, np.float32)


@dataclass(frozen=True, slots=True)
class Matte:
    """What a frame tells those around it.

    Attributes:
        soft: (3, rows, columns) uint8, the frame's channels, blurred and of any size.
        alpha: (height, width) uint8.
        edge: (n,) where alpha is neither 0 nor 255, indices of the flattened alpha.
    """

    soft: UInt8Array
    alpha: UInt8Array
    edge: npt.NDArray[np.intp]

    @classmethod
    def of(cls, soft: UInt8Array, alpha: UInt8Array) -> Matte:
        """Find the edge of an alpha."""
        inner = cv2.inRange(alpha, 1, 254)  # type: ignore[call-overload,unused-ignore]
        return cls(soft, alpha, np.flatnonzero(inner))


def steady_alpha(own: Matte, around: Sequence[Matte]) -> UInt8Array:
    """Return the mean of alphas around a frame, wherever one of them has an edge.

    Args:
        own: of the frame.
        around: its neighbours, itself among them.
    """
    height, width = own.alpha.shape
    _, rows, columns = own.soft.shape
    edges = np.zeros(height * width, np.bool_)
    for other in around:
        edges[other.edge] = True
    at = np.flatnonzero(edges)
    y, x = np.divmod(at, width)
    places = y * rows // height * columns + x * columns // width
    seen, alpha = _taken(own, at, places)
    total, weight = np.zeros(len(at), np.float32), np.zeros(len(at), np.float32)
    for other in around:
        colours, alphas = _taken(other, at, places)
        red, green, blue = _distance(colours, seen)
        trust = _TRUST_ALPHA.take(np.maximum(np.maximum(red, green), blue))
        trust *= _ALIKE.take(_distance(alphas, alpha))
        weight += trust
        trust *= alphas
        total += trust
    low, high = (np.float32(255 * share) for share in _SNAP)
    mean = (total / weight - low) * (255 / (high - low))
    out = own.alpha.copy()
    out.reshape(-1)[at] = np.clip(mean, 0, 255) + np.float32(0.5)
    return out


def _taken(
    matte: Matte, at: npt.NDArray[np.intp], places: npt.NDArray[np.intp]
) -> tuple[UInt8Array, UInt8Array]:
    return matte.soft.reshape(3, -1).take(places, axis=1), matte.alpha.reshape(-1).take(at)


def _distance(one: UInt8Array, other: UInt8Array) -> UInt8Array:
    return np.maximum(one, other) - np.minimum(one, other)
