"""Files on their way: those that a request names go up, results come down, whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from anyio import to_thread

from avatalk.avatars import kept
from avatalk.client.connection import Connection, Patience
from avatalk.errors import UnreadableFile
from avatalk.models.identify import checksum
from avatalk.request import VideoRequest
from avatalk.spec import PATHS, path_in
from avatalk.workspace import complete_or_nothing

ASSET = re.compile(r"asset_[0-9a-f]{32}")

_BLOCK = 256 * 1024
_MARK = ".asset"  # makes the id of an asset look like the name of a file, which a request may have


class Uploads:
    """Files that the service has got from this client; equal ones are sent once.

    Args:
        connection: to the service.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sent: dict[str, str] = {}

    async def send(self, path: Path, field: str | None = None) -> str:
        """Send a file, and return the id of its asset.

        Raises:
            UnreadableFile: it is not there, or the service cannot use it.
            AvatalkError: what the service says is wrong.
        """
        if not path.is_file():
            raise UnreadableFile(f"There is no file {path}.", hint="Check the name.", field=field)
        try:
            digest = await to_thread.run_sync(checksum, path)
        except OSError as error:
            raise UnreadableFile(f"{path} cannot be read.", hint="Check its rights.", field=field) from error
        if digest not in self._sent:
            answer = await self._connection.ask(
                "POST",
                "/v1/assets",
                params={"name": path.name},
                content=lambda: _blocks(path),
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(path.stat().st_size),
                },
            )
            self._sent[digest] = answer.json()["id"]
        return self._sent[digest]

    async def fields(self, request: VideoRequest | None, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of a request as the service takes them: its local files sent, ids in their place.

        Args:
            request: if it is given as one.
            fields: else; ids of assets may stand where paths can.

        Raises:
            BadInput: a field is wrong.
            UnreadableFile: a file is not there.
        """
        if request is None:
            request = VideoRequest(**{name: _marked(name, value) for name, value in fields.items()})
        plain: dict[str, Any] = json.loads(request.to_json())
        name = request.avatar.strip().lower()
        if name in kept.names():  # which the service does not know, unless it runs here
            plain["avatar"] = await self.send(kept.folder() / f"{name}.png", "avatar")
        for field in PATHS:
            path = path_in(field, plain.get(field))
            if path is None or "://" in path:  # which the service may fetch itself
                continue
            if path.endswith(_MARK) and ASSET.fullmatch(path.removesuffix(_MARK)):
                asset = path.removesuffix(_MARK)
            else:
                asset = await self.send(Path(path), field)
            plain[field] = plain[field].replace(path, asset, 1)
        return plain


def _marked(field: str, value: object) -> object:
    if field in PATHS and isinstance(value, str) and ASSET.match(value):
        return ASSET.sub(lambda found: found[0] + _MARK, value, count=1)
    return str(value) if isinstance(value, Path) else value


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := await to_thread.run_sync(file.read, _BLOCK):
            yield block


async def fetch(connection: Connection, url: str, path: Path) -> None:
    """Write what is at `url`, below the service, to `path`; a lost connection goes on where it was.

    Raises:
        Unreachable: it was lost for longer than patience lasts, or what came is not what was sent.
        OutputError: the file cannot be written.
        AvatalkError: what the service says is wrong.
    """
    patience, tag = Patience(connection.patience_s), ""
    with complete_or_nothing(path) as part, part.open("wb") as file:
        while True:
            have = file.tell()
            headers = {"Accept-Encoding": "identity"}
            if have and tag:
                headers |= {"Range": f"bytes={have}-", "If-Range": tag}
            try:
                async with connection.stream(url, headers) as answer:
                    if not answer.is_success:
                        await connection.refused(answer, patience)
                        continue
                    if answer.status_code != 206:  # all of it, from its beginning
                        file.seek(0)
                        file.truncate()
                    tag = answer.headers.get("etag", "")
                    async for block in answer.aiter_raw():
                        await to_thread.run_sync(file.write, block)
                        patience.renew()
                break
            except (httpx.TransportError, httpx.StreamError) as error:
                await patience.wait(connection.unreachable(error))
        file.flush()
        digest = tag.strip('"')
        if re.fullmatch(r"[0-9a-f]{64}", digest) and await to_thread.run_sync(checksum, part) != digest:
            raise connection.unreachable(httpx.ReadError("the file is damaged"))
