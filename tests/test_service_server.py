"""`avatalk serve` as a process, and its connections."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from avatalk.service import server as serving_on
from avatalk.service.app import create_app
from serving import free_port, running


def run(tmp_path, *options, **settings):
    environment = {"AVATALK_DATA": str(tmp_path), "AVATALK_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "avatalk.cli", "serve", "--workers", "0", *options]
    return subprocess.run(
        command,
        env={**os.environ, **environment, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def until(holds):
    end = time.monotonic() + 120
    while not (value := holds()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return value


def children(pid):
    """Processes that this one started, and that run the command line."""
    found = subprocess.run(["ps", "-o", "pid=,ni=,args=", "--ppid", str(pid)], capture_output=True, text=True)
    rows = [line.split(None, 2) for line in found.stdout.splitlines()]
    return {int(row[0]): int(row[1]) for row in rows if "avatalk.cli worker" in row[2]}


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_busy_port_is_told_with_a_remedy(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run(tmp_path, "--port", str(port))
    assert ended.returncode == 3
    assert f"Port {port} of 127.0.0.1 is in use" in ended.stderr and f"--port {port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_a_key_nothing_is_served_beyond_this_machine(tmp_path):
    ended = run(tmp_path, "--host", "0.0.0.0", "--port", str(free_port()))
    assert ended.returncode == 3 and "avatalk keys create" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [(("--host", "no.such.host.invalid"), "listened on"), (("--port", "70000"), "no port 70000")],
)
def test_an_address_that_cannot_be_is_told(tmp_path, options, told):
    ended = run(tmp_path, *options)
    assert ended.returncode == 3 and told in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_without_an_error_and_so_do_its_workers(tmp_path, how):
    with running(tmp_path, workers=1) as served:
        (worker,) = until(lambda: children(served.process.pid))
        ready = until(lambda: (answer := served.client.get("/readyz")).status_code == 200 and answer.json())
        assert ready == {"ready": True, "database": True, "storage": True, "workers": 1}
        assert children(served.process.pid)[worker] == 10  # answers come before frames
        served.process.send_signal(how)
        assert served.process.wait() == 0
        assert not lives(worker)
        said = served.log.read_text()
    assert "Error" not in said and "Traceback" not in said
    assert f"serves at {served.url}" in said and "curl" in said


def test_a_worker_that_ends_is_started_again_and_ends_with_its_server(tmp_path):
    with running(tmp_path, workers=1) as served:
        (first,) = until(lambda: children(served.process.pid))
        os.kill(first, signal.SIGKILL)
        second = until(lambda: [pid for pid in children(served.process.pid) if pid != first])[0]
        until(lambda: served.client.get("/readyz").status_code == 200)
        assert "started again" in served.log.read_text()
        served.process.kill()
        served.process.wait()
        until(lambda: not lives(second))


def test_every_line_of_the_log_is_json(tmp_path):
    with running(tmp_path, workers=1) as served:
        answer = served.client.post("/v1/videos", json={"text": "Yes.", "size": "128x128"})
        job = answer.json()["id"]
        until(lambda: served.client.get(f"/v1/videos/{job}").json()["ended_at"])
        said = served.log.read_text().splitlines()
    rows = [json.loads(line) for line in said if line.startswith("{")]
    asked = [row for row in rows if row["logger"] == "avatalk.requests"]
    assert {row["route"] for row in asked} >= {"/v1/videos", "/v1/videos/{video_id}"}
    pieces = [row for row in rows if row["logger"] == "avatalk.jobs" and row.get("job") == job]
    assert [(row["piece"], row["message"]) for row in pieces] == [
        (piece, what) for piece in ("plan", "0", "join") for what in ("begun", "done")
    ]
    assert all(row["worker"] for row in pieces)


@contextmanager
def threaded(tmp_path, monkeypatch, **settings):
    """The server in a thread of this process, so that its times can be short."""
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path))
    for name, value in settings.items():
        monkeypatch.setenv(f"AVATALK_{name.upper()}", str(value))
    listener = serving_on.bound("127.0.0.1", 0)
    server = serving_on.Server(create_app())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def closed(connection):
    """What comes until the other end closes."""
    connection.settimeout(60)
    got = b""
    while part := connection.recv(65536):
        got += part
    return got


def test_who_does_not_say_what_it_wants_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(serving_on, "_HEADERS_S", 0.5)
    with threaded(tmp_path, monkeypatch) as port:
        address = ("127.0.0.1", port)
        with socket.create_connection(address) as silent, socket.create_connection(address) as slow:
            slow.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n")

            def drip():
                try:
                    for _ in range(600):
                        slow.sendall(b"X-More: 1\r\n")
                        time.sleep(0.1)
                except OSError:
                    return

            dripping = threading.Thread(target=drip)
            dripping.start()
            assert closed(silent) == b""
            dripping.join()  # it ends when nobody listens any more
        with socket.create_connection(address) as again:
            # The second request of a connection has its time, too.
            again.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in again.recv(65536)
            again.sendall(b"GET /ping HTTP/1.1\r\n")
            assert b"200 OK" not in closed(again)


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path, monkeypatch):
    head = b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with threaded(tmp_path, monkeypatch, upload_timeout_s=0.3) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head + b'Content-Length: 100\r\n\r\n{"text"')
            answer = closed(connection)
        assert answer.startswith(b"HTTP/1.1 408") and b"too_slow" in answer
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head + b"Content-Length: 10000000000\r\n\r\n{")
            assert closed(connection).startswith(b"HTTP/1.1 413")
        # The clients of the compatibility form look for a detail, whatever is wrong.
        form = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        for length, status in ((b"100", b"408"), (b"10000000000", b"413")):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(form + b"Content-Length: " + length + b"\r\n\r\n--x")
                answer = closed(connection)
            assert answer.startswith(b"HTTP/1.1 " + status) and b'{"detail": "' in answer


def test_there_is_a_most_of_open_connections(tmp_path, monkeypatch):
    with threaded(tmp_path, monkeypatch, max_connections=3) as port:
        address = ("127.0.0.1", port)
        held = [socket.create_connection(address) for _ in range(3)]
        try:
            with socket.create_connection(address) as connection:
                connection.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = closed(connection)
            assert answer.startswith(b"HTTP/1.1 503") and b"retry-after" in answer
            assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]["code"] == "too_many"
        finally:
            for connection in held:
                connection.close()
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/ping").status_code == 200)


def test_small_packets_are_sent_at_once():
    # asyncio sets TCP_NODELAY where the socket says that it is TCP; else an answer takes 40 ms more.
    listener = serving_on.bound("127.0.0.1", 0)
    assert listener.proto == socket.IPPROTO_TCP
    listener.close()


def test_the_server_is_not_named(tmp_path, monkeypatch):
    with threaded(tmp_path, monkeypatch) as port:
        assert "server" not in httpx.get(f"http://127.0.0.1:{port}/ping").headers


def test_with_a_key_it_serves_beyond_this_machine(tmp_path):
    environment = {"AVATALK_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "avatalk.cli", "keys", "create", "a"]
    made = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    secret = made.stdout.strip()
    with running(tmp_path, host="0.0.0.0") as served:
        assert served.client.get("/v1/videos").status_code == 401
        headers = {"Authorization": f"Bearer {secret}", "Host": "avatalk.example"}
        assert served.client.get("/v1/videos", headers=headers).status_code == 200
