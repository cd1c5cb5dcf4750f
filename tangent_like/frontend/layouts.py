"""Whether the elements of an array lie in order, so that `reshape` and `ravel` give views.

    y = np.sin(x) * 2.0        in order if x is: NumPy lays results out as it finds the operands
    y.ravel()[0] = 1.0         writes into y; that x is in order is checked at the call

What is known of a value follows from the operations that made it, down to arguments.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.analysis.memory import allocates
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.stores import Store

_IN_ORDER: frozenset[Any] = frozenset({
    np.zeros, np.ones, np.empty, np.full, np.arange, np.linspace, np.eye, np.identity, np.outer,
})  # fmt: skip
_PRODUCTS = (np.matmul, np.dot, operator.matmul)
"""In order where no other axes than those of matrices are there."""

_AS_OPERANDS: frozenset[Any] = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pow,
    operator.pos, operator.mod, operator.floordiv, abs, np.where, np.clip, np.copy,
    np.zeros_like, np.ones_like, np.full_like,
})  # fmt: skip
_MOST = 200
"""How many operations are looked at before nothing is said."""


def assumed(state: Lowering, value: Atom) -> set[Value] | None:
    """The arguments, and arrays from outside, that have to be in order for a value to be; None
    where that is not enough."""
    found: set[Value] = set()
    pending, seen = [value], set()
    while pending:
        atom = pending.pop()
        if isinstance(atom, Const) and isinstance(atom.value, np.ndarray):
            return None
        if atom in seen or not isinstance(atom, Value) or facts.rank(atom.fact) == 0:
            continue
        seen.add(atom)
        home = state.homes.get(atom)
        if home is not None and not home.path and home.buffer.root is not atom:
            pending.append(home.buffer.root)  # writing does not change where elements lie
            continue
        if atom in state.params or any(atom is read for read in state.reads.values()):
            found.add(atom)
            continue
        if atom in state.stands_for:
            pending.append(state.stands_for[atom])
            continue
        inner = _operands(state.builder.definitions.get(atom))
        if inner is None or len(seen) > _MOST:
            return None
        pending += inner
    return found


def in_rows(op: Op) -> bool:
    """Whether an operation gives the elements another shape, row by row."""
    if op.fn not in (np.reshape, np.ravel) or op.keywords:
        return False
    return not any(isinstance(a, Const) and isinstance(a.value, str) for a in op.args)


def _operands(op: Op | None) -> tuple[Atom, ...] | None:
    """What has to be in order for the result to be."""
    if op is None or not isinstance(facts.defined(op.result.fact), facts.Array):
        return None
    if op.fn in _IN_ORDER or (facts.rank(op.result.fact) == 1 and allocates(op)):
        return None if op.keywords else ()
    if op.fn in _PRODUCTS and facts.rank(op.result.fact) == 2:
        return None if op.keywords else ()
    if isinstance(op.fn, Store) or op.fn is runtime.scatter_add:
        return op.args[:1]
    if op.fn is operator.getitem:
        return op.args[:1] if _keeps_order(op.args[1]) else None
    if in_rows(op):
        return op.args[:1]
    if op.fn is np.copy and [getattr(a, "value", None) for _, a in op.keywords] == ["C"]:
        return ()
    elementwise = isinstance(op.fn, np.ufunc) and op.fn.signature is None
    if elementwise or op.fn in _AS_OPERANDS:
        return None if op.keywords else tuple(a for a in op.args if _may_be_array(a))
    return None


def _may_be_array(atom: Atom) -> bool:
    return not isinstance(atom.fact, (facts.Scalar, facts.Opaque))


def _keeps_order(index: Atom) -> bool:
    """Whether a part of an array in order is in order: rows, and all between two of them."""
    if isinstance(index.fact, facts.Scalar) and index.fact.type == "int":
        return True
    if not isinstance(index, Const):
        return False
    return index.value is ... or (isinstance(index.value, slice) and index.value.step is None)
