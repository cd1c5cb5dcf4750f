"""Functions over several rules each, as people write them: special functions, linear algebra,
distributions, signals, Fourier transforms and statistics inside one another."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.derivatives import assert_derivatives

pytest.importorskip("scipy")
from scipy import linalg, signal, special, stats

pytestmark = pytest.mark.filterwarnings("ignore")

RANDOM = np.random.default_rng(5)
X, W, Y = RANDOM.uniform(0.3, 1.7, 3), RANDOM.uniform(0.3, 1.7, 3), RANDOM.uniform(0.2, 0.8, 5)
A = RANDOM.normal(size=(3, 3)) + 3 * np.eye(3)
B = RANDOM.normal(size=(3, 4))

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {}


def at(*args: Any) -> Callable[..., Any]:
    """Check the function at this point."""

    def noted(f: Callable[..., Any]) -> Callable[..., Any]:
        CASES[f.__name__] = f, args
        return f

    return noted


@at(X, A)
def log_sum_of_a_solution(x, A):
    return special.logsumexp(linalg.solve(A, x)) * np.linalg.slogdet(A)[1]


@at(X, W)
def fitted_normal(x, w):
    return np.sum(stats.norm.logpdf(x, np.mean(w), np.std(w) + 1.0))


@at(B)
def attention(B):
    return np.sum(special.softmax(np.einsum("ij,kj->ik", B, B), axis=1) ** 2)


@at(X)
def spectrum_of_a_gate(x):
    return np.sum(np.abs(np.fft.rfft(x * special.expit(x))) ** 2)


@at(Y, X)
def signal_and_lag(y, x):
    return np.sum(signal.convolve(y, x, mode="same") ** 2) + np.max(signal.correlate(y, x))


@at(A)
def exponential_and_inverse(A):
    return np.trace(linalg.expm(0.2 * A) @ linalg.inv(A))


@at(A, X)
def gaussian_by_cholesky(A, x):
    L = np.linalg.cholesky(A @ A.T)
    z = linalg.solve_triangular(L, x, lower=True)
    return np.sum(z**2) + 2 * np.sum(np.log(np.diag(L)))


@at(X, W)
def beta_and_gamma(x, w):
    return np.sum(special.betaln(x, w) * special.gammainc(2.0, x) + special.xlogy(w, x))


@at(A)
def eigenvalues_and_vector(A):
    s, v = np.linalg.eigh(A + A.T)
    return np.sum(np.exp(0.1 * s)) + np.sum(v[:, 0] ** 4)


@at(X, W)
def interpolated_sums(x, w):
    return np.interp(0.9, np.cumsum(x), w) * np.trapezoid(w, np.cumsum(x))


@at(B)
def polar_factor(B):
    u, s, vh = np.linalg.svd(B)
    return np.sum(np.sqrt(s)) + np.sum((u @ vh[:3]) ** 3)


@at(B)
def correlations(B):
    return np.linalg.norm(np.corrcoef(B)) + np.sum(np.cov(B) ** 2)


@at(X, W)
def three_distributions(x, w):
    return (
        stats.beta.logpdf(0.4, x[0] + 1, w[0] + 1)
        + stats.gamma.cdf(x[1], 2.0)
        + stats.t.logpdf(w[2], 3.0)
    )


@at(X)
def products_of_polynomials(x):
    return np.polyval(np.polymul(x, x[::-1]), 0.3) + np.sum(np.polynomial.chebyshev.chebval(0.4, x))


@at(A, B)
def least_squares(A, B):
    return np.sum(np.linalg.lstsq(B.T, A[0:1].T.repeat(4, axis=0)[:4, 0], rcond=None)[0] ** 2)


@at(X, W)
def kronecker(x, w):
    return np.sum(np.kron(x, w).reshape(3, 3) @ np.tril(np.outer(w, x)))


@at(Y)
def order_statistics(y):
    return np.quantile(y, 0.3) * np.median(y) + np.percentile(y * y, 80)


@at(X, W)
def chosen_error_functions(x, w):
    return np.sum(np.where(x > w, special.erf(x), special.erfc(w)) * np.hypot(x, w))


@at(Y)
def slopes_of_products(y):
    return np.sum(np.gradient(np.cumprod(y), 0.3) ** 2) + np.prod(np.diff(y))


@at(A)
def root_of_a_matrix(A):
    return np.sum(linalg.sqrtm(A @ A.T).real ** 3) * 0.01


@at(A, X)
def packed_factors(A, x):
    lu = linalg.lu_factor(A)
    return np.sum(linalg.lu_solve(lu, x) ** 2) * np.linalg.det(A)


@at(X, W)
def angles_and_sums(x, w):
    return np.sum(np.logaddexp(x, w) * np.arctan2(x, w) + np.sinc(x))


@at(B)
def sorted_and_padded(B):
    return np.sum(np.sort(B, axis=1)[:, ::-1] * np.argsort(B, axis=1)) + np.nanmean(
        np.pad(B, 1, mode="reflect")
    )


@at(X)
def bessel_and_digamma(x):
    return np.sum(special.j0(x) * special.i0e(x) + special.digamma(x) * special.ndtr(x))


@at(X, W)
def circular_correlation(x, w):
    return np.real(np.sum(np.fft.ifft(np.fft.fft(x) * np.conj(np.fft.fft(w))) ** 2))


@at(A, B)
def einsum_over_nuclear_norm(A, B):
    return np.einsum("ij,jk,lk,li->", A, B, B, A) / np.linalg.norm(B, "nuc")


@at(Y)
def recursive_filter(y):
    return np.sum(signal.lfilter([1.0, y[0]], [1.0, 0.3 * y[1]], y) ** 2)


@at(X, A)
def multivariate_density(x, A):
    return stats.multivariate_normal.logpdf(x, np.zeros(3), A @ A.T)


@at(A, B)
def complete_factor(A, B):
    q, r = np.linalg.qr(B.T, mode="complete")
    return np.sum(r[:3] ** 3) + np.sum(np.triu(A) * q[:3, :3])


@at(X, W)
def powers_of_vandermonde(x, w):
    return np.sum(np.linalg.matrix_power(np.vander(x), 2) @ w) / np.ptp(x)


@at(X, W)
def contraction_and_variance(x, w):
    return np.sum(np.tensordot(np.stack([x, w]), np.stack([w, x]), axes=([0], [0])) ** 2) * np.var(
        w, ddof=1
    )


@at(A, B)
def sylvester_and_blocks(A, B):
    return np.sum(linalg.solve_sylvester(A, A.T, A @ A) * A) + np.sum(linalg.block_diag(A, B) ** 2)


@pytest.mark.parametrize("name", CASES)
def test_composition(name: str) -> None:
    f, args = CASES[name]
    assert_derivatives(f, *args)
