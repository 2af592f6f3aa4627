"""The studio on the service: the page at ``/``, and what it needs besides the API below ``/studio``."""

from __future__ import annotations

import gc
import secrets
from contextlib import suppress
from importlib.resources import files
from threading import Lock, Thread
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avatalk.errors import AvatalkError
from avatalk.service.context import Service
from avatalk.studio import models, page, routes

VISITOR = "avatalk_visitor"
"""The cookie that tells browsers apart where no key is needed."""

_EXACT = (
    "/",
    "/config",
    "/theme.css",
    "/gradio_api/theme.css",
    "/gradio_api/info",
    "/gradio_api/startup-events",
)
_WAKING_S = 60.0
_A_YEAR_S = 365 * 24 * 3600
_BELOW = ("/assets/", "/static/")
_HEARTBEAT = "/gradio_api/heartbeat/"


def mount(app: FastAPI) -> None:
    """Show the studio at ``/`` of the service."""
    app.include_router(routes.router)
    app.include_router(models.router)
    web = str(files("avatalk.studio").joinpath("web"))
    app.router.routes.append(Mount("/studio/web", Fresh(directory=web)))
    words = str(files("avatalk.studio").joinpath("strings"))
    app.router.routes.append(Mount("/studio/strings", Fresh(directory=words)))
    app.router.routes.append(Route("/favicon.ico", _icon, include_in_schema=False))
    app.router.routes.append(Page(app.state.service))


def _icon(_request: Request) -> Response:
    return FileResponse(str(files("avatalk.studio").joinpath("web", "icon.svg")), media_type="image/svg+xml")


class Fresh(StaticFiles):
    """Files that a browser asks after before it shows what it kept, so that an update is seen at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """As in the base class."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Page(BaseRoute):
    """Gradio's page, for reading only: of all that Gradio answers, what the page itself consists of.

    Gradio is slow to import, and the first frame slow to draw: that is done beside the start of the service,
    and who comes earlier waits.

    Args:
        service: that draws frames.
    """

    def __init__(self, service: Service) -> None:
        self._lock = Lock()
        self._shown: ASGIApp | None = None
        Thread(target=self._prepare, args=(service,), name="studio", daemon=True).start()

    def _prepare(self, service: Service) -> None:
        self._app()
        with suppress(AvatalkError):  # which is told when somebody asks for a frame
            service.helpers.run("avatalk.studio.tasks:wake", timeout_s=_WAKING_S, storage=service.storage.url)

    def _app(self) -> ASGIApp:
        with self._lock:
            if self._shown is None:
                import gradio as gr

                self._shown = gr.mount_gradio_app(
                    FastAPI(openapi_url=None),
                    page.build(),
                    path="/",
                    footer_links=[],
                    run_history=False,
                    ssr_mode=False,
                    pwa=False,
                    mcp_server=False,
                    theme=page.theme(),
                    head=page.HEAD,
                )
                gc.collect()
                gc.freeze()  # Gradio's modules stay: looking through them takes 0.2 s every time
            return self._shown

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for the page."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return Match.NONE, {}
        path = str(scope["path"])
        wanted = path in _EXACT or path.startswith((*_BELOW, _HEARTBEAT))
        return (Match.FULL if wanted else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what Gradio has, and tell the browser who it is."""
        if scope["path"].startswith(_HEARTBEAT):  # a connection for each tab, of the six that browsers allow
            await Response(status_code=204)(scope, receive, send)
            return
        known = VISITOR in Request(scope).cookies

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["path"] == "/":
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "no-store"
                if not known:
                    value = f"{VISITOR}={secrets.token_hex(16)}; Path=/; Max-Age={_A_YEAR_S}"
                    headers.append("Set-Cookie", f"{value}; HttpOnly; SameSite=Strict")
            await send(message)

        await (await run_in_threadpool(self._app))(scope, receive, marked)
