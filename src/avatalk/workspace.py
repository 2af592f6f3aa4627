"""Files that come and go: a temporary folder per plan, and outputs that appear only when complete."""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType

from avatalk.errors import OutputError
from avatalk.lock import is_free, locked
from avatalk.settings import cache_dir

_KEPT = 1000  # files of a kind; those of a drawn avatar at one size are about 25
_PREFIX = "avatalk-"


class TemporaryFolder:
    """A folder that goes with this object; if its process is killed, it goes with a later process.

    Beside it lies a lock file of its name, which the system frees with the process: by that it is known to be
    one of these, and to be left behind.

    Attributes:
        name: its path.

    Args:
        home: where it is made.
        prefix: of its name.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, home: Path, prefix: str = "") -> None:
        path = home / f"{prefix}{secrets.token_hex(8)}"
        lock = path.with_name(f"{path.name}.lock")
        with ExitStack() as undo:
            undo.callback(lock.unlink, missing_ok=True)
            undo.enter_context(locked(lock, lambda: None))
            path.mkdir(mode=0o700)
            undo.callback(shutil.rmtree, path, ignore_errors=True)
            self.name = str(path)
            self._end = weakref.finalize(self, undo.pop_all().close)

    def cleanup(self) -> None:
        """Delete the folder now."""
        self._end()

    def __enter__(self) -> str:
        return self.name

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup()


def clear_left(home: Path, prefix: str = "") -> None:
    """Delete the folders that `TemporaryFolder` made in `home` for processes that are gone."""
    for lock in home.glob(f"{prefix}*.lock"):
        if re.fullmatch("[0-9a-f]{16}", lock.stem.removeprefix(prefix)) and is_free(lock):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)


def temporary_folder() -> TemporaryFolder:
    """A folder of its own for one plan; it goes with the returned object."""
    home = Path(tempfile.gettempdir())
    try:
        _clear_once(home)
        return TemporaryFolder(home, _PREFIX)
    except OSError as error:
        raise cannot_write(home, error) from error


@cache
def _clear_once(home: Path) -> None:
    clear_left(home, _PREFIX)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The user's version of `error`, met while `path` was written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OutputError(
            f"There is no space left for {path}.",
            hint="Free some space, or use another disk: -o for the result, TMPDIR for temporary files.",
            stage="encode",
        )
    if error.errno == errno.ENOENT and not path.parent.exists():
        return OutputError(
            f"The folder {path.parent} does not exist.",
            hint="Make it first, or choose another.",
            stage="encode",
            field="output",
        )
    reason = error.strerror or str(error)
    return OutputError(
        f"{path} cannot be written ({reason.lower()}).",
        hint="Choose a folder you may write to with -o.",
        stage="encode",
        field="output",
    )


def check_writable(path: Path) -> None:
    """Raise `OutputError` if a file at `path` could not be written now."""
    if path.is_dir():
        raise OutputError(
            f"{path} is a folder.", hint="Give a name that is not taken yet.", stage="encode", field="output"
        )
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise cannot_write(path, error) from error


@contextmanager
def complete_or_nothing(path: Path) -> Iterator[Path]:
    """Yield a hidden name beside `path`; on success it becomes `path`, on any failure it is removed.

    Raises:
        OutputError: the folder is missing or read-only, or the disk is full.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def kept_or_made(kind: str, source: str, make: Callable[[str], bytes]) -> bytes:
    """Return ``make(source)``, from the cache folder where it was made before.

    For things that depend on nothing but `source` and are slower to make than to read. The key is the
    text itself, so nothing is ever stale; the oldest go when there are too many. A cache that cannot be
    read or written costs time and nothing else.

    Args:
        kind: name of a folder in the cache.
        source: all that the result depends on.
        make: makes the result.
    """
    found = kept(kind, source)
    if found is None:
        found = make(source)
        keep(kind, source, found)
    return found


def kept(kind: str, source: str) -> bytes | None:
    """Return what `keep` wrote last for `kind` and `source`, if it is still there."""
    with suppress(OSError):
        return _place(kind, source).read_bytes()
    return None


def keep(kind: str, source: str, made: bytes) -> None:
    """Write `made` for `kept`, see `kept_or_made`."""
    place = _place(kind, source)
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{secrets.token_hex(8)}")
        part.write_bytes(made)
        part.replace(place)
        prune(place.parent)


def _place(kind: str, source: str) -> Path:
    return cache_dir() / kind / hashlib.sha256(source.encode()).hexdigest()


def prune(folder: Path) -> None:
    """Delete the oldest files of a folder of the cache if there are too many.

    Raises:
        OSError: they cannot be deleted.
    """
    entries = [entry for entry in folder.iterdir() if entry.is_file()]
    if len(entries) > _KEPT:
        for entry in sorted(entries, key=lambda entry: entry.stat().st_mtime)[: _KEPT // 2]:
            entry.unlink(missing_ok=True)
