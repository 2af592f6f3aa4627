"""Talks to a service over HTTP: tries again where that can help, and raises its errors as its own."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx

from avatalk._version import __version__
from avatalk.client.shapes import error_of
from avatalk.errors import AvatalkError, BadInput, Unreachable

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 10.0
_PASSING = (429, 502, 503, 504)
_LOST = (httpx.TransportError, httpx.StreamError)

_NO_KEY = (
    "Set AVATALK_KEY to a key of this service, avk_ and 43 more. Who runs it makes one there: "
    "`avatalk keys create NAME`."
)
_WRONG_KEY = "Look at AVATALK_KEY. Who runs the service makes a new one there: `avatalk keys create NAME`."

Content = Callable[[], AsyncIterator[bytes]]


class Patience:
    """How long to try again, and when.

    Args:
        seconds: since the last success.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Something went well: begin anew."""
        self._until, self._wait = time.monotonic() + self._seconds, _FIRST_WAIT_S

    async def wait(self, error: AvatalkError, at_least_s: float = 0.0) -> None:
        """Wait before the next attempt.

        Raises:
            AvatalkError: `error`, if there is no patience left.
        """
        pause = max(at_least_s, self._wait * random.uniform(0.5, 1.0))
        if time.monotonic() + pause > self._until:
            raise error
        await anyio.sleep(pause)
        self._wait = min(2 * self._wait, _LONGEST_WAIT_S)


class Connection:
    """A service at a URL.

    Args:
        url: of the service, such as ``http://127.0.0.1:8000``.
        key: of ``avatalk keys create``; empty where none is needed.
        timeout_s: seconds without a sign of life after which an attempt is given up.
        patience_s: seconds for which a request is tried again when the service cannot be reached or is busy.

    Raises:
        BadInput: `url` is no URL, or `key` no key.
    """

    def __init__(self, url: str, key: str, timeout_s: float, patience_s: float) -> None:
        if not key.isascii():
            raise BadInput(
                "The key has characters that no key has.",
                hint="Copy it again, whole: avk_ and 43 more.",
                field="key",
            )
        headers = {
            "User-Agent": f"avatalk/{__version__}",
            **({"Authorization": f"Bearer {key}"} if key else {}),
        }
        try:
            base = httpx.URL(url)
            if base.scheme not in ("http", "https") or not base.host:
                raise httpx.InvalidURL("it has no host")
            timeout = httpx.Timeout(timeout_s)
            self._http = httpx.AsyncClient(base_url=base, headers=headers, timeout=timeout, trust_env=False)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise BadInput(
                f"{url!r} is not the URL of a service ({error}).",
                hint="Such as http://127.0.0.1:8000.",
                field="server",
            ) from error
        self.url, self.patience_s = url, patience_s

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        content: Content | None = None,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> httpx.Response:
        """Return the answer to a request that may be sent again.

        Args:
            method: of HTTP.
            path: below the URL of the service.
            content: begins the body anew for each attempt.
            headers: of the request.
            **how: ``json``, ``params``, ``timeout`` … of httpx.

        Raises:
            Unreachable: the service could not be reached for as long as patience lasts, or is none.
            AvatalkError: what the service says is wrong.
        """
        patience = Patience(self.patience_s)
        while True:
            try:
                body = content() if content else None
                answer = await self._http.request(method, path, content=body, headers=headers, **how)
            except _LOST as error:
                await patience.wait(self.unreachable(error))
                continue
            if answer.is_success:
                return answer
            await self.refused(answer, patience)

    @asynccontextmanager
    async def stream(self, path: str, headers: dict[str, str], **how: Any) -> AsyncIterator[httpx.Response]:
        """The answer to one attempt to get something, to be read piece by piece.

        Raises:
            httpx.TransportError: the connection was lost, here or while it is read.
        """
        async with self._http.stream("GET", path, headers=headers, **how) as answer:
            if not answer.is_success:
                await answer.aread()
            yield answer

    async def refused(self, answer: httpx.Response, patience: Patience) -> None:
        """Wait if a refusal will pass.

        Raises:
            AvatalkError: it will not, or there is no patience left.
        """
        after = answer.headers.get("retry-after", "")
        wait = float(after) if after.isdigit() else 0.0
        error, passes = self._error(answer, wait)
        if not passes:
            raise error
        await patience.wait(error, wait)

    def _error(self, answer: httpx.Response, wait_s: float) -> tuple[AvatalkError, bool]:
        """What a refusal means, and whether it may pass."""
        passing = answer.status_code in _PASSING
        try:
            told = answer.json()["error"]
            if answer.status_code == 401:
                told |= {"hint": _NO_KEY if "authorization" not in self._http.headers else _WRONG_KEY}
            return error_of(told, max(1.0, wait_s)), passing and bool(told["retryable"])
        except (ValueError, KeyError, TypeError):
            error = Unreachable(
                f"{self.url} does not answer as a service of avatalk (status {answer.status_code}).",
                hint="Look at the URL; `avatalk serve` starts a service.",
            )
            return error, passing

    def unreachable(self, error: Exception) -> Unreachable:
        """A lost connection in the user's words."""
        return Unreachable(
            f"The service at {self.url} cannot be reached ({type(error).__name__}).",
            hint="Look at the URL, and whether `avatalk serve` runs there.",
        )
