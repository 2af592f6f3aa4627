"""The order in which a line of mixed directions is drawn: the Unicode Bidirectional Algorithm (UAX #9).

Without explicit embeddings, which captions do not have: such characters are passed over.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby

_EXPLICIT = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"))
_NEUTRAL = frozenset(("B", "S", "WS", "ON"))
_OPENING, _CLOSING = "([{⟨「『（【〔［｛《〈", ")]}⟩」』）】〕］｝》〉"
_CLOSED_BY = dict(zip(_OPENING, _CLOSING, strict=True))


def reads_right_to_left(text: str) -> bool:
    """Whether more letters of `text` are written from right to left than from left to right."""
    kinds = list(map(unicodedata.bidirectional, text))
    return sum(kind in ("R", "AL") for kind in kinds) > kinds.count("L")


def visual_runs(text: str, right_to_left: bool) -> list[tuple[int, int, bool]]:
    """Return the runs of one direction, from left to right.

    Args:
        text: one line.
        right_to_left: direction of the paragraph.

    Returns:
        Of each run the first character, the one after the last, and whether it is written from right to left.
    """
    if not text:
        return []
    levels = _levels(text, int(right_to_left))
    runs = []
    for level, group in groupby(range(len(text)), levels.__getitem__):
        indices = list(group)
        runs.append((indices[0], indices[-1] + 1, level))
    for threshold in range(max(levels), 0, -1):  # rule L2
        first = 0
        while first < len(runs):
            last = first
            while last < len(runs) and runs[last][2] >= threshold:
                last += 1
            runs[first:last] = runs[first:last][::-1]
            first = last + 1
    return [(start, stop, bool(level % 2)) for start, stop, level in runs]


def _levels(text: str, base: int) -> list[int]:
    kinds = [unicodedata.bidirectional(char) or "L" for char in text]
    seats = [index for index, kind in enumerate(kinds) if kind not in _EXPLICIT]
    edge = "RL"[base == 0]
    resolved = _weak([kinds[seat] for seat in seats], edge)
    _brackets([text[seat] for seat in seats], resolved, edge)
    _neutral(resolved, edge)
    levels = [base] * len(text)
    for seat, kind in zip(seats, resolved, strict=True):  # rules I1 and I2
        if base % 2 == 0:
            levels[seat] = base + {"L": 0, "R": 1}.get(kind, 2)
        else:
            levels[seat] = base + (kind != "R")
    for index in range(1, len(text)):  # what is passed over stays with the character before it
        if kinds[index] in _EXPLICIT:
            levels[index] = levels[index - 1]
    for index in range(len(text) - 1, -1, -1):  # rule L1
        if kinds[index] not in ("WS", "S", "B", *_EXPLICIT):
            break
        levels[index] = base
    return levels


def _weak(kinds: Sequence[str], edge: str) -> list[str]:
    """Rules W1 to W7."""
    out = list(kinds)
    for i, kind in enumerate(out):
        if kind == "NSM":
            out[i] = out[i - 1] if i else edge
    strong = edge
    for i, kind in enumerate(out):
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":
            out[i] = "AN"
    out = ["R" if kind == "AL" else kind for kind in out]
    for i in range(1, len(out) - 1):
        before, after = out[i - 1], out[i + 1]
        if before == after and (
            (out[i] == "ES" and before == "EN") or (out[i] == "CS" and before in ("EN", "AN"))
        ):
            out[i] = before
    for i, kind in enumerate(out):
        if kind == "ET":
            stop = i
            while stop < len(out) and out[stop] == "ET":
                stop += 1
            number = (i and out[i - 1] == "EN") or (stop < len(out) and out[stop] == "EN")
            out[i:stop] = ["EN" if number else "ON"] * (stop - i)
    out = ["ON" if kind in ("ES", "ET", "CS") else kind for kind in out]
    strong = edge
    for i, kind in enumerate(out):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            out[i] = "L"
    return out


def _strong(kind: str) -> str:
    """Numbers count as right-to-left among neutrals."""
    return "R" if kind in ("EN", "AN") else kind


def _brackets(chars: Sequence[str], kinds: list[str], edge: str) -> None:
    """Rule N0: a pair of brackets takes the direction of what it holds, or of what stands before it."""
    pairs, stack = [], []
    for i, char in enumerate(chars):
        if kinds[i] != "ON":
            continue
        if char in _CLOSED_BY:
            stack.append((_CLOSED_BY[char], i))
        elif char in _CLOSING:
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth][0] == char:
                    pairs.append((stack[depth][1], i))
                    del stack[depth:]
                    break
    for start, stop in sorted(pairs):
        inside = {_strong(kind) for kind in kinds[start + 1 : stop]} & {"L", "R"}
        if edge in inside:
            kinds[start] = kinds[stop] = edge
        elif inside:
            before = (_strong(kind) for kind in reversed(kinds[:start]) if _strong(kind) in ("L", "R"))
            kinds[start] = kinds[stop] = next(iter(inside)) if next(before, edge) in inside else edge


def _neutral(kinds: list[str], edge: str) -> None:
    """Rules N1 and N2."""
    i = 0
    while i < len(kinds):
        if kinds[i] not in _NEUTRAL:
            i += 1
            continue
        stop = i
        while stop < len(kinds) and kinds[stop] in _NEUTRAL:
            stop += 1
        before = _strong(kinds[i - 1]) if i else edge
        after = _strong(kinds[stop]) if stop < len(kinds) else edge
        kinds[i:stop] = [before if before == after else edge] * (stop - i)
        i = stop
