"""The service: its routes, and what holds for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from avatalk._version import __version__
from avatalk.jobs.api import Jobs
from avatalk.service import avatars, batches, catalogue, compat, preview, speech, videos
from avatalk.service.answers import handle_errors
from avatalk.service.context import Service


def create_app(jobs: Jobs | None = None) -> FastAPI:
    """The whole service, as an ASGI application.

    Args:
        jobs: where videos are made; by default as the settings say.

    Raises:
        StorageError: the database cannot be reached.
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
    )
    app.state.service = service
    handle_errors(app)
    for part in (videos, catalogue, avatars, speech, preview, batches, compat):
        app.include_router(part.router)
    return app
