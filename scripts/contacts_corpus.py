"""The corpus that `train_contacts.py` learns from: espeak-ng as in `lips_corpus.py`, and people's voices.

    python scripts/contacts_corpus.py FOLDER           (needs scipy; some ten minutes of two cores)

Every eight seconds are heard through two microphones. For the exams, sentences of languages and voices that
are not in the lessons are kept as sound: `exam.npz` of espeak-ng, `people.npz` of `contacts_people.py`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from avatalk.lipsync.listen import CONTACTS
from avatalk.lipsync.listen_features import CONTACTS_EAR, STEP_S, MelStream, normalise
from avatalk.lipsync.visemes import SOUNDS, contacts_of
from avatalk.media import Phoneme
from contacts_people import EXAMINED, LEARNT, says
from lips_corpus import LATIN, PIECE_S, PIECES_AT_ONCE, Espeak, lips, one_speech, somewhere, text_for
from lips_rooms import coded, noise, recorded, spoken_otherwise, through_a_microphone, with_noise

HEARINGS = 2
NOISES = 12  # for the pieces made at once
LETTERS = {letter: number for number, letter in enumerate(sorted(SOUNDS), 1)}  # 0 is a pause
CLUSTERS = (LATIN[0] + " sp sm fl mp mb nt nd pr gl", LATIN[1])
UNSEEN = {  # languages kept for the exam, with prose of their own for its share of p, b, m
    "sv": "Min bror bor i en liten by vid havet där man fiskar om sommaren. I morse köpte jag bröd och "
    "smör på torget, men glömde plånboken hemma. Kan du berätta för mig var biblioteket ligger? Vi "
    "promenerar ofta genom skogen, plockar bär och svamp och pratar om gamla tider framför elden.",
    "tr": "Bugün hava çok güzel, belki parka gidip biraz yürüyebiliriz. Annem sabah erkenden pazara gitti ve "
    "taze meyve aldı. Bu kitabı okumak için birkaç güne ihtiyacım var. Lütfen pencereyi kapatır mısın, "
    "çünkü dışarıdan soğuk geliyor. Komşumuzun küçük köpeği bütün gece havladı.",
    "pl": "Moja babcia mieszka w małym domu pod lasem i piecze najlepszy chleb. Wczoraj padał deszcz, "
    "więc zostaliśmy w domu i graliśmy w karty. Czy możesz mi powiedzieć, gdzie jest najbliższy przystanek "
    "autobusu? Po południu pójdziemy na spacer nad rzekę i kupimy lody w budce przy moście.",
    "sw": "Habari za asubuhi, rafiki yangu, umeamka salama? Mama anapika chakula jikoni na baba amekwenda "
    "mjini kununua vitabu. Watoto wanacheza mpira nje ya nyumba mpaka jioni. Tafadhali nipe maji ya kunywa "
    "kwa sababu nimechoka sana. Kesho tutasafiri pamoja kwenda pwani kuona bahari.",
    "ja": "きょうは とても いい てんき です。 まいあさ パンと たまごを たべて、 バスで がっこうへ いきます。 "
    "ともだちと いっしょに えいがを みてから、 ばんごはんを つくりました。 すみません、 "
    "ぎんこうは どこ ですか。 ふゆには やまに ゆきが ふって、 みんなで あそびます。",
}


def heard(sound: np.ndarray) -> np.ndarray:
    """(1600, 40) float32 decibels of eight seconds."""
    stream = MelStream(CONTACTS_EAR)
    frames = np.concatenate([stream.push(sound.astype(np.float32)), stream.flush()])
    return frames[: round(PIECE_S * 200)]


def touching(phonemes: list[Phoneme]) -> np.ndarray:
    """(400, 7) float16 every 20 ms: the six mouth parameters, and whether anybody speaks, as `lips` says.

    Of closed and teeth, the share of the 20 ms in which they touch: their coming and going is not heard.
    """
    rows = lips(phonemes).astype(np.float64)
    time = np.arange(len(rows))[:, None] * STEP_S
    for column, (start, stop) in zip(CONTACTS, contacts_of(phonemes), strict=True):
        shared = np.minimum(time + STEP_S / 2, stop) - np.maximum(time - STEP_S / 2, start)
        rows[:, column] = np.clip(shared / STEP_S, 0, 1).max(axis=1, initial=0)
    return rows.astype(np.float16)


def text_of_exam(language: str, rng: np.random.Generator) -> str:
    """A language's own sentences, from one of them on."""
    sentences = re.findall(r"[^.。?]+[.。?]", UNSEEN[language.split("-")[0]])
    first = int(rng.integers(len(sentences)))
    return " ".join(sentences[first:] + sentences[:first])


def letters(phonemes: list[Phoneme]) -> np.ndarray:
    """(400,) uint8: the IPA letter heard in each 20 ms, numbered as in `LETTERS`; 0 where there is none."""
    row = np.zeros(round(PIECE_S / STEP_S), np.uint8)
    time = np.arange(len(row)) * STEP_S
    for phoneme in phonemes:
        known = [LETTERS[letter] for letter in phoneme.symbol if letter in LETTERS]
        length = (phoneme.end_s - phoneme.start_s) / max(len(known), 1)
        for index, number in enumerate(known):
            start = phoneme.start_s + index * length
            row[(time >= start) & (time < start + length)] = number
    return row


Speeches = list[tuple[np.ndarray, list[Phoneme]]]


