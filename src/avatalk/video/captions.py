"""Captions from timed words, as SubRip and WebVTT.

The measures are those common to broadcasters' guides: two lines of at most 42 characters, at most 17
characters per second, 1 to 7 seconds a cue, lines broken between phrases. A character of a script
written in full-width squares counts twice.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from avatalk.media import Word
from avatalk.speech.text import SENTENCE_PAUSE_S
from avatalk.speech.words import unspaced

LINE = 42
LINES = 2
CHARACTERS_PER_S = 17.0
SHORTEST_S, LONGEST_S = 1.0, 7.0
GAP_S = 0.08
"""Two frames without a caption tell one from the next."""
_LINGER_S = 0.5
"""How long a cue may stay after its last word, when nothing else asks for more."""

_CLAUSE_ENDS = tuple(",;:—–،؛、，；：)")
_WIDE_MARKS = frozenset("。，、！？；：」』）》】")
_CLOSERS = "\"'”’»›)]}」』】》〉）］｝"


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from `start_s` to `end_s`: one or two lines."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


def captions(words: Sequence[Word], duration_s: float) -> list[Cue]:
    """Group timed words into cues.

    Args:
        words: in time order.
        duration_s: of the video; no cue goes beyond it.

    Returns:
        Cues in time order that do not overlap. A cue stays longer than it is spoken where the pause
        after it allows, so that it can be read.
    """
    parts = [part for word in words for part in _short_words(word)]
    groups = _groups(parts) if parts else []
    cues = [
        Cue(group[0].start_s, min(group[-1].end_s, duration_s), _lines(group))
        for group in groups
        if group[0].start_s < duration_s
    ]
    return [
        _extended(cue, cues[index + 1].start_s if index + 1 < len(cues) else duration_s + GAP_S, duration_s)
        for index, cue in enumerate(cues)
    ]


def to_srt(cues: Iterable[Cue]) -> str:
    """Write cues as SubRip, with line feeds; encode as UTF-8."""
    return "".join(
        f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n{chr(10).join(cue.lines)}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def to_vtt(cues: Iterable[Cue]) -> str:
    """Write cues as WebVTT (W3C), with ``&``, ``<`` and ``>`` escaped; encode as UTF-8."""
    return "WEBVTT\n\n" + "".join(
        f"{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n"
        + "".join(html.escape(line, quote=False) + "\n" for line in cue.lines)
        + "\n"
        for cue in cues
    )


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return (
        f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}{point}{milliseconds % 1000:03d}"
    )


def _short_words(word: Word) -> list[Word]:
    """Cut a word that is longer than a line, as in Thai or a web address; time goes by characters."""
    if _width(word.text) <= LINE:
        return [word]
    texts: list[str] = [""]
    for char in word.text:
        if texts[-1] and _width(texts[-1] + char) > LINE and not unicodedata.combining(char):
            texts.append("")
        texts[-1] += char
    spent = 0
    parts = []
    per_char = (word.end_s - word.start_s) / len(word.text)
    for text in texts:
        start_s = word.start_s + spent * per_char
        spent += len(text)
        parts.append(replace(word, text=text, start_s=start_s, end_s=word.start_s + spent * per_char))
    return parts


class _Widths:
    """Width of any run of words, joined, in constant time."""

    def __init__(self, words: list[Word]) -> None:
        self.spaces = [
            0,
            *(len(_space(one.text, two.text)) for one, two in pairwise(words)),
        ]
        self.ends = [0]
        for word, space in zip(words, self.spaces, strict=True):
            self.ends.append(self.ends[-1] + space + _width(word.text))

    def of(self, start: int, stop: int) -> int:
        """Columns of words `start` to `stop` - 1 on one line."""
        return self.ends[stop] - self.ends[start] - self.spaces[start]

    def fit(self, start: int, stop: int) -> bool:
        """Whether they fit into two lines."""
        cut = start + 1
        while cut < stop and self.of(start, cut + 1) <= LINE:
            cut += 1
        return cut == stop or self.of(cut, stop) <= LINE


def _groups(words: list[Word]) -> list[list[Word]]:
    """Cut the words into cues at the least cost, by a dynamic programme over all ways that fit."""
    widths = _Widths(words)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for stop in range(1, len(words) + 1):
        options = []
        inner = 0.0
        for start in range(stop - 1, -1, -1):
            too_long = words[stop - 1].end_s - words[start].start_s > LONGEST_S
            if start < stop - 1 and (too_long or not widths.fit(start, stop)):
                break
            if start < stop - 1 and _ends_sentence(words, start):
                pause_s = words[start + 1].start_s - words[start].end_s
                inner += 2.0 + 10.0 * max(0.0, pause_s - SENTENCE_PAUSE_S)
            options.append((best[start][0] + _cost(words, start, stop) + inner, start))
        best.append(min(options))
    groups: list[list[Word]] = []
    stop = len(words)
    while stop:
        start = best[stop][1]
        groups.append(words[start:stop])
        stop = start
    return groups[::-1]


def _cost(words: list[Word], start: int, stop: int) -> float:
    """What a cue costs: itself, more for a break in the middle of a phrase, most for a short flash."""
    cost = 1.0
    if not _ends_sentence(words, stop - 1):
        cost += 2.0 if _ends_with(words[stop - 1], _CLAUSE_ENDS) else 7.0
    until_s = words[stop].start_s if stop < len(words) else words[-1].end_s + _LINGER_S
    return cost + 12.0 * max(0.0, SHORTEST_S - (until_s - words[start].start_s))


def _ends_sentence(words: list[Word], index: int) -> bool:
    return index + 1 == len(words) or words[index + 1].sentence != words[index].sentence


def _lines(group: list[Word]) -> tuple[str, ...]:
    """Break a cue in two lines: after a sentence or a clause if there is one, else about the middle."""
    widths = _Widths(group)
    if widths.of(0, len(group)) <= LINE:
        return (_text(group),)
    costs = []
    for cut in range(1, len(group)):
        upper, lower = widths.of(0, cut), widths.of(cut, len(group))
        if max(upper, lower) <= LINE:
            bonus = 24 * _ends_sentence(group, cut - 1) or 12 * _ends_with(group[cut - 1], _CLAUSE_ENDS)
            costs.append((abs(upper - lower) - bonus, cut))
    cut = min(costs)[1]
    return _text(group[:cut]), _text(group[cut:])


def _ends_with(word: Word, marks: tuple[str, ...]) -> bool:
    return word.text.endswith(marks) or word.text.rstrip(_CLOSERS).endswith(marks)


def _text(group: Sequence[Word]) -> str:
    """Words joined as they are written."""
    text = group[0].text
    for word in group[1:]:
        text += _space(text, word.text) + word.text
    return text


def _space(before: str, after: str) -> str:
    """What stands between two words: a space, but nothing where a script has none."""
    return "" if unspaced(before[-1]) or unspaced(after[0]) or before[-1] in _WIDE_MARKS else " "


def _width(text: str) -> int:
    """Columns: two for a wide character, none for a combining one."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _extended(cue: Cue, next_start_s: float, duration_s: float) -> Cue:
    """Let a cue stay as long as reading takes, where the next one does not need its place."""
    spoken_s = cue.end_s - cue.start_s
    reading_s = sum(map(_width, cue.lines)) / CHARACTERS_PER_S
    wanted_s = min(LONGEST_S, max(SHORTEST_S, reading_s, spoken_s + _LINGER_S))
    latest_s = min(next_start_s - GAP_S, duration_s)
    return replace(cue, end_s=max(min(cue.start_s + wanted_s, latest_s), min(cue.end_s, next_start_s)))
