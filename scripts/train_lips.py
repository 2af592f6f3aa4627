"""Make the network that hears shapes and speech: speak, listen, learn. Needs torch and scipy besides avatalk.

    python scripts/train_lips.py speak CORPUS.npz               (espeak-ng speaks; some five minutes)
    python scripts/train_lips.py learn CORPUS.npz lips.npz      (some five minutes on one core)

Nothing is recorded, downloaded or copied: the teacher is espeak-ng, whose phoneme times give the lips
(`avatalk.lipsync.visemes`); the pupil hears it through rooms, telephones, noise and other throats, and is
examined on voices and languages it never heard, as badly distorted. What came of it: docs/lips.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

from avatalk.lipsync.listen_features import BANDS, FEATURES, SHAPES_EAR, normalise
from avatalk.media import VISEME_CHANNELS
from lips_corpus import speak
from lips_rooms import recorded, spoken_otherwise, with_noise

DILATIONS = (1, 2, 4, 6)
TAPS, CHANNELS, CEPSTRA = 5, 128, 14
MARGIN = TAPS // 2 + sum(DILATIONS)
BATCH, NOT_SPEECH = 16, 2  # pieces of eight seconds, and how many of them are noise only
WEIGHTS = torch.tensor([2.0, 1.0, 0.5, 0.7, 1.0, 0.5])  # of the errors of the six channels
MOST_CONTRAST = 3.0


class Pupil(nn.Module):
    """The network of `avatalk.lipsync.listen.LipNet` behind a cosine transform: the envelope gets through.

    Pitch and a synthesiser's fine structure do not. The transform is folded into the first layer at the end.
    """

    def __init__(self) -> None:
        super().__init__()
        band = np.arange(BANDS) + 0.5
        cosines = np.cos(np.pi * np.arange(CEPSTRA)[:, None] * band / BANDS) * 0.5 * np.sqrt(2 / BANDS)
        envelope = np.zeros((FEATURES, CEPSTRA + 1))
        envelope[:BANDS, :CEPSTRA] = cosines.T
        envelope[BANDS:, CEPSTRA:] = 1.0
        self.register_buffer("envelope", torch.tensor(envelope, dtype=torch.float32), persistent=False)
        self.inp = nn.Linear(2 * (CEPSTRA + 1) * TAPS, CHANNELS)
        self.body = nn.ModuleList([nn.Linear(3 * CHANNELS, CHANNELS) for _ in DILATIONS])
        self.out = nn.Linear(CHANNELS, len(VISEME_CHANNELS) + 1)
        self.drop = nn.Dropout(0.1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(pieces, 2 (n + 2 MARGIN), 41) to (pieces, n, 7), before the sigmoid."""
        x = features @ self.envelope
        x = torch.relu(self.inp(_taps(x.reshape(len(x), -1, 2 * x.shape[2]), TAPS, 1)))
        for layer, dilation in zip(self.body, DILATIONS, strict=True):
            x = x[:, dilation:-dilation] + self.drop(torch.relu(layer(_taps(x, 3, dilation))))
        return self.out(self.drop(x))


def _taps(x: torch.Tensor, taps: int, dilation: int) -> torch.Tensor:
    count = x.shape[1] - (taps - 1) * dilation
    return torch.cat([x[:, k * dilation : k * dilation + count] for k in range(taps)], dim=2)


def features_of(mel: np.ndarray) -> np.ndarray:
    """(pieces, frames + 4 MARGIN, 41) float32, edges as at run time."""
    features = np.stack([normalise(piece, SHAPES_EAR) for piece in mel])
    return np.pad(features, ((0, 0), (2 * MARGIN, 2 * MARGIN), (0, 0)), mode="reflect")


