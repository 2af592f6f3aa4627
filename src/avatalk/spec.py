"""Requests in files: as JSON, or inside a video that avatalk made."""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from avatalk.avatars.sources import is_file
from avatalk.compose.wish import read_ground, read_overlay
from avatalk.errors import BadInput, UnreadableFile
from avatalk.request import VideoRequest
from avatalk.video.tags import read_comment

PATHS = ("avatar", "audio", "voice_sample", "background", "overlay")
"""Fields that hold the path of a file, or may do so."""

_INSTEAD = {"audio": ("text",), "voice_sample": ("voice", "audio")}
"""What a field given besides makes the file of another one needless."""

_MAX_BYTES = 4_000_000
_MAX_TEXT = 10_000_000


def load_spec(path: str | Path) -> VideoRequest:
    """Read a request from a JSON file, or from the video it made.

    Paths in it are relative to the folder of `path`; one that is not there is looked for as it stands.

    Raises:
        UnreadableFile: `path` is missing or not readable.
        BadInput: it holds no request, or a wrong one.
    """
    return VideoRequest(**read_fields(Path(path)))


def read_fields(path: Path, given_too: Collection[str] = ()) -> dict[str, Any]:
    """The fields of the request in `path`, its own paths resolved; see `load_spec`.

    Args:
        path: of the JSON file or the video.
        given_too: names of fields that are given besides, whose files in `path` need not be there.
    """
    check_no_address(path, "spec")
    if not path.is_file():
        raise UnreadableFile(
            f"There is no file {path}.", hint="Check the name given to --spec.", field="spec"
        )
    try:
        fields = json.loads(_text_of(path))
    except ValueError as error:
        raise BadInput(
            f"{path} is not valid JSON ({error}).", hint="See `avatalk schema`.", field="spec"
        ) from error
    if not isinstance(fields, dict):
        raise BadInput(f"{path} holds no request.", hint="See `avatalk schema`.", field="spec")
    for name in PATHS:
        value = path_in(name, fields.get(name))
        if value is not None:
            found = next((file for file in (path.parent / value, Path(value)) if file.exists()), None)
            if found is None and not {name, *_INSTEAD.get(name, ())} & set(given_too):
                raise UnreadableFile(
                    f"The request in {path} needs {path.parent / value}, which is not there.",
                    hint=f"Put the file back, or give another with --{name.replace('_', '-')}.",
                    field=name,
                )
            fields[name] = fields[name].replace(value, str(found or value), 1)
    return fields


def path_in(name: str, value: object) -> str | None:
    """The path of a file that field `name` holds, if it holds one."""
    if not isinstance(value, str):
        return None
    try:
        if name == "background":
            return read_ground(value).path or None
        if name == "overlay":
            return read_overlay(value).path
    except ValueError:  # the request will say so
        return None
    return value if name != "avatar" or is_file(value) else None


def check_local(request: VideoRequest) -> None:
    """Raise `UnreadableFile` if a request names a file by an address, such as ``https://…``."""
    for name in PATHS:
        check_no_address(path_in(name, getattr(request, name)) or "", name)


def check_no_address(path: str | Path, field: str) -> None:
    """Raise `UnreadableFile` if `path` is an address: nothing but models is ever fetched here."""
    if _ADDRESS.match(str(path)):
        raise UnreadableFile(
            f"{path} is an address, and files are not fetched.",
            hint="Download it, and give the path of the file.",
            field=field,
        )


_ADDRESS = re.compile(r"(https?|ftps?|file|s3|gs|data|rtsp|rtmp):/", re.I)  # a Path has one slash of them


def keep_sources(request: VideoRequest, output: Path) -> None:
    """Raise `BadInput` if `output` is one of the files that it is made from."""
    for name in PATHS:
        source = path_in(name, getattr(request, name))
        if source and output.exists() and Path(source).exists() and output.samefile(source):
            raise BadInput(
                f"{output} is the {name.replace('_', ' ')} itself, and would be lost.",
                hint="Write the result under another name with -o.",
                stage="encode",
                field="output",
            )


def portable(request: VideoRequest, folder: Path) -> str:
    """The request as JSON for a file in `folder`, its paths relative to there where that is possible."""
    fields = json.loads(request.to_json())
    for name in PATHS:
        value = path_in(name, fields.get(name))
        if value is not None:
            try:
                moved = Path(os.path.relpath(value, folder)).as_posix()
            except ValueError:  # another drive on Windows
                moved = str(Path(value).absolute())
            if name == "background" and "/" not in moved and "." not in moved:
                moved = f"./{moved}"  # or it would be taken for a word
            fields[name] = fields[name].replace(value, moved, 1)
    return json.dumps(fields, ensure_ascii=False)


def read_text(path: Path) -> str:
    """Return the text in a file: UTF-8, or UTF-16 where its first bytes say so.

    Raises:
        UnreadableFile: it is missing, too large, or not text.
    """
    check_no_address(path, "file")
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_TEXT + 1)
    except OSError as error:
        raise _not_text(path, f"cannot be read ({(error.strerror or 'unknown reason').lower()})") from error
    if len(data) > _MAX_TEXT:
        raise _not_text(path, f"is larger than {_MAX_TEXT // 1_000_000} MB, some days of speech")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in data and not wide:
        raise _not_text(path, "is not text")
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _not_text(path, f"is not UTF-8 in line {line}") from error


_CUE = re.compile(r".*-->.*\n([\s\S]*)")
_MARKS = re.compile(r"</?[^>\n]*>")


def read_transcript(path: Path) -> str:
    """Return the words in a text file, or in captions (SRT, WebVTT) without their numbers, times and marks.

    Raises:
        UnreadableFile: it is missing, too large, or not text.
    """
    text = read_text(path)
    if path.suffix.lower() in (".srt", ".vtt"):
        cues = filter(None, map(_CUE.search, re.split(r"\n[ \t]*\n", "\n".join(text.splitlines()))))
        text = " ".join(_MARKS.sub("", " ".join(cue[1] for cue in cues)).split())  # sentences go on over cues
    return text


def _not_text(path: Path, what: str) -> UnreadableFile:
    hint = "Give a plain text file, saved as UTF-8."
    return UnreadableFile(f"{path} {what}.", hint=hint, stage="speech", field="file")


def _text_of(path: Path) -> str:
    """The text of a JSON file, or the comment of a video."""
    with path.open("rb") as file:
        start = file.read(_MAX_BYTES)
    if start.lstrip()[:1] in (b"{", b"[", b'"'):
        return start.decode("utf-8", errors="strict")
    return read_comment(path)
