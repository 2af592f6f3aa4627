"""Viseme curves from sound alone, in any language, and how loud the speech is.

A small convolutional network (`scripts/train_lips.py`, docs/lips.md) reads a mel spectrogram and says every
20 ms what the mouth does and whether anybody speaks; where nobody does, the mouth rests. A second one with
finer ears (`scripts/train_contacts.py`) says when the lips touch; they do so in full or not at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np

from avatalk.events import Monitor
from avatalk.lipsync.listen_features import (
    CONTACTS_EAR,
    FEATURES,
    SAMPLE_RATE,
    SHAPES_EAR,
    STEP_S,
    Ear,
    MelStream,
    normalise,
)
from avatalk.lipsync.visemes import Float64Array, in_contact, touching
from avatalk.media import VISEME_CHANNELS, Float32Array, VisemeCurve
from avatalk.speech.audio import AudioClip

CONTACTS = [VISEME_CHANNELS.index("closed"), VISEME_CHANNELS.index("teeth")]
SPEECH = len(VISEME_CHANNELS)  # the network's column after those of the mouth: somebody speaks, 0..1
LOUDNESS, BRIGHTNESS = SPEECH + 1, SPEECH + 2  # columns that come from the features themselves
CONTACT = slice(SPEECH + 3, SPEECH + 5)  # how likely each of `CONTACTS` is

_PAGE = 500  # steps that are worked on at once
_LEAD_S = 0.06  # lips move before their sound is heard,
_CONTACT_LEAD_S = 0.04  # but touch when it says so: a frame early, for late is noticed sooner
_SHORTEST_CONTACT_S = 0.07  # a frame of 25 a second lies within
_SPEECH_SURE = 0.5
_SHORTEST, _PAUSE = 9, 5  # steps of a stretch of speech, and of a pause in it; odd
_BRIGHT = slice(21, 37)  # bands from 2 to 6 kHz
_SMOOTH = np.array([1, 2, 3, 2, 1], np.float32) / 9  # 80 ms
_RANGE_DB = 40.0  # from not loud at all to as loud as speech gets


@dataclass(frozen=True, slots=True)
class Heard:
    """What one pass over a sound tells.

    Attributes:
        visemes: what the mouth does, one row per output frame.
        loudness: (frames,) float32 in 0..1: 0 silence, 0.9 speech at its usual level, whatever the gain.
        voiced_fraction: share of the sound's time in which somebody speaks, 0..1.
        peak: greatest absolute sample at 16 kHz, 0..1.
    """

    visemes: VisemeCurve
    loudness: Float32Array
    voiced_fraction: float
    peak: float


class LipNet:
    """A network: mel frames, with some padding, to steps. Residual dilated convolutions over time."""

    def __init__(self, weights: dict[str, Float32Array], ear: Ear) -> None:
        self.ear = ear
        self.weights = weights
        self._dilations = [int(d) for d in weights["dilations"]]
        first = weights["inp.weight"].shape[0] // (ear.per_step * FEATURES)
        self.margin = first // 2 + sum(self._dilations)

    def __call__(self, features: Float32Array) -> Float32Array:
        """(per_step (n + 2 margin), 41) float32 from `normalise` to (n, columns) float32 in 0..1."""
        w = self.weights
        x = features.reshape(-1, self.ear.per_step * FEATURES)
        x = np.maximum(_convolved(x, w["inp.weight"], 1) + w["inp.bias"], 0)
        for index, d in enumerate(self._dilations):
            y = _convolved(x, w[f"body.{index}.weight"], d) + w[f"body.{index}.bias"]
            x = x[d:-d] + np.maximum(y, 0)
        return np.asarray(1 / (1 + np.exp(-(x @ w["out.weight"] + w["out.bias"]))), np.float32)


def _convolved(x: Float32Array, weight: Float32Array, dilation: int) -> Float32Array:
    """Rows of x `dilation` apart, side by side, times (taps * channels in, channels out): no padding."""
    taps = weight.shape[0] // x.shape[1]
    count = len(x) - (taps - 1) * dilation
    side_by_side = np.concatenate([x[k * dilation : k * dilation + count] for k in range(taps)], axis=1)
    return np.asarray(side_by_side @ weight)


@lru_cache(maxsize=2)
def _net(name: str, ear: Ear) -> LipNet:
    with np.load(Path(__file__).parent / "data" / name) as stored:
        return LipNet({name: stored[name].astype(np.float32) for name in stored.files}, ear)


def lip_net() -> LipNet:
    """The network that hears shapes and speech: the columns of the mouth, then `SPEECH`; read once."""
    return _net("lips.npz", SHAPES_EAR)


def contact_net() -> LipNet:
    """The network that hears contacts, with finer ears: a column for each of `CONTACTS`; read once."""
    return _net("contacts.npz", CONTACTS_EAR)


def analyse(audio: AudioClip, fps: float, n_frames: int, monitor: Monitor | None = None) -> Heard:
    """Listen to a sound once and say what a speaker's mouth does in each frame.

    Args:
        audio: speech in any language, at any gain; memory does not grow with it but for the curves.
        fps: frames per second. Frame i shows the mouth at i / fps seconds.
        n_frames: number of frames wanted; beyond the sound the mouth rests.
        monitor: told of seconds done.

    Returns:
        Curves of exactly `n_frames` rows. Further than 0.15 s from any speech, rows of the mouth are zeros.
        Lips touch in full or not at all: a contact that is heard has a frame with `closed`, or `teeth`, 1.
        Equal sound gives equal rows, whatever the size of the blocks it came in.
    """
    monitor = monitor or Monitor()
    peak, seconds = 0.0, 0.0

    def sound() -> Iterator[Float32Array]:
        nonlocal peak, seconds
        for block in audio.blocks(SAMPLE_RATE):
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            seconds += len(block) / SAMPLE_RATE
            monitor.report("lipsync", seconds, audio.duration_s, "seconds", "Listening")
            yield block[:, 0]

    steps = np.concatenate(list(_pages(sound())))
    speaks = _stretches(steps[:, SPEECH])
    mouth = _mouth(steps[:, :SPEECH], steps[:, BRIGHTNESS]) * np.clip(2.5 * speaks - 0.75, 0, 1)[:, None]
    rows = _at_frames(mouth, fps, n_frames, _LEAD_S).astype(np.float64)
    likely = steps[:, CONTACT] * (speaks > _SPEECH_SURE)[:, None]
    for channel, column, sure in zip(CONTACTS, likely.T, contact_net().weights["sure"], strict=True):
        start, end = contact_times(column, float(sure))
        rows[:, channel] = touching(start - _CONTACT_LEAD_S, end - _CONTACT_LEAD_S, fps, n_frames)
    return Heard(
        VisemeCurve(in_contact(rows).astype(np.float32), fps),
        _at_frames(steps[:, LOUDNESS, None], fps, n_frames, 0.0)[:, 0],
        float(np.mean(speaks > _SPEECH_SURE)),
        min(peak, 1.0),
    )


def from_sound(audio: AudioClip, fps: float, n_frames: int, monitor: Monitor | None = None) -> VisemeCurve:
    """The viseme curve of `analyse`."""
    return analyse(audio, fps, n_frames, monitor).visemes


def loudness(audio: AudioClip, fps: float, n_frames: int) -> Float32Array:
    """The loudness of `analyse`, (frames,) float32 in 0..1, without the work of the network."""
    sound = (block[:, 0] for block in audio.blocks(SAMPLE_RATE))
    levels = [_loudness(rows[:: SHAPES_EAR.per_step]) for _, rows, _ in windows(sound, lip_net())]
    return _at_frames(np.concatenate(levels), fps, n_frames, 0.0)[:, 0]


def _pages(sound: Iterator[Float32Array]) -> Iterator[Float32Array]:
    """(steps, 11): what the networks say of the sound, its loudness and brightness, a page at a time."""
    per_step, (one, other) = SHAPES_EAR.per_step, _twice(sound)
    for page, finer in zip(windows(one, lip_net()), windows(other, contact_net()), strict=True):
        rows = page[1]
        odd = -len(rows) % per_step
        bright = np.pad(rows[:, _BRIGHT].mean(axis=1), (0, odd), mode="edge")
        bright = bright.reshape(-1, per_step).mean(axis=1)
        bright = np.clip(0.6 + bright / 2, 0.0, 1.0)  # 0.6 is what this speaker's speech has on average
        shapes, touched = said(lip_net(), *page), said(contact_net(), *finer)
        yield np.concatenate([shapes, _loudness(rows[::per_step]), bright[:, None], touched], axis=1)


def _twice(sound: Iterator[Float32Array]) -> list[Iterator[Float32Array]]:
    """The same sound for two listeners who keep pace; `itertools.tee` would hold on to 57 blocks."""
    waiting: list[deque[Float32Array]] = [deque(), deque()]

    def part(mine: deque[Float32Array]) -> Iterator[Float32Array]:
        while True:
            if not mine:
                block = next(sound, None)
                if block is None:
                    return
                for queue in waiting:
                    queue.append(block)
            yield mine.popleft()

    return [part(queue) for queue in waiting]


def said(net: LipNet, before: Float32Array, rows: Float32Array, after: Float32Array) -> Float32Array:
    """(steps, columns): what a network says of a page of its `windows`."""
    margin, odd = net.ear.per_step * net.margin, -len(rows) % net.ear.per_step
    seen = np.concatenate([before, rows, after])  # mirrored where the sound begins and ends
    around = (margin - len(before), margin - len(after) + odd)
    return net(np.pad(seen, (around, (0, 0)), mode="reflect"))


def _loudness(features: Float32Array) -> Float32Array:
    return np.asarray(np.clip(0.9 + features[:, -1:] * 20.0 / _RANGE_DB, 0.0, 1.0))


def windows(
    sound: Iterator[Float32Array], net: LipNet
) -> Iterator[tuple[Float32Array, Float32Array, Float32Array]]:
    """Yield features of a page of frames, and of the frames around it that a network sees too.

    Args:
        sound: pieces of mono sound at `SAMPLE_RATE`, float32.
        net: who listens.

    Yields:
        Rows of `normalise`: those before, the page itself, those after; fewer where the sound ends.
    """
    ear = net.ear
    margin, page = ear.per_step * net.margin, ear.per_step * _PAGE
    reach = 2 * (ear.reach + ear.stride) + -(-margin // ear.stride) * ear.stride  # a level, then a tone
    stream = MelStream(ear)
    held = np.zeros((0, stream.push(np.zeros(0, np.float32)).shape[1]), np.float32)
    past = 0  # frames at the start of `held` that were given before
    for piece in chain(map(stream.push, sound), [None]):
        held = np.concatenate([held, stream.flush() if piece is None else piece])
        while len(held) >= past + page + reach or (piece is None and len(held) > past):
            stop = min(past + page, len(held))
            rows = normalise(held[: stop + reach], ear)
            yield rows[max(past - margin, 0) : past], rows[past:stop], rows[stop : stop + margin]
            drop = max(stop - reach, 0)
            held, past = held[drop:], stop - drop


def _stretches(speech: Float32Array) -> Float32Array:
    """Speech without stretches, or pauses, too short to be any: a morphological opening, then a closing."""
    outside = _SHORTEST // 2  # before the sound begins and after it ends nobody speaks
    eroded = _running(np.pad(speech, outside), _SHORTEST).min(axis=1)
    opened = _running(np.pad(eroded, outside), _SHORTEST).max(axis=1)
    filled = _running(np.pad(opened, _PAUSE // 2), _PAUSE).max(axis=1)
    return np.asarray(_running(np.pad(filled, _PAUSE // 2, mode="edge"), _PAUSE).min(axis=1))


def _running(values: Float32Array, width: int) -> Float32Array:
    return np.lib.stride_tricks.sliding_window_view(values, width)


def contact_times(sure: Float32Array, least: float) -> tuple[Float64Array, Float64Array]:
    """When something touches: (contacts,) starts and ends in seconds.

    Args:
        sure: (steps,) float32, the probability of a contact in each step.
        least: a contact is believed that reaches this somewhere; two are one unless half of it lies between
            them. A contact lasts while it is half as likely as at its surest.
    """
    change = np.diff(np.pad((sure >= least / 2).astype(np.int8), 1))
    times = []
    for first, after in zip(np.flatnonzero(change == 1), np.flatnonzero(change == -1), strict=True):
        run = sure[first:after]
        if run.max() >= least:
            held = first + np.flatnonzero(run >= run.max() / 2)
            middle, length = (held[0] + held[-1]) / 2 * STEP_S, (held[-1] - held[0] + 1) * STEP_S
            reach = max(length, _SHORTEST_CONTACT_S) / 2
            times.append((middle - reach, middle + reach))
    start, end = np.array(times, np.float64).reshape(-1, 2).T
    return start, end


def _mouth(said: Float32Array, bright: Float32Array) -> Float32Array:
    """(steps, 6): the network's curves with the contrast of real lips; doubt must not leave them ajar.

    Sound between 2 and 6 kHz gets out only between parted lips, and people differ more in that than
    espeak-ng's voices do: `bright` (steps,) opens or narrows what the network says.
    """
    gain, offset = lip_net().weights["contrast"]
    mouth = np.clip(said * gain + offset, 0.0, 1.0)
    apart = 1.0 - mouth[:, 1]
    parted = 0.3 + np.convolve(np.pad(bright, 2, mode="edge"), _SMOOTH, mode="valid")
    mouth[:, 0] = np.minimum(mouth[:, 0] * parted, 1.0) * apart
    mouth[:, 4:] *= apart[:, None]
    before_after = np.pad(mouth, ((1, 1), (0, 0)), mode="edge")
    return np.asarray(
        (before_after[:-2] + 2 * mouth + before_after[2:]) / 4, np.float32
    )  # lips do not tremble


def _at_frames(steps: Float32Array, fps: float, n_frames: int, lead_s: float) -> Float32Array:
    """(frames, columns) of steps 20 ms apart, linearly between them; zeros beyond the last."""
    place = (np.arange(n_frames) / fps + lead_s) / STEP_S
    at = np.arange(len(steps))
    columns = [np.interp(place, at, column, right=0.0) for column in steps.T]
    return np.stack(columns, axis=1).astype(np.float32)
