"""Webhooks: sent signed to a real receiver, again and again where it refuses, and never to private hosts."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
import sqlalchemy as sa

import avatalk
from avatalk.errors import BadInput
from avatalk.service import post
from avatalk.service.pinned import is_public
from avatalk.service.tables import deliveries
from avatalk.signature import sign
from serving import inside, over

SMALL = {"size": "128x128", "quality": "draft"}


class Receiver(BaseHTTPRequestHandler):
    """Answers as its server's `answers` say, one after another, the last one for ever."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        with server.lock:
            server.got.append((self.path, dict(self.headers), body))
            wanted = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        if wanted == "slow":
            server.released.wait(20)
            return
        self.send_response(wanted)
        if wanted == 302:
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args):
        pass


@contextmanager
def receiving(*answers):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answers, server.lock = [], list(answers), threading.Lock()
    server.released, server.place = threading.Event(), f"127.0.0.1:{server.server_port}"
    server.url = f"http://{server.place}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(post, "_LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(post, "_FIRST_WAIT_S", 0.1)
    monkeypatch.setattr(post, "_PATIENCE_S", 0.5)


def canceled(client, *urls):
    """The id of a video that has ended, and of whose end these are told."""
    service = client.app.state.service
    job_id = service.jobs.submit(avatalk.VideoRequest(text="Hello.", **SMALL))
    for url in urls:
        post.register(service, job_id, url, "")
        post.register(service, job_id, url, "")  # once more changes nothing
    client.post(f"/v1/videos/{job_id}/cancel")
    return job_id


def log_of(client, job_id):
    return client.get(f"/v1/videos/{job_id}/deliveries").json()["data"]


def waiting(client, job_id, wanted, seconds=20):
    """The deliveries of a video, once they are as wanted."""
    end = time.monotonic() + seconds
    while True:
        told = log_of(client, job_id)
        if all(map(wanted, told)):
            return told
        assert time.monotonic() < end, told
        time.sleep(0.05)


def until(client, job_id, status):
    return waiting(client, job_id, lambda delivery: delivery["status"] == status)


def test_a_finished_video_is_told_once_and_signed(tmp_path):
    with receiving(200) as receiver, inside(tmp_path, worker=True, callback_hosts=receiver.place) as client:
        service = client.app.state.service
        job_id = service.jobs.submit(avatalk.VideoRequest(text="Hello.", **SMALL))
        post.register(service, job_id, receiver.url, "")
        assert [delivery["status"] for delivery in log_of(client, job_id)] == ["waiting"]
        assert over(client, job_id)["status"] == "completed"
        (told,) = until(client, job_id, "delivered")
        assert [attempt["status"] for attempt in told["attempts"]] == [200]
        time.sleep(0.3)
        ((path, headers, body),) = receiver.got
        secret = service.keys.webhook_secret("")
        event = avatalk.verify_webhook(body, headers["Avatalk-Signature"], secret)
        assert (path, event["id"], event["type"]) == ("/hook", told["id"], "video.completed")
        assert event["data"] == client.get(f"/v1/videos/{job_id}").json()


def test_what_is_refused_is_sent_again_as_it_was(tmp_path):
    with receiving(500, 429, 204) as receiver, inside(tmp_path, callback_hosts=receiver.place) as client:
        job_id = canceled(client, receiver.url)
        (told,) = until(client, job_id, "delivered")
        assert [attempt["status"] for attempt in told["attempts"]] == [500, 429, 204]
        times = [attempt["at"] for attempt in told["attempts"]]
        assert times[1] - times[0] >= 0.08 and times[2] - times[1] >= 0.16
        bodies = [body for _, _, body in receiver.got]
        assert len(bodies) == 3 and len(set(bodies)) == 1
        assert json.loads(bodies[0])["type"] == "video.canceled"


def test_a_slow_or_redirecting_receiver_holds_up_nobody(tmp_path):
    with receiving("slow") as slow, receiving(302) as away, receiving(200) as good:
        places = f"{slow.place},{away.place},{good.place}"
        with inside(tmp_path, callback_hosts=places) as client:
            bad = canceled(client, slow.url, away.url)
            until(client, canceled(client, good.url), "delivered")
            told = waiting(client, bad, lambda delivery: len(delivery["attempts"]) > 1)
            first = {delivery["url"]: delivery["attempts"][0] for delivery in told}
            assert first[slow.url]["status"] is None and "no answer" in first[slow.url]["error"]
            assert first[away.url]["status"] == 302
            assert {path for path, _, _ in away.got} == {"/hook"}


