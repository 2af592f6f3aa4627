"""Keys: who may use the service, for what, and how much of it.

A key is 256 random bits, so its SHA-256 is stored and no slow hash: there is nothing to guess. It is found by
that hash, which tells nobody how much of a wrong key was right.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from avatalk.errors import BadInput, Conflict, NotFound
from avatalk.jobs.tables import Database
from avatalk.service.tables import keys, webhook_secrets

SCOPES = {
    "videos": "make videos and batches, cancel and delete them",
    "assets": "upload and delete files",
    "speech": "make speech, avatars and previews",
    "read": "look at everything of its own",
    "metrics": "read /metrics, which counts the work of all",
}
"""What a key may be allowed."""

USUAL_SCOPES = ("videos", "assets", "speech", "read")
"""What a key may do unless something else is said."""

_SECRET = re.compile(r"avk_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}")
_REMEMBERED_S = 2.0
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Key:
    """A key, without its secret.

    Attributes:
        id: the owner of what is made with it.
        name: for people; unique among the keys that are not revoked.
        scopes: some of `SCOPES`.
        rate: most requests a second; None for any number.
        concurrent: most videos that are queued or made at once; None for any number.
        quota_s: most seconds of video in 24 hours; None for any number.
        created_at: seconds since 1970.
        revoked_at: likewise, None while it may be used.
    """

    id: str
    name: str
    scopes: frozenset[str]
    rate: float | None
    concurrent: int | None
    quota_s: float | None
    created_at: float
    revoked_at: float | None


class Keys:
    """All keys of a database.

    Args:
        db: where they are kept.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._found: dict[str, tuple[float, Key | None]] = {}
        self._needed: tuple[float, bool] = (0.0, False)

    def create(
        self,
        name: str,
        *,
        scopes: Iterable[str] = USUAL_SCOPES,
        rate: float | None = None,
        concurrent: int | None = None,
        quota_s: float | None = None,
    ) -> tuple[Key, str]:
        """Make a key and return it with its secret, which cannot be had again.

        Raises:
            BadInput: the name, a scope or a limit cannot be used.
            Conflict: there is a key of that name.
        """
        if not _NAME.fullmatch(name):
            hint = "Use up to 100 letters, digits, spaces and . _ @ -"
            raise BadInput(f"A key cannot be called {name!r}.", hint=hint, field="name")
        wanted = list(dict.fromkeys(scopes))
        unknown = [scope for scope in wanted if scope not in SCOPES]
        if unknown or not wanted:
            told = f"There is no scope {unknown[0]!r}." if unknown else "A key needs a scope."
            raise BadInput(told, hint=f"There are {', '.join(SCOPES)}.", field="scopes")
        for field, limit in (("rate", rate), ("concurrent", concurrent), ("quota_s", quota_s)):
            if limit is not None and not 0 < limit < float("inf"):
                raise BadInput(f"{field} is {limit:g}.", hint="Give a number above 0.", field=field)
        secret = f"avk_{secrets.token_urlsafe(32)}"
        row = {
            "id": f"key_{secrets.token_hex(8)}",
            "name": name,
            "hash": _hash(secret),
            "scopes": wanted,
            "rate": rate,
            "concurrent": concurrent,
            "quota_s": quota_s,
            "created_at": time.time(),
        }

        def work(connection: sa.Connection) -> Key:
            used = sa.select(keys.c.id).where(keys.c.name == name, keys.c.revoked_at.is_(None))
            if connection.execute(used).first() is not None:
                hint = f"Take another name, or first: avatalk keys revoke {name!r}"
                raise Conflict(f"There is a key {name!r} already.", hint=hint, field="name")
            return _key(connection.execute(keys.insert().values(**row).returning(keys)).one())

        return self._db.run(work), secret

    def all(self) -> list[Key]:
        """All keys, the oldest first, those that are revoked as well."""
        query = sa.select(keys).order_by(keys.c.created_at)
        return [_key(row) for row in self._db.run(lambda connection: connection.execute(query).all())]

    def revoke(self, name: str) -> Key:
        """Let a key be used no more, and return it.

        A server that has just seen it may take it for `_REMEMBERED_S` more seconds.

        Raises:
            NotFound: there is no such key in use.
        """
        mine = keys.update().where(keys.c.name == name, keys.c.revoked_at.is_(None))
        revoke = mine.values(revoked_at=time.time()).returning(keys)
        row = self._db.run(lambda connection: connection.execute(revoke).one_or_none())
        if row is None:
            raise NotFound(f"There is no key {name!r} in use.", hint="See `avatalk keys list`.", field="name")
        return _key(row)

    def remembered(self, secret: str) -> tuple[bool, Key | None]:
        """Whether it is known whose secret this is, without asking the database; and whose."""
        if not _SECRET.fullmatch(secret):
            return True, None
        until, key = self._found.get(_hash(secret), (0.0, None))
        return time.monotonic() < until, key

    def find(self, secret: str) -> Key | None:
        """The key with that secret; None if there is none, or it is revoked."""
        if not _SECRET.fullmatch(secret):
            return None
        digest = _hash(secret)
        query = sa.select(keys).where(keys.c.hash == digest, keys.c.revoked_at.is_(None))
        row = self._db.run(lambda connection: connection.execute(query).one_or_none())
        key = None if row is None else _key(row)
        if key is not None:  # unknown ones are not kept: anybody can send any number of them
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            self._found[digest] = (time.monotonic() + _REMEMBERED_S, key)
        return key

    def of(self, owner: str) -> Key | None:
        """The key whose id is that of an owner; None for one that has no key."""
        query = sa.select(keys).where(keys.c.id == owner)
        row = self._db.run(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _key(row)

    def needed(self) -> bool | None:
        """Whether requests need a key, as far as that is known without asking the database."""
        until, needed = self._needed
        return needed if needed or time.monotonic() < until else None

    def look(self) -> bool:
        """Whether requests need a key: once there was one they do, even if all are revoked by now."""
        query = sa.select(keys.c.id).limit(1)
        found = self._db.run(lambda connection: connection.execute(query).first())
        self._needed = (time.monotonic() + _REMEMBERED_S, found is not None)
        return found is not None

    def usable(self) -> bool:
        """Whether there is a key that is not revoked."""
        return any(key.revoked_at is None for key in self.all())

    def webhook_secret(self, owner: str) -> str:
        """What webhooks of that owner are signed with; made when it is first asked for."""
        mine = sa.select(webhook_secrets.c.secret).where(webhook_secrets.c.owner == owner)

        def work(connection: sa.Connection) -> str:
            found = connection.execute(mine).scalar_one_or_none()
            if found is not None:
                return str(found)
            made = f"whsec_{secrets.token_urlsafe(32)}"
            connection.execute(webhook_secrets.insert().values(owner=owner, secret=made))
            return made

        try:
            return self._db.run(work)
        except sa.exc.IntegrityError:  # another process was first
            return self._db.run(work)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: sa.Row[Any]) -> Key:
    return Key(
        id=row.id,
        name=row.name,
        scopes=frozenset(row.scopes),
        rate=row.rate,
        concurrent=row.concurrent,
        quota_s=row.quota_s,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
