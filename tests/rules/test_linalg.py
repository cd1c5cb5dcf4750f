"""Linear algebra: complex input, stacks, shapes that are not square, and degenerate matrices.

Factors of complex matrices are free up to phases, and eigenvectors up to their length and sign, so
that the functions here do not depend on these.
"""

import warnings

import numpy as np
import pytest

import tangent_like as tl
from tangent_like import linalg_runtime
from tests.derivatives import assert_derivatives, define

pytestmark = pytest.mark.filterwarnings("ignore:invalid value|divide by zero:RuntimeWarning")

RANDOM = np.random.default_rng(1)


def real(*shape):
    return RANDOM.normal(size=shape)


def of(body, *params):
    """A function of these parameters, whose body is a line or a few."""
    return define(f"def f({', '.join(params)}):\n    {body}\n", "f")


# --- complex matrices ---------------------------------------------------------------------------

HERMITIAN = "(Z + np.conj(np.swapaxes(Z, -1, -2)))"
COMPLEX = {
    "svd, tall": ("u, s, vh = np.linalg.svd(Z, full_matrices=False)\n"
                  "    return np.sum(np.abs((u * np.sin(s)) @ vh) ** 3)", (4, 2)),
    "svd, wide": ("u, s, vh = np.linalg.svd(Z, full_matrices=False)\n"
                  "    return np.sum(np.abs(u) ** 3) + np.sum(np.abs(vh) ** 3)", (2, 4)),
    "svd, square": ("u, s, vh = np.linalg.svd(Z)\n"
                    "    return np.sum(np.real(u[:, 0] * vh[0])) + np.sum(s ** 3)", (3, 3)),
    "svd, stack": ("return np.sum(np.abs(np.linalg.svd(Z, full_matrices=False)[0]) ** 3)",
                   (2, 3, 2)),
    "singular values": ("return np.sum(np.linalg.svdvals(Z) ** 3)", (2, 4, 2)),
    "eigh": (f"w, v = np.linalg.eigh({HERMITIAN}, 'U')\n"
             "    return np.sum(np.abs(v) ** 3) + np.sum(w ** 3)", (2, 3, 3)),
    "eigh, one triangle": ("w, v = np.linalg.eigh(Z)\n"
        "    return np.sum(np.abs((v * np.sin(w)) @ np.conj(v.T)) ** 3)", (3, 3)),
    "eigvalsh": (f"return np.sum(np.sin(np.linalg.eigvalsh({HERMITIAN})))", (2, 3, 3)),
    "eig": ("w, v = np.linalg.eig(Z)\n"
            "    return np.sum(np.abs(v) ** 3) + np.sum(np.abs(w) ** 3)", (2, 3, 3)),
    "eig, function of a matrix": ("w, v = np.linalg.eig(Z)\n"
        "    return np.sum(np.abs((v * np.sin(w)) @ np.linalg.inv(v)) ** 2)", (3, 3)),
    "eigvals": ("return np.sum(np.abs(np.linalg.eigvals(Z)) ** 3)", (2, 3, 3)),
    "qr, tall": ("q, r = np.linalg.qr(Z)\n"
                 "    return np.sum(np.real(q)) + np.sum(np.imag(r) ** 2)", (4, 2)),
    "qr, wide": ("q, r = np.linalg.qr(Z)\n"
                 "    return np.sum(np.abs(q) ** 3) + np.sum(np.abs(r) ** 3)", (2, 4)),
    "cholesky": (f"return np.sum(np.abs(np.linalg.cholesky({HERMITIAN} + 8 * np.eye(3))) ** 3)",
                 (2, 3, 3)),
    "pinv": ("return np.sum(np.abs(np.linalg.pinv(Z)) ** 3)", (2, 3, 2)),
    "lstsq": ("return np.sum(np.abs(np.linalg.lstsq(Z, Z[:, 0] * Z[:, 1], rcond=None)[0]) ** 3)",
              (4, 2)),
    "det": ("return np.sum(np.abs(np.linalg.det(Z)) ** 3 + np.real(np.linalg.det(Z)))", (2, 3, 3)),
    "slogdet": ("sign, log = np.linalg.slogdet(Z)\n"
                "    return np.sum(np.real(sign) ** 3) + np.sum(log ** 2)", (2, 3, 3)),
    "nuclear norm": ("return np.linalg.norm(Z, 'nuc')", (3, 2)),
    "norm of order 3": ("return np.linalg.norm(Z, 3)", (3,)),
    "matrix_power": ("return np.sum(np.abs(np.linalg.matrix_power(Z, -2)) ** 3)", (3, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPLEX)
def test_complex(name):
    body, shape = COMPLEX[name]
    f = of(f"Z = X + 1j * Y\n    {body}", "X", "Y")
    assert_derivatives(f, real(*shape), real(*shape))


# --- shapes and options -------------------------------------------------------------------------

SHAPES = {
    "svd, wide stack": ("np.sum(np.abs(np.linalg.svd(A, full_matrices=False)[2]) ** 3)", (2, 2, 3)),
    "qr, wide stack": ("np.sum(np.sin(np.linalg.qr(A)[1]))", (3, 2, 4)),
    "pinv, wide stack": ("np.sum(np.sin(np.linalg.pinv(A)))", (3, 2, 4)),
    "lstsq, residuals": ("np.sum(np.linalg.lstsq(A, B, rcond=None)[1])", (4, 2), (4, 3)),
    "lstsq, wide": ("np.sum(np.sin(np.linalg.lstsq(A, B, rcond=None)[0]))", (2, 4), (2, 3)),
    "solve, one matrix for a stack": ("np.sum(np.sin(np.linalg.solve(A, B)))", (3, 3), (2, 3, 2)),
    "solve, one side for a stack": ("np.sum(np.sin(np.linalg.solve(A, B)))", (2, 3, 3), (3, 2)),
    "tensorsolve": ("np.sum(np.sin(np.linalg.tensorsolve(A, B, axes=(0, 2))))", (2, 6, 3), (6,)),
    "tensorinv": ("np.sum(np.sin(np.linalg.tensorinv(A)))", (2, 3, 3, 2)),
    "matrix_power of 0": ("np.sum(np.linalg.matrix_power(A, 0) * A)", (3, 3)),
    "cond, not square": ("np.linalg.cond(A)", (4, 2)),
    "cond, stack": ("np.sum(np.linalg.cond(A, -np.inf))", (2, 3, 3)),
    "norm of matrices, axes": ("np.sum(np.linalg.norm(A, 'nuc', axis=(-1, 0)) ** 2)", (3, 2, 4)),
    "norm of vectors": ("np.sum(np.linalg.norm(A, 3, axis=-1, keepdims=True) * A)", (3, 4)),
    "norm of order -2": ("np.linalg.norm(A, -2)", (4,)),
    "norm of order 1/2": ("np.linalg.norm(A + 3, 0.5)", (4,)),
    "vector_norm, two axes": ("np.sum(np.linalg.vector_norm(A, axis=(0, 2)) ** 3)", (3, 2, 4)),
    "vector_norm, two axes, 3": ("np.linalg.vector_norm(A, axis=(0, 1), ord=3)", (3, 4)),
    "vector_norm, two axes, 1": ("np.linalg.vector_norm(A, axis=(0, 1), ord=1) ** 2", (3, 4)),
    "vector_norm, keepdims": ("np.sum(np.linalg.vector_norm(A, keepdims=True) * A)", (3, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name):
    expression, *shapes = SHAPES[name]
    f = of(f"return {expression}", *"AB"[: len(shapes)])
    assert_derivatives(f, *(real(*shape) for shape in shapes))


# --- degenerate matrices ------------------------------------------------------------------------

Q = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
USV = "u, s, vh = np.linalg.svd(A, full_matrices=False)\n    return "
SPECTRAL = "w, v = np.linalg.eigh(A)\n    return "


def symmetric(*eigenvalues):
    return Q @ np.diag(np.array(eigenvalues, float)) @ Q.T


DEGENERATE = {
    "det, rank 2": ("return np.linalg.det(A)", symmetric(2, 1, 0), 2),
    "det, rank 1": ("return np.linalg.det(A)", symmetric(2, 0, 0), 2),
    "det, zero": ("return np.linalg.det(A)", np.zeros((2, 2)), 2),
    "det, singular to the last bit": ("return np.linalg.det(A)", np.arange(9.0).reshape(3, 3), 2),
    "det, nearly singular": ("return np.linalg.det(A)", symmetric(2, 1, 1e-5), 2),
    "det, a stack": ("return np.sum(np.linalg.det(A) ** 2)",
                     np.stack([symmetric(2, 1, 0), symmetric(3, 1, 2)]), 2),
    "sum of equal singular values": ("return np.sum(np.linalg.svd(A, compute_uv=False))", 2 * Q, 1),
    "squares of equal singular values": ("return np.sum(np.linalg.svd(A)[1] ** 2)", 2 * Q, 1),
    "norm of equal singular values": ("return np.linalg.norm(np.linalg.svdvals(A))", 2 * Q, 1),
    "a singular value of 0": (USV + "np.sum(np.sin((u * s) @ vh))", Q @ np.diag([2.0, 1, 0]), 1),
    "squares of no singular values": ("return np.sum(np.linalg.svdvals(A) ** 2)",
                                      np.zeros((3, 3)), 1),
    "nuclear norm, equal values": ("return np.linalg.norm(A, 'nuc')", 2 * Q, 1),
    "sum of equal eigenvalues": ("return np.sum(np.linalg.eigvalsh(A))", symmetric(2, 2, 1), 1),
    "cubes of equal eigenvalues": ("return np.sum(np.linalg.eigvalsh((A + A.T) / 2) ** 3)",
                                   np.eye(3), 1),
    "trace by eigenvalues": ("return np.sum(np.real(np.linalg.eigvals(A)))",
                             np.diag([2.0, 2, 1]), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate(name):
    body, A, order = DEGENERATE[name]
    assert_derivatives(of(body, "A"), A, order=order)


def test_polar_factor_of_equal_singular_values():
    """u @ vh does not depend on which singular vectors are chosen: reverse mode knows it."""
    f = of(USV + "np.sum(np.sin(u @ vh))", "A")
    g = tl.grad(f)(2 * Q)
    directions = np.eye(9).reshape(9, 3, 3)
    slopes = [(f(2 * Q + 1e-6 * e) - f(2 * Q - 1e-6 * e)) / 2e-6 for e in directions]
    np.testing.assert_allclose(g.ravel(), slopes, atol=1e-8)


def test_projector_on_equal_eigenvalues():
    f = of(SPECTRAL + "np.sum(np.sin(v[:, 1:] @ v[:, 1:].T))", "A")
    A = symmetric(1, 2, 2)
    directions = [e + e.T for e in np.eye(9).reshape(9, 3, 3)]
    slopes = [(f(A + 1e-6 * e) - f(A - 1e-6 * e)) / 2e-6 for e in directions]
    g = tl.grad(f)(A)
    np.testing.assert_allclose([np.sum(g * e) for e in directions], slopes, atol=1e-8)


NOT_KNOWN = {
    "u s vh": (USV + "np.sum(np.sin((u * s) @ vh))", 2 * Q),
    "a singular vector": (USV + "np.sum(u[:, 0] ** 3)", 2 * Q),
    "v w v.T": (SPECTRAL + "np.sum(np.sin((v * w) @ v.T))", symmetric(2, 2, 1)),
    "an eigenvector": (SPECTRAL + "np.sum(v[:, 2] ** 3)", symmetric(2, 2, 1)),
    "eig": ("w, v = np.linalg.eig(A)\n    return np.sum(np.real((v * w) @ np.linalg.inv(v)))",
            np.diag([2.0, 2, 1])),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_derivative_that_the_factors_do_not_tell_is_nan(name):
    """From equal values the change of the vectors cannot be had: no number is better than NaN."""
    body, A = NOT_KNOWN[name]
    f = of(body, "A")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.all(np.isnan(tl.grad(f)(A)))
        assert np.isnan(tl.jvp(f, (A,), (np.arange(9.0).reshape(3, 3) % 4,))[1])


ORDERS = [None, 0, 1, 2, 3, 1.5, 0.5, -1, -2, np.inf, -np.inf]


@pytest.mark.parametrize("order", ORDERS)
def test_norm_of_a_zero_vector_has_derivative_zero(order):
    f = define("def f(x):\n    return np.linalg.norm(x, order)\n".replace("order", repr(order)
               .replace("inf", "np.inf")), "f")  # fmt: skip
    assert tl.grad(f)(np.zeros(3)).tolist() == [0, 0, 0]
    assert tl.jvp(f, (np.zeros(3),), (np.ones(3),))[1] == 0
    assert np.all(np.isfinite(tl.grad(f)(np.array([0.0, 1.0, 2.0]))))


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_norm_of_a_zero_matrix_has_derivative_zero(order):
    f = define("def f(x):\n    return np.linalg.norm(x, order)\n".replace("order", repr(order)
               .replace("inf", "np.inf")), "f")  # fmt: skip
    assert not np.any(tl.grad(f)(np.zeros((2, 3))))


FULL = {
    "values": ("s = np.linalg.svd(A)[1]", "np.sum(s ** 3)"),
    "left vectors": ("u, s, vh = np.linalg.svd(A)\n    k = s.shape[-1]",
                     "np.sum(np.abs(u[..., :k]) ** 3) + np.sum(s)"),
    "the matrix": ("u, s, vh = np.linalg.svd(A)\n    k = s.shape[-1]",
                   "np.sum(((u[..., :k] * np.sin(s)[..., None, :]) @ vh[..., :k, :]) ** 2)"),
    "qr": ("q, r = np.linalg.qr(A, mode='complete')\n    k = min(A.shape[-2:])",
           "np.sum(r ** 3) + np.sum(q[..., :k] ** 3)"),
}  # fmt: skip


@pytest.mark.parametrize("shape", [(3, 2), (2, 4), (2, 3, 2)], ids=str)
@pytest.mark.parametrize("name", FULL)
def test_full_factors_of_matrices_that_are_not_square(name, shape):
    first, last = FULL[name]
    assert_derivatives(of(f"{first}\n    return {last}", "A"), real(*shape))


NOT_DECIDED = {
    "svd, left": ("np.linalg.svd(A)[0][:, 2]", (3, 2)),
    "svd, right": ("np.linalg.svd(A)[2][2]", (2, 3)),
    "qr": ("np.linalg.qr(A, mode='complete')[0][:, 2]", (3, 2)),
}


@pytest.mark.parametrize("name", NOT_DECIDED)
def test_vectors_that_the_matrix_does_not_decide_have_the_derivative_nan(name):
    vector, shape = NOT_DECIDED[name]
    f, A = of(f"return np.sum({vector} ** 3)", "A"), real(*shape)
    assert np.all(np.isnan(tl.grad(f)(A)))
    assert np.isnan(tl.jvp(f, (A,), (real(*shape),))[1])


def test_the_skew_part_of_what_is_symmetric_but_for_rounding_is_0():
    x = np.array([[1.0, 2.0 + 4e-16, 3.0], [2.0, 5.0, 7.0 - 8e-16], [3.0, 7.0, 9.0]])
    assert not linalg_runtime.skew(x).any()
    assert not linalg_runtime.skew(np.stack([x, 1e-300 * x])).any()
    x[0, 1] += 1e-12
    assert linalg_runtime.skew(x)[1, 0] == pytest.approx(-5e-13, rel=1e-2)
    assert np.isnan(linalg_runtime.skew(np.full((2, 2), np.nan))).all()
