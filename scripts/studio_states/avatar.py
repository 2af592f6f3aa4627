"""Step 1: who speaks."""

import re

from studio_server import SLOW
from studio_states.steps import DENIED, DRAG, drawn, hold, photo, seen, state


@state
def first(_page, _place):
    """A first visit."""


@state
def keys(page, _place):
    """The Tab key was pressed once."""
    page.keyboard.press("Tab")


@state
def gallery(page, _place):
    """Somebody else, before another ground, and one spoken frame."""
    page.get_by_label("Kavya:").check()
    page.locator(".ground.blur input").check(force=True)
    page.click("#preview")
    seen(page, "#stage-busy:not([hidden])")
    drawn(page)


@state
def gallery_none(page, _place):
    """A search of the gallery that finds nobody."""
    page.fill("#avatar-filter", "pirate")


@state
def upload_empty(page, _place):
    """No picture yet, and a video asked for."""
    page.click("#avatar-tab-upload")
    page.click("#generate")
    seen(page, "#problem-avatar:not([hidden])")


@state
def upload_drag(page, _place):
    """A file is held above its place."""
    page.click("#avatar-tab-upload")
    page.evaluate(DRAG)


@state
def upload_busy(page, place):
    """The face is looked for."""
    hold(page, "/studio/faces/")
    page.click("#avatar-tab-upload")
    page.set_input_files("#avatar-file", place.files / "one.png")
    seen(page, "#avatar-busy:not([hidden])")
    page.wait_for_timeout(1000)


@state
def upload(page, place):
    """A picture with a face."""
    photo(page, place)


@state
def upload_findings(page, place):
    """A picture that has faults."""
    photo(page, place, "blurred.png")


@state
def upload_two(page, place):
    """A picture with two faces."""
    photo(page, place, "two.png")


@state
def upload_other(page, place):
    """The other face was clicked."""
    photo(page, place, "two.png")
    page.click("#face-marks button:not(.chosen)")
    drawn(page)


@state
def upload_none(page, place):
    """A picture without a face."""
    photo(page, place, "none.png")


@state
def upload_clip(page, place):
    """A clip."""
    photo(page, place, "clip.mp4")


@state
def upload_wrong(page, place):
    """A file that is neither."""
    page.click("#avatar-tab-upload")
    page.set_input_files("#avatar-file", place.files / "words.txt")
    seen(page, "#problem-avatar:not([hidden])")


@state
def camera(page, _place):
    """The camera is on."""
    page.click("#avatar-tab-upload")
    page.click("#avatar-camera")
    seen(page, "#camera-take:not([disabled])")


@state
def camera_taken(page, place):
    """The picture was taken."""
    camera(page, place)
    page.click("#camera-take")
    seen(page, "#uploaded:not([hidden])")
    drawn(page)


@state
def camera_denied(page, _place):
    """The browser may not use the camera."""
    page.evaluate(DENIED)
    page.click("#avatar-tab-upload")
    page.click("#avatar-camera")
    seen(page, "#problem-avatar:not([hidden])")


@state
def describe_empty(page, _place):
    """Nothing described yet, and pictures asked for."""
    page.click("#avatar-tab-describe")
    page.click("#describe-make")
    seen(page, "#problem-describe:not([hidden])")


def described(page, count):
    page.click("#avatar-tab-describe")
    page.fill("#describe-prompt", "an old sailor with a white beard and a blue cap")
    page.fill("#describe-count", str(count))
    page.click("#describe-make")
    seen(page, "#described img")
    drawn(page)


@state
def describe_busy(page, _place):
    """In the middle of it; as it is quick here, the page is told that it is not over."""

    def told(route):
        answer = route.fetch().json()
        if "progress" in answer:
            answer |= {"status": "processing", "progress": 0.4, "data": answer["data"][:3]}
        route.fulfill(json=answer)

    page.route(re.compile("/v1/avatars"), told)
    described(page, 8)


@state
def describe(page, _place):
    """Avatars from words."""
    described(page, 4)
    page.wait_for_selector("#describe-cancel", state="hidden", timeout=SLOW)


@state
def describe_refused(page, place):
    """A name that is taken."""
    describe(page, place)
    page.fill("#describe-name", "ada")
    page.click("#describe-keep")
    seen(page, "#problem-keep:not([hidden])")
