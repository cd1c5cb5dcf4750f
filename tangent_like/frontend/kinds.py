"""The kind of an argument: what of a value the compiler specialises on.

A kind is a fact in which axis lengths are numbered by first appearance over all arguments: two
calls are of one kind if the same lengths are equal and the same lengths are 1.  Values and sizes
are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.facts import Array, Dim, Fact, List, ListOf, Scalar, Size, Tuple


def kinds_of(values: Sequence[Any]) -> tuple[Fact, ...]:
    """The kinds of arguments; equal tuples mean that one compiled version serves both."""
    return number_sizes(tuple(_kind(value) for value in values))


def _kind(value: Any) -> Fact:
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        items = tuple(_kind(item) for item in value)
        return Tuple(items) if isinstance(value, tuple) else _kind_of_list(items)
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
        return numbers.setdefault(dim, Size(-1 - len(numbers), 0, dim > 1))

    return tuple(map_sizes(kind, of) for kind in kinds)


def map_sizes(fact: Fact, of: Any) -> Fact:
    """The fact with each axis length replaced."""
    match fact:
        case Array(dtype, dims) if dims is not None:
            return Array(dtype, tuple(map(of, dims)))
        case Scalar("int", size) if size is not None:
            return Scalar("int", of(size))
        case Tuple(items):
            return Tuple(tuple(map_sizes(item, of) for item in items))
        case List(items):
            return List(tuple(map_sizes(item, of) for item in items))
        case ListOf(item):
            return ListOf(map_sizes(item, of))
        case facts.Maybe(inner):
            return facts.Maybe(map_sizes(inner, of))
    return fact


def with_fresh_sizes(fact: Fact) -> Fact:
    """The fact with new symbols for all lengths but 1, and no values of integers."""
    numbers: dict[Dim, Size] = {}

    def of(dim: Dim) -> Dim:
        if dim == 1:
            return dim
        plural = dim > 1 if isinstance(dim, int) else dim.plural
        return numbers.setdefault(dim, facts.fresh_size(plural))

    return map_sizes(without_values(fact), of)


def without_values(fact: Fact) -> Fact:
    """The fact without the values of integer scalars."""
    match fact:
        case Scalar(kind, size) if size is not None:
            return Scalar(kind)
        case Tuple(items):
            return Tuple(tuple(map(without_values, items)))
        case List(items):
            return List(tuple(map(without_values, items)))
        case ListOf(item):
            return ListOf(without_values(item))
        case facts.Maybe(inner):
            return facts.Maybe(without_values(inner))
    return fact


def instantiate(kinds: Sequence[Fact]) -> tuple[Fact, ...]:
    """The facts of parameters: the symbols of a kind as new symbols of one function."""
    numbers: dict[int, Size] = {}

    def of(dim: Dim) -> Dim:
        if isinstance(dim, int):
            return dim
        base = numbers.setdefault(dim.base, facts.fresh_size(dim.plural))
        return Size(base.base, dim.offset, dim.plural)

    return tuple(map_sizes(kind, of) for kind in kinds)
