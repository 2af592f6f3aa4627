import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatalk import BadInput, VideoRequest
from avatalk.errors import SpeechError


def test_defaults_need_only_words():
    request = VideoRequest(text="Hello.")
    assert (request.avatar, request.fps, request.quality) == ("ada", None, "standard")
    assert json.loads(request.to_json()) == {"text": "Hello."}


def test_json_round_trip():
    request = VideoRequest(text="Grüß Gott 👋", size="640x360", fps="30000/1001", face=2, still=True, seed=7)
    assert VideoRequest(**json.loads(request.to_json())) == request
    assert json.loads(request.to_json())["fps"] == "30000/1001"
    assert VideoRequest.model_validate_json(request.model_dump_json()) == request


def test_it_is_frozen_and_hashable():
    request = VideoRequest(text="a")
    with pytest.raises(ValueError):
        request.text = "b"
    assert hash(request) == hash(VideoRequest(text="a"))


@pytest.mark.parametrize("written", ["29.97", 29.97, "30000/1001", 30000 / 1001])
def test_ntsc_rates_are_exact(written):
    assert VideoRequest(text="a", fps=written).fps == Fraction(30000, 1001)


@given(st.integers(1, 120))
def test_whole_rates_stay_whole(fps):
    assert VideoRequest(text="a", fps=fps).fps == fps
    assert VideoRequest(text="a", fps=f"{fps}").fps == fps


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": "a", "fps": "0"}, "fps"),
        ({"text": "a", "fps": "1/0"}, "fps"),
        ({"text": "a", "fps": "fast"}, "fps"),
        ({"text": "a", "fps": "nan"}, "fps"),
        ({"text": "a", "fps": 1000}, "fps"),
        ({"text": "a", "size": "big"}, "size"),
        ({"text": "a", "size": "10x10"}, "size"),
        ({"text": "a", "size": "99999x99999"}, "size"),
        ({"text": "a", "speed": 9}, "speed"),
        ({"text": "a", "pitch": 0}, "pitch"),
        ({"text": "a", "face": 0}, "face"),
        ({"text": "a", "seed": -1}, "seed"),
        ({"text": "a", "aspect": "4:3"}, "aspect"),
        ({"text": "a", "quality": "best"}, "quality"),
        ({"text": "a", "captions": "burn?"}, "captions"),
        ({"text": "a", "colour": "red"}, "colour"),
        ({"text": "a", "audio": "b.mp3"}, "audio"),
    ],
)
def test_a_wrong_field_is_named(fields, field):
    with pytest.raises(BadInput) as caught:
        VideoRequest(**fields)
    assert caught.value.field == field
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("fields", [{}, {"text": ""}, {"text": " \n\t"}])
def test_nothing_to_say(fields):
    with pytest.raises(SpeechError) as caught:
        VideoRequest(**fields)
    assert caught.value.field == "text"


def test_the_schema_describes_every_field():
    schema = VideoRequest.model_json_schema()
    assert set(schema["properties"]) == set(VideoRequest.model_fields)
    assert all("description" in field for field in schema["properties"].values())


@pytest.mark.parametrize("field", ["background", "overlay", "captions", "size", "fps", "language", "pads"])
def test_how_a_value_is_written_is_said_once(field):
    with pytest.raises(BadInput) as caught:
        VideoRequest(
            text="a", **{field: {"background": "purple", "overlay": "a.png:up:12%"}.get(field, "?!")}
        )
    assert caught.value.hint not in (None, "", VideoRequest.model_fields[field].description)


def test_an_unknown_field_is_told_the_nearest():
    with pytest.raises(BadInput) as caught:
        VideoRequest(text="a", backgrund="red")
    assert caught.value.hint == "Did you mean background? All fields: `avatalk schema`."
