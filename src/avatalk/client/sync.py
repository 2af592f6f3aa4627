"""The client for code without an event loop: one runs in a thread, and does what `AsyncClient` does."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import ExitStack
from pathlib import Path
from threading import Event as Flag
from types import TracebackType
from typing import Any, TypeVar

from anyio.from_thread import start_blocking_portal

from avatalk.client.aio import AsyncClient
from avatalk.client.shapes import Batch, Event, MadeAvatar, Speech, Video
from avatalk.events import OnProgress
from avatalk.media import Result
from avatalk.request import VideoRequest

T = TypeVar("T")

_LEAVE_S = 6.0
_LISTEN_EVERY_S = 0.2  # to signals, which some systems do not let through while a thread waits


class Client:
    """A service of avatalk. Close it, or use it in a ``with`` block.

    What fails for a moment is tried again: a lost connection, a service that restarts or is busy. Whatever is
    made is made once, however often it was asked for. Progress is told from another thread.

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
        self._client = AsyncClient(url, key, timeout_s=timeout_s, patience_s=patience_s)
        self._undo = ExitStack()
        self._portal = self._undo.enter_context(start_blocking_portal(name="avatalk-client"))
        self._undo.callback(lambda: self._portal.call(self._client.aclose))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._undo.close()

    def submit(
        self,
        request: VideoRequest | None = None,
        *,
        priority: str = "normal",
        callback_url: str | None = None,
        idempotency_key: str | None = None,
        revises: str | None = None,
        **fields: Any,
    ) -> Video:
        """Queue a video; see `AsyncClient.submit`."""
        how = {"priority": priority, "callback_url": callback_url, "idempotency_key": idempotency_key}
        return self._run(self._client.submit, request, revises=revises, **how, **fields)

    def get(self, video_id: str) -> Video:
        """Return a video as it stands; see `AsyncClient.get`."""
        return self._run(self._client.get, video_id)

    def videos(self, status: str | None = None) -> Iterator[Video]:
        """Yield the videos, the newest first; see `AsyncClient.videos`."""
        return self._each(self._client.videos(status))

    def events(self, video_id: str, after: int = 0) -> Iterator[Event]:
        """Yield what happens to a video; see `AsyncClient.events`."""
        return self._each(self._client.events(video_id, after))

    def wait(self, video_id: str, on_progress: OnProgress | None = None) -> Video:
        """Return a video once it is completed; see `AsyncClient.wait`."""
        return self._run(self._client.wait, video_id, on_progress)

    def download(self, video_id: str, path: str | Path) -> Result:
        """Write a completed video and its captions; see `AsyncClient.download`."""
        return self._run(self._client.download, video_id, path)

    def make(
        self, request: VideoRequest, output: str | Path, *, on_progress: OnProgress | None = None
    ) -> Result:
        """Make a video at `output`; see `AsyncClient.make`."""
        return self._run(self._client.make, request, output, on_progress=on_progress)

    def cancel(self, video_id: str) -> Video:
        """Stop making a video; see `AsyncClient.cancel`."""
        return self._run(self._client.cancel, video_id)

    def delete(self, video_id: str) -> None:
        """Remove a video; see `AsyncClient.delete`."""
        self._run(self._client.delete, video_id)

    def upload(self, path: str | Path) -> str:
        """Send a file, and return its id; see `AsyncClient.upload`."""
        return self._run(self._client.upload, path)

    def speech(self, text: str, output: str | Path | None = None, **how: Any) -> Speech:
        """Speak a text; see `AsyncClient.speech`."""
        return self._run(self._client.speech, text, output, **how)

    def avatars(
        self,
        description: str,
        *,
        engine: str = "auto",
        count: int = 1,
        seed: int = 0,
        on_progress: OnProgress | None = None,
    ) -> list[MadeAvatar]:
        """Make avatars from a description; see `AsyncClient.avatars`."""
        how = {"engine": engine, "count": count, "seed": seed, "on_progress": on_progress}
        return self._run(self._client.avatars, description, **how)

    def preview(
        self,
        request: VideoRequest | None = None,
        *,
        at: float = 0.0,
        output: Path | None = None,
        **fields: Any,
    ) -> bytes:
        """Return a frame of a video as PNG; see `AsyncClient.preview`."""
        return self._run(self._client.preview, request, at=at, output=output, **fields)

    def catalogue(self, what: str, **params: str) -> list[dict[str, Any]]:
        """Return what there is to choose from; see `AsyncClient.catalogue`."""
        return self._run(self._client.catalogue, what, **params)

    def submit_batch(
        self,
        template: dict[str, Any],
        rows: Sequence[dict[str, Any]],
        *,
        name: str = "",
        callback_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Queue a video for every row; see `AsyncClient.submit_batch`."""
        how = {"name": name, "callback_url": callback_url, "idempotency_key": idempotency_key}
        return self._run(self._client.submit_batch, template, rows, **how)

    def get_batch(self, batch_id: str) -> Batch:
        """Return a batch as it stands; see `AsyncClient.get_batch`."""
        return self._run(self._client.get_batch, batch_id)

    def batches(self) -> Iterator[Batch]:
        """Yield the batches, the newest first; see `AsyncClient.batches`."""
        return self._each(self._client.batches())

    def wait_batch(self, batch_id: str) -> Batch:
        """Return a batch once all its videos are over; see `AsyncClient.wait_batch`."""
        return self._run(self._client.wait_batch, batch_id)

    def cancel_batch(self, batch_id: str) -> Batch:
        """Stop a batch; see `AsyncClient.cancel_batch`."""
        return self._run(self._client.cancel_batch, batch_id)

    def delete_batch(self, batch_id: str) -> None:
        """Remove a batch with its videos; see `AsyncClient.delete_batch`."""
        self._run(self._client.delete_batch, batch_id)

    # --- plumbing

    def _run(self, work: Callable[..., Awaitable[T]], *args: Any, **how: Any) -> T:
        over = Flag()

        async def task() -> T:
            try:
                return await work(*args, **how)
            finally:
                over.set()

        future = self._portal.start_task_soon(task)
        try:
            while not wait([future], _LISTEN_EVERY_S).done:
                pass
        except BaseException:
            future.cancel()
            over.wait(_LEAVE_S)  # it may have to tell the service
            raise
        return future.result()

    def _each(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        end: Any = object()

        async def following() -> T:
            return await anext(items, end)

        try:
            while (item := self._run(following)) is not end:
                yield item
        finally:
            self._run(items.aclose)
