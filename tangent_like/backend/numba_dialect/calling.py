"""Derivatives inside functions that Numba compiles."""

import numba  # noqa: F401
