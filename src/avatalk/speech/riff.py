"""The header of a WAV file of any length."""

from __future__ import annotations

import struct

_MOST = 2**32 - 1  # that the sizes of RIFF can say
_SAMPLE = 2  # bytes


def header(samples: int, sample_rate: int) -> bytes:
    """Return what stands before 16-bit mono samples in a WAV file.

    Beyond 4 GB, 27 hours at 22 050 Hz, it is one of RF64 (EBU Tech 3306), which players read as well.

    Args:
        samples: how many will follow.
        sample_rate: hertz.
    """
    size = samples * _SAMPLE
    long = size + 36 > _MOST
    mono = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, sample_rate, sample_rate * _SAMPLE, _SAMPLE, 16)
    data = mono + struct.pack("<4sI", b"data", _MOST if long else size)
    if not long:
        return struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE") + data
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, size + 72, size, samples, 0)
    return struct.pack("<4sI4s", b"RF64", _MOST, b"WAVE") + sizes + data
