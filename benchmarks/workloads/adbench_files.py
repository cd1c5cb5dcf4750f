"""Reading ADBench's data files, for `--data`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def numbers(path: Path) -> Any:
    return np.array(path.read_text().split(), dtype=float)


def taken(values: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """The values cut into arrays of these shapes, one after the other."""
    found, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        found.append(values[start : start + size].reshape(shape).copy())
        start += size
    return found


def read_gmm(path: Path) -> tuple[Any, ...]:
    """alphas, means, icf, x, γ and m from `d K n` and the numbers that follow."""
    values = numbers(path)
    d, k, n = map(int, values[:3])
    shapes = ((k,), (k, d), (k, d * (d + 1) // 2), (n, d), (2,))
    *arrays, prior = taken(values[3:], *shapes)
    return (*arrays, float(prior[0]), float(prior[1]))


def read_lstm(path: Path) -> tuple[Any, ...]:
    """Main and extra parameters, state and sequence from `layers steps width` and what follows."""
    values = numbers(path)
    layers, steps, b = map(int, values[:3])
    return tuple(taken(values[3:], (2 * layers, 4 * b), (3, b), (2 * layers, b), (steps, b)))
