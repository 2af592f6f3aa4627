import threading
import time

import pytest

from avatalk.video.ahead import ahead, side_by_side


def test_order_is_kept():
    assert list(ahead(iter(range(100)))) == list(range(100))


def test_an_error_is_raised_at_its_place():
    def items():
        yield from range(3)
        raise KeyError("third")

    seen = []
    with pytest.raises(KeyError, match="third"):
        seen.extend(ahead(items()))
        seen.append("not reached")
    got = ahead(items())
    assert [next(got), next(got), next(got)] == [0, 1, 2]


def test_closing_ends_the_thread_and_does_not_run_on():
    made = []

    def items():
        for index in range(10_000):
            made.append(index)
            yield index

    before = threading.active_count()
    got = ahead(items())
    assert next(got) == 0
    got.close()
    assert threading.active_count() == before
    assert len(made) < 50


def test_side_by_side_keeps_the_order_whoever_is_first():
    def make(index):
        time.sleep(0.004 * (index % 3))
        return index

    assert list(side_by_side(make, 50, 3)) == list(range(50))
    assert list(side_by_side(make, 2, 3)) == [0, 1]
    assert list(side_by_side(make, 0, 3)) == []


def test_side_by_side_raises_at_its_place_and_gives_opencv_its_threads_back():
    import cv2

    def make(index):
        if index == 7:
            raise KeyError("seven")
        return index

    before, seen = cv2.getNumThreads(), []
    with pytest.raises(KeyError, match="seven"):
        seen.extend(side_by_side(make, 50, 2))
    assert seen == list(range(7))
    assert cv2.getNumThreads() == before
