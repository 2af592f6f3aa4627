"""Model files that the user brings: recognised by checksum, else by content, and copied into place."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from avatalk.errors import EngineUnavailable, UnreadableFile
from avatalk.events import STAGES, Monitor
from avatalk.models import licences, pipelines, piper
from avatalk.models.archives import matching, names_in
from avatalk.models.identify import checksum, fault, published
from avatalk.models.manifest import Form, Model, ModelFile

if TYPE_CHECKING:
    from avatalk.models.store import Store

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file turned out to be, now in place.

    Attributes:
        model: whose it is.
        files: which files of the model it gave.
        what: it is, one sentence.
        published: whether its SHA-256 is one of the manifest; if not, it was recognised by its content.
        missing: files that the model still lacks.
    """

    model: str
    files: tuple[str, ...]
    what: str
    published: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Find:
    """A file of a model, found as `path`, as `member` of the zip file `path`, or made at the import."""

    file: ModelFile
    form: Form
    path: Path
    member: str = ""
    made: bytes = b""

    @contextlib.contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        if self.made:
            yield io.BytesIO(self.made)
        elif not self.member:
            with self.path.open("rb") as stream:
                yield stream
        else:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as stream:
                yield stream


def import_file(
    store: Store, path: Path, monitor: Monitor, name: str | None, accept_licence: bool
) -> Imported:
    """Do what `avatalk.models.import_file` says, in `store`."""
    try:
        if (brought := _pipeline(path, name)) is not None:
            model, finds = brought
            known = False
        elif (together := _together(store, path, name)) is not None:
            model, finds = together
            known = all(find.form.sha256 in [form.sha256 for form in find.file.forms] for find in finds)
        elif path.name.endswith((".onnx", ".onnx.json")):
            model, finds = _voice(path, name)
            known = all(
                find.form.sha256 == find.file.sha256 for find in finds if find.file.name != piper.CARD
            )
        elif path.name.endswith(".pb"):
            model, finds = _graph(store, path, name)
            known = False
        else:
            wanted = None if name is None else store.get(name)
            by_checksum = _by_checksum(store, path, monitor)
            model, finds = by_checksum or _by_content(store, path, wanted)
            known = by_checksum is not None
            if wanted not in (None, model):
                raise UnreadableFile(
                    f"{path.name} is the model {model.name}, not {name}.",
                    hint="Leave out the name, or give its file.",
                )
    except (OSError, zipfile.BadZipFile) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UnreadableFile(f"{path} cannot be read: {reason}.", hint="Check the file.") from error
    licences.check_use(model)
    with store.storing(model):
        if accept_licence:
            licences.accept(model, store.cache)
        licences.check_consent(model, store.cache, f"avatalk models import {path.name} --accept-license")
        with store.working(model, monitor) as scratch:
            for find in finds:
                (scratch / find.file.name).parent.mkdir(parents=True, exist_ok=True)
                _copy(find, scratch / find.file.name, model, monitor)
            if model.check and not known:
                _check(model, scratch)
            for find in finds:
                store.put(model, find.file, scratch / find.file.name, find.form)
        store.convert(model, monitor)
    return Imported(
        model=model.name,
        files=tuple(find.file.name for find in finds),
        what=_sentence(path, model, finds, known),
        published=known,
        missing=tuple(file.name for file in model.files if not store.has(model, file)),
    )


def _pipeline(path: Path, name: str | None) -> tuple[Model, list[_Find]] | None:
    """Return the pipeline that lies in the folder or zip `path`, named like it; None if there is none."""
    indexes = [inside for inside in names_in(path) if PurePosixPath(inside).name == pipelines.INDEX]
    if not indexes:
        return None
    top = PurePosixPath(min(indexes, key=len)).parent
    inside = [PurePosixPath(one) for one in names_in(path)]
    inside = [one.relative_to(top) for one in inside if one.is_relative_to(top)]
    stem = path.resolve().stem if path.is_file() else path.resolve().name
    name = name or pipelines.PREFIX + re.sub("[^A-Za-z0-9._]+", "-", stem).strip("-._")[:96]
    name = pipelines.USUAL if name == pipelines.SHORT else name
    if not pipelines.is_pipeline(name):
        raise _unusable(path, f"holds a pipeline, which {name} cannot name")
    paths = pipelines.wanted(one.as_posix() for one in inside)
    found = [_member(path, ModelFile(one, 0, ""), (top / one).as_posix()) for one in paths]
    licence = ""
    if PurePosixPath("README.md") in inside:
        card = _member(path, ModelFile("README.md", 0, ""), (top / "README.md").as_posix())
        with card.open() as stream:
            licence = pipelines.licence_of(stream.read(_BLOCK).decode("utf-8", "replace"))
    files = {find.file.name: (find.form.bytes, find.form.sha256) for find in found}
    model, listing = pipelines.brought_model(name, licence, files)
    # The listing first: only with it the others are files of the model.
    form = Form(len(listing), hashlib.sha256(listing).hexdigest(), "made at the import")
    finds = [_Find(model.files[0], form, path, made=listing)]
    finds += [
        replace(find, file=file, form=Form(file.bytes, file.sha256))
        for file, find in zip(model.files[1:], found, strict=True)
    ]
    return replace(model, files=tuple(find.file for find in finds)), finds


