"""Abstract execution: an operation runs on small arrays that stand for those of any length.

Axis lengths stand for the symbolic sizes, twice with different lengths; a result axis that follows
a symbol in both runs has that symbol.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.facts import (
    UNKNOWN,
    Array,
    Dim,
    Fact,
    List,
    ListOf,
    Opaque,
    Scalar,
    Size,
    Tuple,
)
from tangent_like.parts import is_own_object

# One rising and one falling, so that what depends on which axis is longer is noticed; small, since
# a function may take long on large arrays.
SHORT = ("float16", "float32", "complex64")
"""Types that depend on whether a number beside them is Python's or NumPy's."""

_LENGTHS = ((5, 9, 14, 20, 27, 35, 44, 54), (25, 19, 11, 7, 6, 5, 4, 3))


class _NoDummy(Exception):
    """An operand has no representative value."""


class _Dummies:
    """Representative values for facts, with one length for each symbolic size."""

    def __init__(self, lengths: tuple[int, ...], integer: int = 1):
        self.lengths = iter(lengths)
        self.integer = integer
        self.sizes: dict[int, int] = {}
        self.plural: set[Size] = set()
        self.approximate = False
        self.any_list = False
        """Whether an operand is a list of any length, of which no length is to be believed."""
        self.any_number = False
        """Whether a number may be complex."""
        self.numpy = self.short = False
        """Whether there are numbers that may be NumPy's, and arrays of a shorter type."""

    def length(self, dim: Dim) -> int:
        if isinstance(dim, int):
            return dim
        if dim.base not in self.sizes:
            length = next(self.lengths, None)
            if length is None:
                raise _NoDummy
            self.sizes[dim.base] = length
        if dim.plural:
            self.plural.add(Size(dim.base, dim.offset))
        return self.sizes[dim.base] + dim.offset

    def any_length(self) -> int:
        """A length that no symbol stands for."""
        self.approximate = self.any_list = True
        length = next(self.lengths, None)
        if length is None:
            raise _NoDummy
        return length

    def of(self, atom: ir.Atom) -> object:
        if not isinstance(atom, ir.Const):
            return self.of_fact(atom.fact)
        if is_own_object(atom.value):  # the user's code would run
            raise _NoDummy
        return atom.value

    def of_fact(self, fact: Fact) -> Any:
        match fact:
            case Scalar("int", size) if size is not None:
                return self.length(size)
            case Scalar("int" | "bool" as kind):
                self.approximate = True
                return self.integer if kind == "int" else True
            case Scalar(kind):
                self.numpy |= fact.numpy
                self.any_number |= kind == "number"
                return {"complex": 0.6 + 0.1j}.get(kind, 0.6)
            case Array(dtype, sizes) if dtype and sizes is not None:
                return self.array(dtype, tuple(map(self.length, sizes)))
            case Tuple(items):
                return tuple(map(self.of_fact, items))
            case List(items):
                return [self.of_fact(item) for item in items]
            case facts.TupleOf(item):
                return tuple(self.of_fact(item) for _ in range(self.any_length()))
            case ListOf(item):
                return [self.of_fact(item) for _ in range(self.any_length())]
            case facts.Record(kind, keys, items) if kind is dict:
                return dict(zip(keys, map(self.of_fact, items)))
            case Opaque("slice", None):
                self.approximate = True
                return slice(0, 2)
            case Opaque("slice", bounds) if bounds is not None:
                return slice(*bounds)
            case Opaque("NoneType" | "ellipsis" as kind):
                return None if kind == "NoneType" else ...
        raise _NoDummy

    def array(self, dtype: str, shape: tuple[int, ...]) -> Any:
        if math.prod(shape) > 200_000 or min(shape, default=0) < 0:
            raise _NoDummy
        if not dtype.startswith(("bool", "int", "uint", "float", "complex")):
            raise _NoDummy
        self.short |= dtype in SHORT
        if dtype.startswith(("int", "uint")):
            self.approximate = True
            return np.zeros(shape, dtype)
        made = _small_numbers if math.prod(shape) <= _SMALL else _numbers
        return made(dtype, shape).copy()


_SMALL = 10_000
"""Arrays of so many elements are kept for the next time."""


def _numbers(dtype: str, shape: tuple[int, ...]) -> Any:
    """Numbers from 0.3 to 0.8; square matrices are symmetric and well-conditioned."""
    values = 0.3 + 0.5 * np.sin(np.arange(1.0, 1.0 + math.prod(shape))).reshape(shape) ** 2
    if len(shape) >= 2 and shape[-1] == shape[-2] and dtype.startswith(("float", "complex")):
        values = values + np.swapaxes(values, -1, -2) + 2.0 * shape[-1] * np.eye(shape[-1])
    made = np.asarray(values, dtype)
    return made if shape or facts.is_point(Array(dtype, shape)) else made[()]


_small_numbers = lru_cache(maxsize=512)(_numbers)


