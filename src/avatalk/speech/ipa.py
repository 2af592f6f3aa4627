"""Phoneme names as espeak-ng gives them, cleaned to plain IPA."""

from __future__ import annotations

import unicodedata

# Leftovers in voices whose authors gave no IPA name; they follow Kirshenbaum's ASCII-IPA.
_PAIRS = {"s.": "ʂ", "z.": "ʐ", "t.": "ʈ", "d.": "ɖ", "n.": "ɳ", "l.": "ɭ", "r.": "ɽ", "i.": "ɨ"}
_SINGLE = str.maketrans("g:~@ADEILNORSTUVZᵻ", "ɡː\u0303əɑðɛɪɫŋɔrʃθʊʌʒɪ")
_LENGTH_AND_COLOUR = "ːˑʰʲʷˠˤ"


def clean_symbol(name: str) -> tuple[str, bool]:
    """Return the IPA symbol without stress, tone and stray marks, and whether it bears main stress.

    A mark above or below a letter is a character of its own behind it (``ä`` is two); ``ç`` is one.

    Args:
        name: as espeak-ng gives it with its IPA option, ``ˈoʊ``; empty for a pause. The name of a
            language, ``(en)``, tells that another one begins: no sound.
    """
    if name.startswith("("):
        return "", False
    stressed = "ˈ" in name
    for pair, symbol in _PAIRS.items():
        name = name.replace(pair, symbol)
    decomposed = unicodedata.normalize("NFD", name.translate(_SINGLE)).replace("c\u0327", "ç")
    symbol = "".join(char.lower() for char in decomposed if _is_sound(char))
    return symbol.lstrip(_LENGTH_AND_COLOUR), stressed


def _is_sound(char: str) -> bool:
    return char in _LENGTH_AND_COLOUR or unicodedata.category(char) in {"Ll", "Lu", "Lo", "Mn"}
