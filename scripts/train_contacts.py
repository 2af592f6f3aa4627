"""Make the network that hears contacts (p b m, f v): learn from `contacts_corpus.py`'s folder. Needs torch.

    python scripts/train_contacts.py FOLDER src/avatalk/lipsync/data/contacts.npz

The teachers are espeak-ng, as in `train_lips.py`, and voices made from recordings of people. The pupil
learns everything else that is known, too, the shapes of the mouth and the letters of the IPA, since that
teaches it to listen; only the contacts are kept. From which probability they are believed is chosen on one
half of the two exams; `lips_exam.py` examines on the other. What came of it: docs/lips.md.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from avatalk.lipsync.listen import CONTACTS, contact_times
from avatalk.lipsync.listen_features import BANDS, CONTACTS_EAR, FEATURES, normalise
from avatalk.media import VISEME_CHANNELS
from contacts_corpus import LETTERS, heard
from lips_exam import found_and_false

DILATIONS = (1, 2, 4, 8, 3)
TAPS, CHANNELS, CEPSTRA = 5, 160, 16
MARGIN = TAPS // 2 + sum(DILATIONS)
PER_STEP = CONTACTS_EAR.per_step
MOUTH = len(VISEME_CHANNELS)
SHAPES = [k for k in range(MOUTH) if k not in CONTACTS]
BATCH, NOT_SPEECH = 12, 1  # pieces of eight seconds, and how many of them are noise only
WEIGHTS = torch.tensor([2.0, 0.5, 0.7, 0.5])  # of the errors of the four shapes: open, wide, round, tongue
NEPERS = 2 * np.log(10)  # of power, in the features' 20 dB
THRESHOLDS = np.arange(0.2, 0.9, 0.04)


class Pupil(nn.Module):
    """The network of `avatalk.lipsync.listen.LipNet`, and a class of letters that helps it to learn.

    Pitch and a synthesiser's fine structure do not get through the cosine transform ahead of it: the envelope
    does.
    """

    def __init__(self) -> None:
        super().__init__()
        band = np.arange(BANDS) + 0.5
        cosines = np.cos(np.pi * np.arange(CEPSTRA)[:, None] * band / BANDS) * 0.5 * np.sqrt(2 / BANDS)
        envelope = np.zeros((FEATURES, CEPSTRA + 1))
        envelope[:BANDS, :CEPSTRA] = cosines.T
        envelope[BANDS:, CEPSTRA:] = 1.0
        self.register_buffer("envelope", torch.tensor(envelope, dtype=torch.float32))
        self.inp = nn.Linear(PER_STEP * (CEPSTRA + 1) * TAPS, CHANNELS)
        self.body = nn.ModuleList([nn.Linear(3 * CHANNELS, CHANNELS) for _ in DILATIONS])
        self.norms = nn.ModuleList([nn.BatchNorm1d(CHANNELS) for _ in range(len(DILATIONS) + 1)])
        self.out = nn.Linear(CHANNELS, MOUTH + 1)
        self.drop = nn.Dropout(0.1)
        self.letters = nn.Linear(CHANNELS, len(LETTERS) + 1)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(pieces, PER_STEP (n + 2 MARGIN), 41) to (pieces, n, 7) and (pieces, n, letters), as logits."""
        x = features @ self.envelope
        x = self._bent(0, self.inp(_taps(x.reshape(len(x), -1, PER_STEP * x.shape[2]), TAPS, 1)))
        for index, (layer, dilation) in enumerate(zip(self.body, DILATIONS, strict=True), 1):
            x = x[:, dilation:-dilation] + self._bent(index, layer(_taps(x, 3, dilation)))
            x = x * self.drop(torch.ones(len(x), 1, x.shape[2], dtype=x.dtype))
        return self.out(x), self.letters(x)

    def _bent(self, index: int, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norms[index](x.flatten(0, 1)).view(x.shape))

    def weights(self) -> dict[str, np.ndarray]:
        """What `LipNet` reads: (taps * channels in, channels out) each; envelope and norms are folded in."""
        arrays = {"out.weight": self.out.weight[CONTACTS].T, "out.bias": self.out.bias[CONTACTS]}
        names = ["inp", *(f"body.{index}" for index in range(len(DILATIONS)))]
        for name, layer, norm in zip(names, [self.inp, *self.body], self.norms, strict=True):
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            arrays[f"{name}.weight"] = (layer.weight * scale[:, None]).T
            arrays[f"{name}.bias"] = (layer.bias - norm.running_mean) * scale + norm.bias
        fold = torch.block_diag(*[self.envelope] * (PER_STEP * TAPS))
        arrays["inp.weight"] = fold @ arrays["inp.weight"]
        return {name: array.detach().numpy() for name, array in arrays.items()}


