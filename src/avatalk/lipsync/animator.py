"""The embedded engine of stage 4: a rig moves drawn avatars, a mesh warp moves photographs."""

from __future__ import annotations

from typing import ClassVar

from avatalk.events import Monitor
from avatalk.lipsync.base import Animation, LipSync, Options, Shot


class Animator(LipSync):
    """Needs no weights and no GPU; faster than real time on two cores."""

    name: ClassVar[str] = "animator"

    @classmethod
    def configured(cls, engine: str, options: Options, monitor: Monitor) -> LipSync:  # noqa: ARG003
        """See `LipSync.configured`; there is nothing to configure."""
        return cls()

    def prepare(self, shot: Shot) -> Animation:
        """See `LipSync.prepare`."""
        # Imported here, so that a drawn avatar does not pay for the other's libraries, and vice versa.
        if shot.avatar.drawn:
            from avatalk.lipsync.rig import RigAnimator

            return RigAnimator().prepare(shot)
        from avatalk.lipsync.warp import MeshWarp

        return MeshWarp().prepare(shot)
