"""Stage 4: what mouth and head do, and the frames that show it."""
