"""What nobody should send is refused, with an answer that says why, and leaves nothing behind."""

import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import av
import httpx
import pytest

import hostile
from avatalk.avatars.clip import is_clip, open_clip
from avatalk.errors import AvatalkError, BadInput, TooLarge
from avatalk.lock import locked
from avatalk.media import reading
from avatalk.service.checks import Limits, check
from avatalk.service.examine import examine
from avatalk.service.uploads import Spool, shown_name
from avatalk.speech.audio import open_audio
from avatalk.video.tags import read_comment
from serving import inside, running

LIMITS = Limits(pixels=1_200_000, seconds=10, frames=1200)


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    return hostile.made(tmp_path_factory.mktemp("bad"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def client(data):
    with inside(data, max_upload_mb=4, max_pixels=1_200_000, max_media_s=10, offline=1) as client:
        yield client


def listing(folder):
    """All files and folders, but those that SQLite makes and removes as it likes."""
    return sorted(str(path) for path in folder.rglob("*") if not path.name.endswith(("-shm", "-wal")))


def test_every_one_is_refused_with_what_it_is(bad, tmp_path):
    passed = []
    for name, content in bad.items():
        path = tmp_path / "0123456789abcdef"
        path.write_bytes(content)
        try:
            passed.append((name, examine(path, LIMITS)))
        except BadInput as error:
            assert error.message.startswith(path.name), name
            assert error.hint, name
    assert not passed


def test_good_ones_pass_by_the_same_look(tmp_path):
    pictures = {kind: hostile.picture(kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO")}
    sounds = {
        kind: hostile.coded(tmp_path, f"a.{kind}", codec)
        for kind, codec in {"mp3": "libmp3lame", "ogg": "libopus", "flac": "flac", "m4a": "aac"}.items()
    }
    clips = {
        name: hostile.clip(tmp_path, name, codec=codec)
        for name, codec in {
            "a.mp4": "libx264",
            "a.webm": "libvpx",
            "a.mkv": "libx264",
            "a.avi": "mpeg4",
        }.items()
    }
    found = {}
    for kind, files in {"picture": pictures, "sound": sounds, "clip": clips}.items():
        for name, content in files.items():
            path = tmp_path / "0123456789abcdef"
            path.write_bytes(content)
            facts = examine(path, LIMITS)
            assert facts.kind == kind, name
            found[name] = facts.type, facts.ending
    assert found["JPEG"] == found["MPO"] == ("image/jpeg", ".jpg")
    assert found["m4a"] == ("audio/mp4", ".m4a")
    assert found["a.webm"] == ("video/webm", ".webm")
    assert found["a.mkv"] == ("video/x-matroska", ".mkv")
    assert found["a.avi"] == ("video/x-msvideo", ".avi")


SOME = (
    "empty",
    "SVG",
    "JPEG and ZIP",
    "ffconcat",
    "PNG bomb of 7000x7000",
    "GIF of 100000 frames",
    "MP4 of ten hours by its header",
    "MP4, cut off",
    "random",
)


def test_answers_are_4xx_and_nothing_is_left(bad, client, data):
    client.get("/v1/assets")
    before = listing(data)
    for name in SOME:
        answer = client.post("/v1/assets", files={"file": ("my face.png", bad[name], "image/png")})
        error = answer.json()["error"]
        assert answer.status_code in (400, 413), (name, answer.text)
        assert error["message"].startswith("my face.png"), name
        assert error["field"] == "file"
        assert listing(data) == before, name
    assert client.get("/v1/assets").json()["data"] == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        ("a\0b.png", "ab.png"),
        ("a\r\nSet-Cookie: x=1.png", "a Set-Cookie: x=1.png"),
        ("photo\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe", "photognp.exe"),
        ("\N{ZERO WIDTH SPACE}\N{BYTE ORDER MARK}", "file"),
        ("x" * 10_000 + ".png", "x" * 109 + "….png"),
        ("été 日本.png", "été 日本.png"),
        ("e\N{COMBINING ACUTE ACCENT}.png", "é.png"),
    ],
)
def test_names_are_only_shown(name, shown):
    assert shown_name(name) == shown


def test_a_hostile_name_is_no_path(client, data):
    good = hostile.picture()
    for name in (
        "../../../tmp/x.png",
        "a" * 3000 + ".png",
        "C:\\x\\y.png",
        "%2e%2e%2fx.png",
        "été.png",
        'a\\"b.png',
    ):
        answer = client.post("/v1/assets", files={"file": (name, good)})
        assert answer.status_code == 201, (name, answer.text)
        asset = answer.json()
        assert "/" not in asset["name"] and len(asset["name"]) <= 120
        assert client.delete(f"/v1/assets/{asset['id']}").status_code == 204
    assert client.get("/v1/assets").json()["data"] == []
    assert [path for path in listing(data) if path.endswith(".png")] == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"", "multipart/form-data; boundary="),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Disposition: form-data\r\n\r\nhello\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello',
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhello\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"--" + b"x" * 300 + b"\r\n", "multipart/form-data; boundary=" + "x" * 300),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n1\r\n'
            b'--x\r\nContent-Disposition: form-data; name="b"; filename="b"\r\n\r\n2\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\nContent-Disposition: " + b"a" * 9000 + b"\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"A: b\r\n" * 2000 + b"\r\n", "multipart/form-data; boundary=x"),
        (b"a=1&file=2", "application/x-www-form-urlencoded"),
        (b'{"a": 1}', "application/json"),
        (b"hello", "\xff\xfe; charset=\xff"),
    ],
)
def test_broken_forms(client, data, body, kind):
    before = listing(data)
    answer = client.post("/v1/assets", content=body, headers={"Content-Type": kind.encode("latin-1")})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] in ("bad_input", "unreadable_file")
    assert listing(data) == before


