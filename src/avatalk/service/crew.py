"""The workers that `avatalk serve` starts beside itself, and starts again when they end."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from threading import Event, Thread

log = logging.getLogger("avatalk.service")

_LOOK_EVERY_S = 0.5
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_LASTED_S = 60.0  # after so long an end is no sign that the next one ends soon, too
_GRACE_S = 30.0  # more than a worker takes to hand back its work


class Crew:
    """Some worker processes. They have low priority, and end when this process does, however it ends.

    Args:
        size: how many.
    """

    def __init__(self, size: int) -> None:
        self._members = [_Member() for _ in range(size)]
        self._stop = Event()
        self._watch = Thread(target=self._look, name="avatalk-crew", daemon=True)

    def start(self) -> None:
        """Start them."""
        for member in self._members:
            member.start()
        self._watch.start()

    def stop(self) -> None:
        """Ask them to finish, and wait until they have."""
        self._stop.set()
        if self._watch.is_alive():
            self._watch.join()
        for member in self._members:
            member.process.terminate()
        until = time.monotonic() + _GRACE_S
        while time.monotonic() < until and any(member.process.poll() is None for member in self._members):
            time.sleep(0.05)
        self.hurry()
        for member in self._members:
            member.process.wait()

    def hurry(self) -> None:
        """Let them end at once, their work left to be taken over."""
        for member in self._members:
            member.process.kill()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            for member in self._members:
                member.look()


class _Member:
    """A worker process, and the next one when it has ended."""

    process: subprocess.Popen[bytes]

    def __init__(self) -> None:
        self._began = 0.0
        self._wait_s = _FIRST_WAIT_S
        self._next: float | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "avatalk.cli", "worker", "--attached"]
        # It never gets anything to read; that its input ends tells it that this process has ended.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)
        self._began, self._next = time.monotonic(), None

    def look(self) -> None:
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if self._next is None:
            if now - self._began > _LASTED_S:
                self._wait_s = _FIRST_WAIT_S
            log.warning(
                "A worker ended and is started again",
                extra={"fields": {"exit": self.process.returncode, "in_s": self._wait_s}},
            )
            self._next = now + self._wait_s
            self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
        elif now >= self._next:
            self.start()
