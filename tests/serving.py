"""The service as it is met: a real server on the loopback, or its application inside this process."""

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

import jobs_worker
from avatalk.jobs import worker as jobs_of
from avatalk.service.app import create_app
from avatalk.settings import cache_dir


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Attributes:
        url: where, without a slash at its end.
        client: asks there; its `base_url` is `url`.
        environment: what its workers need to know, besides that of this process.
        process: of the server.
        log: the file with all that it says.
    """

    url: str
    client: httpx.Client
    environment: dict
    process: subprocess.Popen
    log: Path


def free_port():
    """A port of the loopback on which nobody listens now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cache_in(folder):
    """A cache of its own there, but for the networks, which need not be fetched again."""
    models = cache_dir() / "models"
    models.mkdir(parents=True, exist_ok=True)
    cache = Path(folder) / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "models").exists():
        (cache / "models").symlink_to(models.absolute())
    return cache


@contextmanager
def running(folder, *, workers=0, **settings):
    """`avatalk serve` in a process of its own, until the block ends.

    Args:
        folder: its data; fresh, or left by one that ran before.
        workers: processes that render beside it.
        settings: of `avatalk.settings`, such as ``max_upload_mb=1``.
    """
    port = free_port()
    environment = {"AVATALK_DATA": str(folder), "AVATALK_CACHE": str(cache_in(folder))}
    environment["AVATALK_STUDIO"] = "0"  # which takes processor time to start
    environment |= {f"AVATALK_{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "avatalk.cli", "serve", "--port", str(port), "--workers", str(workers)]
    log = Path(folder) / "serve.log"
    with ExitStack() as undo:
        output = undo.enter_context(log.open("ab"))
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        undo.callback(process.wait)
        undo.callback(process.terminate)
        url = f"http://127.0.0.1:{port}"
        client = undo.enter_context(httpx.Client(base_url=url, timeout=60))
        _wait_for(client, process, log)
        yield Served(url, client, environment, process, log)


def _wait_for(client, process, log, seconds=60):
    end = time.monotonic() + seconds
    while not _answers(client):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def _answers(client):
    try:
        return client.get("/ping") is not None
    except httpx.TransportError:
        return False


@contextmanager
def working(served, *, segment_s=1.0, seconds_per_frame=0.0):
    """A worker beside a server without one, with short segments, drawn as slowly as is wanted."""
    process = subprocess.Popen(
        [sys.executable, jobs_worker.__file__, str(segment_s), str(seconds_per_frame)],
        env={**os.environ, **served.environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()  # its name: it has begun
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextmanager
def inside(folder, *, worker=False, **settings):
    """A client of the application in this process: cheap, but without sockets and time limits.

    Args:
        folder: its data.
        worker: whether a worker runs in this process; DBOS allows one at a time.
        settings: as for `running`.
    """
    with pytest.MonkeyPatch.context() as patch, ExitStack() as undo:
        patch.setenv("AVATALK_CACHE", str(cache_in(folder)))
        patch.setenv("AVATALK_DATA", str(folder))
        for name, value in settings.items():
            patch.setenv(f"AVATALK_{name.upper()}", str(value))
        if worker:
            patch.setattr(jobs_of, "SEEN_EVERY_S", 0.3)
            works = jobs_of.Worker()
            works.start()
            undo.callback(works.stop, 1)
        app, me = create_app(), ("127.0.0.1", 50000)
        yield undo.enter_context(TestClient(app, base_url="http://127.0.0.1:8000", client=me))


def over(client, video_id, seconds=90):
    """What a video has become, once that is settled."""
    end = time.monotonic() + seconds
    while (video := client.get(f"/v1/videos/{video_id}").json())["ended_at"] is None:
        assert time.monotonic() < end, video
        time.sleep(0.05)
    return video
