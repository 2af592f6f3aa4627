"""A video that is watched while it is made: HLS with fragmented MP4 (RFC 8216)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from avatalk.errors import Conflict, NotFound
from avatalk.service.answers import may_answer
from avatalk.service.content import File, answer_file, gives
from avatalk.service.context import Here, Reader
from avatalk.service.ids import VideoId

router = APIRouter(prefix="/v1/videos/{video_id}/hls", tags=["videos"])

_PLAYLIST = "application/vnd.apple.mpegurl"
_EXAMPLE = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:7
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init.mp4"
#EXTINF:6.04000,
0.m4s
"""


@router.get(
    "/index.m3u8",
    summary="Watch a video while it is made",
    response_class=Response,
    responses={
        200: {
            "description": "The playlist",
            "content": {_PLAYLIST: {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
        **may_answer(401, 403, 404, 409, 429, 503),
    },
)
def playlist(service: Here, caller: Reader, video_id: VideoId) -> Response:
    """The HLS playlist of what is finished: it grows, and ends when the video is completed.

    Answers 409 until the first segment is finished; the events tell of it.
    """
    job = service.jobs.get(video_id, caller.owner)
    try:
        text = service.jobs.playlist(video_id, caller.owner)
    except NotFound:
        over = job.ended_at is not None
        raise Conflict(
            f"The video is {job.status}: there is nothing to watch{'' if over else ' yet'}.",
            hint="" if over else "Ask again when its events tell of segment 0.",
            field="video_id",
        ) from None
    return Response(text, media_type=_PLAYLIST, headers={"Cache-Control": "no-store"})


@router.get(
    "/init.mp4",
    summary="The beginning of the HLS stream",
    response_class=Response,
    responses=gives("video/mp4"),
)
def opening(service: Here, caller: Reader, video_id: VideoId, request: Request) -> Response:
    """What a player needs before any segment of the playlist."""
    data = service.jobs.opening(video_id, caller.owner)
    return answer_file(request, File.of(data, "video/mp4", "init.mp4"))


@router.get(
    "/{number}.m4s",
    summary="A segment of the HLS stream",
    response_class=Response,
    responses=gives("video/mp4") | may_answer(400),
)
def fragment(
    service: Here,
    caller: Reader,
    video_id: VideoId,
    request: Request,
    number: Annotated[int, Path(ge=0, lt=2**31, description="As the playlist counts, from 0.")],
) -> Response:
    """A finished segment, pictures and sound, as a fragment of MP4."""
    data = service.jobs.fragment(video_id, number, caller.owner)
    return answer_file(request, File.of(data, "video/mp4", f"{number}.m4s"))
