"""Calls of SciPy's solvers of equations; read only if the user has imported `scipy.optimize`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import optimize

from tangent_like import facts, infer
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.scope import Outcome
from tangent_like.frontend.state import Lowering
from tangent_like.implicit.calls import (
    as_floats,
    bound,
    closed_difference,
    closed_equation,
    lowered_as,
)
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.rules import registry
from tangent_like.solvers import implicit_root

_DERIVATIVES = ("jac", "fprime", "fprime2", "x1", "callback", "full_output")
"""Arguments that are functions, or change what is returned."""


def _refuse(state: Lowering, node: Any, solver: Any, given: Mapping[str, Atom]) -> None:
    for name in _DERIVATIVES:
        atom = given.get(name)
        if atom is not None and not (isinstance(atom, Const) and not atom.value):
            raise NotYetSupported(
                f"`{solver.__name__}` with `{name}`", state.place(node), f"leave `{name}` out"
            )


def vector(state: Lowering, x0: Atom) -> Atom:
    """A start as SciPy's solvers of systems take it: an array of one axis."""
    x0 = as_floats(state, x0)
    return x0 if facts.rank(x0.fact) == 1 else state.builder.op(np.ravel, (x0,))


def _root(state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]) -> Atom:
    """`root(...)`, whose result has the solution as its attribute x."""
    given = bound(state, node, optimize.root, args, keywords)
    _refuse(state, node, optimize.root, given)
    function, x0 = given.pop("fun"), vector(state, given.pop("x0"))
    procedure, packed = closed_equation(
        state, node, function, x0.fact, given.pop("args", Const(()))
    )
    place = state.place(node)
    given["args"] = packed
    found = state.builder.op(optimize.root, (Const(procedure), x0), given, place=place)
    x = Value("", x0.fact)
    state.builder.append(Op(x, getattr, (found, Const("x")), (), place))
    solution = state.builder.op(implicit_root, (Const(procedure), x, packed), place=place)
    return Const(Outcome(found, {"x": solution}))


def _root_scalar(
    state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    given = bound(state, node, optimize.root_scalar, args, keywords)
    _refuse(state, node, optimize.root_scalar, {k: v for k, v in given.items() if k != "x1"})
    function, rest = given.pop("f"), given.pop("args", Const(()))
    procedure, packed = closed_equation(state, node, function, facts.FLOAT, rest)
    place = state.place(node)
    given["args"] = packed
    found = state.builder.op(optimize.root_scalar, (Const(procedure),), given, place=place)
    x = Value("", facts.FLOAT)
    state.builder.append(Op(x, getattr, (found, Const("root")), (), place))
    solution = state.builder.op(implicit_root, (Const(procedure), x, packed), place=place)
    return Const(Outcome(found, {"root": solution}))


def _from_start(
    solver: Any, start: Callable[[Lowering, Atom], Atom], close: Any = closed_equation
) -> Callable[..., Atom]:
    """Solvers `solver(f, x0, args=(), ...)` that return the solution."""

    def lower(
        state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
    ) -> Atom:
        given = bound(state, node, solver, args, keywords)
        _refuse(state, node, solver, given)
        function, x0 = given.pop("func"), start(state, given.pop("x0"))
        rest = given.pop("args", Const(()))
        return lowered_as(state, node, solver, function, x0, rest, given, close)

    return lower


def _between(solver: Any) -> Callable[..., Atom]:
    """Solvers `solver(f, a, b, args=(), ...)` that look between two numbers."""

    def lower(
        state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
    ) -> Atom:
        given = bound(state, node, solver, args, keywords)
        _refuse(state, node, solver, given)
        function, rest = given.pop("f"), given.pop("args", Const(()))
        procedure, packed = closed_equation(state, node, function, facts.FLOAT, rest)
        operands = (Const(procedure), given.pop("a"), given.pop("b"))
        given["args"] = packed
        place = state.place(node)
        x = state.builder.op(solver, operands, given, place=place)
        return state.builder.op(implicit_root, (Const(procedure), x, packed), place=place)

    return lower


registry.calls[optimize.root] = _root
registry.calls[optimize.root_scalar] = _root_scalar
registry.calls[optimize.fsolve] = _from_start(optimize.fsolve, vector)
registry.calls[optimize.newton] = _from_start(optimize.newton, as_floats)
registry.calls[optimize.fixed_point] = _from_start(
    optimize.fixed_point, as_floats, closed_difference
)
for _solver in (optimize.root, optimize.root_scalar):
    infer.special[_solver] = lambda *operands, **options: facts.Opaque("result")
for _solver in (optimize.fsolve, optimize.fixed_point, optimize.newton):
    infer.special[_solver] = lambda f, x0, *operands, **options: x0.fact
for _solver in (
    optimize.brentq, optimize.brenth, optimize.bisect, optimize.ridder, optimize.toms748,
):  # fmt: skip
    registry.calls[_solver] = _between(_solver)
    infer.special[_solver] = lambda *operands, **options: facts.FLOAT
registry.constant(
    *(solver for solver in registry.calls if solver.__module__.startswith("scipy.optimize"))
)
