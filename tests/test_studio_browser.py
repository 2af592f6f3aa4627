"""The studio in a real browser, against a real server: everything that ends in a video."""

import json
import os
import shutil
import signal
from contextlib import ExitStack, contextmanager

import av
import numpy as np
import pytest
from PIL import Image
from skimage import data

from avatalk import models
from browsing import DESKTOP, OPENS, PHONE, RESTS, chromium, gaps, spoken, visiting
from filled import state_dict
from serving import running, working

torch = pytest.importorskip("torch")

HELLO = "Hello there."
LONG = "This text is long enough to be watched while it is made. " * 6
GREEN = np.array([0, 255, 0])


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache folder with the networks that are there already, and filled weights of Wav2Lip."""
    folder = tmp_path_factory.mktemp("weights")
    there = [models.install(name) for name in ("face", "selfie")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATALK_CACHE", str(folder / "cache"))
        for model in there:
            shutil.copytree(model, models.folder(model.name))
        torch.save(state_dict("wav2lip"), folder / "wav2lip.pth")
        models.import_file(folder / "wav2lip.pth", accept_licence=True)
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory, cache):
    """The service with the studio."""
    with running(tmp_path_factory.mktemp("studio"), studio=1) as served:
        yield served


@pytest.fixture(scope="module")
def worker(served):
    """What makes its videos: segments of a second, not too fast to be watched."""
    with working(served, seconds_per_frame=0.01) as worker:
        yield worker


@pytest.fixture
def visit(browser, served, worker):
    """A first visit, on a desktop."""
    with visiting(browser, served.url) as visit:
        visit.come()
        yield visit


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Files to upload: one face, two faces, none."""
    folder = tmp_path_factory.mktemp("pictures")
    person = data.astronaut()[:300, 60:420]
    two = np.hstack([person, person[:, ::-1]])
    for name, picture in {"one": person, "two": two, "none": np.full((300, 400, 3), 170, np.uint8)}.items():
        Image.fromarray(picture).save(folder / f"{name}.png")
    return folder


@contextmanager
def held(worker):
    """A worker that does nothing until the block ends, as if the machine had stood still."""
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker.pid, signal.SIGCONT)


def share_done(page):
    return page.evaluate("Number(document.getElementById('job-progress').value)")


def wait_for_share(page, share):
    page.wait_for_function(
        "share => !document.getElementById('job').hidden"
        " && Number(document.getElementById('job-progress').value) > share",
        arg=share,
    )


def _one_frame_of(asked, text):
    return asked.url.endswith("/v1/preview") and asked.post_data_json["text"] == text


def upload(page, path):
    page.click("#avatar-tab-upload")
    page.set_input_files("#avatar-file", path)
    page.wait_for_selector("#uploaded:not([hidden])")
    page.wait_for_selector("#avatar-busy", state="hidden")


def test_somebody_of_the_gallery_says_a_text(visit):
    page = visit.page
    visit.choose("avatar", "kavya")
    visit.draft(HELLO)
    video = visit.generate()
    made = spoken(visit.download(), video)
    assert 0.5 < made.seconds < 3
    asked = json.loads(visit.download("request").read_text())
    assert (asked["avatar"], asked["text"], asked["quality"]) == ("kavya", HELLO, "draft")
    assert "Hello there" in visit.download("srt").read_text()
    assert visit.download("vtt").read_text().startswith("WEBVTT")
    with Image.open(visit.download("thumbnail")) as thumbnail:
        assert thumbnail.format == "JPEG"
    page.click("#report summary")
    assert "640 × 360" in page.inner_text("#report-body")
    page.wait_for_function("document.getElementById('player').currentTime > 0")


def test_the_first_video_takes_one_click_and_no_typing(visit):
    """Four are allowed: this counts a download, too."""
    clicks = []
    visit.page.expose_function("clicked", lambda: clicks.append(1))
    visit.page.evaluate("addEventListener('click', () => clicked(), true)")
    video = visit.generate()
    made = spoken(visit.download(), video)
    assert len(clicks) == 2
    assert (made.width, made.height) == (1280, 720)


def test_an_uploaded_picture_says_a_recording(visit, pictures, espeak_wav):
    page = visit.page
    recording = espeak_wav("This was recorded.")
    upload(page, pictures / "one.png")
    assert page.locator("#face-marks .mark.chosen").count() == 1
    page.click("#speech-tab-recording")
    page.set_input_files("#recording-file", recording)
    page.wait_for_selector("#speech-wave:not([hidden])")
    visit.draft()
    video = visit.generate()
    made = spoken(visit.download(), video)
    assert abs(made.seconds - recording.stat().st_size / 2 / 22050) < 0.1
    assert abs(made.width / made.height - 360 / 300) < 0.02


