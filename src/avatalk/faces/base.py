"""The contract of stage 3: find the faces of a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from avatalk.media import Face, UInt8Array


class FaceFinder(ABC):
    """Finds faces and their landmarks. One instance may be used from one thread at a time."""

    name: ClassVar[str]

    @abstractmethod
    def find(self, picture: UInt8Array) -> list[Face]:
        """Return every usable face of `picture`, the largest first.

        Args:
            picture: (height, width, 3) uint8 RGB, upright.

        Returns:
            Faces with landmarks in pixels of `picture`; empty when there is none.
        """
