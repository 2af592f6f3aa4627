"""What happens to a video, as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BeforeValidator

from avatalk.jobs.job import JobEvent
from avatalk.service.answers import may_answer
from avatalk.service.context import Here, Reader
from avatalk.service.ids import VideoId

router = APIRouter(prefix="/v1/videos/{video_id}", tags=["videos"])

_EXAMPLE = """id: 1
event: status
data: {"at": 1763653200.5, "status": "queued"}

id: 7
event: progress
data: {"at": 1763653202.1, "stage": "encode", "progress": 0.31}

"""
_EVENT = {
    "type": "object",
    "title": "Event",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "Its number."},
        "event": {"enum": ["status", "planned", "progress", "segment", "warning"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer", "description": "Milliseconds until a browser should connect again."},
    },
}


@router.get(
    "/events",
    summary="Follow a video",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The events, until the video ends",
            "content": {"text/event-stream": {"schema": _EVENT, "example": _EXAMPLE}},
        },
        204: {
            "description": "The video is over, and there is nothing after `Last-Event-ID`: do not ask again"
        },
        **may_answer(400, 401, 403, 404, 429, 503),
    },
)
def follow(
    service: Here,
    caller: Reader,
    video_id: VideoId,
    last_event_id: Annotated[
        int,
        BeforeValidator(lambda given: given or 0),  # an empty one is none
        Header(ge=0, lt=2**31, description="Number of the last event that was seen: it goes on after it."),
    ] = 0,
) -> Response:
    """Server-sent events from the first on, or after `Last-Event-ID`, until the video ends.

    Their kinds are `status`, `planned`, `progress`, `segment` and `warning`; each has an `id`, from 1 on.
    A comment every 15 seconds shows that the connection lives. A browser's `EventSource` resumes by itself.
    """
    job = service.jobs.get(video_id, caller.owner)
    if job.ended_at is not None and not service.jobs.events(video_id, last_event_id, limit=1):
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx is not to collect them
    lines = _lines(service.watch.follow(video_id, last_event_id))
    return StreamingResponse(lines, headers=headers, media_type="text/event-stream")


async def _lines(followed: AsyncIterator[JobEvent | None]) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    async for event in followed:
        if event is None:
            yield KEEPALIVE_COMMENT
            continue
        # Names of machines are nobody's business.
        data = {"at": event.at, **{name: value for name, value in event.data.items() if name != "worker"}}
        yield format_sse_event(data_str=json.dumps(data), event=event.kind, id=str(event.number))
