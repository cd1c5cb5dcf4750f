"""Leave out tapes whose values nobody reads.

    tape = []                            loop i in r:
    loop i in r:                             h = tanh(x * h)
        h = tanh(x * h)                  loop i in reversed(r):
        tape.append(h * h)      ──▶          bx = bx + 2.0 * h
    loop i in reversed(r):
        t = tape.pop()
        bx = bx + 2.0 * h

Simplification finds that a saved value is not needed after all, as where only its shape was.
"""

from __future__ import annotations

from dataclasses import replace

from tangent_like import ir
from tangent_like.ir import Block, Function, If, Loop, Op, Statement, Value


def drop_unread_tapes(function: Function) -> Function:
    unread = _unread(function.body)
    return replace(function, body=_without(function.body, unread)) if unread else function


def _unread(block: Block) -> set[Value]:
    """The tapes of which nothing but pops reads, and nothing what is popped."""
    counts = ir.count_uses(block)
    made: set[Value] = set()
    moves: dict[Value, int] = {}
    for statement in ir.walk(block):
        if not isinstance(statement, Op):
            continue
        if statement.fn is ir.new_tape:
            made.add(statement.result)
        tape = statement.args[0] if statement.args else None
        silent = statement.fn is ir.push or (
            statement.fn is ir.pop and not counts.get(statement.result, 0)
        )
        if silent and isinstance(tape, Value):
            moves[tape] = moves.get(tape, 0) + 1
    return {tape for tape in made if counts.get(tape, 0) == moves.get(tape, 0)}


def _without(block: Block, tapes: set[Value]) -> Block:
    return Block(
        tuple(_inside(s, tapes) for s in block.statements if not _belongs(s, tapes)), block.results
    )


def _belongs(statement: Statement, tapes: set[Value]) -> bool:
    if not isinstance(statement, Op):
        return False
    if statement.fn is ir.new_tape:
        return statement.result in tapes
    return statement.fn in (ir.push, ir.pop) and statement.args[0] in tapes


def _inside(statement: Statement, tapes: set[Value]) -> Statement:
    if isinstance(statement, If):
        then, orelse = _without(statement.then, tapes), _without(statement.orelse, tapes)
        return replace(statement, then=then, orelse=orelse)
    if isinstance(statement, Loop):
        return replace(statement, body=_without(statement.body, tapes))
    return statement
