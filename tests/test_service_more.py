"""What the service offers besides videos: a catalogue, speech, avatars from words, a frame of a video."""

import io
import json
import threading
import time
import wave

import av
import numpy as np
import pytest
from PIL import Image

import avatalk
from avatalk.avatars import kept as kept_avatars
from avatalk.avatars.made import make_avatar, read_made
from avatalk.errors import BadInput, Cancelled, TooLarge, TooMany
from avatalk.service import helpers as helpers_of
from avatalk.service.helpers import Helpers
from serving import inside

ONE = {"text": "Good morning, everybody.", "size": "192x108"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with inside(tmp_path_factory.mktemp("data")) as client:
        yield client


# --- the catalogue


def test_avatars_have_pictures_that_are_kept_by_browsers(served):
    listed = served.get("/v1/avatars").json()["data"]
    ada = next(entry for entry in listed if entry["name"] == "ada")
    assert (ada["age"], ada["engine"], ada["licence"]) == (31, "gallery", "CC0-1.0")
    picture = served.get(ada["picture"], params={"height": 90})
    assert picture.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(picture.content)).size == (160, 90)
    again = served.get(
        ada["picture"], params={"height": 90}, headers={"If-None-Match": picture.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    other = served.get(
        ada["picture"], params={"height": 91}, headers={"If-None-Match": picture.headers["etag"]}
    )
    assert other.status_code == 200


def test_voices_of_a_language_can_be_heard(served):
    german = served.get("/v1/voices", params={"language": "de"}).json()["data"]
    assert german and all(voice["language"].startswith("de") for voice in german)
    heard = served.get(german[0]["preview"])
    with wave.open(io.BytesIO(heard.content)) as sound:
        assert 1 < sound.getnframes() / sound.getframerate() < 5
    tag = {"If-None-Match": heard.headers["etag"]}
    assert served.get(german[0]["preview"], headers=tag).status_code == 304
    assert served.get("/v1/voices/nobody/preview").status_code == 404


def test_engines_say_what_they_lack(served):
    engines = served.get("/v1/engines").json()["data"]
    assert {engine["stage"] for engine in engines} == set(avatalk.events.STAGES)
    assert all(engine["ready"] == (not engine["get"]) for engine in engines)


def test_what_the_machines_user_keeps_is_nobody_elses(tmp_path):
    with inside(tmp_path) as client:
        kept_avatars.keep("mine", make_avatar("a bald man", engine="drawn"))
        assert client.get("/v1/avatars").json()["data"][-1]["name"] == "mine"
        assert client.get("/v1/avatars/mine/picture").status_code == 200
        assert client.post("/v1/preview", json={**ONE, "avatar": "mine"}).status_code == 200
        _, secret = client.app.state.service.keys.create("test")
        time.sleep(2.1)  # for so long a server remembers that no key is needed
        client.headers["Authorization"] = f"Bearer {secret}"
        assert "mine" not in {avatar["name"] for avatar in client.get("/v1/avatars").json()["data"]}
        assert client.get("/v1/avatars/mine/picture").status_code == 404
        refused = client.post("/v1/preview", json={**ONE, "avatar": "mine"})
        assert refused.status_code == 400 and refused.json()["error"]["field"] == "avatar"


# --- a frame


def test_a_preview_is_the_very_frame_of_the_video(served):
    answer = served.post("/v1/preview", json={**ONE, "at": 0.6})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    frame = avatalk.preview(avatalk.VideoRequest(**ONE), 0.6)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), frame)
    small = served.post("/v1/preview", json={**ONE, "at": 0.6}, headers={"Accept": "image/jpeg"})
    assert small.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(small.content)) as image:
        assert image.format == "JPEG"
        assert np.abs(np.asarray(image, np.int16) - frame).mean() < 2
    late = served.post("/v1/preview", json={**ONE, "at": 99})
    assert late.status_code == 400 and late.json()["error"]["field"] == "at"


def test_a_preview_names_no_files_of_the_server(served):
    for field, path in (("avatar", "/etc/passwd"), ("background", "../../x.png"), ("audio", "/etc/hosts")):
        fields = {**ONE, field: path}
        fields.pop("text" if field == "audio" else "", None)
        answer = served.post("/v1/preview", json=fields)
        assert answer.status_code == 400 and answer.json()["error"]["field"] == field


# --- speech