def _together(store: Store, path: Path, name: str | None) -> tuple[Model, list[_Find]] | None:
    """Return the model whose files all lie in the folder or zip `path`; None if it is a file by itself."""
    names = names_in(path)
    lacking = []
    for model in store.models.values():
        if not model.check or name not in (None, model.name):
            continue
        found = matching(names, model.files)
        if len(found) == len(model.files):
            return model, [_member(path, file, found[file.name]) for file in model.files]
        if found:
            lacking.append(
                f"for {model.name} it lacks {', '.join(f.name for f in model.files if f.name not in found)}"
            )
    if path.is_dir():
        raise UnreadableFile(
            f"{path} is a folder without a whole model in it{': ' if lacking else ''}{'; '.join(lacking)}.",
            hint="Give the folder or zip that holds all files of a model; other models file by file.",
        )
    return None


def _member(path: Path, file: ModelFile, name: str) -> _Find:
    """Return the file that lies as `name` in the folder or zip `path`."""
    find = _Find(file, Form(0, ""), path / name) if path.is_dir() else _Find(file, Form(0, ""), path, name)
    digest, size = hashlib.sha256(), 0
    with find.open() as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    known = next((form for form in file.forms if form.sha256 == digest.hexdigest()), None)
    return replace(find, form=known or Form(size, digest.hexdigest(), f"from {path.name}"))


def _check(model: Model, folder: Path) -> None:
    """Let the engine try whether it can use the files in `folder`."""
    module, _, function = model.check.partition(":")
    try:
        check = getattr(import_module(module), function)
    except ImportError as error:
        raise EngineUnavailable(
            f"The files of {model.name} are not the published ones, and to try whether they fit, {error.name}"
            " is needed.",
            hint="pip install 'avatalk[coqui]'",
            stage=model.stage,
        ) from error
    check(folder)


def _voice(path: Path, name: str | None) -> tuple[Model, list[_Find]]:
    """Return the files of the Piper voice of which `path` is one; the others lie beside it."""
    graph = path.with_name(path.name.removesuffix(".json"))
    name = name or f"{piper.PREFIX}{graph.stem}"
    if not piper.is_voice(name):
        raise _unusable(path, f"holds a Piper voice, which {name} cannot name")
    piper.read_config(graph.with_name(f"{graph.name}.json"))
    piper.check_graph(graph)
    model = piper.voice_model(name, graph.parent)
    finds = []
    for file in model.files:
        ending = file.name.removeprefix(name.removeprefix(piper.PREFIX))
        there = graph.with_name(piper.CARD if file.name == piper.CARD else graph.stem + ending)
        if there.exists():
            sha256 = checksum(there)
            title = "" if sha256 == file.sha256 else f"from {there.name}"
            finds.append(_Find(file, Form(there.stat().st_size, sha256, title), there))
    return replace(model, files=tuple(find.file for find in finds)), finds


def _graph(store: Store, path: Path, name: str | None) -> tuple[Model, list[_Find]]:
    """Return the model that `path` is, a frozen graph; whether it fits is tried later."""
    model = next((one for one in store.models.values() if one.files[0].name.endswith(".pb")), None)
    if model is None or name not in (None, model.name):
        raise _unusable(path, "is a TensorFlow graph" + (f", which {name} is not" if name else ""))
    (file,) = model.files
    return model, [_Find(file, Form(path.stat().st_size, checksum(path), f"from {path.name}"), path)]