def execute(fn: Any, atoms: tuple[ir.Atom, ...], keywords: dict[str, ir.Atom]) -> Fact:
    results = []
    for integer, lengths in enumerate(_LENGTHS, start=1):
        dummies = _Dummies(lengths, integer)
        try:
            args = tuple(dummies.of(atom) for atom in atoms)
            named = {key: dummies.of(atom) for key, atom in keywords.items()}
        except _NoDummy:
            return UNKNOWN
        results.append((attempt(fn, args, named), dummies))
    (first, one), (second, two) = results
    if first is FAILED or second is FAILED:
        return _execute_alike(fn, atoms, keywords)
    found = _merge(first, second, one, two)
    found = _complex_perhaps(found) if one.any_number else found
    return _of_longer_type_perhaps(found) if one.numpy and one.short else found


def _complex_perhaps(fact: Fact) -> Fact:
    """The fact of a result that may also be complex."""
    match fact:
        case Array(dtype, dims) if dtype and dtype.startswith("float"):
            return Array(None, dims)
        case Scalar("float"):
            return Scalar("number", numpy=fact.numpy)
        case Tuple(items) | List(items):
            return type(fact)(tuple(map(_complex_perhaps, items)))
    return fact


def _of_longer_type_perhaps(fact: Fact) -> Fact:
    """The fact of a result that may also be of a longer type."""
    match fact:
        case Array(dtype, dims) if dtype in SHORT:
            return Array(None, dims)
        case Tuple(items) | List(items):
            return type(fact)(tuple(map(_of_longer_type_perhaps, items)))
    return fact


def _execute_alike(fn: Any, atoms: tuple[ir.Atom, ...], keywords: dict[str, ir.Atom]) -> Fact:
    """With all lengths equal: symbols that differ may still stand for equal lengths, among them
    those that are known."""
    for length in (7, *_known_lengths((*atoms, *keywords.values()))):
        dummies = _Dummies((length,) * 64)
        dummies.approximate = True
        try:
            args = tuple(dummies.of(atom) for atom in atoms)
            named = {key: dummies.of(atom) for key, atom in keywords.items()}
        except _NoDummy:  # a length less a number may be none
            continue
        result = attempt(fn, args, named)
        if result is not FAILED:
            dummies.sizes.clear()
            return _merge(result, result, dummies, dummies)
    return UNKNOWN


def _known_lengths(atoms: tuple[ir.Atom, ...]) -> list[int]:
    found: dict[int, None] = {}

    def note(dim: Dim) -> Dim:
        if isinstance(dim, int) and dim > 1:
            found[dim] = None
        return dim

    for atom in atoms:
        if not isinstance(atom, ir.Const):
            facts.map_sizes(atom.fact, note)
    return list(found)


class _Failed:
    pass


FAILED = _Failed()


def attempt(fn: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """The result of one abstract run.  A run may fail for reasons that say nothing about the
    user's values (a singular dummy matrix): then nothing is known of the result."""
    try:
        with np.errstate(all="ignore"):
            return fn(*args, **keywords)
    except Exception:
        return FAILED


def _merge(first: Any, second: Any, one: _Dummies, two: _Dummies) -> Fact:
    if type(first) is not type(second) or first is FAILED:
        return UNKNOWN
    if isinstance(first, np.ndarray):
        if first.ndim != second.ndim:
            return Array(first.dtype.name if first.dtype == second.dtype else None, None)
        axes = zip(first.shape, second.shape)
        found = tuple(_merge_axis(a, b, one, two) for a, b in axes)
        return Array(first.dtype.name, found)
    if one.any_list and isinstance(first, (tuple, list)):
        return _any_length(first, second, one, two)
    if isinstance(first, tuple):
        if len(first) != len(second):
            return UNKNOWN
        return Tuple(tuple(_merge(a, b, one, two) for a, b in zip(first, second)))
    if type(first) is list:
        if len(first) != len(second):
            return UNKNOWN
        return List(tuple(_merge(a, b, one, two) for a, b in zip(first, second)))
    if isinstance(first, int) and not isinstance(first, bool):
        dim = _merge_axis(first, second, one, two)
        return Scalar("int", dim if isinstance(dim, Size) and dim.base in one.sizes else None)
    return facts.of_constant(first)


def _any_length(first: Any, second: Any, one: _Dummies, two: _Dummies) -> Fact:
    """The fact of a list that is as long as one of the operands, perhaps."""
    if isinstance(first, tuple) or not first or not second:
        return UNKNOWN
    return ListOf(facts.join_items([_merge(a, b, one, two) for a, b in zip(first, second)]))


def _merge_axis(a: int, b: int, one: _Dummies, two: _Dummies) -> Dim:
    for base, length in one.sizes.items():
        if abs(a - length) <= 3 and a - length == b - two.sizes[base]:
            found = Size(base, a - length)
            return replace(found, plural=found in one.plural)
    if a == b and not one.approximate:
        return a
    return facts.fresh_size()
