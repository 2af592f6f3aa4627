"""Stage 2: sound, and the phonemes and words in it where they are known."""
