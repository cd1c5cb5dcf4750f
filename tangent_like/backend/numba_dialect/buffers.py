"""An array of which only single elements are read is the same memory each time.

    t = np.empty(n)      ──▶      t = reserve(n)

The array is then made before the loops around (`rooms.py`), as those of tapes are.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect import lanes
from tangent_like.backend.numba_dialect.rebuild import operations, rebuilt
from tangent_like.ir import Function, Op, Statement, Value

_CHANGES = (
    lanes.set_element, lanes.add_to_element, lanes.subtract_from_element, lanes.multiply_element,
)  # fmt: skip


def keep_buffers(function: Function) -> Function:
    made = {op.result for op in operations(function) if op.fn is np.empty and op.derivative}
    made -= escaping(function)

    def visit(statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Op) and statement.result in made:
            statement = replace(statement, fn=ir.reserve)
        yield statement

    return rebuilt(function, visit)


def escaping(function: Function) -> set[object]:
    """What is read in other ways than element by element."""
    found: set[object] = set(function.body.results)
    for statement in ir.walk(function.body):
        read = ir.read_by(statement)
        found.update(read[1:] if isinstance(statement, Op) and by_elements(statement) else read)
        for block in ir.blocks_of(statement):
            found.update(block.results)
    return found


def by_elements(op: Op) -> bool:
    """Whether an operation reads or changes one element of its first operand."""
    if op.fn is operator.getitem:
        return isinstance(op.args[0], Value) and isinstance(op.result.fact, facts.Scalar)
    return op.fn in _CHANGES or op.fn is len
