"""IPA in the letters of espeak-ng, for pronunciations that a script gives.

Which letters a voice has, and which sound each makes, is asked of the library itself: every letter of its
phoneme tables is spoken once, and its events tell the IPA.
"""

from __future__ import annotations

import struct
import unicodedata
from functools import lru_cache
from pathlib import Path

import espeakng_loader

from avatalk.speech.ipa import clean_symbol
from avatalk.speech.libespeak import synthesise

_SPOKEN_TYPES = range(2, 9)  # vowels, liquids, stops, fricatives, nasals
_NAME_SIZE, _PHONEME_SIZE = 32, 16
_MARKS = {"ˈ": "'", "ˌ": ","}
_DROPPED = frozenset("/[].|‖ˑ\u0361\u035c‿")
_NEAREST = {
    "ɹ": "r",
    "r": "ɹ",
    "ʁ": "r",
    "ɾ": "r",
    "ɻ": "ɹ",
    "ʀ": "r",
    "ɫ": "l",
    "ʎ": "lj",
    "ɲ": "nj",
    "ç": "x",
    "x": "h",
    "ɣ": "ɡ",
    "β": "v",
    "ɸ": "f",
    "ʝ": "j",
    "ɥ": "w",
    "ʔ": "",
    "ɦ": "h",
    "ʃ": "s",
    "ʒ": "z",
    "a": "æ",
    "æ": "a",
    "ɑ": "a",
    "ɒ": "ɔ",
    "ɐ": "a",
    "ʌ": "a",
    "ɜ": "ə",
    "ɝ": "ɜɹ",
    "ɚ": "əɹ",
    "ə": "ɐ",
    "e": "ɛ",
    "ɛ": "e",
    "i": "ɪ",
    "ɪ": "i",
    "ɨ": "ɪ",
    "o": "ɔ",
    "ɔ": "o",
    "u": "ʊ",
    "ʊ": "u",
    "ɯ": "u",
    "y": "i",
    "ʏ": "y",
    "ø": "e",
    "œ": "ø",
    "ɵ": "o",
    "θ": "s",
    "ð": "z",
    "ŋ": "n",
    "ʋ": "v",
    "ʈ": "t",
}
"""What a sound is replaced by that a voice does not have."""


def to_espeak(ipa: str, identifier: str) -> str | None:
    """Return `ipa` as words in espeak-ng's letters; None where a sign is not IPA.

    Args:
        ipa: with or without stress marks; words with spaces between.
        identifier: of the voice.
    """
    words = []
    for word in unicodedata.normalize("NFD", ipa.replace("g", "ɡ")).replace("c\u0327", "ç").split():
        letters = _letters(word, _table(identifier), ())
        if letters is None:
            return None
        words.append(letters)
    return " ".join(filter(None, words)) or None


def _letters(ipa: str, table: dict[str, str], tried: tuple[str, ...]) -> str | None:
    """Spell `ipa` by the longest parts that are in `table`, then by the nearest sounds."""
    spelled = ""
    while ipa:
        size = next((size for size in range(min(4, len(ipa)), 0, -1) if ipa[:size] in table), 0)
        sign = ipa[0]
        if size:
            spelled += table[ipa[:size]]
        elif sign in _MARKS:
            spelled += _MARKS[sign]
        elif sign in _NEAREST and sign not in tried:
            instead = _letters(_NEAREST[sign], table, (*tried, sign))
            if instead is None:
                return None
            spelled += instead
        elif sign not in _DROPPED and unicodedata.category(sign) not in ("Mn", "Lm", "Sk"):
            return None
        ipa = ipa[size or 1 :]
    return spelled


@lru_cache(maxsize=8)
def _table(identifier: str) -> dict[str, str]:
    """IPA → letters of what the voice can say, the shortest letters of several."""
    names = sorted(_names(), key=lambda name: (len(name), not name.isalpha(), name))
    recording = synthesise(" ".join(f"[[{name}]]" for name in names), identifier, 1.0, 1.0, phonemes=True)
    starts = dict(recording.words)
    table: dict[str, str] = {}
    position = 2
    ends = sorted(starts.values())
    for name in names:
        start = starts.get(position)
        position += len(name) + 5
        if start is None:
            continue
        end = next((sample for sample in ends if sample > start), None)
        said = [
            clean_symbol(phoneme.decode("utf-8", "ignore"))[0]
            for phoneme, sample in recording.phonemes
            if start <= sample and (end is None or sample < end)
        ]
        said = [symbol for symbol in said if symbol]
        # Alone, a German b is a p: a letter named like the sound is surer than one that came out as it.
        if len(said) == 1 and (said[0] not in table or name == said[0]):
            table[said[0]] = name
    return table


def _names() -> set[str]:
    """The letters of all phonemes in ``phontab``: a count, then tables of a head and entries of 16 bytes."""
    data = Path(espeakng_loader.get_data_path()) / "phontab"
    raw = data.read_bytes()
    names = set()
    at = 4
    for _ in range(raw[0]):
        count = raw[at]
        at += 4 + _NAME_SIZE
        for _ in range(count):
            (name,) = struct.unpack_from("4s", raw, at)
            if raw[at + 11] in _SPOKEN_TYPES:
                names.add(name.rstrip(b"\0").decode("latin-1"))
            at += _PHONEME_SIZE
    return {name for name in names if name[0] not in "_#*'%,=|" and "_" not in name and "[" not in name}
