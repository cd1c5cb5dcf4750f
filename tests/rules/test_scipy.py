"""SciPy's functions in compiled code: how they are called, special points, what is refused."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError, NotYetSupported
from tests.derivatives import assert_derivatives

pytest.importorskip("scipy")
from scipy import linalg, signal, special, stats

X = np.array([0.3, 1.2, 0.8])
MATRIX = np.array([[4.0, 0.5, -0.3], [0.2, 3.0, 0.7], [0.6, -0.4, 5.0]])
SPD = MATRIX @ MATRIX.T


# ---------------------------------------------------------------- distributions


@pytest.mark.parametrize(
    "f",
    [
        lambda x, m, s: np.sum(stats.norm.logpdf(x, loc=m, scale=s)),
        lambda x, m, s: np.sum(stats.norm.logpdf(x, m, scale=s)),
        lambda x, m, s: np.sum(stats.norm(m, scale=s).logpdf(x)),
        lambda x, m, s: np.sum(stats.norm(loc=m, scale=s).cdf(x)),
        lambda x, m, s: np.sum(stats.gamma.logpdf(x, m, scale=s)),
        lambda x, m, s: np.sum(stats.beta.logpdf(x, a=m, b=s, scale=2.0)),
        lambda x, m, s: np.sum(stats.t(df=m).logpdf(x / s)),
        lambda x, m, s: np.sum(stats.norm.ppf(x / 2, loc=m, scale=s)),
        lambda x, m, s: np.sum(stats.multivariate_normal(mean=x * m).logpdf(X * s)),
        lambda x, m, s: np.sum(stats.poisson.logpmf([0, 1, 3], mu=x * m + s)),
        lambda x, m, s: stats.dirichlet.logpdf([0.2, 0.3, 0.5], x * m + s),
    ],
)  # fmt: skip
def test_parameters_by_name_and_frozen(f):
    assert_derivatives(f, X, 2.2, 1.3)


def test_frozen_distribution_in_a_variable():
    def f(m, s):
        prior = stats.norm(m, s)
        return prior.logpdf(0.3) + np.sum(prior.pdf(X)) - prior.logsf(1.0)

    assert_derivatives(f, 0.4, 1.3)


def test_covariance_is_read_from_its_lower_triangle():
    def f(x, cov):
        return stats.multivariate_normal.logpdf(x, np.zeros(3), cov)

    gradient = tl.grad(f, wrt=1)(X, SPD)
    assert np.all(np.triu(gradient, 1) == 0.0)
    assert_derivatives(lambda x, a: f(x, a @ a.T), X, MATRIX)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: stats.gamma.logpdf(x, 2.0),
        lambda x: stats.gamma.sf(x, 2.0),
        lambda x: stats.beta.pdf(x, 2.0, 3.0),
        lambda x: stats.beta.cdf(2.0 - x, 2.0, 3.0),
        lambda x: stats.chi2.logpdf(x, 3.0),
        lambda x: stats.expon.logpdf(x, 0.5),
    ],
)
def test_derivative_is_zero_outside_of_the_support(f):
    assert tl.grad(f)(-1.0) == 0.0
    assert tl.jvp(f, (-1.0,), (1.0,))[1] == 0.0


def test_parameters_that_do_not_exist():
    with pytest.raises(ArgumentError, match="does not take `size`"):
        tl.grad(lambda x: stats.norm.logpdf(x, size=3))(0.3)
    with pytest.raises(ArgumentError, match="misses the parameter `df`"):
        tl.grad(lambda x: stats.t.logpdf(x, loc=1.0))(0.3)


def test_parameters_of_shape_without_a_rule():
    with pytest.raises(NotYetSupported, match="`gammainc` with respect to its first operand"):
        tl.grad(lambda a: stats.gamma.cdf(0.7, a))(2.0)
    with pytest.raises(NotYetSupported, match="`rvs`"):
        tl.grad(lambda m: stats.norm(m).rvs())(2.0)


# ---------------------------------------------------------------- special points


@pytest.mark.parametrize(
    ("f", "x", "wanted"),
    [
        (special.expit, 40.0, math.exp(-40.0)),
        (special.expit, -800.0, 0.0),
        (special.log_expit, -800.0, 1.0),
        (special.log_expit, 800.0, 0.0),
        (special.log_ndtr, -40.0, 40.0249688472),
        (special.log_ndtr, -1e5, 1e5),
        (special.log_ndtr, 50.0, 0.0),
        (special.logit, 0.0, math.inf),
        (special.erfinv, 1.0, math.inf),
        (special.ndtri, 0.0, math.inf),
        (special.entr, 0.0, math.inf),
        (special.i0e, 0.0, 0.0),
        (special.i1, 0.0, 0.5),
        (special.gammaln, 1e10, math.log(1e10)),
        (lambda x: special.xlogy(0.0, x), 0.0, 0.0),
        (lambda x: special.xlogy(x, 0.5), 0.0, math.log(0.5)),
        (lambda x: special.logsumexp(x * np.array([1.0, -math.inf])), 2.0, math.nan),
        (lambda x: special.logsumexp(np.array([1000.0, 999.0]) + x), 1.0, 1.0),
    ],
)
def test_special_points(f, x, wanted):
    with np.errstate(all="ignore"):
        assert tl.grad(lambda x: 1.0 * f(x))(x) == pytest.approx(wanted, rel=1e-9, nan_ok=True)
        tangent = tl.jvp(lambda x: 1.0 * f(x), (x,), (1.0,))[1]
    assert tangent == pytest.approx(wanted, rel=1e-9, nan_ok=True)


def test_log_of_a_sum_with_an_infinite_term():
    gradient = tl.grad(lambda x: 2.0 * special.logsumexp(x))(np.array([0.0, -math.inf]))
    np.testing.assert_array_equal(gradient, [2.0, 0.0])


# ---------------------------------------------------------------- factors that are used again


def test_cholesky_factor_and_solution():
    def upper(a, b):
        factor = linalg.cho_factor(a @ a.T)
        return np.sum(linalg.cho_solve(factor, b) ** 2) + np.sum(np.log(np.diag(factor[0])))

    def lower(a, b):
        return np.sum(linalg.cho_solve(linalg.cho_factor(a @ a.T, lower=True), b) ** 2)

    assert_derivatives(upper, MATRIX, X)
    assert_derivatives(lower, MATRIX, X)


def test_lu_factors_and_solution():
    def plain(a, b):
        return np.sum(linalg.lu_solve(linalg.lu_factor(a), b) ** 2)

    def transposed(a, b):
        return np.sum(linalg.lu_solve(linalg.lu_factor(a), b, trans=1) ** 2)

    assert_derivatives(plain, MATRIX[[1, 0, 2]], X)
    assert_derivatives(transposed, MATRIX[[1, 0, 2]], X)


def test_option_known_at_run_time_only():
    transposed = 1
    with pytest.raises(NotYetSupported, match="its options are known at run time only"):
        tl.grad(lambda a: np.sum(linalg.lu_solve(linalg.lu_factor(a), X, transposed)))(MATRIX)


def test_packed_factors_as_two_variables():
    def f(a, b):
        lu, pivots = linalg.lu_factor(a)
        return np.sum(linalg.lu_solve((lu, pivots), b) * X)

    assert_derivatives(f, MATRIX[[1, 0, 2]], X)


def test_distributions_of_complex_numbers_are_refused():
    with pytest.raises(NotYetSupported, match="of complex numbers"):
        tl.grad(lambda z: np.real(stats.norm.logpdf(z)))(0.3 + 0.4j)
    mean = np.array([0.3j, 0.4])
    with pytest.raises(NotYetSupported, match="of complex numbers"):
        tl.grad(lambda m: np.real(stats.multivariate_normal.logpdf(X[:2], m)))(mean)


def test_full_factors_of_a_tall_matrix():
    assert_derivatives(lambda a: np.sum(linalg.qr(a, mode="economic")[1] ** 3), MATRIX[:, :2])
    assert_derivatives(lambda a: np.sum(linalg.qr(a)[1] ** 3), MATRIX[:, :2])
    assert_derivatives(lambda a: np.sum(linalg.svd(a)[1] ** 3), MATRIX[:, :2])


def test_generalised_eigenvalues():
    def f(a, b):
        w = linalg.eigh(a + a.T, b @ b.T, eigvals_only=True)
        return np.sum(w * np.array([1.0, 2.0, 3.0]))

    assert_derivatives(f, MATRIX, MATRIX[::-1])


def test_real_matrix_with_a_complex_root():
    def f(t):
        turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
        return np.real(linalg.logm(turn))[1, 0]

    assert tl.grad(f)(0.7) == pytest.approx(1.0)


def test_overwriting_is_refused():
    for f in (
        lambda a: np.sum(linalg.inv(a, overwrite_a=True)),
        lambda a: np.sum(linalg.solve(a, X, overwrite_b=True)),
    ):
        with pytest.raises(NotYetSupported, match="overwriting an operand"):
            tl.grad(f)(MATRIX)


# ---------------------------------------------------------------- signals


def test_filter_with_a_state_is_refused():
    with pytest.raises(NotYetSupported, match="`lfilter` with `zi`"):
        tl.grad(lambda x: np.sum(signal.lfilter([1.0], [1.0, 0.5], x, zi=[0.0])[0]))(X)


def test_filter_with_constant_coefficients():
    assert_derivatives(lambda x: np.sum(signal.lfilter([1.0, 0.2], [1.0, 0.5], x) ** 2), X)