def test_a_picture_without_a_face_is_told_beside_the_field_and_nothing_is_lost(visit, pictures):
    page = visit.page
    visit.choose("avatar", "ines")
    visit.choose("background", "white")
    visit.draft(HELLO)
    upload(page, pictures / "none.png")
    problem = page.locator("#avatar-upload #problem-avatar")
    assert "No face was found" in problem.inner_text()
    problem.evaluate("box => { box.hidden = true; }")
    page.click("#generate")
    problem.wait_for()
    assert visit.videos() == []
    page.reload()
    visit.ready()
    assert page.input_value("#text") == HELLO
    assert page.is_checked("input[name=background][value=white]")
    assert page.is_visible("#uploaded-picture")
    page.click("#avatar-tab-gallery")
    assert page.is_checked("input[name=avatar][value=ines]")
    video = visit.generate()
    assert video["request"]["avatar"] == "ines"
    spoken(visit.download(), video)


def test_files_come_in_every_way_and_wrong_ones_are_told(visit, pictures):
    page = visit.page
    shown, problem = page.locator("#uploaded-about"), page.locator("#problem-avatar")
    (pictures / "words.txt").write_text("no picture")
    visit.give("#faces", pictures / "words.txt")
    problem.wait_for()
    assert "words.txt is a text file" in problem.inner_text()
    assert page.is_hidden("#uploaded")
    visit.give("#avatar-drop", pictures / "two.png")
    shown.filter(has_text="two.png").wait_for()
    assert page.is_hidden("#problem-avatar")
    page.set_input_files("#avatar-file", pictures / "two.png")
    page.set_input_files("#avatar-file", pictures / "one.png")  # before the other one has arrived
    shown.filter(has_text="one.png").wait_for()
    page.wait_for_timeout(1500)
    assert "one.png" in shown.inner_text()
    page.click("#avatar-tab-gallery")
    visit.give("body", pictures / "two.png", "paste")
    shown.filter(has_text="two.png").wait_for()
    visit.give(".bar", pictures / "one.png")  # not a place for it
    visit.give("#speech-title", pictures / "one.png")
    page.locator("#problem-recording", has_text="This is a picture").wait_for()
    assert page.url.rstrip("/") == visit.url
    assert "two.png" in shown.inner_text()
    visit.complaints.clear()  # the answer 400 to the text file


def test_camera_and_microphone_are_used_and_closed(visit):
    page = visit.page
    page.click("#avatar-tab-upload")
    page.click("#avatar-camera")
    page.click("#camera-take")
    page.locator("#problem-avatar", has_text="No face was found").wait_for()  # the camera sees a clock
    page.click("#avatar-camera")
    page.wait_for_function("document.getElementById('camera-view').srcObject?.active")
    page.click("#avatar-tab-gallery")
    assert page.evaluate("document.getElementById('camera-view').srcObject") is None
    page.click("#speech-tab-recording")
    page.click("#recording-record")
    page.locator("#recording-busy", has_text="2").wait_for()
    page.click("#recording-record")
    page.wait_for_selector("#speech-wave:not([hidden])")
    assert "recording" in page.inner_text("#recording-about")
    page.reload()
    page.wait_for_selector("#speech-wave:not([hidden])")


def test_a_text_that_cannot_be_spoken_is_told_with_its_place(visit):
    page = visit.page
    page.fill("#text", "One\nand <break time='x'/> two.")
    page.click("#generate")
    page.locator("#problem-text", has_text="line 2, column 5").wait_for()
    page.fill("#text", "I love <3 and 🙂.")
    page.click("#speech-make")
    page.locator("#speech-notes", has_text="🙂").wait_for()
    visit.complaints.clear()  # the answer 400 to the first one


@pytest.mark.parametrize("number", [1, 2])
def test_of_two_faces_the_one_that_is_clicked_speaks(visit, pictures, number):
    page = visit.page
    upload(page, pictures / "two.png")
    assert page.locator("#face-marks button").count() == 2
    page.get_by_role("button", name=f"Face {number} of 2").click()
    visit.draft(HELLO)
    video = visit.generate()
    made = spoken(visit.download(), video)
    assert np.ptp(made.lips[:, number - 1]) > OPENS
    assert np.ptp(made.lips[:, 2 - number]) < RESTS


