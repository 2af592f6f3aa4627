"""When the mouth changes, where that is not when espeak-ng says that a phoneme begins.

Two things are put right, both measured on its sound: it reports a voiceless stop at its burst, with
the closure before it counted to the phoneme or pause before; and it reports the vowel after a nasal
some 25 ms after the mouth has opened.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avatalk.media import Float32Array, Phoneme

_HOP_S = 0.002
_QUIET = 0.02
"""Of the loudest hop: what counts as the silence of a closure."""
_LONGEST_CLOSURE_S = 0.12
_CLOSURE_AFTER_PAUSE_S = 0.07
_SHORTEST_S = 0.02
_RISE = 1.5
"""Factor in amplitude that tells a vowel from a murmur."""

_VOICELESS_STOPS = frozenset("pqtkʈc")
_NASALS = frozenset("mnŋɲɳɱ")


def mouth_times(phonemes: list[Phoneme], sound: Float32Array, sample_rate: int) -> list[Phoneme]:
    """Move boundaries between phonemes to where the mouth closes and opens.

    Args:
        phonemes: without gaps, from the beginning of `sound`.
        sound: (samples,) float32.
        sample_rate: hertz.

    Returns:
        The phonemes, without gaps; a pause that is all closure is gone.
    """
    hop = round(_HOP_S * sample_rate)
    count = len(sound) // hop
    if not count:
        return phonemes
    loudness = np.sqrt(np.square(sound[: count * hop]).reshape(count, hop).mean(axis=1))
    moved = list(phonemes)
    for index in range(1, len(moved)):
        before, after = moved[index - 1], moved[index]
        if after.symbol[:1] in _VOICELESS_STOPS and after.symbol:
            border = _closure(before, after.start_s, loudness)
        elif before.symbol[:1] in _NASALS and before.symbol and after.symbol:
            border = _opening(before, after.start_s, loudness)
        else:
            continue
        moved[index - 1] = replace(before, end_s=border)
        moved[index] = replace(after, start_s=border)
    return [phoneme for phoneme in moved if phoneme.end_s > phoneme.start_s]


def _closure(before: Phoneme, burst_s: float, loudness: Float32Array) -> float:
    """Where the silence before a burst begins; at least `_SHORTEST_S` is left to the phoneme before."""
    if before.symbol:
        earliest = max(before.start_s + _SHORTEST_S, burst_s - _LONGEST_CLOSURE_S)
    else:
        earliest = max(before.start_s, burst_s - _CLOSURE_AFTER_PAUSE_S)
    quiet = loudness < _QUIET * loudness.max()
    hop = min(int(burst_s / _HOP_S), len(loudness))
    while hop > 0 and quiet[hop - 1] and (hop - 1) * _HOP_S >= earliest:
        hop -= 1
    return min(max(hop * _HOP_S, min(earliest, burst_s)), burst_s)


def _opening(nasal: Phoneme, vowel_s: float, loudness: Float32Array) -> float:
    """Where the second half of a nasal becomes clearly louder than the murmur of its first half.

    Peaks over at least 10 ms are compared, for a deep voice has pulses no closer, and those after the
    10 ms in which the vowel before dies away.
    """
    first, last = int(nasal.start_s / _HOP_S), int(vowel_s / _HOP_S)
    middle = (first + last) // 2
    reach = round(_SHORTEST_S / _HOP_S)
    if middle - first < reach or last >= len(loudness):
        return vowel_s
    murmur, vowel = loudness[first + reach // 2 : middle].max(), loudness[last : last + reach].max()
    if vowel < _RISE * murmur:
        return vowel_s
    louder = np.flatnonzero(loudness[middle:last] > _RISE * murmur)
    return (middle + int(louder[0])) * _HOP_S if len(louder) else vowel_s
