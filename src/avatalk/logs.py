"""Logs of the service and of workers: a line of JSON each, on standard error.

They say what happened to which request and job. What users wrote and what their files are called is not in
them: of an error that nobody foresaw they hold its kind and where it was raised, not its words.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

REQUESTS = logging.getLogger("avatalk.requests")
"""A line for every request; on a terminal only for those that failed by a fault."""


def set_up() -> None:
    """Log to standard error; for a command that runs until it is stopped."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("avatalk").setLevel(logging.INFO)
    if sys.stderr.isatty():
        REQUESTS.setLevel(logging.WARNING)


class Lines(logging.Formatter):
    """A record as JSON on one line: time, level, logger, message, and the `fields` that came with it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line |= told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def told(error: BaseException) -> dict[str, Any]:
    """The kind of an error and where it was raised, without its words."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    found: dict[str, Any] = {"error": type(error).__name__, "trace": where}
    if error.__cause__ is not None:
        found["cause"] = told(error.__cause__)
    return found
