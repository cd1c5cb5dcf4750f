"""Rules of products: dot, matmul and their family."""

from __future__ import annotations

import operator
import string
from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.rules.contraction import Factor, cotangent_of
from tangent_like.rules.registry import bilinear, named
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, rank

# --- matmul and dot ---------------------------------------------------------------------------


def _matmul_left(g: Any, x: Any, w: Any) -> Any:
    ranks = _ranks(x, w)
    if ranks == (1, 1):
        return g * w
    if ranks in ((2, 2), (1, 2)):
        return g @ np.transpose(w)
    if ranks == (2, 1):
        return np.outer(g, w)
    if None not in ranks:
        return g @ np.swapaxes(w, -1, -2) if min(ranks) >= 2 else _with_vector(g, x, w, 0)
    return apply(runtime.matmul_left, g, x, w)


def _matmul_right(g: Any, x: Any, w: Any) -> Any:
    ranks = _ranks(x, w)
    if ranks == (1, 1):
        return g * x
    if ranks in ((2, 2), (2, 1)):
        return np.transpose(x) @ g
    if ranks == (1, 2):
        return np.outer(x, g)
    if None not in ranks:
        return np.swapaxes(x, -1, -2) @ g if min(ranks) >= 2 else _with_vector(g, x, w, 1)
    return apply(runtime.matmul_right, g, x, w)


def _dot_left(g: Any, x: Any, w: Any) -> Any:
    ranks = _ranks(x, w)
    if 0 in ranks and None not in ranks:
        return g * w
    if None in ranks:
        return apply(runtime.dot_left, g, x, w)
    return _matmul_left(g, x, w) if max(ranks) <= 2 else _of_dot(g, x, w, 0)


def _dot_right(g: Any, x: Any, w: Any) -> Any:
    ranks = _ranks(x, w)
    if 0 in ranks and None not in ranks:
        return g * x
    if None in ranks:
        return apply(runtime.dot_right, g, x, w)
    return _matmul_right(g, x, w) if max(ranks) <= 2 else _of_dot(g, x, w, 1)


def _with_vector(g: Any, x: Any, w: Any, i: int) -> Any:
    """The cotangent of one operand of a product of a vector and many matrices."""
    matrices = x if rank(w) == 1 else w
    batch = string.ascii_uppercase[: np.ndim(matrices) - 2]
    if rank(w) == 1:
        return cotangent_of([Factor(batch + "ij", x), Factor("j", w)], batch + "i", g, i)
    return cotangent_of([Factor("i", x), Factor(batch + "ij", w)], batch + "j", g, i)


def _of_dot(g: Any, x: Any, w: Any, i: int) -> Any:
    """The cotangent of one operand of np.dot: the last axis of x is summed with one of w."""
    left = string.ascii_lowercase[: np.ndim(x) - 1]
    right = string.ascii_uppercase[: np.ndim(w) - 1]
    factors = [Factor(left + "z", x), Factor(right[:-1] + "z" + right[-1:], w)]
    return cotangent_of(factors, left + right, g, i)


def _ranks(x: Any, w: Any) -> tuple[Any, Any]:
    return rank(x), rank(w)


def _matrix_samples() -> Any:
    return [
        (reals(2, 3), reals(3, 4, seed=1)),
        (reals(3), reals(3, seed=1)),
        (reals(2, 3), reals(3, seed=1)),
        (reals(3), reals(3, 4, seed=1)),
    ]


bilinear(
    (np.matmul, operator.matmul, *named(np.linalg, "matmul")),
    _matmul_left,
    _matmul_right,
    samples=lambda: [
        *_matrix_samples(),
        (reals(5, 2, 3), reals(3, 4, seed=1)),
        (reals(2, 3), reals(5, 3, 4, seed=1)),
        (reals(5, 1, 2, 3), reals(2, 3, 2, seed=1)),
        (reals(3), reals(5, 3, 2, seed=1)),
        (reals(5, 2, 3), reals(3, seed=1)),
    ],
)
bilinear(
    np.dot,
    _dot_left,
    _dot_right,
    samples=lambda: [
        *_matrix_samples(),
        (0.7, reals(2, 3)),
        (reals(2, 3), 0.7),
        (1.3, 0.7),
        (reals(2, 2, 3), reals(4, 3, 2, seed=1)),
        (reals(2, 2, 3), reals(3, seed=1)),
        (reals(3), reals(2, 3, 4, seed=1)),
    ],
)
