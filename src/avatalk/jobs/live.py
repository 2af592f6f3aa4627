"""A job's video while it is made, and afterwards: what is finished of it, as a player takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, TypeVar

import sqlalchemy as sa

from avatalk.errors import NotFound
from avatalk.jobs.storage import Storage
from avatalk.jobs.tables import Database, jobs, segments
from avatalk.video import fragments

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Segment:
    """A finished stretch of a video.

    Attributes:
        number: from 0.
        start: its first frame.
        stop: the frame after its last.
        start_s: seconds from the beginning of the video.
        stop_s: likewise.
        key: the file in the storage that holds its pictures; that of the whole video once this is published.
        sound: the file with the sound of the whole video.
        origin: which frame of the video the file of `key` begins with: `start`, or 0 for the whole video.
    """

    number: int
    start: int
    stop: int
    start_s: float
    stop_s: float
    key: str
    sound: str
    origin: int


@dataclass(frozen=True, slots=True)
class Film:
    """What is there of a video.

    Attributes:
        fps: frames per second.
        n_frames: of the whole video.
        longest: frames of its longest segment, finished or not.
        segments: the finished ones in order; others may be missing between them.
        ended: whether the video is published.
    """

    fps: Fraction
    n_frames: int
    longest: int
    segments: list[Segment]
    ended: bool


def film_of(db: Database, job_id: str) -> Film | None:
    """What is there of the video of a job; None before its plan, or if it ended without a video."""

    def work(connection: sa.Connection) -> tuple[Any, Sequence[Any]]:
        row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).one_or_none()
        query = sa.select(segments).where(segments.c.job_id == job_id).order_by(segments.c.number)
        return row, connection.execute(query).all()

    row, rows = db.run(work)
    if row is None or row.plan is None or row.status not in ("processing", "completed"):
        return None
    fps, ended = Fraction(row.plan["fps"]), row.status == "completed"
    whole = row.result["files"]["video.mp4"]["key"] if ended else ""
    found = [
        Segment(
            number=piece.number,
            start=piece.start,
            stop=piece.stop,
            start_s=float(piece.start / fps),
            stop_s=float(piece.stop / fps),
            key=whole or piece.key,
            sound=whole or row.plan["sound"],
            origin=0 if ended else piece.start,
        )
        for piece in rows
        if piece.key is not None
    ]
    return Film(fps, row.plan["n_frames"], max(piece.stop - piece.start for piece in rows), found, ended)


def playlist_of(db: Database, job_id: str, opening_at: str, fragment_at: str) -> str:
    """The HLS playlist of what can be watched from the beginning without a gap.

    Raises:
        NotFound: that is nothing yet.
    """
    film = film_of(db, job_id)
    ready = [piece for number, piece in enumerate(film.segments) if piece.number == number] if film else []
    if film is None or not ready:
        raise _nothing(job_id)
    return fragments.playlist(
        [(piece.start, piece.stop) for piece in ready],
        film.fps,
        longest=film.longest,
        ended=film.ended,
        opening_at=opening_at,
        fragment_at=fragment_at,
    )


def opening_of(db: Database, storage: Storage, job_id: str) -> bytes:
    """What a player needs before any fragment.

    Raises:
        NotFound: nothing can be watched yet.
    """

    def make(film: Film, _piece: Segment, seen: BinaryIO, heard: BinaryIO) -> bytes:
        return fragments.opening(seen, heard, film.fps)

    return _cut(db, storage, job_id, 0, make)


def fragment_of(db: Database, storage: Storage, job_id: str, number: int) -> bytes:
    """A finished segment with its sound.

    Raises:
        NotFound: it is not finished, or there is none of that number.
    """

    def make(film: Film, piece: Segment, seen: BinaryIO, heard: BinaryIO) -> bytes:
        return fragments.fragment(
            seen,
            heard,
            film.fps,
            number=number,
            start=piece.start,
            stop=piece.stop,
            last=piece.stop == film.n_frames,
            origin=piece.origin,
        )

    return _cut(db, storage, job_id, number, make)


def _cut(
    db: Database,
    storage: Storage,
    job_id: str,
    number: int,
    make: Callable[[Film, Segment, BinaryIO, BinaryIO], T],
) -> T:
    for last_try in (False, True):
        film = film_of(db, job_id)
        piece = next((piece for piece in film.segments if piece.number == number), None) if film else None
        if film is None or piece is None:
            raise _nothing(job_id, number)
        try:
            with ExitStack() as opened:
                seen, heard = (opened.enter_context(storage.open(key)) for key in (piece.key, piece.sound))
                return make(film, piece, seen, heard)
        except NotFound:
            if last_try:
                raise
            # The video was published, or the job stopped, since we looked.
    raise AssertionError


def _nothing(job_id: str, number: int = 0) -> NotFound:
    return NotFound(
        f"There is no segment {number} of job {job_id} to watch.",
        hint="Ask again when its events tell of one; a job that failed or was canceled has none.",
        field="id",
    )
