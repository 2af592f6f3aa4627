"""What every route has at hand: the jobs, and who calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from avatalk.jobs.api import Jobs
from avatalk.jobs.storage import Storage
from avatalk.jobs.tables import Database

SCOPES = ("videos", "assets", "speech", "read", "admin")
"""What a key may be allowed: to make videos, to upload, to make sounds and pictures, to look, and all."""

_bearer = HTTPBearer(
    auto_error=False, description="A key of `avatalk keys create`; none is needed on loopback."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        owner: whose jobs and files the caller sees: the id of a key, or empty where none is needed.
        scopes: some of `SCOPES`.
    """

    owner: str
    scopes: frozenset[str]


class Service:
    """What all routes share.

    Args:
        jobs: where videos are made.
    """

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    @property
    def db(self) -> Database:
        """The database, with the tables of the service beside those of the jobs."""
        return self.jobs.db

    @property
    def storage(self) -> Storage:
        """Where files lie."""
        return self.jobs.storage

    def caller(self, key: str | None) -> Caller:  # noqa: ARG002 - keys are still to come
        """Who has that key.

        Raises:
            NotAllowed: a key is needed, or it is unknown.
        """
        return Caller("", frozenset(SCOPES))


def service_of(request: Request) -> Service:
    """The service that answers a request."""
    return cast(Service, request.app.state.service)


def caller_of(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Who calls, by the key in the header."""
    return service_of(request).caller(given.credentials if given else None)


Here = Annotated[Service, Depends(service_of)]
Who = Annotated[Caller, Depends(caller_of)]
