"""Stage 1: the engine that draws a character from words."""

from __future__ import annotations

from avatalk.avatars.drawn.describe import describe
from avatalk.avatars.made import AvatarMaker, Made
from avatalk.events import Monitor


class DrawnMaker(AvatarMaker):
    """Draws a character of the gallery's kind, at once and without weights."""

    name = "drawn"

    def make(self, prompt: str, seed: int, steps: int, monitor: Monitor) -> Made:  # noqa: ARG002
        """Draw what the words say; what they leave open is drawn by chance of the seed."""
        monitor.report("avatar", message="Drawing the avatar")
        described = describe(prompt, seed)
        notes: tuple[str, ...] = ()
        if described.unknown:
            said = ", ".join(f"“{word}”" for word in described.unknown)
            notes = (f"Words of the description that the artist cannot draw: {said}.",)
        if described.child:
            notes += ("The artist draws adults: a child becomes a young adult.",)
        return Made(None, prompt, seed, self.name, described.character, notes)