def _taps(x: torch.Tensor, taps: int, dilation: int) -> torch.Tensor:
    count = x.shape[1] - (taps - 1) * dilation
    return torch.cat([x[:, k * dilation : k * dilation + count] for k in range(taps)], dim=2)


def edged(features: np.ndarray) -> torch.Tensor:
    """(pieces, frames + 2 PER_STEP MARGIN, 41) float32, edges as at run time."""
    around = PER_STEP * MARGIN
    padded = np.pad(features, ((0, 0), (around, around), (0, 0)), mode="reflect")
    return torch.from_numpy(padded.astype(np.float32))


def otherwise(features: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """The same pieces, (pieces, frames, 41), from other throats and microphones every time they are heard."""
    pieces = len(features)

    def each(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(low, high, (pieces, *shape)).astype(np.float32))

    bands = features[..., :BANDS] @ _warps(rng, pieces)
    mean = bands.mean(2, keepdim=True)
    bands = mean + (bands - mean) * each(0.75, 1.25, 1, 1)  # duller, sharper
    tone = torch.from_numpy(np.cumsum(rng.normal(0, 0.05, (pieces, 1, BANDS)), axis=2).astype(np.float32))
    bands = (bands + tone - tone.mean(2, keepdim=True)) * each(0.85, 1.15, 1, 1)
    floor = each(-3.5, -0.8, 1, 1) + each(-0.4, 0.4, 1, BANDS)  # steady noise
    bands = torch.logaddexp(bands * NEPERS, floor * NEPERS) / NEPERS
    for piece in bands[: pieces // 2]:  # SpecAugment (Park et al., 2019)
        width = int(rng.integers(1, 7))
        first = int(rng.integers(0, BANDS - width))
        piece[:, first : first + width] = 0
    return torch.cat([bands, features[..., BANDS:] + each(-0.1, 0.1, 1, 1)], dim=2)


def _warps(rng: np.random.Generator, pieces: int) -> torch.Tensor:
    """(pieces, 40, 40): each stretches the spectrum by up to 8 %, as another throat does."""
    band = np.arange(BANDS)
    place = band * rng.uniform(0.92, 1.08, (pieces, 1)) + rng.uniform(-0.8, 0.8, (pieces, 1))
    place = np.clip(place, 0, BANDS - 1)[:, None]
    return torch.from_numpy(np.maximum(1 - np.abs(place - band[:, None]), 0).astype(np.float32))


def learn(folder: Path, path: Path, steps: int, seed: int) -> None:
    """Train, examine, and write the weights that `avatalk.lipsync.listen` reads."""
    torch.manual_seed(seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    lessons, lips, letters, noise = (
        np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("features", "lips", "letters", "noise")
    )
    exam, pupil = Exam(folder), Pupil()
    optimizer = torch.optim.AdamW(pupil.parameters(), lr=2e-3, weight_decay=2e-2)
    begun, total = time.monotonic(), 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-5
        chosen = rng.integers(0, len(lessons), BATCH)
        features, target, letter = lessons[chosen], lips[chosen].astype(np.float32), letters[chosen]
        features[:NOT_SPEECH] = noise[rng.integers(0, len(noise), NOT_SPEECH)]
        target[:NOT_SPEECH], letter[:NOT_SPEECH] = 0, 0
        pupil.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            said, spelt = pupil(otherwise(edged(features), rng))
        loss = _loss(said.float(), spelt.float(), torch.from_numpy(target), torch.from_numpy(letter).long())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(pupil.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1} {time.monotonic() - begun:.0f} s loss {total / 50:.4f}", flush=True)
            total = 0.0
        if (step + 1) % 400 == 0:
            write(pupil, exam, path)
    write(pupil, exam, path)


def write(pupil: Pupil, exam: Exam, path: Path) -> None:
    """Examine, and store the weights in half precision."""
    np.savez(path, **exam.report(pupil), **{k: v.astype(np.float16) for k, v in pupil.weights().items()})


def _loss(
    said: torch.Tensor, spelt: torch.Tensor, target: torch.Tensor, letter: torch.Tensor
) -> torch.Tensor:
    cross = nn.functional.binary_cross_entropy_with_logits
    shapes = ((torch.sigmoid(said[..., SHAPES]) - target[..., SHAPES]) ** 2 * WEIGHTS).mean()
    rare = torch.tensor([2.0, 3.0])
    contacts = cross(said[..., CONTACTS], target[..., CONTACTS], pos_weight=rare)
    speech = cross(said[..., MOUTH], target[..., MOUTH])
    spelling = nn.functional.cross_entropy(spelt.flatten(0, 1), letter.flatten(), label_smoothing=0.05)
    return 4 * shapes + contacts + 0.1 * speech + 0.2 * spelling


class Exam:
    """Unheard voices and languages, espeak-ng's and people's, clean and badly recorded."""

    def __init__(self, folder: Path) -> None:
        self._parts = []
        for name in ("exam", "people"):
            exam = np.load(folder / f"{name}.npz")
            half = len(exam["lips"]) // 2  # the other half is for `lips_exam.py`
            sounds = exam["sound"][: 2 * half] / np.float32(32768)
            speech = edged(np.stack([normalise(heard(sound), CONTACTS_EAR) for sound in sounds]))
            self._parts += [
                (f"{name} {kind}", speech[part::2], exam["lips"][:half].astype(np.float32), exam["contacts"])
                for part, kind in enumerate(("clean", "badly recorded"))
            ]

    def report(self, pupil: Pupil) -> dict[str, np.ndarray]:
        """Print how well it does; return what `LipNet` needs besides weights: dilations, and `sure`.

        `sure` is the probability from which a contact is believed.
        """
        said = [_said(pupil, speech) for _, speech, _, _ in self._parts]
        for (name, _, target, _), mine in zip(self._parts, said, strict=True):
            pairs = [(mine[..., k].ravel(), target[..., k].ravel()) for k in range(MOUTH)]
            right = [f"{c} {np.corrcoef(*p)[0, 1]:.3f}" for c, p in zip(VISEME_CHANNELS, pairs, strict=True)]
            print(f"  {name}, correlation:", *right)
        sure = [self.surest([mine[..., channel] for mine in said], channel) for channel in CONTACTS]
        return {"dilations": np.array(DILATIONS), "sure": np.array(sure, np.float32)}

    def surest(self, said: list[np.ndarray], channel: int) -> float:
        """The threshold of the best F-score; a contact that lacks is seen sooner than one too many.

        Args:
            said: by part (pieces, 400), what the pupil says of that channel.
            channel: of the curve.
        """
        best = (0.0, 0.5, "")
        for sure in THRESHOLDS:
            told, scores = f"sure {sure:.2f}:", []
            for (_, _, lips, contacts), mine in zip(self._parts, said, strict=True):
                counts = np.zeros(4)
                for index in range(len(lips)):
                    there = contacts[(contacts[:, 0] == index) & (contacts[:, 1] == channel), 2:]
                    counts += found_and_false(*there.T, *contact_times(mine[index], sure))
                recall, precision = counts[0] / counts[1], counts[2] / max(counts[3], 1)
                told += f"  recall {recall:.3f} precision {precision:.3f}"
                scores.append(3 * recall * precision / (recall + 2 * precision + 1e-9))
            best = max(best, (sum(scores), sure, told))
        print(f"  {VISEME_CHANNELS[channel]} {best[2]}")
        return best[1]


def _said(pupil: Pupil, features: torch.Tensor) -> np.ndarray:
    pupil.eval()
    with torch.no_grad():
        parts = [torch.sigmoid(pupil(part)[0]) for part in features.split(BATCH)]
    return torch.cat(parts).numpy()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    learn(given.folder, given.weights, given.steps, given.seed)


if __name__ == "__main__":
    main()
