"""The studio: the whole pipeline as a page in the browser. See docs/studio.md."""
