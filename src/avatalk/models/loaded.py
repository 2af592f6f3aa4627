"""Networks that are in memory: each is loaded once, and the least recently used one goes for a new one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, TypeVar

KEPT = 2
"""Networks held at once, over all engines: a voice of each of two languages, say."""

T = TypeVar("T")

_held: OrderedDict[Hashable, Any] = OrderedDict()
_lock = RLock()


def loaded(key: Hashable, load: Callable[[], T]) -> T:
    """Return what `load` gave for `key`, calling it only if that is no longer, or not yet, in memory.

    Who got a network may use it for as long as it likes, also after it has gone from here. May be called
    from any thread; one network is loaded at a time.

    Args:
        key: what tells this network from all others: the engine, the file with its size and time, the device.
        load: reads it; what it raises is passed on, and nothing is kept.
    """
    with _lock:
        if key not in _held:
            _held[key] = load()
        _held.move_to_end(key)
        while len(_held) > KEPT:
            _held.popitem(last=False)
        network: T = _held[key]
        return network
