"""The library of espeak-ng, called through ctypes.

The interface is that of espeak-ng's ``speak_lib.h``. The library keeps state between sentences (the phase
of its pitch flutter among it), so it is loaded afresh for each one: a sentence then sounds the same
whatever was spoken before, and it takes about 2 ms. Voices with breath noise (``f2``, ``f3``, ``f5``,
``whisper`` …) differ from process to process all the same, by memory that the library leaves unset.
"""

from __future__ import annotations

import _ctypes
import ctypes
import math
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import espeakng_loader
import numpy as np
import numpy.typing as npt

from avatalk.errors import CannotRun, EngineUnavailable
from avatalk.workspace import temporary_folder

_SYNCHRONOUS = 2
_PHONEME_EVENTS, _PHONEMES_IPA, _DONT_EXIT = 1, 2, 0x8000
_CHARS_UTF8 = 1
_READ_PHONEMES = 0x100
_BY_CHARACTER = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_WORD, _PHONEME = 1, 7

_WORDS_PER_MINUTE = 175
"""espeak-ng's own default rate."""

SAMPLE_RATE = 22050
"""Hertz; espeak-ng has no other."""

_PITCH_POWER = 1.18
"""Measured over voices of both sexes: with it 0.7..1.5 come out within 5 %, 0.5 as 0.6 and 2 as 1.8."""

_REINSTALL = "Run: pip install --force-reinstall espeakng-loader"
_LONGEST_PATH = 120
"""Bytes; names of files of up to 35 are put behind it."""

_lock = Lock()
"""The library is one per process, with global state."""


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _VoiceRecord(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # a priority byte and a tag, NUL, repeated
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class EspeakLanguage:
    """One language as espeak-ng lists it.

    Attributes:
        name: in English, ``German``.
        tag: its first language tag, lower case, ``de``.
        identifier: what selects it, ``gmw/de``; with ``+f4`` behind it, a variant of its voice.
    """

    name: str
    tag: str
    identifier: str


@contextmanager
def _library() -> Iterator[Any]:
    """Load and start the library, alone in this process, and unload it again."""
    with _lock, _short(Path(espeakng_loader.get_library_path()).parent / "espeak-ng-data") as data:
        try:
            library = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise EngineUnavailable(
                f"The library of espeak-ng cannot be loaded: {error}.", hint=_REINSTALL, stage="speech"
            ) from None
        try:
            options = _PHONEME_EVENTS | _PHONEMES_IPA | _DONT_EXIT
            if library.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data), options) <= 0:
                raise EngineUnavailable(
                    f"espeak-ng cannot read its data in {data}.", hint=_REINSTALL, stage="speech"
                )
            yield library
            library.espeak_Terminate()
        finally:
            _unload(library)


@contextmanager
def _short(data: Path) -> Iterator[Path]:
    """A path to `data` that fits into the 160 bytes which the library has for it."""
    if len(os.fsencode(data)) < _LONGEST_PATH:
        yield data
        return
    with temporary_folder() as folder:
        link = Path(folder) / "espeak-ng-data"
        try:
            link.symlink_to(data, target_is_directory=True)
        except OSError as error:  # Windows grants links to few
            raise EngineUnavailable(
                f"The path of espeak-ng's data is too long: {data}.",
                hint="Install avatalk into a folder with a shorter path.",
                stage="speech",
            ) from error
        yield link


def _unload(library: ctypes.CDLL) -> None:
    if sys.platform == "win32":
        _ctypes.FreeLibrary(library._handle)
    else:
        _ctypes.dlclose(library._handle)


def languages() -> tuple[EspeakLanguage, ...]:
    """Return every language of the installed espeak-ng, in its own order."""
    found = []
    with _library() as library:
        library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRecord))
        records = library.espeak_ListVoices(None)
        index = 0
        while records[index]:
            record = records[index].contents
            tag = ctypes.string_at(record.languages + 1).decode()
            found.append(EspeakLanguage(record.name.decode().strip(), tag, record.identifier.decode()))
            index += 1
    return tuple(found)


def variant_names() -> dict[str, str]:
    """Return the variants that can follow a plus in an identifier, lower case → as espeak-ng writes them."""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    return {file.name.lower(): file.name for file in sorted(folder.iterdir())}


