"""How a request names files over HTTP: by the id of an asset, never by a path of this machine."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import sqlalchemy as sa

from avatalk.errors import BadInput, UnknownName
from avatalk.jobs.inputs import Inputs
from avatalk.request import VideoRequest
from avatalk.service.context import Caller, Service
from avatalk.service.limits import check_text
from avatalk.service.tables import assets
from avatalk.spec import PATHS, path_in

ASSET_ID = re.compile(r"asset_[0-9a-f]{32}")


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
    for field in ("text", "transcript", "avatar_prompt"):
        check_text(fields.get(field), field)
    plain: dict[str, Any] = json.loads(VideoRequest(**fields).to_json())
    if not caller.at_home:
        _check_public(plain)
    names: dict[str, str] = {}
    for field in PATHS:
        given = path_in(field, plain.get(field))
        if given is None:
            continue
        if not ASSET_ID.fullmatch(given):
            raise BadInput(
                f"{field} is no asset.",
                hint="Upload the file with POST /v1/assets, and give the id that it answers with.",
                field=field,
            )
        key, name = _asset(service, caller, given, field)
        names[key] = name
        plain[field] = plain[field].replace(given, key, 1)
    return Inputs(plain, names)


def _check_public(plain: dict[str, Any]) -> None:
    """Raise `UnknownName` if a request names what the user of this machine keeps, which is nobody else's."""
    from avatalk.avatars import kept as avatars
    from avatalk.speech import kept as voices

    avatar, voice = plain.get("avatar") or "", plain.get("voice") or ""
    for field, name, private in (
        ("avatar", avatar, avatar.strip().lower() in avatars.names()),
        ("voice", voice, voices.get(voice) is not None),
    ):
        if private:
            raise UnknownName(
                f"There is no {field} named {name!r}.", hint=f"GET /v1/{field}s lists them.", field=field
            )


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
