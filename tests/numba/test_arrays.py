"""Functions of NumPy that Numba lacks, or takes in few forms: they work in derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from tests.numba.agreement import assert_backends_agree

A = np.array([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]])
B = np.array([[1.1, -0.2, 0.7], [0.4, 0.9, -1.6]])
X = np.array([0.5, 1.5, 2.7])
CUBE = np.arange(24.0).reshape(2, 3, 4) / 7.0 - 1.0
SQUARE = np.array([[2.0, 0.3], [0.1, 1.5]])

QUICK = {
    "sum over an axis": (lambda a: np.sum(np.sum(a * a, axis=1) ** 2), A),
    "axes kept": (lambda a: np.sum(a / np.sum(a * a, axis=-1, keepdims=True)), A),
    "repeated places": (lambda x: np.sum(x[np.array([0, 2, 2])] ** 3), X),
    "joined": (lambda x, a: np.sum(np.concatenate([x, a[0]]) ** 3), X, A),
    "einsum": (lambda a, b: np.sum(np.einsum("ij,kj->ik", a, b) ** 2), A, B),
    "clipped number": (lambda x: np.clip(x, 0.0, 1.0) * x, 0.7),
    "gamma": (lambda x: math.lgamma(x) + math.erf(x), 1.7),
}

SLOW = {
    "broadcast": (lambda a, x: np.sum(np.exp(a * x) / (1.0 + x * x)), A, X),
    "column": (lambda a: np.sum(a * a[:, :1]), A),
    "transposed and reshaped": (lambda a: np.sum(a.T.reshape(-1)[1:] ** 3), A),
    "mask": (lambda x: np.sum(x[x > 1.0] ** 2), X),
    "deviation": (lambda a: np.sum(np.std(a, axis=1)), A),
    "largest": (lambda a: np.sum(np.max(a, axis=0) ** 2), A),
    "two axes": (lambda a: np.sum(np.sum(a * a, axis=(0, 2), keepdims=True) * a), CUBE),
    "product": (lambda x: np.prod(x) * 1.0, X),
    "product with a zero": (lambda x: np.prod(x) * 1.0, np.array([0.0, 2.0, 3.0])),
    "mean and variance": (lambda a: np.sum(np.var(a, axis=0)) + np.mean(a * a), A),
    "smallest": (lambda a: np.sum(np.min(a, axis=1) ** 2), A),
    "stacked": (lambda x, a: np.sum(np.stack([x, a[1]]) ** 3), X, A),
    "array of numbers": (lambda a, b: np.sum(np.array([a, b, a * b]) ** 2), 0.7, 1.2),
    "batched product": (lambda a: np.sum((a @ a.transpose(0, 2, 1)) ** 2), CUBE),
    "trace by einsum": (lambda a: np.einsum("ii->", a @ a.T), A),
    "tensordot": (lambda a, b: np.sum(np.tensordot(a, b, axes=([1], [1])) ** 2), A, B),
    "elements by two arrays": (
        lambda a: np.sum(a[np.array([0, 1, 0]), np.array([2, 2, 2])] ** 2), A),
    "rows by an array": (lambda a: np.sum(a[np.array([1, 1, 0])] ** 3), A),
    "differences": (lambda x: np.sum(np.diff(x) ** 2), X),
    "running sum": (lambda x: np.sum(np.cumsum(x) ** 2), X),
    "median": (lambda x: np.median(x) * x[0], X),
    "quantiles": (lambda x: np.sum(np.quantile(x, np.array([0.3, 0.8])) ** 2), X),
    "norm": (lambda x: np.linalg.norm(x) * 1.0, X),
    "solved": (lambda a, x: np.sum(np.linalg.solve(a, x[:2]) ** 2), SQUARE, X),
    "determinant": (lambda a: np.linalg.det(a) * 1.0, SQUARE),
    "inverse": (lambda a: np.sum(np.linalg.inv(a) ** 2), SQUARE),
    "eigenvalues": (lambda a: np.sum(np.linalg.eigvalsh(a @ a.T) ** 2), SQUARE),
    "eigenvectors": (lambda a: np.sum(np.linalg.eigh(a @ a.T)[1][0] ** 4), SQUARE),
    "singular values and vectors": (
        lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[1] ** 3), A),
    "orthogonal factor": (lambda a: np.sum(np.linalg.qr(a.T)[0] ** 3 * a.T), A),
    "logarithm of a determinant": (lambda a: np.linalg.slogdet(a)[1] * 1.0, SQUARE),
    "determinants of a stack": (
        lambda a: np.sum(np.linalg.slogdet(a @ np.swapaxes(a, 1, 2) + np.eye(3))[1]), CUBE),
    "Cholesky's factor": (lambda a: np.sum(np.linalg.cholesky(a @ a.T) ** 3), SQUARE),
    "pseudoinverse": (lambda a: np.sum(np.linalg.pinv(a) ** 2), A),
    "softplus": (lambda x: np.mean(np.logaddexp(0.0, x)), X),
    "choice": (lambda x: np.sum(np.where(x > 1, x * x, np.sin(x))), X),
    "maximum": (lambda x: np.sum(np.maximum(x, 1.0) * np.minimum(x, 2.0)), X),
    "sinc": (lambda x: np.sum(np.sinc(x)), X),
    "softmax": (lambda a: np.sum(
        np.exp(a - np.max(a, axis=1, keepdims=True))
        / np.sum(np.exp(a - np.max(a, axis=1, keepdims=True)), axis=1, keepdims=True) * a), A),
    "outer and dot": (lambda x: np.sum(np.outer(x, x) ** 2) + np.dot(x, x), X),
    "single precision": (lambda x: np.sum(np.sin(x) * x), X.astype(np.float32)),
    "complex": (lambda z: np.sum(np.abs(z * z)), np.array([1.0 + 2.0j, 0.5 - 1.0j])),
    "products up to each element": (lambda x: np.sum(np.cumprod(x) ** 2), X),
    "places in a list": (lambda x: np.sum(np.take(x, [0, 0, 2]) ** 2), X),
    "slices": (lambda x: np.sum((x[1:] - x[:-1]) * x[::-1][1:]), X),
    "not contiguous": (lambda a: np.sum(np.sin(a) * a), np.asfortranarray(CUBE)[:, ::2, 1:]),
}  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_common_functions(name: str) -> None:
    f, *args = QUICK[name]
    check(f, args)


@pytest.mark.numba
@pytest.mark.parametrize("name", SLOW)
def test_functions(name: str) -> None:
    f, *args = SLOW[name]
    check(f, args)


def check(f: Any, args: list[Any]) -> None:
    single = any(getattr(a, "dtype", None) == np.float32 for a in args)
    complex_ = any(np.iscomplexobj(a) for a in args)
    assert_backends_agree(
        f, *args, modes=("rev",) if complex_ else ("fwd", "rev"), rtol=1e-5 if single else 1e-12
    )
