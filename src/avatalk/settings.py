"""Settings that belong to the machine, not to a request: ``AVATALK_*`` variables, or a TOML file.

The file is the one that ``AVATALK_CONFIG`` names, else ``avatalk.toml`` in the platform's folder for
configuration. It holds the names of `SETTINGS`, in small letters and without the prefix; a variable wins
over it. ``avatalk settings`` lists all.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path, user_config_path, user_data_path

from avatalk.errors import BadInput

Kind = Literal["text", "number", "switch", "list"]
_FALSE = {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: in the file; ``AVATALK_`` and the name in capitals is the variable.
        kind: ``text``, ``number``, ``switch`` (1, true, on …) or ``list`` (parts joined by commas).
        default: as it is written.
        about: what it decides, with its unit.
        secret: whether its value is kept out of what is shown.
    """

    name: str
    kind: Kind
    default: str
    about: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return f"AVATALK_{self.name.upper()}"


SETTINGS = (
    Setting("cache", "text", "", "folder of fetched models; by default the platform's cache folder"),
    Setting("data", "text", "", "folder of what is kept: voices, avatars, jobs; by default the platform's"),
    Setting("offline", "switch", "0", "whether the network must not be touched"),
    Setting("commercial", "switch", "0", "whether models that forbid commercial use are refused"),
    Setting("diffusion", "text", "", "what paints avatars: a folder or the name of a pipeline"),
    Setting("key", "text", "", "key that `avatalk make --server` and `avatalk.Client` send", secret=True),
    Setting(
        "database_url", "text", "", "where jobs are recorded: postgresql://…; by default SQLite", secret=True
    ),
    Setting(
        "storage", "text", "", "where files of jobs lie: a path or a URL of fsspec, such as s3://bucket/x"
    ),
    Setting("wait_s", "number", "600", "seconds a job waits for a worker with what it needs, then fails"),
    Setting("keep_days", "number", "30", "days after which results and unused uploads go; 0 for never"),
    Setting("keep_gb", "number", "0", "GB that all files of jobs may take before the oldest go; 0 for any"),
    Setting("host", "text", "127.0.0.1", "address that `avatalk serve` listens on"),
    Setting("port", "number", "8000", "port that `avatalk serve` listens on"),
    Setting("studio", "switch", "1", "whether `avatalk serve` shows the studio at /, if it is installed"),
    Setting("workers", "number", "1", "worker processes that `avatalk serve` starts beside itself"),
    Setting("helpers", "number", "2", "previews, speeches and the like that `avatalk serve` does at once"),
    Setting("helper_mb", "number", "3000", "memory that one of these may take, in MB"),
    Setting("max_upload_mb", "number", "500", "largest file that may be uploaded, in MB"),
    Setting("max_pixels", "number", "50000000", "most pixels a picture, or a frame of a clip, may have"),
    Setting("max_media_s", "number", "3600", "longest recording or clip that may be uploaded, in seconds"),
    Setting("max_text", "number", "200000", "longest text of a request, in characters"),
    Setting("max_rows", "number", "1000", "most rows of a batch"),
    Setting("max_connections", "number", "500", "most connections that are open at once"),
    Setting("upload_timeout_s", "number", "30", "seconds in which the next part of an upload must come"),
    Setting(
        "remote_hosts", "list", "", "hosts from which requests may name files by https URL; none by default"
    ),
    Setting("callback_hosts", "list", "", "hosts that webhooks may reach besides public ones, as host:port"),
    Setting("cors_origins", "list", "", "origins of other pages that may use the API from a browser"),
)
"""All settings there are."""

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def config_file() -> Path:
    """The file of settings, which need not exist: ``AVATALK_CONFIG``, else the platform's."""
    given = os.environ.get("AVATALK_CONFIG", "").strip()
    return (
        Path(given).expanduser() if given else user_config_path("avatalk", appauthor=False) / "avatalk.toml"
    )


def text(name: str) -> str:
    """The value of a setting as it is written, without space around it."""
    setting = _BY_NAME[name]
    given = os.environ.get(setting.variable, "").strip()
    return given or _in_file(name) or setting.default


def number(name: str) -> float:
    """The value of a setting that is a number.

    Raises:
        BadInput: it is none, or negative.
    """
    try:
        value = float(text(name))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise BadInput(
            f"The setting {name} is {text(name)!r}, which is no number from 0.",
            hint=f"Set {_BY_NAME[name].variable}, or {name} in {config_file()}.",
            field=name,
        )
    return value


def switch(name: str) -> bool:
    """Whether a setting is on."""
    return text(name).lower() not in _FALSE


def listed(name: str) -> list[str]:
    """The parts of a setting that is a list."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def source(name: str) -> str:
    """Where the value of a setting comes from: ``variable``, ``file`` or ``default``."""
    if os.environ.get(_BY_NAME[name].variable, "").strip():
        return "variable"
    return "file" if _in_file(name) else "default"


def _in_file(name: str) -> str:
    path = config_file()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return ""
    value = _read(path, changed).get(name, "")
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(map(str, value)) if isinstance(value, list) else str(value).strip()


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> dict[str, Any]:  # noqa: ARG001 - a changed file is read again
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The settings in {path} cannot be read ({error}).", hint="It must be TOML.", field="config"
        ) from error
    unknown = sorted(set(found) - set(_BY_NAME))
    if unknown:
        raise BadInput(
            f"There is no setting {unknown[0]!r}; it stands in {path}.",
            hint="`avatalk settings` lists all.",
            field=unknown[0],
        )
    return found


def cache_dir() -> Path:
    """Folder of fetched models: ``AVATALK_CACHE``, else the platform's cache folder for avatalk."""
    given = text("cache")
    return Path(given).expanduser() if given else user_cache_path("avatalk", appauthor=False)


def data_dir() -> Path:
    """Folder of what the user keeps (voices, avatars): ``AVATALK_DATA``, else the platform's for avatalk."""
    given = text("data")
    return Path(given).expanduser() if given else user_data_path("avatalk", appauthor=False)


def database_url() -> str:
    """Where jobs are recorded: ``AVATALK_DATABASE_URL`` (PostgreSQL), else a file in the data folder."""
    return text("database_url") or f"sqlite:///{data_dir() / 'jobs.sqlite'}"


def storage_url() -> str:
    """Where the files of jobs lie: ``AVATALK_STORAGE`` (a path or a URL of fsspec), else the data folder."""
    return text("storage") or str(data_dir() / "storage")


def diffusion() -> str:
    """What paints avatars: ``AVATALK_DIFFUSION``, a folder or the name of a pipeline; empty for any here."""
    return text("diffusion").removeprefix("diffusion:")


def offline() -> bool:
    """Whether the network must not be touched (``AVATALK_OFFLINE=1``)."""
    return switch("offline")


def commercial() -> bool:
    """Whether models that forbid commercial use must be refused (``AVATALK_COMMERCIAL=1``)."""
    return switch("commercial")
