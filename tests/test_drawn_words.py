"""What the words of a description put on a drawn avatar: moods, things to wear, parts in life, denials."""

from __future__ import annotations

from dataclasses import asdict
from typing import get_args

import pytest

from avatalk.avatars.artist import character as artist
from avatalk.avatars.artist.styles import STYLES
from avatalk.avatars.drawn import words
from avatalk.avatars.drawn.describe import describe

RED, BLUE, GOLD = (words.COLOURS[name] for name in ("red", "blue", "gold"))


def facts(description, seed=0):
    """Every value of the character by its name, nested ones too."""
    drawn = asdict(describe(description, seed).character)
    return drawn | drawn["worn"] | drawn["expression"] | drawn["skin"] | {"face": drawn["face"]}


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("a girl with a green mohawk and a silver nose ring",
         {"hair": "mohawk", "hair_colour": words.COLOURS["green"], "nose_ring": words.COLOURS["silver"]}),
        ("a man with a bow tie and red suspenders",
         {"bow_tie": words.WORN["bow_tie"], "suspenders": RED, "tie": None}),
        ("a woman in a red and white striped sweater",
         {"pattern": "stripes", "colour": RED, "pattern_colour": words.COLOURS["white"], "clothes": "crew"}),
        ("a woman in a blue jumper with white dots",
         {"pattern": "dots", "colour": BLUE, "pattern_colour": words.COLOURS["white"]}),
        ("a man in a pinstripe suit", {"pattern": "pinstripes", "clothes": "blazer"}),
        ("a woman with a blue scarf", {"scarf": BLUE}),
        ("a woman with a pearl necklace", {"pearls": words.WORN["pearls"], "necklace": None}),
        ("a man with a gold chain", {"necklace": GOLD}),
        ("a fisherman in a yellow raincoat", {"clothes": "raincoat", "colour": words.COLOURS["yellow"]}),
        ("a man in a raincoat", {"clothes": "raincoat", "colour": words.CLOTHES_COLOURS["raincoat"]}),
        ("a woman with red headphones", {"headphones": RED}),
        ("a man with a sombrero", {"headwear": "sombrero"}),
        ("a woman with a wide straw hat", {"headwear": "straw"}),
        ("a man with a flat cap", {"headwear": "flatcap"}),
        ("a boy with a baseball cap", {"headwear": "cap"}),
        ("a woman with sunglasses", {"lenses": "#1a1c20"}),
        ("a man with aviator sunglasses", {"lenses": "#1a1c20", "glasses": "aviator"}),
        ("bald on top, white hair at the sides, a professor",
         {"hair": "ring", "hair_colour": words.HAIR_COLOURS["white"]}),
        ("a blonde woman with bangs", {"hair": "fringe"}),
        ("a woman with long black hair and a fringe", {"hair": "longfringe"}),
        ("a man with messy hair", {"hair": "messy"}),
        ("a man with shaved sides", {"hair": "undercut"}),
        ("a woman with strawberry blonde hair", {"hair_colour": words.HAIR_COLOURS["strawberry"]}),
        ("a woman with brown hair with blonde highlights",
         {"hair_colour": words.HAIR_COLOURS["brown"], "hair_streaks": words.HAIR_COLOURS["blonde"]}),
        ("a man with black hair and a ginger beard",
         {"hair_colour": words.HAIR_COLOURS["black"], "beard_colour": words.HAIR_COLOURS["ginger"]}),
        ("a man with a handlebar moustache", {"beard": "handlebar"}),
        ("a man with a five o'clock shadow", {"beard": "stubble"}),
        ("an old man with mutton chops", {"beard": "muttonchops"}),
        ("a man with a braided beard and long hair", {"beard": "long", "hair": "waves"}),
        ("a woman with a red headscarf and brown eyes", {"hair": "hijab", "accent": RED}),
        ("a woman with emerald eyes", {"eye_colour": words.COLOURS["emerald"]}),
        ("a woman with blue eyeshadow", {"eyeshadow": BLUE}),
        ("an Indian woman with a bindi, dimples and a scar", {"marks": ("scar", "dimples", "bindi")}),
        ("a freckled boy of ten", {"freckles": 1.0, "age": 18}),
        ("a man in his late fifties", {"age": 58}),
        ("a twenty-something woman", {"age": 25}),
        ("a woman aged 34", {"age": 34}),
        ("an octogenarian", {"age": 85}),
    ],
)  # fmt: skip
def test_what_is_said_is_drawn(description, said):
    for seed in (0, 3):
        drawn = facts(description, seed)
        assert {name: drawn[name] for name in said} == said
    assert describe(description).unknown == ()


def test_a_bare_colour_after_a_comma_is_that_of_the_skin():
    assert facts("a doctor, middle aged, black")["tone"] > 0.8
    assert facts("a woman, brown eyes, white")["tone"] < 0.2
    assert facts("a woman with black hair")["tone"] < 0.75
    assert facts("eyes: green, a woman")["eye_colour"] == words.EYE_COLOURS["green"]


@pytest.mark.parametrize(
    ("description", "low", "high"),
    [
        ("a Latina", 0.3, 0.6),
        ("an Irishman", 0.0, 0.15),
        ("a Sikh soldier", 0.4, 0.7),
        ("a geisha", 0.1, 0.3),
        ("a Sudanese pilot", 0.75, 1.0),
    ],
)
def test_people_named_by_where_they_come_from(description, low, high):
    for seed in range(4):
        assert low <= facts(description, seed)["tone"] <= high


