"""A part of an array is changed through a view, which Numba need not copy back.

    bx[1:] += g        ──▶        part = bx[1:]
                                  part += g

Numba takes `bx[1:] += g` for a sum that is then written to the same place: two and a half times
the work, and much more to compile.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tangent_like import effects, facts, infer, ir, runtime
from tangent_like.backend import changes
from tangent_like.backend.numba_dialect.rebuild import followed, rebuilt
from tangent_like.ir import Atom, Function, Op, Statement, Value
from tangent_like.stores import Store, is_basic


def add_to(part: Any, g: Any) -> None:
    """`part += g`."""


def subtract_from(part: Any, g: Any) -> None:
    """`part -= g`."""


def multiply(part: Any, g: Any) -> None:
    """`part *= g`."""


_CHANGES: dict[Any, Callable[..., Any]] = {
    operator.add: add_to, operator.sub: subtract_from, operator.mul: multiply,
}  # fmt: skip
effects.EFFECTS.update(_CHANGES.values())
for _sign, _change in _CHANGES.items():
    changes.spell_change(_change, _sign)


def change_views(function: Function) -> Function:
    table: dict[Value, Atom] = {}

    def visit(statement: Statement) -> Iterator[Statement]:
        found = changed_part(statement) if isinstance(statement, Op) else None
        if found is None:
            yield statement
        else:
            array, index, g, change = found
            assert isinstance(statement, Op)
            table[statement.result] = array
            array.name = array.name or statement.result.name
            part = Value("part", infer.infer(operator.getitem, (array, index), {}))
            yield replace(statement, result=part, fn=operator.getitem, args=(array, index))
            nothing = Value("", facts.Opaque("NoneType"))
            yield replace(statement, result=nothing, fn=change, args=(part, g))

    changed = rebuilt(function, visit)
    return replace(changed, body=ir.substitute(changed.body, followed(table)))


def changed_part(op: Op) -> tuple[Value, Atom, Atom, Callable[..., Any]] | None:
    """Array, index, operand and change of an update of a whole part; None for all else."""
    if op.fn is runtime.scatter_add_into:
        array, index, g = op.args
        change = add_to
    elif isinstance(op.fn, Store) and op.fn.into and op.fn.path == (operator.getitem,):
        array, g, index = op.args
        change = _CHANGES.get(op.fn.combine)  # type: ignore[assignment]
    else:
        return None
    if change is None or not isinstance(array, Value) or not is_basic(index):
        return None
    part = infer.infer(operator.getitem, (array, index), {})
    is_view = isinstance(array.fact, facts.Array) and isinstance(part, facts.Array) and part.dims
    return (array, index, g, change) if is_view else None
