"""Files sent to the service: what they are found to be, who sees them, and when their content goes."""

import io

import pytest
from PIL import Image

from conftest import tone
from serving import inside


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with inside(tmp_path_factory.mktemp("data"), max_upload_mb=2, offline=1) as client:
        yield client


def picture(colour=0, size=(64, 48), kind="PNG", **options):
    data = io.BytesIO()
    Image.new("RGB", size, (colour, 90, 120)).save(data, kind, **options)
    return data.getvalue()


def sent(client, data, name="portrait.png"):
    answer = client.post("/v1/assets", files={"file": (name, data)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def stored(client):
    return client.app.state.service.storage.keys("assets")


def test_a_picture_is_known_by_its_content_whatever_is_said_of_it(client):
    answer = client.post("/v1/assets", files={"file": ("song.mp3", picture(1), "audio/mpeg")})
    asset = answer.json()
    assert answer.headers["location"] == f"/v1/assets/{asset['id']}"
    assert (asset["kind"], asset["type"], asset["name"]) == ("picture", "image/png", "song.mp3")
    assert (asset["width"], asset["height"], asset["bytes"]) == (64, 48, len(picture(1)))
    assert asset["expires_at"] > asset["created_at"] + 86_400
    assert client.get(f"/v1/assets/{asset['id']}").json() == asset


def test_a_sound_as_a_body_without_a_form(client, make_wav):
    data = make_wav(tone(0.5), 16000).read_bytes()
    asset = client.post("/v1/assets?name=hello.wav", content=data).json()
    assert (asset["kind"], asset["type"], asset["name"]) == ("sound", "audio/wav", "hello.wav")
    assert asset["duration_s"] == pytest.approx(0.689, abs=0.001)
    assert (asset["sample_rate"], asset["channels"]) == (16000, 1)


def test_equal_files_share_their_content_until_the_last_goes(client):
    first, second = sent(client, picture(2)), sent(client, picture(2), "again.png")
    assert first["sha256"] == second["sha256"]
    key = f"assets/{first['sha256']}.png"
    assert client.delete(f"/v1/assets/{first['id']}").status_code == 204
    assert client.get(f"/v1/assets/{first['id']}").status_code == 404
    assert key in stored(client)
    assert client.delete(f"/v1/assets/{second['id']}").status_code == 204
    assert key not in stored(client)
