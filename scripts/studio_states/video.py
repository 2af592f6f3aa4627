"""Step 3: how it is made, and what comes of it."""

import re

from studio_server import SLOW
from studio_states.speech import recording
from studio_states.steps import LONG, TALK, asked, asset, draft, drawn, hold, made, over, photo, seen, state


@state
def look(page, place):
    """A picture behind, another shape, closer, with captions in the picture."""
    page.set_input_files("#ground-file", place.files / "sea.png")
    seen(page, "#grounds input[value=own]")
    for name, value in (("aspect", "9:16"), ("frame", "head")):
        page.locator(f"label:has(> input[name={name}][value='{value}'])").click()
    page.check("#captions-burn")
    page.click("#preview")
    seen(page, "#stage-busy:not([hidden])")
    drawn(page)


@state
def look_wrong(page, place):
    """A file that is no background."""
    page.set_input_files("#ground-file", place.files / "words.txt")
    seen(page, "#problem-background:not([hidden])")


@state
def look_busy(page, _place):
    """A frame is drawn."""
    hold(page, "/v1/preview")
    page.click("#preview")


@state
def engine_missing(page, place):
    """Lips are to be moved by what is not installed."""
    photo(page, place)
    page.select_option("#engine", "wav2lip")
    page.click("#generate")
    seen(page, ".problem[role=alert]:not([hidden])")


@state
def queued(page, _place):
    """Others come first."""
    asked(page, text=LONG)
    page.click("#generate")
    seen(page, "#job:not([hidden])")
    page.wait_for_timeout(1500)


def halfway(page):
    draft(page, LONG)
    page.click("#generate")
    page.wait_for_function("Number(document.getElementById('job-progress').value) > 0.15", timeout=SLOW)


@state
def progress(page, _place):
    """In the middle of a video."""
    halfway(page)
    hold(page, "/v1/videos/[^/]*$")


@state
def playing(page, _place):
    """It plays while it is made."""
    draft(page, LONG)
    page.click("#generate")
    page.wait_for_function("document.getElementById('player').currentTime > 0.5", timeout=SLOW)
    hold(page, "/v1/videos/[^/]*$")


@state
def lost(page, _place):
    """The service went away in the middle of it."""
    halfway(page)
    page.route(re.compile("/v1/"), lambda route: route.abort())
    seen(page, "#job-note:not([hidden])")


@state
def canceled(page, _place):
    """A video that was stopped."""
    draft(page, LONG)
    page.click("#generate")
    seen(page, "#job:not([hidden])")
    page.click("#job-cancel")
    page.wait_for_selector("#job", state="hidden")


@state
def failed(page, place):
    """A video that could not be made."""
    video = over(page, asked(page, avatar=asset(page, place.files / "none.png"), text="Hello."))["id"]
    page.evaluate(
        "id => { const key = 'avatalk.studio', kept = JSON.parse(sessionStorage[key]);"
        " sessionStorage[key] = JSON.stringify({ ...kept, job: id }); }",
        video,
    )
    page.reload()
    seen(page, ".problem[role=alert]:not([hidden])")


@state
def done(page, _place):
    """A finished video with its report."""
    page.click("#generate")
    seen(page, "#result:not([hidden])")
    page.click("#report summary")
    page.wait_for_timeout(1500)


@state
def done_warned(page, _place):
    """A finished video of which there is something to know."""
    made(page, "I love tea and 🙂.")
    page.click("#report summary")


@state
def done_still(page, _place):
    """A frame of another video, over one that is finished."""
    made(page)
    page.locator(".ground.white input").check(force=True)
    seen(page, "#stage-back:not([hidden])")
    drawn(page)


@state
def timeline_wait(page, _place):
    """Its words and lips are worked out."""
    made(page)
    hold(page, "/studio/speech")
    page.click("#timeline summary")


@state
def timeline(page, _place):
    """Words and lips of a finished video."""
    made(page, TALK)
    page.click("#timeline summary")
    seen(page, "#timeline-words button")


@state
def timeline_word(page, place):
    """A word was clicked."""
    timeline(page, place)
    page.evaluate("document.getElementById('player').pause()")
    page.click("#timeline-words button:text-is('book.')")
    page.wait_for_timeout(500)


@state
def timeline_typed(page, place):
    """Its sentence is corrected."""
    timeline_word(page, place)
    page.locator("#timeline-sentence").press("Control+A")
    page.locator("#timeline-sentence").press_sequentially("Bring two good friends.")


@state
def timeline_busy(page, place):
    """What the correction touches is drawn anew; that is quick, so the page is told that it is not over."""

    def told(route):
        half = {"status": "processing", "stage": "encode", "progress": 0.4, "eta_s": 2}
        route.fulfill(json=route.fetch().json() | half)

    timeline_typed(page, place)
    page.route(re.compile("/v1/videos/[^/]*$"), told)
    page.click("#timeline-again")
    page.locator("#job-frames", has_text=re.compile("anew|neu")).wait_for()


@state
def timeline_done(page, place):
    """The corrected video."""
    timeline_typed(page, place)
    page.click("#timeline-again")
    page.wait_for_function("document.getElementById('text').value.includes('friends')")
    seen(page, "#result:not([hidden])")
    page.click("#timeline summary")
    page.click("#report summary")
    seen(page, "#timeline-words button")


@state
def timeline_none(page, place):
    """A recording whose words nobody knows."""
    recording(page, place)
    page.fill("#transcript", "")
    page.locator("label:has(> input[name=quality][value=draft])").click()
    page.click("#generate")
    seen(page, "#result:not([hidden])")
    page.click("#timeline summary")
    seen(page, "#timeline-none:not([hidden])")


@state
def compare(page, place):
    """Two engines to choose."""
    photo(page, place)
    draft(page)
    page.click("#compare summary")


@state
def compare_same(page, place):
    """Twice the same."""
    compare(page, place)
    page.select_option("#compare-other", page.input_value("#compare-one"))
    page.click("#compare-go")
    seen(page, "#problem-compare:not([hidden])")


@state
def compare_busy(page, place):
    """One of both is there; as both are quick, the page is told that the other is not over."""

    def told(route):
        video = route.fetch().json()
        if video["request"]["engine"] != "animator":
            video |= {"status": "processing", "progress": 0.4, "ended_at": None}
        route.fulfill(json=video)

    compare(page, place)
    page.route(re.compile("/v1/videos/[^/]*$"), told)
    page.click("#compare-go")
    seen(page, "#compare-videos video")


@state
def compare_done(page, place):
    """Both, side by side."""
    compare(page, place)
    page.click("#compare-go")
    seen(page, "#compare-play:not([hidden])")
    page.click("#compare-play")
    page.wait_for_timeout(1200)
