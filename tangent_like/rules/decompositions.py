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
from tangent_like.linalg_runtime import over_gaps, skew, squared, thin
from tangent_like.rules.inverses import (
    adjoint,
    as_read,
    diagonal,
    hermitian,
    one_triangle,
    real_part,
    symmetric,
)
from tangent_like.rules.products import last_two_swapped
from tangent_like.rules.reductions import conj
from tangent_like.rules.registry import composed, linear, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, rank

# --- eigenvalues and Cholesky's factor --------------------------------------------------------


def _half_lower(x: Any) -> Any:
    """The lower triangle with half the diagonal: x = L + L^H for x Hermitian."""
    return np.tril(x) - x * apply(runtime.half_unit, x)


def turns(x: Any, w: Any, strict: bool = False) -> Any:
    """How vectors turn into one another: x_ij / (w_j - w_i), and 0 on the diagonal.

    Where w has equal values that is 0 or NaN: see `over_gaps`.  It is `strict` where x is the
    cotangent of a function of w also: whether that depends on the turn cannot be told from x.
    """
    return apply(over_gaps, x, w, w, strict)


def _over_gaps_tangent(
    tangents: Any, y: Any, x: Any, rows: Any, columns: Any, strict: Any
) -> Any:
    dx, drows, dcolumns = tangents[:3]
    change = None if drows is None else y * drows[..., :, None]
    if dcolumns is not None:
        less = y * dcolumns[..., None, :]
        change = -less if change is None else change - less
    total = dx if change is None else change if dx is None else dx + change
    return apply(over_gaps, total, rows, columns, strict)


def _over_gaps_cotangent(g: Any, y: Any, x: Any, rows: Any, columns: Any, strict: Any) -> Any:
    inside = apply(over_gaps, g, rows, columns, strict)
    change = inside * y
    return inside, np.sum(change, axis=-1), -np.sum(change, axis=-2), None


rule(
    over_gaps,
    jvp=_over_gaps_tangent,
    vjp=_over_gaps_cotangent,
    wrt=(0, 1, 2),
    samples=lambda: [
        (reals(3, 3), np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.5, 5.0]), False),
        (reals(2, 3, 3), reals(2, 3), reals(2, 3, seed=1), True),
    ],
)


def _cholesky_cotangent(g: Any, y: Any, x: Any, upper: Any = False) -> Any:
    lower, g = (adjoint(y), adjoint(g)) if upper is True else (y, g)
    inverse = np.linalg.inv(lower)
    inside = _half_lower(last_two_swapped(lower) @ g)
    h = last_two_swapped(inverse) @ inside @ conj(inverse)
    return one_triangle(h, upper is True)


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
    dw = real_part(diagonal(rotated))
    return dw, v @ turns(rotated, w)


def _eigh_cotangent(g: Any, y: Any, x: Any, UPLO: Any = "L") -> Any:
    w, v = y[0], y[1]
    inside = None if g[0] is None else conj(v) * g[0][..., None, :]
    if g[1] is not None:
        turn = _skew(last_two_swapped(v) @ g[1])
        turned = conj(v) @ turns(turn, w, strict=g[0] is not None)
        inside = turned if inside is None else inside + turned
    return None if inside is None else one_triangle(inside @ last_two_swapped(v), UPLO == "U")


rule(
    np.linalg.eigh,
    jvp=_eigh_tangent,
    vjp=_eigh_cotangent,
    samples=lambda: [(symmetric(),), (symmetric(2),), (symmetric(), "U")],
    note="of one triangle of x; NaN where it depends on how eigenvectors of equal eigenvalues turn",
)
composed(
    np.linalg.eigvalsh,
    lambda x, UPLO="L": (np.linalg.eigh(x) if UPLO == "L" else np.linalg.eigh(x, UPLO))[0],
    samples=lambda: [(symmetric(),), (symmetric(2),), (symmetric(), "U")],
    note="where eigenvalues are equal, second derivatives are NaN",
)


def eig_tangent(tangents: Any, y: Any, x: Any) -> Any:
    """Each eigenvector keeps length 1; the part of its change along itself is taken off."""
    w, v = y[0], y[1]
    rotated = np.linalg.solve(v, tangents[0] @ v)
    dv = v @ turns(rotated, w, strict=True)
    along = np.sum(np.conj(v) * dv, axis=-2, keepdims=True)
    return diagonal(rotated), dv - v * along


