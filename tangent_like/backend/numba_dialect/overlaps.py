"""What a change of an array reads of the same array, from other places, is copied first.

    part = y[1:]                 part = y[1:]
    item = y[:-1]                item = y[:-1]
    part += item        ──▶      item1 = item.copy()
                                 part += item1

NumPy sees that these overlap; Numba goes through them element by element.  It takes care itself
where a part is assigned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tangent_like import facts, runtime
from tangent_like.analysis.memory import has_memory
from tangent_like.backend.numba_dialect.places import CHANGES, Places, is_into, places_of
from tangent_like.backend.numba_dialect.rebuild import rebuilt
from tangent_like.ir import Atom, Function, Op, Statement, Value
from tangent_like.stores import Store


def copy_overlaps(function: Function) -> Function:
    places = places_of(function)

    def visit(statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Op) and combines(statement):
            copies: dict[Atom, Value] = {
                atom: Value("", atom.fact)
                for atom in statement.args[1:]
                if isinstance(atom, Value) and overlaps(atom, statement.args[0], places)
            }
            for atom, copied in copies.items():
                yield replace(statement, result=copied, fn=runtime.copy, args=(atom,), keywords=())
            statement = replace(statement, args=tuple(copies.get(a, a) for a in statement.args))
        yield statement

    return rebuilt(function, visit)


def combines(op: Op) -> bool:
    """Whether an operation changes its first operand by what is there."""
    if isinstance(op.fn, Store):
        return op.fn.into and op.fn.combine is not None
    return op.fn in CHANGES or (is_into(op) and isinstance(op.args[0].fact, facts.Array))


def overlaps(atom: Value, target: Atom, places: Places) -> bool:
    """Whether an operand may share elements with the target that lie at other places of it."""
    if not isinstance(atom.fact, facts.Array) or not isinstance(target, Value):
        return False
    if not has_memory(atom) or not has_memory(target):
        return False
    return not (places.apart(atom, target) or places.same(atom, target))
