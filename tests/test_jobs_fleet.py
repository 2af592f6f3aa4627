"""One job over several worker processes that share a PostgreSQL."""

import signal
import threading
import time

import pytest
import sqlalchemy as sa

from avatalk import VideoRequest
from avatalk.errors import StorageError
from avatalk.jobs import records
from avatalk.jobs.api import Jobs
from avatalk.jobs.tables import Database, workers
from test_jobs import SMALL, TEXT, ended, held_by, made_by, read, started, until


@pytest.fixture(scope="module")
def database(postgres):
    """The URL of a PostgreSQL."""
    return postgres.get_uri()


@pytest.fixture
def fleet(database, tmp_path):
    """Jobs, a way to start workers that all share database and storage, and an end for these."""
    jobs = Jobs(database, str(tmp_path / "files"))
    running = []

    def start(**options):
        # Each has a data folder of its own, as on a machine of its own.
        environment = {
            "AVATALK_DATA": str(tmp_path / f"data{len(running)}"),
            "AVATALK_DATABASE_URL": database,
            "AVATALK_STORAGE": str(tmp_path / "files"),
            "AVATALK_CACHE": str(tmp_path / "cache"),
        }
        process, name = started(environment, **options)
        running.append(process)
        return process, name

    yield jobs, start
    for process in running:
        process.terminate()
    for process in running:
        process.wait()
    jobs.close()


def begun(jobs, job_id, worker):
    """Let the plan of a job stand as if that worker had begun it."""
    table = jobs.db.dbos._sys_db.tables.workflow_status
    with jobs.db.dbos._sys_db.engine.begin() as connection:
        mine = table.update().where(table.c.workflow_uuid == f"{job_id}.plan")
        connection.execute(mine.values(status="PENDING", executor_id=worker))


def test_the_segments_of_a_job_spread_and_the_bytes_are_the_same(fleet, tmp_path):
    jobs, start = fleet
    request = VideoRequest(text=TEXT, **SMALL)
    _, alone = start(seconds_per_frame=0.01)
    one = jobs.submit(request)
    assert ended(jobs, one).status == "completed"
    assert set(made_by(jobs, one).values()) == {alone}
    names = {alone, start(seconds_per_frame=0.03)[1], start(seconds_per_frame=0.03)[1]}
    many = jobs.submit(request)
    job = ended(jobs, many)
    assert job.status == "completed", job.error
    made = made_by(jobs, many)
    assert set(made.values()) == names and len(made) == job.segments
    assert read(jobs, many) == read(jobs, one)


def test_what_a_lost_worker_had_begun_is_taken_over_and_a_live_one_keeps_its_own(fleet):
    jobs, start = fleet
    lost, first = start(seconds_per_frame=0.2)
    job_id = jobs.submit(VideoRequest(text=TEXT, **SMALL))
    until(lambda: jobs.get(job_id).segments and held_by(jobs, first))
    _, second = start(seconds_per_frame=0.02)
    until(lambda: second in made_by(jobs, job_id).values())
    # The slow one still has its segment: being slow is not being lost.
    assert held_by(jobs, first)
    lost.send_signal(signal.SIGKILL)
    lost.wait()
    assert jobs.get(job_id).status == "processing"
    # It is on another machine, so only that it is not seen any more tells; this is not waited for here.
    late = workers.update().where(workers.c.id == first).values(seen_at=time.time() - 3600)
    jobs.db.run(lambda connection: connection.execute(late))
    job = ended(jobs, job_id)
    made = made_by(jobs, job_id)
    assert job.status == "completed" and len(made) == job.segments
    assert second in made.values()


def test_a_stopped_worker_hands_back_and_what_it_does_late_is_not_taken(fleet):
    jobs, start = fleet
    process, first = start(seconds_per_frame=0.5)
    job_id = jobs.submit(VideoRequest(text=TEXT, **SMALL))
    until(lambda: jobs.get(job_id).segments and held_by(jobs, first))
    process.terminate()
    until(lambda: not held_by(jobs, first))
    _, second = start()
    job = ended(jobs, job_id)
    assert job.status == "completed" and set(made_by(jobs, job_id).values()) == {second}
    assert process.stdout.readline() == "handed back\n"
    assert process.wait() == 0


