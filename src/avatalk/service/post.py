"""Sends webhooks: a signed POST when a video ends, tried again for a day.

What is to be told is in the database, so it survives restarts. A thread of every process of the service looks
for it; a delivery is held by the one that sends it, and is free again when that one is lost. So a receiver
may get an event twice, with the same id, and gets it at least once unless it refuses for a day.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
import re
import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import httpx
import sqlalchemy as sa

from avatalk import settings
from avatalk._version import __version__
from avatalk.errors import BadInput, NotFound, StorageError
from avatalk.jobs.tables import jobs
from avatalk.service.pinned import PublicOnly, Refused, may_be_public
from avatalk.service.tables import attempts, deliveries
from avatalk.signature import HEADER, sign

if TYPE_CHECKING:  # which keeps one of these
    from avatalk.service.context import Service

log = logging.getLogger("avatalk.service")

ENDS = ("completed", "failed", "canceled")

_LOOK_EVERY_S = 1.0
_AT_ONCE = 32
_PATIENCE_S = 10.0  # for one answer
_HOLD_S = 3 * _PATIENCE_S
_FIRST_WAIT_S, _LONGEST_WAIT_S = 5.0, 3600.0
_TRIED_FOR_S = 24 * 3600.0
_FORGOTTEN_S = 7 * 24 * 3600.0


_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.I | re.A)  # httpx takes off the brackets of IPv6


def check_url(url: str) -> None:
    """Check where a webhook shall go, as far as that can be told without looking the host up.

    Raises:
        BadInput: it is no https URL of a host.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise _refused(f"is no URL ({error})") from error
    if not _HOST.fullmatch(parsed.host) or parsed.scheme not in ("http", "https"):
        raise _refused("is no https URL")
    if parsed.userinfo or parsed.fragment:
        raise _refused("has a user name, a password or a fragment in it")
    if _place(parsed) in settings.listed("callback_hosts"):
        return
    if parsed.scheme == "http":
        raise _refused("is not https")
    if not may_be_public(parsed.host):
        raise _refused("names an address that is not public")


def _place(url: httpx.URL) -> str:
    """Host and port, as the setting ``callback_hosts`` has them."""
    return f"{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}"


def _refused(why: str) -> BadInput:
    return BadInput(
        f"The callback URL {why}.",
        hint="Give an https URL of a public host, such as https://example.com/avatalk.",
        field="callback_url",
    )


def register(service: Service, job_id: str, url: str, owner: str) -> None:
    """Let `url` be told when a job ends; asking for the same again changes nothing.

    Raises:
        BadInput: the URL cannot be used.
        StorageError: the database cannot be reached.
    """
    check_url(url)
    digest = hashlib.sha256(f"{job_id} {url}".encode()).hexdigest()[:32]
    row = {
        "id": f"evt_{digest}",
        "job_id": job_id,
        "owner": owner,
        "url": url,
        "state": "waiting",
        "attempts": 0,
        "next_at": 0.0,
        "held_until": 0.0,
        "created_at": time.time(),
    }

    def work(connection: sa.Connection) -> None:
        known = sa.select(deliveries.c.id).where(deliveries.c.id == row["id"])
        if connection.execute(known).first() is None:
            connection.execute(deliveries.insert().values(**row))

    try:
        service.db.run(work)
    except sa.exc.IntegrityError:
        log.debug("%s was registered by another process", row["id"])