rule(
    np.linalg.eig,
    jvp=eig_tangent,
    samples=lambda: [(np.diag([1.0, 2.0, 4.0]) + 0.3 * reals(3, 3),)],
    note="NaN where it depends on eigenvectors and eigenvalues are equal",
)
composed(
    np.linalg.eigvals,
    lambda x: np.linalg.eig(x)[0],
    samples=lambda: [(reals(3, 3),)],
    note="where eigenvalues are equal, second derivatives are NaN",
)


def svd_tangent(
    tangents: Any, y: Any, x: Any, full_matrices: Any = True, compute_uv: Any = True,
    hermitian: Any = False,
) -> Any:  # fmt: skip
    if compute_uv is not True:
        return NotImplemented
    whole = _has_more(full_matrices, x)
    u, s, v = _factors(y, whole)
    dx = as_read(tangents[0], hermitian)
    rotated = adjoint(u) @ dx @ v
    ds = real_part(diagonal(rotated))
    odd = _skew(rotated)
    both, opposite = turns(rotated - odd, s), apply(over_gaps, odd, -s, s, False)
    du = u @ (both + opposite)
    dv = v @ (both - opposite)
    if not _is_square(u):
        du = du + _outside(u, dx @ v) / s[..., None, :]
    if not _is_square(v):
        dv = dv + _outside(v, adjoint(dx) @ u) / s[..., None, :]
    if whole:
        du, dv = (apply(squared, part, True) for part in (du, dv))
    return du, ds, adjoint(dv)


def _has_more(full_matrices: Any, x: Any) -> bool:
    """Whether there may be more singular vectors than singular values."""
    return full_matrices is not False and not _is_square(x)


def _factors(y: Any, whole: bool) -> tuple[Any, Any, Any]:
    """u, s and v, of which neither has more columns than there are singular values."""
    u, s, v = y[0], y[1], adjoint(y[2])
    if not whole:
        return u, s, v
    count = np.shape(s)[-1]
    return u[..., :count], s, v[..., :count]


linear(
    thin,
    lambda g, x, s: apply(squared, g, False),
    samples=lambda: [(reals(2, 2), np.ones(2)), (reals(3, 2, 2), np.ones((3, 2)))],
)
linear(
    squared,
    lambda g, x, unknown: apply(thin, g, x) if unknown else g[..., : np.shape(x)[-1]],
    samples=lambda: [(reals(3, 2), False), (reals(2, 3, 2), False)],
)


def _is_square(x: Any) -> bool:
    """Whether each matrix is known to be square: it is unitary if its columns are orthonormal."""
    shape = facts.dims(x.fact)
    return shape is not None and len(shape) > 1 and shape[-1] == shape[-2]


def _skew(x: Any) -> Any:
    return apply(skew, x)


linear(skew, lambda g, x: _skew(g), samples=lambda: [(reals(3, 3),), (reals(2, 3, 3),)])


def _outside(u: Any, x: Any) -> Any:
    """The part of x that is orthogonal to the columns of u."""
    return x - u @ (adjoint(u) @ x)


def svd_cotangent(
    g: Any, y: Any, x: Any, full_matrices: Any = True, compute_uv: Any = True,
    hermitian: Any = False,
) -> Any:  # fmt: skip
    """conj(u) times the sum of three: of s, of the turns, and of what lies outside u and v."""
    if compute_uv is not True:
        return NotImplemented
    whole = _has_more(full_matrices, x)
    u, s, v = _factors(y, whole)
    row = s[..., None, :]
    of_u, of_v = g[0], None if g[2] is None else adjoint(g[2])
    if whole:
        of_u, of_v = (None if part is None else apply(thin, part, s) for part in (of_u, of_v))
    p = None if of_u is None else last_two_swapped(u) @ of_u
    q = None if of_v is None else last_two_swapped(v) @ of_v
    columns = None if g[1] is None else conj(u) * g[1][..., None, :]
    if p is not None or q is not None:
        total = p if q is None else q if p is None else p + q
        difference = p if q is None else -q if p is None else p - q
        inside = turns(_skew(total), s, strict=g[1] is not None)
        inside = inside + apply(over_gaps, _skew(difference), -s, s, False)
        columns = conj(u) @ inside if columns is None else columns + conj(u) @ inside
    if p is not None and not _is_square(u):
        columns = columns + (of_u - conj(u) @ p) / row
    found = columns @ last_two_swapped(v)
    if q is not None and not _is_square(v):
        found = found + conj(u) @ adjoint((of_v - conj(v) @ q) / row)
    return one_triangle(found, upper=False) if hermitian is True else found


