"""A template and rows make one video for each row."""

import json
import time

import pytest
import sqlalchemy as sa

from avatalk.errors import BadInput, TooLarge
from avatalk.jobs.tables import jobs
from avatalk.service import filling
from avatalk.service.rows import check_columns, fill, places, plain_rows, read_rows
from avatalk.service.tables import batch_rows, batches
from serving import inside, over

SMALL = {"size": "128x128", "quality": "draft"}
TEMPLATE = {"text": "Hello {name}.", "speed": "{speed}", **SMALL}


@pytest.fixture
def served(tmp_path):
    with inside(tmp_path) as client:
        yield client


def filled(client, batch_id, seconds=30):
    """The batch, once all its videos are queued."""
    end = time.monotonic() + seconds
    while True:
        batch = client.get(f"/v1/batches/{batch_id}").json()
        if all(row["video"] for row in batch["rows"]):
            return batch
        assert time.monotonic() < end, batch
        time.sleep(0.05)


def jobs_in(client):
    query = sa.select(jobs).order_by(jobs.c.id)
    return client.app.state.service.db.run(lambda connection: connection.execute(query).all())


# --- rows


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ("name,city\nMia,Oslo\n", [{"name": "Mia", "city": "Oslo"}]),
        ("name;city\r\nMia;Oslo, Norway\r\n", [{"name": "Mia", "city": "Oslo, Norway"}]),
        ("name\tcity\nMia\tOslo", [{"name": "Mia", "city": "Oslo"}]),
        ('name,city\n"Mia, ""the one""","Os\nlo"\n\n', [{"name": 'Mia, "the one"', "city": "Os\nlo"}]),
        ('"a;b",city\nMia,Oslo', [{"a;b": "Mia", "city": "Oslo"}]),
        ("name\nMia\nAli\n", [{"name": "Mia"}, {"name": "Ali"}]),
        (
            '[{"name": "Mia", "n": 1.5, "ok": true, "x": null}]',
            [{"name": "Mia", "n": "1.5", "ok": "true", "x": ""}],
        ),
    ],
)
def test_rows_are_read_as_they_come(data, rows):
    assert read_rows(data.encode(), 10) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_rows_of_any_usual_encoding(encoding):
    assert read_rows("name\nZoë Müller\n".encode(encoding), 10) == [{"name": "Zoë Müller"}]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no rows"),
        (b"name,city\n", "no rows"),
        (b"name,city\nMia\n", "Row 1 .line 2. has 1 cells"),
        (b"name,name\nMia,Ali\n", "Two columns are called name"),
        (b"name,\nMia,Ali\n", "Column 2 has no name"),
        (b'name\n"Mia\n', "no valid CSV"),
        (b"\x00\x01\x02", "no text"),
        (b"[1]", "Row 1 is no object"),
        (b'[{"a": [1]}]', "Row 1 has no text or number in a"),
        (b"[{]", "no valid JSON"),
        (b"[" * 100_000, "no valid JSON"),
        (rb'[{"a": "\ud800"}]', "no valid JSON"),
    ],
)
def test_rows_that_cannot_be_read_say_why(data, told):
    with pytest.raises(BadInput, match=told):
        read_rows(data, 10)


def test_too_many_rows_are_refused_before_all_are_read():
    with pytest.raises(TooLarge):
        read_rows(b"name\n" + b"Mia\n" * 11, 10)
    with pytest.raises(TooLarge):
        plain_rows([{"a": 1}] * 11, 10)


@pytest.mark.parametrize("text", ["Hello {name", "Hello name}", "{{name}"])
def test_a_brace_without_another_is_told(text):
    with pytest.raises(BadInput, match="brace"):
        places({"text": text})


