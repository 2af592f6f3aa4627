"""The contract of the engines that cut a person out of a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from avatalk.events import Monitor
from avatalk.media import UInt8Array

Read = Callable[[Sequence[int]], Iterator[UInt8Array]]
"""Yields frames of a clip by number, each (height, width, 3) uint8 RGB."""


class Matting(ABC):
    """Cuts persons out. One instance may be used from one thread at a time."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def configured(cls, device: str, monitor: Monitor) -> Matting:
        """Return the engine; it may fetch its weights.

        Args:
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
            monitor: told of progress.
        """

    @abstractmethod
    def cut(self, picture: UInt8Array) -> UInt8Array:
        """Cut the persons out of a picture, at its own resolution, without colour of what was behind them.

        Args:
            picture: (height, width, 3) uint8 RGB.

        Returns:
            (height, width, 4) uint8 premultiplied RGBA.

        Raises:
            FaceError: nobody is in it.
        """

    @abstractmethod
    def cut_clip(
        self, read: Read, numbers: Sequence[int], length: int
    ) -> Iterator[tuple[UInt8Array, UInt8Array]]:
        """Cut the persons out of frames of a clip, steadily in time.

        Rule: a frame cut out is a pure function of the clip and its number, the same bits whoever asks.

        Args:
            read: of the clip.
            numbers: of the frames, in any order, repeated or not.
            length: of the clip, frames.

        Yields:
            The frame as it was read, (height, width, 3), and cut out, (height, width, 4) uint8 premultiplied
            RGBA, empty where nobody is seen.
        """