def test_a_described_avatar_is_drawn_chosen_and_kept(visit):
    page = visit.page
    page.click("#avatar-tab-describe")
    page.fill("#describe-prompt", "an old sailor with a white beard and a blue cap")
    page.select_option("#describe-engine", "drawn")
    page.fill("#describe-count", "2")
    page.click("#describe-make")
    page.wait_for_selector("#describe-cancel", state="hidden")
    results = page.locator("#described .face")
    assert results.count() == 2
    results.nth(1).click()
    page.fill("#describe-name", "sailor")
    page.click("#describe-keep")
    page.wait_for_selector("#faces input[value=sailor]", state="attached")
    visit.draft(HELLO)
    video = visit.generate()
    assert video["request"]["avatar"] == results.nth(1).locator("input").get_attribute("value")
    spoken(visit.download(), video)


BOTH = "[...document.querySelectorAll('#compare-videos video')]"


def test_two_engines_are_compared_side_by_side_and_in_step(visit, pictures):
    page = visit.page
    upload(page, pictures / "one.png")
    visit.draft(HELLO)
    page.click("#compare summary")
    chosen = [page.input_value(f"#compare-{which}") for which in ("one", "other")]
    assert chosen == ["animator", "wav2lip"]
    page.click("#compare-go")
    page.wait_for_selector("#compare-play:not([hidden])")
    shown = [page.locator("#compare-videos video").nth(number).bounding_box() for number in (0, 1)]
    assert shown[0]["y"] == shown[1]["y"]
    assert shown[0]["x"] + shown[0]["width"] <= shown[1]["x"]
    page.click("#compare-play")
    page.wait_for_function(f"{BOTH}.every(video => video.currentTime > 0.4)")
    page.evaluate(f"{BOTH}[1].pause()")
    page.wait_for_function(f"{BOTH}.every(video => video.paused)")
    page.evaluate(f"{BOTH}[0].currentTime = 0.2")
    page.wait_for_function(f"{BOTH}.every(video => Math.abs(video.currentTime - 0.2) < 0.07)")
    made = {}
    for video in visit.videos():
        with page.expect_download() as got:
            page.click(f"#compare-videos a[href*='{video['id']}']")
        made[video["request"]["engine"]] = frames_of(got.value.path())
    assert set(made) == set(chosen)
    animated, redrawn = (made[name].astype(np.int16) for name in chosen)
    assert len(animated) == len(redrawn) > 10
    assert np.abs(animated - redrawn).max() > 60  # around the mouth
    page.reload()
    page.wait_for_selector("#compare-play:not([hidden])")


