"""`np.r_[a, b]` and `np.c_[a, b]`: joining arrays in the spelling of an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Value

Join = Callable[[Lowering, list[Atom]], "Atom | None"]


def index_trick(state: Lowering, node: Any, maker: Any, index: Atom) -> Atom | None:
    """The arrays that stand in the index of `maker` as one array; None if none of them varies."""
    parts = _items(state, index)
    if not type(maker).__module__.startswith("numpy"):
        return None
    if not any(_may_vary(state, part) for part in parts):
        return None
    join = _JOINS.get(type(maker))
    state.builder.place = state.place(node)
    joined = join(state, parts) if join is not None else None
    if joined is None:
        raise NotYetSupported(
            "numbers with a derivative in this index", state.place(node),
            "join arrays with np.concatenate, np.stack or np.column_stack",
        )  # fmt: skip
    return joined


def _items(state: Lowering, atom: Atom) -> list[Atom]:
    definition = state.builder.definitions.get(atom) if isinstance(atom, Value) else None
    if definition is not None and definition.fn is ir.make_tuple:
        return list(definition.args)
    return [atom]


def _may_vary(state: Lowering, atom: Atom) -> bool:
    if isinstance(atom, Const):
        return False
    definition = state.builder.definitions.get(atom)
    if definition is not None and definition.fn is slice:
        return any(_may_vary(state, bound) for bound in definition.args)
    return facts.may_be_differentiated(atom.fact)


def _row(state: Lowering, parts: list[Atom]) -> Atom | None:
    """Numbers and vectors of float64, for which r_ is a concatenation."""
    pieces = []
    for part in parts:
        rank = facts.rank(part.fact)
        if rank not in (0, 1) or facts.dtype(part.fact) not in ("float64", "int64"):
            return None
        pieces.append(state.builder.op(ir.make_list, (part,)) if rank == 0 else part)
    return state.builder.op(np.concatenate, (state.builder.op(ir.make_tuple, pieces),))


def _columns(state: Lowering, parts: list[Atom]) -> Atom | None:
    """Vectors and matrices side by side."""
    if any(facts.rank(part.fact) not in (1, 2) for part in parts):
        return None
    return state.builder.op(np.column_stack, (state.builder.op(ir.make_tuple, parts),))


_JOINS: dict[type, Join] = {type(np.r_): _row, type(np.c_): _columns}
