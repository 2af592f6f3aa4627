"""How a video is asked for: as JSON, or as a form with its files; and the one way in which it is queued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Request
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from avatalk.errors import BadInput
from avatalk.jobs.inputs import Inputs
from avatalk.service.assets import take_upload
from avatalk.service.context import Caller, Here, Maker, Service
from avatalk.service.inputs import AssetRequest, stored_inputs
from avatalk.service.post import check_url
from avatalk.service.rows import parse_json
from avatalk.service.uploads import Form, Upload, received
from avatalk.spec import PATHS

_SOME_ASSET = f"asset_{'0' * 32}"
_OWN = {"priority", "callback_url", "revises"}


class VideoSubmission(AssetRequest):
    """A video to make, and how it is treated."""

    model_config = ConfigDict(title="VideoSubmission")

    priority: Literal["high", "normal", "low"] = Field(
        "normal", description="Takes its turn ten minutes earlier than others, or six hours later."
    )
    revises: str | None = Field(
        None,
        max_length=64,
        description="Id of a video that this one corrects: what both have in common is copied, not drawn "
        "again. The result is the same without it.",
    )
    callback_url: str | None = Field(
        None, max_length=2000, description="What is told by a signed POST when the video ends."
    )


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was asked for, its files stored.

    Attributes:
        inputs: the request.
        priority: a key of `avatalk.jobs.api.PRIORITIES`.
        callback_url: what is told of the end; empty for nothing.
        revises: a video whose frames may be copied; empty for none.
    """

    inputs: Inputs
    priority: str
    callback_url: str
    revises: str


async def _submitted(request: Request, service: Here, caller: Maker) -> Submitted:
    """Read the body, whichever form it has, and store its files."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with received(request, service.spool, most_files=len(PATHS) + 1) as form:
            fields, files = await run_in_threadpool(_sorted, form)
            # What is wrong with the rest is told before any file is kept.
            VideoSubmission(**{**fields, **{field: _named(_SOME_ASSET, field, fields) for field in files}})
            for field, upload in files.items():
                fields[field] = _named(await take_upload(service, caller, upload, field), field, fields)
    elif kind == "application/json":
        fields = await run_in_threadpool(_object, await request.body())
    else:
        raise HTTPException(415, "The body is neither application/json nor multipart/form-data")
    return await run_in_threadpool(_stored, service, caller, fields)


Submission = Annotated[Submitted, Depends(_submitted)]


def _stored(service: Service, caller: Caller, fields: dict[str, Any]) -> Submitted:
    wanted = VideoSubmission(**fields)
    if wanted.callback_url:
        check_url(wanted.callback_url)
    plain = wanted.model_dump(mode="json", exclude_defaults=True, exclude=_OWN)
    inputs = stored_inputs(service, caller, plain)
    return Submitted(inputs, wanted.priority, wanted.callback_url or "", wanted.revises or "")


def _named(asset_id: str, field: str, fields: Mapping[str, Any]) -> str:
    """How a field names its file: an overlay may say besides where it lies, such as ``file:top-left:10%``."""
    given = fields.get(field)
    if field == "overlay" and isinstance(given, str) and given.startswith("file:"):
        return asset_id + given.removeprefix("file")
    return asset_id


def _sorted(form: Form) -> tuple[dict[str, Any], dict[str, Upload]]:
    """The fields and the files of a form. Its part ``request``, a text or a file, holds fields as JSON."""
    fields: dict[str, Any] = {**form.fields}
    files = dict(form.files)
    given = fields.pop("request", None)
    if "request" in files:
        given = files.pop("request").path.read_bytes()
    if given is not None:
        inside = _object(given)
        if twice := set(inside) & set(fields):
            raise _twice(min(twice))
        fields |= inside
    for name in files:
        if name not in PATHS:
            raise BadInput(f"No file {name!r} is taken.", hint=f"Files are {', '.join(PATHS)}.", field=name)
        if name in fields and name != "overlay":
            raise _twice(name)
    return fields, files


def _object(data: bytes | str) -> dict[str, Any]:
    found = parse_json(data, "request")
    if not isinstance(found, dict):
        raise BadInput("The request is no JSON object.", hint="See /docs.", field="request")
    return found


def _twice(name: str) -> BadInput:
    return BadInput(f"{name} is given twice.", hint="Give it once.", field=name)


def _body_documented() -> dict[str, Any]:
    """The body as OpenAPI tells it, for both forms."""
    schema = VideoSubmission.model_json_schema()
    binary = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "title": "VideoForm",
        "properties": {
            "request": {
                "type": "string",
                "contentMediaType": "application/json",
                "description": "The fields of a VideoSubmission as JSON; each may also be a part of its own.",
            },
            **{
                name: {**binary, "description": f"A file for `{name}`, instead of an asset."}
                for name in PATHS
            },
        },
    }
    return {
        "required": True,
        "content": {
            "application/json": {"schema": schema, "examples": _EXAMPLES},
            "multipart/form-data": {
                "schema": form,
                "example": {"request": '{"text": "Hello.", "background": "white"}', "avatar": "(a JPEG)"},
            },
        },
    }


_EXAMPLES = {
    "text": {
        "summary": "An avatar of the gallery reads a text",
        "value": {"avatar": "ada", "text": "Hello, I am Ada.", "captions": "vtt", "background": "blur"},
    },
    "correction": {
        "summary": "One sentence is said otherwise; with `revises`, the rest of a video is not drawn again",
        "value": {
            "avatar": "ada",
            "text": "Hello, I am Ada. We meet on Monday.",
            "corrections": [{"sentence": 1, "text": "We meet on Tuesday."}],
        },
    },
    "files": {
        "summary": "A photograph speaks a recording; both were uploaded",
        "value": {
            "avatar": "asset_0b7e1f6a5d4c48e2a90f3c1b2d6e7f80",
            "audio": "asset_5f0c2d9b8e7a4163b4d2f1a0c9e8b7d6",
            "aspect": "9:16",
            "frame": "bust",
            "callback_url": "https://example.org/hooks/avatalk",
        },
    },
}
BODY = {"requestBody": _body_documented()}
