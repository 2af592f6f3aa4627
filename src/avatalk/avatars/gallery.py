"""The drawn gallery: characters made by this project, free for any use (CC0-1.0).

To the extent possible under law, the authors of avatalk have waived all copyright and related rights to the
characters of this gallery and to pictures and films of them
(https://creativecommons.org/publicdomain/zero/1.0/).
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from avatalk.avatars.artist.character import Character
from avatalk.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list of avatars shows of one character.

    Attributes:
        name: by which it is asked for.
        description: one line.
        age: years.
        licence: SPDX name.
    """

    name: str
    description: str
    age: int
    licence: str


_CHARACTERS: tuple[Character, ...] = (Character("ada", "Woman of about 30, brown bob, navy top"),)


def names() -> tuple[str, ...]:
    """Return the names of all characters."""
    return tuple(c.name for c in _CHARACTERS)


def entries() -> tuple[Entry, ...]:
    """Return what a list shows of each character."""
    return tuple(Entry(c.name, c.description, c.age, c.licence) for c in _CHARACTERS)


def get(name: str) -> Character:
    """Return a character by name, in any case.

    Raises:
        UnknownName: there is none; the hint has the nearest names.
    """
    wanted = name.strip().lower()
    for character in _CHARACTERS:
        if character.name == wanted:
            return character
    near = get_close_matches(wanted, names(), n=3, cutoff=0.4) or names()
    raise UnknownName(
        f"There is no avatar named “{name}” in the gallery.",
        hint=f"Choose one of: {', '.join(near)}. `avatalk avatars` lists them all.",
        stage="avatar",
        field="avatar",
    )
