"""The workflows of DBOS: each is one piece of work, tried again where that helps, or the end of its job.

DBOS hands every piece to one worker at a time, in the order of turns, and hands it to another when its
worker is lost. The pieces of a job follow each other through `records`: what ends one queues the next in
the same transaction. So no workflow waits for another, and any number of jobs may be under way.
"""

from __future__ import annotations

import errno
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbos import DBOS
from dbos import error as dbos_error

from avatalk.errors import AvatalkError, Cancelled, OutputError
from avatalk.jobs import records
from avatalk.jobs.work import HandedBack, Workshop
from avatalk.workspace import cannot_write

log = logging.getLogger("avatalk.jobs")

LIVES = 6
"""How often a piece is begun again after its worker was lost, before it counts as what kills workers."""

_shop: Workshop | None = None


def open_shop(shop: Workshop | None) -> None:
    """Say where the work of this process is done. DBOS runs one worker in a process."""
    global _shop
    _shop = shop


def _may_help(error: BaseException) -> bool:
    # The disk of a worker that is full now may not be so later, and a store is not always in reach.
    return (isinstance(error, AvatalkError) and error.retryable) or isinstance(error, OutputError)


_step: Callable[[Callable[..., None]], Callable[..., None]] = DBOS.step(
    retries_allowed=True, max_attempts=5, interval_seconds=1.0, backoff_rate=3.0, should_retry=_may_help
)


@contextmanager
def _on_full_disk() -> Iterator[None]:
    """Whatever met a full disk on its way, this is known to end."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise cannot_write(Path(error.filename or tempfile.gettempdir()), error) from error


@_step
def _plan(job_id: str) -> None:
    assert _shop is not None
    with _on_full_disk():
        _shop.plan(job_id)


@_step
def _segment(job_id: str, number: int) -> None:
    assert _shop is not None
    with _on_full_disk():
        _shop.segment(job_id, number)


@_step
def _join(job_id: str) -> None:
    assert _shop is not None
    with _on_full_disk():
        _shop.join(job_id)


@DBOS.workflow(name=records.PLAN, max_recovery_attempts=LIVES)
def plan_job(job_id: str) -> None:
    """Plan a job."""
    _done(job_id, _plan, job_id)


@DBOS.workflow(name=records.SEGMENT, max_recovery_attempts=LIVES)
def make_segment(job_id: str, number: int) -> None:
    """Make one segment of a job."""
    _done(job_id, _segment, job_id, number)


@DBOS.workflow(name=records.JOIN, max_recovery_attempts=LIVES)
def join_job(job_id: str) -> None:
    """Join and publish a job."""
    _done(job_id, _join, job_id)


def _done(job_id: str, step: Callable[..., None], *args: Any) -> None:
    assert _shop is not None
    piece = (DBOS.workflow_id or "").removeprefix(f"{job_id}.")
    fields = {"job": job_id, "piece": piece, "worker": _shop.worker}
    log.info("begun", extra={"fields": fields})
    began, outcome = time.perf_counter(), "done"
    try:
        step(*args)
    except Cancelled:
        outcome = "canceled"  # the job is over, and says so already
    except dbos_error.DBOSMaxStepRetriesExceeded as error:
        outcome = "failed"
        _fail(job_id, error.errors[-1])
    except (HandedBack, dbos_error.DBOSException):
        outcome = "handed back"
        raise  # it is no longer ours, and DBOS takes no outcome from us
    except Exception as error:  # noqa: BLE001 - a fault ends its job, not the worker
        outcome = "failed"
        _fail(job_id, error)
    finally:
        ms = round(1000 * (time.perf_counter() - began))
        log.info(outcome, extra={"fields": {**fields, "ms": ms}})


def _fail(job_id: str, error: Exception) -> None:
    assert _shop is not None and DBOS.workflow_id is not None
    # If this work was given to another worker meanwhile, the word of that one counts.
    found = _shop.db.dbos.list_workflows(
        workflow_ids=[DBOS.workflow_id], status="PENDING", executor_id=_shop.worker, load_input=False
    )
    if not found or _shop.stopping.is_set():
        return
    if not isinstance(error, AvatalkError):
        log.error("A fault", exc_info=error, extra={"fields": {"job": job_id}})
    _shop.failed(job_id, error)
