"""Cotangents of what may have been spread: one axis, whose lengths are compared when it runs.

    g = unbroadcast(t, item)                 g = gathered(t, item)
    bx = zeros_like(x)               ──▶     bx = zeros_like(x)
    bx[slice] = g                            bx[slice] += g

Each use has an operation of its own, so that it can become one with what uses it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tangent_like import facts, runtime
from tangent_like.backend.numba_dialect.rebuild import definitions_of, made_by, rebuilt
from tangent_like.ir import Atom, Function, Op, Statement, Value
from tangent_like.numba_runtime.lengths import gathered
from tangent_like.stores import Store

_ZEROS = (np.zeros, runtime.zeros_like)


def gather_at_uses(function: Function) -> Function:
    definitions = definitions_of(function)

    def visit(statement: Statement) -> Iterator[Statement]:
        if not isinstance(statement, Op):
            yield statement
            return
        op = accumulating(statement)
        table: dict[Value, Atom] = {}
        for atom in dict.fromkeys(op.args):
            made = made_by(atom, definitions, runtime.unbroadcast)
            if made is not None and is_line(made):
                own = Value("", made.result.fact)
                table[made.result] = own
                yield replace(made, result=own, fn=gathered)
        args = tuple(table.get(a, a) if isinstance(a, Value) else a for a in op.args)
        yield replace(op, args=args)

    def accumulating(op: Op) -> Op:
        """The first contribution, which assigned, adds to zeros."""
        if not isinstance(op.fn, Store) or not op.fn.into or op.fn.combine is not None:
            return op
        if op.fn.path != (operator.getitem,):
            return op
        array, value, index = op.args
        spread = made_by(value, definitions, runtime.unbroadcast)
        zeros = definitions.get(array) if isinstance(array, Value) else None
        if spread is None or not is_line(spread) or zeros is None or zeros.fn not in _ZEROS:
            return op
        return replace(op, fn=runtime.scatter_add_into, args=(array, index, value))

    return rebuilt(function, visit)


def is_line(op: Op) -> bool:
    """Whether both operands are arrays of one axis, of which the lengths may differ."""
    g, like = op.args
    known = all(
        isinstance(a.fact, facts.Array) and a.fact.dtype == "float64" and facts.rank(a.fact) == 1
        for a in (g, like)
    )
    return known and facts.dims(g.fact) != facts.dims(like.fact)
