"""Which memory statements read and write, and whether two parts of an array are apart.

A value is a part of a root: `state[2 * k]` and `state[2 * k + 1]` are parts of `state` that share
no element, `u[1:]` and `u[:-1]` may share some.  Values of different families share no memory.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir, runtime
from tangent_like.analysis.memory import Sets, allocates, has_memory
from tangent_like.backend.numba_dialect.rebuild import bounds, definitions_of, made_by
from tangent_like.backend.remarks import remark
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Statement, Value
from tangent_like.numba_runtime import products
from tangent_like.numba_runtime.lengths import gathered
from tangent_like.stores import Store, is_basic

_INTO = (
    runtime.add_into, runtime.subtract_into, runtime.scatter_add_into, runtime.append_into,
    runtime.remove_last, products.add_at,
)  # fmt: skip
_NO_CONTENT = (
    len, getattr, slice, ir.make_tuple, np.zeros, np.empty, ir.reserve, runtime.zeros_like, range,
    gathered,
)  # fmt: skip
CHANGES: set[Any] = set()
"""Operations of this dialect that change their first operand."""

Index = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """The arrays whose elements statements read and write; `acts` where they do more."""

    reads: tuple[Value, ...] = ()
    writes: tuple[Value, ...] = ()
    acts: bool = False


@dataclass(eq=False)
class Places:
    definitions: dict[Value, Op]
    families: Sets = field(default_factory=Sets)
    items: dict[Value, Loop] = field(default_factory=dict)
    """The loop of each loop variable."""

    def learn(self, view: Op) -> None:
        """Note a part of an array that was not in the list."""
        self.definitions[view.result] = view
        self.families.join(view.result, view.args[0])  # type: ignore[arg-type]

    def family(self, value: Value) -> Value:
        return self.families.find(value)

    def apart(self, a: Value, b: Value) -> bool:
        """Whether two arrays are certain to share no element."""
        if self.family(a) is not self.family(b):
            return True
        root, own = self.part(a)
        other, others = self.part(b)
        if root is not other or not own or not others:
            return False
        return self.rows_apart(own[0], others[0])

    def same(self, a: Value, b: Value) -> bool:
        """Whether two arrays are certain to be the same elements in the same order."""
        return a is b or self.part(a) == self.part(b)

    def part(self, value: Value) -> tuple[Value, tuple[Index, ...]]:
        """The array that a value is a part of, and the indices that lead there."""
        made = self.definitions.get(value)
        if made is not None and made.args and isinstance(made.args[0], Value):
            array = made.args[0]
            if is_into(made):
                return self.part(array)
            if is_view(made):
                root, steps = self.part(array)
                return root, (*steps, self.key(made.args[1]))
        return value, ()

    def key(self, atom: Atom) -> Index:
        """What is equal for atoms that are certain to be equal: numbers as sums of terms."""
        if isinstance(atom, Const):
            return ("const", repr(atom.value)) if type(atom.value) is not int else self.sum_of(atom)
        made = self.definitions.get(atom)
        if isinstance(atom.fact, facts.Scalar):
            return self.sum_of(atom)
        if made is not None and made.fn in (slice, ir.make_tuple):
            return (made.fn.__name__, *map(self.key, made.args))
        return ("value", atom)

    def sum_of(self, atom: Atom) -> Index:
        constant, terms = self.terms(atom)
        return ("sum", constant, frozenset(terms.items()))

    def terms(self, atom: Atom) -> tuple[int, dict[Any, int]]:
        """An integer as a constant and multiples of values."""
        if isinstance(atom, Const):
            return (atom.value, {}) if type(atom.value) is int else (0, {repr(atom.value): 1})
        made = self.definitions.get(atom)
        if made is not None and made.fn in (operator.add, operator.sub):
            sign = 1 if made.fn is operator.add else -1
            (c, left), (d, right) = map(self.terms, made.args)
            total = {t: left.get(t, 0) + sign * right.get(t, 0) for t in {**left, **right}}
            return c + sign * d, {t: n for t, n in total.items() if n}
        if made is not None and made.fn is operator.mul:
            (c, left), (d, right) = map(self.terms, made.args)
            if not left or not right:
                factor, constant, found = (c, d, right) if not left else (d, c, left)
                return factor * constant, {t: factor * n for t, n in found.items() if factor * n}
        size = atom.fact.size if isinstance(atom.fact, facts.Scalar) else None
        if isinstance(size, facts.Size):
            return size.offset, {size.base: 1}
        return 0, {atom: 1}

    def rows_apart(self, one: Index, two: Index) -> bool:
        """Whether two numbers, neither of which counts from the end, are different."""
        if one[0] != "sum" or two[0] != "sum" or one[2] != two[2] or one[1] == two[1]:
            return False
        return all(n > 0 and self.counts_up(t) for t, n in one[2]) and min(one[1], two[1]) >= 0

    def counts_up(self, term: Any) -> bool:
        """Whether a term is certain not to be negative: a length, or the item of a range."""
        if isinstance(term, int):
            return True
        loop = self.items.get(term) if isinstance(term, Value) else None
        made = made_by(loop.iterable, self.definitions, range) if loop is not None else None
        if made is None:
            return False
        start, stop, step = bounds(made)
        down = isinstance(step, Const) and step.value == -1
        lowest = stop if down else start
        least = -1 if down else 0
        up = isinstance(step, Const) and type(step.value) is int and step.value > 0
        return isinstance(lowest, Const) and lowest.value >= least and (up or down)

    def access(self, statements: Iterable[Statement]) -> Access:
        reads: list[Value] = []
        writes: list[Value] = []
        acts = False
        for op in operations_in(statements):
            own = access_of(op)
            reads += own.reads
            writes += own.writes
            acts |= own.acts
        return Access(tuple(reads), tuple(writes), acts)


def places_of(function: Function) -> Places:
    places = Places(definitions_of(function))
    for statement in ir.walk(function.body):
        if isinstance(statement, Loop) and statement.item is not None:
            places.items[statement.item] = statement
        for value, sources in _flows(statement):
            for source in sources:
                if isinstance(source, Value) and has_memory(source) and has_memory(value):
                    places.families.join(value, source)
    return places


def _flows(statement: Statement) -> Iterator[tuple[Value, tuple[Atom, ...]]]:
    """Each value with those that it may share memory with."""
    if isinstance(statement, Op):
        if is_into(statement) and isinstance(statement.args[0].fact, facts.Array):
            yield statement.result, statement.args[:1]
        elif is_into(statement) or not allocates(statement):
            yield statement.result, statement.atoms
        if statement.fn in (ir.push, runtime.append_into):
            yield statement.args[0], statement.args[1:]  # type: ignore[misc]
    elif isinstance(statement, If):
        rows = zip(statement.then.results, statement.orelse.results)
        yield from zip(statement.results, rows, strict=True)
    else:
        rows4 = zip(statement.inits, statement.nexts, statement.results, strict=True)
        yield from zip(statement.params, rows4, strict=True)
        if statement.item is not None and statement.iterable is not None:
            yield statement.item, (statement.iterable,)


def is_into(op: Op) -> bool:
    """Whether the result is the first operand, changed."""
    return op.fn in _INTO if not isinstance(op.fn, Store) else op.fn.into


def is_view(op: Op) -> bool:
    """Whether the result is a part of the first operand, of which nothing is read."""
    if op.fn not in (operator.getitem, ir.fetch) or not isinstance(op.result.fact, facts.Array):
        return False
    return isinstance(op.args[0].fact, (facts.Array, facts.Tape)) and is_basic(op.args[1])


def operations_in(statements: Iterable[Statement]) -> Iterator[Op]:
    for statement in ir.walk(Block(tuple(statements), ())):
        if isinstance(statement, Op):
            yield statement


def access_of(op: Op) -> Access:
    arrays = tuple(a for a in op.atoms if isinstance(a, Value) and has_memory(a))
    if op.fn is remark:
        return Access()
    if isinstance(op.fn, ir.Procedure):
        return Access(arrays, arrays, True)
    if is_into(op) or op.fn in (ir.push, ir.put, ir.flip):
        return Access(arrays[1:], arrays[:1])
    if op.fn is ir.pop:
        return Access(arrays, arrays)
    if op.fn in CHANGES:
        return Access(arrays[1:], arrays[:1])
    if is_view(op) or op.fn in _NO_CONTENT:  # of lists and tapes the length may change
        return Access(tuple(a for a in arrays if not isinstance(a.fact, facts.Array)))
    if op.fn is ir.fetch:
        return Access(arrays)
    ours = (getattr(op.fn, "__module__", None) or "").startswith("tangent_like.numba_runtime")
    if effects.has_effect(op.fn) or not (ours or effects.is_pure(op.fn)):
        return Access(arrays, arrays, True)
    return Access(arrays)
