# ruff: noqa: F811 - fixtures that come from elsewhere
"""Weights are fetched from servers with every fault, and never mistaken for others."""

import multiprocessing
import os
import re
import signal
import threading
import time

import pytest

from avatalk.errors import Cancelled, ModelUnavailable
from avatalk.events import Monitor
from avatalk.models.manifest import Drive, Patience, Web
from weights_server import (  # noqa: F401
    CONFIRM,
    HTML,
    OTHER,
    WEIGHTS,
    DriveHandler,
    Page,
    ProxyHandlerOfOne,
    Server,
    content,
    machine,
    server,
    store,
    store_of,
    unfinished,
    weights,
)


def refused(store, name="toy"):
    with pytest.raises(ModelUnavailable) as caught:
        store.install(name)
    assert caught.value.hint and not store.installed(name)
    assert not (store.folder(name) / "w.pth").exists() and "w.pth" not in unfinished(store, name)
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


@pytest.mark.parametrize("conditional", [True, False])
def test_content_that_changed_meanwhile_is_not_mixed(store, server, conditional):
    page = server.pages["/w.pth"]
    page.content, page.breaks, page.conditional = b"older " * 300_000, [900_000, None, None], conditional
    refused_once = threading.Event()

    def change(step):
        if step.done >= 900_000 and not refused_once.is_set():
            refused_once.set()
            page.content, page.headers = WEIGHTS, {"ETag": '"two"'}

    store.install("toy", Monitor(change))
    assert content(store) == WEIGHTS
    assert server.log[1].if_range == '"one"'
    assert [asked.status for asked in server.log] == ([200, 200] if conditional else [200, 206, 200])


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
    assert server.log[0].left_by_client and int(server.log[1].range[6:-1]) > 0


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
    """Break an install off after three quarters; return its part file."""
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        store.install("toy", Monitor(lambda step: step.done > 1_500_000 and cancel.set(), cancel))
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


def test_waiting_for_another_process_can_be_cancelled(store, server):
    told = []
    monitor = Monitor(lambda step: (told.append(step.message), monitor.cancelled.set()))
    with store.working(store.get("toy"), Monitor()), pytest.raises(Cancelled):
        store.install("toy", monitor)
    assert told == ["another process installs the toy model"] and server.log == []
    store.install("toy")
    assert content(store) == WEIGHTS


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
    drive.pages["/download"] = Page(CONFIRM)  # it asks again and again
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
