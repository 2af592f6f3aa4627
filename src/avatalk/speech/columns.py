"""Timed phonemes and words of hours of speech, in a tenth of the memory that objects take."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import starmap
from operator import eq
from typing import Any, TypeVar, overload

from avatalk.media import Phoneme, Word

T = TypeVar("T", bound=Phoneme | Word)

_CODES = {"float": "d", "int": "I", "bool": "B", "str": "I"}
"""Type of a field → type of its array; of a text the array has the number."""


class Columns(Sequence[T]):
    """A list of phonemes or words that keeps each field in an array, and each text once.

    What is taken out equals what was put in, and is made anew each time.

    Args:
        kind: what it holds; a dataclass of texts, numbers and flags.
        items: what it holds at first.
    """

    __slots__ = ("_columns", "_kind", "_numbers", "_readers", "_texts")

    def __init__(self, kind: type[T], items: Iterable[T] = ()) -> None:
        self._kind: type[T] = kind
        self._texts: list[str] = []
        self._numbers: dict[str, int] = {}
        types = {field.name: str(field.type) for field in fields(kind)}
        self._columns: dict[str, array[Any]] = {name: array(_CODES[type_]) for name, type_ in types.items()}
        readers: dict[str, Callable[[Any], Any]] = {
            "float": float,
            "int": int,
            "bool": bool,
            "str": self._texts.__getitem__,
        }
        self._readers = [readers[type_] for type_ in types.values()]
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        """Add one at the end."""
        for name, column in self._columns.items():
            value = getattr(item, name)
            column.append(self._number(value) if isinstance(value, str) else value)

    def pop(self) -> T:
        """Take the last one off."""
        last = self[-1]
        for column in self._columns.values():
            column.pop()
        return last

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __iter__(self) -> Iterator[T]:
        return starmap(self._kind, zip(*map(map, self._readers, self._columns.values()), strict=True))

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(len(self))))
        return self._kind(
            *(read(column[index]) for read, column in zip(self._readers, self._columns.values(), strict=True))
        )

    def __eq__(self, other: object) -> bool:
        """Whether `other` holds the same, be it a tuple or another of these."""
        if not isinstance(other, (Columns, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} of {self._kind.__name__}>"

    def _number(self, text: str) -> int:
        number = self._numbers.setdefault(text, len(self._texts))
        if number == len(self._texts):
            self._texts.append(text)
        return number
