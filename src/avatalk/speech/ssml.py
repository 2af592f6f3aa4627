"""A script: plain text, or a subset of SSML 1.1 (W3C), as text with notes of how parts of it are spoken.

What is read: ``speak``, ``p``, ``s``, ``break``, ``prosody``, ``say-as``, ``phoneme``, ``sub`` and ``lang``.
The text of other elements is read as it stands, with a warning. A document type is refused, and with it
every entity of its own: nothing here grows or reaches for a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from avatalk.errors import SpeechError
from avatalk.events import Monitor
from avatalk.speech.text import PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S

_TAGS = ("speak", "p", "s", "break", "prosody", "say-as", "phoneme", "sub", "lang")
_INLINE = re.compile(rf"</?(?:{'|'.join(_TAGS)})(?:\s*/?>|\s+[\w:.-]+\s*=)")
_BARE = re.compile(r"<!\[CDATA\[(?s:.*?)\]\]>|<!--(?s:.*?)-->|&(?!#?\w+;)|<(?![^\W\d]|[:/!?])")
_STAND_INS = {"&": "\ufdd0", "<": "\ufdd1"}  # no characters, and of the same length, so that places stay
_MEANT = str.maketrans({stand_in: sign for sign, stand_in in _STAND_INS.items()})
_DOCUMENT = re.compile(r"(?:<\?xml[^>]*\?>|\s|<!--(?s:.*?)-->)*<(?:speak|!DOCTYPE)[\s/>]")
_MISMATCHED = expat.errors.codes[expat.errors.XML_ERROR_TAG_MISMATCH]
_NO_ELEMENTS = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]
_WRAPPED = "<speak>"  # put before a text that has elements, but not this one
_DEEPEST = 100
_LONGEST_BREAK_S = 60.0

_STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.8, "x-strong": 1.2}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.35, "x-fast": 1.75}
_PITCHES = {"x-low": 0.6, "low": 0.8, "medium": 1.0, "default": 1.0, "high": 1.25, "x-high": 1.5}
_SLOWEST, _FASTEST = 0.25, 4.0


@dataclass(frozen=True, slots=True)
class Style:
    """How a stretch of text is spoken: factors on speed and pitch, and a language, empty for the voice's."""

    rate: float = 1.0
    pitch: float = 1.0
    language: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """That ``text[start:stop]`` is read in its own way.

    Attributes:
        start: characters from 0.
        stop: behind it.
        kind: ``sub`` (speak `value` instead), ``phoneme`` (`value` is IPA), or what ``interpret-as`` says.
        value: see `kind`; of a date its format, ``dmy``.
    """

    start: int
    stop: int
    kind: str
    value: str = ""


@dataclass(slots=True)
class Script:
    """What is to be spoken.

    Attributes:
        text: as written, without tags.
        styles: place in the text → the style from there on.
        notes: in order, without overlaps.
        pauses: place in the text → seconds of silence there; a sentence does not go on over one of the
            places in `ends`.
        ends: places at which a sentence ends whatever the text looks like.
    """

    text: str
    styles: dict[int, Style] = field(default_factory=lambda: {0: Style()})
    notes: list[Note] = field(default_factory=list)
    pauses: dict[int, float] = field(default_factory=dict)
    ends: set[int] = field(default_factory=set)

    def languages(self) -> dict[str, str]:
        """All text of each language that the script names; empty for what it leaves open."""
        starts = sorted(self.styles)
        said: dict[str, list[str]] = {}
        for start, stop in zip(starts, [*starts[1:], len(self.text)], strict=True):
            if self.text[start:stop].strip():
                said.setdefault(self.styles[start].language, []).append(self.text[start:stop])
        return {language: "\n".join(texts) for language, texts in said.items()}


def parse(text: str, monitor: Monitor) -> Script:
    """Return the script that `text` is.

    It is SSML if it begins with a ``speak`` element, or has a tag of one that is read here; anything else is
    plain text, to the letter. In SSML an ``&`` or ``<`` that begins nothing means itself.

    Raises:
        SpeechError: SSML is malformed, or has a document type.
    """
    start = text.lstrip("\ufeff \t\r\n")
    if _DOCUMENT.match(start):
        return _Parser(monitor).parse(start, text[: len(text) - len(start)].count("\n") + 1)
    if _INLINE.search(text):
        return _Parser(monitor, len(_WRAPPED)).parse(f"{_WRAPPED}{text}</speak>", 1)
    return Script(text)