def test_values_go_into_their_places():
    template = {"text": "Hi {name}, {{not}} {name}!", "speed": "{speed}", "size": "64x64", "seed": 3}
    assert places(template) == {"name": ["text", "text"], "speed": ["speed"]}
    row = {"name": "{x} \\1", "speed": ""}
    assert fill(template, row) == {"text": "Hi {x} \\1, {not} {x} \\1!", "size": "64x64", "seed": 3}
    ssml = {"text": "<speak>{name}</speak>"}
    assert fill(ssml, {"name": "A & <B>"}) == {"text": "<speak>A &amp; &lt;B&gt;</speak>"}
    with pytest.raises(BadInput, match="Row 2 has no column speed"):
        check_columns(template, [row, {"name": "a"}])


# --- over HTTP


def test_every_row_becomes_a_video(tmp_path, decode):
    with inside(tmp_path, worker=True) as client:
        csv = "name;speed\nMia;2\nAli;\n".encode("utf-8-sig")
        answer = client.post(
            "/v1/batches",
            data={"template": json.dumps(TEMPLATE), "name": "welcome"},
            files={"rows": ("guests.csv", csv, "text/csv")},
        )
        batch = answer.json()
        assert (answer.status_code, batch["total"], batch["name"]) == (202, 2, "welcome")
        batch = filled(client, batch["id"])
        videos = [over(client, row["video"]) for row in batch["rows"]]
        assert [video["status"] for video in videos] == ["completed", "completed"]
        assert [video["request"].get("speed") for video in videos] == [2.0, None]
        batch = client.get(answer.headers["location"]).json()
        assert (batch["status"], batch["progress"], batch["counts"]) == ("completed", 1, {"completed": 2})
        assert batch["rows"][1]["values"] == {"name": "Ali", "speed": ""}


def test_nothing_is_queued_unless_all_rows_are_right(served):
    rows = [{"name": "Mia", "speed": 1}, {"name": "Ali", "speed": 7}]
    answer = served.post("/v1/batches", json={"template": TEMPLATE, "rows": rows})
    error = answer.json()["error"]
    assert answer.status_code == 400 and error["field"] == "rows.2.speed"
    assert error["message"].startswith("Row 2, column speed: ")
    lacking = served.post("/v1/batches", json={"template": TEMPLATE, "rows": [{"name": "Mia"}]})
    assert lacking.status_code == 400 and "no column speed" in lacking.json()["error"]["message"]
    wrong = served.post("/v1/batches", json={"template": {"txt": "{name}"}, "rows": [{"name": "Mia"}]})
    assert wrong.json()["error"]["field"] == "template.txt"
    paths = served.post(
        "/v1/batches", json={"template": {"text": "Hi.", "avatar": "/etc/{f}"}, "rows": [{"f": "hosts"}]}
    )
    assert paths.status_code == 400 and paths.json()["error"]["field"] == "rows.1.f"
    assert served.get("/v1/batches").json()["data"] == [] and jobs_in(served) == []


ODD = rb'{"template": {"text": "a", "\udc00": "b"}, "rows": [{"a": 1}]}'


