"""Calls of SciPy's solvers of differential equations; read only if the user has imported
`scipy.integrate`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import integrate

from tangent_like import facts, infer
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.scope import Outcome
from tangent_like.frontend.state import Lowering
from tangent_like.implicit.calls import as_floats, bound
from tangent_like.implicit.closures import closed, fitted, items_of, name_of
from tangent_like.ir import Atom, Const, Op, Procedure, Value
from tangent_like.rules import registry
from tangent_like.solvers import solved_ivp, trajectory

_OF_ODEINT = {"rtol", "atol", "hmax", "hmin", "mxstep", "mxordn", "mxords"}
_OF_IVP = {"rtol", "atol", "max_step", "method"}


def _vector(state: Lowering, node: Any, atom: Atom) -> Atom:
    """A state, or times: an array of one axis, which may be written as a list."""
    if isinstance(atom.fact, (facts.Tuple, facts.List, facts.ListOf)):
        atom = state.builder.op(np.array, (atom,))
    atom = as_floats(state, atom)
    if facts.is_complex(atom.fact):
        raise NotYetSupported("differential equations of complex numbers", state.place(node),
                              "integrate the real and the imaginary part")  # fmt: skip
    return atom if facts.rank(atom.fact) == 1 else state.builder.op(np.ravel, (atom,))


def _closed_rates(
    state: Lowering, node: Any, function: Atom, y0: Atom, args: Atom, time_first: bool
) -> tuple[Procedure, Atom]:
    """The rates of change as a procedure of (y, t, *args), and what it takes beside y and t."""

    def build(calling: Any, params: Sequence[Value], passed: Sequence[Atom]) -> Atom:
        y, t = params
        leading = (t, y) if time_first else (y, t)
        return fitted(state, node, calling(*leading, *passed), y)

    leading = [("y", y0.fact), ("t", facts.FLOAT)]
    items = items_of(state, node, args)
    return closed(state, node, name_of(function, "rates"), function, leading, items, build)


def _options(
    state: Lowering, node: Any, solver: Any, given: dict[str, Atom], known: Collection[str]
) -> dict[str, Atom]:
    """The keywords that set the accuracy; refuses others that are not at their default."""
    for name, atom in given.items():
        off = isinstance(atom, Const) and not atom.value
        scalar = isinstance(atom.fact, facts.Scalar) or name == "method"
        if name not in known and not off:
            raise NotYetSupported(
                f"`{solver.__name__}` with `{name}`", state.place(node), f"leave `{name}` out"
            )
        if name in known and not scalar:
            raise NotYetSupported(f"`{name}` as an array", state.place(node), "one number")
    return {name: atom for name, atom in given.items() if name in known}


def _odeint(state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]) -> Atom:
    given = bound(state, node, integrate.odeint, args, keywords)
    function, rest = given.pop("func"), given.pop("args", Const(()))
    y0, t = (_vector(state, node, given.pop(name)) for name in ("y0", "t"))
    time_first = given.pop("tfirst", Const(False))
    ordered = isinstance(time_first, Const) and bool(time_first.value)
    options = _options(state, node, integrate.odeint, given, _OF_ODEINT)
    procedure, packed = _closed_rates(state, node, function, y0, rest, ordered)
    operands = (Const(procedure), y0, t, packed)
    place = state.place(node)
    y = state.builder.op(integrate.odeint, operands, options, place=place)
    return state.builder.op(trajectory, (*operands, y), options, place=place)


def _solve_ivp(
    state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """`solve_ivp(...)`, whose result has the states as its attribute y, a column for each time."""
    given = bound(state, node, integrate.solve_ivp, args, keywords)
    given.update(_spread(given.pop("options", None)))
    function, span = given.pop("fun"), given.pop("t_span")
    rest = given.pop("args", Const(()))
    rest = Const(()) if isinstance(rest, Const) and rest.value is None else rest
    y0 = _vector(state, node, given.pop("y0"))
    t_eval = given.pop("t_eval", Const(None))
    options = _options(state, node, integrate.solve_ivp, given, _OF_IVP)
    options.setdefault("method", Const("RK45"))
    procedure, packed = _closed_rates(state, node, function, y0, rest, True)
    place = state.place(node)
    found = state.builder.op(
        solved_ivp, (Const(procedure), y0, span, packed), {**options, "t_eval": t_eval}, place=place
    )
    times = _read(state, found, "t", facts.Array("float64", (facts.fresh_size(),)))
    length = facts.dims(times.fact)[0]  # type: ignore[index]
    states = facts.Array("float64", (facts.dims(y0.fact)[0], length))  # type: ignore[index]
    columns = _read(state, found, "y", states)
    operands = (Const(procedure), y0, times, packed, state.builder.op(np.transpose, (columns,)))
    y = state.builder.op(trajectory, (*operands, span, t_eval), options, place=place)
    return Const(Outcome(found, {"t": times, "y": state.builder.op(np.transpose, (y,))}))


def _spread(options: Any) -> dict[str, Atom]:
    """What `**options` of a signature has taken up."""
    return dict(options) if isinstance(options, dict) else {}


def _read(state: Lowering, owner: Atom, name: str, fact: facts.Fact) -> Value:
    value = Value("", fact)
    place = state.builder.place
    state.builder.append(Op(value, getattr, (owner, Const(name)), (), place))
    return value


registry.calls[integrate.odeint] = _odeint
registry.calls[integrate.solve_ivp] = _solve_ivp
registry.constant(integrate.odeint, solved_ivp)
infer.special[integrate.odeint] = infer.special[trajectory]
infer.special[solved_ivp] = lambda *operands, **options: facts.Opaque("result")
