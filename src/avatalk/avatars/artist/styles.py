"""All hair styles by name, each a function of the character."""

from __future__ import annotations

from collections.abc import Callable

from avatalk.avatars.artist import cuts, tresses
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.locks import Style


def _none(_: Character) -> Style:
    return Style()


STYLES: dict[str, Callable[[Character], Style]] = {
    "bald": cuts.bald,
    "bob": tresses.bob,
    "straight": tresses.straight,
    "waves": tresses.waves,
    "side": cuts.side,
    "short": cuts.short,
    "crop": cuts.crop,
    "pixie": cuts.pixie,
    "bun": tresses.bun,
    "afro": tresses.afro,
    "curls": tresses.curls,
    "fade": cuts.fade,
    "curly": cuts.curly,
    "ponytail": tresses.ponytail,
    "braids": tresses.braids,
    "slick": cuts.slick,
    "locs": tresses.locs,
    "hijab": _none,
    "mohawk": cuts.mohawk,
    "undercut": cuts.undercut,
    "ring": cuts.ring,
    "combover": cuts.combover,
    "messy": cuts.messy,
    "pigtails": tresses.pigtails,
    "fringe": tresses.fringe,
    "longfringe": tresses.longfringe,
    "mullet": tresses.mullet,
}

COVERS_EARS = frozenset(
    {"bob", "straight", "waves", "curls", "afro", "locs", "hijab", "fringe", "longfringe"}
)
