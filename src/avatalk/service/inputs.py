"""How a request names files over HTTP: by the id of an asset, never by a path of this machine."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import ConfigDict, Field, field_validator

from avatalk.avatars import kept
from avatalk.compose.wish import read_ground
from avatalk.errors import BadInput, UnknownName
from avatalk.jobs.foresight import check_file, check_names
from avatalk.jobs.inputs import ASSETS, Inputs, pack_voice
from avatalk.jobs.needs import had_by_workers
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
        BadInput: a field is wrong, or names a file otherwise, or a file that is none for it.
        TooLarge: a text is too long.
        UnknownName: there is no such asset of this caller, or no such avatar, voice or engine.
        EngineUnavailable: an engine or a voice cannot do what is asked of it.
    """
    check_texts(fields)
    # Ids become keys first: whether a word is a file is told by the dots and slashes in it.
    fields, names, found = dict(fields), {}, {}
    for field in PATHS:
        value = fields.get(field)
        if isinstance(value, str) and is_url(value) and (url := path_in(field, value)):
            value = fields[field] = value.replace(url, take_url(service, caller, url, field), 1)
        if isinstance(value, str) and (match := ASSET_ID.match(value.strip())):
            row = found[field] = _asset(service, caller, match[0], field)
            names[row.key] = row.name
            fields[field] = value.replace(match[0], row.key, 1)
    request = VideoRequest(**fields)
    for field, row in found.items():
        check_file(request, field, row.name, row.kind, row.facts)
    return settled(service, caller, request, names)


def settled(service: Service, caller: Caller, request: VideoRequest, names: dict[str, str]) -> Inputs:
    """A request with keys of the storage in the place of files, its names looked at.

    Args:
        service: whose workers are to make it.
        caller: who asks for it.
        request: with keys.
        names: of the files with these keys.

    Raises:
        BadInput, EngineUnavailable: as of `stored_inputs`.
    """
    plain: dict[str, Any] = json.loads(request.to_json())
    for field in PATHS:
        given = path_in(field, plain.get(field))
        if given is not None and given not in names:
            raise BadInput(
                f"{field} is no asset.",
                hint="Upload the file with POST /v1/assets, and give the id that it answers with.",
                field=field,
            )
    avatar, voice, names = plain.get("avatar", ""), plain.get("voice", ""), dict(names)
    # A packed voice is a file, and none that a client can name.
    if not caller.at_home or kept_voices.is_pack(voice):
        _check_public(avatar, voice)
    check_names(request, had_by_workers(service.db))
    if avatar.strip().lower() in kept.names():  # which lies on this machine alone
        file = kept.folder() / f"{avatar.strip().lower()}.png"
        plain["avatar"] = service.storage.put(file, ASSETS).key
        names[plain["avatar"]] = file.name
    pack_voice(plain, names, service.storage)
    return Inputs(plain, names)


def _check_public(avatar: str, voice: str) -> None:
    """Raise `UnknownName` if a request names what the user of this machine keeps, which is nobody else's."""
    for field, name, private in (
        ("avatar", avatar, avatar.strip().lower() in kept.names()),
        ("voice", voice, kept_voices.is_pack(voice) or kept_voices.get(voice) is not None),
    ):
        if private:
            raise UnknownName(
                f"There is no {field} named {name!r}.", hint=f"GET /v1/{field}s lists them.", field=field
            )


def check_texts(fields: Mapping[str, Any]) -> None:
    """Check the texts of a request.

    Raises:
        TooLarge: one is too long.
        BadInput: there is a NUL in one, which PostgreSQL does not take.
    """
    corrections = fields.get("corrections") or ()
    said = "".join(str(one.get("text")) for one in corrections if isinstance(one, dict))
    for field, value in {**fields, "corrections": said}.items():
        if isinstance(value, str):
            check_text(value, field)
            if "\0" in value:
                raise BadInput(f"There is a NUL character in {field}.", hint="Leave it out.", field=field)


def _asset(service: Service, caller: Caller, asset_id: str, field: str) -> sa.Row[Any]:
    """Key, name, kind and facts of an asset, which counts as used."""
    mine = (assets.c.id == asset_id) & (assets.c.owner == caller.owner)

    def work(connection: sa.Connection) -> sa.Row[Any] | None:
        used = assets.update().where(mine).values(used_at=time.time())
        known = (assets.c.key, assets.c.name, assets.c.kind, assets.c.facts)
        return connection.execute(used.returning(*known)).one_or_none()

    row = service.db.run(work)
    if row is None:
        raise UnknownName(
            f"There is no asset {asset_id}.", hint="It may have expired: upload it again.", field=field
        )
    return row


def with_assets(service: Service, owner: str, requests: list[Inputs]) -> list[dict[str, Any]]:
    """Requests as they were submitted: the ids of assets in the place of keys of the storage.

    Args:
        service: where the assets are.
        owner: whose they are.
        requests: each from `stored_inputs`. A file that has expired stays a key.
    """
    voices = [inputs.names.get(inputs.fields.get("voice", "")) for inputs in requests]
    plain = [
        {**inputs.fields, "voice": voice} if voice is not None else inputs.fields
        for inputs, voice in zip(requests, voices, strict=True)
    ]
    keys = {
        value.split(":")[0]
        for fields in plain
        for field in PATHS
        if isinstance(value := fields.get(field), str) and value.startswith(f"{ASSETS}/")
    }
    if not keys:
        return plain
    query = sa.select(assets.c.key, assets.c.id).where(assets.c.owner == owner, assets.c.key.in_(keys))
    ids = {row.key: row.id for row in service.db.run(lambda connection: connection.execute(query).all())}
    return [
        {
            field: ids.get(key, key) + value[len(key) :]
            if field in PATHS and isinstance(value, str) and (key := value.split(":")[0]) in keys
            else value
            for field, value in fields.items()
        }
        for fields in plain
    ]
