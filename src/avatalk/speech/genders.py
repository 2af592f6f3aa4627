"""The gender of a noun that is counted, by its ending: veintiuna casas, duas horas, eine Woche."""

from __future__ import annotations

import re

from avatalk.speech.language import Language

_MALE_IN_A = r"(?:d[ií]|problem|sistem|program|tem|map|idiom|clim|planet|telegram|poem|dram)as?"
_RULES: dict[str, tuple[tuple[str, str], ...]] = {
    "es": (
        (_MALE_IN_A, "m"),
        (r"\w+(?:as?|ci[oó]n|ciones|si[oó]n|siones|dad|dades)", "f"),
        (r"\w{2,}(?:o|[^m]os|ores|ales|or|al|ón|ones|entes?)", "m"),
    ),
    "pt": (
        (_MALE_IN_A, "m"),
        (r"\w+(?:as?|ção|ções|são|sões|dades?|gens?)", "f"),
    ),
    "it": ((_MALE_IN_A, "m"), (r"\w+(?:a|zione|sione|tà)", "f"), (r"\w{2,}o", "m")),
    "de": ((r"[A-ZÄÖÜ]\w+(?:ung|heit|keit|schaft|ion|tät|person|e)|Person", "f"), (r"[A-ZÄÖÜ]\w+", "n")),
}
_NO_NOUNS = (
    "la las una unas esta esa para como cuando contra hasta hacia entre o no lo los solo pero "
    "da das na nas uma umas essa mas ou do dos della dalla alla sulla nella"
)


def gender_before(language: Language, after: str) -> str:
    """Return ``m``, ``f`` or ``n`` if what follows a number seems to be what it counts; else nothing.

    Args:
        language: of the text.
        after: what stands behind the number.
    """
    word = re.match(r"[ \u00a0](\w+)", after)
    if word is None or word[1] in _NO_NOUNS.split():
        return ""
    rules = _RULES.get(language.base, ())
    return next((gender for ending, gender in rules if re.fullmatch(ending, word[1])), "")
