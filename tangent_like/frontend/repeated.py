"""NumPy's functions that call a function many times, written out so that they can be inlined."""

from __future__ import annotations

from typing import Any

import numpy as np


def of_elements(f: Any, x: Any) -> Any:
    """np.vectorize(f)(x)."""
    return np.reshape(np.array([f(item) for item in np.ravel(x)]), np.shape(x))


def of_pairs(f: Any, x: Any, w: Any) -> Any:
    """np.vectorize(f)(x, w)."""
    a, b = np.broadcast_arrays(x, w)
    found = np.array([f(p, q) for p, q in zip(np.ravel(a), np.ravel(b))])
    return np.reshape(found, np.shape(a))


def of_triples(f: Any, x: Any, w: Any, u: Any) -> Any:
    """np.vectorize(f)(x, w, u)."""
    a, b, c = np.broadcast_arrays(x, w, u)
    found = np.array([f(p, q, r) for p, q, r in zip(np.ravel(a), np.ravel(b), np.ravel(c))])
    return np.reshape(found, np.shape(a))


def of_rows(f: Any, axis: Any, x: Any) -> Any:
    """np.apply_along_axis(f, axis, x), where `f` gives numbers or vectors."""
    moved = np.moveaxis(x, axis, -1)
    rows = np.reshape(moved, (-1, np.shape(moved)[-1]))
    found = np.array([f(row) for row in rows])
    outside = np.shape(moved)[:-1]
    if np.ndim(found) == 1:
        return np.reshape(found, outside)
    return np.moveaxis(np.reshape(found, outside + np.shape(found)[1:]), -1, axis)


def combined_at(f: Any, array: Any, index: Any, values: Any) -> None:
    """f.at(array, index, values), with as many values as indices."""
    for k in range(len(index)):
        array[index[k]] = f(array[index[k]], values[k])


def changed_at(f: Any, array: Any, index: Any) -> None:
    """f.at(array, index) of a function of one operand."""
    for k in range(len(index)):
        array[index[k]] = f(array[index[k]])
