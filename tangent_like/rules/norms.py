"""Rules of norms: the Euclidean one directly, the others by the formulas that define them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like.errors import NotYetSupported
from tangent_like.rules.masks import times
from tangent_like.rules.reductions import conj, expanded, nonzero, real_if
from tangent_like.rules.registry import composed, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply


def _is_euclidean(x: Any, order: Any, axis: Any) -> bool:
    if order is None or (isinstance(order, str) and order == "fro"):
        return True
    return isinstance(order, (int, float)) and order == 2 and not _of_matrices(x, axis)


def _of_matrices(x: Any, axis: Any) -> bool:
    """Whether the norm is one of matrices rather than of vectors."""
    if axis is None:
        return bool(np.ndim(x) == 2)
    return isinstance(axis, tuple) and len(axis) == 2


def _direction(y: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    """conj(x) / |x|, and 0 where x is 0."""
    return conj(x) / nonzero(expanded(y, axis, keepdims))


def _norm_tangent(
    tangents: Any, y: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    if not _is_euclidean(x, ord, axis):
        return NotImplemented
    terms = times(tangents[0], _direction(y, x, axis, keepdims))
    kept = {"keepdims": True} if keepdims is True else {}
    return real_if(y, apply(np.sum, terms, **({} if axis is None else {"axis": axis}), **kept))


def _norm_cotangent(
    g: Any, y: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    if not _is_euclidean(x, ord, axis):
        return NotImplemented
    return times(expanded(g, axis, keepdims), _direction(y, x, axis, keepdims))


def _norm_formula(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if not _of_matrices(x, axis):
        return _vector_norm(x, ord, axis, keepdims)
    if axis is not None:
        x = np.moveaxis(x, axis, (-2, -1))
    found = _matrix_norm(x, ord)
    return found if keepdims is not True else np.expand_dims(found, axis or (0, 1))


def _vector_norm(x: Any, order: Any, axis: Any, keepdims: Any) -> Any:
    how = {**({} if axis is None else {"axis": axis}), **({"keepdims": True} if keepdims else {})}
    if order == np.inf:
        return apply(np.max, np.abs(x), **how)
    if order == -np.inf:
        return apply(np.min, np.abs(x), **how)
    if order == 0:
        return None
    if order == 1:
        return apply(np.sum, np.abs(x), **how)
    return apply(np.sum, np.abs(x) ** order, **how) ** (1 / order)


def _matrix_norm(x: Any, order: Any) -> Any:
    if order in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.abs(x), axis=-2 if abs(order) == 1 else -1)
        return (np.max if order > 0 else np.min)(sums, axis=-1)
    if order in (2, -2, "nuc"):
        s = apply(np.linalg.svd, x, compute_uv=False)
        return (
            np.sum(s, axis=-1) if order == "nuc" else (np.max if order == 2 else np.min)(s, axis=-1)
        )
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
composed(
    named(np.linalg, "vector_norm"),
    lambda x, axis=None, keepdims=False, ord=2: np.linalg.norm(
        np.ravel(x) if axis is None else x, ord, axis=axis, **_kept(keepdims, axis)
    ),
    samples=lambda: [(reals(2, 3),), ((reals(2, 3),), {"axis": 0, "ord": 1})],
)
composed(
    named(np.linalg, "matrix_norm"),
    lambda x, keepdims=False, ord="fro": np.linalg.norm(
        x, ord, axis=(-2, -1), **_kept(keepdims, (-2, -1))
    ),
    samples=lambda: [(reals(2, 3),), ((reals(4, 2, 3),), {"ord": "nuc"})],
)


def _kept(keepdims: Any, axis: Any) -> dict[str, Any]:
    if keepdims is True and axis is None:
        raise NotYetSupported("`vector_norm` of all axes with `keepdims`")
    return {"keepdims": True} if keepdims is True else {}


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
