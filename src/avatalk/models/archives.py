"""The files of a model in a folder or a zip, wherever in it they lie. Nothing else is unpacked."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from avatalk.models.manifest import ModelFile

_DEPTH = 3
"""Folders below the given one that are looked into."""
_MOST = 4_000_000_000
"""Bytes of a file whose size nobody knows."""
_BLOCK = 1 << 18


def names_in(path: Path) -> list[str]:
    """Return the files in a folder or a zip as ``folder/name``; nothing for any other file.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        deep = [entry for depth in range(_DEPTH) for entry in path.glob("*/" * depth + "*")]
        return [entry.relative_to(path).as_posix() for entry in deep if entry.is_file()]
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        return [member.filename for member in archive.infolist() if not member.is_dir()]


def matching(names: Iterable[str], files: Iterable[ModelFile]) -> dict[str, str]:
    """Return by file which of `names` it is: by its own name or another it has, the least deep one."""
    shallow = sorted(names, key=lambda name: (len(PurePosixPath(name).parts), name))
    shallow = [name for name in shallow if not name.startswith("__MACOSX/")]
    found = {}
    for file in files:
        for wanted in (file.name, *file.aka):
            known = next((name for name in shallow if PurePosixPath(name).name == wanted), None)
            if known is not None:
                found[file.name] = known
                break
    return found


def unpack(path: Path, files: Iterable[ModelFile], into: Path) -> list[str]:
    """Write `files` out of the zip `path` to the folder `into`, under their own names; return which it lacks.

    Raises:
        BadZipFile: it is damaged, or a file in it is larger than the model's can be.
    """
    files = list(files)
    with zipfile.ZipFile(path) as archive:
        found = matching(archive.namelist(), files)
        for file in files:
            if file.name not in found:
                continue
            member = archive.getinfo(found[file.name])
            if member.file_size > (max(form.bytes for form in file.forms) or _MOST):
                raise zipfile.BadZipFile(f"{member.filename} is too large")
            with archive.open(member) as source, (into / file.name).open("wb") as target:
                shutil.copyfileobj(source, target, _BLOCK)
    return [file.name for file in files if file.name not in found]
