"""A character drawn from a description: what it says holds, what it leaves open is drawn by chance."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import get_args

import numpy as np

from avatalk.avatars.artist.character import Character, Expression, FaceShape, Mark, Skin, Worn
from avatalk.avatars.artist.svg import mix
from avatalk.avatars.drawn import words
from avatalk.avatars.drawn.facts import Facts
from avatalk.avatars.drawn.reading import read
from avatalk.errors import BadInput

_FABRICS = (
    "#35507a", "#26385c", "#2f5d4c", "#12697a", "#6d2233", "#8f83ad", "#c98f2b", "#d9694f", "#4a3a44",
    "#6f7780", "#a9c3e0", "#8a6b52", "#5b7f6b", "#b56576", "#3d3f45", "#e3ddd2",
)  # fmt: skip
_WALLS = (
    ("#f1e6da", "#cbb7a3"), ("#dfe8ee", "#9fb2c0"), ("#e3ebe6", "#9db3aa"), ("#f0e4e0", "#c9aca8"),
    ("#ece8f0", "#b5aec4"), ("#f2e6d2", "#d3ad78"), ("#dde5ea", "#93a4b0"), ("#efe0d6", "#c09a8a"),
)  # fmt: skip
_GREYS = ("grey", "silver", "white")
_GARMENTS = {
    "female": ("crew", "shirt", "blazer", "turtleneck", "vneck", "cardigan"),
    "male": ("crew", "shirt", "shirt", "blazer", "turtleneck", "hoodie"),
}
# Length and texture → styles to choose from, for women and men.
_WORN: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("", ""): (("bob", "straight", "waves", "bun", "ponytail"), ("side", "short", "crop")),
    ("", "straight"): (("straight", "bob"), ("side", "crop")),
    ("", "wavy"): (("waves",), ("side",)),
    ("", "curly"): (("curls",), ("curly",)),
    ("", "coily"): (("afro",), ("fade", "curly")),
    ("short", ""): (("pixie",), ("side", "short", "crop")),
    ("short", "straight"): (("pixie",), ("crop", "side")),
    ("short", "wavy"): (("pixie",), ("side",)),
    ("short", "curly"): (("curly",), ("curly",)),
    ("short", "coily"): (("fade", "curly"), ("fade",)),
    ("medium", ""): (("bob",), ("crop",)),
    ("medium", "straight"): (("bob",), ("crop",)),
    ("medium", "wavy"): (("bob", "waves"), ("side",)),
    ("medium", "curly"): (("curls",), ("curly",)),
    ("medium", "coily"): (("afro",), ("afro",)),
    ("", "messy"): (("waves",), ("messy",)),
    ("short", "messy"): (("messy",), ("messy",)),
    ("medium", "messy"): (("waves",), ("messy",)),
    ("long", "messy"): (("waves",), ("waves",)),
    ("long", ""): (("straight", "waves"), ("straight", "waves")),
    ("long", "straight"): (("straight",), ("straight",)),
    ("long", "wavy"): (("waves",), ("waves",)),
    ("long", "curly"): (("curls",), ("curls",)),
    ("long", "coily"): (("afro", "locs"), ("locs",)),
}
_WITH_COLLAR = ("shirt", "blazer", "uniform", "waistcoat", "robe")
_OVER_SHIRTS = ("blazer", "cardigan", "hoodie", "jacket", "waistcoat")


@dataclass(frozen=True, slots=True)
class Described:
    """A character and what was not understood.

    Attributes:
        character: as described.
        unknown: words that mean nothing to the artist, in their order.
        child: whether a child is described, whom the artist draws as a young adult.
    """

    character: Character
    unknown: tuple[str, ...]
    child: bool = False


def describe(description: str, seed: int = 0, name: str = "") -> Described:
    """Draw up a character from an English description such as ``"a red-haired woman in her forties"``.

    Args:
        description: of one person.
        seed: of everything the description leaves open; the same pair gives the same character.
        name: of the character; by default made of the description.

    Raises:
        BadInput: none of its words describes a person.
    """
    facts = read(description)
    if not facts.understood:
        raise BadInput(
            f"None of the words of “{description.strip()[:60]}” describes a person.",
            hint="Describe one person in English, such as “a friendly red-haired woman in her forties”.",
            stage="avatar",
            field="avatar_prompt",
        )
    rng = np.random.Generator(
        np.random.PCG64([seed, zlib.crc32(" ".join(description.lower().split()).encode())])
    )
    return Described(
        _Maker(facts, rng).character(name or "drawn", " ".join(description.split())),
        tuple(facts.unknown),
        facts.child,
    )


class _Maker:
    """Fills in what the facts leave open."""

    def __init__(self, facts: Facts, rng: np.random.Generator) -> None:
        self._facts, self._values, self._rng = facts, {**_role(facts), **facts.values}, rng

    def character(self, name: str, description: str) -> Character:
        said, rng = self._values, self._rng
        sex = str(said.get("sex") or self._sex())
        age = int(float(said.get("age", 0)) or rng.integers(24, 52))
        male = sex == "male"
        origin = self._origin()
        tone = float(said.get("tone", rng.uniform(*origin.tone)))
        hair = self._hair(sex, age, tone)
        colour = str(said.get("hair_colour") or self._hair_colour(origin, age, male))
        clothes = str(said.get("clothes") or self._pick(_GARMENTS[sex]))
        # What is worn over a light shirt is not as light.
        fabrics = _FABRICS[:-1] if clothes in _OVER_SHIRTS else _FABRICS
        fabric = str(said.get("colour") or said.get("own_colour") or self._pick(fabrics))
        tie = self._text("tie") if male or "tie" in self._facts.values else None
        if (tie or said.get("bow_tie")) and clothes not in _WITH_COLLAR:
            clothes = "blazer"
        headwear = str(said.get("headwear", "none"))
        head_colour = said.get("headwear_colour")
        return Character(
            name=name,
            description=description,
            age=age,
            sex="male" if male else "female",
            face=self._face(male, origin),
            skin=Skin(min(max(tone, 0.0), 1.0), float(said.get("freckles", 0.0)), self._marks()),
            hair=hair,  # type: ignore[arg-type]
            hair_colour=colour,
            hair_tips=self._text("hair_tips"),
            hair_streaks=self._text("hair_streaks"),
            brow_colour=self._text("brow_colour") or self._brows(colour, tone, age),
            eye_colour=str(said.get("eye_colour") or words.EYE_COLOURS[self._pick(origin.eyes)]),
            lip_colour=self._text("lip_colour"),
            makeup=float(said.get("makeup", 0.0 if male else rng.uniform(0.3, 0.6))),
            eyeshadow=self._text("eyeshadow"),
            beard=self._beard(age, male),  # type: ignore[arg-type]
            beard_colour=self._text("beard_colour"),
            glasses=self._glasses(),  # type: ignore[arg-type]
            glasses_colour=str(said.get("glasses_colour") or self._pick(("#2a2422", "#5a3a22", "#8c6a3c"))),
            earrings=self._earrings(male, hair),
            clothes=clothes,  # type: ignore[arg-type]
            colour=fabric,
            accent=self._accent(clothes, hair, fabric),
            pattern=str(said.get("pattern", "plain")),  # type: ignore[arg-type]
            pattern_colour=self._text("pattern_colour"),
            tie=tie,
            worn=Worn(**{part.name: self._text(part.name) for part in fields(Worn)}),
            headwear=headwear,  # type: ignore[arg-type]
            headwear_colour=str(head_colour or words.HEADWEAR_COLOURS.get(headwear, "#444444")),
            backdrop=self._wall(fabric),
            smile=float(said.get("smile", rng.uniform(0.5, 0.85))),
            expression=Expression(**self._facts.expression),
        )

    def _pick(self, choices: Sequence[str]) -> str:
        return choices[int(self._rng.integers(len(choices)))]

    def _text(self, name: str) -> str | None:
        value = self._values.get(name)
        return str(value) if value else None

    def _marks(self) -> tuple[Mark, ...]:
        return tuple(mark for mark in get_args(Mark) if mark in self._facts.marks)

    def _sex(self) -> str:
        if self._values.get("beard") not in (None, "none"):
            return "male"
        if self._facts.values.get("tie") or self._values.get("hair") == "bald":
            return "male"
        if any(self._values.get(name) for name in ("makeup", "lip_colour", "earrings", "pearls", "flower")):
            return "female"
        return self._pick(("female", "male"))

    def _origin(self) -> words.Origin:
        tone, named = self._values.get("tone"), words.ORIGINS.get(self._facts.origin)
        if named and not (tone is not None and float(tone) > 0.7 and named.tone[1] < 0.5):
            return named  # a Black Briton has African forebears
        if tone is not None and float(tone) > 0.7:
            return words.ORIGINS["african"]
        if tone is not None and float(tone) > 0.3:
            return words.ORIGINS["latino"]
        if self._values.get("hair") in ("afro", "locs") or self._values.get("texture") == "coily":
            return words.ORIGINS["african"]
        light = {"hair_colour", "eye_colour"} & set(self._facts.values) or self._values.get("freckles")
        return words.ORIGINS[
            "british"
            if light or tone is not None
            else self._pick(("british", "italian", "british", "latino"))
        ]

    def _face(self, male: bool, origin: words.Origin) -> FaceShape:
        def some(low: float, high: float) -> float:
            return round(float(self._rng.uniform(low, high)), 3)

        face = {
            "width": some(0.96, 1.03),
            "chin": some(0.96, 1.05),
            "jaw": some(0.4, 0.75) if male else some(0.05, 0.3),
            "eyes": some(0.95, 1.03) if male else some(0.98, 1.08),
            "tilt": some(0.05, 0.35),
            "lid": some(0.1, 0.35),
            "nose": some(1.0, 1.14) if male else some(0.92, 1.04),
            "bridge": some(0.9, 1.1),
            "lips": some(0.9, 1.1) if male else some(0.98, 1.18),
            "mouth": some(0.96, 1.04),
            "brows": some(1.0, 1.25) if male else some(0.9, 1.12),
            "cheeks": some(0.98, 1.07),
        }
        face.update({name: some(low, high) for name, (low, high) in origin.face.items()})
        face.update(self._facts.face)
        return FaceShape(**face)

    def _hair(self, sex: str, age: int, tone: float) -> str:
        said, male = self._values, sex == "male"
        if said.get("fringe"):
            if male:
                return "crop"
            return "longfringe" if said.get("length") == "long" else "fringe"
        if said.get("hair"):
            return str(said["hair"])
        length, texture = str(said.get("length", "")), str(said.get("texture", ""))
        if said.get("headwear") == "turban":  # no fringe shows below it
            return "slick" if male else "bun"
        if said.get("headwear") == "bubble" and not length:  # long hair would hang through the helmet
            length = "short"
        if not length and not texture:
            if tone > 0.7:
                return self._pick(
                    ("fade", "fade", "curly", "locs") if male else ("afro", "braids", "bun", "curls")
                )
            if age >= 60:
                bald = () if said.get("not_hair") == "bald" else ("bald",)
                return self._pick(("short", *bald, "side") if male else ("pixie", "bob", "bun"))
        if tone > 0.7 and length != "long" and texture in ("", "curly"):
            texture = "coily"
        return self._pick(_WORN[length, texture][male])

    def _hair_colour(self, origin: words.Origin, age: int, male: bool) -> str:
        if self._values.get("beard_colour"):
            # A white beard and black hair would have been said.
            return str(self._values["beard_colour"])
        if age >= 62 or (age >= 54 and self._rng.random() < 0.5):
            return words.HAIR_COLOURS[self._pick(_GREYS)]
        if male and age >= 45:
            return words.HAIR_COLOURS["greying"]
        return words.HAIR_COLOURS[self._pick(origin.hair)]

    def _brows(self, hair: str, tone: float, age: int) -> str | None:
        """Brows are a little darker than fair, grey or dyed hair."""
        red, green, blue = (int(hair[k : k + 2], 16) for k in (1, 3, 5))
        dyed = hair not in words.HAIR_COLOURS.values() and max(red, green, blue) - min(red, green, blue) > 70
        if dyed and "hair_colour" in self._values:
            return "#2a1e18" if tone > 0.3 else "#5a4030"
        if min(red, green, blue) > 120:
            return mix(hair, "#4a3f38", 0.35 if age > 55 else 0.55)
        return None

    def _beard(self, age: int, male: bool) -> str:
        beard = str(self._values.get("beard", "none"))
        if not male and "beard" not in self._facts.values:
            return "none"
        if beard != "beard":
            return beard
        return str(self._values.get("beard_size") or ("full" if age >= 55 else "short"))

    def _glasses(self) -> str:
        glasses = self._values.get("glasses")
        if glasses is None:
            return "none"
        return str(glasses or self._pick(("round", "square", "browline")))

    def _earrings(self, male: bool, hair: str) -> str | None:
        if "earrings" in self._values:
            return self._text("earrings")
        return "#d9aa55" if not male and hair in ("bun", "pixie", "ponytail", "braids") else None

    def _accent(self, clothes: str, hair: str, fabric: str) -> str:
        if hair == "hijab":
            return str(
                self._values.get("hijab_colour")
                or self._values.get("accent")
                or self._pick(("#c58a8c", "#7f9bb0", "#8f83ad", "#5f8f86"))
            )
        if self._values.get("accent"):
            return str(self._values["accent"])
        return mix(fabric, "#f4f0e8", 0.9) if clothes in _OVER_SHIRTS else "#f2efe9"

    def _wall(self, fabric: str) -> tuple[str, str]:
        wanted = self._text("backdrop")
        if wanted:
            return mix(wanted, "#ffffff", 0.35), mix(wanted, "#101018", 0.18)
        apart = [wall for wall in _WALLS if _distance(wall[1], fabric) > 60] or list(_WALLS)
        return apart[int(self._rng.integers(len(apart)))]


def _distance(one: str, other: str) -> float:
    pairs = ((int(one[k : k + 2], 16), int(other[k : k + 2], 16)) for k in (1, 3, 5))
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def _role(facts: Facts) -> dict[str, str]:
    """Return what somebody's part in life puts on them, less what the words say otherwise."""
    role, said = facts.role | facts.custom, facts.values
    gone: set[str] = set()
    if said.get("headwear", role.get("headwear")) != role.get("headwear"):
        gone |= {"headwear_colour"}
    if said.get("clothes", role.get("clothes")) != role.get("clothes"):
        gone |= {"colour", "accent", "pattern", "pattern_colour", "tie", "bow_tie", "suspenders"}
    if "colour" in said:
        gone |= {"pattern", "pattern_colour"} if "pattern" not in said else set()
    if {"length", "texture", "fringe"} & set(said):
        gone |= {"hair"}
    if "glasses" in said:
        gone |= {"lenses"}
    if said.get("tie"):
        gone |= {"bow_tie"}
    if said.get("bow_tie"):
        gone |= {"tie"}
    return {name: value for name, value in role.items() if name not in gone}
