"""Voices that the user keeps: each a folder with the cleaned sample, what is known of it, and the consent.

What engines learn of a voice lies beside it, one ``.npz`` for each engine, made when it is first needed.
"""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import unicodedata
import wave
import zipfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avatalk.errors import BadInput, OutputError, UnknownName, UnreadableFile
from avatalk.media import Float32Array
from avatalk.settings import cache_dir, data_dir
from avatalk.speech.traits import Traits

SAMPLE_RATE = 24000
"""Hertz of the samples; no engine hears more."""

PACK = ".voice"
"""How the name of a file ends that holds a kept voice."""

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
            return _sound_in((self.folder / _SOUND).read_bytes())
        except (OSError, EOFError, wave.Error) as error:
            raise _damaged(self.name) from error


@dataclass(frozen=True, slots=True)
class Packed(Kept):
    """A kept voice that came from another machine as a file, see `pack`.

    Attributes:
        sample: its sample, a WAV file.
    """

    sample: bytes = b""

    @property
    def folder(self) -> Path:
        """Where what engines learn of it is kept here, as of any sample."""
        return cache_dir() / "voices"

    def sound(self) -> Float32Array:
        """Its sample, (samples,) float32 mono at `SAMPLE_RATE`.

        Raises:
            UnreadableFile: it is damaged.
        """
        try:
            return _sound_in(self.sample)
        except (EOFError, wave.Error) as error:
            raise _damaged(self.name) from error


def _sound_in(data: bytes) -> Float32Array:
    with wave.open(io.BytesIO(data), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)


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
    """Return the kept voice of that name, or in the file that `pack` wrote; None if there is none.

    Raises:
        UnreadableFile: it is damaged.
    """
    try:
        if is_pack(name):
            with zipfile.ZipFile(name) as pack:
                return Packed(**_facts_in(pack.read(_FACTS)), sample=pack.read(_SOUND))
        return Kept(**_facts_in((_home() / safe_name(name) / _FACTS).read_bytes()))
    except (BadInput, FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise _damaged(Path(name).name) from error


def _facts_in(data: bytes) -> dict[str, Any]:
    facts = json.loads(data)
    return {**facts, "traits": Traits(**facts["traits"]), "consent": Consent(**facts["consent"])}


def is_pack(name: str) -> bool:
    """Whether `name` is the path of a voice that `pack` wrote, rather than the name of one."""
    return name.endswith(PACK)


def pack(voice: Kept, path: Path) -> None:
    """Write a kept voice to `path`, which ends in `PACK`: its sample, what is known of it, and the consent.

    Equal voices make equal files. `get` reads them by their path, on any machine.

    Raises:
        UnreadableFile: the voice is damaged.
    """
    try:
        with zipfile.ZipFile(path, "w") as packed:
            for part in (_FACTS, _SOUND):
                packed.writestr(zipfile.ZipInfo(part), (voice.folder / part).read_bytes())
    except OSError as error:
        raise _damaged(voice.name) from error


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
