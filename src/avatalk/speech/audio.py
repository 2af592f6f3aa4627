"""Sound in a file, read block by block, so that its length does not matter to memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from avatalk.media import Float32Array


@dataclass(frozen=True, slots=True)
class AudioClip:
    """A sound file that was decoded once in full and found good.

    Attributes:
        path: the file, in any container and codec that PyAV reads.
        sample_rate: of the file, hertz.
        channels: of the file.
        duration_s: exact, from counting its samples.
    """

    path: Path
    sample_rate: int
    channels: int
    duration_s: float

    def blocks(self, sample_rate: int, channels: int = 1, block_s: float = 10.0) -> Iterator[Float32Array]:
        """Yield the sound as (samples, channels) float32 in -1..1, resampled, `block_s` seconds at a time."""
        raise NotImplementedError
