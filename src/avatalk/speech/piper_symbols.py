"""The symbols that a Piper voice is given for a sentence."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from avatalk.speech.ipa import clean_symbol
from avatalk.speech.libespeak import Recording, phonemise, synthesise
from avatalk.speech.piper_voices import PiperFiles
from avatalk.speech.spoken import spoken_form
from avatalk.speech.words import speakable

_PAD, _BEGIN, _END = "_", "^", "$"
_OPEN, _CLOSE = "\ue010", "\ue011"
"""Marks around phonemes in a sentence, of Unicode's private use."""
_PARTS = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}|[^{_OPEN}]+")
_STRESS = "ˈˌ"
_MODIFIES = "ːˑʰʲʷˠˤ˞\u0300-\u036f"
_PHONEMES = re.compile(f"[{_STRESS}]*[^{_STRESS}{_MODIFIES}][{_MODIFIES}]*")
_NOT_SPOKEN = frozenset("/[]().|‖ \u0361\u035c‿")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A phoneme, a mark, or a gap, and the network's numbers for it.

    Attributes:
        ids: numbers with their padding; none for what the voice does not know.
        ipa: the phoneme without stress; empty for what makes no sound.
        stressed: whether it bears the main stress.
        joins: whether it stands between two words of a phrase.
        position: in the text, of the word it belongs to; -1 where that is not known.
    """

    ids: tuple[int, ...]
    ipa: str = ""
    stressed: bool = False
    joins: bool = False
    position: int = -1

    @property
    def sounds(self) -> bool:
        """Whether it is heard."""
        return bool(self.ipa)


def pronounced(ipa: str, files: PiperFiles) -> str | None:
    """Return what stands for `ipa` in a sentence given to `symbols_of`; None if the voice cannot say it."""
    letters = "".join(letter for letter in unicodedata.normalize("NFD", ipa) if letter not in _NOT_SPOKEN)
    known = files.espeak and any(_ids(letter, files) for letter in letters if letter not in _STRESS)
    return f"{_OPEN}{letters}{_CLOSE}" if known else None


def symbols_of(sentence: str, scripts: tuple[str, ...], files: PiperFiles) -> list[Symbol]:
    """Return the symbols of a sentence, those for its beginning and end included.

    Args:
        sentence: as written; what `pronounced` gave may stand in it.
        scripts: that the voice reads.
        files: of the voice.
    """
    inner: list[Symbol] = []
    for match in _PARTS.finditer(sentence):
        if match[1] is not None:
            part = _of_ipa(match[1], match.start(1), files)
        else:
            text, at = spoken_form(match[0], scripts), match.start()
            part = _of_phonemes(text, at, files) if files.espeak else _of_characters(text, at, files)
        between = part and part[0].sounds and inner and not inner[-1].joins
        inner += [Symbol(_ids(" ", files), joins=True), *part] if between else part
    begin, end = files.symbols.get(_BEGIN, ()), files.symbols.get(_END, ())
    return [Symbol((*begin, *files.symbols.get(_PAD, ()))), *inner, Symbol(end)]


def _of_ipa(ipa: str, at: int, files: PiperFiles) -> list[Symbol]:
    """Return the symbols of phonemes as they stand: a letter with what modifies it, stress before it."""
    symbols = []
    for name in _PHONEMES.findall(ipa):
        symbol, stressed = clean_symbol(name)
        symbols.append(Symbol(_ids(name, files), symbol, stressed, position=at))
    return symbols


def _of_phonemes(text: str, at: int, files: PiperFiles) -> list[Symbol]:
    spoken: list[tuple[str, bool]] = []  # name, and whether it is a phoneme
    for clause in phonemise(text, files.espeak):
        for number, word in enumerate(clause.words):
            if number:
                spoken.append((" ", False))
            spoken.extend((name, True) for name in word)
        if clause.words or at:
            spoken.extend((mark, False) for mark in clause.mark)
            if clause.mark not in (".", "!", "?"):
                spoken.append((" ", False))
    positions = iter(_positions([name for name, sounds in spoken if sounds], text, files.espeak))
    symbols = []
    for name, sounds in spoken:
        if sounds:
            ipa, stressed = clean_symbol(name)
            place = next(positions)
            symbols.append(
                Symbol(_ids(name, files), ipa, stressed, position=place + at if place >= 0 else -1)
            )
        else:
            symbols.append(Symbol(_ids(name, files), joins=name == " "))
    return symbols


def _of_characters(text: str, at: int, files: PiperFiles) -> list[Symbol]:
    return [
        Symbol(
            _ids(unicodedata.normalize("NFD", char), files),
            char.lower() if speakable(char) else "",
            joins=char == " ",
            position=at + index if speakable(char) else -1,
        )
        for index, char in enumerate(text)
    ]


def _ids(name: str, files: PiperFiles) -> tuple[int, ...]:
    """Return the numbers of the letters of a phoneme, each followed by padding; unknown letters have none."""
    pad = files.symbols.get(_PAD, ())
    letters = unicodedata.normalize("NFD", name)
    numbers: list[int] = []
    while letters:
        cluster = next(
            (c for c in files.clusters if letters.startswith(c) and c in files.symbols), letters[0]
        )
        letters = letters[len(cluster) :]
        if known := files.symbols.get(cluster):
            numbers += (*known, *pad)
    return tuple(numbers)


def _positions(names: list[str], text: str, identifier: str) -> list[int]:
    """Return for every phoneme where in `text` its word begins, -1 where that is not known.

    Phonemes alone come without places, those of synthesised speech with them; the two are nearly the same.
    """
    told = list(_told(synthesise(text, identifier, 2.0, 1.0)))
    letters = [letter for name, _ in told for letter in name]
    places = [position for name, position in told for _ in name]
    wanted = [(letter, index) for index, name in enumerate(names) for letter in name]
    found = [-1] * len(names)
    matcher = SequenceMatcher(None, letters, [letter for letter, _ in wanted], autojunk=False)
    for theirs, ours, size in matcher.get_matching_blocks():
        for step in range(size):
            index = wanted[ours + step][1]
            if found[index] < 0:
                found[index] = places[theirs + step]
    return found


def _told(recording: Recording) -> Iterator[tuple[str, int]]:
    """Yield the phonemes of synthesised speech with the place of their word."""
    starts = [sample for _, sample in recording.words]
    for name, sample in recording.phonemes:
        word = bisect_right(starts, sample) - 1
        if name and word >= 0:
            yield name.decode("utf-8", "ignore"), recording.words[word][0]
