"""Rules of `numpy.linalg`: inverses, solutions and determinants.

Most are given by their tangent alone, which is linear and so can be transposed.  Formulas: Giles,
"Collected matrix derivative results" (2008), Golub and Pereyra (1973) for the pseudo-inverse.
All work on stacks of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import facts, infer, runtime
from tangent_like.facts import INT, Array, Fact, Tuple
from tangent_like.linalg_runtime import cofactors_change
from tangent_like.rules.products import last_two_swapped
from tangent_like.rules.reductions import real_if
from tangent_like.rules.registry import composed, constant, linear, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import Symbolic, apply, rank


def diagonal(x: Any) -> Any:
    """The diagonal of each matrix."""
    return np.diagonal(x) if rank(x) == 2 else np.diagonal(x, axis1=-2, axis2=-1)


def trace(x: Any) -> Any:
    """The trace of each matrix."""
    return np.trace(x) if rank(x) == 2 else np.trace(x, axis1=-2, axis2=-1)


def adjoint(x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    swapped = last_two_swapped(x)
    return swapped.conj() if isinstance(swapped, Symbolic) else np.conj(swapped)


def real_part(x: Any) -> Any:
    return x if facts.is_complex(x.fact) is False else np.real(x)


constant(runtime.half_unit)


def hermitian(dx: Any, upper: bool) -> Any:
    """The matrix, or its tangent, that is read from one triangle."""
    side = np.triu(dx, 1) if upper else np.tril(dx, -1)
    return side + adjoint(side) + real_part(dx) * (2 * apply(runtime.half_unit, dx))


def one_triangle(h: Any, upper: bool) -> Any:
    """The transpose of `hermitian`."""
    both = h + adjoint(h)
    side = np.triu(both, 1) if upper else np.tril(both, -1)
    return side + real_part(h) * (2 * apply(runtime.half_unit, h))


def as_read(x: Any, is_hermitian: Any) -> Any:
    """Of a matrix that it is told to be Hermitian, NumPy reads the lower triangle."""
    return hermitian(x, upper=False) if is_hermitian is True else x


def square(*batch: int, size: int = 3) -> Any:
    """Matrices far from singular."""
    return reals(*batch, size, size) + 3 * np.eye(size)


def symmetric(*batch: int, size: int = 3) -> Any:
    x = reals(*batch, size, size)
    return x + np.swapaxes(x, -1, -2) + 8 * np.eye(size)


# --- inverses and solutions -------------------------------------------------------------------

rule(
    np.linalg.inv,
    jvp=lambda tangents, y, x: -(y @ tangents[0] @ y),
    vjp=lambda g, y, x: -(last_two_swapped(y) @ g @ last_two_swapped(y)),
    samples=lambda: [(square(),), (square(2),)],
)


def _pinv_tangent(
    tangents: Any, y: Any, x: Any, rcond: Any = None, hermitian: Any = False, rtol: Any = None
) -> Any:
    x, dx = as_read(x, hermitian), as_read(tangents[0], hermitian)
    dxh, yh = adjoint(dx), adjoint(y)
    outside = (y @ yh) @ dxh, dxh @ (yh @ y)
    left, right = outside[0] - (outside[0] @ x) @ y, outside[1] - y @ (x @ outside[1])
    return left + right - y @ dx @ y


rule(
    np.linalg.pinv,
    jvp=_pinv_tangent,
    samples=lambda: [
        (reals(3, 2),), (reals(2, 3),), (square(),), (reals(2, 3, 2),),
        ((square(),), {"hermitian": True}),
    ],
    note="of matrices whose rank does not change nearby; of the lower triangle if `hermitian`",
)  # fmt: skip


def _solve_tangent(tangents: Any, y: Any, a: Any, b: Any) -> Any:
    da, db = tangents
    if da is None:
        return np.linalg.solve(a, db)
    columns, solution = _same, _same
    if rank(a) != 2 and (rank(b) or 1) == 1:
        columns, solution = _as_columns, _from_columns
    change = -(da @ columns(y, b))
    if db is not None:
        change = columns(db, b) + change
    return solution(np.linalg.solve(a, change), b)


def _same(x: Any, b: Any) -> Any:
    return x


def _as_columns(x: Any, b: Any) -> Any:
    """Vectors as matrices of one column: `b` is a vector if it has one axis, one for all of `a`."""
    return np.expand_dims(x, -1) if rank(b) == 1 else apply(runtime.as_columns, x, b)


def _from_columns(x: Any, b: Any) -> Any:
    return x[..., 0] if rank(b) == 1 else apply(runtime.from_columns, x, b)


linear(
    runtime.as_columns,
    lambda g, x, b: apply(runtime.from_columns, g, b),
    samples=lambda: [(reals(2, 3), np.zeros(3)), (reals(3, 2), np.zeros((3, 2)))],
)
linear(
    runtime.from_columns,
    lambda g, x, b: apply(runtime.as_columns, g, b),
    samples=lambda: [(reals(2, 3, 1), np.zeros(3)), (reals(3, 2), np.zeros((3, 2)))],
)


def _solve_cotangent(g: Any, y: Any, a: Any, b: Any) -> Any:
    """One more solution, with the transpose; b is a vector if it has one axis."""
    ranks = rank(a), rank(b)
    if ranks[0] != 2 and (ranks[1] or 1) == 1:
        gb = np.linalg.solve(last_two_swapped(a), _as_columns(g, b))
        return -(gb @ last_two_swapped(_as_columns(y, b))), _from_columns(gb, b)
    gb = np.linalg.solve(last_two_swapped(a), g)
    if ranks == (2, 1):
        return -np.outer(gb, y), gb
    if ranks == (2, 2):
        return -(gb @ np.transpose(y)), gb
    return -apply(runtime.matmul_left, gb, a, y), gb


rule(
    np.linalg.solve,
    jvp=_solve_tangent,
    vjp=_solve_cotangent,
    samples=lambda: [
        (square(), reals(3)), (square(), reals(3, 2)), (square(2), reals(2, 3, 2)),
        (square(2), reals(3, 2)), (square(2), reals(3)),
    ],
)  # fmt: skip


def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    solution = np.linalg.pinv(a) @ b
    residual = b - a @ solution
    squares = np.atleast_1d(np.sum(np.real(residual * np.conj(residual)), axis=0))
    return (
        solution,
        squares[: apply(runtime.residual_count, a, b)],
        None,
        apply(runtime.singular_values, a),
    )


def _lstsq_fact(a: Any, b: Any, rcond: Any = None) -> Fact:
    """How many residuals there are depends on the rank."""
    columns, right = facts.dims(a.fact), facts.dims(b.fact)
    if columns is None or right is None or len(columns) != 2:
        return facts.UNKNOWN
    dtype = "float64" if facts.dtype(a.fact) == facts.dtype(b.fact) == "float64" else None
    residuals, values = (Array(dtype, (facts.fresh_size(),)) for _ in range(2))
    return Tuple((Array(dtype, (columns[1], *right[1:])), residuals, INT, values))


infer.special[np.linalg.lstsq] = _lstsq_fact
constant(runtime.residual_count)
composed(
    np.linalg.lstsq,
    _lstsq,
    samples=lambda: [
        ((reals(4, 2), reals(4, seed=1)), {"rcond": None}),
        ((reals(4, 2), reals(4, 3, seed=1)), {"rcond": None}),
        ((reals(2, 4), reals(2, seed=1)), {"rcond": None}),
    ],
)
composed(
    np.linalg.tensorinv,
    lambda x, ind=2: np.reshape(
        np.linalg.inv(np.reshape(x, (apply(runtime.leading_size, x, ind), -1))),
        (*(np.shape(x)[i] for i in range(ind, np.ndim(x))), *(np.shape(x)[i] for i in range(ind))),
    ),
    samples=lambda: [((reals(4, 2, 2) + np.eye(4).reshape(4, 2, 2) * 3,), {"ind": 1})],
)
composed(
    np.linalg.tensorsolve,
    lambda a, b, axes=None: _tensorsolve(a, b, axes),
    samples=lambda: [(reals(2, 2, 4) + np.eye(4).reshape(2, 2, 4) * 3, reals(2, 2))],
)
constant(runtime.leading_size)


def _tensorsolve(a: Any, b: Any, axes: Any) -> Any:
    if axes is not None:
        a = np.moveaxis(a, axes, tuple(range(-len(axes), 0)))
    flat = np.reshape(a, (np.size(b), np.size(b)))
    solution = np.linalg.solve(flat, np.ravel(b))
    shape = tuple(np.shape(a)[i] for i in range(np.ndim(b), np.ndim(a)))
    return np.reshape(solution, shape)


# --- determinants -----------------------------------------------------------------------------


def _per_matrix(g: Any, x: Any) -> Any:
    """One number for each matrix, so that it multiplies the matrices."""
    return g if rank(x) == 2 else apply(runtime.per_matrix, g)


def _over_matrices(x: Any) -> Any:
    return np.sum(x, axis=(-2, -1))


rule(
    np.linalg.det,
    jvp=lambda tangents, y, x: _over_matrices(tangents[0] * apply(runtime.cofactors, x)),
    vjp=lambda g, y, x: _per_matrix(g, x) * apply(runtime.cofactors, x),
    samples=lambda: [(square(),), (square(2),), (np.array([[1.0, 2.0], [2.0, 4.5]]),)],
    note="to second order also of singular matrices",
)
rule(
    runtime.cofactors,
    jvp=lambda tangents, y, x: apply(cofactors_change, x, tangents[0]),
    vjp=lambda g, y, x: apply(cofactors_change, x, g),
    samples=lambda: [(square(),), (square(2),)],
)


def _cofactors_change(x: Any, dx: Any) -> Any:
    """From the cofactors C = det(x) x^-T: dC = tr(x^-1 dx) C - x^-T dx^T C."""
    inverse = np.linalg.inv(x)
    found = apply(runtime.per_matrix, np.linalg.det(x)) * last_two_swapped(inverse)
    rate = apply(runtime.per_matrix, trace(inverse @ dx))
    return rate * found - last_two_swapped(inverse) @ last_two_swapped(dx) @ found


composed(
    cofactors_change,
    _cofactors_change,
    samples=lambda: [(square(), reals(3, 3)), (square(2), reals(2, 3, 3))],
)
rule(
    runtime.per_matrix,
    jvp=lambda tangents, y, g: apply(runtime.per_matrix, tangents[0]),
    vjp=lambda h, y, g: np.reshape(h, np.shape(g)),
    samples=lambda: [(reals(2),), (0.7,)],
)


def _slogdet_tangent(tangents: Any, y: Any, x: Any) -> Any:
    rate = trace(np.linalg.solve(x, tangents[0]))
    turning = None if facts.is_complex(x.fact) is False else _turning(y[0], rate)
    return turning, real_if(y[1], rate)


def _turning(sign: Any, rate: Any) -> Any:
    turned = 1j * sign * np.imag(rate)
    return turned if facts.is_complex(sign.fact) else apply(runtime.as_type, turned, sign)


def _slogdet_cotangent(g: Any, y: Any, x: Any) -> Any:
    rate = g[1]
    if facts.is_complex(x.fact) is not False and g[0] is not None:
        turn = 1j * np.imag(g[0] * y[0])
        rate = turn if rate is None else rate + turn
    return None if rate is None else _per_matrix(rate, x) * last_two_swapped(np.linalg.inv(x))


rule(
    np.linalg.slogdet,
    jvp=_slogdet_tangent,
    vjp=_slogdet_cotangent,
    samples=lambda: [(square(),), (square(2),)],
)
