"""Rules of products: dot, matmul and their family."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tangent_like import runtime
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
    if None not in ranks and min(ranks) >= 2:
        return g @ np.swapaxes(w, -1, -2)
    return apply(runtime.matmul_left, g, x, w)


def _matmul_right(g: Any, x: Any, w: Any) -> Any:
    ranks = _ranks(x, w)
    if ranks == (1, 1):
        return g * x
    if ranks in ((2, 2), (2, 1)):
        return np.transpose(x) @ g
    if ranks == (1, 2):
        return np.outer(x, g)
    if None not in ranks and min(ranks) >= 2:
        return np.swapaxes(x, -1, -2) @ g
    return apply(runtime.matmul_right, g, x, w)


def _dot_left(g: Any, x: Any, w: Any) -> Any:
    ranks = _ranks(x, w)
    if 0 in ranks and None not in ranks:
        return g * w
    low = None not in ranks and max(ranks) <= 2
    return _matmul_left(g, x, w) if low else apply(runtime.dot_left, g, x, w)


def _dot_right(g: Any, x: Any, w: Any) -> Any:
    ranks = _ranks(x, w)
    if 0 in ranks and None not in ranks:
        return g * x
    low = None not in ranks and max(ranks) <= 2
    return _matmul_right(g, x, w) if low else apply(runtime.dot_right, g, x, w)


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
