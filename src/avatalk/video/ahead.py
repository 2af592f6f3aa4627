"""Making the next frames while the last ones are being encoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_DEPTH = 6  # enough to even out slow frames; more would only cost memory


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield `items` in order, made by a thread of their own that stays a few items ahead.

    An error of `items` is raised here, at its place; the thread ends with this generator.
    """
    end = object()
    with ThreadPoolExecutor(1, "avatalk-frames") as one:
        waiting = deque(one.submit(next, items, end) for _ in range(_DEPTH))
        try:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(one.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            for future in waiting:
                future.cancel()
