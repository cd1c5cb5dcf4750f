"""Methods of arrays and NumPy scalars as the functions that they are."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.build import Builder
from tangent_like.errors import NotYetSupported
from tangent_like.ir import Atom, Const

Arguments = tuple[Any, list[Atom], dict[str, Atom]]
Method = Callable[[Any, list[Atom], dict[str, Atom]], Arguments]


def _same(function: Any) -> Method:
    return lambda state, args, keywords: (function, args, keywords)


def _gathered(function: Any) -> Method:
    """`x.reshape(2, 3)` is `np.reshape(x, (2, 3))`."""

    def convert(state: Any, args: list[Atom], keywords: dict[str, Atom]) -> Arguments:
        if len(args) > 2:
            builder: Builder = state.builder
            args = [args[0], builder.op(ir.make_tuple, args[1:])]
        return function, args, keywords

    return convert


def _item(state: Any, args: list[Atom], keywords: dict[str, Atom]) -> Arguments:
    """The Python number at a place, which is counted along the rows if it is one number."""
    x, *place = args
    builder: Builder = state.builder
    if len(place) == 1 and isinstance(place[0].fact, facts.Tuple):
        count = len(place[0].fact.items)
        place = [builder.op(operator.getitem, (place[0], Const(i))) for i in range(count)]
    if len(place) == 1 and facts.rank(x.fact) != 1:
        x = builder.op(np.ravel, (x,))
    if not place and facts.rank(x.fact) != 0:
        x = builder.op(np.reshape, (x, Const(())))
    if place:
        index = place[0] if len(place) == 1 else builder.op(ir.make_tuple, place)
        x = builder.op(operator.getitem, (x, index))
    kind = (facts.dtype(args[0].fact) or "float").rstrip("0123456789")
    return {"complex": complex, "float": float, "bool": bool}.get(kind, int), [x], keywords


def _astype(state: Any, args: list[Atom], keywords: dict[str, Atom]) -> Arguments:
    """`x.astype(...)` has options about memory that `np.astype(x, ...)` lacks."""
    names = ("x", "dtype", "order", "casting", "subok", "copy")
    named = {**dict(zip(names, args, strict=False)), **keywords}
    for name in ("order", "casting", "subok"):
        if isinstance(named.get(name), Const):
            del named[name]
    operands = [named.pop(name) for name in ("x", "dtype") if name in named]
    return np.astype, operands, named


def _clip(state: Any, args: list[Atom], keywords: dict[str, Atom]) -> Arguments:
    """`x.clip(0.0)` is `np.clip(x, 0.0, None)`."""
    bounds = [keywords.pop(name, Const(None)) for name in ("min", "max")[len(args) - 1 :]]
    args = args[:3] if len(args) > 3 and args[3] == Const(None) else args
    return np.clip, [*args, *bounds], keywords


def _conjugate(state: Any, args: list[Atom], keywords: dict[str, Atom]) -> Arguments:
    """`x.conj()` of an array of real numbers is that array, `np.conj(x)` is a new one."""
    number, is_complex = facts.is_scalar(args[0].fact), facts.is_complex(args[0].fact)
    if is_complex is None and not number:
        raise NotYetSupported("`.conj()` of an array of any element type", hint="write np.conj(x)")
    return np.conj if number or is_complex else np.asarray, args, keywords


def _compress(state: Any, args: list[Atom], keywords: dict[str, Atom]) -> Arguments:
    """`x.compress(condition)` is `np.compress(condition, x)`."""
    x, condition, *rest = args
    return np.compress, [condition, x, *rest], keywords


def _copy(state: Any, args: list[Atom], keywords: dict[str, Atom]) -> Arguments:
    """`x.copy()` lays rows out one after the other, `np.copy(x)` leaves the order as it is."""
    x, *order = args
    return np.copy, [x], {"order": order[0] if order else Const("C"), **keywords}


def _flatten(state: Any, args: list[Atom], keywords: dict[str, Atom]) -> Arguments:
    """`x.flatten()` is a copy even where `x.ravel()` is a view."""
    flat = state.builder.op(np.ravel, args, keywords)
    return _copy(state, [flat], {})


_NAMES = (
    "sum", "mean", "prod", "std", "var", "max", "min", "cumsum", "cumprod", "dot", "ravel",
    "argmax", "argmin", "argsort", "all", "any", "trace", "diagonal", "squeeze", "repeat",
    "swapaxes", "take", "round", "nonzero",
    "searchsorted", "argpartition", "choose",
)  # fmt: skip

METHODS: dict[str, Method] = {
    **{name: _same(getattr(np, name)) for name in _NAMES if hasattr(np, name)},
    "reshape": _gathered(np.reshape),
    "transpose": _gathered(np.transpose),
    "flatten": _flatten,
    "astype": _astype,
    "clip": _clip,
    "conj": _conjugate,
    "conjugate": _conjugate,
    "copy": _copy,
    "compress": _compress,
    "item": _item,
}
