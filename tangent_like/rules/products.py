"""Rules of products other than `dot` and `matmul`: outer, inner, tensordot, kron, cross, ..."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tangent_like import facts, infer, runtime
from tangent_like.einsum_runtime import of_tensordot, split
from tangent_like.errors import NotYetSupported
from tangent_like.ir import Atom
from tangent_like.rules.contraction import Factor, cotangent_of
from tangent_like.rules.reductions import conj, how
from tangent_like.rules.registry import bilinear, composed, linear, named
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, is_symbolic, rank, shaped_as

# --- vectors ----------------------------------------------------------------------------------


def _vector(x: Any) -> Any:
    return x if rank(x) == 1 else np.ravel(x)


def _shaped_as(g: Any, x: Any) -> Any:
    return g if rank(x) == 1 else np.reshape(g, np.shape(x))


bilinear(
    (np.outer, *named(np.linalg, "outer")),
    lambda g, x, w: _shaped_as(g @ _vector(w), x),
    lambda g, x, w: _shaped_as(_vector(x) @ g, w),
    samples=lambda: [(reals(2), reals(3, seed=1)), (reals(1), reals(2, seed=1))],
)
composed(
    np.inner,
    lambda x, w: np.dot(x, last_two_swapped(w)),
    samples=lambda: [
        (reals(3), reals(3, seed=1)),
        (reals(2, 3), reals(3, seed=1)),
        (reals(2, 3), reals(4, 3, seed=1)),
        (0.7, reals(3)),
    ],
)


def last_two_swapped(w: Any) -> Any:
    count = rank(w)
    if count is not None:
        return w if count < 2 else np.transpose(w) if count == 2 else np.swapaxes(w, -1, -2)
    return apply(runtime.last_two_swapped, w)


linear(
    runtime.last_two_swapped,
    lambda g, w: apply(runtime.last_two_swapped, g),
    samples=lambda: [(reals(3),), (reals(2, 3),), (reals(2, 3, 4),)],
)
composed(
    np.vdot,
    lambda x, w: np.dot(conj(_vector(x)), _vector(w)),
    samples=lambda: [(reals(3), reals(3, seed=1)), (reals(2, 2), reals(2, 2, seed=1))],
)


def _vecdot_samples() -> Any:
    x = reals(2, 3)
    return [
        (x, reals(2, 3, seed=1)), (x, reals(3, seed=1)), ((x, x + 1), {"axis": 0}),
        ((reals(3, 3), reals(3, seed=1)), {"axis": 0}),
    ]  # fmt: skip


def _vecdot(x: Any, w: Any, *, axis: Any = -1, keepdims: Any = False) -> Any:
    """An axis counted from the start is that one of each operand, however many it has."""
    if _counted_alike(axis, x, w):
        return np.sum(conj(x) * w, axis=axis, **how(keepdims))
    x, w = np.moveaxis(x, axis, -1), np.moveaxis(w, axis, -1)
    total = np.sum(conj(x) * w, axis=-1, **how(keepdims))
    return np.moveaxis(total, -1, axis) if keepdims else total


def _counted_alike(axis: Any, x: Any, w: Any) -> bool:
    """Whether an axis of one operand is the same axis of the other, when they are broadcast."""
    ranks_agree = rank(x) is not None and rank(x) == rank(w)
    return ranks_agree or (not is_symbolic(axis) and axis < 0)


composed(
    named(np, "vecdot"),
    _vecdot,
    samples=lambda: [
        *_vecdot_samples(), ((reals(2, 3), reals(3, seed=1)), {"axis": -1, "keepdims": True}),
    ],
)  # fmt: skip
composed(
    named(np.linalg, "vecdot"),
    lambda x, w, *, axis=-1: _vecdot(x, w, axis=axis),
    samples=_vecdot_samples,
)
composed(
    named(np, "matvec"),
    lambda a, x: np.matmul(a, x[..., None])[..., 0],
    samples=lambda: [
        (reals(2, 3), reals(3)),
        (reals(4, 2, 3), reals(3)),
        (reals(2, 3), reals(4, 3)),
    ],
)
composed(
    named(np, "vecmat"),
    lambda x, a: np.matmul(conj(x)[..., None, :], a)[..., 0, :],
    samples=lambda: [(reals(2), reals(2, 3)), (reals(4, 2), reals(2, 3))],
)


def _axes_of_cross(axisa: Any, axisb: Any, axisc: Any, axis: Any) -> tuple[Any, Any, Any]:
    return (axisa, axisb, axisc) if axis is None else (axis, axis, axis)


def _cross(x: Any, w: Any, axisa: Any, axisb: Any, axisc: Any) -> Any:
    if axisa == axisb == axisc:
        return np.cross(x, w) if axisa == -1 else np.cross(x, w, axis=axisa)
    return np.cross(x, w, axisa, axisb, axisc)


def _cross_left(
    g: Any, x: Any, w: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None
) -> Any:
    """g . (dx x w) = dx . (w x g)."""
    a, b, c = _axes_of_cross(axisa, axisb, axisc, axis)
    return _cross(w, g, b, c, _from_end(a, x, g))


def _cross_right(
    g: Any, x: Any, w: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None
) -> Any:
    """g . (x x dw) = dw . (g x x)."""
    a, b, c = _axes_of_cross(axisa, axisb, axisc, axis)
    return _cross(g, x, c, a, _from_end(b, w, g))


def _from_end(axis: Any, x: Any, g: Any) -> Any:
    """An axis of x counted so that it is found where axes stand in front that x is broadcast to."""
    return axis if _counted_alike(axis, x, g) else axis - np.ndim(x)


bilinear(
    named(np.linalg, "cross"),
    lambda g, x, w, *, axis=-1: _cross_left(g, x, w, axis=axis),
    lambda g, x, w, *, axis=-1: _cross_right(g, x, w, axis=axis),
    samples=lambda: [
        (reals(3), reals(3, seed=1)), ((reals(3, 2), reals(3, 2, seed=1)), {"axis": 0})
    ],
)
bilinear(
    (np.cross, runtime.cross),
    _cross_left,
    _cross_right,
    samples=lambda: [
        (reals(3), reals(3, seed=1)),
        (reals(2, 3), reals(3, seed=1)),
        ((reals(3, 2), reals(3, 2, seed=1)), {"axis": 0}),
        (reals(3, 2), reals(2, 3, seed=1), 0, 1, 0),
        ((reals(3, 3), reals(3, seed=1)), {"axis": 0}),
    ],
    note="of vectors of three numbers",
)


def _fact_of_cross(x: Atom, w: Atom, *axes: Atom, **named_axes: Atom) -> facts.Fact:
    """An axis has three numbers, which small examples cannot know."""
    a, b = facts.dims(x.fact), facts.dims(w.fact)
    if axes or named_axes or not a or not b:
        return facts.NUMERIC
    shape = infer.broadcast([a, b])
    types = facts.dtype(x.fact), facts.dtype(w.fact)
    return facts.Array(types[0] if types[0] == types[1] else None, shape)


for _crossing in (np.cross, runtime.cross, *named(np.linalg, "cross")):
    infer.special[_crossing] = _fact_of_cross

# --- sums over several axes -------------------------------------------------------------------


def _tensordot_labels(x: Any, w: Any, axes: Any) -> tuple[list[Factor], str] | None:
    """None where the number of axes, or which are summed over, is known at run time only."""
    n, m = rank(x), rank(w)
    if n is None or m is None or not _is_known(axes):
        return None
    (left, right), output = split(of_tensordot(n, m, axes))
    return [Factor(left, x), Factor(right, w)], output


def _is_known(tree: Any) -> bool:
    return all(map(_is_known, tree)) if isinstance(tree, (tuple, list)) else not is_symbolic(tree)


def _tensordot_left(g: Any, x: Any, w: Any, axes: Any = 2) -> Any:
    known = _tensordot_labels(x, w, axes)
    return cotangent_of(*known, g, 0) if known else apply(runtime.tensordot_left, g, x, w, axes)


def _tensordot_right(g: Any, x: Any, w: Any, axes: Any = 2) -> Any:
    known = _tensordot_labels(x, w, axes)
    return cotangent_of(*known, g, 1) if known else apply(runtime.tensordot_right, g, x, w, axes)


bilinear(
    np.tensordot,
    _tensordot_left,
    _tensordot_right,
    samples=lambda: [
        (reals(2, 3), reals(2, 3, seed=1)),
        (reals(2, 3), reals(3, 4, seed=1), 1),
        ((reals(2, 3, 4), reals(4, 2, seed=1)), {"axes": ((0, 2), (1, 0))}),
        ((reals(2, 3), reals(3, seed=1)), {"axes": (-1, 0)}),
        (reals(2), reals(3), 0),
    ],
)
composed(
    named(np.linalg, "tensordot"),
    lambda x, w, axes=2: np.tensordot(x, w, axes),
    samples=lambda: [((reals(2, 3), reals(3, 4, seed=1)), {"axes": 1})],
)
bilinear(
    runtime.tensordot_left,
    lambda h, g, x, w, axes: np.tensordot(h, w, axes),
    lambda h, g, x, w, axes: apply(runtime.tensordot_right, g, h, w, axes),
    wrt=(0, 2),
    samples=lambda: [(reals(2, 4), np.zeros((2, 3)), reals(3, 4), 1)],
)
bilinear(
    runtime.tensordot_right,
    lambda h, g, x, w, axes: np.tensordot(x, h, axes),
    lambda h, g, x, w, axes: apply(runtime.tensordot_left, g, x, h, axes),
    samples=lambda: [(reals(2, 4), reals(2, 3), np.zeros((3, 4)), 1)],
)
bilinear(
    np.kron,
    lambda g, x, w: apply(runtime.kron_left, g, x, w),
    lambda g, x, w: apply(runtime.kron_right, g, x, w),
    samples=lambda: [
        (reals(2, 3), reals(2, 2, seed=1)), (reals(2), reals(3)), (reals(2), reals(2, 2)),
        (reals(2, 2), reals(3)),
    ],
)  # fmt: skip
bilinear(
    runtime.kron_left,
    lambda h, g, x, w: np.kron(h, w),
    lambda h, g, x, w: apply(runtime.kron_right, g, h, w),
    wrt=(0, 2),
    samples=lambda: [(reals(4, 6), np.zeros((2, 3)), reals(2, 2))],
)
bilinear(
    runtime.kron_right,
    lambda h, g, x, w: np.kron(x, h),
    lambda h, g, x, w: apply(runtime.kron_left, g, x, h),
    samples=lambda: [(reals(4, 6), reals(2, 3), np.zeros((2, 2)))],
)

# --- facts of products whose examples would be long ---------------------------------------------


def _of_examples(product: Any, x: Atom, w: Atom) -> facts.Fact | None:
    """The fact of a product of few axes, which short examples tell."""
    a, b = facts.dims(x.fact), facts.dims(w.fact)
    if a is None or b is None or len(a) + len(b) <= 4:
        return infer.execute(product, (x, w), {})
    return None


def _type_of_product(x: Atom, w: Atom) -> str | None:
    types = {facts.dtype(x.fact), facts.dtype(w.fact)}
    return types.pop() if len(types) == 1 else None


def _length_of_product(lengths: Any) -> facts.Dim:
    """The product of lengths, of which at most one is not 1 where it is known."""
    several = [n for n in lengths if n != 1]
    return facts.fresh_size() if len(several) > 1 else several[0] if several else 1


def _fact_of_outer(x: Atom, w: Atom) -> facts.Fact:
    shape = (_length_of_product(facts.dims(each.fact) or ()) for each in (x, w))
    return _of_examples(np.outer, x, w) or facts.Array(_type_of_product(x, w), tuple(shape))


def _fact_of_kron(x: Atom, w: Atom) -> facts.Fact:
    """Each length is the product of two, counted from the last axis."""
    axes = (reversed(facts.dims(each.fact) or ()) for each in (x, w))
    shape = [_length_of_product(pair) for pair in itertools.zip_longest(*axes, fillvalue=1)]
    return _of_examples(np.kron, x, w) or facts.Array(_type_of_product(x, w), tuple(shape[::-1]))


infer.special[np.kron] = _fact_of_kron
for _outer in (np.outer, *named(np.linalg, "outer")):
    infer.special[_outer] = _fact_of_outer

# --- convolution ------------------------------------------------------------------------------


def _trimmed(full: Any, a: Any, v: Any, mode: Any, mirrored: Any = 0) -> Any:
    """The part of a full convolution that a mode keeps.

    Of an even number too many, "same" drops one more at the end; at the start if `mirrored`.
    """
    if mode == "full":
        return full
    longer, shorter = apply(max, np.size(a), np.size(v)), apply(min, np.size(a), np.size(v))
    if mode == "same":
        start = (shorter - 1 + mirrored) // 2
        return full[start : start + longer]
    if mode != "valid":
        raise NotYetSupported(f"the mode {mode!r}", hint='write "full", "same" or "valid"')
    return full[shorter - 1 : longer]


def _signal(x: Any) -> Any:
    """A number stands for a signal of length 1."""
    return x if rank(x) == 1 else np.ravel(x)


def _convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    a, v = _signal(a), _signal(v)
    return _trimmed(apply(runtime.convolve_full, a, v), a, v, mode)


def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    full = apply(runtime.convolve_full, a, conj(v)[::-1])
    return _trimmed(full, a, v, mode, np.size(v) > np.size(a))


def _convolution_samples() -> Any:
    x, w = reals(5), reals(3, seed=1)
    return [(x, w), (x, w, "same"), (x, w, "valid"), (w, x, "valid"), (x, reals(4), "same"),
            (reals(4), x, "same")]  # fmt: skip


bilinear(
    runtime.convolve_full,
    lambda g, a, v: shaped_as(np.correlate(g, conj(v), "valid"), a),
    lambda g, a, v: shaped_as(np.correlate(g, conj(a), "valid"), v),
    samples=lambda: [(reals(5), reals(3, seed=1)), (reals(2), reals(3))],
)
composed(
    np.convolve,
    _convolve,
    samples=lambda: [*_convolution_samples(), (reals(3), 0.7), (0.7, reals(3), "same")],
)
composed(np.correlate, _correlate, samples=_convolution_samples)

# --- chains and powers ------------------------------------------------------------------------


def _multi_dot(arrays: Any, out: Any = None) -> Any:
    product = arrays[0]
    for matrix in arrays[1:]:
        product = np.dot(product, matrix)
    return product


composed(
    np.linalg.multi_dot,
    _multi_dot,
    sequences=True,
    samples=lambda: [([reals(2, 3), reals(3, 2), reals(2, 4)],), ([reals(3), reals(3, 2)],)],
)


def _matrix_power(a: Any, n: Any) -> Any:
    if n == 0:
        return None
    base = a if n > 0 else np.linalg.inv(a)
    product, n = None, abs(n)
    while n:
        if n & 1:
            product = base if product is None else np.matmul(product, base)
        n >>= 1
        base = np.matmul(base, base) if n else base
    return product


composed(
    np.linalg.matrix_power,
    _matrix_power,
    samples=lambda: [(reals(2, 2), 3), (reals(2, 2), -2), (reals(3, 2, 2), 2), (reals(2, 2), 1)],
)
