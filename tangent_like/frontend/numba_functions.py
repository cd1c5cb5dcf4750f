"""Functions that Numba compiled, as the Python functions that they were made of."""

from __future__ import annotations

import sys
from typing import Any


def python_function(function: Any) -> Any:
    """What `@njit` compiled; `range` for Numba's `prange`; any other object as it is."""
    numba = sys.modules.get("numba")
    if numba is None:
        return function
    if function is numba.prange:
        return range
    if isinstance(function, numba.core.dispatcher.Dispatcher):
        return function.py_func
    return function
