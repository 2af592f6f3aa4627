"""The other views, and what concerns the whole page."""

import re

from studio_server import SLOW
from studio_states.avatar import describe
from studio_states.steps import LONG, SHORT, asked, asset, draft, drawn, hold, over, seen, state


@state
def library_empty(page, _place):
    """No video yet."""
    page.click("#view-library")
    seen(page, "#library-empty:not([hidden])")


@state
def library(page, place):
    """Past videos: finished, failed, stopped, and one in the making."""
    for number, avatar in enumerate(("ada", "emeka", "grace"), 1):
        over(page, asked(page, avatar=avatar, text=f"This is my video number {number}, and I like it."))
    over(page, asked(page, avatar=asset(page, place.files / "none.png"), text="Nobody says this."))
    stopped = asked(page, text=LONG)
    page.request.post(f"v1/videos/{stopped}/cancel", data={})
    over(page, stopped)
    asked(page, text=LONG, quality="standard")
    page.click("#view-library")
    page.locator(".clip .blank", has_text="%").wait_for(timeout=SLOW)
    hold(page, "/v1/videos/[^/]*$")
    page.wait_for_timeout(1000)


@state
def library_none(page, _place):
    """A search that finds no video."""
    over(page, asked(page, text="Hello."))
    page.click("#view-library")
    page.fill("#library-filter", "goodbye")
    seen(page, "#library-empty:not([hidden])")


@state
def library_more(page, _place):
    """There are more videos than these; as that would take long here, the page is told so."""
    page.route(
        re.compile(r"/v1/videos\?"), lambda route: route.fulfill(json=route.fetch().json() | {"next": "x"})
    )
    for avatar in ("ada", "hiro", "zuri"):
        over(page, asked(page, avatar=avatar, text="Hello."))
    page.click("#view-library")
    seen(page, "#library-more:not([hidden])")


@state
def library_delete(page, _place):
    """Asked once more before a video is deleted."""
    over(page, asked(page, text="Hello."))
    page.click("#view-library")
    seen(page, "#videos img")
    page.evaluate("() => { window.setTimeout = () => 0; }")  # time stands still: the question stays
    page.click("#videos .drop-it")


@state
def library_plays(page, _place):
    """A video plays in its place."""
    for avatar in ("ada", "hiro"):
        over(page, asked(page, avatar=avatar, text=SHORT))
    page.click("#view-library")
    page.locator("#videos .cover").first.click()
    page.wait_for_function("document.querySelector('#videos video')?.currentTime > 0.5", timeout=SLOW)


@state
def library_again(page, _place):
    """All that a video was made from, back in the three steps."""
    look = {"avatar": "emeka", "background": "white", "aspect": "1:1", "speed": 1.2, "captions": "burn"}
    over(page, asked(page, text=SHORT, **look))
    page.click("#view-library")
    page.click("#videos .again")
    seen(page, "#download-video")
    drawn(page)


ROWS = "name,city,what\nMia,Oslo,fjords\nAli,Cairo,the museum\nZoë,Köln,a very long walk along the river\n"


def table(page, place, rows=ROWS, text="Hello {name}, how is {city}? Tell me of {what}."):
    (place.files / "rows.csv").write_text(rows, encoding="utf-8")
    page.click("#view-batch")
    page.set_input_files("#batch-file", place.files / "rows.csv")
    page.fill("#batch-text", text)


@state
def batch_empty(page, _place):
    """Before there is a table."""
    page.click("#view-batch")


@state
def batch_wrong(page, place):
    """A file that is no table."""
    page.click("#view-batch")
    page.set_input_files("#batch-file", place.files / "words.txt")
    seen(page, "#problem-batch-file:not([hidden])")


@state
def batch_table(page, place):
    """A table, and what its first row says."""
    table(page, place)


@state
def batch_refused(page, place):
    """A row that says nothing."""
    table(page, place, "name,city\nMia,Oslo\n🙂,🙂\nZoë,Köln\n", "{name} {city}")
    page.click("#batch-go")
    seen(page, "#problem-batch:not([hidden])")


