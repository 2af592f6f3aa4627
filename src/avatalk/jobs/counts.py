"""What is counted as it happens. Counts only grow, whatever is deleted later: see `avatalk.jobs.figures`."""

from __future__ import annotations

import secrets
from bisect import bisect_left
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from avatalk.jobs.tables import counts

BOUNDS_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Upper bounds of the classes in which durations are counted, in seconds; the last class has none."""


_SHARDS = 16  # rows of one count, so that many workers seldom wait for each other


def add(connection: sa.Connection, name: str, label: str = "", by: float = 1.0) -> None:
    """Add to a count, as part of a transaction."""
    insert: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(counts)
    new = insert.values(name=name, label=label, shard=secrets.randbelow(_SHARDS), value=by)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["name", "label", "shard"], set_={"value": counts.c.value + by}
        )
    )


def took(connection: sa.Connection, stage: str, seconds: float) -> None:
    """Count that a stage took so long."""
    add(connection, "stage_s", stage, seconds)
    add(connection, f"stage:{stage}", str(bisect_left(BOUNDS_S, seconds)))
