"""Functions that write what they compute into an array that they are given.

    np.multiply(a, b, out=y)                     y[...] = a * b
    np.log(x, out=y, where=x > 0)        ──▶     y[x > 0] = np.log(x[x > 0])
    np.divmod(a, b, out=(q, r))                  q[...], r[...] = divmod(a, b)
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import write
from tangent_like.frontend.writes import WHOLE, as_array
from tangent_like.ir import Atom, Const

Plain = Callable[[Sequence[Atom], Mapping[str, Atom]], Atom]
"""The call without `out`."""

_WITHOUT_SIGNATURE: dict[Any, int] = {np.dot: 2, np.concatenate: 2}
_UNUSED = ("hfft", "ifft2", "irfft2")
_OF_UFUNC = {"reduce": 3, "accumulate": 3, "reduceat": 4}


def call(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom],
    plain: Plain,
) -> Atom | None:  # fmt: skip
    """The call where `out` is given; None where it is not."""
    if isinstance(function, np.ufunc) and len(args) > function.nin + function.nout:
        raise NeverSupported(
            f"`{function.__name__}` of {len(args)} operands", state.place(node), "check the call"
        )
    args, named, out = _taken_out(state, function, args, dict(keywords))
    if out is None or _is_none(out):
        return None
    if getattr(function, "__module__", "") == "numpy.fft" and function.__name__ in _UNUSED:
        raise NotYetSupported(
            f"`out` of `{function.__name__}`, into which NumPy does not write", state.place(node),
            f"y[...] = np.fft.{function.__name__}(...)",
        )  # fmt: skip
    parts = _parts(state, node, out)
    if "where" in named and isinstance(function, np.ufunc):
        return _where(state, node, args, named, parts, plain)
    result = plain(args, named)
    if len(parts) == 1:
        return _into(state, node, parts[0], WHOLE, result)
    results = [state.builder.op(operator.getitem, (result, Const(k))) for k in range(len(parts))]
    left = [
        value if _is_none(part) else _into(state, node, part, WHOLE, value)
        for part, value in zip(parts, results)
    ]
    return state.builder.op(ir.make_tuple, [fresh(state, atom, node) for atom in left])


def _taken_out(
    state: Lowering, function: Any, args: Sequence[Atom], named: dict[str, Atom]
) -> tuple[Sequence[Atom], dict[str, Atom], Atom | None]:
    """The arguments without `out`, and `out`."""
    at = _place_of_out(function, len(args))
    if at is None or len(args) <= at:
        return args, named, named.pop("out", None)
    if isinstance(function, np.ufunc):
        return args[:at], named, state.builder.op(ir.make_tuple, args[at:])
    following = _parameters(function)[at + 1 : at + len(args)]
    named.update(zip(following, args[at + 1 :]))
    return args[:at], named, args[at]


def _place_of_out(function: Any, count: int) -> int | None:
    if isinstance(function, np.ufunc):
        return function.nin
    module = getattr(function, "__module__", None) or ""
    if count < 2:  # no other function of NumPy takes `out` first
        return None
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return _OF_UFUNC.get(function.__name__)
    if module.split(".")[0] not in ("numpy", "scipy"):
        return None
    if function in _WITHOUT_SIGNATURE:
        return _WITHOUT_SIGNATURE[function]
    names = _parameters(function)
    return names.index("out") if "out" in names else None


@functools.cache
def _parameters(function: Any) -> list[str]:
    """The names of the arguments that may be given by their place."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C do not tell
        return []
    return [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _is_none(atom: Atom) -> bool:
    return isinstance(atom, Const) and atom.value is None


def _parts(state: Lowering, node: Any, out: Atom) -> list[Atom]:
    """The arrays of `out`, each an array or None."""
    parts = [out]
    if isinstance(out.fact, facts.Tuple):
        count = len(out.fact.items)
        parts = [state.builder.op(operator.getitem, (out, Const(k))) for k in range(count)]
    for part in parts:
        if not (_is_none(part) or isinstance(facts.defined(part.fact), facts.Array)):
            raise NotYetSupported("this form of `out=`", state.place(node), "use the result")
    return parts


def _into(state: Lowering, node: Any, out: Atom, index: Atom, value: Atom) -> Atom:
    write(state, node, fresh(state, out, node), index, value)
    return fresh(state, out, node)


def _where(
    state: Lowering, node: Any, args: Sequence[Atom], named: dict[str, Atom],
    parts: Sequence[Atom], plain: Plain,
) -> Atom:  # fmt: skip
    """A ufunc computes where the mask is true, and nowhere else."""
    target = fresh(state, parts[0], node)
    mask = as_array(state, named.pop("where"))
    if len(parts) != 1 or facts.dtype(mask.fact) != "bool" or facts.rank(target.fact) is None:
        raise NotYetSupported(
            "this form of `where=`", state.place(node), "write `y[mask] = f(x[mask])`"
        )
    mask = _spread(state, mask, target)
    chosen = [_chosen(state, as_array(state, atom), target, mask) for atom in args]
    return _into(state, node, target, mask, plain(chosen, named))


def _chosen(state: Lowering, atom: Atom, target: Atom, mask: Atom) -> Atom:
    if facts.rank(atom.fact) == 0:
        return atom
    return state.builder.op(operator.getitem, (_spread(state, atom, target), mask))


def _spread(state: Lowering, atom: Atom, target: Atom) -> Atom:
    """An operand as it takes part: in the shape of `out`."""
    if facts.same_shape(atom.fact, target.fact):
        return atom
    shape = state.builder.op(getattr, (target, Const("shape")))
    return state.builder.op(np.broadcast_to, (atom, shape))
