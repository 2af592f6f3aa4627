"""English words that describe how a person looks, and what each means to the artist (``words.json``).

In the file, a key holds all words of the same meaning, separated by spaces.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Literal, NamedTuple

Part = Literal[
    "hair", "hijab", "tips", "beard", "eyes", "brows", "lips", "skin", "glasses", "clothes", "tie",
    "headwear", "earrings", "makeup", "eyeshadow", "backdrop", "face", "nose", "mouth", "cheeks",
    "neck", "jaw", "chin", "freckles", "age", "pattern", "streaks", "bow_tie", "scarf", "pearls",
    "necklace", "stethoscope", "suspenders", "headphones", "eyepatch", "nose_ring", "flower",
    "badge",
]  # fmt: skip


class Origin(NamedTuple):
    """Where somebody comes from, as ranges: everybody in them is drawn by chance, and any other word wins.

    Attributes:
        tone: of the skin, lowest and highest.
        hair: names of `HAIR_COLOURS` to choose from.
        eyes: names of `EYE_COLOURS` likewise.
        face: field of `FaceShape` → lowest and highest.
    """

    tone: tuple[float, float]
    hair: tuple[str, ...]
    eyes: tuple[str, ...]
    face: dict[str, tuple[float, float]]


def _spread(table: dict[str, Any]) -> dict[str, Any]:
    return {word: meaning for key, meaning in table.items() for word in key.split()}


def _origin(said: dict[str, Any]) -> Origin:
    face = {name: (low, high) for name, (low, high) in said["face"].items()}
    low, high = said["tone"]
    return Origin((low, high), tuple(said["hair"].split()), tuple(said["eyes"].split()), face)


_WORDS: dict[str, Any] = json.loads((files(__package__) / "words.json").read_text("utf-8"))

PHRASES: dict[str, str] = _WORDS["phrases"]
"""What people write in several words → the one word it is taken for."""
SILENT = frozenset(_WORDS["silent"].split())
"""Words that say nothing about looks."""
BREAKS = frozenset(",;.:()")
IS = frozenset(["is", "are", "looks", "was"])
SEX: dict[str, str] = _spread(_WORDS["sex"])
PEOPLE = frozenset(SEX) | frozenset(_WORDS["people"].split())
AGES: dict[str, int] = _spread(_WORDS["ages"])
DECADES: dict[str, int] = _spread(_WORDS["decades"])
WITHIN_DECADE: dict[str, int] = _spread(_WORDS["within_decade"])
NUMBERS: dict[str, int] = _spread(_WORDS["numbers"])
DENIALS = frozenset(["no", "not", "without", "never", "isn't", "lacks"])
AFFIRMATIONS = frozenset(["with", "but", "wearing", "wears", "has", "who", "whose", "in"])
CHILDREN = frozenset(["child", "kid", "baby", "toddler", "infant", "schoolboy", "schoolgirl", "little"])
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen")
COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COLOURS: dict[str, str] = _spread(_WORDS["colours"])
HAIR_COLOURS: dict[str, str] = _spread(_WORDS["hair_colours"])
"""Colours that mean another thing on hair; any other is dyed in."""
ALWAYS_HAIR = frozenset(_WORDS["always_hair"].split())
"""Colours that are said of nothing but hair."""
EYE_COLOURS: dict[str, str] = _spread(_WORDS["eye_colours"])
SKINS: dict[str, float] = _spread(_WORDS["skins"])
"""Word → `Skin.tone`."""
ORIGINS: dict[str, Origin] = {word: _origin(said) for word, said in _spread(_WORDS["origins"]).items()}
NOUNS: dict[str, Part] = _spread(_WORDS["nouns"])
WORN: dict[Part, str] = _WORDS["worn"]
"""Small things to wear, and their colours where none is said."""
MARKS: dict[str, str] = _spread(_WORDS["marks"])
"""Word → one of `Skin.marks`."""
PATTERNS: dict[str, str] = _spread(_WORDS["patterns"])
STYLES: dict[str, str] = _spread(_WORDS["styles"])
"""Words that are a way to wear the hair → `Character.hair`."""
LENGTHS: dict[str, str] = _spread(_WORDS["lengths"])
TEXTURES: dict[str, str] = _spread(_WORDS["textures"])
BEARDS: dict[str, str] = _spread(_WORDS["beards"])
GLASSES: dict[str, str] = _spread(_WORDS["glasses"])
GLASSES_SHAPES: dict[str, str] = _spread(_WORDS["glasses_shapes"])
CLOTHES: dict[str, str] = _spread(_WORDS["clothes"])
CLOTHES_COLOURS: dict[str, str] = _spread(_WORDS["clothes_colours"])
"""Garments that have a colour of their own unless another is said."""
HEADWEAR: dict[str, str] = _spread(_WORDS["headwear"])
HEADWEAR_COLOURS: dict[str, str] = _spread(_WORDS["headwear_colours"])
ROLES: dict[str, dict[str, str]] = _spread(_WORDS["roles"])
"""What work or a part in life makes people wear, unless the description says something else."""
CUSTOMS: dict[str, dict[str, str]] = _spread(_WORDS["customs"])
"""What a faith makes people wear, whatever their part in life."""
MOODS: dict[str, float] = _spread(_WORDS["moods"])
"""Word → `Character.smile`."""
EXPRESSIONS: dict[str, dict[str, float]] = _spread(_WORDS["expressions"])
"""Word → fields of `Expression`."""
FACE: dict[tuple[str, str], tuple[str, float]] = {
    (key.split()[0], key.split()[1]): (change[0], change[1]) for key, change in _WORDS["face"].items()
}
"""Word before a part → field of `FaceShape` and its value."""
BUILD: dict[str, dict[str, float]] = _spread(_WORDS["build"])
MODIFIERS = frozenset(_WORDS["modifiers"].split())
"""Qualities that have no colour."""