@pytest.mark.parametrize(
    ("mood", "signs"),
    [
        ("surprised", {"brows": (0.5, 1), "lids": (0.5, 1), "gape": (0.2, 0.6)}),
        ("angry", {"frown": (0.5, 1), "smile": (-0.3, 0)}),
        ("sad", {"frown": (-1, -0.5), "smile": (-0.3, 0)}),
        ("laughing", {"gape": (0.2, 0.6), "smile": (0.9, 1)}),
        ("tired", {"lids": (-1, -0.5)}),
        ("serious", {"smile": (-0.1, 0.1), "gape": (0, 0)}),
        ("friendly", {"frown": (0, 0), "brows": (0, 0), "smile": (0.7, 1)}),
    ],
)
def test_moods(mood, signs):
    drawn = facts(f"a {mood} woman")
    for name, (low, high) in signs.items():
        assert low <= drawn[name] <= high, name


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("a pirate", {"headwear": "tricorn", "eyepatch": words.WORN["eyepatch"], "sex": "male"}),
        ("a pirate with a red bandana and no eyepatch", {"headwear": "headband", "eyepatch": None}),
        ("a Viking", {"headwear": "horned", "beard": "long"}),
        ("a Viking woman", {"headwear": "horned", "beard": "none", "sex": "female"}),
        ("a punk with black dreadlocks", {"hair": "locs", "hair_colour": words.HAIR_COLOURS["black"]}),
        ("an astronaut", {"clothes": "spacesuit", "headwear": "bubble"}),
        ("a judge", {"clothes": "robe", "colour": "#1c1c20"}),
        ("a king in a blue robe", {"clothes": "robe", "colour": BLUE, "headwear": "crown"}),
        ("a chef", {"headwear": "toque", "clothes": "chef"}),
        ("a chef with a white hat", {"headwear": "toque", "headwear_colour": "#f1eee8"}),
        ("a tall cook, her hat is red", {"headwear": "toque", "headwear_colour": RED}),
        ("a chef in a fedora", {"headwear": "hat"}),
        ("a viking in a helmet", {"headwear": "horned"}),
        ("a builder in a helmet", {"headwear": "helmet"}),
        ("a chef without a hat", {"headwear": "none"}),
        ("a chef with a red cap", {"headwear": "cap", "headwear_colour": RED}),
        ("a surgeon with a cap", {"headwear": "cap", "headwear_colour": words.HEADWEAR_COLOURS["cap"]}),
        ("a doctor in a blue sweater", {"clothes": "crew", "colour": BLUE, "stethoscope": "#2a2d33"}),
        ("a doctor without a stethoscope", {"stethoscope": None, "clothes": "blazer"}),
        ("a soldier", {"pattern": "camouflage", "clothes": "uniform"}),
        ("a soldier in a grey uniform", {"pattern": "plain", "colour": words.COLOURS["grey"]}),
        ("a police officer without a hat", {"headwear": "none", "badge": words.WORN["badge"]}),
        ("a lawyer in a sweater", {"clothes": "crew"}),
        ("a Sikh soldier", {"headwear": "turban", "clothes": "uniform"}),
        ("a spy with round glasses", {"glasses": "round", "lenses": None}),
        ("a clean-shaven wizard", {"beard": "none", "headwear": "wizard"}),
        ("an unsmiling hipster woman", {"beard": "none", "smile": 0.0}),
    ],
)
def test_a_part_in_life_gives_way_to_what_is_said(description, said):
    for seed in (0, 1):
        drawn = facts(description, seed)
        assert {name: drawn[name] for name in said} == said


@pytest.mark.parametrize(
    ("description", "name", "value"),
    [
        ("a woman without sunglasses", "lenses", None),
        ("a woman with no scarf", "scarf", None),
        ("a woman without a necklace", "necklace", None),
        ("a man who is not angry", "frown", 0.0),
        ("a woman, not smiling", "smile", 0.2),
        ("a man in a shirt without stripes", "pattern", "plain"),
        ("a boy without freckles", "freckles", 0.0),
        ("a man without hair", "hair", "bald"),
        ("a man with no moustache", "beard", "none"),
    ],
)
def test_what_is_denied_is_left_out(description, name, value):
    assert facts(description)[name] == value


def test_every_word_leads_to_something_the_artist_knows():
    assert set(words.STYLES.values()) - {"fringe"} <= set(STYLES)
    assert set(get_args(artist.HairStyle)) == set(STYLES)
    assert set(words.HEADWEAR.values()) | {"none", "veil"} == set(get_args(artist.Headwear))
    assert set(words.HEADWEAR_COLOURS) | {"none"} == set(get_args(artist.Headwear))
    assert set(words.CLOTHES.values()) - {""} <= set(get_args(artist.Clothes))
    assert set(words.PATTERNS.values()) | {"plain"} == set(get_args(artist.Pattern))
    assert set(words.MARKS.values()) == set(get_args(artist.Mark))
    assert set(words.BEARDS.values()) - {"beard"} <= set(get_args(artist.Beard))
    known = set(facts("a man")) | {"length", "texture"}
    for role in (*words.ROLES.values(), *words.CUSTOMS.values()):
        assert set(role) <= known
    for mood in words.EXPRESSIONS.values():
        assert set(mood) <= {"brows", "frown", "lids", "gape"}
