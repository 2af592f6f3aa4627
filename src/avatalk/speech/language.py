"""What numbers, dates, money, units, signs and abbreviations are called: the tables in ``languages/``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_TABLES = Path(__file__).parent / "languages"
_LETTERS_OF_A_MONTH = (3, 4, 5)


@dataclass(frozen=True, slots=True)
class Noun:
    """What is counted: one of it, many of it, and its gender: ``m``, ``f`` or ``n``."""

    one: str
    many: str
    gender: str = "m"


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language.

    Attributes:
        tag: BCP-47, ``en``, ``en-GB``; the tables are those of its first part.
        decimal: sign before decimals.
        thousands: signs that may group digits.
        months: twelve names.
        months_by_name: names and what they are abbreviated to, lower case, without a stop → 1..12.
        money: sign or code → the currency; with a slash before it, its hundredth.
        cents: how whole and hundredths are joined.
        of: between million and the currency.
        scales: words for large numbers that may stand between number and currency.
        units: sign → what is counted.
        short: abbreviation, with its stops → the words.
        signs: character → its name; and ``www``, ``point`` (decimal), ``minus``, ``to`` (in ranges).
    """

    tag: str
    decimal: str
    thousands: str
    months: tuple[str, ...]
    months_by_name: dict[str, int]
    money: dict[str, Noun]
    cents: str
    of: str
    scales: tuple[str, ...]
    units: dict[str, Noun]
    short: dict[str, str]
    signs: dict[str, str]

    @property
    def base(self) -> str:
        """The first part of the tag."""
        return self.tag.partition("-")[0]

    @property
    def american(self) -> bool:
        """Whether this is English as in the United States: the month first, no and in numbers."""
        return self.tag in ("en", "en-US")


@cache
def language_of(tag: str) -> Language | None:
    """Return the words of the language of a BCP-47 tag; None where there is no table."""
    path = _TABLES / f"{tag.partition('-')[0].lower()}.json"
    if not path.is_file():
        return None
    table: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if tag in ("es-419", "es-MX", "es-US"):  # Mexico and Central America write numbers as the English do
        table |= {"decimal": ".", "thousands": ",\u00a0\u202f"}
    months = tuple(table["months"])
    by_name = {name.lower()[:size]: n for n, name in enumerate(months, 1) for size in _LETTERS_OF_A_MONTH}
    by_name |= table["short_months"] | {name.lower(): n for n, name in enumerate(months, 1)}
    return Language(
        tag=tag,
        decimal=table["decimal"],
        thousands=table["thousands"],
        months=months,
        months_by_name=by_name,
        money={sign: Noun(*names) for sign, names in table["money"].items()},
        cents=table["cents"],
        of=table["of"],
        scales=tuple(table["scales"]),
        units={sign: Noun(*names) for sign, names in table["units"].items()},
        short=table["short"],
        signs=table["signs"],
    )
