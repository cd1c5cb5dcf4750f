"""What generated code calls for many directions at once."""

from __future__ import annotations

from typing import Any

import numpy as np


def unbroadcast_each(g: Any, like: Any) -> Any:
    """The cotangents `g`, a stack of them, each summed to the shape of the operand `like`."""
    shape = np.shape(like)
    extra = np.ndim(g) - len(shape)
    ones = (i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    axes = (*range(1, extra), *ones)
    return np.sum(g, axis=axes).reshape((len(g), *shape)) if axes else g


def from_diagonals(
    rows: Any, columns: Any, offsets: tuple[int, ...], diagonals: Any, begins: Any = None
) -> Any:
    """The matrix with as many rows and columns as these vectors have elements, zero but for some
    diagonals: entries (i, i + o) for their offsets o, each diagonal from the row on where it
    begins, or one number for all rows."""
    height, width = len(rows), len(columns)
    entries = np.zeros(height * width)
    for k, offset in enumerate(offsets):
        diagonal, begin = diagonals[k], begins[k] if begins else 0
        is_array = isinstance(diagonal, np.ndarray)
        end = begin + len(diagonal) if is_array else height
        first = begin if begin + offset >= 0 else -offset  # `min` and `max` would take longer
        last = end if end + offset <= width else width - offset
        if first >= last:
            continue
        if is_array and last - first < end - begin:
            diagonal = diagonal[first - begin : last - begin]
        entries[first * (width + 1) + offset : last * (width + 1) + offset : width + 1] = diagonal
    return entries.reshape(height, width)
