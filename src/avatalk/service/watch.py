"""Who follows videos: one look at the database serves all who watch in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from threading import Event

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool

from avatalk.errors import StorageError
from avatalk.jobs.job import JobEvent
from avatalk.jobs.tables import Database, events, jobs

log = logging.getLogger("avatalk.service")

LOOK_EVERY_S = 0.25
ENDS = ("completed", "failed", "canceled")

_MOST = 1000  # events or jobs in one look


@dataclass(slots=True)
class _Channel:
    """What happened to one job so far, for all who watch it; a watcher is a place in this list."""

    told: list[JobEvent] = field(default_factory=list)
    ended: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)
    watchers: int = 0

    def wake(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class Watch:
    """Follows jobs. Needs no thread for a watcher, and looks only while there is one.

    Args:
        db: where the jobs are.
        stopping: set when the server is to stop; then all have seen enough.
    """

    def __init__(self, db: Database, stopping: Event) -> None:
        self._db, self._stopping = db, stopping
        self._channels: dict[str, _Channel] = {}
        self._looking: asyncio.Task[None] | None = None

    async def follow(
        self, job_id: str, after: int = 0, beat_s: float = 15.0
    ) -> AsyncIterator[JobEvent | None]:
        """Yield what happens to a job after event number `after`, until the job ends or is deleted.

        Args:
            job_id: of the job.
            after: what the watcher has seen already.
            beat_s: yield None when nothing has happened for so many seconds.
        """
        channel = self._channels.setdefault(job_id, _Channel())
        channel.watchers += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            while True:
                news = channel.news  # taken first, so that nothing is missed in between
                while after < len(channel.told):
                    after += 1
                    yield channel.told[after - 1]
                if channel.ended:
                    return
                try:
                    await asyncio.wait_for(news.wait(), beat_s)
                except asyncio.TimeoutError:
                    yield None
        finally:
            channel.watchers -= 1
            if not channel.watchers:
                del self._channels[job_id]

    async def _look(self) -> None:
        while self._channels:
            seen = {job_id: len(channel.told) for job_id, channel in self._channels.items()}
            try:
                found = await run_in_threadpool(_since, self._db, seen)
            except StorageError as error:
                log.warning("%s", error)
                found = {}
            for job_id, told in found.items():
                channel = self._channels.get(job_id)
                if channel is not None and len(channel.told) == seen[job_id]:
                    channel.told += told or ()
                    channel.ended = not told or told[-1].data.get("status") in ENDS
                    channel.wake()
            if self._stopping.is_set():
                for channel in self._channels.values():
                    channel.ended = True
                    channel.wake()
            await asyncio.sleep(LOOK_EVERY_S)


def _since(db: Database, seen: Mapping[str, int]) -> dict[str, list[JobEvent] | None]:
    """The events of each job that has any after the number given; None for a job that is gone."""

    def work(connection: sa.Connection) -> dict[str, list[JobEvent] | None]:
        found: dict[str, list[JobEvent] | None] = {}
        ids = list(seen)
        for start in range(0, len(ids), _MOST):
            some = ids[start : start + _MOST]
            query = sa.select(jobs.c.id, jobs.c.events).where(jobs.c.id.in_(some))
            last = {row.id: row.events for row in connection.execute(query)}
            for job_id in some:
                if job_id not in last:
                    found[job_id] = None
                elif last[job_id] > seen[job_id]:
                    found[job_id] = _of(connection, job_id, seen[job_id])
        return found

    return db.run(work)


def _of(connection: sa.Connection, job_id: str, after: int) -> list[JobEvent]:
    query = (
        sa.select(events)
        .where(events.c.job_id == job_id, events.c.number > after)
        .order_by(events.c.number)
        .limit(_MOST)
    )
    return [JobEvent(row.number, row.at, row.kind, row.data) for row in connection.execute(query)]
