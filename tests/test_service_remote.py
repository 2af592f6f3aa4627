"""Files by https URL: off by default; when on, from listed hosts at public addresses and nowhere else."""

import datetime
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from urllib.parse import quote, unquote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import hostile
from avatalk.errors import BadInput, TooLarge
from avatalk.service import remote
from avatalk.service.pinned import PublicOnly, is_public
from avatalk.service.remote import check_url, fetched
from avatalk.service.uploads import Spool
from serving import inside

LISTED = frozenset(
    {"files.example", "files.example:8443", "xn--bcher-kva.example", "127.0.0.1", "[::1]", "localhost"}
)


@pytest.mark.parametrize(
    "url",
    [
        # schemes
        "http://files.example/a.png",
        "file:///etc/passwd",
        "ftp://files.example/a.png",
        "gopher://files.example/",
        "s3://bucket/key",
        "data://text/plain,hello",
        "concat:https://files.example/a.png|/etc/passwd",
        "https:files.example/a.png",
        "https:/files.example/a.png",
        "https:///files.example/a.png",
        "https:\\\\files.example\\a.png",
        "//files.example/a.png",
        # user names, and what looks like them
        "https://user:secret@files.example/a.png",
        "https://files.example@evil.example/a.png",
        "https://files.example:443@evil.example/a.png",
        "https://files.example\\@evil.example/a.png",
        "https://evil.example#@files.example/a.png",
        "https://evil.example?@files.example/a.png",
        "https://files.example%40evil.example/a.png",
        # hosts that are not listed
        "https://evil.example/a.png",
        "https://files.example.evil.example/a.png",
        "https://evilfiles.example/a.png",
        "https://sub.files.example/a.png",
        "https://files.example./a.png",
        "https://.files.example/a.png",
        "https://files..example/a.png",
        "https://files%2eexample/a.png",
        "https://",
        "https:///",
        "https://?",
        # ports
        "https://files.example:444/a.png",
        "https://files.example:0/a.png",
        "https://files.example:99999/a.png",
        "https://files.example:-1/a.png",
        "https://files.example:443:443/a.png",
        "https://files.example:8443x/a.png",
        # letters that other parsers change
        "https://files。example/a.png",
        "https://ｆiles.example/a.png",
        "https://ﬁles.example/a.png",
        "https://bücher.example/a.png",
        "https://files.example\u2024evil.example/",
        "https://files.exa\u00admple/a.png",
        "https://files.example/\u202egnp.a",
        "https://files.example/a b.png",
        "https://files.example\t/a.png",
        "https://files.exam\nple/a.png",
        "https://files.example/a.png\r\nHost: evil.example",
        "https://files.example/\0",
        # numbers
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::127.0.0.1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://::1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://metadata.google.internal/",
    ],
)
def test_urls_that_are_not_even_asked(url):
    with pytest.raises(BadInput) as caught:
        check_url(url, LISTED, "avatar")
    assert caught.value.field == "avatar"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/a.png",
        "https://files.example",
        "https://FILES.example:443/a.png?b=1&c=@d",
        "https://files.example:8443/%20",
        "https://xn--bcher-kva.example/",
    ],
)
def test_urls_that_are(url):
    check_url(url, LISTED, "avatar")


