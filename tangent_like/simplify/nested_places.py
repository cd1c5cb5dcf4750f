"""Add to an element of a row where the row lies, rather than to a row of zeros.

    zeros = zeros_like(row)
    brow = scatter_add(zeros, j, g)
    bx = scatter_add(bx, i, brow)          ──▶      bx = scatter_add(bx, (i, j), g)

So reading `x[i][j]` costs as much in the reverse sweep as reading `x[i, j]`, and not a row.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.ir import Atom, Block, Function, Op, Statement, Value

_ZEROS = (runtime.zeros_like, np.zeros)
_SUMS = (operator.add, runtime.add)

Addition = tuple[Atom, Atom]
"""A place in a row, and what is added there."""


def add_where_rows_lie(function: Function) -> Function:
    definitions = {s.result: s for s in ir.walk(function.body) if isinstance(s, Op)}
    if not any(op.fn is runtime.scatter_add for op in definitions.values()):
        return function
    rows = _Rows(definitions, ir.count_uses(function.body))
    return replace(function, body=rows.block(function.body))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    definitions: dict[Value, Op]
    uses: dict[Atom, int]

    def block(self, block: Block) -> Block:
        statements = tuple(new for old in block.statements for new in self.statement(old))
        return Block(statements, block.results)

    def statement(self, statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Op):
            yield from self.addition(statement)
        else:
            yield ir.with_blocks(statement, self.block)

    def addition(self, op: Op) -> Iterator[Op]:
        """The additions to elements that make up one to a row."""
        found = self.elements(op.args[2]) if _is_of_row(op) else None
        if not found:
            yield op
            return
        array, index, _ = op.args
        for k, (place, g) in enumerate(found):
            last = k + 1 == len(found)
            result = op.result if last else Value(op.result.name, op.result.fact)
            together = Value("", infer.infer(ir.make_tuple, (index, place), {}))
            yield Op(together, ir.make_tuple, (index, place), (), op.place, True)
            yield replace(op, result=result, args=(array, together, g))
            array = result

    def elements(self, row: Atom) -> list[Addition] | None:
        """What a row of zeros is given at its elements; None where it is something else."""
        op = self.definitions.get(row) if isinstance(row, Value) else None
        if op is None or self.uses[row] != 1:
            return None
        if op.fn in _ZEROS:
            return []
        if op.fn in _SUMS:
            sides = [self.elements(side) for side in op.args]
            return None if None in sides else [one for side in sides for one in side or ()]
        if op.fn is runtime.scatter_add and _is_number(op.args[1]) and _is_scalar(op.args[2]):
            before = self.elements(op.args[0])
            return None if before is None else [*before, (op.args[1], op.args[2])]
        return None


def _is_of_row(op: Op) -> bool:
    """Whether an operation adds to a row of a matrix."""
    if op.fn is not runtime.scatter_add or not op.derivative or not _is_number(op.args[1]):
        return False
    return facts.rank(op.args[0].fact) == 2 and facts.rank(op.args[2].fact) == 1


def _is_number(index: Atom) -> bool:
    return isinstance(index.fact, facts.Scalar) and index.fact.type == "int"


def _is_scalar(g: Atom) -> bool:
    return isinstance(g.fact, facts.Scalar)
