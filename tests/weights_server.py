"""A web server with the faults that real ones have, a proxy, and models to fetch from them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from avatalk.models.manifest import Model, ModelFile, Patience, Web
from avatalk.models.store import Store


@dataclass
class Page:
    """What the server gives at one address.

    Attributes:
        content: the body.
        ranged: whether it honours Range.
        conditional: whether it honours If-Range, as it must.
        headers: further headers, such as a validator.
        breaks: for each request in turn, after how many bytes the connection is cut; None is never.
        refusals: for each request in turn, a status to answer instead; None is none.
        pause_s: between blocks of `block` bytes.
        stall: after how many bytes the first request is left without an answer.
        length: whether it says how long the body is.
    """

    content: bytes = b""
    ranged: bool = True
    conditional: bool = True
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"one"'})
    breaks: list[int | None] = field(default_factory=list)
    refusals: list[int | None] = field(default_factory=list)
    pause_s: float = 0.0
    block: int = 1 << 16
    stall: int | None = None
    length: bool = True


@dataclass
class Asked:
    """One request that came, and what was sent."""

    path: str
    range: str | None
    if_range: str | None
    cookie: str | None
    status: int = 0
    sent: int = 0
    left_by_client: bool = False


class Server:
    """Serves `pages` by path; `log` has what was asked."""

    def __init__(self, handler=None):
        self.pages: dict[str, Page] = {}
        self.log: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler or _Handler)
        self._server.daemon_threads = True
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_args):
        pass

    def do_GET(self):
        owner = self.server.owner
        given = self.headers
        asked = Asked(self.path, given["Range"], given["If-Range"], given["Cookie"])
        owner.log.append(asked)
        with contextlib.suppress(ConnectionError):  # the client was killed
            self._answer(owner, owner.pages.get(urlsplit(self.path).path), asked)

    def _answer(self, owner, page, asked):
        refusal = page.refusals.pop(0) if page and page.refusals else None
        if page is None or refusal:
            asked.status = refusal or 404
            self._head(asked.status, {"Content-Length": "0", "Retry-After": "0"})
            return
        if "Location" in page.headers:
            asked.status = 302
            self._head(302, {**page.headers, "Content-Length": "0"})
            return
        begin, size = 0, len(page.content)
        validators = (page.headers.get("ETag"), page.headers.get("Last-Modified"))
        same = asked.if_range in (None, *validators) or not page.conditional
        if page.ranged and asked.range and same:
            begin = int(asked.range.removeprefix("bytes=").removesuffix("-"))
            if begin >= size:
                asked.status = 416
                self._head(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
                return
        asked.status = 206 if begin else 200
        headers = dict(page.headers)
        if page.length:
            headers["Content-Length"] = str(size - begin)
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{size - 1}/{size}"
        self._head(asked.status, headers)
        self._body(owner, page, page.content[begin:], asked)

    def _head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, owner, page, body, asked):
        cut = page.breaks.pop(0) if page.breaks else None
        stall, page.stall = page.stall, None
        body = body if cut is None else body[:cut]
        while asked.sent < len(body):
            block = body[asked.sent : asked.sent + page.block]
            self.wfile.write(block)
            asked.sent += len(block)
            time.sleep(page.pause_s)
            if stall is not None and asked.sent >= stall:
                asked.left_by_client = bool(select.select([self.connection], [], [], 20)[0])
                return


class DriveHandler(_Handler):
    """Google Drive's manners: a page that asks back, whose button leads to the file."""

    def do_GET(self):
        owner, query = self.server.owner, parse_qs(urlsplit(self.path).query)
        if "confirm" in query:
            allowed = query.get("uuid") == ["6-9"] and "seen=1" in (self.headers["Cookie"] or "")
            if allowed and "q" not in query and query["confirm"] == ["t"] and query["id"] == ["ID1"]:
                super().do_GET()
                return
        page = QUOTA if query["id"] == ["full"] else CONFIRM
        owner.log.append(
            Asked(self.path, self.headers["Range"], None, self.headers["Cookie"], 200, len(page))
        )
        self._head(
            200,
            {"Content-Type": "text/html", "Content-Length": str(len(page)), "Set-Cookie": "seen=1; Path=/"},
        )
        self.wfile.write(page)


CONFIRM = b"""<!DOCTYPE html><html><head><title>Virus scan warning</title><style>.x{color:red}</style></head>
<body><form action="/search"><input type="hidden" name="q" value="no"></form>
<p>Too large to scan. <a href="/open?id=ID1&amp;x=1">w.pth</a> (416M)</p>
<form id="download-form" action="/download" method="get"><input type="submit" value="Download anyway"/>
<input type="hidden" name="id" value="ID1"><input type="hidden" name="export" value="download">
<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="6-9"></form>
</body></html>"""
QUOTA = b"<html><head><title>Quota exceeded</title></head><body>Too many users have viewed it</body></html>"


class ProxyHandlerOfOne(_Handler):
    """A proxy: it knows the host models.example, which nobody else does."""

    def do_GET(self):
        owner = self.server.owner
        owner.log.append(Asked(self.path, self.headers["Range"], self.headers["If-Range"], None, 200))
        target = self.path.replace("http://models.example/", owner.behind)
        headers = {name: self.headers[name] for name in ("Range", "If-Range") if self.headers[name]}
        with build_opener(ProxyHandler({})).open(Request(target, headers=headers)) as answer:
            self._head(answer.status, dict(answer.headers))
            self.wfile.write(answer.read())


# --- models ----------------------------------------------------------------------------------------

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
