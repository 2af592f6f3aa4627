"""A tiny engine that clones, for what surrounds such engines; the real ones have tests of their own."""

import numpy as np

from avatalk.speech import liken
from avatalk.speech.base import SpeechEngine, Utterance
from avatalk.speech.espeak import Espeak
from avatalk.speech.listening import SAMPLE_RATE, frames_of
from avatalk.speech.resample import resample
from avatalk.speech.traits import traits_of
from avatalk.speech.voices import lookup


class Parrot(SpeechEngine):
    """Clones a voice as a pitch: what it embeds is the measured fundamental, and espeak-ng speaks at it."""

    name = "parrot"
    clones = True
    embedded = 0

    def voices(self):
        return ()

    def languages(self):
        return ("de", "en")

    def version(self, voice):
        return "parrot 1"

    def embed(self, sound, sample_rate):
        Parrot.embedded += 1
        traits = traits_of(frames_of(resample(sound, sample_rate, SAMPLE_RATE)))
        return {"pitch": np.array([traits.pitch_hz], np.float32)}

    def speak(self, sentence, voice, speed=1.0, pitch=1.0) -> Utterance:
        hertz = float(np.load(voice.identifier)["pitch"][0])
        espeak = lookup("anna" if voice.language.startswith("de") else "amy")
        return Espeak().speak(sentence, espeak, speed, pitch * hertz / liken.measured(espeak).pitch_hz)
