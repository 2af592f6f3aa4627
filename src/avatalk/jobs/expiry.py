"""What is old goes: results and files of requests, by age and by the room they take together.

A job that is not over, and the files it is made from, stay in any case. A file of requests is as old as its
last use.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from avatalk.jobs import records
from avatalk.jobs.inputs import ASSETS
from avatalk.jobs.storage import Found, Storage
from avatalk.jobs.tables import Database, assets, chores, events, files, jobs, revisions, segments

_AT_ONCE = 200  # jobs looked at in one query
_STRAY_S = (
    24 * 3600.0
)  # after which a folder without a job is nobody's: one that is just submitted has a row first


@dataclass(frozen=True, slots=True)
class Expired:
    """What went.

    Attributes:
        jobs: how many.
        files: how many that requests were made from.
        freed: bytes.
    """

    jobs: int
    files: int
    freed: int


@dataclass(frozen=True, slots=True)
class _Old:
    """Something that may go.

    Attributes:
        at: seconds since 1970: the end of a job, the last use of a file.
        size: bytes.
        job_id: of the job, or empty.
        key: of the file, or empty.
    """

    at: float
    size: int
    job_id: str
    key: str


def expire(
    db: Database,
    storage: Storage,
    *,
    keep_s: float,
    keep_bytes: float,
    stop: Callable[[], bool] = lambda: False,
) -> Expired:
    """Remove what is older than `keep_s`, and then the oldest until the rest takes at most `keep_bytes`.

    Args:
        db: the jobs.
        storage: their files.
        keep_s: seconds; 0 for no end.
        keep_bytes: of all files together; 0 for no limit.
        stop: asked before each step; what is left then stays for the next time.

    Raises:
        StorageError: storage or database cannot be reached.
    """
    now, count = time.time(), {"jobs": 0, "files": 0, "freed": 0}
    sources = storage.found(ASSETS)
    unused = sorted(_unused(db, sources), key=lambda old: old.at)
    total = sum(file.size for file in sources) + db.run(_held_by_jobs)
    for old in heapq.merge(_ended(db), unused, key=lambda old: old.at):
        over_age = keep_s and old.at < now - keep_s
        if stop() or not (over_age or (keep_bytes and total - count["freed"] > keep_bytes)):
            break
        if old.job_id:
            remove_job(db, storage, old.job_id)
            count["jobs"] += 1
        elif _remove_file(db, storage, old):
            count["files"] += 1
        else:
            continue
        count["freed"] += old.size
    for job_id in _strays(db, [name for name in storage.folders("jobs") if _is_old(name, now)]):
        storage.remove(f"jobs/{job_id}")
    return Expired(**count)


def remove_job(db: Database, storage: Storage, job_id: str) -> None:
    """Remove a job that is over, with all that belongs to it."""

    def work(connection: sa.Connection) -> int:
        query = sa.select(sa.func.count()).where(segments.c.job_id == job_id)
        count = connection.execute(query).scalar_one()
        for column in (events.c.job_id, segments.c.job_id, revisions.c.job_id, jobs.c.id):
            connection.execute(sa.delete(column.table).where(column == job_id))
        return int(count)

    db.dbos.delete_workflows(records.workflow_ids(job_id, db.run(work)))
    storage.remove(f"jobs/{job_id}")


def use(db: Database, keys: list[str]) -> None:
    """Note that files are used now: they are as young as that."""
    insert: Any = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert(files)

    def work(connection: sa.Connection) -> None:
        for key in sorted(keys):  # in one order, so that two never wait for each other
            row = insert.values(key=key, used_at=time.time())
            used = {"used_at": row.excluded.used_at}
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=used))

    if keys:
        db.run(work)


def is_due(db: Database, chore: str, every_s: float) -> bool:
    """Whether a chore was not done for so long; then it counts as done now, for whoever asks as well."""
    insert: Any = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert(chores)

    def work(connection: sa.Connection) -> bool:
        connection.execute(insert.values(name=chore, at=0.0).on_conflict_do_nothing())
        due = (chores.c.name == chore) & (chores.c.at <= db.now - every_s)
        return bool(connection.execute(chores.update().where(due).values(at=db.now)).rowcount)

    return db.run(work)


def _held_by_jobs(connection: sa.Connection) -> int:
    """Bytes of all results."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.sum(jobs.c.size), 0))).scalar_one())


def _ended(db: Database) -> Iterator[_Old]:
    """The jobs that are over, the oldest first."""
    last: tuple[float, str] = (0.0, "")
    while True:
        ours = sa.tuple_(jobs.c.ended_at, jobs.c.id) > last
        query = (
            sa.select(jobs.c.id, jobs.c.ended_at, jobs.c.size)
            .where(ours)
            .order_by(jobs.c.ended_at, jobs.c.id)
            .limit(_AT_ONCE)
        )
        rows = _rows(db, query)
        for row in rows:
            yield _Old(row.ended_at, row.size, row.id, "")
        if len(rows) < _AT_ONCE:
            return
        last = (rows[-1].ended_at, rows[-1].id)


def _rows(db: Database, query: sa.Select[Any]) -> Sequence[Any]:
    return db.run(lambda connection: connection.execute(query).all())


def _unused(db: Database, sources: list[Found]) -> list[_Old]:
    """The files of requests that no open job is made from."""

    def work(connection: sa.Connection) -> tuple[set[str], dict[str, float]]:
        of_open = sa.select(jobs.c.inputs).where(jobs.c.status.in_(records.OPEN))
        wanted = {key for inputs in connection.execute(of_open).scalars() for key in inputs}
        used: dict[str, float] = {}
        for table in (files, assets):
            for key, at in connection.execute(sa.select(table.c.key, table.c.used_at)):
                used[key] = max(used.get(key, 0.0), at)
        return wanted, used

    wanted, used = db.run(work)
    return [
        _Old(max(file.at, used.get(file.key, 0.0)), file.size, "", file.key)
        for file in sources
        if file.key not in wanted
    ]


def _remove_file(db: Database, storage: Storage, old: _Old) -> bool:
    """Remove a file unless it was used since we looked. Who uses it now waits, and stores it again."""

    def work(connection: sa.Connection) -> bool:
        insert: Any = (sqlite if db.engine.dialect.name == "sqlite" else postgresql).insert(files)
        connection.execute(insert.values(key=old.key, used_at=old.at).on_conflict_do_nothing())
        still = (files.c.key == old.key) & (files.c.used_at <= old.at)
        if not connection.execute(files.delete().where(still)).rowcount:
            return False
        connection.execute(assets.delete().where(assets.c.key == old.key))
        storage.remove(old.key)
        return True

    return db.run(work)


def _is_old(job_id: str, now: float) -> bool:
    """Whether a job was submitted a day ago or more; its id tells when."""
    try:
        return int(job_id[4:16], 16) / 1000 < now - _STRAY_S
    except ValueError:
        return False


def _strays(db: Database, names: list[str]) -> Iterator[str]:
    """Which of these have files that nobody will read: a process was killed before it removed them."""
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        read = jobs.c.id.in_(some) & jobs.c.status.in_([*records.OPEN, "completed"])
        known = {row.id for row in _rows(db, sa.select(jobs.c.id).where(read))}
        yield from (name for name in some if name not in known)
