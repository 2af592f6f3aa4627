"""Avatars made from words: which engine makes them, and the picture that carries what it is made of."""

from __future__ import annotations

import hashlib
import json
import math
import re
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from avatalk import engines
from avatalk.avatars.artist.character import Character, Worn
from avatalk.errors import BadInput
from avatalk.events import Monitor
from avatalk.media import UInt8Array
from avatalk.workspace import complete_or_nothing

LONGEST = 1000
"""Characters of a description."""
STEPS = 20
"""Of a diffusion; more are slower and hardly better with a fast scheduler."""

_SIDE = 1024  # pixels of a drawn character's picture; its rig is drawn at any size
_CHUNK = "avatalk"  # the text chunk of a PNG
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_COLOURS = {
    "accent",
    "tie",
    "earrings",
    "hair_tips",
    "hair_streaks",
    "eyeshadow",
    *(part.name for part in fields(Worn)),
}


@dataclass(frozen=True, slots=True)
class Made:
    """An avatar made from words.

    Attributes:
        pixels: (height, width, 3) uint8 RGB; None for a drawn character, see `picture`.
        prompt: the description as given.
        seed: it was made with.
        engine: that made it.
        character: the drawn character, which has a rig; None for a picture.
        notes: what the user should know, such as words that were not understood.
        date: UTC, ISO 8601.
    """

    pixels: UInt8Array | None
    prompt: str
    seed: int
    engine: str
    character: Character | None = None
    notes: tuple[str, ...] = ()
    date: str = ""

    @property
    def picture(self) -> UInt8Array:
        """(height, width, 3) uint8 RGB."""
        if self.pixels is None:
            assert self.character is not None  # it has the one or the other
            return self.character.picture(_SIDE, _SIDE)
        return self.pixels


class AvatarMaker(ABC):
    """An engine that makes an avatar from words."""

    name: ClassVar[str]

    @abstractmethod
    def make(self, prompt: str, seed: int, steps: int, monitor: Monitor) -> Made:
        """Make one avatar, the same for the same arguments.

        Args:
            prompt: in English, one person, at most `LONGEST` characters.
            seed: of everything random, 0 or more.
            steps: of a diffusion; others do not need it.
            monitor: told of progress; cancels.

        Raises:
            FaceError: no usable picture came of it; the message says what was tried.
            BadInput: the description says nothing that the engine understands.
        """


def make_avatar(
    prompt: str, *, engine: str = "auto", seed: int = 0, steps: int = STEPS, monitor: Monitor | None = None
) -> Made:
    """Make an avatar from a description such as ``"an old sailor with a white beard"``.

    Args:
        prompt: one person, in English.
        engine: ``drawn``, ``diffusion``, or ``auto`` for the best that can run here.
        seed: the same prompt, engine and seed give the same avatar.
        steps: of a diffusion.
        monitor: of progress and warnings.

    Raises:
        BadInput: the description is blank, too long, or not understood.
        UnknownName: there is no such engine.
        EngineUnavailable: it cannot run here.
    """
    monitor = monitor or Monitor()
    check_prompt(prompt)
    maker: AvatarMaker = engines.get("avatar", engine, takes="words").load()()
    made = maker.make(prompt.strip(), seed, steps, monitor)
    for note in made.notes:
        monitor.warn(note)
    return made


def better(engine: str) -> list[str]:
    """Return what would improve an avatar that `engine` made, with how to get it."""
    command = engines.get("avatar", "diffusion").to_get() if engine == "drawn" else ""
    return [f"A painted photograph instead of a drawing, see docs/avatars.md: {command}"] if command else []


def check_prompt(prompt: str) -> None:
    """Raise `BadInput` if a description is blank or too long."""
    if not prompt.strip():
        raise _refused("The description of the avatar is empty.")
    if len(prompt) > LONGEST:
        raise _refused(f"The description has {len(prompt)} characters; {LONGEST} is the most.")


def _refused(message: str) -> BadInput:
    return BadInput(
        message,
        hint="Describe one person, such as “a friendly red-haired woman in her forties”.",
        stage="avatar",
        field="avatar_prompt",
    )


# --- the picture file ------------------------------------------------------------------------------


def write_made(path: Path, made: Made) -> None:
    """Write the picture as PNG, with what it is made of in it, or nothing.

    A drawn character travels inside: given to ``--avatar``, the picture moves by its rig.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    picture = made.picture
    about = {
        "prompt": made.prompt,
        "seed": made.seed,
        "engine": made.engine,
        "date": made.date or datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "pixels": _digest(picture),
        "character": made.character and asdict(made.character),
    }
    info = PngInfo()
    info.add_itxt(_CHUNK, json.dumps(about, ensure_ascii=False))
    with complete_or_nothing(path) as part:
        Image.fromarray(picture).save(part, format="PNG", pnginfo=info)


def read_made(path: Path) -> Made | None:
    """Return what `write_made` wrote; None for any other picture, or one whose pixels were changed since."""
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            about: Any = json.loads(getattr(image, "text", {}).get(_CHUNK, "null"))
            if not isinstance(about, dict):
                return None
            picture = np.asarray(image.convert("RGB"), np.uint8)
        if about["pixels"] != _digest(picture):
            return None
        character = about["character"] and _character(about["character"])
        return Made(
            None if character else picture,
            str(about["prompt"]),
            int(about["seed"]),
            str(about["engine"]),
            character or None,
            date=str(about["date"]),
        )
    except (OSError, ValueError, KeyError, TypeError, SyntaxError, Image.DecompressionBombError):
        return None


def _digest(picture: UInt8Array) -> str:
    return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()


def _character(value: object) -> Character:
    """A character from a file that anybody may have written.

    Raises:
        ValueError: it is none, or a colour or a number in it is not one.
    """
    from pydantic import TypeAdapter

    character = TypeAdapter(Character).validate_python(value)  # its errors are ValueErrors
    _check_numbers(character)
    named = asdict(character) | asdict(character.worn)
    colours = [value for name, value in named.items() if _holds_colour(name)]
    for colour in [*colours, *character.backdrop]:
        if colour is not None and not _COLOUR.fullmatch(colour):
            raise ValueError("not a colour")
    return character


def _holds_colour(name: str) -> bool:
    return name.endswith("colour") or name in _COLOURS


def _check_numbers(part: Any) -> None:
    for field in fields(part):
        value = getattr(part, field.name)
        if is_dataclass(value):
            _check_numbers(value)
        elif isinstance(value, float | int) and not (math.isfinite(value) and -2 <= value <= 120):
            raise ValueError("not a sensible number")
