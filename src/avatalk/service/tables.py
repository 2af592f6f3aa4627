"""The tables of the service, beside those of the jobs in the same database."""

from __future__ import annotations

import sqlalchemy as sa

from avatalk.jobs.tables import assets, metadata

__all__ = ["assets", "keys", "webhook_secrets"]

keys = sa.Table(
    "avatalk_keys",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False, index=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),  # SHA-256 of the secret
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("rate", sa.Float),  # requests a second
    sa.Column("concurrent", sa.Integer),  # jobs
    sa.Column("quota_s", sa.Float),  # of video in 24 hours
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("revoked_at", sa.Float),
)

webhook_secrets = sa.Table(
    "avatalk_webhook_secrets",
    metadata,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("secret", sa.String(64), nullable=False),
)
