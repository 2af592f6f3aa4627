"""Avatars that are made from words: at once where they are drawn, in the background where they are painted.

A painter works for minutes. Its process tells the database every few seconds that it lives, so what a lost
one left is told as failed.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from avatalk.errors import AvatalkError, Cancelled, NotFound, TooMany
from avatalk.jobs import records
from avatalk.service.helpers import Helpers
from avatalk.service.made import as_asset
from avatalk.service.tables import creations
from avatalk.workspace import temporary_folder

if TYPE_CHECKING:  # which keeps one of these
    from avatalk.service.context import Caller, Service

OPEN = ("queued", "processing")
_MOST_OPEN = 4  # of one owner
_BEAT_S = 2.0
_LOST_S = 60.0
_LONGEST_S = 3600.0  # for one picture
_LOST = {
    "code": "cannot_run",
    "message": "The process that made this ended.",
    "field": None,
    "hint": "Ask again.",
    "retryable": True,
}


def begin(service: Service, caller: Caller, request: dict[str, Any], engine: str) -> str:
    """Note that avatars are wanted, and return the id of their creation.

    Raises:
        TooMany: the caller has too many under way.
    """
    now = time.time()
    row = {
        "id": f"make_{int(now * 1000):012x}{secrets.token_hex(8)}",
        "owner": caller.owner,
        "status": "queued",
        "progress": 0.0,
        "request": request,
        "engine": engine,
        "made": [],
        "created_at": now,
        "seen_at": now,
    }
    of_owner = (creations.c.owner == caller.owner) & creations.c.status.in_(OPEN)
    count = sa.select(sa.func.count()).where(of_owner, creations.c.seen_at > now - _LOST_S)

    def work(connection: sa.Connection) -> None:
        if connection.execute(count).scalar_one() >= _MOST_OPEN:
            raise TooMany(
                f"{_MOST_OPEN} creations of yours are under way already.",
                hint="Wait for one of them, or cancel it.",
                retry_after_s=10,
            )
        connection.execute(creations.insert().values(**row))

    service.db.run(work)
    return str(row["id"])


def get(service: Service, caller: Caller, creation_id: str) -> sa.Row[Any]:
    """The row of a creation.

    Raises:
        NotFound: the caller has none of that id.
    """
    mine = (creations.c.id == creation_id) & (creations.c.owner == caller.owner)
    lost = creations.c.status.in_(OPEN) & (creations.c.seen_at < time.time() - _LOST_S)

    def work(connection: sa.Connection) -> sa.Row[Any] | None:
        connection.execute(creations.update().where(mine, lost).values(status="failed", error=_LOST))
        return connection.execute(sa.select(creations).where(mine)).one_or_none()

    row = service.db.run(work)
    if row is None:
        raise NotFound(f"There is no creation {creation_id}.", hint="Look at the id.", field="id")
    return row


def cancel(service: Service, caller: Caller, creation_id: str) -> sa.Row[Any]:
    """Stop a creation; one that is over stays as it is.

    Raises:
        NotFound: the caller has none of that id.
    """
    get(service, caller, creation_id)
    _update(service, creation_id, status="canceled")
    return get(service, caller, creation_id)


class Studio:
    """Makes what was begun: one after another in the background.

    Args:
        service: whose.
        helpers: the children that do it.
    """

    def __init__(self, service: Service, helpers: Helpers) -> None:
        self._service, self._helpers = service, helpers
        self._threads: ThreadPoolExecutor | None = None
        self._lock = Lock()
        self._closed = Event()

    def later(self, caller: Caller, creation_id: str) -> None:
        """Make a creation in the background."""
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(64, "avatalk-make")
        self._threads.submit(self.make, caller, creation_id)

    def make(self, caller: Caller, creation_id: str) -> None:
        """Make a creation now, and note how it ended.

        Args:
            caller: whose it is.
            creation_id: from `begin`.

        Raises:
            AvatalkError: it could not be made.
        """
        service = self._service
        wish = get(service, caller, creation_id).request
        count, made, gone = wish["count"], [], Event()
        try:
            for index in range(count):
                with temporary_folder() as folder:
                    path = Path(folder) / f"avatar-{wish['seed'] + index}.png"
                    step = _Steps(index, count)
                    facts = self._one(creation_id, wish, index, path, step, gone)
                    shown = {"width": facts.pop("width"), "height": facts.pop("height")}
                    asset = as_asset(service, caller, path, "picture", "image/png", shown)
                made.append({"asset": asset, **facts, **shown})
                _update(service, creation_id, made=made, progress=round((index + 1) / count, 3))
            _update(service, creation_id, status="completed", progress=1.0)
        except Cancelled:
            ends = {"status": "failed", "error": _LOST} if self._closed.is_set() else {"status": "canceled"}
            _update(service, creation_id, **ends)
            raise
        except Exception as error:
            _update(service, creation_id, status="failed", error=_told(error))
            raise

    def _one(
        self, creation_id: str, wish: dict[str, Any], index: int, path: Path, step: _Steps, gone: Event
    ) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as thread:
            future: Future[dict[str, Any]] = thread.submit(
                self._helpers.run,
                "imagine",
                timeout_s=_LONGEST_S,
                gone=gone,
                on_step=step,
                description=wish["description"],
                engine=wish["engine"],
                seed=wish["seed"] + index,
                steps=wish["steps"],
                output=str(path),
            )
            while not wait([future], _BEAT_S).done:
                begun = {"status": "processing"} if step.begun else {}
                wanted = _update(self._service, creation_id, progress=step.progress, **begun)
                if not wanted or self._closed.is_set():
                    gone.set()
            return future.result()

    def close(self) -> None:
        """Stop what is under way."""
        self._closed.set()
        self._helpers.close()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


class _Steps:
    """How far one of several pictures is."""

    def __init__(self, index: int, count: int) -> None:
        self._index, self._count = index, count
        self.begun = index > 0
        self.progress = round(index / count, 3)

    def __call__(self, step: dict[str, Any]) -> None:
        self.begun = True
        self.progress = round((self._index + 0.99 * step["done"]) / self._count, 3)


def _update(service: Service, creation_id: str, **values: Any) -> bool:
    """Change a creation that is not over yet; False if it is."""
    mine = creations.update().where(creations.c.id == creation_id, creations.c.status.in_(OPEN))
    change = mine.values(seen_at=time.time(), **values)
    return bool(service.db.run(lambda connection: connection.execute(change).rowcount))


def _told(error: Exception) -> dict[str, Any]:
    told = records.error_fields(error)
    if not isinstance(error, AvatalkError):
        told["message"] = "The avatar could not be made."
    return {name: told[name] for name in ("code", "message", "field", "hint", "retryable")}
