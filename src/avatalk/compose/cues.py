"""Cues from timed words: what a caption shows, and when.

The measures are those common to broadcasters' guides (the BBC's subtitle guidelines, Netflix' timed text
style guides): two lines of at most 42 characters, or of 16 full-width ones, at most 17 characters a second,
1 to 7 seconds a cue, lines broken between phrases. A character of a script written in full-width squares
counts twice.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from avatalk.compose.phrases import SENTENCE, Unit, break_costs, in_units, width
from avatalk.media import Cue, Word
from avatalk.speech.text import SENTENCE_PAUSE_S

LINE = 42
WIDE_LINE = 32
"""Columns of a line where most characters are full-width: 16 of them."""
LINES = 2
CHARACTERS_PER_S = 17.0
SHORTEST_S, LONGEST_S = 1.0, 7.0
GAP_S = 0.08
"""Two frames without a caption tell one from the next."""
SHIFT_S = 0.8
"""A cue may come this much before or after its words, where the speech is too fast to be read in time."""
_ROUNDING_S = 0.001
"""What a time may lose in a file that has milliseconds."""
_LINGER_S = 0.5
"""How long a cue may stay after its last word, when nothing else asks for more; no gap is shorter."""
_GIVE, _ROUNDS = 0.98, 80  # by how much a length gives way, and how often
_IMBALANCE = 3.0  # columns by which two lines may differ for one unit of a break's cost


def cues_of(words: Sequence[Word], duration_s: float, language: str = "", line: int = LINE) -> list[Cue]:
    """Group timed words into cues.

    Args:
        words: in time order.
        duration_s: of the sound; no cue goes beyond it.
        language: BCP-47, tells where phrases begin; empty where it is not known.
        line: columns of a line at most.

    Returns:
        Cues in time order that do not overlap. A cue stays longer than it is spoken where the pause
        after it allows, so that it can be read.
    """
    words = [word for word in words if word.start_s < duration_s]
    text = "".join(word.text for word in words)
    if 4 * sum(unicodedata.east_asian_width(char) in "WF" for char in text) > len(text):
        line = min(line, WIDE_LINE)
    units = in_units(words, language, line)
    if not units:
        return []
    costs = break_costs(units, language)
    groups = _groups(units, costs, line)
    return _timed([(units[start:stop], costs[start:stop]) for start, stop in groups], duration_s, line)


def characters(cue: Cue) -> int:
    """What there is to read in a cue: its columns, and one for the break of lines."""
    return sum(map(width, cue.lines)) + len(cue.lines) - 1


def reading_time(cue: Cue) -> float:
    """Seconds that a cue should stay, and the gap after it."""
    return min(LONGEST_S, max(SHORTEST_S, characters(cue) / CHARACTERS_PER_S + _ROUNDING_S)) + GAP_S


def too_fast(cues: Sequence[Cue]) -> int:
    """Number of cues that pass faster than `CHARACTERS_PER_S`."""
    return sum(characters(cue) > (cue.end_s - cue.start_s) * CHARACTERS_PER_S + 0.5 for cue in cues)


# --- which words -----------------------------------------------------------------------------------


class _Widths:
    """Width of any run of words, joined, in constant time."""

    def __init__(self, units: Sequence[Unit], line: int) -> None:
        self.line = line
        self.units = units
        self.ends = [0]
        for unit in units:
            self.ends.append(self.ends[-1] + unit.spaced + width(unit.text))

    def of(self, start: int, stop: int) -> int:
        """Columns of words `start` to `stop` - 1 on one line."""
        return self.ends[stop] - self.ends[start] - self.units[start].spaced

    def fit(self, start: int, stop: int) -> bool:
        """Whether they fit into two lines."""
        if self.of(start, stop) > LINES * self.line + 1:
            return False
        cut = start + 1
        while cut < stop and self.of(start, cut + 1) <= self.line:
            cut += 1
        return cut == stop or self.of(cut, stop) <= self.line


def _groups(units: Sequence[Unit], costs: Sequence[float], line: int) -> list[tuple[int, int]]:
    """Cut the words into cues at the least cost, by a dynamic programme over all ways that fit."""
    widths = _Widths(units, line)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for stop in range(1, len(units) + 1):
        options = []
        inner = 0.0
        for start in range(stop - 1, -1, -1):
            too_long = units[stop - 1].end_s - units[start].start_s > LONGEST_S
            if start < stop - 1 and (too_long or not widths.fit(start, stop)):
                break
            if start < stop - 1:
                pause_s = units[start + 1].start_s - units[start].end_s
                inner += 2.0 * (costs[start] == SENTENCE) + 10.0 * max(0.0, pause_s - SENTENCE_PAUSE_S)
            here = _cost(units, widths.of(start, stop), start, stop) + costs[stop - 1]
            options.append((best[start][0] + here + inner, start))
        best.append(min(options))
    groups: list[tuple[int, int]] = []
    stop = len(units)
    while stop:
        start = best[stop][1]
        groups.append((start, stop))
        stop = start
    return groups[::-1]


def _cost(units: Sequence[Unit], columns: int, start: int, stop: int) -> float:
    """What a cue costs by itself: more, the more of the time to read it is lacking."""
    until_s = units[stop].start_s - GAP_S if stop < len(units) else units[-1].end_s + _LINGER_S
    lacking_s = max(SHORTEST_S, columns / CHARACTERS_PER_S) - (until_s - units[start].start_s)
    return 1.0 + 12.0 * max(0.0, lacking_s)


def _lines(units: Sequence[Unit], costs: Sequence[float], line: int) -> tuple[str, ...]:
    """Break a cue in two lines: where a phrase ends, and else about the middle."""
    widths = _Widths(units, line)
    if widths.of(0, len(units)) <= line:
        return (_text(units),)
    options = []
    for cut in range(1, len(units)):
        upper, lower = widths.of(0, cut), widths.of(cut, len(units))
        if max(upper, lower) <= line:
            options.append((abs(upper - lower) + _IMBALANCE * costs[cut - 1], cut))
    cut = min(options)[1]
    return _text(units[:cut]), _text(units[cut:])


def _text(units: Sequence[Unit]) -> str:
    """Units joined as they are written."""
    return "".join(" " * unit.spaced + unit.text for unit in units)[units[0].spaced :]


# --- when ------------------------------------------------------------------------------------------


def _timed(
    groups: Sequence[tuple[Sequence[Unit], Sequence[float]]], duration_s: float, line: int
) -> list[Cue]:
    """Give every cue its time: when it is spoken, moved a little where there is not the time to read it."""
    cues = [
        Cue(units[0].start_s, min(units[-1].end_s, duration_s), _lines(units, costs, line))
        for units, costs in groups
    ]
    lengths = list(map(reading_time, cues))
    starts = _starts([cue.start_s for cue in cues], lengths, duration_s + GAP_S)
    timed = []
    for index, (cue, start_s) in enumerate(zip(cues, starts, strict=True)):
        last = index + 1 == len(cues)
        latest_s = duration_s if last else starts[index + 1] - GAP_S
        end_s = min(
            max(start_s + lengths[index] - GAP_S, cue.end_s + _LINGER_S), start_s + LONGEST_S, latest_s
        )
        if latest_s - end_s < _LINGER_S and not last:
            end_s = min(latest_s, start_s + LONGEST_S)  # no flicker between two cues
        if end_s <= start_s:  # words with next to no time between them
            end_s = latest_s if last else starts[index + 1]
        timed.append(replace(cue, start_s=start_s, end_s=end_s))
    return timed


def _starts(spoken: Sequence[float], lengths: list[float], end_s: float) -> list[float]:
    """Starts nearest to `spoken`, by least squares, such that each cue has its length before the next.

    Where one would move by more than `SHIFT_S`, the lengths around it give way, bit by bit.
    """
    fitting = min(1.0, end_s / sum(lengths))
    lengths = [length * fitting for length in lengths]
    for _ in range(_ROUNDS):
        offsets = list(accumulate(lengths, initial=0.0))
        own = [start_s - offset for start_s, offset in zip(spoken, offsets, strict=False)]
        values = [max(min(value, end_s - offsets[-1]), 0.0) for value in _isotonic(own)]
        tight = {value for value, start_s in zip(values, own, strict=True) if abs(value - start_s) > SHIFT_S}
        if not tight:
            break
        lengths = [
            length * _GIVE if value in tight else length
            for length, value in zip(lengths, values, strict=True)
        ]
    starts = [value + offset for value, offset in zip(values, offsets, strict=False)]
    return [
        min(max(start, said - SHIFT_S), said + SHIFT_S) for start, said in zip(starts, spoken, strict=True)
    ]


def _isotonic(values: Iterable[float]) -> list[float]:
    """The nearest values that never fall, by pooling adjacent violators (Ayer et al. 1955)."""
    pools: list[tuple[float, int]] = []  # sum and number of neighbours that share one value
    for value in values:
        total, count = value, 1
        while pools and pools[-1][0] * count >= total * pools[-1][1]:
            more, many = pools.pop()
            total, count = total + more, count + many
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]
