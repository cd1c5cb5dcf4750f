"""Rules of NumPy's polynomials with coefficients from the highest power down."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.reductions import conj
from tangent_like.rules.registry import composed, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, rank


def _values(p: Any, x: Any) -> Any:
    """The sum of p_i x^(n-i)."""
    if (rank(p) or 1) > 1:
        raise NotYetSupported(
            "`polyval` of several polynomials", hint="call it for each row of coefficients"
        )
    p = p if rank(p) == 1 else apply(runtime.with_axes, p, 1, 1)
    powers = apply(np.arange, np.size(p))[::-1]
    return np.sum(p * np.expand_dims(x, -1) ** powers, axis=-1)


def _slope(p: Any, m: Any = 1) -> Any:
    for _ in range(m):
        p = p[:-1] * apply(np.arange, np.size(p))[:0:-1]
    return p


def _integral(p: Any, m: Any = 1, k: Any = None) -> Any:
    for i in range(m):
        constant = 0.0 if k is None else k if rank(k) == 0 else np.take(k, i, mode="wrap")
        powers = apply(np.arange, np.size(p))[::-1] + 1
        p = apply(np.append, p / powers, constant)
    return p


def _coefficients(p: Any) -> Any:
    """A number stands for a polynomial of degree 0."""
    return p if rank(p) == 1 else apply(np.atleast_1d, p)


def _padded(p: Any, other: Any) -> Any:
    """With zeros in front, as long as the other."""
    p, other = _coefficients(p), _coefficients(other)
    return apply(np.pad, p, (apply(max, np.size(other) - np.size(p), 0), 0))


def _product_tangent(tangents: Any, y: Any, p: Any, q: Any) -> Any:
    """NumPy leaves out leading zeros of the operands, and takes none at all for 0."""
    dp, dq = tangents
    p, q = _coefficients(p), _coefficients(q)
    p, q = apply(runtime.beside_numbers, p, q), apply(runtime.beside_numbers, q, p)
    terms = [] if dp is None else [np.convolve(dp, q, "full")]
    terms += [] if dq is None else [np.convolve(p, dq, "full")]
    total = terms[0] if len(terms) == 1 else terms[0] + terms[1]
    return total[np.size(total) - np.size(y) :]


def _fit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: Any = False, w: Any = None, cov: Any = False
) -> Any:
    """Least squares by the pseudo-inverse of the matrix of powers."""
    powers = apply(np.arange, deg + 1)[::-1]
    matrix = np.expand_dims(x, -1) ** powers
    if w is not None:
        matrix, y = matrix * w[:, None], y * (w if np.ndim(y) == 1 else w[:, None])
    if full:
        return _with_residuals(matrix, y)
    found = least_squares(matrix, y)
    if cov is False:
        return found
    gram = np.linalg.inv(np.matmul(np.transpose(matrix), matrix))
    if cov == "unscaled":
        return found, gram if np.ndim(y) == 1 else np.expand_dims(gram, 2)
    return found, _scaled_by_residuals(gram, found, matrix, y)


def _scaled_by_residuals(gram: Any, found: Any, matrix: Any, y: Any) -> Any:
    """The covariance of the coefficients of each fit, about whose errors nothing else is known."""
    free = np.shape(matrix)[0] - np.shape(matrix)[1]
    misfit = y - np.matmul(matrix, found)
    total = np.sum(np.real(misfit * conj(misfit)), axis=0) / free
    return apply(np.multiply.outer, gram, total)


def _with_residuals(matrix: Any, y: Any) -> Any:
    """As `full=True` has it: rank and bound of the singular values are constants."""
    lengths = np.sqrt(np.sum(matrix * matrix, axis=0))
    found = apply(np.linalg.lstsq, matrix / lengths, y)
    scaled = np.transpose(np.transpose(found[0]) / lengths)
    return scaled, found[1], None, found[3], None


def least_squares(matrix: Any, y: Any) -> Any:
    """Of several best fits NumPy gives the one of least norm where all columns have length 1."""
    lengths = np.sqrt(np.sum(matrix * matrix, axis=0))
    return np.matmul(np.linalg.pinv(matrix / lengths) / lengths[:, None], y)


composed(
    np.polyval,
    _values,
    samples=lambda: [(reals(4), reals(3)), (reals(3), 0.7)],
    note="of one polynomial",
)
composed(np.polyder, _slope, samples=lambda: [(reals(4),), (reals(4), 2)])
composed(
    np.polyint,
    _integral,
    samples=lambda: [
        (reals(3),), ((reals(3),), {"k": 0.5}), (reals(3), 2), (reals(3), 2, reals(2)),
    ],
)  # fmt: skip
composed(
    np.polyadd,
    lambda p, q: _padded(p, q) + _padded(q, p),
    samples=lambda: [(reals(3), reals(3, seed=1)), (reals(2), reals(4)), (reals(2), 0.7)],
)
composed(
    np.polysub,
    lambda p, q: _padded(p, q) - _padded(q, p),
    samples=lambda: [(reals(3), reals(3, seed=1)), (reals(4), reals(2))],
)
rule(
    np.polymul,
    jvp=_product_tangent,
    samples=lambda: [(reals(3), reals(2))],
    note="a polynomial has one coefficient at least",
)
rule(
    np.roots,
    jvp=lambda tangents, y, p: -_values(tangents[0], y) / _values(_slope(p), y),
    samples=lambda: [(np.array([1.0, -3.5, 3.5, -1.0]),), (np.array([1.3, 0.4, 2.0]),)],
    note="infinite or NaN for roots that coincide",
)
composed(
    np.polyfit,
    _fit,
    samples=lambda: [
        (reals(5), reals(5, seed=1), 2), (reals(5), reals(5, 2, seed=1), 1),
        (reals(2), reals(2, seed=1), 2), ((reals(5), reals(5, seed=1), 1), {"cov": True}),
        ((reals(5), reals(5, 2, seed=1), 1), {"cov": "unscaled"}),
        ((reals(5), reals(5, seed=1), 2), {"full": True}),
    ],
)  # fmt: skip
