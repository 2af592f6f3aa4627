"""What a service answers, as the client gives it on. Fields that this version does not know are left out."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from avatalk.errors import AvatalkError, Cancelled, from_code
from avatalk.events import STAGES, Progress
from avatalk.media import Word

T = TypeVar("T")

ENDS = ("completed", "failed", "canceled")


def shaped(kind: type[T], answer: dict[str, Any]) -> T:
    """An object of `kind` from the fields of an answer that it has."""
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in answer.items() if name in known})


@dataclass(frozen=True, slots=True)
class Video:
    """A video that a service makes, or has made.

    Attributes:
        id: of the video.
        status: queued, processing, completed, failed or canceled.
        stage: what is being done, one of `avatalk.events.STAGES`, or empty.
        progress: 0 to 1.
        eta_s: seconds until it is completed; None while that is not known.
        duration_s: its length; None before it is planned.
        frames: number of its frames; likewise.
        reused: how many of them were copied from the video that it revises; likewise.
        said: its text with all corrections; None for a recording.
        warnings: what the user should know.
        error: why it failed: code, message, field, hint, retryable.
        links: name → path of what belongs to it; None for what there is not, or not yet.
        request: as it was submitted.
        created_at: seconds since 1970.
        started_at: likewise; None before it was begun.
        ended_at: likewise; None before it is over.
    """

    id: str
    status: str
    stage: str = ""
    progress: float = 0.0
    eta_s: float | None = None
    duration_s: float | None = None
    frames: int | None = None
    reused: int | None = None
    said: str | None = None
    warnings: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    links: dict[str, str | None] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in ENDS

    def check(self) -> Video:
        """Return the video, unless it was not made.

        Raises:
            AvatalkError: why it failed, as it was raised where it was made.
            Cancelled: it was canceled.
        """
        if self.status == "canceled":
            raise Cancelled("The video was canceled.", hint="Nothing was written.")
        if self.status == "failed":
            raise error_of(self.error or {})
        return self

    @property
    def step(self) -> Progress:
        """How far it is, as `avatalk.render` tells it."""
        return as_step(self.stage, self.progress, self.eta_s)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a video.

    Attributes:
        number: from 1; give it as `after` to go on behind it.
        kind: status, planned, progress, segment or warning.
        data: what there is to say.
    """

    number: int
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Speech:
    """What was spoken.

    Attributes:
        asset: id of the sound, for `audio` of a request.
        duration_s: its length.
        voice: that speaks.
        engine: that made the sound.
        words: as written, with the seconds at which each is spoken; empty where that is not known.
        warnings: what the user should know.
    """

    asset: str
    duration_s: float
    voice: str
    engine: str
    words: tuple[Word, ...] = ()
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Speech:
        """From an answer of the service."""
        words = tuple(Word(one["text"], one["start_s"], one["end_s"]) for one in answer["words"])
        return shaped(cls, {**answer, "words": words})


@dataclass(frozen=True, slots=True)
class MadeAvatar:
    """An avatar that was made from words.

    Attributes:
        asset: its id, for `avatar` of a request.
        seed: it was made with.
        engine: that made it.
        width: pixels.
        height: pixels.
        warnings: what the user should know.
    """

    asset: str
    seed: int
    engine: str
    width: int
    height: int
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A row of a batch.

    Attributes:
        row: its number, from 1.
        status: queued, processing, completed, failed, canceled or deleted.
        video: id of its video; None before it is queued.
        values: by column.
        error: why it failed: code, message, field, hint, retryable.
    """

    row: int
    status: str
    video: str | None
    values: dict[str, str]
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands.

    Attributes:
        id: of the batch.
        status: queued, processing, completed, failed or canceled.
        progress: 0 to 1: videos that are over, of all.
        counts: videos by status.
        total: number of rows.
        name: for people.
        rows: what became of each.
    """

    id: str
    status: str
    progress: float
    counts: dict[str, int]
    total: int
    name: str = ""
    rows: tuple[BatchRow, ...] = ()

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Batch:
        """From an answer of the service."""
        rows = tuple(shaped(BatchRow, row) for row in answer.get("rows") or ())
        return shaped(cls, {**answer, "rows": rows})

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in ENDS


def as_step(stage: str, progress: float, eta_s: float | None = None) -> Progress:
    """How far a video is, as `avatalk.render` tells it."""
    stage = stage if stage in STAGES else STAGES[0]
    known = stage == "encode"  # before that nobody knows how long it will be
    return Progress(stage, round(100 * progress), 100 if known else 0, "%" if known else "", eta_s)


def error_of(told: dict[str, Any], retry_after_s: float = 1.0) -> AvatalkError:
    """The error that a service has told."""
    return from_code(
        str(told.get("code", "")),
        str(told.get("message") or "The service refused without a reason."),
        hint=str(told.get("hint") or ""),
        field=told.get("field"),
        retry_after_s=retry_after_s,
    )
