"""The animator of drawn characters: lips, lids, gaze, head and breath from their curves."""

from __future__ import annotations

from collections.abc import Iterator

from avatalk.avatars.artist.mouth import Pose
from avatalk.avatars.artist.puppet import Puppet
from avatalk.lipsync.base import Animation, Shot
from avatalk.media import UInt8Array


class RigAnimator:
    """Animates the characters of the gallery, and any other `avatalk.avatars.artist.Character`."""

    def prepare(self, shot: Shot) -> Animation:
        """Rasterise the character once for the canvas of the shot.

        Args:
            shot: its avatar must be drawn (`Avatar.character` set).
        """
        return _RigAnimation(shot)


class _RigAnimation(Animation):
    def __init__(self, shot: Shot) -> None:
        self._puppet = Puppet(shot.avatar.character, shot.width, shot.height, shot.close, shot.backdrop)
        self._draw = self._puppet.layer if shot.cut_out else self._puppet.frame
        self._visemes, self._motion = shot.visemes.values, shot.motion.values

    @property
    def by_rows(self) -> bool:
        """See `Animation.by_rows`."""
        return True

    def frames(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """See `Animation.frames`."""
        for i in range(start, stop):
            yield self._draw(Pose(*map(float, self._visemes[i])), tuple(map(float, self._motion[i])))
