"""Ask for a shape where it is at hand.

    v = y * z                        v = y * z
    n = v.size           ──▶         n = len(y)

Derivative code often needs the shape of an intermediate result.  Where facts tell that an
argument or a named value has the same shape, that is asked instead, so that the intermediate
result need not exist; the length of a vector is written `len`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tangent_like import facts, ir
from tangent_like.ir import Atom, Block, Const, Function, Op, Statement, Value

Known = dict[tuple[facts.Dim, ...], Value]
"""What has a shape; what has a length as that of its first axis, under a shape of one axis."""


def share_shapes(function: Function) -> Function:
    known: Known = {}
    _note(function.params, known)
    return replace(function, body=_block(function.body, known))


def _block(block: Block, outer: Known) -> Block:
    known = dict(outer)
    statements = []
    for statement in block.statements:
        statements.append(_statement(statement, known))
        if isinstance(statement, Op):  # results of branches and loops may be unbound
            _note((statement.result,), known)
    return Block(tuple(statements), block.results)


def _note(values: Iterable[Value], known: Known) -> None:
    """Arguments and named results are at hand anyway.

    What a branch or a loop hands out is not: it may be undefined on the path that was taken.
    """
    for value in values:
        if value.name and isinstance(value.fact, facts.Array) and value.fact.dims:
            held = known.get(value.fact.dims)
            if held is None or facts.rank(held.fact) != len(value.fact.dims):
                known[value.fact.dims] = value
            known.setdefault(value.fact.dims[:1], value)


def _statement(statement: Statement, known: Known) -> Statement:
    if isinstance(statement, Op):
        return _op(statement, known) if statement.derivative else statement
    return ir.with_blocks(statement, lambda inner: _block(inner, known))


def _op(op: Op, known: Known) -> Op:
    question = _question(op)
    if question is None:
        return op
    owner = op.args[0]
    sizes = facts.dims(owner.fact)
    assert sizes is not None
    other: Atom = known.get(sizes, owner)
    if question == "size" and len(sizes) == 1:
        return replace(op, fn=len, args=(other,))
    same_rank = facts.rank(other.fact) == len(sizes)
    return replace(op, args=(other, *op.args[1:])) if same_rank else op


def _question(op: Op) -> str | None:
    """What is asked about the shape of an array of known rank."""
    owner: Any = op.args[0].fact if op.args else None
    if not isinstance(owner, facts.Array) or not owner.dims:
        return None
    if op.fn is getattr and isinstance(op.args[1], Const):
        name = op.args[1].value
        return str(name) if name in ("size", "shape", "ndim") else None
    return "size" if op.fn is len and len(owner.dims) == 1 else None
