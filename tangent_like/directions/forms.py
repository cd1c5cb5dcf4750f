"""For each operation, what it becomes where operands are stacks: one axis more, the first."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.build import Builder
from tangent_like.directions.stacking import (
    ALL,
    Form,
    Stacking,
    is_float64,
    rank_of,
    stack_fact,
    value_of,
)
from tangent_like.errors import NotStackable
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.stack_runtime import unbroadcast_each
from tangent_like.stores import Store, index_parts


def elementwise(change: Stacking, op: Op) -> Atom:
    rank = rank_of(op.result)
    return change.builder.op(op.fn, [change.lifted(atom, rank) for atom in op.args])


def _same(change: Stacking, op: Op) -> Atom:
    return change.builder.op(op.fn, [change.now(op.args[0]), *op.args[1:]])


def _getitem(change: Stacking, op: Op) -> Atom | None:
    array, index = op.args
    if array in change.parts:
        return _item(change, op)
    if change.is_stacked(index) or not isinstance(array.fact, facts.Array):
        raise NotStackable("an item of what is no array")
    _check_index(index)
    return change.builder.op(operator.getitem, (change.now(array), change.extended(index)))


def _item(change: Stacking, op: Op) -> Atom | None:
    """An item of a tuple, which may be a stack."""
    container, index = op.args
    if not isinstance(index, Const) or not isinstance(index.value, int):
        raise NotStackable("an item of a tuple at a place that is not known")
    if change.parts[value_of(container)][index.value]:
        return change.builder.op(operator.getitem, (change.now(container), index))
    change.builder.append(replace(op, args=(change.now(container), index)))
    return None


def _tuple(change: Stacking, op: Op) -> Atom:
    change.parts[op.result] = tuple(map(change.is_stacked, op.args))
    return change.builder.op(op.fn, [change.now(atom) for atom in op.args])


def _tape(change: Stacking, op: Op) -> Atom:
    if op.args[0] in change.parts or isinstance(op.args[0].fact, facts.Array):
        raise NotStackable("what depends on the direction, back to front")
    change.builder.append(op)
    return op.result


def _check_index(index: Atom) -> None:
    """Arrays among the indices keep their axes in place only where they are side by side."""
    parts = index_parts(index)
    arrays = [isinstance(part, facts.Array) for part in parts]
    known = all(
        is_array or isinstance(part, facts.Scalar)
        or (isinstance(part, facts.Opaque) and part.kind in ("slice", "ellipsis", "NoneType"))
        for part, is_array in zip(parts, arrays, strict=True)
    )  # fmt: skip
    if not known or (any(arrays) and len(parts) > 1):
        raise NotStackable("an index of several parts with arrays")


def _scatter_add(change: Stacking, op: Op) -> Atom:
    array, index, value = op.args
    return _written(change, op, (array, index, value), index, value)


def _store(change: Stacking, op: Op) -> Atom:
    assert isinstance(op.fn, Store)
    if op.fn.path != (operator.getitem,):
        raise NotStackable("a store through a view")
    array, value, index = op.args
    return _written(change, op, (array, value, index), index, value)


def _written(
    change: Stacking, op: Op, operands: Sequence[Atom], index: Atom, value: Atom
) -> Atom:
    array = operands[0]
    if change.is_stacked(index) or not isinstance(array.fact, facts.Array):
        raise NotStackable("writing into what is no array")
    _check_index(index)
    place = Builder().op(operator.getitem, (array, index))
    table = {
        id(array): change.lifted_whole(array),
        id(index): change.extended(index),
        id(value): change.lifted(value, rank_of(place)),
    }
    return change.builder.op(op.fn, [table[id(operand)] for operand in operands])


def _sum(change: Stacking, op: Op) -> Atom:
    named = dict(op.keywords)
    given = op.args[1:]
    if len(given) > 1 or not named.keys() <= {"axis", "keepdims"}:
        raise NotStackable("a sum with other keywords")
    axis = given[0] if given else named.get("axis", Const(None))
    rank = rank_of(op.args[0])
    if not isinstance(axis, Const):
        raise NotStackable("a sum over axes that are not known")
    own = range(rank) if axis.value is None else axis.value
    axes = own if isinstance(own, (tuple, range)) else (own,)
    named["axis"] = Const(tuple(a % rank + 1 for a in axes))
    return change.builder.op(op.fn, (change.now(op.args[0]),), named)


def _matmul(change: Stacking, op: Op) -> Atom:
    a, b = op.args
    ranks = rank_of(a), rank_of(b)
    if change.is_stacked(a) and change.is_stacked(b):
        raise NotStackable("a product of two stacks")
    rank = max(ranks)
    if rank > 2 and min(ranks) >= 2 and op.fn is not np.dot:
        return change.builder.op(operator.matmul, [change.lifted(atom, rank) for atom in op.args])
    if rank > 2 or min(ranks) < 1:
        raise NotStackable("a product of batches")
    first, second = change.now(a), change.now(b)
    if change.is_stacked(a) or ranks[1] == 2:
        return change.builder.op(operator.matmul, (first, second))
    if ranks[0] == 2:  # A @ v for each v: the stack of them is V @ A.T
        first = change.builder.op(np.transpose, (first,))
    return change.builder.op(operator.matmul, (second, first))


def _vdot(change: Stacking, op: Op) -> Atom:
    """All elements of one operand times those of the other, summed."""
    if not all(is_float64(atom.fact) for atom in op.args):
        raise NotStackable("a type that is no float64")
    rank = max(map(rank_of, op.args))
    factors = [change.lifted(atom, rank) for atom in op.args]
    products = change.builder.op(operator.mul, factors)
    axes = Const(tuple(range(1, rank + 1)))
    return change.builder.op(np.sum, (products,), {"axis": axes}) if rank else products


def _outer(change: Stacking, op: Op) -> Atom:
    if [rank_of(atom) for atom in op.args] != [1, 1]:
        raise NotStackable("an outer product of matrices")
    column, row = Const((..., ALL, None)), Const((..., None, ALL))
    factors = [
        change.builder.op(operator.getitem, (change.now(atom), index))
        for atom, index in zip(op.args, (column, row), strict=True)
    ]
    return change.builder.op(operator.mul, factors)


def _transpose(change: Stacking, op: Op) -> Atom:
    (array, *rest), rank = op.args, rank_of(op.args[0])
    axes = rest[0] if rest else dict(op.keywords).get("axes", Const(None))
    if not isinstance(axes, Const):
        raise NotStackable("a transpose by axes that are not known")
    own = tuple(range(rank))[::-1] if axes.value is None else tuple(axes.value)
    moved = Const((0, *(a % rank + 1 for a in own)))
    return change.builder.op(np.transpose, (change.now(array), moved))


def _reshape(change: Stacking, op: Op) -> Atom:
    if len(op.args) != 2 or op.keywords:
        raise NotStackable("a reshape with an order")
    array, shape = op.args
    builder = change.builder
    if isinstance(shape.fact, facts.Tuple):
        items = [
            builder.op(operator.getitem, (shape, Const(i))) for i in range(len(shape.fact.items))
        ]
    elif isinstance(shape.fact, facts.Scalar):
        items = [shape]
    else:
        raise NotStackable("a reshape to a shape of unknown length")
    whole = builder.op(ir.make_tuple, [change.count, *items])
    if op.fn is np.broadcast_to:
        return builder.op(op.fn, (change.lifted(array, len(items)), whole))
    return builder.op(np.reshape, (change.now(array), whole))


def _moved_axes(change: Stacking, op: Op) -> Atom:
    """Operations whose operands after the first, by position or name, are axes."""
    rank = rank_of(op.args[0]) + (op.fn is np.expand_dims)

    def moved(axis: Atom) -> Atom:
        if not isinstance(axis, Const) or not isinstance(axis.value, int):
            raise NotStackable("an axis that is not known")
        return Const(axis.value % rank + 1)

    named = {key: moved(axis) for key, axis in op.keywords}
    return change.builder.op(op.fn, (change.now(op.args[0]), *map(moved, op.args[1:])), named)


def _cumulative(change: Stacking, op: Op) -> Atom:
    axis = op.args[1] if len(op.args) == 2 else dict(op.keywords).get("axis", Const(None))
    rank = rank_of(op.args[0])
    if len(op.args) > 2 or op.keywords[1:] or not isinstance(axis, Const):
        raise NotStackable("a cumulative sum with other keywords")
    if axis.value is None and rank != 1:
        raise NotStackable("a cumulative sum of all elements")
    own = Const((axis.value or 0) % rank + 1)
    return change.builder.op(op.fn, (change.now(op.args[0]),), {"axis": own})


def _solve(change: Stacking, op: Op) -> Atom:
    """The stack is on the right-hand side, as columns where that is a vector."""
    matrix, right = op.args
    if change.is_stacked(matrix) or rank_of(matrix) != 2 or rank_of(right) > 2 or op.keywords:
        raise NotStackable("equations with other matrices for each direction")
    if rank_of(right) == 2:
        return change.builder.op(op.fn, (matrix, change.now(right)))
    columns = change.builder.op(np.transpose, (change.now(right),))
    return change.builder.op(np.transpose, (change.builder.op(op.fn, (matrix, columns)),))


def _of_matrices(change: Stacking, op: Op) -> Atom:
    """Operations on the last two axes."""
    if rank_of(op.args[0]) < 2:
        raise NotStackable("a vector taken as a matrix")
    return change.builder.op(op.fn, (change.now(op.args[0]), *op.args[1:]), dict(op.keywords))


def _broadcast_like(change: Stacking, op: Op) -> Atom:
    g, like = op.args
    rank = rank_of(like)
    if not is_float64(like.fact):
        raise NotStackable("a type that is no float64")
    if facts.same_shape(g.fact, op.args[1].fact) or not rank:
        return change.now(g)
    beyond = int(change.is_stacked(like))
    sizes = [change.length(change.now(like), i + beyond) for i in range(rank)]
    whole = change.builder.op(ir.make_tuple, [change.count, *sizes])
    return change.builder.op(np.broadcast_to, (change.lifted(g, rank), whole))


def _unbroadcast(change: Stacking, op: Op) -> Atom:
    g, like = op.args
    if not is_float64(like.fact):
        raise NotStackable("a type that is no float64")
    own, wanted = facts.dims(g.fact), facts.dims(like.fact)
    assert own is not None
    assert wanted is not None
    extra = len(own) - len(wanted)
    if any(n != m for n, m in zip(own[extra:], wanted, strict=True)):
        return change.builder.op(unbroadcast_each, (change.now(g), like))
    if not extra:
        return change.now(g)
    axes = Const(tuple(range(1, extra + 1)))
    return change.builder.op(np.sum, (change.now(g),), {"axis": axes})


def _zeros_like(change: Stacking, op: Op) -> Atom:
    return change.builder.op(np.zeros_like, (change.now(op.args[0]),))


def _difference(change: Stacking, op: Op) -> Atom:
    if len(op.args) > 2 or op.keywords:
        raise NotStackable("differences along a given axis")
    return _same(change, op)


def _where(change: Stacking, op: Op) -> Atom:
    if len(op.args) != 3 or op.keywords:
        raise NotStackable("where without values")
    return elementwise(change, op)


def _pop(change: Stacking, op: Op) -> Atom:
    result = Value(op.result.name, stack_fact(op.result.fact))
    change.builder.append(replace(op, result=result))
    return result


FORMS: dict[Any, Form] = {
    **dict.fromkeys(
        (operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pos),
        elementwise,
    ),
    np.where: _where,
    operator.getitem: _getitem,
    runtime.scatter_add: _scatter_add,
    Store: _store,
    np.sum: _sum,
    np.diff: _difference,
    np.cumsum: _cumulative,
    np.linalg.solve: _solve,
    np.mean: _sum,
    np.expand_dims: _moved_axes,
    np.swapaxes: _moved_axes,
    np.tril: _of_matrices,
    np.triu: _of_matrices,
    np.broadcast_to: _reshape,
    operator.matmul: _matmul,
    np.dot: _matmul,
    np.outer: _outer,
    np.vdot: _vdot,
    np.transpose: _transpose,
    np.reshape: _reshape,
    runtime.broadcast_like: _broadcast_like,
    runtime.unbroadcast: _unbroadcast,
    runtime.zeros_like: _zeros_like,
    np.zeros_like: _zeros_like,
    runtime.copy: _same,
    np.copy: _same,
    ir.defined: _same,
    ir.pop: _pop,
    ir.make_tuple: _tuple,
    zip: _tuple,
    **dict.fromkeys((reversed, ir.freeze, ir.thaw, runtime.drain, ir.flip), _tape),
}


def _of_each(g: Atom, like: Atom) -> facts.Fact:
    """The first length of a stack, the others of an operand."""
    whole, own = facts.dims(g.fact), facts.dims(like.fact)
    if whole is None or own is None:
        return facts.UNKNOWN
    return facts.Array("float64", (whole[0], *own))


infer.special[unbroadcast_each] = _of_each