class _Parser:
    """Builds a script from the events of expat."""

    def __init__(self, monitor: Monitor, inset: int = 0) -> None:
        self.monitor = monitor
        self.inset = inset  # characters before the user's own
        self.script = Script("")
        self.parts: list[str] = []
        self.length = 0
        self.styles = [Style()]
        self.open: list[tuple[str, int, dict[str, str]]] = []
        self.places: list[tuple[int, int]] = []  # line and column of each open element
        self.unknown: list[str] = []
        self.line = 1
        self.expat = expat.ParserCreate()

    def parse(self, text: str, line: int) -> Script:
        """Return the script; `line` is where `text` begins in the user's file."""
        self.line = line
        parser = self.expat
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(_BARE.sub(lambda bare: _STAND_INS.get(bare[0], bare[0]), text), True)
        except expat.ExpatError as error:
            raise self._malformed(error, text.split("\n")) from None
        script = self.script
        script.text = "".join(self.parts)
        at_last = Style()
        for place in sorted(script.styles):
            if place and script.styles[place] == at_last:
                del script.styles[place]  # elements that change nothing are no reason to cut
            else:
                at_last = script.styles[place]
        if self.unknown:
            names = ", ".join(f"<{name}>" for name in dict.fromkeys(self.unknown))
            self.monitor.warn(f"{names}: not understood here; the text inside is read as it stands.")
        return script

    def _malformed(self, error: expat.ExpatError, lines: list[str]) -> SpeechError:
        """What is wrong in the words of expat, or the element that is not closed, and where that begins."""
        line, column = error.lineno, error.offset
        closing = re.match(r"[\w:.-]+", lines[line - 1][column:])
        names = [name for name, _, _ in self.open]
        ends = error.code == _NO_ELEMENTS or (error.code == _MISMATCHED and closing and closing[0] in names)
        if ends and names:
            hint = " (write <break/>)" if names[-1] == "break" else ""
            return self._error(f"<{names[-1]}> is not closed{hint}", *self.places[-1])
        last = len(lines[line - 1]) - (len("</speak>") if self.inset and line == len(lines) else 0)
        return self._error(expat.ErrorString(error.code), line, max(0, min(column, last - 1)))

    def _error(self, what: str, line: int, column: int) -> SpeechError:
        column -= self.inset if line == 1 else 0
        return SpeechError(
            f"The SSML is malformed in line {self.line + line - 1}, column {column + 1}: {what}.",
            hint="Mend it there; & is written &amp; and < is &lt;. Text without such tags is read plainly.",
            stage="speech",
            field="text",
        )

    def _here(self, what: str) -> SpeechError:
        return self._error(what, self.expat.CurrentLineNumber, self.expat.CurrentColumnNumber)

    def _doctype(self, *_: object) -> None:
        raise self._here("a document type is not allowed, nor are entities of its own")

    # --- elements ----------------------------------------------------------------------------------

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        attributes = {
            key.rpartition(":")[2]: value.strip().translate(_MEANT) for key, value in attributes.items()
        }
        if len(self.open) >= _DEEPEST:
            raise self._here(f"elements lie more than {_DEEPEST} deep")
        if not self.open and name != "speak":
            raise self._here("it has to begin with <speak>")
        self.open.append((name, self.length, attributes))
        self.places.append((self.expat.CurrentLineNumber, self.expat.CurrentColumnNumber))
        style = self.styles[-1]
        if name == "break":
            self._break(attributes)
        elif name in ("p", "s", "speak"):
            self._sentence_ends(PARAGRAPH_PAUSE_S if name == "p" else SENTENCE_PAUSE_S)
            style = self._in_language(style, attributes)
        elif name == "lang":
            style = self._in_language(style, attributes)
        elif name == "prosody":
            rate = _factor(attributes.get("rate", ""), _RATES)
            pitch = _factor(attributes.get("pitch", ""), _PITCHES)
            if rate is None or pitch is None:
                self._odd("prosody", attributes)
            style = Style(
                min(max(style.rate * (rate or 1), _SLOWEST), _FASTEST),
                min(max(style.pitch * (pitch or 1), _SLOWEST), _FASTEST),
                style.language,
            )
        elif name not in _TAGS:
            self.unknown.append(name)
        self._style(style)

    def _in_language(self, style: Style, attributes: dict[str, str]) -> Style:
        language = attributes.get("lang", "")
        return Style(style.rate, style.pitch, language) if language else style

    def _end(self, _tag: str) -> None:
        name, start, attributes = self.open.pop()
        self.places.pop()
        self.styles.pop()
        self.script.styles[self.length] = self.styles[-1]
        if name in ("p", "s", "speak"):
            self._sentence_ends(PARAGRAPH_PAUSE_S if name == "p" else SENTENCE_PAUSE_S)
        kind, value = {
            "sub": ("sub", attributes.get("alias", "")),
            "phoneme": ("phoneme", attributes.get("ph", "")),
            "say-as": (attributes.get("interpret-as", ""), attributes.get("format", "")),
        }.get(name, ("", ""))
        if name == "phoneme" and (attributes.get("alphabet", "ipa") != "ipa" or not value):
            self._odd(name, attributes)
        elif kind and self.length > start:
            while self.script.notes and self.script.notes[-1].start >= start:
                self.script.notes.pop()  # the outer one holds for all of it
            self.script.notes.append(Note(start, self.length, kind, value))
        elif name in ("sub", "say-as") and not kind:
            self._odd(name, attributes)

    def _style(self, style: Style) -> None:
        self.styles.append(style)
        self.script.styles[self.length] = style

    def _sentence_ends(self, pause_s: float) -> None:
        if self.length:
            self.script.ends.add(self.length)
            if pause_s == PARAGRAPH_PAUSE_S:
                self.script.pauses.setdefault(self.length, pause_s)

    def _break(self, attributes: dict[str, str]) -> None:
        seconds = _STRENGTHS["medium"]
        if "time" in attributes:
            match = re.fullmatch(r"\+?(\d{1,7}(?:\.\d{1,6})?|\.\d{1,6})(s|ms)", attributes["time"])
            if match is None:
                raise self._here(
                    f"a break lasts seconds or milliseconds, as 0.5s or 500ms, not {attributes['time']!r}"
                )
            seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
        elif "strength" in attributes:
            if attributes["strength"] not in _STRENGTHS:
                raise self._here(f"the strength of a break is one of {', '.join(_STRENGTHS)}")
            seconds = _STRENGTHS[attributes["strength"]]
        if seconds > _LONGEST_BREAK_S:
            self.monitor.warn(f"A break of more than {_LONGEST_BREAK_S:.0f} s was cut to that.")
        self.script.pauses[self.length] = min(seconds, _LONGEST_BREAK_S)

    def _odd(self, name: str, attributes: dict[str, str]) -> None:
        given = " ".join(f'{key}="{value}"' for key, value in attributes.items())
        self.monitor.warn(
            f"<{name} {given}>".replace(" >", ">") + " is not understood; the text is read plainly."
        )

    def _text(self, data: str) -> None:
        """Take text; runs of white space are one space, or an empty line where there was one."""
        data = re.sub(r"\s+", lambda run: "\n\n" if run[0].count("\n") > 1 else " ", data.translate(_MEANT))
        if (self.parts and self.parts[-1][-1].isspace()) or not self.parts:
            data = data.lstrip() if data[:2] != "\n\n" else data
        if data:
            self.parts.append(data)
            self.length += len(data)


def _factor(value: str, names: dict[str, float]) -> float | None:
    """The factor of a prosody attribute: a name, ``80%`` of a rate, ``+20%``, ``1.2``, ``+2st``, or None."""
    if not value:
        return 1.0
    if value in names:
        return names[value]
    match = re.fullmatch(r"([+-]?)(\d{1,4}(?:\.\d{1,4})?)(%|st|)", value)
    if match is None:
        return None
    sign, amount, unit = match[1], float(match[2]), match[3]
    if unit == "st":
        return float(2 ** ((-amount if sign == "-" else amount) / 12))
    amount = amount / 100 if unit == "%" else amount
    factor = 1 - amount if sign == "-" else 1 + amount if sign == "+" else amount
    return factor if factor > 0 else None
