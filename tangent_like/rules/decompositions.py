"""Rules of `numpy.linalg`: decompositions.

Most are given by their tangent alone, which is linear and so can be transposed.  Formulas: Giles,
"Collected matrix derivative results" (2008), Seeger et al., "Auto-differentiating linear algebra"
(2017).  All work on stacks of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.inverses import adjoint, symmetric
from tangent_like.rules.products import last_two_swapped
from tangent_like.rules.reductions import conj
from tangent_like.rules.registry import composed, constant, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply

# --- eigenvalues and Cholesky's factor --------------------------------------------------------


def _half_lower(x: Any) -> Any:
    """The lower triangle with half the diagonal: x = L + L^H for x Hermitian."""
    return np.tril(x) - x * apply(runtime.half_unit, x)


constant(runtime.half_unit)


def inverse_gaps(w: Any) -> Any:
    """1 / (w_j - w_i), and 0 for equal ones."""
    gaps = w[..., None, :] - w[..., :, None]
    equal = gaps == 0
    return apply(np.where, equal, 0.0, 1 / apply(np.where, equal, 1.0, gaps))


def hermitian(dx: Any, upper: bool) -> Any:
    """The tangent of the matrix that is read from one triangle."""
    side = np.triu(dx, 1) if upper else np.tril(dx, -1)
    return side + adjoint(side) + np.real(dx) * (2 * apply(runtime.half_unit, dx))


def _one_triangle(h: Any, upper: bool) -> Any:
    """The transpose of `hermitian`."""
    both = h + adjoint(h)
    side = np.triu(both, 1) if upper else np.tril(both, -1)
    return side + np.real(h) * (2 * apply(runtime.half_unit, h))


def _cholesky_cotangent(g: Any, y: Any, x: Any, upper: Any = False) -> Any:
    lower, g = (adjoint(y), adjoint(g)) if upper is True else (y, g)
    inverse = np.linalg.inv(lower)
    inside = _half_lower(last_two_swapped(lower) @ g)
    h = last_two_swapped(inverse) @ inside @ conj(inverse)
    return _one_triangle(h, upper is True)


def _cholesky_tangent(tangents: Any, y: Any, x: Any, upper: Any = False) -> Any:
    """dL = L Phi(L^-1 dx L^-H)."""
    lower = adjoint(y) if upper is True else y
    inverse = np.linalg.inv(lower)
    dx = hermitian(tangents[0], upper is True)
    found = lower @ _half_lower(inverse @ dx @ adjoint(inverse))
    return adjoint(found) if upper is True else found


rule(
    np.linalg.cholesky,
    jvp=_cholesky_tangent,
    vjp=_cholesky_cotangent,
    samples=lambda: [(symmetric(),), (symmetric(2),), ((symmetric(),), {"upper": True})],
    note="of one triangle of x, which is all that is read",
)


def _eigh_tangent(tangents: Any, y: Any, x: Any, UPLO: Any = "L") -> Any:
    w, v = y[0], y[1]
    rotated = adjoint(v) @ hermitian(tangents[0], UPLO == "U") @ v
    dw = np.real(np.diagonal(rotated, axis1=-2, axis2=-1))
    return dw, v @ (inverse_gaps(w) * rotated)


def _eigh_cotangent(g: Any, y: Any, x: Any, UPLO: Any = "L") -> Any:
    w, v = y[0], y[1]
    inside = None if g[0] is None else conj(v) * g[0][..., None, :]
    if g[1] is not None:
        turned = conj(v) @ (inverse_gaps(w) * (last_two_swapped(v) @ g[1]))
        inside = turned if inside is None else inside + turned
    return None if inside is None else _one_triangle(inside @ last_two_swapped(v), UPLO == "U")


rule(
    np.linalg.eigh,
    jvp=_eigh_tangent,
    vjp=_eigh_cotangent,
    samples=lambda: [(symmetric(),), (symmetric(2),), (symmetric(), "U")],
    note="of one triangle of x; equal eigenvalues are taken not to turn into one another",
)
composed(
    np.linalg.eigvalsh,
    lambda x, UPLO="L": np.linalg.eigh(x, UPLO)[0],
    samples=lambda: [(symmetric(),), (symmetric(2),), (symmetric(), "U")],
)


def eig_tangent(tangents: Any, y: Any, x: Any) -> Any:
    """Each eigenvector keeps length 1; the part of its change along itself is taken off."""
    w, v = y[0], y[1]
    rotated = np.linalg.solve(v, tangents[0] @ v)
    dv = v @ (inverse_gaps(w) * rotated)
    along = np.sum(np.conj(v) * dv, axis=-2, keepdims=True)
    return np.diagonal(rotated, axis1=-2, axis2=-1), dv - v * along


rule(
    np.linalg.eig,
    jvp=eig_tangent,
    samples=lambda: [(np.diag([1.0, 2.0, 4.0]) + 0.3 * reals(3, 3),)],
    note="equal eigenvalues are taken not to turn into one another",
)
composed(
    np.linalg.eigvals,
    lambda x: np.linalg.eig(x)[0],
    samples=lambda: [(reals(3, 3),)],
)


def svd_tangent(
    tangents: Any, y: Any, x: Any, full_matrices: Any = True, compute_uv: Any = True,
    hermitian: Any = False,
) -> Any:  # fmt: skip
    if compute_uv is not True:
        return NotImplemented
    u, s, vh = y[0], y[1], y[2]
    dx, v = apply(runtime.same_if_thin, tangents[0], u, vh), adjoint(vh)
    rotated = adjoint(u) @ dx @ v
    row, gaps = s[..., None, :], inverse_gaps(s * s)
    ds = np.real(np.diagonal(rotated, axis1=-2, axis2=-1))
    over = adjoint(rotated)
    column = s[..., :, None]
    du_inside = gaps * (rotated * row + column * over)
    dv_inside = gaps * (column * rotated + over * row)
    if facts.is_complex(x.fact) is not False:
        du_inside = du_inside + (rotated - over) * apply(runtime.half_unit, rotated) / row
    du = u @ du_inside + _outside(u, dx @ v) / row
    dv = v @ dv_inside + _outside(v, adjoint(dx) @ u) / row
    return du, ds, adjoint(dv)


def _outside(u: Any, x: Any) -> Any:
    """The part of x that is orthogonal to the columns of u."""
    return x - u @ (adjoint(u) @ x)


def _singular_values(x: Any, *how: Any, **named_how: Any) -> Any:
    return apply(runtime.singular_values, x)


rule(
    runtime.same_if_thin,
    jvp=lambda tangents, y, dx, u, vh: (
        None if tangents[0] is None else apply(runtime.same_if_thin, tangents[0], u, vh)
    ),
    vjp=lambda g, y, dx, u, vh: (g, None, None),
    samples=lambda: [(reals(3, 2), np.zeros((3, 2)), np.zeros((2, 2)))],
)


def singular_values_tangent(tangents: Any, y: Any, x: Any) -> Any:
    parts = apply(np.linalg.svd, x, full_matrices=False)
    rotated = adjoint(parts[0]) @ tangents[0] @ adjoint(parts[2])
    return np.real(np.diagonal(rotated, axis1=-2, axis2=-1))


rule(
    (runtime.singular_values, *named(np.linalg, "svdvals")),
    jvp=singular_values_tangent,
    samples=lambda: [(reals(3, 2),), (reals(2, 3),), (reals(2, 3, 3),)],
)
rule(
    np.linalg.svd,
    jvp=svd_tangent,
    otherwise=_singular_values,
    samples=lambda: [
        ((reals(3, 2),), {"full_matrices": False}), ((reals(2, 3),), {"full_matrices": False}),
        (reals(3, 3),), ((reals(2, 3, 3),), {"compute_uv": False}),
    ],
    note="singular values must differ for the derivatives of u and v",
)  # fmt: skip


def qr_tangent(tangents: Any, y: Any, x: Any) -> Any:
    """dQ = Q (skew part) + (1 - Q Q^H) dx R^-1, dR = (Q^H dQ_rest) R."""
    q, r = y[0], y[1]
    relative = tangents[0] @ np.linalg.inv(r)
    inside = adjoint(q) @ relative
    lower = np.tril(inside, -1)
    turn = lower - adjoint(lower)
    phase = _imaginary_diagonal(inside)
    if phase is not None:
        turn = turn + phase
    dq = q @ (turn - inside) + relative
    return dq, (inside - turn) @ r


def _imaginary_diagonal(inside: Any) -> Any:
    """R has a real diagonal, so that of Q^H dQ is what is imaginary."""
    if facts.is_complex(inside.fact) is False:
        return None
    unit = 2 * apply(runtime.half_unit, inside)
    return (inside - np.conj(inside)) / 2 * unit


rule(
    runtime.qr_of_tall,
    jvp=qr_tangent,
    samples=lambda: [(reals(3, 2),), (reals(3, 3),), (reals(2, 3, 2),)],
)


def _qr(x: Any, mode: Any = "reduced") -> Any:
    """The columns that decide Q, and the rest of R from them."""
    if mode not in ("reduced", "r"):
        raise NotYetSupported(f"`qr` with mode {mode!r}")
    count = apply(min, np.shape(x)[-2], np.shape(x)[-1])
    parts = apply(runtime.qr_of_tall, x[..., :count])
    rest = adjoint(parts[0]) @ x[..., count:]
    r = apply(np.concatenate, (parts[1], rest), -1)
    return r if mode == "r" else (parts[0], r)


composed(
    np.linalg.qr,
    _qr,
    samples=lambda: [(reals(3, 2),), (reals(2, 4),), (reals(3, 3), "r"), (reals(2, 3, 2),)],
)
