"""A vector of zeros that each iteration makes anew is one array, filled with zeros each time.

    for i in range(n):                   room = np.empty(k)
        terms = np.zeros(k)              for i in range(n):
        ...                     ──▶          for j in range(len(room)):
                                                 room[j] = 0.0
                                             terms = room

Nothing that may share its memory may outlive the iteration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.analysis.memory import has_memory
from tangent_like.backend.numba_dialect.known import Known, lengths_of
from tangent_like.backend.numba_dialect.lanes import set_element
from tangent_like.backend.numba_dialect.places import Places, places_of
from tangent_like.backend.numba_dialect.rebuild import (
    appended,
    defined_in,
    is_in_tables,
    rebuilt,
)
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Const, Function, Loop, Op, Statement, Value

_ZEROS = (np.zeros, runtime.zeros_like)


def keep_zeros(function: Function) -> Function:
    places = places_of(function)
    search = _Search(places, Known(places.definitions, lengths_of(function)), members_of(function))
    kept = rebuilt(function, search.visit)
    return replace(kept, body=ir.substitute(kept.body, search.rooms))


def members_of(function: Function) -> set[Value]:
    """All values that have memory."""
    found = set(filter(has_memory, function.params))
    for statement in ir.walk(function.body):
        found.update(filter(has_memory, ir.defined_by(statement)))
        if isinstance(statement, Loop):
            found.update(filter(has_memory, ir.items_and_params(statement)))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    places: Places
    known: Known
    members: set[Value]
    rooms: dict[Value, Atom] = field(default_factory=dict)

    def visit(self, statement: Statement) -> Iterator[Statement]:
        if not isinstance(statement, Loop):
            yield statement
            return
        inside = defined_in(statement)
        before = Builder(statement.place, derivative=True)
        kept: list[Statement] = []
        for inner in statement.body.statements:
            if isinstance(inner, Op) and self.can_stay(inner, statement, inside):
                kept += self.filled(before, inner, inside)
            else:
                kept.append(inner)
        yield from appended(before)
        yield replace(statement, body=Block(tuple(kept), statement.body.results))

    def can_stay(self, op: Op, loop: Loop, inside: set[Value]) -> bool:
        """Whether an operation makes zeros that do not outlive an iteration of the loop."""
        if not is_in_tables(op) or op.fn not in _ZEROS or len(op.args) != 1 or op.keywords:
            return False
        fact = op.result.fact
        if not isinstance(fact, facts.Array) or fact.dtype != "float64" or facts.rank(fact) != 1:
            return False
        if self.size_of(op) is None and not (
            op.fn is np.zeros and self.known.outside(op.args[0], inside)
        ):
            return False
        local = inside - set(ir.items_and_params(loop))
        family = self.places.family(op.result)
        return all(m in local for m in self.members if self.places.family(m) is family)

    def size_of(self, op: Op) -> facts.Size | None:
        """The length of what an operation makes, where it is that of a parameter."""
        (size,) = facts.dims(op.result.fact) or ()
        known = isinstance(size, facts.Size) and size.base in self.known.lengths
        return size if known and isinstance(size, facts.Size) else None

    def filled(self, before: Builder, op: Op, inside: set[Value]) -> list[Statement]:
        """The array before the loop, and the statements that fill it where it was made."""
        size = self.size_of(op)
        length = (
            self.known.measured(before, size) if size is not None
            else self.known.again(before, op.args[0], inside)
        )  # fmt: skip
        room = Value(f"{op.result.name}_room" if op.result.name else "room", op.result.fact)
        self.rooms[op.result] = room
        before.append(replace(op, result=room, fn=np.empty, args=(length,)))
        filling = Builder(op.place, derivative=op.derivative)
        item = Value("", facts.INT)
        body = Builder(op.place, derivative=op.derivative)
        nothing = Value("", facts.Opaque("NoneType"))
        args: tuple[Atom, ...] = (room, item, Const(0.0))
        body.append(Op(nothing, set_element, args, (), op.place, op.derivative))
        iterable = filling.op(range, (filling.op(len, (room,)),))
        loop = Loop((), iterable, item, (), (), body.finish(()), False, op.place)
        return [*appended(filling), loop]
