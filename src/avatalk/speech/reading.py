"""What is spoken for what is written, and how the times of spoken words become those of written ones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from avatalk.media import Word
from avatalk.speech.spoken import without_pictures
from avatalk.speech.words import Mark, as_spaced, speakable, timed_words


@dataclass(frozen=True, slots=True)
class Change:
    """Where something else is spoken than is written.

    Attributes:
        start: in the written text, characters from 0.
        stop: behind it.
        spoken: the words to speak for it; may be empty.
    """

    start: int
    stop: int
    spoken: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A written text, the text that is spoken for it, and where the one is in the other."""

    written: str
    spoken: str
    _spoken_at: tuple[int, ...]
    _changes: tuple[Change, ...]

    def words(self, spoken: Iterable[Word]) -> tuple[Word, ...]:
        """Return the written words with their times, without emoji.

        Args:
            spoken: the words of the spoken text in their order, as an engine times them.
        """
        words = timed_words(self.written, self._marks(spoken)) if self._changes else spoken
        placed = as_spaced(self.written, words)
        return tuple(replace(word, text=without_pictures(word.text)) for word in placed)

    def _marks(self, words: Iterable[Word]) -> Iterator[Mark]:
        at = 0
        for word in words:
            found = self.spoken.find(word.text, at)
            if found < 0:
                continue
            at = found + len(word.text)
            sounding = next((i for i, char in enumerate(word.text) if speakable(char)), 0)
            yield Mark(self._written_at(found + sounding), word.start_s, word.end_s)

    def _written_at(self, position: int) -> int:
        """The place in the written text of a character of the spoken one."""
        index = bisect_right(self._spoken_at, position) - 1
        if index < 0:
            return position
        change, start = self._changes[index], self._spoken_at[index]
        if position < start + len(change.spoken):
            piece = self.written[change.start : change.stop]
            return change.start + next((i for i, char in enumerate(piece) if speakable(char)), 0)
        return change.stop + position - start - len(change.spoken)


def read(written: str, changes: Sequence[Change]) -> Reading:
    """Return the reading of `written` with `changes`, which are in order and do not overlap."""
    parts: list[str] = []
    at = length = 0
    starts: list[int] = []
    for change in changes:
        parts += [written[at : change.start], change.spoken]
        length += change.start - at
        starts.append(length)
        length += len(change.spoken)
        at = change.stop
    spoken = "".join((*parts, written[at:]))
    return Reading(written, spoken, tuple(starts), tuple(changes))
