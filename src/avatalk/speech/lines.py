"""A script, cut into lines: what is spoken at one go, by which voice, how, and with which pause before it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from avatalk.errors import UnknownName
from avatalk.events import Monitor
from avatalk.speech.base import Voice
from avatalk.speech.normalise import changes
from avatalk.speech.reading import Change, Reading, read
from avatalk.speech.sayas import as_said, spelled
from avatalk.speech.spoken import spoken_form
from avatalk.speech.ssml import Note, Script
from avatalk.speech.text import Borders, Piece, pieces
from avatalk.speech.voices import choose, engine_of, in_language
from avatalk.speech.words import speakable

_LOWEST, _HIGHEST = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class Line:
    """What is spoken at one go.

    Attributes:
        reading: what is written and what is spoken.
        voice: who speaks.
        speed: factor on the voice's own.
        pitch: likewise.
        sentence: number of its sentence, from 0.
        pause_s: silence after it; after the last one, only what the script asks for.
        lead_s: silence before it, which only the first has.
        end: characters of the script up to its end.
    """

    reading: Reading
    voice: Voice
    speed: float
    pitch: float
    sentence: int
    pause_s: float
    end: int
    lead_s: float = 0.0


@dataclass(slots=True)
class _Cast:
    """The voices of a script: the one that was chosen, and those of other languages in it."""

    main: Voice
    monitor: Monitor
    others: dict[str, Voice]

    def voice(self, language: str) -> Voice:
        if not language:
            return self.main
        if language not in self.others:
            try:
                found = in_language(self.main, language) or choose(
                    None, "", self.monitor, self.main.sex, language
                )
            except UnknownName:
                self.monitor.warn(f"No voice here speaks {language}; {self.main.name} reads that part.")
                found = self.main
            self.others[language] = found
        return self.others[language]


def voices_of(script: Script, voice: Voice, monitor: Monitor) -> dict[Voice, str]:
    """Return every voice that speaks in `script`, and all that it says."""
    cast = _Cast(voice, monitor, {})
    said: dict[Voice, list[str]] = {}
    for language, text in script.languages().items():
        said.setdefault(cast.voice(language), []).append(text)
    return {voice: "\n".join(texts) for voice, texts in said.items()}


def lines(script: Script, voice: Voice, speed: float, pitch: float, monitor: Monitor) -> Iterator[Line]:
    """Cut `script` into lines, in order.

    Args:
        script: what is to be spoken.
        voice: who speaks where the script does not say another language.
        speed: factor on the voice's own; pauses of sentences shrink with it, those of the script do not.
        pitch: factor on the voice's own.
        monitor: warned of what cannot be done as the script says.
    """
    cast = _Cast(voice, monitor, {})
    starts, places = sorted(script.styles), sorted(script.pauses)
    borders = Borders(
        frozenset(script.ends),
        frozenset({*starts, *places} - script.ends),
        tuple((note.start, note.stop) for note in script.notes),
    )
    before: tuple[Piece, Line] | None = None
    for piece in pieces(script.text, borders):
        style = script.styles[starts[bisect_right(starts, piece.start) - 1]]
        speaker = cast.voice(style.language)
        fixed = _fixed(script.notes, piece, speaker, monitor)
        reading = read(piece.text, changes(piece.text, speaker.language, fixed))
        if not any(map(speakable, spoken_form(reading.spoken, speaker.scripts))):
            continue
        line = Line(
            reading,
            speaker,
            _within(speed * style.rate, "faster", monitor),
            _within(pitch * style.pitch, "higher", monitor),
            piece.sentence,
            piece.pause_s / speed,
            piece.end,
            0.0 if before else _given_s(script, places, 0, piece.start),
        )
        if before is not None:
            yield _paused(*before, script, places, piece.start)
        before = piece, line
    if before is not None:
        piece, line = before
        yield replace(line, pause_s=_given_s(script, places, piece.end, len(script.text)))


def _given_s(script: Script, places: list[int], start: int, stop: int) -> float:
    """The longest silence that the script asks for from `start` to `stop`."""
    inside = places[bisect_left(places, start) : bisect_right(places, stop)]
    return max((script.pauses[place] for place in inside), default=0.0)


def _paused(piece: Piece, line: Line, script: Script, places: list[int], until: int) -> Line:
    """`line` with the pause that the script has between it and the next one, if it has one."""
    if bisect_left(places, piece.end) == bisect_right(places, until):
        return line
    return replace(line, pause_s=_given_s(script, places, piece.end, until))


def _within(factor: float, more: str, monitor: Monitor) -> float:
    """The factor that engines take."""
    if not _LOWEST <= factor <= _HIGHEST:
        less = {"faster": "slower", "higher": "lower"}[more]
        which = more if factor > 1 else less
        monitor.warn(f"A prosody asks for {which} speech than the voice can; it goes to its limit.")
    return min(max(factor, _LOWEST), _HIGHEST)


def _fixed(notes: list[Note], piece: Piece, voice: Voice, monitor: Monitor) -> list[Change]:
    """What the notes of the script say of `piece`, at its places."""
    fixed: list[Change] = []
    for note in notes[bisect_right(notes, piece.start, key=lambda note: note.stop) :]:
        if note.start >= piece.end:
            break
        start, stop = max(note.start - piece.start, 0), min(note.stop - piece.start, len(piece.text))
        written = piece.text[start:stop]
        if note.kind == "phoneme":
            said = engine_of(voice).pronounce(note.value, voice)
            if said is None:
                monitor.warn(
                    f"{voice.name} ({voice.engine}) cannot speak “{written}” as /{note.value}/; "
                    "it is read as written."
                )
        elif note.kind == "sub":
            said = note.value
        elif note.kind in ("characters", "spell-out", "verbatim"):
            said = spelled(written, voice.language)
        else:
            said = as_said(written, note.kind, note.value, voice.language)
            if said is None:
                monitor.warn(f"“{written}” cannot be read as {note.kind}; it is read as written.")
        if said is not None:
            fixed.append(Change(start, stop, said if note.start >= piece.start else ""))
    return fixed
