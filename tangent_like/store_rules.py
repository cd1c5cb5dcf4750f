"""The derivatives of stores.

    y' = store(y, e, i)           be += by[i];  by[i] = 0          dy[i] = de
    y' = store_add(y, e, i)       be += by[i]                      dy[i] += de
    y' = store_mul(y, e, i)       be += by[i] * y[i];  by[i] *= e  dy[i] = dy[i] * e + y[i] * de

The adjoint of an array has the layout of the array: what a store does at a place of the array, its
derivatives do at the same place of the adjoint or tangent.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from tangent_like import facts, infer, runtime, trees
from tangent_like.build import Builder
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.rules import apply
from tangent_like.rules.fitting import fit
from tangent_like.stores import Store, is_whole, last_index, names_elements_once
from tangent_like.trees import Tree

_OF_CONTIGUOUS = (np.reshape, np.ravel)
_SCALING = (operator.mul, operator.truediv)


def cotangents(
    builder: Builder, op: Op, g: Atom, wanted: Sequence[bool]
) -> tuple[Tree, Tree]:
    """What the array before and the stored value get from the adjoint of the array after."""
    store, (_, value, *operands) = op.fn, op.args
    assert isinstance(store, Store)
    place = _last_written(builder, op, load(builder, store, g, operands), operands)
    if store.combine is None:
        found = _of_value(builder, place, value) if wanted[1] else None
        return (_cleared(builder, op, g, operands) if wanted[0] else None, found)
    new = load(builder, store, op.result, operands)
    combined = _combination(builder, op, new)
    old, found = apply.cotangents(builder, combined, place, (True, wanted[1]))
    if not wanted[0]:
        return None, found
    if store.combine in (operator.add, operator.sub):
        return g, found
    if store.combine in _SCALING:
        return _combined(builder, op, g, value, operands), found
    return _replaced(builder, op, g, old, operands), found


def _of_value(builder: Builder, place: Atom, value: Atom) -> Tree:
    """What lies at the place, as the cotangent of the value that was stored there."""
    if isinstance(value.fact, (*facts.STRUCTURES, facts.ListOf, facts.DictOf)):
        return trees.dissolve(builder, place, value.fact)
    return fit(builder, place, value)


def tangent(builder: Builder, op: Op, dy: Atom | None, de: Atom | None) -> Tree:
    """The tangent of the array after; to be computed before the array is written into."""
    store, (array, value, *operands) = op.fn, op.args
    assert isinstance(store, Store)
    if dy is None and de is None:
        return None
    if dy is None:
        dy = builder.op(runtime.zeros_like, (array,))
    if store.combine is None:
        whole = isinstance(value.fact, facts.STRUCTURES) or _is_item(op)
        new = trees.materialised(builder, de, value) if whole else _filled(de)
        return _stored(builder, store, dy, new, operands)
    if store.combine in (operator.add, operator.sub):
        return dy if de is None else _combined(builder, op, dy, de, operands)
    if store.combine in _SCALING and de is None:
        return _combined(builder, op, dy, value, operands)
    own = load(builder, store, dy, operands)
    old = load(builder, store, array, operands)
    new = builder.op(store.combine, (old, value))
    found = apply.tangent(builder, _combination(builder, op, new), (own, de))
    return _replaced(builder, op, dy, found, operands)


def _filled(tree: Tree) -> Atom:
    return Const(0.0) if tree is None else tree


def load(builder: Builder, store: Store, array: Atom, operands: Sequence[Atom]) -> Atom:
    """What lies at the place of a store."""
    for step, own in store.steps(operands):
        array = builder.op(step, (array, *own))
    return array


def _cleared(builder: Builder, op: Op, g: Atom, operands: Sequence[Atom]) -> Tree:
    """The adjoint without the place that was overwritten: nothing is left of a whole array."""
    assert isinstance(op.fn, Store)
    index = last_index(op)
    if len(op.fn.path) == 1 and index is not None and is_whole(index):
        return None
    cleared: Atom = Const(0.0)
    if _is_item(op):
        cleared = _zero_of_item(builder, op, operands)
    return _stored(builder, op.fn, g, cleared, operands)


def _zero_of_item(builder: Builder, op: Op, operands: Sequence[Atom]) -> Atom:
    """The zero of what lay at the place before; a dict may have had nothing there."""
    assert isinstance(op.fn, Store)
    container = op.args[0]
    *steps, (last, own) = op.fn.steps(operands)
    for step, before in steps:
        container = builder.op(step, (container, *before))
    if isinstance(facts.defined(container.fact), (facts.DictOf, facts.Unknown)):
        return builder.op(runtime.zero_at, (container, *own))
    return builder.op(runtime.zeros_like, (builder.op(last, (container, *own)),))


def _is_item(op: Op) -> bool:
    """Whether what is stored becomes an item of a list, and is no number among numbers."""
    assert isinstance(op.fn, Store)
    container = _container(op)
    if not op.fn.path or isinstance(container, facts.Array):
        return False
    items = (container.item,) if isinstance(container, (facts.ListOf, facts.DictOf)) else ()
    return not all(isinstance(fact, facts.Scalar) for fact in (op.args[1].fact, *items))


def _container(op: Op) -> facts.Fact:
    """What the place that is written is an item of."""
    assert isinstance(op.fn, Store)
    container = op.args[0]
    for step, own in op.fn.steps(op.args[2:])[:-1]:
        container = Value("", infer.infer(step, (container, *own), {}))
    return facts.defined(container.fact)


def _stored(
    builder: Builder, store: Store, array: Atom, value: Atom, operands: Sequence[Atom]
) -> Atom:
    name = array.name if isinstance(array, Value) else ""
    if any(step in _OF_CONTIGUOUS for step in store.path):  # of others they would be copies
        array = builder.op(np.ascontiguousarray, (array,))
    return builder.op(store, (array, value, *operands), name=name)


def _combined(
    builder: Builder, op: Op, array: Atom, value: Atom, operands: Sequence[Atom]
) -> Atom:
    """`d[i] += v`. An item of a list, whose array may also be somebody else's, is replaced."""
    store = op.fn
    assert isinstance(store, Store)
    if store.path and not isinstance(_container(op), facts.Array):
        assert store.combine is not None
        old = load(builder, store, array, operands)
        if not isinstance(old.fact, facts.Scalar):
            new = builder.op(store.combine, (old, value))
            return _stored(builder, store.assigning(), array, new, operands)
    return _stored(builder, store, array, value, operands)


