"""What the page needs besides the API: pictures of its own files, the faces in them, and the key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from avatalk.errors import Conflict, NotFound, TooLarge
from avatalk.service.context import KEY_COOKIE, Caller, Here, Reader, Service, Speaker
from avatalk.service.inputs import AssetRequest, stored_inputs
from avatalk.service.made import as_asset
from avatalk.service.speech import MAX_LETTERS
from avatalk.service.tables import assets
from avatalk.workspace import temporary_folder

router = APIRouter(prefix="/studio", include_in_schema=False)

_LONGEST_S, _LONGEST_SPEECH_S = 60.0, 120.0
_A_YEAR_S = 365 * 24 * 3600


class Key(BaseModel):
    """A key that was typed in."""

    key: str


class Kept(BaseModel):
    """A picture that is kept under a name."""

    asset: str
    name: str


@router.post("/key", status_code=204)
async def give_key(service: Here, given: Key, response: Response, http: Request) -> None:
    """Keep a key in a cookie that no script reads, if it is one."""
    await service.caller(given.key)
    response.set_cookie(
        KEY_COOKIE,
        given.key,
        max_age=_A_YEAR_S,
        httponly=True,
        samesite="strict",
        secure=http.url.scheme == "https",
    )


@router.get("/faces/{asset_id}")
async def faces(service: Here, caller: Reader, http: Request, asset_id: str) -> dict[str, Any]:
    """Size of a picture, the faces in it from the left, and what is to be said against it."""
    row = await to_thread.run_sync(_mine, service, caller, asset_id)
    told: dict[str, Any] = await service.helpers.serve(
        http,
        "avatalk.studio.tasks:look",
        timeout_s=_LONGEST_S,
        key=row.key,
        storage=service.storage.url,
        name=row.name,
    )
    return told


@router.get("/pictures/{asset_id}")
async def picture(
    service: Here,
    caller: Reader,
    http: Request,
    asset_id: str,
    height: Annotated[int, Query(ge=32, le=1080)] = 720,
) -> Response:
    """A picture of the caller, or the first frame of a clip."""
    row = await to_thread.run_sync(_mine, service, caller, asset_id)
    jpeg = await service.helpers.serve(
        http,
        "avatalk.studio.tasks:show",
        timeout_s=_LONGEST_S,
        key=row.key,
        storage=service.storage.url,
        height=height,
    )
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


@router.post("/speech")
async def speech(
    service: Here, caller: Speaker, http: Request, wish: AssetRequest, sound: bool = True
) -> dict[str, Any]:
    """What a video says: with `sound` as an asset, and words and lips with their times."""
    if len(wish.text or "") > MAX_LETTERS:
        raise TooLarge(
            f"The text has {len(wish.text or '')} characters; {MAX_LETTERS} are the most for speech alone.",
            hint="Generate the video: that has no limit.",
            field="speech",
        )
    fields = wish.model_dump(mode="json", exclude_defaults=True)
    inputs = await to_thread.run_sync(stored_inputs, service, caller, fields)
    with temporary_folder() as folder:
        path = Path(folder) / "speech.m4a"
        told: dict[str, Any] = await service.helpers.serve(
            http,
            "avatalk.studio.tasks:speak",
            timeout_s=_LONGEST_SPEECH_S,
            inputs=inputs,
            storage=service.storage.url,
            output=str(path) if sound else "",
        )
        if sound:
            facts = {"duration_s": told["duration_s"]}
            told["asset"] = await to_thread.run_sync(
                as_asset, service, caller, path, "sound", "audio/mp4", facts
            )
    return told


@router.post("/avatars", status_code=204)
async def keep(service: Here, caller: Speaker, http: Request, wish: Kept) -> None:
    """Keep a picture in the gallery under a name."""
    if not caller.at_home:
        raise Conflict(
            "Avatars are kept only on a machine of one's own.",
            hint="Download the picture, and upload it when you need it.",
            field="save",
        )
    row = await to_thread.run_sync(_mine, service, caller, wish.asset)
    await service.helpers.serve(
        http,
        "avatalk.studio.tasks:keep",
        timeout_s=_LONGEST_S,
        key=row.key,
        storage=service.storage.url,
        name=wish.name,
    )


def _mine(service: Service, caller: Caller, asset_id: str) -> sa.Row[Any]:
    """The row of an asset of the caller."""
    query = sa.select(assets).where(assets.c.id == asset_id, assets.c.owner == caller.owner)
    row = service.db.run(lambda connection: connection.execute(query).one_or_none())
    if row is None:
        raise NotFound(
            f"There is no asset {asset_id}.", hint="It may have expired: upload it again.", field="avatar"
        )
    return row
