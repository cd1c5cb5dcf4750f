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


def matrix(x: Any) -> Any:
    """`x`, if it is one matrix."""
    if np.ndim(x) != 2:
        raise NotYetSupported(
            "the derivative of a solution for a stack of matrices", hint="give it one matrix"
        )
    return x


def right_side(b: Any) -> Any:
    """`b`, if it holds numbers and is a vector or a matrix."""
    if np.ndim(b) > 2 or not np.size(b):
        raise NotYetSupported(
            "the derivative of `lu_solve` with a stack of right-hand sides, or with none",
            hint="solve for one after the other",
        )
    return b


def beside(a: Any, b: Any) -> Any:
    """`b`, if it is no vector that stands beside a stack of matrices `a`."""
    if np.ndim(a) > 2 and np.ndim(b) == 1:
        raise NotYetSupported(
            "the derivative of a solution for a stack of matrices and a vector",
            hint="give it a matrix of one column",
        )
    return b


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


# --- points of the simplex, a row for each component ----------------------------------------------


def completed(x: Any, alpha: Any) -> Any:
    """The components, with what is left of 1 as the last one where that is missing."""
    if np.shape(x)[0] == np.shape(alpha)[0]:
        return x
    return np.concatenate((x, 1 - np.sum(x, axis=0, keepdims=True)))


def completed_change(dx: Any, alpha: Any) -> Any:
    """How `completed` changes when its first operand does."""
    if np.shape(dx)[0] == np.shape(alpha)[0]:
        return dx
    return np.concatenate((dx, -np.sum(dx, axis=0, keepdims=True)))


def uncompleted(g: Any, x: Any) -> Any:
    """The transpose of `completed_change`."""
    return g if np.shape(g)[0] == np.shape(x)[0] else g[:-1] - g[-1]


def as_column_of(w: Any, x: Any) -> Any:
    """A number for each row of `x`, so that it multiplies the rows."""
    return np.reshape(w, (-1, *[1] * (np.ndim(x) - 1)))


# --- convolutions ---------------------------------------------------------------------------------


def convolve_left(g: Any, x: Any, w: Any, mode: str) -> Any:
    """The cotangent of x in SciPy's convolve(x, w, mode)."""
    from scipy import signal  # noqa: PLC0415 - SciPy is an extra

    return signal.correlate(_in_full(g, x, w, mode), np.conj(w), "valid")


def convolve_right(g: Any, x: Any, w: Any, mode: str) -> Any:
    """The cotangent of w in SciPy's convolve(x, w, mode)."""
    from scipy import signal  # noqa: PLC0415 - SciPy is an extra

    return signal.correlate(_in_full(g, x, w, mode), np.conj(x), "valid")


def _in_full(g: Any, x: Any, w: Any, mode: str) -> Any:
    """g in its place in the full convolution: "same" is as long as x and in the middle, "valid"
    where the two overlap entirely."""
    if not x.shape:
        return g
    shorter = [min(n, m) for n, m in zip(x.shape, w.shape, strict=True)]
    starts = [(m - 1) // 2 for m in w.shape] if mode == "same" else [k - 1 for k in shorter]
    full = [n + m - 1 for n, m in zip(x.shape, w.shape, strict=True)]
    places = zip(starts, g.shape, full, strict=True)
    return np.pad(g, [(start, end - start - length) for start, length, end in places])


# --- filters --------------------------------------------------------------------------------------


def lagged_sums(h: Any, x: Any, count: int, axis: int) -> Any:
    """The sums of h[n] x[n - k] for k = 0, 1, ..., count - 1."""
    h, x = np.moveaxis(h, axis, 0), np.moveaxis(x, axis, 0)
    return np.array([np.sum(h[k:] * x[: len(x) - k]) for k in range(count)])
