"""Files on their way in: straight to disk, with their hash taken on the way, and gone again whatever happens.

What arrives lies in a folder of this process until the request is answered; what a killed process left there
goes at the next start. That it keeps coming is seen to by `avatalk.service.guard`.
"""

from __future__ import annotations

import errno
import hashlib
import secrets
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from avatalk import settings
from avatalk.errors import BadInput, StorageError, TooLarge
from avatalk.workspace import TemporaryFolder, clear_left

_BLOCK = 1 << 18
_MOST_FIELDS = 100
_FIELD_BYTES = 1 << 20
_AROUND_BYTES = 1 << 20  # of a form: boundaries and headers
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has arrived.

    Attributes:
        path: where it lies, for as long as its request lasts.
        name: what the client calls it, cleaned; never a path.
        bytes: how many.
        sha256: of its content, hexadecimal.
    """

    path: Path
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Form:
    """What a request brought.

    Attributes:
        files: by the name of the field; a field without a file is not there.
        fields: all others, as text.
    """

    files: dict[str, Upload] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


class Spool:
    """The folder of a process for files on their way.

    Args:
        folder: that of all processes; what those left that are gone is removed.

    Raises:
        StorageError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            clear_left(folder)
            self._folder = TemporaryFolder(folder)
        except OSError as error:
            raise _full(error) from error

    def new(self) -> Path:
        """A name in the folder that nobody has."""
        return Path(self._folder.name) / secrets.token_hex(16)

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()


def shown_name(name: str) -> str:
    """A name that a client gave, made fit to be shown: no folders, nothing invisible, not long."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = "".join(" " if sign.isspace() else sign for sign in unicodedata.normalize("NFC", name))
    name = " ".join("".join(sign for sign in name if unicodedata.category(sign)[0] != "C").split())
    if len(name) > _LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: _LONGEST_NAME - 11]}….{ending}" if dot and len(ending) < 10 else name[:_LONGEST_NAME]
    return name if name.strip(". ") else "file"


@asynccontextmanager
async def received(
    request: Request, spool: Spool, *, most_files: int = 1, name: str = ""
) -> AsyncIterator[Form]:
    """What a request brings, until the end of the block: a form of several parts, else its body as ``file``.

    Args:
        request: whose body was not read yet.
        spool: where files lie.
        most_files: how many may come.
        name: what a body that is no form is called.

    Raises:
        TooLarge: it says, or turns out, to be larger than this machine takes.
        BadInput: the form is broken, or ends too early.
        StorageError: the disk is full.
    """
    limit = int(settings.number("max_upload_mb") * 1e6)
    kind, options = parse_options_header(request.headers.get("content-type"))
    is_form = kind == b"multipart/form-data"
    most = limit * most_files + _AROUND_BYTES if is_form else limit
    claimed = request.headers.get("content-length", "")
    if claimed.isascii() and claimed.isdecimal() and (len(claimed) > 18 or int(claimed) > most):
        raise _too_large(limit)
    sink: _Parts | _Body = (
        _Parts(options.get(b"boundary", b""), spool, limit, most_files)
        if is_form
        else _Body(spool, limit, name)
    )
    try:
        async for block in _blocks(request, most, limit):
            await to_thread.run_sync(sink.write, block)
        yield await to_thread.run_sync(sink.end)
    except ClientDisconnect as error:
        raise BadInput("The upload broke off.", hint="Send it again.") from error
    finally:
        sink.discard()


async def _blocks(request: Request, most: int, limit: int) -> AsyncIterator[bytes]:
    """The body in blocks of a good size, within the limit."""
    total, held = 0, bytearray()
    async for part in request.stream():
        total += len(part)
        if total > most:
            raise _too_large(limit)
        held += part
        if len(held) >= _BLOCK:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


class Spooled:
    """A file that is being written into a spool.

    Args:
        spool: where.
        limit: most bytes it may have.
        name: what others call it.

    Raises:
        StorageError: it cannot be written.
    """

    def __init__(self, spool: Spool, limit: int, name: str) -> None:
        self.path, self._limit, self._name = spool.new(), limit, shown_name(name)
        self.bytes, self._digest = 0, hashlib.sha256()
        try:
            self._file: BinaryIO = self.path.open("xb")
        except OSError as error:
            raise _full(error) from error

    def expect(self, size: int) -> None:
        """Learn how large it will be.

        Raises:
            TooLarge: larger than it may.
        """
        if size > self._limit:
            raise _too_large(self._limit)

    def write(self, block: bytes) -> None:
        """Add a block.

        Raises:
            TooLarge: it becomes larger than it may.
            StorageError: the disk is full.
        """
        self.bytes += len(block)
        self.expect(self.bytes)
        self._digest.update(block)
        try:
            self._file.write(block)
        except OSError as error:
            raise _full(error) from error

    def end(self) -> Upload:
        """Close it, and tell what it is.

        Raises:
            StorageError: the disk is full.
        """
        try:
            self._file.close()
        except OSError as error:
            raise _full(error) from error
        return Upload(self.path, self._name, self.bytes, self._digest.hexdigest())

    def discard(self) -> None:
        """Remove it, if it is still there."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