@state
def batch_busy(page, place):
    """The grid fills; as that is quick, the page is told that only one is there."""

    def told(route):
        answer = route.fetch().json()
        for row, status in zip(answer["rows"][1:], ("processing", "queued"), strict=True):
            row["status"] = status
        counts = {"completed": 1, "processing": 1, "queued": 1}
        route.fulfill(json=answer | {"status": "processing", "progress": 1 / 3, "counts": counts})

    page.route(re.compile("/v1/batches/"), told)
    table(page, place)
    page.click("#batch-go")
    seen(page, "#batch-grid img")


@state
def batch(page, place):
    """The videos of all rows; that the machine failed at one of them, the page is told."""

    def told(route):
        answer = route.fetch().json()
        if answer["status"] == "completed":
            wrong = {
                "code": "storage",
                "message": "The storage cannot be reached.",
                "hint": "Try again later.",
            }
            answer["rows"][1] |= {"status": "failed", "error": wrong}
            answer["counts"] = {"completed": 2, "failed": 1}
        route.fulfill(json=answer)

    page.route(re.compile("/v1/batches/"), told)
    draft(page)
    table(page, place)
    page.click("#batch-go")
    seen(page, "#batch-grid .problem")


@state
def models(page, _place):
    """Models."""
    page.click("#view-models")
    seen(page, "#model-list li")


@state
def models_consent(page, place):
    """One whose licence was not accepted."""
    models(page, place)
    page.click("#install-yourtts")
    seen(page, "#problem-yourtts:not([hidden])")


@state
def models_busy(page, place):
    """One is being installed; how far it is depends on the network, so that is said here."""

    def told(route):
        answer = route.fetch().json()
        for model in answer["data"]:
            if model["name"] == "deeplab":
                model |= {"installed": False, "state": {"running": True, "share": 0.4, "problem": None}}
        route.fulfill(json=answer)

    page.route(re.compile("/studio/models$"), told)
    models(page, place)


@state
def models_failed(page, place):
    """One that could not be fetched: this server is offline."""
    models(page, place)
    page.click("#install-wav2lip")
    seen(page, "#model-list .problem[role=alert]:not([hidden]):not([id])")


@state
def models_import(page, place):
    """A file that is no model."""
    models(page, place)
    page.set_input_files("#model-file", place.files / "words.txt")
    seen(page, "#problem-import:not([hidden])")


@state
def german(page, _place):
    """In German."""
    page.select_option("#language", "de")
    seen(page, "html[lang=de][data-ready]")


@state
def unreachable(page, _place):
    """The service does not answer."""
    page.route(re.compile("/v1/"), lambda route: route.abort())
    page.reload()
    seen(page, "#problem-page:not([hidden])")


@state
def key(page, place):
    """A key is asked for, and it was a wrong one."""
    page.goto(place.keyed)
    seen(page, "#ask-key[open]")
    page.fill("#key", "avk_wrong")
    page.click("#key-give")
    seen(page, "#problem-key:not([hidden])")


@state
def busy(page, place):
    """A second video with a key that may make one at once."""
    page.goto(place.keyed)
    page.fill("#key", place.key)
    page.click("#key-give")
    page.wait_for_selector("#ask-key", state="hidden", timeout=SLOW)
    seen(page, "html[data-ready]", "#faces img")
    draft(page, LONG)
    page.click("#generate")
    page.wait_for_function("Number(document.getElementById('job-progress').value) > 0.02", timeout=SLOW)
    page.click("#generate")
    seen(page, ".problem[role=alert]:not([hidden])")
    page.wait_for_timeout(1500)
    hold(page, "/v1/videos/[^/]*$")


@state
def describe_kept(page, place):
    """An avatar from words is kept under a name. The last of all: the gallery has it from here on."""
    describe(page, place)
    page.locator("#described .face").nth(1).click()
    page.fill("#describe-name", "sailor")
    page.click("#describe-keep")
    seen(page, "#describe-kept:not(:empty)")
    drawn(page)
