"""What several states of the studio do."""

from studio_server import SLOW

SHORT = "We meet on Monday at nine. Bring a good book. There is tea, and cake."
TALK = (
    "We meet on Monday at nine. The house stands at the end of the street, behind the old trees. "
    "There is tea, and cake, and a fire when it is cold. We read until noon, and then we walk "
    "along the river. Bring a good book."
)
LONG = "This text is long enough to be watched while it is made. " * 12
DENIED = "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error()); }"
DRAG = """() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['x'], 'me.png', { type: 'image/png' }));
    const above = new DragEvent('dragenter', { bubbles: true, dataTransfer });
    document.getElementById('avatar-drop').dispatchEvent(above);
}"""
HOLD = """(addresses) => {
    const asked = window.fetch;
    const held = new RegExp(addresses);
    window.fetch = (path, ...more) => (held.test(path) ? new Promise(() => {}) : asked(path, ...more));
}"""
STATES = {}
"""Functions of a page and a `screenshots.Place`, by their names, in the order of the pictures."""


def state(function):
    STATES[function.__name__] = function
    return function


def seen(page, *places):
    for place in places:
        page.wait_for_selector(place, timeout=SLOW)


def drawn(page):
    """Wait until no frame is drawn any more."""
    page.wait_for_timeout(1000)
    page.wait_for_selector("#stage-busy", state="hidden", timeout=SLOW)


def hold(page, addresses):
    """Let no answer come any more from addresses that match: the page stays as it is."""
    page.evaluate(HOLD, addresses)


def draft(page, text=SHORT):
    page.locator("label:has(> input[name=quality][value=draft])").click()
    page.fill("#text", text)


def made(page, text=SHORT):
    draft(page, text)
    page.click("#generate")
    seen(page, "#result:not([hidden])")
    page.wait_for_timeout(500)


def asked(page, **fields):
    """A video that is asked for as the page does; its id."""
    return page.request.post("v1/videos", data={"quality": "draft", **fields}).json()["id"]


def over(page, video):
    while not (told := page.request.get(f"v1/videos/{video}").json())["ended_at"]:
        page.wait_for_timeout(300)
    return told


def asset(page, path):
    return page.request.post("v1/assets", multipart={"file": path}).json()["id"]


def photo(page, place, name="one.png"):
    page.click("#avatar-tab-upload")
    page.set_input_files("#avatar-file", place.files / name)
    seen(page, "#uploaded:not([hidden])")
    drawn(page)
