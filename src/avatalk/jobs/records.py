"""What becomes of a job, one transaction a step. One that is repeated, or comes too late, changes nothing.

A job goes from queued over processing to completed, failed or canceled, and never back. Each change that its
workers make wants the job to be processing still, so what a lost or stopped worker did late is not taken.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from avatalk.errors import AvatalkError
from avatalk.jobs import counts
from avatalk.jobs.tables import Database, events, jobs, revisions, segments

QUEUE = "avatalk"
"""What the names of all queues of DBOS begin with: each group of workers has one, on which plans, segments
and joins wait by their turn. On that name itself waits what no worker can make yet, see `avatalk.jobs.needs`.
"""

OPEN = ("queued", "processing")
PLAN, SEGMENT, JOIN = "avatalk_plan", "avatalk_segment", "avatalk_join"
"""Names of the workflows."""

_LAST_TURN = 2**31 - 1
_TOLD_EVERY_S = 0.9  # less than the second after which a worker tells again


def workflow_ids(job_id: str, n_segments: int) -> list[str]:
    """The names of all workflows of a job."""
    return [f"{job_id}.plan", f"{job_id}.join", *(f"{job_id}.{number}" for number in range(n_segments))]


def enqueue(
    db: Database,
    connection: sa.Connection,
    name: str,
    workflow: str,
    turn: int,
    *args: Any,
    queue: str,
) -> None:
    """Queue a piece of work as part of the transaction; once, however often it is asked for."""
    options = {"workflow_name": workflow, "queue_name": queue, "workflow_id": name}
    priority = max(1, min(turn, _LAST_TURN))
    db.dbos.enqueue_in_transaction(connection, {**options, "priority": priority}, *args)  # type: ignore[typeddict-item]


def tell(connection: sa.Connection, job_id: str, kind: str, data: dict[str, Any]) -> None:
    """Add an event. Its number comes from the job's row, whose lock keeps events in the order of numbers."""
    number = connection.execute(
        jobs.update().where(jobs.c.id == job_id).values(events=jobs.c.events + 1).returning(jobs.c.events)
    ).scalar()
    if number is not None:
        connection.execute(
            events.insert().values(job_id=job_id, number=number, at=time.time(), kind=kind, data=data)
        )


def begin(db: Database, job_id: str, worker: str) -> sa.Row[Any] | None:
    """Set a job to processing and return its row; None if nothing is left to do for it."""

    def work(connection: sa.Connection) -> sa.Row[Any] | None:
        first = connection.execute(
            jobs.update()
            .where(jobs.c.id == job_id, jobs.c.status == "queued")
            .values(status="processing", stage="avatar", started_at=time.time())
            .returning(jobs.c.created_at)
        ).scalar()
        if first is not None:
            tell(connection, job_id, "status", {"status": "processing", "worker": worker})
            counts.took(connection, "wait", time.time() - first)
        return connection.execute(
            sa.select(jobs).where(jobs.c.id == job_id, jobs.c.status == "processing")
        ).one_or_none()

    return db.run(work)


def planned(
    db: Database,
    job_id: str,
    plan: dict[str, Any],
    cuts: Sequence[tuple[int, int]],
    reused: Mapping[int, str] | None = None,
) -> bool:
    """Record a plan and queue the segments; False if the job was over, or planned already.

    Args:
        db: of the jobs.
        job_id: which one.
        plan: what there is to know of it.
        cuts: (start, stop) of each segment.
        reused: number → key of those whose files are there already.
    """
    there = reused or {}

    def work(connection: sa.Connection) -> bool:
        ours = connection.execute(
            jobs.update()
            .where(jobs.c.id == job_id, jobs.c.status == "processing", jobs.c.plan.is_(None))
            .values(plan=plan, stage="encode", warnings=plan["warnings"])
            .returning(jobs.c.turn, jobs.c.queue)
        ).one_or_none()
        if ours is None:
            return False
        rows = [
            {"job_id": job_id, "number": number, "start": start, "stop": stop}
            | {"key": there.get(number), "done": stop - start if number in there else 0}
            for number, (start, stop) in enumerate(cuts)
        ]
        connection.execute(segments.insert(), rows)
        for number, (start, _) in enumerate(cuts):
            if number in there:
                continue
            # A second of video is a second of turn: what others submit meanwhile comes in between.
            later = ours.turn + int(start / Fraction(plan["fps"]))
            enqueue(db, connection, f"{job_id}.{number}", SEGMENT, later, job_id, number, queue=ours.queue)
        for warning in plan["warnings"]:
            tell(connection, job_id, "warning", {"message": warning})
        if len(there) == len(rows):
            enqueue(db, connection, f"{job_id}.join", JOIN, ours.turn, job_id, queue=ours.queue)
        told = {"segments": len(rows), "reused": len(there), "duration_s": plan["duration_s"]}
        tell(connection, job_id, "planned", told)
        counts.took(connection, "plan", plan["seconds"])
        return True

    return db.run(work)


