"""The writing systems of a text, by the Unicode names of its characters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

_BY_NAME = {
    "CJK": "Han",
    "IDEOGRAPHIC": "Han",
    "KANGXI": "Han",
    "BOPOMOFO": "Bopomofo",
    "HIRAGANA": "Hiragana",
    "KATAKANA": "Katakana",
    "KATAKANA-HIRAGANA": "Katakana",
    "HALFWIDTH": "Katakana",
    "FULLWIDTH": "Latin",
    "NKO": "N'Ko",
}
_COMMON = frozenset(
    {"MODIFIER", "COMBINING", "FEMININE", "MASCULINE", "MICRO", "MATHEMATICAL", "DOUBLE-STRUCK"}
)


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """Return the script of a letter, ``"Latin"``; empty for what belongs to none or is no letter."""
    if not char.isalpha():
        return ""
    first = unicodedata.name(char, "").split(" ")[0]
    if not first or first in _COMMON:
        return ""
    return _BY_NAME.get(first, first.capitalize())


def scripts_in(text: str) -> Counter[str]:
    """Count the letters of `text` by script."""
    counts = Counter(map(script_of, text))
    del counts[""]
    return counts
