"""Videos: submit, look, list, cancel, delete."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from avatalk.jobs.inputs import Inputs
from avatalk.jobs.job import Job
from avatalk.service.answers import Problem, may_answer
from avatalk.service.context import Here, Maker, Reader, Service
from avatalk.service.ids import VIDEO_ID, VideoId
from avatalk.service.inputs import with_assets
from avatalk.service.post import register
from avatalk.service.submissions import BODY, Submission
from avatalk.speech.correct import as_said

router = APIRouter(prefix="/v1/videos", tags=["videos"])

Status = Literal["queued", "processing", "completed", "failed", "canceled"]

_ID = "vid_019358c1a2b40f6e3d5c8a917b24"
_EXAMPLE: JsonDict = {
    "id": _ID,
    "object": "video",
    "status": "completed",
    "stage": "",
    "progress": 1.0,
    "eta_s": None,
    "duration_s": 2.08,
    "frames": 52,
    "reused": 0,
    "said": "Hello, I am Ada.",
    "warnings": [],
    "error": None,
    "links": {
        "self": f"/v1/videos/{_ID}",
        "events": f"/v1/videos/{_ID}/events",
        "hls": f"/v1/videos/{_ID}/hls/index.m3u8",
        "content": f"/v1/videos/{_ID}/content",
        "thumbnail": f"/v1/videos/{_ID}/thumbnail",
        "report": f"/v1/videos/{_ID}/report",
    },
    "request": {"avatar": "ada", "text": "Hello, I am Ada."},
    "created_at": 1763653200.5,
    "started_at": 1763653200.8,
    "ended_at": 1763653203.1,
}


class Links(BaseModel):
    """Where to find what belongs to a video; null where there is none, or not yet."""

    self: str = Field(description="The video as it stands.")
    events: str = Field(description="What happens to it, as server-sent events.")
    hls: str | None = Field(
        default=None, description="To watch it while it is made, from its first segment on."
    )
    content: str | None = Field(default=None, description="The MP4.")
    captions_srt: str | None = Field(default=None, description="The captions as SubRip, if asked for.")
    captions_vtt: str | None = Field(default=None, description="The captions as WebVTT, if asked for.")
    thumbnail: str | None = Field(default=None, description="A small picture, JPEG.")
    report: str | None = Field(default=None, description="What was made, and how.")


class Video(BaseModel):
    """A video that is made, or was."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    object: Literal["video"] = "video"
    status: Status
    stage: str = Field(
        description="What is being done: avatar, speech, face, lipsync, compose, encode; or empty."
    )
    progress: float = Field(ge=0, le=1)
    eta_s: float | None = Field(description="Seconds until it is completed; null while that is not known.")
    duration_s: float | None = Field(description="Length of the video; null before it is planned.")
    frames: int | None = Field(description="Number of its frames; null before it is planned.")
    reused: int | None = Field(
        description="How many of them were copied from the video that it revises; null before it is planned."
    )
    said: str | None = Field(description="The text with its corrections; null for a recording.")
    warnings: list[str]
    error: Problem | None = Field(description="Why it failed.")
    links: Links
    request: dict[str, Any] = Field(description="As it was submitted, without what has its default.")
    created_at: float = Field(description="Seconds since 1970.")
    started_at: float | None
    ended_at: float | None


class Page(BaseModel):
    """Some of the videos, the newest first."""

    object: Literal["list"] = "list"
    data: list[Video]
    next: str | None = Field(description="Give it as `before` to get the next page; null on the last.")


def told(service: Service, jobs: list[Job]) -> list[Video]:
    """Jobs of one owner as the service tells them."""
    requests = (
        with_assets(service, jobs[0].owner, [Inputs(job.request, job.names) for job in jobs]) if jobs else []
    )
    return [_told(job, request) for job, request in zip(jobs, requests, strict=True)]


def _told(job: Job, request: dict[str, Any]) -> Video:
    return Video(
        id=job.id,
        status=cast(Status, job.status),
        stage=job.stage,
        progress=job.progress,
        eta_s=job.eta_s,
        duration_s=job.duration_s,
        frames=job.frames,
        reused=job.reused,
        said=_said(request),
        warnings=job.warnings,
        error=Problem(**{name: job.error[name] for name in Problem.model_fields}) if job.error else None,
        links=_links(job),
        request=request,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
    )