def at_stage(db: Database, job_id: str, stage: str) -> bool:
    """Note the stage a job is at; False if the job is over."""

    def work(connection: sa.Connection) -> bool:
        if not _held(connection, job_id, stage=stage):
            return False
        tell(connection, job_id, "progress", {"stage": stage, "progress": progress_of(connection, job_id)})
        return True

    return db.run(work)


def drawn(db: Database, job_id: str, number: int, done: int, worker: str) -> bool:
    """Note how many frames of a segment are drawn; False if the job is over.

    However many workers make segments of a job, its progress is told once a second, by one of them: else
    they would wait for each other at its row.
    """

    def work(connection: sa.Connection) -> bool:
        look = sa.select(jobs.c.told_at).where(jobs.c.id == job_id, jobs.c.status == "processing")
        row = connection.execute(look).one_or_none()
        if row is None:
            return False
        now = time.time()
        telling = row.told_at is None or not 0 <= now - row.told_at < _TOLD_EVERY_S
        if telling and not _held(connection, job_id, stage="encode", told_at=now):
            return False
        connection.execute(
            segments.update()
            .where(segments.c.job_id == job_id, segments.c.number == number, segments.c.key.is_(None))
            .values(done=done, worker=worker)
        )
        if telling:
            progress = progress_of(connection, job_id)
            tell(connection, job_id, "progress", {"stage": "encode", "progress": progress})
        return True

    return db.run(work)


def segment_made(db: Database, job_id: str, number: int, key: str, worker: str, seconds: float = 0.0) -> bool:
    """Record the file of a segment, and queue the join after the last one; False if the job is over."""

    def work(connection: sa.Connection) -> bool:
        if not _held(connection, job_id):
            return False
        first = connection.execute(
            segments.update()
            .where(segments.c.job_id == job_id, segments.c.number == number, segments.c.key.is_(None))
            .values(key=key, done=segments.c.stop - segments.c.start, worker=worker)
        ).rowcount
        if first:
            progress = progress_of(connection, job_id)
            tell(connection, job_id, "segment", {"number": number, "worker": worker, "progress": progress})
        missing = connection.execute(
            sa.select(sa.func.count()).where(segments.c.job_id == job_id, segments.c.key.is_(None))
        ).scalar()
        if not missing:
            ours = connection.execute(sa.select(jobs.c.turn, jobs.c.queue).where(jobs.c.id == job_id)).one()
            enqueue(db, connection, f"{job_id}.join", JOIN, ours.turn, job_id, queue=ours.queue)
        if first:
            counts.took(connection, "segment", seconds)
        return True

    return db.run(work)


def _held(connection: sa.Connection, job_id: str, **values: Any) -> bool:
    """Lock the row of a job until the end of the transaction; False if the job is not processing.

    Every change of a job begins so: none sees half of another, and none waits for another in a circle.
    """
    held = jobs.update().where(jobs.c.id == job_id, jobs.c.status == "processing")
    return bool(connection.execute(held.values(values or {"events": jobs.c.events})).rowcount)


def wanted(connection: sa.Connection, job_id: str) -> bool:
    """Whether the files of a job are still of use."""
    status = connection.execute(sa.select(jobs.c.status).where(jobs.c.id == job_id)).scalar()
    return status in ("processing", "completed")


