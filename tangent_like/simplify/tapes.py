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
from tangent_like.ir import Block, Function, Op, Value


def drop_unread_tapes(function: Function) -> Function:
    unread = _unread(function.body)
    if not unread:
        return function
    return replace(function, body=ir.without(function.body, lambda op: _belongs(op, unread)))


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


def _belongs(op: Op, tapes: set[Value]) -> bool:
    if op.fn is ir.new_tape:
        return op.result in tapes
    return op.fn in (ir.push, ir.pop) and op.args[0] in tapes
