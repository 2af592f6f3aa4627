"""Batches: a template and rows make one video for each row."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict
from starlette.datastructures import UploadFile

from avatalk import settings
from avatalk.errors import AvatalkError, BadInput, EngineUnavailable, TooLarge
from avatalk.jobs.inputs import Inputs, check_request
from avatalk.request import VideoRequest, complaint
from avatalk.service import filling
from avatalk.service.answers import Problem, may_answer
from avatalk.service.context import Caller, Here, Maker, Reader, Service
from avatalk.service.ids import BATCH_ID, BatchId
from avatalk.service.inputs import check_texts, settled, stored_inputs
from avatalk.service.post import check_url
from avatalk.service.rows import Row, check_columns, fill, places, plain_rows, read_json, read_rows
from avatalk.spec import PATHS

router = APIRouter(prefix="/v1/batches", tags=["batches"])

_MOST_BYTES = 20_000_000
_EXAMPLE: JsonDict = {
    "template": {"text": "Hello {name}, welcome to {city}.", "avatar": "ada", "background": "{colour}"},
    "rows": [
        {"name": "Mia", "city": "Oslo", "colour": "#204060"},
        {"name": "Ali", "city": "Cairo", "colour": ""},
    ],
}

Status = Literal["queued", "processing", "completed", "failed", "canceled"]


class BatchRequest(BaseModel):
    """One video for each row."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    template: dict[str, Any] = Field(
        description="Fields of a video. In any text, {column} is a place for a value of the row; a brace "
        "that is meant as such is written twice. A field that is nothing but a place is left out where the "
        "value is empty."
    )
    rows: list[dict[str, str | float | bool | None]] = Field(
        min_length=1, description="Values by column; every row has all columns that the template names."
    )
    name: str = Field("", max_length=200, pattern=r"^[^\x00]*$", description="For people.")
    callback_url: str | None = Field(
        None, max_length=2000, description="What is told by a signed POST when a video ends."
    )


class BatchRow(BaseModel):
    """A row, and what became of it."""

    row: int = Field(description="Its number, from 1.")
    status: Literal["queued", "processing", "completed", "failed", "canceled", "deleted"]
    video: str | None = Field(description="Id of its video; null before it is queued.")
    values: dict[str, str]
    error: Problem | None


class Batch(BaseModel):
    """A batch as it stands."""

    id: str
    object: Literal["batch"] = "batch"
    name: str
    status: Status = Field(
        description="completed once no video is under way, failed if by then none was made, canceled once "
        "it was canceled."
    )
    progress: float = Field(ge=0, le=1, description="Videos that are over, of all.")
    counts: dict[str, int] = Field(description="Videos by status.", examples=[{"queued": 8, "completed": 2}])
    total: int = Field(description="Number of rows.")
    template: dict[str, Any]
    rows: list[BatchRow] | None = Field(None, description="Not in lists.")
    created_at: float = Field(description="Seconds since 1970.")


class BatchPage(BaseModel):
    """Some of the batches, the newest first."""

    object: Literal["list"] = "list"
    data: list[Batch]
    next: str | None = Field(description="Give it as `before` to get the next page; null on the last.")


def told(row: sa.Row[Any], counts: dict[str, int], rows: list[sa.Row[Any]] | None = None) -> Batch:
    """A batch as the service tells it."""
    over = sum(count for status, count in counts.items() if status not in ("queued", "processing"))
    status: Status
    if row.state in ("canceling", "canceled"):
        status = "canceled"
    elif over == row.rows:
        status = "failed" if counts.get("failed") == row.rows else "completed"
    else:
        status = "processing" if over or counts.get("processing") else "queued"
    return Batch(
        id=row.id,
        name=row.name,
        status=status,
        progress=over / row.rows,
        counts=counts,
        total=row.rows,
        template=row.template,
        rows=None if rows is None else [_told_row(one) for one in rows],
        created_at=row.created_at,
    )


def _told_row(row: sa.Row[Any]) -> BatchRow:
    values = row._mapping
    error = values["error"]
    return BatchRow(
        row=row.number,
        status=row.status,
        video=row.job_id,
        values=values["values"],
        error=Problem(**{name: error[name] for name in Problem.model_fields}) if error else None,
    )


_SCHEMA = BatchRequest.model_json_schema()
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _SCHEMA},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["template", "rows"],
                    "properties": {
                        "template": {"type": "string", "description": "The template as JSON."},
                        "rows": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV whose first line names the columns, or a JSON list.",
                        },
                        "name": {"type": "string"},
                        "callback_url": {"type": "string"},
                    },
                }
            },
        },
    }
}


@router.post(
    "",
    status_code=202,
    summary="Make a video for every row",
    responses=may_answer(400, 401, 403, 409, 413, 415, 429, 503),
    openapi_extra=_BODY,
)
async def submit(
    service: Here,
    caller: Maker,
    http: Request,
    response: Response,
    idempotency_key: Annotated[
        str, Header(max_length=200, description="The same batch with the same key is made once in 24 hours.")
    ] = "",
) -> Batch:
    """Accept a template and rows, as JSON or as a form with a file of rows.

    All rows are checked before any video is queued. The videos take their turn after those of others.
    """
    read = await _read(http)
    batch_id = await to_thread.run_sync(_accept, service, caller, read, idempotency_key)
    service.filler.wake()
    response.headers["Location"] = f"/v1/batches/{batch_id}"
    return await to_thread.run_sync(_get, service, caller, batch_id)


