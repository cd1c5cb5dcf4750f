"""Derivatives that Numba compiles."""
