"""Spoken sentences, kept under a hash of all that decides how they sound.

A changed sentence is so the only one that is spoken again, and work that was killed goes on where it
stopped. A sentence is a file: one line of JSON, then 16-bit samples.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern

import numpy as np

from avatalk.media import Phoneme, Word
from avatalk.settings import cache_dir
from avatalk.speech.base import Utterance

MOST_BYTES = 1_000_000_000
"""Of all sentences together, about six hours of speech; the longest unused go. Those of the last script stay,
also where they are more."""

_COARSE_S = 2.0  # the clocks of some file systems


def folder() -> Path:
    """Where sentences are kept."""
    return cache_dir() / "sentences"


@dataclass(slots=True)
class SentenceCache:
    """One run's view of the sentences kept on disk. A folder that cannot be used costs time and nothing else.

    Attributes:
        made: how many sentences had to be spoken.
        found: how many were there.
    """

    made: int = 0
    found: int = 0
    _began: float = field(default_factory=time.time)

    def get(self, key: str, make: Callable[[], Utterance]) -> Utterance:
        """Return the utterance of `key`, made now if it is not there.

        The sound comes back as it was kept, so that it is the same bits whether it was there or not.

        Args:
            key: all that the utterance depends on.
            make: makes it; its errors are passed on.
        """
        path = folder() / hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        with suppress(OSError, ValueError, KeyError, TypeError):
            utterance = _unpacked(path.read_bytes())
            self.found += 1
            with suppress(OSError):
                os.utime(path)
            return utterance
        packed = _packed(make())
        self.made += 1
        with suppress(OSError):
            _keep(path, packed)
        return _unpacked(packed)

    def tidy(self) -> None:
        """Remove the longest unused sentences if there are too many; to be called when all are spoken.

        Those of this run stay, also where they alone are too many: a long script whose first sentence is
        changed, or which was stopped, would be spoken anew otherwise.
        """
        if self.made:
            with suppress(OSError):
                _prune(folder(), self._began - _COARSE_S)


def _keep(path: Path, packed: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(8)}")
    try:
        part.write_bytes(packed)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _prune(place: Path, until: float) -> None:
    """Remove what was used longest ago, also parts that a killed process left, until the bound is kept.

    Args:
        place: the folder.
        until: seconds since 1970; what was used later stays.
    """
    entries = sorted((status.st_mtime, status.st_size, path) for path, status in _entries(place))
    total = sum(size for _, size, _ in entries)
    for used, size, path in entries:
        if total <= MOST_BYTES or used > until:
            break
        with suppress(OSError):
            Path(path).unlink()
            total -= size


def _entries(place: Path) -> Iterator[tuple[str, os.stat_result]]:
    for entry in os.scandir(place):
        with suppress(OSError):  # another process removes them too
            yield entry.path, entry.stat()


def _packed(utterance: Utterance) -> bytes:
    peak = float(np.abs(utterance.sound).max(initial=0.0)) or 1.0
    samples = np.round(utterance.sound * (32767 / peak)).astype("<i2").tobytes()
    head = {
        "rate": utterance.sample_rate,
        "peak": peak,
        "check": zlib.crc32(samples),
        "phonemes": utterance.phonemes
        and [[p.symbol, float(p.start_s), float(p.end_s), p.stressed] for p in utterance.phonemes],
        "words": utterance.words and [[w.text, float(w.start_s), float(w.end_s)] for w in utterance.words],
    }
    return json.dumps(head).encode() + b"\n" + samples


def _unpacked(packed: bytes) -> Utterance:
    """Read what `_packed` wrote.

    Raises:
        ValueError: it is damaged.
    """
    line, _, samples = packed.partition(b"\n")
    head = json.loads(line)
    if zlib.crc32(samples) != head["check"]:
        raise ValueError
    sound = np.frombuffer(samples, "<i2").astype(np.float32) * np.float32(head["peak"] / 32767)
    phonemes, words = head["phonemes"], head["words"]
    return Utterance(
        sound,
        head["rate"],
        None if phonemes is None else tuple(Phoneme(intern(symbol), *times) for symbol, *times in phonemes),
        None if words is None else tuple(Word(*fields) for fields in words),
    )