def test_the_database_may_go_away_for_a_while(fleet, postgres):
    jobs, start = fleet
    start(seconds_per_frame=0.03)
    job_id = jobs.submit(VideoRequest(text=TEXT, **SMALL))
    until(lambda: made_by(jobs, job_id))
    postgres.stop()
    jobs.db.patience_s = 0.0
    with pytest.raises(StorageError) as caught:
        jobs.get(job_id)
    assert caught.value.retryable and caught.value.hint
    postgres.start()
    jobs.db.patience_s = 30.0
    job = ended(jobs, job_id)
    assert job.status == "completed" and len(made_by(jobs, job_id)) == job.segments


def test_work_whose_end_could_not_be_recorded_is_done_again_by_its_own_worker(fleet):
    """As after a database that went away in the one moment that DBOS does not wait for."""
    jobs, start = fleet
    process, name = start()
    process.send_signal(signal.SIGSTOP)
    job_id = jobs.submit(VideoRequest(text="Yes.", **SMALL))
    begun(jobs, job_id, name)
    process.send_signal(signal.SIGCONT)
    assert ended(jobs, job_id).status == "completed"


def test_a_failure_to_connect_is_one_that_passes(postgres, database):
    db = Database(database)
    db.engine.dispose()
    postgres.stop()
    try:
        with pytest.raises(sa.exc.OperationalError) as caught:
            db.engine.connect()
    finally:
        postgres.start()
    assert caught.value.connection_invalidated  # for which DBOS waits, whatever the words are
    db.close()


def test_a_database_that_is_not_there_at_first_is_told_of_or_waited_for(postgres, database):
    nowhere = "postgresql://nobody@127.0.0.1:9/jobs"
    with pytest.raises(StorageError) as caught:
        Database(nowhere, patience_s=0.0)
    assert caught.value.retryable and caught.value.hint
    postgres.stop()
    coming = threading.Timer(1.0, postgres.start)
    coming.start()
    try:
        Database(database, patience_s=60.0).close()
    finally:
        coming.join()


def test_of_several_that_take_back_one_does(fleet):
    jobs, _ = fleet
    job_id = jobs.submit(VideoRequest(text="Yes."))
    begun(jobs, job_id, "lost")
    assert [jobs.db.take_back(["lost"]) for _ in range(3)] == [1, 0, 0]
    jobs.delete(job_id)


def test_a_job_is_published_once_and_its_last_segment_queues_the_join(fleet):
    jobs, _ = fleet
    job_id = jobs.submit(VideoRequest(text="Yes."))
    plan = {"fps": "25", "n_frames": 100, "warnings": [], "duration_s": 4.0, "seconds": 0.5}
    assert not records.publish(jobs.db, job_id, {"files": {}})  # nobody has begun it
    records.begin(jobs.db, job_id, "a")
    assert records.planned(jobs.db, job_id, plan, [(0, 50), (50, 100)])
    assert not records.planned(jobs.db, job_id, plan, [(0, 50), (50, 100)])
    assert records.segment_made(jobs.db, job_id, 1, "x", "a")
    assert records.segment_made(jobs.db, job_id, 1, "y", "b")
    assert not jobs.db.dbos.list_workflows(workflow_ids=[f"{job_id}.join"])
    assert records.segment_made(jobs.db, job_id, 0, "z", "b")
    assert jobs.db.dbos.list_workflows(workflow_ids=[f"{job_id}.join"])
    assert made_by(jobs, job_id) == {1: "a", 0: "b"}
    assert records.publish(jobs.db, job_id, {"files": {"video.mp4": {"key": "a"}}})
    assert not records.publish(jobs.db, job_id, {"files": {"video.mp4": {"key": "b"}}})
    assert not records.fail(jobs.db, job_id, {}) and not records.cancel(jobs.db, job_id)
    assert jobs.get(job_id).result["files"]["video.mp4"]["key"] == "a"


def test_several_may_make_the_tables_at_once(database):
    from concurrent.futures import ThreadPoolExecutor

    import sqlalchemy as sa

    plain = sa.create_engine(sa.make_url(database).set(drivername="postgresql+psycopg"))
    with plain.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CREATE DATABASE fresh"))
    plain.dispose()
    fresh = sa.make_url(database).set(database="fresh").render_as_string(hide_password=False)
    with ThreadPoolExecutor(3) as pool:
        for made in pool.map(lambda _: Database(fresh), range(3)):
            made.close()
