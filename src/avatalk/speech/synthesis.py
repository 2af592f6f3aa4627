"""Text becomes a sound file with timed phonemes and words, sentence by sentence."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from avatalk._version import __version__
from avatalk.errors import SpeechError
from avatalk.events import Monitor
from avatalk.media import Float32Array, Phoneme, Speech, Word
from avatalk.speech.align import align_utterance
from avatalk.speech.audio import AudioClip
from avatalk.speech.base import SpeechEngine, Utterance, Voice
from avatalk.speech.cache import SentenceCache
from avatalk.speech.columns import Columns
from avatalk.speech.correct import Take, corrected, no_sentence, script_of
from avatalk.speech.frames import frame_count
from avatalk.speech.lines import Line, lines, voices_of
from avatalk.speech.loudness import Meter, limited
from avatalk.speech.resample import resample
from avatalk.speech.riff import header
from avatalk.speech.ssml import Script, parse
from avatalk.speech.text import check_speakable
from avatalk.speech.voices import check_readable, choose, engine_of
from avatalk.workspace import cannot_write

T = TypeVar("T")

SAMPLE_RATE = 22050
"""Hertz of the file; what engines make at other rates is resampled."""

HEAD_S = 0.15
TAIL_S = 0.3
"""Silence before and behind, so that a video neither begins nor ends in the middle of a mouth shape."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Sentences of a text that are said otherwise.

    Attributes:
        texts: number of a sentence, from 0 → what is said instead.
        fps: of the video, exact: what follows a correction moves by whole frames.
    """

    texts: Mapping[int, str]
    fps: Fraction


def speak(
    text: str | Script,
    voice: str | Voice | None,
    speed: float,
    pitch: float,
    folder: Path,
    monitor: Monitor,
    sex: str = "",
    changes: Changes | None = None,
) -> Speech:
    """Speak `text` into a 16-bit mono WAV file at -16 LUFS, its true peak at most -1 dBTP.

    Memory does not grow with the sound; what is kept of a phoneme or word takes about 25 bytes.

    Args:
        text: plain or SSML, of any length; or a script that was read from it.
        voice: a voice, or what `avatalk.speech.voices.lookup` knows; None for one that reads the script
            of the text.
        speed: 0.5..2, 1 is the voice's own.
        pitch: 0.5..2, factor on the fundamental frequency.
        folder: where the file goes; the caller's, who removes it.
        monitor: told of progress in characters, and warned.
        sex: ``female`` or ``male``, for the choice where no voice is given.
        changes: sentences that are said otherwise, at the loudness that the text has without them.

    Returns:
        The sound; phonemes without gaps from its beginning to its end; words as written.

    Raises:
        SpeechError: the text is empty, malformed, or in letters that the voice does not read.
        UnknownName: there is no such voice.
        EngineUnavailable: the engine cannot run here.
        OutputError: the sound cannot be written.
        BadInput: a correction is of a sentence that there is not.
    """
    script = text if isinstance(text, Script) else parse(text, monitor)
    chosen = voice if isinstance(voice, Voice) else choose(voice, script.text, monitor, sex)
    check_script(script, chosen, monitor)
    path = Path(folder) / "speech.wav"
    try:
        with tempfile.TemporaryFile(dir=folder) as raw:
            track = _Track(raw, SAMPLE_RATE)
            track.pause(HEAD_S)
            spoken = _utterances(lines(script, chosen, speed, pitch, monitor), monitor)
            for line, utterance in _ahead(spoken):
                track.pause(line.lead_s)
                track.add(utterance, line)
                track.pause(line.pause_s)
                monitor.report("speech", line.end, len(script.text), "characters", "Speaking")
            track.pause(TAIL_S)
            gain = track.meter.gain()
            speech = replace(
                _written(path, raw, track, gain, monitor),
                voice=chosen.name,
                engine=chosen.engine,
                language=chosen.language,
                joints=track.joints(),
            )
        if changes is None or not changes.texts:
            return speech
        takes = _takes(changes.texts, track, gain, folder, monitor)
        n_frames = frame_count(speech.audio.duration_s, SAMPLE_RATE, changes.fps)
        path = Path(folder) / "corrected.wav"
        return corrected(speech, list(track.places), takes, changes.fps, n_frames, path)
    except OSError as error:
        raise cannot_write(path, error) from None


def check_script(script: Script, voice: Voice, monitor: Monitor) -> None:
    """Make sure that a script can be spoken.

    Raises:
        SpeechError: there is nothing to speak, or it is in letters that its voices do not read.
    """
    check_speakable(script.text)
    for speaker, said in voices_of(script, voice, monitor).items():
        check_readable(said, speaker, monitor)


def _takes(
    texts: Mapping[int, str], track: _Track, gain: float, folder: Path, monitor: Monitor
) -> list[Take]:
    """Speak sentences that take the place of others, as these were spoken."""
    takes = []
    for number, text in sorted(texts.items()):
        if number not in track.places:
            raise no_sentence(number, max(track.places))
        place = track.places[number]
        script = script_of(text, monitor)
        check_readable(script.text, place.voice, monitor)
        with tempfile.TemporaryFile(dir=folder) as raw:
            own = _Track(raw, SAMPLE_RATE)
            for line, utterance in _utterances(
                lines(script, place.voice, place.speed, place.pitch, monitor), monitor
            ):
                own.pause(line.lead_s)
                own.add(utterance, line)
                own.pause(line.pause_s)
            said = _written(Path(folder) / f"sentence{number}.wav", raw, own, gain, monitor)
        takes.append(Take(number, place.start, place.stop, said))
    return takes


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield `items` in order, the next one made by a thread meanwhile: engines work outside Python's lock."""
    end = object()
    with ThreadPoolExecutor(1, "avatalk-speech") as one:
        coming = one.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = one.submit(next, items, end)
            yield item  # type: ignore[misc]


