"""A description in words becomes facts about a person: which word belongs to which part of the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from avatalk.avatars.artist.svg import mix
from avatalk.avatars.drawn import words

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+s?|[,;.:()&]")
_SHADES = {
    "light": ("#fff4e2", 0.38),
    "pale": ("#fbf4ea", 0.5),
    "pastel": ("#fbf4ea", 0.5),
    "bright": ("#ffffff", 0.12),
    "dark": ("#0c0a10", 0.42),
    "deep": ("#0c0a10", 0.3),
}
_ENDS = {"and", "with", "in", "on", "who", "whose", "wearing", "has", "but", "or", "from", ""}
"""What follows a noun, not an adjective."""
_MOST_AGE, _LEAST_AGE = 90, 18


@dataclass(slots=True)
class Facts:
    """What a description says; what it leaves open is None or empty.

    Attributes:
        values: field of `Character`, or one of ``length``, ``texture``, ``beard_size``, → what was said.
        face: fields of `FaceShape`.
        origin: a key of `words.ORIGINS`.
        unknown: words that mean nothing to the artist, in their order.
        understood: whether any word meant something.
        child: whether a child is described.
    """

    values: dict[str, str | float] = field(default_factory=dict)
    face: dict[str, float] = field(default_factory=dict)
    role: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    unknown: list[str] = field(default_factory=list)
    understood: bool = False
    child: bool = False


def read(description: str) -> Facts:
    """Find out what an English description of a person says."""
    reader = _Reader(list(_tokens(description)))
    reader.run()
    return reader.facts


def _tokens(description: str) -> Iterator[str]:
    text = " ".join(_TOKEN.findall(re.sub(r"[-–—/_]", " ", description.lower().replace("’", "'"))))
    for phrase, word in words.PHRASES.items():
        text = re.sub(rf"\b{re.escape(phrase)}\b", word, text)
    yield from text.split()


class _Reader:
    """Reads from left to right: qualities wait for the noun that follows, or go to the one before an "is"."""

    def __init__(self, tokens: list[str]) -> None:
        self.facts = Facts()
        self._tokens = tokens
        self._waiting: list[str] = []
        self._last: words.Part | None = None
        self._copula = False
        self._denied = False

    def run(self) -> None:
        for i, word in enumerate(self._tokens):
            following = self._tokens[i + 1] if i + 1 < len(self._tokens) else ""
            before = self._tokens[i - 1] if i else ""
            if word in words.BREAKS:
                self._flush()
                self._denied = False
            elif word in words.DENIALS:
                self._denied = True
            elif word in words.AFFIRMATIONS:
                self._denied = False
            elif self._denied and self._deny(word):
                self._waiting = []
            elif word in words.IS:
                self._copula = True
            elif not self._take(word, before, following):
                if word not in words.SILENT and len(word) > 1:
                    if following in _ENDS | words.BREAKS:
                        self._leave()  # "a golden crown and grey braids": the crown's colour goes with it
                    self._unknown(word)
                continue
            self.facts.understood |= word not in words.BREAKS and word not in self._waiting
        self._flush()

    def _unknown(self, word: str) -> None:
        if word not in self.facts.unknown:
            self.facts.unknown.append(word)

    def _leave(self) -> None:
        """Leave the qualities that wait to a noun that means nothing to the artist."""
        for word in self._waiting:
            if word in words.COLOURS:
                self._unknown(word)
        self._waiting = []

    def _take(self, word: str, before: str, following: str) -> bool:
        """Use a word; return whether it means anything."""
        facts, values = self.facts, self.facts.values
        if self._is_age(word, before, following):
            return True
        if word in words.AGES and not (word == "old" and before in ("year", "years")):
            values.setdefault("age", words.AGES[word])
        facts.child |= word in words.CHILDREN
        if word in words.ROLES:
            facts.role |= words.ROLES[word]
        if word in words.SEX:
            values.setdefault("sex", words.SEX[word])
        if word in words.ALWAYS_HAIR:
            self._hair_colour(word)
            return True
        if word in words.PEOPLE or word in words.ROLES:
            self._to_person()
            return True
        if word in words.AGES:
            return True
        if word in words.ORIGINS:
            facts.origin = word
            return True
        if word in words.MOODS:
            values["smile"] = words.MOODS[word]
            return True
        part = self._noun(word)
        if part is not None:
            # "braided hair": both words are about the hair, and what waits belongs to the second.
            if self._noun(following) != part or word in ("glasses", "hair"):
                self._give(part)
            self._last, self._copula = part, False
            return True
        if self._is_quality(word):
            self._waiting.append(word)
            return True
        return False

    def _deny(self, word: str) -> bool:
        """Leave out what a word behind "no", "not" or "without" means; return whether it means anything."""
        values = self.facts.values
        part = words.NOUNS.get(word)
        if word in words.BEARDS:
            values["beard"] = "none"
        elif word in words.GLASSES:
            values["glasses"] = "none"
        elif word in words.HEADWEAR:
            values["headwear"] = "none"
        elif part in ("tie", "earrings"):
            values[part] = ""
        elif part in ("makeup", "freckles"):
            values[part] = 0.0
        elif word in words.STYLES:
            values["not_hair"] = words.STYLES[word]
        elif word in words.MOODS:
            values["smile"] = 0.2 if words.MOODS[word] > 0.2 else 0.6
        elif word in words.AGES and word not in words.SEX:
            values.setdefault("age", 35)
        else:
            return False
        self.facts.understood = True
        return True

    def _hair_colour(self, word: str) -> None:
        colour = words.HAIR_COLOURS.get(word, words.HAIR_COLOURS["red"])
        shade = self._waiting.pop() if self._waiting and self._waiting[-1] in _SHADES else ""
        self.facts.values["hair_colour"] = _shaded(colour, shade)

    def _is_age(self, word: str, before: str, following: str) -> bool:
        age: int | None = None
        if word in words.DECADES:
            age = words.DECADES[word] + words.WITHIN_DECADE.get(before, 5)
        elif word in words.WITHIN_DECADE:
            return following in words.DECADES
        elif word.isdigit() and (following.startswith("year") or 10 <= int(word[:3]) <= 120):
            age = int(word[:3])
        elif word in words.NUMBERS:
            age = words.NUMBERS[word]
        elif word in words.COUNTS and before in words.NUMBERS:
            age = words.NUMBERS[before] + words.COUNTS.index(word) + 1
        elif word in (*words.COUNTS, *words.TEENS) and following.startswith("year"):
            age = 10  # a child
        if age is None:
            return False
        self.facts.child |= age < _LEAST_AGE
        self.facts.values["age"] = min(max(age, _LEAST_AGE), _MOST_AGE)
        return True

    def _noun(self, word: str) -> words.Part | None:
        """Return the part of the picture that a noun means, and note what the noun itself says."""
        values = self.facts.values
        if word in words.NOUNS:
            part = words.NOUNS[word]
            if part == "freckles":
                values["freckles"] = 0.8
            elif part == "age":
                values.setdefault("age", 70)
            elif word == "lipstick":
                values["makeup"] = 0.75
                values.setdefault("lip_colour", "#a8343f")
            return part
        if word in words.STYLES:
            values["hair"] = words.STYLES[word]
            return "hair"
        if word in ("curls", "waves", "ringlets"):
            values["texture"] = words.TEXTURES[word]
            return "hair"
        if word in words.BEARDS:
            had, new = values.get("beard"), words.BEARDS[word]
            # A moustache with a beard is a beard.
            values["beard"] = "beard" if {had, new} == {"beard", "moustache"} else new
            return "beard"
        if word in words.GLASSES:
            values["glasses"] = words.GLASSES[word] or values.get("glasses", "")
            if word == "sunglasses":  # the artist has no dark lenses: eyes must be seen
                self.facts.unknown.append(word)
            return "glasses"
        if word in words.CLOTHES:
            self._clothes(words.CLOTHES[word], word)
            return "clothes"
        if word in words.HEADWEAR:
            values["headwear"] = words.HEADWEAR[word]
            return "headwear"
        return None

    def _clothes(self, kind: str, word: str) -> None:
        """Note a garment; the second one is worn over or under the first."""
        values, over = self.facts.values, ("blazer", "cardigan", "hoodie")
        had = values.get("clothes")
        if word == "labcoat":
            values["colour"] = "#eef1f3"
        if kind and had and kind not in over and had in over:
            values["garment"] = "accent"  # a shirt beneath a jacket
            return
        if kind in over and had and had not in over and "colour" in values:
            values["accent"] = values.pop("colour")
        values["garment"] = "colour"
        if kind:
            values["clothes"] = kind

    def _is_quality(self, word: str) -> bool:
        return (
            word in words.COLOURS
            or word in words.HAIR_COLOURS
            or word in words.LENGTHS
            or word in words.TEXTURES
            or word in words.GLASSES_SHAPES
            or word in words.MODIFIERS
            or word in words.BUILD
            or word in words.SKINS
            or word in words.EYE_COLOURS
        )

    def _to_person(self) -> None:
        """Give what waits to the person: a colour is that of the skin, the rest is build or hair."""
        for word in self._waiting:
            if word in words.SKINS:
                self.facts.values.setdefault("tone", words.SKINS[word])
            elif word in words.BUILD:
                self.facts.face |= words.BUILD[word]
            elif word in words.TEXTURES:
                self.facts.values["texture"] = words.TEXTURES[word]
        self._waiting = []

    def _flush(self) -> None:
        """At the end of a clause, give what still waits to the noun before it, if there is one."""
        if self._waiting and self._last is not None and self._copula:
            self._give(self._last)
        for word in self._waiting:
            if word in words.BUILD:
                self.facts.face |= words.BUILD[word]
            elif word in words.TEXTURES:
                self.facts.values["texture"] = words.TEXTURES[word]
            elif word in words.SKINS and word not in words.COLOURS:
                self.facts.values["tone"] = words.SKINS[word]
            elif word in words.COLOURS:
                self._unknown(word)
                continue
            else:
                continue
            self.facts.understood = True
        self._waiting, self._copula = [], False

    def _give(self, part: words.Part) -> None:
        """Give the qualities that wait to a part of the picture."""
        waiting, self._waiting = self._waiting, []
        values = self.facts.values
        for word in waiting:
            if change := words.FACE.get((word, part)):
                self.facts.face[change[0]] = change[1]
        if part == "hair":
            for word in waiting:
                if word in words.LENGTHS:
                    values["length"] = words.LENGTHS[word]
                elif word in words.TEXTURES:
                    values["texture"] = words.TEXTURES[word]
        elif part == "beard":
            big = {"long", "full", "bushy", "thick", "big", "large", "wild", "heavy"} & set(waiting)
            small = {"short", "trimmed", "neat", "small", "light"} & set(waiting)
            if big or small:
                values["beard_size"] = "full" if big else "short"
        elif part == "glasses":
            for word in waiting:
                if word in words.GLASSES_SHAPES:
                    values["glasses"] = words.GLASSES_SHAPES[word]
        elif part == "skin":
            tones = [words.SKINS[word] for word in waiting if word in words.SKINS]
            if tones:
                values["tone"] = sum(tones) / len(tones)
        elif part == "makeup":
            values["makeup"] = 1.0 if {"heavy", "bold", "bright", "strong"} & set(waiting) else 0.6
        elif part == "cheeks" and "rosy" in waiting:
            values.setdefault("tone", 0.1)
        self._colour(part, waiting)

    def _colour(self, part: words.Part, waiting: list[str]) -> None:
        values = self.facts.values
        if part == "clothes":
            name = str(values.pop("garment", "colour"))
        elif part in _COLOUR_OF:
            name = _COLOUR_OF[part]
        else:
            return
        found = _colours(part, waiting)
        if found:
            values[name] = found[0]
        if len(found) > 1 and part == "clothes" and name == "colour":
            values["accent"] = found[1]
        if part in ("tie", "earrings") and not found:
            values.setdefault(name, {"tie": "#7a2434", "earrings": "#d9aa55"}[part])


_COLOUR_OF: dict[words.Part, str] = {
    "hair": "hair_colour",
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
}


_PLAIN = {"dark": "#2b2f38", "light": "#dcd8d0", "leather": "#2a2624"}
"""Clothes whose colour is said by no colour."""


def _colours(part: words.Part, waiting: list[str]) -> list[str]:
    """Return the colours among the qualities of a part, each with its shade."""
    table = words.COLOURS
    if part in ("hair", "tips", "beard", "brows"):
        table = words.COLOURS | words.HAIR_COLOURS
    elif part == "eyes":
        table = words.EYE_COLOURS
    found: list[str] = []
    shade = ""
    for word in waiting:
        if word in _SHADES and any(other in table and other not in _SHADES for other in waiting):
            shade = word
        elif word in table:
            warm = shade == "light" and part in ("hair", "tips", "beard", "brows")
            found.append(mix(table[word], table["light"], 0.5) if warm else _shaded(table[word], shade))
            shade = ""
    if not found and part == "clothes":
        found = [_PLAIN[word] for word in waiting if word in _PLAIN]
    return found


def _shaded(colour: str, shade: str) -> str:
    return mix(colour, *_SHADES[shade]) if shade else colour
