"""The one request. Surfaces build it, it is validated once, and nothing after it checks again."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from avatalk.compose.wish import read_ground, read_overlay
from avatalk.errors import BadInput, SpeechError

MIN_SIDE, MAX_SIDE = 64, 4096
MIN_FPS, MAX_FPS = 1, 120


def _parse_size(value: object) -> object:
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{1,6})\s*[xX×]\s*(\d{1,6})\s*", value)
        if not match:
            raise ValueError("a size is written as WIDTHxHEIGHT, such as 1280x720")
        value = (int(match[1]), int(match[2]))
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(type(side) is int for side in value):
        width, height = value
        if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
            raise ValueError(f"both sides of a size lie between {MIN_SIDE} and {MAX_SIDE} pixels")
        return (width, height)
    raise ValueError("a size is written as WIDTHxHEIGHT, such as 1280x720")


def _parse_fps(value: object) -> Fraction:
    try:
        fps = Fraction(str(value).strip()).limit_denominator(100_000)
    except (ValueError, ZeroDivisionError):
        raise ValueError("a frame rate is a number or a fraction, such as 25, 29.97 or 30000/1001") from None
    # 29.97 and its kin mean the NTSC rates, whose exact value is a multiple of 1000/1001.
    for base in (24, 30, 48, 60, 120):
        if fps.denominator != 1 and abs(fps - Fraction(base * 1000, 1001)) < Fraction(1, 100):
            fps = Fraction(base * 1000, 1001)
    if not MIN_FPS <= fps <= MAX_FPS:
        raise ValueError(f"a frame rate lies between {MIN_FPS} and {MAX_FPS} frames per second")
    return fps


Size = Annotated[
    tuple[int, int],
    BeforeValidator(_parse_size),
    PlainSerializer(lambda size: f"{size[0]}x{size[1]}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+x\d+$", "examples": ["1280x720"]}),
]
FrameRate = Annotated[
    Fraction,
    BeforeValidator(_parse_fps),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": ["string", "number"], "examples": ["25", "30000/1001"]}),
]


def _parse_language(value: object) -> object:
    tag = str(value).strip().replace("_", "-")
    if not isinstance(value, str) or not re.fullmatch(
        r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*|[A-Za-z ]{3,30}", tag
    ):
        raise ValueError("a language is a tag such as de, pt-BR or cmn, or its English name")
    return tag


def _parse_numbers(count: int, what: str) -> Callable[[object], object]:
    def parse(value: object) -> object:
        if isinstance(value, str):
            value = re.split(r"[\s,]+", value.strip())
        try:
            numbers = tuple(int(str(part)) for part in value) if isinstance(value, (list, tuple)) else ()
        except ValueError:
            numbers = ()
        if len(numbers) != count:
            raise ValueError(what)
        return numbers

    return parse


def _spaced(numbers: tuple[int, ...]) -> str:
    return " ".join(map(str, numbers))


Pads = Annotated[
    tuple[int, int, int, int],
    BeforeValidator(_parse_numbers(4, "pads are four whole numbers of pixels: top, bottom, left, right")),
    PlainSerializer(_spaced, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["0 10 0 0"]}),
]
FaceBox = Annotated[
    tuple[int, int, int, int],
    BeforeValidator(_parse_numbers(4, "a box is four whole numbers of pixels: left, top, right, bottom")),
    PlainSerializer(_spaced, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["220 80 380 300"]}),
]
Crop = Annotated[
    tuple[int, int, int, int],
    BeforeValidator(_parse_numbers(4, "a crop is four whole numbers of pixels: top, bottom, left, right")),
    PlainSerializer(_spaced, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["0 -1 0 -1"]}),
]
Language = Annotated[
    str,
    BeforeValidator(_parse_language),
    WithJsonSchema({"type": "string", "examples": ["de", "pt-BR"]}),
]
Loop = Literal["loop", "bounce", "hold"]
Paste = Literal["soft", "original"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Aspect = Literal["16:9", "9:16", "1:1", "source"]
CAPTIONS = ("srt", "vtt", "burn", "soft")
_OF_CAPTIONS = "captions are none, or some of srt, vtt, burn and soft joined by commas; both is srt,vtt"


def _parse_captions(value: object) -> object:
    if isinstance(value, str):
        value = [part for part in re.split(r"[\s,+]+", value.strip().lower()) if part]
    if not isinstance(value, (list, tuple)) or not all(isinstance(part, str) for part in value):
        raise ValueError(_OF_CAPTIONS)
    parts = {part for part in value if part != "both"} | ({"srt", "vtt"} if "both" in value else set())
    if parts == {"none"}:
        return ()
    if not parts <= set(CAPTIONS) or (isinstance(value, list) and not value):
        raise ValueError(_OF_CAPTIONS)
    return tuple(part for part in CAPTIONS if part in parts)


Captions = Annotated[
    tuple[str, ...],
    BeforeValidator(_parse_captions),
    PlainSerializer(lambda parts: ",".join(parts) or "none", return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(none|both|(srt|vtt|burn|soft)(,(srt|vtt|burn|soft))*)$",
            "examples": ["srt", "srt,burn"],
        }
    ),
]
Quality = Literal["draft", "standard", "high"]
Fit = Literal["cover", "contain"]
Framing = Literal["source", "bust", "head"]


class Correction(BaseModel):
    """One sentence of a text, said otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentence: int = Field(ge=0, description="Number of the sentence in `text`, from 0.")
    text: str = Field(min_length=1, description="What is said instead: one sentence, or several.")


