"""The ways of reading that ``say-as`` asks for."""

from __future__ import annotations

import re

from avatalk.speech.dates import date_in_words, time_in_words
from avatalk.speech.language import language_of
from avatalk.speech.normalise import changes
from avatalk.speech.numbers import cardinal, digits, number, ordinal
from avatalk.speech.reading import read


def spelled(text: str, tag: str) -> str:
    """Return the characters of `text` one by one, each by its name."""
    language = language_of(tag)
    names = []
    for char in text:
        if char.isspace():
            continue
        if language is not None and char.isdecimal():
            names.append(cardinal(language, int(char)))
        elif language is not None and char in language.signs:
            names.append(language.signs[char])
        else:
            names.append(char.upper())
    return ", ".join(names)


def as_said(text: str, kind: str, form: str, tag: str) -> str | None:
    """Return `text` read as ``interpret-as`` says; None if it cannot be, or the language has no table.

    Args:
        text: as written.
        kind: ``cardinal``, ``ordinal``, ``digits``, ``date``, ``time``, ``telephone`` and their other names.
        form: order of a date, such as ``dmy``.
        tag: BCP-47 tag of the language.
    """
    language = language_of(tag)
    if language is None:
        return None
    numbers = [int(part) for part in re.findall(r"\d{1,15}", text)]
    if not numbers:
        return None
    if kind in ("cardinal", "number", "fraction", "unit", "currency"):
        found = changes(text, tag)
        return number(language, text.strip()) if kind == "cardinal" or not found else read(text, found).spoken
    if kind == "ordinal":
        return ordinal(language, numbers[0])
    if kind in ("digits", "telephone", "phone"):
        return ", ".join(digits(language, part) for part in re.findall(r"\d+", text))
    if kind == "date":
        order = form if len(form) == len(numbers) and set(form) <= set("dmy") else "ymd"[-len(numbers) :]
        fields = dict(zip(order, numbers, strict=False))
        if {"d", "m"} <= set(fields) and fields["d"] in range(1, 32) and fields["m"] in range(1, 13):
            return date_in_words(language, fields["d"], fields["m"], fields.get("y"))
        found = changes(text, tag)
        return read(text, found).spoken if found else None
    if kind == "time" and numbers[0] <= 24:
        return time_in_words(language, numbers[0], numbers[1] if len(numbers) > 1 else 0)
    return None
