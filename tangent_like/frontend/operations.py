"""Calls of functions of libraries: each stays a single operation."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend import outs, splitting
from tangent_like.frontend.arithmetic import refuse_functions
from tangent_like.frontend.protocols import METHODS, call_special, class_of, is_protocol_object
from tangent_like.frontend.scope import Derived, LocalFunction
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const

_LIBRARIES = (
    "numpy", "math", "operator", "builtins", "scipy", "functools", "itertools", "cmath", "time",
    "logging", "warnings", "_warnings", "contextlib",
)  # fmt: skip
PLAIN_BUILTINS = (
    abs, bool, complex, divmod, float, int, isinstance, len, max, min, pow, range, reversed, round,
    slice, sum, type, print, str, repr,
)  # fmt: skip


def of_library(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    if isinstance(function, np.ufunc):
        return True
    return module.split(".")[0] in _LIBRARIES


def operation(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    named = dict(keywords)
    if function is reversed and len(args) == 1:
        return _backwards(state, node, args[0])
    plain = partial(operation, state, node, function)
    written = outs.call(state, node, function, args, named, plain)
    if written is not None:
        return written
    if args and function in METHODS and is_protocol_object(args[0]):
        return call_special(state, node, METHODS[function], args[0], args[1:], named)
    for atom in (*args, *named.values()):
        if is_protocol_object(atom) and of_library(function) and not _takes_any(function):
            raise NotYetSupported(
                f"`{function.__name__}` of a `{class_of(atom).__name__}`", state.place(node),
                "pass what it holds",
            )
        if isinstance(atom, Const) and isinstance(atom.value, (LocalFunction, Derived)):
            raise NotYetSupported(
                "passing a function to this function", state.place(node), "write the loop out"
            )
    if isinstance(function, np.ufunc) and len(args) < function.nin:
        raise NeverSupported(
            f"`{function.__name__}` of {len(args)} operands: it takes {function.nin}",
            state.place(node),
        )
    if isinstance(function, np.ufunc) or getattr(function, "__module__", "") == "math":
        refuse_functions(state, node, args)
    _refuse_fields(state, node, function, args, named)
    parts = splitting.call(state, node, function, args, named)
    if parts is not None:
        return parts
    args, named = _positional(function, list(args), named)
    result = state.builder.op(function, args, named, place=state.place(node))
    return Const(None) if result.fact == facts.NONE else result


_MADE_OF_DTYPE: dict[Any, int] = {
    np.zeros: 1, np.ones: 1, np.empty: 1, np.array: 1, np.asarray: 1, np.full: 2,
}  # fmt: skip
"""At which position the type of the elements is."""


def _refuse_fields(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], named: Mapping[str, Atom]
) -> None:
    """Refuse arrays whose elements have fields: `dtype=[("x", float), ("n", int)]`."""
    at = _MADE_OF_DTYPE.get(function, len(args)) if isinstance(function, Hashable) else len(args)
    for dtype in (*args[at : at + 1], *([named["dtype"]] if "dtype" in named else [])):
        if isinstance(dtype.fact, (*facts.STRUCTURES, facts.ListOf)):
            raise NotYetSupported(
                "an array whose elements have fields", state.place(node),
                "use an array for each field",
            )  # fmt: skip


def _takes_any(function: Any) -> bool:
    """Whether a library's function does not ask what an object consists of."""
    return function in (print, str, repr, isinstance, type) or effects.is_inert(function)


def _backwards(state: Lowering, node: Any, sequence: Atom) -> Atom:
    """`reversed(x)`: a range backwards, or the sequence read from its end."""
    fact = sequence.fact
    if fact == facts.Opaque("range"):
        return state.builder.op(reversed, (sequence,), place=state.place(node))
    if isinstance(fact, facts.Array):
        back = Const(slice(None, None, -1))
        return state.builder.op(operator.getitem, (sequence, back), place=state.place(node))
    raise NotYetSupported(
        f"`reversed` of {facts.describe(fact)}", state.place(node), "loop over a range backwards"
    )


def _with_bounds(
    args: list[Atom], keywords: dict[str, Atom]
) -> tuple[list[Atom], dict[str, Atom]]:
    """`np.clip(x, max=1.0)` as `np.clip(x, None, 1.0)`: bounds by position."""
    if len(args) == 1 and not {"a_min", "a_max"} & keywords.keys():
        bounds = [keywords.pop(name, Const(None)) for name in ("min", "max")]
        return [*args, *bounds], keywords
    names = ("a", "a_min", "a_max")[len(args) :]
    if all(name in keywords for name in names):
        args = [*args, *(keywords.pop(name) for name in names)]
    return args[:3], keywords  # behind these stands `out`, which is None


def _positional(
    function: Any, args: list[Atom], keywords: dict[str, Atom]
) -> tuple[list[Atom], dict[str, Atom]]:
    """Operands that a rule differentiates come by position: `np.sum(a=x)` is `np.sum(x)`."""
    moving = any(isinstance(v, ir.Value) and facts.is_numeric(v.fact) for v in keywords.values())
    if function is np.clip:
        return _with_bounds(args, keywords)
    if not moving:
        return args, keywords
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return args, keywords
    for name in names[len(args) :]:
        if name not in keywords:
            break
        args.append(keywords.pop(name))
    return args, keywords
