"""Values that a block hands on but never looks at.

    pair1 = if c: pair0 else: (u, v)       pair0 flows into pair1, and nothing reads either
"""

from __future__ import annotations

from collections.abc import Iterable

from tangent_like import ir
from tangent_like.ir import Block, If, Op, Statement, Value
from tangent_like.records import is_display


def only_handed_on(block: Block, values: Iterable[Value]) -> set[Value] | None:
    """The values with all that they flow into through branches, loops and displays; None if an
    operation or a test reads one of them."""
    found = set(values)
    size = -1
    while size != len(found):  # loops hand on to what comes before
        size = len(found)
        for statement in ir.walk(block):
            if _reads(statement, found):
                return None
            found.update(_reached(statement, found))
    return found


def _reads(statement: Statement, found: set[Value]) -> bool:
    if isinstance(statement, Op):
        return not is_display(statement.fn) and not found.isdisjoint(statement.atoms)
    if isinstance(statement, If):
        return statement.test in found
    exits = statement.exits and statement.body.results[0] in found
    return exits or statement.iterable in found


def _reached(statement: Statement, found: set[Value]) -> Iterable[Value]:
    if isinstance(statement, Op):
        return () if found.isdisjoint(statement.atoms) else (statement.result,)
    if isinstance(statement, If):
        rows = zip(statement.results, statement.then.results, statement.orelse.results)
        return [result for result, *sides in rows if not found.isdisjoint(sides)]
    loop = zip(statement.params, statement.results, statement.inits, statement.nexts)
    return [
        value for param, result, *sources in loop if not found.isdisjoint(sources)
        for value in (param, result)
    ]  # fmt: skip
