"""The tables of the service, beside those of the jobs in the same database."""

from __future__ import annotations

import sqlalchemy as sa

from avatalk.jobs.tables import metadata

assets = sa.Table(
    "avatalk_assets",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False, index=True),
    sa.Column("key", sa.String(300), nullable=False, index=True),  # in the storage; shared by equal files
    sa.Column("name", sa.String(200), nullable=False),  # what it is called, never a path
    sa.Column("kind", sa.String(16), nullable=False),  # picture, clip or sound
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),  # bytes, width, height, duration_s, faces …
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("used_at", sa.Float, nullable=False),
)
