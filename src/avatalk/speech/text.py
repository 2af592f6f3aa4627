"""Text of any length, language and layout, cut into the pieces that a voice speaks at one go."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from avatalk.errors import SpeechError
from avatalk.speech.words import speakable

LONGEST = 240
"""Characters of a piece; engines are given no more at once."""

SENTENCE_PAUSE_S = 0.3
ELLIPSIS_PAUSE_S = 0.45
PARAGRAPH_PAUSE_S = 0.6
CLAUSE_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, or a part of a very long one.

    Attributes:
        text: on one line, at most `LONGEST` characters, with something in it that can be spoken.
        sentence: number of the sentence, from 0.
        pause_s: natural silence after it, at normal speed.
        end: characters of the whole text up to its end.
        start: characters of the whole text before it.
    """

    text: str
    sentence: int
    pause_s: float
    end: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Borders:
    """Where a text is cut, and where it is not, whatever it looks like; places are characters from 0.

    Attributes:
        ends: a sentence ends here.
        cuts: a piece ends here, and its sentence may go on.
        whole: (start, stop) of what stays in one sentence.
    """

    ends: frozenset[int] = frozenset()
    cuts: frozenset[int] = frozenset()
    whole: tuple[tuple[int, int], ...] = ()


_NONE = Borders()

# Full stops that need no space behind them: CJK, Arabic, Devanagari, Ethiopic, Myanmar, Khmer, Armenian.
_FULL_STOPS = "。！？｡؟۔।॥።፧။។։"
_CLOSERS = "\"'”’»›)\\]}」』】》〉）］｝"
_END = re.compile(rf"(?:[.!?…‼⁇⁈⁉]+[{_CLOSERS}]*(?=\s|$))|(?:[{_FULL_STOPS}][{_FULL_STOPS}.!?…{_CLOSERS}]*)")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*|[\f\u2029]\s*")
_CLAUSE = re.compile(r"[;:；：][\s]?|\s[—–-]\s|[—,،、，؛](?!\d)\s?")
_LINE = re.compile(r"[\n\v\x85\u2028]")

_LINE_BREAK_BELOW = 50
"""A line shorter than this ends where it was broken (a heading, a list, a poem); a longer one was wrapped."""

# Abbreviations, lower case and without the last stop, of the languages with most speakers.
_NEVER_LAST = """
mr mrs ms dr prof rev hon st mt gen col sgt capt lt gov sen rep messrs vs cf ed eds approx dept est e.g i.e
jan feb mar apr jun jul aug sep sept oct nov dec
bzw bd hr fr z.b d.h u.a s.o vgl evtl ggf inkl mio mrd mm mme mlle mgr p.ex sra srta dña ud uds
dra dras drs profa sig sigg dott avv ing avda av ee tel tél telef ca bzgl núm pág aprox
t.ex bl.a o.s.v t.o.m dvs m.fl np tzn hab inż пр ул им т.е т.к
"""
_LAST_BEFORE_CAPITAL = "etc al inc ltd co corp jr usw u.s u.k a.m p.m b.c a.d ph.d itd itp т.д т.п гг"
_BEFORE_NUMBER = "no nos nr n fig figs vol p pp s art cap ch sec op núm pág рис стр"
_GOING_ON = frozenset(_NEVER_LAST.split())
_MAY_END = frozenset(_LAST_BEFORE_CAPITAL.split())
_NUMBERED = frozenset(_BEFORE_NUMBER.split())


def pieces(text: str, borders: Borders = _NONE) -> Iterator[Piece]:
    """Split `text` into sentences, and very long sentences into clauses.

    A line break ends a sentence after a short line; an empty line ends a paragraph. A full stop does
    not end one after an abbreviation, an initial or a number, nor where lower case goes on.
    """
    sentence = 0
    cuts = sorted(borders.cuts)
    for start, stop, pause_s in _sentences(text, borders):
        found = False
        for part_start, part_stop in _parts(text, start, stop, cuts):
            part = " ".join(text[part_start:part_stop].split())
            if not any(map(speakable, part)):
                continue
            last, cut = part_stop >= stop, part_stop in borders.cuts
            begun = part_stop - len(text[part_start:part_stop].lstrip())
            yield Piece(part, sentence, pause_s if last else 0.0 if cut else CLAUSE_PAUSE_S, part_stop, begun)
            found = True
        sentence += found


