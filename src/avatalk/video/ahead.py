"""Making the next frames while the last ones are being encoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import cv2

T = TypeVar("T")

_DEPTH = 6  # enough to even out slow frames; more would only cost memory


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield `items` in order, made by a thread of their own that stays a few items ahead.

    An error of `items` is raised here, at its place; the thread ends with this generator.
    """
    end = object()
    with _opencv_alone(), ThreadPoolExecutor(1, "avatalk-frames") as one:
        waiting = deque(one.submit(next, items, end) for _ in range(_DEPTH))
        try:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(one.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            for future in waiting:
                future.cancel()


def side_by_side(make: Callable[[int], T], count: int, workers: int) -> Iterator[T]:
    """Yield ``make(0)`` to ``make(count - 1)`` in order, made by several threads a few items ahead."""
    with _opencv_alone(), ThreadPoolExecutor(workers, "avatalk-frames") as pool:
        waiting = deque(pool.submit(make, index) for index in range(min(_DEPTH, count)))
        try:
            for index in range(count):
                item = waiting.popleft().result()
                if index + _DEPTH < count:
                    waiting.append(pool.submit(make, index + _DEPTH))
                yield item
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def _opencv_alone() -> Iterator[None]:
    """Let OpenCV use no threads of its own: whole frames side by side share the processors better."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
