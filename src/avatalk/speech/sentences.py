"""A short sentence in every language, for previews and for measuring voices."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

_ANYWHERE = "1, 2, 3, 4, 5."
"""Every engine reads digits in its own language."""


@cache
def _sentences() -> dict[str, str]:
    text = files("avatalk.speech").joinpath("sample_sentences.json").read_text("utf-8")
    return {tag.lower(): sentence for tag, sentence in json.loads(text).items()}


def sentence_in(language: str) -> str:
    """Return a sentence of about two seconds in a language, given as a tag: ``de``, ``pt-BR``; or digits."""
    tag = language.lower().replace("_", "-")
    while tag:
        if tag in _sentences():
            return _sentences()[tag]
        tag = tag.rpartition("-")[0]
    return _ANYWHERE
