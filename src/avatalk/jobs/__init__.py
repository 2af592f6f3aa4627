"""Durable jobs: videos that are made whatever is killed, by one machine or by many. See docs/jobs.md."""
