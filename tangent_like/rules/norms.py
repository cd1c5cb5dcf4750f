"""Rules of norms: the Euclidean one directly, the others by the formulas that define them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.errors import NotYetSupported
from tangent_like.rules.masks import times
from tangent_like.rules.reductions import conj, expanded, nonzero, real_if
from tangent_like.rules.registry import composed, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, rank


def _of_matrices(x: Any, axis: Any) -> bool:
    """Whether np.linalg.norm takes the norm of matrices rather than of vectors."""
    if axis is None:
        return bool(np.ndim(x) == 2)
    return isinstance(axis, tuple) and len(axis) == 2


def _partial(y: Any, x: Any, order: Any, axis: Any, keepdims: Any) -> Any:
    """The derivative of np.linalg.norm with respect to each element, None where it has none."""
    if order is None or (isinstance(order, str) and order == "fro"):
        return _partial_of_vectors(y, x, 2, axis, keepdims)
    return None if _of_matrices(x, axis) else _partial_of_vectors(y, x, order, axis, keepdims)


def _partial_of_vectors(y: Any, x: Any, order: Any, axis: Any, keepdims: Any) -> Any:
    """That of a norm of vectors, 0 where an element is 0; None where a formula serves."""
    if not isinstance(order, (int, float)) or order in (0, 1, np.inf, -np.inf):
        return None
    y = expanded(y, axis, keepdims)
    if order == 2:
        return conj(x) / nonzero(y)
    size = np.abs(x)
    real = facts.is_complex(x.fact) is False
    sign = apply(np.sign, x) if real else conj(x) / nonzero(size)
    if order > 1:
        return sign * (size / nonzero(y)) ** (order - 1)
    return sign * (y / nonzero(size)) ** (1 - order)


def _summed(tangents: Any, y: Any, partial: Any, axis: Any, keepdims: Any) -> Any:
    if partial is None:
        return NotImplemented
    terms = times(tangents[0], partial)
    kept = {"keepdims": True} if keepdims is True else {}
    return real_if(y, apply(np.sum, terms, **({} if axis is None else {"axis": axis}), **kept))


def _spread(g: Any, partial: Any, axis: Any, keepdims: Any) -> Any:
    return NotImplemented if partial is None else times(expanded(g, axis, keepdims), partial)


def _norm_tangent(
    tangents: Any, y: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    partial = _partial(y, x, ord, axis, keepdims)
    return _summed(tangents, y, partial, axis, keepdims)


def _norm_cotangent(
    g: Any, y: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    partial = _partial(y, x, ord, axis, keepdims)
    return _spread(g, partial, axis, keepdims)


def _norm_formula(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if not _of_matrices(x, axis):
        return _vector_norm(x, ord, axis, keepdims)
    if axis is not None:
        x = np.moveaxis(x, axis, (-2, -1))
    found = _matrix_norm(x, ord)
    return found if keepdims is not True else np.expand_dims(found, axis or (0, 1))


def _vector_norm(x: Any, order: Any, axis: Any, keepdims: Any) -> Any:
    """Of order 0, 1 or infinity: the others have partials."""
    how = {**({} if axis is None else {"axis": axis}), **({"keepdims": True} if keepdims else {})}
    if order == np.inf:
        return apply(np.max, np.abs(x), **how)
    if order == -np.inf:
        return apply(np.min, np.abs(x), **how)
    if order == 0:
        return None
    if order != 1:
        raise NotYetSupported(f"a norm of order {order!r}", hint="give a plain number")
    return apply(np.sum, np.abs(x), **how)


def _matrix_norm(x: Any, order: Any) -> Any:
    if order in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.abs(x), axis=-2 if abs(order) == 1 else -1)
        return (np.max if order > 0 else np.min)(sums, axis=-1)
    if order in (2, -2, "nuc"):
        s = np.abs(apply(np.linalg.svd, x, compute_uv=False))  # whose derivative is 0 at 0
        reduction = np.sum if order == "nuc" else np.max if order == 2 else np.min
        return reduction(s) if rank(x) == 2 else reduction(s, axis=-1)
    raise NotYetSupported(f"a matrix norm of order {order!r}")


def _samples() -> Any:
    x = reals(3, 4)
    orders = [
        ((x,), {"ord": order})
        for order in (None, "fro", 1, -1, 2, -2, "nuc", float("inf"), float("-inf"))
    ]
    vectors = [
        ((reals(4),), {"ord": order}) for order in (1, 2, 3, 1.5, float("inf"), float("-inf"), 0)
    ]
    axes = [
        ((x,), {"axis": 0}), ((x, 1), {"axis": 1, "keepdims": True}), ((x,), {"keepdims": True}),
        ((reals(2, 3, 4), "nuc"), {"axis": (0, 2)}), ((reals(2, 3, 4), 2), {"axis": 1}),
    ]  # fmt: skip
    return [*orders, *vectors, *axes]


rule(
    np.linalg.norm,
    jvp=_norm_tangent,
    vjp=_norm_cotangent,
    otherwise=_norm_formula,
    samples=_samples,
    note="0 where x is 0",
)


rule(
    named(np.linalg, "vector_norm"),
    jvp=lambda tangents, y, x, *, axis=None, keepdims=False, ord=2: _summed(
        tangents, y, _partial_of_vectors(y, x, ord, axis, keepdims), axis, keepdims
    ),
    vjp=lambda g, y, x, *, axis=None, keepdims=False, ord=2: _spread(
        g, _partial_of_vectors(y, x, ord, axis, keepdims), axis, keepdims
    ),
    otherwise=lambda x, *, axis=None, keepdims=False, ord=2: _vector_norm(x, ord, axis, keepdims),
    samples=lambda: [
        (reals(2, 3),), ((reals(2, 3),), {"axis": 0, "ord": 1}),
        ((reals(2, 3, 2),), {"axis": (0, -1), "ord": 3}), ((reals(2, 3),), {"keepdims": True}),
        ((reals(2, 3),), {"axis": (0, 1)}),
    ],
    note="0 where x is 0",
)  # fmt: skip
composed(
    named(np.linalg, "matrix_norm"),
    lambda x, keepdims=False, ord="fro": np.linalg.norm(
        x, ord, axis=(-2, -1), **({"keepdims": True} if keepdims is True else {})
    ),
    samples=lambda: [(reals(2, 3),), ((reals(4, 2, 3),), {"ord": "nuc"})],
)


def _condition_number(x: Any, p: Any = None) -> Any:
    if p is None or p in (2, -2):
        s = apply(np.linalg.svd, x, compute_uv=False)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    matrices = (-2, -1)
    return np.linalg.norm(x, p, axis=matrices) * np.linalg.norm(np.linalg.inv(x), p, axis=matrices)


composed(
    np.linalg.cond,
    _condition_number,
    samples=lambda: [(reals(3, 3),), (reals(3, 3), 1), (reals(3, 3), "fro"), (reals(2, 3, 3), -2)],
)
