"""Solve by the inverse of a matrix where that is computed anyway.

    bk = 0.5 * inv(k).T                     inverse = inv(k)
    s = solve(k.T, g)            ──▶        bk = 0.5 * inverse.T
                                            s = g @ inverse

A likelihood of normal distributions has the logarithm of a determinant, whose derivative is the
inverse, and a solution of equations with the same matrix, whose derivative are equations again.
The user's own equations stay as they are.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from tangent_like import facts, infer, ir
from tangent_like.ir import Atom, Block, Const, Function, Op, Statement, Value


def share_inverses(function: Function) -> Function:
    if not any(map(_is_inverse, ir.walk(function.body))):
        return function
    return replace(function, body=_shared(function.body))


def _is_inverse(statement: Statement) -> bool:
    return (
        isinstance(statement, Op)
        and statement.fn is np.linalg.inv
        and statement.derivative
        and facts.rank(statement.args[0].fact) == 2
    )


def _shared(block: Block) -> Block:
    """The same in each block of its own: what one branch inverts another one does not."""
    ops = (s for s in block.statements if isinstance(s, Op))
    sharing = _Sharing({op.args[0]: op for op in ops if _is_inverse(op)})
    statements = [new for old in block.statements for new in sharing.statement(old)]
    return replace(block, statements=tuple(statements))


@dataclass(eq=False, slots=True)
class _Sharing:
    inverses: dict[Atom, Op]
    """The inverse that the block computes of a matrix."""

    transposed: dict[Atom, Atom] = field(default_factory=dict)
    """The matrix that a value is the transpose of."""

    computed: set[Op] = field(default_factory=set)
    """The inverses that have been computed up to here."""

    def statement(self, statement: Statement) -> Iterator[Statement]:
        if not isinstance(statement, Op):
            yield ir.with_blocks(statement, _shared)
            return
        if _transposes(statement):
            self.transposed[statement.result] = statement.args[0]
        if statement in self.computed:
            return
        if _is_inverse(statement):
            self.computed.add(statement)
        if statement.fn is np.linalg.solve and statement.derivative and not statement.keywords:
            yield from self.solved(statement)
        else:
            yield statement

    def solved(self, op: Op) -> Iterator[Statement]:
        """A solution as a product with the inverse, which may have to be computed before."""
        matrix, right = op.args
        flipped = matrix not in self.inverses and matrix in self.transposed
        inverse = self.inverses.get(self.transposed[matrix] if flipped else matrix)
        rank = facts.rank(right.fact)
        if inverse is None or rank not in (1, 2):
            yield op
            return
        if inverse not in self.computed:
            self.computed.add(inverse)
            yield replace(inverse, place=op.place)
        factors: tuple[Atom, ...] = (inverse.result, right)
        if flipped and rank == 1:
            factors = (right, inverse.result)
        elif flipped:
            turned = Value("", infer.infer(np.transpose, (inverse.result,), {}))
            yield Op(turned, np.transpose, (inverse.result,), (), op.place, True)
            factors = (turned, right)
        yield replace(op, fn=operator.matmul, args=factors)


def _transposes(op: Op) -> bool:
    """Whether an operation gives the transpose of a matrix."""
    if op.fn is getattr:
        is_transpose = op.args[1] == Const("T")
    else:
        is_transpose = op.fn is np.transpose and len(op.args) == 1 and not op.keywords
    return is_transpose and facts.rank(op.args[0].fact) == 2
