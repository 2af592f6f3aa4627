"""Stage 3: faces and their landmarks in pictures."""