def _utterances(spoken: Iterable[Line], monitor: Monitor) -> Iterator[tuple[Line, Utterance]]:
    """Yield every line that can be spoken."""
    cache = SentenceCache()
    identities: dict[Voice, str] = {}
    refused: SpeechError | None = None
    heard = False
    for line in spoken:
        voice, text = line.voice, line.reading.spoken
        engine = engine_of(voice)
        if voice not in identities:
            identities[voice] = f"{__version__} {engine.version(voice)} {_identity(voice)}"
        try:
            utterance = cache.get(
                f"{identities[voice]} {line.speed!r} {line.pitch!r}\n{text}",
                partial(_spoken, engine, line),
            )
        except SpeechError as error:
            refused = error
            monitor.warn(error.message)
            continue
        yield line, utterance
        heard = True
    cache.tidy()
    if not heard and refused:
        raise refused


def _spoken(engine: SpeechEngine, line: Line) -> Utterance:
    """Speak a line; where the engine tells no times, find them in the sound."""
    text = line.reading.spoken
    utterance = engine.speak(text, line.voice, line.speed, line.pitch)
    return utterance if utterance.phonemes is not None else align_utterance(utterance, text, line.voice)


def _identity(voice: Voice) -> str:
    """What tells the sound of `voice` from that of others; of a clone its embedding, wherever it lies."""
    clone = Path(voice.identifier)
    if clone.suffix == ".npz" and clone.is_file():
        return f"{voice.language} {hashlib.sha256(clone.read_bytes()).hexdigest()}"
    return f"{voice.language} {voice.sex} {voice.identifier} {voice.scripts}"


def _written(path: Path, raw: BinaryIO, track: _Track, gain: float, monitor: Monitor) -> Speech:
    """Write what was spoken at the wanted loudness, and return it."""
    with path.open("wb") as file:
        file.write(header(track.samples, track.sample_rate))
        for block in limited(raw, gain, track.sample_rate):
            monitor.check()
            file.write(np.round(np.clip(block, -1, 1) * 32767).astype("<i2").tobytes())
    clip = AudioClip(path, SAMPLE_RATE, 1, track.samples / SAMPLE_RATE)
    return Speech(clip, track.phonemes, track.words)


@dataclass(slots=True)
class _Place:
    """Who speaks a sentence, how it begins, its first sample and the one after its last."""

    voice: Voice
    speed: float
    pitch: float
    start: int
    stop: int = 0


@dataclass(slots=True)
class _Track:
    """The sound being collected, as float32, and what is said in it so far."""

    file: BinaryIO
    sample_rate: int
    samples: int = 0
    phonemes: Columns[Phoneme] = field(default_factory=lambda: Columns(Phoneme))
    words: Columns[Word] = field(default_factory=lambda: Columns(Word))
    places: dict[int, _Place] = field(default_factory=dict)
    meter: Meter = field(init=False)

    def __post_init__(self) -> None:
        self.meter = Meter(self.sample_rate)

    def pause(self, seconds: float) -> None:
        """Append silence."""
        count = round(seconds * self.sample_rate)
        if count:
            start_s = self.samples / self.sample_rate
            self._write(np.zeros(count, np.float32))
            self._phoneme(Phoneme("", start_s, self.samples / self.sample_rate))

    def add(self, utterance: Utterance, line: Line) -> None:
        """Append what was spoken of a line; its words are as written again."""
        offset = self.samples / self.sample_rate
        place = self.places.setdefault(
            line.sentence, _Place(line.voice, line.speed, line.pitch, self.samples)
        )
        self._write(resample(utterance.sound, utterance.sample_rate, self.sample_rate))
        place.stop = self.samples
        for phoneme in utterance.phonemes or ():
            start_s, end_s = offset + phoneme.start_s, offset + phoneme.end_s
            self._phoneme(replace(phoneme, start_s=start_s, end_s=end_s))
        for word in line.reading.words(utterance.words or ()):
            start_s, end_s = offset + word.start_s, offset + word.end_s
            self.words.append(replace(word, start_s=start_s, end_s=end_s, sentence=line.sentence))

    def joints(self) -> tuple[float, ...]:
        """The middle of each pause between sentences, seconds."""
        pairs = pairwise(self.places.values())
        return tuple((one.stop + other.start) / (2 * self.sample_rate) for one, other in pairs)

    def _phoneme(self, phoneme: Phoneme) -> None:
        """Append a phoneme; neighbouring pauses become one."""
        if self.phonemes and not phoneme.symbol and not self.phonemes[-1].symbol:
            phoneme = replace(phoneme, start_s=self.phonemes.pop().start_s)
        self.phonemes.append(phoneme)

    def _write(self, sound: Float32Array) -> None:
        self.file.write(sound.astype("<f4").tobytes())
        self.meter.add(sound)
        self.samples += len(sound)
