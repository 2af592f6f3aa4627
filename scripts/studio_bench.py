"""How long the studio lets people wait: until the page can be worked with, and until a frame is seen.

    python scripts/studio_bench.py [--repeat N]

A server of its own is started on the loopback. Every visit is a fresh profile of the browser, with nothing
kept; every frame speaks a text that was not spoken before. The load of the machine is told with the figures.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from screenshots import BROWSER, FLAGS, SLOW, serving

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


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=20)
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        with serving(Path(name) / "data") as url:
            visits(browser, url, 1)  # the server wakes
            rows = {"page interactive": visits(browser, url, repeat), "Preview": frames(browser, url, repeat)}
        browser.close()
    print("| what | median s | p95 s | worst s |\n| --- | --- | --- | --- |")
    for what, taken in rows.items():
        median, p95, worst = np.percentile(taken, [50, 95, 100]) / 1000
        print(f"| {what}, {len(taken)} times | {median:.2f} | {p95:.2f} | {worst:.2f} |")
    print(f"Load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
