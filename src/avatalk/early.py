"""What takes long and is likely to be needed is begun in a thread, while all that comes before it is done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any

_lock = Lock()
_begun: dict[object, Future[Any]] = {}


def begun(key: object) -> bool:
    """Whether something was begun by `key` that nobody has taken."""
    with _lock:
        return key in _begun


def begin(key: object, make: Callable[[], Any]) -> None:
    """Run `make` in a thread, for whoever takes its result by `key`; only what was begun last is kept."""
    future: Future[Any] = Future()
    with _lock:
        _begun.clear()
        _begun[key] = future

    def run() -> None:
        try:
            future.set_result(make())
        except Exception as error:  # noqa: BLE001 - it is raised where the result is taken
            future.set_exception(error)

    Thread(target=run, name="avatalk-early").start()


def take(key: object) -> Future[Any] | None:
    """Return what was begun by `key`, done or not, and forget it; None if nothing was."""
    with _lock:
        return _begun.pop(key, None)


def forget() -> None:
    """Forget what nobody will take any more: it may be large."""
    with _lock:
        _begun.clear()
