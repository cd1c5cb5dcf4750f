"""Overwrite a variable after its last reading.

    loop x = x0, dx = dx0:             loop x = x0, dx = dx0:
        x' = x * x                         dx' = 2.0 * x * dx
        dx' = 2.0 * x * dx    ──▶          x' = x * x
        next x', dx'                       next x', dx'

The next value of a variable is moved below the readings of the present one that follow it, so that
both can be the same variable when the list is printed: without a second name and a copy.
"""

from __future__ import annotations

from dataclasses import replace

from tangent_like import effects, ir
from tangent_like.ir import Block, Function, If, Loop, Op, Statement, Value


def overwrite_late(function: Function) -> Function:
    return replace(function, body=_block(function.body))


def _block(block: Block) -> Block:
    statements = [_statement(s) for s in block.statements]
    later = _moves(statements, {a for a in block.results if isinstance(a, Value)})
    if not later:
        return Block(tuple(statements), block.results)
    moved = set(later.values())
    ordered: list[Statement] = []
    for k, statement in enumerate(statements):
        if k not in moved:
            ordered.append(statement)
        if k in later:
            ordered.append(statements[later[k]])
    return Block(tuple(ordered), block.results)


def _statement(statement: Statement) -> Statement:
    if isinstance(statement, If):
        return replace(statement, then=_block(statement.then), orelse=_block(statement.orelse))
    if isinstance(statement, Loop):
        body = _block(statement.body)
        return replace(statement, body=_exit_last(body) if statement.exits else body)
    return statement


def _exit_last(body: Block) -> Block:
    """The body of a loop with the branch that may leave it at the end, where it can say `break`:
    what follows it, and does not depend on it, is moved before it."""
    flag = body.results[0]
    ends = [k for k, s in enumerate(body.statements) if isinstance(s, If) and flag in s.results]
    if not ends:
        return body
    (at,) = ends
    leaving, after = body.statements[at], body.statements[at + 1 :]
    made = set(ir.defined_by(leaving))
    for s in after:
        if not isinstance(s, Op) or not effects.is_pure(s.fn) or not made.isdisjoint(_read_in(s)):
            return body
        if _hides(s, leaving):
            return body
    return Block((*body.statements[:at], *after, leaving), body.results)


def _hides(op: Op, later: Statement) -> bool:
    """Whether a result has the name of something that is still read."""
    return bool(op.result.name) and any(v.name == op.result.name for v in _read_in(later))


def _moves(statements: list[Statement], results: set[Value]) -> dict[int, int]:
    """After which statement to put which, by their positions."""
    movable = [
        (k, s) for k, s in enumerate(statements)
        if isinstance(s, Op) and s.result.name and s.result in results
    ]  # fmt: skip
    if not movable:
        return {}
    reads = [_read_in(s) for s in statements]
    first: dict[Value, int] = {}
    last: dict[str, dict[Value, int]] = {}
    lines = _lines(statements, reads)
    for k, values in enumerate(reads):
        for value in values:
            first.setdefault(value, k)
            if value.name:
                others = last.setdefault(value.name, {})
                others[value] = max(others.get(value, 0), lines[k])
    found: dict[int, int] = {}
    for k, statement in movable:
        others = last.get(statement.result.name, {})
        until = max((at for v, at in others.items() if v is not statement.result), default=0)
        free = first.get(statement.result, len(statements)) > until
        if until > k and free and effects.is_pure(statement.fn) and until not in found:
            found[until] = k
    return found


def _lines(statements: list[Statement], reads: list[dict[Value, None]]) -> list[int]:
    """With which statement each will be printed: a temporary that is read once, with its reader."""
    readers: dict[Value, list[int]] = {}
    for k, values in enumerate(reads):
        for value in values:
            readers.setdefault(value, []).append(k)
    lines = list(range(len(statements)))
    for k in reversed(lines[:]):
        statement = statements[k]
        if isinstance(statement, Op) and not statement.result.name:
            found = readers.get(statement.result, [])
            lines[k] = lines[found[0]] if len(found) == 1 else k
    return lines


def _read_in(statement: Statement) -> dict[Value, None]:
    """The values that a statement reads, also inside its blocks."""
    found = dict.fromkeys(a for a in ir.read_by(statement) if isinstance(a, Value))
    own: tuple[Value, ...] = ()
    if isinstance(statement, Loop):
        own = statement.params + ((statement.item,) if statement.item is not None else ())
    for block in ir.blocks_of(statement):
        found.update(ir.free_values(block, own))
    return found
