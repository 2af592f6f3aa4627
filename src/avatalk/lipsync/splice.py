"""Curves of a video whose sentences were corrected: the rows of all others are those it had before.

A row outside the corrected stretches is copied, so its frame shows the very picture it showed. Inside, the
mouth follows the new sentence; the head goes on as it did and passes, over the length of the stretch, to
where it was at its end; nods follow the new voice. So nothing jumps at either end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from avatalk.lipsync import listen
from avatalk.lipsync.motion import RESTING, Swing
from avatalk.lipsync.visemes import from_phonemes
from avatalk.media import Float32Array, MotionCurve, Phoneme, Splice, VisemeCurve

_AROUND_S = 1.0  # beyond it, sounds have no influence on the mouth, nor the voice on a nod
_JOINT_S = 0.1  # in which a mouth that is not at rest passes over
_NOD_S = 0.35  # likewise the nods


def spliced(rows: Float32Array, parts: Sequence[tuple[Splice, Float32Array]]) -> Float32Array:
    """(frames, channels) `rows` with other rows in the place of each splice."""
    whole, at = [], 0
    for splice, inside in parts:
        whole += [rows[at : splice.start], inside]
        at = splice.stop
    return np.concatenate([*whole, rows[at:]])


def spliced_visemes(
    before: VisemeCurve, phonemes: Sequence[Phoneme], splices: Sequence[Splice]
) -> VisemeCurve:
    """What the mouth does after corrections.

    Args:
        before: the curve before them.
        phonemes: that it was made of.
        splices: in order and apart.
    """
    parts = [(splice, _mouth(before, phonemes, splice)) for splice in splices]
    return VisemeCurve(spliced(before.values, parts), before.fps)


def _mouth(before: VisemeCurve, phonemes: Sequence[Phoneme], splice: Splice) -> Float32Array:
    """Rows of the mouth in a splice: the new sentence between its old neighbours."""
    fps = before.fps
    first_s, last_s = splice.start / fps, splice.stop / fps
    longer_s = (splice.frames - (splice.stop - splice.start)) / fps
    # Times count from a second before the splice, wherever that lies: equal splices have equal rows.
    lead = round(_AROUND_S * fps)
    zero_s = first_s - lead / fps
    heard = [
        *(_at(phoneme, -zero_s) for phoneme in phonemes if zero_s <= phoneme.start_s < first_s),
        *(_at(phoneme, splice.begin_s - zero_s) for phoneme in splice.speech.phonemes or ()),
        *(
            _at(phoneme, longer_s - zero_s)
            for phoneme in phonemes
            if last_s <= phoneme.start_s < last_s + _AROUND_S
        ),
    ]
    rows = from_phonemes([one for one in heard if one.symbol], fps, lead + splice.frames).values[lead:]
    return _into(rows, before.values, splice, round(_JOINT_S * fps))


def _at(phoneme: Phoneme, by_s: float) -> Phoneme:
    return replace(phoneme, start_s=phoneme.start_s + by_s, end_s=phoneme.end_s + by_s)


def spliced_motion(
    before: Swing, loudness: Float32Array, splices: Sequence[Splice], fps: float, *, still: bool
) -> MotionCurve:
    """What head, lids and eyes do after corrections.

    Args:
        before: the motion before them, in its parts.
        loudness: (frames,) 0..1 before them.
        splices: in order and apart.
        fps: frames per second.
        still: the head keeps its place.
    """
    parts = [(splice, _head(before, loudness, splice, fps, still)) for splice in splices]
    return MotionCurve(spliced(before.curve(fps).values, parts), fps)


def _head(before: Swing, loudness: Float32Array, splice: Splice, fps: float, still: bool) -> Float32Array:
    count = splice.frames
    ahead, behind = _kept(before.sway, splice, resting=False)
    share = _ease((np.arange(count) + 1) / (count + 1))[:, None]
    sway = ahead * (1 - share) + behind * share
    # Lids and eyes are no averages: half a blink, or a drifting gaze, is none. They pass over at one frame.
    ahead, behind = (rows[:, list(RESTING)] for rows in _kept(before.sway, splice, resting=True))
    over = _pass_over(ahead, behind)
    sway[:, list(RESTING)] = np.concatenate([ahead[:over], behind[over:]])
    if still:
        return sway
    around = round(_AROUND_S * fps)
    said = listen.loudness(splice.speech.audio, fps, count)
    voice = np.zeros(count, np.float32)
    begin = min(max(round(splice.begin_s * fps) - splice.start, 0), count)
    voice[begin:] = said[: count - begin]
    lead = min(around, splice.start)
    heard = np.concatenate(
        [loudness[splice.start - lead : splice.start], voice, loudness[splice.stop : splice.stop + around]]
    )
    nods = _into(Swing.nods_of(heard, fps)[lead : lead + count], before.nods, splice, round(_NOD_S * fps))
    return Swing(sway, nods).curve(fps).values


def _kept(rows: Float32Array, splice: Splice, *, resting: bool) -> tuple[Float32Array, Float32Array]:
    """What `rows` go on to be from the start of a splice, and were until its end, (frames, channels) each.

    Beyond both ends of the video they stay as they were last; or are zeros, `resting`.
    """
    found = []
    for first in (splice.start, splice.stop - splice.frames):
        places = np.arange(first, first + splice.frames)
        part = rows[np.clip(places, 0, len(rows) - 1)]
        if resting:
            part[(places < 0) | (places >= len(rows))] = 0.0
        found.append(part)
    return found[0], found[1]


def _into(rows: Float32Array, before: Float32Array, splice: Splice, ramp: int) -> Float32Array:
    """`rows` of a splice, passing over from and to those `before` within `ramp` frames of its ends."""
    ahead, behind = _kept(before, splice, resting=False)
    ramp = min(ramp, splice.frames // 2)
    steps = np.arange(splice.frames)
    begin = _ease(np.clip((steps + 1) / (ramp + 1), 0, 1))[:, None]
    end = _ease(np.clip((splice.frames - steps) / (ramp + 1), 0, 1))[:, None]
    if splice.start == 0:
        begin[:] = 1.0
    if splice.stop == len(before):
        end[:] = 1.0
    return np.asarray((ahead * (1 - begin) + rows * begin) * end + behind * (1 - end), np.float32)


def _pass_over(ahead: Float32Array, behind: Float32Array) -> int:
    """The frame nearest to the middle at which both are most alike: at rest, if they ever are."""
    count = len(ahead)
    if not count:
        return 0
    apart = np.abs(ahead - behind).max(axis=1) + np.abs(ahead).max(axis=1) + np.abs(behind).max(axis=1)
    far = np.abs(np.arange(count) - count / 2) / (count + 1)
    return int(np.argmin(np.round(apart, 3) * 1000 + far))


def _ease(share: npt.NDArray[np.float64]) -> Float32Array:
    """Quintic easing: neither speed nor acceleration at its ends."""
    return np.asarray(share**3 * (share * (6 * share - 15) + 10), np.float32)
