"""The kind of an argument: what of a value the compiler specialises on.

A kind is a fact in which axis lengths are numbered by first appearance over all arguments: two
calls are of one kind if the same lengths are equal and the same lengths are 1.  Values and sizes
are no part of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from types import MethodType
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.facts import (
    Array,
    Dim,
    Fact,
    List,
    ListOf,
    Scalar,
    Size,
    Tuple,
    map_sizes,
    with_fresh_sizes,
    without_values,
)
from tangent_like.parts import parts_of

__all__ = [
    "identity",
    "instantiate",
    "kinds_of",
    "map_sizes",
    "number_sizes",
    "with_fresh_sizes",
    "without_values",
]


@dataclass(frozen=True, slots=True, eq=False)
class Same:
    """An object that equals itself alone; it is kept, so that no other one takes its place."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def identity(value: Any) -> Hashable:
    """What a constant is compared by: equal where nobody could tell two of them apart."""
    if isinstance(value, tuple):
        return type(value), *map(identity, value)
    if isinstance(value, slice):
        return slice, *map(identity, (value.start, value.stop, value.step))
    if isinstance(value, MethodType):
        return MethodType, Same(value.__self__), Same(value.__func__)
    if type(value) in (bool, int, float, complex, range):
        return type(value), repr(value)  # 0.0 equals -0.0
    return value if type(value) in (str, bytes, type(None)) else Same(value)


def kinds_of(values: Sequence[Any]) -> tuple[Fact, ...]:
    """The kinds of arguments; equal tuples mean that one compiled version serves both."""
    return number_sizes(tuple(_kind(value) for value in values))


def _kind(value: Any) -> Fact:
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        items = tuple(_kind(item) for item in value)
        return Tuple(items) if isinstance(value, tuple) else _kind_of_list(items)
    parts = parts_of(value)
    if parts is not None:
        items = tuple(_kind(item) for item in parts.values())
        return facts.Record(type(value), tuple(parts), items)
    if isinstance(value, (bool, np.bool_)):
        return facts.BOOL
    if isinstance(value, (int, np.integer)):
        return facts.INT
    return facts.of_constant(value)


def _kind_of_list(items: tuple[Fact, ...]) -> Fact:
    """Lists of numbers or of alike arrays may have any length; others keep their structure."""
    if items and all(item == items[0] for item in items):
        if isinstance(items[0], (Scalar, Array)):
            return ListOf(items[0])
    elif items and all(isinstance(item, Scalar) for item in items):
        joined = items[0]
        for item in items[1:]:
            joined = facts.join(joined, item)
        return ListOf(joined)
    return List(items)


def number_sizes(kinds: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Lengths become symbols numbered by first appearance; 1 stays 1."""
    numbers: dict[int, Size] = {}

    def of(dim: Dim) -> Dim:
        if not isinstance(dim, int) or dim == 1:
            return dim
        return numbers.setdefault(dim, Size(-1 - len(numbers), 0, plural=True))

    return tuple(map_sizes(kind, of) for kind in kinds)


def instantiate(kinds: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts of parameters: the symbols of a kind as new symbols of one function."""
    numbers: dict[int, Size] = {}

    def of(dim: Dim) -> Dim:
        if isinstance(dim, int):
            return dim
        base = numbers.setdefault(dim.base, facts.fresh_size(dim.plural))
        return replace(dim, base=base.base)

    return tuple(map_sizes(kind, of) for kind in kinds)
