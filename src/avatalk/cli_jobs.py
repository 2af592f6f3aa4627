"""`avatalk worker`: takes jobs from the queue."""

from __future__ import annotations

import logging
import os
import signal
from importlib.util import find_spec
from threading import Event
from types import FrameType
from typing import Annotated

import typer

from avatalk.commands import complain, told
from avatalk.errors import CannotRun


def worker(
    grace: Annotated[float, typer.Option(help="Seconds to finish work in when stopped.")] = 20.0,
) -> None:
    """Make the videos that were submitted as jobs, until stopped."""
    with told():
        if find_spec("dbos") is None:
            raise CannotRun("Jobs need more packages.", hint="pip install 'avatalk[service]'")
        from avatalk.jobs.worker import Worker

        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        stop = Event()

        def ask(_signal: int, _frame: FrameType | None) -> None:
            if stop.is_set():
                os._exit(3)  # asked twice: what was begun is taken over by others
            stop.set()

        signal.signal(signal.SIGINT, ask)
        signal.signal(signal.SIGTERM, ask)
        running = Worker()
        running.start()
        complain(f"Worker {running.name} takes jobs.")
        while not stop.wait(0.5):
            pass
        complain("Finishing the work in hand.")
        running.stop(grace)
        os._exit(0)  # without waiting for work that was handed back
