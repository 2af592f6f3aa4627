"""Jobs whose files lie behind a real API of S3, recorded in a real PostgreSQL, made by several processes."""

import hashlib
import json
import logging

import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from avatalk import VideoRequest
from avatalk.errors import StorageError
from avatalk.jobs.api import Jobs
from avatalk.jobs.storage import Storage
from avatalk.video.tags import read_comment
from stores import keeps_files
from test_jobs import SMALL, TEXT, ended, made_by, read, started


@pytest.fixture(scope="module")
def s3():
    """A server of S3 with a bucket `films`; the environment says where it is."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "name")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        import s3fs

        s3fs.S3FileSystem().mkdir("films")
        yield server
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture
def fleet(postgres, s3, tmp_path):
    """Jobs, and a way to start workers that share only database and bucket with them and each other."""
    bucket = f"s3://films/{tmp_path.name}"
    jobs, running = Jobs(postgres.get_uri(), bucket), []

    def start(**options):
        environment = {
            "AVATALK_DATA": str(tmp_path / f"data{len(running)}"),
            "AVATALK_CACHE": str(tmp_path / f"cache{len(running)}"),
            "AVATALK_DATABASE_URL": postgres.get_uri(),
            "AVATALK_STORAGE": bucket,
        }
        process, name = started(environment, **options)
        running.append(process)
        return name

    yield jobs, start
    for process in running:
        process.terminate()
    for process in running:
        process.wait()
    jobs.close()


def test_three_workers_make_the_bytes_that_one_makes(fleet, tmp_path, espeak_wav):
    jobs, start = fleet
    sound, logo = tmp_path / "speech.wav", tmp_path / "wall.png"
    sound.write_bytes(espeak_wav(TEXT).read_bytes())
    Image.new("RGB", (64, 64), "teal").save(logo)
    request = VideoRequest(
        audio=str(sound), overlay=f"{logo}:top-right:20%", transcript=TEXT, captions="srt,vtt,soft", **SMALL
    )
    alone = start(seconds_per_frame=0.005)
    one = ended(jobs, jobs.submit(request))
    assert one.status == "completed", one.error
    assert set(made_by(jobs, one.id).values()) == {alone}
    names = {alone, start(seconds_per_frame=0.03), start(seconds_per_frame=0.03)}
    job_id = jobs.submit(request)
    for file in (sound, logo):
        file.unlink()
    many = ended(jobs, job_id)
    assert many.status == "completed", many.error
    assert set(made_by(jobs, many.id).values()) == names and many.segments == one.segments > 4
    assert len(one.result["files"]) == 4
    for name, facts in one.result["files"].items():
        assert read(jobs, many.id, name) == read(jobs, one.id, name), name
        assert hashlib.sha256(read(jobs, many.id, name)).hexdigest() == facts["sha256"]
    # Only what was published is left, and what it was made from, once for both.
    assert jobs.storage.keys(f"jobs/{many.id}") == sorted(f["key"] for f in many.result["files"].values())
    assert len(jobs.storage.keys("assets")) == 2
    told = tmp_path / "told.mp4"
    told.write_bytes(read(jobs, many.id))
    assert json.loads(read_comment(told))["overlay"] == "wall.png:top-right:20%"
    assert jobs.fragment(many.id, 1) == jobs.fragment(one.id, 1)
    jobs.delete(many.id)
    assert jobs.storage.keys(f"jobs/{many.id}") == [] != jobs.storage.keys(f"jobs/{one.id}")


def test_files_in_a_bucket(s3, tmp_path):
    keeps_files(Storage("s3://films/a/b"), tmp_path)


@pytest.mark.parametrize("change", ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"])
def test_a_bucket_out_of_reach_is_tried_again(monkeypatch, tmp_path, change):
    """Neither error of its library is an OSError."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    if change == "AWS_ACCESS_KEY_ID":
        monkeypatch.delenv(change, raising=False)
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "name")
    with pytest.raises(StorageError) as caught:
        Storage("s3://films/a").keys("jobs")
    assert caught.value.retryable and caught.value.hint
    s3fs.S3FileSystem.clear_instance_cache()
