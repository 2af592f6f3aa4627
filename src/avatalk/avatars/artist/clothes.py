"""Clothes of every kind, with what is printed on them and worn over them."""

from __future__ import annotations

from collections.abc import Callable

from avatalk.avatars.artist import costumes, garments, jackets, neckwear
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.cloth import printed
from avatalk.avatars.artist.face import Sheet

_MAKERS: dict[str, Callable[[Character], list[Sheet]]] = {
    "crew": garments.crew,
    "vneck": garments.vneck,
    "turtleneck": garments.turtleneck,
    "shirt": garments.shirt,
    "blazer": jackets.blazer,
    "cardigan": jackets.cardigan,
    "hoodie": jackets.hoodie,
    "jacket": jackets.zipped,
    "waistcoat": jackets.waistcoat,
    "raincoat": costumes.raincoat,
    "dress": costumes.dress,
    "tank": costumes.tank,
    "overalls": costumes.overalls,
    "robe": costumes.robe,
    "uniform": costumes.uniform,
    "chef": costumes.chef,
    "spacesuit": costumes.spacesuit,
    "cowl": jackets.cowl,
}
_CLOTH: dict[str, tuple[int, ...]] = {
    "shirt": (0, 1),
    "uniform": (0, 1),
    "turtleneck": (0, 1),
    "blazer": (-2, -1),
    "cardigan": (-2,),
    "hoodie": (-2,),
    "jacket": (-2,),
    "waistcoat": (-1,),
    "robe": (-1,),
    "overalls": (0,),
    "tank": (1,),
}
"""Which sheets of a garment a pattern is on, where that is not the first."""


def draw(character: Character) -> list[Sheet]:
    """Draw the clothes."""
    sheets = _MAKERS[character.clothes](character)
    if character.pattern != "plain":
        marked = {at % len(sheets) for at in _CLOTH.get(character.clothes, (0,))}
        groups = [printed(s, character) if i in marked else [s] for i, s in enumerate(sheets)]
        sheets = [s for group in groups for s in group]
    return [*neckwear.beneath(character), *sheets, *neckwear.above(character)]
