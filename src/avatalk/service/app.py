"""The service: its routes, and what holds for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from avatalk._version import __version__
from avatalk.jobs.api import Jobs
from avatalk.service import (
    assets,
    avatars,
    batches,
    catalogue,
    compat,
    content,
    events,
    health,
    hls,
    preview,
    speech,
    videos,
    webhooks,
)
from avatalk.service.answers import handle_errors
from avatalk.service.context import Service
from avatalk.service.docs import add_docs, describe
from avatalk.service.guard import Guard, origins
from avatalk.service.health import Readiness


def create_app(jobs: Jobs | None = None) -> FastAPI:
    """The whole service, as an ASGI application.

    Args:
        jobs: where videos are made; by default as the settings say.

    Raises:
        StorageError: the database cannot be reached.
        BadInput: a setting is wrong.
    """
    service = Service(jobs or Jobs())

    @asynccontextmanager
    async def alive(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.close()

    app = FastAPI(
        title="avatalk",
        version=__version__,
        summary="A face and some words become a talking video.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=alive,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.readiness = Readiness(service)
    handle_errors(app)
    for part in (
        videos,
        events,
        content,
        hls,
        assets,
        catalogue,
        avatars,
        speech,
        preview,
        batches,
        webhooks,
        compat,
        health,
    ):
        app.include_router(part.router)
    add_docs(app)
    describe(app)
    listed = origins()
    if listed:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(listed),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Location", "Retry-After", "ETag", "X-Request-Id"],
        )
    app.add_middleware(Guard, service=service)  # the last one is the outermost
    return app
