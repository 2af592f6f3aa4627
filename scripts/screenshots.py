"""Pictures of the studio in all its states, at the width of a phone and of a desktop, light and dark.

    python scripts/screenshots.py FOLDER [--only NAME …] [--language de]

Servers of their own are started on the loopback with empty data folders, and ended again. Weights of
Wav2Lip-GAN are filled from the names of their tensors, so that there are two engines to compare; what they
draw is no mouth.
Each state is led to once, and then looked at four times.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from bench import fill_weights
from studio_server import BROWSER, FLAGS, SLOW, serving
from studio_states import STATES

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
PEOPLE = "document.querySelectorAll('#faces img').length && document.querySelectorAll('.voice').length"


@dataclass(frozen=True)
class Place:
    """Where a state is led to.

    Attributes:
        files: a folder of files to upload.
        url: of the studio.
        keyed: of one that wants a key.
        key: of it, for one video at once.
    """

    files: Path
    url: str
    keyed: str
    key: str


def uploads(folder):
    """Files to upload: pictures of one face, two, a blurred one and none; a clip, sounds, and a text."""
    from skimage.data import astronaut

    from clips import moved, write_clip  # which `fill_weights` has made known

    person = np.asarray(astronaut())
    ground = np.linspace((250, 190, 130), (30, 90, 140), 540)[:, None].repeat(960, 1)
    made = {
        "one": person,
        "two": np.hstack([person, person[:, ::-1]]),
        "none": np.full((400, 600, 3), 170, np.uint8),
        "blurred": np.asarray(Image.fromarray(person).resize((96, 96)).resize((512, 512))),
        "sea": ground.astype(np.uint8),
    }
    for name, picture in made.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    write_clip(folder / "clip.mp4", (moved(person, right=3 * np.sin(n / 8)) for n in range(75)))
    Image.fromarray(person).resize((640, 640)).crop((0, 0, 640, 480)).save(folder / "camera.jpg", quality=90)
    (folder / "camera.mjpeg").write_bytes((folder / "camera.jpg").read_bytes() * 2)
    (folder / "words.txt").write_text("neither this nor that")
    text = "This was recorded on a Monday. It is long enough to hear a voice in it."
    run("say", text, "-o", str(folder / "speech.wav"))
    with wave.open(str(folder / "silence.wav"), "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 16000 * 3))


def run(*command, **environment):
    command = [sys.executable, "-m", "avatalk.cli", *command]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def shoot(browser, place, state, language, folder):
    """Lead a visit to a state, and take its pictures."""
    options = {"locale": language, "reduced_motion": "reduce", "base_url": place.url}
    width, height = SIZES["desktop"]
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(SLOW)
    page = context.new_page()
    page.goto(place.url)
    page.wait_for_selector("html[data-ready]")
    page.wait_for_function(PEOPLE)
    STATES[state](page, place)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            if page.get_attribute("html", "data-theme") != scheme:
                page.evaluate("document.getElementById('theme').click()")
            page.wait_for_timeout(300)
            path = folder / f"{state}-{size}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
    print(state, flush=True)
    for video in page.request.get("v1/videos").json().get("data", ()):
        page.request.delete(f"v1/videos/{video['id']}")  # the next state has the processors for itself
    context.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=STATES, nargs="+", default=list(STATES))
    parser.add_argument("--language", default="en-US")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        files = Path(name)
        fill_weights(files)
        uploads(files)
        os.environ["AVATALK_OFFLINE"] = "1"  # so that nothing depends on the network
        key = run("keys", "create", "somebody", "--concurrent", "1", AVATALK_DATA=str(files / "keyed"))
        camera = f"--use-file-for-fake-video-capture={files / 'camera.mjpeg'}"
        fakes = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", camera]
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS + fakes)
        with serving(files / "data") as url, serving(files / "keyed") as keyed:
            place = Place(files, url, keyed, key)
            for state in given.only:
                shoot(browser, place, state, given.language, given.folder)
        browser.close()


if __name__ == "__main__":
    main()
