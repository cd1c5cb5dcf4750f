"""An array that nothing keeps is the same memory in each iteration.

    for i in range(k):                t = np.empty(m)
        t = np.empty(n)      ──▶      for i in range(k):
        ...                               ...

Where only single elements are read, a larger array does as well: that is made before the loops
around as those of tapes are (`rooms.py`).  One that is read as a whole, by what adds it to another
array, must have this length in all iterations.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect import lanes, parts
from tangent_like.backend.numba_dialect.known import Known, length_of, lengths_of
from tangent_like.backend.numba_dialect.rebuild import (
    appended,
    defined_in,
    definitions_of,
    operations,
    rebuilt,
)
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Const, Function, Loop, Op, Statement, Value

_CHANGES = (
    lanes.set_element, lanes.add_to_element, lanes.subtract_from_element, lanes.multiply_element,
)  # fmt: skip
_CHANGES_OF_WHOLES = (parts.add_to, parts.subtract_from, parts.multiply)
_TO_NUMBERS = (operator.matmul, np.dot, np.sum)


def keep_buffers(function: Function) -> Function:
    made = {op.result for op in operations(function) if is_made(op)} - escaping(function)

    def visit(statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Op) and statement.result in made:
            statement = replace(statement, fn=ir.reserve)
        yield statement

    return rebuilt(function, visit)


def hoist_buffers(function: Function) -> Function:
    """Make arrays of one length, which nothing keeps, before the loops around."""
    escaped = escaping(function, or_wholes=True)
    made = {op.result for op in operations(function) if is_made(op) and len(op.args) == 1}
    definitions, lengths = definitions_of(function), lengths_of(function)

    def visit(statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Loop):
            yield from _hoisted(statement, made - escaped, Known(definitions, lengths))
        else:
            yield statement

    return rebuilt(function, visit)


def _hoisted(loop: Loop, buffers: Collection[Value], known: Known) -> Iterator[Statement]:
    """The loop without the buffers that can be made before it, after these."""
    inside = defined_in(loop)
    made_here = {s.result: s for s in loop.body.statements if isinstance(s, Op)}
    known = Known({**known.definitions, **made_here}, known.lengths)
    kept: list[Statement] = []
    for statement in loop.body.statements:
        if (
            isinstance(statement, Op)
            and statement.result in buffers
            and known.outside(statement.args[0], inside)
        ):
            builder = Builder(loop.place, derivative=True)
            length = _again(builder, known, statement.args[0], inside)
            yield from appended(builder)
            yield replace(statement, args=(length,))
        else:
            kept.append(statement)
    yield replace(loop, body=Block(tuple(kept), loop.body.results))


def _again(builder: Builder, known: Known, atom: Atom, inside: set[Value]) -> Atom:
    """A length where the loop has not started: a part of a shorter array has none, not fewer."""
    size, length = length_of(atom), known.again(builder, atom, inside)
    if length is atom or size is None or size.offset >= 0:
        return length
    return builder.op(max, (length, Const(0)))


def is_made(op: Op) -> bool:
    return op.fn is np.empty and op.derivative


def escaping(function: Function, or_wholes: bool = False) -> set[object]:
    """What is read in other ways than element by element; with `or_wholes` also than by operations
    that keep nothing of it."""
    found: set[object] = set(function.body.results)
    for statement in ir.walk(function.body):
        read = ir.read_by(statement)
        if isinstance(statement, Op) and by_elements(statement):
            read = read[1:]
        elif or_wholes and isinstance(statement, Op) and _keeps_nothing(statement):
            read = ()
        found.update(read)
        for block in ir.blocks_of(statement):
            found.update(block.results)
    return found


def by_elements(op: Op) -> bool:
    """Whether an operation reads or changes one element of its first operand."""
    if op.fn is operator.getitem:
        return isinstance(op.args[0], Value) and isinstance(op.result.fact, facts.Scalar)
    return op.fn in _CHANGES or op.fn is len


def _keeps_nothing(op: Op) -> bool:
    """Whether an operation on whole arrays gives a number, or changes one of them."""
    is_number = isinstance(op.result.fact, facts.Scalar)
    return op.fn in _CHANGES_OF_WHOLES or (op.fn in _TO_NUMBERS and is_number)
