"""One frame of a video, before it is made."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Body, Request, Response
from pydantic import ConfigDict, Field

from avatalk.service.answers import may_answer
from avatalk.service.context import Here, Speaker
from avatalk.service.inputs import AssetRequest, stored_inputs

router = APIRouter(prefix="/v1/preview", tags=["speech and pictures"])

_LONGEST_S = 60.0
_EXAMPLE = {"text": "Hello, I am Ada.", "avatar": "ada", "background": "blur", "at": 0.5}


class PreviewRequest(AssetRequest):
    """A video, and which moment of it is wanted."""

    model_config = ConfigDict(title="PreviewRequest")

    at: float | None = Field(
        0.0, ge=0, le=1e6, description="Seconds into the video; null for a moment at which somebody speaks."
    )


@router.post(
    "",
    response_class=Response,
    responses={
        200: {
            "content": {"image/png": {}, "image/jpeg": {}},
            "description": "The frame as PNG, the same as in the video; to `Accept: image/jpeg` as JPEG.",
        },
        **may_answer(400, 401, 403, 404, 409, 413, 429, 503),
    },
)
async def preview(
    service: Here,
    caller: Speaker,
    http: Request,
    request: Annotated[PreviewRequest, Body(examples=[_EXAMPLE])],
) -> Response:
    """Draw the frame of a video that is shown at a moment of it.

    As PNG it has the very pixels of the video. To `Accept: image/jpeg` it comes as JPEG, which is sooner.
    """
    fields = request.model_dump(mode="json", exclude_defaults=True, exclude={"at"})
    picture, kind = await service.helpers.serve(
        http,
        "preview",
        timeout_s=_LONGEST_S,
        inputs=await to_thread.run_sync(stored_inputs, service, caller, fields),
        storage=service.storage.url,
        at=request.at,
        jpeg="image/jpeg" in http.headers.get("accept", ""),
    )
    return Response(picture, media_type=kind, headers={"Cache-Control": "no-store"})
