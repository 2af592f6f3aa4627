"""Amounts as people read them: prices, and numbers with their units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from avatalk.speech.language import Language, Noun
from avatalk.speech.numbers import number

Found = Iterable[tuple[int, int, str]]
NO_BREAK = "\u00a0\u202f"
MINUS = r"(?P<minus>(?<![\w)%°])[-−])?"
_GLUED = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}  # $5M


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, what is read for a match (start, stop, words), and a sign without which it cannot match."""

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], Found]
    needs: str = "0123456789"

    def may_apply(self, text: str) -> bool:
        """Whether the sign is there."""
        return any(sign in text for sign in self.needs)


class Amounts:
    """The rules of amounts in one language, and what all rules share."""

    def __init__(self, language: Language) -> None:
        self.language = language
        group = re.escape(language.thousands)
        point = re.escape(language.decimal)
        self.number = rf"(?:\d{{1,3}}(?:[{group}]\d{{3}})+(?!\d)|\d+)(?:{point}\d+)?"
        # Not the inside of a word, a version or a longer number.
        self.begin = rf"(?<![\w{point}])(?<!\d[.,:/-])"

    def _rule(self, pattern: str, read: Callable[[re.Match[str]], Found], needs: str = "") -> Rule:
        return Rule(re.compile(pattern), read, needs or "0123456789")

    # --- what is counted ---------------------------------------------------------------------------

    def _money(self) -> Iterator[Rule]:
        signs = [sign for sign in self.language.money if not sign.startswith("/")]
        signs.sort(key=len, reverse=True)
        sign = rf"(?P<sign>{'|'.join(map(re.escape, signs))})"
        scales = "|".join(map(re.escape, self.language.scales))
        glued = "|(?P<glued>(?i:bn|[kmb]))" if self.language.base == "en" else ""
        scale = rf"(?:[ {NO_BREAK}](?:d'|de |di )?(?P<scale>{scales})(?!\w){glued})?"
        amount = rf"(?P<amount>{self.number})"
        needs = "$€£¥₹¢UEGCJB"
        before = rf"{MINUS}(?<!\w){sign}[ {NO_BREAK}]?{amount}{scale}(?![\w]|[.,]\d)"
        yield self._rule(before, self._price, needs)
        whole = r"(?:,[-–]{1,2})?" if self.language.base == "de" else ""
        behind = rf"{MINUS}{self.begin}{amount}{scale}{whole}[ {NO_BREAK}]?{sign}(?!\w)"
        yield self._rule(behind, self._price, needs)

    def _price(self, match: re.Match[str]) -> Found:
        language, amount = self.language, match["amount"]
        noun = language.money[match["sign"]]
        stop = match.end("amount")
        sign_behind = match.start("sign") > stop - 1
        minus = self._minus(match)
        if glued := match.groupdict().get("glued"):
            scaled = f"{number(language, amount)} {_GLUED[glued.lower()]} {noun.many}"
            yield match.start(), match.end(), minus + scaled
            return
        if match["scale"]:
            of = "d'" if language.base == "fr" and noun.many[0] in "aeiou" else language.of
            if match["scale"] in ("mil", "mille", "mila", "Tausend", "thousand"):
                of = ""
            spoken = language.short.get(match["scale"], match["scale"])
            yield match.start(), stop, minus + number(language, amount)
            if sign_behind:
                yield *match.span("scale"), spoken
                yield *match.span("sign"), of + noun.many
            else:
                yield *match.span("scale"), f"{spoken} {of}{noun.many}"
            return
        whole, point, part = amount.partition(language.decimal)
        hundredth = language.money.get(f"/{match['sign']}")
        if not (point and len(part) == 2 and hundredth):
            spoken, named = self._many(amount, noun)
        else:
            spoken, named = self._many(whole, noun)
            if int(part):
                cents, cent = self._many(part.lstrip("0"), hundredth)
                tail = f"{cents} {cent}" if language.base in ("en", "pt") else cents
                named = language.cents.format(named, tail)
                if not whole.strip("0"):
                    spoken, named = cents, cent
        if sign_behind:
            yield match.start(), stop, minus + spoken
            yield stop, match.end("sign"), f" {named}"
        else:
            yield match.start(), match.end(), f"{minus}{spoken} {named}"

    def _many(self, amount: str, noun: Noun) -> tuple[str, str]:
        """The number in words as it stands before the noun, and the noun."""
        one = amount == "1" or (self.language.base in ("fr", "pt") and amount in ("0", "1"))
        return number(self.language, amount, noun.gender), noun.one if one else noun.many

    def _counted(self) -> Iterator[Rule]:
        units = sorted(self.language.units, key=len, reverse=True)
        unit = rf"(?P<unit>{'|'.join(map(re.escape, units))})"

        def read(match: re.Match[str]) -> Found:
            noun = self.language.units[match["unit"]]
            amount, named = self._many(match["amount"], noun)
            if match["least"]:
                least = self._many(match["least"], noun)[0]
                amount = f"{least} {self.language.signs['to']} {amount}"
            yield match.start(), match.end("amount"), self._minus(match) + amount
            yield match.end("amount"), match.end(), f" {named}"

        gap = rf"[ {NO_BREAK}]?"
        least = rf"(?:(?<![\w.,:/-])(?P<least>{self.number})(?:{gap}%)?{gap}[-–]{gap})?"
        number_ = rf"(?<![\w.,:/])(?P<amount>{self.number})"
        yield self._rule(rf"{MINUS}{least}{number_}{gap}{unit}(?![\w/²³°])(?!\.\w)", read)
        nouns = {name: noun for noun in (*self.language.units.values(), *self.language.money.values())
                 for name in (noun.one, noun.many)}  # fmt: skip

        def before_noun(match: re.Match[str]) -> Found:
            amount = self._many(match["amount"], nouns[match["noun"]])[0]
            yield match.start(), match.end("amount"), self._minus(match) + amount

        noun = rf"(?P<noun>{'|'.join(map(re.escape, sorted(nouns, key=len, reverse=True)))})"
        counted = rf"{self.begin}(?P<amount>{self.number})(?=[ {NO_BREAK}]{noun}(?!\w))"
        yield self._rule(MINUS + counted, before_noun)

    def _minus(self, match: re.Match[str]) -> str:
        return f"{self.language.signs['minus']} " if match["minus"] else ""
