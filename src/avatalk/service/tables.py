"""The tables of the service, beside those of the jobs in the same database."""

from __future__ import annotations

from avatalk.jobs.tables import assets

__all__ = ["assets"]
