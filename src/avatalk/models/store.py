"""Models on this machine: locate, install, verify, remove.

A model lies in ``<cache>/models/<name>/``. What is being fetched lies in ``<cache>/downloads/<name>/``, is
verified there and renamed into place file by file, so a reader sees a whole file or none. A lock lets one
process at a time install a model; what a killed one has left is gone on with, or goes, at the next install.
"""

from __future__ import annotations

import difflib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from avatalk import settings
from avatalk.errors import EngineUnavailable, ModelUnavailable, UnknownName
from avatalk.events import Monitor
from avatalk.lock import locked
from avatalk.models import licences, pipelines, piper
from avatalk.models.identify import checksum, fault
from avatalk.models.manifest import MODELS, Form, Model, ModelFile, Patience, Source

if TYPE_CHECKING:
    from avatalk.models.imports import Imported

_FORMS = "forms.json"
_TELLING = (piper.CARD, pipelines.LISTING)


@dataclass(frozen=True, slots=True)
class Store:
    """The models of a manifest in a cache folder.

    Args:
        models: the manifest, by name.
        cache: the folder.
        patience: with web servers.
    """

    models: Mapping[str, Model]
    cache: Path
    patience: Patience = Patience()  # noqa: RUF009 - frozen

    # --- what is here ------------------------------------------------------------------------------

    def get(self, name: str) -> Model:
        """Return the model of that name, or raise `UnknownName`."""
        if name in self.models:
            return self.models[name]
        if piper.is_voice(name):
            return piper.voice_model(name, self.cache / "models" / _place(name))
        name = pipelines.USUAL if name == pipelines.SHORT else name
        if pipelines.is_pipeline(name):
            return pipelines.pipeline_model(name, self.cache / "models" / _place(name))
        near = difflib.get_close_matches(name, (*self.models, piper.EXAMPLE, pipelines.USUAL), cutoff=0.4)
        near = near or sorted(self.models)
        raise UnknownName(f"There is no model '{name}'.", hint=f"Did you mean {', '.join(near)}?")

    def folder(self, name: str) -> Path:
        """Return where the files of the model lie, or would."""
        return self.cache / "models" / _place(self.get(name).name)

    def all(self) -> tuple[Model, ...]:
        """Return every model of the manifest, then of pipelines and Piper voices those here, and one more."""
        here = self.cache / "models"
        found = [pipelines.USUAL, *pipelines.installed_pipelines(here)]
        found += [piper.EXAMPLE, *piper.installed_voices(here)]
        return (*self.models.values(), *map(self.get, dict.fromkeys(found)))

    def installed(self, name: str) -> bool:
        """Whether every file of the model is here with its right size."""
        model = self.get(name)
        return all(self.has(model, file) for file in model.files)

    def has(self, model: Model, file: ModelFile) -> bool:
        """Whether that file of the model is here with its right size."""
        return _size(self.folder(model.name) / file.name) == self.kept(model)[file.name].bytes

    def verify(self, name: str) -> list[str]:
        """Return the names of the model's files that are missing or damaged."""
        return [file.name for file in self.bad_files(self.get(name))]

    def kept(self, model: Model) -> dict[str, Form]:
        """Return by file name which content is kept here, or would be: the usual one if nothing is noted."""
        usual = {file.name: file.forms[0] for file in model.files}
        try:
            noted = json.loads((self.folder(model.name) / _FORMS).read_text(encoding="utf-8"))
            return usual | {name: Form(**form) for name, form in noted.items() if name in usual}
        except (OSError, ValueError, TypeError, AttributeError):
            return usual

    def bad_files(self, model: Model) -> tuple[ModelFile, ...]:
        """Return the files that are missing or whose checksum is wrong."""
        folder, kept = self.folder(model.name), self.kept(model)
        return tuple(file for file in model.files if not _holds(folder / file.name, kept[file.name]))

    def path(self, name: str, file: str, monitor: Monitor | None = None) -> Path:
        """Return where `file` of the model lies, after installing the model if it is not here."""
        licences.check_use(self.get(name))
        if not self.installed(name):
            self.install(name, monitor)
        return self.folder(name) / file

    # --- changes -----------------------------------------------------------------------------------

    def install(self, name: str, monitor: Monitor | None = None, accept_licence: bool = False) -> Path:
        """Fetch what is missing or damaged of the model; return its folder."""
        monitor = monitor or Monitor()
        model = self.told(name, monitor)
        licences.check_use(model)
        with self.storing(model):
            if accept_licence:
                licences.accept(model, self.cache)
            if not self.bad_files(model):
                self.convert(model, monitor)
                return self.folder(name)
            licences.check_consent(model, self.cache, f"avatalk models install {name} --accept-license")
            _check_online(model)
            with self.working(model, monitor) as scratch:
                self._fetch(model, self.bad_files(model), scratch, monitor)
            self.convert(model, monitor)
        return self.folder(name)

    def told(self, name: str, monitor: Monitor | None = None) -> Model:
        """Return the model of that name; what tells its licence and its files is fetched if not here."""
        model, monitor = self.get(name), monitor or Monitor()
        card = tuple(f for f in model.files if f.name in _TELLING and not self.has(model, f))
        if not card:
            return model
        with self.storing(model):
            _check_online(model)
            with self.working(model, monitor) as scratch:
                self._fetch(model, card, scratch, Monitor(monitor.on_progress, monitor.cancelled))
        return self.get(name)

    def import_file(
        self,
        path: Path,
        monitor: Monitor | None = None,
        *,
        name: str | None = None,
        accept_licence: bool = False,
    ) -> Imported:
        """Copy a file from anywhere into place, after finding out which model's it is."""
        from avatalk.models.imports import import_file

        return import_file(self, path, monitor or Monitor(), name, accept_licence)

    def remove(self, name: str) -> bool:
        """Delete the model from this machine; return whether there was anything to delete."""
        model, where = self.get(name), self.folder(name)
        downloads = self.cache / "downloads" / _place(name)
        if not where.exists() and not downloads.exists():
            return False
        with self.storing(model), self.working(model, Monitor()):
            for file in model.files:
                _forget_conversions(where / file.name)
            if where.exists():
                shutil.rmtree(where)
        return True

    @contextmanager
    def working(self, model: Model, monitor: Monitor) -> Iterator[Path]:
        """Hold the model for oneself, with a folder for unfinished files that goes if all goes well."""
        scratch = self.cache / "downloads" / _place(model.name)
        scratch.mkdir(parents=True, exist_ok=True)

        def waiting() -> None:
            monitor.report(model.stage, message=f"another process installs the {model.name} model")

        with locked(scratch.with_name(f"{scratch.name}.lock"), waiting):
            scratch.mkdir(exist_ok=True)
            yield scratch
            shutil.rmtree(scratch)

    def put(self, model: Model, file: ModelFile, source: Path, form: Form) -> None:
        """Rename the verified file `source` into place and note which content it is."""
        folder = self.folder(model.name)
        noted = {name: kept for name, kept in self.kept(model).items() if kept != model.file(name).forms[0]}
        noted.pop(file.name, None)
        if form != file.forms[0]:
            noted[file.name] = form
        _forget_conversions(folder / file.name)
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        _move(source, folder / file.name, form)
        note = folder / _FORMS
        if noted:
            whole = source.with_name(_FORMS)
            whole.write_text(json.dumps({name: _fields(form) for name, form in noted.items()}, indent=1))
            whole.replace(note)
        else:
            note.unlink(missing_ok=True)

    def convert(self, model: Model, monitor: Monitor) -> None:
        """Make the fast form of the files that are here; where packages lack, their first use does."""
        for file in model.files:
            if file.convert and self.has(model, file):
                module, _, function = file.convert.partition(":")
                with suppress(EngineUnavailable):
                    getattr(import_module(module), function)(self.folder(model.name) / file.name, monitor)

    def _fetch(self, model: Model, files: tuple[ModelFile, ...], into: Path, monitor: Monitor) -> None:
        """Put the right `files` in place, from the first sources that have them."""
        reasons = []
        for source in model.sources:
            if not files:
                return
            files, why = self._fetch_from(source, model, files, into, monitor)
            if why:
                reasons.append(f"{source}: {why}")
        if files:
            raise ModelUnavailable(
                f"The model '{model.name}' could not be fetched ({'; '.join(reasons)}).",
                hint="Check the connection and the proxy settings (pip's too) and run `avatalk models install"
                f" {model.name}` again, or bring the file from elsewhere: `avatalk models import FILE`.",
                stage=model.stage,
            )

    def _fetch_from(
        self, source: Source, model: Model, files: tuple[ModelFile, ...], into: Path, monitor: Monitor
    ) -> tuple[tuple[ModelFile, ...], str]:
        """Put in place what `source` gives; return which files are still wanted, and why."""
        from avatalk.models.fetch import fetch
        from avatalk.models.web import FetchFailed

        def report(done: int, total: int) -> None:
            monitor.report(model.stage, done, total, "bytes", f"fetching the {model.name} model")

        try:
            went_on = fetch(source, files, into, self.patience, report)
        except FetchFailed as error:
            return files, str(error)
        wanted, why, recorded = [], [], []
        for file in files:
            got = into / file.name
            sha256 = checksum(got)
            form = next((form for form in file.forms if form.sha256 in (sha256, "")), None)
            if form is not None and not form.sha256:
                form = Form(0, sha256, "as it came at the first install")
                recorded.append(f"{file.name}: {sha256}")
            if form is None:
                wanted.append(file)
                why.append(f"{file.name} {fault(got, file, self.models)}")
                got.unlink()
            else:
                self.put(model, file, got, Form(got.stat().st_size, sha256, form.title))
        if recorded:
            monitor.warn(
                f"Nobody has published a checksum of {', '.join(line.split(':')[0] for line in recorded)};"
                f" what came from {source} is kept, and recorded: {', '.join(recorded)}"
            )
        if wanted and went_on:  # the beginning that lay here may have been at fault
            return self._fetch_from(source, model, tuple(wanted), into, monitor)
        return tuple(wanted), ", ".join(why)

    @contextmanager
    def storing(self, model: Model) -> Iterator[None]:
        """Say what failing storage means for the user."""
        try:
            yield
        except OSError as error:
            raise ModelUnavailable(
                f"The model '{model.name}' cannot be stored in {self.folder(model.name)}:"
                f" {error.strerror or error}.",
                hint="Make room, or set AVATALK_CACHE to a folder that can be written.",
                stage=model.stage,
            ) from error


