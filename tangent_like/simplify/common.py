"""Compute once what is computed twice.

    a = sin(x)                       a = sin(x)
    y = a * w                        y = a * w
    b = sin(x)           ──▶         bw = by * a
    bw = by * b

An operation is left out if the same one on the same operands was made before, in its block or in
one around it.  The user's own operations are left out only where they are costly and have no
name: their lines stay as they were written.  What allocates an array that may be changed later
is never shared, and what has an effect, or reads something that may change, stays.
"""

from __future__ import annotations

import operator
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir, runtime
from tangent_like.ir import Atom, Block, Const, Function, If, Op, Statement, Value
from tangent_like.records import MakeRecord
from tangent_like.stores import Store

_COMMUTING = (operator.add, operator.mul)
_NEVER_SHARED: frozenset[Any] = frozenset({
    runtime.zeros_like, runtime.zero_list, runtime.copy, np.zeros, np.zeros_like, np.full, np.ones,
    np.empty, np.copy, np.array, ir.make_list, ir.new_tape, ir.defined, ir.live, list, zip,
    reversed, enumerate, np.errstate, np.printoptions,
})  # fmt: skip
_CHEAP: frozenset[Any] = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pos,
    operator.getitem, operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
    operator.floordiv, operator.mod, operator.not_, getattr, len, range, ir.make_tuple, slice,
})  # fmt: skip


def share_common(function: Function) -> Function:
    return replace(function, body=_Sharing(_read_by_primal(function)).block(function.body))


def _read_by_primal(function: Function) -> set[Value]:
    """The values that the user's own operations and control flow read."""
    found = list(function.body.results)
    for statement in ir.walk(function.body):
        if not isinstance(statement, Op):
            found += ir.read_by(statement)
            for block in ir.blocks_of(statement):
                found += block.results
        elif not statement.derivative:
            found += statement.atoms
    return {atom for atom in found if isinstance(atom, Value)}


@dataclass(eq=False, slots=True)
class _Sharing:
    shown: set[Value]
    """What stands in the user's own lines."""

    known: dict[Hashable, Op] = field(default_factory=dict)
    """The operation for each key, made in this block or one around it."""

    table: dict[Value, Atom] = field(default_factory=dict)

    def block(self, block: Block) -> Block:
        added: list[Hashable] = []
        statements = [s for old in block.statements if (s := self.statement(old, added))]
        for key in added:
            del self.known[key]
        return Block(tuple(statements), self.atoms(block.results))

    def statement(self, statement: Statement, added: list[Hashable]) -> Statement | None:
        if isinstance(statement, Op):
            return self.op(ir.with_operands(statement, self.table), added)
        if isinstance(statement, If):
            test = self.atom(statement.test)
            then, orelse = self.block(statement.then), self.block(statement.orelse)
            return replace(statement, test=test, then=then, orelse=orelse)
        iterable = None if statement.iterable is None else self.atom(statement.iterable)
        inits = self.atoms(statement.inits)
        return replace(statement, iterable=iterable, inits=inits, body=self.block(statement.body))

    def op(self, op: Op, added: list[Hashable]) -> Op | None:
        if not _may_share(op):
            return op
        key = _key(op)
        first = self.known.get(key)
        if first is None:
            self.known[key] = op
            added.append(key)
            return op
        if not self.may_leave_out(op, first):
            return op
        self.table[op.result] = first.result
        return None

    def may_leave_out(self, op: Op, first: Op) -> bool:
        if op.derivative:
            return True
        scalar = all(facts.is_scalar(a.fact) for a in (op.result, *op.args))
        cheap = op.fn in _CHEAP and (scalar or op.fn not in _COMMUTING)
        shown = cheap and op.result in self.shown
        return not first.derivative and not op.result.name and not shown

    def atom(self, atom: Atom) -> Atom:
        return self.table.get(atom, atom) if isinstance(atom, Value) else atom

    def atoms(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return ir.replaced(atoms, self.table)


def _may_share(op: Op) -> bool:
    if isinstance(op.fn, (Store, MakeRecord)) or not effects.is_pure(op.fn):
        return False
    if op.fn in _NEVER_SHARED or op.result.fact == facts.NONE:
        return False
    # An item or attribute of what is no array may be another one the next time.
    return op.fn not in (operator.getitem, getattr) or isinstance(
        op.args[0].fact, (facts.Array, facts.Tuple)
    )


def _key(op: Op) -> Hashable:
    args = _keys_of(op.args)
    if op.fn in _COMMUTING and all(map(_is_numeric, op.args)):
        args = tuple(sorted(args, key=hash))
    if not op.keywords:
        return op.fn, args
    return op.fn, args, tuple((key, _key_of(a)) for key, a in op.keywords)


def _is_numeric(atom: Atom) -> bool:
    return isinstance(atom.fact, (facts.Scalar, facts.Array))


def _keys_of(atoms: tuple[Atom, ...]) -> tuple[Hashable, ...]:
    return tuple([a if isinstance(a, Value) else _key_of(a) for a in atoms])


def _key_of(atom: Atom) -> Hashable:
    """A value is itself; equal constants are of one type, and 0.0 is not -0.0."""
    if isinstance(atom, Value):
        return atom
    value = atom.value
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None), type(...))):
        return type(value), repr(value)
    if isinstance(value, tuple):
        return tuple, tuple(_key_of(Const(item)) for item in value)
    if isinstance(value, slice):
        return slice, tuple(_key_of(Const(v)) for v in (value.start, value.stop, value.step))
    return "object", id(value)
