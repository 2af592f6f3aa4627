"""A recording of one person, from which a voice is cloned: opened, checked, cleaned and measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from avatalk.errors import AvatalkError, SpeechError
from avatalk.events import Monitor
from avatalk.media import Float32Array
from avatalk.speech.audio import AudioClip, open_audio
from avatalk.speech.listening import HOP_S, SAMPLE_RATE, Frames, frames_of
from avatalk.speech.sample_checks import Finding, Recording, check
from avatalk.speech.traits import Traits, traits_of

LONGEST_S = 300.0
BEST_S = 30.0
"""Speech that is handed to engines; they learn nothing from more."""
FIELD = "voice_sample"

_MARGIN_S = 0.1  # left around each stretch of speech
_FADE_S = 0.005
_LEVEL = 0.1  # RMS, -20 dBFS
_PEAK = 0.95


Spans = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A recording that a voice can be cloned from.

    Attributes:
        clip: the file; at most its first five minutes.
        spans: its best stretches of speech, start and end in seconds, in order, 30 s in all at most.
        traits: what the voice is like.
        findings: what the checks measured.
    """

    clip: AudioClip
    spans: tuple[tuple[float, float], ...]
    traits: Traits
    findings: tuple[Finding, ...]

    def sound(self, sample_rate: int) -> Float32Array:
        """The speech without silence: (samples,) float32 mono at `sample_rate` hertz, about -20 dBFS."""
        spans = [(round(start * sample_rate), round(stop * sample_rate)) for start, stop in self.spans]
        parts = [_faded(part, sample_rate) for part in _cut(self.clip.blocks(sample_rate), spans)]
        sound = np.concatenate(parts)
        sound -= sound.mean()
        gain = min(
            _LEVEL / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-6), _PEAK / float(abs(sound).max())
        )
        return sound * np.float32(gain)


def open_sample(path: str | Path, monitor: Monitor) -> Sample:
    """Open a recording of one person speaking and see whether a voice can be cloned from it.

    Args:
        path: 3 s to 5 min in any format that FFmpeg decodes; of a longer one the beginning is used.
        monitor: told of progress; warned of what makes the clone worse.

    Raises:
        UnreadableFile: it is missing, damaged, or not sound.
        SpeechError: it is too short, silent, or nobody speaks in it.
    """
    try:
        clip = open_audio(path, monitor)
    except AvatalkError as error:
        error.field = FIELD
        raise
    name = clip.path.name
    if clip.duration_s > LONGEST_S:
        monitor.warn(f"{name} is {clip.duration_s / 60:.0f} min long; its first five minutes are used.")
        clip = replace(clip, duration_s=LONGEST_S)
    sound = np.concatenate([block[:, 0] for block in clip.blocks(SAMPLE_RATE)])
    monitor.report("speech", message=f"Listening to {name}")
    frames = frames_of(sound)
    findings = check(Recording(sound, frames, clip.duration_s), name)
    for finding in findings:
        if finding.refused:
            raise SpeechError(finding.message, hint=finding.hint, stage="speech", field=FIELD)
        if not finding.good:
            monitor.warn(f"{finding.message} {finding.hint}")
    return Sample(clip, tuple(_best(frames, clip.duration_s)), traits_of(frames), tuple(findings))


def _best(frames: Frames, duration_s: float) -> Spans:
    """The stretches, at most `BEST_S` in all and next to each other, in which the voice is heard clearest."""
    runs = [
        (max(start * HOP_S - _MARGIN_S, 0.0), min(stop * HOP_S + _MARGIN_S, duration_s))
        for start, stop in frames.speech()
    ]
    clear = np.cumsum(np.where(frames.sounding() & (frames.f0 > 0), frames.clarity, 0.0))

    def clarity(spans: Spans) -> float:
        ends = [min(int(stop / HOP_S), len(clear) - 1) for _, stop in spans]
        return float(
            sum(clear[end] - clear[int(start / HOP_S)] for (start, _), end in zip(spans, ends, strict=True))
        )

    choices = [_filled(runs[first:]) for first in range(len(runs))]
    return max(choices, key=clarity)


def _filled(runs: Spans) -> Spans:
    """As many of the first runs as `BEST_S` holds, the last one cut."""
    left = BEST_S
    taken: Spans = []
    for start, stop in runs:
        taken.append((start, min(stop, start + left)))
        left -= stop - start
        if left <= 0:
            break
    return taken


def _cut(blocks: Iterator[Float32Array], spans: list[tuple[int, int]]) -> Iterator[Float32Array]:
    """Yield the samples of each span; spans are in order and may touch, blocks are (samples, 1)."""
    at, held = 0, np.zeros(0, np.float32)  # held[0] is sample number `at`
    for start, stop in spans:
        while at + len(held) < stop and (block := next(blocks, None)) is not None:
            passed = min(max(start - at, 0), len(held))
            at, held = at + passed, np.concatenate([held[passed:], block[:, 0]])
        yield held[start - at : stop - at]


def _faded(part: Float32Array, sample_rate: int) -> Float32Array:
    """A copy that begins and ends softly, so that cuts make no clicks."""
    count = min(round(_FADE_S * sample_rate), len(part) // 2)
    ramp = np.linspace(0, 1, count, dtype=np.float32)
    part = part.copy()
    part[:count] *= ramp
    part[len(part) - count :] *= ramp[::-1]
    return part
