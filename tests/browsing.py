"""A browser that visits the studio of a real server."""

import base64
import io
import mimetypes
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import av
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from avatalk.faces.mediapipe import MediaPipeFaces

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
FAKE = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]  # camera and microphone
SLOW_MS = 240_000
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
RESTS, OPENS = 0.02, 0.05
"""Change of the gap between the inner lips: of a mouth at rest, at most; of one that speaks, at least."""

GIVE = """([place, name, type, data, how]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const held = new DataTransfer();
    held.items.add(new File([bytes], name, { type }));
    const given = { bubbles: true, cancelable: true, dataTransfer: held, clipboardData: held };
    const element = document.querySelector(place);
    const dropping = ['dragenter', 'dragover', 'drop'].map((one) => new DragEvent(one, given));
    const events = how === 'paste' ? [new ClipboardEvent('paste', given)] : dropping;
    for (const event of events) element.dispatchEvent(event);
}"""


def executable():
    """Where Chromium is."""
    found = shutil.which("chromium")
    if not found:
        pytest.skip("There is no Chromium, which `make test` installs for root on Debian.")
    return found


@contextmanager
def chromium():
    """A browser, until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS + FAKE)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """Somebody's visit of the studio, with a profile of the browser of their own.

    Attributes:
        page: the tab.
        url: of the studio.
        hosts: that were asked for anything.
        complaints: errors in the console, and of scripts.
    """

    page: object
    url: str
    hosts: set = field(default_factory=set)
    complaints: list = field(default_factory=list)

    def come(self):
        """Open the studio, and wait until it can be worked with."""
        self.page.goto(self.url)
        self.ready()

    def ready(self):
        """Wait for the page with its people and voices."""
        self.page.wait_for_selector("html[data-ready]")
        for there in ("#faces .face", "#voices .voice"):
            self.page.wait_for_selector(there, state="attached")

    def choose(self, name, value):
        """Choose one of a group of radio buttons, by its label, as a mouse does."""
        self.page.locator(f"label:has(> input[name={name}][value='{value}'])").click()

    def give(self, place, path, how="drop"):
        """Drop a file on an element, or paste it."""
        data = base64.b64encode(path.read_bytes()).decode()
        kind = mimetypes.guess_type(path.name)[0] or ""
        self.page.evaluate(GIVE, [place, path.name, kind, data, how])

    def draft(self, text=None):
        """Ask for the quickest quality, and for a text."""
        self.choose("quality", "draft")
        if text is not None:
            self.page.fill("#text", text)

    def generate(self):
        """Press *Generate video*; return what the service tells of the finished video."""
        with self.page.expect_response(lambda answer: _asks_for_a_video(answer.request)) as asked:
            self.page.click("#generate")
        assert asked.value.status in (200, 201, 202), asked.value.text()
        return self.finished(asked.value.json()["id"])

    def finished(self, video_id):
        """Wait until the page shows a video; return what the service tells of it."""
        self.page.wait_for_selector(f"#download-video[href*='{video_id}']")
        return self.ask(f"v1/videos/{video_id}")

    def ask(self, path):
        """What the service answers to this browser."""
        return self.page.context.request.get(f"{self.url}/{path}").json()

    def videos(self):
        """All videos of this browser, the newest first."""
        return self.ask("v1/videos")["data"]

    def download(self, name="video"):
        """Click a link below the video; return the path of what it gave."""
        with self.page.expect_download() as got:
            self.page.click(f"#download-{name}")
        return got.value.path()

    def still(self):
        """The stage as it is seen, (height, width, 3) uint8 RGB, once nothing is drawn any more."""
        self.page.wait_for_selector("#stage-busy", state="hidden")
        shot = self.page.locator("#stage").screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))


def _asks_for_a_video(request):
    return request.method == "POST" and urlsplit(request.url).path.endswith("/v1/videos")


@contextmanager
def visiting(browser, url, **profile):
    """A visit that asks no other host and complains of nothing, else the block fails at its end.

    Args:
        browser: of `chromium`.
        url: of the server.
        profile: options of Playwright's `new_context`.
    """
    profile = {"viewport": DESKTOP, "locale": "en-US"} | profile
    context = browser.new_context(**profile)
    context.set_default_timeout(SLOW_MS)
    try:
        visit = Visit(context.new_page(), url)
        context.on("request", lambda request: visit.hosts.add(urlsplit(request.url).netloc))
        context.on("console", lambda said: said.type == "error" and visit.complaints.append(said.text))
        context.on("weberror", lambda error: visit.complaints.append(str(error.error)))
        yield visit
    finally:
        context.close()
    assert visit.hosts - {""} == {urlsplit(url).netloc}  # blobs and data have none
    assert visit.complaints == []


def gaps(frames):
    """Gap between the inner lips of every face, from the left, in eye distances: (frames, faces)."""
    finder = MediaPipeFaces()
    measured = []
    for frame in frames:
        faces = sorted(finder.find(np.ascontiguousarray(frame)), key=lambda face: face.box[0])
        lips = [face.landmarks[[13, 14], :2] for face in faces]
        measured.append(
            [
                np.linalg.norm(upper - lower) / face.eye_distance
                for (upper, lower), face in zip(lips, faces, strict=True)
            ]
        )
    return np.array(measured)


@dataclass(frozen=True)
class Spoken:
    """A video that was decoded in full.

    Attributes:
        seconds: it lasts.
        width: of its picture, pixels.
        height: of its picture, pixels.
        frames: some thirty of them, from the first, (height, width, 3) uint8 RGB.
        lips: `gaps` of these.
    """

    seconds: float
    width: int
    height: int
    frames: list
    lips: np.ndarray


def spoken(path, video):
    """Decode a video: it is what the service told of it, it is heard, and its lips open and close."""
    with av.open(str(path)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        every = max(1, picture.frames // 30)
        kept, count = [], 0
        for frame in container.decode(picture):
            if count % every == 0:
                kept.append(frame.to_ndarray(format="rgb24"))
            count += 1
        seconds = float(count / picture.average_rate)
        width, height = picture.width, picture.height
    with av.open(str(path)) as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    heard = np.concatenate(blocks)
    assert abs(seconds - video["duration_s"]) < 0.05
    assert abs(len(heard) / rate - seconds) < 0.1
    assert np.sqrt(np.mean(heard**2)) > 0.01
    lips = gaps(kept)
    assert np.ptp(lips, axis=0).max() > OPENS
    return Spoken(seconds, width, height, kept, lips)
