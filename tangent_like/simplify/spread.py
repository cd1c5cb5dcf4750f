"""Take what is popped off a tape of equal items from where the items came.

    tape = thaw(spread_over(g, items))       loop i in r:
    loop i in r:                                 bx = bx + g * h
        t = tape.pop()              ──▶
        bx = bx + t * h

The items of a sum have one cotangent; that of a list built by a comprehension is such a tape.
"""

from __future__ import annotations

from dataclasses import replace

from tangent_like import ir, runtime
from tangent_like.ir import Atom, Block, Function, Op, Value


def take_spread_items(function: Function) -> Function:
    items, pops = _tapes(function.body)
    counts = ir.count_uses(function.body)
    table: dict[Value, Atom] = {}
    emptied = set()
    for tape, taken in pops.items():
        item = items[tape]
        if counts.get(tape, 0) == len(taken) and all(op.result.fact == item.fact for op in taken):
            emptied.add(tape)
            table.update((op.result, item) for op in taken)
    if not table:
        return function
    body = ir.without(
        function.body,
        lambda op: op.result in emptied or (op.fn is ir.pop and op.args[0] in emptied),
    )
    return replace(function, body=ir.substitute(body, table))


def _tapes(block: Block) -> tuple[dict[Value, Atom], dict[Value, list[Op]]]:
    """The tapes that hold one item many times, with that item, and what pops from each."""
    spread: dict[Value, Atom] = {}
    items: dict[Value, Atom] = {}
    pops: dict[Value, list[Op]] = {}
    for statement in ir.walk(block):
        first = statement.args[0] if isinstance(statement, Op) and statement.args else None
        if not isinstance(statement, Op) or first is None:
            continue
        if statement.fn is runtime.spread_over:
            spread[statement.result] = first
        elif isinstance(first, Value) and statement.fn is ir.thaw and first in spread:
            items[statement.result] = spread[first]
        elif isinstance(first, Value) and statement.fn is ir.pop and first in items:
            pops.setdefault(first, []).append(statement)
    return items, pops
