"""Phoneme names as espeak-ng gives them, cleaned to plain IPA."""

from __future__ import annotations

import unicodedata

_STRESS = "ˈˌ"
_PLAIN = str.maketrans({"g": "ɡ", "ᵻ": "ɪ", ":": "ː", "~": "\u0303"})
_NOT_SOUND = frozenset("ˈˌ‖|.,-_^'`\"!?#%*+=<>[]{}()/\\0123456789˥˦˧˨˩↑↓↗↘ꜛꜜ")


def clean_symbol(name: str) -> tuple[str, bool]:
    """Return the IPA symbol without stress, tone and stray marks, and whether it bears main stress.

    Args:
        name: as espeak-ng gives it with its IPA option, ``ˈoʊ``; empty for a pause.
    """
    stressed = "ˈ" in name
    symbol = "".join(char for char in name.translate(_PLAIN) if char not in _NOT_SOUND)
    return unicodedata.normalize("NFC", symbol.strip()), stressed
