"""The words of a sentence as written, and which of them is spoken when."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from avatalk.media import Word

# Scripts written without spaces between words: Han with its extensions, kana, bopomofo.
_UNSPACED = (
    (0x2E80, 0x30FF),
    (0x3105, 0x312F),
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x20000, 0x3FFFF),
)
_OPENING = frozenset("([{<«‹“‘„‚¿¡「『（【《〈〔［｛")


def unspaced(char: str) -> bool:
    """Whether `char` belongs to a script that puts no spaces between words (Chinese, Japanese)."""
    code = ord(char)
    return any(first <= code <= last for first, last in _UNSPACED)


def speakable(char: str) -> bool:
    """Whether `char` is a letter or a digit."""
    return unicodedata.category(char)[0] in "LN"


@dataclass(slots=True)
class Token:
    """A word as written, with the punctuation that touches it: ``text[start:end]``."""

    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Split into words at spaces, and after every character of a script without them.

    Punctuation and symbols that stand alone join the word before them, or the first word. The tokens
    cover all of `text` but spaces at their borders.
    """
    tokens: list[Token] = []
    spoken: list[bool] = []
    new = True
    for index, char in enumerate(text):
        if char.isspace():
            new = True
            continue
        if char == "\N{ZERO WIDTH SPACE}":
            new = True
        opens = char in _OPENING
        cjk = unspaced(char) and speakable(char)
        after_cjk = bool(tokens) and unspaced(text[tokens[-1].end - 1]) and (speakable(char) or opens)
        if tokens and spoken[-1] and (cjk or after_cjk):
            new = True
        if new or not tokens:
            tokens.append(Token(index, index + 1))
            spoken.append(False)
        tokens[-1].end = index + 1
        spoken[-1] = spoken[-1] or speakable(char)
        new = False
    return _attached(tokens, spoken)


def _attached(tokens: list[Token], spoken: list[bool]) -> list[Token]:
    """Give every token without a speakable character to its neighbour."""
    words: list[Token] = []
    leading: int | None = None
    for token, speaks in zip(tokens, spoken, strict=True):
        if speaks:
            words.append(Token(token.start if leading is None else leading, token.end))
            leading = None
        elif words:
            words[-1].end = token.end
        elif leading is None:
            leading = token.start
    return words


def as_spaced(text: str, words: Iterable[Word]) -> Iterator[Word]:
    """Yield `words`, in the order in which they stand in `text`, with what it says of spaces before them."""
    at = 0
    for word in words:
        start = text.find(word.text, at)
        if start < 0:
            yield word
            continue
        before = text[at:start].rstrip() or text[:at].rstrip()
        spaceless = before and (unspaced(before[-1]) or unspaced(word.text[0]))
        yield replace(word, apart=True) if spaceless and text[start - 1].isspace() else word
        at = start + len(word.text)


@dataclass(frozen=True, slots=True)
class Mark:
    """Note of an engine: the text at `position` (characters from 0) is spoken from `start_s` to `end_s`."""

    position: int
    start_s: float
    end_s: float


def timed_words(text: str, marks: Iterable[Mark]) -> tuple[Word, ...]:
    """Give every word of `text` the time of its marks.

    Engines mark numbers several times and sometimes at a wrong place; so marks only ever move forward,
    and a word without one shares the time of the word before it.
    """
    tokens = tokens_of(text)
    if not tokens:
        return ()
    spans: list[tuple[float, float] | None] = [None] * len(tokens)
    current = 0
    for mark in marks:
        while current + 1 < len(tokens) and tokens[current + 1].start <= mark.position:
            current += 1
        span = spans[current]
        spans[current] = (mark.start_s if span is None else span[0], mark.end_s)
    return _shared(text, tokens, spans)


def _shared(text: str, tokens: list[Token], spans: list[tuple[float, float] | None]) -> tuple[Word, ...]:
    """Join unmarked tokens to the one before: one word where no spaces are, else shares of time."""
    words: list[Word] = []
    first = next((index for index, span in enumerate(spans) if span is not None), None)
    if first is None:
        return ()
    spans = [spans[first], *spans[1:first], None, *spans[first + 1 :]] if first else spans
    index = 0
    while index < len(tokens):
        stop = index + 1
        while stop < len(tokens) and spans[stop] is None:
            stop += 1
        span = spans[index]
        assert span is not None
        group = _joined(text, tokens[index:stop])
        lengths = [token.end - token.start for token in group]
        at = span[0]
        for token, length in zip(group, lengths, strict=True):
            end = at + (span[1] - span[0]) * length / sum(lengths)
            words.append(Word(text[token.start : token.end], at, end))
            at = end
        index = stop
    return tuple(words)


def _joined(text: str, group: list[Token]) -> list[Token]:
    """Join neighbours that are written without a space between them."""
    joined = [group[0]]
    for token in group[1:]:
        if joined[-1].end == token.start and unspaced(text[token.start]):
            joined[-1] = Token(joined[-1].start, token.end)
        else:
            joined.append(token)
    return joined
