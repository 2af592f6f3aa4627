"""What is old goes, by age and by room; what is needed stays."""

import os
import time
from pathlib import Path

import pytest
from PIL import Image

from avatalk import VideoRequest
from avatalk.errors import NotFound
from avatalk.jobs import expiry, records, worker
from avatalk.jobs.api import Jobs
from avatalk.jobs.inputs import Inputs
from avatalk.jobs.tables import assets, files, jobs
from test_jobs import SMALL, ended, until

DAY = 86400.0


@pytest.fixture(params=["sqlite", "postgres"])
def idle(request, tmp_path):
    if request.param == "sqlite":
        found = Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}", str(tmp_path / "files"))
    else:
        found = Jobs(request.getfixturevalue("postgres").get_uri(), str(tmp_path / "files"))
    yield found
    for job in found.page(limit=100)[0]:
        found.delete(job.id)
    found.db.run(lambda connection: [connection.execute(table.delete()) for table in (files, assets)])
    found.close()


@pytest.fixture
def picture(tmp_path):
    """Make a picture of a colour; about 100 kB, as BMP."""

    def make(colour):
        path = tmp_path / f"{colour}.bmp"
        Image.new("RGB", (180, 180), colour).save(path)
        return str(path)

    return make


def write(idle, key, size):
    path = Path(idle.storage.url) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))


def completed(idle, avatar, days_ago, size=1000):
    """A job that is over for so long; its result has that size."""
    job_id = idle.submit(VideoRequest(text="Yes.", avatar=avatar))
    records.begin(idle.db, job_id, "w")
    path = f"jobs/{job_id}/video.mp4"
    write(idle, path, size)
    assert records.publish(idle.db, job_id, {"files": {"video.mp4": {"key": path, "size": size}}})
    set_at(idle, jobs, jobs.c.id == job_id, ended_at=time.time() - days_ago * DAY)
    return job_id


def set_at(idle, table, where, **values):
    idle.db.run(lambda connection: connection.execute(table.update().where(where).values(**values)))


def used(idle, job_id, days_ago):
    """Set when the files of a job were used last, and written; their keys."""
    keys = list(idle.db.run(lambda c: c.execute(jobs.select().where(jobs.c.id == job_id)).one()).inputs)
    for key in keys:
        at = time.time() - days_ago * DAY
        os.utime(f"{idle.storage.url}/{key}", (at, at))
        set_at(idle, files, files.c.key == key, used_at=at)
    return keys


def left(idle):
    return {job.id for job in idle.page(limit=100)[0]}, set(idle.storage.keys("assets"))


def test_what_is_older_goes_and_open_jobs_keep_what_they_are_made_from(idle, picture):
    old, young = completed(idle, picture("red"), 31), completed(idle, picture("blue"), 29)
    waiting = idle.submit(VideoRequest(text="Yes.", avatar=picture("green")))
    red, blue, green = (used(idle, job_id, 31)[0] for job_id in (old, young, waiting))
    used(idle, young, 29)
    gone = idle.expire(keep_days=30, keep_gb=0)
    assert left(idle) == ({young, waiting}, {blue, green})
    assert (gone.jobs, gone.files) == (1, 1) and gone.freed > 90_000
    assert not idle.events(old) and not idle.storage.keys(f"jobs/{old}")
    assert not idle.storage.exists(red)
    # Once it is over, its file has the age of its last use.
    idle.cancel(waiting)
    assert idle.expire(keep_days=30, keep_gb=0).files == 1
    assert left(idle) == ({young, waiting}, {blue})
    assert idle.expire(keep_days=0, keep_gb=0) == expiry.Expired(0, 0, 0)


def test_the_oldest_go_until_the_rest_fits(idle, picture):
    made = [completed(idle, picture("red"), days, size=100_000) for days in (5, 4, 3)]
    other = completed(idle, picture("blue"), 6, size=100_000)
    waiting = idle.submit(VideoRequest(text="Yes.", avatar=picture("green")))
    keys = [used(idle, job_id, days)[0] for job_id, days in ((made[0], 4.5), (other, 2), (waiting, 9))]
    # About 700 kB. The order of age: other, made 0, red, made 1, made 2, blue; green is in use.
    assert idle.expire(keep_days=0, keep_gb=0.00065).jobs == 1
    assert left(idle) == ({*made, waiting}, set(keys))
    gone = idle.expire(keep_days=0, keep_gb=0.00045)
    assert (gone.jobs, gone.files) == (1, 1)
    assert left(idle) == ({made[1], made[2], waiting}, set(keys[1:]))
    idle.expire(keep_days=0, keep_gb=1e-9)
    assert left(idle) == ({waiting}, {keys[2]})