def _replaced(
    builder: Builder, op: Op, array: Atom, new: Tree, operands: Sequence[Atom]
) -> Tree:
    """The derivative with a new one at the place of a store, which may be the whole array."""
    assert isinstance(op.fn, Store)
    if not op.fn.path:
        return new
    if new is None and not isinstance(_container(op), facts.Array):
        new = _zero_of_item(builder, op, operands)
    return _stored(builder, op.fn.assigning(), array, _filled(new), operands)


def _combination(builder: Builder, op: Op, new: Atom) -> Op:
    """The operation that a store makes of what is there and the value, giving `new`."""
    store, (array, value, *operands) = op.fn, op.args
    assert isinstance(store, Store) and store.combine is not None
    old = load(builder, store, array, operands)
    assert isinstance(new, Value)
    return Op(new, store.combine, (old, value), (), op.place)


def _last_written(builder: Builder, op: Op, g: Atom, operands: Sequence[Atom]) -> Atom:
    """`y[i] = e` with a place twice in `i` keeps what was written last: the others get nothing."""
    index, store = last_index(op), op.fn
    if index is None or names_elements_once(index):
        return g
    if isinstance(_container(op), (facts.ListOf, facts.DictOf)):
        return g
    assert isinstance(store, Store)
    view: Atom = op.result
    for step, own in store.steps(operands)[:-1]:
        view = builder.op(step, (view, *own))
    return builder.op(runtime.of_last_written, (g, view, index))