def _sentence(path: Path, model: Model, finds: list[_Find], known: bool) -> str:
    if model.name.startswith(pipelines.PREFIX):
        return (
            f"{path.name} holds a pipeline of diffusers, {len(finds) - 1} files, licence: {model.licence};"
            " only who gave it can vouch for it"
        )
    if not known:
        last = finds[-1]
        if not last.file.sha256:
            return (
                f"{last.path.name} is a graph that fits {model.title}; nobody has published a checksum of it,"
                f" and its own is recorded ({last.form.sha256})"
            )
        return (
            f"{last.path.name} holds weights that fit {model.title}, but its SHA-256 is none of the published"
            f" ones ({last.form.sha256}): only who gave it can vouch for it"
        )
    if len(finds) > 1 or finds[0].member:
        return f"{path.name} holds {len(finds)} published files of {model.title}"
    return f"{path.name} is {model.title}, {finds[0].form.title or 'as published'}"


def _by_checksum(store: Store, path: Path, monitor: Monitor) -> tuple[Model, list[_Find]] | None:
    """Return the files of the manifest that `path` is, or holds as the wheel they are published in."""
    size = path.stat().st_size

    def tell(done: int) -> None:
        # Whose stage it is shows only afterwards.
        monitor.report(STAGES[0], done, size, "bytes", f"reading {path.name}")

    sha256 = checksum(path, tell)
    if found := published(sha256, store.models):
        model, file, form = found
        return model, [_Find(file, Form(size, sha256, form.title), path)]
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member.file_size for member in archive.infolist()}
    for model in store.models.values():
        finds = [
            _Find(file, file.forms[0], path, file.member)
            for file in model.files
            if file.member and members.get(file.member) == file.bytes
        ]
        if finds:
            return model, finds
    return None


def _by_content(store: Store, path: Path, wanted: Model | None) -> tuple[Model, list[_Find]]:
    """Return whose weights `path` holds, after trying whether they fit; `wanted` decides between several."""
    from avatalk.models import checkpoints

    everything = [(model, file) for model in store.models.values() for file in model.files]
    alone = [file for model, file in everything if not model.check]  # model.pth can be anybody's
    namesake = next((file for file in alone if file.name == path.name), None)
    try:
        if namesake is not None and not namesake.kind:
            raise _unusable(path, fault(path, namesake, store.models))
        kind = checkpoints.recognise(checkpoints.read_state_dict(path))
        fitting = [(model, file) for model, file in everything if kind is not None and file.kind == kind]
        if wanted is not None:
            fitting = [(model, file) for model, file in fitting if model is wanted]
        if not fitting:
            held = checkpoints.KINDS[kind][0] if kind else "another model than those of avatalk"
            raise _unusable(path, f"holds {held}" + (f", not {wanted.title}" if wanted else ""))
        model, file = _best_named(path, fitting)
        module, _, network = file.network.partition(":")
        checkpoints.load_weights(getattr(import_module(module), network)(), path, file.kind)
    except EngineUnavailable as error:
        if namesake is not None and path.stat().st_size < namesake.bytes:
            raise _unusable(path, fault(path, namesake, store.models)) from error
        raise EngineUnavailable(
            f"{path.name} is none of the published files, and what else it is cannot be told yet:"
            f" {error.message}",
            hint=error.hint,
        ) from error
    return model, [_Find(file, Form(path.stat().st_size, checksum(path), f"from {path.name}"), path)]


def _best_named(path: Path, fitting: list[tuple[Model, ModelFile]]) -> tuple[Model, ModelFile]:
    """Return the model whose name is most of the file's name, else the first: content tells no more."""
    stem = _letters(path.stem)

    def likeness(entry: tuple[Model, ModelFile]) -> int:
        name = _letters(entry[0].name)
        return len(name) if name in stem else 0

    return max(fitting, key=likeness)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _copy(find: _Find, target: Path, model: Model, monitor: Monitor) -> None:
    """Copy what was found to `target` and check that it arrived."""
    with find.open() as stream, target.open("wb") as copy:
        while block := stream.read(_BLOCK):
            copy.write(block)
            monitor.report(
                model.stage, copy.tell(), find.form.bytes, "bytes", f"copying the {model.name} model"
            )
        copy.flush()
        os.fsync(copy.fileno())
    if checksum(target) != find.form.sha256:
        target.unlink()
        raise _unusable(find.path, f"does not hold {find.file.name} as it was published, or is damaged")


def _unusable(path: Path, what: str) -> UnreadableFile:
    return UnreadableFile(f"{path.name} {what}.", hint="Give another copy, or `avatalk models install NAME`.")
