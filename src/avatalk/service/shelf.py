"""Uploaded files at rest: a row for each that somebody sent, and one content for all that are equal.

Content is stored under its hash. It goes when its last row is deleted and no open job is made from it, or
when it expires (`avatalk.jobs.expiry`). So that nobody takes content for stored that is just being removed, a
row stands before its content is looked for, and whoever removes content holds the row of `files` that whoever
stores it writes to.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from avatalk import settings
from avatalk.errors import NotFound
from avatalk.jobs import expiry
from avatalk.jobs.inputs import ASSETS
from avatalk.jobs.records import OPEN
from avatalk.jobs.tables import files, jobs
from avatalk.service.checks import Found, check
from avatalk.service.context import Service
from avatalk.service.tables import assets, batch_rows

Row = sa.Row[Any]

_COMES = "(comes)"  # an owner that nobody can be, of what is not stored yet
_LOST_S = 24 * 3600.0  # after which whoever was to store it has been killed


def keep(
    service: Service,
    owner: str,
    path: Path,
    name: str,
    size: int,
    sha256: str,
    field: str = "file",
    found: Found | None = None,
) -> Row:
    """Check a file, store its content, and return its row.

    Args:
        service: where to.
        owner: whose it is.
        path: of the file.
        name: what it is called, clean.
        size: bytes.
        sha256: of its content.
        field: of the request, for messages.
        found: what it is, if the service itself has made it; else it is looked at.

    Raises:
        UnreadableFile: it is no picture, clip or sound.
        TooLarge: it is beyond a limit.
        StorageError: storage or database cannot be reached.
    """
    found = found or _known(service, owner, sha256) or check(path, name, field)
    key = f"{ASSETS}/{sha256}{found.ending}"
    now = time.time()
    row = {
        "id": f"asset_{int(now * 1000):012x}{secrets.token_hex(10)}",
        "owner": _COMES,
        "key": key,
        "name": name,
        "kind": found.kind,
        "type": found.type,
        "facts": {"bytes": size, "sha256": sha256, **found.facts},
        "created_at": now,
        "used_at": now,
    }

    def announce(connection: sa.Connection) -> None:
        lost = (assets.c.owner == _COMES) & (assets.c.used_at < now - _LOST_S)
        connection.execute(assets.delete().where(lost))
        connection.execute(assets.insert().values(**row))

    service.db.run(announce)
    try:
        service.jobs.store(path, ending=found.ending, sha256=sha256)
        mine = assets.update().where(assets.c.id == row["id"]).values(owner=owner).returning(assets)
        return service.db.run(lambda connection: connection.execute(mine).one())
    except BaseException:
        _drop(service, str(row["id"]), key)
        raise


def get(service: Service, owner: str, asset_id: str) -> Row:
    """Return a row.

    Raises:
        NotFound: there is none of that owner.
    """
    query = sa.select(assets).where(assets.c.id == asset_id, assets.c.owner == owner)
    row = service.db.run(lambda connection: connection.execute(query).one_or_none())
    if row is None:
        raise NotFound(f"There is no asset {asset_id}.", hint="It may have expired.", field="asset_id")
    return row


def page(
    service: Service, owner: str, kind: str | None, before: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """Rows of an owner, the newest first, and the cursor of the next page; None after the last."""
    query = sa.select(assets).where(assets.c.owner == owner).order_by(assets.c.id.desc()).limit(limit + 1)
    if kind is not None:
        query = query.where(assets.c.kind == kind)
    if before is not None:
        query = query.where(assets.c.id < before)
    rows = list(service.db.run(lambda connection: connection.execute(query).all()))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def forget(service: Service, owner: str, asset_id: str) -> None:
    """Remove a row, and its content if nothing else needs it.

    Raises:
        NotFound: there is none of that owner.
    """
    row = get(service, owner, asset_id)
    _drop(service, row.id, row.key)


def expires_at(row: Row) -> float | None:
    """When a row goes if it is not used again, seconds since 1970; None for never."""
    days = settings.number("keep_days")
    return float(row.used_at) + 86_400 * days if days else None


def _known(service: Service, owner: str, sha256: str) -> Found | None:
    """What the same content was found to be when the same owner sent it before."""
    begins = assets.c.key.startswith(f"{ASSETS}/{sha256}.")
    query = sa.select(assets).where(assets.c.owner == owner, begins).limit(1)
    row = service.db.run(lambda connection: connection.execute(query).one_or_none())
    if row is None or (row.kind == "picture" and "faces" not in row.facts):
        return None  # the latter may be known by now
    facts = {name: value for name, value in row.facts.items() if name not in ("bytes", "sha256")}
    return Found(row.kind, row.type, Path(row.key).suffix, facts)


def _drop(service: Service, asset_id: str, key: str) -> None:
    """Remove a row; and the content, if nobody else has it and no open job needs it."""

    def work(connection: sa.Connection) -> None:
        # Taken first: whoever stores the same meanwhile waits here, then finds it gone and stores it again.
        connection.execute(files.update().where(files.c.key == key).values(key=key))
        connection.execute(assets.delete().where(assets.c.id == asset_id))
        if not _needed(connection, key):
            connection.execute(files.delete().where(files.c.key == key))
            service.storage.remove(key)

    expiry.use(service.db, [key])  # so that the row is there to be held
    service.db.run(work)


def _needed(connection: sa.Connection, key: str) -> bool:
    """Whether content is somebody's, or that of a video that is still to be made."""
    rows = sa.select(assets.c.id).where(assets.c.key == key).limit(1)
    if connection.execute(rows).first() is not None:
        return True
    of_jobs = sa.select(jobs.c.inputs).where(jobs.c.status.in_(OPEN))
    of_batches = sa.select(batch_rows.c.inputs).where(batch_rows.c.job_id.is_(None))
    return any(
        key in inputs for query in (of_jobs, of_batches) for inputs in connection.execute(query).scalars()
    )
