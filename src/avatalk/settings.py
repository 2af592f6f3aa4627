"""Settings that belong to the machine, not to a request: read from ``AVATALK_*`` variables."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

_FALSE = {"", "0", "false", "no", "off"}


def cache_dir() -> Path:
    """Folder of fetched models: ``AVATALK_CACHE``, else the platform's cache folder for avatalk."""
    given = os.environ.get("AVATALK_CACHE", "").strip()
    return Path(given).expanduser() if given else user_cache_path("avatalk", appauthor=False)


def data_dir() -> Path:
    """Folder of what the user keeps (voices, avatars): ``AVATALK_DATA``, else the platform's for avatalk."""
    given = os.environ.get("AVATALK_DATA", "").strip()
    return Path(given).expanduser() if given else user_data_path("avatalk", appauthor=False)


def database_url() -> str:
    """Where jobs are recorded: ``AVATALK_DATABASE_URL`` (PostgreSQL), else a file in the data folder."""
    given = os.environ.get("AVATALK_DATABASE_URL", "").strip()
    return given or f"sqlite:///{data_dir() / 'jobs.sqlite'}"


def storage_url() -> str:
    """Where the files of jobs lie: ``AVATALK_STORAGE`` (a path or a URL of fsspec), else the data folder."""
    given = os.environ.get("AVATALK_STORAGE", "").strip()
    return given or str(data_dir() / "storage")


def diffusion() -> str:
    """What paints avatars: ``AVATALK_DIFFUSION``, a folder or the name of a pipeline; empty for any here."""
    return os.environ.get("AVATALK_DIFFUSION", "").strip().removeprefix("diffusion:")


def offline() -> bool:
    """Whether the network must not be touched (``AVATALK_OFFLINE=1``)."""
    return _is_on("AVATALK_OFFLINE")


def commercial() -> bool:
    """Whether models that forbid commercial use must be refused (``AVATALK_COMMERCIAL=1``)."""
    return _is_on("AVATALK_COMMERCIAL")


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in _FALSE
