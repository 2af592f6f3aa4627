"""What holds for every request before a route sees it, and for every answer: the outermost layer.

- Without keys only this machine is served: by loopback names, so that no page from elsewhere gets in under a
  name of its own, and not through a proxy.
- A page of another origin changes nothing, unless it is listed.
- Bodies have a largest size, and must keep coming.
- Answers have headers that keep browsers from guessing, framing and sharing, and an id for the logs.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import secrets
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import HTTPException
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avatalk import settings
from avatalk.errors import AvatalkError, BadInput, NotAllowed
from avatalk.logs import REQUESTS
from avatalk.service.answers import answer, fault, plain
from avatalk.service.context import Service
from avatalk.spec import PATHS

log = logging.getLogger("avatalk.service")

MOST_JSON_BYTES = 8_000_000
"""Largest body that is no upload of files."""

_UPLOADS = re.compile(r"/|/v1/(assets|videos|batches)|/(studio|gradio_api)/.*")
_LEAST_BYTES_S = 1000  # a body that comes slower, on the whole, is given up
_DRAIN_S, _DRAIN_BYTES = 2.0, 64_000_000
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_JOB = re.compile(r"vid_[0-9a-f]+")
_SAFE = {"GET", "HEAD", "OPTIONS"}
_OPEN_PATHS = {"/healthz", "/readyz"}  # asked by what watches over a container, which has no key
_VIA = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"}

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_NOTHING = b"default-src 'none'; frame-ancestors 'none'"
_PAGE = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    b"style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    b"font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' blob: data:; object-src 'none'; "
    b"base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class Guard:
    """The layer around an application.

    Args:
        app: what is inside.
        service: whose keys decide.

    Raises:
        BadInput: a listed origin is none.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service
        self._origins = origins()
        self._wait_s = settings.number("upload_timeout_s")
        files = int(settings.number("max_upload_mb") * 1e6) * len(PATHS)
        self._most_bytes = files + MOST_JSON_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        seen = _Seen(headers, send)
        body = Body(receive, headers, self._most(scope, headers), self._wait_s)
        with self._service.traffic.open.track_inprogress():
            try:
                await self._check(scope, headers)
                await body.check()
                await self._app(scope, body.receive if body.comes else receive, seen.send)
            except AvatalkError as error:
                await body.drain()
                await answer(error, scope)(scope, receive, seen.send)
            except HTTPException as error:  # of a body, where no route made an answer of it
                await plain(error, scope)(scope, receive, seen.send)
            except ClientDisconnect:
                seen.status = 499  # nobody is there to read an answer
            except Exception as error:
                log.error("A fault", exc_info=error, extra={"fields": {"request": seen.id}})
                if seen.status:
                    raise  # half an answer must not look like a whole one
                await fault(scope)(scope, receive, seen.send)
            finally:
                self._tell(scope, seen)

    def _most(self, scope: Scope, headers: dict[bytes, bytes]) -> int:
        """Most bytes that the body of a request may have."""
        plain_body = headers.get(b"content-type", b"").lower().startswith((b"application/json", b"text/"))
        return MOST_JSON_BYTES if plain_body or not _UPLOADS.fullmatch(scope["path"]) else self._most_bytes

    async def _check(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Refuse what must not come in.

        Raises:
            NotAllowed: it comes from elsewhere.
        """
        origin = headers.get(b"origin")
        if origin is not None and scope["method"] not in _SAFE:
            told = origin.decode("latin-1").lower()
            host = headers.get(b"host", b"").decode("latin-1").lower()
            if told not in self._origins and not _same(told, host):
                raise NotAllowed(
                    "A page of another origin may not do this.",
                    hint="Whoever runs the service lists origins in AVATALK_CORS_ORIGINS.",
                    field="origin",
                )
        if scope["path"] in _OPEN_PATHS:
            return
        keys = self._service.keys
        needed = keys.needed()
        if needed is None:
            needed = await run_in_threadpool(keys.look)
        if needed:
            return
        client = (scope.get("client") or ("",))[0]
        if not (_is_loopback(client) and is_loopback_host(headers.get(b"host", b"").decode("latin-1"))):
            raise NotAllowed(
                "As long as there are no keys, this is served to its own machine only.",
                hint="Ask http://127.0.0.1 or http://localhost; or make a key: avatalk keys create NAME",
                field="host",
            )
        if not _VIA.isdisjoint(headers):
            raise NotAllowed(
                "As long as there are no keys, this is not served through a proxy.",
                hint="Make a key on the server: avatalk keys create NAME",
                field="host",
            )

    def _tell(self, scope: Scope, seen: _Seen) -> None:
        route = getattr(scope.get("route"), "path", "")
        seconds = time.perf_counter() - seen.began
        self._service.traffic.count(scope["method"], route, seen.status, seconds)
        known: dict[str, str] = scope.get("avatalk.seen", {})
        fields = {
            "request": seen.id,
            "method": scope["method"],
            "route": route,
            "status": seen.status,
            "ms": round(1000 * seconds, 1),
        }
        if known.get("key"):
            fields["key"] = known["key"]
        job = _JOB.search(f"{scope['path']} {seen.location}")
        if job:
            fields["job"] = job[0]
        level = logging.ERROR if seen.status == 500 else logging.INFO
        REQUESTS.log(level, "request", extra={"fields": fields})


class _Seen:
    """What is seen of one request and its answer."""

    def __init__(self, headers: dict[bytes, bytes], send: Send) -> None:
        given = headers.get(b"x-request-id", b"")
        self.id = given.decode() if _ID.fullmatch(given) else secrets.token_hex(8)
        self.status = 0
        self.location = ""
        self.began = time.perf_counter()
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass on a message of the answer, its headers completed."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            names = {name.lower(): value for name, value in headers}
            self.location = names.get(b"location", b"").decode("latin-1")
            kind = names.get(b"content-type", b"")
            policy = _PAGE if kind.startswith(b"text/html") else _NOTHING
            more = [*_ALWAYS, (b"content-security-policy", policy), (b"x-request-id", self.id.encode())]
            if kind.startswith(b"application/json"):
                more.append((b"cache-control", b"no-store"))
            headers += [(name, value) for name, value in more if name not in names]
            message = {**message, "headers": headers}
        await self._send(message)


class Body:
    """The body of a request, as long as it is not too large and keeps coming.

    Args:
        receive: gives it.
        headers: of the request.
        most: bytes it may have.
        wait_s: seconds in which the next part must come.
    """

    def __init__(self, receive: Receive, headers: dict[bytes, bytes], most: int, wait_s: float) -> None:
        self._receive, self._most, self._wait_s = receive, most, wait_s
        length = headers.get(b"content-length", b"0")
        self._length = int(length) if length.isdigit() else 0
        self.comes = self._length > 0 or b"transfer-encoding" in headers
        self._got = 0
        self._began = time.monotonic()

    async def check(self) -> None:
        """Look at the size that is announced.

        Raises:
            HTTPException: it is too large.
        """
        if self._length > self._most:
            await self.drain()
            raise self._too_large()

    async def receive(self) -> Message:
        """The next part.

        Raises:
            HTTPException: it is too large, or too slow.
        """
        if not self.comes:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._wait_s)
        except asyncio.TimeoutError:
            raise self._too_slow() from None
        if message["type"] != "http.request":
            self.comes = False
            return message
        self._got += len(message.get("body", b""))
        self.comes = bool(message.get("more_body"))
        if self._got > self._most:
            await self.drain()
            raise self._too_large()
        spent = time.monotonic() - self._began
        if self.comes and spent > self._wait_s and self._got < spent * _LEAST_BYTES_S:
            raise self._too_slow()
        return message

    async def drain(self) -> None:
        """Take some more of a body that is refused: many clients read no answer before they have sent all."""
        until, got = time.monotonic() + _DRAIN_S, 0
        while self.comes and got < _DRAIN_BYTES and (left := until - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left)
            except asyncio.TimeoutError:
                return
            got += len(message.get("body", b""))
            self.comes = message["type"] == "http.request" and bool(message.get("more_body"))

    def _too_large(self) -> HTTPException:
        told = f"The body is larger than the {math.floor(self._most / 1e6)} MB that it may have here"
        return HTTPException(413, told, {"Connection": "close"})

    def _too_slow(self) -> HTTPException:
        return HTTPException(408, "The body came too slowly", {"Connection": "close"})


def origins() -> frozenset[str]:
    """The origins of other pages that may use the API.

    Raises:
        BadInput: one is none.
    """
    listed = [origin.lower() for origin in settings.listed("cors_origins")]
    for origin in listed:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}":
            raise BadInput(
                f"{origin!r} is no origin.",
                hint="Write cors_origins as https://app.example.org, with a port if it has one.",
                field="cors_origins",
            )
    return frozenset(listed)


def is_loopback_host(host: str) -> bool:
    """Whether the value of a Host header, or a name to listen on, is this machine's alone."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _same(origin: str, host: str) -> bool:
    """Whether a page of that origin was served under that Host; TLS may end in front of this server."""
    parts = urlsplit(origin)
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme)
    return usual is not None and parts.netloc.removesuffix(usual) == host.removesuffix(usual)
