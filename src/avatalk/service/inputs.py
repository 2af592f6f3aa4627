"""How a request names files over HTTP: by the id of an asset, never by a path of this machine."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import sqlalchemy as sa
from pydantic import ConfigDict, Field, field_validator

from avatalk.avatars import gallery, kept
from avatalk.compose.wish import read_ground
from avatalk.errors import BadInput, UnknownName
from avatalk.jobs.inputs import ASSETS, Inputs
from avatalk.request import VideoRequest
from avatalk.service.context import Caller, Service
from avatalk.service.limits import check_text
from avatalk.service.remote import is_url, take_url
from avatalk.service.tables import assets
from avatalk.spec import PATHS, path_in
from avatalk.speech import kept as kept_voices

ASSET_ID = re.compile(r"asset_[0-9a-f]{32}")


class AssetRequest(VideoRequest):
    """A video request as HTTP takes it: ids of assets stand where paths could."""

    model_config = ConfigDict(title="AssetRequest")

    avatar: str = Field(
        "ada", min_length=1, description="Name of an avatar, or id of an asset: a picture or a clip."
    )
    audio: str | None = Field(None, description="Id of an asset: a recording to speak instead of `text`.")
    voice_sample: str | None = Field(
        None, description="Id of an asset: a recording, 3 s to 5 min, whose voice speaks; instead of `voice`."
    )
    background: str = Field(
        "keep",
        description="What stands behind the person: keep, white, black, green, red, blue, #rrggbb, blur or "
        "blur:0.5, gradient:#rrggbb,#rrggbb, or id of an asset: a picture or a clip.",
    )
    overlay: str | None = Field(
        None,
        description="Id of an asset: a picture laid over the video, as ID:CORNER:SIZE, such as "
        "asset_…:top-right:12%.",
    )

    @field_validator("background")
    @classmethod
    def _is_ground(cls, value: str) -> str:
        if not ASSET_ID.fullmatch(value.strip()):
            read_ground(value)
        return value


def stored_inputs(service: Service, caller: Caller, fields: dict[str, Any]) -> Inputs:
    """A request whose files are assets, with keys of the storage in the place of their ids.

    Args:
        service: where the assets are.
        caller: who must own them.
        fields: of a `VideoRequest`; ``asset_…`` stands where a path could.

    Raises:
        BadInput: a field is wrong, or names a file otherwise.
        TooLarge: a text is too long.
        UnknownName: there is no such asset of this caller, or no such avatar.
    """
    _check_texts(fields)
    # Ids become keys first: whether a word is a file is told by the dots and slashes in it.
    fields, names = dict(fields), {}
    for field in PATHS:
        value = fields.get(field)
        if isinstance(value, str) and is_url(value) and (url := path_in(field, value)):
            value = fields[field] = value.replace(url, take_url(service, caller, url, field), 1)
        if isinstance(value, str) and (found := ASSET_ID.match(value.strip())):
            key, names[key] = _asset(service, caller, found[0], field)
            fields[field] = value.replace(found[0], key, 1)
    plain: dict[str, Any] = json.loads(VideoRequest(**fields).to_json())
    if not caller.at_home:
        _check_public(plain)
    for field in PATHS:
        given = path_in(field, plain.get(field))
        if given is not None and given not in names:
            raise BadInput(
                f"{field} is no asset.",
                hint="Upload the file with POST /v1/assets, and give the id that it answers with.",
                field=field,
            )
    avatar = plain.get("avatar", "")
    if avatar.strip().lower() in kept.names():  # which lies on this machine alone
        file = kept.folder() / f"{avatar.strip().lower()}.png"
        plain["avatar"] = service.storage.put(file, ASSETS).key
        names[plain["avatar"]] = file.name
    elif avatar and avatar not in names:
        gallery.get(avatar)  # or it says which there are
    return Inputs(plain, names)


def _check_public(plain: dict[str, Any]) -> None:
    """Raise `UnknownName` if a request names what the user of this machine keeps, which is nobody else's."""
    avatar, voice = plain.get("avatar") or "", plain.get("voice") or ""
    for field, name, private in (
        ("avatar", avatar, avatar.strip().lower() in kept.names()),
        ("voice", voice, kept_voices.get(voice) is not None),
    ):
        if private:
            raise UnknownName(
                f"There is no {field} named {name!r}.", hint=f"GET /v1/{field}s lists them.", field=field
            )


def _check_texts(fields: dict[str, Any]) -> None:
    for field, value in fields.items():
        if isinstance(value, str):
            check_text(value, field)
            if "\0" in value:
                raise BadInput(f"There is a NUL character in {field}.", hint="Leave it out.", field=field)


def _asset(service: Service, caller: Caller, asset_id: str, field: str) -> tuple[str, str]:
    """Key and name of an asset, which counts as used."""
    mine = (assets.c.id == asset_id) & (assets.c.owner == caller.owner)

    def work(connection: sa.Connection) -> sa.Row[Any] | None:
        used = assets.update().where(mine).values(used_at=time.time())
        return connection.execute(used.returning(assets.c.key, assets.c.name)).one_or_none()

    row = service.db.run(work)
    if row is None:
        raise UnknownName(
            f"There is no asset {asset_id}.", hint="It may have expired: upload it again.", field=field
        )
    return row.key, row.name


def with_assets(service: Service, owner: str, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Requests as they were submitted: the ids of assets in the place of keys of the storage.

    Args:
        service: where the assets are.
        owner: whose they are.
        requests: the fields of each, from `stored_inputs`. A file that has expired stays a key.
    """
    keys = {
        value.split(":")[0]
        for fields in requests
        for field in PATHS
        if isinstance(value := fields.get(field), str) and value.startswith(f"{ASSETS}/")
    }
    if not keys:
        return requests
    query = sa.select(assets.c.key, assets.c.id).where(assets.c.owner == owner, assets.c.key.in_(keys))
    ids = {row.key: row.id for row in service.db.run(lambda connection: connection.execute(query).all())}
    return [
        {
            field: ids.get(key, key) + value[len(key) :]
            if field in PATHS and isinstance(value, str) and (key := value.split(":")[0]) in keys
            else value
            for field, value in fields.items()
        }
        for fields in requests
    ]
