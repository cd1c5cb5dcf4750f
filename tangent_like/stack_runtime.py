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
