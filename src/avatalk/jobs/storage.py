"""Where the files of jobs lie: a folder, or anything else that fsspec reaches by a URL, such as ``s3://bucket/x``.

A file's name holds the hash of what is in it, so it is written once and never changed.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import fsspec

from avatalk.errors import AvatalkError, CannotRun, NotFound, StorageError, UnreadableFile

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the storage.

    Attributes:
        key: its name there, relative, with forward slashes.
        size: bytes.
        sha256: of its content, hexadecimal.
    """

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """A file that a listing tells of.

    Attributes:
        key: its name in the storage.
        size: bytes.
        at: when it was written, seconds since 1970.
    """

    key: str
    size: int
    at: float


class Storage:
    """Files under a URL.

    Args:
        url: a path, or a URL of fsspec; credentials come from where its library looks for them.

    Raises:
        CannotRun: the library for such URLs is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)  # others change it, too
        except (ImportError, ValueError) as error:
            raise CannotRun(
                f"Files cannot be stored at {url} ({error}).",
                hint="For S3: pip install 'avatalk[s3]'. AVATALK_STORAGE may also be the path of a folder.",
            ) from error
        self._root = root.rstrip("/")
        protocol = self._fs.protocol
        self._local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    def is_there(self) -> bool:
        """Whether it can be reached, and written if it is a folder."""
        try:
            if self._local:
                self._fs.makedirs(self._root, exist_ok=True)
                return os.access(self._root, os.W_OK)
            self._fs.exists(self._at("assets"))
        except Exception:  # noqa: BLE001 - of whatever library reaches it
            return False
        return True

    def put(
        self, source: Path, folder: str, name: str = "", ending: str | None = None, sha256: str = ""
    ) -> Stored:
        """Store a copy of `source` as ``folder/name-hash.ending``, or find it there already.

        Args:
            source: a local file.
            folder: where to, relative.
            name: what the name begins with; may be empty.
            ending: with the dot; that of `source` by default.
            sha256: of its content, where it is known.

        Raises:
            StorageError: it cannot be written.
        """
        digest = sha256 or _sha256(source)
        ending = source.suffix.lower() if ending is None else ending
        key = f"{folder}/{f'{name}-' if name else ''}{digest}{ending}"
        size = source.stat().st_size
        there = self._at(key)
        with _mapped(f"write {key}", there=False):
            if not (self._fs.exists(there) and self._fs.size(there) == size):
                if self._local:
                    # A store shows an object when it is complete; a folder shows it from its first byte.
                    self._fs.makedirs(str(PurePosixPath(there).parent), exist_ok=True)
                    part = f"{there}.{secrets.token_hex(4)}.part"
                    try:
                        self._fs.put_file(str(source), part)
                        Path(part).replace(there)
                    finally:
                        Path(part).unlink(missing_ok=True)
                else:
                    self._fs.put_file(str(source), there)
        return Stored(key, size, digest)

    def fetch(self, key: str, folder: Path) -> Path:
        """The path of a local file with that content: the stored one itself, or a copy in `folder`.

        Raises:
            UnreadableFile: it is not there.
            StorageError: it cannot be read.
        """
        there = self._at(key)
        with _mapped(f"read {key}"):
            if not self._fs.exists(there):
                raise UnreadableFile(
                    f"The file {PurePosixPath(key).name} is no longer stored.", hint="Send it again."
                )
            if self._local:
                return Path(there)
            path = folder / PurePosixPath(key).name
            if not path.exists():
                part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
                self._fs.get_file(there, str(part))
                part.replace(path)
            return path

    def open(self, key: str) -> BinaryIO:
        """Open a file for reading in any order; the caller closes it.

        Raises:
            NotFound: it is not there.
            StorageError: it cannot be read.
        """
        with _mapped(f"read {key}"):
            return cast(BinaryIO, self._fs.open(self._at(key), "rb", block_size=_BLOCK))

    def remove(self, key: str) -> None:
        """Remove a file, or a folder and all in it; no matter if it is not there."""
        with _mapped(f"remove {key}"), suppress(FileNotFoundError):
            self._fs.rm(self._at(key), recursive=True)

    def keys(self, folder: str) -> list[str]:
        """The files in a folder and below it, sorted."""
        with _mapped(f"list {folder}"):
            self._fs.invalidate_cache()
            return sorted(path[len(self._root) + 1 :] for path in self._fs.find(self._at(folder)))

    def found(self, folder: str) -> list[Found]:
        """The files in a folder and below it, with what a listing tells of them, in any order."""
        with _mapped(f"list {folder}"):
            self._fs.invalidate_cache()
            listed = self._fs.find(self._at(folder), detail=True)
            return [
                Found(path[len(self._root) + 1 :], int(info.get("size") or 0), self._written(path, info))
                for path, info in listed.items()
            ]

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder."""
        with _mapped(f"list {folder}"):
            self._fs.invalidate_cache()
            try:
                listed = self._fs.ls(self._at(folder), detail=True)
            except FileNotFoundError:  # nothing was stored there yet
                return []
            return [PurePosixPath(info["name"]).name for info in listed if info["type"] == "directory"]

    def exists(self, key: str) -> bool:
        """Whether a file is there."""
        with _mapped(f"look for {key}"):
            return bool(self._fs.exists(self._at(key)))

    def _written(self, path: str, info: dict[str, Any]) -> float:
        at = info.get("mtime") or info.get("LastModified")  # a folder's word for it, and S3's
        at = self._fs.modified(path) if at is None else at
        return at.timestamp() if isinstance(at, datetime) else float(at)

    def _at(self, key: str) -> str:
        return f"{self._root}/{key}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _mapped(what: str, there: bool = True) -> Iterator[None]:
    """Turn errors into avatalk's; with `there`, a file that is missing is one that was stored once."""
    try:
        yield
    except FileNotFoundError as error:
        if there:
            raise NotFound("This file is no longer stored.", hint="It may have expired.") from error
        raise StorageError(
            f"The storage could not {what}: its folder is not there.",
            hint="Look at AVATALK_STORAGE; this is tried again.",
        ) from error
    except AvatalkError:
        raise
    except Exception as error:  # every store has errors of its own
        raise StorageError(
            f"The storage could not {what} ({getattr(error, 'strerror', None) or error}).",
            hint="Look at AVATALK_STORAGE, its access and its free space; this is tried again.",
        ) from error
