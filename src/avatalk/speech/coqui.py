"""YourTTS and XTTS v2 by coqui-tts: voices cloned from a recording, and the speakers of the models.

The library and PyTorch are imported when the first sentence is spoken. The weights lie where the model
manager put them; nothing is fetched here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from avatalk import models, settings
from avatalk.errors import EngineUnavailable, SpeechError, UnreadableFile
from avatalk.events import Monitor
from avatalk.media import Float32Array
from avatalk.models import runtime
from avatalk.models.loaded import loaded
from avatalk.speech.base import SpeechEngine, Utterance, Voice
from avatalk.speech.coqui_files import speaker_names
from avatalk.speech.espeak_voices import about, canonical
from avatalk.speech.resample import resample
from avatalk.speech.spoken import spoken_form
from avatalk.speech.words import Mark, timed_words, tokens_of

if TYPE_CHECKING:
    from avatalk.speech.coqui_files import Network

_HAN = {"ja": ("Hiragana", "Katakana", "Han")}
"""Scripts of the languages of whose scripts the embedded voice reads fewer."""


class Coqui(SpeechEngine):
    """What the two engines share.

    Attributes:
        title: for people.
        codes: BCP-47 tag → what the model calls the language.
        needs: tag → package without which the language cannot be read.
        weights: the file that tells this network from another one.
        network: ``"module:class"``, see `avatalk.speech.coqui_files.Network`.
        speakers: the file that names the speakers.
        licence: of the weights.
    """

    clones = True
    title: ClassVar[str]
    codes: ClassVar[Mapping[str, str]]
    needs: ClassVar[Mapping[str, str]] = {}
    weights: ClassVar[str]
    network: ClassVar[str]
    speakers: ClassVar[str]
    licence: ClassVar[str]

    def languages(self) -> tuple[str, ...]:
        """Return the tags of what can be spoken now; nothing without weights that may be used."""
        return self._readable() if self._usable() else ()

    def voices(self) -> tuple[Voice, ...]:
        """Return every speaker of the model in every language, those whose mother tongue it is first."""
        if not self._usable():
            return ()
        path = models.folder(self.name) / self.speakers
        facts = path.stat()
        try:
            return self._voices(path, (facts.st_size, facts.st_mtime_ns), self._readable())
        except UnreadableFile:  # which `avatalk models verify` tells; other voices go on speaking
            return ()

    def version(self, voice: Voice) -> str:
        """See `SpeechEngine.version`."""
        digest = hashlib.sha256("".join(form.sha256 for form in models.kept(self.name).values()).encode())
        if voice.identifier.endswith(".npz"):
            digest.update(_bytes(Path(voice.identifier)))
        device = runtime.choose_device()
        return f"coqui-tts {version_of('coqui-tts')} {digest.hexdigest()[:16]} {device}"

    def speak(self, sentence: str, voice: Voice, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Speak one sentence; see `SpeechEngine.speak`.

        The network chooses its own melody. Another pitch is that of a tape played faster or slower, with the
        network speaking as much slower or faster before: it makes a voice smaller or larger, too.
        """
        code = self._code(voice.language)
        network = self._loaded()
        cloned = voice.identifier.endswith(".npz")
        learnt = _learnt(Path(voice.identifier)) if cloned else network.speaker(voice.identifier)
        text = spoken_form(sentence, voice.scripts)
        tokens = tokens_of(text)
        seed = int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:4], "big")
        words = [text[token.start : token.end] for token in tokens]
        sound, spans = network.speak(words, code, learnt, speed / pitch, seed)
        if not len(sound):
            raise SpeechError(
                f"{self.title} makes no sound of “{sentence[:40]}”.",
                hint="Write it in the language of the voice, or choose another voice.",
                stage="speech",
                field="text",
            )
        if pitch != 1:
            sound = resample(sound, round(network.sample_rate * pitch), network.sample_rate)
        sound = np.clip(sound, -1, 1)
        if spans is None:
            return Utterance(sound, network.sample_rate)
        marks = [Mark(tokens[word].start, start_s / pitch, end_s / pitch) for word, start_s, end_s in spans]
        return Utterance(sound, network.sample_rate, None, timed_words(sentence, marks))

    def embed(self, sound: Float32Array, sample_rate: int) -> dict[str, npt.NDArray[Any]]:
        """Return what the model's own encoder makes of the voice; see `SpeechEngine.embed`."""
        return self._loaded().embed(sound, sample_rate)

    def _usable(self) -> bool:
        return models.installed(self.name) and not settings.commercial()

    def _readable(self) -> tuple[str, ...]:
        return tuple(
            tag for tag in self.codes if tag not in self.needs or find_spec(self.needs[tag]) is not None
        )

    def _code(self, language: str) -> str:
        """What the model calls `language`, or an error that says who speaks it."""
        for tag in self._readable():
            if canonical(tag) == canonical(language):
                return self.codes[tag]
        name, _ = about(language)
        wanting = next(
            (need for tag, need in self.needs.items() if canonical(tag) == canonical(language)), ""
        )
        others = [other.title for other in ENGINES if canonical(language) in map(canonical, other.codes)]
        if wanting:
            hint = f"pip install {wanting}"
        elif others:
            hint = f"{' and '.join(others)} speaks it, and the embedded voice does: --voice {language}"
        else:
            hint = f"The embedded voice speaks it: --voice {language}"
        raise SpeechError(
            f"{self.title} cannot speak {name} ({language}) here; it speaks {', '.join(self._readable())}.",
            hint=hint,
            stage="speech",
            field="language",
        )

    def _loaded(self) -> Network:
        """The network, in memory."""
        if not models.installed(self.name):
            raise EngineUnavailable(
                f"The weights of {self.title} are not on this machine.",
                hint=f"avatalk models install {self.name} --accept-license (not for commercial use). The"
                " embedded voices need none: leave out the voice, or see avatalk voices.",
                stage="speech",
            )
        weights = models.path(self.name, self.weights)
        device = runtime.choose_device()
        facts = weights.stat()

        def load() -> Network:
            module, _, attribute = self.network.partition(":")
            network: Network = getattr(import_module(module), attribute)(weights.parent, device)
            return network

        return loaded((self.name, str(weights), facts.st_size, facts.st_mtime_ns, device), load)

    @classmethod
    @cache
    def _voices(cls, path: Path, _facts: tuple[int, int], tags: tuple[str, ...]) -> tuple[Voice, ...]:
        speakers = {name.strip(): name for name in sorted(speaker_names(path), reverse=True)}
        found = []
        for tag in tags:
            language, scripts = about(tag)
            natives = sorted(speakers, key=lambda name: (_mother_tongue(name) != tag[:2], name))
            for speaker in natives:
                name = "-".join("".join(c if c.isalnum() else " " for c in speaker.lower()).split())
                native = (_mother_tongue(speaker) or tags[0][:2]) == tag[:2]
                found.append(
                    Voice(
                        name=name if native else f"{name}-{tag.lower()}",
                        language=tag,
                        language_name=language,
                        sex=next((sex for sex in ("female", "male") if speaker.startswith(f"{sex}-")), ""),
                        engine=cls.name,
                        identifier=speakers[speaker],
                        licence=cls.licence,
                        description=f"{language}, {cls.title}, speaker {speaker}",
                        scripts=_HAN.get(tag, scripts),
                    )
                )
        return tuple(found)


