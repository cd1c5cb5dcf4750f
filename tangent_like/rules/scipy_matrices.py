"""Rules of `scipy.linalg` for decompositions and functions of matrices; read with `scipy_linalg`.

Factors follow the result that SciPy gives, whose signs may be others than those of NumPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from tangent_like import facts, infer, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.facts import Array, Fact
from tangent_like.rules import decompositions
from tangent_like.rules.inverses import adjoint, diagonal, hermitian, square, symmetric
from tangent_like.rules.products import last_two_swapped
from tangent_like.rules.registry import composed, linear, rule
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.scipy_calls import OF_MATRICES, matrix, usual
from tangent_like.rules.symbolic import apply, rank

# --- the same as in NumPy ---------------------------------------------------------------------


def _inv(a: Any, assume_a: Any = None, lower: Any = False) -> Any:
    if assume_a not in (None, "gen", "general"):
        raise NotYetSupported(f"`inv` with assume_a={assume_a!r}", hint="leave `assume_a` out")
    return np.linalg.inv(a)


def _pinv(a: Any, atol: Any = None, rtol: Any = None, return_rank: Any = False) -> Any:
    if not (atol is None and rtol is None and return_rank is False):
        raise NotYetSupported("`pinv` with tolerances or `return_rank`", hint="leave them out")
    return np.linalg.pinv(a)


def cholesky(a: Any, lower: Any = False) -> Any:
    matrix(a, "cholesky")
    return np.linalg.cholesky(a) if lower else adjoint(np.linalg.cholesky(adjoint(a)))


composed(linalg.inv, usual(_inv), samples=lambda: [(square(),), (square(2),)])
composed(linalg.det, usual(np.linalg.det), samples=lambda: [(square(),)])
composed(linalg.pinv, usual(_pinv), samples=lambda: [(reals(3, 2),), (reals(2, 3),)])
composed(
    linalg.norm,
    usual(lambda a, ord=None, axis=None, keepdims=False: np.linalg.norm(a, ord, axis, keepdims)),
    samples=lambda: [(reals(2, 3),), ((reals(3),), {"ord": 1}), ((reals(2, 3),), {"ord": "nuc"})],
)
composed(
    linalg.cholesky,
    usual(cholesky),
    samples=lambda: [((symmetric(),), {"lower": True}), (symmetric(),)],
    note=f"of one triangle of a, which is all that is read; {OF_MATRICES}",
)

# --- eigenvalues and singular values ----------------------------------------------------------


def _only_all(subset_by_index: Any, subset_by_value: Any, kind: Any) -> None:
    if not (subset_by_index is None and subset_by_value is None and kind == 1):
        raise NotYetSupported("`eigh` of a subset, or of another type", hint="select from all")


def _eigh_tangent(
    tangents: Any, y: Any, a: Any, b: Any = None, lower: Any = True, eigvals_only: Any = False,
    type: Any = 1, subset_by_index: Any = None, subset_by_value: Any = None, driver: Any = None,
) -> Any:  # fmt: skip
    """A v = w B v with v^H B v = 1: dw is the diagonal of v^H (dA - w dB) v."""
    _only_all(subset_by_index, subset_by_value, type)
    pair = apply(linalg.eigh, a, b, lower=lower) if eigvals_only else y
    w, v = pair[0], pair[1]
    rotated: Any = None
    own: Any = None
    if tangents[0] is not None:
        rotated = adjoint(v) @ hermitian(tangents[0], not lower) @ v
    if len(tangents) > 1 and tangents[1] is not None:
        own = adjoint(v) @ hermitian(tangents[1], not lower) @ v
        scaled = own * w[..., None, :]
        rotated = -scaled if rotated is None else rotated - scaled
    dw = np.real(diagonal(rotated))
    if eigvals_only:
        return dw
    turn = decompositions.turns(rotated, w, strict=True)
    if own is not None:
        turn = turn - own * apply(runtime.half_unit, own)
    return dw, v @ turn


def _eigvals_tangent(tangents: Any, y: Any, a: Any, b: Any = None, **how: Any) -> Any:
    return _eigh_tangent(tangents, y, a, b, eigvals_only=True, **how)


def _separate() -> Any:
    """A matrix whose eigenvectors stay near the axes; the drivers of the samples keep signs."""
    return np.diag([1.0, 3.0, 6.0]) + 0.05 * symmetric()


rule(
    linalg.eigh,
    jvp=usual(_eigh_tangent),
    samples=lambda: [
        ((_separate(),), {"driver": "ev"}), ((symmetric(),), {"lower": False, "driver": "evd"}),
        ((_separate(),), {"eigvals_only": True}),
        ((_separate(), np.eye(3) + 0.1 * symmetric()), {"driver": "gvd"}),
    ],
    note="of one triangle of a (and b); equal eigenvalues are taken not to turn into one another",
)  # fmt: skip
rule(
    linalg.eigvalsh,
    jvp=usual(_eigvals_tangent),
    samples=lambda: [(symmetric(),), (symmetric(), np.eye(3) + 0.1 * symmetric())],
)


def _eig_tangent(
    tangents: Any, y: Any, a: Any, b: Any = None, left: Any = False, right: Any = True
) -> Any:
    if not (b is None and left is False and right is True):
        raise NotYetSupported("`eig` of two matrices, or with left vectors", hint="give it one")
    return decompositions.eig_tangent(tangents, y, a)


def _eigvals(a: Any, b: Any = None) -> Any:
    if b is not None:
        raise NotYetSupported("`eigvals` of two matrices", hint="give it inv(b) @ a")
    return np.linalg.eigvals(a)


def _eig_fact(*operands: Any, **named: Any) -> Fact:
    """Where all eigenvalues of a real matrix are real, the vectors are."""
    found = infer.execute(linalg.eig, operands, named)
    if not isinstance(found, (facts.Tuple, facts.List)):
        return facts.UNKNOWN
    return found if facts.is_complex(operands[0].fact) else type(found)(
        tuple(Array(None, facts.dims(item)) for item in found.items)
    )


infer.special[linalg.eig] = _eig_fact
rule(
    linalg.eig,
    jvp=usual(_eig_tangent),
    samples=lambda: [(np.diag([1.0, 2.0, 4.0]) + 0.3 * reals(3, 3),)],
    note="equal eigenvalues are taken not to turn into one another",
)
composed(
    linalg.eigvals,
    usual(_eigvals),
    samples=lambda: [(np.diag([1.0, 2.0, 4.0]) + 0.3 * reals(3, 3),)],
)


def _svd_tangent(
    tangents: Any, y: Any, a: Any, full_matrices: Any = True, compute_uv: Any = True,
    lapack_driver: Any = None,
) -> Any:  # fmt: skip
    return decompositions.svd_tangent(tangents, y, a, full_matrices, compute_uv)


def _svd_cotangent(
    g: Any, y: Any, a: Any, full_matrices: Any = True, compute_uv: Any = True,
    lapack_driver: Any = None,
) -> Any:  # fmt: skip
    return decompositions.svd_cotangent(g, y, a, full_matrices, compute_uv)


rule(
    linalg.svd,
    jvp=usual(_svd_tangent),
    vjp=usual(_svd_cotangent),
    otherwise=lambda a, *how, **named: apply(linalg.svdvals, a),
    samples=lambda: [
        ((reals(3, 2),), {"full_matrices": False}), ((reals(2, 3),), {"full_matrices": False}),
        (reals(3, 3),), ((reals(2, 3),), {"compute_uv": False}),
    ],
    note="where singular values are equal, as np.linalg.svd",
)  # fmt: skip
rule(
    linalg.svdvals,
    jvp=usual(decompositions.singular_values_tangent),
    samples=lambda: [(reals(3, 2),), (reals(2, 3),)],
)

# --- triangular factors -----------------------------------------------------------------------


def _qr(a: Any, lwork: Any = None, mode: Any = "full", pivoting: Any = False) -> Any:
    if mode not in ("full", "economic") or pivoting is not False:
        raise NotYetSupported(f"`qr` with mode {mode!r} or pivoting", hint='mode="economic"')
    return np.linalg.qr(a) if mode == "economic" else decompositions.complete_qr(a)


composed(
    linalg.qr,
    usual(_qr),
    note="NaN where it depends on columns of a full Q that a does not decide",
    samples=lambda: [
        ((reals(3, 2),), {"mode": "economic"}), (reals(3, 3),), (reals(2, 4),),
        ((reals(2, 4),), {"mode": "economic"}),
    ],
)  # fmt: skip


def _lu_tangent(
    tangents: Any, y: Any, a: Any, permute_l: Any = False, p_indices: Any = False
) -> Any:
    """With M = L1^-1 dA1 U1^-1 for the leading square blocks of the permuted matrix:
    dL = dA U1^-1 - L triu(M), dU = L1^-1 dA - tril(M, -1) U."""
    if permute_l is not False or p_indices is not False:
        raise NotYetSupported("`lu` with `permute_l` or `p_indices`", hint="leave them out")
    order, lower, upper = y[0], y[1], apply(runtime.nonempty, y[2])
    change = last_two_swapped(order) @ tangents[0]
    size = np.shape(lower)[-1]
    down = change[..., :size] @ np.linalg.inv(upper[..., :size])
    inverse = np.linalg.inv(lower[..., :size, :])
    inside = inverse @ down[..., :size, :]
    dl = down - lower @ np.triu(inside)
    du = inverse @ change[..., :size, :] - np.tril(inside, -1) @ upper
    return None, dl, du


rule(
    linalg.lu,
    jvp=usual(_lu_tangent),
    samples=lambda: [(square(),), (reals(4, 2),), (reals(2, 4),)],
    note="of one number at least",
)


def _lu_factor(a: Any) -> Any:
    parts = apply(linalg.lu, matrix(a, "lu_factor"))
    lower, upper = parts[1], parts[2]
    size = np.shape(lower)[-1]
    tall = apply(np.eye, np.shape(lower)[-2], size)
    wide = apply(np.eye, size, np.shape(upper)[-1])
    return lower @ wide + tall @ upper - tall @ wide, None


composed(
    linalg.lu_factor,
    usual(_lu_factor),
    samples=lambda: [
        (square(),), (reals(3, 3),), (reals(3, 1),), (reals(1, 3),), (reals(4, 2),), (reals(2, 4),),
    ],
    note=f"of one number at least; {OF_MATRICES}",
)  # fmt: skip

# --- functions of matrices --------------------------------------------------------------------


def _block_of_function(function: Any, a: Any, e: Any) -> Any:
    """The derivative of a function of matrices along e: a block of f([[a, e], [0, a]]).

    Mathias, "A chain rule for matrix functions and applications" (1996).
    """
    size = np.shape(matrix(a, function.__name__))[-1]
    zeros = apply(np.zeros_like, a)
    return apply(function, apply(np.block, [[a, e], [zeros, a]]))[..., :size, size:]


def _matrix_function_fact(a: Any, *options: Any, **named: Any) -> Fact:
    """The root or logarithm of a real matrix may be complex."""
    dims = (1, 1) if facts.rank(a.fact) == 0 else facts.dims(a.fact)
    return Array(facts.dtype(a.fact) if facts.is_complex(a.fact) else None, dims)


for _function in (
    linalg.expm, linalg.logm, linalg.sqrtm, linalg.sinm, linalg.cosm, linalg.tanm,
    linalg.sinhm, linalg.coshm, linalg.tanhm,
):  # fmt: skip
    rule(
        _function,
        jvp=lambda tangents, y, A, f=_function: _block_of_function(f, A, tangents[0]),
        vjp=lambda g, y, A, f=_function: _block_of_function(f, last_two_swapped(A), g),
        samples=lambda: [(0.3 * (np.eye(2) * 4 + positive(2, 2)),)],
        note=OF_MATRICES,
    )
for _function in (linalg.logm, linalg.sqrtm):
    infer.special[_function] = _matrix_function_fact
linear(
    linalg.block_diag,
    lambda g, *blocks: _diagonal_blocks(g, blocks),
    wrt=None,
    samples=lambda: [(reals(2, 2), reals(1, 3)), (reals(2), reals(1, 3))],
)


def _diagonal_blocks(g: Any, blocks: Any) -> Any:
    row: Any = 0
    column: Any = 0
    found = []
    for block in blocks:
        part_shape = np.shape(np.atleast_2d(block))  # a vector is a row
        rows, columns = part_shape[-2], part_shape[-1]
        part = g[..., row : row + rows, column : column + columns]
        if rank(block) is None:  # it may stand in each matrix of a stack
            part = apply(runtime.unbroadcast, part, np.atleast_2d(block))
        stacked = rank(block) not in (0, 1, None)
        found.append(part if stacked else np.reshape(part, np.shape(block)))
        row, column = row + rows, column + columns
    return tuple(found)