PRIVATE = """
    127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.1 192.0.0.171 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:7f00:1
    64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:0:a00:1::1 2001:2::1 2001:db8::1
    2001:10::1 2002:7f00:1:: 2002:a00:1:: 2002:c0a8:101::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254
    fe80::1 febf::1 fec0::1 ff02::1 ff0e::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_that_are_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_that_are_public(address):
    assert is_public(ip_address(address))


# --- a real server ------------------------------------------------------------------------------------


class Site(ThreadingHTTPServer):
    """An https server of the loopback for files.example and other.example, which notes what it is asked."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Answers)
        self.port = self.server_port
        self.asked = []
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        write_certificate(certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.trust = ssl.create_default_context(cafile=certificate)

    def handle_error(self, request, client_address):
        """Clients that go away are what is tested."""


class Answers(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append((self.headers["Host"], self.path))
        path, _, rest = self.path.partition("?")
        if path == "/to":
            return self.answer(302, b"", Location=unquote(rest))
        if path == "/face.png":
            return self.answer(200, hostile.picture())
        if path == "/large":
            return self.answer(200, bytes(10), **{"Content-Length": "10000000000"})
        if path == "/gzip":
            return self.answer(200, bytes(10), **{"Content-Encoding": "gzip"})
        if path in ("/endless", "/drip"):
            self.send_response(200)
            self.end_headers()
            for _ in range(400):
                self.wfile.write(bytes(100_000 if path == "/endless" else 10))
                time.sleep(0 if path == "/endless" else 0.05)
            return None
        if path == "/never":
            time.sleep(3)
        return self.answer(404, b"")

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def write_certificate(certificate, key):
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tests")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName("files.example"), x509.DNSName("other.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kind = serialization.PrivateFormat.PKCS8
    key.write_bytes(secret.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    server = Site(tmp_path_factory.mktemp("site"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool")
    yield spool
    assert [
        path for path in (tmp_path / "spool").rglob("*") if path.is_file() and path.suffix != ".lock"
    ] == []
    spool.close()


ADDRESSES = {
    "files.example": ["127.0.0.1"],
    "other.example": ["127.0.0.1"],
    "inside.example": ["10.0.0.1"],
    "mixed.example": ["93.184.216.34", "127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "scoped.example": ["fe80::1%lo"],
    "nowhere.example": [],
    "broken.example": ["localhost"],
}


def transport(site, resolve=None):
    """As it is in use, but for names, trust, and an address of the loopback that passes for public."""
    return PublicOnly(
        {f"files.example:{site.port}", f"wrong.example:{site.port}"},
        trust=site.trust,
        resolve=resolve or (lambda host, _: ADDRESSES.get(host, ["127.0.0.1"])),
    )


def get(site, spool, host="files.example", path="/face.png", resolve=None):
    hosts = {f"{name}:{site.port}" for name in (*ADDRESSES, "wrong.example", "rebound.example")}
    with fetched(
        f"https://{host}:{site.port}{path}", hosts, spool, "avatar", transport(site, resolve)
    ) as upload:
        return upload, upload.path.read_bytes()


def test_a_file_comes_by_the_name_and_the_address_that_was_checked(site, spool, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.asked.clear()
    upload, data = get(site, spool, path="/face.png?x=../../../y")
    assert data == hostile.picture()
    assert (upload.name, upload.bytes) == ("face.png", len(data))
    assert site.asked == [(f"files.example:{site.port}", "/face.png?x=../../../y")]


@pytest.mark.parametrize(
    "host",
    [name for name in ADDRESSES if name != "files.example"] + ["rebound.example"],
)
def test_a_host_with_another_address_is_not_connected(site, spool, host):
    site.asked.clear()
    with pytest.raises(BadInput, match="avatar cannot be used"):
        get(site, spool, host)
    assert site.asked == []


def test_a_host_is_looked_up_once(site, spool):
    """A name server that gives a public address first and a private one later gains nothing by it."""
    looked = []

    def resolve(host, port):
        looked.append(host)
        return ["127.0.0.1"] if len(looked) == 1 else ["10.0.0.1"]

    get(site, spool, resolve=resolve)
    assert looked == ["files.example"]


@pytest.mark.parametrize(
    "to",
    [
        "http://files.example:{port}/face.png",
        "https://evil.example/face.png",
        "https://inside.example:{port}/face.png",
        "https://other.example:{port}/face.png",
        "https://127.0.0.1:{port}/face.png",
        "https://[::1]:{port}/face.png",
        "https://2130706433:{port}/face.png",
        "https://user@files.example:{port}/face.png",
        "//evil.example/face.png",
        "\\\\evil.example\\face.png",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "https://files.example:22/",
    ],
)
def test_redirects_are_checked_like_what_they_come_from(site, spool, to):
    site.asked.clear()
    with pytest.raises(BadInput):
        get(site, spool, path="/to?" + quote(to.format(port=site.port), safe="/:@[]"))
    assert len(site.asked) == 1


def test_three_redirects_are_followed_and_not_four(site, spool):
    _, data = get(site, spool, path="/to?/to?/to?/face.png")
    assert data == hostile.picture()
    with pytest.raises(BadInput, match="too many redirects"):
        get(site, spool, path="/to?/to?/to?/to?/face.png")


@pytest.mark.parametrize(
    ("path", "error", "what"),
    [
        ("/missing", BadInput, "answered with 404"),
        ("/gzip", BadInput, "compressed"),
        ("/large", TooLarge, "too large"),
        ("/endless", TooLarge, "too large"),
        ("/never", BadInput, "did not come"),
        ("/drip", BadInput, "too slowly"),
    ],
)
def test_answers_that_are_no_files(site, spool, monkeypatch, path, error, what):
    monkeypatch.setenv("AVATALK_MAX_UPLOAD_MB", "2")
    monkeypatch.setenv("AVATALK_UPLOAD_TIMEOUT_S", "0.5")
    with pytest.raises(error, match=what) as caught:
        get(site, spool, path=path)
    assert caught.value.field == "avatar"


def test_a_certificate_of_another_host_is_not_taken(site, spool):
    site.asked.clear()
    with pytest.raises(BadInput, match="did not come"):
        get(site, spool, "wrong.example")
    assert site.asked == []


# --- in requests ---------------------------------------------------------------------------------------


def test_off_unless_hosts_are_listed(tmp_path):
    with inside(tmp_path, offline=1) as client:
        for field in ("avatar", "audio", "background", "overlay", "voice_sample"):
            request = {"text": "Hello."} if field != "audio" else {}
            request[field] = "https://files.example/face.png"
            answer = client.post("/v1/videos", json=request)
            assert answer.status_code == 400, answer.text
            assert answer.json()["error"]["field"] == field
            assert "off here" in answer.json()["error"]["message"]


def test_a_url_becomes_an_asset(tmp_path, site, monkeypatch):
    monkeypatch.setattr(remote, "PublicOnly", lambda _: transport(site))
    with inside(tmp_path, offline=1, remote_hosts=f"files.example:{site.port},inside.example") as client:
        url = f"https://files.example:{site.port}/face.png"
        video = client.post(
            "/v1/videos", json={"text": "Hello.", "background": url, "overlay": f"{url}:top-left:9%"}
        )
        assert video.status_code == 202, video.text
        kept = client.get("/v1/assets").json()["data"]
        assert [asset["name"] for asset in kept] == ["face.png", "face.png"]
        assert video.json()["request"]["background"] in [asset["id"] for asset in kept]
        assert video.json()["request"]["overlay"].endswith(":top-left:9%")
        for url in (
            f"https://files.example:{site.port}/missing",
            "https://inside.example/x",
            "https://evil.example/x",
        ):
            answer = client.post("/v1/videos", json={"text": "Hello.", "avatar": url})
            assert (answer.status_code, answer.json()["error"]["field"]) == (400, "avatar")
        assert client.get("/v1/assets").json()["data"] == kept
