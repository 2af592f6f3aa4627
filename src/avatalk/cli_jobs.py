"""`avatalk worker`: takes jobs from the queue."""

from __future__ import annotations

import os
import signal
import sys
from importlib.util import find_spec
from threading import Event, Thread
from types import FrameType
from typing import Annotated

import typer

from avatalk import logs
from avatalk.commands import complain, told
from avatalk.errors import CannotRun

_NICENESS = 10


def worker(
    grace: Annotated[float, typer.Option(help="Seconds to finish work in when stopped.")] = 20.0,
    attached: Annotated[bool, typer.Option("--attached", hidden=True)] = False,
) -> None:
    """Make the videos that were submitted as jobs, until stopped."""
    with told():
        if find_spec("dbos") is None:
            raise CannotRun("Jobs need more packages.", hint="pip install 'avatalk[service]'")
        stop = Event()

        def ask(_signal: int, _frame: FrameType | None) -> None:
            if stop.is_set():
                os._exit(3)  # asked twice: what was begun is taken over by others
            stop.set()

        signal.signal(signal.SIGINT, ask)
        signal.signal(signal.SIGTERM, ask)
        if attached:
            _attach(stop)
        from avatalk.jobs.worker import Worker

        logs.set_up()
        running = Worker()
        running.start()
        complain(f"Worker {running.name} takes jobs.")
        while not stop.wait(0.5):
            pass
        complain("Finishing the work in hand.")
        running.stop(grace)
        os._exit(0)  # without waiting for work that was handed back


def _attach(stop: Event) -> None:
    """Be the worker of a server: behind it in priority, and gone when it is."""
    if hasattr(os, "nice"):
        os.setpgid(0, 0)  # Ctrl-C is for the server, which asks its workers then
        os.nice(_NICENESS)

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        stop.set()

    Thread(target=wait_for_end, name="avatalk-server-lives", daemon=True).start()
