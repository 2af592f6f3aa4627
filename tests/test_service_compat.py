"""The form of an existing client."""

import http.client
import io
import time

import av
import numpy as np
import pytest
from PIL import Image
from skimage import data

from avatalk.compose.wish import COLOURS
from clips import numbered, write_clip
from serving import over, running, working


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A real server, with a worker that takes its time."""
    with running(tmp_path_factory.mktemp("served")) as served, working(served, seconds_per_frame=0.01):
        yield served


@pytest.fixture(scope="module")
def client(served):
    return served.client


def pictured(pixels, kind):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def face():
    """A real photograph of a person, as JPEG."""
    return pictured(data.astronaut(), "JPEG")


@pytest.fixture(scope="module")
def voice(espeak_wav):
    """A second or two of speech."""
    return espeak_wav("Good morning to you.").read_bytes()


def ask(client, face, voice, **fields):
    files = {name: value for name, value in (("face_file", face), ("audio_file", voice)) if value is not None}
    files = {name: value if isinstance(value, tuple) else (name, value) for name, value in files.items()}
    return client.post("/", data={"avatarFileType": "jpg", **fields}, files=files or {"other": b"1"})


def test_ping(client):
    assert client.get("/ping").json() == {"pong": "-"}


@pytest.mark.parametrize(
    ("kind", "background", "colour"),
    [("jpg", "White", (255, 255, 255)), ("png", "Blue", COLOURS["blue"]), ("jpeg", None, None)],
)
def test_the_video_itself_is_the_answer(client, face, voice, kind, background, colour):
    picture = pictured(data.astronaut(), "PNG") if kind == "png" else face
    fields = {"background": background} if background else {}
    answer = ask(client, picture, voice, avatarFileType=kind, **fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"].startswith('attachment; filename="avatalk-vid_')
    with av.open(io.BytesIO(answer.content)) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) > 25
    top = frames[-1][4:40, 4:40].reshape(-1, 3).mean(0)
    if colour:
        assert np.abs(top - colour).max() < 12
    else:  # the photograph's own
        here = data.astronaut()[4:40, 4:40].reshape(-1, 3).mean(0)
        assert np.abs(top - here).max() < 25


@pytest.mark.parametrize(
    ("what", "named"),
    [
        (lambda face, voice: ((None, voice), {}), "face_file"),
        (lambda face, voice: ((face, None), {}), "audio_file"),
        (lambda face, voice: ((b"", voice), {}), "face_file"),
        (lambda face, voice: ((None, None), {}), "face_file"),
        (lambda face, voice: ((face, voice), {"avatarFileType": ""}), "avatarFileType"),
        (lambda face, voice: ((face, voice), {"avatarFileType": "gif"}), "avatarFileType"),
        (lambda face, voice: ((face, voice), {"avatarFileType": "png"}), "png"),
        (lambda face, voice: ((face, voice), {"avatarFileType": "mp4"}), "mp4"),
        (lambda face, voice: ((face, voice), {"background": "Pink"}), "background"),
        (lambda face, voice: ((face[:200], voice), {}), "face_file"),
        (lambda face, voice: ((face, face), {}), ""),
        (lambda face, voice: ((voice, voice), {}), "face_file"),
        (lambda face, voice: ((face, b"not a sound"), {}), "audio_file"),
        (lambda face, voice: ((pictured(np.full((256, 256, 3), 90, np.uint8), "JPEG"), voice), {}), "face"),
    ],
)
def test_bad_input_is_told_as_a_detail(client, face, voice, what, named):
    files, fields = what(face, voice)
    answer = ask(client, *files, **fields)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["detail"]
    assert named in answer.json()["detail"]


def test_a_silent_recording_is_bad_input(client, face, make_wav):
    answer = ask(client, face, make_wav(np.zeros(22050)).read_bytes())
    assert (answer.status_code, list(answer.json())) == (400, ["detail"]), answer.text


def test_what_is_no_form_is_bad_input(client):
    for kind, content in (
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x"),
        ("", b""),
    ):
        answer = client.post("/", content=content, headers={"content-type": kind})
        assert (answer.status_code, list(answer.json())) == (400, ["detail"]), answer.text


def test_a_clip_without_a_face_is_told(client, voice, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", numbered(10)).read_bytes()
    answer = ask(client, clip, voice, avatarFileType="mp4")
    # 503 where no engine for clips is installed
    assert answer.status_code in (400, 503) and answer.json()["detail"], answer.text


def test_a_client_that_goes_cancels_its_video(served, client, face, espeak_wav):
    long = espeak_wav("One, two, three, four, five, six, seven, eight, nine, ten, eleven. " * 2).read_bytes()

    def newest():
        return client.get("/v1/videos", params={"limit": 1}).json()["data"][0]

    before = newest()["id"] if client.get("/v1/videos").json()["data"] else None
    files = {"face_file": ("a.jpg", face), "audio_file": ("a.wav", long)}
    asked = client.build_request("POST", "/", data={"avatarFileType": "jpg"}, files=files)
    going = http.client.HTTPConnection(served.url.removeprefix("http://"))
    going.request("POST", "/", asked.read(), dict(asked.headers))
    end = time.monotonic() + 60
    while client.get("/v1/videos", params={"limit": 1, "status": "processing"}).json()["data"] == []:
        assert time.monotonic() < end
        time.sleep(0.05)
    going.close()  # as when a page is left
    video = newest()
    assert video["id"] != before
    assert over(client, video["id"])["status"] == "canceled"
