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
    whole = np.zeros((height, width))
    entries = whole.reshape(-1)
    for offset, diagonal, begin in zip(offsets, diagonals, begins or (0,) * len(offsets)):
        is_array = isinstance(diagonal, np.ndarray)
        first = max(begin, -offset)
        end = min(begin + len(diagonal) if is_array else height, width - offset)
        if first < end:
            place = slice(first * (width + 1) + offset, end * (width + 1) + offset, width + 1)
            entries[place] = diagonal[first - begin : end - begin] if is_array else diagonal
    return whole
