"""Avatars from words."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from avatalk import engines
from avatalk.avatars.made import LONGEST, STEPS, check_prompt
from avatalk.errors import EngineUnavailable
from avatalk.service import creations
from avatalk.service.answers import Problem, may_answer
from avatalk.service.context import Caller, Here, Reader, Service, Speaker
from avatalk.service.ids import CreationId

router = APIRouter(prefix="/v1/avatars", tags=["speech and pictures"])


class AvatarRequest(BaseModel):
    """Who the avatar is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"description": "an old sailor with a white beard", "count": 2}]},
    )

    description: str = Field(min_length=1, max_length=LONGEST, description="One person, in English.")
    engine: Literal["auto", "drawn", "diffusion"] = Field(
        "auto", description="drawn answers at once; diffusion paints a photograph, in a minute or two."
    )
    count: int = Field(1, ge=1, le=8, description="How many, each with the next seed.")
    seed: int = Field(0, ge=0, lt=2**53, description="Another seed, another person of that description.")
    steps: int = Field(STEPS, ge=1, le=100, description="Of a diffusion.")


class MadeAvatar(BaseModel):
    """An avatar that was made."""

    asset: str = Field(description="Its id: give it as `avatar` of a video, or download it.")
    seed: int
    engine: str
    width: int
    height: int
    warnings: list[str]


class Creation(BaseModel):
    """Avatars that are made, or were."""

    id: str
    object: Literal["avatars"] = "avatars"
    status: Literal["queued", "processing", "completed", "failed", "canceled"]
    progress: float = Field(ge=0, le=1)
    engine: str
    data: list[MadeAvatar] = Field(description="Those that are ready.")
    error: Problem | None
    request: AvatarRequest
    created_at: float = Field(description="Seconds since 1970.")


def told(row: sa.Row[Any]) -> Creation:
    """A creation as the service tells it."""
    return Creation(
        id=row.id,
        status=row.status,
        progress=row.progress,
        engine=row.engine,
        data=[MadeAvatar(**made) for made in row.made],
        error=Problem(**row.error) if row.error else None,
        request=AvatarRequest(**row.request),
        created_at=row.created_at,
    )


@router.post(
    "",
    status_code=201,
    responses={
        202: {"model": Creation, "description": "They are being painted: look at `Location` again."},
        **may_answer(400, 401, 403, 409, 413, 429, 503),
    },
)
async def make(service: Here, caller: Speaker, request: AvatarRequest, response: Response) -> Creation:
    """Make avatars from a description; drawn ones are in the answer, painted ones follow."""
    row = await service.helpers.aside(lambda: _make(service, caller, request))
    if row.status in creations.OPEN:
        response.status_code = 202
    response.headers["Location"] = f"/v1/avatars/creations/{row.id}"
    return told(row)


def _make(service: Service, caller: Caller, request: AvatarRequest) -> sa.Row[Any]:
    check_prompt(request.description)
    engine = engines.get("avatar", request.engine, takes="words")
    if lacks := engine.to_get():
        raise EngineUnavailable(
            f"The engine {engine.name} is not ready on this server.", hint=lacks, field="engine"
        )
    wish = request.model_dump() | {"engine": engine.name}
    creation_id = creations.begin(service, caller, wish, engine.name)
    if engine.name == "drawn":
        service.drawing.make(caller, creation_id)
    else:
        service.painting.later(caller, creation_id)
    return creations.get(service, caller, creation_id)


@router.get("/creations/{creation_id}", responses=may_answer(401, 403, 404, 429, 503))
def get(service: Here, caller: Reader, creation_id: CreationId) -> Creation:
    """Avatars from words as they stand."""
    return told(creations.get(service, caller, creation_id))


@router.post("/creations/{creation_id}/cancel", responses=may_answer(401, 403, 404, 429, 503))
def cancel(service: Here, caller: Speaker, creation_id: CreationId) -> Creation:
    """Stop making avatars; those that are ready stay."""
    return told(creations.cancel(service, caller, creation_id))