def test_limits_of_a_batch(tmp_path):
    with inside(tmp_path, max_rows=2) as client:
        body = {"template": {"text": "{a}"}, "rows": [{"a": "x"}] * 3}
        assert client.post("/v1/batches", json=body).status_code == 413
        assert (
            client.post("/v1/batches", content=b"x", headers={"content-type": "text/plain"}).status_code
            == 415
        )
        huge = {"content-length": "30000000", "content-type": "application/json"}
        assert client.post("/v1/batches", content=b"{}", headers=huge).status_code == 413
        for body in (b"{", b"[]", b"{}", b'{"rows": [{"a": 1}]}', b'{"template": {}, "rows": []}', ODD):
            answer = client.post("/v1/batches", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400, (body, answer.text)


def test_a_batch_is_accepted_once(served):
    body = {"template": TEMPLATE, "rows": [{"name": "Mia", "speed": 1}]}
    key = {"Idempotency-Key": "monday"}
    first = served.post("/v1/batches", json=body, headers=key).json()
    again = served.post("/v1/batches", json=body, headers=key).json()
    assert first["id"] == again["id"]
    body["rows"][0]["name"] = "Ali"
    assert served.post("/v1/batches", json=body, headers=key).status_code == 409
    filled(served, first["id"])
    assert len(jobs_in(served)) == 1


def test_what_a_killed_process_left_is_queued_and_nothing_twice(served):
    service = served.app.state.service
    service.filler.close()
    rows = [{"name": f"guest {number}", "speed": 1} for number in range(5)]
    batch_id = served.post("/v1/batches", json={"template": TEMPLATE, "rows": rows}).json()["id"]
    # One process had queued two videos when it was killed, and noted only the first.
    stopped = filling.Filler(service)
    batch = stopped._hold()
    for row in stopped._some(batch.id, sa.true())[:2]:
        stopped._queue(batch, row)
    forget = batch_rows.update().where(batch_rows.c.number == 2).values(job_id=None)
    late = batches.update().values(held_until=time.time() + 0.3)
    service.db.run(lambda connection: (connection.execute(forget), connection.execute(late)))
    assert filling.Filler(service)._hold() is None  # held still
    time.sleep(0.35)
    while filling.Filler(service)._step():
        pass
    batch = served.get(f"/v1/batches/{batch_id}").json()
    assert batch["counts"] == {"queued": 5} and len(jobs_in(served)) == 5
    assert [job.request["text"] for job in jobs_in(served)] == [f"Hello guest {n}." for n in range(5)]


def test_a_batch_takes_its_turn_after_others(served):
    rows = [{"name": "Mia", "speed": 1}] * 3
    batch = served.post("/v1/batches", json={"template": TEMPLATE, "rows": rows}).json()
    filled(served, batch["id"])
    served.post("/v1/videos", json={"text": "Hello."})
    turns = [job.turn for job in jobs_in(served)]
    assert turns[-1] < min(turns[:-1])


def test_a_batch_can_be_canceled_and_deleted(served):
    rows = [{"name": "Mia", "speed": 1}] * 3
    first, second = (
        served.post("/v1/batches", json={"template": TEMPLATE, "rows": rows}).json()["id"] for _ in range(2)
    )
    page = served.get("/v1/batches", params={"limit": 1}).json()
    assert [batch["id"] for batch in page["data"]] == [second]
    assert served.get("/v1/batches", params={"before": page["next"]}).json()["data"][0]["id"] == first
    filled(served, first)
    canceled = served.post(f"/v1/batches/{first}/cancel").json()
    assert canceled["status"] == "canceled"
    assert served.delete(f"/v1/batches/{second}").status_code == 204
    assert served.get(f"/v1/batches/{second}").status_code == 404
    end = time.monotonic() + 20
    while {job.status for job in jobs_in(served)} != {"canceled"} or len(jobs_in(served)) != 3:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert served.get(f"/v1/batches/{first}").json()["counts"] == {"canceled": 3}


def test_batches_of_others_do_not_exist(served):
    body = {"template": TEMPLATE, "rows": [{"name": "Mia", "speed": 1}]}
    batch_id = served.post("/v1/batches", json=body).json()["id"]
    served.cookies.set("avatalk_visitor", "somebody-else-altogether")
    assert served.get(f"/v1/batches/{batch_id}").status_code == 404
    assert served.post(f"/v1/batches/{batch_id}/cancel").status_code == 404
    assert served.delete(f"/v1/batches/{batch_id}").status_code == 404
    assert served.get("/v1/batches").json()["data"] == []


def test_a_batch_waits_for_the_limits_of_its_key(served):
    service = served.app.state.service
    _, secret = service.keys.create("small", concurrent=2)
    served.headers["Authorization"] = f"Bearer {secret}"
    rows = [{"name": "Mia", "speed": 1}] * 3
    batch_id = served.post("/v1/batches", json={"template": TEMPLATE, "rows": rows}).json()["id"]
    end = time.monotonic() + 20
    while len(queued := jobs_in(served)) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.3)
    assert len(jobs_in(served)) == 2 and served.get(f"/v1/batches/{batch_id}").json()["counts"] == {
        "queued": 3
    }
    served.post(f"/v1/videos/{queued[0].id}/cancel")
    filled(served, batch_id)
