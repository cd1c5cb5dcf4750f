"""The parts of an array: a list of views of it.

    u, v = np.split(a, 2)             u, v = parts[0], parts[1], where parts = np.split(a, 2)
    u, v, w = np.split(a, [1, 3])     u, v, w = a[:1], a[1:3], a[3:]
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.frontend.homes import SPLITTING
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Op, Value

_AXES: dict[Any, int] = {np.vsplit: 0, np.hsplit: 1, np.dsplit: 2}


def call(
    state: Lowering, node: Any, function: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom | None:
    """The list of the parts; None where their number is known only at run time."""
    if function not in SPLITTING or len(args) < 2 or keywords.keys() - {"axis"}:
        return None
    array, where, *rest = (*args, *keywords.values())
    axis = _axis(function, array, rest)
    if not isinstance(array.fact, facts.Array) or axis is None:
        return None
    op, place = state.builder.op, state.place(node)
    at = _known_places(state, where)
    if at is not None:
        return op(ir.make_list, [
            op(operator.getitem, (array, Const(index)), place=place) for index in _slices(at, axis)
        ])  # fmt: skip
    parts = op(function, (array, where, *rest), place=place)
    if not isinstance(parts.fact, facts.List):
        return parts
    items = range(len(parts.fact.items))
    return op(ir.make_list, [op(operator.getitem, (parts, Const(k)), place=place) for k in items])


def _axis(function: Any, array: Atom, rest: Sequence[Atom]) -> int | None:
    """The axis that is cut, counted from the first one; None where it is not known."""
    rank = facts.rank(array.fact)
    if not rank or not all(isinstance(a, Const) and type(a.value) is int for a in rest):
        return None
    if function in _AXES:
        axis = _AXES[function] if rank > 1 else 0
    else:
        axis = rest[0].value if rest else 0  # type: ignore[union-attr]
    return axis % rank if -rank <= axis < rank else None


def _known_places(state: Lowering, where: Atom) -> Sequence[int] | None:
    """The places where an array is cut, where a list of known numbers gives them."""
    made: Op | None = state.builder.definitions.get(where) if isinstance(where, Value) else None
    if made is not None and made.fn in (ir.make_list, ir.make_tuple):
        given = [a.value if isinstance(a, Const) else None for a in made.args]
    elif isinstance(where, Const) and isinstance(where.value, (tuple, list)):
        given = list(where.value)
    else:
        return None
    places = [place for place in given if type(place) is int]
    return places if len(places) == len(given) else None


def _slices(places: Sequence[int], axis: int) -> list[Any]:
    """The index of each part."""
    found = [slice(*ends) for ends in itertools.pairwise((None, *places, None))]
    return [(*[slice(None)] * axis, part) if axis else part for part in found]