def frames_of(path):
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_a_background_is_seen_before_the_video_is_made(visit):
    visit.draft(HELLO)
    visit.choose("background", "green")
    visit.page.wait_for_function("document.getElementById('still').src.startsWith('blob:')")
    still = visit.still()
    assert np.abs(still[10, still.shape[1] // 2 - 60] - GREEN).max() < 40
    at_rest = visit.page.get_attribute("#still", "src")
    with visit.page.expect_request(lambda asked: _one_frame_of(asked, HELLO)):
        visit.page.click("#preview")
    visit.page.wait_for_function("src => document.getElementById('still').src !== src", arg=at_rest)
    speaking = visit.still()
    assert np.abs(speaking[10, still.shape[1] // 2 - 60] - GREEN).max() < 40
    assert gaps([speaking])[0, 0] > gaps([still])[0, 0] + RESTS
    video = visit.generate()
    made = spoken(visit.download(), video)
    assert np.abs(made.frames[0][4, 4] - GREEN).max() < 40


def test_a_video_is_stopped_in_the_middle(visit, worker):
    page = visit.page
    visit.draft(LONG)
    page.click("#generate")
    wait_for_share(page, 0.02)
    with held(worker):
        page.click("#job-cancel")
        page.wait_for_selector("#job", state="hidden")
    (video,) = visit.videos()
    assert video["status"] == "canceled"
    assert 0 < video["progress"] < 1
    assert page.is_hidden("#result")
    assert "Stopped" in page.inner_text("#job-note")
    assert page.input_value("#text") == LONG
    visit.draft(HELLO)
    again = visit.generate()
    spoken(visit.download(), again)


def test_a_reload_in_the_middle_finds_the_video_which_plays_while_it_is_made(visit, worker):
    page = visit.page
    visit.draft(LONG)
    page.click("#generate")
    wait_for_share(page, 0.3)
    page.wait_for_function("document.getElementById('player').currentTime > 0.2")
    with held(worker):
        (video,) = visit.videos()
        page.reload()
        visit.ready()
        wait_for_share(page, 0.2)
        assert page.is_hidden("#result")
        assert visit.videos()[0]["status"] == "processing"
        page.context.set_offline(True)
        page.locator("#job-note", has_text="cannot be reached").wait_for()
        page.context.set_offline(False)
        page.wait_for_selector("#job-note", state="hidden")
        visit.complaints.clear()  # of the browser, that it is offline
    video = visit.finished(video["id"])
    made = spoken(visit.download(), video)
    assert made.seconds > 15
    assert len(visit.videos()) == 1


def test_a_service_that_is_away_at_first_is_waited_for(visit):
    page = visit.page
    page.route("**/v1/**", lambda route: route.abort())
    page.reload()
    page.locator("#problem-page", has_text="cannot be reached").wait_for()
    page.unroute_all()
    visit.ready()
    page.wait_for_selector("#problem-page", state="hidden")
    page.wait_for_selector("#problem-voice", state="hidden")
    visit.complaints.clear()  # of the browser, that nothing came


def test_a_video_that_failed_meanwhile_is_told_until_something_is_changed(visit, pictures):
    page = visit.page
    ask = page.context.request
    sent = ask.post(f"{visit.url}/v1/assets", multipart={"file": pictures / "none.png"}).json()
    video = ask.post(f"{visit.url}/v1/videos", data={"avatar": sent["id"], "text": HELLO}).json()
    while not visit.ask(f"v1/videos/{video['id']}")["ended_at"]:
        page.wait_for_timeout(200)
    page.evaluate(
        """job => { const kept = JSON.parse(sessionStorage['avatalk.studio']);
        sessionStorage['avatalk.studio'] = JSON.stringify({ ...kept, job }); }""",
        video["id"],
    )
    held = []
    page.route("**/v1/avatars", lambda route: held.append(route))
    page.reload()
    problem = page.locator("#problem-video", has_text="No face was found")
    problem.wait_for()
    held[0].continue_()
    visit.ready()  # the people of the gallery have come later
    page.wait_for_timeout(1000)
    assert problem.is_visible()
    visit.choose("avatar", "ben")
    problem.wait_for(state="hidden")


def test_a_video_of_the_library_is_made_again_with_changes(visit):
    page = visit.page
    visit.choose("avatar", "emeka")
    visit.choose("background", "white")
    visit.choose("aspect", "1:1")
    visit.draft(HELLO)
    first = visit.generate()
    visit.choose("avatar", "ada")
    visit.choose("background", "keep")
    page.fill("#text", "Something else.")
    page.click("#view-library")
    page.locator("#videos .again").click()
    page.wait_for_selector("#download-video")  # of the first one
    visit.ready()
    assert page.input_value("#text") == HELLO
    assert page.is_checked("input[name=avatar][value=emeka]")
    page.fill("#text", "Hello again.")
    second = visit.generate()
    assert second["request"] == first["request"] | {"text": "Hello again."}
    made = spoken(visit.download(), second)
    assert made.width == made.height
    page.click("#view-library")
    cards = page.locator("#videos .clip")
    cards.nth(1).wait_for()
    assert [card.inner_text() for card in cards.locator(".title").all()] == ["Hello again.", HELLO]
    page.fill("#library-filter", "again")
    page.wait_for_function("document.querySelectorAll('#videos .clip').length === 1")
    cards.get_by_role("button", name="Delete").click()
    cards.get_by_role("button", name="Really? Delete").click()
    page.wait_for_function("document.querySelectorAll('#videos .clip').length === 0")
    assert [video["id"] for video in visit.videos()] == [first["id"]]


def test_a_sentence_is_corrected_and_the_rest_of_the_video_stays(visit):
    page = visit.page
    sentences = [
        "We meet on Monday at nine.",
        "Bring a good book.",
        "There is tea, and cake.",
        "See you there.",
    ]
    visit.draft(" ".join(sentences))
    video = visit.generate()
    for number, word, said in ((1, "book.", "Bring two good friends."), (2, "cake.", "There is no tea.")):
        page.click("#timeline summary")
        page.click(f"#timeline-words button:text-is('{word}')")
        assert page.input_value("#timeline-sentence") == sentences[number]
        page.fill("#timeline-sentence", said)
        with page.expect_response(
            lambda answer: answer.request.method == "POST" and answer.url.endswith("/v1/videos")
        ) as asked:
            page.click("#timeline-again")
        sentences[number] = said
        before, video = video, visit.finished(asked.value.json()["id"])
        assert video["said"] == page.input_value("#text") == " ".join(sentences)
        assert 0.3 * video["frames"] < video["reused"] < video["frames"]
        assert video["request"]["text"] == before["request"]["text"]
        page.click("#report summary")
        drawn = video["frames"] - video["reused"]
        page.wait_for_function(
            "told => document.getElementById('report-body').innerText.includes(told)",
            arg=f"{drawn} of {video['frames']} frames",
        )
        page.click("#report summary")
    assert [one["sentence"] for one in video["request"]["corrections"]] == [1, 2]
    made = spoken(visit.download(), video)
    assert made.seconds == pytest.approx(video["duration_s"], abs=0.1)
    # The library has what is said now, and brings it back.
    page.click("#view-library")
    page.locator(".clip .again").first.click()
    visit.ready()
    assert page.input_value("#text") == " ".join(sentences)


def test_keys_alone_make_a_video(visit):
    """Tab, Enter and Space lead to everything, and what has the focus is in view and marked."""
    page = visit.page

    def reach(wanted, key="Tab"):
        for _ in range(80):
            page.keyboard.press(key)
            focus = page.evaluate(
                """() => {
                    const one = document.activeElement;
                    const drawn = one.matches('.face input, .ground input[type=radio], .seg input');
                    const seen = drawn ? one.nextElementSibling : one;
                    const box = seen.getBoundingClientRect();
                    return { id: one.id, tag: one.tagName, left: box.left, right: box.right, top: box.top,
                        bottom: box.bottom, outline: getComputedStyle(seen).outlineStyle };
                }"""
            )
            assert focus["tag"] != "BODY", f"{wanted} was not reached"
            assert focus["right"] > 0, focus
            assert focus["left"] < DESKTOP["width"], focus
            assert focus["bottom"] > 0, focus
            assert focus["top"] < DESKTOP["height"], focus
            assert focus["outline"] != "none", focus
            if focus["id"] == wanted:
                return
        raise AssertionError(f"{wanted} was not reached")

    reach("text")
    page.keyboard.press("Control+A")
    page.keyboard.type(HELLO)
    reach("captions-burn")
    page.keyboard.press("Space")
    reach("generate")
    page.keyboard.press("Enter")
    page.wait_for_selector("#download-video")
    reach("download-video", "Shift+Tab")
    (video,) = visit.videos()
    assert video["request"]["text"] == HELLO
    assert "burn" in video["request"]["captions"]
    with page.expect_download() as got:
        page.keyboard.press("Enter")
    spoken(got.value.path(), video)


def test_on_a_phone_the_steps_come_one_after_another(browser, served, worker):
    profile = {"viewport": PHONE, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
    with visiting(browser, served.url, **profile) as visit:
        visit.come()
        page = visit.page
        tops = [page.locator(f"#{name}-title").bounding_box()["y"] for name in ("avatar", "speech", "video")]
        assert tops[0] < tops[1] < tops[2]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.locator("#faces label:has(input[value=jonas])").tap()
        page.locator("label:has(> input[name=quality][value=draft])").tap()
        page.fill("#text", HELLO)
        with page.expect_response("**/v1/videos") as asked:
            page.locator("#generate").tap()
        video = visit.finished(asked.value.json()["id"])
        spoken(visit.download(), video)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_ten_at_once_do_not_see_each_other(browser, served, worker):
    with ExitStack() as open_visits:
        visits = [open_visits.enter_context(visiting(browser, served.url)) for _ in range(10)]
        for visit in visits:
            visit.come()
        for number, visit in enumerate(visits, 1):
            visit.draft(f"I am number {number}.")
        for visit in visits:
            visit.page.click("#generate")
        for number, visit in enumerate(visits, 1):
            visit.page.wait_for_selector("#download-video")
            (video,) = visit.videos()
            assert video["request"]["text"] == f"I am number {number}."
            spoken(visit.download(), video)
            visit.page.click("#view-library")
            visit.page.wait_for_selector("#videos .clip")
            assert visit.page.locator("#videos .title").all_inner_texts() == [f"I am number {number}."]
            other = visits[number % 10].page.context.request
            for path in ("", "/content", "/thumbnail", "/report"):
                assert other.get(f"{served.url}/v1/videos/{video['id']}{path}").status == 404
            assert other.delete(f"{served.url}/v1/videos/{video['id']}").status == 404
            assert other.post(f"{served.url}/v1/videos/{video['id']}/cancel").status == 404
