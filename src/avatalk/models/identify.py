"""What a file is that is not, or may not be, the file that was wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from avatalk.errors import EngineUnavailable, UnreadableFile
from avatalk.models.manifest import Form, Model, ModelFile

PAGE = "is a web page (HTML), not a model"
_BLOCK = 1 << 20


def is_page(head: bytes) -> bool:
    """Whether a file that begins with `head` is a web page."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<script")) or b"<html" in start[:1024]


def checksum(path: Path, tell: Callable[[int], None] | None = None) -> str:
    """Return the SHA-256 of a file, lower-case hexadecimal; `tell` is told of the bytes read so far.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            if tell is not None:
                tell(stream.tell())
    return digest.hexdigest()


def published(sha256: str, models: Mapping[str, Model]) -> tuple[Model, ModelFile, Form] | None:
    """Return whose content has that checksum, if anybody's in the manifest."""
    for model in models.values():
        for file in model.files:
            for form in file.forms:
                if form.sha256 == sha256:
                    return model, file, form
    return None


def fault(path: Path, wanted: ModelFile, models: Mapping[str, Model]) -> str:
    """Say what `path` is, which was to be `wanted` and has another checksum.

    Returns:
        The rest of a sentence that begins with the file's name.
    """
    with path.open("rb") as stream:
        head = stream.read(1024)
    if is_page(head):
        return PAGE
    sha256, size = checksum(path), path.stat().st_size
    if other := published(sha256, models):
        return f"is another model: {other[0].name}"
    if wanted.kind:
        try:
            return _weights(path, wanted.kind)
        except UnreadableFile as error:
            return error.message.removeprefix(f"{path.name} ").rstrip(".")
        except EngineUnavailable:
            pass  # without PyTorch size and form have to do
    import zipfile

    least = min(form.bytes or wanted.bytes for form in wanted.forms)
    if size < least and not zipfile.is_zipfile(path):
        return f"is cut short: {size} of {least} bytes"
    return f"is another file: its SHA-256 is {sha256}, not {wanted.sha256}"


def _weights(path: Path, kind: str) -> str:
    from avatalk.models import checkpoints

    found = checkpoints.recognise(checkpoints.read_state_dict(path))
    if found == kind:
        return f"holds {checkpoints.KINDS[kind][0]}, but not the published weights"
    return f"is another model: {checkpoints.KINDS[found][0] if found else 'none that avatalk knows'}"
