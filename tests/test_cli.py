"""The command line, run as a user runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from avatalk.cli import app

TINY = ["--size", "160x90", "--fps", "12", "--quality", "draft"]


@pytest.fixture
def avatalk():
    """Run the command line in this process; return exit code, stdout and stderr."""

    def run(*arguments, stdin=None):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


def start(*arguments, **options):
    command = [sys.executable, "-m", "avatalk.cli", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_make_says_what_it_made(avatalk, tmp_path, decode):
    path = tmp_path / "hello.mp4"
    code, out, err = avatalk("make", "--avatar", "ada", "--text", "Hello.", "-o", path, *TINY)
    assert code == 0 and str(path) in out
    assert re.search(r"\d+/\d+ frames", err)
    assert decode(path)["frames"][0].shape == (90, 160, 3)


def test_make_json_is_one_object(avatalk, tmp_path, decode):
    path = tmp_path / "hello.mp4"
    code, out, _ = avatalk("make", "--text", "Hello there.", "-o", path, "--json", *TINY)
    told = json.loads(out)
    facts = decode(path)
    assert code == 0
    assert told["path"] == str(path)
    assert told["frames"] == len(facts["frames"])
    assert told["fps"] == "12"
    assert told["duration_s"] == pytest.approx(facts["video_s"], abs=0.01)
    assert told["engines"]["lipsync"] == "animator" and told["engines"]["speech"] == "espeak amy"
    assert {"speech", "lipsync", "encode"} <= set(told["seconds"])
    assert isinstance(told["warnings"], list) and told["better"]


def test_the_finished_file_makes_itself_again(avatalk, tmp_path):
    first, again, other = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.mp4"
    assert avatalk("make", "--text", "Again?", "--seed", 4, "-o", first, *TINY)[0] == 0
    assert avatalk("make", "--spec", first, "-o", again)[0] == 0
    assert first.read_bytes() == again.read_bytes()
    assert avatalk("make", "--spec", first, "--text", "Another.", "-o", other)[0] == 0
    assert other.read_bytes() != first.read_bytes()


def test_paths_in_a_finished_file_are_relative_to_it(avatalk, tmp_path, espeak_wav, monkeypatch):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "speech.wav").write_bytes(espeak_wav("Good morning.").read_bytes())
    monkeypatch.chdir(project)
    assert avatalk("make", "--audio", "speech.wav", "-o", "a.mp4", *TINY)[0] == 0
    moved = project.rename(tmp_path / "moved")
    monkeypatch.chdir(elsewhere)
    assert avatalk("make", "--spec", moved / "a.mp4", "-o", "b.mp4")[0] == 0
    assert (elsewhere / "b.mp4").stat().st_size > 1000


def test_a_spec_in_json(avatalk, tmp_path):
    spec = tmp_path / "request.json"
    spec.write_text(
        json.dumps({"avatar": "ada", "text": "Hi.", "size": "160x90", "fps": 12, "quality": "draft"})
    )
    assert avatalk("make", "--spec", spec, "-o", tmp_path / "a.mp4")[0] == 0


def test_text_from_standard_input(avatalk, tmp_path):
    assert avatalk("make", "--text", "-", "-o", tmp_path / "a.mp4", *TINY, stdin="From a pipe.")[0] == 0


def test_captions_beside_the_video(avatalk, tmp_path):
    code, out, _ = avatalk(
        "make", "--text", "One two three.", "--captions", "both", "-o", tmp_path / "a.mp4", *TINY
    )
    assert code == 0 and "a.srt" in out
    assert "One two three." in (tmp_path / "a.srt").read_text(encoding="utf-8")
    assert (tmp_path / "a.vtt").read_text(encoding="utf-8").startswith("WEBVTT")


def test_preview_is_a_frame_of_the_video(avatalk, tmp_path):
    import numpy as np
    from PIL import Image

    from avatalk import VideoRequest, plan

    path = tmp_path / "frame.png"
    code, _, _ = avatalk("preview", "--text", "Hello.", "--at", "0.5", "-o", path, *TINY)
    assert code == 0
    with plan(VideoRequest(text="Hello.", size="160x90", fps=12, quality="draft")) as made:
        assert np.array_equal(np.asarray(Image.open(path)), next(made.frames(6, 7)))
    assert avatalk("preview", "--text", "Hello.", "--at", "50", "-o", path, *TINY)[0] == 2


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("avatars", {"name", "engine", "licence", "description"}),
        ("voices", {"name", "language", "engine", "licence"}),
        ("engines", {"name", "stage", "licence", "ready"}),
        ("doctor", {"name", "ready", "get"}),
    ],
)
def test_lists(avatalk, command, keys):
    code, out, _ = avatalk(command, "--json")
    rows = json.loads(out)
    assert code == 0 and rows and all(keys <= set(row) for row in rows)
    code, out, _ = avatalk(command)
    assert code == 0 and str(rows[0]["name"]) in out


def test_the_gallery_has_eight_people_and_the_voices_many_languages(avatalk):
    assert len(json.loads(avatalk("avatars", "--json")[1])) >= 8
    voices = json.loads(avatalk("voices", "--json")[1])
    assert len({voice["language"].split("-")[0] for voice in voices}) >= 40
    assert len({voice["name"] for voice in voices}) == len(voices)


def test_schema_and_version(avatalk):
    assert json.loads(avatalk("schema")[1])["title"] == "VideoRequest"
    assert re.fullmatch(r"avatalk \d+\.\d+\.\d+\n", avatalk("--version")[1])


def test_errors_as_json(avatalk, tmp_path):
    code, out, err = avatalk("make", "--avatar", "adda", "--text", "Hi.", "-o", tmp_path / "a.mp4", "--json")
    told = json.loads(out)["error"]
    assert (
        code == 2 and told["code"] == "unknown_name" and told["field"] == "avatar" and "ada" in told["hint"]
    )
    assert "adda" in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_nothing(tmp_path, how):
    process = start("make", "--text", "A long story. " * 200, "-o", tmp_path / "a.mp4", "--size", "640x360")
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".a.mp4.*.part")):  # until it encodes
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(how)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "Traceback" not in err and "Stopped" in err
    assert not list(tmp_path.iterdir())


def test_stopping_while_it_speaks(tmp_path):
    process = start("make", "--text", "A long story. " * 9000, "-o", tmp_path / "a.mp4")
    time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3 and "Stopped" in err
    assert not list(tmp_path.iterdir())


def test_options_without_effect_are_told(avatalk, tmp_path, espeak_wav):
    sound = espeak_wav("Good morning.")
    common = ["make", "--audio", sound, "-o", tmp_path / "a.mp4", "--fps", 5, "--quality", "draft"]
    err = avatalk(
        *common, "--voice", "amy", "--speed", 1.2, "--face", 3, "--size", "160x90", "--aspect", "1:1"
    )[2]
    assert "--speed, --voice have no effect with a recording" in err
    assert "--face has no effect with a drawn avatar" in err
    assert "--aspect has no effect with --size" in err
    assert "no effect" not in avatalk(*common)[2]


def test_the_voice_suits_the_avatar(avatalk, tmp_path):
    for avatar, voice in (("ben", "brian"), ("ada", "amy")):
        out = avatalk("make", "--avatar", avatar, "--text", "Hi.", "-o", tmp_path / "a.mp4", "--json", *TINY)[
            1
        ]
        assert json.loads(out)["engines"]["speech"] == f"espeak {voice}"


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits there")
@pytest.mark.parametrize("source", ["text", "audio"])
def test_a_full_disk(tmp_path, espeak_wav, source):
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    story = "A story that does not fit. " * 8
    words = ["--text", story] if source == "text" else ["--audio", str(espeak_wav(story))]
    process = start("make", *words, "-o", tmp_path / "a.mp4", *TINY, preexec_fn=limit)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "no space" in err and "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_a_sample_on_the_command_line_wins_over_the_voice_of_a_spec(avatalk, tmp_path, espeak_wav):
    spec = tmp_path / "request.json"
    spec.write_text(json.dumps({"text": "Hi.", "voice": "amy", "size": "160x90", "fps": 5}))
    sample = espeak_wav("Nobody had seen the old dog since Tuesday. It was really very necessary to shout!")
    command = ["make", "--spec", spec, "--voice-sample", sample, "-o", tmp_path / "a.mp4", "--json"]
    code, out, _ = avatalk(*command)
    assert code == 0 and json.loads(out)["engines"]["speech"].startswith("espeak")
    code, _, err = avatalk(*command, "--voice", "emma")
    assert code == 2 and "Both a voice and a sample" in err
    err = avatalk("make", "--audio", sample, "--voice-sample", sample, "-o", tmp_path / "a.mp4", *TINY)[2]
    assert "--voice-sample has no effect with a recording" in err


def test_tables_show_what_stands_in_brackets(capsys):
    from avatalk.console import print_table

    print_table([{"name": "a", "get": "pip install 'avatalk[neural]'"}])
    assert "avatalk[neural]" in capsys.readouterr().out


def test_numpy_is_not_there_before_its_threads_are_set():
    code = """if True:
        import os, sys
        from avatalk import cli
        assert "numpy" not in sys.modules
        sys.argv = ["avatalk", "--version"]
        try:
            cli.main()
        finally:
            print(os.environ.get("OPENBLAS_NUM_THREADS"))
    """
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "1", done.stderr
