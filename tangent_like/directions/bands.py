"""Jacobians of which only some diagonals are not zero: an array for each diagonal gives them.

    def f_columns(x, dx):                 def f_columns(x):
        return dx[:, 1:] * x[:-1]   ──▶       return from_diagonals(x[1:], x, (1,), (x[:-1],))

Element i of what such a list returns depends on the elements i + o of the direction only, for some
offsets o, and linearly: on each it has a coefficient.  Arithmetic of arrays of one length keeps
the offsets, slices move them, and what is written into a part of an array moves them back.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.build import Builder
from tangent_like.facts import Array
from tangent_like.ir import Atom, Const, Function, Op, Value
from tangent_like.stack_runtime import from_diagonals
from tangent_like.stores import Store

Diagonals = Mapping[int, Atom]
"""By their offsets the coefficients of a vector: arrays as long as it is, or one number."""

_WIDEST = 16
"""Wider bands are taken for dense."""

_ZERO = Const(0.0)


class _Dense(Exception):
    """Nothing is known of the offsets."""


@dataclass(frozen=True, slots=True)
class _Band:
    """What depends on the direction; `like` is an array of the same length that does not."""

    like: Atom
    diagonals: Diagonals


@dataclass(eq=False, slots=True)
class _Change:
    """The list for the diagonals under construction."""

    builder: Builder
    bands: dict[Atom, _Band] = field(default_factory=dict)

    def of(self, atom: Atom) -> Diagonals:
        return self.bands[atom].diagonals if atom in self.bands else {}

    def each(self, diagonals: Diagonals, fn: Callable[..., Any], *others: Atom) -> Diagonals:
        """An operation on each coefficient, whose other operands are the same for all."""
        return {o: self.builder.op(fn, (c, *others)) for o, c in diagonals.items()}

    def shaped_like(self, zeros: Atom) -> Atom:
        """What zeros were made in the shape of, or they themselves."""
        made = self.builder.definitions.get(zeros) if isinstance(zeros, Value) else None
        return made.args[0] if made is not None and made.fn in _ZEROS else zeros

    def is_zero(self, atom: Atom) -> bool:
        """Whether what does not depend on the direction is certain to be zero."""
        if isinstance(atom, Const):
            return type(atom.value) in (int, float) and atom.value == 0
        made = self.builder.definitions.get(atom)
        if made is None:
            return False
        if isinstance(made.fn, Store) or made.fn is runtime.scatter_add:
            part = made.args[1 if isinstance(made.fn, Store) else 2]
            return self.is_zero(made.args[0]) and self.is_zero(part)
        if made.fn in (*_COPIES, operator.getitem):
            return self.is_zero(made.args[0])
        return made.fn in (*_ZEROS, np.zeros)


def banded(function: Function, direction: Value, x: Value) -> Function | None:
    """The list that returns the Jacobian with respect to `x`, from that of a product with one
    direction, the last parameter; None where the Jacobian is not known to be a band."""
    (result,) = function.body.results
    if _length(direction) is None or _length(result) is None:
        return None
    change = _Change(Builder(derivative=True), {direction: _Band(x, {0: Const(1.0)})})
    try:
        for statement in function.body.statements:
            change.builder.place = statement.place
            if change.bands.keys().isdisjoint(ir.free_values(ir.Block((statement,), ()))):
                change.builder.append(statement)
            else:
                _append(change, statement)
        found = change.bands[result]
    except (_Dense, KeyError):
        return None
    body = change.builder.finish((_matrix(change, found, x),))
    return replace(function, params=function.params[:-1], body=body)


def _matrix(change: _Change, band: _Band, x: Value) -> Atom:
    if not band.diagonals or max(band.diagonals) - min(band.diagonals) >= _WIDEST:
        raise _Dense
    offsets = tuple(sorted(band.diagonals))
    pieces = [_piece(change, band.diagonals[o]) for o in offsets]
    coefficients = change.builder.op(ir.make_tuple, [piece for piece, _ in pieces])
    rows = tuple(row for _, row in pieces)
    args = (band.like, x, Const(offsets), coefficients, *([Const(rows)] if any(rows) else []))
    whole = Value("", Array("float64", (facts.fresh_size(), facts.fresh_size())))
    change.builder.append(Op(whole, from_diagonals, args, derivative=True))
    return whole


def _piece(change: _Change, coefficient: Atom) -> tuple[Atom, int]:
    """What is not zero of an array that zeros were made for, and the row where that begins."""
    made = change.builder.definitions.get(coefficient) if isinstance(coefficient, Value) else None
    if made is None or not change.is_zero(made.args[0]):
        return coefficient, 0
    if made.fn is runtime.scatter_add:
        _, index, part = made.args
    elif isinstance(made.fn, Store) and made.fn.combine in (None, operator.add):
        _, part, index = made.args
    else:
        return coefficient, 0
    return (part, _start(index)) if _length(part) is not None else (coefficient, 0)


def _append(change: _Change, op: ir.Statement) -> None:
    """What becomes of a statement that reads something that depends on the direction."""
    if not isinstance(op, Op):
        raise _Dense
    if op.fn in _SHAPES_ONLY:
        (array,) = op.args
        change.builder.append(replace(op, args=(change.bands[array].like,)))
        return
    kind = Store if isinstance(op.fn, Store) else op.fn
    if kind not in _RULES or (op.keywords and op.fn not in _COPIES):
        raise _Dense
    if _length(op.result) is None or facts.dtype(op.result.fact) != "float64":
        raise _Dense
    change.bands[op.result] = found = _RULES[kind](change, op)
    for coefficient in found.diagonals.values():
        if isinstance(coefficient, Value) and not coefficient.name:
            coefficient.name = op.result.name


def _length(atom: Atom) -> facts.Dim | None:
    """How long an array with one axis is; None for what is none."""
    dims = facts.dims(atom.fact)
    return dims[0] if isinstance(atom.fact, Array) and dims and len(dims) == 1 else None


def _together(change: _Change, op: Op) -> _Band:
    """What depends on the direction in an operation element by element: as long as the result."""
    depending = [atom for atom in op.args if atom in change.bands]
    if any(_length(atom) != _length(op.result) for atom in depending):
        raise _Dense
    return change.bands[depending[0]]


def _factor(change: _Change, atom: Atom, like: Atom) -> Atom:
    """A number, or an array as long as `like`: it may have one element before."""
    if facts.dims(atom.fact) == () or _length(atom) == _length(like):
        return atom
    return change.builder.op(np.broadcast_to, (atom, change.builder.op(np.shape, (like,))))


def _zero_or_depends(change: _Change, *atoms: Atom) -> None:
    if not all(atom in change.bands or change.is_zero(atom) for atom in atoms):
        raise _Dense


def _sum(change: _Change, op: Op) -> _Band:
    """A sum or difference: offsets of one operand alone keep their coefficients."""
    like = _together(change, op).like
    _zero_or_depends(change, *op.args)
    first, second = map(change.of, op.args)
    sign = operator.sub if op.fn in (operator.sub, np.subtract) else operator.add
    return _Band(like, _combined(change, first, second, sign))


def _combined(
    change: _Change, first: Diagonals, second: Diagonals, sign: Callable[..., Any]
) -> Diagonals:
    found = dict(first)
    for offset, coefficient in second.items():
        if offset in first:
            found[offset] = change.builder.op(sign, (first[offset], coefficient))
        elif sign is operator.sub:
            found[offset] = change.builder.op(operator.neg, (coefficient,))
        else:
            found[offset] = coefficient
    return found


def _product(change: _Change, op: Op) -> _Band:
    band, (depends, factor) = _together(change, op), op.args
    if op.fn in (operator.mul, np.multiply) and depends not in change.bands:
        depends, factor = factor, depends
    if factor in change.bands or depends not in change.bands:
        raise _Dense
    factor = _factor(change, factor, band.like)
    return _Band(band.like, change.each(band.diagonals, op.fn, factor))


def _alone(change: _Change, op: Op) -> _Band:
    """The operation on each coefficient."""
    band = _together(change, op)
    return _Band(band.like, change.each(band.diagonals, op.fn))


def _same(change: _Change, op: Op) -> _Band:
    return change.bands[op.args[0]]


def _where(change: _Change, op: Op) -> _Band:
    like = _together(change, op).like
    test, *sides = op.args
    _zero_or_depends(change, *sides)
    then, orelse = map(change.of, sides)
    if test in change.bands:
        raise _Dense
    test = _factor(change, test, like)
    return _Band(like, {
        o: change.builder.op(np.where, (test, then.get(o, _ZERO), orelse.get(o, _ZERO)))
        for o in {**then, **orelse}
    })  # fmt: skip


def _part(change: _Change, op: Op) -> _Band:
    array, index = op.args
    return _taken(change, change.bands[array], index)


def _taken(change: _Change, band: _Band, index: Atom) -> _Band:
    """A part of a vector."""
    moved = _moved(band.diagonals, _start(index))
    like = change.builder.op(operator.getitem, (band.like, index))
    return _Band(like, {o: _part_of(change, c, index) for o, c in moved.items()})


def _part_of(change: _Change, coefficient: Atom, index: Atom) -> Atom:
    if facts.dims(coefficient.fact) == ():
        return coefficient
    return change.builder.op(operator.getitem, (coefficient, index))


def _difference(change: _Change, op: Op) -> _Band:
    array, *count = op.args
    times = count[0] if count else Const(1)
    if len(count) > 1 or not isinstance(times, Const) or type(times.value) is not int:
        raise _Dense
    band = change.bands[array]
    for _ in range(times.value):
        later, sooner = (
            _taken(change, band, Const(s)) for s in (slice(1, None), slice(None, -1))
        )
        found = _combined(change, later.diagonals, sooner.diagonals, operator.sub)
        band = _Band(later.like, found)
    return band


def _added(change: _Change, op: Op) -> _Band:
    array, index, part = op.args
    return _with_part(change, op, (array, part, index), runtime.scatter_add)


def _stored(change: _Change, op: Op) -> _Band:
    store, (array, part, *steps) = op.fn, op.args
    assert isinstance(store, Store)
    if store.path != (operator.getitem,) or store.combine not in (None, operator.add, operator.sub):
        raise _Dense
    return _with_part(change, op, (array, part, steps[0]), store)


def _with_part(
    change: _Change, op: Op, operands: tuple[Atom, Atom, Atom], fn: Callable[..., Any]
) -> _Band:
    """An array into which a part of just the length of its place is written."""
    array, part, index = operands
    _zero_or_depends(change, array, part)
    place = infer.infer(operator.getitem, (array, index), {})
    lengths = facts.dims(part.fact)
    if lengths and (facts.dims(place) is None or facts.dims(place) != lengths):
        raise _Dense
    like = change.bands[array].like if array in change.bands else change.shaped_like(array)
    before = change.of(array)
    written = _moved(change.of(part), -_start(index))
    overwrites = isinstance(fn, Store) and fn.combine is None
    found = dict(before)
    for offset in {**before, **written} if overwrites else written:
        whole = _whole(change, before.get(offset, _ZERO), like)
        value = written.get(offset, _ZERO)
        ordered = (whole, value, index) if isinstance(fn, Store) else (whole, index, value)
        found[offset] = change.builder.op(fn, ordered)
    return _Band(like, found)


def _whole(change: _Change, coefficient: Atom, like: Atom) -> Atom:
    """A coefficient as an array."""
    if change.is_zero(coefficient):
        return change.builder.op(runtime.zeros_like, (like,))
    if facts.dims(coefficient.fact) == ():
        return change.builder.op(np.full, (change.builder.op(len, (like,)), coefficient))
    return coefficient


def _moved(diagonals: Diagonals, by: int) -> Diagonals:
    return {offset + by: coefficient for offset, coefficient in diagonals.items()}


def _start(index: Atom) -> int:
    """Where a slice begins, counted from the front."""
    part = index.value if isinstance(index, Const) else None
    if not isinstance(part, slice) or part.step not in (None, 1):
        raise _Dense
    start = 0 if part.start is None else part.start
    if type(start) is not int or start < 0:
        raise _Dense
    return start


_ZEROS = (runtime.zeros_like, np.zeros_like)
_SHAPES_ONLY = (*_ZEROS, np.ones_like, np.shape, len)
"""What depends on the shape of an operand only."""

_COPIES = (runtime.copy, np.copy)
_RULES: Mapping[Any, Callable[[_Change, Op], _Band]] = {
    **dict.fromkeys((operator.add, operator.sub, np.add, np.subtract), _sum),
    **dict.fromkeys((operator.mul, operator.truediv, np.multiply, np.true_divide), _product),
    **dict.fromkeys((operator.neg, np.negative), _alone),
    **dict.fromkeys((operator.pos, np.positive, *_COPIES), _same),
    np.where: _where,
    operator.getitem: _part,
    np.diff: _difference,
    runtime.scatter_add: _added,
    Store: _stored,
}  # fmt: skip
