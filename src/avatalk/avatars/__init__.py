"""Stage 1: the face to animate, from the gallery or a picture."""