def _masked(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of the pieces lose a few neighbouring bands (SpecAugment, Park et al. 2019)."""
    for piece in features[rng.random(len(features)) < 0.5]:
        width = int(rng.integers(1, 7))
        first = int(rng.integers(0, BANDS - width))
        piece[:, first : first + width] = 0
    return features


# --- learning ----------------------------------------------------------------------------------------


def learn(corpus: Path, path: Path, steps: int, seed: int) -> None:
    """Train, examine, and write the weights that `avatalk.lipsync.listen` reads."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    stored = np.load(corpus)
    mel, lips, noise = stored["train_mel"], stored["train_lips"], stored["noise_mel"].astype(np.float32)
    exam = Exam(stored["test_mel"].astype(np.float32), stored["test_lips"].astype(np.float32), noise[:50])
    pupil, mean = Pupil(), Pupil()
    averages = {name: value.clone() for name, value in pupil.state_dict().items()}
    optimizer = torch.optim.AdamW(pupil.parameters(), lr=2e-3, weight_decay=1e-2)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-5
        chosen = rng.integers(0, len(mel), BATCH)
        sounds = noise[rng.integers(50, len(noise), BATCH)]
        heard = recorded(with_noise(spoken_otherwise(mel[chosen].astype(np.float32), rng), sounds, rng), rng)
        target = lips[chosen].astype(np.float32)
        heard[:NOT_SPEECH], target[:NOT_SPEECH] = recorded(sounds[:NOT_SPEECH], rng), 0
        pupil.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            said = pupil(torch.from_numpy(_masked(features_of(heard), rng)))
        loss = _loss(said.float(), torch.from_numpy(target))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(pupil.parameters(), 1.0)
        optimizer.step()
        keep = min(0.998, 1 - 1 / (step / 3 + 1))
        for name, value in pupil.state_dict().items():
            averages[name].mul_(keep).add_(value, alpha=1 - keep)
        if (step + 1) % 250 == 0 or step + 1 == steps:
            mean.load_state_dict(averages)
            contrast = exam.report(mean, f"step {step + 1}")
            write(mean, contrast, path)


def _loss(said: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    mouth = ((torch.sigmoid(said[..., :6]) - target[..., :6]) ** 2 * WEIGHTS).mean()
    return mouth + 0.1 * nn.functional.binary_cross_entropy_with_logits(said[..., 6], target[..., 6])


class Exam:
    """Unseen voices and languages, distorted as in training, and noises without speech."""

    def __init__(self, mel: np.ndarray, lips: np.ndarray, noise: np.ndarray) -> None:
        rng = np.random.Generator(np.random.PCG64(99))
        sounds = noise[rng.integers(0, len(noise), len(mel))]
        self._speech = features_of(recorded(with_noise(spoken_otherwise(mel, rng), sounds, rng), rng))
        self._noise = features_of(recorded(noise, rng))
        self._lips = lips

    def report(self, pupil: Pupil, name: str) -> np.ndarray:
        """Print correlations and the like; return (2, 6): the gain and offset that restore contrast.

        A network that doubts says the mean of what might be; its curves move less than lips do. Gain and
        offset give each channel the mean and spread that it has in the lessons.
        """
        said, target = _said(pupil, self._speech), self._lips
        speaking = target[..., 6] > 0.5
        mouth, true = said[speaking][:, :6], target[speaking][:, :6]
        gain = np.minimum(true.std(0) / mouth.std(0), MOST_CONTRAST)
        offset = true.mean(0) - gain * mouth.mean(0)
        sharp = np.clip(said[..., :6] * gain + offset, 0, 1)
        right = [np.corrcoef(said[..., k].ravel(), target[..., k].ravel())[0, 1] for k in range(6)]
        print(
            name, "correlation", " ".join(f"{c} {r:.3f}" for c, r in zip(VISEME_CHANNELS, right, strict=True))
        )
        for k in (1, 4):
            found, there = (sharp[..., k] > 0.5) & speaking, target[..., k] > 0.5
            both = (found & there).sum()
            print(f"  {VISEME_CHANNELS[k]}: precision {both / max(found.sum(), 1):.2f},", end=" ")
            print(f"recall {both / there.sum():.2f}")
        wrong = (_said(pupil, self._noise)[..., 6] > 0.5).mean()
        found = (said[..., 6] > 0.5) == speaking
        print(f"  speech: {found.mean():.3f} right, {wrong:.3f} of noise taken for it")
        print("  gain", np.round(gain, 2), "offset", np.round(offset, 2), flush=True)
        return np.stack([gain, offset])


def _said(pupil: Pupil, features: np.ndarray) -> np.ndarray:
    pupil.eval()
    with torch.no_grad():
        parts = [torch.sigmoid(pupil(part)) for part in torch.from_numpy(features).split(BATCH)]
    return torch.cat(parts).numpy()


def write(pupil: Pupil, contrast: np.ndarray, path: Path) -> None:
    """Weights as (taps * channels in, channels out) float16, the envelope folded into the first."""
    state = pupil.state_dict()
    fold = torch.block_diag(*[pupil.envelope] * (2 * TAPS))
    arrays = {name: value.mT if value.ndim == 2 else value for name, value in state.items()}
    arrays["inp.weight"] = fold @ state["inp.weight"].T
    stored = {name: value.numpy().astype(np.float16) for name, value in arrays.items()}
    np.savez(path, dilations=np.array(DILATIONS), contrast=contrast.astype(np.float32), **stored)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    speaking = commands.add_parser("speak", help="make the corpus")
    speaking.add_argument("corpus", type=Path)
    speaking.add_argument("--hours", type=float, default=3.5)
    learning = commands.add_parser("learn", help="train and write the weights")
    learning.add_argument("corpus", type=Path)
    learning.add_argument("weights", type=Path)
    learning.add_argument("--steps", type=int, default=1250)
    for command in (speaking, learning):
        command.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.command == "speak":
        speak(given.corpus, given.hours, given.seed)
    else:
        learn(given.corpus, given.weights, given.steps, given.seed)


if __name__ == "__main__":
    main()
