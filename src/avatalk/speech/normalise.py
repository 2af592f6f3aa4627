"""Written signs become the words that people read for them: numbers, dates, money, units, addresses.

Rules look for patterns, the first one that claims a place has it; what no rule knows is left to the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from avatalk.speech.amounts import NO_BREAK, Amounts, Found, Rule
from avatalk.speech.dates import bends, date_in_words, day_in_words, time_in_words
from avatalk.speech.genders import gender_before
from avatalk.speech.language import Language, language_of
from avatalk.speech.numbers import digits, number, ordinal, year
from avatalk.speech.reading import Change
from avatalk.speech.roman import pattern_of, romans

_TOP_LEVEL = "com|org|net|edu|gov|int|info|io|ai|app|dev|tv|eu|uk|us|ca|de|at|ch|fr|es|it|pt|br|nl|be|pl|jp"
_SHORTEST_PHONE = 7
_HALF = r"[ \u00a0]?(?P<half>[ap])\.?m\b\.?"


def changes(text: str, tag: str, fixed: Sequence[Change] = ()) -> list[Change]:
    """Return what is spoken differently from how it is written.

    Args:
        text: a sentence.
        tag: BCP-47 tag of its language; those without a table are left as they are.
        fixed: changes that are wanted anyway, in order; no rule touches their places.

    Returns:
        All changes, in order, without overlaps.
    """
    taken = list(fixed)
    for rule in _rules(tag):
        if not rule.may_apply(text):
            continue
        for match in rule.pattern.finditer(text):
            if any(match.start() < one.stop and one.start < match.end() for one in taken):
                continue
            taken += [Change(*found) for found in rule.read(match)]
    return sorted(taken, key=lambda change: change.start)


@cache
def _rules(tag: str) -> tuple[Rule, ...]:
    language = language_of(tag)
    return () if language is None else tuple(_Rules(language).all())


class _Rules(Amounts):
    """The rules of one language, in the order in which they are tried."""

    def __init__(self, language: Language) -> None:
        super().__init__(language)
        names = sorted(language.months_by_name, key=len, reverse=True)
        self.month = rf"(?P<month>{'|'.join(map(re.escape, names))})\b(?:\.(?=[ ,\d]))?"

    def all(self) -> Iterator[Rule]:
        """Yield every rule."""
        yield from self._web()
        yield from self._money()
        yield self._shortened()
        yield from self._roman()
        yield from self._dates()
        yield from self._times()
        yield from self._ordinals()
        yield from self._counted()
        yield self._phone()
        yield self._version()
        yield self._range()
        yield self._sums()
        yield self._plain()

    # --- addresses and abbreviations ---------------------------------------------------------------

    def _web(self) -> Iterator[Rule]:
        tail = r"(?:[^\s<>\"“”«»]*[\w/#=])?"
        yield self._rule(r"\b(?P<host>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)\b(?P<path>)", self._address, "@")
        yield self._rule(
            rf"\b(?:https?|ftp)://(?P<host>[\w.-]+\w)(?P<path>[:/?#]{tail})?", self._address, ":"
        )
        host = rf"(?:www\.[\w-]+(?:\.[\w-]+)+|(?:[A-Za-z][\w-]*\.)+(?:{_TOP_LEVEL}))\b(?!\.\w)"
        yield self._rule(rf"(?<![\w@.])(?P<host>{host})(?P<path>[:/?#]{tail})?", self._address, ".")

    def _address(self, match: re.Match[str]) -> Found:
        whole = match["host"] + (match["path"] or "").rstrip("/")
        words = []
        for part in re.findall(r"\d+|[^\W\d_]+|.", whole):
            if part.isdecimal():
                short = len(part) <= 4 and part[0] != "0"
                words.append(number(self.language, part) if short else digits(self.language, part))
            else:
                words.append(self.language.signs.get(part.lower(), part))
        yield match.start(), match.end(), " ".join(words)

    def _shortened(self) -> Rule:
        table = {short.replace(" ", "\u00a0"): words for short, words in self.language.short.items()}
        table |= self.language.short
        names = "|".join(map(re.escape, sorted(table, key=len, reverse=True)))
        signs = ".&°º/" + "".join({short[0] for short in table if short.isalpha()})
        before_number = {"No.", "no.", "n.", "Fig.", "fig.", "pag.", "Vol.", "vol.", "pp.", "S."}

        def read(match: re.Match[str]) -> Found:
            short, after = match[0], match.string[match.end() :]
            if short in before_number and not re.match(r"[ \u00a0]?\d", after):
                return
            if short in ("St.", "M.", "D.", "Fr.") and not re.match(r"[ \u00a0][A-ZÀ-Þ]", after):
                return
            ends = short.endswith(".") and (not after.strip() or re.match(r"\s+[A-ZÀ-Þ]", after) is not None)
            closes = (ends and short in ("etc.", "usw.", "ecc.")) or (
                short.endswith(".") and not after.strip()
            )
            yield match.start(), match.end(), table[short] + ("." if closes else "")

        return self._rule(rf"(?<![\w&.])(?:{names})(?!\w|/\d)", read, signs)

    def _roman(self) -> Iterator[Rule]:
        def read(match: re.Match[str]) -> Found:
            return romans(self.language, match, _word_before(match))

        yield self._rule(pattern_of(self.language), read, "IVX")
        if self.language.base == "de":

            def street(match: re.Match[str]) -> Found:
                yield match.start(), match.end(), "straße"

            yield self._rule(r"(?<=[a-zäöüß])str\.(?=[ \u00a0]\d)", street)

    # --- dates and times ---------------------------------------------------------------------------

    def _dates(self) -> Iterator[Rule]:
        yield self._rule(
            r"(?<![\w-])(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})(?![\w-])", self._numeric_date, "-"
        )
        dotted = r"(?<![\w.])(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>(?:\d{4}|\d{2})?)(?![\w])"
        yield self._rule(dotted, self._numeric_date, ".")
        first, second = ("m", "d") if self.language.american else ("d", "m")
        slashed = rf"(?<![\w/])(?P<{first}>\d{{1,2}})/(?P<{second}>\d{{1,2}})/(?P<y>\d{{4}})(?![\w/])"
        yield self._rule(slashed, self._numeric_date, "/")
        year_ = r"(?:(?P<comma>,? |,? de )(?P<y>\d{4})\b(?![.,:]\d))?"
        of = {"es": " de ", "pt": " de "}.get(self.language.base, " ")
        ending = {"de": r"\.", "fr": r"(?:er)?", "en": r"(?:st|nd|rd|th)?(?: of)?"}.get(
            self.language.base, "[º°]?"
        )
        day = rf"(?<![\w.,:/])(?P<d>\d{{1,2}})(?P<ending>{ending})"
        yield self._rule(f"(?i:{day}{of}{self.month}){year_}", self._written_date)
        if self.language.base == "en":
            behind = r"(?P<d>\d{1,2})(?P<ending>(?:st|nd|rd|th)?)\b(?![.:/]\d)"
            yield self._rule(rf"\b(?i:{self.month}) {behind}{year_}", self._written_date)

    def _numeric_date(self, match: re.Match[str]) -> Found:
        day, month, year_ = int(match["d"]), int(match["m"]), match["y"]
        if month > 12 >= day and "/" in match[0]:
            day, month = month, day
        if not (1 <= day <= 31 and 1 <= month <= 12) or (not year_ and self.language.base != "de"):
            return
        full = int(year_) + (0 if len(year_) == 4 else 2000 if int(year_) < 50 else 1900) if year_ else None
        words = date_in_words(self.language, day, month, full, _word_before(match))
        yield match.start(), match.end(), words

    def _written_date(self, match: re.Match[str]) -> Found:
        day, name = int(match["d"]), match["month"]
        if not 1 <= day <= 31 or (len(name) < 4 and name.islower() and self.language.base in ("en", "de")):
            return
        month = self.language.months[self.language.months_by_name[name.lower()] - 1]
        if match["ending"] in ("º", "°"):
            words = ordinal(self.language, day)
        else:
            words = day_in_words(self.language, day, _word_before(match))
        words += " of" if match["ending"].endswith(" of") else ""
        yield match.start("d"), match.end("ending"), words
        if month.lower() != name.lower():
            stop = match.end("month") + (match.string[match.end("month") :][:1] == ".")
            yield match.start("month"), stop, month
        if match["y"]:
            yield match.start("y"), match.end("y"), year(self.language, int(match["y"]))

    def _times(self) -> Iterator[Rule]:
        between = {"fr": r"(?::|h| h |\u00a0h\u00a0)", "pt": "[:h]"}.get(self.language.base, ":")
        hour = r"(?<![\w.,:])(?P<h>[01]?\d|2[0-4])"
        clock = rf"{hour}{between}(?P<m>[0-5]\d)(?![\w:]|[.,]\d)"
        if self.language.base == "en":
            yield self._rule(rf"(?<![\w.:])(?P<h>1[0-2]|\d)(?::(?P<m>[0-5]\d))?{_HALF}", self._time)
        elif self.language.base == "de":
            yield self._rule(rf"{clock}(?P<uhr>[ \u00a0]Uhr\b)?", self._time, ":")
            yield self._rule(rf"{hour}\.(?P<m>[0-5]\d)(?P<uhr>[ \u00a0]Uhr\b)", self._time)
            yield self._rule(rf"{hour}(?P<uhr>[ \u00a0]Uhr\b)", self._time)
            return
        yield self._rule(clock, self._time, ":h")
        if self.language.base == "fr":
            yield self._rule(rf"{hour}[ \u00a0\u202f]?h(?![\w/])", self._time)

    def _time(self, match: re.Match[str]) -> Found:
        groups = match.groupdict()
        minute = int(groups.get("m") or 0)
        words = time_in_words(self.language, int(match["h"]), minute, (groups.get("half") or "")[:1])
        stop = match.start("uhr") if groups.get("uhr") else match.end()
        yield match.start(), stop, words
        if groups.get("uhr"):
            yield stop, match.end(), ""

    # --- plain numbers -----------------------------------------------------------------------------

    def _ordinals(self) -> Iterator[Rule]:
        endings = {
            "en": {"st": "", "nd": "", "rd": "", "th": ""},
            "fr": {
                "er": "m",
                "re": "f",
                "ère": "f",
                "e": "m",
                "ème": "m",
                "es": "m",
                "d": "m",
                "de": "f",
                "nd": "m",
                "nde": "f",
            },
        }.get(self.language.base, {"º": "m", "ª": "f", ".º": "m", ".ª": "f"})
        if self.language.base == "de":

            def bent(match: re.Match[str]) -> Found:
                if bends(before := _word_before(match)):
                    yield *match.span(), day_in_words(self.language, int(match[1]), before)

            def decade_of(match: re.Match[str]) -> Found:
                spoken = number(self.language, match[1], years=True)
                yield match.start(), match.end(), f"{spoken}er"

            yield self._rule(rf"{self.begin}([12]\d\d0|[1-9]0)er\b", decade_of)
            yield self._rule(rf"{self.begin}(\d{{1,2}})\.(?=[ {NO_BREAK}]+[^\W\d_])", bent, ".")
            return
        names = "|".join(map(re.escape, sorted(endings, key=len, reverse=True)))

        def read(match: re.Match[str]) -> Found:
            yield match.start(), match.end(), ordinal(self.language, int(match[1]), endings[match[2]])

        yield self._rule(rf"{self.begin}(\d{{1,4}})({names})(?!\w)", read)
        if self.language.base == "en":

            def decade(match: re.Match[str]) -> Found:
                words = (
                    year(self.language, int(match[1]))
                    if len(match[1]) == 4
                    else number(self.language, match[1])
                )
                yield match.start(), match.end(), words[:-1] + "ies" if words.endswith("y") else f"{words}s"

            yield self._rule(r"(?<![\w.,'’])(?:['’](?=\d0s))?([12]\d\d0|[2-9]0)s\b", decade)

    def _phone(self) -> Rule:
        def read(match: re.Match[str]) -> Found:
            groups = re.findall(r"\d+", match[0])
            if sum(map(len, groups)) < _SHORTEST_PHONE:
                return
            plus = f"{self.language.signs['+']} " if match[0].startswith("+") else ""
            yield (
                match.start(),
                match.end(),
                plus + ", ".join(digits(self.language, group) for group in groups),
            )

        american = r"\(\d{3}\)[ -]?\d{3}-\d{4}|\b\d{3}-\d{3}-\d{4}|\b1-\d{3}-\d{3}-\d{4}"
        # French is left out: there people read pairs of digits as numbers.
        local = (
            ""
            if self.language.base == "fr"
            else rf"|(?<![\w.,:/-])0\d{{1,4}}(?:[ /{NO_BREAK}-]\d{{2,8}}){{1,4}}"
        )
        international = rf"\+\d[\d ()/{NO_BREAK}-]{{6,}}\d"
        return self._rule(rf"(?:{international}|{american}{local})(?![\w/-]|[.,:]\d)", read)

    def _version(self) -> Rule:
        def read(match: re.Match[str]) -> Found:
            if "." in self.language.thousands and re.fullmatch(
                r"[1-9]\d{0,2}(?:\.\d{3}){2}|[1-9]\d{0,2}(?:\.000)+", match[0]
            ):
                yield *match.span(), number(self.language, match[0])
                return
            sign = self.language.signs["point" if self.language.base == "en" else "."]
            yield (
                match.start(),
                match.end(),
                f" {sign} ".join(number(self.language, part) for part in match[0].split(".")),
            )

        return self._rule(r"(?<![\w.,])\d{1,3}(?:\.\d{1,3}){2,}(?![\w]|[.,]\d)", read, ".")

    def _range(self) -> Rule:
        def read(match: re.Match[str]) -> Found:
            first, second = match["first"], match["second"]
            if match["hyphen"] and not _rises(first, second):
                return
            words = [number(self.language, text, years=True) for text in (first, second)]
            yield match.start(), match.end(), f" {self.language.signs['to']} ".join(words)

        first, second = rf"(?P<first>{self.number})", rf"(?P<second>{self.number})"
        dash = r"(?: ?– ?|(?P<hyphen>-))"
        return self._rule(rf"{self.begin}{first}{dash}{second}(?![\w–-]|[.,]\d)", read, "–-")

    def _sums(self) -> Rule:
        def read(match: re.Match[str]) -> Found:
            yield match.start(), match.end(), f" {self.language.signs[match[1]]} "

        return self._rule(r"(?<=\d)[ ]?([+=])[ ]?(?=\d)", read, "+=")

    def _plain(self) -> Rule:
        def read(match: re.Match[str]) -> Found:
            minus = f"{self.language.signs['minus']} " if match["minus"] else ""
            counts = self.language.base != "de" or match["amount"] == "1"
            gender = gender_before(self.language, match.string[match.end() :]) if counts else ""
            words = number(self.language, match["amount"], gender, years=True)
            yield match.start(), match.end(), minus + words

        minus = r"(?:(?<=\s)|^)(?P<minus>[-−])?"
        edges = rf"(?:{minus}|{self.begin})(?P<amount>{self.number})"
        # A German number with a stop is an ordinal, which the voice knows better how to bend.
        german = r"(?!\.\s+\w)" if self.language.base == "de" else ""
        return self._rule(rf"{edges}(?!\w){german}(?![.,]\d)(?![:/-]\d)", read)


def _rises(first: str, second: str) -> bool:
    """Whether what a hyphen joins is a range: 9-12 and 1939-1945, but no 3-1, 555-1234 or 1984-85."""
    if not (first.isdecimal() and second.isdecimal()) or "0" in (first[0], second[0]):
        return False
    return int(first) < int(second) and (len(first) == len(second) or len(second) < 3)


def _word_before(match: re.Match[str]) -> str:
    words = match.string[max(0, match.start() - 20) : match.start()].split()
    return words[-1] if words else ""
