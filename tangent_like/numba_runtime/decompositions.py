"""Helpers of derivatives of decompositions, for one matrix of floats at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from tangent_like import linalg_runtime, runtime
from tangent_like.numba_runtime.writing import implements


def is_matrix(x: Any) -> bool:
    """Whether a type is that of a matrix of floats."""
    return isinstance(x, types.Array) and x.ndim == 2 and x.dtype == types.float64


@implements(linalg_runtime.over_gaps)
def _over_gaps(x: Any, rows: Any, columns: Any, strict: Any) -> Any:
    if not is_matrix(x):
        return None

    def quotients(x: Any, rows: Any, columns: Any, strict: Any) -> Any:
        eps = 2.220446049250313e-16
        largest = 0.0
        for value in rows:
            largest = max(largest, abs(value))
        for value in columns:
            largest = max(largest, abs(value))
        least_gap = 16 * eps * x.shape[1] * largest
        least = np.sqrt(eps) * 1e-3 * (np.max(np.abs(x)) if x.size else 0.0)
        found = np.empty(x.shape)
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                gap = columns[j] - rows[i]
                if abs(gap) > least_gap:
                    found[i, j] = x[i, j] / gap
                elif i == j or (abs(x[i, j]) <= least and not strict):
                    found[i, j] = 0.0
                else:
                    found[i, j] = np.nan
        return found

    return quotients


@implements(linalg_runtime.skew)
def _skew(x: Any) -> Any:
    if not is_matrix(x):
        return None

    def half_difference(x: Any) -> Any:
        largest = np.max(np.abs(x)) if x.size else 0.0
        rounding = 8 * 2.220446049250313e-16 * x.shape[1] * largest
        found = np.zeros(x.shape)
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                value = (x[i, j] - x[j, i]) / 2
                if not abs(value) <= rounding:
                    found[i, j] = value
        return found

    return half_difference


@implements(linalg_runtime.thin)
def _thin(x: Any, s: Any) -> Any:
    if not is_matrix(x):
        return None

    def columns(x: Any, s: Any) -> Any:
        found = x[:, : len(s)].copy()
        if np.any(x[:, len(s) :] != 0):
            found[:] = np.nan
        return found

    return columns


@implements(linalg_runtime.squared)
def _squared(x: Any, unknown: Any) -> Any:
    if not is_matrix(x):
        return None

    def filled(x: Any, unknown: Any) -> Any:
        found = np.full((x.shape[0], x.shape[0]), np.nan if unknown else 0.0)
        found[:, : x.shape[1]] = x
        return found

    return filled


@implements(runtime.qr_of_tall)
def _qr_of_tall(x: Any) -> Any:
    return (lambda x: np.linalg.qr(np.ascontiguousarray(x))) if is_matrix(x) else None


@implements(runtime.residual_count)
def _residual_count(a: Any, b: Any) -> Any:
    if not is_matrix(a):
        return None
    return lambda a, b: np.linalg.lstsq(np.ascontiguousarray(a), np.ascontiguousarray(b))[1].size


@implements(linalg_runtime.cofactors_change)
def _cofactors_change(x: Any, dx: Any) -> Any:
    if not (is_matrix(x) and is_matrix(dx)):
        return None

    def cofactors_change(x: Any, dx: Any) -> Any:
        u, s, vh = np.linalg.svd(np.ascontiguousarray(x))
        turned = np.dot(u.T, np.dot(np.ascontiguousarray(dx), vh.T))
        inside = np.zeros(turned.shape)
        for i in range(len(s)):
            for j in range(len(s)):
                if i != j:
                    others = 1.0
                    for k in range(len(s)):
                        if k not in (i, j):
                            others *= s[k]
                    inside[i, i] += others * turned[j, j]
                    inside[i, j] -= others * turned[j, i]
        return np.linalg.det(np.dot(u, vh)) * np.dot(u, np.dot(inside, vh))

    return cofactors_change
