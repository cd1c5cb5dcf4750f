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


def from_diagonals(rows: Any, columns: Any, offsets: tuple[int, ...], diagonals: Any) -> Any:
    """The matrix with as many rows and columns as these vectors have elements, whose entries
    (i, i + o) are the elements i of the diagonal that belongs to the offset o, or one number."""
    height, width = len(rows), len(columns)
    whole = np.zeros((height, width))
    entries = whole.reshape(-1)
    for offset, diagonal in zip(offsets, diagonals, strict=True):
        first, end = max(0, -offset), min(height, width - offset)
        if first < end:
            place = slice(first * (width + 1) + offset, end * width + end + offset, width + 1)
            entries[place] = diagonal[first:end] if isinstance(diagonal, np.ndarray) else diagonal
    return whole
