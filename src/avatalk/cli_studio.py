"""`avatalk studio`: the service, and its page in the browser."""

from __future__ import annotations

import threading
import time
import webbrowser
from importlib.util import find_spec
from typing import Annotated

import typer

from avatalk import settings
from avatalk.cli_service import serve
from avatalk.commands import told
from avatalk.errors import CannotRun

_WAIT_S = 60.0


def studio(
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes to start beside it.")] = None,
) -> None:
    """Open the studio in the browser: `avatalk serve`, and its page."""
    with told():
        if find_spec("gradio") is None:
            raise CannotRun("The studio needs more packages.", hint="pip install 'avatalk[studio]'")
        port = int(settings.number("port")) if port is None else port
    url = f"http://127.0.0.1:{port}/"
    threading.Thread(target=_open, args=(url,), daemon=True).start()
    serve("127.0.0.1", port, workers)


def _open(url: str) -> None:
    """Show the page as soon as there is one."""
    end = time.monotonic() + _WAIT_S
    while not _answers(url) and time.monotonic() < end:
        time.sleep(0.2)
    webbrowser.open(url)


def _answers(url: str) -> bool:
    import urllib.request  # here, since every command imports this file

    try:
        with urllib.request.urlopen(url, timeout=_WAIT_S):
            return True
    except OSError:
        return False
