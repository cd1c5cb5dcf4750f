"""A loop goes through those tapes alone that it reads.

    loop i in zip(r, reversed(t), reversed(u)):         loop i in zip(r, reversed(t)):
        x = i[1]                                 ──▶        x = i[1]
        bx[i[0]] += x                                       bx[i[0]] += x

Of what stands side by side only tapes are left out: they have an item for each iteration.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import replace

from tangent_like import facts, infer, ir
from tangent_like.ir import Atom, Block, Const, Function, Loop, Op, Statement, Value


def narrow_loops(function: Function) -> Function:
    made = {s.result: s for s in ir.walk(function.body) if isinstance(s, Op) and s.fn is zip}
    return replace(function, body=_narrowed(function.body, made)) if made else function


def _narrowed(block: Block, made: Mapping[Value, Op]) -> Block:
    statements: list[Statement] = []
    for statement in block.statements:
        new = ir.with_blocks(statement, lambda inner: _narrowed(inner, made))
        statements += _narrowed_loop(new, made) if isinstance(new, Loop) else [new]
    return Block(tuple(statements), block.results)


def _narrowed_loop(loop: Loop, made: Mapping[Value, Op]) -> list[Statement]:
    zipped = made.get(loop.iterable) if isinstance(loop.iterable, Value) else None
    if zipped is None or loop.item is None:
        return [loop]
    heads = [s for s in ir.walk(loop.body) if loop.item in ir.read_by(s)]
    counts = ir.count_uses(loop.body)
    if counts.get(loop.item, 0) != len(heads) or not all(map(_takes_item, heads)):
        return [loop]
    used = [s for s in heads if isinstance(s, Op) and counts.get(s.result)]
    read = {s.args[1].value for s in used if isinstance(s.args[1], Const)}
    kept = [k for k, part in enumerate(zipped.args) if k in read or not _is_tape(part)]
    if len(kept) == len(zipped.args) or len(kept) < 2:
        return [loop]
    args = tuple(zipped.args[k] for k in kept)
    narrow = replace(zipped, result=Value("", infer.infer(zip, args, {})), args=args)
    item = Value(loop.item.name, infer.item_of_iterable(narrow.result))
    body = _renumbered(loop.body, loop.item, item, {old: new for new, old in enumerate(kept)})
    return [narrow, replace(loop, iterable=narrow.result, item=item, body=body)]


def _takes_item(statement: Statement) -> bool:
    return (
        isinstance(statement, Op)
        and statement.fn is operator.getitem
        and isinstance(statement.args[1], Const)
    )


def _is_tape(part: Atom) -> bool:
    return isinstance(part.fact, facts.Tape)


def _renumbered(block: Block, old: Value, new: Value, places: Mapping[int, int]) -> Block:
    """The block with `old[k]` as `new[places[k]]`; they stand in the block itself."""
    statements: list[Statement] = []
    for s in block.statements:
        if isinstance(s, Op) and s.args and s.args[0] is old and isinstance(s.args[1], Const):
            place = places.get(s.args[1].value)
            if place is None:
                continue
            s = replace(s, args=(new, Const(place)))
        statements.append(s)
    return Block(tuple(statements), block.results)
