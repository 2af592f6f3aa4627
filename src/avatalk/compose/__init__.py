"""Stage 5: the shape of the picture and what is laid over it."""
