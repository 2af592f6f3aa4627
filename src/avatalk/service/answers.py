"""What the service answers when something is wrong: one form, with the error's own words and hint."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from avatalk import errors
from avatalk.errors import AvatalkError
from avatalk.request import complaint

log = logging.getLogger("avatalk.service")

# The first that fits counts.
_STATUS: Sequence[tuple[type[AvatalkError], int]] = (
    (errors.NotFound, 404),
    (errors.TooLarge, 413),
    (errors.Conflict, 409),
    (errors.BadInput, 400),
    (errors.TooMany, 429),
    (errors.EngineUnavailable, 409),
    (errors.CannotRun, 503),
)
_CODES = {
    400: "bad_input",
    401: "no_key",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
} | {
    408: "too_slow",
    413: "too_large",
    415: "wrong_type",
}


_UNREADABLE = "There was an error parsing the body"
"""What FastAPI says of JSON that is nested too deeply, and such."""


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Problem(BaseModel):
    """What is wrong, and what to do about it."""

    code: str = Field(description="For programs.", examples=["bad_input"])
    message: str = Field(description="For people.", examples=["There is nothing to say."])
    field: str | None = Field(
        default=None, description="The field that caused it, if one did.", examples=["text"]
    )
    hint: str = Field(default="", description="What to do.", examples=["Give a text or a recording."])
    retryable: bool = Field(default=False, description="Whether the same request may succeed later.")


class ErrorAnswer(BaseModel):
    """Every answer from 400 on, except those of the compatibility form."""

    error: Problem


def may_answer(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with these statuses besides its own."""
    return {status: {"model": ErrorAnswer, "description": _ABOUT[status]} for status in statuses}


def described(status: int) -> dict[str, Any]:
    """An `ErrorAnswer` with that status, as OpenAPI has it."""
    schema = {"$ref": f"#/components/schemas/{ErrorAnswer.__name__}"}
    return {"description": _ABOUT[status], "content": {"application/json": {"schema": schema}}}


_ABOUT = {
    400: "Something in the request cannot be used",
    401: "A key is needed",
    403: "The key does not allow this",
    404: "There is none, or it is somebody else's",
    408: "The body came too slowly",
    409: "It cannot be done as things stand",
    413: "Beyond a limit of this machine",
    415: "The body is of a type that is not taken",
    416: "There is nothing in that range",
    429: "Too much at once; see Retry-After",
    503: "It cannot be done now; see Retry-After",
}


def status_of(error: AvatalkError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, errors.NotAllowed):
        return 401 if error.field == "key" else 403
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_of(error: AvatalkError) -> Problem:
    """An error as the service tells it."""
    if isinstance(error, errors.StorageError):  # its hint is for who runs the service, and names machines
        return Problem(code=error.code, message=error.message, hint="Try again later.", retryable=True)
    return Problem(
        code=error.code, message=error.message, field=error.field, hint=error.hint, retryable=error.retryable
    )


def is_compatible(scope: Scope) -> bool:
    """Whether a request is of the compatibility form, whose clients look for ``detail``."""
    return bool(scope["path"] == "/" and scope["method"] == "POST")


def answer(error: AvatalkError, scope: Scope | None = None) -> Response:
    """The answer that tells an error, in the form that the request in `scope` wants."""
    status = status_of(error)
    headers = {}
    if isinstance(error, errors.TooMany):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    elif status == 503:
        headers["Retry-After"] = "5"
    elif status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return told_as(status, problem_of(error), headers, scope)


def told_as(
    status: int, problem: Problem, headers: Mapping[str, str] | None = None, scope: Scope | None = None
) -> Response:
    """The answer with that status and problem, in the form that the request in `scope` wants."""
    if scope is not None and is_compatible(scope):
        told: dict[str, Any] = {"detail": f"{problem.message} {problem.hint}".rstrip()}
    else:
        told = ErrorAnswer(error=problem).model_dump()
    # In ASCII: what a client sent, and is told back, need not be valid Unicode.
    return Response(json.dumps(told), status, headers, "application/json")


def handle_errors(app: FastAPI) -> None:
    """Make every error of `app` an `ErrorAnswer`."""

    @app.exception_handler(AvatalkError)
    def _ours(request: Request, error: AvatalkError) -> Response:
        return answer(error, request.scope)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            reason = str(first.get("ctx", {}).get("error", "")).partition(":")[0]
            told = f"The body is no valid JSON ({reason or 'it ends too early'})."
            return told_as(400, Problem(code="bad_input", message=told, hint="See /docs."))
        place = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
        field = ".".join(place) or None
        told = f"{field or 'The body'}: {complaint(first)}."
        return told_as(400, Problem(code="bad_input", message=told, field=field, hint="See /docs."))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            error.detail = f"There is nothing at {request.url.path[:100]}"
        elif error.status_code == 405:
            able = [
                method
                for method in _METHODS
                for route in app.routes
                if route.matches({**request.scope, "method": method})[0] is Match.FULL
            ]
            allowed = ", ".join(able)
            error = HTTPException(
                405, f"{request.method} cannot be done here, only {allowed}", {"Allow": allowed}
            )
        elif error.detail == _UNREADABLE:
            error.detail = "The body is no valid JSON"
        return plain(error, request.scope)


def plain(error: HTTPException, scope: Scope | None = None) -> Response:
    """The answer to what never reached a route, or had no body that can be read."""
    code = _CODES.get(error.status_code, "error")
    problem = Problem(code=code, message=f"{error.detail}.", hint="See /docs.")
    return told_as(error.status_code, problem, dict(error.headers or {}), scope)


def fault(scope: Scope | None = None) -> Response:
    """The answer where avatalk itself is wrong; the log has more."""
    told = Problem(
        code="internal", message="This is a fault of avatalk.", hint="Please report it.", retryable=True
    )
    return told_as(500, told, scope=scope)
