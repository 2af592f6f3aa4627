"""`avatalk serve`: the service, with a worker beside it; `avatalk settings`."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Annotated

import typer

from avatalk import settings
from avatalk.commands import AsJson, complain, show, told
from avatalk.errors import CannotRun


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes to start beside it.")] = None,
) -> None:
    """Serve everything over HTTP, until stopped."""
    with told():
        if find_spec("fastapi") is None or find_spec("dbos") is None:
            raise CannotRun("The service needs more packages.", hint="pip install 'avatalk[service]'")
        import uvicorn

        from avatalk.service.app import create_app

        host = host or settings.text("host")
        port = int(settings.number("port")) if port is None else port
        count = int(settings.number("workers")) if workers is None else workers
        app = create_app()
        with ExitStack() as running:
            for _ in range(count):
                worker = subprocess.Popen([sys.executable, "-m", "avatalk.cli", "worker"])
                running.callback(worker.wait)
                running.callback(worker.terminate)
            complain(f"avatalk serves at http://{host}:{port}; the API is described at /docs.")
            uvicorn.run(app, host=host, port=port, log_level="warning")


def show_settings(as_json: AsJson = False) -> None:
    """List all settings: their value, where it comes from, and what they decide."""
    with told():
        rows = [
            {
                "name": setting.name,
                "variable": setting.variable,
                "value": "…"
                if setting.secret and settings.text(setting.name)
                else settings.text(setting.name),
                "from": settings.source(setting.name),
                "about": setting.about,
            }
            for setting in settings.SETTINGS
        ]
        show(rows, as_json, ("variable", "value", "from", "about"))
