"""Whatever a user can get wrong: one message, a hint, exit code 2 or 3, and nothing left behind."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from avatalk.cli import app
from conftest import tone

PICTURES = ["jpg", "png", "webp", "gif", "heic", "bmp"]
SOUNDS = ["wav", "mp3", "m4a", "ogg", "flac", "opus", "mp4"]


@pytest.fixture
def refused(tmp_path):
    """Run `avatalk make`, expect a refusal, and return its message."""

    def run(*arguments, codes=(2,), output=None):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        done = CliRunner().invoke(app, ["make", "-o", str(output or out / "v.mp4"), *map(str, arguments)])
        assert isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code in codes, done.stderr
        assert not list(out.iterdir())
        lines = [line for line in done.stderr.splitlines() if line.startswith(("Error:", "  "))]
        assert lines[0].startswith("Error:") and len(lines) == 2 and lines[1].strip(), done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    return run


def landscape():
    rng = np.random.default_rng(3)
    y = np.linspace(0, 1, 300)[:, None, None]
    sky = np.concatenate([90 + 80 * y, 140 + 60 * y, 220 - 40 * y], 2) * np.ones((1, 400, 1))
    sky[200:] = (70, 120, 60)
    return np.clip(sky + rng.normal(0, 6, sky.shape), 0, 255).astype(np.uint8)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize(
    "option", ["avatar", "audio", "voice-sample", "background", "overlay", "file", "spec"]
)
def test_addresses_are_not_fetched(refused, option):
    text = () if option in ("audio", "file", "spec") else ("--text", "Hi.")
    message = refused(f"--{option}", "https://files.example.org/a.png", *text)
    assert "files.example.org/a.png" in message and "Download it" in message


# --- pictures --------------------------------------------------------------------------------------


def test_no_face(refused, tmp_path):
    message = refused("--avatar", save(tmp_path / "a.png", landscape()), "--text", "Hi.")
    assert "face" in message.lower()


def test_several_faces_are_numbered_and_one_is_chosen(tmp_path, portrait):
    pair = np.concatenate([portrait(480, 480, "ada"), portrait(480, 480, "ben")], axis=1)
    path = save(tmp_path / "two.png", pair)
    common = ["make", "--avatar", str(path), "--text", "Hi.", "--fps", "5", "--quality", "draft", "--json"]
    done = CliRunner().invoke(app, [*common, "-o", str(tmp_path / "a.mp4")])
    assert done.exit_code == 0, done.stderr
    assert "--face" in done.stdout
    assert CliRunner().invoke(app, [*common, "--face", "2", "-o", str(tmp_path / "b.mp4")]).exit_code == 0
    assert (tmp_path / "a.mp4").read_bytes() != (tmp_path / "b.mp4").read_bytes()
    done = CliRunner().invoke(app, [*common, "--face", "3", "-o", str(tmp_path / "c.mp4")])
    assert done.exit_code == 2 and not (tmp_path / "c.mp4").exists()


def test_a_face_that_is_too_small(refused, tmp_path, portrait):
    canvas = landscape()
    canvas[100:140, 100:140] = np.asarray(Image.fromarray(portrait(480, 480, "ada")).resize((40, 40)))
    refused("--avatar", save(tmp_path / "a.png", canvas), "--text", "Hi.")


@pytest.mark.parametrize("ending", PICTURES)
@pytest.mark.parametrize("content", [b"", b"this is a shopping list\n" * 40, bytes(range(256)) * 30])
def test_files_that_are_no_pictures(refused, tmp_path, ending, content):
    path = tmp_path / f"photo.{ending}"
    path.write_bytes(content)
    assert path.name in refused("--avatar", path, "--text", "Hi.")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif"])
def test_truncated_pictures(refused, tmp_path, ending):
    path = save(tmp_path / f"photo.{ending}", landscape())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    refused("--avatar", path, "--text", "Hi.")


def test_a_decompression_bomb(refused, tmp_path):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(2_000_000))
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    assert "megapixel" in refused("--avatar", path, "--text", "Hi.")


def test_a_missing_picture_and_a_folder(refused, tmp_path):
    refused("--avatar", tmp_path / "nobody.jpg", "--text", "Hi.")
    refused("--avatar", tmp_path, "--text", "Hi.")


# --- sounds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", SOUNDS)
@pytest.mark.parametrize("content", [b"", b"this is a shopping list\n" * 40, bytes(range(256)) * 30])
def test_files_that_are_no_sounds(refused, tmp_path, ending, content):
    path = tmp_path / f"speech.{ending}"
    path.write_bytes(content)
    assert path.name in refused("--audio", path)


def test_a_picture_given_as_a_sound(refused, tmp_path):
    refused("--audio", save(tmp_path / "speech.png", landscape()))


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(44100),
        np.zeros(10),
        tone(3.0, hertz=440),
        0.3 * np.random.default_rng(0).standard_normal(66150),
    ],
    ids=["silence", "nothing", "a tone", "noise"],
)
def test_sounds_without_speech(refused, make_wav, sound):
    refused("--audio", make_wav(sound))


# --- words and names -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   \n", "...", "!?!", "🙂🙃"])
def test_text_with_nothing_to_say(refused, text):
    refused("--text", text)


def test_text_the_voice_cannot_speak(refused):
    assert "voice" in refused("--text", "你好，世界。今天天气很好。", "--voice", "amy")


@pytest.mark.parametrize(
    ("option", "wrong", "right"),
    [("--avatar", "adda", "ada"), ("--voice", "amyy", "amy"), ("--engine", "animater", "animator")],
)
def test_unknown_names_bring_the_nearest(refused, option, wrong, right):
    assert right in refused("--text", "Hi.", option, wrong)


def test_text_that_is_not_utf8(refused, tmp_path):
    assert "UTF-8" in refused("--text", "Latin \udce4\udcf6")


def test_options_out_of_range_say_what_is_allowed(refused):
    assert "0.5" in refused("--text", "Hi.", "--speed", "9")
    assert "16:9" in refused("--text", "Hi.", "--aspect", "4:3")


def test_its_own_sources_are_not_overwritten(tmp_path, espeak_wav):
    path = tmp_path / "mine.mp4"
    path.write_bytes(espeak_wav("Good morning.").read_bytes())
    before = path.read_bytes()
    done = CliRunner().invoke(app, ["make", "--audio", str(path), "-o", str(path)])
    assert done.exit_code == 2 and "lost" in done.stderr
    assert path.read_bytes() == before


def test_a_spec_whose_sources_are_gone(refused, tmp_path):
    (tmp_path / "request.json").write_text('{"avatar": "me.jpg", "text": "Hi."}')
    message = refused("--spec", tmp_path / "request.json")
    assert "me.jpg" in message and "--avatar" in message


def test_no_speech_at_all_and_twice(refused, make_wav):
    refused("--avatar", "ada")
    refused("--text", "Hi.", "--audio", make_wav(tone(1.0)))


# --- places ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["missing/v.mp4", "v.avi", "folder"])
def test_outputs_that_cannot_be_written(refused, tmp_path, name):
    (tmp_path / "folder").mkdir()
    refused("--text", "Hi.", output=tmp_path / name, codes=(2, 3))


def test_a_read_only_place(refused):
    refused("--text", "Hi.", output="/proc/v.mp4", codes=(2, 3))


def test_a_spec_that_is_none(refused, tmp_path, make_wav):
    for name, content in (("a.json", "{"), ("b.json", "[1]"), ("c.json", '{"txt": 1}'), ("d.txt", "hello")):
        (tmp_path / name).write_text(content)
        refused("--spec", tmp_path / name)
    refused("--spec", tmp_path / "nothing.json")
    refused("--spec", make_wav(tone(1.0)))
