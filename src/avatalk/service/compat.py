"""The form of an existing client: a face and a recording in, the MP4 out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import anyio
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from avatalk.errors import AvatalkError, BadInput, CannotRun
from avatalk.service.answers import may_answer, problem_of, told_as
from avatalk.service.assets import take_upload
from avatalk.service.content import answer_file, stored
from avatalk.service.context import Here, Maker, Service
from avatalk.service.inputs import stored_inputs
from avatalk.service.uploads import Form, Upload, received

router = APIRouter(tags=["compatibility"])

_GROUNDS = {
    "FromInput": "keep",
    "White": "white",
    "Black": "black",
    "Green": "green",
    "Red": "red",
    "Blue": "blue",
}
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_LOOK_EVERY_S = 0.5  # whether the client is still there


class Pong(BaseModel):
    """That the service answers."""

    pong: Literal["-"] = Field(default="-", examples=["-"])


class Detail(BaseModel):
    """What is wrong."""

    detail: str = Field(examples=["face_file is missing. Send a picture or a clip of the person."])


@router.get("/ping", summary="Does it answer?")
def ping() -> Pong:
    """Whether the service answers."""
    return Pong()


_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "title": "CompatibilityForm",
                    "required": ["face_file", "audio_file", "avatarFileType"],
                    "properties": {
                        "face_file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A picture or a clip of the person.",
                        },
                        "audio_file": {
                            "type": "string",
                            "format": "binary",
                            "description": "What the person says.",
                        },
                        "avatarFileType": {
                            "type": "string",
                            "enum": ["jpg", "jpeg", "png", "mp4"],
                            "description": "What `face_file` is.",
                        },
                        "background": {
                            "type": "string",
                            "enum": list(_GROUNDS),
                            "default": "FromInput",
                            "description": "What stands behind the person.",
                        },
                    },
                },
                "example": {
                    "face_file": "(a JPEG)",
                    "audio_file": "(an MP3)",
                    "avatarFileType": "jpg",
                    "background": "White",
                },
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class _Asked:
    face: Upload
    audio: Upload
    background: str


def _checked(form: Form) -> _Asked:
    """What a form asks for.

    Raises:
        BadInput: something is missing, or not what it should be.
    """
    for name, what in (("face_file", "a picture or a clip of the person"), ("audio_file", "a recording")):
        if name not in form.files:
            raise BadInput(f"{name} is missing.", hint=f"Send {what}, as a file.", field=name)
        if not form.files[name].bytes:
            raise BadInput(f"{name} is empty.", hint=f"Send {what}.", field=name)
    face, kind = form.files["face_file"], form.fields.get("avatarFileType", "")
    with face.path.open("rb") as file:
        start = file.read(12)
    kinds = {
        "jpg": start.startswith(_JPEG),
        "jpeg": start.startswith(_JPEG),
        "png": start.startswith(_PNG),
        "mp4": start[4:8] == b"ftyp",
    }
    if kind not in kinds:
        raise BadInput(
            f"There is no avatarFileType {kind!r}." if kind else "avatarFileType is missing.",
            hint=f"It is one of {', '.join(kinds)}.",
            field="avatarFileType",
        )
    if not kinds[kind]:
        raise BadInput(
            f"face_file is no {kind}.", hint="avatarFileType must say what the file is.", field="face_file"
        )
    ground = form.fields.get("background") or "FromInput"
    if ground not in _GROUNDS:
        raise BadInput(
            f"There is no background {ground!r}.",
            hint=f"There are {', '.join(_GROUNDS)}.",
            field="background",
        )
    return _Asked(face, form.files["audio_file"], _GROUNDS[ground])


@router.post(
    "/",
    summary="A face and a recording become a video, in one request",
    response_class=Response,
    responses={
        200: {
            "description": "The video",
            "content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}},
        },
        **{
            status: {**told, "model": Detail}
            for status, told in may_answer(400, 401, 403, 408, 409, 413, 429, 503).items()
        },
    },
    openapi_extra=_FORM,
)
async def make(request: Request, service: Here, caller: Maker) -> Response:
    """Make a video and answer with it when it is finished; when the client goes, it is canceled.

    For clients that know this form. `POST /v1/videos` does more, and does not keep a connection open.
    """
    try:
        async with received(request, service.spool, most_files=2) as form:
            asked = await run_in_threadpool(_checked, form)
            fields = {
                "avatar": await take_upload(service, caller, asked.face, "face_file"),
                "audio": await take_upload(service, caller, asked.audio, "audio_file"),
                "background": asked.background,
            }
        inputs = await run_in_threadpool(stored_inputs, service, caller, fields)
        job_id = await run_in_threadpool(service.submit, caller, inputs)
        async with _canceled_unless_over(service, job_id):
            async for _ in service.watch.follow(job_id, beat_s=_LOOK_EVERY_S):
                if await request.is_disconnected():
                    return Response(status_code=499)  # nobody reads it
        return await run_in_threadpool(_finished, service, request, job_id)
    except BadInput as error:  # such clients know one status for all that is wrong with their files
        return told_as(400, problem_of(error), scope=request.scope)


@asynccontextmanager
async def _canceled_unless_over(service: Service, job_id: str) -> AsyncIterator[None]:
    """Cancel a job that is not over at the end of the block, whatever ended it."""
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(service.jobs.cancel, job_id)


def _finished(service: Service, request: Request, job_id: str) -> Response:
    """The video of a job that is over.

    Raises:
        BadInput: it cannot be made of this.
        CannotRun: it could not be made here and now.
    """
    job = service.jobs.get(job_id)
    if job.result is not None:
        return answer_file(request, stored(service, job, "video.mp4"), attached=True)
    error = job.error or {"code": "canceled", "message": "The video was canceled.", "hint": ""}
    kind = BadInput if error["code"] in _codes(BadInput) else CannotRun
    raise kind(error["message"], hint=error["hint"])


def _codes(kind: type[AvatalkError]) -> set[str]:
    return {kind.code}.union(*(_codes(part) for part in kind.__subclasses__()))
