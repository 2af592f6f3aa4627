"""What the page needs besides the API: faces in its pictures, speech with words and lips, models."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from starlette.testclient import TestClient

from avatalk.avatars import kept
from avatalk.avatars.made import make_avatar, write_made
from avatalk.studio.app import VISITOR, mount
from avatalk.studio.tasks import MOUTH_FPS
from serving import inside


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with inside(tmp_path_factory.mktemp("service")) as client:
        mount(client.app)
        yield client


@pytest.fixture
def browser(service):
    """A browser with a cookie of its own."""
    client = TestClient(service.app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000))
    client.get("/")
    assert client.cookies[VISITOR]
    return client


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def sent(browser, data):
    return browser.post("/v1/assets", files={"file": ("picture.png", data)}).json()["id"]


def test_faces_are_numbered_from_the_left_and_the_largest_is_proposed(browser):
    person = np.asarray(astronaut())
    small = np.asarray(Image.fromarray(person).resize((384, 384)))
    both = np.vstack([small, np.zeros((128, 384, 3), np.uint8)])
    told = browser.get(f"/studio/faces/{sent(browser, png(np.hstack([both, person])))}").json()
    assert (told["width"], told["height"], told["clip"], told["problem"]) == (896, 512, False, "")
    (first, second), chosen = told["faces"], told["chosen"]
    assert first[2] < second[0]
    assert chosen == 2
    left, top, right, bottom = second
    assert 384 + 160 < (left + right) / 2 < 384 + 290  # where the face of the astronaut is
    assert 60 < (top + bottom) / 2 < 190


def test_a_picture_without_a_face_says_why_and_how_to_mend_it(browser):
    told = browser.get(f"/studio/faces/{sent(browser, png(np.full((300, 400, 3), 120, np.uint8)))}").json()
    assert told["faces"] == []
    assert "No face" in told["problem"]
    assert "Use a picture" in told["problem"]


def test_a_blurred_face_is_told(browser):
    from PIL import ImageFilter

    blurred = np.asarray(Image.fromarray(astronaut()).filter(ImageFilter.GaussianBlur(4)))
    assert "sharp" in browser.get(f"/studio/faces/{sent(browser, png(blurred))}").json()["findings"]


def test_pictures_are_shown_to_their_owner_alone(browser, service):
    asset = sent(browser, png(astronaut()))
    shown = browser.get(f"/studio/pictures/{asset}?height=100")
    with Image.open(io.BytesIO(shown.content)) as image:
        assert (image.format, image.size) == ("JPEG", (100, 100))
    other = TestClient(service.app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000))
    other.get("/")
    for path in (f"/studio/pictures/{asset}", f"/studio/faces/{asset}"):
        assert other.get(path).status_code == 404


def test_speech_alone_has_the_voice_of_the_video(browser):
    voices = {}
    for avatar in ("ada", "ben"):
        told = browser.post("/studio/speech", json={"avatar": avatar, "text": "Good morning to you."}).json()
        voices[avatar] = told["voice"]
        assert [word["text"] for word in told["words"]] == ["Good", "morning", "to", "you."]
        assert abs(len(told["mouth"]) - MOUTH_FPS * told["duration_s"]) <= 1
        assert max(told["mouth"]) > 0.3
        sound = browser.get(f"/v1/assets/{told['asset']}/content")
        assert sound.headers["content-type"] == "audio/mp4"
    sexes = {voice["name"]: voice["sex"] for voice in browser.get("/v1/voices").json()["data"]}
    assert (sexes[voices["ada"]], sexes[voices["ben"]]) == ("female", "male")


def test_speech_that_is_too_long_is_refused_at_its_place(browser):
    error = browser.post("/studio/speech", json={"text": "word " * 2000}).json()["error"]
    assert (error["code"], error["field"]) == ("too_large", "speech")


@pytest.mark.parametrize("path", ["/studio/speech", "/v1/speech?with=words"])
def test_warnings_name_files_as_their_owner_does(browser, espeak_wav, path):
    sample = espeak_wav("Three seconds are enough to hear who speaks, but more of them would be better.")
    sent = {"file": ("me.wav", sample.read_bytes())}
    wish = {"text": "Hello.", "voice_sample": browser.post("/v1/assets", files=sent).json()["id"]}
    warnings = browser.post(path, json=wish).json()["warnings"]
    assert any(warning.startswith("me.wav holds") for warning in warnings), warnings


def test_an_avatar_from_words_is_kept_under_a_name(browser, tmp_path):
    made = make_avatar("a man with a red beard", engine="drawn", seed=3)
    write_made(tmp_path / "made.png", made)
    asset = sent(browser, (tmp_path / "made.png").read_bytes())
    taken = browser.post("/studio/avatars", json={"asset": asset, "name": "Ada"})
    assert (taken.status_code, taken.json()["error"]["field"]) == (400, "save")
    assert browser.post("/studio/avatars", json={"asset": asset, "name": "Redbeard"}).status_code == 204
    assert kept.get("redbeard").character == made.character
    assert "redbeard" in [one["name"] for one in browser.get("/v1/avatars").json()["data"]]


def test_models_tell_what_they_add_and_unknown_ones_are_refused(browser):
    rows = {row["name"]: row for row in browser.get("/studio/models").json()["data"]}
    row = rows["wav2lip"]
    assert row["adds"].startswith("Wav2Lip")
    assert (row["commercial"], row["accepted"], row["state"]) == (False, False, None)
    answer = browser.post("/studio/models/nonsense/install", json={})
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"]


def test_a_model_whose_licence_was_not_accepted_says_so(browser):
    assert browser.post("/studio/models/wav2lip/install", json={}).status_code == 202
    for _ in range(600):
        state = next(row for row in browser.get("/studio/models").json()["data"] if row["name"] == "wav2lip")[
            "state"
        ]
        if not state["running"]:
            break
    assert "licence" in (state["problem"]["message"] + state["problem"]["hint"]).lower()


def test_a_preview_without_a_moment_shows_somebody_who_speaks(browser):
    wish = {"text": "Aaah, papa.", "at": None}
    spoken, rest = (browser.post("/v1/preview", json=wish | at) for at in ({}, {"at": 0}))
    assert spoken.status_code == rest.status_code == 200
    pictures = [np.asarray(Image.open(io.BytesIO(answer.content)), np.int16) for answer in (spoken, rest)]
    apart = np.abs(pictures[0] - pictures[1]).max(axis=2)
    height, width = apart.shape
    assert apart[height // 2 : height * 3 // 4, width * 2 // 5 : width * 3 // 5].max() > 60  # the mouth


def test_a_file_that_is_no_model_is_refused_without_names_of_this_machine(browser):
    answer = browser.post("/studio/models", files={"file": ("x.pth", b"nonsense" * 100)})
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert message.startswith("The file ")
    assert "/" not in message
