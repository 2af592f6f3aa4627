"""The files of a finished video: in ranges, with an ETag, from wherever the storage is."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, BinaryIO, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from avatalk.errors import Conflict, NotFound
from avatalk.jobs.job import Job
from avatalk.service.answers import Problem, may_answer, told_as
from avatalk.service.context import Here, Reader, Service
from avatalk.service.ids import VideoId

router = APIRouter(prefix="/v1/videos/{video_id}", tags=["videos"])

_BLOCK = 256 * 1024
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,99})\s*-\s*(\d{0,99})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A file to answer with.

    Attributes:
        open: opens it for reading in any order.
        size: bytes.
        sha256: of its content, hexadecimal.
        type: its media type.
        name: what it is saved as.
    """

    open: Callable[[], BinaryIO]
    size: int
    sha256: str
    type: str
    name: str

    @classmethod
    def of(cls, data: bytes, media_type: str, name: str) -> File:
        """What is in memory, as a file."""
        return cls(lambda: io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest(), media_type, name)


_BYTES = {"type": "string", "format": "binary"}


def gives(*types: str, schema: dict[str, Any] = _BYTES) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that answers with `answer_file`."""
    return {
        200: {"description": "The file", "content": {kind: {"schema": schema} for kind in types}},
        206: {
            "description": "The bytes of `Range`",
            "content": {kind: {"schema": _BYTES} for kind in types},
        },
        304: {"description": "It is what `If-None-Match` names"},
        **may_answer(401, 403, 404, 409, 416, 429, 503),
    }


_UNSAFE = re.compile(r'[\x00-\x1f\x7f"*/:<>?\\|]')


def _filename(name: str) -> str:
    """What a file is saved as, as ``Content-Disposition`` has it (RFC 6266); a path is made a plain name."""
    safe = _UNSAFE.sub("_", name)
    if safe.isascii():
        return f'filename="{safe}"'
    plain = safe.encode("ascii", "replace").decode().replace("?", "_")
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def answer_file(request: Request, file: File, *, attached: bool = False) -> Response:
    """Answer with a file, or with that part of it that the request asks for (RFC 9110, 13 and 14).

    Several ranges at once are answered with the whole file, as the RFC allows.

    Args:
        request: whose ``Range``, ``If-Range`` and ``If-None-Match`` count.
        file: what to answer with.
        attached: whether a browser saves it instead of showing it.

    Raises:
        NotFound: it is no longer stored.
        StorageError: the storage cannot be reached.
    """
    etag = f'"{file.sha256}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",  # what is deleted is gone
        "Content-Disposition": f"{'attachment' if attached else 'inline'}; {_filename(file.name)}",
    }
    seen = request.headers.get("if-none-match", "")
    if seen.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in seen.split(",")):
        return Response(status_code=304, headers=headers)
    start, stop, status = 0, file.size, 200
    if request.headers.get("if-range", etag).strip() == etag:
        match = _RANGE.fullmatch(request.headers.get("range", ""))
        if match and (match[1] or match[2]):
            if match[1]:
                first, last = int(match[1]), int(match[2]) if match[2] else file.size - 1
            else:
                first, last = max(0, file.size - int(match[2])), file.size - 1
            if first >= file.size:
                return _nothing_there(file)
            if first <= last:
                start, stop, status = first, min(last + 1, file.size), 206
                headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=file.type)
    opened = file.open()
    return StreamingResponse(
        _blocks(opened, start, stop), status, headers, file.type, BackgroundTask(opened.close)
    )


async def _blocks(opened: BinaryIO, start: int, stop: int) -> AsyncIterator[bytes]:
    await run_in_threadpool(opened.seek, start)
    while start < stop:
        block = await run_in_threadpool(opened.read, min(_BLOCK, stop - start))
        if not block:
            raise OSError(
                "a stored file is shorter than it was"
            )  # so that the client sees that it lacks the end
        start += len(block)
        yield block
    opened.close()


def _nothing_there(file: File) -> Response:
    problem = Problem(
        code="no_such_range",
        message="There is nothing in that range.",
        field="range",
        hint=f"The file has {file.size} bytes.",
    )
    return told_as(416, problem, {"Content-Range": f"bytes */{file.size}"})


def made_of(service: Service, video_id: str, owner: str) -> Job:
    """A video that is completed.

    Raises:
        NotFound: there is none of that id.
        Conflict: it is not completed.
    """
    job = service.jobs.get(video_id, owner)
    if job.result is None:
        over = job.ended_at is not None
        raise Conflict(
            f"The video is {job.status}, so it has no files{'' if over else ' yet'}.",
            hint=(job.error or {}).get("message", "") if over else "Wait until its status is completed.",
            field="video_id",
        )
    return job


def stored(service: Service, job: Job, name: str) -> File:
    """A file of a completed video.

    Raises:
        NotFound: it has none of that name.
    """
    assert job.result is not None
    facts = job.result["files"].get(name)
    if facts is None:
        raise NotFound(
            f"The video has no {name}.",
            hint=f"There are {', '.join(sorted(job.result['files']))}; ask for others in the request.",
            field="format" if name.startswith("captions.") else "video_id",
        )
    ending = name.rpartition(".")[2]
    return File(
        lambda: service.storage.open(facts["key"]),
        facts["size"],
        facts["sha256"],
        facts["type"],
        f"avatalk-{job.id}.{ending}",
    )


@router.head(
    "/content", summary="Size and kind of the video", responses=gives("video/mp4"), response_class=Response
)
@router.get("/content", summary="The video", responses=gives("video/mp4"), response_class=Response)
def content(
    service: Here,
    caller: Reader,
    video_id: VideoId,
    request: Request,
    name: Annotated[
        str, Query(max_length=100, description="What browsers save it as, without .mp4; else it has the id.")
    ] = "",
) -> Response:
    """The MP4 (H.264, AAC), which can be played while it loads; `Range` gives a part of it."""
    job = made_of(service, video_id, caller.owner)
    file = stored(service, job, "video.mp4")
    return answer_file(request, replace(file, name=f"{name}.mp4") if name else file)


_CAPTIONS = gives("application/x-subrip", "text/vtt") | may_answer(400)
_REPORT = gives(
    "application/json",
    schema={
        "type": "object",
        "title": "Report",
        "properties": {
            "duration_s": {"type": "number", "description": "Length of the video."},
            "fps": {"type": "string", "description": "Frames per second, a number or a fraction."},
            "width": {"type": "integer", "description": "Pixels."},
            "height": {"type": "integer", "description": "Pixels."},
            "frames": {"type": "integer"},
            "engines": {"type": "object", "additionalProperties": {"type": "string"}},
            "warnings": {"type": "array", "items": {"type": "string"}},
            "better": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What would improve the video.",
            },
            "seconds": {
                "type": "object",
                "additionalProperties": {"type": "number"},
                "description": "What each part of the work took.",
            },
        },
        "examples": [
            {
                "duration_s": 1.8,
                "fps": "25",
                "width": 1280,
                "height": 720,
                "frames": 45,
                "engines": {"speech": "espeak amy", "lipsync": "animator"},
                "warnings": [],
                "better": ["Finer picture and sound, at the price of time: --quality high"],
                "seconds": {"plan": 0.5, "total": 1.6},
            }
        ],
    },
)


@router.head(
    "/captions", summary="Size and kind of the captions", responses=_CAPTIONS, response_class=Response
)
@router.get("/captions", summary="The captions", responses=_CAPTIONS, response_class=Response)
def captions(
    service: Here,
    caller: Reader,
    video_id: VideoId,
    request: Request,
    kind: Annotated[
        Literal["srt", "vtt"] | None,
        Query(
            alias="format",
            description="One that the request asked for with `captions`; left out, srt if it did, else vtt.",
        ),
    ] = None,
) -> Response:
    """The captions as SubRip or WebVTT."""
    job = made_of(service, video_id, caller.owner)
    if kind is None:
        assert job.result is not None
        kind = (
            "vtt"
            if job.result["files"].keys() & {"captions.srt", "captions.vtt"} == {"captions.vtt"}
            else "srt"
        )
    return answer_file(request, stored(service, job, f"captions.{kind}"))


@router.head(
    "/thumbnail",
    summary="Size and kind of the thumbnail",
    responses=gives("image/jpeg"),
    response_class=Response,
)
@router.get("/thumbnail", summary="A small picture", responses=gives("image/jpeg"), response_class=Response)
def thumbnail(service: Here, caller: Reader, video_id: VideoId, request: Request) -> Response:
    """An early frame in which the avatar speaks, as JPEG, at most 640 pixels wide."""
    job = made_of(service, video_id, caller.owner)
    return answer_file(request, stored(service, job, "thumbnail.jpg"))


@router.head("/report", summary="Size of the report", responses=_REPORT, response_class=Response)
@router.get("/report", summary="What was made, and how", responses=_REPORT, response_class=Response)
def report(service: Here, caller: Reader, video_id: VideoId, request: Request) -> Response:
    """Size, length, engines, warnings, what would be better, and the seconds that each part took."""
    job = made_of(service, video_id, caller.owner)
    assert job.result is not None
    data = json.dumps(job.result["report"], ensure_ascii=False, indent=1).encode()
    return answer_file(request, File.of(data, "application/json", f"avatalk-{job.id}.json"))
