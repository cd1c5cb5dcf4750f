"""Jacobians of which only some diagonals are not zero: a few directions give all of them.

    def f_columns(x, dx):                 def f_columns(x):
        return dx[:, 1:] * x[:-1]   ──▶       dx = combs(x, 1)
                                              return from_band(dx[:, 1:] * x[:-1], 1, x)

Element i of what such a list returns depends on the elements i + o of the direction only, for some
offsets o: arithmetic of arrays of one length keeps their offsets, and slices move them.  Where
lowest and highest offset are w - 1 apart, w directions do: each has a one in every w-th place, so
that each element of a result belongs to one entry of the Jacobian.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.facts import Array
from tangent_like.ir import Atom, Const, Function, Op, Value
from tangent_like.stack_runtime import combs, from_band
from tangent_like.stores import Store

Offsets = frozenset[int]
Reach = Mapping[Value, Offsets]
"""The offsets of the arrays that depend on the direction."""

_WIDEST = 16
"""Wider bands are taken for dense."""


class _Dense(Exception):
    """Nothing is known of the offsets."""


def band(function: Function, direction: Value) -> tuple[int, int] | None:
    """The lowest offset of a list's result, and the number of diagonals; None where its Jacobian
    is not known to be a band."""
    (result,) = function.body.results
    if not isinstance(result, Value) or _length(direction) is None or _length(result) is None:
        return None
    reach: dict[Value, Offsets] = {direction: frozenset({0})}
    try:
        for statement in function.body.statements:
            if reach.keys().isdisjoint(ir.free_values(ir.Block((statement,), ()))):
                continue
            if not isinstance(statement, Op):
                return None
            if statement.fn not in _SHAPES_ONLY:
                reach[statement.result] = _offsets(statement, reach)
    except _Dense:
        return None
    found = reach.get(result)
    if not found or max(found) - min(found) >= _WIDEST:
        return None
    return min(found), max(found) - min(found) + 1


def banded(function: Function, x: Value, lowest: int, width: int) -> Function:
    """The list for a stack of directions, its last parameter, with the directions of a band; it
    returns the Jacobian with respect to `x`."""
    *params, directions = function.params
    (found,) = function.body.results
    head = Op(directions, combs, (x, Const(width)), derivative=True)
    whole = Value("", Array("float64", (facts.fresh_size(), facts.fresh_size())))
    tail = Op(whole, from_band, (found, Const(lowest), x), derivative=True)
    body = ir.Block((head, *function.body.statements, tail), (whole,))
    return replace(function, params=tuple(params), body=body)


def _length(atom: Atom) -> facts.Dim | None:
    """How long an array with one axis is; None for what is none."""
    dims = facts.dims(atom.fact)
    return dims[0] if isinstance(atom.fact, Array) and dims and len(dims) == 1 else None


def _offsets(op: Op, reach: Reach) -> Offsets:
    if _length(op.result) is None or (op.keywords and op.fn not in _COPIES):
        raise _Dense
    kind = Store if isinstance(op.fn, Store) else op.fn
    rule = _RULES.get(kind)
    if rule is None and not isinstance(op.fn, np.ufunc):
        raise _Dense
    return (rule or _together)(op, reach)


def _together(op: Op, reach: Reach) -> Offsets:
    """Element by element, of arrays that are as long as the result."""
    depending = [a for a in op.args if isinstance(a, Value) and a in reach]
    if any(_length(a) != _length(op.result) for a in depending):
        raise _Dense
    return frozenset().union(*(reach[a] for a in depending))


def _part(op: Op, reach: Reach) -> Offsets:
    array, index = op.args
    return _moved(_of(array, reach), _start(index))


def _difference(op: Op, reach: Reach) -> Offsets:
    array, *count = op.args
    if len(count) > 1 or not all(isinstance(c, Const) and type(c.value) is int for c in count):
        raise _Dense
    (times,) = [c.value for c in count if isinstance(c, Const)] or [1]
    return frozenset().union(*(_moved(_of(array, reach), k) for k in range(times + 1)))


def _added(op: Op, reach: Reach) -> Offsets:
    array, index, part = op.args
    return _with_part(array, part, index, reach)


def _stored(op: Op, reach: Reach) -> Offsets:
    store, (array, part, *steps) = op.fn, op.args
    assert isinstance(store, Store)
    if store.path != (operator.getitem,) or store.combine not in (None, operator.add, operator.sub):
        raise _Dense
    return _with_part(array, part, steps[0], reach)


def _with_part(array: Atom, part: Atom, index: Atom, reach: Reach) -> Offsets:
    """Those of an array into which a part of just the length of its place is written."""
    before = _of(array, reach)
    if part not in reach:
        return before
    place = infer.infer(operator.getitem, (array, index), {})
    if facts.dims(place) is None or facts.dims(place) != facts.dims(part.fact):
        raise _Dense
    return before | _moved(_of(part, reach), -_start(index))


def _of(atom: Atom, reach: Reach) -> Offsets:
    return reach.get(atom, frozenset()) if isinstance(atom, Value) else frozenset()


def _moved(offsets: Offsets, by: int) -> Offsets:
    return frozenset(o + by for o in offsets)


def _start(index: Atom) -> int:
    """Where a slice begins, counted from the front."""
    part = index.value if isinstance(index, Const) else None
    if not isinstance(part, slice) or part.step not in (None, 1):
        raise _Dense
    start = 0 if part.start is None else part.start
    if type(start) is not int or start < 0:
        raise _Dense
    return start


_SHAPES_ONLY = (runtime.zeros_like, np.zeros_like, np.ones_like, np.shape, len)
"""What depends on the shape of an operand only."""

_COPIES = (runtime.copy, np.copy)
_RULES: Mapping[Any, Callable[[Op, Reach], Offsets]] = {
    **dict.fromkeys(
        (operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pos,
         np.where, *_COPIES),
        _together,
    ),
    operator.getitem: _part,
    np.diff: _difference,
    runtime.scatter_add: _added,
    Store: _stored,
}  # fmt: skip
