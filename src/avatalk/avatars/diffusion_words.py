"""What a pipeline is told: the description, wrapped so that it gives one usable face."""

from __future__ import annotations

from collections.abc import Callable

_NEEDED = "photograph of one person, head and shoulders, facing the camera, mouth closed, plain background"
_NICE = "looking at the camera, soft even light, sharp focus"
NEGATIVE = (
    "several people, crowd, profile, turned away, open mouth, teeth, hands, hat over the eyes, sunglasses,"
    " mask, cropped head, blurry, drawing, painting, deformed, text, watermark, frame"
)
SCALE = 7.5
"""Of guidance: how strongly words and negative prompt weigh; the usual one."""


def wrapped(prompt: str, fits: Callable[[str], bool]) -> tuple[str, str]:
    """Return the words for a pipeline, and a warning if not all of the description had room; else ``""``.

    The description comes first, since early words weigh most and what is too long is cut at the end. CLIP
    reads 75 tokens: if the description is long, first the wishes for light go, then its own last words.

    Args:
        prompt: the description.
        fits: whether a pipeline reads all of a text.
    """
    words = " ".join(prompt.split())

    for wrap in (f"{_NEEDED}, {_NICE}", _NEEDED):
        if fits(f"{words}, {wrap}"):
            return f"{words}, {wrap}", ""
    parts = words.split(" ")
    low, high = 0, len(parts)  # of the words, `low` fit and `high` do not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(f"{' '.join(parts[:middle])}, {_NEEDED}") else (low, middle)
    cut = " ".join(parts[low:])
    kept = " ".join(parts[:low]).rstrip(",;")
    return f"{kept}, {_NEEDED}" if kept else _NEEDED, (
        f"The description is too long for the painter, which does not read its end: “{cut}”."
    )