def test_what_is_due_survives_a_restart_and_ends_after_a_day(tmp_path):
    with receiving(503) as receiver, inside(tmp_path, callback_hosts=receiver.place) as client:
        first, second = canceled(client, receiver.url), canceled(client, receiver.url)
        end = time.monotonic() + 20
        while len(receiver.got) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        old = deliveries.update().where(deliveries.c.job_id == second).values(due_at=time.time() - 90_000)
        client.app.state.service.db.run(lambda connection: connection.execute(old))
        assert until(client, second, "failed")
    with receiving(200) as other, inside(tmp_path, callback_hosts=other.place) as client:
        moved = deliveries.update().where(deliveries.c.job_id == first).values(url=other.url, next_at=0.0)
        client.app.state.service.db.run(lambda connection: connection.execute(moved))
        until(client, first, "delivered")
        assert [path for path, _, _ in other.got] == ["/hook"]


def test_two_processes_send_it_once(tmp_path):
    with receiving(200) as receiver, inside(tmp_path, callback_hosts=receiver.place) as client:
        second = post.Postman(client.app.state.service)
        second.start()
        ids = [canceled(client, receiver.url) for _ in range(8)]
        for job_id in ids:
            until(client, job_id, "delivered")
        second.close()
        assert len(receiver.got) == 8


def test_of_a_deleted_video_nothing_stays(tmp_path):
    with receiving(200) as receiver, inside(tmp_path, callback_hosts=receiver.place) as client:
        service = client.app.state.service
        job_id = service.jobs.submit(avatalk.VideoRequest(text="Hello.", **SMALL))
        post.register(service, job_id, receiver.url, "")
        client.delete(f"/v1/videos/{job_id}")
        end = time.monotonic() + 20
        count = sa.select(sa.func.count()).select_from(deliveries)
        while service.db.run(lambda connection: connection.execute(count).scalar()):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert client.get(f"/v1/videos/{job_id}/deliveries").status_code == 404
        assert len(receiver.got) <= 1  # it may be told that it was canceled before it goes


def test_private_hosts_are_not_reached(tmp_path, monkeypatch):
    # A name that leads to a private address: what this one does is known without a resolver.
    monkeypatch.setattr(post, "may_be_public", lambda host: True)
    with receiving(200) as receiver, inside(tmp_path, callback_hosts="example.com:80") as client:
        service = client.app.state.service
        job_id = service.jobs.submit(avatalk.VideoRequest(text="Hello.", **SMALL))
        post.register(service, job_id, f"https://localhost:{receiver.server_port}/hook", "")
        client.post(f"/v1/videos/{job_id}/cancel")
        (told,) = waiting(client, job_id, lambda delivery: delivery["attempts"])
        assert "not public" in told["attempts"][0]["error"] and receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://example.com",
        "http://example.org/x",
        "https://a:b@example.com/",
        "https://",
        "https://[::1",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1%25eth0]/",
        "https://10.0.0.1/",
        "https://0.0.0.0/",
        "https://169.254.169.254/latest",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
        "https://exa mple.org/",
    ],
)
def test_callback_urls_that_cannot_be(url):
    post.check_url("https://example.org:8443/hook?x=1")
    post.check_url("https://93.184.215.14/")
    with pytest.raises(BadInput) as caught:
        post.check_url(url)
    assert caught.value.field == "callback_url"


PRIVATE = (
    "127.0.0.1 10.1.2.3 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 ::1 fe80::1 fc00::1 "
    "fec0::1 ff02::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::"
)


def test_addresses_that_are_public():
    assert all(is_public(ip_address(address)) for address in ("1.1.1.1", "2606:4700::1111"))
    assert [address for address in PRIVATE.split() if is_public(ip_address(address))] == []


def test_a_signature_holds_for_its_body_its_secret_and_its_time():
    body, secret = '{"id": "evt_1"}', "whsec_x"
    assert avatalk.verify_webhook(body.encode(), sign(body, secret), secret) == {"id": "evt_1"}
    assert avatalk.verify_webhook(body.encode(), f"v1=00,{sign(body, secret)}", secret)
    old = int(time.time()) - 301
    for given, header in (
        (body + " ", sign(body, secret)),
        (body, sign(body, "whsec_y")),
        (body, sign(body, secret, old)),
        (body, sign(body, secret).replace("t=", "t=1")),
        (body, ""),
        (body, "t=1"),
        (body, "v1=é,t=1"),
    ):
        with pytest.raises(BadInput):
            avatalk.verify_webhook(given.encode(), header, secret)
