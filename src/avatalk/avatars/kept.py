"""Avatars that the user keeps under a name: one PNG each in the data folder, see `avatalk.avatars.made`."""

from __future__ import annotations

import re
from pathlib import Path

from avatalk.avatars import gallery
from avatalk.avatars.made import Made, read_made, write_made
from avatalk.errors import BadInput, UnknownName
from avatalk.settings import data_dir
from avatalk.workspace import cannot_write

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def folder() -> Path:
    """Where they lie."""
    return data_dir() / "avatars"


def names() -> tuple[str, ...]:
    """Return the names of all kept avatars, sorted."""
    return tuple(sorted(path.stem for path in folder().glob("*.png") if _NAME.fullmatch(path.stem)))


def check_name(name: str) -> str:
    """Return `name` in lower case, if an avatar may be kept under it.

    Raises:
        BadInput: it may not.
    """
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"An avatar cannot be kept as {name!r}.",
            hint="A name has up to 40 letters a to z, digits, - and _, such as anna.",
            stage="avatar",
            field="save",
        )
    if name in gallery.names():
        raise BadInput(
            f"{name} is an avatar of the gallery.", hint="Choose another name.", stage="avatar", field="save"
        )
    if name in names():
        raise BadInput(
            f"{name} is an avatar that you keep already.",
            hint=f"Choose another name, or remove it first: avatalk avatars remove {name}",
            stage="avatar",
            field="save",
        )
    return name


def keep(name: str, made: Made) -> Path:
    """Keep an avatar.

    Raises:
        BadInput: the name will not do, or is taken.
        OutputError: the data folder cannot be written.
    """
    path = folder() / f"{check_name(name)}.png"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    write_made(path, made)
    return path


def get(name: str) -> Made:
    """Return a kept avatar.

    Raises:
        UnknownName: there is none of that name.
    """
    made = read_made(folder() / f"{name.strip().lower()}.png") if name.strip().lower() in names() else None
    if made is None:
        raise UnknownName(
            f"No avatar is kept as {name!r}.",
            hint=f"Kept are: {', '.join(names()) or 'none'}. See `avatalk avatars`.",
            stage="avatar",
            field="avatar",
        )
    return made


def remove(name: str) -> None:
    """Remove a kept avatar.

    Raises:
        UnknownName: there is none of that name.
    """
    get(name)
    (folder() / f"{name.strip().lower()}.png").unlink()
