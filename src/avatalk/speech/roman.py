"""Roman numerals, where what stands around them says that they are some: Henry VIII, chapter IV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from avatalk.speech.language import Language
from avatalk.speech.numbers import cardinal, ordinal

_NUMERAL = r"(?<![\w.&'’-])(?P<roman>X{0,3}(?:IX|IV|V?I{0,3}))(?<=[IVX])"
"""1 to 39; what is larger is seldom written so, and looks like words: CD, DIV, MIX."""

_VALUES = {"I": 1, "V": 5, "X": 10}
_HIGHEST_ORDINAL = {"fr": 1, "es": 10, "pt": 10}
"""Of kings and popes; above it they are counted: Louis quatorze, Alfonso trece."""

_BEFORE = {
    "en": "chapter part volume book act scene section article appendix phase stage type class level "
    "war title",
    "de": "kapitel teil band buch akt szene abschnitt artikel anhang phase stufe typ klasse weltkrieg",
    "fr": "chapitre partie tome volume livre acte scène section article annexe phase type classe",
    "es": "capítulo parte tomo volumen libro acto escena sección artículo anexo fase tipo clase",
    "it": "capitolo parte tomo volume libro atto scena sezione articolo allegato fase tipo classe",
    "pt": "capítulo parte tomo volume livro ato cena seção secção artigo anexo fase tipo classe",
}
"""What is numbered so."""
_KINGS = """
henry charles george edward william james richard elizabeth mary john paul louis philip peter nicholas
alexander catherine frederick francis ferdinand napoleon benedict pius gregory leo clement innocent urban
ramses ivan heinrich karl georg eduard wilhelm friedrich ludwig philipp nikolaus katharina franz leopold otto
maximilian benedikt henri françois philippe napoléon jean-paul pie benoît grégoire léon jacques édouard
felipe carlos alfonso isabel juan fernando enrique benedicto pío gregorio luigi carlo filippo enrico
federico umberto vittorio emanuele benedetto giovanni paolo pio leone luís joão pedro afonso bento josé
"""
_CENTURIES = {"es": "siglo", "pt": "século"}
_CENTURY = {"en": "century", "it": "secolo", "de": "jahrhundert jh"}


@cache
def _kings() -> frozenset[str]:
    return frozenset(_KINGS.split())


def romans(language: Language, match: re.Match[str], before: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, stop and words for a match of `pattern_of` behind the word `before`, if it is a number."""
    after, ending = match.string[match.end("roman") :], match["ending"]
    if ending in ("", "."):
        words = _in_words(language, match["roman"], before, after)
    else:
        words = ordinal(language, _value(match["roman"]), "m")
    if words is not None:
        closes = ending == "." and not after.strip(".").strip()
        yield match.start(), match.end(), words + "." * closes


def pattern_of(language: Language) -> str:
    """Return the pattern of Roman numerals, with what stands behind them as an ordinal."""
    ending = {"de": r"\.?", "fr": "(?:er|e|ème)?"}.get(language.base, "")
    return rf"{_NUMERAL}(?P<ending>{ending})(?![\w&'’-])"


def _in_words(language: Language, numeral: str, before: str, after: str) -> str | None:
    """Return the words for a Roman numeral; None where it may be something else.

    Args:
        language: of the words.
        numeral: ``VIII``.
        before: the word before it.
        after: what follows it, its stop or its ending included: ``. und``, ``e siècle``.
    """
    value, base = _value(numeral), language.base
    word = before.lower().strip("\"'“”«»([")
    following = (re.findall(r"\w+", after) or [""])[0].lower()
    if base == "en" and numeral == "I" and re.match(r"\s+(?!of\b)\w", after):
        return None  # the chapter I read
    if word in _BEFORE.get(base, "").split() and numeral != "X":
        return cardinal(language, value)
    if word == _CENTURIES.get(base):
        return (
            ordinal(language, value)
            if value <= _HIGHEST_ORDINAL[base] and base == "pt"
            else cardinal(language, value)
        )
    if following in _CENTURY.get(base, "").split():
        return ordinal(language, value, "n" if base == "de" else "m")
    if not before[:1].isupper() or (word.removesuffix("s") not in _kings() and word not in _kings()):
        return None
    if base == "en":
        return f"the {ordinal(language, value)}"
    if base == "de":
        genitive = word not in _kings()
        return f"des {ordinal(language, value, 'n')}" if genitive else f"der {ordinal(language, value)}"
    if value > _HIGHEST_ORDINAL.get(base, value):
        return cardinal(language, value)
    return ordinal(language, value, "m")


def _value(numeral: str) -> int:
    values = [_VALUES[letter] for letter in numeral]
    return sum(
        -one if one < following else one for one, following in zip(values, [*values[1:], 0], strict=True)
    )
