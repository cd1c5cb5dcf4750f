"""The array that stands for a tape is made once, before the loops that fill it again and again.

    for a in range(d):                        tape = np.empty(max(d, 0))
        tape = np.empty(max(a, 0))     ──▶    for a in range(d):
        for b in range(a):                        for b in range(a):
            tape[b] = t                               tape[b] = t

Every place is written before it is read, in each iteration, so a larger array does as well.  The
length it needs is bounded by the ends of the ranges around.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace

from tangent_like import ir
from tangent_like.backend.numba_dialect.known import Known, lengths_of
from tangent_like.backend.numba_dialect.rebuild import (
    appended,
    bounds,
    defined_in,
    definitions_of,
    is_constant,
    made_by,
    rebuilt,
)
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Const, Function, Loop, Op, Statement, Value


def hoist_rooms(function: Function) -> Function:
    definitions, lengths = definitions_of(function), lengths_of(function)

    def visit(statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Loop):
            yield from hoisted(statement, Known(definitions, lengths))
            return
        yield statement

    return rebuilt(function, visit)


def hoisted(loop: Loop, known: Known) -> Iterator[Statement]:
    """The loop without the arrays that can be made before it, after these."""
    inside = defined_in(loop)
    made_here = {s.result: s for s in loop.body.statements if isinstance(s, Op)}
    known = Known({**known.definitions, **made_here}, known.lengths)
    kept: list[Statement] = []
    for statement in loop.body.statements:
        if isinstance(statement, Op) and statement.fn is ir.reserve:
            builder = Builder(loop.place, derivative=True)
            length = limit(builder, statement.args[0], loop, inside, known)
            if length is not None:
                yield from appended(builder)
                yield replace(statement, args=(length, *statement.args[1:]))
                continue
        kept.append(statement)
    yield replace(loop, body=Block(tuple(kept), loop.body.results))


def limit(
    builder: Builder, atom: Atom, loop: Loop, inside: set[Value], known: Known
) -> Atom | None:
    """A number from outside the loop that the atom never exceeds."""
    if known.outside(atom, inside):
        return known.again(builder, atom, inside)
    if atom is loop.item:
        return last_of(loop, inside, known)
    made = known.definitions.get(atom) if isinstance(atom, Value) else None
    if made is None:
        return None
    if made.fn is operator.sub and isinstance(made.args[1], Const):
        first = limit(builder, made.args[0], loop, inside, known)
        return None if first is None else builder.op(operator.sub, (first, made.args[1]))
    if made.fn in (max, operator.add, ir.make_tuple):
        parts = [limit(builder, a, loop, inside, known) for a in made.args]
        found = [part for part in parts if part is not None]
        return builder.op(made.fn, found) if len(found) == len(parts) else None
    return None


def last_of(loop: Loop, inside: set[Value], known: Known) -> Atom | None:
    """The end of a range beyond which its items do not go."""
    made = made_by(loop.iterable, known.definitions, range)
    if made is None:
        return None
    start, stop, step = bounds(made)
    last = stop if is_constant(step, 1) else start if is_constant(step, -1) else None
    return last if last is not None and not (isinstance(last, Value) and last in inside) else None
