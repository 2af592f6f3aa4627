"""Models on this machine: locate, install, verify, remove.

A model lies in ``<cache>/models/<name>/``. Files are fetched into a folder of another name beside it,
verified there and renamed into place one by one, so a reader sees a whole file or none, and two
processes that install the same model at once do no harm to each other.
"""

from __future__ import annotations

import difflib
import hashlib
import shutil
import tempfile
from pathlib import Path

from avatalk import settings
from avatalk.errors import ModelUnavailable, UnknownName
from avatalk.events import Monitor
from avatalk.models.manifest import MODELS, Model, ModelFile


def list_models() -> tuple[Model, ...]:
    """Every model that avatalk knows, installed or not."""
    return tuple(MODELS.values())


def get(name: str) -> Model:
    """Return the model of that name.

    Raises:
        UnknownName: there is none.
    """
    if name in MODELS:
        return MODELS[name]
    near = difflib.get_close_matches(name, MODELS, cutoff=0.4) or sorted(MODELS)
    raise UnknownName(f"There is no model '{name}'.", hint=f"Did you mean {', '.join(near)}?")


def folder(name: str) -> Path:
    """Return where the files of the model lie, or would."""
    return settings.cache_dir() / "models" / get(name).name


def installed(name: str) -> bool:
    """Whether every file of the model is here with its right size (`verify` reads them in full)."""
    model = get(name)
    return all(_has_size(folder(model.name) / file.name, file) for file in model.files)


def verify(name: str) -> list[str]:
    """Return the names of the model's files that are missing or damaged; empty when all is well."""
    model = get(name)
    return [file.name for file in model.files if not _is_good(folder(model.name) / file.name, file)]


def path(name: str, file: str, monitor: Monitor | None = None) -> Path:
    """Return where `file` of the model lies, after installing the model if it is not here.

    Args:
        name: of the model.
        file: one of the names in its `Model.files`.
        monitor: told of the bytes fetched.

    Raises:
        ModelUnavailable: it is not here and cannot be fetched.
        Cancelled: `monitor` was cancelled while fetching.
    """
    if not installed(name):
        install(name, monitor)
    return folder(name) / file


def install(name: str, monitor: Monitor | None = None) -> Path:
    """Fetch what is missing or damaged of the model, from the first source that has it; return its folder.

    Args:
        name: of the model.
        monitor: told of the bytes fetched; checked for cancellation.

    Raises:
        UnknownName: there is no such model.
        ModelUnavailable: no source gave the right files, the network is forbidden, or the cache folder
            cannot be written.
        Cancelled: `monitor` was cancelled.
    """
    model, monitor = get(name), monitor or Monitor()
    bad = set(verify(name))
    wanted = tuple(file for file in model.files if file.name in bad)
    if not wanted:
        return folder(model.name)
    if settings.offline():
        raise ModelUnavailable(
            f"The model '{name}' is not on this machine, and AVATALK_OFFLINE forbids fetching it.",
            hint=f"Run `avatalk models install {name}` once without AVATALK_OFFLINE.",
            stage=model.stage,
        )
    try:
        folder(model.name).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder(model.name).parent) as scratch:
            _fetch_verified(model, wanted, Path(scratch), monitor)
            for file in wanted:
                _move(Path(scratch) / file.name, folder(model.name) / file.name, file)
    except OSError as error:
        raise ModelUnavailable(
            f"The model '{name}' cannot be stored in {folder(model.name)}: {error.strerror or error}.",
            hint="Make room, or set AVATALK_CACHE to a folder that can be written.",
            stage=model.stage,
        ) from error
    return folder(model.name)


def remove(name: str) -> bool:
    """Delete the model from this machine; return whether there was anything to delete."""
    where = folder(name)
    if not where.exists():
        return False
    shutil.rmtree(where)
    return True


def _fetch_verified(model: Model, files: tuple[ModelFile, ...], into: Path, monitor: Monitor) -> None:
    """Put the right `files` into `into`, from the first source that has them all."""
    from avatalk.models.fetch import FetchFailed, describe, fetch

    def report(done: int, total: int) -> None:
        monitor.report(model.stage, done, total, "bytes", f"fetching the {model.name} model")

    reasons: list[str] = []
    for source in model.sources:
        try:
            fetch(source, files, into, report)
        except FetchFailed as error:
            reasons.append(f"{describe(source)}: {error}")
            continue
        wrong = [file.name for file in files if not _is_good(into / file.name, file)]
        if not wrong:
            return
        reasons.append(f"{describe(source)}: {', '.join(wrong)} is not the expected file")
    raise ModelUnavailable(
        f"The model '{model.name}' could not be fetched ({'; '.join(reasons)}).",
        hint=f"Check the connection and pip's index and proxy settings, then run `avatalk models install"
        f" {model.name}`.",
        stage=model.stage,
    )


def _has_size(where: Path, file: ModelFile) -> bool:
    try:
        return where.stat().st_size == file.bytes
    except OSError:
        return False


def _is_good(where: Path, file: ModelFile) -> bool:
    if not _has_size(where, file):
        return False
    digest = hashlib.sha256()
    with where.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == file.sha256


def _move(source: Path, target: Path, file: ModelFile) -> None:
    try:
        source.replace(target)
    except PermissionError:
        # Windows refuses to replace a file that another process, which was faster, already reads.
        if not _is_good(target, file):
            raise
