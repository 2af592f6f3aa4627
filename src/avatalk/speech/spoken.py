"""What a voice is given to read: the text, character for character, without what is not to be spoken."""

from __future__ import annotations

import re
import unicodedata

from avatalk.speech.scripts import script_of

_SPOKEN_SYMBOLS = frozenset("°©®™№%‰+=×÷<>&@#$€£¥")
_UNSPOKEN = frozenset('"“”„‟«»‹›‘‚‛`´*_~^|\\{}[]「」『』《》〈〉【】')
_APOSTROPHES = frozenset("'’ʼ＇")
_BEFORE_MARK = re.compile(r"\s+(?=[.,!?;:…])")
_JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}")


def spoken_form(text: str, scripts: tuple[str, ...]) -> str:
    """Replace what is not to be spoken by spaces.

    That is quotation marks, emoji, control and format characters, and letters of scripts that are
    neither Latin nor among `scripts`: espeak-ng would name each of them, "Chinese letter".

    The result has the same length, so that positions in it are positions in `text`.
    """
    read = {"", "Latin", *scripts}
    chars = (_spoken(text, index) for index in range(len(text)))
    return "".join(char if script_of(char) in read else " " for char in chars)


def unread(text: str, scripts: tuple[str, ...]) -> list[str]:
    """Return the characters of `text` that stand for something and that `spoken_form` leaves out."""
    read = {"", "Latin", *scripts}
    return [char for char in dict.fromkeys(text) if script_of(char) not in read or _is_unknown(char)]


def without_pictures(word: str) -> str:
    """Return a word without emoji and other characters that stand for something and that nobody speaks."""
    if not any(map(_is_unknown, word)):
        return word
    kept = "".join(char for char in word if not (_is_unknown(char) or _belongs_to_a_picture(char)))
    return _BEFORE_MARK.sub("", " ".join(kept.split()))


def _belongs_to_a_picture(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) == "Sk" or "\ufe00" <= char <= "\ufe0f"


def _is_unknown(char: str) -> bool:
    if char.isspace() or char in _UNSPOKEN or char in _APOSTROPHES:
        return False
    category = unicodedata.category(char)
    return category in ("So", "Cc", "Co", "Cn") and char not in _SPOKEN_SYMBOLS


def _spoken(text: str, index: int) -> str:
    char = text[index]
    if char.isascii() and char.isalnum():
        return char
    if "\uff10" <= char <= "\uff5a" and char.isalnum():
        return unicodedata.normalize("NFKC", char)  # full-width letters and digits
    before = text[index - 1] if index else " "
    after = text[index + 1] if index + 1 < len(text) else " "
    if char in _APOSTROPHES:
        return "'" if before.isalpha() and (after.isalpha() or after.isspace()) else " "
    if char in _JOINERS:
        return char if before.isalpha() and after.isalpha() else " "
    category = unicodedata.category(char)
    if char in _UNSPOKEN or category[0] == "C" or (category == "So" and char not in _SPOKEN_SYMBOLS):
        return " "
    if category == "Sk" or "\ufe00" <= char <= "\ufe0f":
        return " "
    return char
