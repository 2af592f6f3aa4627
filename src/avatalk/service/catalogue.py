"""What there is to choose from: avatars and their pictures, voices and what they sound like, engines."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel, Field

from avatalk import catalogue
from avatalk._version import __version__
from avatalk.avatars import gallery, kept
from avatalk.avatars.artist.character import Character
from avatalk.errors import EngineUnavailable, NotFound, UnknownName
from avatalk.service.answers import may_answer
from avatalk.service.context import Here, Reader, Service
from avatalk.workspace import kept_or_made, temporary_folder

router = APIRouter(prefix="/v1", tags=["catalogue"])

_A_DAY = "private, max-age=86400"
_LONGEST_S = 60.0


class AvatarEntry(BaseModel):
    """An avatar that a request may name."""

    name: str = Field(examples=["ada"])
    description: str = Field(examples=["Woman of 31 with a brown bob and a navy blazer"])
    age: int | None = Field(description="Years; null where that is not known.", examples=[31])
    engine: str = Field(description="gallery, drawn or diffusion.", examples=["gallery"])
    licence: str = Field(description="Of the avatar and its pictures.", examples=["CC0-1.0"])
    picture: str = Field(description="Where its picture is.", examples=["/v1/avatars/ada/picture"])


class AvatarList(BaseModel):
    """All avatars there are."""

    object: Literal["list"] = "list"
    data: list[AvatarEntry]


class VoiceEntry(BaseModel):
    """A voice that a request may name."""

    name: str = Field(examples=["emma"])
    language: str = Field(description="As a tag.", examples=["en-GB"])
    language_name: str = Field(examples=["English (Great Britain)"])
    sex: str = Field(description="female, male, or empty where that is not known.", examples=["female"])
    engine: str = Field(examples=["espeak"])
    licence: str = Field(description="Of the voice.")
    preview: str = Field(
        description="Where a sentence of it can be heard.", examples=["/v1/voices/emma/preview"]
    )


class VoiceList(BaseModel):
    """All voices there are, or those of a language."""

    object: Literal["list"] = "list"
    data: list[VoiceEntry]


class EngineEntry(BaseModel):
    """An engine of a stage."""

    stage: str = Field(description="avatar, speech, face, lipsync, compose or encode.", examples=["lipsync"])
    name: str = Field(examples=["animator"])
    summary: str
    takes: list[str] = Field(
        description="What it works on: drawn, still or clip; text or recording; words.",
        examples=[["drawn", "still"]],
    )
    licence: str
    ready: bool = Field(description="Whether it can run on the machine that answers.")
    get: str = Field(description="The commands that add what it lacks; empty when nothing is.")


class EngineList(BaseModel):
    """The engines of all stages."""

    object: Literal["list"] = "list"
    data: list[EngineEntry]


@router.get("/avatars", responses=may_answer(401, 403, 429, 503))
def avatars(caller: Reader) -> AvatarList:
    """The avatars of the gallery; without keys also those that the machine's user keeps."""
    rows = catalogue.avatar_rows(own=caller.at_home)
    return AvatarList(
        data=[AvatarEntry(**row, picture=f"/v1/avatars/{quote(row['name'])}/picture") for row in rows]
    )


@router.get(
    "/avatars/{name}/picture",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}}, "description": "A PNG."},
        304: {"description": "It is still the one whose ETag was given."},
        **may_answer(400, 401, 403, 404, 429, 503),
    },
)
def picture(
    caller: Reader,
    name: Annotated[str, Path(max_length=60, examples=["ada"])],
    height: Annotated[int, Query(ge=64, le=1024, description="In pixels.")] = 360,
    if_none_match: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """The picture of an avatar, in its own shape."""
    if name.lower() in gallery.names():
        png = _drawn(name.lower(), height)
    elif caller.at_home and name.lower() in kept.names():
        png = _kept(name.lower(), height, (kept.folder() / f"{name.lower()}.png").stat().st_mtime_ns)
    else:
        raise NotFound(f"There is no avatar {name}.", hint="GET /v1/avatars lists them.", field="name")
    return unless_known(png, "image/png", if_none_match)


@router.get("/voices", responses=may_answer(400, 401, 403, 429, 503))
def voices(
    caller: Reader,
    language: Annotated[
        str | None, Query(max_length=60, description="Only those of a language: a tag or a name in English.")
    ] = None,
) -> VoiceList:
    """The voices; without keys also those that the machine's user keeps."""
    rows = catalogue.voice_rows(language, own=caller.at_home)
    return VoiceList(
        data=[VoiceEntry(**row, preview=f"/v1/voices/{quote(row['name'], safe='')}/preview") for row in rows]
    )


@router.get(
    "/voices/{name}/preview",
    response_class=Response,
    responses={
        200: {"content": {"audio/wav": {}}, "description": "A sentence of about two seconds."},
        304: {"description": "It is still the one whose ETag was given."},
        **may_answer(400, 401, 403, 404, 413, 429, 503),
    },
)
async def hear(
    service: Here,
    caller: Reader,
    name: Annotated[str, Path(max_length=100, examples=["emma"])],
    if_none_match: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """What a voice sounds like: a sentence in its language."""

    def sound() -> bytes:
        return kept_or_made("heard", _voice(name, caller.at_home), lambda _source: _spoken(service, name))

    return unless_known(await service.helpers.aside(sound), "audio/wav", if_none_match)


def _spoken(service: Service, name: str) -> bytes:
    with temporary_folder() as folder:
        path = FilePath(folder) / "voice.wav"
        service.helpers.run("hear", timeout_s=_LONGEST_S, voice=name, output=str(path))
        return path.read_bytes()


def _voice(name: str, own: bool) -> str:
    """All that the sound of a voice depends on.

    Raises:
        NotFound: there is no such voice for this caller.
    """
    from avatalk.speech import kept as kept_voices
    from avatalk.speech.voices import lookup

    if own and (voice := kept_voices.get(name)) is not None:
        return f"{__version__} {name} {voice.consent}"
    try:
        return f"{__version__} {lookup(name)}"
    except (UnknownName, EngineUnavailable) as error:
        hint = "GET /v1/voices lists them."
        raise NotFound(f"There is no voice {name}.", hint=hint, field="name") from error


@router.get("/engines", responses=may_answer(401, 403, 429, 503))
def engines(caller: Reader) -> EngineList:  # noqa: ARG001 - a key is needed, whose it is does not matter
    """The engines of all stages, and whether they can run on this machine."""
    return EngineList(data=[EngineEntry(**row) for row in catalogue.engine_rows()])


def unless_known(content: bytes, type_: str, known: str) -> Response:
    """Answer with `content`, or with nothing but 304 if `known`, an ``If-None-Match``, has its ETag."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers: dict[str, Any] = {"ETag": tag, "Cache-Control": _A_DAY}
    tags = {part.strip().removeprefix("W/") for part in known.split(",")}
    if tag in tags or "*" in tags:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=type_, headers=headers)


@lru_cache(maxsize=64)
def _drawn(name: str, height: int) -> bytes:
    return _png(gallery.get(name), height)


@lru_cache(maxsize=16)
def _kept(name: str, height: int, changed: int) -> bytes:  # noqa: ARG001 - a changed one is read again
    made = kept.get(name)
    if made.character is not None:
        return _png(made.character, height)
    from PIL import Image

    image = Image.fromarray(made.picture)
    image.thumbnail((4 * height, height))
    return _encoded(image)


def _png(character: Character, height: int) -> bytes:
    from PIL import Image

    return _encoded(Image.fromarray(character.picture(round(height * 16 / 9), height)))


def _encoded(image: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()