def revised(db: Database, job_id: str) -> sa.Row[Any] | None:
    """The row of the job that `job_id` revises, if its video is there; else None."""
    old = jobs.alias()
    query = (
        sa.select(old)
        .join(revisions, revisions.c.revises == old.c.id)
        .join(jobs, jobs.c.id == revisions.c.job_id)
        .where(jobs.c.id == job_id, old.c.owner == jobs.c.owner, old.c.status == "completed")
    )
    return db.run(lambda connection: connection.execute(query).one_or_none())


def published(db: Database, job_id: str) -> sa.Row[Any] | None:
    """The row of a job that is completed, else None."""
    query = sa.select(jobs).where(jobs.c.id == job_id, jobs.c.status == "completed")
    return db.run(lambda connection: connection.execute(query).one_or_none())


def publish(db: Database, job_id: str, result: dict[str, Any], seconds: float = 0.0) -> bool:
    """Complete a job; False if it was over: of several that try, one publishes.

    Args:
        db: of the jobs.
        job_id: which one.
        result: see `avatalk.jobs.api.Job`.
        seconds: that the join took.
    """
    size = sum(file.get("size", 0) for file in result["files"].values())
    return _end(db, job_id, ("processing",), "completed", {"result": result, "size": size}, {}, seconds)


def fail(db: Database, job_id: str, error: dict[str, Any]) -> bool:
    """End a job as failed; False if it was over."""
    return _end(db, job_id, OPEN, "failed", {"error": error}, {"error": error})


def cancel(db: Database, job_id: str) -> bool:
    """End a job as canceled, and take its work from the queue; False if it was over."""
    if not _end(db, job_id, OPEN, "canceled", {}, {}):
        return False
    clear_queue(db, job_id)
    return True


def clear_queue(db: Database, job_id: str) -> None:
    """Take what still waits of a job from the queue."""

    def count(connection: sa.Connection) -> int:
        query = sa.select(sa.func.count()).where(segments.c.job_id == job_id)
        return int(connection.execute(query).scalar_one())

    db.dbos.cancel_workflows(workflow_ids(job_id, db.run(count)))


def _end(
    db: Database,
    job_id: str,
    from_status: Sequence[str],
    status: str,
    values: dict[str, Any],
    told: dict[str, Any],
    seconds: float = 0.0,
) -> bool:
    def work(connection: sa.Connection) -> bool:
        now = time.time()
        began = connection.execute(
            jobs.update()
            .where(jobs.c.id == job_id, jobs.c.status.in_(from_status))
            .values(status=status, stage="", ended_at=now, **values)
            .returning(jobs.c.created_at)
        ).scalar()
        if began is None:
            return False
        tell(connection, job_id, "status", {"status": status, **told})
        counts.add(connection, "ended", status)
        if status == "failed":
            counts.add(connection, "failed", values["error"]["code"])
        if status == "completed":
            counts.took(connection, "join", seconds)
            counts.took(connection, "whole", now - began)
        return True

    return db.run(work)


def progress_of(connection: sa.Connection, job_id: str) -> float:
    """How much of a job is done, 0..1, by frames; 0 before its plan is known."""
    done, total = connection.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(segments.c.done), 0),
            sa.func.coalesce(sa.func.max(segments.c.stop), 0),
        ).where(segments.c.job_id == job_id)
    ).one()
    return round(0.99 * done / total, 4) if total else 0.0


def error_fields(error: Exception) -> dict[str, Any]:
    """An error as jobs tell it: code, message, field, hint, stage and whether a retry may help."""
    if not isinstance(error, AvatalkError):
        return {
            "code": "internal",
            "message": "The video could not be made.",
            "field": None,
            "hint": f"This is a fault of avatalk: please report it ({type(error).__name__}).",
            "stage": "",
            "retryable": False,
        }
    return {
        "code": error.code,
        "message": error.message,
        "field": error.field,
        "hint": error.hint,
        "stage": error.stage,
        "retryable": error.retryable,
    }