def by_espeak(pieces: int, unseen: bool, rng: np.random.Generator) -> Speeches:
    """Pieces by an espeak-ng of its own."""
    espeak = Espeak()
    if unseen:
        return [one_speech(espeak, True, rng, text_of_exam, english=0) for _ in range(pieces)]
    return [
        one_speech(espeak, False, rng, lambda language, rng: text_for(language, rng, CLUSTERS))
        for _ in range(pieces)
    ]


def by_people(pieces: int, unseen: bool, rng: np.random.Generator) -> Speeches:
    """Pieces by voices made from recordings of people, each as often."""
    people = EXAMINED if unseen else LEARNT
    of_each = -(-pieces // len(people))
    made = [
        somewhere(sound, rate, phonemes, rng)
        for person in people
        for sound, rate, phonemes in says(person, rng, of_each)
    ]
    return made[:pieces]


def lessons(made: Speeches, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What there is to learn from some pieces: `features`, `lips`, `letters`."""
    sounds = [coded(sound, rng) if rng.random() < 0.2 else sound for sound, _ in made]
    mel = np.repeat(np.stack([heard(sound) for sound in sounds]), HEARINGS, axis=0)
    noises = np.stack([heard(noise(len(made[0][0]), rng)) for _ in range(NOISES)])
    around = noises[rng.integers(NOISES, size=len(mel))]
    mel = recorded(with_noise(spoken_otherwise(mel, rng, 0.12, 1.0), around, rng), rng)
    return {
        "features": np.stack([normalise(piece, CONTACTS_EAR) for piece in mel]).astype(np.float16),
        "lips": np.repeat(np.stack([touching(phonemes) for _, phonemes in made]), HEARINGS, axis=0),
        "letters": np.repeat(np.stack([letters(phonemes) for _, phonemes in made]), HEARINGS, axis=0),
        "noise": np.stack([normalise(piece, CONTACTS_EAR) for piece in recorded(noises, rng)]).astype(
            np.float16
        ),
    }


def exam(made: Speeches, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Unheard voices and languages: `sound` (2 pieces, samples), clean, badly recorded, clean…; `lips`.

    Rows of `contacts` are (piece, channel, start in seconds, end in seconds).
    """
    sounds = [pair for sound, _ in made for pair in (sound, coded(through_a_microphone(sound, rng), rng))]
    found = [
        (index, channel, start, end)
        for index, (_, phonemes) in enumerate(made)
        for channel, (starts, ends) in zip(CONTACTS, contacts_of(phonemes), strict=True)
        for start, end in zip(starts, ends, strict=True)
        if start >= 0 and end <= PIECE_S
    ]
    loud = np.stack([sound / max(np.abs(sound).max(), 1e-9) * 0.9 for sound in sounds])
    return {
        "sound": (loud * 32767).astype(np.int16),
        "lips": np.stack([touching(phonemes) for _, phonemes in made]),
        "contacts": np.array(found, np.float32).reshape(-1, 4),
    }


def some_pieces(speak: Callable[..., Speeches], unseen: bool, seed: list[int]) -> dict[str, np.ndarray]:
    """`lessons` or an `exam`."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return (exam if unseen else lessons)(speak(PIECES_AT_ONCE, unseen, rng), rng)


def surely(chunk: int, speak: Callable[..., Speeches], unseen: bool, seed: int) -> dict[str, np.ndarray]:
    """`some_pieces` in a process of its own, other ones if it dies: espeak-ng crashes once in a while."""
    for attempt in range(100):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            try:
                seeds = [seed, int(unseen), chunk, attempt]
                return pool.submit(some_pieces, speak, unseen, seeds).result()
            except BrokenProcessPool:
                print(f"pieces {chunk} died, once more", flush=True)
    raise SystemExit("espeak-ng does not survive.")


def write(folder: Path, hours: float, people: float, seed: int, processes: int) -> None:
    """Fill a folder: arrays that can be mapped into memory for the lessons, a file for each exam."""
    folder.mkdir(parents=True, exist_ok=True)
    count = round(hours * 3600 / PIECE_S / PIECES_AT_ONCE)
    of_people = round(count * people)
    with ThreadPoolExecutor(processes) as threads:
        for name, speak in (("exam", by_espeak), ("people", by_people)):
            exams = list(threads.map(lambda chunk, speak=speak: surely(chunk, speak, True, seed), range(4)))
            for index, part in enumerate(exams):
                part["contacts"][:, 0] += index * PIECES_AT_ONCE
            np.savez(
                folder / f"{name}.npz", **{k: np.concatenate([part[k] for part in exams]) for k in exams[0]}
            )
        ways = [by_people] * of_people + [by_espeak] * (count - of_people)
        kept: dict[str, np.memmap] = {}
        parts = threads.map(lambda chunk: surely(chunk, ways[chunk], False, seed), range(count))
        for chunk, part in enumerate(parts):
            for name, rows in part.items():
                if name not in kept:
                    shape = (count * len(rows), *rows.shape[1:])
                    kept[name] = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", rows.dtype, shape)
                kept[name][chunk * len(rows) : (chunk + 1) * len(rows)] = rows
            print(f"{chunk + 1} of {count}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hours", type=float, default=7.0)
    parser.add_argument("--people", type=float, default=0.4, help="Their share of the hours.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    write(given.folder, given.hours, given.people, given.seed, given.processes)