@router.get("", summary="List batches", responses=may_answer(400, 401, 403, 429, 503))
def page(
    service: Here,
    caller: Reader,
    before: Annotated[
        str | None, Query(pattern=f"^{BATCH_ID}$", description="The `next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Batches on a page.")] = 20,
) -> BatchPage:
    """The batches of the caller, the newest first, without their rows."""
    found, after = filling.page(service, caller.owner, before, limit)
    return BatchPage(data=[told(row, counts) for row, counts in found], next=after)


@router.get("/{batch_id}", summary="Look at a batch", responses=may_answer(401, 403, 404, 429, 503))
def get(service: Here, caller: Reader, batch_id: BatchId) -> Batch:
    """A batch as it stands, with what became of every row."""
    return _get(service, caller, batch_id)


@router.post("/{batch_id}/cancel", summary="Cancel a batch", responses=may_answer(401, 403, 404, 429, 503))
def cancel(service: Here, caller: Maker, batch_id: BatchId) -> Batch:
    """Stop a batch: what waits is not begun, what is made is stopped; finished videos stay."""
    filling.end(service, caller.owner, batch_id, "canceling")
    service.filler.wake()
    return _get(service, caller, batch_id)


@router.delete(
    "/{batch_id}", status_code=204, summary="Delete a batch", responses=may_answer(401, 403, 404, 429, 503)
)
def delete(service: Here, caller: Maker, batch_id: BatchId) -> None:
    """Stop a batch, and remove it with all its videos."""
    filling.end(service, caller.owner, batch_id, "deleting")
    service.filler.wake()


def _get(service: Service, caller: Caller, batch_id: str) -> Batch:
    row, counts = filling.get(service, caller.owner, batch_id)
    return told(row, counts, filling.rows_of(service, batch_id))


# --- reading


async def _read(http: Request) -> dict[str, Any]:
    """The parts of the body; ``rows`` are bytes if they came as a file."""
    length = http.headers.get("content-length", "")
    if length.isdigit() and int(length) > _MOST_BYTES:
        raise _too_large()
    body = bytearray()
    async for part in http.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise _too_large()
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _object(bytes(body))
    if kind != "multipart/form-data":
        raise HTTPException(415, "The body is neither application/json nor multipart/form-data")

    async def again() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    async with Request(http.scope, again).form(max_files=2, max_fields=4, max_part_size=_MOST_BYTES) as form:
        parts: dict[str, Any] = {}
        for name, value in form.multi_items():
            data = await value.read() if isinstance(value, UploadFile) else value.encode()
            if name in parts:
                raise BadInput(f"{name} is given twice.", hint="Give it once.", field=name)
            parts[name] = data
    template = parts.pop("template", b"")
    texts = {name: data.decode("utf-8", "replace") for name, data in parts.items() if name != "rows"}
    return {"template": _object(template, "template"), "rows": parts.get("rows", b""), **texts}


def _object(data: bytes, field: str | None = None) -> dict[str, Any]:
    found = read_json(data, field)
    if not isinstance(found, dict):
        raise BadInput("This is no JSON object.", hint="See /docs.", field=field)
    return found


def _too_large() -> TooLarge:
    return TooLarge(
        f"A batch may have {_MOST_BYTES // 10**6} MB.", hint="Cut it into several batches.", field="rows"
    )


def _accept(service: Service, caller: Caller, read: dict[str, Any], idempotency_key: str) -> str:
    most = int(settings.number("max_rows"))
    given = read.get("rows")
    rows = read_rows(given, most) if isinstance(given, bytes) else plain_rows(given, most)
    try:
        wanted = BatchRequest(**{**read, "rows": rows[:1]})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise BadInput(f"{field}: {complaint(first)}.", hint="See /docs.", field=field) from None
    if wanted.callback_url:
        check_url(wanted.callback_url)
    check_columns(wanted.template, rows)
    inputs = _requests(service, caller, wanted.template, rows)
    batch = filling.Wanted(wanted.name, wanted.template, rows, inputs, wanted.callback_url or "")
    return filling.accept(service, caller.owner, batch, idempotency_key)


def _requests(service: Service, caller: Caller, template: dict[str, Any], rows: list[Row]) -> list[Inputs]:
    """The request of every row, with its files stored.

    Raises:
        BadInput: a row makes none; the message has its number, and the field the column that is to blame.
    """
    columns: dict[str, list[str]] = {}
    for column, filled in places(template).items():
        for field in filled:
            if field in VideoRequest.model_fields:
                columns.setdefault(field, []).append(column)
    known: dict[str, Inputs] = {}
    requests = []
    for number, row in enumerate(rows, 1):
        fields = fill(template, row)
        files = json.dumps([fields.get(field) for field in PATHS])
        try:
            if files in known:  # looked up already: only the words differ
                check_texts(fields)
                first = known[files]
                same = {field: first.fields[field] for field in PATHS if field in first.fields}
                inputs = settled(service, caller, VideoRequest(**{**fields, **same}), first.names)
            else:
                inputs = known[files] = stored_inputs(service, caller, fields)
            check_request(VideoRequest(**inputs.fields))
        except (BadInput, EngineUnavailable) as error:
            raise _of_row(error, number, columns.get(error.field or "", [])) from None
        requests.append(inputs)
    return requests


def _of_row(error: AvatalkError, number: int, columns: list[str]) -> AvatalkError:
    where = f"Row {number}" + (f", column {' and '.join(columns)}" if columns else "")
    error.message = f"{where}: {error.message}"
    error.args = (error.message,)
    error.field = f"rows.{number}.{columns[0]}" if columns else f"template.{error.field}"
    return error
