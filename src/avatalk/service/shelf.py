"""Uploaded files at rest: a row for each that somebody sent, and one content for all that are equal.

Content is stored under its hash. It goes when no row names it and no open job is made from it. So that nobody
finds content there that is just being removed, rows say which content comes and which goes, and whoever
changes the rows of one content holds a lock on it.
"""

from __future__ import annotations

import secrets
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from avatalk import settings
from avatalk.errors import NotFound, StorageError
from avatalk.jobs.inputs import ASSETS
from avatalk.jobs.records import OPEN
from avatalk.jobs.tables import jobs
from avatalk.service.checks import Found, check
from avatalk.service.context import Service
from avatalk.service.tables import assets

T = TypeVar("T")
Row = sa.Row[Any]

# Owners that nobody can be.
_COMES, _GOES = "(comes)", "(goes)"
_STALE_S = 60.0  # after which whoever was to finish it has been killed
_WAIT_S = 0.05
_LOCKS = 0x41560000


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
    _announce(service, row)
    try:
        service.storage.put(path, ASSETS, ending=found.ending, sha256=sha256)
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


def expires_at(row: Row) -> float:
    """When a row goes if it is not used again, seconds since 1970."""
    return float(row.used_at) + 86_400 * settings.number("keep_assets_days")


def expire(service: Service) -> int:
    """Remove what was unused for too long, and then the longest unused until the rest is small enough.

    What open jobs are made from stays. Returns the number of rows that went.
    """
    most = settings.number("max_assets_gb") * 1e9
    oldest = time.time() - 86_400 * settings.number("keep_assets_days")

    def work(connection: sa.Connection) -> tuple[list[Row], set[str]]:
        rows = connection.execute(sa.select(assets).order_by(assets.c.used_at.desc())).all()
        return list(rows), _wanted(connection)

    rows, wanted = service.db.run(work)
    sizes: dict[str, int] = {}
    gone = 0
    for row in rows:
        if row.owner in (_COMES, _GOES):
            late = row.used_at < time.time() - _STALE_S
        else:
            sizes.setdefault(row.key, int(row.facts["bytes"]))
            late = row.used_at < oldest or sum(sizes.values()) > most
        if late and row.key not in wanted:
            sizes.pop(row.key, None)
            _drop(service, row.id, row.key)
            gone += 1
    return gone


def _known(service: Service, owner: str, sha256: str) -> Found | None:
    """What the same content was found to be when the same owner sent it before."""
    begins = assets.c.key.startswith(f"{ASSETS}/{sha256}.")
    query = sa.select(assets).where(assets.c.owner == owner, begins).limit(1)
    row = service.db.run(lambda connection: connection.execute(query).one_or_none())
    if row is None:
        return None
    facts = {name: value for name, value in row.facts.items() if name not in ("bytes", "sha256")}
    return Found(row.kind, row.type, Path(row.key).suffix, facts)


# --- content that several share ----------------------------------------------------------------------


def _announce(service: Service, row: dict[str, Any]) -> None:
    """Insert the row of content that comes, once none of it is going."""
    going = sa.select(assets).where(assets.c.key == row["key"], assets.c.owner == _GOES)

    def work(connection: sa.Connection) -> bool:
        if any(other.used_at > time.time() - _STALE_S for other in connection.execute(going).all()):
            return False
        connection.execute(sa.delete(assets).where(assets.c.key == row["key"], assets.c.owner == _GOES))
        connection.execute(assets.insert().values(**row))
        return True

    until = time.monotonic() + 2 * _STALE_S
    while not _alone(service, row["key"], work):
        if time.monotonic() > until:
            raise StorageError("The file cannot be stored now.", hint="Send it again.")
        time.sleep(_WAIT_S)


def _drop(service: Service, asset_id: str, key: str) -> None:
    """Remove a row; and the content, if nobody else has it and no open job needs it."""
    mine, same = assets.c.id == asset_id, assets.c.key == key

    def work(connection: sa.Connection) -> bool:
        others = connection.execute(sa.select(assets.c.id).where(same, ~mine).limit(1)).one_or_none()
        if others is not None or key in _wanted(connection):
            connection.execute(sa.delete(assets).where(mine))
            return False
        connection.execute(assets.update().where(mine).values(owner=_GOES, used_at=time.time()))
        return True

    if _alone(service, key, work):
        service.storage.remove(key)
        service.db.run(lambda connection: connection.execute(sa.delete(assets).where(mine)))


def _wanted(connection: sa.Connection) -> set[str]:
    """Keys of what open jobs are made from."""
    rows = connection.execute(sa.select(jobs.c.inputs).where(jobs.c.status.in_(OPEN))).all()
    return {key for row in rows for key in row.inputs}


def _alone(service: Service, key: str, work: Callable[[sa.Connection], T]) -> T:
    """Do `work` in a transaction while nobody else does so for the same content."""

    def locked(connection: sa.Connection) -> T:
        if connection.dialect.name == "postgresql":
            number = _LOCKS << 32 | zlib.crc32(key.encode())
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.cast(number, sa.BigInteger))))
        return work(connection)

    return service.db.run(locked)
