"""Functions that write into an array at places that they are given.

    np.add.at(y, k, v)            y' = scatter_add(y, k, v)
    np.maximum.at(y, k, v)        for i in range(len(k)): y[k[i]] = maximum(y[k[i]], v[i])
    np.put(y, k, v)               flat = y.ravel().copy(); flat[k] = v; y[...] = flat
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import repeated, writes
from tangent_like.frontend.homes import choice_of, home_of
from tangent_like.frontend.memory import fresh, set_held
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import write
from tangent_like.frontend.writes import NONE, WHOLE, Arguments, Writer, array_of, as_array, taken
from tangent_like.ir import Atom, Const, Value
from tangent_like.stores import names_elements_once


def writer_of(function: Any) -> Writer | None:
    """How to lower a function that is known to write into its first argument."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return partial(_at, owner) if function.__name__ == "at" else None
    return FUNCTIONS.get(function)


def is_refused(function: Any) -> bool:
    """Whether a function writes into its first argument in a way that is not followed."""
    return getattr(function, "__name__", "") == "shuffle" and effects.is_random(function)


# --- ufunc.at --------------------------------------------------------------------------------


def _at(
    ufunc: np.ufunc, state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]
) -> Atom:
    """`ufunc.at(array, index, value)`: a place that comes twice is written twice."""
    if len(args) != ufunc.nin + 1 or keywords:
        raise NotYetSupported(f"this form of `{ufunc.__name__}.at`", state.place(node))
    array, index, *values = (fresh(state, atom, node) for atom in args)
    target = array_of(state, node, array)
    values = [as_array(state, value) for value in values]
    if isinstance(index.fact, (facts.List, facts.ListOf)):
        index = as_array(state, index)
    if ufunc in (np.add, np.subtract):
        _accumulate(state, node, ufunc, target, index, values[0])
    elif names_elements_once(index):
        _once(state, node, ufunc, target, index, values)
    else:
        _one_after_the_other(state, node, ufunc, target, index, values)
    return NONE


def _accumulate(
    state: Lowering, node: Any, ufunc: np.ufunc, target: Value, index: Atom, value: Atom
) -> None:
    place = state.place(node)
    if ufunc is np.subtract:
        value = state.builder.op(operator.neg, (value,), place=place)
    new = state.builder.op(
        runtime.scatter_add, (target, index, value), name=target.name, place=place
    )
    home = home_of(state, target)
    if home.path or home.buffer.outside or choice_of(state, target) is not None:
        write(state, node, target, WHOLE, new)
    else:
        set_held(state, home.buffer, new, place)


def _once(
    state: Lowering, node: Any, ufunc: np.ufunc, target: Value, index: Atom, values: Sequence[Atom]
) -> None:
    place = state.place(node)
    old = state.builder.op(operator.getitem, (target, index), place=place)
    write(state, node, target, index, state.builder.op(ufunc, (old, *values), place=place))


def _one_after_the_other(
    state: Lowering, node: Any, ufunc: np.ufunc, target: Value, index: Atom, values: Sequence[Atom]
) -> None:
    if facts.rank(index.fact) != 1 or facts.rank(target.fact) is None:
        raise NotYetSupported(
            f"`{ufunc.__name__}.at` with this index", state.place(node), "loop over the indices"
        )
    if not values:
        args = [Const(ufunc), target, index]
        state.module.call(state, node, Const(repeated.changed_at), args, {})
        return
    old = state.builder.op(operator.getitem, (target, index))
    shape = state.builder.op(getattr, (old, Const("shape")))
    spread = state.builder.op(np.broadcast_to, (values[0], shape))
    args = [Const(ufunc), target, index, spread]
    state.module.call(state, node, Const(repeated.combined_at), args, {})


# --- put, put_along_axis ---------------------------------------------------------------------


def _put(
    names: Sequence[str], state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]
) -> Atom:
    array, index, values = taken(state, node, args, keywords, names, 3)
    _put_flat(state, node, array, index, values)
    return NONE


def _put_flat(state: Lowering, node: Any, array: Atom, index: Atom, values: Atom) -> None:
    """Write at places that are counted along the rows."""
    place, op = state.place(node), state.builder.op
    index, values = as_array(state, index), as_array(state, values)
    copied = op(np.copy, (op(np.ravel, (array,), place=place),), place=place)
    write(state, node, copied, index, values)
    shape = op(getattr, (array, Const("shape")), place=place)
    new = op(np.reshape, (fresh(state, copied, node), shape), place=place)
    write(state, node, array, WHOLE, new)


def _put_along_axis(
    state: Lowering, node: Any, args: Arguments, keywords: Mapping[str, Atom]
) -> Atom:
    names = ("arr", "indices", "values", "axis")
    array, index, values, axis = taken(state, node, args, keywords, names, 4)
    index, values = as_array(state, index), as_array(state, values)
    if isinstance(axis, Const) and axis.value is None:
        _put_flat(state, node, array, index, values)
        return NONE
    rank = facts.rank(array.fact)
    if not isinstance(axis, Const) or rank is None or facts.rank(index.fact) != rank:
        raise NotYetSupported(
            "`put_along_axis` along an axis that is not known", state.place(node),
            "write `y[rows, columns] = values`",
        )  # fmt: skip
    places = [
        index if k == axis.value % rank else _positions(state, array, k, rank) for k in range(rank)
    ]
    write(state, node, array, state.builder.op(ir.make_tuple, places), values)
    return NONE


def _positions(state: Lowering, array: Atom, axis: int, rank: int) -> Atom:
    """The positions along an axis, as an array with all axes."""
    op = state.builder.op
    shape = op(getattr, (array, Const("shape")))
    along = op(np.arange, (op(operator.getitem, (shape, Const(axis))),))
    return op(np.reshape, (along, Const(tuple(-1 if k == axis else 1 for k in range(rank)))))


METHODS: dict[str, Writer] = {
    **writes.METHODS, "put": partial(_put, ("self", "indices", "values")),
}  # fmt: skip
FUNCTIONS: dict[Any, Writer] = {
    **writes.FUNCTIONS, np.put: partial(_put, ("a", "ind", "v")),
    np.put_along_axis: _put_along_axis,
}  # fmt: skip
