"""The corpus that `train_lips.py` learns from: espeak-ng speaks in many voices, rooms and languages."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from pydoc_data.topics import topics

import espeakng_loader
import numpy as np

from avatalk.lipsync.listen_features import SAMPLE_RATE, SHAPES_EAR, STEP_S, MelStream
from avatalk.lipsync.visemes import from_phonemes, sounds_of
from avatalk.media import Phoneme
from avatalk.speech.timing import mouth_times
from lips_rooms import another_throat, breathy, in_a_room, noise

PIECE_S = 8.0  # one training example
PIECES_AT_ONCE = 50

# --- text --------------------------------------------------------------------------------------------

LATIN = ("b c d f g h j k l m n p r s t v w z ch sh th br tr st pl", "a e i o u ai ou ee oo ea")
SCRIPTS = {  # onsets and vowels of pseudo-words
    "ru uk be bg mk sr kk ky tt ba cv": ("б в г д ж з к л м н п р с т ф х ц ч ш", "а е и о у ы э ю я"),
    "el": ("β γ δ ζ θ κ λ μ ν ξ π ρ σ τ φ χ ψ", "α ε η ι ο ου ει αι"),
    "hi mr ne kok": ("क ख ग च ज ट ड त थ द ध न प फ ब भ म य र ल व श स ह", "ा ि ी ु ू े ै ो ौ"),
    "ar fa ur ug sd": ("ب ت ث ج ح خ د ذ ر ز س ش ص ط ع غ ف ق ك ل م ن ه", "َ ِ ُ ا و ي"),
    "bn as bpy": ("ক খ গ চ জ ট ড ত থ দ ধ ন প ফ ব ভ ম য র ল শ স হ", "া ি ী ু ে ো"),
    "ta": ("க ச ட த ப ம ந ன ல ர வ ய", "ா ி ீ ு ே ொ"),
    "ka": ("ბ გ დ ვ ზ თ კ ლ მ ნ პ რ ს ტ ფ ქ შ ჩ ც ძ ხ", "ა ე ი ო უ"),
    "hy hyw": ("բ գ դ զ թ լ խ կ հ մ ն շ չ պ ջ ս վ տ ր ց ֆ", "ա ե է ի ո ու"),
    "he": ("ב ג ד ה ז ח ט כ ל מ נ ס פ צ ק ר ש ת", "ַ ִ ֶ ו י"),
}
UNSEEN_LANGUAGES = {"sv", "tr", "pl", "sw", "ja"}
UNSEEN_VARIANTS = {
    "f4",
    "m7",
    "Denis",
    "linda",
    "adam",
    "klatt",
    "klatt2",
    "klatt3",
    "klatt4",
    "klatt5",
    "klatt6",
}
ENGLISH = re.sub(r"[^A-Za-z ,.]+", " ", " ".join(topics[key] for key in sorted(topics))).split()


def text_for(language: str, rng: np.random.Generator, latin: tuple[str, str] = LATIN) -> str:
    """Some ten seconds of text: half of it English prose (with the voice's accent), half pseudo-words."""
    language = language.split("-")[0]
    script = next((pair for names, pair in SCRIPTS.items() if language in names.split()), latin)
    if language == "en" or (script is latin and rng.random() < 0.5):
        start = int(rng.integers(len(ENGLISH) - 40))
        return " ".join(ENGLISH[start : start + 28])
    onsets, vowels = script[0].split(), script[1].split()
    if language == "ko":
        onsets, vowels = [chr(0xAC00 + 28 * i + j) for i in range(0, 399, 5) for j in (0, 4, 8)], [""]
    words = []
    for _ in range(24):
        word = "".join(str(rng.choice(onsets)) + str(rng.choice(vowels)) for _ in range(rng.integers(1, 4)))
        if script is latin and rng.random() < 0.4:
            word += str(rng.choice(list("lmnrstkpdfb")))
        words.append(word + ("," if rng.random() < 0.1 else ""))
    return " ".join(words)


# --- speech ------------------------------------------------------------------------------------------


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
    )


