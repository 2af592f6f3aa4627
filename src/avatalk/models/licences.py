"""Consent to licences that forbid commercial use: asked for once, remembered in the cache folder."""

from __future__ import annotations

from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

from avatalk import settings
from avatalk.errors import CannotRun
from avatalk.models.manifest import Model


def needs_consent(model: Model, cache: Path) -> bool:
    """Whether the user has yet to accept the licence of `model`."""
    return not model.commercial and not _note(model, cache).exists()


def accept(model: Model, cache: Path) -> None:
    """Remember that the user accepts the licence of `model`.

    Raises:
        OSError: `cache` cannot be written.
    """
    if needs_consent(model, cache):
        note = _note(model, cache)
        note.parent.mkdir(parents=True, exist_ok=True)
        when = datetime.now(timezone.utc).isoformat(timespec="seconds")
        note.write_text(f"{model.licence}\n{model.terms}\nAccepted {when}\n", encoding="utf-8")


def check_use(model: Model) -> None:
    """Refuse a model that may not be used for what this machine does.

    Raises:
        CannotRun: ``AVATALK_COMMERCIAL`` is set and the licence forbids commercial use.
    """
    if settings.commercial() and not model.commercial:
        raise CannotRun(
            f"The model '{model.name}' must not be used commercially ({model.licence}), and"
            " AVATALK_COMMERCIAL says that this machine's work is commercial.",
            hint="Choose an engine whose models allow it (`avatalk models list`), or unset"
            " AVATALK_COMMERCIAL for research or personal use.",
            stage=model.stage,
        )


def check_consent(model: Model, cache: Path, command: str) -> None:
    """Refuse a model whose licence the user has yet to accept, which `command` does.

    Raises:
        CannotRun: so it is.
    """
    if needs_consent(model, cache):
        raise CannotRun(
            f"The model '{model.name}' is not for commercial use, and its licence has not been accepted yet."
            f" {model.terms}".strip(),
            hint=f"If that fits what you do, accept it once: `{command}`.",
            stage=model.stage,
        )


def _note(model: Model, cache: Path) -> Path:
    return cache / "accepted-licences" / f"{sha256(model.licence.encode()).hexdigest()[:16]}.txt"
