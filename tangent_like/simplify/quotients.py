"""Divide once by what both operands of a division are divided by.

    bx = g / w                       bx = g / w
    t = y / w            ──▶         bw = -(bx * y)
    bw = -(g * t)

Of a quotient `y = x / w` the cotangent `g / w` of `x` is there already when that of `w` is needed.
Where it is not, `y / w` stays: it overflows only where `y` does.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tangent_like import infer, ir
from tangent_like.identities.terms import alike
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Statement, Value


def share_quotients(function: Function) -> Function:
    if not any(map(_divides, ir.walk(function.body))):
        return function
    return replace(function, body=_Sharing().block(function.body))


def _divides(statement: Statement) -> bool:
    return isinstance(statement, Op) and statement.derivative and statement.fn is operator.truediv


@dataclass(eq=False, slots=True)
class _Sharing:
    quotients: dict[tuple[Atom, Atom], Value] = field(default_factory=dict)
    """The quotient of two values, made in this block or one around it."""

    made: dict[Atom, Op] = field(default_factory=dict)
    """The quotient that a value is."""

    def block(self, block: Block) -> Block:
        known = dict(self.quotients)
        statements = tuple(map(self.statement, block.statements))
        self.quotients = known
        return replace(block, statements=statements)

    def statement(self, statement: Statement) -> Statement:
        if isinstance(statement, If):
            then, orelse = self.block(statement.then), self.block(statement.orelse)
            return replace(statement, then=then, orelse=orelse)
        if isinstance(statement, Loop):
            return replace(statement, body=self.block(statement.body))
        if _divides(statement):
            self.made[statement.result] = statement
            self.quotients.setdefault((statement.args[0], statement.args[1]), statement.result)
        elif statement.fn is operator.mul and statement.derivative:
            return next(self.shared(statement), statement)
        return statement

    def shared(self, op: Op) -> Iterator[Op]:
        """The product g (y / w) as (g / w) y, if g / w is there."""
        for g, factor in (op.args, op.args[::-1]):
            quotient = self.made.get(factor)
            if quotient is None:
                continue
            y, w = quotient.args
            known = self.quotients.get((g, w))
            if known is None or known is factor:
                continue
            if alike(infer.infer(operator.mul, (known, y), {}), op.result.fact):
                yield replace(op, args=(known, y))
