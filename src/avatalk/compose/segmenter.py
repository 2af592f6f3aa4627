"""What the matting engines share: they differ in the network that sees persons."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from avatalk.compose.matting import Matting, Read
from avatalk.compose.persons import find_persons
from avatalk.compose.refine import Colours, edge_alpha, find_edge, lay_edge
from avatalk.compose.steady import ALPHAS, MASKS, Matte, neighbours, steady_alpha, steady_mask
from avatalk.errors import FaceError
from avatalk.media import Float32Array, UInt8Array

_STILL = 800  # pixels of the longer side at which the edges of a still are found
_CLIP = 426  # likewise of a clip
_LOOKED = 640  # likewise, at which persons are looked for in a clip


class Segmenter(Matting):
    """Cuts out by a network that gives a coarse mask, which is refined.

    Attributes:
        rims: around the persons found, in shares of their size, at every further, closer look.
    """

    rims: ClassVar[tuple[float, ...]] = (0.3, 0.05)

    @abstractmethod
    def look(self, picture: UInt8Array) -> Float32Array:
        """See persons.

        Args:
            picture: (height, width, 3) uint8 RGB, of any shape.

        Returns:
            (rows, columns) float32, 0..1: how sure it is that a person is there.
        """

    def cut(self, picture: UInt8Array) -> UInt8Array:
        """See `Matting.cut`."""
        small = _reduced(picture, _STILL)
        size = _size(small)
        mask = find_persons(picture, self.look, self.rims, size)
        edge = None if mask is None else find_edge(small, mask)
        if edge is None:
            raise FaceError(
                "Nobody is found whose background could be changed.",
                hint="Use a picture of a person, or leave out --background.",
                stage="compose",
                field="background",
            )
        return lay_edge(picture, size, edge.colours, edge_alpha(picture, size, edge))

    def cut_clip(
        self, read: Read, numbers: Sequence[int], length: int
    ) -> Iterator[tuple[UInt8Array, UInt8Array]]:
        """See `Matting.cut_clip`."""

        def looked(numbers: Sequence[int]) -> Iterator[_Looked]:
            return map(self._looked, read(numbers))

        left = Counter(numbers)

        def refined(numbers: Sequence[int]) -> Iterator[_Refined]:
            for number, (own, around) in zip(
                numbers, neighbours(looked, numbers, length, MASKS), strict=True
            ):
                mask = steady_mask(own.soft, [(other.soft, other.mask) for other in around])
                found = pool.submit(_refine, own, mask)
                yield _Refined(own.picture if left[number] else None, _size(own.small), found)

        # While frames are refined, the next is looked at. One thread takes the jobs in their order, so what a
        # job needs of those before it is there.
        with ThreadPoolExecutor(1, "avatalk-matting") as pool:
            before: tuple[UInt8Array, Future[UInt8Array]] | None = None
            for number, (own, around) in zip(
                numbers, neighbours(refined, numbers, length, ALPHAS), strict=True
            ):
                assert own.picture is not None
                now = own.picture, pool.submit(_cut, own.picture, own, around)
                left[number] -= 1
                if not left[number]:
                    own.picture = None
                if before is not None:
                    yield before[0], before[1].result()
                before = now
            if before is not None:
                yield before[0], before[1].result()

    def _looked(self, picture: UInt8Array) -> _Looked:
        near = _reduced(picture, _LOOKED)
        small = _reduced(near, _CLIP)
        size = _size(small)
        mask = find_persons(near, self.look, self.rims, size)
        return _Looked(
            picture,
            small,
            np.asarray(cv2.blur(small, (5, 5)), np.uint8),
            np.asarray(cv2.split(cv2.blur(near, (3, 3))), np.uint8),
            np.zeros(size[::-1], np.float32) if mask is None else mask,
        )


@dataclass(slots=True)
class _Looked:
    """A frame in which persons were looked for.

    Attributes:
        picture: (height, width, 3) uint8 RGB.
        small: likewise, at a few hundred pixels.
        soft: `small`, blurred.
        guide: (3, rows, columns) uint8, the channels at a resolution between, blurred.
        mask: of the size of `small`, float32, 0..1.
    """

    picture: UInt8Array
    small: UInt8Array
    soft: UInt8Array
    guide: UInt8Array
    mask: Float32Array


@dataclass(slots=True)
class _Refined:
    """A frame whose edge is found by its steady mask; its picture as long as it will be cut out."""

    picture: UInt8Array | None
    size: tuple[int, int]
    found: Future[tuple[Colours | None, Matte]]


def _refine(frame: _Looked, mask: Float32Array) -> tuple[Colours | None, Matte]:
    edge = find_edge(frame.small, mask)
    alpha = edge_alpha(frame.picture, _size(frame.small), edge)
    return None if edge is None else edge.colours, Matte.of(frame.guide, alpha)


def _cut(picture: UInt8Array, own: _Refined, around: Sequence[_Refined]) -> UInt8Array:
    colours, matte = own.found.result()
    alpha = steady_alpha(matte, [other.found.result()[1] for other in around])
    return lay_edge(picture, own.size, colours, alpha)


def _size(picture: UInt8Array) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _reduced(picture: UInt8Array, longest: int) -> UInt8Array:
    height, width = picture.shape[:2]
    scale = min(1.0, longest / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
