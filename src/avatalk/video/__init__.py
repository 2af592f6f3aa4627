"""Stage 6: the finished file."""
