"""Linear algebra on stacks of matrices, matrix by matrix: Numba's own takes one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from tangent_like.numba_runtime.writing import implements


def det(x: Any) -> Any:
    """The determinants of a stack of matrices."""
    return np.linalg.det(x)


def slogdet(x: Any) -> Any:
    """Signs and logarithms of the determinants of a stack of matrices."""
    return np.linalg.slogdet(x)


def inv(x: Any) -> Any:
    """The inverses of a stack of matrices."""
    return np.linalg.inv(x)


def cholesky(x: Any) -> Any:
    """The Cholesky factors of a stack of matrices."""
    return np.linalg.cholesky(x)


def solve(a: Any, b: Any) -> Any:
    """The solutions of a stack of systems."""
    return np.linalg.solve(a, b)


def trace(x: Any) -> Any:
    """The traces of a stack of matrices."""
    return np.trace(x, axis1=-2, axis2=-1)


def is_stack(x: Any) -> bool:
    """Whether a type is that of a stack of matrices of floats."""
    return isinstance(x, types.Array) and x.ndim == 3 and x.dtype == types.float64


@implements(det)
def _det(x: Any) -> Any:
    if not is_stack(x):
        return None

    def of_each(x: Any) -> Any:
        found = np.empty(len(x))
        for k in range(len(x)):
            found[k] = np.linalg.det(np.ascontiguousarray(x[k]))
        return found

    return of_each


@implements(slogdet)
def _slogdet(x: Any) -> Any:
    if not is_stack(x):
        return None

    def of_each(x: Any) -> Any:
        signs, found = np.empty(len(x)), np.empty(len(x))
        for k in range(len(x)):
            signs[k], found[k] = np.linalg.slogdet(np.ascontiguousarray(x[k]))
        return signs, found

    return of_each


@implements(inv)
def _inv(x: Any) -> Any:
    if not is_stack(x):
        return None

    def of_each(x: Any) -> Any:
        found = np.empty(x.shape)
        for k in range(len(x)):
            found[k] = np.linalg.inv(np.ascontiguousarray(x[k]))
        return found

    return of_each


@implements(cholesky)
def _cholesky(x: Any) -> Any:
    if not is_stack(x):
        return None

    def of_each(x: Any) -> Any:
        found = np.empty(x.shape)
        for k in range(len(x)):
            found[k] = np.linalg.cholesky(np.ascontiguousarray(x[k]))
        return found

    return of_each


@implements(solve)
def _solve(a: Any, b: Any) -> Any:
    if not is_stack(a) or not is_stack(b):
        return None

    def of_each(a: Any, b: Any) -> Any:
        found = np.empty((len(a), a.shape[1], b.shape[2]))
        for k in range(len(a)):
            found[k] = np.linalg.solve(np.ascontiguousarray(a[k]), np.ascontiguousarray(b[k]))
        return found

    return of_each


@implements(trace)
def _trace(x: Any) -> Any:
    if not is_stack(x):
        return None

    def of_each(x: Any) -> Any:
        found = np.empty(len(x))
        for k in range(len(x)):
            found[k] = np.trace(x[k])
        return found

    return of_each