def _singular_values(
    x: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False
) -> Any:
    return apply(runtime.singular_values, as_read(x, hermitian))


def singular_values_tangent(tangents: Any, y: Any, x: Any) -> Any:
    parts = apply(np.linalg.svd, x, full_matrices=False)
    rotated = adjoint(parts[0]) @ tangents[0] @ adjoint(parts[2])
    return real_part(diagonal(rotated))


def singular_values_cotangent(g: Any, y: Any, x: Any) -> Any:
    parts = apply(np.linalg.svd, x, full_matrices=False)
    return (conj(parts[0]) * g[..., None, :]) @ conj(parts[2])


rule(
    (runtime.singular_values, *named(np.linalg, "svdvals")),
    jvp=singular_values_tangent,
    vjp=singular_values_cotangent,
    samples=lambda: [(reals(3, 2),), (reals(2, 3),), (reals(2, 3, 3),)],
    note="where singular values are equal, second derivatives are NaN",
)
rule(
    np.linalg.svd,
    jvp=svd_tangent,
    vjp=svd_cotangent,
    otherwise=_singular_values,
    samples=lambda: [
        ((reals(3, 2),), {"full_matrices": False}), ((reals(2, 3),), {"full_matrices": False}),
        (reals(3, 3),), ((reals(2, 3, 3),), {"compute_uv": False}),
        *(((reals(3, 3),), {"hermitian": True, "compute_uv": uv}) for uv in (True, False)),
    ],
    note=(
        "NaN where it depends on how vectors of equal values turn, or on those without values; "
        "`hermitian`: of one triangle"
    ),
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


def qr_cotangent(g: Any, y: Any, x: Any) -> Any:
    """(gQ + Q S) R^-H where S is Hermitian with the lower triangle of R gR^H - gQ^H Q: Walter and
    Lehmann, "Algorithmic differentiation of linear algebra functions" (2010)."""
    (q, r), (gq, gr) = (y[0], y[1]), (g[0], g[1])
    of_r: Any = None if gr is None else r @ last_two_swapped(gr)
    of_q: Any = None if gq is None else last_two_swapped(gq) @ q
    lower = -of_q if of_r is None else of_r if of_q is None else of_r - of_q
    total = conj(q) @ conj(_from_lower(lower))
    total = total if gq is None else gq + total
    return last_two_swapped(np.linalg.solve(r, last_two_swapped(total)))


def _from_lower(m: Any) -> Any:
    """The Hermitian matrix with a real diagonal that has this lower triangle."""
    if facts.is_complex(m.fact) is False:
        return np.tril(m) + last_two_swapped(np.tril(m, -1))
    return hermitian(m, False)


rule(
    runtime.qr_of_tall,
    jvp=qr_tangent,
    vjp=qr_cotangent,
    samples=lambda: [(reals(3, 2),), (reals(3, 3),), (reals(2, 3, 2),)],
)


def _qr(x: Any, mode: Any = "reduced") -> Any:
    """The columns that decide Q, and the rest of R from them."""
    if mode == "complete":
        return complete_qr(x)
    if mode not in ("reduced", "r"):
        raise NotYetSupported(f"`qr` with mode {mode!r}")
    if _is_square(x):
        parts = apply(runtime.qr_of_tall, x)
        return parts[1] if mode == "r" else (parts[0], parts[1])
    count = apply(min, np.shape(x)[-2], np.shape(x)[-1])
    parts = apply(runtime.qr_of_tall, x[..., :count])
    rest = adjoint(parts[0]) @ x[..., count:]
    r = apply(np.concatenate, (parts[1], rest), -1)
    return r if mode == "r" else (parts[0], r)


def complete_qr(x: Any) -> Any:
    """Of the columns that Q has beside those of the thin one no derivative can be told."""
    q, r = _qr(x)
    if _is_square(x):
        return q, r
    if rank(r) is None:
        raise NotYetSupported("a complete `qr` of an unknown number of axes")
    missing = np.shape(x)[-2] - np.shape(r)[-2]
    rows = ((0, 0),) * (np.ndim(r) - 2)
    return apply(squared, q, True), apply(np.pad, r, (*rows, (0, missing), (0, 0)))


composed(
    np.linalg.qr,
    _qr,
    note="NaN where it depends on columns of a complete Q that x does not decide",
    samples=lambda: [
        (reals(3, 2),), (reals(2, 4),), (reals(3, 3), "r"), (reals(2, 3, 2),),
        (reals(2, 4), "complete"),
    ],
)
