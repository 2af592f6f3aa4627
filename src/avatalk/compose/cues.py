"""Cues from timed words: what a caption shows, and when.

The measures are those common to broadcasters' guides (the BBC's subtitle guidelines, Netflix' timed text
style guides): two lines of at most 42 characters, or of 16 full-width ones, at most 17 characters a second,
1 to 7 seconds a cue, lines broken between phrases. A character of a script written in full-width squares
counts twice.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from avatalk.compose.phrases import SENTENCE, break_costs, in_units, width
from avatalk.media import Cue, Word
from avatalk.speech.text import SENTENCE_PAUSE_S
from avatalk.speech.words import unspaced

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
_LINGER_S = 0.5
"""How long a cue may stay after its last word, when nothing else asks for more; no gap is shorter."""
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


def too_fast(cues: Sequence[Cue]) -> int:
    """Number of cues that pass faster than `CHARACTERS_PER_S`."""
    return sum(characters(cue) > (cue.end_s - cue.start_s) * CHARACTERS_PER_S + 0.5 for cue in cues)


# --- which words -----------------------------------------------------------------------------------


class _Widths:
    """Width of any run of words, joined, in constant time."""

    def __init__(self, words: Sequence[Word], line: int) -> None:
        self.line = line
        self.spaces = [0, *(len(_space(one.text, two.text)) for one, two in pairwise(words))]
        self.ends = [0]
        for word, space in zip(words, self.spaces, strict=True):
            self.ends.append(self.ends[-1] + space + width(word.text))

    def of(self, start: int, stop: int) -> int:
        """Columns of words `start` to `stop` - 1 on one line."""
        return self.ends[stop] - self.ends[start] - self.spaces[start]

    def fit(self, start: int, stop: int) -> bool:
        """Whether they fit into two lines."""
        if self.of(start, stop) > LINES * self.line + 1:
            return False
        cut = start + 1
        while cut < stop and self.of(start, cut + 1) <= self.line:
            cut += 1
        return cut == stop or self.of(cut, stop) <= self.line


def _groups(words: Sequence[Word], costs: Sequence[float], line: int) -> list[tuple[int, int]]:
    """Cut the words into cues at the least cost, by a dynamic programme over all ways that fit."""
    widths = _Widths(words, line)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for stop in range(1, len(words) + 1):
        options = []
        inner = 0.0
        for start in range(stop - 1, -1, -1):
            too_long = words[stop - 1].end_s - words[start].start_s > LONGEST_S
            if start < stop - 1 and (too_long or not widths.fit(start, stop)):
                break
            if start < stop - 1 and costs[start] == SENTENCE:
                pause_s = words[start + 1].start_s - words[start].end_s
                inner += 2.0 + 10.0 * max(0.0, pause_s - SENTENCE_PAUSE_S)
            here = _cost(words, widths.of(start, stop), start, stop) + costs[stop - 1]
            options.append((best[start][0] + here + inner, start))
        best.append(min(options))
    groups: list[tuple[int, int]] = []
    stop = len(words)
    while stop:
        start = best[stop][1]
        groups.append((start, stop))
        stop = start
    return groups[::-1]


def _cost(words: Sequence[Word], columns: int, start: int, stop: int) -> float:
    """What a cue costs by itself: more, the more of the time to read it is lacking."""
    until_s = words[stop].start_s - GAP_S if stop < len(words) else words[-1].end_s + _LINGER_S
    lacking_s = max(SHORTEST_S, columns / CHARACTERS_PER_S) - (until_s - words[start].start_s)
    return 1.0 + 12.0 * max(0.0, lacking_s)


def _lines(words: Sequence[Word], costs: Sequence[float], line: int) -> tuple[str, ...]:
    """Break a cue in two lines: where a phrase ends, and else about the middle."""
    widths = _Widths(words, line)
    if widths.of(0, len(words)) <= line:
        return (_text(words),)
    options = []
    for cut in range(1, len(words)):
        upper, lower = widths.of(0, cut), widths.of(cut, len(words))
        if max(upper, lower) <= line:
            options.append((abs(upper - lower) + _IMBALANCE * costs[cut - 1], cut))
    cut = min(options)[1]
    return _text(words[:cut]), _text(words[cut:])


def _text(words: Sequence[Word]) -> str:
    """Words joined as they are written."""
    text = words[0].text
    for before, word in pairwise(words):
        text += _space(before.text, word.text) + word.text
    return text


_WIDE_MARKS = frozenset("。，、！？；：」』）》】")


def _space(before: str, after: str) -> str:
    """What stands between two units: a space, but nothing where a script has none."""
    return "" if unspaced(before[-1]) or unspaced(after[0]) or before[-1] in _WIDE_MARKS else " "


# --- when ------------------------------------------------------------------------------------------


def _timed(
    groups: Sequence[tuple[Sequence[Word], Sequence[float]]], duration_s: float, line: int
) -> list[Cue]:
    """Give every cue its time: when it is spoken, moved a little where there is not the time to read it."""
    cues = [
        Cue(words[0].start_s, min(words[-1].end_s, duration_s), _lines(words, costs, line))
        for words, costs in groups
    ]
    needed = [min(LONGEST_S, max(SHORTEST_S, characters(cue) / CHARACTERS_PER_S)) for cue in cues]
    starts = _starts([cue.start_s for cue in cues], [need + GAP_S for need in needed], duration_s + GAP_S)
    timed = []
    for index, (cue, start_s) in enumerate(zip(cues, starts, strict=True)):
        last = index + 1 == len(cues)
        latest_s = duration_s if last else starts[index + 1] - GAP_S
        end_s = min(max(start_s + needed[index], cue.end_s + _LINGER_S), start_s + LONGEST_S, latest_s)
        if latest_s - end_s < _LINGER_S and not last:
            end_s = min(latest_s, start_s + LONGEST_S)  # no flicker between two cues
        if end_s <= start_s:  # words with next to no time between them
            end_s = latest_s if last else starts[index + 1]
        timed.append(replace(cue, start_s=start_s, end_s=end_s))
    return timed


def _starts(spoken: Sequence[float], lengths: Sequence[float], end_s: float) -> list[float]:
    """Starts nearest to `spoken`, by least squares, such that each cue has its length before the next.

    With the lengths before it taken off, each start must not precede the one before: an isotonic regression,
    solved by pooling adjacent violators (Ayer et al. 1955). None moves by more than `SHIFT_S`.
    """
    offsets = [0.0]
    for length in lengths:
        offsets.append(offsets[-1] + length)
    pools: list[tuple[float, int]] = []  # sum and number of neighbours that share one value
    for start_s, offset in zip(spoken, offsets, strict=False):
        total, count = start_s - offset, 1
        while pools and pools[-1][0] * count >= total * pools[-1][1]:
            more, many = pools.pop()
            total, count = total + more, count + many
        pools.append((total, count))
    values = [total / count for total, count in pools for _ in range(count)]
    latest = end_s - offsets[-1]
    starts = []
    for value, offset, start_s in zip(values, offsets, spoken, strict=False):
        moved = max(min(value, latest), 0.0) + offset
        starts.append(max(0.0, min(max(moved, start_s - SHIFT_S), start_s + SHIFT_S)))
    return starts
