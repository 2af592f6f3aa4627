"""Avatars from words: what is read, what is drawn, and the picture that carries its character."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from avatalk import BadInput, VideoRequest, make_avatar, plan
from avatalk.avatars import kept
from avatalk.avatars.drawn import words
from avatalk.avatars.drawn.describe import describe
from avatalk.avatars.made import read_made, write_made
from avatalk.avatars.sources import open_avatar
from avatalk.errors import EngineUnavailable, UnknownName
from avatalk.events import Monitor


@pytest.fixture(autouse=True)
def own_data(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path / "data"))


def hair(name):
    return words.HAIR_COLOURS[name]


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (
            "a friendly red-haired woman in her forties with round glasses",
            {"sex": "female", "hair_colour": hair("red"), "age": 45, "glasses": "round", "smile": 0.9},
        ),
        (
            "an old sailor with a white beard",
            {"sex": "male", "beard": "full", "beard_colour": hair("white"), "headwear": "peaked", "age": 70},
        ),
        ("a man in his early thirties, clean-shaven", {"sex": "male", "age": 32, "beard": "none"}),
        ("a 52-year-old woman with a blonde bob", {"age": 52, "hair": "bob", "hair_colour": hair("blonde")}),
        ("twenty-five years old, male", {"age": 25, "sex": "male"}),
        ("a man with long black hair and a short brown beard",
         {"hair_colour": hair("black"), "beard": "short", "beard_colour": hair("brown")}),
        ("a woman whose hair is long, and her eyes are green",
         {"eye_colour": words.EYE_COLOURS["green"], "sex": "female"}),
        ("a woman with a navy blazer over a white blouse",
         {"clothes": "blazer", "colour": words.COLOURS["navy"], "accent": words.COLOURS["white"]}),
        ("a man in a white shirt and a blue suit",
         {"clothes": "blazer", "colour": words.COLOURS["blue"], "accent": words.COLOURS["white"]}),
        ("a businessman with a green tie", {"tie": words.COLOURS["green"], "clothes": "blazer"}),
        ("a woman with a purple hijab", {"hair": "hijab", "sex": "female"}),
        ("a woman with a golden crown and grey braids",
         {"hair": "braids", "hair_colour": hair("grey"), "sex": "female"}),
        ("a man with a red checked shirt", {"colour": words.COLOURS["red"], "clothes": "shirt"}),
        ("a soldier with a camouflage helmet",
         {"headwear": "helmet", "headwear_colour": words.COLOURS["camouflage"]}),
        ("a nun with a kind smile", {"hair": "hijab", "sex": "female", "smile": 0.9}),
        ("a boy with a blue cap", {"headwear": "cap", "headwear_colour": words.COLOURS["blue"], "age": 19}),
        ("a bald man with a goatee", {"hair": "bald", "beard": "goatee"}),
        ("a woman with pink hair in a ponytail", {"hair": "ponytail", "hair_colour": words.COLOURS["pink"]}),
        ("a grumpy man with a thick moustache", {"beard": "moustache", "smile": -0.3}),
        ("a person with a moustache and a long beard", {"beard": "long", "sex": "male"}),
        ("a man with curly ginger hair", {"hair": "curly", "hair_colour": hair("ginger")}),
        ("a woman with short hair and gold earrings", {"hair": "pixie", "earrings": words.COLOURS["gold"]}),
        ("a Sikh man with a teal turban", {"headwear": "turban", "headwear_colour": words.COLOURS["teal"]}),
        ("a woman with no glasses and no makeup", {"glasses": "none"}),
    ],
)  # fmt: skip
def test_what_is_said_holds(description, said):
    for seed in range(3):
        character = describe(description, seed).character
        assert {name: getattr(character, name) for name in said} == said


def test_faces_and_skin():
    drawn = describe("a man with a big nose, thick eyebrows and dark skin").character
    assert (drawn.face.nose, drawn.face.brows) == (1.28, 1.4)
    assert drawn.skin.tone > 0.7
    assert describe("a pale woman").character.skin.tone < 0.1
    assert describe("a Nigerian man").character.skin.tone > 0.7
    assert describe("a Black woman with black hair").character.skin.tone > 0.7
    assert describe("a freckled girl").character.skin.freckles > 0.5
    assert describe("a woman with black hair").character.skin.tone < 0.7


def test_unknown_words_are_listed_in_their_order_and_once():
    described = describe("a woman with a unicorn, a sequinned unicorn shirt, a plaid hat and a red nose")
    assert described.unknown == ("unicorn", "sequinned", "plaid", "red")


def test_the_seed_varies_what_is_left_open_and_nothing_else():
    people = [describe("a man with a red beanie", seed).character for seed in range(12)]
    assert all(
        (p.sex, p.headwear, p.headwear_colour) == ("male", "beanie", people[0].headwear_colour)
        for p in people
    )
    assert len({p.face for p in people}) == 12
    assert len({p.colour for p in people}) > 3
    assert describe("a man with a red beanie", 5) == describe(" a man  with a red\nbeanie ", 5)


VOCABULARY = [
    *("and", "with", ",", "is", "37", "in", "her", "999", "blarg"),
    *(word for name, table in vars(words).items() if name.isupper() and name not in ("PHRASES", "FACE")
      for word in table),
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=14), st.integers(0, 2**63 - 1))
def test_any_words_make_a_character_or_a_clear_refusal(some, seed):
    try:
        character = describe(" ".join(["person", *some]), seed).character
    except BadInput:
        pytest.fail("“person” alone is understood")
    assert 18 <= character.age <= 90
    assert 0 <= character.skin.tone <= 1
    assert -0.3 <= character.smile <= 1


@pytest.mark.parametrize(
    "description", ["xyzzy plugh", "123 456", "…", "☃", "the of and", "a golden retriever puppy"]
)
def test_words_that_describe_nobody_are_refused(description):
    with pytest.raises(BadInput, match="describes a person"):
        describe(description)


@pytest.mark.parametrize(("prompt", "why"), [("   ", "empty"), ("a man " * 200, "1000")])
def test_blank_and_endless_prompts_are_refused(prompt, why):
    with pytest.raises(BadInput, match=why):
        make_avatar(prompt, engine="drawn")


def test_colours_reach_the_picture():
    for colour, channel in (("red", 0), ("green", 1), ("blue", 2)):
        made = describe(f"a man with a {colour} beanie and a white background").character
        hat = made.picture(320, 320)[30:70, 130:190].reshape(-1, 3).mean(0)
        assert hat.argmax() == channel
        assert hat[channel] > 1.25 * np.delete(hat, channel).max()


def test_a_picture_carries_its_character(tmp_path):
    made = make_avatar("an old sailor with a white beard", engine="drawn", seed=3)
    write_made(tmp_path / "a.png", made)
    avatar = open_avatar(str(tmp_path / "a.png"), Monitor())
    assert avatar.character == made.character
    assert (avatar.kind, avatar.engine) == ("drawn", "drawn")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (1024, 1024)
        assert np.array_equal(np.asarray(image), made.picture)


def test_a_changed_picture_is_a_picture(tmp_path):
    write_made(tmp_path / "a.png", make_avatar("a man", engine="drawn"))
    with Image.open(tmp_path / "a.png") as image:
        info = image.info
        from PIL.PngImagePlugin import PngInfo

        chunk = PngInfo()
        chunk.add_itxt("avatalk", info["avatalk"])
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "b.png", pnginfo=chunk)
    assert read_made(tmp_path / "b.png") is None
    assert open_avatar(str(tmp_path / "b.png"), Monitor()).kind == "still"


@pytest.mark.parametrize(
    "change",
    [
        {"colour": '"/><image href="file:///etc/passwd"/>'},
        {"backdrop": ["#fff", "#000000"]},
        {"age": 1e9},
        {"age": "old"},
        {"hair": "spaghetti"},
        {"nonsense": 1},
        {"skin": {"tone": float("inf"), "freckles": 0}},
        {"skin": {"marks": ["horns"]}},
        {"worn": {"scarf": '"/><script>'}},
        {"expression": {"gape": float("nan")}},
    ],
)
def test_a_forged_character_is_not_believed(tmp_path, change):
    from PIL.PngImagePlugin import PngInfo

    write_made(tmp_path / "a.png", make_avatar("a man", engine="drawn"))
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        about = json.loads(image.text["avatalk"])
        about["character"].update(change)
        chunk = PngInfo()
        chunk.add_itxt("avatalk", json.dumps(about))
        image.save(tmp_path / "b.png", pnginfo=chunk)
    made = read_made(tmp_path / "b.png")
    assert made is None or not hasattr(made.character, "nonsense")
    if "nonsense" not in change:
        assert made is None


def test_kept_avatars_stand_among_the_others(tmp_path):
    kept.keep("Anna", make_avatar("a woman with a red hat", engine="drawn", seed=2))
    assert kept.names() == ("anna",)
    assert open_avatar("anna", Monitor()).character.headwear == "hat"
    with pytest.raises(UnknownName, match="anna"):
        open_avatar("ann", Monitor())
    kept.remove("anna")
    assert kept.names() == ()
    with pytest.raises(UnknownName):
        kept.get("anna")


@pytest.mark.parametrize("name", ["../evil", "", "a b", "ada", "x" * 41, "-x", "é"])
def test_names_that_will_not_do(name):
    with pytest.raises(BadInput):
        kept.check_name(name)


def test_a_video_of_somebody_described():
    request = VideoRequest(
        avatar_prompt="an old sailor with a white beard", text="Ahoy.", size="320x180", seed=4
    )
    with plan(request) as made:
        assert made.engines["avatar"] == "drawn"
        frame = next(made.frames(3, 4))
        assert np.array_equal(frame, next(made.frames(3, 4)))
    again = VideoRequest.model_validate_json(request.to_json())
    assert again == request
    with plan(again) as made:
        assert np.array_equal(frame, next(made.frames(3, 4)))


def test_an_avatar_and_a_description_of_one_are_too_much():
    with pytest.raises(BadInput, match="Both"):
        VideoRequest(avatar="ada", avatar_prompt="a man", text="x")


def test_engines_that_make_no_avatars():
    with pytest.raises(EngineUnavailable, match="gallery does not make avatars from words"):
        make_avatar("a man", engine="gallery")
    with pytest.raises(UnknownName):
        make_avatar("a man", engine="drawing")


def test_the_command_line(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))

    def run(*arguments):
        command = [sys.executable, "-m", "avatalk.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    done = run("avatar", "a woman with a unicorn", "-o", "a.png", "--count", "2", "--save", "anna", "--json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert (first["seed"], second["seed"], first["engine"]) == (0, 1, "drawn")
    assert "unicorn" in first["warnings"][0]
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["a-1.png", "a-2.png"]
    assert "avatalk models install diffusion" in first["better"][0]
    chosen = run("avatar", "a woman", "-o", "b.png", "--engine", "drawn")
    assert chosen.returncode == 0 and "Better" not in chosen.stderr
    (tmp_path / "b.png").unlink()
    told = run("avatar", "a woman", "-o", "b.png").stderr
    assert "Better: A painted photograph" in told and "avatalk models install diffusion" in told
    rows = json.loads(run("avatars", "--json").stdout)
    mine = next(row for row in rows if row["name"] == "anna-2")
    assert (mine["engine"], mine["seed"], mine["description"]) == ("drawn", 1, "a woman with a unicorn")
    assert run("avatars", "remove", "anna-1").returncode == 0
    assert "anna-1" not in run("avatars").stdout
    refused = run("avatar", "a man")
    assert refused.returncode == 2
    assert "--save" in refused.stderr
    assert run("avatar", "a man", "-o", "a.jpg").returncode == 2
    assert run("avatar", "a man", "-o", "no/such/a.png").returncode == 3


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("a woman without a hat, no glasses", {"headwear": "none", "glasses": "none"}),
        ("an old sailor with no hat", {"headwear": "none"}),
        ("a businessman without a tie but with a red beard", {"tie": None, "beard": "short"}),
        ("an old man who is not bald, without a beard", {"beard": "none"}),
        ("a woman without earrings in a bun", {"earrings": None, "hair": "bun"}),
    ],
)
def test_what_is_denied_is_not_drawn(description, said):
    for seed in range(4):
        character = describe(description, seed).character
        assert {name: getattr(character, name) for name in said} == said
        assert character.hair != "bald"


@pytest.mark.parametrize("description", ["an 8 years old girl", "a ten year old boy", "a baby girl"])
def test_a_child_becomes_a_young_adult_and_that_is_told(description):
    made = make_avatar(description, engine="drawn")
    assert made.character is not None and made.character.age <= 19
    assert any("adult" in note for note in made.notes)


def test_an_avatar_that_is_kept_is_not_lost():
    kept.keep("anna", make_avatar("a woman", engine="drawn"))
    with pytest.raises(BadInput, match="already"):
        kept.keep("Anna", make_avatar("a man", engine="drawn"))
    assert kept.get("anna").prompt == "a woman"
