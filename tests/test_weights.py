"""Weights are fetched from servers with every fault, brought by hand, and never mistaken for others."""

import hashlib
import json
import multiprocessing
import os
import re
import signal
import threading
import time
import zipfile
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from avatalk import models
from avatalk.cli import app
from avatalk.errors import Cancelled, CannotRun, ModelUnavailable, UnreadableFile
from avatalk.events import Monitor
from avatalk.models.manifest import MODELS, Drive, Form, Model, ModelFile, Patience, Web
from avatalk.models.store import Store
from weights_server import DriveHandler, Page, ProxyHandlerOfOne, Server

WEIGHTS = bytes(range(256)) * 8000  # 2 MB
OTHER = b"other weights" * 1000
HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>" * 2500
QUICK = Patience(timeout_s=3, retries=2, pause_s=0.01)


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """No proxy, no settings, a cache of one's own."""
    for name in (*os.environ,):
        if name.lower().endswith("_proxy") or name.startswith("AVATALK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server():
    made = Server()
    made.pages["/w.pth"] = Page(WEIGHTS)
    yield made
    made.close()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def weights(*sources, content=WEIGHTS, name="toy", file="w.pth", **more):
    files = (ModelFile(file, len(content), sha256(content), **more),)
    return Model(name, "A toy", "lipsync", "none", "CC0-1.0", True, files, sources)


def store_of(tmp_path, *all_models, patience=QUICK):
    return Store({model.name: model for model in all_models}, tmp_path / "cache", patience)


@pytest.fixture
def store(tmp_path, server):
    return store_of(tmp_path, weights(Web(server.url)), weights(Web(server.url), content=OTHER, name="other"))


def content(store, name="toy", file="w.pth"):
    return (store.folder(name) / file).read_bytes()


def unfinished(store, name="toy"):
    folder = store.cache / "downloads" / name
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refused(store, name="toy"):
    with pytest.raises(ModelUnavailable) as caught:
        store.install(name)
    assert caught.value.hint and not store.installed(name)
    assert not (store.folder(name) / "w.pth").exists()
    return caught.value.message


# --- servers with faults ---------------------------------------------------------------------------


def test_a_good_server(store, server):
    steps = []
    assert store.install("toy", Monitor(steps.append)) == store.folder("toy")
    assert content(store) == WEIGHTS and store.verify("toy") == [] and unfinished(store) == []
    assert (steps[-1].done, steps[-1].total, steps[-1].unit) == (len(WEIGHTS), len(WEIGHTS), "bytes")
    assert len(server.log) == 1
    store.install("toy")
    assert len(server.log) == 1


def test_a_broken_connection_is_gone_on_with(store, server):
    server.pages["/w.pth"].breaks = [700_000, 500_000, 0, 1]
    store.install("toy")
    assert content(store) == WEIGHTS and unfinished(store) == []
    assert [asked.range for asked in server.log] == [
        None, "bytes=700000-", "bytes=1200000-", "bytes=1200000-", "bytes=1200001-",
    ]  # fmt: skip
    assert {asked.if_range for asked in server.log[1:]} == {'"one"'}
    assert sum(asked.sent for asked in server.log) == len(WEIGHTS)


@pytest.mark.parametrize(
    "headers", [{"Last-Modified": "Tue, 01 Oct 2024 10:00:00 GMT"}, {"ETag": 'W/"x"'}, {}]
)
def test_only_what_identifies_the_content_is_gone_on_with(store, server, headers):
    server.pages["/w.pth"] = Page(WEIGHTS, headers=headers, breaks=[900_000])
    store.install("toy")
    assert content(store) == WEIGHTS
    assert server.log[1].if_range == headers.get("Last-Modified")
    assert (server.log[1].range is None) == ("Last-Modified" not in headers)


def test_a_server_without_ranges_is_asked_from_the_start(store, server):
    server.pages["/w.pth"].ranged = False
    server.pages["/w.pth"].breaks = [900_000, 100]
    store.install("toy")
    assert content(store) == WEIGHTS and [asked.status for asked in server.log] == [200] * 3


def test_content_that_changed_meanwhile_is_not_mixed(store, server):
    page = server.pages["/w.pth"]
    page.content, page.breaks = b"older " * 300_000, [900_000]
    refused_once = threading.Event()

    def change(step):
        if step.done >= 900_000 and not refused_once.is_set():
            refused_once.set()
            page.content, page.headers = WEIGHTS, {"ETag": '"two"'}

    store.install("toy", Monitor(change))
    assert content(store) == WEIGHTS
    assert server.log[1].if_range == '"one"' and server.log[1].status == 200


def test_a_server_that_always_breaks_gives_way_to_the_next(tmp_path, server):
    server.pages["/bad/w.pth"] = Page(WEIGHTS, ranged=False, breaks=[1000] * 99)
    store = store_of(tmp_path, weights(Web(server.url + "bad/"), Web(server.url)))
    store.install("toy")
    assert content(store) == WEIGHTS and unfinished(store) == []
    assert [asked.path for asked in server.log] == ["/bad/w.pth"] * 3 + ["/w.pth"]


def test_a_server_that_falls_silent_is_asked_again(tmp_path, server):
    store = store_of(tmp_path, weights(Web(server.url)), patience=Patience(0.5, 2, 0.01))
    server.pages["/w.pth"].stall = 300_000
    store.install("toy")
    assert content(store) == WEIGHTS and server.log[1].status == 206
    assert int(server.log[1].range[6:-1]) > 0


def test_a_slow_server_is_waited_for(tmp_path, server):
    server.pages["/w.pth"].pause_s, server.pages["/w.pth"].block = 0.06, 100_000
    store = store_of(tmp_path, weights(Web(server.url)), patience=Patience(1, 0, 0.01))
    store.install("toy")
    assert content(store) == WEIGHTS and len(server.log) == 1


def test_busy_servers_are_asked_again_and_others_not(tmp_path, server):
    server.pages["/busy/w.pth"] = Page(WEIGHTS, refusals=[503, 429])
    server.pages["/gone/w.pth"] = Page(WEIGHTS, refusals=[403])
    sources = (Web(server.url + "none/"), Web(server.url + "gone/"), Web(server.url + "busy/"))
    store = store_of(tmp_path, weights(*sources))
    store.install("toy")
    assert content(store) == WEIGHTS
    assert [asked.status for asked in server.log] == [404, 403, 503, 429, 200]


def test_a_redirect_keeps_the_range(tmp_path, server):
    server.pages["/old/w.pth"] = Page(headers={"Location": "/w.pth"})
    server.pages["/w.pth"].breaks = [900_000]
    store = store_of(tmp_path, weights(Web(server.url + "old/")))
    store.install("toy")
    assert content(store) == WEIGHTS
    assert [asked.range for asked in server.log] == [None, None, "bytes=900000-", "bytes=900000-"]


def test_a_source_may_have_the_file_under_another_name(tmp_path, server):
    server.pages["/other_name.bin"] = Page(WEIGHTS)
    store = store_of(tmp_path, weights(Web(server.url, "other_name.bin")))
    store.install("toy")
    assert content(store) == WEIGHTS


def test_nobody_at_the_address_is_not_waited_for(tmp_path, server):
    closed = Server()
    closed.close()
    patience = Patience(5, 50, 60)  # would take hours
    store = store_of(tmp_path, weights(Web(closed.url), Web(server.url)), patience=patience)
    store.install("toy")
    assert content(store) == WEIGHTS


# --- not what was wanted ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (HTML, r"w\.pth.*is a web page \(HTML\), not a model"),
        (b"\xef\xbb\xbf\n<html lang=en>", r"is a web page \(HTML\), not a model"),
        (WEIGHTS[:1_500_000], r"w\.pth is cut short: 1500000 of 2048000 bytes"),
        (OTHER, r"w\.pth is another model: other"),
        (WEIGHTS[::-1], r"w\.pth is another file: its SHA-256 is \w{64}, not \w{64}"),
        (WEIGHTS + b"more", "is another file: larger than 2.0 MB"),
    ],
)
@pytest.mark.parametrize("length", [True, False])
def test_what_is_wrong_is_said_at_install(store, server, served, words, length):
    server.pages["/w.pth"] = Page(served, length=length)
    assert re.search(words, refused(store))
    server.pages["/w.pth"] = Page(WEIGHTS, headers={"ETag": '"two"'})
    store.install("toy")
    assert content(store) == WEIGHTS and unfinished(store) == []


