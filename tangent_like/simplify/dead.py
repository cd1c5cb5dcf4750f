"""Leave out what nothing uses.

    a = x * y                        a = x * y
    b = sin(x)              ──▶      return a
    return a

Carried values of a loop and results of a branch that nobody reads go as well; statements with an
effect (a print, a push onto a tape) stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from tangent_like.effects import has_effect
from tangent_like.ir import (
    REGIONS,
    Atom,
    Block,
    Function,
    If,
    Loop,
    Op,
    Statement,
    read_by,
)

T = TypeVar("T")


def remove_dead(function: Function) -> Function:
    body = prune(function.body)
    return Function(function.name, function.params, body, function.place, function.doc)


def prune(block: Block) -> Block:
    """The block without what its results do not need."""
    return _block(block, tuple(block.results), set())


def _block(block: Block, results: tuple[Atom, ...], live: set[Atom]) -> Block:
    """The statements that `results` need; `live` gains what they read."""
    live.update(results)
    kept: list[Statement] = []
    for statement in reversed(block.statements):
        if not isinstance(statement, Op):
            pruned = _if(statement, live) if isinstance(statement, If) else _loop(statement, live)
            if pruned is not None:
                kept.append(pruned)
        elif statement.result in live:
            live.update(statement.atoms)
            kept.append(statement)
        elif kept and _is_empty_region(statement, kept[-1]):
            kept.pop()
        elif has_effect(statement.fn):
            live.update(statement.atoms)
            kept.append(statement)
    return Block(tuple(reversed(kept)), results)


def _is_empty_region(opening: Op, closing: Statement) -> bool:
    """Whether nothing is left between the beginning and the end of a `with` or `try`."""
    return isinstance(closing, Op) and any(
        opening.fn is begin and closing.fn is end for begin, end in REGIONS.items()
    )


def _if(statement: If, live: set[Atom]) -> If | None:
    wanted = [i for i, result in enumerate(statement.results) if result in live]
    inner: set[Atom] = set()
    then, orelse = (
        _block(block, tuple(block.results[i] for i in wanted), inner)
        for block in (statement.then, statement.orelse)
    )
    if not wanted and not then.statements and not orelse.statements:
        return None
    live |= inner
    live.add(statement.test)
    results = tuple(statement.results[i] for i in wanted)
    return replace(statement, results=results, then=then, orelse=orelse)


def _loop(loop: Loop, live: set[Atom]) -> Loop | None:
    wanted = kept = [result in live for result in loop.results]
    while True:
        inner: set[Atom] = set()
        first = loop.body.results[:1] if loop.exits else ()
        nexts = tuple(atom for atom, keep in zip(loop.nexts, kept, strict=True) if keep)
        body = _block(loop.body, first + nexts, inner)
        needed = [keep or param in inner for param, keep in zip(loop.params, kept, strict=True)]
        if needed == kept:
            break
        kept = needed
    if not any(wanted) and not any(map(_acts, body.statements)):
        return None  # what it carries serves itself alone
    live |= inner
    pruned = replace(
        loop,
        results=_where(kept, loop.results),
        inits=_where(kept, loop.inits),
        params=_where(kept, loop.params),
        body=body,
    )
    live.update(read_by(pruned))
    return pruned


def _acts(statement: Statement) -> bool:
    """Whether a pruned statement has an effect of its own."""
    if isinstance(statement, Op):
        return has_effect(statement.fn)
    blocks = (statement.then, statement.orelse) if isinstance(statement, If) else (statement.body,)
    return any(_acts(inner) for block in blocks for inner in block.statements)


def _where(kept: list[bool], items: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(item for item, keep in zip(items, kept, strict=True) if keep)
