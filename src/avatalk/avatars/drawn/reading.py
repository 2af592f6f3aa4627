"""A description in words becomes facts about a person: which word belongs to which part of the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator

from avatalk.avatars.drawn import words
from avatalk.avatars.drawn.colours import COLOUR_OF, SHADES, colours, shaded
from avatalk.avatars.drawn.facts import Facts

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+s?|[,;.:()&]")
_PHRASE = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words.PHRASES, key=len, reverse=True)))})\b")
_ENDS = {"and", "with", "in", "on", "who", "whose", "wearing", "has", "but", "or", "from", ""}
"""What follows a noun, not an adjective."""
_OUTER = ("blazer", "cardigan", "hoodie", "jacket", "waistcoat", "robe", "raincoat", "overalls")
"""Clothes worn over others."""
_BEARD_SIZES = {
    "short": {"short", "trimmed", "neat", "small", "light", "groomed", "manicured"},
    "full": {"full", "bushy", "thick", "big", "large", "wild", "heavy", "huge"},
    "long": {"long", "flowing"},
}
_KINDS = {
    "hat": ("toque", "straw", "sombrero", "bowler", "tophat", "tricorn", "wizard"),
    "helmet": ("bubble", "horned"),
}
"""What the hat of a trade may be, where it is only called a hat."""
_MOST_AGE, _LEAST_AGE = 90, 18


def read(description: str) -> Facts:
    """Find out what an English description of a person says."""
    reader = _Reader(list(_tokens(description)))
    reader.run()
    return reader.facts


def _tokens(description: str) -> Iterator[str]:
    text = " ".join(_TOKEN.findall(re.sub(r"[-–—/_]", " ", description.lower().replace("’", "'"))))
    yield from _PHRASE.sub(lambda found: words.PHRASES[found[0]], text).split()


class _Reader:
    """Reads from left to right: qualities wait for the noun that follows, or go to the one before an "is"."""

    def __init__(self, tokens: list[str]) -> None:
        self.facts = Facts()
        self._tokens = tokens
        self._waiting: list[str] = []
        self._last: words.Part | None = None
        self._copula = False
        self._denied = False
        self._bare = True  # whether the clause has named nothing yet
        self._hat = ""  # the word for what is on the head

    def run(self) -> None:
        for i, word in enumerate(self._tokens):
            following = self._tokens[i + 1] if i + 1 < len(self._tokens) else ""
            before = self._tokens[i - 1] if i else ""
            if word == ":" and self._last is not None:
                self._copula = True  # "hair: black"
            elif word in words.BREAKS:
                self._flush()
                self._bare = True
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
        usual = self.facts.role.get("headwear")
        if usual in _KINDS.get(self._hat, ()):
            self.facts.values["headwear"] = usual  # the white hat of a chef

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
        if word in words.ORIGINS:
            facts.origin = word
        if word in words.ROLES:
            facts.role |= words.ROLES[word]
        facts.custom |= words.CUSTOMS.get(word, {})
        if word in words.ALWAYS_HAIR and (
            words.NOUNS.get(following) in ("streaks", "tips", "brows") or following in words.BEARDS
        ):
            self._waiting.append(word)  # a ginger beard
            return True
        if word in words.SEX:
            values.setdefault("sex", words.SEX[word])
        if word in words.ALWAYS_HAIR:
            self._bare = False
            self._hair_colour(word)
            return True
        if word in words.PEOPLE or word in words.ROLES or word in words.CUSTOMS:
            self._bare = False
            self._to_person()
            return True
        if word in words.AGES:
            return True
        if word in words.ORIGINS:
            return True
        if word in words.MOODS or word in words.EXPRESSIONS:
            if word in words.MOODS:
                values["smile"] = words.MOODS[word]
            facts.expression |= words.EXPRESSIONS.get(word, {})
            return True
        if word == "braces" and not self._waiting:
            return False  # those of the teeth; red braces hold trousers
        if word in words.MARKS:
            facts.marks.add(words.MARKS[word])
            return True
        if word in words.STYLES and following in words.BEARDS:
            self._waiting.append("long")  # a braided beard
            return True
        part = self._noun(word)
        if part is not None:
            # "braided hair": both words are about the hair, and what waits belongs to the second.
            self._bare = False
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
            values["glasses"], values["lenses"] = "none", ""
        elif word in words.HEADWEAR:
            values["headwear"] = "none"
        elif part in words.WORN:
            values[COLOUR_OF[part]] = ""
        elif word in words.PATTERNS:
            values["pattern"] = "plain"
        elif word in words.MARKS:
            self.facts.marks.discard(words.MARKS[word])
        elif word == "hair":
            values["hair"] = "bald"
        elif part in ("makeup", "freckles"):
            values[part] = 0.0
        elif word in words.STYLES:
            values["not_hair"] = words.STYLES[word]
        elif word in words.MOODS:
            for name in words.EXPRESSIONS.get(word, {}):
                self.facts.expression.pop(name, None)
            values["smile"] = 0.2 if words.MOODS[word] > 0.2 else 0.6
        elif word in words.AGES and word not in words.SEX:
            values.setdefault("age", 35)
        else:
            return False
        self.facts.understood = True
        return True

    def _hair_colour(self, word: str) -> None:
        colour = words.HAIR_COLOURS.get(word, words.HAIR_COLOURS["red"])
        shade = self._waiting.pop() if self._waiting and self._waiting[-1] in SHADES else ""
        self.facts.values["hair_colour"] = shaded(colour, shade)

    def _is_age(self, word: str, before: str, following: str) -> bool:
        age: int | None = None
        if word in words.DECADES:
            age = words.DECADES[word] + words.WITHIN_DECADE.get(before, 5)
        elif word in words.WITHIN_DECADE:
            return following in words.DECADES
        elif word.isdigit() and (
            following.startswith("year") or before in ("of", "aged", "age") or 10 <= int(word[:3]) <= 120
        ):
            age = int(word[:3])
        elif word in words.NUMBERS:
            age = words.NUMBERS[word] + (5 if following == "something" else 0)
        elif word in words.COUNTS and before in words.NUMBERS:
            age = words.NUMBERS[before] + words.COUNTS.index(word) + 1
        elif word in (*words.COUNTS, *words.TEENS) and (
            following.startswith("year") or before in ("of", "aged", "age", "is", "only")
        ):
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
                values["freckles"] = 1.0
            elif part == "age":
                values.setdefault("age", 70)
            elif part == "pattern":
                values["pattern"] = words.PATTERNS[word]
            elif word == "lipstick":
                values["makeup"] = 0.75
                values.setdefault("lip_colour", "#a8343f")
            return part
        if word in words.STYLES:
            if words.STYLES[word] == "fringe":
                values["fringe"] = 1.0
            else:
                values["hair"] = words.STYLES[word]
            return "hijab" if words.STYLES[word] == "hijab" else "hair"
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
            if word in words.GLASSES_SHAPES:
                values["glasses"] = words.GLASSES_SHAPES[word]
            if word in ("sunglasses", "shades", "aviators"):
                values["lenses"] = "#1a1c20"
            return "glasses"
        if word in words.CLOTHES:
            self._clothes(words.CLOTHES[word], word)
            return "clothes"
        if word in words.HEADWEAR:
            values["headwear"], self._hat = words.HEADWEAR[word], word
            return "headwear"
        return None

    def _clothes(self, kind: str, word: str) -> None:
        """Note a garment; the second one is worn over or under the first."""
        values, over = self.facts.values, _OUTER
        had = values.get("clothes")
        if word in ("tuxedo", "tux"):
            self.facts.role |= {"accent": "#f4f2ee", "bow_tie": "#1d1d22"}
        if kind and had and kind not in over and had in over:
            values["garment"] = "accent"  # a shirt beneath a jacket
            return
        if kind in over and had and had not in over and "colour" in values:
            values["accent"] = values.pop("colour")
        values["garment"] = "colour"
        if kind:
            values["clothes"] = kind
        if word in words.CLOTHES_COLOURS:
            values["own_colour"] = words.CLOTHES_COLOURS[word]

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
            or word in words.PATTERNS
        )

    def _to_person(self) -> None:
        """Give what waits to the person: a colour is that of the skin, the rest is build or hair."""
        for word in self._waiting:
            if word in words.SKINS:
                self.facts.values.setdefault("tone", words.SKINS[word])
            elif word in words.BUILD:
                self.facts.face |= words.BUILD[word]
            elif word in words.TEXTURES:
                self._texture(word)
        self._waiting = []

    def _texture(self, word: str) -> None:
        """Note the texture of hair that is said of the person; a messy person has no messy hair."""
        if words.TEXTURES[word] != "messy":
            self.facts.values["texture"] = words.TEXTURES[word]

    def _flush(self) -> None:
        """At the end of a clause, give what still waits to the noun before it, if there is one."""
        if self._waiting and self._last is not None and self._copula:
            self._give(self._last)
        for word in self._waiting:
            if word in words.BUILD:
                self.facts.face |= words.BUILD[word]
            elif word in words.TEXTURES:
                self._texture(word)
            elif word in words.SKINS and (self._bare or word not in words.COLOURS):
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
            for size, said in _BEARD_SIZES.items():
                if said & set(waiting):
                    values["beard_size"] = size
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
        elif part == "eyeshadow":
            values.setdefault("makeup", 0.6)
        elif part == "freckles" and {"light", "subtle", "soft"} & set(waiting):
            values["freckles"] = 0.85
        self._pattern(part, waiting)
        self._colour(part, waiting)

    def _pattern(self, part: words.Part, waiting: list[str]) -> None:
        for word in waiting:
            if word not in words.PATTERNS:
                continue
            if part in ("clothes", "pattern"):
                self.facts.values["pattern"] = words.PATTERNS[word]
            elif word not in words.COLOURS:
                self._unknown(word)

    def _colour(self, part: words.Part, waiting: list[str]) -> None:
        values = self.facts.values
        if part == "clothes":
            name = str(values.pop("garment", "colour"))
        elif part in COLOUR_OF:
            name = COLOUR_OF[part]
        else:
            for word in waiting:
                if word in words.COLOURS and word not in words.SKINS and word not in words.MODIFIERS:
                    self._unknown(word)  # a red nose
            return
        found = colours(part, waiting)
        if found:
            values[name] = found[0]
        if len(found) > 1 and part == "clothes" and name == "colour":
            values["pattern_colour" if values.get("pattern", "plain") != "plain" else "accent"] = found[1]
        if part in words.WORN and not found and not values.get(name):
            values[name] = words.WORN[part]