def test_an_endless_answer_is_not_followed(store, server):
    server.pages["/w.pth"] = Page(b"\0" * 50_000_000, length=False)
    assert "is another file: larger than 2.0 MB" in refused(store)
    assert server.log[0].sent < 40_000_000


def test_wrong_files_give_way_to_the_next_source(tmp_path, server):
    server.pages["/page/w.pth"], server.pages["/cut/w.pth"] = Page(HTML), Page(WEIGHTS[:-1])
    store = store_of(tmp_path, weights(*(Web(f"{server.url}{part}") for part in ("page/", "cut/", ""))))
    store.install("toy")
    assert content(store) == WEIGHTS and unfinished(store) == []


# --- stopped, killed, side by side -----------------------------------------------------------------


def test_a_cancelled_install_is_gone_on_with_later(store, server):
    cancel = threading.Event()

    def stop_half_way(step):
        if step.done > step.total / 2:
            cancel.set()

    with pytest.raises(Cancelled):
        store.install("toy", Monitor(stop_half_way, cancel))
    assert not store.folder("toy").exists() and any(name.endswith(".part") for name in unfinished(store))
    store.install("toy")
    assert content(store) == WEIGHTS and unfinished(store) == []
    assert int(server.log[1].range[6:-1]) >= len(WEIGHTS) / 2 and server.log[1].status == 206


