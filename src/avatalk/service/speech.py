"""Speech alone: words become a sound, with the time at which each is spoken if that is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from avatalk.request import Language
from avatalk.service.answers import may_answer
from avatalk.service.context import Here, Speaker
from avatalk.service.inputs import stored_inputs
from avatalk.service.made import as_asset
from avatalk.workspace import temporary_folder

router = APIRouter(prefix="/v1/speech", tags=["speech and pictures"])

MAX_LETTERS = 5000
"""Longest text that is spoken at once; longer ones are for videos."""

_LONGEST_S = 120.0
_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
}


class SpeechRequest(BaseModel):
    """What to say, and how."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Good morning.", "voice": "emma"}]}
    )

    text: str = Field(min_length=1, max_length=MAX_LETTERS, description="Plain or SSML.")
    voice: str | None = Field(None, description="See GET /v1/voices; by default it fits the text.")
    voice_sample: str | None = Field(
        None, description="Id of a recording, 3 s to 5 min, whose voice is cloned; instead of `voice`."
    )
    language: Language | None = Field(None, description="Of the words; by default the likely one.")
    speed: float = Field(1.0, ge=0.5, le=2.0, description="Rate of speech; 1 is the voice's own.")
    pitch: float = Field(1.0, ge=0.5, le=2.0, description="Pitch of the voice; 1 is its own.")
    format: Literal["wav", "mp3", "m4a", "flac", "ogg", "opus"] = Field("wav", description="Of the sound.")


class SpokenWord(BaseModel):
    """A word, as it is written, and when it is spoken."""

    text: str
    start_s: float
    end_s: float


class Speech(BaseModel):
    """What was spoken, and the id of its sound."""

    object: Literal["speech"] = "speech"
    asset: str = Field(description="Of the sound: give it as `audio` of a video, or download it.")
    duration_s: float
    voice: str
    engine: str
    words: list[SpokenWord] = Field(description="Empty where their times are not known.")
    warnings: list[str]


@router.post(
    "",
    response_class=Response,
    responses={
        200: {
            "model": Speech,
            "content": {type_: {} for type_ in dict.fromkeys(_TYPES.values())},
            "description": "The sound itself; with `with=words` JSON with the id of the sound and the words.",
        },
        **may_answer(400, 401, 403, 404, 409, 413, 429, 503),
    },
)
async def speak(
    service: Here,
    caller: Speaker,
    http: Request,
    request: SpeechRequest,
    with_: Annotated[
        Literal["words"] | None, Query(alias="with", description="Answer with words and times, as JSON.")
    ] = None,
) -> Response:
    """Speak a text."""
    fields = request.model_dump(mode="json", exclude_defaults=True, exclude={"format"})
    inputs = await to_thread.run_sync(stored_inputs, service, caller, fields)
    with temporary_folder() as folder:
        path = Path(folder) / f"speech.{request.format}"
        said: dict[str, Any] = await service.helpers.serve(
            http,
            "speak",
            timeout_s=_LONGEST_S,
            inputs=inputs,
            storage=service.storage.url,
            output=str(path),
        )
        type_ = _TYPES[request.format]
        if with_ is None:
            return Response(
                await to_thread.run_sync(path.read_bytes),
                media_type=type_,
                headers={"Avatalk-Duration": f"{said['duration_s']:.3f}", "Cache-Control": "no-store"},
            )
        facts = {"duration_s": said["duration_s"]}
        asset = await to_thread.run_sync(as_asset, service, caller, path, "sound", type_, facts)
    told = {name: said[name] for name in ("duration_s", "voice", "engine", "words", "warnings")}
    return Response(Speech(asset=asset, **told).model_dump_json(), media_type="application/json")
