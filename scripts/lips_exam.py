"""What a viewer sees of p, b, m and f, v where the speech is a recording: the exam of `lips_corpus.py`.

python scripts/lips_exam.py FOLDER [people]
"""

from __future__ import annotations

import argparse
import tempfile
import wave
from pathlib import Path

import numpy as np

from avatalk.lipsync.listen import analyse
from avatalk.lipsync.listen_features import SAMPLE_RATE
from avatalk.media import VISEME_CHANNELS
from avatalk.speech.audio import open_audio

FPS = 25
NEAR_S = 0.04  # a contact is shown if it is seen this long before it begins or after it ends, at most
FULL = 0.9


def found_and_false(start, end, seen_start, seen_end) -> np.ndarray:
    """Numbers of contacts: found, there, rightly seen, seen; from the times of those there and seen."""
    meet = (seen_start <= end[:, None] + NEAR_S) & (seen_end >= start[:, None] - NEAR_S)
    return np.array([meet.any(1).sum(), len(start), meet.any(0).sum(), len(seen_start)])


def shown(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When a curve (frames,) is at its full: the first and the last frame of each stretch, in seconds."""
    full = np.pad((curve >= FULL).astype(int), 1)
    change = np.diff(full)
    return np.flatnonzero(change == 1) / FPS, (np.flatnonzero(change == -1) - 1) / FPS


def listen_to(sound: np.ndarray) -> np.ndarray:
    """(frames, 6): what avatalk's lips do for (samples,) int16 at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(sound.tobytes())
        return analyse(open_audio(path), FPS, len(sound) * FPS // SAMPLE_RATE).visemes.values


def main() -> None:
    """Print recall, precision and false contacts by channel, for clean sounds and bad recordings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("exam", nargs="?", default="exam", choices=("exam", "people"))
    given = parser.parse_args()
    exam = np.load(given.folder / f"{given.exam}.npz")
    pieces = range(
        len(exam["lips"]) // 2, len(exam["lips"])
    )  # the first half of people's chose the thresholds
    speech_s = (exam["lips"][pieces.start :, :, 6] > 0.5).sum() * 0.02
    for part, name in enumerate(("clean", "badly recorded")):
        counts = {1: np.zeros(4), 4: np.zeros(4)}
        curves, known = [], []
        for index in pieces:
            curve = listen_to(exam["sound"][2 * index + part])
            curves.append(curve[:-4])
            known.append(exam["lips"][index, 3::2][: len(curve) - 4])  # lips are shown 60 ms early
            for channel in counts:
                mine = (exam["contacts"][:, 0] == index) & (exam["contacts"][:, 1] == channel)
                counts[channel] += found_and_false(*exam["contacts"][mine, 2:].T, *shown(curve[:, channel]))
        columns = zip(np.concatenate(curves).T, np.concatenate(known).T[:6], strict=True)
        pairs = dict(zip(VISEME_CHANNELS, columns, strict=True))
        right = [f"{k} {np.corrcoef(*pairs[k])[0, 1]:.2f}" for k in ("open", "wide", "round", "tongue")]
        print(f"{name}: {len(pieces)} pieces, {speech_s:.0f} s of speech; correlation:", *right)
        for channel, (found, there, true, seen) in counts.items():
            print(
                f"  {VISEME_CHANNELS[channel]}: {there:.0f} contacts, {found / there:.3f} of them shown; "
                f"{seen:.0f} shown, {true / max(seen, 1):.3f} of them true, "
                f"{(seen - true) / speech_s:.2f} false a second"
            )


if __name__ == "__main__":
    main()
