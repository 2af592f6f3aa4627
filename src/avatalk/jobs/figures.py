"""How things stand with all jobs: the same whichever process is asked, since the database tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import sqlalchemy as sa

from avatalk.jobs.counts import BOUNDS_S
from avatalk.jobs.records import OPEN
from avatalk.jobs.tables import Database, counts, jobs, workers


@dataclass(slots=True)
class Figures:
    """How things stand.

    Attributes:
        waiting: pieces of work on the queue, by kind: plan, segment, join.
        running: pieces of work in hand, by kind.
        oldest_s: for how long the oldest of `waiting` has waited, in seconds, by kind.
        jobs: that are queued or processing, by status.
        ended: jobs that ended since the tables were made, by status.
        failures: those that failed, by the code of their error.
        stages: by stage: seconds in all, and how many took at most `BOUNDS_S`, the last for any time.
        workers: that were seen within `avatalk.jobs.worker.LEASE_S`.
    """

    waiting: dict[str, int] = field(default_factory=dict)
    running: dict[str, int] = field(default_factory=dict)
    oldest_s: dict[str, float] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    failures: dict[str, float] = field(default_factory=dict)
    stages: dict[str, tuple[float, list[float]]] = field(default_factory=dict)
    workers: int = 0


KINDS = ("plan", "segment", "join")


def figures(db: Database, lease_s: float) -> Figures:
    """How things stand.

    Args:
        db: of the jobs.
        lease_s: seconds after which a worker that was not seen counts no more.

    Raises:
        StorageError: the database cannot be reached.
    """
    flows = db.dbos._sys_db.tables.workflow_status
    count, first = sa.func.count().label("n"), sa.func.min(flows.c.created_at).label("first")
    of_kind = (
        sa.select(flows.c.name, flows.c.status, count, first)
        .where(flows.c.status.in_(("ENQUEUED", "PENDING")))
        .group_by(flows.c.name, flows.c.status)
        # Where DBOS has its tables: a schema of their own on PostgreSQL.
        .execution_options(**db.dbos._sys_db.engine.get_execution_options())
    )
    of_jobs = sa.select(jobs.c.status, count).where(jobs.c.status.in_(OPEN)).group_by(jobs.c.status)
    seen = sa.select(sa.func.count()).where(workers.c.seen_at > db.now - lease_s)

    def work(connection: sa.Connection) -> Figures:
        found = Figures(dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0.0))
        found.jobs = dict.fromkeys(OPEN, 0)
        now = float(connection.execute(sa.select(db.now)).scalar_one())
        for row in connection.execute(of_kind):
            kind = row.name.removeprefix("avatalk_")
            if row.status == "PENDING":
                found.running[kind] = row.n
            else:
                found.waiting[kind] = row.n
                found.oldest_s[kind] = max(0.0, now - row.first / 1000)
        for row in connection.execute(of_jobs):
            found.jobs[row.status] = row.n
        found.workers = int(connection.execute(seen).scalar_one())
        value = sa.func.sum(counts.c.value).label("value")
        totals = sa.select(counts.c.name, counts.c.label, value).group_by(counts.c.name, counts.c.label)
        _read(found, connection.execute(totals).all())
        return found

    return db.run(work)


def _read(found: Figures, rows: Iterable[Any]) -> None:
    classes: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for row in rows:
        if row.name == "ended":
            found.ended[row.label] = row.value
        elif row.name == "failed":
            found.failures[row.label] = row.value
        elif row.name == "stage_s":
            seconds[row.label] = row.value
        elif row.name.startswith("stage:"):
            stage = row.name.removeprefix("stage:")
            classes.setdefault(stage, [0.0] * (len(BOUNDS_S) + 1))[int(row.label)] = row.value
    for stage, in_class in classes.items():
        found.stages[stage] = (seconds.get(stage, 0.0), list(accumulate(in_class)))
