"""The studio for everybody: axe-core finds nothing serious in any view, light or dark, wide or narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from browsing import DESKTOP, PHONE, chromium, visiting
from serving import running, working

VIEWS = {
    "create": "#faces .face",
    "library": "#videos",
    "batch": "#batch",
    "models": "#model-list li",
}
SETTLED = """async () => {
    await new Promise(requestAnimationFrame);
    const fading = document.getAnimations().filter((one) => one.transitionProperty);
    await Promise.all(fading.map((one) => one.finished));
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory.mktemp("access"), studio=1) as served, working(served):
        yield served


def serious(page):
    """What axe-core finds that keeps somebody from something: rule, place and reason."""
    found = Axe().run(page).response["violations"]
    return [
        (rule["id"], node["target"], node["failureSummary"])
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def looked_at(page):
    """Look at a state of the page light and dark, wide and narrow."""
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        for _ in range(2):
            page.click("#theme")
            page.evaluate(SETTLED)
            theme = page.evaluate("document.documentElement.dataset.theme")
            assert serious(page) == [], (theme, size)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], (theme, size)


SMALLEST_REM = 0.78
SMALL = """(most) => {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const told = [...document.querySelectorAll('.bar *, main *')].filter((one) => one.offsetWidth > 1
        && [...one.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim()));
    return told.filter((one) => parseFloat(getComputedStyle(one).fontSize) < most * rem)
        .map((one) => one.textContent);
}"""


def test_text_grows_with_a_very_large_screen(browser, served):
    with visiting(browser, served.url, viewport={"width": 3840, "height": 2160}) as visit:
        visit.come()
        page = visit.page
        assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 30
        for view, there in VIEWS.items():
            page.click(f"#view-{view}")
            page.locator(there).first.wait_for(state="attached")
            assert page.evaluate(SMALL, SMALLEST_REM) == [], view


def test_what_could_be_entered_does_not_look_as_if_it_were(browser, served):
    with visiting(browser, served.url) as visit:
        visit.come()
        colours = visit.page.evaluate(
            """() => [getComputedStyle(document.getElementById('text')).color,
                getComputedStyle(document.getElementById('text'), '::placeholder').color]"""
        )
        assert colours[0] != colours[1]


@pytest.mark.parametrize("language", ["en-US", "de-DE"])
def test_nobody_is_kept_out(browser, served, language):
    with visiting(browser, served.url, locale=language) as visit:
        visit.come()
        page = visit.page
        assert page.get_attribute("html", "lang") == language[:2]
        looked_at(page)

        page.fill("#text", "Hi.")
        page.click("#clone summary")
        visit.draft()
        visit.generate()
        page.click("#timeline summary")
        page.wait_for_selector("#timeline-words button")
        page.click("#report summary")
        looked_at(page)

        page.fill("#text", "")
        page.click("#avatar-tab-upload")
        page.click("#speech-tab-recording")
        page.click("#generate")
        page.wait_for_selector("#problem-avatar:not([hidden])")
        looked_at(page)

        page.click("#avatar-tab-describe")
        page.click("#speech-tab-text")
        looked_at(page)

        for view, there in {
            "library": "#videos .clip",
            "batch": "#batch",
            "models": "#model-list li",
        }.items():
            page.click(f"#view-{view}")
            page.locator(there).first.wait_for()
            looked_at(page)
