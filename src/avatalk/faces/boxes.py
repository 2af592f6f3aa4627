"""Boxes of one face through a clip, by a detector that is looked at now and then."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Protocol

from avatalk.events import Monitor
from avatalk.media import UInt8Array

Box = tuple[int, int, int, int]
EVERY = 5  # frames between two looks; faces move little in a fifth of a second


class BoxFinder(Protocol):
    """Finds the surest face of a picture."""

    def best_box(self, picture: UInt8Array) -> Box | None:
        """Return x0, y0, x1, y1 in whole pixels, or None."""


def find_boxes(pictures: Iterable[UInt8Array], finder: BoxFinder, monitor: Monitor) -> tuple[Box | None, ...]:
    """Return the box in every picture; between two looks that both see a face it moves evenly.

    Args:
        pictures: of a still or a clip, (height, width, 3) uint8 RGB each.
        finder: looks at every `EVERY`-th of them, and at the last.
        monitor: told of every look.
    """
    seen: dict[int, Box | None] = {}
    last: UInt8Array | None = None
    count = 0
    for count, last in enumerate(pictures, 1):
        if (count - 1) % EVERY == 0:
            seen[count - 1] = finder.best_box(last)
            monitor.report("face", count, unit="frames")
    if last is not None and count - 1 not in seen:
        seen[count - 1] = finder.best_box(last)
    boxes: list[Box | None] = [None] * count
    for index, box in seen.items():
        boxes[index] = box
    for (start, first), (stop, second) in pairwise(seen.items()):
        for index in range(start + 1, stop):
            if first is not None and second is not None:
                share = (index - start) / (stop - start)
                x0, y0, x1, y1 = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
                boxes[index] = (x0, y0, x1, y1)
            else:  # the face comes or goes in between: as at the nearer look
                boxes[index] = first if index - start < stop - index else second
    return tuple(boxes)
