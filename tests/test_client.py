"""The client against real servers, over connections that break."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

import avatalk
from avatalk import AsyncClient, Client, VideoRequest, load_spec
from avatalk.avatars.kept import keep
from avatalk.avatars.made import make_avatar
from avatalk.client.files import fetch
from avatalk.errors import (
    BadInput,
    Cancelled,
    NotAllowed,
    NotFound,
    TooMany,
    UnknownName,
    Unreachable,
    UnreadableFile,
)
from avatalk.speech.kept import Consent, Kept, put
from avatalk.speech.traits import Traits
from serving import free_port, running, working

TEXT = "One, two, three, four, five, six, seven, eight."
SMALL = {"size": "128x128", "quality": "draft"}


class Flaky:
    """A proxy that breaks connections: of each, in turn, after so many bytes of the answer."""

    def __init__(self, port, breaks):
        self._target, self._breaks = port, list(breaks)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heads = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            after = self._breaks.pop(0) if self._breaks else None
            self._threads.append(threading.Thread(target=self._serve, args=(here, after), daemon=True))
            self._threads[-1].start()

    def _serve(self, here, after):
        with here, socket.create_connection(("127.0.0.1", self._target)) as there:
            sending = threading.Thread(target=self._send, args=(here, there), daemon=True)
            sending.start()
            sent = 0
            while block := there.recv(4096):
                if after is not None and sent + len(block) > after:
                    here.sendall(block[: after - sent])
                    break
                here.sendall(block)
                sent += len(block)
            for end in (here, there):
                end.shutdown(socket.SHUT_RDWR)
            sending.join()

    def _send(self, here, there):
        try:
            while block := here.recv(65536):
                self.heads.append(block)
                there.sendall(block)
        except OSError:
            pass

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


@contextmanager
def broken(served, *breaks):
    proxy = Flaky(int(served.url.rpartition(":")[2]), breaks)
    try:
        yield proxy, Client(f"http://127.0.0.1:{proxy.port}", "", patience_s=20)
    finally:
        proxy.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory.mktemp("data")) as server, working(server):
        yield server


@pytest.fixture
def client(served):
    with Client(served.url, "", patience_s=10) as client:
        yield client


@pytest.fixture(scope="module")
def finished(served):
    """Id of a finished video with captions."""
    with Client(served.url, "") as client:
        video = client.submit(text=TEXT, captions="srt,vtt", **SMALL)
        return client.wait(video.id).id


def test_a_video_made_elsewhere_is_the_one_made_here(client, decode, tmp_path):
    picture, steps = tmp_path / "ground.png", []
    Image.new("RGB", (64, 64), (20, 60, 120)).save(picture)
    request = VideoRequest(text=TEXT, background=str(picture), captions="srt", **SMALL)
    there = client.make(request, tmp_path / "there.mp4", on_progress=steps.append)
    here = avatalk.render(request, tmp_path / "here.mp4")
    for name in (
        "duration_s",
        "frames",
        "fps",
        "width",
        "height",
        "engines",
        "warnings",
        "better",
        "captions_in",
    ):
        assert getattr(there, name) == getattr(here, name), name
    assert (there.path, there.captions) == (str(tmp_path / "there.mp4"), [str(tmp_path / "there.srt")])
    assert (tmp_path / "there.srt").read_bytes() == (tmp_path / "here.srt").read_bytes()
    assert len(decode(tmp_path / "there.mp4")["frames"]) == here.frames
    assert json.loads(decode(tmp_path / "there.mp4")["comment"])["background"] == "ground.png"
    done = [step.done for step in steps if step.stage == "encode"]
    assert done == sorted(done) and done[-1] >= 50


def test_files_that_are_equal_are_sent_once(client, served, tmp_path):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 64), (1, 2, 3)).save(tmp_path / name)
    first, second = client.upload(tmp_path / "a.png"), client.upload(tmp_path / "b.png")
    assert first == second
    video = client.submit(text="Hi.", background=first, overlay=f"{tmp_path / 'a.png'}:top-left:10%", **SMALL)
    client.cancel(video.id)
    assert video.request["background"] == first
    with pytest.raises(UnreadableFile, match=r"nowhere\.png"):
        client.submit(text="Hi.", background=str(tmp_path / "nowhere.png"))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(BadInput):
        client.upload(tmp_path / "bad.png")


def test_a_lost_answer_makes_no_second_video(served):
    with broken(served, 0, 20) as (_, client), client:
        video = client.submit(text="Only once, please.", **SMALL)
        same = [one for one in client.videos() if one.request["text"] == "Only once, please."]
        assert [one.id for one in same] == [video.id]
        client.delete(video.id)


def test_a_download_goes_on_where_it_was(served, finished, tmp_path):
    url, path = f"/v1/videos/{finished}/content", tmp_path / "a.mp4"
    direct = served.client.get(url).content
    assert len(direct) > 30_000
    with broken(served, 20_000, 10_000) as (proxy, client), client:
        client._run(fetch, client._client._connection, url, path)
        assert path.read_bytes() == direct
        asked = b"".join(proxy.heads).lower()
        assert asked.count(b"range: bytes=") == 2 and b"if-range" in asked
    assert list(tmp_path.iterdir()) == [path]


def test_events_go_on_where_they_were(served, finished):
    with Client(served.url, "") as client:
        whole = [event.number for event in client.events(finished)]
    assert whole == list(range(1, len(whole) + 1)) and len(whole) > 4
    with broken(served, 700, 600, 800) as (proxy, client), client:
        assert [event.number for event in client.events(finished)] == whole
        assert b"last-event-id: 0" not in proxy.heads[-1].lower()


def test_a_finished_video_is_corrected(client, finished):
    said = [{"sentence": 0, "text": "This is said instead."}]
    video = client.submit(text=TEXT, captions="srt,vtt", corrections=said, revises=finished, **SMALL)
    video = client.wait(video.id)
    assert "said instead" in video.said and 0 <= video.reused < video.frames
    request = VideoRequest(text=TEXT, corrections=said, **SMALL)
    with pytest.raises(NotFound) as caught:
        client.submit(request, revises="vid_" + "0" * 28)
    assert caught.value.field == "revises"


def test_errors_are_those_of_the_library(client, finished, tmp_path):
    with pytest.raises(BadInput) as caught:
        client.preview(text="Hi.", at=99, **SMALL)
    assert caught.value.field == "at" and caught.value.hint
    with pytest.raises(BadInput) as caught:
        client.submit(text="Hi.", spede=2)
    assert caught.value.field == "spede"
    with pytest.raises(BadInput) as caught:  # which that service does not fetch
        client.submit(text="Hi.", background="https://example.com/a.png")
    assert caught.value.field == "background"
    with pytest.raises(NotFound):
        client.get("vid_" + "0" * 28)
    Image.new("RGB", (256, 256), "teal").save(tmp_path / "wall.png")  # what it shows is seen by the worker
    video = client.submit(text="Hi.", avatar=tmp_path / "wall.png", **SMALL)
    with pytest.raises(avatalk.AvatalkError) as caught:
        client.wait(video.id)
    assert caught.value.code == client.get(video.id).error["code"]
    with pytest.raises(BadInput):
        client.make(VideoRequest(text="Hi."), tmp_path / "a.webm")
    with pytest.raises(BadInput):
        Client("nonsense")


def test_a_service_that_is_not_there_is_told_after_some_patience(tmp_path):
    with Client(f"http://127.0.0.1:{free_port()}", "", patience_s=0.5) as client, pytest.raises(Unreachable):
        client.make(VideoRequest(text="Hi."), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_keys_and_their_limits(tmp_path):
    with running(tmp_path) as server:
        command = [sys.executable, "-m", "avatalk.cli", "keys", "create", "me", "--concurrent", "1", "--json"]
        made = subprocess.check_output(command, env={**os.environ, **server.environment}, text=True)
        key = next(part for part in json.loads(made).values() if str(part).startswith("avk_"))
        time.sleep(2.1)  # for so long a server remembers that no key is needed
        for given, hint in (("", "Set AVATALK_KEY to a key"), (key[:-3] + "abc", "Look at AVATALK_KEY")):
            with Client(server.url, given, patience_s=0.5) as client, pytest.raises(NotAllowed) as refused:
                client.submit(text="Hi.")
            assert hint in refused.value.hint and "avatalk keys create" in refused.value.hint
        with Client(server.url, key, patience_s=0.5) as client:
            first = client.submit(text="Hi.", **SMALL)
            with pytest.raises(TooMany) as caught:
                client.submit(text="Hi.", **SMALL)
            assert caught.value.retry_after_s >= 1
        with Client(server.url, key, patience_s=30) as client:
            threading.Timer(1.0, lambda: client.cancel(first.id)).start()
            assert client.submit(text="Hi.", **SMALL).status == "queued"


def test_speech_avatars_previews_and_batches(client, tmp_path):
    said = client.speech("One, two.", tmp_path / "a.mp3", voice="emma")
    assert [word.text for word in said.words] == ["One,", "two."] and (
        tmp_path / "a.mp3"
    ).stat().st_size > 1000
    (made,) = client.avatars("a bald man", engine="drawn", seed=3)
    png = client.preview(audio=said.asset, avatar=made.asset, at=0.2, size="128x128")
    assert Image.open(io.BytesIO(png)).size == (128, 128)
    assert {"emma"} <= {voice["name"] for voice in client.catalogue("voices", language="en")}
    batch = client.submit_batch({"text": "Hi {name}.", **SMALL}, [{"name": "Mia"}, {"name": "Ali"}])
    batch = client.wait_batch(batch.id)
    assert (batch.status, batch.counts) == ("completed", {"completed": 2})
    assert [row.values["name"] for row in batch.rows] == ["Mia", "Ali"]
    assert next(client.batches()).id == batch.id
    client.delete_batch(batch.id)
    with pytest.raises(NotFound):
        client.get_batch(batch.id)


def test_many_at_once_with_asyncio(served):
    async def main():
        async with AsyncClient(served.url, "") as client:
            frames = await asyncio.gather(
                *(client.preview(text="Hi.", at=at / 10, size="64x64") for at in range(3))
            )
            video = await client.submit(text="Hi.", **SMALL)
            return frames, await client.wait(video.id), [one.id async for one in client.videos("completed")]

    frames, video, completed = asyncio.run(main())
    assert len(frames) == 3 and video.status == "completed" and video.id in completed


# --- the command line


def command(served, *arguments):
    env = {**os.environ, "AVATALK_KEY": ""}
    line = [sys.executable, "-m", "avatalk.cli", "make", "--server", served.url, *arguments]
    return subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_make_elsewhere_prints_what_make_prints(served, tmp_path):
    output = tmp_path / "a.mp4"
    process = command(
        served, "--text", TEXT, "--size", "128x128", "--captions", "vtt", "-o", str(output), "--json"
    )
    told, log = process.communicate(timeout=120)
    assert process.returncode == 0, log
    assert set(json.loads(told)) == set(avatalk.Result.__dataclass_fields__)
    assert json.loads(told)["captions"] == [str(tmp_path / "a.vtt")]
    assert load_spec(output).text == TEXT and "Drawing and encoding" in log
    process = command(served, "--text", "Hi.", "--background", "nowhere.png", "-o", str(output))
    assert "nowhere.png" in process.communicate(timeout=60)[1] and process.returncode == 2


def test_ctrl_c_stops_the_video_there(served, tmp_path):
    with Client(served.url, "") as client:
        before = {video.id for video in client.videos()}
        process = command(served, "--text", TEXT * 20, "--size", "1280x720", "-o", str(tmp_path / "a.mp4"))
        end = time.monotonic() + 60
        while not (new := {video.id for video in client.videos("processing")} - before):
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert "Stopped." in process.communicate(timeout=30)[1] and process.returncode == 3
        assert client.get(new.pop()).status == "canceled"
        with pytest.raises(Cancelled):
            client.get(next(iter({video.id for video in client.videos("canceled")}))).check()
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_here_is_sent_or_told_of(tmp_path, monkeypatch):
    with running(tmp_path / "there") as server:
        monkeypatch.setenv("AVATALK_DATA", str(tmp_path / "here"))
        keep("sailor", make_avatar("an old sailor", engine="drawn"))
        traits, consent = Traits(210.0, 180.0, 250.0, 3.9, -12.0), Consent("Yes.", "Mia", "2026-01-02")
        put(Kept("mum", "en", "me.wav", traits, consent), np.zeros(24000, np.float32))
        with Client(server.url) as client:
            video = client.submit(text="Hi.", avatar="Sailor", **SMALL)
            sent = server.client.get(f"/v1/assets/{video.request['avatar']}").json()
            assert sent["name"] == "sailor.png"
            with pytest.raises(UnknownName, match="mum") as refused:
                client.submit(text="Hi.", voice="mum", **SMALL)
            assert "kept on this machine" in refused.value.hint and "--voice-sample" in refused.value.hint
