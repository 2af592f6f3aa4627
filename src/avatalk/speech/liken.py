"""The nearest voice that is here: where none can be cloned, one is chosen and set by what was measured."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

from avatalk.errors import SpeechError
from avatalk.speech.base import Voice
from avatalk.speech.listening import SAMPLE_RATE, frames_of
from avatalk.speech.resample import resample
from avatalk.speech.sentences import sentence_in
from avatalk.speech.traits import Traits, traits_of
from avatalk.speech.voices import engine_of, voices_of_language
from avatalk.workspace import kept_or_made

PITCHES = (0.5, 2.0)
SPEEDS = (0.75, 1.35)
"""Factors within which a voice is set; speech further off sounds wrong, and its rate is measured roughly."""

_MOST_VOICES = 12  # that are listened to
_SEMITONES, _BRIGHTNESS_DB = 4.0, 8.0  # differences that weigh alike
_FORM = 1  # counted up when traits come to be measured otherwise


def nearest(traits: Traits, language: str) -> tuple[Voice, float, float]:
    """Return the voice of a language that is most like `traits`, and how to set its speed and pitch.

    Neural voices come before embedded ones, and voices of the same sex before others.

    Args:
        traits: what to come near to.
        language: a tag.

    Returns:
        The voice, a factor on its speed and one on its pitch.

    Raises:
        UnknownName: there is no voice of that language.
    """
    voices = voices_of_language(language)
    same = [voice for voice in voices if voice.sex == traits.sex]
    heard = [(voice, measured(voice)) for voice in (same or voices)[:_MOST_VOICES]]
    voice, own = min(heard, key=lambda pair: _distance(pair[1], traits))
    speed = _within(SPEEDS, traits.rate / own.rate if traits.rate and own.rate else 1.0)
    pitch = _within(PITCHES, traits.pitch_hz / own.pitch_hz if traits.pitch_hz and own.pitch_hz else 1.0)
    if pitch != 1.0:  # an engine may go less far, or further, than it is told
        reached = measured(voice, speed, pitch).pitch_hz
        pitch = _within(PITCHES, pitch * traits.pitch_hz / reached) if reached else pitch
    return voice, speed, pitch


def measured(voice: Voice, speed: float = 1.0, pitch: float = 1.0) -> Traits:
    """What `voice` is like when it says the sample sentence of its language; kept in the cache."""
    engine, sentence = engine_of(voice), sentence_in(voice.language)

    def listen(_source: str) -> bytes:
        try:
            said = engine.speak(sentence, voice, speed, pitch)
        except SpeechError:
            return json.dumps(asdict(Traits(0, 0, 0, 0, 0))).encode()
        sound = resample(said.sound, said.sample_rate, SAMPLE_RATE)
        return json.dumps(asdict(traits_of(frames_of(sound)))).encode()

    about = (_FORM, voice.engine, voice.identifier, engine.version(voice), sentence, speed, pitch)
    return Traits(**json.loads(kept_or_made("traits", repr(about), listen)))


def _distance(one: Traits, other: Traits) -> float:
    """How unlike two voices are; pitch counts though it can be set, since that costs quality."""
    pitch = 12 * math.log2(one.pitch_hz / other.pitch_hz) if one.pitch_hz and other.pitch_hz else 0.0
    bright = one.brightness_db - other.brightness_db
    return math.hypot(pitch / _SEMITONES, bright / _BRIGHTNESS_DB)


def _within(bounds: tuple[float, float], factor: float) -> float:
    return round(min(max(factor, bounds[0]), bounds[1]), 3)
