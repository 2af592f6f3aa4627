"""A character as a stack of sheets, back to front."""

from __future__ import annotations

from avatalk.avatars.artist import clothes, face, features, hair, headwear, ornaments, whiskers
from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet
from avatalk.avatars.artist.tones import tones


def beneath(character: Character) -> list[Sheet]:
    """Return everything that lies under the eyes and the lips."""
    head = face.face(character)
    hair.cast(head.shading, character, tones(character).deep)
    ornaments.cast_glasses(head.shading, character, tones(character).deep)
    headwear.cast(head.shading, character, tones(character).deep)
    return [
        *headwear.back(character),
        *hair.back(character),
        face.neck(character),
        *clothes.draw(character),
        face.ears(character),
        head,
        features.brows_and_age(character),
        *whiskers.beard(character),
    ]


def above(character: Character) -> list[Sheet]:
    """Return what hangs before eyes and lips: hair, moustache, and what is worn on the head."""
    return [
        *whiskers.moustache(character),
        *ornaments.eyepatch(character),
        *hair.front(character),
        *ornaments.nose_ring(character),
        *ornaments.earrings(character),
        *ornaments.flower(character),
        *headwear.front(character),
        *ornaments.glasses(character),
        *ornaments.headphones(character),
    ]
