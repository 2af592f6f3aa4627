"""Colours of skin, derived from one number, and of what lies on it."""

from __future__ import annotations

from dataclasses import dataclass

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.svg import mix

# From the lightest to the deepest: lit, base, shade, deep shade, blush, lips.
_RAMP = (
    ("#fff0e6", "#f7dccb", "#e6b59e", "#bb7a66", "#ee9a90", "#d0797a"),
    ("#fde5d3", "#f2cbb0", "#dba183", "#ad6a51", "#e58e7b", "#c66c68"),
    ("#f7d4b8", "#e5b394", "#c48a63", "#8f5538", "#d4806a", "#b5605a"),
    ("#ebb996", "#cf9069", "#a96a47", "#713f26", "#bf6a4d", "#a2524a"),
    ("#cf9669", "#a66d45", "#7e4b2d", "#4e2a18", "#9c4f38", "#8a443e"),
    ("#b37c58", "#7d4c32", "#58321f", "#331a10", "#7d3c2c", "#6f3534"),
    ("#9d6c53", "#5d3829", "#3f241a", "#21100c", "#6e352b", "#632f30"),
)


@dataclass(frozen=True, slots=True)
class Tones:
    """Colours of one person's skin, ``"#rrggbb"``."""

    light: str
    base: str
    shade: str
    deep: str
    blush: str
    lips: str


def tones(character: Character) -> Tones:
    """Return the colours of a character's skin."""
    at = min(max(character.skin.tone, 0.0), 1.0) * (len(_RAMP) - 1)
    i = min(int(at), len(_RAMP) - 2)
    colours = [mix(a, b, at - i) for a, b in zip(_RAMP[i], _RAMP[i + 1], strict=True)]
    if character.lip_colour is not None:
        colours[5] = character.lip_colour
    elif character.sex == "male":
        colours[5] = mix(colours[5], colours[2], 0.45)
    return Tones(*colours)
