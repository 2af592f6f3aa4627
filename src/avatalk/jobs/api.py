"""What surfaces do with jobs: submit, look, follow, cancel, delete, and read the result."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from avatalk import settings
from avatalk.errors import BadInput, Conflict, NotFound
from avatalk.jobs import expiry, live, needs, records
from avatalk.jobs.expiry import Expired
from avatalk.jobs.foresight import check_names
from avatalk.jobs.inputs import ASSETS, Inputs, check_request, store_inputs, words_of
from avatalk.jobs.job import Job, JobEvent, job_of
from avatalk.jobs.live import Segment
from avatalk.jobs.storage import Storage, Stored
from avatalk.jobs.tables import Database, events, jobs, revisions
from avatalk.request import VideoRequest

PRIORITIES = {"high": -600, "normal": 0, "low": 6 * 3600}
"""Seconds by which a job takes its turn later than another one that was submitted together with it."""

_KEY_LASTS_S = 24 * 3600
_EPOCH = 1_700_000_000  # turns count seconds from here, to fit 31 bits
_MOST = 100  # jobs on a page


class Jobs:
    """Jobs in a database and a storage; any number of these, in any process, may use the same.

    Args:
        database_url: SQLite or PostgreSQL, by default `avatalk.settings.database_url`.
        storage_url: a path or a URL of fsspec, by default `avatalk.settings.storage_url`.

    Raises:
        StorageError: the database cannot be reached.
        CannotRun: the storage needs a library that is not installed.
    """

    def __init__(self, database_url: str | None = None, storage_url: str | None = None) -> None:
        self.storage = Storage(storage_url or settings.storage_url())
        self.db = Database(database_url or settings.database_url())

    def close(self) -> None:
        """Close all connections."""
        self.db.close()

    def submit(
        self,
        request: VideoRequest | Inputs,
        *,
        owner: str = "",
        priority: str = "normal",
        idempotency_key: str = "",
        besides: str = "",
        revises: str = "",
        admit: Callable[[sa.Connection, str], None] | None = None,
    ) -> str:
        """Queue a video and return the id of its job. Its files are copied; the caller's may go.

        Args:
            request: what to make; the job makes an MP4. `Inputs` if its files are stored already, and its
                names were looked at, see `avatalk.jobs.foresight`.
            owner: who may see it.
            priority: a key of `PRIORITIES`.
            idempotency_key: submitting again with the same key, within 24 hours, gives the same job.
            besides: what belongs to the request although the video is the same without it, such as whom to
                tell: with another one a key counts as used for another request.
            revises: a job of the same owner whose video this one corrects. What both have in common is
                copied from there if that video is still stored when this one is planned; the result is
                the same.
            admit: called in the transaction with the id of a new job; what it raises undoes all.

        Raises:
            BadInput: a file is missing, a name is unknown, or no job can make this.
            Conflict: the key was used for another request.
            NotFound: there is no job `revises` of this owner.
            StorageError: storage or database cannot be reached.
        """
        if priority not in PRIORITIES:
            hint = f"There are {', '.join(PRIORITIES)}."
            raise BadInput(f"There is no priority {priority!r}.", hint=hint, field="priority")
        have = needs.had_by_workers(self.db)
        if revises:
            self.get(revises, owner, "revises")
        if isinstance(request, Inputs):
            check_request(VideoRequest(**request.fields))
            inputs = request
            expiry.use(self.db, list(inputs.names))
            self._check_there(inputs)
        else:
            check_request(request)
            check_names(request, have)
            inputs = store_inputs(request, self.storage)
            expiry.use(self.db, list(inputs.names))
            if not all(map(self.storage.exists, inputs.names)):  # it expired just before it was used
                store_inputs(request, self.storage)
        same = [inputs.fields, priority, besides]
        fingerprint = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
        now = time.time()
        job_id = f"vid_{int(now * 1000):012x}{secrets.token_hex(8)}"
        turn = int(now) - _EPOCH + PRIORITIES[priority]
        row: dict[str, Any] = {
            "id": job_id,
            "owner": owner,
            "idempotency_key": idempotency_key or None,
            "fingerprint": fingerprint,
            "status": "queued",
            "stage": "",
            "turn": turn,
            "request": inputs.fields,
            "words": words_of(inputs),
            "needs": needs.needs_of(VideoRequest(**inputs.fields), have),
            "inputs": inputs.names,
            "created_at": now,
            "warnings": [],
            "size": 0,
            "events": 0,
        }

        def work(connection: sa.Connection) -> None:
            mine = (jobs.c.owner == owner) & (jobs.c.idempotency_key == idempotency_key)
            stale = jobs.c.created_at < now - _KEY_LASTS_S
            connection.execute(jobs.update().where(mine, stale).values(idempotency_key=None))
            queue = needs.choose(self.db, connection, row["needs"])
            connection.execute(jobs.insert().values(**row, queue=queue))
            if revises:
                connection.execute(revisions.insert().values(job_id=job_id, revises=revises))
            records.tell(connection, job_id, "status", {"status": "queued"})
            records.enqueue(self.db, connection, f"{job_id}.plan", records.PLAN, turn, job_id, queue=queue)
            if admit is not None:
                admit(connection, job_id)

        try:
            self.db.run(work)
        except sa.exc.IntegrityError:
            if not idempotency_key:
                raise
            return self._same(owner, idempotency_key, fingerprint)
        return job_id

    def _check_there(self, inputs: Inputs) -> None:
        for key, name in inputs.names.items():
            if not self.storage.exists(key):
                raise NotFound(f"The file {name} is no longer stored.", hint="Send it again.")

    def _same(self, owner: str, key: str, fingerprint: str) -> str:
        """The job that has that key already."""
        query = sa.select(jobs).where(jobs.c.owner == owner, jobs.c.idempotency_key == key)
        row = self.db.run(lambda connection: connection.execute(query).one())
        if row.fingerprint != fingerprint:
            raise Conflict(
                "This idempotency key was used for another request.",
                hint="Use a new key for every new request.",
                field="idempotency_key",
            )
        return str(row.id)

    def get(self, job_id: str, owner: str | None = None, field: str = "id") -> Job:
        """Return a job.

        Args:
            job_id: from `submit`.
            owner: if given, the jobs of others do not exist.
            field: that named it, for the error.

        Raises:
            NotFound: there is none of that id.
        """

        def work(connection: sa.Connection) -> Job:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).one_or_none()
            if row is None or owner not in (None, row.owner):
                raise NotFound(f"There is no job {job_id}.", hint="It may have been deleted.", field=field)
            return job_of(connection, row)

        return self.db.run(work)

    def page(
        self,
        *,
        owner: str | None = None,
        status: str | None = None,
        search: str = "",
        before: str | None = None,
        limit: int = 20,
    ) -> tuple[list[Job], str | None]:
        """Return jobs, the newest first, and the cursor for the next page; None after the last.

        Args:
            owner: whose; everybody's by default.
            status: one of `avatalk.jobs.job.STATUSES`; any by default.
            search: what stands in the text, the transcript, the avatar or a file's name, in any case.
            before: the cursor that came with the last page.
            limit: jobs on a page, 1 to 100.
        """
        query = sa.select(jobs).order_by(jobs.c.id.desc()).limit(min(max(1, limit), _MOST) + 1)
        if owner is not None:
            query = query.where(jobs.c.owner == owner)
        if status is not None:
            query = query.where(jobs.c.status == status)
        if search:
            query = query.where(jobs.c.words.contains(search.casefold().replace("\0", ""), autoescape=True))
        if before is not None:
            query = query.where(jobs.c.id < before)

        def work(connection: sa.Connection) -> list[Job]:
            return [job_of(connection, row) for row in connection.execute(query).all()]

        found = self.db.run(work)
        page = found[: min(max(1, limit), _MOST)]
        return page, page[-1].id if len(found) > len(page) else None

    def cancel(self, job_id: str, owner: str | None = None) -> Job:
        """Stop a job: what waits is not begun, what runs stops within a second or so; and return it.

        A job that is over stays as it is.

        Raises:
            NotFound: there is none of that id.
        """
        self.get(job_id, owner)
        if records.cancel(self.db, job_id):
            self.storage.remove(f"jobs/{job_id}")
        return self.get(job_id, owner)

    def delete(self, job_id: str, owner: str | None = None) -> None:
        """Stop a job if it runs, and remove it with all its files.

        Raises:
            NotFound: there is none of that id.
        """
        self.get(job_id, owner)
        records.cancel(self.db, job_id)
        expiry.remove_job(self.db, self.storage, job_id)

    def expire(self, *, keep_days: float | None = None, keep_gb: float | None = None) -> Expired:
        """Remove what is old: jobs that are over, with their results, and files of requests.

        Workers do so every hour. Jobs that are not over, and what they are made from, stay in any case; a
        file of requests is as old as its last use.

        Args:
            keep_days: age after which they go, the setting ``keep_days`` by default; 0 for never.
            keep_gb: room (10⁹ bytes) for all files together, above which the oldest go, the setting
                ``keep_gb`` by default; 0 for no limit.
        """
        days = settings.number("keep_days") if keep_days is None else keep_days
        gigabytes = settings.number("keep_gb") if keep_gb is None else keep_gb
        return expiry.expire(self.db, self.storage, keep_s=days * 86400, keep_bytes=gigabytes * 1e9)

    def store(self, path: Path, ending: str | None = None, sha256: str = "") -> Stored:
        """Store a file that requests will be made from, or find it there; it counts as used now.

        Args:
            path: of the file.
            ending: as for `Storage.put`.
            sha256: likewise.

        Raises:
            StorageError: it cannot be stored.
        """
        stored = self.storage.put(path, ASSETS, ending=ending, sha256=sha256)
        expiry.use(self.db, [stored.key])
        if self.storage.exists(stored.key):
            return stored
        return self.storage.put(path, ASSETS, ending=ending, sha256=sha256)

    def events(self, job_id: str, after: int = 0, limit: int = 1000) -> list[JobEvent]:
        """Return what happened to a job after event number `after`, in order."""
        query = (
            sa.select(events)
            .where(events.c.job_id == job_id, events.c.number > after)
            .order_by(events.c.number)
            .limit(limit)
        )
        rows = self.db.run(lambda connection: connection.execute(query).all())
        return [JobEvent(row.number, row.at, row.kind, row.data) for row in rows]

    def segments(self, job_id: str, owner: str | None = None) -> list[Segment]:
        """Return the finished segments of a video in order; others may be missing between them.

        Their files stay until the video is published; then the video's own take their place.

        Raises:
            NotFound: there is no such job.
        """
        self.get(job_id, owner)
        film = live.film_of(self.db, job_id)
        return film.segments if film else []

    def playlist(
        self,
        job_id: str,
        owner: str | None = None,
        *,
        opening_at: str = "init.mp4",
        fragment_at: str = "{number}.m4s",
    ) -> str:
        """Return the HLS playlist (``application/vnd.apple.mpegurl``) of what is finished from the beginning.

        A player asks for it again until it says that the video has ended; what it lists stays as it is. It
        begins to play when the first segment is finished, and goes on when the video is published.

        Args:
            job_id: from `submit`.
            owner: as for `get`.
            opening_at: where `opening` is served (``video/mp4``), absolute or relative to the playlist.
            fragment_at: where `fragment` is served (``video/mp4``), with ``{number}`` in it.

        Raises:
            NotFound: there is no such job, or nothing of it can be watched yet.
        """
        self.get(job_id, owner)
        return live.playlist_of(self.db, job_id, opening_at, fragment_at)

    def opening(self, job_id: str, owner: str | None = None) -> bytes:
        """Return what a player needs before any fragment (the Media Initialization Section of HLS).

        Raises:
            NotFound: there is no such job, or its first segment is not finished.
        """
        self.get(job_id, owner)
        return live.opening_of(self.db, self.storage, job_id)

    def fragment(self, job_id: str, number: int, owner: str | None = None) -> bytes:
        """Return a finished segment with its sound, as a fragment of MP4; always the same bytes.

        `opening` followed by all of them is one fragmented MP4, for players without HLS. Packets are copied:
        it takes milliseconds, and as much memory as the segment is large.

        Raises:
            NotFound: there is no such job, or this segment is not finished.
        """
        self.get(job_id, owner)
        return live.fragment_of(self.db, self.storage, job_id, number)

    def open(self, job_id: str, name: str = "video.mp4", owner: str | None = None) -> BinaryIO:
        """Open a file of a result for reading, in any order; the caller closes it.

        Args:
            job_id: from `submit`.
            name: one of ``result["files"]``: ``video.mp4``, ``thumbnail.jpg``, and ``captions.srt`` or
                ``captions.vtt`` if they were asked for.
            owner: as for `get`.

        Raises:
            NotFound: there is no such job, or it has no such file.
        """
        job = self.get(job_id, owner)
        files = (job.result or {}).get("files", {})
        if name not in files:
            raise NotFound(
                f"Job {job_id} has no {name}.",
                hint=f"It is {job.status}. Its files: {', '.join(files) or 'none'}.",
                field="name",
            )
        return self.storage.open(files[name]["key"])
