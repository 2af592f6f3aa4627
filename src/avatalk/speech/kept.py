"""Voices that the user keeps: each a folder with the cleaned sample, what is known of it, and the consent.

What engines learn of a voice lies beside it, one ``.npz`` for each engine, made when it is first needed.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import unicodedata
import wave
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from avatalk.errors import BadInput, OutputError, UnknownName, UnreadableFile
from avatalk.media import Float32Array
from avatalk.settings import data_dir
from avatalk.speech.traits import Traits

SAMPLE_RATE = 24000
"""Hertz of the samples; no engine hears more."""

_LONGEST_NAME = 40
_FACTS, _SOUND = "voice.json", "sample.wav"
_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
}
"""Names that Windows keeps to itself."""


@dataclass(frozen=True, slots=True)
class Consent:
    """That the speaker agrees to be imitated.

    Attributes:
        words: the statement.
        who: gave it.
        when: UTC, ISO 8601.
    """

    words: str
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A voice of the user's.

    Attributes:
        name: what ``--voice`` takes.
        language: tag of what it speaks where nothing else is asked for.
        source: name of the file that it was learnt from.
        traits: what it is like.
        consent: of its speaker.
    """

    name: str
    language: str
    source: str
    traits: Traits
    consent: Consent

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return _home() / self.name

    def sound(self) -> Float32Array:
        """Its sample, (samples,) float32 mono at `SAMPLE_RATE`.

        Raises:
            UnreadableFile: it is missing or damaged.
        """
        try:
            with wave.open(str(self.folder / _SOUND), "rb") as file:
                data = file.readframes(file.getnframes())
        except (OSError, EOFError, wave.Error) as error:
            raise _damaged(self.name) from error
        return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)


def safe_name(name: str) -> str:
    """Return `name` as it is kept: lower case, hyphens for blanks and underscores.

    Raises:
        BadInput: it cannot be the name of a voice.
    """
    plain = re.sub(r"[\s_]+", "-", unicodedata.normalize("NFC", name).strip().casefold())
    letters = plain.replace("-", "")
    if not letters.isalnum() or plain.startswith("-") or len(plain) > _LONGEST_NAME or plain in _RESERVED:
        raise BadInput(
            f"A voice cannot be called “{name}”.",
            hint=f"Use letters, digits and hyphens, at most {_LONGEST_NAME}, such as mum or my-voice.",
            stage="speech",
            field="name",
        )
    return plain


def names() -> list[str]:
    """The names of all kept voices, sorted."""
    try:
        return sorted(file.parent.name for file in _home().glob(f"[!.]*/{_FACTS}"))
    except OSError:
        return []


def get(name: str) -> Kept | None:
    """Return the kept voice of that name, or None if there is none.

    Raises:
        UnreadableFile: it is damaged.
    """
    try:
        facts = json.loads((_home() / safe_name(name) / _FACTS).read_text("utf-8"))
        return Kept(**{**facts, "traits": Traits(**facts["traits"]), "consent": Consent(**facts["consent"])})
    except (BadInput, FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(name) from error


def readable() -> list[Kept]:
    """Every kept voice that is not damaged, by name."""
    found = []
    for name in names():
        with suppress(UnreadableFile):
            found.append(get(name))
    return [voice for voice in found if voice is not None]


def put(voice: Kept, sound: Float32Array) -> None:
    """Keep a voice, all of it or nothing.

    Args:
        voice: its name must be one that `safe_name` returned.
        sound: (samples,) float32 mono at `SAMPLE_RATE`.

    Raises:
        BadInput: a voice of that name is kept already.
        OutputError: it cannot be written.
    """
    part = _home() / f".{voice.name}.{secrets.token_hex(4)}"
    try:
        part.mkdir(parents=True)
        with wave.open(str(part / _SOUND), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
        (part / _FACTS).write_text(json.dumps(asdict(voice), ensure_ascii=False, indent=1), "utf-8")
        if voice.folder.exists():
            raise BadInput(
                f"A voice {voice.name} is kept already.",
                hint=f"Choose another name, or remove that one: avatalk voices remove {voice.name}",
                stage="speech",
                field="name",
            )
        part.rename(voice.folder)
    except OSError as error:
        raise _unwritable(error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def remove(name: str) -> None:
    """Delete a kept voice with all that was learnt of it.

    Raises:
        UnknownName: no voice of that name is kept.
        OutputError: it cannot be deleted.
    """
    plain = safe_name(name)
    if plain not in names():
        raise UnknownName(
            f"No voice {plain} is kept.",
            hint=f"Kept are {', '.join(names())}."
            if names()
            else "avatalk voices add NAME sample.wav keeps one.",
            stage="speech",
            field="name",
        )
    try:
        for folder in (_home() / plain, *_home().glob(f".{plain}.*")):  # what a killed process left goes too
            shutil.rmtree(folder)
    except OSError as error:
        raise _unwritable(error) from error


def _home() -> Path:
    return data_dir() / "voices"


def _damaged(name: str) -> UnreadableFile:
    return UnreadableFile(
        f"The kept voice {name} is damaged.",
        hint=f"Remove it and add it again: avatalk voices remove {name}",
        stage="speech",
        field="voice",
    )


def _unwritable(error: OSError) -> OutputError:
    return OutputError(
        f"Voices cannot be kept in {_home()} ({(error.strerror or str(error)).lower()}).",
        hint="Make room, or set AVATALK_DATA to a folder that can be written.",
        stage="speech",
    )