def _parse_corrections(value: object) -> object:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError(
                'corrections are written as JSON, such as [{"sentence": 2, "text": "So it is."}]'
            ) from None
    return value


class VideoRequest(BaseModel):
    """What video to make. Frozen; equal requests give equal files.

    Give exactly one of `text` and `audio`. Everything else has a default.

    Raises:
        BadInput: a field is unknown or out of range; `field` names it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", title="VideoRequest")

    avatar: str = Field(
        "ada", min_length=1, description="Name of a gallery avatar, or path of a picture or clip."
    )
    avatar_prompt: str | None = Field(None, description="Who the avatar is, in words, instead of `avatar`.")
    avatar_engine: str = Field("auto", description="What makes an avatar from words, see `avatalk engines`.")
    text: str | None = Field(None, description="Words to speak.")
    corrections: Annotated[tuple[Correction, ...], BeforeValidator(_parse_corrections)] = Field(
        (), description="Sentences of `text` that are said otherwise; all else of the video stays as it was."
    )
    audio: str | None = Field(None, description="Path of a recording to speak instead of `text`.")
    transcript: str | None = Field(
        None, description="The words of `audio`: lips and captions then know which sound is spoken when."
    )
    voice: str | None = Field(
        None, description="Voice for `text`, see `avatalk voices`; by default it fits the text."
    )
    voice_sample: str | None = Field(
        None, description="Path of a recording, 3 s to 5 min, whose voice speaks `text`; instead of `voice`."
    )
    language: Language | None = Field(
        None,
        description="Language of the words as a tag, such as de or pt-BR; by default the likely one.",
    )
    speed: float = Field(1.0, ge=0.5, le=2.0, description="Rate of speech, 0.5 to 2; 1 is the voice's own.")
    pitch: float = Field(1.0, ge=0.5, le=2.0, description="Pitch of the voice, 0.5 to 2; 1 is its own.")
    size: Size | None = Field(None, description="Width and height in pixels; wins over `aspect`.")
    aspect: Aspect = Field("source", description="Shape of the picture; gallery avatars are 16:9 at source.")
    fps: FrameRate | None = Field(None, description="Frames per second, 1 to 120; 25, or the clip's own.")
    engine: str = Field("auto", description="Lip-sync engine, see `avatalk engines`.")
    face: int | None = Field(None, ge=1, description="Which face, counted from the left, 1 is the first.")
    still: bool = Field(False, description="Keep the head still.")
    loop: Loop = Field("loop", description="What a clip shorter than the speech does.")
    static: bool = Field(False, description="Use only the first frame of a clip.")
    faces: str = Field("auto", description="Face detector, see `avatalk engines`.")
    strict_faces: bool = Field(False, description="Fail if any frame of a clip has no face.")
    box: FaceBox | None = Field(None, description="Where the face is, instead of looking for it (wav2lip).")
    pads: Pads = Field((0, 10, 0, 0), description="Pixels added around the face (wav2lip).")
    smooth: bool = Field(True, description="Steady the face's box in time (wav2lip).")
    paste: Paste = Field("soft", description="How the mouth is put back: a soft mask, or the original's box.")
    resize_factor: int = Field(1, ge=1, le=16, description="Divide the size of the picture by this.")
    rotate: bool = Field(False, description="Turn the picture by 90 degrees, clockwise.")
    crop: Crop | None = Field(None, description="Part of the picture to use; -1 is its end.")
    device: Device = Field("auto", description="Where networks run.")
    background: str = Field(
        "keep",
        description="What stands behind the person: keep, white, black, green, red, blue, #rrggbb, blur or "
        "blur:0.5, gradient:#rrggbb,#rrggbb, transparent, or the path of a picture or clip.",
    )
    fit: Fit = Field("cover", description="How a background file fills the canvas.")
    matting: str = Field("auto", description="What cuts the person out, see `avatalk engines`.")
    frame: Framing = Field(
        "source", description="How much of the person is shown; source is the picture's own."
    )
    overlay: str | None = Field(
        None,
        description="A picture laid over the video, as FILE:CORNER:SIZE, such as logo.png:top-right:12%.",
    )
    captions: Captions = Field(
        (), description="Captions: srt and vtt beside the video, burn in the picture, soft as a track."
    )
    quality: Quality = Field("standard", description="Encoder effort and default resolution.")
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of everything random: blinks, head motion.")

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise _bad_input(error, type(self)) from None

    @field_validator("background")
    @classmethod
    def _is_ground(cls, value: str) -> str:
        read_ground(value)
        return value

    @field_validator("overlay")
    @classmethod
    def _is_overlay(cls, value: str | None) -> str | None:
        if value is not None:
            read_overlay(value)
        return value

    @field_validator("corrections")
    @classmethod
    def _in_order(cls, value: tuple[Correction, ...]) -> tuple[Correction, ...]:
        if len({correction.sentence for correction in value}) < len(value):
            raise ValueError("a sentence has one correction; put both into one text")
        if any("\ud800" <= letter <= "\udfff" for correction in value for letter in correction.text):
            raise ValueError("it is not valid UTF-8")
        return tuple(sorted(value, key=lambda correction: correction.sentence))

    @field_validator("*")
    @classmethod
    def _is_unicode(cls, value: object) -> object:
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("it is not valid UTF-8; save the text as UTF-8, or rename the file")
        return value

    @model_validator(mode="after")
    def _one_avatar(self) -> VideoRequest:
        if self.avatar_prompt is not None and "avatar" in self.model_fields_set:
            raise BadInput(
                "Both an avatar and a description of one are given.",
                hint="Give one of them.",
                stage="avatar",
                field="avatar_prompt",
            )
        return self

    @model_validator(mode="after")
    def _one_source_of_speech(self) -> VideoRequest:
        if self.text is None and self.audio is None:
            raise SpeechError(
                "There is nothing to say.", hint="Give a text or a recording.", stage="speech", field="text"
            )
        if self.text is not None and self.audio is not None:
            raise BadInput(
                "Both a text and a recording are given.",
                hint="Give one of them.",
                stage="speech",
                field="audio",
            )
        if self.transcript is not None and not (self.audio and self.transcript.strip()):
            raise BadInput(
                "A transcript without a recording is given."
                if not self.audio
                else "The transcript is empty.",
                hint="Give the words that are spoken in --audio; what the avatar shall say is a text.",
                stage="speech",
                field="transcript",
            )
        if self.voice is not None and self.voice_sample is not None:
            raise BadInput(
                "Both a voice and a sample of a voice are given.",
                hint="Give one of them.",
                stage="speech",
                field="voice_sample",
            )
        if self.text is None and self.corrections:
            raise BadInput(
                "Corrections without a text are given.",
                hint="They say which sentences of --text are spoken otherwise.",
                stage="speech",
                field="corrections",
            )
        if self.text is not None and not self.text.strip():
            raise SpeechError("The text is empty.", hint="Write what to say.", stage="speech", field="text")
        return self

    def to_json(self) -> str:
        """The request as one line of JSON, without the fields that have their default."""
        return self.model_dump_json(exclude_defaults=True)


def _bad_input(error: ValidationError, model: type[BaseModel]) -> BadInput:
    """The first complaint of pydantic, in the words of this project."""
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else None
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches((name or "").replace("-", "_").lower(), model.model_fields, n=1)
        guess = f"Did you mean {near[0]}? " if near else ""
        return BadInput(
            f"A request has no field {_shown(name)}.",
            hint=f"{guess}All fields: `avatalk schema`.",
            field=name,
        )
    what = complaint(first)
    field = model.model_fields.get(name or "")
    hint = field.description if field else ""
    if field and first["type"] == "value_error":  # which says how the value is written
        hint = f"Left out, it is {field.default}." if isinstance(field.default, str) else "Or leave it out."
    return BadInput(
        f"{name} {_shown(first['input'])}: {what}." if name else f"{what}.",
        hint=hint or "See `avatalk schema`.",
        field=name,
    )


_LONGEST_SHOWN = 80


def _shown(value: object) -> str:
    """What was given, as a message shows it."""
    told = repr(value)
    return told if len(told) <= _LONGEST_SHOWN else f"{told[:_LONGEST_SHOWN]}…"


_COMPLAINTS = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field",
    "string_type": "it is no text",
    "string_unicode": "it is not valid UTF-8",
    "string_too_long": "it has more than {max_length} characters",
    "string_pattern_mismatch": "it is not written as such values are",
    "finite_number": "it is no finite number",
    "literal_error": "it is none of {expected}",
    "greater_than_equal": "it is less than {ge:g}",
    "greater_than": "it is not more than {gt:g}",
    "less_than_equal": "it is more than {le:g}",
    "less_than": "it is not less than {lt:g}",
    "dict_type": "it is no object",
    "model_type": "it is no object",
    "model_attributes_type": "it is no object",
    "list_type": "it is no list",
}


def complaint(error: Mapping[str, Any]) -> str:
    """What pydantic complains of, in plain words, as the end of a sentence.

    Args:
        error: one of ``ValidationError.errors()``.
    """
    kind, context, given = error["type"], error.get("ctx", {}), error.get("input")
    if isinstance(given, float) and given != given:
        return "it is no number"
    if kind in _COMPLAINTS:
        return _COMPLAINTS[kind].format(**context)
    if kind.startswith(("int_", "float_")):
        return "it is no whole number" if kind.startswith("int_") else "it is no number"
    if kind.startswith("bool_"):
        return "it is neither true nor false"
    if kind in ("string_too_short", "too_short"):
        return "it is empty" if not given else f"it has less than {context['min_length']} of them"
    what = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return what[:1].lower() + what[1:]