# --- the process that looks ---------------------------------------------------------------------------


def test_a_check_ends_at_its_limits(bad, tmp_path):
    many = tmp_path / "many"
    many.write_bytes(bad["GIF of 100000 frames"])
    patient = Limits(pixels=10**6, seconds=10**9, frames=10**9)
    with pytest.raises(TooLarge, match="clip takes too long"):
        check(many, "clip", limits=Limits(**{**limits(patient), "cpu_s": 1}))
    with pytest.raises(TooLarge, match="clip takes too long"):
        check(many, "clip", limits=Limits(**{**limits(patient), "wall_s": 0.2}))
    large = tmp_path / "large"
    large.write_bytes(hostile.png_claiming(7_000, 7_000, bytes(7_000 * 21_001)))
    with pytest.raises(BadInput):
        check(large, "photo", limits=Limits(**{**limits(patient), "memory_bytes": 600 << 20}))


def limits(of):
    return {
        name: getattr(of, name) for name in ("pixels", "seconds", "frames", "cpu_s", "wall_s", "memory_bytes")
    }


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are POSIX")
def test_a_check_can_write_no_file_and_knows_no_secret(tmp_path, monkeypatch):
    code = (
        "import sys; from pathlib import Path; from avatalk.service import examine, checks\n"
        "path = Path(sys.argv[1]); examine._confine(checks.Limits(1, 1, 1)); examine._finder(path)\n"
        "try: (path.parent / 'written').write_text('x')\n"
        "except OSError as error: print(error.errno)"
    )
    path = tmp_path / "sound"
    path.write_bytes(hostile.sound())
    told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True).stdout
    assert told.split() == ["27"]  # EFBIG
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_text()


def test_lists_of_files_open_none(bad, tmp_path):
    for name in ("HLS", "HLS of a URL", "HLS with concat", "ffconcat", "SDP", "M3U of files"):
        path = tmp_path / "list.mp4"
        path.write_bytes(bad[name])
        assert not is_clip(path), name
        for read in (open_audio, open_clip, read_comment):
            with pytest.raises(AvatalkError):
                read(path)


