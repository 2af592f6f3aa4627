"""The one tree of errors. Every error a user can meet says what is wrong, where, and what to do.

Libraries' own exceptions are mapped to these at the boundary that calls the library; nothing else in
avatalk raises to a surface. The exit codes are those of the command line.
"""

from __future__ import annotations

from typing import ClassVar


class AvatalkError(Exception):
    """Base of all errors.

    Args:
        message: what is wrong, one sentence, in the user's words.
        hint: what to do about it; empty only when there is nothing to do.
        stage: the stage it happened in, one of `avatalk.events.STAGES`.
        field: the field of the request that caused it, if one did.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", stage: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.stage = stage
        self.field = field

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadInput(AvatalkError):
    """Something the user gave cannot be used as it is (exit code 2)."""

    code = "bad_input"
    exit_code = 2


class UnknownName(BadInput):
    """A voice, avatar, engine or model of that name does not exist; the hint names the nearest ones."""

    code = "unknown_name"


class NotFound(UnknownName):
    """There is no job, file or the like of that id, or it is somebody else's."""

    code = "not_found"


class TooLarge(BadInput):
    """A file, a text or a list is beyond a limit of this machine, which the hint names."""

    code = "too_large"


class Conflict(BadInput):
    """It cannot be done as things stand, such as two requests under one idempotency key."""

    code = "conflict"


class NotAllowed(AvatalkError):
    """The key is missing or unknown, or does not allow this."""

    code = "not_allowed"


class UnreadableFile(BadInput):
    """A file is missing, empty, damaged, too large, or not what its name says."""

    code = "unreadable_file"


class FaceError(BadInput):
    """The picture has no usable face."""

    code = "no_usable_face"


class SpeechError(BadInput):
    """The text or the recording cannot become speech: empty, silent, or not speakable by the voice."""

    code = "no_usable_speech"


class CannotRun(AvatalkError):
    """The request is fine, but cannot be carried out here and now (exit code 3)."""

    code = "cannot_run"


class EngineUnavailable(CannotRun):
    """An engine was asked for by name and lacks its extra, its weights or its device."""

    code = "engine_unavailable"


class ModelUnavailable(CannotRun):
    """A model file could not be fetched or verified."""

    code = "model_unavailable"
    retryable = True


class OutputError(CannotRun):
    """The result cannot be written: folder missing or read-only, disk full."""

    code = "cannot_write"


class TooMany(CannotRun):
    """A limit of rate, concurrency or quota is reached.

    Args:
        message: which one.
        hint: what to do.
        retry_after_s: seconds after which it may be tried again.
    """

    code = "too_many"
    retryable = True

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Unreachable(CannotRun):
    """A server of avatalk cannot be reached, or answers as none."""

    code = "unreachable"
    retryable = True


class StorageError(CannotRun):
    """The storage or the database of jobs cannot be reached or written."""

    code = "storage"
    retryable = True


class Cancelled(CannotRun):
    """The work was stopped on request; nothing half-written is left behind."""

    code = "cancelled"


def from_code(
    code: str, message: str, *, hint: str = "", field: str | None = None, retry_after_s: float = 1.0
) -> AvatalkError:
    """The error that was told elsewhere by its code, such as by a server."""
    if code == TooMany.code:
        return TooMany(message, hint=hint, retry_after_s=retry_after_s)
    kinds = [AvatalkError]
    for kind in kinds:  # grows while it is gone through
        if kind.code == code:
            return kind(message, hint=hint, field=field)
        kinds.extend(kind.__subclasses__())
    return CannotRun(message, hint=hint, field=field)
