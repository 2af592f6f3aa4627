"""What is wrong with a request is told when it is submitted, not by a worker later."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from avatalk import VideoRequest
from avatalk.errors import FaceError, UnknownName
from avatalk.events import Monitor
from avatalk.jobs import needs
from avatalk.jobs.api import Jobs
from avatalk.jobs.foresight import check_file
from avatalk.jobs.inputs import Inputs, local_request, told_request
from avatalk.jobs.tables import jobs as rows
from avatalk.jobs.tables import workers
from avatalk.speech import kept
from avatalk.speech.casting import cast
from avatalk.speech.traits import Traits
from conftest import tone
from serving import inside

WRONG = [
    ({"voice": "amyy"}, 400, "voice", "amy"),
    ({"voice": "../../etc/x.voice"}, 400, "voice", "/v1/voices"),
    ({"voice": "thorsten"}, 409, "voice", "piper:de_DE-thorsten-medium"),
    ({"voice": "amy", "text": "你好，很高兴认识你。"}, 400, "text", "mei"),
    ({"text": "<speak>Hello <break</speak>"}, 400, "text", ""),
    ({"language": "xx"}, 400, "language", "avatalk voices"),
    ({"avatar": "adda"}, 400, "avatar", "ada"),
    ({"engine": "wav2lipp"}, 400, "engine", "wav2lip"),
    ({"engine": "wav2lip"}, 409, "engine", "animator"),
    ({"faces": "mediapip"}, 400, "faces", "mediapipe"),
    ({"matting": "selfy"}, 400, "matting", "selfie"),
    ({"avatar_prompt": "a sailor", "avatar_engine": "draw"}, 400, "avatar_engine", "drawn"),
    ({"avatar_prompt": "  "}, 400, "avatar_prompt", ""),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with inside(tmp_path_factory.mktemp("data"), offline=1) as client:
        yield client


def announce(db, has):
    row = {"id": "far away", "queue": needs.queue_of(has), "has": has, "started_at": 0.0}
    row["seen_at"] = db.now
    db.run(lambda connection: connection.execute(workers.insert().values(**row)))


def refused(answer):
    return answer.status_code, answer.json()["error"]["field"], answer.json()["error"]["hint"]


@pytest.mark.parametrize(("fields", "status", "field", "hint"), WRONG)
def test_what_cannot_be_made_is_refused_at_once_with_what_to_do(client, fields, status, field, hint):
    body = {"text": "Hello.", **fields}
    for route in ("/v1/videos", "/v1/preview"):
        told = refused(client.post(route, json=body))
        assert told[:2] == (status, field) and hint in told[2], (route, told)
    told = refused(client.post("/v1/batches", json={"template": body, "rows": [{"n": "1"}, {"n": "2"}]}))
    assert told[:2] == (status, f"template.{field}") and hint in told[2]
    if {"text", "voice", "language"} >= set(fields):
        told = refused(client.post("/v1/speech", json=body))
        assert told[:2] == (status, field) and hint in told[2]
    assert client.get("/v1/videos").json()["data"] == []


def test_a_batch_says_in_which_row_a_name_is_wrong(client):
    body = {"template": {"text": "Hi {n}.", "voice": "{v}"}, "rows": [{"n": "1", "v": "amy"}]}
    body["rows"] += [{"n": "2", "v": ""}, {"n": "3", "v": "amyy"}]
    answer = client.post("/v1/batches", json=body)
    assert refused(answer)[:2] == (400, "rows.3.v") and "Row 3, column v" in answer.json()["error"]["message"]


def test_a_file_of_the_wrong_kind_is_refused(client, make_wav):
    def sent(name, data):
        return client.post("/v1/assets", files={"file": (name, data)}).json()["id"]

    data = io.BytesIO()
    Image.fromarray(np.full((80, 120, 3), 90, np.uint8)).save(data, "PNG")
    picture, sound = sent("me.png", data.getvalue()), sent("s.wav", make_wav(tone(1.0), 16000).read_bytes())
    for fields, field in (
        ({"avatar": sound, "text": "Hi."}, "avatar"),
        ({"audio": picture}, "audio"),
        ({"voice_sample": picture, "text": "Hi."}, "voice_sample"),
        ({"voice_sample": sound, "text": "Hi."}, "voice_sample"),  # too short
        ({"background": sound, "text": "Hi."}, "background"),
        ({"overlay": f"{sound}:top-left:10%", "text": "Hi."}, "overlay"),
    ):
        told = client.post("/v1/videos", json=fields)
        assert refused(told)[:2] == (400, field) and ("me.png" in told.text or "s.wav" in told.text)
    assert client.post("/v1/videos", json={"audio": sound, "avatar": picture}).status_code == 202


def test_faces_that_were_counted_are_known_beforehand():
    facts = {"faces": [[0, 0, 50, 50], [60, 0, 110, 50]]}
    check_file(VideoRequest(text="Hi.", face=2), "avatar", "us.jpg", "picture", facts)
    with pytest.raises(Exception, match="no face number 3"):
        check_file(VideoRequest(text="Hi.", face=3), "avatar", "us.jpg", "picture", facts)
    with pytest.raises(FaceError, match=r"wall\.jpg"):
        check_file(VideoRequest(text="Hi."), "avatar", "wall.jpg", "picture", {"faces": []})
    # After a turn there may be one, in a PNG a drawn character; and perhaps nobody looked.
    check_file(VideoRequest(text="Hi.", rotate=True), "avatar", "wall.jpg", "picture", {"faces": []})
    check_file(VideoRequest(text="Hi."), "avatar", "ada.png", "picture", {"faces": []})
    check_file(VideoRequest(text="Hi."), "avatar", "wall.jpg", "picture", {})


@pytest.mark.parametrize(
    ("voice", "has", "needed"),
    [
        ("en_US-lessac-medium", [], ["piper:en_US-lessac-medium"]),  # queued, until there is such a worker
        ("lessac", ["piper:en_US-lessac-medium"], ["piper:en_US-lessac-medium"]),
        ("our-boss", ["piper:our_boss"], ["piper:our_boss"]),
        ("en_US-libritts-high-p225", ["piper:en_US-libritts-high"], ["piper:en_US-libritts-high"]),
        ("female-en-5", ["speech:yourtts"], ["speech:yourtts"]),
        ("Claribel Dervla", ["speech:xtts"], ["speech:xtts"]),
    ],
)
def test_voices_that_only_a_worker_has_are_taken_and_go_to_it(tmp_path, voice, has, needed):
    with inside(tmp_path, offline=1) as client:
        service = client.app.state.service
        body = {"text": "Hello.", "voice": voice}
        if has:
            alone = client.post("/v1/videos", json=body)
            # What begins like the name of a language is taken for it, if nobody has such a voice.
            assert alone.status_code in (400, 409) or voice.startswith("en_US"), alone.text
            announce(service.db, has)
        answer = client.post("/v1/videos", json=body)
        assert answer.status_code == 202, answer.text
        mine = rows.select().where(rows.c.id == answer.json()["id"])
        row = service.db.run(lambda connection: connection.execute(mine).one())
        assert row.needs == needed
        assert (row.queue == needs.queue_of(has)) == bool(has)


def test_a_library_that_submits_is_told_as_well(tmp_path):
    jobs = Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}", str(tmp_path / "files"))
    try:
        for fields in ({"voice": "gandalf"}, {"avatar": "gandalf"}, {"engine": "gandalf"}):
            with pytest.raises(UnknownName):
                jobs.submit(VideoRequest(text="Yes.", **fields))
    finally:
        jobs.close()


# --- kept voices travel -----------------------------------------------------------------------------


def keep(name="mum"):
    """Keep a voice in the data folder that is set."""
    voice = kept.Kept(
        name,
        "en",
        "me.wav",
        Traits(210.0, 180.0, 250.0, 3.9, -12.0),
        kept.Consent("She agreed.", "Mia", "2026-01-02T03:04:05+00:00"),
    )
    kept.put(voice, (0.1 * np.sin(np.arange(kept.SAMPLE_RATE * 4) / 20)).astype(np.float32))
    return voice


def test_a_kept_voice_travels_with_its_consent_to_a_machine_that_has_it_not(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path / "here"))
    own = keep()
    jobs = Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}", str(tmp_path / "files"))
    try:
        job = jobs.get(jobs.submit(VideoRequest(text="Hello there.", voice="Mum")))
        again = jobs.get(jobs.submit(VideoRequest(text="Hello.", voice="mum")))
        assert job.request["voice"] == again.request["voice"], "equal voices are stored once"
        here = cast("Hello there.", "mum", None, None, "", Monitor())

        monkeypatch.setenv("AVATALK_DATA", str(tmp_path / "there"))
        inputs = Inputs(job.request, job.names)
        request, names = local_request(inputs, jobs.storage, tmp_path)
        arrived = kept.get(request.voice)
        assert (arrived.name, arrived.consent, arrived.traits) == ("mum", own.consent, own.traits)
        assert np.abs(arrived.sound()).max() == pytest.approx(0.1, abs=1e-4)
        monitor = Monitor()
        assert cast("Hello there.", request.voice, None, None, "", monitor) == here
        assert "voice of mum" in monitor.warnings[0]
        assert names == {request.voice: "mum"} and json.loads(told_request(inputs))["voice"] == "mum"
    finally:
        jobs.close()


def test_over_http_a_kept_voice_travels_too_and_is_called_by_its_name(tmp_path):
    with inside(tmp_path, offline=1) as client:
        keep()
        stored = client.app.state.service.storage
        video = client.post("/v1/videos", json={"text": "Hello.", "voice": "mum"}).json()
        assert video["request"]["voice"] == "mum"
        (pack,) = (key for key in stored.keys("assets") if key.endswith(kept.PACK))
        # Its file is nobody's to name: neither by its key nor where it lies.
        for name in (pack, str(stored.fetch(pack, tmp_path))):
            told = refused(client.post("/v1/videos", json={"text": "Hello.", "voice": name}))
            assert told[:2] == (400, "voice")
        body = {"template": {"text": "{n}", "voice": "mum"}, "rows": [{"n": "One."}, {"n": "Two."}]}
        assert client.post("/v1/batches", json=body).status_code == 202
