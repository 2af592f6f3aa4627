"""Model files: what exists, where it comes from, fetched and verified."""
