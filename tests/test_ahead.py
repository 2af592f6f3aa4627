import threading

import pytest

from avatalk.video.ahead import ahead


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
