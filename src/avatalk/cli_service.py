"""`avatalk serve`: the service, with workers beside it; `avatalk settings`."""

from __future__ import annotations

import signal
from contextlib import closing
from importlib.util import find_spec
from typing import Annotated

import typer

from avatalk import logs, settings
from avatalk.commands import AsJson, complain, show, told
from avatalk.errors import CannotRun, NotAllowed


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes to start beside it.")] = None,
) -> None:
    """Serve everything over HTTP, until stopped."""
    with told():
        if find_spec("fastapi") is None or find_spec("dbos") is None:
            raise CannotRun("The service needs more packages.", hint="pip install 'avatalk[service]'")
        from avatalk.service.app import create_app
        from avatalk.service.crew import Crew
        from avatalk.service.guard import is_loopback_host
        from avatalk.service.server import Server, bound

        host = host or settings.text("host")
        port = int(settings.number("port")) if port is None else port
        crew = Crew(int(settings.number("workers")) if workers is None else workers)
        logs.set_up()
        with closing(bound(host, port)) as listener:
            app = create_app()
            if find_spec("gradio") is not None and settings.switch("studio"):
                from avatalk.studio.app import mount

                mount(app)
            if (
                not is_loopback_host(f"[{host}]" if ":" in host else host)
                and not app.state.service.keys.usable()
            ):
                raise NotAllowed(
                    f"Without a key nothing is served beyond this machine, and {host} is.",
                    hint="Make a key first: avatalk keys create NAME. Or leave --host away.",
                    field="host",
                )
            server = Server(app)
            crew.start()
            try:
                complain(_greeting(host, listener.getsockname()[1]))
                server.serve_on(listener)
                complain("Stopping; the workers finish or hand back what they have. Again to stop at once.")
            finally:
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, lambda *_: crew.hurry())
                crew.stop()


def _greeting(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{'127.0.0.1' if host == '0.0.0.0' else '[::1]' if host == '::' else shown}:{port}"
    body = """'{"text": "Hello there."}'"""
    return (
        f"avatalk serves at {url}; the API is described at {url}/docs. Try:\n"
        f"  curl {url}/v1/videos -H 'Content-Type: application/json' -d {body}\n"
        "Ctrl-C stops it."
    )


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
