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
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern

import numpy as np

from avatalk.media import Phoneme, Word
from avatalk.settings import cache_dir
from avatalk.speech.base import Utterance

MOST_BYTES = 1_000_000_000
"""Of all sentences together, about six hours of speech; the longest unused go. Those of the script that is
being spoken stay, also where they are more: else a book that was stopped would begin anew."""

_KEPT_SHARE = 0.8  # of the bound, after some went
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
    _bytes: int | None = None
    _prune_at: int = 0
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
            self._keep(path, packed)
        return _unpacked(packed)

    def _keep(self, path: Path, packed: bytes) -> None:
        if self._bytes is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._bytes = sum(entry.stat().st_size for entry in os.scandir(path.parent))
        part = path.with_name(f".{secrets.token_hex(8)}")
        try:
            part.write_bytes(packed)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        self._bytes += len(packed)
        if self._bytes > max(MOST_BYTES, self._prune_at):
            self._bytes = _pruned(path.parent, self._began - _COARSE_S)
            self._prune_at = self._bytes + round((1 - _KEPT_SHARE) * MOST_BYTES)


def _pruned(place: Path, until: float) -> int:
    """Remove the longest unused, also parts that a killed process left; return the bytes that remain.

    Args:
        place: the folder.
        until: seconds since 1970; what was used later stays.
    """
    entries = sorted(
        (
            (status.st_mtime, status.st_size, entry.path)
            for entry in os.scandir(place)
            if (status := entry.stat())
        ),
    )
    total = sum(size for _, size, _ in entries)
    for used, size, path in entries:
        if total <= _KEPT_SHARE * MOST_BYTES or used > until:
            break
        with suppress(OSError):
            Path(path).unlink()
            total -= size
    return total


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
