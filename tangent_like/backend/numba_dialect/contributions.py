"""What is gathered in an array of its own is added at once to the array that it is for.

    brow = np.zeros(len(row))                 brow = bm[k]
    for j in range(n):              ──▶       for j in range(n):
        brow[j] += g                              brow[j] += g
    bm[k] += brow

The additions come in another order then, and are rounded otherwise.  That is all there is to see
where nothing else reads the array meanwhile, and nothing but additions changes it.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.backend.numba_dialect.lanes import add_to_element, subtract_from_element
from tangent_like.backend.numba_dialect.parts import add_to, subtract_from
from tangent_like.backend.numba_dialect.places import (
    Places,
    access_of,
    is_into,
    is_view,
    operations_in,
    places_of,
)
from tangent_like.backend.numba_dialect.rebuild import followed, rebuilt
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Statement, Value
from tangent_like.stores import Store, is_basic

_ZEROS = (np.zeros, runtime.zeros_like)
_INTO: dict[Any, Any] = {runtime.add_into: add_to, runtime.subtract_into: subtract_from}
_ADDING = tuple(_INTO.values())
_TO_ELEMENT = {operator.add: add_to_element, operator.sub: subtract_from_element}


def add_directly(function: Function) -> Function:
    places, table = places_of(function), dict[Value, Atom]()
    changes: dict[Statement, Sequence[Op]] = {}
    for block in ir.blocks_in(function.body):
        for k, statement in enumerate(block.statements):
            found = gathered(statement, block.statements[k + 1 :], block.results, places)
            if found is not None:
                changes.update(found.changes)
                table.update(found.table)
    changed = rebuilt(function, lambda statement: changes.get(statement, (statement,)))
    return replace(changed, body=ir.substitute(changed.body, followed(table)))


def gathered(
    zeros: Statement, rest: Sequence[Statement], results: Sequence[Atom], places: Places
) -> Gathering | None:
    """The life of an array of zeros up to where it is added to a part of another one; None where
    it has to be an array of its own.  `rest` and `results` follow it in its block."""
    if not isinstance(zeros, Op) or zeros.fn not in _ZEROS or not zeros.derivative:
        return None
    found = Gathering(zeros.result, {zeros.result})
    for k, statement in enumerate(rest):
        if isinstance(statement, Op) and statement.fn is add_to and statement.args[1] in found.ours:
            part = part_of(statement.args[0], found.zeros, (zeros, *rest[:k]), places)
            remaining = Block(tuple(rest[k + 1 :]), tuple(results))
            if part is None or not found.ours.isdisjoint(ir.atoms_in(remaining)):
                return None
            if not only_added_to(part.result, rest[:k], places):
                return None
            found.changes[zeros] = (replace(part, result=zeros.result),)
            found.changes[statement] = ()
            return found
        if not found.takes(statement):
            return None
    return None


def part_of(target: Atom, zeros: Value, before: Sequence[Statement], places: Places) -> Op | None:
    """How to take the part of an array that `target` is, where the first of the statements
    `before` stands; None where it is not all there yet, or of another shape."""
    made = places.definitions.get(target) if isinstance(target, Value) else None
    if made is None or not is_view(made) or target.fact != zeros.fact:
        return None
    later = set(chain.from_iterable(map(ir.defined_by, before)))
    array, index = made.args
    while array in later:
        change = places.definitions.get(array)
        if change is None or not is_into(change):
            return None
        array = change.args[0]
    return None if index in later else replace(made, args=(array, index))


def only_added_to(target: Value, statements: Sequence[Statement], places: Places) -> bool:
    """Whether statements neither read an array nor change it otherwise than by adding."""
    for op in operations_in(statements):
        access = access_of(op)
        touched = access.reads if is_addition(op) else (*access.reads, *access.writes)
        if access.acts or not all(places.apart(a, target) for a in touched):
            return False
    return True


def is_addition(op: Op) -> bool:
    """Whether an operation adds to its first operand, or to a part of it."""
    if isinstance(op.fn, Store):
        return op.fn.into and op.fn.combine in _TO_ELEMENT
    return op.fn in (*_INTO, *_ADDING, runtime.scatter_add_into)


@dataclass(eq=False)
class Gathering:
    """An array of zeros, and what it is called after each change."""

    zeros: Value
    names: set[Value]
    views: set[Value] = field(default_factory=set)
    changes: dict[Statement, Sequence[Op]] = field(default_factory=dict)
    table: dict[Value, Atom] = field(default_factory=dict)

    @property
    def ours(self) -> set[Value]:
        return self.names | self.views

    def called(self, name: Value) -> None:
        self.names.add(name)
        self.table[name] = self.zeros

    def takes(self, statement: Statement) -> bool:
        """Whether a statement leaves the array alone, or adds to it."""
        if isinstance(statement, Op):
            return self.takes_op(statement)
        if isinstance(statement, If):
            return self.takes_if(statement)
        return self.takes_loop(statement)

    def takes_op(self, op: Op) -> bool:
        if self.ours.isdisjoint(op.atoms):
            return True
        if op.args[0] not in self.ours or not self.ours.isdisjoint(op.atoms[1:]):
            return False
        if is_view(op):
            self.views.add(op.result)
            return True
        if op.fn is len or op.fn in _ADDING:
            return True
        added = self.added(op) if op.args[0] in self.names else None
        if added is not None:
            self.changes[op] = added
            self.called(op.result)
        return added is not None

    def added(self, op: Op) -> Sequence[Op] | None:
        """An addition as an operation that changes the array and has no result."""
        nothing = Value("", facts.Opaque("NoneType"))
        change = replace(op, result=nothing, keywords=())
        if op.fn in _INTO:
            return (replace(change, fn=_INTO[op.fn]),)
        if op.fn is runtime.scatter_add_into and is_basic(op.args[1]):
            return (replace(change, fn=add_to_element),)
        if not isinstance(op.fn, Store) or op.fn.path != (operator.getitem,):
            return None
        array, value, index = op.args
        if not op.fn.into or not is_basic(index):
            return None
        if op.fn.combine in _TO_ELEMENT:
            fn = _TO_ELEMENT[op.fn.combine]
            return (replace(change, fn=fn, args=(array, index, value)),)
        if op.fn.combine is not None or self.changes or self.views or array is not self.zeros:
            return None
        return self.first(change, array, index, value)

    def first(self, change: Op, array: Atom, index: Atom, value: Atom) -> Sequence[Op]:
        """The first contribution, which assigned."""
        fact = infer.infer(operator.getitem, (array, index), {})
        if not isinstance(fact, facts.Array):
            return (replace(change, fn=add_to_element, args=(array, index, value)),)
        view = replace(change, result=Value("part", fact), fn=operator.getitem, args=(array, index))
        return view, replace(change, fn=add_to, args=(view.result, value))

    def takes_if(self, statement: If) -> bool:
        if not all(self.takes(s) for b in ir.blocks_of(statement) for s in b.statements):
            return False
        rows = zip(statement.then.results, statement.orelse.results)
        for result, row in zip(statement.results, rows, strict=True):
            if not self.ours.isdisjoint(row):
                if not self.names.issuperset(row):
                    return False
                self.called(result)
        return True

    def takes_loop(self, loop: Loop) -> bool:
        if loop.iterable in self.ours or not self.views.isdisjoint(loop.inits):
            return False
        for init, param in zip(loop.inits, loop.params, strict=True):
            if init in self.names:
                self.called(param)
        if not all(map(self.takes, loop.body.statements)):
            return False
        for param, following, result in zip(loop.params, loop.nexts, loop.results, strict=True):
            if (param in self.names) != (following in self.names) or following in self.views:
                return False
            if param in self.names:
                self.called(result)
        return True