def check_speakable(text: str) -> None:
    """Raise `SpeechError` if there is nothing in `text` that could be spoken."""
    if not any(map(speakable, text)):
        raise SpeechError(
            "The text has no letters or digits in it." if text.strip() else "The text is empty.",
            hint="Write what the avatar shall say.",
            stage="speech",
            field="text",
        )


def _sentences(text: str, borders: Borders) -> Iterator[tuple[int, int, float]]:
    """Yield start, stop and pause of every sentence; together they cover the text."""
    start = 0
    forced = sorted(borders.ends)
    for paragraph in [*_PARAGRAPH.finditer(text), None]:
        paragraph_stop = paragraph.start() if paragraph else len(text)
        inside = forced[bisect_right(forced, start) : bisect_left(forced, paragraph_stop)]
        for stop in _stops(text, start, paragraph_stop, inside, borders.whole):
            yield start, stop, _pause_s(text[start:stop])
            start = stop
        yield start, paragraph_stop, PARAGRAPH_PAUSE_S
        start = paragraph.end() if paragraph else paragraph_stop


def _stops(
    text: str, start: int, stop: int, forced: list[int], whole: tuple[tuple[int, int], ...]
) -> Iterator[int]:
    """Yield where sentences end inside a paragraph, without its own end."""
    ends = [match.end() for match in _END.finditer(text, start, stop) if _ends(text, match, start, stop)]
    ends += [
        match.end() for match in _LINE.finditer(text, start, stop) if _line_ends(text, match, start, stop)
    ]
    if whole:
        ends = [end for end in ends if not _within(end, whole)]
    last = start + len(text[start:stop].rstrip())
    yield from sorted({end for end in (*ends, *forced) if end < last})


def _within(place: int, spans: tuple[tuple[int, int], ...]) -> bool:
    """Whether `place` lies inside one of `spans`, which are in order."""
    index = bisect_left(spans, (place, 0)) - 1
    return index >= 0 and spans[index][0] < place < spans[index][1]


def _ends(text: str, match: re.Match[str], start: int, stop: int) -> bool:
    """Whether the stop that matched ends a sentence."""
    mark = match.group()
    if mark[0] in _FULL_STOPS:
        return True
    following = text[match.end() : min(stop, match.end() + 80)].lstrip().lstrip(_CLOSERS + "“„«‘¿¡(")[:1]
    if following.islower():
        return False
    if mark[0] != "." or mark.startswith(".."):
        return True
    before = text[max(start, match.start() - 24) : match.start()].split()
    word = before[-1].lstrip("([{\"'“„«‘¿¡").lower() if before else ""
    if word == "sr":  # a father's name ends so in English; elsewhere a gentleman's begins so
        return following.isupper() and before[-2:-1] != [] and before[-2].istitle() and len(before[-2]) > 3
    if following.isdigit() and word.endswith("str"):
        return False
    if word in _MAY_END:
        return following.isupper()
    if word in _NUMBERED and following.isdigit():
        return False
    initial = (len(word) == 1 and word.isalpha()) or re.fullmatch(r"(?:\w\.)+\w", word)
    return not (initial or word in _GOING_ON or re.fullmatch(r"\d{1,2}", word))


def _line_ends(text: str, match: re.Match[str], start: int, stop: int) -> bool:
    """Whether a line break is meant, or only where the line was full."""
    line = text[max(start, text.rfind("\n", start, match.start()) + 1) : match.start()]
    following = text[match.end() : min(stop, match.end() + 80)].lstrip()[:1]
    return len(line) < _LINE_BREAK_BELOW and not following.islower()


def _pause_s(sentence: str) -> float:
    tail = sentence.rstrip().rstrip(_CLOSERS)
    return ELLIPSIS_PAUSE_S if tail.endswith(("...", "…")) else SENTENCE_PAUSE_S


def _parts(text: str, start: int, stop: int, cuts: list[int]) -> Iterator[tuple[int, int]]:
    """Cut a sentence at `cuts`, and what is longer than `LONGEST` at its last clause, space, or anywhere."""
    for border in (*cuts[bisect_right(cuts, start) : bisect_left(cuts, stop)], stop):
        while border - start > LONGEST:
            limit = start + LONGEST
            clauses = [match.end() for match in _CLAUSE.finditer(text, start + LONGEST // 4, limit)]
            spaces = [match.end() for match in re.finditer(r"\s", text[start:limit])]
            if clauses:
                cut = clauses[-1]
            elif spaces and spaces[-1] > LONGEST // 4:
                cut = start + spaces[-1]
            else:
                cut = limit
            yield start, cut
            start = cut
        yield start, border
        start = border
