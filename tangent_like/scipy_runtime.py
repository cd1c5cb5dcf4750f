"""Helpers that derivatives of SciPy's functions call; like `runtime`, it imports NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like.errors import NotYetSupported


def permutation(pivots: Any) -> Any:
    """The order in which the row interchanges of LAPACK leave the rows."""
    order = np.arange(len(pivots))
    for i, k in enumerate(pivots):
        order[[i, k]] = order[[k, i]]
    return order


def no_taller(x: Any) -> Any:
    """`x`, if it has no more rows than columns."""
    if np.shape(x)[-2] > np.shape(x)[-1]:
        raise NotYetSupported(
            "the derivative of a full `qr` of a matrix with more rows than columns",
            hint='give it `mode="economic"`',
        )
    return x


def residues(a: Any, b: Any) -> Any:
    """The sums of squares that SciPy's `lstsq` returns: none where the rank is not full."""
    from scipy import linalg  # noqa: PLC0415 - SciPy is an extra

    return np.asarray(linalg.lstsq(a, b)[1])


def fit(x: Any, like: Any) -> Any:
    """`x` if it has the shape of `like`, else zeros of that."""
    return x if np.shape(x) == np.shape(like) else np.zeros(np.shape(like), np.asarray(x).dtype)


# --- banded matrices: the diagonals of A as rows, ab[u + i - j, j] = A[i, j] ----------------------


def banded_transpose(bands: Any, ab: Any) -> Any:
    """The transpose of a banded matrix; `bands` are its numbers of lower and upper diagonals."""
    lower, upper = bands
    found = np.zeros((lower + upper + 1, ab.shape[1]), ab.dtype)
    for k in range(-lower, upper + 1):
        diagonal = ab[upper - k, max(k, 0) : ab.shape[1] + min(k, 0)]
        found[lower + k, max(-k, 0) : ab.shape[1] + min(-k, 0)] = diagonal
    return found


def banded_product(bands: Any, ab: Any, x: Any) -> Any:
    """A @ x for a banded matrix A and a vector or matrix x."""
    lower, upper = bands
    size = ab.shape[1]
    found = np.zeros(x.shape, np.result_type(ab, x))
    for k in range(-lower, upper + 1):
        rows, columns = _diagonal(k, size)
        part = ab[upper - k, columns]
        found[rows] += (part if x.ndim == 1 else part[:, None]) * x[columns]
    return found


def banded_outer(bands: Any, g: Any, x: Any) -> Any:
    """The diagonals of g x^T (summed over columns) that a banded matrix has."""
    lower, upper = bands
    size = x.shape[0]
    found = np.zeros((lower + upper + 1, size), np.result_type(g, x))
    for k in range(-lower, upper + 1):
        rows, columns = _diagonal(k, size)
        part = g[rows] * x[columns]
        found[upper - k, columns] = part if x.ndim == 1 else np.sum(part, axis=1)
    return found


def _diagonal(k: int, size: int) -> tuple[slice, slice]:
    """The rows and columns of the k-th diagonal: those above the main one have k > 0."""
    return slice(max(-k, 0), max(size - max(k, 0), 0)), slice(max(k, 0), max(size + min(k, 0), 0))
