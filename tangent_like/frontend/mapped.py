"""Calls of NumPy's functions that take a function: vectorize, apply_along_axis, piecewise.

Each is lowered as a function of `repeated.py`, or as the operations that define it.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import repeated
from tangent_like.frontend.calls import call
from tangent_like.frontend.scope import Bound
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const
from tangent_like.rules import registry

_OF_ELEMENTS = {1: repeated.of_elements, 2: repeated.of_pairs, 3: repeated.of_triples}


def _vectorize(
    state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """`np.vectorize(f)`: its operands come before `f` when it is called."""
    if len(args) != 1 or keywords:
        raise NotYetSupported(
            "`vectorize` with options", state.place(node), "give it the function only"
        )
    return Const(Bound(vectorized, (args[0],)))


def vectorized(*operands: object) -> object:
    raise TypeError("a vectorised function exists at compile time only")


def _vectorized(
    state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    *operands, function = args
    loop = _OF_ELEMENTS.get(len(operands))
    if loop is None or keywords:
        raise NotYetSupported(
            "a vectorised function of keywords or of more than three operands",
            state.place(node),
            "write the loop out",
        )
    return call(state, node, Const(loop), [function, *operands], {})


def _apply_along_axis(
    state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    if len(args) != 3 or keywords:
        raise NotYetSupported(
            "`apply_along_axis` with more operands", state.place(node), "bind them with a lambda"
        )
    return call(state, node, Const(repeated.of_rows), args, {})


def _piecewise(
    state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """Where each condition holds, the function of the elements there; later ones go first."""
    if len(args) != 3 or keywords:
        raise NotYetSupported(
            "`piecewise` with more operands", state.place(node), "bind them with a lambda"
        )
    x = args[0]
    conditions, pieces = _items(state, node, args[1]), _items(state, node, args[2])
    result = state.builder.op(runtime.zeros_like, (x,), place=state.place(node))
    if len(pieces) == len(conditions) + 1:
        result = _placed(state, node, result, x, _elsewhere(state, conditions), pieces.pop())
    for condition, piece in zip(conditions, pieces):
        result = _placed(state, node, result, x, condition, piece)
    return result


def _items(state: Lowering, node: Any, atom: Atom) -> list[Atom]:
    definition = state.builder.definitions.get(atom) if isinstance(atom, ir.Value) else None
    if definition is not None and definition.fn in (ir.make_tuple, ir.make_list):
        return list(definition.args)
    if isinstance(atom, Const) and isinstance(atom.value, (tuple, list)):
        return [Const(value) for value in atom.value]
    raise NotYetSupported(
        "`piecewise` of conditions or functions in a variable", state.place(node),
        "write the lists out in the call",
    )  # fmt: skip


def _elsewhere(state: Lowering, conditions: Sequence[Atom]) -> Atom:
    """Where none of the conditions holds."""
    found = conditions[0]
    for condition in conditions[1:]:
        found = state.builder.op(np.logical_or, (found, condition))
    return state.builder.op(np.logical_not, (found,))


def _placed(
    state: Lowering, node: Any, result: Atom, x: Atom, condition: Atom, piece: Atom
) -> Atom:
    if facts.rank(x.fact) in (None, 0) or facts.dtype(x.fact) not in ("float64", "complex128"):
        raise NotYetSupported(
            f"`piecewise` of {facts.describe(x.fact)}", state.place(node), "use np.where"
        )
    if isinstance(piece, Const) and callable(piece.value):
        chosen = state.builder.op(operator.getitem, (x, condition), place=state.place(node))
        piece = call(state, node, piece, [chosen], {})
    return state.builder.op(runtime.placed, (result, condition, piece), place=state.place(node))


def register() -> None:
    """Say how these calls are lowered."""
    registry.calls[np.vectorize] = _vectorize
    registry.calls[vectorized] = _vectorized
    registry.calls[np.apply_along_axis] = _apply_along_axis
    registry.calls[np.piecewise] = _piecewise
