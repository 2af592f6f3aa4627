"""The artist: characters described by numbers and words, drawn as vector art and ready to be animated."""

from avatalk.avatars.artist.character import Character, FaceShape, Skin

__all__ = ["Character", "FaceShape", "Skin"]
