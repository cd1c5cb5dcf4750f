"""Numbers of NumPy's are divided as NumPy divides them, by zero too, which Numba refuses.

    y = x[0] / x[1]        ──▶        y = np.divide(x[0], x[1])

    b[i] /= x[1]           ──▶        item = b[i]
                                      b[i] = np.divide(item, x[1])

Where it depends on the path whether a number is NumPy's or Python's, it is taken for NumPy's.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import facts, infer
from tangent_like.backend.numba_dialect.rebuild import is_in_tables, rebuilt
from tangent_like.ir import Atom, Const, Function, Op, Statement, Value
from tangent_like.stores import Store, is_basic

_AS_NUMPY: dict[Any, Any] = {
    operator.truediv: np.divide, operator.floordiv: np.floor_divide, operator.mod: np.remainder,
}  # fmt: skip


def divide_as_numpy(function: Function) -> Function:
    return rebuilt(function, lambda s: divided(s) if isinstance(s, Op) else (s,))


def divided(op: Op) -> Iterator[Statement]:
    if isinstance(op.fn, Store):
        yield from divided_element(op)
    elif is_in_tables(op) and op.fn in _AS_NUMPY and is_of_numpy(op.args[0], op.args[1]):
        yield replace(op, fn=_AS_NUMPY[op.fn])
    else:
        yield op


def divided_element(op: Op) -> Iterator[Statement]:
    """A store that divides an element of an array: read, divide, write."""
    store = op.fn
    assert isinstance(store, Store)
    item = element(op) if store.combine in _AS_NUMPY else None
    if item is None or not is_of_numpy(item.result, op.args[1]):
        yield op
        return
    array, divisor, index = op.args
    quotient = Value("", item.result.fact)
    yield item
    yield replace(op, result=quotient, fn=_AS_NUMPY[store.combine], args=(item.result, divisor))
    yield replace(op, fn=store.assigning(), args=(array, quotient, index))


def element(op: Op) -> Op | None:
    """The reading of the element that a store into the array itself changes."""
    store = op.fn
    assert isinstance(store, Store)
    if not store.into or store.path != (operator.getitem,) or not is_basic(op.args[2]):
        return None
    array, _, index = op.args
    item = Value("item", infer.infer(operator.getitem, (array, index), {}))
    return replace(op, result=item, fn=operator.getitem, args=(array, index))


def is_of_numpy(x: Atom, divisor: Atom) -> bool:
    """Whether two numbers, one of which may be NumPy's, may be divided by zero."""
    if isinstance(divisor, Const) and divisor.value != 0:
        return False
    if any(facts.rank(a.fact) != 0 for a in (x, divisor)):
        return False
    return any(not isinstance(a.fact, facts.Scalar) or a.fact.numpy for a in (x, divisor))
