"""The form of an existing client: a face and a recording in, the MP4 out."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

router = APIRouter(tags=["compatibility"])


class Pong(BaseModel):
    """That the service answers."""

    pong: Literal["-"] = "-"


@router.get("/ping")
def ping() -> Pong:
    """Whether the service answers."""
    return Pong()
