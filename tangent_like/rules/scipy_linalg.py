"""Rules of `scipy.linalg` that solve linear equations; read only if the user has imported it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from tangent_like import facts, infer, runtime, scipy_runtime
from tangent_like.errors import NotYetSupported
from tangent_like.facts import INT, NUMERIC, Array, Fact, Tuple
from tangent_like.rules import scipy_matrices
from tangent_like.rules.inverses import adjoint, square, symmetric
from tangent_like.rules.products import last_two_swapped
from tangent_like.rules.reductions import conj
from tangent_like.rules.registry import bilinear, composed, constant, linear, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.scipy_calls import (
    OF_MATRICES,
    OF_STACKS,
    beside,
    matrix,
    refuse_list,
    usual,
)
from tangent_like.rules.symbolic import apply, rank

# --- general matrices -------------------------------------------------------------------------


def _solve(
    a: Any, b: Any, lower: Any = False, assume_a: Any = None, transposed: Any = False
) -> Any:
    left = _as_assumed(matrix(a, "solve"), assume_a, lower)
    return np.linalg.solve(last_two_swapped(left) if transposed else left, b)


def _as_assumed(a: Any, assume_a: Any, lower: Any) -> Any:
    """The matrix that is solved: a symmetric one is read from one triangle."""
    if assume_a in (None, "gen", "general"):
        return a
    side = np.tril(a, -1) if lower else np.triu(a, 1)
    diagonal = np.tril(np.triu(a))
    if assume_a in ("sym", "symmetric"):
        return side + last_two_swapped(side) + diagonal
    if assume_a in ("her", "hermitian", "pos", "positive definite"):
        return side + adjoint(side) + np.real(diagonal)
    raise NotYetSupported(f"`solve` with assume_a={assume_a!r}", hint="leave `assume_a` out")


composed(
    linalg.solve,
    usual(_solve),
    samples=lambda: [
        (square(), reals(3)), (square(), reals(3, 2)),
        ((symmetric(), reals(3)), {"assume_a": "pos"}),
        ((symmetric(), reals(3, 2)), {"assume_a": "sym", "lower": True}),
        ((square(), reals(3)), {"transposed": True, "check_finite": False}),
    ],
    note=OF_MATRICES,
)  # fmt: skip


def _lstsq(a: Any, b: Any, cond: Any = None, lapack_driver: Any = None) -> Any:
    if cond is not None:
        raise NotYetSupported("`lstsq` with `cond`", hint="leave `cond` out")
    solution = np.linalg.pinv(matrix(a, "lstsq", ranks=(2,))) @ b
    gap = b - a @ solution
    squares = np.sum(np.real(gap * np.conj(gap)), axis=0)
    residues = apply(scipy_runtime.fit, squares, apply(scipy_runtime.residues, a, b))
    return solution, residues, None, apply(runtime.singular_values, a)


def _lstsq_fact(a: Any, b: Any, *options: Any, **named: Any) -> Fact:
    """Whether there are residues depends on the rank."""
    if facts.rank(a.fact) != 2:
        return facts.UNKNOWN
    rows, right = facts.dims(a.fact), facts.dims(b.fact)
    solution = (rows[1], *right[1:]) if rows is not None and right is not None else None
    values = Array(None, (facts.fresh_size(),))
    return Tuple((Array(None, solution), NUMERIC, INT, values))


infer.special[linalg.lstsq] = _lstsq_fact
infer.special[scipy_runtime.residues] = lambda a, b: NUMERIC
infer.special[scipy_runtime.fit] = lambda x, like: NUMERIC
constant(scipy_runtime.residues)


linear(scipy_runtime.matrix, lambda g, x: g, samples=lambda: [(reals(2, 3),)])
infer.special[scipy_runtime.matrix] = lambda x: x.fact
linear(scipy_runtime.beside, lambda g, a, b: g, wrt=(1,), samples=lambda: [(square(), reals(3))])
linear(scipy_runtime.right_side, lambda g, b: g, samples=lambda: [(reals(3),)])
infer.special[scipy_runtime.right_side] = lambda b: b.fact
infer.special[scipy_runtime.beside] = lambda a, b: b.fact
linear(
    scipy_runtime.fit,
    lambda g, x, like: apply(scipy_runtime.fit, g, x),
    samples=lambda: [(reals(2), np.ones(2, int)), (reals(2), np.ones(0, int))],
)
composed(
    linalg.lstsq,
    usual(_lstsq),
    samples=lambda: [
        (reals(4, 2), reals(4, seed=1)), (reals(4, 2), reals(4, 3, seed=1)),
        (reals(2, 4), reals(2, seed=1)),
    ],
    note="of one matrix",
)  # fmt: skip

# --- triangular matrices ----------------------------------------------------------------------


_TRANSPOSED = {0: 0, "N": 0, 1: 1, "T": 1, 2: 2, "C": 2}


def _triangle(x: Any, lower: Any, unit_diagonal: Any) -> Any:
    """The part of a matrix that is read."""
    return np.tril(x, -int(unit_diagonal)) if lower else np.triu(x, int(unit_diagonal))


def _triangular_tangent(
    tangents: Any, y: Any, a: Any, b: Any, trans: Any = 0, lower: Any = False,
    unit_diagonal: Any = False,
) -> Any:  # fmt: skip
    da, db = tangents[:2]
    b = beside(a, b, "solve_triangular")
    change = db
    if da is not None:
        part = _triangle(da, lower, unit_diagonal)
        turned = (part, last_two_swapped(part), adjoint(part))[_TRANSPOSED[trans]]
        change = -(turned @ y) if db is None else db - turned @ y
    return apply(
        linalg.solve_triangular, a, change, trans=trans, lower=lower, unit_diagonal=unit_diagonal
    )


def _triangular_cotangent(
    g: Any, y: Any, a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False
) -> Any:
    """One more solution, with the transpose: that of conj(A)^T x = b is conj(A) x = g."""
    turn = _TRANSPOSED[trans]
    b = beside(a, b, "solve_triangular")
    left = conj(a) if turn == 2 else a
    gb = apply(
        linalg.solve_triangular, left, g, trans=0 if turn else 1, lower=lower,
        unit_diagonal=unit_diagonal,
    )  # fmt: skip
    left, right = (y, gb) if turn else (gb, y)
    product = _outer(left, right, b)
    if product is None:
        product = apply(runtime.matmul_left, left, a, right)
    ga = -_triangle(product, lower, unit_diagonal)
    return conj(ga) if turn == 2 else ga, gb


def _outer(left: Any, right: Any, b: Any) -> Any:
    """left right^T for vectors, or summed over the columns of matrices; None where that is not
    known."""
    if rank(b) is None:
        return None
    return np.outer(left, right) if rank(b) == 1 else left @ last_two_swapped(right)


rule(
    linalg.solve_triangular,
    jvp=usual(_triangular_tangent),
    vjp=usual(_triangular_cotangent),
    samples=lambda: [
        (square(), reals(3)),
        ((square(), reals(3, 2)), {"lower": True}),
        ((square(), reals(3)), {"trans": 1}),
        ((square(), reals(3, 2)), {"lower": True, "trans": "C"}),
        ((square(), reals(3)), {"lower": True, "trans": "T", "unit_diagonal": True}),
    ],
    note=OF_STACKS,
)

# --- factors that are used again --------------------------------------------------------------


def _triangular(a: Any, b: Any, **how: Any) -> Any:
    return apply(linalg.solve_triangular, a, b, **how)


def _cho_factor(a: Any, lower: Any = False) -> Any:
    """The triangle that is not meant keeps what it held."""
    a = matrix(a, "cho_factor")
    rest = np.triu(a, 1) if lower else np.tril(a, -1)
    return scipy_matrices.cholesky(a, lower) + rest, None


def _cho_solve(factor: Any, b: Any) -> Any:
    """With A = L L^H; whether L or L^H was kept may be known at run time only."""
    c, is_lower = factor
    b = beside(c, b, "cho_solve")
    lower = apply(np.where, is_lower, np.tril(c), adjoint(np.triu(c)))
    return _triangular(lower, _triangular(lower, b, lower=True), lower=True, trans=2)


composed(
    linalg.cho_factor,
    usual(_cho_factor),
    samples=lambda: [(symmetric(),), ((symmetric(),), {"lower": True})],
    note=OF_MATRICES,
)
composed(
    linalg.cho_solve,
    usual(_cho_solve),
    sequences=True,
    samples=lambda: [
        ((np.triu(symmetric()), False), reals(3)),
        ((np.tril(symmetric()), True), reals(3, 2)),
    ],
    note=OF_STACKS,
)


def _lu_solve(factors: Any, b: Any, trans: Any = 0) -> Any:
    """With the rows of A in pivoted order being L U."""
    packed, pivots = factors
    refuse_list(b, "lu_solve")
    b = apply(scipy_runtime.right_side, beside(packed, b, "lu_solve"))
    order = apply(scipy_runtime.permutation, pivots)
    how = {"lower": True, "unit_diagonal": True}
    if trans == 0:
        inner = _triangular(packed, np.take(b, order, axis=0), **how)
        return _triangular(packed, inner)
    inner = _triangular(packed, b, trans=trans)
    return np.take(_triangular(packed, inner, trans=trans, **how), np.argsort(order), axis=0)


constant(scipy_runtime.permutation)
composed(
    linalg.lu_solve,
    usual(_lu_solve),
    sequences=True,
    samples=lambda: [
        ((square(), np.array([2, 1, 2])), reals(3)),
        ((square(), np.array([1, 2, 2])), reals(3, 2)),
        ((square(), np.array([1, 2, 2])), reals(3), 1),
    ],
    note="of one equation at least, not with stacks of right-hand sides",
)

# --- banded matrices --------------------------------------------------------------------------


def _banded_tangent(tangents: Any, y: Any, bands: Any, ab: Any, b: Any) -> Any:
    _, dab, db = tangents
    ab = matrix(ab, "solve_banded", ranks=(2,))
    refuse_list(b, "solve_banded")
    change = db
    if dab is not None:
        moved = apply(scipy_runtime.banded_product, bands, dab, y)
        change = -moved if db is None else db - moved
    return apply(linalg.solve_banded, bands, ab, change)


def _banded_cotangent(g: Any, y: Any, bands: Any, ab: Any, b: Any) -> Any:
    swapped = (bands[1], bands[0])
    ab = matrix(ab, "solve_banded", ranks=(2,))
    refuse_list(b, "solve_banded")
    turned = apply(scipy_runtime.banded_transpose, bands, ab)
    gb = apply(linalg.solve_banded, swapped, turned, g)
    return None, -apply(scipy_runtime.banded_outer, bands, gb, y), gb


def _bands() -> Any:
    return np.array([[0.0, 0.3, -0.7, 0.2], [4.0, 5.0, 3.0, 4.5], [0.5, -0.6, 0.8, 0.0]])


rule(
    linalg.solve_banded,
    jvp=usual(_banded_tangent),
    vjp=usual(_banded_cotangent),
    sequences=True,
    samples=lambda: [
        ((1, 1), _bands(), reals(4)), ((0, 2), 3 + _bands()[::-1], reals(4, 2)),
        ((2, 0), 3 + _bands(), reals(4)),
    ],
    note="of one matrix",
)  # fmt: skip
linear(
    scipy_runtime.banded_transpose,
    lambda g, bands, ab: apply(scipy_runtime.banded_transpose, (bands[1], bands[0]), g),
    wrt=(1,),
    sequences=True,
    samples=lambda: [((1, 1), _bands()), ((0, 2), _bands()), ((2, 0), _bands())],
)
bilinear(
    scipy_runtime.banded_product,
    lambda g, bands, ab, x: apply(scipy_runtime.banded_outer, bands, g, x),
    lambda g, bands, ab, x: apply(
        scipy_runtime.banded_product, (bands[1], bands[0]),
        apply(scipy_runtime.banded_transpose, bands, ab), g,
    ),
    wrt=(1, 2),
    samples=lambda: [((1, 1), _bands(), reals(4)), ((0, 2), _bands(), reals(4, 2))],
)  # fmt: skip
bilinear(
    scipy_runtime.banded_outer,
    lambda h, bands, g, x: apply(scipy_runtime.banded_product, bands, h, x),
    lambda h, bands, g, x: apply(
        scipy_runtime.banded_product, (bands[1], bands[0]),
        apply(scipy_runtime.banded_transpose, bands, h), g,
    ),
    wrt=(1, 2),
    samples=lambda: [((1, 1), reals(4), reals(4, seed=1)), ((0, 2), reals(4, 2), reals(4, 2))],
)  # fmt: skip

# --- Sylvester equations ----------------------------------------------------------------------


def _sylvester_tangent(tangents: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    da, db, dq = tangents
    a, b = apply(runtime.beside_numbers, a, b), apply(runtime.beside_numbers, b, a)
    change = 0.0 * q if dq is None else dq
    change = change if da is None else change - da @ y
    change = change if db is None else change - y @ db
    return apply(linalg.solve_sylvester, a, b, change)


def _sylvester_cotangent(g: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    a, b = apply(runtime.beside_numbers, a, b), apply(runtime.beside_numbers, b, a)
    gq = apply(linalg.solve_sylvester, last_two_swapped(a), last_two_swapped(b), g)
    return -(gq @ last_two_swapped(y)), -(last_two_swapped(y) @ gq), gq


rule(
    linalg.solve_sylvester,
    jvp=_sylvester_tangent,
    vjp=_sylvester_cotangent,
    samples=lambda: [(square(), square(size=2), reals(3, 2))],
    note="of one equation at least",
)
