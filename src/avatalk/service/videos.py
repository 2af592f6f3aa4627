"""Videos: submit, look, list, cancel, delete."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from avatalk.jobs.api import Job
from avatalk.request import VideoRequest
from avatalk.service.answers import Problem, may_answer
from avatalk.service.context import Here, Maker, Reader
from avatalk.service.inputs import stored_inputs

router = APIRouter(prefix="/v1/videos", tags=["videos"])

Status = Literal["queued", "processing", "completed", "failed", "canceled"]


class Video(BaseModel):
    """A video that is made, or was."""

    id: str = Field(examples=["vid_019358c1a2b40f6e3d5c8a917b24"])
    object: Literal["video"] = "video"
    status: Status
    stage: str = Field(description="What is being done: avatar, speech, face, lipsync, compose, encode.")
    progress: float = Field(ge=0, le=1)
    eta_s: float | None = Field(description="Seconds until it is completed; null while that is not known.")
    duration_s: float | None = Field(description="Length of the video; null before it is planned.")
    warnings: list[str]
    error: Problem | None
    links: dict[str, str] = Field(description="Where its files are, by name.")
    request: dict[str, Any] = Field(description="As it was submitted.")
    created_at: float = Field(description="Seconds since 1970.")
    started_at: float | None
    ended_at: float | None


class Page(BaseModel):
    """Some of the videos, the newest first."""

    object: Literal["list"] = "list"
    data: list[Video]
    next: str | None = Field(description="Give it as `before` to get the next page; null on the last.")


def told(job: Job) -> Video:
    """A job as the service tells it."""
    links = {}
    if job.result is not None:
        here = f"/v1/videos/{job.id}"
        links = {"content": f"{here}/content", "report": f"{here}/report"}
    return Video(
        id=job.id,
        status=cast(Status, job.status),
        stage=job.stage,
        progress=job.progress,
        eta_s=job.eta_s,
        duration_s=job.duration_s,
        warnings=job.warnings,
        error=Problem(**{name: job.error[name] for name in Problem.model_fields}) if job.error else None,
        links=links,
        request=job.request,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
    )


@router.post("", status_code=202, responses=may_answer(400, 401, 403, 409, 413, 429, 503))
def submit(
    service: Here,
    caller: Maker,
    request: VideoRequest,
    response: Response,
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> Video:
    """Make a video."""
    inputs = stored_inputs(service, caller, request.model_dump(mode="json", exclude_defaults=True))
    job_id = service.submit(caller, inputs, idempotency_key=idempotency_key)
    response.headers["Location"] = f"/v1/videos/{job_id}"
    return told(service.jobs.get(job_id))


@router.get("", responses=may_answer(400, 401, 403, 429, 503))
def page(
    service: Here,
    caller: Reader,
    status: Status | None = None,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page:
    """The videos of the caller, the newest first."""
    found, after = service.jobs.page(owner=caller.owner, status=status, before=before, limit=limit)
    return Page(data=[told(job) for job in found], next=after)


@router.get("/{video_id}", responses=may_answer(401, 403, 404, 429, 503))
def get(service: Here, caller: Reader, video_id: str) -> Video:
    """A video as it stands."""
    return told(service.jobs.get(video_id, caller.owner))


@router.post("/{video_id}/cancel", responses=may_answer(401, 403, 404, 429, 503))
def cancel(service: Here, caller: Maker, video_id: str) -> Video:
    """Stop making a video; one that is over stays as it is."""
    return told(service.jobs.cancel(video_id, caller.owner))


@router.delete("/{video_id}", status_code=204, responses=may_answer(401, 403, 404, 429, 503))
def delete(service: Here, caller: Maker, video_id: str) -> None:
    """Stop making a video, and remove it with all its files."""
    service.delete(caller, video_id)
