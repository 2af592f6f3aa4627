"""What every route has at hand: the jobs, and who calls.

A route takes `Here`, and one of `Reader`, `Maker`, `Uploader` and `Speaker` according to what it does: these
want a key with that scope, once there are keys.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from threading import Event
from typing import Annotated, Any, cast

from anyio import CapacityLimiter
from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from avatalk import settings
from avatalk.errors import NotAllowed
from avatalk.jobs.api import Jobs
from avatalk.jobs.inputs import Inputs
from avatalk.jobs.storage import Storage
from avatalk.jobs.tables import Database
from avatalk.service.creations import Studio
from avatalk.service.filling import Filler
from avatalk.service.helpers import Helpers
from avatalk.service.keys import USUAL_SCOPES, Key, Keys
from avatalk.service.limits import admission, settle
from avatalk.service.post import Postman
from avatalk.service.rates import Rates
from avatalk.service.traffic import Traffic
from avatalk.service.uploads import Spool
from avatalk.service.watch import Watch

KEY_COOKIE, VISITOR_COOKIE = "avatalk_key", "avatalk_visitor"
"""Cookies of the studio: a key that was typed in, and without keys who is who among its visitors."""

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key of `avatalk keys create`. None is needed on loopback as long as there is none.",
)
_VISITOR = re.compile(r"[A-Za-z0-9_-]{20,100}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        owner: whose jobs and files the caller sees: the id of a key; empty, or ``visitor:…``, without one.
        scopes: some of `avatalk.service.keys.SCOPES`.
        key: with its limits; None where no key is needed.
    """

    owner: str
    scopes: frozenset[str]
    key: Key | None = None

    @property
    def at_home(self) -> bool:
        """Whether the caller sees what the machine's user keeps: only where no key is needed."""
        return not self.owner or self.owner.startswith("visitor:")


class Service:
    """What all routes share.

    Args:
        jobs: where videos are made.

    Attributes:
        keys: who may call.
        rates: how often.
        watch: follows videos for all who do.
        traffic: what this process counts of its requests.
        helpers: child processes for what is too heavy here.
        stopping: set when the server is to stop; answers that go on and on end then.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.keys = Keys(jobs.db)
        self.rates = Rates(jobs.db)
        self.traffic = Traffic()
        self.stopping = Event()
        self.spool = Spool(settings.data_dir() / "uploads")
        self.checking = CapacityLimiter(max(1, os.cpu_count() or 1))
        self.watch = Watch(jobs.db, self.stopping)
        self.helpers = Helpers(int(settings.number("helpers")), settings.number("helper_mb"))
        self.drawing = Studio(self, self.helpers)
        self.painting = Studio(self, Helpers(1, None, warm=False))
        self.filler = Filler(self)
        self.postman = Postman(self)

    def start(self) -> None:
        """Begin what is done in the background."""
        self.filler.start()
        self.postman.start()

    def close(self) -> None:
        """Stop what runs, and give back all connections."""
        self.postman.close()
        self.filler.close()
        self.drawing.close()
        self.painting.close()
        self.helpers.close()
        self.spool.close()
        self.jobs.close()

    @property
    def db(self) -> Database:
        """The database, with the tables of the service beside those of the jobs."""
        return self.jobs.db

    @property
    def storage(self) -> Storage:
        """Where files lie."""
        return self.jobs.storage

    def submit(self, caller: Caller, inputs: Inputs, **how: str) -> str:
        """Queue a video of a caller, within the limits of its key, and return the id of its job.

        Args:
            caller: whose it is.
            inputs: from `avatalk.service.inputs.stored_inputs`.
            **how: ``priority``, ``idempotency_key``, ``besides`` and ``revises`` of `Jobs.submit`.

        Raises:
            TooMany: the key has as many videos under way, or as many seconds of them, as it may have.
            TooLarge: the video is longer than all that the key may have.
            BadInput: no job can make this.
            Conflict: the idempotency key was used for another request.
            NotFound: there is no video `revises` of this caller.
        """
        admit = admission(caller.key, inputs.fields)
        return self.jobs.submit(inputs, owner=caller.owner, admit=admit, **how)

    def delete(self, caller: Caller, job_id: str) -> None:
        """Remove a video of a caller; what it used of a quota stays used.

        Raises:
            NotFound: there is none of that id.
        """
        self.jobs.get(job_id, caller.owner)
        if caller.key is not None:
            self.db.run(lambda connection: settle(connection, job_id))
        self.jobs.delete(job_id, caller.owner)

    def behalf(self, owner: str) -> Caller:
        """An owner as a caller with all limits, for what is done in the background."""
        return Caller(owner, frozenset(), self.keys.of(owner))

    async def caller(self, secret: str | None, visitor: str = "") -> Caller:
        """Who calls.

        Args:
            secret: of a key, if one was given.
            visitor: without keys, what tells one browser from another.

        Raises:
            NotAllowed: a key is needed and missing, or it is unknown.
            TooMany: the key was used too often.
        """
        if secret:
            known, key = self.keys.remembered(secret)
            key = key if known else await run_in_threadpool(self.keys.find, secret)
            if key is None:
                raise NotAllowed(
                    "This key is unknown, or it was revoked.",
                    hint="`avatalk keys create NAME` makes one on the server.",
                    field="key",
                )
            if not self.rates.at_hand(key):
                await run_in_threadpool(self.rates.take, key)
            return Caller(key.id, key.scopes, key)
        needed = self.keys.needed()
        if needed is None:
            needed = await run_in_threadpool(self.keys.look)
        if needed:
            raise NotAllowed(
                "A key is needed.",
                hint="Send the header `Authorization: Bearer avk_…`; `avatalk keys create NAME` makes a key.",
                field="key",
            )
        owner = f"visitor:{visitor}" if _VISITOR.fullmatch(visitor) else ""
        return Caller(owner, frozenset(USUAL_SCOPES) | {"metrics"})


async def service_of(request: Request) -> Service:
    """The service that answers a request."""
    return cast(Service, request.app.state.service)


async def caller_of(
    request: Request,
    wanted: SecurityScopes,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Who calls, by the key in the header or in the cookie of the studio.

    Raises:
        NotAllowed: a key is needed, it is unknown, or it lacks the scope that the route wants.
    """
    secret = given.credentials if given else request.cookies.get(KEY_COOKIE)
    service = cast(Service, request.app.state.service)
    caller = await service.caller(secret, request.cookies.get(VISITOR_COOKIE, ""))
    request.scope.setdefault("avatalk.seen", {})["key"] = caller.owner.split(":")[0]
    missing = [scope for scope in wanted.scopes if scope not in caller.scopes]
    if missing:
        raise NotAllowed(
            f"This key lacks the scope {missing[0]}.",
            hint=f"It has {', '.join(sorted(caller.scopes))}. Scopes are given when a key is made.",
            field="scopes",
        )
    return caller


def needs(scope: str) -> Any:
    """A dependency: the caller, who has a key with that scope if there are keys."""
    return Security(caller_of, scopes=[scope])


Here = Annotated[Service, Depends(service_of)]
Who = Annotated[Caller, Depends(caller_of)]
Reader = Annotated[Caller, needs("read")]
Maker = Annotated[Caller, needs("videos")]
Uploader = Annotated[Caller, needs("assets")]
Speaker = Annotated[Caller, needs("speech")]
Watcher = Annotated[Caller, needs("metrics")]
