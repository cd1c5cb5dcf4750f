"""Ask once for what two branches after each other ask.

    if test:                         if test:
        t = x[j]                         t = x[j]
    if test:                ──▶          bx[j] = bx[j] + by * t
        bx[j] = bx[j] + by * t

What an iteration computes again and what is done with it are two branches on one test.  Lines of
the user's are not joined with one another.
"""

from __future__ import annotations

from dataclasses import replace

from tangent_like import ir
from tangent_like.ir import Block, Function, If, Op, Statement


def join_adjacent(function: Function) -> Function:
    return replace(function, body=_block(function.body))


def _block(block: Block) -> Block:
    statements: list[Statement] = []
    for statement in block.statements:
        before = statements[-1] if statements else None
        if isinstance(before, If) and isinstance(statement, If) and _may_join(before, statement):
            statements[-1] = _joined(before, statement)
        else:
            statements.append(statement)
    return Block(tuple(ir.with_blocks(s, _block) for s in statements), block.results)


def _may_join(before: If, after: If) -> bool:
    if before.test is not after.test or (before.spelling, after.spelling) != ("if", "if"):
        return False
    pairs = ((before.then, after.then), (before.orelse, after.orelse))
    return _is_derivative(after) and all(
        _is_bound(before, first, second) for first, second in pairs
    )


def _is_derivative(statement: If) -> bool:
    """Whether nothing in and below a branch is the user's own."""
    inner = (s for block in ir.blocks_of(statement) for s in ir.walk(block))
    return all(s.derivative for s in inner if isinstance(s, Op))


def _is_bound(before: If, first: Block, second: Block) -> bool:
    """Whether one side has a value for all that the same side behind it reads."""
    read = {*ir.free_values(second)}
    return not any(
        result in read and atom is ir.UNDEFINED
        for result, atom in zip(before.results, first.results, strict=True)
    )


def _joined(before: If, after: If) -> If:
    then, orelse = (
        _continued(before, first, second)
        for first, second in ((before.then, after.then), (before.orelse, after.orelse))
    )
    return replace(before, results=before.results + after.results, then=then, orelse=orelse)


def _continued(before: If, first: Block, second: Block) -> Block:
    """Both blocks, one after the other."""
    table = dict(zip(before.results, first.results, strict=True))
    rest = ir.substitute(second, table)
    return Block(first.statements + rest.statements, first.results + rest.results)
