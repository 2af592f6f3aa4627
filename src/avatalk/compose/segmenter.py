"""What the matting engines share: they differ in the network that sees persons."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ClassVar

import cv2
import numpy as np

from avatalk.compose.matting import Matting, Read
from avatalk.compose.persons import find_persons
from avatalk.compose.refine import find_edge, lay_edge
from avatalk.compose.steady import steadied
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
        size = small.shape[1], small.shape[0]
        mask = find_persons(picture, self.look, self.rims, size)
        edge = None if mask is None else find_edge(small, mask)
        if edge is None:
            raise FaceError(
                "Nobody is found whose background could be changed.",
                hint="Use a picture of a person, or leave out --background.",
                stage="compose",
                field="background",
            )
        return lay_edge(picture, size, edge)

    def cut_clip(
        self, read: Read, numbers: Sequence[int], length: int
    ) -> Iterator[tuple[UInt8Array, UInt8Array]]:
        """See `Matting.cut_clip`."""

        def see(picture: UInt8Array) -> tuple[UInt8Array, Float32Array]:
            picture = _reduced(picture, _LOOKED)
            small = _reduced(picture, _CLIP)
            size = small.shape[1], small.shape[0]
            mask = find_persons(picture, self.look, self.rims, size)
            return small, np.zeros(size[::-1], np.float32) if mask is None else mask

        def refine(picture: UInt8Array, small: UInt8Array, mask: Float32Array) -> UInt8Array:
            return lay_edge(picture, (small.shape[1], small.shape[0]), find_edge(small, mask))

        # While one frame is refined, the next is looked at.
        with ThreadPoolExecutor(1, "avatalk-matting") as pool:
            before: tuple[UInt8Array, Future[UInt8Array]] | None = None
            for picture, small, mask in steadied(read, numbers, length, see):
                now = picture, pool.submit(refine, picture, small, mask)
                if before is not None:
                    yield before[0], before[1].result()
                before = now
            if before is not None:
                yield before[0], before[1].result()


def _reduced(picture: UInt8Array, longest: int) -> UInt8Array:
    height, width = picture.shape[:2]
    scale = min(1.0, longest / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
