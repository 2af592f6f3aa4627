"""Files sent to the service: what they are found to be, who sees them, and when their content goes."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from avatalk import models, settings
from avatalk.errors import StorageError
from avatalk.service.tables import assets
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


def test_content_comes_back_as_it_was_sent_and_in_ranges(client):
    data = picture(3)
    asset = sent(client, data, 'a"b\r\n.html')
    whole = client.get(asset["links"]["content"])
    assert (whole.content, whole.headers["content-type"]) == (data, "image/png")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-disposition"] == f'attachment; filename="{asset["id"]}.png"'
    part = client.get(asset["links"]["content"], headers={"Range": "bytes=8-15"})
    assert (part.status_code, part.content) == (206, data[8:16])
    known = client.get(asset["links"]["content"], headers={"If-None-Match": whole.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    head = client.head(asset["links"]["content"])
    assert (head.headers["content-length"], head.content) == (str(len(data)), b"")
    client.delete(f"/v1/assets/{asset['id']}")
    assert client.get(asset["links"]["content"]).status_code == 404


def test_pages_the_newest_first(client):
    for asset in client.get("/v1/assets").json()["data"]:
        client.delete(f"/v1/assets/{asset['id']}")
    made = [sent(client, picture(10 + number))["id"] for number in range(5)]
    first = client.get("/v1/assets?limit=2&kind=picture").json()
    assert [asset["id"] for asset in first["data"]] == made[:-3:-1]
    rest = client.get(f"/v1/assets?limit=100&kind=picture&before={first['next']}").json()
    assert [asset["id"] for asset in rest["data"]] == made[-3::-1]
    assert rest["next"] is None
    assert client.get("/v1/assets?kind=clip").json()["data"] == []
    for wrong in ("before=%00", "before=x", "limit=0", "limit=101", "kind=page"):
        assert client.get(f"/v1/assets?{wrong}").status_code == 400, wrong
    for asset_id in made:
        client.delete(f"/v1/assets/{asset_id}")


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize("asset_id", ["asset_" + "0" * 32, "asset_x", "%00", "..%2f..%2fetc"])
def test_what_is_not_there_is_404(client, method, asset_id):
    answer = getattr(client, method)(f"/v1/assets/{asset_id}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_an_asset_of_somebody_else_does_not_exist(client):
    mine = sent(client, picture(4))
    other = {"Cookie": "avatalk_visitor=" + "v" * 40}
    assert client.get(f"/v1/assets/{mine['id']}", headers=other).status_code == 404
    assert client.get(mine["links"]["content"], headers=other).status_code == 404
    assert client.delete(f"/v1/assets/{mine['id']}", headers=other).status_code == 404
    assert client.get("/v1/assets", headers=other).json()["data"] == []
    theirs = client.post("/v1/assets", files={"file": ("a", picture(4))}, headers=other).json()
    assert client.delete(f"/v1/assets/{mine['id']}").status_code == 204
    assert client.get(theirs["links"]["content"], headers=other).content == picture(4)
    assert client.delete(f"/v1/assets/{theirs['id']}", headers=other).status_code == 204


def test_content_stays_as_long_as_an_open_video_is_made_from_it(client):
    asset = sent(client, picture(5))
    video = client.post("/v1/videos", json={"text": "Hello.", "background": asset["id"]})
    assert video.status_code == 202, video.text
    assert client.delete(f"/v1/assets/{asset['id']}").status_code == 204
    assert f"assets/{asset['sha256']}.png" in stored(client)
    again = sent(client, picture(5))
    client.delete(f"/v1/videos/{video.json()['id']}")
    client.delete(f"/v1/assets/{again['id']}")
    assert f"assets/{asset['sha256']}.png" not in stored(client)


def test_content_that_could_not_be_stored_leaves_no_row(client, monkeypatch):
    def full(*_, **__):
        raise StorageError("The disk is full.")

    def rows():
        with client.app.state.service.db.engine.connect() as connection:
            return connection.execute(sa.select(assets.c.id)).all()

    before = rows()
    with monkeypatch.context() as patch:
        patch.setattr(client.app.state.service.jobs, "store", full)
        answer = client.post("/v1/assets", files={"file": ("a", picture(6))})
    assert answer.status_code == 503
    assert rows() == before


def test_many_send_and_delete_the_same_at_once(client):
    """Whoever has an id has content, whatever others delete meanwhile."""
    sent(client, picture(7))  # known from now on, so that the rest is quick

    def send_and_look(_):
        asset = sent(client, picture(7))
        there = client.get(asset["links"]["content"]).status_code
        return there, client.delete(f"/v1/assets/{asset['id']}").status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send_and_look, range(60))) == {(200, 204)}


def test_faces_are_told_where_the_networks_are(tmp_path, portrait):
    if not models.installed("face"):
        models.install("face")
    pair = np.concatenate([portrait(300, 300, "ada"), portrait(300, 300, "emeka")], axis=1)
    data = io.BytesIO()
    Image.fromarray(pair).save(data, "JPEG", quality=92)
    with inside(tmp_path, cache=settings.cache_dir()) as client:
        faces = sent(client, data.getvalue())["faces"]
    assert len(faces) == 2
    (left, top, right, bottom), other = faces
    assert 0 < left < right < 300 < other[0] < other[2] < 600
    assert 0 < top < bottom < 300
