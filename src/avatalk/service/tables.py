"""The tables of the service, beside those of the jobs in the same database."""

from __future__ import annotations

import sqlalchemy as sa

from avatalk.jobs.tables import assets, metadata

__all__ = [
    "assets",
    "attempts",
    "batch_rows",
    "batches",
    "creations",
    "deliveries",
    "keys",
    "rates",
    "usage",
    "webhook_secrets",
]

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

creations = sa.Table(  # avatars made from words
    "avatalk_creations",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False, index=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("engine", sa.String(64), nullable=False),
    sa.Column("made", sa.JSON, nullable=False),  # a list of what there is so far
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),  # when the process that makes them last said so
)

batches = sa.Table(
    "avatalk_batches",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("idempotency_key", sa.String(200)),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("template", sa.JSON, nullable=False),
    sa.Column("callback_url", sa.Text),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),  # filling, filled, canceled
    sa.Column("held_until", sa.Float, nullable=False),  # by the process that queues its rows
    sa.Column("created_at", sa.Float, nullable=False),
    sa.UniqueConstraint("owner", "idempotency_key", name="avatalk_batches_once"),
)

batch_rows = sa.Table(
    "avatalk_batch_rows",
    metadata,
    sa.Column("batch_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # from 1
    sa.Column("values", sa.JSON, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("inputs", sa.JSON, nullable=False),
    sa.Column("job_id", sa.String(64), index=True),  # once it is queued
    sa.Column("error", sa.JSON(none_as_null=True)),  # why it could not be
)

deliveries = sa.Table(  # of webhooks
    "avatalk_deliveries",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("job_id", sa.String(64), nullable=False, index=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # waiting for the job, due, delivered, failed
    sa.Column("body", sa.Text),  # once the job is over; the same bytes in every attempt
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Column("held_until", sa.Float, nullable=False),  # by the process that sends it
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("due_at", sa.Float),
)
sa.Index("avatalk_deliveries_due", deliveries.c.state, deliveries.c.next_at)

attempts = sa.Table(  # at delivering one
    "avatalk_attempts",
    metadata,
    sa.Column("delivery_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("status", sa.Integer),  # of HTTP; None if there was no answer
    sa.Column("error", sa.String(300), nullable=False),
)

usage = sa.Table(
    "avatalk_usage",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("at", sa.Float, nullable=False),  # of the submission
    sa.Column("seconds", sa.Float, nullable=False),  # of video; a guess until it is planned
    sa.Column("settled", sa.Boolean, nullable=False),  # whether `seconds` stays
)
"""What counts towards the quota of a key; it outlives jobs that are deleted."""
sa.Index("avatalk_usage_of", usage.c.owner, usage.c.at)

rates = sa.Table(
    "avatalk_rates",
    metadata,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("left", sa.Float, nullable=False),  # requests that the key may send at once
    sa.Column("at", sa.Float(53), nullable=False),  # when that was so, by the clock of the database
)
"""What keys with a rate have left, see `avatalk.service.rates`."""
