from concurrent.futures import ThreadPoolExecutor

import pytest

from avatalk.models import loaded
from avatalk.models.loaded import KEPT


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    monkeypatch.setattr(loaded, "_held", type(loaded._held)())


def test_a_second_use_loads_nothing_and_the_least_recently_used_goes():
    loads = []

    def use(key):
        return loaded.loaded(key, lambda: loads.append(key) or object())

    first = use("a")
    assert use("a") is first
    for number in range(KEPT - 1):
        use(number)
    assert use("a") is first  # used again, so not the oldest
    use("new")
    assert use("a") is first
    assert loads == ["a", *range(KEPT - 1), "new"]
    use(0)
    assert loads[-1] == 0
    assert len(loaded._held) == KEPT


def test_threads_that_want_the_same_load_it_once():
    loads = []
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: loaded.loaded("a", lambda: loads.append(1) or object()), range(8)))
    assert len(loads) == 1
    assert len(set(map(id, got))) == 1


def test_what_failed_to_load_is_tried_again():
    with pytest.raises(ZeroDivisionError):
        loaded.loaded("a", lambda: 1 // 0)
    assert loaded.loaded("a", lambda: 5) == 5
