"""How often a key may ask, counted together by all processes of the service.

The database has a bucket for each key that gets `Key.rate` requests a second, and holds those of one second.
A process takes some from it at once, as many as it uses up in a quarter of a second, and answers from these:
a request now and then is counted one by one, and a thousand a second cost some writes a second.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from avatalk.errors import TooMany
from avatalk.jobs.tables import Database
from avatalk.service.keys import Key
from avatalk.service.tables import rates

_SOME_S = 0.25  # what a process takes at once is used up in so long
_LASTS_S = 1.0  # what it has not used by then it gives back
_MOST_PURSES = 10_000


@dataclass(slots=True)
class _Purse:
    """What this process has of a key: requests it may answer, and since when; times are of `monotonic`."""

    lock: Lock = field(default_factory=Lock)  # of the count, for no time
    asking: Lock = field(default_factory=Lock)  # held while the database is asked
    left: int = 0
    taken_at: float = 0.0
    size: int = 1
    none_until: float = 0.0


class Rates:
    """How many requests each key has left.

    Args:
        db: where that is counted.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._purses: defaultdict[str, _Purse] = defaultdict(_Purse)

    def at_hand(self, key: Key) -> bool:
        """Count a request by what this process has, without the database; False if that is nothing.

        Raises:
            TooMany: the database just said that the key has none left.
        """
        if key.rate is None:
            return True
        now, purse = time.monotonic(), self._purses[key.id]
        if now < purse.none_until:
            raise _too_many(key.rate, purse.none_until - now)
        with purse.lock:
            if purse.left < 1 or now > purse.taken_at + _LASTS_S:
                return False
            purse.left -= 1
            return True

    def take(self, key: Key) -> None:
        """Count a request, by the database if need be.

        Raises:
            TooMany: the key has none left now.
            StorageError: the database cannot be reached.
        """
        if len(self._purses) >= _MOST_PURSES:
            self._purses.clear()
        purse = self._purses[key.id]
        with purse.asking:
            if key.rate is None or self.at_hand(key):  # another request has asked meanwhile
                return
            with purse.lock:
                now, back, purse.left = time.monotonic(), purse.left, 0
            busy = not back and now < purse.taken_at + _SOME_S
            most = max(1, int(key.rate * _SOME_S))
            purse.size = min(most, 2 * purse.size) if busy else 1
            granted, wait_s = self._ask(key.id, key.rate, purse.size, back)
            with purse.lock:
                purse.left, purse.taken_at = max(0, granted - 1), now
            if not granted:
                purse.none_until = now + wait_s
                raise _too_many(key.rate, wait_s)

    def _ask(self, owner: str, rate: float, wanted: int, back: int) -> tuple[int, float]:
        """Give `back` what was not used, and take up to `wanted`; with the seconds until there is one."""
        insert: Any = (sqlite if self._db.engine.dialect.name == "sqlite" else postgresql).insert(rates)
        full, mine = max(1.0, rate), rates.c.owner == owner
        first = insert.values(owner=owner, left=full, at=self._db.now).on_conflict_do_nothing()
        # Others that ask for this key wait here.
        held = rates.update().where(mine).values(at=rates.c.at)
        held = held.returning(rates.c.left, rates.c.at, self._db.now.label("now"))

        def work(connection: sa.Connection) -> tuple[int, float]:
            connection.execute(first)
            row = connection.execute(held).one()
            left = min(full, row.left + max(0.0, row.now - row.at) * rate + back)
            granted = min(wanted, int(left))
            connection.execute(rates.update().where(mine).values(left=left - granted, at=row.now))
            return granted, (1 - left) / rate

        return self._db.run(work)


def _too_many(rate: float, wait_s: float) -> TooMany:
    return TooMany(
        f"This key may send {rate:g} requests a second.",
        hint="Send them slower: wait as long as Retry-After says.",
        retry_after_s=wait_s,
    )