class _Body:
    """A body that is one file."""

    def __init__(self, spool: Spool, limit: int, name: str) -> None:
        self._file = Spooled(spool, limit, name)
        self.write, self.discard = self._file.write, self._file.discard

    def end(self) -> Form:
        return Form({"file": self._file.end()})


class _Parts:
    """A form of several parts (RFC 7578)."""

    def __init__(self, boundary: bytes, spool: Spool, limit: int, most_files: int) -> None:
        self._spool, self._limit, self._most = spool, limit, most_files
        self._form, self._files = Form(), list[Spooled]()
        self._file: Spooled | None = None
        self._text = bytearray()
        self._header, self._headers = ["", ""], dict[str, str]()
        self._field, self._given, self._whole = "", False, False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._head(0, data[start:end]),
                    "on_header_value": lambda data, start, end: self._head(1, data[start:end]),
                    "on_header_end": self._keep_header,
                    "on_headers_finished": self._open,
                    "on_part_data": lambda data, start, end: self._add(data[start:end]),
                    "on_part_end": self._close,
                    "on_end": self._finish,
                },
            )
        except FormParserError as error:
            raise _broken() from error
        if not boundary:
            raise _broken()

    def write(self, block: bytes) -> None:
        try:
            self._parser.write(block)
        except FormParserError as error:
            raise _broken() from error

    def end(self) -> Form:
        if not self._whole:
            raise BadInput("The form ends too early.", hint="Send it again.")
        return self._form

    def discard(self) -> None:
        for file in self._files:
            file.discard()

    def _begin(self) -> None:
        self._headers.clear()
        self._text.clear()
        self._file = None

    def _head(self, place: int, data: bytes) -> None:
        self._header[place] += data.decode("latin-1")

    def _keep_header(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = ["", ""]

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        self._field = _text_of(options.get(b"name", b""))
        if not self._field or self._field in self._form.fields or self._field in self._form.files:
            what = f"has two fields {shown_name(self._field)}" if self._field else "has a part without a name"
            raise BadInput(f"The form {what}.", hint="Name every part, each once.")
        if b"filename" in options:
            if len(self._form.files) == self._most:
                raise BadInput(f"The form brings more than {self._most} files.", hint="Send them one by one.")
            self._given = bool(options[b"filename"])
            self._file = Spooled(self._spool, self._limit, _text_of(options[b"filename"]))
            self._files.append(self._file)
        elif len(self._form.fields) == _MOST_FIELDS:
            raise BadInput(f"The form has more than {_MOST_FIELDS} fields.", hint="See /docs.")

    def _add(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)
        elif len(self._text) + len(data) > _FIELD_BYTES:
            raise TooLarge(
                f"The field {shown_name(self._field)} is too long.", hint="Send it as a file.", field=None
            )
        else:
            self._text += data

    def _close(self) -> None:
        if self._file is None:
            self._form.fields[self._field] = self._text.decode("utf-8", "replace")
        else:
            upload = self._file.end()
            if self._given or upload.bytes:  # a page sends an empty one where nothing was chosen
                self._form.files[self._field] = upload

    def _finish(self) -> None:
        self._whole = True


def _text_of(name: bytes) -> str:
    """Names come as UTF-8, which was read as Latin-1 where it went through a header."""
    return name.decode("utf-8", "replace")


def _broken() -> BadInput:
    return BadInput("The form cannot be read.", hint="Send it as multipart/form-data with a boundary.")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        "The upload is too large.",
        hint=f"Up to {limit / 1e6:g} MB are taken here (max_upload_mb).",
        field="file",
    )


def _full(error: OSError) -> StorageError:
    what = "there is no space left" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error.strerror)
    return StorageError(
        f"The upload cannot be kept: {what.lower()}.", hint="Look at the data folder of the server."
    )
