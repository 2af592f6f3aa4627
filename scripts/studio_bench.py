"""How long the studio lets people wait: until the page can be worked with, and until a frame is seen.

    python scripts/studio_bench.py [--repeat N] [--pictures FILE …]

A server of its own is started on the loopback. Every visit is a fresh profile of the browser, with nothing
kept; every frame speaks a text that was not spoken before. Of pictures the first frame counts, which is asked
for as soon as the face is outlined. The load of the machine is told with the figures, and so are the
processor seconds of the server, which others that load the machine hardly change.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import sync_playwright

from studio_server import BROWSER, FLAGS, SLOW, serving

# The page is interactive when its scripts have run and its people and voices are there.
READY = """
new MutationObserver(() => {
    if (window.readyAt || document.documentElement.dataset.ready !== '') return;
    if (document.querySelector('#faces .face') && document.querySelector('#voices .voice'))
        window.readyAt = performance.now();
}).observe(document, { attributes: true, childList: true, subtree: true });
"""
# A frame is seen when its picture is decoded, counted from the click.
SEEN = """async () => {
    const still = document.getElementById('still');
    const before = still.src;
    const began = performance.now();
    document.getElementById('preview').click();
    while (still.src === before) await new Promise(requestAnimationFrame);
    await still.decode();
    return performance.now() - began;
}"""


def visits(browser, url, count):
    """Milliseconds until the page can be worked with, one for each visit."""
    taken = []
    for _ in range(count):
        with browser.new_context() as context:
            page = context.new_page()
            page.add_init_script(READY)
            page.goto(url)
            page.wait_for_function("window.readyAt", timeout=SLOW)
            taken.append(page.evaluate("window.readyAt"))
    return taken


def frames(browser, url, count):
    """Milliseconds from *Preview* to the frame, of texts and people that differ."""
    taken = []
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector("#voices .voice", timeout=SLOW)
        faces = page.locator("#faces .face")
        for number in range(count):
            faces.nth(number % faces.count()).click()
            page.fill("#text", f"This is frame number {number}, and nobody has said so before.")
            page.wait_for_timeout(1500)  # as somebody who looks at the page
            page.wait_for_selector("#stage-busy", state="hidden", timeout=SLOW)
            taken.append(page.evaluate(SEEN))
    return taken


def photographs(browser, url, count, files):
    """Milliseconds from *Preview* to the frame of a picture that was uploaded just now."""
    taken = []
    for number in range(count):
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(url)
            page.wait_for_selector("#voices .voice", timeout=SLOW)
            page.fill("#text", f"This is picture number {number}, and nobody has said so before.")
            page.click("#avatar-tab-upload")
            page.set_input_files("#avatar-file", files[number % len(files)])
            page.wait_for_selector("#uploaded:not([hidden])", timeout=SLOW)
            taken.append(page.evaluate(SEEN))
    return taken


def with_processor(server, work, *given):
    """What `work` returns, and the processor seconds that the server and its children took for each."""
    before = processor(server)
    taken = work(*given)
    return taken, (processor(server) - before) / len(taken)


def processor(server):
    """Processor seconds of a process and of its descendants that live."""
    own = psutil.Process(server)
    return sum(sum(one.cpu_times()[:2]) for one in (own, *own.children(recursive=True)))


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--pictures", type=Path, nargs="+", default=[], help="photographs to upload")
    given = parser.parse_args()
    repeat = given.repeat
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        with serving(Path(name) / "data") as url:
            visits(browser, url, 1)  # the server wakes
            (server,) = (one.pid for one in psutil.Process().children() if "avatalk.cli" in one.cmdline())
            rows = {
                "page interactive": with_processor(server, visits, browser, url, repeat),
                "Preview": with_processor(server, frames, browser, url, repeat),
            }
            if given.pictures:
                measured = with_processor(server, photographs, browser, url, repeat, given.pictures)
                rows["Preview of a new picture"] = measured
        browser.close()
    print("| what | median s | p95 s | worst s | processor s |\n| --- | --- | --- | --- | --- |")
    for what, (taken, processor_s) in rows.items():
        median, p95, worst = np.percentile(taken, [50, 95, 100]) / 1000
        print(f"| {what}, {len(taken)} times | {median:.2f} | {p95:.2f} | {worst:.2f} | {processor_s:.2f} |")
    print(f"Load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
