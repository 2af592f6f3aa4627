"""Pictures of the studio in all its states, at the width of a phone and of a desktop, light and dark.

    python scripts/screenshots.py FOLDER [--only NAME]

A server of its own is started on the loopback with an empty data folder, and ended again.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
BROWSER = os.environ.get("AVATALK_BROWSER", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
SLOW = 240_000  # milliseconds
LONG = "This text is long enough to be watched while it is made. " * 12


@contextmanager
def serving(data):
    """The address of `avatalk serve`, until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "avatalk.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, env={**os.environ, "AVATALK_DATA": str(data)}, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        while not answers(url):
            assert process.poll() is None
        yield url
    finally:
        process.terminate()
        process.wait()


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=60).status == 200
    except urllib.error.URLError:
        return False


def pictures(folder):
    """Files to upload: one face, two faces, none."""
    from skimage.data import astronaut

    person = np.asarray(astronaut())
    made = {
        "one": person,
        "two": np.hstack([person, person[:, ::-1]]),
        "none": np.full((400, 600, 3), 170, np.uint8),
    }
    for name, picture in made.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    return folder


def first(page, _files):
    """A first visit."""


def gallery(page, _files):
    """Somebody else, before another ground, and one frame."""
    page.get_by_label("Kavya:").check()
    page.locator(".ground.blur input").check(force=True)
    page.click("#preview")
    page.wait_for_selector("#stage-busy:not([hidden])")
    page.wait_for_selector("#stage-busy", state="hidden", timeout=SLOW)


def upload(page, files, name="one"):
    """A picture with a face."""
    page.click("#avatar-tab-upload")
    page.set_input_files("#avatar-file", files / f"{name}.png")
    page.wait_for_selector("#uploaded:not([hidden])", timeout=SLOW)
    page.wait_for_timeout(1000)
    page.wait_for_selector("#stage-busy", state="hidden", timeout=SLOW)


def two(page, files):
    """A picture with two faces."""
    upload(page, files, "two")


def none(page, files):
    """A picture without a face."""
    upload(page, files, "none")


def describe(page, _files):
    """Avatars from words."""
    page.click("#avatar-tab-describe")
    page.fill("#describe-prompt", "an old sailor with a white beard and a blue cap")
    page.click("#describe-make")
    page.wait_for_selector("#described img", timeout=SLOW)
    page.wait_for_timeout(3000)


def speech(page, _files):
    """The sound by itself, and a search for a voice."""
    page.fill("#voice-filter", "german")
    page.click("#speech-make")
    page.wait_for_selector("#speech-wave:not([hidden])", timeout=SLOW)
    page.click("#clone summary")


def recording(page, _files):
    """Nothing recorded yet, and a video asked for."""
    page.click("#speech-tab-recording")
    page.click("#generate")
    page.wait_for_selector("#problem-recording:not([hidden])")


def progress(page, _files):
    """In the middle of a video."""
    page.fill("#text", LONG)
    page.click("#generate")
    page.wait_for_function("Number(document.getElementById('job-progress').value) > 0.15", timeout=SLOW)


def canceled(page, files):
    """A video that was stopped."""
    progress(page, files)
    page.click("#job-cancel")
    page.wait_for_selector("#job", state="hidden")


def done(page, _files):
    """A finished video with its report."""
    page.click("#generate")
    page.wait_for_selector("#result:not([hidden])", timeout=SLOW)
    page.click("#report summary")
    page.wait_for_timeout(1500)


def library(page, files):
    """Past videos."""
    done(page, files)
    page.click("#view-library")
    page.wait_for_selector("#videos img")
    page.wait_for_timeout(500)


def batch(page, files):
    """A table, and the videos of its rows."""
    (files / "rows.csv").write_text("name,city\nMia,Oslo\nAli,Cairo\nZoë,Köln\n", encoding="utf-8")
    page.click("#view-batch")
    page.set_input_files("#batch-file", files / "rows.csv")
    page.fill("#batch-text", "Hello {name}, how is {city}?")
    page.click("#batch-go")
    page.wait_for_selector("#batch-grid img", timeout=SLOW)


def models(page, _files):
    """Models."""
    page.click("#view-models")
    page.wait_for_selector("#model-list li")


def empty(page, _files):
    """Nothing to say."""
    page.fill("#text", "")
    page.click("#generate")
    page.wait_for_selector("#problem-text:not([hidden])")


def german(page, _files):
    """In German."""
    page.select_option("#language", "de")
    page.wait_for_selector("html[lang=de][data-ready]")


def arabic(page, _files):
    """Text from right to left."""
    page.fill("#text", "مرحبا! أنا سعيدة بوجودك هنا. أعطني كلماتك وسأقولها لك.")


STATES = {
    state.__name__: state
    for state in (first, gallery, upload, two, none, describe, speech, recording, progress, canceled, done)
} | {state.__name__: state for state in (library, batch, models, empty, german, arabic)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=STATES, action="append")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        files = pictures(Path(name))
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        with serving(Path(name) / "data") as url:
            for state in given.only or STATES:
                for scheme in ("light", "dark"):
                    for size, (width, height) in SIZES.items():
                        shoot(
                            browser,
                            url,
                            STATES[state],
                            files,
                            scheme,
                            (width, height),
                            given.folder / f"{state}-{size}-{scheme}.png",
                        )
        browser.close()


def shoot(browser, url, state, files, scheme, size, path):
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="en-US",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("html[data-ready]", timeout=SLOW)
    page.wait_for_function(
        "document.querySelectorAll('#faces img').length > 0 && document.querySelectorAll('.voice').length > 0"
    )
    state(page, files)
    page.wait_for_timeout(300)
    page.screenshot(path=path, full_page=True)
    print(path)
    context.close()


if __name__ == "__main__":
    main()
