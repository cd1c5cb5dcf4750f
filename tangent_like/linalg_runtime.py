"""Helpers of derivatives of linear algebra, which generated code may call."""

from __future__ import annotations

from typing import Any

import numpy as np


def over_gaps(x: Any, rows: Any, columns: Any, strict: bool) -> Any:
    """x_ij / (columns_j - rows_i) for each matrix in x, and 0 on the diagonal where that is 0 / 0.

    Elsewhere, where the difference is 0 but for rounding: 0 if x_ij is 0 but for rounding, since
    nothing asks how the vectors that belong to equal values turn into one another, and NaN if it
    is not, or if the call is `strict`.
    """
    gaps = columns[..., None, :] - rows[..., :, None]
    eps = np.finfo(gaps.dtype).eps
    largest = np.maximum(_largest(rows, -1), _largest(columns, -1))[..., None, None]
    equal = np.abs(gaps) <= 16 * eps * x.shape[-1] * largest
    found = x / np.where(equal, 1, gaps)
    size = np.abs(x)
    nothing = size <= np.sqrt(eps) * 1e-3 * _largest(size, (-2, -1))[..., None, None]
    zero = np.eye(x.shape[-2], x.shape[-1], dtype=bool) | (nothing & (not strict))
    found[equal & zero] = 0
    found[equal & ~zero] = np.nan
    return found


def skew(x: Any) -> Any:
    """(x - x^H) / 2 of each matrix in x, and 0 where that is nothing but rounding: divided by the
    difference of two equal numbers it would not be nothing."""
    found = (x - np.conj(np.swapaxes(x, -1, -2))) / 2
    rounding = 8 * np.finfo(found.dtype).eps * x.shape[-1] * _largest(x, (-2, -1))
    return np.where(np.abs(found) <= rounding[..., None, None], 0, found)


def thin(x: Any, s: Any) -> Any:
    """As many columns of `x` as there are numbers in `s`, NaN where any other is not 0.

    Of an orthonormal basis the first columns follow from a matrix; what the rest of the space is
    spanned by is the library's choice, so a function of these columns has no derivative that could
    be told from them.
    """
    count = s.shape[-1]
    chosen = np.any(x[..., count:] != 0, axis=(-2, -1), keepdims=True)
    return np.where(chosen, np.nan, x[..., :count])


def squared(x: Any, unknown: bool) -> Any:
    """A square matrix: `x`, and columns of NaN behind, or of zeros where these are known."""
    found = np.full((*x.shape[:-1], x.shape[-2]), np.nan if unknown else 0.0, x.dtype)
    found[..., : x.shape[-1]] = x
    return found


def _largest(x: Any, axis: Any) -> Any:
    return np.max(np.abs(x), axis=axis, initial=0.0)


def cofactors_change(x: Any, dx: Any) -> Any:
    """The derivative of the cofactors of x along dx, also of singular matrices.

    From x = U S V^H it is that of the cofactors of S along F = U^H dx V: with P_ij the product of
    the singular values but for those of i and j, the sum of P_ij F_jj on the diagonal, and
    -P_ij F_ji beside it.
    """
    u, s, vh = np.linalg.svd(x)
    sign = np.linalg.det(np.matmul(u, vh))[..., None, None]
    uh, v = np.conj(np.swapaxes(u, -1, -2)), np.conj(np.swapaxes(vh, -1, -2))
    turned = np.matmul(uh, np.matmul(dx, v))
    products = _products_of_others(s)
    diagonal = np.matmul(products, np.diagonal(turned, axis1=-2, axis2=-1)[..., None])
    unit = np.eye(s.shape[-1], dtype=bool)
    inside = np.where(unit, diagonal, 0) - products * np.swapaxes(turned, -1, -2)
    return sign * np.matmul(np.conj(u), np.matmul(inside, np.conj(vh)))


def _products_of_others(s: Any) -> Any:
    """For each pair of different numbers the product of all others; 0 for a number with itself."""
    n = s.shape[-1]
    unit = np.eye(n, dtype=bool)
    left_out = unit[:, None, :] | unit[None, :, :]
    products = np.prod(np.where(left_out, 1, s[..., None, None, :]), axis=-1)
    return np.where(unit, 0, products)