def test_speech_is_the_sound_itself(served):
    answer = served.post("/v1/speech", json={"text": "One, two, three.", "voice": "emma", "speed": 2})
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    assert float(answer.headers["avatalk-duration"]) == pytest.approx(seconds, abs=0.01)
    slow = served.post("/v1/speech", json={"text": "One, two, three.", "voice": "emma"})
    assert float(slow.headers["avatalk-duration"]) > 1.4 * seconds
    mp3 = served.post("/v1/speech", json={"text": "One.", "format": "mp3"})
    with av.open(io.BytesIO(mp3.content)) as file:
        assert (mp3.headers["content-type"], file.format.name) == ("audio/mpeg", "mp3")


def test_speech_with_words_becomes_an_asset_of_a_video(served):
    said = served.post("/v1/speech", params={"with": "words"}, json={"text": "One, two, three."}).json()
    assert [word["text"] for word in said["words"]] == ["One,", "two,", "three."]
    starts = [word["start_s"] for word in said["words"]]
    assert starts == sorted(starts) and starts[-1] < said["duration_s"]
    video = served.post("/v1/preview", json={"audio": said["asset"], "size": "192x108"})
    assert video.status_code == 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": "x" * 5001}, "text"),
        ({"text": ""}, "text"),
        ({"text": "Hi.", "voice": "nobody-at-all"}, "voice"),
        ({"text": "Hi.", "voice_sample": "/etc/passwd"}, "voice_sample"),
        ({"text": "Hi.", "speed": 9}, "speed"),
        ({"text": "Hi.", "avatar": "ada"}, "avatar"),
    ],
)
def test_speech_says_what_is_wrong(served, fields, field):
    answer = served.post("/v1/speech", json=fields)
    assert answer.status_code == 400 and answer.json()["error"]["field"] == field


# --- avatars from words


def test_drawn_avatars_are_in_the_answer_and_speak(served, tmp_path):
    wish = {"description": "a bald man with a beard", "engine": "drawn", "count": 2, "seed": 5}
    answer = served.post("/v1/avatars", json=wish)
    made = answer.json()
    assert (answer.status_code, made["status"], made["progress"]) == (201, "completed", 1)
    assert [avatar["seed"] for avatar in made["data"]] == [5, 6]
    assert served.get(answer.headers["location"]).json() == made
    service = served.app.state.service
    frame = served.post("/v1/preview", json={**ONE, "avatar": made["data"][0]["asset"], "background": "blur"})
    assert frame.status_code == 200, frame.text
    keys = service.storage.keys("assets")
    characters = [read_made(service.storage.fetch(key, tmp_path)) for key in keys if key.endswith(".png")]
    assert {made.seed for made in characters if made and made.prompt == wish["description"]} == {5, 6}


def test_an_avatar_that_cannot_be_made_is_told_at_once(served):
    answer = served.post("/v1/avatars", json={"description": "   ", "engine": "drawn"})
    assert answer.status_code == 400
    answer = served.post("/v1/avatars", json={"description": "a man", "engine": "diffusion"})
    assert answer.status_code == 409 and "avatalk models install" in answer.json()["error"]["hint"]
    assert served.get("/v1/avatars/creations/make_0").status_code == 404


# --- children


@pytest.fixture
def one():
    helpers = Helpers(1, 3000)
    yield helpers
    helpers.close()


def pid_of(helpers):
    return helpers._idle[0]._process.pid


def test_a_child_is_warm_and_survives_what_users_do_wrong(one, tmp_path):
    one.run("hear", timeout_s=60, voice="emma", output=str(tmp_path / "a.wav"))
    first = pid_of(one)
    with pytest.raises(BadInput) as caught:
        one.run("hear", timeout_s=60, voice="nobody", output=str(tmp_path / "a.wav"))
    assert caught.value.hint and caught.value.field == "voice"
    assert pid_of(one) == first


def test_a_child_that_takes_too_long_or_too_much_is_replaced(one, tmp_path):
    arguments = {"voice": "emma", "output": str(tmp_path / "a.wav")}
    picture = {"description": "a man", "engine": "drawn", "seed": 0, "steps": 1}
    picture["output"] = str(tmp_path / "a.png")
    one.run("hear", timeout_s=60, **arguments)
    first = pid_of(one)
    with pytest.raises(TooLarge, match="longer than"):
        one.run("imagine", timeout_s=0, **picture)
    one.run("hear", timeout_s=60, **arguments)
    assert pid_of(one) != first
    one._memory = 1
    with pytest.raises(TooLarge, match="memory"):
        one.run("imagine", timeout_s=60, **picture)


