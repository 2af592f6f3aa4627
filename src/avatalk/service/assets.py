"""Files that requests are made from: sent, looked at, listed, read back, deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from avatalk.errors import BadInput, NotFound
from avatalk.models.identify import checksum
from avatalk.service import shelf
from avatalk.service.answers import may_answer
from avatalk.service.content import File, answer_file, gives
from avatalk.service.context import Caller, Here, Reader, Service, Uploader
from avatalk.service.examine import TYPES
from avatalk.service.inputs import ASSET_ID
from avatalk.service.uploads import Upload, received, shown_name

router = APIRouter(prefix="/v1/assets", tags=["assets"])

Kind = Literal["picture", "clip", "sound"]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


async def _asset_id(
    asset_id: Annotated[
        str, InPath(description="Of an asset.", examples=["asset_019aa0c5f3a27c41d09be8a15f6e3d20"])
    ],
) -> str:
    if not ASSET_ID.fullmatch(asset_id):
        raise NotFound("There is no such asset.", hint="It may have expired.", field="asset_id")
    return asset_id


AssetId = Annotated[str, Depends(_asset_id)]


class Asset(BaseModel):
    """A file that was sent, as it was found to be. What does not apply to its kind is null."""

    id: str = Field(examples=["asset_019aa0c5f3a27c41d09be8a15f6e3d20"])
    object: Literal["asset"] = "asset"
    kind: Kind
    type: str = Field(description="By its content, whatever its name says.", examples=["image/jpeg"])
    name: str = Field(description="What its sender calls it.", examples=["portrait.jpg"])
    bytes: int = Field(examples=[81_734])
    sha256: str = Field(description="Of its content, hexadecimal.")
    width: int | None = Field(default=None, description="Pixels, upright.", examples=[1024])
    height: int | None = Field(default=None, description="Pixels, upright.", examples=[768])
    duration_s: float | None = Field(default=None, description="Of a clip or a sound, seconds.")
    fps: float | None = Field(default=None, description="Pictures in a second of a clip.")
    sound: bool | None = Field(default=None, description="Whether a clip has sound that can be used.")
    sample_rate: int | None = Field(default=None, description="Of a sound, hertz.")
    channels: int | None = Field(default=None, description="Of a sound.")
    faces: list[list[float]] | None = Field(
        default=None,
        description="Left, top, right and bottom of the faces of a picture, pixels, from left to right as "
        "`face` of a request numbers them from 1. Null where they were not looked for.",
        examples=[[[251.4, 106.5, 371.4, 219.9]]],
    )
    created_at: float = Field(description="Seconds since 1970.")
    expires_at: float | None = Field(
        description="When it goes unless it is used again, seconds since 1970; null for never."
    )
    links: dict[str, str] = Field(description="Where its content is.")


class AssetPage(BaseModel):
    """Some of the files, the newest first."""

    object: Literal["list"] = "list"
    data: list[Asset]
    next: str | None = Field(description="Give it as `before` to get the next page; null on the last.")


def take(
    service: Service, caller: Caller, path: Path, name: str, field: str = "file", sha256: str = ""
) -> str:
    """Check and store a local file, and return the id of its asset. It takes a process and a second or so.

    Args:
        service: where to.
        caller: who owns it.
        path: of the file, which may go afterwards.
        name: what the client calls it.
        field: of the request that it came in, for messages.
        sha256: of its content, where it is known.

    Raises:
        UnreadableFile: it is no picture, clip or sound that can be used.
        TooLarge: it is beyond a limit of pixels or seconds.
        StorageError: storage or database cannot be reached.
    """
    size, sha256 = path.stat().st_size, sha256 or checksum(path)
    return str(shelf.keep(service, caller.owner, path, shown_name(name), size, sha256, field).id)


async def take_upload(service: Service, caller: Caller, upload: Upload, field: str = "file") -> str:
    """`take` what `received` brought, a few at a time and without holding up anybody else."""

    def work() -> str:
        return take(service, caller, upload.path, upload.name, field, upload.sha256)

    return await to_thread.run_sync(work, limiter=service.checking)


def told(row: shelf.Row) -> Asset:
    """A row as the service tells it."""
    return Asset(
        id=row.id,
        kind=row.kind,
        type=row.type,
        name=row.name,
        created_at=row.created_at,
        expires_at=shelf.expires_at(row),
        links={"content": f"/v1/assets/{row.id}/content"},
        **row.facts,
    )


@router.post(
    "",
    status_code=201,
    openapi_extra=_BODY,
    responses=may_answer(400, 401, 403, 408, 413, 429, 503),
)
async def upload(
    service: Here,
    caller: Uploader,
    request: Request,
    response: Response,
    name: Annotated[str, Query(description="What a body that is no form is called.")] = "",
) -> Asset:
    """Send a picture, a clip or a sound: as field `file` of a form, or as the body itself.

    It is decoded to find out what it is, and stored under the hash of its content.
    """
    async with received(request, service.spool, name=name) as form:
        if "file" not in form.files:
            raise BadInput("The form has no file.", hint="Send it as the field `file`.", field="file")
        asset_id = await take_upload(service, caller, form.files["file"])
    response.headers["Location"] = f"/v1/assets/{asset_id}"
    return await run_in_threadpool(lambda: told(shelf.get(service, caller.owner, asset_id)))


@router.get("", responses=may_answer(400, 401, 403, 429, 503))
def page(
    service: Here,
    caller: Reader,
    kind: Kind | None = None,
    before: Annotated[
        str | None, Query(description="`next` of the page before.", pattern=f"^{ASSET_ID.pattern}$")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> AssetPage:
    """The files of the caller, the newest first."""
    found, after = shelf.page(service, caller.owner, kind, before, limit)
    return AssetPage(data=[told(row) for row in found], next=after)


@router.get("/{asset_id}", responses=may_answer(401, 403, 404, 429, 503))
def get(service: Here, caller: Reader, asset_id: AssetId) -> Asset:
    """A file: what it is, and when it goes."""
    return told(shelf.get(service, caller.owner, asset_id))


@router.head(
    "/{asset_id}/content",
    summary="Size and kind of a file",
    responses=gives(*TYPES),
    response_class=Response,
)
@router.get(
    "/{asset_id}/content",
    summary="A file itself",
    responses=gives(*TYPES),
    response_class=Response,
)
def content(service: Here, caller: Reader, asset_id: AssetId, request: Request) -> Response:
    """The file as it was sent, with the type that was found; `Range` gives a part of it."""
    row = shelf.get(service, caller.owner, asset_id)
    facts = row.facts
    name = f"{row.id}{Path(row.key).suffix}"
    file = File(lambda: service.storage.open(row.key), facts["bytes"], facts["sha256"], row.type, name)
    return answer_file(request, file, attached=True)  # what a stranger made is not shown as a page of ours


@router.delete("/{asset_id}", status_code=204, responses=may_answer(401, 403, 404, 429, 503))
def delete(service: Here, caller: Uploader, asset_id: AssetId) -> None:
    """Remove a file. Videos that are being made from it are still finished."""
    shelf.forget(service, caller.owner, asset_id)
