"""The server around the application: its socket, its connections, and how it stops."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import signal
import socket
import sys
from types import FrameType
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from avatalk import settings
from avatalk.errors import CannotRun
from avatalk.service.answers import ErrorAnswer, Problem
from avatalk.service.context import Service

_HEADERS_S = 10.0
_KEEP_ALIVE_S = 30
_LAST_ANSWERS_S = 5
_BUSY = ErrorAnswer(
    error=Problem(
        code="too_many", message="Too many connections are open.", hint="Try again later.", retryable=True
    )
)


def bound(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address, so that a busy port is told before anything starts.

    Raises:
        CannotRun: it cannot be bound.
    """
    if not 0 <= port <= 65535:
        raise CannotRun(f"There is no port {port}.", hint="Give one from 1024 to 65535.", field="port")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
        # Where asyncio sees that it is TCP, small packets are sent at once, 40 ms earlier.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = f"Another program listens there. Stop it, or take another port: --port {port + 1}"
            raise CannotRun(f"Port {port} of {host} is in use.", hint=hint, field="port") from error
        raise CannotRun(
            f"{host} port {port} cannot be listened on ({error.strerror or error}).",
            hint="Give an address of this machine, such as 127.0.0.1; ports below 1024 are for root.",
            field="host",
        ) from error
    return listener


class Server(uvicorn.Server):
    """Serves the application until a signal comes; then running answers end, and nothing new is taken.

    Args:
        app: from `avatalk.service.app.create_app`.
    """

    def __init__(self, app: FastAPI) -> None:
        self._service: Service = app.state.service
        super().__init__(
            uvicorn.Config(
                app,
                http=_connections(int(settings.number("max_connections"))),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal: answers that go on and on are to end, too."""
        self._service.stopping.set()
        super().handle_exit(sig, frame)

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until a signal comes."""
        # uvicorn raises the signal again when it has stopped, for whoever handled it before.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        sys.setswitchinterval(0.001)  # threads that work are not to hold up the loop that answers
        gc.freeze()  # or each look at all modules for garbage would stop every answer for 0.2 s
        self.run(sockets=[listener])


def _connections(most: int) -> type[H11Protocol]:
    """How connections are handled: so many, and each must say what it wants within `_HEADERS_S`."""

    class Connection(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > 2 * most:
                transport.abort()
            elif len(self.connections) > most:
                self.app = _busy
            self._expect()

        def data_received(self, data: bytes) -> None:
            if self._deadline is None and self.conn.their_state is h11.IDLE:
                self._expect()
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._forget()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _expect(self) -> None:
            self._deadline = self.loop.call_later(_HEADERS_S, self._too_slow)

        def _forget(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _too_slow(self) -> None:
            if not self.transport.is_closing():
                self.transport.close()

    return Connection


async def _busy(_scope: Scope, _receive: Receive, send: Send) -> None:
    body = json.dumps(_BUSY.model_dump()).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"5"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
