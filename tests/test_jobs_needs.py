"""Workers that do not all have the same: each takes what it can make."""

import time

import pytest

from avatalk import VideoRequest, engines
from avatalk.jobs import needs, records
from avatalk.jobs.api import Jobs
from avatalk.jobs.tables import jobs as rows
from avatalk.jobs.tables import workers
from test_jobs import SMALL, TEXT, ended, made_by, started, until


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, []),
        ({"device": "cpu", "engine": "animator", "faces": "mediapipe", "matting": "selfie"}, []),
        ({"device": "cuda", "engine": "wav2lip-gan"}, ["cuda", "lipsync:wav2lip-gan"]),
        ({"faces": "s3fd", "matting": "deeplab"}, ["compose:deeplab", "face:s3fd"]),
        ({"avatar_prompt": "a sailor", "avatar_engine": "diffusion"}, ["avatar:diffusion"]),
        ({"voice": "en_US-lessac-medium"}, ["piper:en_US-lessac-medium"]),
        # What nobody knows is for the plan to say.
        ({"engine": "nonsense", "voice": "gandalf"}, []),
    ],
)
def test_what_a_request_needs(fields, wanted):
    assert needs.needs_of(VideoRequest(text="Yes.", **fields)) == wanted


def test_what_a_worker_has(monkeypatch):
    has = needs.has()
    assert {"lipsync:animator", "speech:espeak", "face:mediapipe"} <= set(has) and has == sorted(has)
    row = engines.Engine(
        "lipsync", "x", "nowhere:X", "", "MIT", packages=("nothing_of_that_name",), extra="x"
    )
    monkeypatch.setattr(engines, "ENGINES", (*engines.ENGINES, row))
    monkeypatch.setattr(needs, "ENGINES", engines.ENGINES)
    assert needs.has() == has
    monkeypatch.setattr(needs, "choose_device", lambda device: device)
    assert set(needs.has()) - set(has) == {"cuda", "mps"}
    assert needs.queue_of(has) != needs.queue_of(needs.has())


@pytest.fixture
def idle(tmp_path):
    jobs = Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}", str(tmp_path / "files"))
    yield jobs
    jobs.close()


def announce(jobs, name, has, age=0.0):
    """A worker, as the others see it; its queue."""
    row = {"id": name, "queue": needs.queue_of(has), "has": has, "started_at": 0.0}
    row["seen_at"] = jobs.db.now - age
    jobs.db.run(lambda connection: connection.execute(workers.insert().values(**row)))
    return row["queue"]


def queue(jobs, job_id):
    """The queue of a job, on which all that waits of it is."""
    flows = jobs.db.dbos.list_workflows(workflow_id_prefix=f"{job_id}.", status="ENQUEUED")
    row = jobs.db.run(lambda c: c.execute(rows.select().where(rows.c.id == job_id)).one())
    assert {flow.queue_name for flow in flows} == {row.queue}
    return row.queue


def submit(jobs, **fields):
    return jobs.submit(VideoRequest(text="Yes.", **fields))


def failed(jobs):
    """Route, and return the jobs that were given up."""
    given_up = {}
    needs.route(jobs.db, lambda job_id, error: given_up.setdefault(job_id, error))
    return given_up


def test_a_job_goes_to_who_can_make_it_and_has_the_least_to_do(idle):
    announce(idle, "dead", ["cuda"], age=3600)
    assert queue(idle, submit(idle)) == records.QUEUE
    cpu = announce(idle, "a", ["x"])
    gpu = announce(idle, "b", ["cuda", "x"])
    announce(idle, "c", ["x"])
    assert [queue(idle, submit(idle, device="cuda")) for _ in range(3)] == [gpu] * 3
    # The other two workers together have less to do than this one until they have six.
    others = [queue(idle, submit(idle)) for _ in range(8)]
    assert others[:6] == [cpu] * 6 and sorted(others[6:]) == sorted([cpu, gpu])


def test_what_waits_for_a_lost_group_is_given_to_another(idle):
    announce(idle, "a", ["cuda", "x"])
    job_id = submit(idle, device="cuda")
    records.begin(idle.db, job_id, "a")
    idle.db.dbos.cancel_workflow(f"{job_id}.plan")
    facts = {"fps": "25", "warnings": [], "duration_s": 8.0, "seconds": 0.1}
    records.planned(idle.db, job_id, facts, [(0, 100), (100, 200)])
    first = queue(idle, job_id)
    other = announce(idle, "b", ["cuda", "y"])
    assert not failed(idle) and queue(idle, job_id) == first
    idle.db.run(lambda connection: connection.execute(workers.delete().where(workers.c.id == "a")))
    assert not failed(idle) and queue(idle, job_id) == other


def test_what_nobody_can_make_says_so_and_fails_after_a_while(idle, monkeypatch):
    announce(idle, "a", ["x"])
    job_id, plain = submit(idle, device="cuda"), submit(idle)
    assert "cuda" in idle.get(job_id).warnings[0] and not idle.get(plain).warnings
    assert idle.page()[0][1].warnings == idle.get(job_id).warnings
    assert not failed(idle)
    monkeypatch.setenv("AVATALK_WAIT_S", "60")
    old = rows.update().values(created_at=time.time() - 61)
    idle.db.run(lambda connection: connection.execute(old))
    given_up = failed(idle)
    assert list(given_up) == [job_id]
    assert given_up[job_id].code == "engine_unavailable" and given_up[job_id].hint


def test_each_of_two_kinds_of_workers_makes_what_it_can(tmp_path, idle):
    common = {
        "AVATALK_DATABASE_URL": str(idle.db.url),
        "AVATALK_STORAGE": idle.storage.url,
        "AVATALK_CACHE": str(tmp_path / "cache"),
        "AVATALK_DATA": str(tmp_path),
    }
    wants_gpu = [idle.submit(VideoRequest(text=TEXT, device="cuda", **SMALL)) for _ in range(2)]
    running = [started(common)]
    plain = submit(idle, **SMALL)
    assert ended(idle, plain).status == "completed"
    assert idle.get(wants_gpu[0]).status == "queued" and "cuda" in idle.get(wants_gpu[0]).warnings[0]
    running.append(started(common, has=["cuda"]))
    try:
        for job_id in wants_gpu:
            job = ended(idle, job_id)
            assert job.status == "completed", job.error
            assert set(made_by(idle, job_id).values()) == {running[1][1]} and not job.warnings
    finally:
        for process, _ in running:
            process.terminate()
        for process, _ in running:
            process.wait()
    until(lambda: not idle.db.dbos.list_workflows(status=["ENQUEUED", "PENDING"]))
