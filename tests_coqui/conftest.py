"""Tiny models, put in place by the very path that real ones take."""

import os
import shutil
import zipfile

import pytest
from typer.testing import CliRunner

import tiny
from avatalk.cli import app

LIBRARY_FOLDER = "tts_models--multilingual--multi-dataset--your_tts"


@pytest.fixture(scope="session", autouse=True)
def machine(tmp_path_factory):
    """A cache folder of its own, in which the models are: YourTTS out of its zip, XTTS out of a folder."""
    folder = tmp_path_factory.mktemp("machine")
    zipped = folder / f"{LIBRARY_FOLDER}.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for path in sorted(tiny.yourtts(folder / LIBRARY_FOLDER).iterdir()):
            archive.write(path, f"{LIBRARY_FOLDER}/{path.name}")
    xtts = tiny.xtts(folder / "xtts_v2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATALK_CACHE", str(folder / "cache"))
        patch.setenv("AVATALK_OFFLINE", "1")
        for brought in (zipped, xtts):
            told = CliRunner().invoke(app, ["models", "import", str(brought), "--accept-license"])
            assert told.exit_code == 0, told.output
        zipped.unlink()
        yield folder
    shutil.rmtree(folder)


@pytest.fixture
def run():
    """Run the command line in this process; return its result."""

    def invoke(*arguments, code=0):
        told = CliRunner().invoke(app, [str(argument) for argument in arguments], env=dict(os.environ))
        assert told.exit_code == code, told.output
        return told

    return invoke


@pytest.fixture(scope="session")
def recordings():
    """Two people, roughly: (samples,) float32 at 24 kHz, by the embedded voice."""
    from avatalk.speech.espeak import Espeak
    from avatalk.speech.resample import resample
    from avatalk.speech.voices import lookup

    text = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background."
    made = [Espeak().speak(text, lookup(name)) for name in ("amy", "george")]
    return [resample(utterance.sound, utterance.sample_rate, 24000) for utterance in made]
