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

from tangent_like import facts, ir
from tangent_like.analysis.numbering import COMMUTING, key_of, may_share
from tangent_like.ir import Atom, Block, Function, If, Op, Statement, Value

_CHEAP: frozenset[Any] = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pos,
    operator.getitem, operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
    operator.floordiv, operator.mod, operator.not_, getattr, len, range, ir.make_tuple, slice,
})  # fmt: skip


def share_common(function: Function) -> Function:
    return replace(function, body=share_common_in(function.body))


def share_common_in(block: Block) -> Block:
    return _Sharing(_read_by_primal(block)).block(block)


def _read_by_primal(body: Block) -> set[Value]:
    """The values that the user's own operations and control flow read."""
    found = list(body.results)
    for statement in ir.walk(body):
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
        if not may_share(op):
            return op
        key = key_of(op)
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
        cheap = op.fn in _CHEAP and (scalar or op.fn not in COMMUTING)
        shown = cheap and op.result in self.shown
        return not first.derivative and not op.result.name and not shown

    def atom(self, atom: Atom) -> Atom:
        return self.table.get(atom, atom) if isinstance(atom, Value) else atom

    def atoms(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return ir.replaced(atoms, self.table)