def test_ctrl_c_leaves_nothing_wrong(store, server):
    def interrupt(step):
        if step.done > step.total / 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.install("toy", Monitor(interrupt))
    assert not store.installed("toy") and not store.folder("toy").exists()
    store.install("toy")
    assert content(store) == WEIGHTS and server.log[1].status == 206


def part_of(store, server):
    """Break an install off near its end; return its part file."""
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        store.install("toy", Monitor(lambda step: step.done > 1_900_000 and cancel.set(), cancel))
    (part,) = (store.cache / "downloads" / "toy").glob("*.part")
    server.log.clear()
    return part


def test_a_damaged_part_is_thrown_away(store, server):
    part = part_of(store, server)
    part.write_bytes(b"\0" * part.stat().st_size)
    store.install("toy")
    assert content(store) == WEIGHTS and unfinished(store) == []
    assert [asked.status for asked in server.log] == [206, 200]


@pytest.mark.parametrize("extra", [b"", b"too much"])
def test_a_part_that_is_whole_or_more(store, server, extra):
    part = part_of(store, server)
    part.write_bytes(WEIGHTS + extra)
    store.install("toy")
    assert content(store) == WEIGHTS
    assert [asked.status for asked in server.log] == ([416, 200] if extra else [416])


def install_in_process(model, cache, begun):
    def tell(step):
        begun.set()

    store_of(cache.parent, model).install(model.name, Monitor(tell))


def start(model, cache):
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=install_in_process, args=(model, cache, begun))
    process.start()
    return process, begun


