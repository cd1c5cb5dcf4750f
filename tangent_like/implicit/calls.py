"""Lowering calls of `root` and `fixed_point`."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.errors import ArgumentError
from tangent_like.facts import Fact
from tangent_like.frontend.state import Lowering
from tangent_like.implicit.closures import closed, fitted, items_of, name_of
from tangent_like.ir import Atom, Const, Procedure, Value
from tangent_like.rules import registry
from tangent_like.solvers import fixed_point, implicit_root, root


def bound(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> dict[str, Atom]:
    """The arguments of a call by the names of the parameters; defaults are left out."""
    try:
        return dict(inspect.signature(function).bind(*args, **keywords).arguments)
    except TypeError as error:
        raise ArgumentError(f"{function.__name__}: {error}", state.place(node)) from None


def closed_equation(
    state: Lowering, node: Any, function: Atom, x: Fact, args: Atom
) -> tuple[Procedure, Atom]:
    """`f(x, *args)`, whose root is sought, as a procedure, and what it takes beside x."""

    def build(calling: Any, params: Sequence[Value], passed: Sequence[Atom]) -> Atom:
        return fitted(state, node, calling(*params, *passed), params[0])

    items = items_of(state, node, args)
    return closed(state, node, name_of(function, "residual"), function, [("x", x)], items, build)


def closed_difference(
    state: Lowering, node: Any, function: Atom, x: Fact, args: Atom
) -> tuple[Procedure, Atom]:
    """`f(x, *args) - x`, whose root is the fixed point of f, as a procedure."""

    def build(calling: Any, params: Sequence[Value], passed: Sequence[Atom]) -> Atom:
        found = fitted(state, node, calling(*params, *passed), params[0])
        return state.builder.op(operator.sub, (found, params[0]))

    name = f"{name_of(function, 'step')}_residual"
    items = items_of(state, node, args)
    return closed(state, node, name, function, [("x", x)], items, build)


def as_floats(state: Lowering, x0: Atom) -> Atom:
    """A start as a float, or an array of floats."""
    fact = x0.fact
    if isinstance(fact, facts.Scalar):
        if isinstance(x0, Const):
            return Const(float(x0.value)) if not facts.is_complex(fact) else x0
        return x0 if fact.type in ("float", "complex") else state.builder.op(float, (x0,))
    if isinstance(fact, facts.Array) and fact.dtype and fact.dtype.startswith(("f", "c")):
        return x0
    return state.builder.op(np.asarray, (x0, Const(float)))


def lowered_as(
    state: Lowering,
    node: Any,
    solver: Any,
    function: Atom,
    x0: Atom,
    args: Atom,
    options: dict[str, Atom],
    close: Callable[..., tuple[Procedure, Atom]],
) -> Atom:
    """`solver(f, x0, args, **options)`, and the solution it returns as a root of what `close`
    makes of f."""
    place = state.place(node)
    procedure, packed = closed_equation(state, node, function, x0.fact, args)
    options = {"args": packed, **options}
    x = state.builder.op(solver, (Const(procedure), x0), options, place=place)
    if close is not closed_equation:
        procedure, packed = close(state, node, function, x0.fact, args)
    return state.builder.op(implicit_root, (Const(procedure), x, packed), place=place)


def _lowering(solver: Any, close: Callable[..., tuple[Procedure, Atom]]) -> Callable[..., Atom]:
    def lower(
        state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
    ) -> Atom:
        given = bound(state, node, solver, args, keywords)
        function, x0 = given.pop("f"), as_floats(state, given.pop("x0"))
        rest = given.pop("args", Const(()))
        return lowered_as(state, node, solver, function, x0, rest, given, close)

    return lower


registry.calls[root] = _lowering(root, closed_equation)
registry.calls[fixed_point] = _lowering(fixed_point, closed_difference)