def _place(name: str) -> Path:
    """Return the folder of a model below that of all; Windows allows no colon in a name."""
    return Path("diffusion", pipelines.place(name)) if pipelines.is_pipeline(name) else Path(*name.split(":"))


def _check_online(model: Model) -> None:
    if not model.sources:
        raise UnknownName(
            f"There is no model '{model.name}' to fetch.",
            hint=f"Piper voices and pipelines are named as on their hub, such as {piper.EXAMPLE} and"
            f" {pipelines.USUAL}; one of your own is brought with `avatalk models import`.",
        )
    if settings.offline():
        raise ModelUnavailable(
            f"The model '{model.name}' is not on this machine, and AVATALK_OFFLINE forbids fetching it.",
            hint=f"Run `avatalk models install {model.name}` once without AVATALK_OFFLINE, or bring the"
            " file from another machine: `avatalk models import FILE`.",
            stage=model.stage,
        )


def here() -> Store:
    """Return the store of this machine."""
    return Store(MODELS, settings.cache_dir())


def _size(path: Path) -> int:
    """Return the bytes of a file, -1 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _holds(path: Path, form: Form) -> bool:
    return _size(path) == form.bytes and checksum(path) == form.sha256


def _fields(form: Form) -> dict[str, object]:
    return {"bytes": form.bytes, "sha256": form.sha256, "title": form.title}


def _forget_conversions(path: Path) -> None:
    """Delete what engines made from the file at `path`, before it is replaced or deleted."""
    if path.exists():
        from avatalk.models.runtime import converted

        shutil.rmtree(converted(path, "any").parent, ignore_errors=True)


def _move(source: Path, target: Path, form: Form) -> None:
    try:
        source.replace(target)
    except PermissionError:
        # Windows refuses to replace a file that another process reads.
        if not _holds(target, form):
            raise
