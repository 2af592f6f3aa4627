"""Text becomes a sound file: the command line, Python, and how loud it comes out."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from threading import Event

import av
import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly
from typer.testing import CliRunner

import avatalk
from avatalk.cli import app
from avatalk.errors import BadInput, Cancelled, OutputError, SpeechError, UnreadableFile
from avatalk.events import Monitor
from avatalk.spec import read_text
from avatalk.speech.audio import open_audio
from avatalk.speech.loudness import CEILING, Meter, limited
from avatalk.speech.riff import header
from avatalk.speech.synthesis import speak

TEXT = "Good morning. How are you today?"


def sound_of(path: Path) -> np.ndarray:
    clip = open_audio(path)
    return np.concatenate(list(clip.blocks(clip.sample_rate)))[:, 0].astype(float)


def run(*arguments: object, stdin: str | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


# --- the command and the function ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "m4a", "ogg", "opus"])
def test_every_kind_of_file_holds_the_same_speech(tmp_path, kind):
    path = tmp_path / f"speech.{kind}"
    said = avatalk.say(TEXT, path, voice="emma")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert (said.voice, said.engine) == ("emma", "espeak")
    assert [word.text for word in said.words] == TEXT.split()
    clip = open_audio(path)
    assert clip.channels == 1
    assert clip.duration_s == pytest.approx(said.duration_s, abs=0.01)
    speak(TEXT, "emma", 1.0, 1.0, tmp_path, Monitor())
    wanted, got = sound_of(tmp_path / "speech.wav"), sound_of(path)
    got = resample_poly(got, 147, 320) if clip.sample_rate == 48_000 else got
    length = min(len(wanted), len(got))
    assert np.corrcoef(wanted[:length], got[:length])[0, 1] > 0.98


def test_the_command_takes_text_a_file_or_standard_input(tmp_path):
    script = tmp_path / "script.txt"
    script.write_bytes(b"\xef\xbb\xbf" + TEXT.replace(" ", "\r\n\r\n").encode())
    for name, arguments, stdin in (
        ("a.wav", [TEXT], None),
        ("b.wav", ["--file", script], None),
        ("c.wav", ["-"], TEXT),
    ):
        code, out, _ = run("say", *arguments, "--json", "-o", tmp_path / name, stdin=stdin)
        told = json.loads(out)
        assert code == 0
        assert [word["text"] for word in told["words"]] == TEXT.split()
        assert told["duration_s"] == pytest.approx(open_audio(tmp_path / name).duration_s, abs=0.001)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "c.wav").read_bytes()


def test_a_video_speaks_the_file_too(tmp_path):
    script = tmp_path / "script.txt"
    script.write_text("Hello.", "utf-8")
    options = ["--size", "160x90", "--fps", "10", "--quality", "draft", "-o", tmp_path / "v.mp4"]
    assert run("make", "--file", script, *options)[0] == 0
    assert avatalk.load_spec(tmp_path / "v.mp4").text == "Hello."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "a.wav"], "nothing to say"),
        (["Hi", "--file", "b.txt", "-o", "a.wav"], "Both"),
        (["Hi", "-o", "a.txt"], "does not end in"),
        (["--file", "no.txt", "-o", "a.wav"], "no such file"),
        (["...", "-o", "a.wav"], "no letters"),
        (["Hi", "--voice", "nobody at all", "-o", "a.wav"], "no voice"),
    ],
)
def test_what_cannot_be_said_is_told(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("say", *arguments)
    assert code == 2
    assert said in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"PK\0\0", "not text"), (b"Hello.\nM\xe4rz", "line 2"), (b"a" * 10_000_001, "larger than 10 MB")],
)
def test_a_file_that_is_not_text(tmp_path, data, said):
    path = tmp_path / "script.txt"
    path.write_bytes(data)
    with pytest.raises(UnreadableFile, match=said) as caught:
        read_text(path)
    assert caught.value.field == "file"
    with pytest.raises(UnreadableFile, match="directory"):
        read_text(tmp_path)


def test_utf16_is_read_by_its_mark(tmp_path):
    path = tmp_path / "script.txt"
    path.write_text("Grüße", "utf-16")
    assert read_text(path) == "Grüße"


def test_errors_in_python(tmp_path):
    with pytest.raises(BadInput):
        avatalk.say("Hi", tmp_path / "a.wav", size="10x10x10")
    with pytest.raises(SpeechError):
        avatalk.say(" ", tmp_path / "a.wav")
    with pytest.raises(OutputError):
        avatalk.say("Hi", tmp_path / "nowhere" / "a.wav")


def test_stopping_leaves_nothing(tmp_path):
    stop = Event()

    def after_three(progress):
        if progress.done > 60:
            stop.set()

    (tmp_path / "a.wav").write_bytes(b"old")
    with pytest.raises(Cancelled):
        avatalk.say("One sentence more. " * 20, tmp_path / "a.wav", on_progress=after_three, cancel=stop)
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]
    assert (tmp_path / "a.wav").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signal")
def test_ctrl_c_stops_the_command(tmp_path):
    (tmp_path / "long.txt").write_text("".join(f"This is sentence {n}. " for n in range(20_000)), "utf-8")
    command = [sys.executable, "-m", "avatalk.cli", "say", "--file", "long.txt", "-o", "a.wav"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "characters" in line:
            break
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    rest = process.stderr.read()
    assert process.wait() == 3
    assert time.monotonic() - began < 20  # the whole would take minutes
    assert "Stopped" in rest
    assert [file.name for file in tmp_path.iterdir()] == ["long.txt"]


# --- loudness --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_loudness_is_that_of_pyloudnorm(rate):
    rng = np.random.default_rng(rate)
    envelope = np.repeat(rng.random(60) ** 3, rate // 4)
    hum = np.sin(2 * np.pi * 180 * np.arange(len(envelope)) / rate)
    sound = (0.3 * envelope * (hum + 0.1 * rng.standard_normal(len(envelope)))).astype(np.float32)
    meter = Meter(rate)
    for start in range(0, len(sound), 7777):
        meter.add(sound[start : start + 7777])
    assert meter.lufs() == pytest.approx(
        pyloudnorm.Meter(rate).integrated_loudness(sound.astype(float)), abs=0.2
    )


def test_a_sine_of_997_hertz_at_full_scale_is_at_minus_3_lufs():
    meter = Meter(48_000)
    meter.add(np.sin(2 * np.pi * 997 * np.arange(48_000 * 5) / 48_000).astype(np.float32))
    assert meter.lufs() == pytest.approx(-3.01, abs=0.02)  # ITU-R BS.1770: 0 dBFS, one front channel


def test_silence_has_no_gain():
    meter = Meter(22_050)
    meter.add(np.zeros(50_000, np.float32))
    assert meter.gain() == 1
    assert Meter(22_050).gain() == 1


@pytest.mark.parametrize("voice", ["amy", "brian", "lukas", "chloe", "mei", "sw", "en-us+whisper"])
def test_speech_comes_out_at_minus_16_lufs_without_clipping(tmp_path, voice):
    text = (
        "你好，世界。今天天气很好。"
        if voice == "mei"
        else "Panama papa. A banana! Seventy-six trombones go by."
    )
    avatalk.say(text * 6, tmp_path / "a.wav", voice=voice)
    sound = sound_of(tmp_path / "a.wav")
    assert pyloudnorm.Meter(22_050).integrated_loudness(sound) == pytest.approx(-16, abs=0.4)
    assert 20 * np.log10(np.abs(resample_poly(sound, 8, 1)).max()) <= -1


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.sampled_from([8000, 16_000, 22_050, 24_000, 48_000]),
    gain=st.floats(0.01, 30),
    seconds=st.floats(0.001, 4.5),
)
def test_the_limiter_holds_any_sound_under_the_ceiling(seed, rate, gain, seconds):
    rng = np.random.default_rng(seed)
    count = max(1, int(rate * seconds))
    sound = np.convolve(rng.standard_normal(count) * rng.random(count) ** 8, np.hanning(9), "same")[:count]
    sound = (0.2 * sound).astype("<f4")
    out = np.concatenate(list(limited(io.BytesIO(sound.tobytes()), gain, rate)))
    assert len(out) == count
    assert np.abs(out).max() <= CEILING * 1.0001
    assert np.abs(resample_poly(out.astype(float), 8, 1)).max() <= 10 ** (-0.9 / 20)
    quiet = np.abs(sound * gain).max() < 0.3
    assert not quiet or np.allclose(out, sound * gain)


def test_the_limiter_acts_only_near_the_peak():
    sound = np.full(22_050, 0.1, "<f4")
    sound[11_000:11_020] = 0.9 * np.hanning(20)
    out = np.concatenate(list(limited(io.BytesIO(sound.tobytes()), 2.0, 22_050)))
    changed = np.flatnonzero(np.abs(out - 2 * sound) > 1e-6)
    assert len(changed)
    assert changed.min() > 11_000 - 0.012 * 22_050
    assert changed.max() < 11_020 + 0.012 * 22_050
    assert np.diff(out[: changed.min() + 100]).max() < 0.01  # no click where it sets in


def test_a_text_may_begin_with_a_negative_number_and_wants_quotes(tmp_path):
    path = tmp_path / "cold.wav"
    done = CliRunner().invoke(app, ["say", "-5 °C outside", "-o", str(path), "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["words"][0]["text"] == "-5"
    done = CliRunner().invoke(app, ["say", "--speed", "-5", "Hello", "-o", str(path)])
    assert done.exit_code == 2 and "speed" in done.stderr
    done = CliRunner().invoke(app, ["say", "Good", "morning", "-o", str(path)])
    assert done.exit_code == 2 and "quotes" in " ".join(done.stderr.split())


@pytest.mark.parametrize("samples", [0, 1, 70_000, 2**31 + 9])
def test_a_wav_file_may_be_longer_than_four_gigabytes(tmp_path, samples):
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.write(header(samples, 22_050))
        file.truncate(file.tell() + 2 * samples)  # silence that takes no space on most disks
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.sample_rate, stream.channels) == ("pcm_s16le", 22_050, 1)
        assert (stream.duration or 0) == samples
    if samples < 2**31:
        with wave.open(str(path)) as file:
            assert (file.getparams()[:4]) == (1, 2, 22_050, samples)
