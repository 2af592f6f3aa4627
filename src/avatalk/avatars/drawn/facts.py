"""What a description says of a person."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Facts:
    """What a description says; what it leaves open is None or empty.

    Attributes:
        values: field of `Character` or `Worn`, or one of ``length``, ``texture``, ``fringe``, ``beard_size``,
            ``own_colour`` (of the garment where no colour is said), ``hijab_colour``, → what was said.
        face: fields of `FaceShape`.
        expression: fields of `Expression`.
        marks: what is on the face, see `Skin.marks`.
        role: what somebody's part in life makes them wear, named as `values`.
        custom: what their faith does, which comes before it.
        origin: a key of `words.ORIGINS`.
        unknown: words that mean nothing to the artist, in their order.
        understood: whether any word meant something.
        child: whether a child is described.
    """

    values: dict[str, str | float] = field(default_factory=dict)
    face: dict[str, float] = field(default_factory=dict)
    expression: dict[str, float] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)
    role: dict[str, str] = field(default_factory=dict)
    custom: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    unknown: list[str] = field(default_factory=list)
    understood: bool = False
    child: bool = False
