"""Colours of a description: which words are one, on which part of the picture."""

from __future__ import annotations

from avatalk.avatars.artist.svg import mix
from avatalk.avatars.drawn import words

SHADES = {
    "light": ("#fff4e2", 0.38),
    "pale": ("#fbf4ea", 0.5),
    "pastel": ("#fbf4ea", 0.5),
    "bright": ("#ffffff", 0.12),
    "dark": ("#0c0a10", 0.42),
    "deep": ("#0c0a10", 0.3),
}
"""Words that change a colour: what is mixed in, and how much of it."""

COLOUR_OF: dict[words.Part, str] = {
    "hair": "hair_colour",
    "hijab": "hijab_colour",
    "tips": "hair_tips",
    "beard": "beard_colour",
    "eyes": "eye_colour",
    "brows": "brow_colour",
    "lips": "lip_colour",
    "glasses": "glasses_colour",
    "tie": "tie",
    "headwear": "headwear_colour",
    "earrings": "earrings",
    "backdrop": "backdrop",
    "eyeshadow": "eyeshadow",
    "pattern": "pattern_colour",
    "streaks": "hair_streaks",
    "bow_tie": "bow_tie",
    "scarf": "scarf",
    "pearls": "pearls",
    "necklace": "necklace",
    "stethoscope": "stethoscope",
    "suspenders": "suspenders",
    "headphones": "headphones",
    "eyepatch": "eyepatch",
    "nose_ring": "nose_ring",
    "flower": "flower",
    "badge": "badge",
}
"""Part of the picture → name in `Facts.values` of its colour."""


_PLAIN = {"dark": "#2b2f38", "light": "#dcd8d0", "leather": "#2a2624", "tweed": "#7a6a52"}
"""Clothes whose colour is said by no colour."""


def colours(part: words.Part, waiting: list[str]) -> list[str]:
    """Return the colours among the qualities of a part, each with its shade."""
    table = words.COLOURS
    if part in ("hair", "tips", "streaks", "beard", "brows"):
        table = words.COLOURS | words.HAIR_COLOURS
    elif part == "eyes":
        table = words.COLOURS | words.EYE_COLOURS
    found: list[str] = []
    shade = ""
    for word in waiting:
        if word in SHADES and any(other in table and other not in SHADES for other in waiting):
            shade = word
        elif word in table:
            warm = shade == "light" and part in ("hair", "tips", "streaks", "beard", "brows")
            found.append(mix(table[word], table["light"], 0.5) if warm else shaded(table[word], shade))
            shade = ""
    if not found and part == "clothes":
        found = [_PLAIN[word] for word in waiting if word in _PLAIN]
    return found


def shaded(colour: str, shade: str) -> str:
    """Return a colour as a word such as "light" or "dark" changes it; any other leaves it."""
    return mix(colour, *SHADES[shade]) if shade else colour
