"""Batches in the database: what was accepted is queued, stopped and removed in the background.

A batch is one row with a state, and a row for every video. Any process of the service may do what a state
asks for; it holds the batch for a while, and what a lost one held is free again after that. A video is queued
under a key made of its batch and its number, so it is made once however often that is tried.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from avatalk.errors import AvatalkError, Conflict, NotFound, StorageError, TooMany
from avatalk.jobs import records
from avatalk.jobs.inputs import Inputs
from avatalk.jobs.tables import jobs
from avatalk.service.post import register
from avatalk.service.rows import Row
from avatalk.service.tables import batch_rows, batches

if TYPE_CHECKING:
    from avatalk.service.context import Service

log = logging.getLogger("avatalk.service")

_KEY_LASTS_S = 24 * 3600.0
_HOLD_S = 30.0
_LOOK_EVERY_S = 1.0
_AT_ONCE = 50  # rows that are taken care of before the batch is held again
_PAUSE_S = 0.002  # between rows, for the requests of others


@dataclass(frozen=True, slots=True)
class Wanted:
    """A batch that was read and found to be right.

    Attributes:
        name: for people.
        template: fields of a request, with places.
        rows: the values of each.
        inputs: the request of each, its files stored.
        callback_url: what is told of every video; empty for nothing.
    """

    name: str
    template: dict[str, Any]
    rows: list[Row]
    inputs: list[Inputs]
    callback_url: str


def accept(service: Service, owner: str, wanted: Wanted, idempotency_key: str = "") -> str:
    """Note a batch, all of it at once, and return its id; its videos are queued in the background.

    Raises:
        Conflict: the key was used for another batch.
        StorageError: the database cannot be reached.
    """
    now = time.time()
    batch_id = f"batch_{int(now * 1000):012x}{secrets.token_hex(8)}"
    told = json.dumps([wanted.template, wanted.rows, wanted.callback_url], sort_keys=True)
    row = {
        "id": batch_id,
        "owner": owner,
        "name": wanted.name,
        "idempotency_key": idempotency_key or None,
        "fingerprint": hashlib.sha256(told.encode()).hexdigest(),
        "template": wanted.template,
        "callback_url": wanted.callback_url or None,
        "rows": len(wanted.rows),
        "state": "filling",
        "held_until": 0.0,
        "created_at": now,
    }
    mine = (batches.c.owner == owner) & (batches.c.idempotency_key == idempotency_key)

    def work(connection: sa.Connection) -> None:
        old = batches.c.created_at < now - _KEY_LASTS_S
        connection.execute(batches.update().where(mine, old).values(idempotency_key=None))
        connection.execute(batches.insert().values(**row))
        connection.execute(
            batch_rows.insert(),
            [
                {
                    "batch_id": batch_id,
                    "number": number,
                    "values": values,
                    "request": inputs.fields,
                    "inputs": inputs.names,
                }
                for number, (values, inputs) in enumerate(zip(wanted.rows, wanted.inputs, strict=True), 1)
            ],
        )

    try:
        service.db.run(work)
    except sa.exc.IntegrityError:
        query = sa.select(batches).where(mine)
        same = service.db.run(lambda connection: connection.execute(query).one())
        if same.fingerprint != row["fingerprint"]:
            raise Conflict(
                "This idempotency key was used for another batch.",
                hint="Use a new key for every new batch.",
                field="idempotency_key",
            ) from None
        return str(same.id)
    return batch_id


def get(service: Service, owner: str, batch_id: str) -> tuple[sa.Row[Any], dict[str, int]]:
    """A batch, and how many of its videos have which status.

    Raises:
        NotFound: there is none of that id, or it is somebody else's.
    """

    def work(connection: sa.Connection) -> tuple[sa.Row[Any], dict[str, int]] | None:
        found = connection.execute(sa.select(batches).where(_mine(owner, batch_id))).one_or_none()
        return None if found is None else (found, _counts(connection, [batch_id])[batch_id])

    found = service.db.run(work)
    if found is None:
        raise NotFound(f"There is no batch {batch_id}.", hint="It may have been deleted.", field="id")
    return found


def page(
    service: Service, owner: str, before: str | None, limit: int
) -> tuple[list[tuple[sa.Row[Any], dict[str, int]]], str | None]:
    """Batches with their counts, the newest first, and the cursor of the next page."""
    query = sa.select(batches).where(batches.c.owner == owner, batches.c.state != "deleting")
    if before is not None:
        query = query.where(batches.c.id < before)

    def work(connection: sa.Connection) -> list[tuple[sa.Row[Any], dict[str, int]]]:
        rows = connection.execute(query.order_by(batches.c.id.desc()).limit(limit + 1)).all()
        counts = _counts(connection, [row.id for row in rows])
        return [(row, counts[row.id]) for row in rows]

    found = service.db.run(work)
    return found[:limit], found[limit - 1][0].id if len(found) > limit else None


def rows_of(service: Service, batch_id: str) -> list[sa.Row[Any]]:
    """The rows of a batch: number, values, job_id, status, error."""
    query = (
        sa.select(
            batch_rows.c.number,
            batch_rows.c["values"],
            batch_rows.c.job_id,
            _status(),
            sa.func.coalesce(batch_rows.c.error, jobs.c.error, type_=sa.JSON).label("error"),
        )
        .select_from(_joined())
        .where(batch_rows.c.batch_id == batch_id)
        .order_by(batch_rows.c.number)
    )
    return list(service.db.run(lambda connection: connection.execute(query).all()))


def end(service: Service, owner: str, batch_id: str, state: str) -> None:
    """Let a batch be canceled (``canceling``) or removed with all its videos (``deleting``).

    Raises:
        NotFound: there is none of that id, or it is somebody else's.
    """
    change = batches.update().where(_mine(owner, batch_id)).values(state=state)
    if state == "canceling":
        change = change.where(batches.c.state.in_(("filling", "filled")))
    if not service.db.run(lambda connection: connection.execute(change).rowcount):
        get(service, owner, batch_id)


def _mine(owner: str, batch_id: str) -> sa.ColumnElement[bool]:
    return (batches.c.owner == owner) & (batches.c.id == batch_id) & (batches.c.state != "deleting")


def _joined() -> sa.FromClause:
    return batch_rows.join(batches, batches.c.id == batch_rows.c.batch_id).outerjoin(
        jobs, jobs.c.id == batch_rows.c.job_id
    )


def _status() -> sa.ColumnElement[str]:
    """What a row has become: the status of its job, or why it has none."""
    ending = batches.c.state.in_(("canceling", "canceled"))
    return sa.case(
        (jobs.c.status.is_not(None), jobs.c.status),
        (batch_rows.c.job_id.is_not(None), "deleted"),
        (batch_rows.c.error.is_not(None), "failed"),
        (ending, "canceled"),
        else_="queued",
    ).label("status")


def _counts(connection: sa.Connection, batch_ids: list[str]) -> dict[str, dict[str, int]]:
    status = _status()
    query = (
        sa.select(batch_rows.c.batch_id, status, sa.func.count())
        .select_from(_joined())
        .where(batch_rows.c.batch_id.in_(batch_ids))
        .group_by(batch_rows.c.batch_id, status)
    )
    counts: dict[str, dict[str, int]] = {batch_id: {} for batch_id in batch_ids}
    for batch_id, of_status, count in connection.execute(query):
        counts[batch_id][of_status] = count
    return counts


# --- in the background


class Filler:
    """A thread that does what the states of batches ask for.

    Args:
        service: whose batches.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stop, self._wake = Event(), Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = Thread(target=self._run, name="avatalk-batches", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look at once, for there is something to do."""
        self._wake.set()

    def close(self) -> None:
        """Stop after the row in hand."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._step():
                    continue
            except StorageError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("Batches could not be looked after")
            self._wake.wait(_LOOK_EVERY_S)
            self._wake.clear()

    def _step(self) -> bool:
        """Take care of some rows of one batch; False if there is nothing to do."""
        batch = self._hold()
        if batch is None:
            return False
        work = {"filling": self._fill, "canceling": self._cancel, "deleting": self._delete}[batch.state]
        if not work(batch):
            return True
        self._let_go(batch, _LOOK_EVERY_S)  # it cannot go on just now
        return False

    def _hold(self) -> sa.Row[Any] | None:
        now = time.time()
        free = batches.c.state.in_(("filling", "canceling", "deleting")) & (batches.c.held_until < now)
        first = sa.select(batches.c.id).where(free).order_by(batches.c.held_until, batches.c.id).limit(1)
        take = batches.update().where(batches.c.id == first.scalar_subquery(), free)
        take = take.values(held_until=now + _HOLD_S)
        return self._service.db.run(
            lambda connection: connection.execute(take.returning(batches)).one_or_none()
        )

    def _let_go(self, batch: sa.Row[Any], wait_s: float = 0.0, state: str = "") -> None:
        """Let others have a batch, in another state unless somebody asked for something else meanwhile."""
        mine = batches.update().where(batches.c.id == batch.id)
        free = mine.values(held_until=time.time() + wait_s if wait_s else 0.0)
        turn = mine.where(batches.c.state == batch.state).values(state=state)

        def work(connection: sa.Connection) -> None:
            connection.execute(free)
            if state:
                connection.execute(turn)

        self._service.db.run(work)

    def _fill(self, batch: sa.Row[Any]) -> bool:
        waiting = batch_rows.c.job_id.is_(None) & batch_rows.c.error.is_(None)
        rows = self._some(batch.id, waiting)
        for row in rows:
            if self._stop.is_set():
                break
            try:
                self._queue(batch, row)
            except TooMany:
                return True
            time.sleep(_PAUSE_S)
        self._let_go(batch, state="" if rows else "filled")
        return False

    def _queue(self, batch: sa.Row[Any], row: sa.Row[Any]) -> None:
        values: dict[str, Any]
        try:
            job_id = self._service.submit(
                self._service.behalf(batch.owner),
                Inputs(row.request, row.inputs),
                priority="low",
                idempotency_key=f"{batch.id}:{row.number}",
            )
            if batch.callback_url:
                register(self._service, job_id, batch.callback_url, batch.owner)
            values = {"job_id": job_id}
        except AvatalkError as error:
            if error.retryable:
                raise
            values = {"error": records.error_fields(error)}
        self._change(batch_rows.update().where(_row(row)).values(**values))

    def _cancel(self, batch: sa.Row[Any]) -> bool:
        still = sa.exists().where(jobs.c.id == batch_rows.c.job_id, jobs.c.status.in_(records.OPEN))
        rows = self._some(batch.id, still)
        for row in rows:
            if self._stop.is_set():
                break
            self._service.jobs.cancel(row.job_id, batch.owner)
        self._let_go(batch, state="" if rows else "canceled")
        return False

    def _delete(self, batch: sa.Row[Any]) -> bool:
        rows = self._some(batch.id, sa.true())
        for row in rows:
            if self._stop.is_set():
                break
            if row.job_id is not None:
                try:
                    self._service.delete(self._service.behalf(batch.owner), row.job_id)
                except NotFound:
                    log.debug("%s was deleted before", row.job_id)
            self._change(batch_rows.delete().where(_row(row)))
        if rows:
            self._let_go(batch)
        else:
            self._change(batches.delete().where(batches.c.id == batch.id))
        return False

    def _some(self, batch_id: str, which: sa.ColumnElement[bool]) -> list[sa.Row[Any]]:
        query = sa.select(batch_rows).where(batch_rows.c.batch_id == batch_id, which)
        query = query.order_by(batch_rows.c.number).limit(_AT_ONCE)
        return list(self._service.db.run(lambda connection: connection.execute(query).all()))

    def _change(self, change: sa.Executable) -> None:
        self._service.db.run(lambda connection: connection.execute(change))


def _row(row: sa.Row[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(batch_rows.c.batch_id == row.batch_id, batch_rows.c.number == row.number)
