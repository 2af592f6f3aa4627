"""Downloads over HTTP that go on where they were broken off.

What has arrived lies in a part file, and beside it the validator (ETag or Last-Modified, RFC 9110) of what
the server sent, so that a later attempt, also of a later process, asks for the rest of that same content.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from avatalk.models.drive import confirmed
from avatalk.models.identify import PAGE, is_page
from avatalk.models.manifest import Archive, Drive, Hub, ModelFile, Patience, Web

Report = Callable[[int, int], None]
"""Called with the bytes fetched and the bytes in all; may raise to stop."""

_BLOCK = 1 << 18
_HEAD = 1024
_PAGE = 1 << 20
_MOST = 4_000_000_000  # of a file whose size nobody knows
_LONGEST_PAUSE_S = 60.0
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
_NOBODY_THERE = (socket.gaierror, ConnectionRefusedError, FileNotFoundError)


class FetchFailed(Exception):
    """This source does not have the files or cannot be reached; the next one may."""


class _Broken(Exception):
    """This attempt failed; another may not.

    Args:
        what: for people.
        pause_s: how long the server asks to be left alone.
        hopeful: False where nobody answers: no use in asking again before anything has come.
    """

    def __init__(self, what: str, pause_s: float = 0.0, hopeful: bool = True) -> None:
        super().__init__(what)
        self.pause_s, self.hopeful = pause_s, hopeful


@dataclass(slots=True)
class Download:
    """One file from one address.

    Args:
        source: where from.
        file: which.
        part: where what has arrived is kept; complete when `run` returns.
        patience: how long to wait and how often to try.
        report: told of the bytes.
    """

    source: Web | Drive | Archive | Hub
    file: ModelFile
    part: Path
    patience: Patience
    report: Report

    def run(self) -> bool:
        """Fetch the file, or the rest of it; return whether an earlier beginning was used.

        Raises:
            FetchFailed: the source does not give it.
            OSError: the part cannot be written.
        """
        opener = build_opener(HTTPCookieProcessor())  # it asks through the proxies of the usual variables
        furthest = begun = self._arrived()
        failures = 0
        while True:
            broken = self._attempt(opener)
            if broken is None:
                return begun > 0
            here = self._arrived()
            failures = 1 if here > furthest else failures + 1
            furthest = max(furthest, here)
            if failures > self.patience.retries or not (broken.hopeful or here > begun):
                raise FetchFailed(str(broken)) from broken
            self._wait(max(broken.pause_s, self.patience.pause_s * 2 ** (failures - 1)))

    def _attempt(self, opener: OpenerDirector) -> _Broken | None:
        """Ask once for what is missing, and append it to the part; return what went wrong."""
        try:
            self._ask(opener)
        except _Broken as error:
            return error
        return None

    def _ask(self, opener: OpenerDirector) -> None:
        begun = self._arrived()
        try:
            answer, head = self._open(opener, self.source.url(self.file), begun)
        except HTTPError as error:
            if error.code != 416:
                raise _refusal(error) from error
            if error.headers.get("Content-Range") == f"bytes */{begun}":
                return  # an earlier process had it all
            self._forget()
            raise _Broken("the server has less than had arrived") from error
        with closing(answer):
            rest = _is_rest(answer)
            if rest and not self._fits(answer, begun):
                self._forget()
                raise _Broken("the server gave another part than it was asked for")
            self._save(answer, head, begun if rest else 0)

    def _open(
        self, opener: OpenerDirector, url: str, begun: int, asked_back: bool = False
    ) -> tuple[Any, bytes]:
        """Return the answer with the file or the rest of it, and the file's first bytes, taken off it."""
        headers = {"User-Agent": "avatalk"}
        if begun:
            headers |= {"Range": f"bytes={begun}-", "If-Range": self._validator()}
        with _network():
            answer = opener.open(Request(url, headers=headers), timeout=self.patience.timeout_s)
            head = b"" if _is_rest(answer) else answer.read(_HEAD)
            if not is_page(head):
                return answer, head
            with closing(answer):
                page = (head + answer.read(_PAGE)).decode("utf-8", "replace")
        onward = confirmed(page, answer.url) if isinstance(self.source, Drive) else None
        if onward is None or asked_back:
            raise FetchFailed(f"{self.file.name} {PAGE}")
        return self._open(opener, onward, begun, asked_back=True)

    def _save(self, answer: Any, head: bytes, begun: int) -> None:
        """Append what comes to the first `begun` bytes of the part."""
        length = answer.headers.get("Content-Length") or ""
        total = begun + int(length) if length.isdigit() else 0
        most = max(form.bytes for form in self.file.forms) or _MOST
        with self.part.open("ab" if begun else "wb") as target:
            if not begun:
                self._beside().write_text(_validator_of(answer), encoding="latin-1")
            block = head or _read(answer)
            while block:
                target.write(block)
                if max(target.tell(), total) > most:
                    self._forget()
                    raise FetchFailed(f"{self.file.name} is another file: larger than {_mb(most)}")
                self.report(target.tell(), total or self.file.bytes)
                block = _read(answer)
            done, least = target.tell(), total or min(form.bytes for form in self.file.forms)
            if done < least:
                raise _Broken(
                    f"{self.file.name} is cut short: the connection broke after {_mb(done)} of {_mb(least)}"
                )
            target.flush()
            os.fsync(target.fileno())

    def _wait(self, pause_s: float) -> None:
        end = time.monotonic() + min(pause_s, _LONGEST_PAUSE_S)
        while time.monotonic() < end:
            self.report(self._arrived(), self.file.bytes)
            time.sleep(min(0.1, self.patience.pause_s))

    # --- what has arrived --------------------------------------------------------------------------

    def _arrived(self) -> int:
        """Bytes to go on from; 0 where nothing tells whether the server still has the same content."""
        return self.part.stat().st_size if self.part.exists() and self._validator() else 0

    def _validator(self) -> str:
        return self._beside().read_text(encoding="latin-1") if self._beside().exists() else ""

    def _beside(self) -> Path:
        return self.part.with_name(f"{self.part.name}.validator")

    def _fits(self, answer: Any, begun: int) -> bool:
        """Whether a partial answer goes on where the part ends, with the same content."""
        where = answer.headers.get("Content-Range") or ""
        return where.startswith(f"bytes {begun}-") and _validator_of(answer) in ("", self._validator())

    def _forget(self) -> None:
        self._beside().unlink(missing_ok=True)


def _validator_of(answer: Any) -> str:
    """Return what identifies the content exactly; empty if the server says nothing of the kind."""
    tag = str(answer.headers.get("ETag") or "")
    return tag if tag.startswith('"') else str(answer.headers.get("Last-Modified") or "")


def _is_rest(answer: Any) -> bool:
    return getattr(answer, "status", None) == 206


def _read(answer: Any) -> bytes:
    with _network():
        block: bytes = answer.read1(_BLOCK)
    return block


@contextmanager
def _network() -> Iterator[None]:
    """Tell failures of the network from those of the disk."""
    try:
        yield
    except HTTPError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, (ssl.SSLCertVerificationError, ValueError, str)):
            raise FetchFailed(str(reason)) from error
        what = str(reason) or type(reason).__name__
        raise _Broken(what, hopeful=not isinstance(reason, _NOBODY_THERE)) from error


def _refusal(error: HTTPError) -> Exception:
    what = f"the server answered {error.code} {error.reason}".strip()
    if error.code not in _TRANSIENT:
        return FetchFailed(what)
    pause = error.headers.get("Retry-After") or ""
    return _Broken(what, float(pause) if pause.isdigit() else 0.0)


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
