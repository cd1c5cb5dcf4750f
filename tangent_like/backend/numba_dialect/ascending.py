"""A mirrored loop whose iterations only add to arrays goes forwards, as memory is read best.

    for a in range(d - 1, -1, -1):        for a in range(d):
        bw[a] += bz * x[a]           ──▶      bw[a] += bz * x[a]

The additions come in another order then, and are rounded otherwise.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tangent_like import facts, ir
from tangent_like.analysis.memory import allocates
from tangent_like.backend.numba_dialect.contributions import is_addition
from tangent_like.backend.numba_dialect.lanes import ACCUMULATING
from tangent_like.backend.numba_dialect.places import (
    Places,
    access_of,
    is_into,
    operations_in,
    places_of,
)
from tangent_like.backend.numba_dialect.rebuild import (
    appended,
    bounds,
    is_constant,
    made_by,
    rebuilt,
)
from tangent_like.build import Builder
from tangent_like.ir import Atom, Const, Function, If, Loop, Op, Statement, Value


def go_forwards(function: Function) -> Function:
    places = places_of(function)
    makers = {v: s for s in ir.walk(function.body) for v in ir.defined_by(s)}
    mirrors = _Mirrors(places, makers)

    def visit(statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Loop) and mirrors.has(statement):
            yield from forwards(statement, places)
        else:
            yield statement

    return rebuilt(function, visit)


def forwards(loop: Loop, places: Places) -> Iterator[Statement]:
    """The loop over the same numbers from the lowest, after their range."""
    made = made_by(loop.iterable, places.definitions, range)
    assert made is not None
    start = made.args[0]
    builder = Builder(loop.place, derivative=True)
    less = made_by(start, places.definitions, operator.sub)
    if isinstance(start, Const):
        count: Atom = Const(start.value + 1)
    elif less is not None and is_constant(less.args[1], 1):
        count = less.args[0]
    else:
        count = builder.op(operator.add, (start, Const(1)))
    iterable = builder.op(range, (count,))
    yield from appended(builder)
    yield replace(loop, iterable=iterable)


@dataclass(frozen=True, slots=True, eq=False)
class _Mirrors:
    places: Places
    makers: dict[Value, Statement]

    def has(self, loop: Loop) -> bool:
        """Whether a loop goes down to 0, and its iterations may be done in any order."""
        made = made_by(loop.iterable, self.places.definitions, range)
        if made is None or loop.exits:
            return False
        _, stop, step = bounds(made)
        if not (is_constant(stop, -1) and is_constant(step, -1)):
            return False
        rows = zip(loop.params, loop.nexts, strict=True)
        return all(self.is_changed(p, n) for p, n in rows) and self.only_adds(loop)

    def only_adds(self, loop: Loop) -> bool:
        """Whether a loop changes what was there before it by additions alone, and reads nothing
        of that."""
        inside = {
            op.result for op in operations_in(loop.body.statements) if allocates(op)
        }  # fmt: skip
        reads: list[Value] = []
        added: list[Value] = []
        for op in operations_in(loop.body.statements):
            access = access_of(op)
            outside = [w for w in access.writes if self.places.part(w)[0] not in inside]
            if access.acts or (outside and not (op.fn in ACCUMULATING or is_addition(op))):
                return False
            reads += [r for r in access.reads if r not in access.writes]
            added += outside
        return all(self.places.apart(r, w) for r in reads for w in added)

    def is_changed(self, param: Value, value: Atom) -> bool:
        """Whether a value is the array that a loop carries, changed in place."""
        if value is param:
            return isinstance(param.fact, facts.Array)
        made = self.makers.get(value) if isinstance(value, Value) else None
        if isinstance(made, Op):
            return is_into(made) and self.is_changed(param, made.args[0])
        if isinstance(made, If):
            k = made.results.index(value)
            return all(self.is_changed(param, b.results[k]) for b in ir.blocks_of(made))
        if isinstance(made, Loop) and not made.exits:
            k = made.results.index(value)
            return self.is_changed(made.params[k], made.nexts[k]) and self.is_changed(
                param, made.inits[k]
            )
        return False
