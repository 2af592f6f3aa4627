"""Which language a text in Latin letters is in, told by its most frequent words and by its letters.

The tables hold the words that any text of a language is full of: articles, prepositions, pronouns, forms of
to be and to have, greetings. A word counts less the more languages have it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from itertools import islice

_LETTERS = {
    "cs": "ěřůťďňžščáéíúý",
    "da": "æøå",
    "de": "äöüß",
    "es": "ñ¿¡áéíóú",
    "fi": "äö",
    "fr": "éèêëàâçîïôûùœ",
    "hu": "őűáéíóöúü",
    "it": "èéàòùì",
    "nb": "æøå",
    "nl": "ë",
    "pl": "ąćęłńśźżó",
    "pt": "ãõçáéíóêâ",
    "ro": "ăâîșțşţ",
    "sv": "åäö",
    "tr": "ğışçöü",
    "vi": "ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
}
"""Letters of each language that English has not."""

_WORDS = 2000  # from the beginning of a text, which are enough to tell
_FEWEST = 3
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_LETTER = 0.5  # of a word, that one with a letter of the language is worth
_LEAST, _LEAST_SHARE = 1.2, 0.2
"""What must speak for a language, in words, and as a share of all."""
_ENGLISH = 1.5
"""How much more than for English."""


@cache
def _words() -> dict[str, dict[str, float]]:
    """Word → the languages that have it, and what it is worth for them."""
    text = files("avatalk.speech").joinpath("function_words.json").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for language, words in json.loads(text).items():
        for word in words.split():
            found.setdefault(word, []).append(language)
    return {word: dict.fromkeys(languages, 1 / len(languages)) for word, languages in found.items()}


@cache
def _letters() -> dict[str, dict[str, float]]:
    found: dict[str, list[str]] = {}
    for language, letters in _LETTERS.items():
        for letter in letters:
            found.setdefault(letter, []).append(language)
    return {letter: dict.fromkeys(languages, _LETTER / len(languages)) for letter, languages in found.items()}


def latin_language(text: str) -> str | None:
    """Return the language that a text in Latin letters seems to be in: ``de``; None where nothing is clear.

    Fewer than three words are never clear. In doubt between English and another it is not the other.
    """
    shouted = not any(char.islower() for char in text[:_WORDS])
    counts: Counter[str] = Counter()
    total = 0
    for match in islice(_WORD.finditer(text), _WORDS):
        total += 1
        word = match[0]
        named = word[0].isupper() and not _begins(text, match.start())
        if not shouted and (named or word.isupper()):
            continue  # a name, as in Los Angeles, or CA
        word = word.lower().replace("’", "'")
        counts.update(_words().get(word, {}))
        best: dict[str, float] = {}
        for letter in word:
            best |= _letters().get(letter, {})
        counts.update(best)
    if "¿" in text or "¡" in text:
        counts["es"] += 1
    if total < _FEWEST or not counts:
        return None
    english = counts["en"]
    language, score = counts.most_common(1)[0]
    if language == "en":
        return "en"
    clear = score >= max(_LEAST, _LEAST_SHARE * total, _ENGLISH * english + _LETTER)
    return language if clear else None


def _begins(text: str, place: int) -> bool:
    """Whether a sentence begins at `place`."""
    before = text[max(0, place - 8) : place].rstrip(" \t\"'“„«‘¿¡([-–—")
    return not before or before[-1] in ".!?…:\n"