def _said(request: dict[str, Any]) -> str | None:
    corrections = [(one["sentence"], one["text"]) for one in request.get("corrections", ())]
    text = request.get("text")
    return as_said(text, corrections) if text and corrections else text


def _links(job: Job) -> Links:
    here = f"/v1/videos/{job.id}"
    links = Links(self=here, events=f"{here}/events")
    if job.status not in ("failed", "canceled"):
        links.hls = f"{here}/hls/index.m3u8"
    if job.result is not None:
        files = job.result["files"]
        links.content, links.report = f"{here}/content", f"{here}/report"
        links.thumbnail = f"{here}/thumbnail" if "thumbnail.jpg" in files else None
        for kind in ("srt", "vtt"):
            if f"captions.{kind}" in files:
                setattr(links, f"captions_{kind}", f"{here}/captions?format={kind}")
    return links


@router.post(
    "",
    status_code=202,
    summary="Make a video",
    responses={
        202: {
            "description": "It is queued",
            "headers": {"Location": {"schema": {"type": "string"}, "description": "Where to look at it"}},
        },
        **may_answer(400, 401, 403, 404, 408, 409, 413, 415, 429, 503),
    },
    openapi_extra=BODY,
)
def submit(
    service: Here,
    caller: Maker,
    submission: Submission,
    response: Response,
    idempotency_key: Annotated[
        str,
        Header(
            max_length=200,
            description="Any text of your own: within 24 hours, the same request with the same key "
            "makes one video.",
        ),
    ] = "",
) -> Video:
    """Queue a video: a request as JSON, or a form with its files.

    As `multipart/form-data`, the part `request` is the JSON, and files are parts named `avatar`, `audio`,
    `voice_sample`, `background` and `overlay`; other fields may be parts of their own, too. Where the overlay
    lies is said as `"overlay": "file:top-left:10%"`.
    """
    job_id = service.submit(
        caller,
        submission.inputs,
        priority=submission.priority,
        idempotency_key=idempotency_key,
        besides=submission.callback_url,
        revises=submission.revises,
    )
    if submission.callback_url:
        register(service, job_id, submission.callback_url, caller.owner)
    response.headers["Location"] = f"/v1/videos/{job_id}"
    return told(service, [service.jobs.get(job_id)])[0]


@router.get("", summary="List videos", responses=may_answer(400, 401, 403, 429, 503))
def page(
    service: Here,
    caller: Reader,
    status: Annotated[Status | None, Query(description="Only those of that status.")] = None,
    search: Annotated[
        str,
        Query(max_length=200, description="Only those with this in their text, avatar or names of files."),
    ] = "",
    before: Annotated[
        str | None, Query(pattern=f"^{VIDEO_ID}$", description="The `next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Videos on a page.")] = 20,
) -> Page:
    """The videos of the caller, the newest first."""
    found, after = service.jobs.page(
        owner=caller.owner, status=status, search=search, before=before, limit=limit
    )
    return Page(data=told(service, found), next=after)


@router.get("/{video_id}", summary="Look at a video", responses=may_answer(401, 403, 404, 429, 503))
def get(service: Here, caller: Reader, video_id: VideoId) -> Video:
    """A video as it stands: its status, how far it is, and where its files are."""
    return told(service, [service.jobs.get(video_id, caller.owner)])[0]


@router.post("/{video_id}/cancel", summary="Cancel a video", responses=may_answer(401, 403, 404, 429, 503))
def cancel(service: Here, caller: Maker, video_id: VideoId) -> Video:
    """Stop making a video; one that is over stays as it is."""
    return told(service, [service.jobs.cancel(video_id, caller.owner)])[0]


@router.delete(
    "/{video_id}", status_code=204, summary="Delete a video", responses=may_answer(401, 403, 404, 429, 503)
)
def delete(service: Here, caller: Maker, video_id: VideoId) -> None:
    """Stop making a video, and remove it with all its files."""
    service.delete(caller, video_id)