def test_an_upload_goes_with_its_file_and_its_use_keeps_it(idle, picture, tmp_path):
    stored = idle.store(tmp_path / picture("red"))
    row = {"id": "asset_1", "owner": "", "key": stored.key, "name": "red.bmp", "kind": "picture"}
    row |= {"type": "image/bmp", "facts": {}, "created_at": 0.0, "used_at": time.time()}
    idle.db.run(lambda connection: connection.execute(assets.insert().values(**row)))
    old = time.time() - 40 * DAY
    os.utime(f"{idle.storage.url}/{stored.key}", (old, old))
    set_at(idle, files, files.c.key == stored.key, used_at=old)
    assert idle.expire(keep_days=30, keep_gb=0).files == 0
    set_at(idle, assets, assets.c.id == "asset_1", used_at=old)
    assert idle.expire(keep_days=30, keep_gb=0).files == 1
    assert not idle.db.run(lambda connection: connection.execute(assets.select()).all())


def test_a_file_that_is_used_just_before_it_goes_stays(idle, picture, monkeypatch):
    """Between the look at all files and the removal of this one, somebody submits it again."""
    job_id = completed(idle, picture("red"), 50)
    key = used(idle, job_id, 50)[0]
    look = expiry._unused

    def late(*args):
        found = look(*args)
        expiry.use(idle.db, [key])
        return found

    monkeypatch.setattr(expiry, "_unused", late)
    assert idle.expire(keep_days=30, keep_gb=0).files == 0
    assert idle.storage.exists(key)


def test_a_file_that_went_is_stored_again_or_asked_for(idle, picture, tmp_path):
    request = VideoRequest(text="Yes.", avatar=picture("red"))
    key = used(idle, idle.submit(request), 1)[0]
    put = idle.storage.put

    def put_and_lose(*args, **options):
        stored = put(*args, **options)
        idle.storage.remove(stored.key)
        idle.storage.put = put
        return stored

    idle.storage.put = put_and_lose
    idle.submit(request)
    assert idle.storage.exists(key)
    idle.storage.put = put_and_lose
    assert idle.storage.exists(idle.store(tmp_path / request.avatar).key)
    idle.storage.remove(key)
    with pytest.raises(NotFound, match=r"red\.bmp"):
        idle.submit(Inputs({"text": "Yes.", "avatar": key}, {key: "red.bmp"}))


def test_what_a_killed_process_left_of_a_deleted_job_goes(idle, picture):
    old = f"vid_{int((time.time() - 2 * DAY) * 1000):012x}0123456789abcdef"
    new = f"vid_{int(time.time() * 1000):012x}0123456789abcdef"
    kept = completed(idle, "ada", 1)
    for job_id in (old, new):
        write(idle, f"jobs/{job_id}/segments/0.mp4", 1)
    idle.expire(keep_days=30, keep_gb=0)
    assert sorted(idle.storage.folders("jobs")) == sorted([new, kept])
    idle.storage.remove(f"jobs/{new}")


def test_of_many_workers_one_does_a_chore(idle):
    assert [expiry.is_due(idle.db, "x", 3600.0) for _ in range(3)] == [True, False, False]
    assert expiry.is_due(idle.db, "x", 0.0) and expiry.is_due(idle.db, "y", 3600.0)


def test_a_worker_removes_what_is_old(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path))
    monkeypatch.setenv("AVATALK_KEEP_DAYS", "10")
    monkeypatch.setattr(worker, "_CLEAN_LOOK_S", 0.2)
    monkeypatch.setattr(worker, "_CLEAN_EVERY_S", 0.5)
    running, found = worker.Worker(), Jobs()
    running.start()
    old = ended(found, found.submit(VideoRequest(text="Yes.", **SMALL))).id
    new = ended(found, found.submit(VideoRequest(text="No.", **SMALL))).id
    time.sleep(1.0)
    assert left(found)[0] == {old, new}
    set_at(found, jobs, jobs.c.id == old, ended_at=time.time() - 11 * DAY)
    until(lambda: left(found)[0] == {new})
    running.stop(1)
    found.close()
