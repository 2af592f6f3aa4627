"""The client for asyncio and trio."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import anyio
import httpx

from avatalk import settings
from avatalk.client.connection import Connection, Patience
from avatalk.client.files import Uploads, fetch
from avatalk.client.shapes import (
    ENDS,
    Batch,
    Event,
    MadeAvatar,
    Speech,
    Video,
    as_step,
    error_of,
    shaped,
)
from avatalk.errors import BadInput, Cancelled, UnknownName
from avatalk.events import OnProgress, Progress
from avatalk.media import Result
from avatalk.request import VideoRequest
from avatalk.speech import kept
from avatalk.workspace import check_writable, complete_or_nothing

_SILENCE_S = 45.0  # of events; the service breaks it every 15 s
_LOOK_EVERY_S = 1.0
_LONG_S = 300.0  # for answers that are made while the client waits


class AsyncClient:
    """A service of avatalk. Close it, or use it in an ``async with`` block.

    What fails for a moment is tried again: a lost connection, a service that restarts or is busy. Whatever is
    made is made once, however often it was asked for.

    Args:
        url: of the service.
        key: of ``avatalk keys create``; by default the setting ``key`` (``AVATALK_KEY``), which may be empty.
        timeout_s: seconds without a sign of life after which an attempt is given up.
        patience_s: seconds for which a request is tried again.

    Raises:
        BadInput: `url` is no URL.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str | None = None,
        *,
        timeout_s: float = 60.0,
        patience_s: float = 60.0,
    ) -> None:
        key = settings.text("key") if key is None else key
        self._connection = Connection(url, key, timeout_s, patience_s)
        self._uploads = Uploads(self._connection)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connection.close()

    # --- videos

    async def submit(
        self,
        request: VideoRequest | None = None,
        *,
        priority: str = "normal",
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        revises: str | None = None,
        **fields: Any,
    ) -> Video:
        """Queue a video. Local files that it names are sent.

        Args:
            request: what to make; or its `fields`, where ids of assets may stand for paths.
            priority: high, normal or low.
            callback_url: what is told by a signed POST when the video ends.
            idempotency_key: submitting again with the same one, within 24 hours, gives the same video; by
                default each call makes a video of its own.
            revises: id of a video that this one corrects; what both have in common is not drawn again.
            **fields: of a `VideoRequest`.

        Raises:
            BadInput: a field is wrong.
            UnreadableFile: a file is missing, or cannot be used.
            TooMany: the key is at a limit.
            NotFound: there is no video `revises`.
            Unreachable: the service could not be reached.
        """
        body = await self._uploads.fields(request, fields)
        if revises:
            body["revises"] = revises
        if priority != "normal":
            body["priority"] = priority
        if callback_url:
            body["callback_url"] = callback_url
        try:
            return shaped(Video, await self._make("/v1/videos", body, idempotency_key))
        except UnknownName as error:
            if error.field == "voice" and (own := kept.get(body["voice"])) is not None:
                error.hint = (
                    f"{own.name} is kept on this machine, and not there. Keep it there as well, or send its "
                    "recording as voice_sample (--voice-sample)."
                )
            raise

    async def get(self, video_id: str) -> Video:
        """Return a video as it stands.

        Raises:
            NotFound: there is none of that id.
        """
        return shaped(Video, await self._get(f"/v1/videos/{video_id}"))

    async def videos(self, status: str | None = None) -> AsyncGenerator[Video, None]:
        """Yield the videos, the newest first.

        Args:
            status: only those of it: queued, processing, completed, failed or canceled.
        """
        async for answer in self._pages("/v1/videos", {"status": status} if status else {}):
            yield shaped(Video, answer)

    async def events(self, video_id: str, after: int = 0) -> AsyncGenerator[Event, None]:
        """Yield what happens to a video, until it is over; a lost connection goes on where it was.

        Args:
            video_id: from `submit`.
            after: number of the last event that was seen.

        Raises:
            NotFound: there is no video of that id.
        """
        patience, connection = Patience(self._connection.patience_s), self._connection
        while True:
            headers = {"Last-Event-ID": str(after), "Accept": "text/event-stream"}
            timeout = httpx.Timeout(_SILENCE_S)
            try:
                async with connection.stream(
                    f"/v1/videos/{video_id}/events", headers, timeout=timeout
                ) as answer:
                    if answer.status_code == 204:
                        return
                    if not answer.is_success:
                        await connection.refused(answer, patience)
                        continue
                    async for event in _events(answer):
                        after = event.number
                        patience.renew()
                        yield event
                        if event.kind == "status" and event.data.get("status") in ENDS:
                            return
            except (httpx.TransportError, httpx.StreamError) as error:
                await patience.wait(connection.unreachable(error))
                continue
            await anyio.sleep(0.2)  # the service ended it, perhaps because it restarts

    async def wait(self, video_id: str, on_progress: OnProgress | None = None) -> Video:
        """Return a video once it is completed.

        Args:
            video_id: from `submit`.
            on_progress: called with every step; may raise to stop waiting.

        Raises:
            AvatalkError: why it failed.
            Cancelled: it was canceled.
        """
        async with aclosing(self.events(video_id)) as followed:
            async for event in followed:
                if on_progress is not None and event.kind in ("progress", "segment"):
                    stage = event.data.get("stage") or "encode"
                    on_progress(as_step(stage, event.data.get("progress", 0.0)))
        return (await self.get(video_id)).check()

    async def download(self, video_id: str, path: str | Path) -> Result:
        """Write a completed video to `path`, and its caption files beside it; each whole or not at all.

        Returns:
            What was made, as `avatalk.render` returns it.

        Raises:
            Conflict: it is not completed.
            OutputError: a file cannot be written.
        """
        path, video = Path(path), await self.get(video_id)
        captions = []
        for ending in ("srt", "vtt"):
            if video.links.get(f"captions_{ending}"):
                captions.append(path.with_suffix(f".{ending}"))
                await fetch(self._connection, f"/v1/videos/{video_id}/captions?format={ending}", captions[-1])
        await fetch(self._connection, f"/v1/videos/{video_id}/content", path)
        report = await self._get(f"/v1/videos/{video_id}/report")
        return shaped(Result, report | {"path": str(path), "captions": [str(one) for one in captions]})

    async def make(
        self,
        request: VideoRequest,
        output: str | Path,
        *,
        on_progress: OnProgress | None = None,
    ) -> Result:
        """Make a video at `output`, as `avatalk.render` does, but there. If this is stopped, so is the video.

        Raises:
            AvatalkError: what is wrong, where, and what to do; no partial file is left.
        """
        output = Path(output)
        if output.suffix.lower() != ".mp4":
            raise BadInput(
                f"{output.name} does not end in .mp4.",
                hint="A service makes MP4. Other kinds are made without --server.",
                field="output",
            )
        check_writable(output)
        if on_progress is not None:
            on_progress(Progress("avatar", message="Sending the request"))
        video = await self.submit(request)
        try:
            await self.wait(video.id, on_progress)
            return await self.download(video.id, output)
        except BaseException as error:
            if not isinstance(error, Cancelled):
                with anyio.move_on_after(5, shield=True):
                    await self.cancel(video.id)
            raise

    async def cancel(self, video_id: str) -> Video:
        """Stop making a video; one that is over stays as it is."""
        return shaped(Video, (await self._ask("POST", f"/v1/videos/{video_id}/cancel")).json())

    async def delete(self, video_id: str) -> None:
        """Stop making a video, and remove it with all its files."""
        await self._ask("DELETE", f"/v1/videos/{video_id}")

    # --- other things

    async def upload(self, path: str | Path) -> str:
        """Send a picture, a clip or a sound, and return its id, which stands for it in requests.

        Raises:
            UnreadableFile: it is missing, or cannot be used.
        """
        return await self._uploads.send(Path(path))

    async def speech(self, text: str, output: str | Path | None = None, **how: Any) -> Speech:
        """Speak a text of up to 5000 letters.

        Args:
            text: plain or SSML.
            output: where the sound goes, if it is wanted here; its ending says its kind.
            **how: ``voice``, ``voice_sample``, ``language``, ``speed``, ``pitch``.

        Raises:
            AvatalkError: what is wrong with it.
        """
        plain = await self._uploads.fields(None, {"text": text, **how})
        kind = Path(output).suffix.lower().removeprefix(".") if output is not None else "wav"
        answer = await self._ask(
            "POST", "/v1/speech", params={"with": "words"}, json={**plain, "format": kind}, timeout=_LONG_S
        )
        said = Speech.of(answer.json())
        if output is not None:
            await fetch(self._connection, f"/v1/assets/{said.asset}/content", Path(output))
        return said

    async def avatars(
        self,
        description: str,
        *,
        engine: str = "auto",
        count: int = 1,
        seed: int = 0,
        on_progress: OnProgress | None = None,
    ) -> list[MadeAvatar]:
        """Make avatars from a description.

        Args:
            description: one person, in English.
            engine: drawn, diffusion or auto.
            count: how many, each with the next seed; 1 to 8.
            seed: another one, another person.
            on_progress: called with every step of a painting.

        Raises:
            AvatalkError: what is wrong with it.
        """
        wish = {"description": description, "engine": engine, "count": count, "seed": seed}
        answer = (await self._ask("POST", "/v1/avatars", json=wish, timeout=_LONG_S)).json()
        here = f"/v1/avatars/creations/{answer['id']}"
        try:
            while answer["status"] not in ENDS:
                await anyio.sleep(_LOOK_EVERY_S)
                answer = await self._get(here)
                if on_progress is not None:
                    on_progress(Progress("avatar", round(100 * answer["progress"]), 100, "%"))
        except BaseException:
            with anyio.move_on_after(5, shield=True):
                await self._ask("POST", f"{here}/cancel")
            raise
        if answer["status"] != "completed":
            raise error_of(answer["error"] or {"code": Cancelled.code, "message": "It was canceled."})
        return [shaped(MadeAvatar, made) for made in answer["data"]]

    async def preview(
        self,
        request: VideoRequest | None = None,
        *,
        at: float = 0.0,
        output: Path | None = None,
        **fields: Any,
    ) -> bytes:
        """Return the frame of a video that is shown at `at` seconds, as PNG.

        Args:
            request: the video; or its `fields`.
            at: seconds into the video.
            output: where the picture goes, too.
            **fields: of a `VideoRequest`.

        Raises:
            BadInput: the video ends before, or a field is wrong.
        """
        body = {**await self._uploads.fields(request, fields), "at": at}
        png = (await self._ask("POST", "/v1/preview", json=body, timeout=_LONG_S)).content
        if output is not None:
            with complete_or_nothing(output) as part:
                part.write_bytes(png)
        return png

    async def catalogue(self, what: str, **params: str) -> list[dict[str, Any]]:
        """Return what there is to choose from.

        Args:
            what: avatars, voices or engines.
            **params: such as ``language="de"`` for voices.
        """
        rows: list[dict[str, Any]] = (await self._get(f"/v1/{what}", params))["data"]
        return rows

    # --- batches

    async def submit_batch(
        self,
        template: dict[str, Any],
        rows: Sequence[dict[str, Any]],
        *,
        name: str = "",
        callback_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Queue a video for every row.

        Args:
            template: fields of a request, with places such as ``{name}`` in any text. Files are ids of
                assets, see `upload`.
            rows: values by column.
            name: for people.
            callback_url: what is told by a signed POST when a video ends.
            idempotency_key: as for `submit`.

        Raises:
            BadInput: a row makes no request; its number and its column are told.
        """
        body = {"template": template, "rows": list(rows), "name": name, "callback_url": callback_url}
        return Batch.of(await self._make("/v1/batches", body, idempotency_key))

    async def get_batch(self, batch_id: str) -> Batch:
        """Return a batch as it stands, with what became of every row."""
        return Batch.of(await self._get(f"/v1/batches/{batch_id}"))

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Yield the batches, the newest first, without their rows."""
        async for answer in self._pages("/v1/batches", {}):
            yield Batch.of(answer)

    async def wait_batch(self, batch_id: str) -> Batch:
        """Return a batch once all its videos are over."""
        while not (batch := await self.get_batch(batch_id)).ended:
            await anyio.sleep(_LOOK_EVERY_S)
        return batch

    async def cancel_batch(self, batch_id: str) -> Batch:
        """Stop a batch; finished videos stay."""
        return Batch.of((await self._ask("POST", f"/v1/batches/{batch_id}/cancel")).json())

    async def delete_batch(self, batch_id: str) -> None:
        """Stop a batch, and remove it with all its videos."""
        await self._ask("DELETE", f"/v1/batches/{batch_id}")

    # --- plumbing

    async def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        return await self._connection.ask(method, path, **how)

    async def _get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = (await self._ask("GET", path, params=params or {})).json()
        return answer

    async def _make(self, path: str, body: dict[str, Any], key: str | None) -> dict[str, Any]:
        headers = {"Idempotency-Key": key or f"client:{uuid4().hex}"}
        answer: dict[str, Any] = (await self._ask("POST", path, json=body, headers=headers)).json()
        return answer

    async def _pages(self, path: str, params: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        while True:
            page = await self._get(path, {**params, "limit": "100"})
            for answer in page["data"]:
                yield answer
            if page["next"] is None:
                return
            params = {**params, "before": page["next"]}


async def _events(answer: httpx.Response) -> AsyncIterator[Event]:
    """The events of a stream (WHATWG HTML, 9.2), as this service writes them: each datum on one line."""
    number, kind, data = 0, "message", ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id" and value.isdigit():
            number = int(value)
        elif name == "event":
            kind = value
        elif name == "data":
            data = value
        elif not line:
            if data:
                yield Event(number, kind, json.loads(data))
            kind, data = "message", ""
