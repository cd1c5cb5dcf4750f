"""Largest elements that are subtracted to keep numbers small: what depends on them does not vary.

    top = max(x, axis=1, keepdims=True)
    e = exp(x - top)                                  top + d gives e * exp(-d),
    y = e / sum(e, axis=1, keepdims=True)             and the same y

For each value that reads such an element it is worked out what a shift by d would make of it:
`v + k * d`, or `v * exp(k * d)`.  Where the shift cancels in all that is read further on, the
derivative with respect to the element is zero, and it counts as constant.
"""

from __future__ import annotations

import heapq
import math
import operator
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.ir import Atom, Block, Const, Op, Statement, Value

_EXTREMES = (np.max, np.amax, np.min, np.amin)
_FARTHEST = 40
"""A shift is followed through so many operations at most."""


class _Unknown(Exception):
    """It is not known what the shift makes of a value."""


@dataclass(frozen=True, slots=True)
class _Shift:
    """What a value becomes: `times` the shift is added, or its exponential is a factor.

    `axes` says for each axis of the value which axis of the shift it follows; along the others
    (None) the shift is the same.
    """

    axes: tuple[int | None, ...]
    times: float
    is_factor: bool = False


Users = Mapping[Atom, list[tuple[Block, int]]]
"""Who reads a value: the block and the number of the statement, -1 for results of the block."""


def cancelling(block: Block) -> set[Value]:
    """The largest and smallest elements on which nothing that is computed depends."""
    found = [
        (inner, s)
        for inner in ir.blocks_in(block)
        for s in inner.statements
        if isinstance(s, Op) and s.fn in _EXTREMES and _is_float(s.result)
    ]
    users = _users(block) if found else {}
    return {op.result for inner, op in found if _cancels(op.result, inner, users)}


def _is_float(value: Value) -> bool:
    dtype = facts.dtype(value.fact)
    return facts.dims(value.fact) is not None and dtype is not None and dtype.startswith("float")


def _users(block: Block) -> Users:
    found: dict[Atom, list[tuple[Block, int]]] = {}
    for inner in ir.blocks_in(block):
        for number, statement in enumerate(inner.statements):
            for atom in dict.fromkeys(ir.read_by(statement)):
                found.setdefault(atom, []).append((inner, number))
        for atom in inner.results:
            found.setdefault(atom, []).append((inner, -1))
    return found


def _cancels(top: Value, block: Block, users: Users) -> bool:
    """Whether a shift of `top` changes nothing in the end, followed in the order of the block."""
    dims = facts.dims(top.fact) or ()
    axes = tuple(None if dim == 1 else axis for axis, dim in enumerate(dims))
    shifts: dict[Atom, _Shift] = {top: _Shift(axes, 1)}
    pending: list[int] = []
    try:
        _plan(pending, block, users.get(top, ()))
        for _ in range(_FARTHEST):
            if not pending:
                return True
            statement = block.statements[heapq.heappop(pending)]
            after = _after(statement, shifts)
            if after.times and ir.defined_by(statement)[0] not in shifts:
                (result,) = ir.defined_by(statement)
                shifts[result] = after
                _plan(pending, block, users.get(result, ()))
    except _Unknown:
        pass
    return False


def _plan(pending: list[int], block: Block, readers: Any) -> None:
    for inner, number in readers:
        if inner is not block or number < 0:
            raise _Unknown
        if number not in pending:
            heapq.heappush(pending, number)


def _after(statement: Statement, shifts: Mapping[Atom, _Shift]) -> _Shift:
    """What the result of a statement becomes."""
    has_rule = isinstance(statement, Op) and isinstance(statement.fn, Hashable)
    rule = _RULES.get(statement.fn) if has_rule else None  # type: ignore[union-attr]
    if rule is None or facts.dims(ir.defined_by(statement)[0].fact) is None:
        raise _Unknown
    assert isinstance(statement, Op)
    return rule(statement, shifts)


def _operands(op: Op, shifts: Mapping[Atom, _Shift]) -> list[_Shift | None]:
    """The shifts of the operands along the axes of the result; None for those without."""
    if op.keywords:
        raise _Unknown
    found = [_aligned(a, shifts[a], op.result) if a in shifts else None for a in op.args]
    if len({shift.axes for shift in found if shift is not None}) > 1:
        raise _Unknown
    return found


def _aligned(atom: Atom, shift: _Shift, result: Value) -> _Shift:
    own, dims = facts.dims(atom.fact), facts.dims(result.fact)
    assert own is not None
    assert dims is not None
    more = len(dims) - len(own)
    for axis, dim, wide in zip(shift.axes, own, dims[more:], strict=True):
        is_certain = dim != 1 if isinstance(dim, int) else dim.plural
        if axis is not None and dim != wide and not is_certain:
            raise _Unknown
    return replace(shift, axes=(*[None] * more, *shift.axes))