@dataclass(slots=True)
class Recording:
    """What comes out of one call of the library.

    Attributes:
        blocks: sound, int16 mono.
        words: character from 0, and the sample at which that word begins.
        phonemes: name as espeak-ng gives it, UTF-8, and the sample at which it begins.
    """

    blocks: list[npt.NDArray[np.int16]] = field(default_factory=list)
    words: list[tuple[int, int]] = field(default_factory=list)
    phonemes: list[tuple[bytes, int]] = field(default_factory=list)

    def callback(self, samples: Any, count: int, events: Any) -> int:
        """Keep sound and events; called by the library, 0 means go on."""
        if samples and count:
            # Not np.ctypeslib.as_array, which keeps a type for every length there was.
            self.blocks.append(np.frombuffer(ctypes.string_at(samples, 2 * count), np.int16))
        index = 0
        while events[index].type:
            event = events[index]
            if event.type == _WORD:
                self.words.append((event.text_position - 1, event.sample))
            elif event.type == _PHONEME:
                # The name may fill all eight bytes, without a NUL behind it.
                name = ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0]
                self.phonemes.append((name, event.sample))
            index += 1
        return 0


def synthesise(
    text: str, identifier: str, speed: float, pitch: float, *, phonemes: bool = False
) -> Recording:
    """Speak `text` as it stands; `speed` and `pitch` are factors, 0.5..2.

    With `phonemes`, what stands in ``[[`` and ``]]`` is in the library's own letters for sounds.

    Raises:
        EngineUnavailable: the library, its data or the voice is missing.
        CannotRun: the library failed.
    """
    recording = Recording()
    callback = _Callback(recording.callback)
    data = text.encode("utf-8", "replace") + b"\0"
    with _library() as library:
        library.espeak_SetSynthCallback(callback)
        _choose(library, identifier)
        library.espeak_SetParameter(_RATE, round(_WORDS_PER_MINUTE * speed), 0)
        # Lowest pitch and range of the voice, each 50 of 0..100 by itself and the former exponential over
        # two octaves, move the fundamental as a whole, a little less than they say.
        factor = min(max(pitch**_PITCH_POWER, 0.5), 2.0)
        library.espeak_SetParameter(_PITCH, round(50 + 50 * math.log2(factor)), 0)
        library.espeak_SetParameter(_RANGE, round(50 * factor), 0)
        synth = library.espeak_Synth
        synth.argtypes = (
            *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int),
            *(ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),
        )
        status = synth(
            data, len(data), 0, _BY_CHARACTER, 0, _CHARS_UTF8 | _READ_PHONEMES * phonemes, None, None
        )
    if status != 0:
        raise CannotRun(
            f"espeak-ng failed with status {status}.", hint="Try again, or use another voice.", stage="speech"
        )
    return recording


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a text that espeak-ng reads at one go.

    Attributes:
        words: of each spoken word, its phonemes as espeak-ng writes them in IPA, stress and tone included.
        mark: the punctuation mark that ends it, one of ``. ! ? , ; :``, or nothing.
    """

    words: tuple[tuple[str, ...], ...]
    mark: str


_BETWEEN = "\ue000"  # for private use, so no phoneme has it
_IPA = 2


def phonemise(text: str, identifier: str) -> list[Clause]:
    """Return the phonemes of `text` as the voice would speak them, and no sound.

    Raises:
        EngineUnavailable: the library, its data or the voice is missing.
    """
    buffer = ctypes.create_string_buffer(text.encode("utf-8", "replace"))
    first = ctypes.addressof(buffer)
    clauses = []
    with _library() as library:
        _choose(library, identifier)
        read = library.espeak_TextToPhonemes
        read.restype = ctypes.c_char_p
        read.argtypes = (ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int)
        at = ctypes.c_void_p(first)
        begun = 0
        while at.value is not None:
            names = read(ctypes.byref(at), _CHARS_UTF8, ord(_BETWEEN) << 8 | _IPA)
            # It has looked at one character more, the first of the next clause.
            done = len(buffer.raw) - 1 if at.value is None else at.value - first
            part = buffer.raw[begun:done].decode("utf-8", "ignore")
            mark = _mark(part if at.value is None else part[:-1])
            clauses.append(Clause(_words(names.decode("utf-8", "ignore")), mark))
            begun = done
    return clauses


def _words(names: str) -> tuple[tuple[str, ...], ...]:
    plain = _LANGUAGE_SWITCH.sub("", names)
    words = (tuple(filter(None, word.split(_BETWEEN))) for word in plain.split())
    return tuple(filter(None, words))


def _mark(part: str) -> str:
    """Return the mark at the end of a clause as it would be in English."""
    last = part.rstrip(" \t\n\"')]}”’»›」』】》）")[-1:]
    return _MARKS.get(last, "")


_MARKS = {mark: mark for mark in ".!?,;:"} | dict(zip("…。।۔።！？؟；؛：，、،", ".....!??;;:,,,", strict=True))
_LANGUAGE_SWITCH = re.compile(r"\([^)]*\)")


def _choose(library: Any, identifier: str) -> None:
    if library.espeak_SetVoiceByName(identifier.encode()) != 0:
        raise EngineUnavailable(
            f"espeak-ng has no voice {identifier}.", hint=_REINSTALL, stage="speech", field="voice"
        )
