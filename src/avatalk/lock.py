"""One process at a time."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_EVERY_S = 0.1


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file `path`, which the system frees even when a process is killed.

    The empty file stays: to delete it would let two processes hold locks on two files of that name. On
    file systems without locks nothing is held.

    Args:
        path: of the lock file; its folder must exist.
        waiting: called again and again while another process or thread holds it; may raise to give up.

    Raises:
        OSError: the file cannot be made.
    """
    with path.open("ab") as file:
        while not _taken(file):
            waiting()
            time.sleep(_EVERY_S)
        yield  # closing the file frees the lock


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock file `path`; False where that cannot be known."""
    try:
        with path.open("ab") as file:
            _lock(file)
    except OSError:
        return False
    return True


def _taken(file: IO[bytes]) -> bool:
    try:
        _lock(file)
    except OSError as error:
        return error.errno not in _BUSY
    return True


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
