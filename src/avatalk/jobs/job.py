"""A job as it stands, and what happened to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from avatalk.jobs import needs, records
from avatalk.jobs.tables import segments

STATUSES = ("queued", "processing", "completed", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    Attributes:
        id: rises with the time of submission.
        owner: who submitted it.
        status: one of `STATUSES`.
        stage: what is being done: a stage of `avatalk.events.STAGES`; empty when nothing is.
        progress: 0 to 1, by frames.
        eta_s: seconds until it is completed at the pace so far; None while that is not known.
        duration_s: length of the video; None before it is planned.
        frames: number of its frames; likewise.
        segments: number of pieces; 0 before it is planned.
        reused: frames that were copied from the video it revises; None before it is planned.
        warnings: what the user should know.
        error: code, message, field, hint, stage, retryable, if it failed.
        result: ``files``: name → key, size, sha256, type; ``report``: the fields of `avatalk.Result`. None
            until then.
        request: as it was submitted, with keys of the storage instead of paths.
        names: key → name of the file, or of the kept voice, that was given.
        created_at: seconds since 1970.
        started_at: likewise, None before a worker took it.
        ended_at: likewise, None before its end.
    """

    id: str
    owner: str
    status: str
    stage: str
    progress: float
    eta_s: float | None
    duration_s: float | None
    frames: int | None
    segments: int
    reused: int | None
    warnings: list[str]
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    request: dict[str, Any]
    names: dict[str, str]
    created_at: float
    started_at: float | None
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job.

    Attributes:
        number: from 1, without gaps: what a client has seen of this job.
        at: seconds since 1970.
        kind: ``status``, ``planned``, ``progress``, ``segment`` or ``warning``.
        data: what there is to say.
    """

    number: int
    at: float
    kind: str
    data: dict[str, Any]


def job_of(connection: sa.Connection, row: sa.Row[Any]) -> Job:
    """A job from its row in the table, and from its segments."""
    count = sa.select(sa.func.count()).where(segments.c.job_id == row.id)
    progress = 1.0 if row.status == "completed" else records.progress_of(connection, row.id)
    eta = None
    if row.status == "processing" and progress > 0.02 and row.started_at is not None:
        eta = round((time.time() - row.started_at) * (1 - progress) / progress, 1)
    warnings = list(row.warnings)
    if row.status == "queued" and row.needs and row.queue == records.QUEUE:
        warnings.append(needs.lacking(row.needs))
    return Job(
        id=row.id,
        owner=row.owner,
        status=row.status,
        stage=row.stage,
        progress=progress,
        eta_s=eta,
        duration_s=row.plan["duration_s"] if row.plan else None,
        frames=row.plan["n_frames"] if row.plan else None,
        segments=int(connection.execute(count).scalar_one()),
        reused=row.plan.get("reused", 0) if row.plan else None,
        warnings=warnings,
        error=row.error,
        result=row.result,
        request=row.request,
        names=row.inputs,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
