"""Webhooks: who is told when a video ends, and how that went. `avatalk.service.post` sends them."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, Field

from avatalk.service.answers import may_answer
from avatalk.service.context import Here, Reader
from avatalk.service.ids import VideoId
from avatalk.service.tables import attempts, deliveries

router = APIRouter(prefix="/v1/videos", tags=["videos"])


class Attempt(BaseModel):
    """One attempt at delivering an event."""

    at: float = Field(description="Seconds since 1970.")
    seconds: float = Field(description="How long it took.")
    status: int | None = Field(description="HTTP status of the answer; null if there was none.")
    error: str = Field(description="Why there was none; empty if there was one.")


class Delivery(BaseModel):
    """An event, and how its delivery went."""

    id: str = Field(description="Of the event, the same in every attempt.")
    url: str
    status: Literal["waiting", "due", "delivered", "failed"] = Field(
        description="waiting for the video to end; due; delivered; failed after a day of attempts."
    )
    next_attempt_at: float | None = Field(description="When it is tried again.")
    attempts: list[Attempt]


class DeliveryList(BaseModel):
    """The webhooks of a video."""

    object: Literal["list"] = "list"
    data: list[Delivery]


@router.get(
    "/{video_id}/deliveries",
    summary="How its webhooks were delivered",
    responses=may_answer(401, 403, 404, 429, 503),
)
def log_of(service: Here, caller: Reader, video_id: VideoId) -> DeliveryList:
    """The webhooks of a video, with every attempt to deliver them."""
    service.jobs.get(video_id, caller.owner)

    def work(connection: sa.Connection) -> list[Delivery]:
        rows = connection.execute(
            sa.select(deliveries).where(deliveries.c.job_id == video_id).order_by(deliveries.c.created_at)
        ).all()
        return [_told(row, connection.execute(_attempts_of(row.id)).all()) for row in rows]

    return DeliveryList(data=service.db.run(work))


def _attempts_of(delivery_id: str) -> sa.Select[Any]:
    return sa.select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)


def _told(row: sa.Row[Any], tried: Any) -> Delivery:
    return Delivery(
        id=row.id,
        url=row.url,
        status=row.state,
        next_attempt_at=row.next_at if row.state == "due" else None,
        attempts=[
            Attempt(at=one.at, seconds=one.seconds, status=one.status, error=one.error) for one in tried
        ],
    )
