"""A function of the elements of an array that a loop computes again and again is computed before.

                                            table = np.empty((k, d))
                                            for j in range(k):
    for i in range(n):                          for a in range(d):
        for j in range(k):                          table[j, a] = math.exp(w[j, a])
            for a in range(d):     ──▶      for i in range(n):
                e = math.exp(w[j, a])           for j in range(k):
                                                    for a in range(d):
                                                        e = table[j, a]

The outer loop must not write into the array, and the inner ones go through all of their ranges.  A
table never has more elements than the array.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect.known import Known, length_of, lengths_of
from tangent_like.backend.numba_dialect.lanes import set_element
from tangent_like.backend.numba_dialect.places import Places, places_of
from tangent_like.backend.numba_dialect.rebuild import (
    appended,
    bounds,
    defined_in,
    is_constant,
    made_by,
)
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Statement, Value

_NAMES = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "cbrt",
)  # fmt: skip
_COSTLY = {getattr(module, name) for module in (math, np) for name in _NAMES
           if hasattr(module, name)}  # fmt: skip


def tabulate(function: Function) -> Function:
    places = places_of(function)
    tables = _Tables(places, Known(places.definitions, lengths_of(function)))
    return replace(function, body=tables.block(function.body))


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    places: Places
    known: Known

    def block(self, block: Block) -> Block:
        return Block(tuple(s for old in block.statements for s in self.around(old)), block.results)

    def around(self, statement: Statement) -> Iterator[Statement]:
        """The statement after the tables that it needs."""
        if isinstance(statement, If):
            then, orelse = self.block(statement.then), self.block(statement.orelse)
            yield replace(statement, then=then, orelse=orelse)
        elif isinstance(statement, Loop):
            search = _Search(self.places, self.known, statement)
            body = search.rewritten(statement.body, ())
            yield from search.made
            yield replace(statement, body=self.block(body))
        else:
            yield statement


@dataclass(eq=False, slots=True)
class _Search:
    """What one loop computes again and again in the loops inside."""

    places: Places
    known: Known
    outer: Loop
    made: list[Statement] = field(default_factory=list)
    tables: dict[Any, Value] = field(default_factory=dict)
    inside: set[Value] = field(default_factory=set)
    written: tuple[Value, ...] | None = None

    def rewritten(self, block: Block, loops: tuple[Loop, ...]) -> Block:
        """The block with elements of tables, inside loops that each go through all of a range."""
        return Block(tuple(self.statement(s, loops) for s in block.statements), block.results)

    def statement(self, statement: Statement, loops: tuple[Loop, ...]) -> Statement:
        if isinstance(statement, Loop) and not statement.exits:
            return replace(statement, body=self.rewritten(statement.body, (*loops, statement)))
        if isinstance(statement, Op) and loops and statement.fn in _costly_of(statement):
            return self.from_table(statement, loops) or statement
        return statement

    def from_table(self, op: Op, loops: Sequence[Loop]) -> Op | None:
        read = made_by(op.args[0], self.places.definitions, operator.getitem)
        if read is None or not isinstance(read.args[0], Value):
            return None
        array, index = read.args
        around = self.loops_of(index, loops)
        if around is None or facts.rank(array.fact) != len(around) or not self.is_fixed(array):
            return None
        stops = [self.stop(loop) for loop in around]
        if any(stop is None for stop in stops):
            return None
        key = (op.fn, array, *map(self.places.key, stops))  # type: ignore[arg-type]
        if key not in self.tables:
            self.tables[key] = self.table(op, array, stops)  # type: ignore[arg-type]
        return replace(op, fn=operator.getitem, args=(self.tables[key], index))

    def loops_of(self, index: Atom, loops: Sequence[Loop]) -> list[Loop] | None:
        """For each axis the loop whose item is the index there."""
        made = made_by(index, self.places.definitions, ir.make_tuple)
        items = made.args if made is not None else (index,)
        found = [loop for item in items for loop in loops if loop.item is item]
        return found if len(found) == len(items) == len(set(found)) else None

    def is_fixed(self, array: Atom) -> bool:
        """Whether an array is there before the loop, and stays as it is."""
        if self.written is None:
            self.inside = defined_in(self.outer)
            access = self.places.access((self.outer,))
            self.written = (*access.writes, *(self.inside if access.acts else ()))
        if not isinstance(array, Value) or array in self.inside:
            return False
        return facts.dtype(array.fact) == "float64" and all(
            self.places.apart(array, w) for w in self.written
        )

    def stop(self, loop: Loop) -> Atom | None:
        """The end of a range that begins at 0, or is gone through down to 0."""
        made = made_by(loop.iterable, self.places.definitions, range)
        if made is None:
            return None
        start, stop, step = bounds(made)
        if is_constant(step, -1) and is_constant(stop, -1):
            less = made_by(start, self.places.definitions, operator.sub)
            whole = less is not None and is_constant(less.args[1], 1)
            stop = less.args[0] if less is not None and whole else Const(None)
        elif not (is_constant(step, 1) and is_constant(start, 0)):
            return None
        found = isinstance(stop, Value) or type(stop.value) is int
        return stop if found and self.known.outside(stop, self.inside) else None

    def table(self, op: Op, array: Value, stops: Sequence[Atom]) -> Value:
        """Append the table and the loops that fill it."""
        before = Builder(self.outer.place, derivative=True)
        counts = [self.count(before, array, k, stop) for k, stop in enumerate(stops)]
        shape = counts[0] if len(counts) == 1 else before.op(ir.make_tuple, counts)
        found = Value(op.result.name or getattr(op.fn, "__name__", ""), array.fact)
        before.append(Op(found, np.empty, (shape,), (), op.place, True))
        items = [Value("", facts.INT) for _ in counts]
        ranges = [before.op(range, (count,)) for count in counts]
        filling = self.filling(op, array, found, items)
        for item, iterable in zip(reversed(items), reversed(ranges), strict=True):
            loop = Loop((), iterable, item, (), (), filling, False, op.place)
            filling = Block((loop,), ())
        self.made += [*appended(before), *filling.statements]
        return found

    def filling(self, op: Op, array: Value, table: Value, items: Sequence[Value]) -> Block:
        body = Builder(op.place, derivative=True)
        index: Atom = items[0] if len(items) == 1 else body.op(ir.make_tuple, items)
        element, value = Value("", facts.FLOAT), Value("", facts.FLOAT)
        body.append(Op(element, operator.getitem, (array, index), (), op.place, True))
        body.append(Op(value, op.fn, (element,), (), op.place, True))
        nothing = Value("", facts.Opaque("NoneType"))
        body.append(Op(nothing, set_element, (table, index, value), (), op.place, True))
        return body.finish(())

    def count(self, before: Builder, array: Value, axis: int, stop: Atom) -> Atom:
        """How many places there are: an outer loop that never runs may name more than exist."""
        again = self.known.again(before, stop, self.inside)
        size = (facts.dims(array.fact) or ())[axis]
        if size == length_of(again) and size is not None:
            return again
        shape = before.op(getattr, (array, Const("shape")))
        there = before.op(operator.getitem, (shape, Const(axis)))
        return before.op(max, (before.op(min, (again, there)), Const(0)))


def _costly_of(op: Op) -> set[Any]:
    plain = len(op.args) == 1 and not op.keywords and facts.is_float_scalar(op.result.fact)
    return _COSTLY if plain and getattr(type(op.fn), "__hash__", None) is not None else set()
