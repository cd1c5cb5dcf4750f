"""What generated code calls for many directions at once."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np


def unbroadcast_each(g: Any, like: Any) -> Any:
    """The cotangents `g`, a stack of them, each summed to the shape of the operand `like`."""
    shape = np.shape(like)
    extra = np.ndim(g) - len(shape)
    ones = (i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    axes = (*range(1, extra), *ones)
    return np.sum(g, axis=axes).reshape((len(g), *shape)) if axes else g


def combs(x: Any, width: int) -> Any:
    """`width` directions like the vector `x`, the c-th one with ones in places c, c + width, ..."""
    return _combs(len(x), width)


@functools.lru_cache(maxsize=8)
def _combs(length: int, width: int) -> Any:
    directions = np.zeros((width, length))
    for c in range(width):
        directions[c, c::width] = 1.0
    directions.flags.writeable = False
    return directions


def from_band(y: Any, lowest: int, x: Any) -> Any:
    """The Jacobian from its products `y` with combs like `x`: entries (i, i + o) are not zero for
    as many offsets o from `lowest` as there are combs."""
    places, sources = _places_of_band(y.shape[1], len(x), lowest, len(y))
    whole = np.zeros((y.shape[1], len(x)))
    whole.reshape(-1)[places] = y.reshape(-1)[sources]
    return whole


@functools.lru_cache(maxsize=8)
def _places_of_band(rows: int, columns: int, lowest: int, width: int) -> tuple[Any, Any]:
    """Where the entries of a band lie in a matrix, and where in its products with combs."""
    i = np.repeat(np.arange(rows), width)
    j = i + lowest + np.tile(np.arange(width), rows)
    i, j = (index[(j >= 0) & (j < columns)] for index in (i, j))
    return i * columns + j, j % width * rows + i
