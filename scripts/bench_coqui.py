"""Speed of YourTTS and XTTS v2: networks of full size with random weights, in an environment of their own.

Run it by `make bench-coqui`. XTTS takes 7 GB of memory; `--only yourtts` leaves it out.

A language model of random weights never says that it is done. XTTS is therefore stopped after as many tokens
as somebody who reads aloud needs for the sentence: its time for a second of speech does not depend on that.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests_coqui"))

SENTENCES = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background, and then wait until it is dry before you touch it again.",
    "It is easy to tell the depth of a well.",
    "These days a chicken leg is a rare dish, and the old men who sit by the harbour all agree about that.",
    "Rice is often served in round bowls.",
)
FULL_XTTS = {
    "gpt_max_audio_tokens": 605,
    "gpt_max_text_tokens": 402,
    "gpt_layers": 30,
    "gpt_n_model_channels": 1024,
    "gpt_n_heads": 16,
    "gpt_num_audio_tokens": 1026,
    "gpt_start_audio_token": 1024,
    "gpt_stop_audio_token": 1025,
    "decoder_input_dim": 1024,
}


TOKENS_PER_S = 22050 / 1024
"""Of speech that XTTS makes: one for 1024 samples of what it was trained on."""
CHARACTERS_PER_S = 15
"""Of somebody who reads aloud."""


def timed(work) -> tuple[float, float, object]:
    """Wall seconds, processor seconds, and what `work` returned."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    return time.perf_counter() - wall, time.process_time() - cpu, made


def row(what: str, wall: float, cpu: float, note: str = "") -> None:
    """Print one line of the table."""
    print(f"| {what} | {wall:.2f} s | {cpu:.2f} s | {note} |", flush=True)


class Bounded:
    """XTTS, stopped after as many tokens as real speech has.

    Attributes:
        rates: tokens a second of its language model, for every sentence so far.
    """

    def __init__(self, gpt) -> None:
        self._gpt, self._generate = gpt, gpt.generate
        self.rates = []
        gpt.generate = self.generate

    def expect(self, sentence: str) -> None:
        """Set the number of tokens for what is spoken next."""
        self._gpt.max_gen_mel_tokens = round(len(sentence) / CHARACTERS_PER_S * TOKENS_PER_S)

    def generate(self, **how):
        """What the library calls."""
        wall, _, codes = timed(lambda: self._generate(**how))
        self.rates.append(codes.shape[-1] / wall)
        return codes


def measure(engine, rounds: int, expect=str, first: str = "libraries and weights read") -> None:
    """Print the rows of one engine whose weights are in place; `expect` is told of every sentence."""
    import numpy as np

    voice = engine.voices()[0]
    expect(SENTENCES[2])
    wall, cpu, _ = timed(lambda: engine.speak(SENTENCES[2], voice))
    row(f"{engine.title}: first sentence of a process", wall, cpu, first)
    walls, cpus = [], []
    for _ in range(rounds):
        for sentence in SENTENCES:
            expect(sentence)
            wall, cpu, said = timed(lambda sentence=sentence: engine.speak(sentence, voice))
            walls.append(wall / said.duration_s)
            cpus.append(cpu / said.duration_s)
    row(f"{engine.title}: a second of speech", statistics.median(walls), statistics.median(cpus), "median")
    expect(SENTENCES[0])
    wall, cpu, said = min(
        (timed(lambda: engine.speak(SENTENCES[0], voice)) for _ in range(rounds)), key=lambda row: row[0]
    )
    row(
        f"{engine.title}: first sound of a long text",
        wall,
        cpu,
        f"its first sentence, {said.duration_s:.1f} s",
    )
    sound = np.random.default_rng(0).standard_normal(30 * 24000).astype(np.float32) * 0.05
    engine.embed(sound, 24000)
    wall, cpu, _ = timed(lambda: engine.embed(sound, 24000))
    row(f"{engine.title}: a voice learnt from 30 s", wall, cpu)


def main() -> None:
    """Build the networks, import them, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("yourtts", "xtts"), help="one of the two")
    parser.add_argument(
        "--resblock", default="2", help="kind of the decoder's blocks; YourTTS has 2, VITS has 1"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AVATALK_CACHE"] = f"{folder}/cache"
        import tiny
        from avatalk import models
        from avatalk.speech.coqui import Xtts, YourTts

        print("| what | wall | processor | |\n| --- | --- | --- | --- |")
        if options.only != "xtts":
            size = tiny.Size(10, 192, 768, 4, 16, 512, options.resblock, 512, 64)
            models.import_file(tiny.yourtts(Path(folder) / "yourtts", size), accept_licence=True)
            measure(YourTts(), options.rounds)
        if options.only != "yourtts":
            models.import_file(tiny.xtts(Path(folder) / "xtts", args=FULL_XTTS), accept_licence=True)
            engine = Xtts()
            wall, cpu, network = timed(engine._loaded)
            row(f"{engine.title}: libraries and weights read", wall, cpu)
            bounded = Bounded(network._model.gpt)
            measure(engine, 1, bounded.expect, "after that")
            print(
                f"| XTTS v2: tokens of its language model | {bounded.tokens / bounded.seconds:.1f} a second |"
            )


if __name__ == "__main__":
    main()