def test_two_processes_leave_one_good_file(store, server):
    server.pages["/w.pth"].pause_s, server.pages["/w.pth"].block = 0.02, 100_000
    model = store.get("toy")
    started = [start(model, store.cache) for _ in range(2)]
    processes = [process for process, _ in started]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert content(store) == WEIGHTS and unfinished(store) == []
    assert [path.name for path in store.folder("toy").iterdir()] == ["w.pth"]
    assert len(server.log) == 1, "the second one waits for the first"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_install_is_gone_on_with(store, server):
    page = server.pages["/w.pth"]
    page.pause_s, page.block = 0.05, 100_000
    process, begun = start(store.get("toy"), store.cache)
    assert begun.wait(60)
    while not any(path.stat().st_size > 300_000 for path in store.cache.rglob("*.part")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    assert not store.folder("toy").exists()
    (store.cache / "downloads" / "toy" / "tmp-of-pip").mkdir()
    page.pause_s = 0
    store.install("toy")
    assert content(store) == WEIGHTS and unfinished(store) == []
    assert server.log[-1].status == 206 and int(server.log[-1].range[6:-1]) > 300_000


# --- Google Drive, proxies -------------------------------------------------------------------------


@pytest.fixture
def drive():
    made = Server(DriveHandler)
    made.pages["/download"] = Page(WEIGHTS)
    yield made
    made.close()


def test_google_drive_asks_back(tmp_path, drive):
    drive.pages["/download"].breaks = [900_000]
    store = store_of(tmp_path, weights(Drive("ID1", drive.url + "uc?export=download&id=")))
    store.install("toy")
    assert content(store) == WEIGHTS
    assert [asked.path.split("?")[0] for asked in drive.log] == ["/uc", "/download"] * 2
    assert drive.log[-1].range == "bytes=900000-" and drive.log[-1].status == 206


@pytest.mark.parametrize("file_id", ["full", "ID2"])
def test_google_drive_may_refuse(tmp_path, drive, file_id):
    store = store_of(tmp_path, weights(Drive(file_id, drive.url + "uc?export=download&id=")))
    drive.pages["/download"] = Page(HTML)
    assert "is a web page (HTML), not a model" in refused(store)
    assert len(drive.log) == (1 if file_id == "full" else 2)


def test_the_proxy_of_the_environment_is_used(tmp_path, server, monkeypatch):
    proxy = Server(ProxyHandlerOfOne)
    proxy.behind = server.url
    server.pages["/w.pth"].breaks = [None]
    monkeypatch.setenv("http_proxy", proxy.url)
    store = store_of(tmp_path, weights(Web("http://models.example/")))
    store.install("toy")
    proxy.close()
    assert content(store) == WEIGHTS
    assert [asked.path for asked in proxy.log] == ["http://models.example/w.pth"]


# --- several forms, licences -----------------------------------------------------------------------

SMALL = b"the same in another form" * 1000


@pytest.mark.parametrize("size", [len(SMALL), 0])
def test_another_published_form_serves_as_well(tmp_path, server, size):
    server.pages["/small/w.pth"] = Page(SMALL)
    form = Form(size, sha256(SMALL), "a small form")
    model = weights(Web(server.url + "none/"), Web(server.url + "small/"), others=(form,))
    store = store_of(tmp_path, model)
    usual = store.derived("toy", "w.pth")
    store.install("toy")
    assert content(store) == SMALL and store.installed("toy") and store.verify("toy") == []
    assert store.kept(model) == {"w.pth": replace(form, bytes=len(SMALL))}
    small = store.derived("toy", "w.pth")
    assert small != usual and small.is_relative_to(store.folder("toy"))
    small.mkdir(parents=True)
    (store.folder("toy") / "w.pth").write_bytes(SMALL[::-1])
    assert store.verify("toy") == ["w.pth"]

    store = store_of(tmp_path, weights(Web(server.url), others=(form,)))
    store.install("toy")  # what came instead is noted, and what was made from the old goes
    assert content(store) == WEIGHTS and store.verify("toy") == []
    assert store.derived("toy", "w.pth") == usual and not small.exists()
    assert store.remove("toy") and not store.remove("toy") and not store.folder("toy").exists()


@pytest.fixture
def private(tmp_path, server):
    """A store with two models of one licence and one of another, none for commercial use."""
    made = [weights(Web(server.url), name=name) for name in ("toy", "sister", "stranger")]
    made = [replace(model, commercial=False, licence="Private", terms="For play only.") for model in made]
    made[2] = replace(made[2], licence="Very private")
    return store_of(tmp_path, *made)


def test_consent_is_asked_once(private, server):
    with pytest.raises(CannotRun, match=r"not for commercial use.*For play only") as caught:
        private.path("toy", "w.pth")
    assert "avatalk models install toy --accept-license" in caught.value.hint and not caught.value.retryable
    assert server.log == [] and not private.folder("toy").exists()
    private.install("toy", accept_licence=True)
    private.install("sister")
    assert content(private, "sister") == WEIGHTS
    with pytest.raises(CannotRun, match="stranger"):
        private.install("stranger")
    private.remove("toy")
    private.install("toy")


def test_commercial_machines_refuse(private, server, monkeypatch, tmp_path):
    private.install("toy", accept_licence=True)
    (tmp_path / "file").write_bytes(WEIGHTS)
    asked = len(server.log)
    monkeypatch.setenv("AVATALK_COMMERCIAL", "1")
    for attempt in (
        lambda: private.path("toy", "w.pth"),
        lambda: private.install("sister", accept_licence=True),
        lambda: private.import_file(tmp_path / "file", accept_licence=True),
    ):
        with pytest.raises(CannotRun, match=r"must not be used commercially.*AVATALK_COMMERCIAL") as caught:
            attempt()
        assert "unset AVATALK_COMMERCIAL" in caught.value.hint
    assert len(server.log) == asked
    monkeypatch.setenv("AVATALK_COMMERCIAL", "0")
    assert private.path("toy", "w.pth").exists()


# --- brought by hand -------------------------------------------------------------------------------


def test_a_file_is_recognised_by_its_checksum(store, tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_OFFLINE", "1")
    stick = tmp_path / "stick" / "download (1).tmp"
    stick.parent.mkdir()
    stick.write_bytes(WEIGHTS)
    found = store.import_file(stick)
    assert (found.model, found.files, found.published, found.missing) == ("toy", ("w.pth",), True, ())
    assert "A toy" in found.what and content(store) == WEIGHTS and store.verify("toy") == []
    assert stick.exists() and unfinished(store) == []
    store.import_file(store.path("toy", "w.pth"))  # where it lies already
    assert content(store) == WEIGHTS
    with pytest.raises(UnreadableFile, match="is the model toy, not other"):
        store.import_file(stick, name="other")
    with pytest.raises(ModelUnavailable, match="AVATALK_OFFLINE") as caught:
        store.install("other")
    assert "models import" in caught.value.hint


def test_a_file_of_several_says_what_is_missing(tmp_path):
    files = tuple(
        ModelFile(name, len(data), sha256(data), f"inside/{name}")
        for name, data in (("a", b"1"), ("b", b"22"))
    )
    store = store_of(tmp_path, replace(weights(), files=files))
    (tmp_path / "b (copy)").write_bytes(b"22")
    assert store.import_file(tmp_path / "b (copy)").missing == ("a",) and not store.installed("toy")
    wheel = tmp_path / "any.whl"
    for first in (b"x", b"1"):
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("inside/a", first)
            archive.writestr("inside/b", b"22")
        if first == b"x":
            with pytest.raises(UnreadableFile, match="does not hold a as it was published"):
                store.import_file(wheel)
    found = store.import_file(wheel)
    assert found.files == ("a", "b") and found.missing == () and store.verify("toy") == []


@pytest.mark.parametrize(
    ("brought", "words"),
    [
        (HTML, "is a web page"),
        (WEIGHTS[:1000], r"is cut short: 1000 of 2048000 bytes"),
        (WEIGHTS[::-1], "is another file: its SHA-256"),
        (b"", "is cut short: 0 of"),
    ],
)
def test_what_is_brought_under_a_right_name_and_wrong(store, tmp_path, brought, words):
    (tmp_path / "w.pth").write_bytes(brought)
    with pytest.raises(UnreadableFile, match=words) as caught:
        store.import_file(tmp_path / "w.pth")
    assert caught.value.hint and not store.folder("toy").exists()


def test_what_is_no_file(store, tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UnreadableFile, match="cannot be read"):
            store.import_file(path)


# --- the command line ------------------------------------------------------------------------------


def run(*words, expect=0):
    result = CliRunner().invoke(app, ["models", *map(str, words)])
    assert result.exit_code == expect, result.output
    return result


@pytest.fixture
def listed(server, monkeypatch):
    """A model "toy" that `avatalk models` knows; its licence must be accepted."""
    model = replace(weights(Web(server.url)), commercial=False, licence="Private", terms="For play only.")
    monkeypatch.setitem(MODELS, "toy", model)
    return model


def rows():
    return {row["name"]: row for row in json.loads(run("list", "--json").stdout)}


def test_commands(listed, server, tmp_path):
    assert "--accept-license" in run("install", "toy", expect=3).stderr
    row = rows()["toy"]
    assert not row["installed"] and not row["accepted"] and row["sources"] == [server.url]
    assert row["files"][0]["sha256"] == sha256(WEIGHTS)
    assert str(models.folder("toy")) in run("install", "toy", "--accept-license").stdout
    assert rows()["toy"]["installed"] and rows()["toy"]["accepted"]
    assert run("verify").stdout == "toy: good\n"
    assert run("path", "toy").stdout.strip() == str(models.folder("toy"))
    (models.folder("toy") / "w.pth").write_bytes(b"cut")
    assert "w.pth" in run("verify", "toy", expect=2).stdout
    assert "removed" in run("remove", "toy").stdout and not rows()["toy"]["installed"]
    (tmp_path / "stick").write_bytes(WEIGHTS)
    (tmp_path / "page").write_bytes(HTML)
    assert "toy: stick is A toy" in run("import", tmp_path / "stick").stdout and rows()["toy"]["installed"]
    assert "page is a web page (HTML), not a model" in run("import", tmp_path / "page", expect=2).stderr
    assert "toy" in run("list").stdout


def test_the_manifest_covers_wav2lip():
    for name in ("wav2lip", "wav2lip-gan", "s3fd"):
        model = models.MODELS[name]
        assert not model.commercial and model.terms and len(model.sources) >= 3
        assert [bool(file.network and file.kind) for file in model.files] == [True]
    assert models.needs_consent("wav2lip") and not models.needs_consent("face")
