"""Numbers in words, by the rules of the Unicode CLDR (unicode-rbnf)."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from avatalk.speech.language import Language

if TYPE_CHECKING:
    from unicode_rbnf import RbnfEngine

_GENDERS = {"m": "masculine", "f": "feminine", "n": "neuter"}
_YEARS = range(1100, 2100)
_LONGEST = 15
"""Digits of a number that anybody reads as one; more are read one by one."""
_READ_AS_NUMBER = {"fr", "es", "it", "pt"}
"""Languages in which two decimals are read as a number: trois virgule quatorze."""


@cache
def _engine(base: str) -> RbnfEngine:
    from unicode_rbnf import RbnfEngine  # when the first number comes: many texts have none

    return RbnfEngine.for_language(base)


@lru_cache(maxsize=4096)
def _spelled(base: str, number: int, purpose: str, ruleset: str) -> str:
    from unicode_rbnf import FormatPurpose

    names = [ruleset] if ruleset.endswith("verbose") else None  # not among those of a purpose
    by_ruleset = _engine(base).format_number(number, FormatPurpose[purpose], names).text_by_ruleset
    default = "spellout-numbering" if purpose == "CARDINAL" else next(iter(by_ruleset))
    return by_ruleset.get(ruleset) or by_ruleset[default]


def cardinal(language: Language, number: int, gender: str = "") -> str:
    """Return a whole number in words; with a gender, as it stands before a noun of it."""
    if language.base == "en":
        ruleset = "" if language.american else "spellout-cardinal-verbose"
    else:
        ruleset = f"spellout-cardinal-{_GENDERS[gender]}" if gender else ""
    return _spelled(language.base, number, "CARDINAL", ruleset)


def ordinal(language: Language, number: int, form: str = "") -> str:
    """Return an ordinal in words; `form` is a gender, of a German one the letter that it ends in."""
    if language.base == "de":
        ruleset = f"spellout-ordinal-{form}" if form else "spellout-ordinal"
    elif language.base == "en":
        ruleset = "" if language.american else "spellout-ordinal-verbose"
    else:
        ruleset = f"spellout-ordinal-{_GENDERS.get(form, 'masculine')}"
    return _spelled(language.base, number, "ORDINAL", ruleset)


def year(language: Language, number: int) -> str:
    """Return a year in words: nineteen eighty-four."""
    if language.base not in ("en", "de"):
        return cardinal(language, number)
    if language.base == "en" and 2000 < number < 2010:
        return f"two thousand {cardinal(language, number - 2000)}"
    return _spelled(language.base, number, "YEAR", "spellout-numbering-year")


def digits(language: Language, text: str) -> str:
    """Return the digits of `text` one by one."""
    return " ".join(cardinal(language, int(char)) for char in text if char.isdecimal())


def number(language: Language, text: str, gender: str = "", years: bool = False) -> str:
    """Return a number as it is written in the language, in words.

    Args:
        language: whose signs `text` has between thousands and before decimals.
        text: digits, grouped or not, with or without decimals.
        gender: of what is counted, if something is.
        years: whether four digits may be a year.
    """
    grouped = any(sign in text for sign in language.thousands)
    whole, point, decimals = text.partition(language.decimal)
    whole = "".join(filter(str.isdecimal, whole))
    if not whole or len(whole) > _LONGEST or (len(whole) > 1 and whole[0] == "0"):
        words = digits(language, whole)
    elif years and not grouped and not point and len(whole) == 4 and int(whole) in _YEARS:
        words = year(language, int(whole))
    else:
        words = cardinal(language, int(whole), "" if point else gender)
    if not point:
        return words
    as_number = language.base in _READ_AS_NUMBER and len(decimals) < 3 and decimals[0] != "0"
    after = cardinal(language, int(decimals)) if as_number else digits(language, decimals)
    return f"{words} {language.signs['point']} {after}"
