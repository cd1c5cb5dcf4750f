"""Small arrays at which the tests check the rules."""

from __future__ import annotations

from typing import Any

import numpy as np


def reals(*shape: int, seed: int = 0) -> Any:
    """Numbers between -2 and 2, no two alike."""
    count = int(np.prod(shape))
    numbers = np.arange(1.0, count + 1)
    return 2.0 * np.sin(1.7 * numbers + 0.9 * numbers**2 + seed).reshape(shape)


def positive(*shape: int, seed: int = 0) -> Any:
    """Numbers between 0.4 and 2.4, no two alike."""
    return 1.4 + 0.5 * reals(*shape, seed=seed)


def complexes(*shape: int, seed: int = 0) -> Any:
    return reals(*shape, seed=seed) + 1j * reals(*shape, seed=seed + 5)
