"""Progress and cancellation of long work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from avatalk.errors import Cancelled

STAGES = ("avatar", "speech", "face", "lipsync", "compose", "encode")
"""Names of the six stages, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step forward.

    Attributes:
        stage: one of `STAGES`.
        done: units finished in this stage (frames while encoding, seconds of speech, bytes of a model).
        total: units of the whole stage; 0 while it is not known.
        unit: ``"frames"``, ``"seconds"``, ``"bytes"``, ``"steps"`` of a diffusion, or ``""``.
        eta_s: seconds until the stage ends, None while that is not known.
        message: what is being done, for people.
    """

    stage: str
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    eta_s: float | None = None
    message: str = ""


OnProgress = Callable[[Progress], None]


@dataclass(slots=True)
class Monitor:
    """What a stage is handed to report progress with and to learn that it should stop.

    Args:
        on_progress: called in the thread that does the work; may raise to stop it.
        cancelled: set from any thread; the work raises `Cancelled` at its next `check`.
    """

    on_progress: OnProgress | None = None
    cancelled: Event = field(default_factory=Event)
    warnings: list[str] = field(default_factory=list)
    _stage: str = ""
    _began: float = 0.0

    def check(self) -> None:
        """Raise `Cancelled` if the work should stop."""
        if self.cancelled.is_set():
            raise Cancelled("The work was stopped.", hint="Nothing was written.", stage=self._stage)

    def report(
        self, stage: str, done: float = 0.0, total: float = 0.0, unit: str = "", message: str = ""
    ) -> None:
        """Tell how far `stage` is, after a `check`."""
        self.check()
        if stage != self._stage:
            self._stage, self._began = stage, time.monotonic()
        if self.on_progress is not None:
            spent = time.monotonic() - self._began
            eta = spent * (total - done) / done if total and done and spent > 0.2 else None
            self.on_progress(Progress(stage, done, total, unit, eta, message))

    def warn(self, message: str) -> None:
        """Remember a warning for the result; the same one only once."""
        if message not in self.warnings:
            self.warnings.append(message)
