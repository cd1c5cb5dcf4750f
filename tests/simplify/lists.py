"""Small Wengert lists for tests of passes: built from a few lines, run by plain interpretation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tangent_like import ir
from tangent_like.build import Builder
from tangent_like.facts import FLOAT, Array, Fact, Size
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Value
from tangent_like.show import show
from tangent_like.verify import verify

VECTOR = Array("float64", (Size(-1, 0, True),))
SINGLE = Array("float32", (Size(-1, 0, True),))

__all__ = ["FLOAT", "SINGLE", "VECTOR", "function", "lines", "operations", "run"]


def function(
    build: Callable[..., Sequence[Atom] | Atom], *kinds: Fact, derivative: bool = True
) -> Function:
    """The list that `build(builder, *params)` appends; its operations are derivative code."""
    builder = Builder(derivative=derivative)
    params = tuple(Value(name, kind) for name, kind in zip("xyzuvw", kinds, strict=False))
    results = build(builder, *params)
    if isinstance(results, (Value, Const)):
        results = (results,)
    return verify(Function("f", params, builder.finish(results)))


def lines(function: Function) -> list[str]:
    """The list as text, without numbers, facts and places."""
    text = show(verify(function), show_facts=False, show_lines=False).splitlines()[1:]
    return [line.lstrip("0123456789 ") for line in text]


def operations(function: Function) -> list[Any]:
    """The callables of all operations, outer ones first."""
    return [s.fn for s in ir.walk(function.body) if isinstance(s, Op)]


def run(function: Function, *args: Any) -> tuple[Any, ...]:
    """What a list computes: each operation is called as it stands."""
    values: dict[Value, Any] = dict(zip(function.params, args, strict=True))
    return _block(function.body, values)


def _read(atom: Atom, values: dict[Value, Any]) -> Any:
    return values[atom] if isinstance(atom, Value) else atom.value


def _block(block: Block, values: dict[Value, Any]) -> tuple[Any, ...]:
    for statement in block.statements:
        if isinstance(statement, Op):
            args = [_read(a, values) for a in statement.args]
            named = {key: _read(a, values) for key, a in statement.keywords}
            with np.errstate(all="ignore"):
                values[statement.result] = statement.fn(*args, **named)
        elif isinstance(statement, If):
            taken = statement.then if _read(statement.test, values) else statement.orelse
            values.update(zip(statement.results, _block(taken, values), strict=True))
        else:
            _loop(statement, values)
    return tuple(_read(a, values) for a in block.results)


def _loop(loop: Loop, values: dict[Value, Any]) -> None:
    carried = tuple(_read(a, values) for a in loop.inits)
    items = iter(lambda: None, 0) if loop.iterable is None else iter(_read(loop.iterable, values))
    for item in items:
        values.update(zip(loop.params, carried, strict=True))
        if loop.item is not None:
            values[loop.item] = item
        found = _block(loop.body, values)
        carried = found[1:] if loop.exits else found
        if loop.exits and not found[0]:
            break
    values.update(zip(loop.results, carried, strict=True))
