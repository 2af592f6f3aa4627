"""Jobs on one machine: what they give, how they end, and what a killed worker leaves."""

import dataclasses
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

import jobs_worker
from avatalk import VideoRequest, load_spec
from avatalk.errors import (
    BadInput,
    CannotRun,
    OutputError,
    StorageError,
    UnknownName,
    UnreadableFile,
)
from avatalk.events import Progress
from avatalk.jobs import api, records, work, worker
from avatalk.jobs.api import Jobs
from avatalk.jobs.storage import Storage
from avatalk.jobs.work import Watch, Workshop
from avatalk.media import Result
from avatalk.video import segments
from stores import keeps_files

TEXT = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, and so on."
SMALL = {"size": "128x128", "quality": "draft"}


def until(wanted, seconds=180):
    """Wait for what `wanted` returns; fail if it never does."""
    end = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
    return found


def ended(jobs, job_id):
    return until(lambda: (job := jobs.get(job_id)).ended_at and job)


def started(environment, segment_s=1.0, seconds_per_frame=0.0, has=()):
    """A worker process and its name."""
    script = Path(jobs_worker.__file__)
    process = subprocess.Popen(
        [sys.executable, script, str(segment_s), str(seconds_per_frame), *has],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def made_by(jobs, job_id):
    """Segment → the worker that made it, as the events tell it; each only once."""
    told = [event.data for event in jobs.events(job_id) if event.kind == "segment"]
    assert len({event["number"] for event in told}) == len(told)
    return {event["number"]: event["worker"] for event in told}


def held_by(jobs, name):
    """What a worker has in hand."""
    return jobs.db.dbos.list_workflows(status="PENDING", executor_id=name)


def read(jobs, job_id, name="video.mp4"):
    with jobs.open(job_id, name) as file:
        return file.read()


# --- with a worker in this process -----------------------------------------------------------------


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Jobs with one worker, segments of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATALK_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setattr(segments, "SEGMENT_S", 1.0)
        patch.setattr(worker, "SEEN_EVERY_S", 0.3)
        jobs, running = Jobs(), worker.Worker()
        running.start()
        yield jobs
        running.stop(1)
        jobs.close()


def test_a_job_makes_the_video(service, decode, tmp_path, moov_before_mdat):
    job_id = service.submit(VideoRequest(text=TEXT, captions="srt,soft", **SMALL))
    job = ended(service, job_id)
    assert (job.status, job.progress, job.error) == ("completed", 1.0, None)
    path = tmp_path / "a.mp4"
    path.write_bytes(read(service, job_id))
    facts = job.result["files"]["video.mp4"]
    assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (facts["size"], facts["type"]) == (path.stat().st_size, "video/mp4")
    assert b"-->" in read(service, job_id, "captions.srt")
    decoded, report = decode(path), job.result["report"]
    assert len(decoded["frames"]) == report["frames"] == round(job.duration_s * 25)
    assert sorted(decoded["streams"]) == ["audio", "subtitle", "video"]
    assert moov_before_mdat(path)
    assert load_spec(path) == VideoRequest(text=TEXT, captions="srt,soft", **SMALL)
    assert report["engines"]["speech"].startswith("espeak") and report["better"]
    with Image.open(io.BytesIO(read(service, job_id, "thumbnail.jpg"))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (128, 128))
        spoken = min(
            np.abs(frame.astype(int) - np.asarray(picture)).mean() for frame in decoded["frames"][:120]
        )
    assert spoken < 4 and job.result["files"]["thumbnail.jpg"]["type"] == "image/jpeg"
    assert set(report) == {field.name for field in dataclasses.fields(Result)}
    assert (report["path"], report["captions"]) == ("video.mp4", ["captions.srt"])
    # Only what was published is left, and each segment was made once.
    assert service.storage.keys(f"jobs/{job_id}") == sorted(
        file["key"] for file in job.result["files"].values()
    )
    assert len(made_by(service, job_id)) == job.segments > 4


def test_a_video_is_watched_while_it_is_made(service, monkeypatch, decode, tmp_path):
    early = []

    def look(path, frames, *args, **options):
        """Before the third segment is made: what a player gets."""
        if (early_id := service.page()[0][0].id) and len(service.segments(early_id)) == 2:
            early.append((service.playlist(early_id), service.fragment(early_id, 1)))
            with pytest.raises(UnknownName):
                service.fragment(early_id, 2)
        segments.write_segment(path, frames, *args, **options)

    monkeypatch.setattr(work, "write_segment", look)
    job_id = service.submit(VideoRequest(text=TEXT, **SMALL))
    with pytest.raises(UnknownName):
        service.playlist(job_id)
    job = ended(service, job_id)
    assert job.status == "completed", job.error
    text = service.playlist(job_id)
    assert text.endswith("#EXT-X-ENDLIST\n") and text.count("#EXTINF") == job.segments
    # What is listed stays, and stays the same when the files of the segments are gone.
    parts = [service.fragment(job_id, number) for number in range(job.segments)]
    assert [part for _, part in early] == [parts[1]]
    assert text.startswith(early[0][0]) and early[0][0].count("#EXTINF") == 2
    live, finished = tmp_path / "live.mp4", tmp_path / "finished.mp4"
    live.write_bytes(service.opening(job_id) + b"".join(parts))
    finished.write_bytes(read(service, job_id))
    with av.open(str(live)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    wanted = decode(finished)["frames"]
    assert len(frames) == len(wanted) and all(map(np.array_equal, frames, wanted))
    found = service.segments(job_id)
    assert (found[0].start, found[-1].stop) == (0, len(wanted))
    assert found[-1].stop_s == pytest.approx(job.duration_s)
    service.delete(job_id)
    with pytest.raises(UnknownName):
        service.playlist(job_id)


def test_events_tell_the_way_of_a_job(service):
    job_id = service.submit(VideoRequest(text=TEXT, **SMALL))
    ended(service, job_id)
    told = service.events(job_id)
    assert [event.number for event in told] == list(range(1, len(told) + 1))
    assert [event.data["status"] for event in told if event.kind == "status"] == [
        "queued",
        "processing",
        "completed",
    ]
    progress = [event.data["progress"] for event in told if "progress" in event.data]
    assert progress == sorted(progress) and progress[0] >= 0 and progress[-1] <= 1
    assert service.events(job_id, after=told[3].number) == told[4:]


def test_the_files_of_a_request_are_copied(service, tmp_path, make_wav, espeak_wav, portrait):
    sound, logo = tmp_path / "speech.wav", tmp_path / "wall.png"
    sound.write_bytes(espeak_wav("Nobody needs the files any more.").read_bytes())
    Image.new("RGB", (64, 64), "teal").save(logo)
    request = VideoRequest(audio=str(sound), overlay=f"{logo}:top-right:20%", **SMALL)
    job_id = service.submit(request)
    sound.unlink()
    logo.unlink()
    job = ended(service, job_id)
    assert job.status == "completed", job.error
    (tmp_path / "a.mp4").write_bytes(read(service, job_id))
    from avatalk.video.tags import read_comment

    told = json.loads(read_comment(tmp_path / "a.mp4"))
    assert (told["audio"], told["overlay"]) == ("speech.wav", "wall.png:top-right:20%")


def test_what_cannot_be_made_fails_with_its_error(service, tmp_path):
    picture = tmp_path / "desert.png"
    Image.new("RGB", (320, 240), "goldenrod").save(picture)
    job_id = service.submit(VideoRequest(text="Hello.", avatar=str(picture), **SMALL))
    job = ended(service, job_id)
    assert job.status == "failed" and job.result is None
    assert job.error["code"] == "no_usable_face"
    assert job.error["hint"] and job.error["stage"] == "face" and job.error["retryable"] is False
    assert str(service.storage.url) not in json.dumps(job.error)
    assert service.events(job_id)[-1].data == {"status": "failed", "error": job.error}
    assert not service.storage.keys(f"jobs/{job_id}")


def test_a_fault_fails_its_job_and_not_the_next(service, monkeypatch):
    def broken(*args, **options):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(work, "write_segment", broken)
        job = ended(service, service.submit(VideoRequest(text=TEXT, **SMALL)))
    assert job.status == "failed" and job.error["code"] == "internal"
    assert ended(service, service.submit(VideoRequest(text="Yes.", **SMALL))).status == "completed"


def test_a_full_disk_is_waited_for(service, monkeypatch):
    tries = []

    def full(path, *args, **options):
        tries.append(path)
        if len(tries) < 2:
            raise OutputError("There is no space left.")
        segments.write_segment(path, *args, **options)

    monkeypatch.setattr(work, "write_segment", full)
    job = ended(service, service.submit(VideoRequest(text="Yes.", **SMALL)))
    assert job.status == "completed" and len(tries) == 2


def test_cancelling_stops_within_a_segment(service, monkeypatch):
    drawn = []

    def slow(path, frames, *args, **options):
        def wait():
            for frame in frames:
                drawn.append(frame)
                time.sleep(0.2)
                yield frame

        segments.write_segment(path, wait(), *args, **options)

    monkeypatch.setattr(work, "write_segment", slow)
    job_id = service.submit(VideoRequest(text=TEXT, **SMALL))
    until(lambda: drawn)
    job = service.cancel(job_id)
    assert job.status == "canceled" and job.ended_at
    monkeypatch.undo()
    # The worker is free for the next one, although five seconds of drawing were left in the segment.
    assert ended(service, service.submit(VideoRequest(text="Yes.", **SMALL))).status == "completed"
    assert len(drawn) < 24
    assert service.get(job_id).status == "canceled" and not service.storage.keys(f"jobs/{job_id}")
    assert service.cancel(job_id).status == "canceled"


def after_writing(monkeypatch, act):
    """Do something when a segment is written, and not yet stored."""

    def write(path, *args, **options):
        segments.write_segment(path, *args, **options)
        act()

    monkeypatch.setattr(work, "write_segment", write)


def test_what_is_stored_after_the_end_is_removed(service, monkeypatch):
    job_ids = []
    after_writing(monkeypatch, lambda: service.cancel(job_ids[0]))
    job_ids.append(service.submit(VideoRequest(text="Yes.", **SMALL)))
    assert ended(service, job_ids[0]).status == "canceled"
    monkeypatch.undo()
    assert ended(service, service.submit(VideoRequest(text="Yes.", **SMALL))).status == "completed"
    assert not service.storage.keys(f"jobs/{job_ids[0]}")


def test_a_worker_cannot_fail_what_was_given_to_another(service, monkeypatch):
    flows, client = service.db.dbos._sys_db.tables.workflow_status, service.db.dbos

    def lose():
        with client._sys_db.engine.begin() as connection:
            connection.execute(flows.update().where(flows.c.status == "PENDING").values(executor_id="other"))
        raise BadInput("The disk of the lost one is broken.")

    after_writing(monkeypatch, lose)
    job_id = service.submit(VideoRequest(text="Yes.", **SMALL))
    until(lambda: client.list_workflows(workflow_id_prefix=f"{job_id}.0", status="SUCCESS"))
    assert service.get(job_id).status == "processing"
    service.cancel(job_id)


def test_deleting_leaves_nothing(service):
    job_id = service.submit(VideoRequest(text="Yes.", **SMALL))
    ended(service, job_id)
    service.delete(job_id)
    with pytest.raises(UnknownName):
        service.get(job_id)
    assert not service.events(job_id) and not service.storage.keys(f"jobs/{job_id}")
    with pytest.raises(UnknownName):
        service.delete(job_id)


# --- without a worker ------------------------------------------------------------------------------


@pytest.fixture
def idle(tmp_path):
    jobs = Jobs(f"sqlite:///{tmp_path / 'jobs.sqlite'}", str(tmp_path / "files"))
    yield jobs
    jobs.close()


def test_the_same_key_is_the_same_job(idle, monkeypatch):
    request = VideoRequest(text="Yes.")
    job_id = idle.submit(request, owner="ann", idempotency_key="k")
    assert idle.submit(request, owner="ann", idempotency_key="k") == job_id
    assert idle.submit(request, owner="bob", idempotency_key="k") != job_id
    assert idle.submit(request, owner="ann") != idle.submit(request, owner="ann")
    with pytest.raises(BadInput) as caught:
        idle.submit(VideoRequest(text="No."), owner="ann", idempotency_key="k")
    assert caught.value.field == "idempotency_key"
    later = time.time() + 24 * 3600 + 1
    monkeypatch.setattr(api.time, "time", lambda: later)
    assert idle.submit(request, owner="ann", idempotency_key="k") != job_id


def test_pages_of_jobs(idle):
    ids = [idle.submit(VideoRequest(text="Yes."), owner=owner) for owner in "ababa"]
    page, cursor = idle.page(limit=2)
    assert [job.id for job in page] == ids[:2:-1] and cursor == ids[3]
    page, cursor = idle.page(limit=3, before=cursor)
    assert [job.id for job in page] == ids[2::-1] and cursor is None
    assert [job.id for job in idle.page(owner="b")[0]] == [ids[3], ids[1]]
    idle.cancel(ids[1])
    assert [job.id for job in idle.page(status="canceled")[0]] == [ids[1]]
    assert {job.status for job in idle.page(status="queued")[0]} == {"queued"}


def test_a_search_for_jobs(idle, tmp_path):
    picture = tmp_path / "Großmutter.png"
    picture.write_bytes(b"x")
    one = idle.submit(VideoRequest(text="100% Überraschung\0 heute"))
    other = idle.submit(VideoRequest(text="No_body.", avatar=str(picture)))

    def found(words, **options):
        return [job.id for job in idle.page(search=words, **options)[0]]

    assert found("überraschung h") == found("100%") == found("ADA") == [one]
    assert found("GROSSMUTTER") == found("o_b") == [other]
    assert found("nobody") == found("0%s") == found(str(tmp_path)) == []
    assert found("o", owner="ann") == [] and found("o", status="queued") == [other]


def test_others_do_not_see_a_job(idle):
    job_id = idle.submit(VideoRequest(text="Yes."), owner="ann")
    assert idle.get(job_id, "ann").status == "queued"
    for look in (idle.get, idle.cancel, idle.delete):
        with pytest.raises(UnknownName):
            look(job_id, "bob")
    with pytest.raises(UnknownName):
        idle.open(job_id, owner="ann")
    assert idle.get(job_id).status == "queued"


def test_what_no_job_can_make_is_refused_at_once(idle):
    with pytest.raises(BadInput, match="transparent"):
        idle.submit(VideoRequest(text="Yes.", background="transparent"))
    with pytest.raises(UnreadableFile) as caught:
        idle.submit(VideoRequest(audio="nowhere.wav"))
    assert caught.value.field == "audio"
    with pytest.raises(BadInput):
        idle.submit(VideoRequest(text="Yes."), priority="urgent")
    assert idle.page() == ([], None)


def turns(jobs):
    """Names of all queued work in the order of its turn."""
    flows = jobs.db.dbos.list_workflows(status="ENQUEUED")
    return [flow.workflow_id for flow in sorted(flows, key=lambda flow: (flow.priority, flow.created_at))]


def test_a_short_job_does_not_wait_for_a_long_one(idle, monkeypatch):
    now = time.time()
    facts = {"fps": "25", "warnings": [], "duration_s": 3600.0, "seconds": 1.0}

    def submit(after, minutes, **options):
        monkeypatch.setattr(api.time, "time", lambda: now + after)
        job_id = idle.submit(VideoRequest(text="Yes."), **options)
        records.begin(idle.db, job_id, "w")
        idle.db.dbos.cancel_workflow(f"{job_id}.plan")
        cuts = segments.bounds(minutes * 60 * 25, records.Fraction(25), 6.0)
        assert records.planned(idle.db, job_id, facts, cuts)
        return job_id

    long, short = submit(0, 60), submit(120, 1)
    late, urgent, low = submit(1800, 1), submit(1801, 1, priority="high"), submit(60, 1, priority="low")
    order = turns(idle)
    # Of the hour, two minutes come before what was submitted two minutes later, and not more.
    before = [name for name in order[: order.index(f"{short}.0")] if name.startswith(long)]
    assert 18 <= len(before) <= 22
    # The hour does not starve either: half of it comes before what is submitted half an hour later.
    before = [name for name in order[: order.index(f"{late}.0")] if name.startswith(long)]
    assert 290 <= len(before) <= 310
    assert order.index(f"{urgent}.9") < order.index(f"{late}.0")
    assert order.index(f"{low}.0") > order.index(f"{long}.599")


def test_a_store_behind_a_url(tmp_path):
    """Any file system of fsspec but a folder: files are fetched, not used where they lie."""
    keeps_files(Storage("memory://films/a"), tmp_path)


@pytest.mark.parametrize("url", ["foo", "mysql://host/name"])
def test_a_database_that_is_none_is_refused(url):
    with pytest.raises(BadInput, match="SQLite or PostgreSQL"):
        Jobs(database_url=url)


def test_a_data_folder_that_is_none_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"):
        Jobs(database_url=f"sqlite:///{tmp_path}/file/jobs.sqlite")


def test_what_a_worker_plans_before_a_segment_is_no_frame_of_it(idle, monkeypatch):
    told = []
    shop = Workshop(idle.db, idle.storage, "w")
    monkeypatch.setattr(records, "drawn", lambda *args: told.append(args) or True)
    monkeypatch.setattr(records, "wanted", lambda *args: True)
    monkeypatch.setattr("avatalk.jobs.work._LOOK_EVERY_S", 0.0)
    watch = Watch(shop, "j", 0)
    watch.progress(Progress("speech", 5000, 6000, "characters"))
    assert not told
    watch.progress(Progress("encode", 7, 100, "frames"))
    assert told[0][3] == 7


def test_a_storage_that_cannot_be_written_says_so(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        Storage(str(blocked)).put(blocked, "assets")
    assert caught.value.retryable and caught.value.hint
    with pytest.raises(CannotRun):
        Storage("nonsense://x")


def test_a_worker_without_the_extra_says_what_to_install(monkeypatch, capsys):
    from avatalk import cli_jobs

    monkeypatch.setattr(cli_jobs, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as caught:
        cli_jobs.worker()
    assert caught.value.code == 3 and "avatalk[service]" in capsys.readouterr().err


# --- workers that are killed -----------------------------------------------------------------------


def test_a_killed_worker_loses_only_the_segment_in_hand(tmp_path, idle):
    environment = {
        "AVATALK_DATA": str(tmp_path),
        "AVATALK_DATABASE_URL": str(idle.db.url),
        "AVATALK_STORAGE": idle.storage.url,
        "AVATALK_CACHE": str(tmp_path / "cache"),
    }
    job_id = idle.submit(VideoRequest(text=TEXT, **SMALL))
    process, first = started(environment, seconds_per_frame=0.03)
    until(lambda: len(made_by(idle, job_id)) >= 2 and held_by(idle, first))
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = made_by(idle, job_id)
    assert set(before.values()) == {first}
    files = {key: (tmp_path / "files" / key).stat().st_mtime_ns for key in idle.storage.keys("jobs")}
    assert idle.get(job_id).status == "processing"
    process, second = started(environment)
    try:
        until(lambda: len(made_by(idle, job_id)) > len(before))
        kept = [key for key in files if (tmp_path / "files" / key).exists()]
        assert all((tmp_path / "files" / key).stat().st_mtime_ns == files[key] for key in kept)
        job = ended(idle, job_id)
    finally:
        process.terminate()
        assert process.stdout.readline() == "handed back\n"
        process.wait()
    after = made_by(idle, job_id)
    assert job.status == "completed" and len(after) == job.segments
    assert {number: name for number, name in after.items() if name == first} == before
    assert {name for number, name in after.items() if number not in before} == {second}


def test_any_sqlite_knows_the_time_as_dbos_asks_for_it(idle):
    """Before 3.42 it is NULL, which DBOS does not expect on Python 3.12 and later."""
    now = sa.text("SELECT unixepoch('subsec') * 1000")
    told = idle.db.run(lambda connection: connection.execute(now).scalar_one())
    assert abs(told / 1000 - time.time()) < 60


def test_work_that_kills_its_workers_ends_as_failed(tmp_path, idle):
    """DBOS gives such work up; here it is said to have done so."""
    environment = {
        "AVATALK_DATA": str(tmp_path),
        "AVATALK_DATABASE_URL": str(idle.db.url),
        "AVATALK_STORAGE": idle.storage.url,
    }
    job_id = idle.submit(VideoRequest(text="Yes."))
    table = idle.db.dbos._sys_db.tables.workflow_status
    gone = table.update().values(status="MAX_RECOVERY_ATTEMPTS_EXCEEDED", queue_name=None)
    with idle.db.dbos._sys_db.engine.begin() as connection:
        connection.execute(gone)
    process, _ = started(environment)
    try:
        job = ended(idle, job_id)
    finally:
        process.terminate()
        process.wait()
    assert job.status == "failed" and job.error["code"] == "cannot_run" and job.error["hint"]
    assert not idle.db.dbos.list_workflows(workflow_id_prefix=job_id)


# --- corrections -----------------------------------------------------------------------------------

TALK = " ".join(
    f"This is sentence number {number} of the talk."
    for number in (
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    )
)


def drawn(jobs, job_id):
    """Numbers of the segments that were not copied."""
    return sorted(made_by(jobs, job_id))


@pytest.mark.parametrize(("captions", "most"), [("srt,soft", 1), ("burn,srt", 3)])  # burned ones linger
def test_a_correction_draws_only_what_it_touches(service, monkeypatch, captions, most):
    monkeypatch.setattr(segments, "SEGMENT_S", 3.0)
    look = {"captions": captions, "seed": 5, "fps": "10", **SMALL}
    talk = ended(service, service.submit(VideoRequest(text=TALK, **look)))
    assert talk.status == "completed", talk.error
    assert drawn(service, talk.id) == list(range(talk.segments)) and talk.segments > 6 and talk.reused == 0
    first = [
        {"sentence": 4, "text": "This sentence, the fifth one, is said in quite other words than before."}
    ]
    once = service.submit(VideoRequest(text=TALK, corrections=first, **look), revises=talk.id)
    job = ended(service, once)
    assert job.status == "completed", job.error
    assert 1 <= len(drawn(service, once)) <= most and job.segments - talk.segments in (0, 1)
    (planned,) = [event.data for event in service.events(once) if event.kind == "planned"]
    assert planned["reused"] == job.segments - len(drawn(service, once))
    assert job.frames * 0.6 < job.reused < job.frames
    # What was corrected is corrected again, beside another correction.
    second = [{"sentence": 9, "text": "Ten."}, *first]
    request = VideoRequest(text=TALK, corrections=second, **look)
    twice = service.submit(request, revises=once)
    again = ended(service, twice)
    assert again.status == "completed", again.error
    assert 1 <= len(drawn(service, twice)) <= most
    # The same bytes as if nothing had been there before.
    alone = ended(service, service.submit(request))
    assert len(drawn(service, alone.id)) == alone.segments and alone.reused == 0
    for name in ("video.mp4", "captions.srt"):
        assert read(service, twice, name) == read(service, alone.id, name)
    path = service.storage.fetch(again.result["files"]["video.mp4"]["key"], Path())
    assert load_spec(path) == request


def test_the_same_video_is_only_copied_and_what_is_gone_is_drawn(service):
    request = VideoRequest(text=TEXT, **SMALL)
    first = ended(service, service.submit(request))
    same = ended(service, service.submit(request, revises=first.id))
    assert drawn(service, same.id) == [] and same.reused == same.frames
    assert read(service, same.id) == read(service, first.id)
    service.storage.remove(first.result["files"]["video.mp4"]["key"])
    again = ended(service, service.submit(request, revises=first.id))
    assert again.reused == 0 and read(service, again.id) == read(service, same.id)
    service.delete(first.id)
    other = ended(service, service.submit(VideoRequest(text=TEXT, seed=1, **SMALL), revises=same.id))
    assert other.reused == 0 and read(service, other.id) != read(service, same.id)


def test_a_video_is_revised_by_its_owner_alone(service):
    theirs = service.submit(VideoRequest(text="Mine.", **SMALL), owner="a")
    for revises in (theirs, "vid_0"):
        with pytest.raises(UnknownName) as caught:
            service.submit(VideoRequest(text="Mine.", **SMALL), owner="b", revises=revises)
        assert caught.value.field == "revises"
    ended(service, theirs)