def _sum(op: Op, shifts: Mapping[Atom, _Shift]) -> _Shift:
    """Terms: the shifts add up; a common factor stays."""
    first, second = _operands(op, shifts)
    either = first or second
    assert either is not None
    if any(shift.is_factor for shift in (first, second) if shift is not None):
        if first != second:
            raise _Unknown
        return either
    times = (first.times if first else 0, second.times if second else 0)
    return replace(either, times=_computed(op.fn, *times))


def _product(op: Op, shifts: Mapping[Atom, _Shift]) -> _Shift:
    """Factors: the exponents add up; what is added is multiplied by a number."""
    first, second = _operands(op, shifts)
    either = first or second
    assert either is not None
    if not (first or either).is_factor or not (second or either).is_factor:
        return _multiple(op, first, second)
    times = (first.times if first else 0, second.times if second else 0)
    return replace(either, times=times[0] - times[1] if _divides(op) else sum(times))


def _multiple(op: Op, first: _Shift | None, second: _Shift | None) -> _Shift:
    number = op.args[1] if second is None else op.args[0]
    shift = first or second
    assert shift is not None
    known = isinstance(number, Const) and type(number.value) in (int, float) and number.value
    if not known or shift.is_factor or (_divides(op) and first is None):
        raise _Unknown
    assert isinstance(number, Const)
    return replace(shift, times=_computed(op.fn, shift.times, number.value))


def _computed(fn: Any, a: float, b: float) -> float:
    return float(fn(a, b))


def _divides(op: Op) -> bool:
    return op.fn in (operator.truediv, np.true_divide)


def _negative(op: Op, shifts: Mapping[Atom, _Shift]) -> _Shift:
    (shift,) = _operands(op, shifts)
    assert shift is not None
    return shift if shift.is_factor else replace(shift, times=-shift.times)


def _turned(is_factor: bool) -> Callable[[Op, Mapping[Atom, _Shift]], _Shift]:
    """Exponential and logarithm make a factor of what is added, and the other way round."""

    def rule(op: Op, shifts: Mapping[Atom, _Shift]) -> _Shift:
        shift, *more = _operands(op, shifts)
        if more or shift is None or shift.is_factor is is_factor:
            raise _Unknown
        return replace(shift, is_factor=is_factor)

    return rule


def _total(op: Op, shifts: Mapping[Atom, _Shift]) -> _Shift:
    """A sum or mean over axes along which a factor is the same."""
    shift = _reduced(op, shifts)
    if not shift.is_factor:
        raise _Unknown
    return shift


def _reduced(op: Op, shifts: Mapping[Atom, _Shift]) -> _Shift:
    """A reduction over axes along which the shift is the same."""
    array, *given = op.args
    named = dict(op.keywords)
    if array not in shifts or len(given) > 1 or not named.keys() <= {"axis", "keepdims"}:
        raise _Unknown
    axis = given[0] if given else named.get("axis", Const(None))
    keeps = named.get("keepdims", Const(False))
    if not isinstance(axis, Const) or not isinstance(keeps, Const):
        raise _Unknown
    shift, rank = shifts[array], len(shifts[array].axes)
    own = range(rank) if axis.value is None else axis.value
    reduced = {a % rank for a in (own if isinstance(own, (tuple, range)) else (own,))}
    if any(shift.axes[a] is not None for a in reduced):
        raise _Unknown
    kept = [(a, s) for a, s in enumerate(shift.axes) if keeps.value or a not in reduced]
    return replace(shift, axes=tuple(s for _, s in kept))


def _part(op: Op, shifts: Mapping[Atom, _Shift]) -> _Shift:
    """An index of whole axes, new axes, and numbers where the shift is the same."""
    array, index = op.args
    if array not in shifts or not isinstance(index, Const):
        raise _Unknown
    items = index.value if isinstance(index.value, tuple) else (index.value,)
    axes: list[int | None] = []
    left = list(shifts[array].axes)
    for item in items:
        if item is not None and type(item) not in (int, slice):
            raise _Unknown
        axis = left.pop(0) if item is not None and left else None
        if axis is not None and item != slice(None):
            raise _Unknown
        axes += [] if type(item) is int else [axis]
    return replace(shifts[array], axes=(*axes, *left))


def _unchanged(op: Op, shifts: Mapping[Atom, _Shift]) -> _Shift:
    """What depends on the shape only."""
    return _Shift((), 0)


_RULES: Mapping[Any, Callable[[Op, Mapping[Atom, _Shift]], _Shift]] = {
    **dict.fromkeys((operator.add, operator.sub), _sum),
    **dict.fromkeys((operator.mul, operator.truediv), _product),
    operator.neg: _negative,
    **dict.fromkeys((np.exp, math.exp), _turned(is_factor=True)),
    **dict.fromkeys((np.log, math.log), _turned(is_factor=False)),
    **dict.fromkeys((np.sum, np.mean), _total),
    **dict.fromkeys(_EXTREMES, _reduced),
    operator.getitem: _part,
    **dict.fromkeys((len, np.shape), _unchanged),
}
