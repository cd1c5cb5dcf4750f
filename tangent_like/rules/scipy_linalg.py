"""Rules of `scipy.linalg`, read only if the user has imported it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.decompositions import square, symmetric
from tangent_like.rules.registry import composed, linear, rule
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.symbolic import apply, rank

# --- the same as in NumPy ----------------------------------------------------------------------

composed(linalg.inv, np.linalg.inv, samples=lambda: [(square(),)])
composed(linalg.det, np.linalg.det, samples=lambda: [(square(),)])
composed(linalg.pinv, np.linalg.pinv, samples=lambda: [(reals(3, 2),)])
composed(
    linalg.norm,
    lambda a, ord=None, axis=None, keepdims=False: np.linalg.norm(a, ord, axis, keepdims),
    samples=lambda: [(reals(2, 3),), ((reals(3),), {"ord": 1})],
)
composed(
    linalg.solve,
    np.linalg.solve,
    samples=lambda: [(square(), reals(3)), (square(), reals(3, 2))],
)
composed(
    linalg.cholesky,
    lambda a, lower=False: _cholesky(a, lower),
    samples=lambda: [((symmetric(),), {"lower": True}), (symmetric(),)],
)


def _cholesky(a: Any, lower: Any) -> Any:
    if lower:
        return np.linalg.cholesky(a)
    return np.conj(np.transpose(np.linalg.cholesky(np.conj(np.transpose(a)))))


# --- triangular and Sylvester equations --------------------------------------------------------


def _is_transposed(trans: Any) -> bool:
    if trans in (0, "N", 1, "T"):
        return trans in (1, "T")
    raise NotYetSupported("`solve_triangular` with the conjugate transpose")


def _triangle(x: Any, lower: Any, unit_diagonal: Any) -> Any:
    """The part of a matrix that is read."""
    return np.tril(x, -int(unit_diagonal)) if lower else np.triu(x, int(unit_diagonal))


def _triangular_tangent(
    tangents: Any, y: Any, a: Any, b: Any, trans: Any = 0, lower: Any = False,
    unit_diagonal: Any = False,
) -> Any:  # fmt: skip
    da, db = tangents[:2]
    change = db
    if da is not None:
        part = _triangle(da, lower, unit_diagonal)
        moved = (np.transpose(part) if _is_transposed(trans) else part) @ y
        change = -moved if db is None else db - moved
    return apply(
        linalg.solve_triangular, a, change, trans=trans, lower=lower, unit_diagonal=unit_diagonal
    )


def _triangular_cotangent(
    g: Any, y: Any, a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False
) -> Any:
    transposed = _is_transposed(trans)
    gb = apply(
        linalg.solve_triangular, a, g, trans=int(not transposed), lower=lower,
        unit_diagonal=unit_diagonal,
    )  # fmt: skip
    left, right = (y, gb) if transposed else (gb, y)
    product = np.outer(left, right) if rank(b) == 1 else left @ np.transpose(right)
    if rank(b) is None:
        product = apply(runtime.matmul_left, left, a, right)
    return -_triangle(product, lower, unit_diagonal), gb


rule(
    linalg.solve_triangular,
    jvp=_triangular_tangent,
    vjp=_triangular_cotangent,
    samples=lambda: [
        (square(), reals(3)),
        ((square(), reals(3, 2)), {"lower": True}),
        ((square(), reals(3)), {"trans": 1}),
        ((square(), reals(3)), {"lower": True, "trans": "T", "unit_diagonal": True}),
    ],
)


def _sylvester_tangent(tangents: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    da, db, dq = tangents
    change = 0.0 * q if dq is None else dq
    change = change if da is None else change - da @ y
    change = change if db is None else change - y @ db
    return apply(linalg.solve_sylvester, a, b, change)


def _sylvester_cotangent(g: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    gq = apply(linalg.solve_sylvester, np.transpose(a), np.transpose(b), g)
    return -(gq @ np.transpose(y)), -(np.transpose(y) @ gq), gq


rule(
    linalg.solve_sylvester,
    jvp=_sylvester_tangent,
    vjp=_sylvester_cotangent,
    samples=lambda: [(square(), square(size=2), reals(3, 2))],
)

# --- functions of matrices ---------------------------------------------------------------------


def _block_of_function(function: Any, a: Any, e: Any) -> Any:
    """The derivative of a function of matrices along e: a block of f([[a, e], [0, a]]).

    Mathias, "A chain rule for matrix functions and applications" (1996).
    """
    size = np.shape(a)[0]
    zeros = apply(np.zeros_like, a)
    return apply(function, apply(np.block, [[a, e], [zeros, a]]))[:size, size:]


for _function in (linalg.expm, linalg.logm, linalg.sqrtm, linalg.sinm, linalg.cosm):
    rule(
        _function,
        jvp=lambda tangents, y, a, f=_function: _block_of_function(f, a, tangents[0]),
        vjp=lambda g, y, a, f=_function: _block_of_function(f, np.transpose(a), g),
        samples=lambda: [(np.eye(2) * 2 + 0.3 * positive(2, 2),)],
    )
linear(
    linalg.block_diag,
    lambda g, *blocks: _diagonal_blocks(g, blocks),
    wrt=None,
    samples=lambda: [(reals(2, 2), reals(1, 3))],
)


def _diagonal_blocks(g: Any, blocks: Any) -> Any:
    row: Any = 0
    column: Any = 0
    found = []
    for block in blocks:
        rows, columns = np.shape(block)[-2], np.shape(block)[-1]
        found.append(g[row : row + rows, column : column + columns])
        row, column = row + rows, column + columns
    return tuple(found)