class YourTts(Coqui):
    """YourTTS (https://arxiv.org/abs/2112.02418): VITS with a voice given by its d-vector; 16 kHz, fast."""

    name = "yourtts"
    title = "YourTTS"
    codes: ClassVar[Mapping[str, str]] = {"en": "en", "fr-FR": "fr-fr", "pt-BR": "pt-br"}
    weights = "model_file.pth"
    network = "avatalk.speech.coqui_vits:VitsNetwork"
    speakers = "speakers.json"
    licence = "CC-BY-NC-ND-4.0 (the weights)"


class Xtts(Coqui):
    """XTTS v2 (https://arxiv.org/abs/2406.04904): a language model of sounds; 24 kHz, best on a GPU."""

    name = "xtts"
    title = "XTTS v2"
    codes: ClassVar[Mapping[str, str]] = {
        **{tag: tag for tag in ["en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar"]},
        "cmn": "zh-cn",
        **{tag: tag for tag in ["hu", "ko", "ja", "hi"]},
    }
    needs: ClassVar[Mapping[str, str]] = {"cmn": "pypinyin", "ja": "cutlet"}
    weights = "model.pth"
    network = "avatalk.speech.coqui_xtts:XttsNetwork"
    speakers = "speakers_xtts.pth"
    licence = "Coqui Public Model License 1.0.0, non-commercial (weights and what they say)"


ENGINES: tuple[type[Coqui], ...] = (Xtts, YourTts)


def convert(weights: Path, monitor: Monitor) -> None:
    """Make the fast form of YourTTS ahead of its first use."""
    runtime.require("TTS", "coqui")
    if runtime.choose_device() == "cpu":
        monitor.report("speech", message="Converting YourTTS")
        import_module("avatalk.speech.coqui_vits").VitsNetwork(weights.parent, "cpu")


def _mother_tongue(speaker: str) -> str:
    """The language in a name of YourTTS such as ``female-pt-4``; empty in others."""
    parts = speaker.split("-")
    return parts[1] if len(parts) == 3 and parts[0] in ("female", "male") else ""


def _learnt(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read what `Coqui.embed` returned."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError) as error:
        raise UnreadableFile(
            f"The cloned voice {path.name} is missing or damaged.", hint="Clone it again.", stage="speech"
        ) from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(
            f"The cloned voice {path.name} cannot be read.", hint="Clone it again.", stage="speech"
        ) from error
