"""Rules of the helpers in `runtime.py`, so that derivatives of derivatives work."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import facts, infer, list_runtime, runtime
from tangent_like.facts import Fact
from tangent_like.ir import Atom, Const
from tangent_like.rules.registry import bilinear, constant, linear
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply

# --- shapes and types -------------------------------------------------------------------------

linear(
    runtime.unbroadcast,
    lambda g, x, like: apply(runtime.broadcast_like, g, x),
    sequences=True,
    samples=lambda: [(reals(2, 3), reals(3)), (reals(2, 3), reals(2, 1)), (reals(2), 1.0)],
)
linear(
    runtime.broadcast_like,
    lambda g, x, like: apply(runtime.unbroadcast, g, x),
    sequences=True,
    samples=lambda: [(reals(3), reals(2, 3)), (reals(2, 1), reals(2, 3)), (0.7, reals(2))],
)
linear(
    runtime.as_type,
    lambda g, x, like: apply(runtime.as_type, g, x),
    sequences=True,
    samples=lambda: [(reals(3), reals(3)), (0.7, 1.0)],
)
linear(
    runtime.add,
    lambda g, a, b: (g, g),
    wrt=(0, 1),
    sequences=True,
    samples=lambda: [(reals(3), reals(3))],
)
linear(runtime.nonempty, lambda g, x: g, samples=lambda: [(reals(3),)])
linear(runtime.beside_numbers, lambda g, x, w: g, samples=lambda: [(reals(3), reals(2))])
linear(runtime.with_axes, lambda g, x, fewest, most=64: g, samples=lambda: [(reals(3), 1)])
linear(tuple, lambda g, x: g, sequences=True, samples=lambda: [([0.7, -0.3],)])
linear(list, lambda g, x: apply(tuple, g), sequences=True, samples=lambda: [((0.7, -0.3),)])
linear(list_runtime.lists_of, lambda g, x: g, sequences=True, samples=lambda: [((0.7, -0.3),)])
linear(runtime.copy, lambda g, x: g, sequences=True, samples=lambda: [(reals(3),), (0.7,)])
linear(
    runtime.of_last_written,
    lambda g, x, array, index: apply(runtime.of_last_written, g, array, index),
    samples=lambda: [
        (reals(3), reals(4), np.array([1, 1, 0])),
        (reals(2, 3), reals(2, 4), (slice(None), np.array([1, 0, 1]))),
    ],
)
linear(
    runtime.repeated,
    lambda g, items, count: apply(runtime.fold_repeats, g, items),
    sequences=True,
    samples=lambda: [([0.7, -0.3], 3), ([0.7], 2)],
)
linear(
    runtime.fold_repeats,
    lambda h, g, items: apply(runtime.repeat_to, h, g),
    sequences=True,
    samples=lambda: [([0.7, -0.3, 0.1, 0.9], [0.2, 0.5])],
)
linear(
    runtime.repeat_to,
    lambda g, items, longer: apply(runtime.fold_repeats, g, items),
    sequences=True,
    samples=lambda: [([0.2, 0.5], [0.7, -0.3, 0.1, 0.9])],
)
constant(runtime.zeros_like, runtime.zero_list, list_runtime.zero_lists)
constant(runtime.check_separate, runtime.check_apart, runtime.check_in_order)

# --- products of operands whose number of axes is not known -----------------------------------

bilinear(
    runtime.matmul_left,
    lambda h, g, x, w: np.matmul(h, w),
    lambda h, g, x, w: apply(runtime.matmul_right, g, h, w),
    wrt=(0, 2),
    samples=lambda: [(reals(2, 4), reals(2, 3), reals(3, 4)), (reals(2), reals(2, 3), reals(3))],
)
bilinear(
    runtime.matmul_right,
    lambda h, g, x, w: np.matmul(x, h),
    lambda h, g, x, w: apply(runtime.matmul_left, g, x, h),
    samples=lambda: [(reals(2, 4), reals(2, 3), reals(3, 4)), (reals(2), reals(2, 3), reals(3))],
)
bilinear(
    runtime.dot_left,
    lambda h, g, x, w: np.dot(h, w),
    lambda h, g, x, w: apply(runtime.dot_right, g, h, w),
    wrt=(0, 2),
    samples=lambda: [(reals(2, 4), reals(2, 3), reals(3, 4)), (0.3, reals(3), reals(3))],
)
bilinear(
    runtime.dot_right,
    lambda h, g, x, w: np.dot(x, h),
    lambda h, g, x, w: apply(runtime.dot_left, g, x, h),
    samples=lambda: [(reals(2, 4), reals(2, 3), reals(3, 4)), (0.3, reals(3), reals(3))],
)

# --- facts of the results ---------------------------------------------------------------------


def shaped(shape_of: Atom, type_of: Atom) -> Fact:
    """The shape of one operand, the element type of another."""
    if isinstance(shape_of.fact, (facts.Tuple, facts.List, facts.ListOf)):
        return facts.UNKNOWN
    sizes, dtype = facts.dims(shape_of.fact), facts.dtype(type_of.fact)
    if sizes is None:
        return facts.UNKNOWN
    if dtype is not None and not dtype.startswith(("float", "complex")):
        dtype = None
    return infer.array_of(dtype, sizes)


def _is_long(x: Atom) -> bool:
    return facts.dtype(x.fact) not in (None, *infer.SHORT)


infer.special[runtime.nonempty] = lambda x: x.fact
infer.special[runtime.beside_numbers] = lambda x, w: x.fact
infer.special[runtime.with_axes] = lambda x, fewest, most=64: x.fact
infer.special[runtime.unbroadcast] = lambda g, like: shaped(like, like)
infer.special[runtime.broadcast_like] = lambda g, like: shaped(like, g if _is_long(like) else like)
infer.special[runtime.as_type] = shaped
infer.special[runtime.zeros_like] = lambda x: shaped(x, x)
infer.special[runtime.placed] = lambda x, mask, values: shaped(x, x)
infer.special[runtime.scatter_add] = lambda x, index, g: shaped(x, x)
infer.special[runtime.move_back] = lambda g, source, x: shaped(x, g)
infer.special[runtime.untake] = lambda g, indices, x, *how: shaped(x, g)
infer.special[runtime.untake_along_axis] = lambda g, indices, x, axis: shaped(x, g)
for _left in (runtime.matmul_left, runtime.dot_left, runtime.tensordot_left, runtime.kron_left):
    infer.special[_left] = lambda g, x, w, *axes: shaped(x, x)
for _right in (
    runtime.matmul_right, runtime.dot_right, runtime.tensordot_right, runtime.kron_right,
):  # fmt: skip
    infer.special[_right] = lambda g, x, w, *axes: shaped(w, w)


def _unknown_length(*operands: Any, **keywords: Any) -> Fact:
    """The fact of what has a shape or a type that depends on values."""
    return facts.NUMERIC


for _function in (
    np.unique, np.extract, np.compress, np.flatnonzero, np.argwhere, np.trim_zeros, np.union1d,
    np.intersect1d, np.setdiff1d, np.setxor1d, np.bincount, np.roots, np.real_if_close,
    np.linalg.eigvals, np.delete, np.polymul, runtime.first_places,
):  # fmt: skip
    infer.special[_function] = _unknown_length


def _range(*bounds: Atom, **keywords: Any) -> Fact:
    """Lengths follow from integers only."""
    if all(isinstance(b, Const) or _is_integer(b) for b in bounds):
        return infer.execute(np.arange, bounds, keywords)
    return facts.Array(None, (facts.fresh_size(),))


def _is_integer(atom: Atom) -> bool:
    return isinstance(atom.fact, facts.Scalar) and atom.fact.type == "int"


infer.special[np.arange] = _range
infer.special[runtime.numbers_of_range] = lambda *bounds: facts.Array(
    "float64", (facts.fresh_size(),)
)


def _pair_of_arrays(*operands: Any, **keywords: Any) -> Fact:
    return facts.Tuple((facts.NUMERIC, facts.NUMERIC))


infer.special[np.linalg.eig] = _pair_of_arrays
infer.special[np.nonzero] = lambda *operands, **keywords: facts.UNKNOWN


def _squeezed(x: Atom, axis: Any = None, **keywords: Any) -> Fact:
    """Which axes have length 1 is known only where the lengths are."""
    sizes = facts.dims(x.fact)
    if sizes is None or (axis is None and not all(_certain(size) for size in sizes)):
        return facts.Array(facts.dtype(x.fact), None) if sizes is not None else facts.UNKNOWN
    named = {"axis": axis} if axis is not None else {}
    return infer.execute(np.squeeze, (x,), named)


def _certain(size: facts.Dim) -> bool:
    return isinstance(size, int) or size.plural


infer.special[np.squeeze] = _squeezed


def _reshaped(x: Atom, shape: Atom, *order: Atom, **options: Any) -> Fact:
    """A shape that is written out need not fit the small examples of abstract execution."""
    sizes = _sizes(shape)
    if sizes is None or facts.dtype(x.fact) is None:
        return infer.execute(np.reshape, (x, shape, *order), options)
    return facts.Array(facts.dtype(x.fact), sizes)


def _sizes(shape: Atom) -> tuple[Any, ...] | None:
    """The lengths that a shape says, where it says all of them."""
    if isinstance(shape, Const):
        wanted = (shape.value,) if isinstance(shape.value, int) else shape.value
        known = isinstance(wanted, tuple) and all(type(n) is int and n >= 0 for n in wanted)
        return wanted if known else None
    if not isinstance(shape.fact, facts.Tuple):
        return None
    sizes = [item.size if isinstance(item, facts.Scalar) else None for item in shape.fact.items]
    known = all(size is not None and (not isinstance(size, int) or size >= 0) for size in sizes)
    return tuple(sizes) if known else None


infer.special[np.reshape] = _reshaped


def _split_facts(x: Atom, parts: Atom, axis: Any = None, **options: Any) -> Fact:
    """As many parts as are asked for; along the axis all of one length, where it divides."""
    count, place = _constant(parts), 0 if axis is None else _constant(axis)
    sizes = facts.dims(x.fact)
    if not isinstance(count, int) or not isinstance(place, int) or not sizes:
        return facts.UNKNOWN
    lengths = list(sizes)
    lengths[place] = facts.fresh_size()
    return facts.List((facts.Array(facts.dtype(x.fact), tuple(lengths)),) * count)


def _constant(atom: Any) -> Any:
    return atom.value if isinstance(atom, Const) else None


def _uneven_facts(x: Atom, parts: Atom, axis: Any = None) -> Fact:
    """The same, with parts of lengths of their own."""
    found = _split_facts(x, parts, axis)
    if not isinstance(found, facts.List):
        return found
    return facts.List(tuple(map(facts.with_fresh_sizes, found.items)))


infer.special[np.split] = _split_facts
infer.special[np.array_split] = _uneven_facts
infer.special[np.vsplit] = _split_facts
infer.special[np.hsplit] = lambda x, parts: _split_facts(
    x, parts, Const(0 if facts.rank(x.fact) == 1 else 1)
)
infer.special[np.dsplit] = lambda x, parts: _split_facts(x, parts, Const(2))
infer.special[np.where] = lambda *operands, **keywords: (
    infer.execute(np.where, operands, keywords) if len(operands) == 3 else facts.UNKNOWN
)