class Espeak:
    """As much of espeak-ng as training needs."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self.sample_rate = self._lib.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 3)
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )
        self._callback = kind(self._receive)
        self._lib.espeak_SetSynthCallback(self._callback)
        self._lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._sound: list[np.ndarray] = []
        self._events: list[tuple[int, str]] = []

    def languages(self) -> list[tuple[str, str]]:
        """(language, voice's identifier) of every voice, always in the same order."""
        found, at = [], self._lib.espeak_ListVoices(None)
        for index in range(10000):
            if not at[index]:
                break
            voice = at[index].contents
            found.append((voice.languages[1:].decode(), voice.identifier.decode()))
        data = Path(espeakng_loader.get_data_path())  # espeak-ng crashes after a voice without a dictionary
        return sorted(
            pair for pair in found if (data / f"{pair[1].split('/')[-1].split('-')[0]}_dict").exists()
        )

    def variants(self) -> list[str]:
        """Names of the voices' variants."""
        folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
        return sorted(path.name for path in folder.iterdir() if " " not in path.name)

    def _receive(self, wave, samples, event) -> int:
        if wave and samples:
            self._sound.append(np.ctypeslib.as_array(wave, (samples,)).astype(np.float32) / 32768)
        index = 0
        while event[index].type:
            if event[index].type == 7:
                raw = ctypes.string_at(ctypes.addressof(event[index].id), 8).split(b"\0")[0]
                self._events.append((event[index].sample, raw.decode("utf-8", "ignore")))
            index += 1
        return 0

    def say(
        self, text: str, voice: str, rate: int, pitch: int, span: int
    ) -> tuple[np.ndarray, list[Phoneme]]:
        """Speak; return (samples,) float32 at `sample_rate`, and the phonemes."""
        self._sound, self._events = [], []
        self._lib.espeak_SetVoiceByName(voice.encode())
        for parameter, value in ((1, rate), (3, pitch), (4, span)):
            self._lib.espeak_SetParameter(parameter, value, 0)
        raw = text.encode() + b"\0"
        self._lib.espeak_Synth(raw, ctypes.c_size_t(len(raw)), 0, 1, 0, 1, None, None)
        self._lib.espeak_Synchronize()
        sound = np.concatenate([*self._sound, np.zeros(1, np.float32)])
        phonemes = _phonemes(self._events, len(sound), self.sample_rate)
        return sound, mouth_times(phonemes, sound, self.sample_rate)


def _phonemes(events: list[tuple[int, str]], samples: int, sample_rate: int) -> list[Phoneme]:
    """Each event lasts until the next; a pause goes ahead."""
    events = [(0, ""), *events, (samples, "")]
    return [
        Phoneme(symbol.strip("ˈˌ"), start / sample_rate, end / sample_rate, "ˈ" in symbol)
        for (start, symbol), (end, _) in pairwise(events)
        if end > start
    ]


# --- the corpus --------------------------------------------------------------------------------------


def heard(sound: np.ndarray) -> np.ndarray:
    """(800, 40) float16 decibels of eight seconds."""
    stream = MelStream(SHAPES_EAR)
    frames = np.concatenate([stream.push(sound.astype(np.float32)), stream.flush()])
    return frames[: round(PIECE_S * 100)].astype(np.float16)


def lips(phonemes: list[Phoneme]) -> np.ndarray:
    """(400, 7) float16: the six mouth parameters, and whether anybody speaks, every 20 ms."""
    count = round(PIECE_S / STEP_S)
    time, speaking = np.arange(count) * STEP_S, np.zeros(count)
    for phoneme in phonemes:
        if sounds_of(phoneme.symbol):
            speaking[(time > phoneme.start_s - 0.06) & (time < phoneme.end_s + 0.06)] = 1
    curve = from_phonemes(phonemes, 1 / STEP_S, count).values
    return np.concatenate([curve, speaking[:, None]], axis=1).astype(np.float16)


def one_piece(espeak: Espeak, unseen: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What is heard and seen of `one_speech`."""
    whole, phonemes = one_speech(espeak, unseen, rng)
    return heard(whole), lips(phonemes)


def one_speech(
    espeak: Espeak,
    unseen: bool,
    rng: np.random.Generator,
    text: Callable[[str, np.random.Generator], str] = text_for,
    english: float = 0.35,
) -> tuple[np.ndarray, list[Phoneme]]:
    """Eight seconds of somebody speaking somewhere."""
    languages = [pair for pair in espeak.languages() if (pair[0].split("-")[0] in UNSEEN_LANGUAGES) == unseen]
    variants = [v for v in espeak.variants() if (v in UNSEEN_VARIANTS) == unseen and "whisper" not in v]
    language, voice = languages[rng.integers(len(languages))]
    if english and rng.random() < english:
        language, voice = ("en-gb", "gmw/en") if rng.random() < 0.5 else ("en-us", "gmw/en-US")
    if unseen or rng.random() < 0.75:
        voice += "+" + variants[rng.integers(len(variants))]
    sound, phonemes = espeak.say(
        text(language, rng),
        voice,
        int(rng.uniform(125, 270)),
        int(rng.uniform(10, 90)),
        int(rng.uniform(20, 99)),
    )
    if len(sound) < espeak.sample_rate:  # a voice that cannot read this text
        return one_speech(espeak, unseen, rng, text, english)
    return somewhere(sound, espeak.sample_rate, phonemes, rng)


def somewhere(
    sound: np.ndarray, sample_rate: int, phonemes: list[Phoneme], rng: np.random.Generator
) -> tuple[np.ndarray, list[Phoneme]]:
    """Eight seconds of a speech, out of another throat and perhaps in a room."""
    factor = float(np.exp(np.clip(rng.normal(0, 0.11), -0.25, 0.25)))
    factor = round(160 * sample_rate * factor / SAMPLE_RATE) / (160 * sample_rate / SAMPLE_RATE)
    offset = rng.uniform(-3.0, 2.0)  # silence before, or from the middle
    whole = np.zeros(int(PIECE_S * SAMPLE_RATE), np.float32)
    sound = another_throat(sound, sample_rate, factor)
    offset = max(offset, 1.0 - len(sound) / SAMPLE_RATE)
    if rng.random() < 0.6:
        sound = breathy(sound, rng.uniform(0.05, 0.8), rng)
    sound = sound[max(int(-offset * SAMPLE_RATE), 0) :]
    begin = max(int(offset * SAMPLE_RATE), 0)
    sound = sound[: len(whole) - begin]
    whole[begin : begin + len(sound)] = sound
    if rng.random() < 0.5:
        whole = in_a_room(whole, rng)
    moved = [
        Phoneme(p.symbol, p.start_s / factor + offset, p.end_s / factor + offset, p.stressed)
        for p in phonemes
        if p.end_s / factor + offset > 0
    ]
    return whole, moved


def some_pieces(pieces: int, unseen: bool, seed: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """`one_piece` several times, by an espeak-ng of its own."""
    espeak, rng = Espeak(), np.random.Generator(np.random.PCG64(seed))
    return [one_piece(espeak, unseen, rng) for _ in range(pieces)]


def many_pieces(pieces: int, unseen: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(pieces, 800, 40) and (pieces, 400, 7), by processes: once in some thousand texts espeak-ng crashes."""
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    attempt = 0
    while len(pairs) < pieces:
        attempt += 1
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            try:
                job = pool.submit(some_pieces, PIECES_AT_ONCE, unseen, [seed, int(unseen), attempt])
                pairs += job.result()
            except BrokenProcessPool:
                continue
        print(f"{len(pairs)} of {pieces} pieces", flush=True)
    return np.stack([pair[0] for pair in pairs[:pieces]]), np.stack([pair[1] for pair in pairs[:pieces]])


def speak(path: Path, hours: float, seed: int) -> None:
    """Write the corpus: speech to learn from, speech of unseen voices and languages, and noises."""
    count = round(hours * 3600 / PIECE_S)
    sets: dict[str, np.ndarray] = {}
    sets["train_mel"], sets["train_lips"] = many_pieces(count, False, seed)
    sets["test_mel"], sets["test_lips"] = many_pieces(count // 10, True, seed)
    rng, samples = np.random.Generator(np.random.PCG64([seed, 2])), int(PIECE_S * SAMPLE_RATE)
    sets["noise_mel"] = np.stack([heard(noise(samples, rng)) for _ in range(count // 4)])
    np.savez(path, **sets)