def test_a_child_ends_when_its_client_leaves(one, tmp_path):
    gone = threading.Event()
    gone.set()
    with pytest.raises(Cancelled):
        one.run("hear", timeout_s=60, gone=gone, voice="emma", output=str(tmp_path / "a.wav"))
    assert not one._idle and not one._busy


def test_more_than_can_wait_are_asked_to_come_again(one, tmp_path, monkeypatch):
    monkeypatch.setattr(helpers_of, "_WAITING", 0)
    arguments = {"voice": "emma", "output": str(tmp_path / "a.wav")}
    running = threading.Thread(target=one.run, args=("hear",), kwargs={"timeout_s": 60, **arguments})
    running.start()
    while not one._busy:
        time.sleep(0.01)
    with pytest.raises(TooMany):
        one.run("hear", timeout_s=60, **arguments)
    running.join()


def test_a_voice_that_is_not_installed_cannot_be_heard(served):
    assert served.get("/v1/voices/en_US-lessac-medium/preview").status_code == 404


def test_every_answer_is_described(served):
    told = served.get("/openapi.json").json()
    for path in ("/v1/avatars", "/v1/speech", "/v1/preview", "/v1/engines", "/v1/voices/{name}/preview"):
        for operation in told["paths"][path].values():
            assert operation["description"] and {"401", "403", "429", "503"} <= set(operation["responses"])
    assert json.dumps(told)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/speech", '{"txt": "a"}', "text: it is missing."),
        ("/v1/speech", '{"text": ""}', "text: it is empty."),
        ("/v1/speech", '{"text": "a", "speed": "fast"}', "speed: it is no number."),
        ("/v1/speech", '{"text": "a", "format": "mp5"}', "'wav', 'mp3'"),
        ("/v1/preview", '{"text": "a", "speed": NaN}', "speed nan: it is no number."),
        ("/v1/preview", '{"text": "a", "speed": 9}', "speed 9: it is more than 2."),
        ("/v1/preview", "[1]", "The body: it is no object."),
        ("/v1/preview", "{", "The body is no valid JSON (Expecting property name"),
        ("/v1/videos", '{"text": 5}', "text 5: it is no text."),
        ("/v1/videos", '{"text": "a", "still": "perhaps"}', "still 'perhaps': it is neither true nor false."),
        (
            "/v1/videos",
            '{"text": "a", "priority": "now"}',
            "priority 'now': it is none of 'high', 'normal' or",
        ),
        ("/v1/videos", '{"text": "a", "sized": 1}', "A request has no field 'sized'."),
        ("/v1/batches", '{"template": 5, "rows": [{"n": 1}]}', "template: it is no object."),
        ("/v1/batches", '{"rows": [{"n": 1}]}', "template: it is missing."),
    ],
)
def test_what_is_wrong_with_a_value_is_told_in_plain_words(served, path, body, message):
    answer = served.post(path, content=body, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert answer.status_code == 400 and message in error["message"] and error["hint"], error
    long = served.post("/v1/videos", json={"text": "a", "quality": "x" * 5000}).json()["error"]["message"]
    assert len(long) < 200


def test_a_query_is_told_in_plain_words(served):
    for query, message in (
        ("limit=0", "limit: it is less than 1."),
        ("limit=x", "limit: it is no whole number."),
    ):
        assert served.get(f"/v1/videos?{query}").json()["error"]["message"] == message


@pytest.mark.parametrize("field", ["engine", "faces", "matting", "overlay", "voice", "avatar"])
def test_half_a_character_is_no_fault_of_the_service(served, field):
    body = '{"text": "a", "%s": "\\ud800"}' % field  # noqa: UP031
    for path in ("/v1/preview", "/v1/videos"):
        answer = served.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


@pytest.mark.parametrize("path", ["/v1/videos", "/v1/preview", "/v1/batches"])
def test_json_that_cannot_be_read_is_told_without_words_of_python(served, path):
    for body in ('{"text": ' + "[" * 100_000, '{"text": "a", "seed": ' + "9" * 5000 + "}", "{'a': 1}", ""):
        answer = served.post(path, content=body, headers={"Content-Type": "application/json"})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "bad_input"), error
        assert "recursion" not in error["message"] and "sys." not in error["message"], error


def test_what_cannot_be_done_at_an_address_is_told_with_what_can(served):
    answer = served.put("/v1/videos")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.json()["error"]["message"] == "PUT cannot be done here, only GET, POST."
    assert served.request("OPTIONS", "/v1/assets/x/content").headers["allow"] == "GET, HEAD"
    assert served.get("/v1/nothing").json()["error"]["message"] == "There is nothing at /v1/nothing."
