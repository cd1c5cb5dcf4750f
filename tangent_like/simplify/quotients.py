"""Divide once by what both operands of a division are divided by.

    bx = g / w                       bx = g / w
    t = y / w            ──▶         bw = -(bx * y)
    bw = -(g * t)

Of a quotient `y = x / w` the cotangent `g / w` of `x` is there already when that of `w` is needed.
Where it is not, `y / w` stays: it overflows only where `y` does.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tangent_like import infer, ir
from tangent_like.identities.terms import alike, number
from tangent_like.ir import Atom, Block, Function, Op, Statement, Value


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
    """The quotient, or product with a number, that a value is."""

    def block(self, block: Block) -> Block:
        known = dict(self.quotients)
        statements = [new for old in block.statements for new in self.statement(old)]
        self.quotients = known
        return replace(block, statements=tuple(statements))

    def statement(self, statement: Statement) -> Sequence[Statement]:
        if not isinstance(statement, Op):
            return (ir.with_blocks(statement, self.block),)
        if _divides(statement):
            self.made[statement.result] = statement
            self.quotients.setdefault((statement.args[0], statement.args[1]), statement.result)
        elif statement.fn is operator.mul and statement.derivative:
            if number(statement.args[0]) is not None:
                self.made[statement.result] = statement
            return next(self.shared(statement), (statement,))
        return (statement,)

    def shared(self, op: Op) -> Iterator[Sequence[Op]]:
        """The product g (y / w) as (g / w) y, and (c g) (y / w) as c ((g / w) y) for a number c,
        if g / w is there."""
        for g, factor in (op.args, op.args[::-1]):
            quotient, scaled = self.made.get(factor), self.made.get(g)
            if quotient is None or quotient.fn is operator.mul:
                continue
            y, w = quotient.args
            known = self.quotients.get((g, w))
            if known is not None and known is not factor and _is_product(known, y, op.result):
                yield (replace(op, args=(known, y)),)
            if scaled is None or scaled.fn is not operator.mul:
                continue
            known = self.quotients.get((scaled.args[1], w))
            if known is not None and _is_product(known, y, op.result):
                product = Value("", op.result.fact)
                yield (
                    Op(product, operator.mul, (known, y), (), op.place, True),
                    replace(op, args=(scaled.args[0], product)),
                )


def _is_product(a: Atom, b: Atom, result: Value) -> bool:
    """Whether a b can stand for a result."""
    return alike(infer.infer(operator.mul, (a, b), {}), result.fact)
