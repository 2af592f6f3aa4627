"""Step 2: what is said."""

from studio_server import SLOW
from studio_states.steps import DENIED, hold, seen, state


@state
def text_empty(page, _place):
    """Nothing to say."""
    page.fill("#text", "")
    page.click("#generate")
    seen(page, "#problem-text:not([hidden])")


@state
def text_wrong(page, _place):
    """A text that cannot be spoken."""
    page.fill("#text", "One\nand <break time='x'/> two.")
    page.click("#generate")
    seen(page, "#problem-text:not([hidden])")


@state
def text_arabic(page, _place):
    """Text from right to left."""
    page.fill("#text", "مرحبا! أنا سعيدة بوجودك هنا. أعطني كلماتك وسأقولها لك.")


@state
def voices(page, _place):
    """A voice of another language, faster and lower."""
    page.select_option("#speech-language", "fr")
    page.locator("#voices input").nth(2).check()
    for name, value in (("speed", "1.25"), ("pitch", "0.9")):
        page.locator(f"#{name}").fill(value)
    page.click("#text-pause")


@state
def voices_none(page, _place):
    """A search for a voice that finds none."""
    page.fill("#voice-filter", "Atlantis")


@state
def speech_busy(page, _place):
    """The sound is made."""
    hold(page, "/studio/speech")
    page.click("#speech-make")


@state
def speech(page, _place):
    """The sound by itself, of a text with something in it that nobody can say."""
    page.fill("#text", "I love tea and 🙂.")
    page.click("#speech-make")
    seen(page, "#speech-wave:not([hidden])", "#speech-notes li")


@state
def clone_refused(page, _place):
    """A voice is to be imitated, and nobody has agreed."""
    page.click("#clone summary")
    page.click("#clone-pick")
    seen(page, "#problem-clone:not([hidden])")


@state
def clone_microphone(page, _place):
    """The voice to be imitated is recorded."""
    page.click("#clone summary")
    page.check("#clone-consent")
    page.click("#clone-record")
    page.locator("#clone-busy", has_text="2").wait_for()


@state
def clone(page, place):
    """A voice that is imitated, from a recording that is rather short."""
    page.click("#clone summary")
    page.check("#clone-consent")
    page.set_input_files("#clone-file", place.files / "speech.wav")
    seen(page, "#clone-has:not([hidden])")
    page.click("#speech-make")
    page.wait_for_selector("#speech-busy", state="hidden", timeout=SLOW)


@state
def recording_empty(page, _place):
    """Nothing recorded yet, and a video asked for."""
    page.click("#speech-tab-recording")
    page.click("#generate")
    seen(page, "#problem-recording:not([hidden])")


@state
def recording_microphone(page, _place):
    """The microphone is on."""
    page.click("#speech-tab-recording")
    page.click("#recording-record")
    page.locator("#recording-busy", has_text="2").wait_for()


@state
def recording_denied(page, _place):
    """The browser may not use the microphone."""
    page.evaluate(DENIED)
    page.click("#speech-tab-recording")
    page.click("#recording-record")
    seen(page, "#problem-recording:not([hidden])")


@state
def recording(page, place):
    """A recording, and its words."""
    page.click("#speech-tab-recording")
    page.set_input_files("#recording-file", place.files / "speech.wav")
    seen(page, "#speech-wave:not([hidden])")
    page.fill("#transcript", "This was recorded on a Monday.")


@state
def recording_wrong(page, place):
    """A file that is no sound."""
    page.click("#speech-tab-recording")
    page.set_input_files("#recording-file", place.files / "one.png")
    seen(page, "#problem-recording:not([hidden])")


@state
def recording_silent(page, place):
    """A recording in which nobody speaks."""
    page.click("#speech-tab-recording")
    page.set_input_files("#recording-file", place.files / "silence.wav")
    seen(page, "#problem-recording:not([hidden])")
