"""Dates and times of day, as people read them."""

from __future__ import annotations

from avatalk.speech.language import Language
from avatalk.speech.numbers import cardinal, ordinal, year

_WEAK = "am im vom zum zur bis seit ab den dem des beim einem einer jedem jeder diesem dieser seinem ihrem"
_NAMED = "der die das ins fürs ums"
_GERMAN_ENDINGS = dict.fromkeys(_WEAK.split(), "n") | dict.fromkeys(_NAMED.split(), "")
"""What an ordinal ends in after a word: am zwanzigsten, der zwanzigste; elsewhere zwanzigster."""


def bends(before: str) -> bool:
    """Whether a German number with a stop behind it is an ordinal after the word `before`."""
    return before.lower() in _GERMAN_ENDINGS


def day_in_words(language: Language, day: int, before: str = "") -> str:
    """Return the day of a month; `before` is the word before it, which bends a German one."""
    if language.base == "de":
        return ordinal(language, day, _GERMAN_ENDINGS.get(before.lower(), "r"))
    if language.base == "en":
        return ordinal(language, day)
    if day == 1 and language.base in ("fr", "it", "pt"):
        return ordinal(language, 1, "m")
    return cardinal(language, day)


def date_in_words(language: Language, day: int, month: int, year_: int | None, before: str = "") -> str:
    """Return a date in words: November twentieth, twenty twenty-six.

    Args:
        language: of the words; American English names the month first.
        day: 1..31.
        month: 1..12.
        year_: None where the date has none.
        before: the word before the date.
    """
    name, number = language.months[month - 1], day_in_words(language, day, before)
    end = "" if year_ is None else year(language, year_)
    if language.base == "en":
        first = f"{name} {number}" if language.american else f"the {number} of {name}"
        first = first.removeprefix("the ") if before.lower() == "the" else first
        return f"{first}, {end}" if end else first
    joint = " de " if language.base in ("es", "pt") else " "
    return joint.join(filter(None, (number, name, end)))


def time_in_words(language: Language, hour: int, minute: int, half: str = "") -> str:
    """Return a time of day in words.

    Args:
        language: of the words.
        hour: 0..24.
        minute: 0..59.
        half: ``a`` or ``p`` where ``am`` or ``pm`` stands behind it, which only English reads.
    """
    return _CLOCKS[language.base](language, hour, minute, half)


def _english(language: Language, hour: int, minute: int, half: str) -> str:
    hours = cardinal(language, hour)
    if minute:
        spoken = f"{hours} {'oh ' if minute < 10 else ''}{cardinal(language, minute)}"
    elif half:
        spoken = hours
    else:
        spoken = f"{hours} o'clock" if 0 < hour < 13 else f"{hours} hundred"
    return f"{spoken} {half}.m." if half else spoken


def _german(language: Language, hour: int, minute: int, _half: str) -> str:
    hours = "ein" if hour == 1 else cardinal(language, hour)
    return f"{hours} Uhr {cardinal(language, minute)}" if minute else f"{hours} Uhr"


def _french(language: Language, hour: int, minute: int, _half: str) -> str:
    hours = f"{cardinal(language, hour, 'f')} heure{'s' if hour > 1 else ''}"
    return f"{hours} {cardinal(language, minute, 'f')}" if minute else hours


def _spanish(language: Language, hour: int, minute: int, _half: str) -> str:
    hours = cardinal(language, hour, "f")
    return f"{hours} y {cardinal(language, minute)}" if minute else f"{hours} en punto"


def _italian(language: Language, hour: int, minute: int, _half: str) -> str:
    hours = "una" if hour == 1 else cardinal(language, hour)
    return f"{hours} e {cardinal(language, minute)}" if minute else hours


def _portuguese(language: Language, hour: int, minute: int, _half: str) -> str:
    hours = f"{cardinal(language, hour, 'f')} hora{'s' if hour != 1 else ''}"
    return f"{hours} e {cardinal(language, minute)}" if minute else hours


_CLOCKS = {"en": _english, "de": _german, "fr": _french, "es": _spanish, "it": _italian, "pt": _portuguese}