def test_ffmpeg_opens_what_is_listed_and_nothing_else(tmp_path):
    path = tmp_path / "any"
    path.write_bytes(hostile.sound())
    with path.open("rb") as file, av.open(file, **reading()) as container:
        assert container.format.name == "wav"
    for other in (hostile.picture("JPEG"), b"XBIN\x1a\x50\0\x19\0\x10\0" + b"a\x07" * 2000):
        path.write_bytes(other)
        with path.open("rb") as file, pytest.raises(ValueError):
            av.open(file, **reading())
        with path.open("rb") as file, av.open(file):  # which FFmpeg would do
            pass


def test_a_name_with_a_number_in_it_is_one_file(tmp_path):
    for number in range(5):
        (tmp_path / f"a{number:03d}.jpg").write_bytes(hostile.picture("JPEG"))
    (tmp_path / "a%03d.jpg").write_bytes(hostile.picture("JPEG"))
    assert not is_clip(tmp_path / "a%03d.jpg")


# --- on the way ----------------------------------------------------------------------------------------


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_has_is_not(tmp_path):
    dead, live = "dead0123456789ab", "beef0123456789ab"  # as folders on the way are called
    for name in (dead, live):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").write_bytes(b"x")
        (tmp_path / f"{name}.lock").touch()
    with locked(tmp_path / f"{live}.lock", lambda: None):
        spool = Spool(tmp_path)
        assert not (tmp_path / dead).exists() and not (tmp_path / f"{dead}.lock").exists()
        assert (tmp_path / live / "part").exists()
        spool.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    with running(folder, max_upload_mb=1, upload_timeout_s=1, offline=1) as served:
        yield served, folder


def request(served, headers, body=b"", then=b"", wait=0.0):
    """Send an upload by hand and return what is answered before the connection is closed."""
    url = urlsplit(served.url)
    lines = [b"POST /v1/assets HTTP/1.1", f"Host: {url.netloc}".encode(), *headers, b"", b""]
    with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
        connection.sendall(b"\r\n".join(lines) + body)
        if then:
            time.sleep(wait)
            connection.sendall(then)
        return connection.recv(65536).decode()


def left(folder):
    return [path for path in (folder / "uploads").rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_ten_gigabytes_are_refused_before_they_come(served):
    served, folder = served
    for claim in (b"10737418240", b"1000001", b"9" * 400):
        told = request(served, [b"Content-Length: " + claim])
        assert told.startswith("HTTP/1.1 4"), told
    assert " 413 " in request(served, [b"Content-Length: 10737418240"])
    assert left(folder) == []


def test_more_than_was_said_is_refused_on_its_way(served):
    served, folder = served
    block = b"10000\r\n" + bytes(65536) + b"\r\n"
    assert " 413 " in request(served, [b"Transfer-Encoding: chunked"], block * 20)
    for sent in ({"content": bytes(4_000_000)}, {"files": {"file": ("a.png", bytes(4_000_000))}}):
        answer = httpx.post(f"{served.url}/v1/assets", **sent)
        assert answer.status_code == 413, answer.text
        assert "1 MB" in answer.text
    assert left(folder) == []


def test_what_stands_still_is_ended(served):
    served, folder = served
    told = request(served, [b"Content-Length: 500000"], bytes(1000))
    assert " 408 " in told
    assert left(folder) == []


def test_what_breaks_off_leaves_nothing(served):
    served, folder = served
    url = urlsplit(served.url)
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.sendall(
            b"POST /v1/assets HTTP/1.1\r\nHost: "
            + url.netloc.encode()
            + b"\r\nContent-Length: 900000\r\n\r\n"
        )
        connection.sendall(bytes(600_000))
        deadline = time.monotonic() + 20
        while not left(folder) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert left(folder)
    while left(folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left(folder) == []
    assert httpx.get(f"{served.url}/v1/assets").json()["data"] == []
    assert "Traceback" not in served.log.read_text()
