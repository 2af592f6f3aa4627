"""What an uploaded file is, found by decoding it in a process of its own that can do little harm.

Nothing that the client says about the file is believed. The process is `avatalk.service.examine`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from avatalk import settings
from avatalk.errors import BadInput, CannotRun, SpeechError, TooLarge, UnreadableFile

_MEMORY_BYTES = 2 << 30
_ANSWER_BYTES = 1 << 20
_FACES_S = 20.0  # for which the first upload waits until the networks have come
_PASSED_ON = ("PATH", "PYTHONPATH", "SYSTEMROOT", "HOME", "TEMP", "LANG")
"""Variables that a check needs; no others, since those of the service hold its secrets."""
_ERRORS: dict[str, type[BadInput]] = {kind.code: kind for kind in (TooLarge, SpeechError)}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may be, and what looking at it may cost.

    Attributes:
        pixels: of a picture, or of a frame of a clip.
        seconds: of a clip or a sound.
        frames: of a clip.
        cpu_s: processor seconds of a check.
        wall_s: seconds until its end.
        memory_bytes: address space of a check.
    """

    pixels: int
    seconds: float
    frames: int
    cpu_s: int = 60
    wall_s: float = 300.0
    memory_bytes: int = _MEMORY_BYTES

    @classmethod
    def set_here(cls) -> Limits:
        """Those of this machine's settings."""
        seconds = settings.number("max_media_s")
        return cls(int(settings.number("max_pixels")), seconds, max(1, round(120 * seconds)))


@dataclass(frozen=True, slots=True)
class Found:
    """What a file is.

    Attributes:
        kind: ``picture``, ``clip`` or ``sound``.
        type: media type, by content.
        ending: of the name that it is stored under, with the dot.
        facts: width, height, faces of a picture; width, height, fps, duration_s, sound of a clip; duration_s,
            sample_rate, channels of a sound.
    """

    kind: str
    type: str
    ending: str
    facts: dict[str, Any]


def check(path: Path, name: str, field: str = "file", limits: Limits | None = None) -> Found:
    """Decode a file in a child process.

    Args:
        path: of the file; its name is one that appears nowhere else.
        name: what the user calls it, for messages.
        field: of the request, for messages.
        limits: by default those of the settings.

    Raises:
        UnreadableFile: it is no picture, clip or sound that can be used, or more than that.
        TooLarge: it is beyond a limit.
        CannotRun: the check could not be begun.
    """
    limits = limits or Limits.set_here()
    _fetch_faces()
    told, code = _run(path, limits)
    if code == 0:
        with suppress(ValueError, TypeError, KeyError):
            answer = json.loads(told)
            if "found" in answer:
                return Found(**answer["found"])
            kind = _ERRORS.get(answer["code"], UnreadableFile)
            message = str(answer["message"]).replace(str(path), name).replace(path.name, name)
            raise kind(message, hint=str(answer["hint"]), field=field)
    if code in (-int(getattr(signal, "SIGXCPU", 24)), -9):
        raise TooLarge(
            f"{name} takes too long to decode.",
            hint="Make it smaller or shorter, or save it anew in a usual format.",
            field=field,
        )
    raise UnreadableFile(
        f"{name} cannot be decoded.", hint="It is damaged, or of a kind that is not known here.", field=field
    )


@lru_cache(maxsize=1)
def _fetch_faces() -> None:
    """Get the networks that find faces, which a check only reads; faces are told once they are there."""
    from avatalk import models

    def install() -> None:
        with suppress(CannotRun):
            models.install("face")

    if not models.installed("face"):
        thread = threading.Thread(target=install, name="avatalk-faces", daemon=True)
        thread.start()
        thread.join(_FACES_S)


def _run(path: Path, limits: Limits) -> tuple[bytes, int]:
    """What the child printed, and its exit status; negative for a signal."""
    command = [sys.executable, "-m", "avatalk.service.examine", str(path), json.dumps(asdict(limits))]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # A thread for each processor would count as memory; and nothing may be imported from the working folder.
    environment |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONSAFEPATH": "1",
        "AVATALK_OFFLINE": "1",
        "AVATALK_CONFIG": os.devnull,
        "AVATALK_CACHE": str(settings.cache_dir()),
    }
    try:
        child = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise CannotRun("Files cannot be checked now.", hint="Try again later.") from error
    late = threading.Timer(limits.wall_s, child.kill)
    late.start()
    try:
        assert child.stdout is not None
        with child.stdout as out:
            told = out.read(_ANSWER_BYTES)
        return told, child.wait()
    finally:
        child.kill()
        child.wait()
        late.cancel()