class Postman:
    """A thread that sends what is due.

    Args:
        service: whose webhooks.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="avatalk-webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; what is under way is sent again later."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    async def _run(self) -> None:
        under_way: set[asyncio.Task[None]] = set()
        allowed = frozenset(settings.listed("callback_hosts"))
        async with httpx.AsyncClient(transport=PublicOnly(allowed), trust_env=False) as client:
            looked = 0.0
            while not self._stop.is_set():
                if time.monotonic() - looked >= _LOOK_EVERY_S:
                    looked = time.monotonic()
                    for row in await asyncio.to_thread(self._due, _AT_ONCE - len(under_way)):
                        task = asyncio.create_task(self._deliver(client, row))
                        under_way.add(task)
                        task.add_done_callback(under_way.discard)
                await asyncio.sleep(0.05)
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def _due(self, most: int) -> list[sa.Row[Any]]:
        """Take some of what is due now; nobody else sends it for a while."""
        try:
            self._ripen()
            return self._take(most)
        except StorageError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("Webhooks could not be looked after")
        return []

    def _ripen(self) -> None:
        """Make due what waited for a job that is over; forget what nobody needs any more."""
        from avatalk.service.videos import told  # which asks for webhooks itself

        waits = deliveries.c.state == "waiting"
        ended = jobs.select().where(jobs.c.id == deliveries.c.job_id, jobs.c.status.in_(ENDS)).exists()
        gone = ~jobs.select().where(jobs.c.id == deliveries.c.job_id).exists()
        over = deliveries.c.state.in_(("delivered", "failed"))
        old = deliveries.c.due_at < time.time() - _FORGOTTEN_S
        find = sa.select(deliveries).where(waits, ended).limit(100)
        forget = sa.select(deliveries.c.id).where((waits & gone) | (over & (gone | old))).limit(100)

        def work(connection: sa.Connection) -> Any:
            ids = connection.execute(forget).scalars().all()
            if ids:
                connection.execute(attempts.delete().where(attempts.c.delivery_id.in_(ids)))
                connection.execute(deliveries.delete().where(deliveries.c.id.in_(ids)))
            return connection.execute(find).all()

        for row in self._service.db.run(work):
            try:
                job = self._service.jobs.get(row.job_id)
            except NotFound:
                continue
            now = time.time()
            event = {
                "id": row.id,
                "type": f"video.{job.status}",
                "created_at": now,
                "data": told(self._service, [job])[0].model_dump(mode="json"),
            }
            change = deliveries.update().where(deliveries.c.id == row.id, waits)
            change = change.values(
                state="due", body=json.dumps(event, ensure_ascii=False), due_at=now, next_at=now
            )
            self._change(change)

    def _take(self, most: int) -> list[sa.Row[Any]]:
        now = time.time()
        free = (deliveries.c.state == "due") & (deliveries.c.next_at <= now) & (deliveries.c.held_until < now)
        first = sa.select(deliveries.c.id).where(free).order_by(deliveries.c.next_at).limit(most)
        take = deliveries.update().where(deliveries.c.id.in_(first), free)
        take = take.values(held_until=now + _HOLD_S).returning(deliveries)
        return list(self._service.db.run(lambda connection: connection.execute(take).all()))

    async def _deliver(self, client: httpx.AsyncClient, row: sa.Row[Any]) -> None:
        began, status, error = time.time(), None, ""
        try:
            secret = await asyncio.to_thread(self._service.keys.webhook_secret, row.owner)
            status = await asyncio.wait_for(_post(client, row, secret), _PATIENCE_S)
        except Refused as refused:
            error = str(refused)
        except (asyncio.TimeoutError, httpx.TimeoutException):
            error = f"no answer within {_PATIENCE_S:g} s"
        except httpx.HTTPError as failed:
            error = type(failed).__name__
        except StorageError:
            return  # it is tried again when nobody holds it
        try:
            await asyncio.to_thread(self._note, row, began, status, error)
        except StorageError as lost:
            log.warning("%s", lost)

    def _note(self, row: sa.Row[Any], began: float, status: int | None, error: str) -> None:
        """Write down an attempt, and what comes next."""
        now, number = time.time(), row.attempts + 1
        values: dict[str, Any] = {"attempts": number, "held_until": 0.0}
        if status is not None and 200 <= status < 300:
            values["state"] = "delivered"
        elif now - row.due_at > _TRIED_FOR_S:
            values["state"] = "failed"
        else:
            wait = min(_FIRST_WAIT_S * 2 ** min(row.attempts, 20), _LONGEST_WAIT_S)
            values["next_at"] = now + wait * random.uniform(0.8, 1.2)  # so that not all come back at once
        tried = {
            "delivery_id": row.id,
            "number": number,
            "at": began,
            "seconds": round(now - began, 3),
            "status": status,
            "error": error[:300],
        }
        mine = (deliveries.c.id == row.id) & (deliveries.c.attempts == row.attempts)

        def work(connection: sa.Connection) -> None:
            if connection.execute(deliveries.update().where(mine).values(**values)).rowcount:
                connection.execute(attempts.insert().values(**tried))

        self._service.db.run(work)

    def _change(self, change: sa.Executable) -> None:
        self._service.db.run(lambda connection: connection.execute(change))


async def _post(client: httpx.AsyncClient, row: sa.Row[Any], secret: str) -> int:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"avatalk/{__version__}",
        HEADER: sign(row.body, secret),
    }
    # The answer's status is all that matters: its body is not read, and a redirect is not followed.
    async with client.stream("POST", row.url, content=row.body.encode(), headers=headers) as answer:
        return answer.status_code
