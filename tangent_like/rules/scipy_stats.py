"""Rules of the distributions of `scipy.stats`, by their formulas; read only if it is imported.

The methods of a distribution are bound methods, which are equal whenever the distribution is.
Calls reach these rules with all parameters by position: see `frontend/scipy_stats.py`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats

from tangent_like import facts, infer, scipy_runtime
from tangent_like.errors import NotYetSupported
from tangent_like.facts import Array, Fact
from tangent_like.rules import scipy_special  # noqa: F401 - the formulas consist of its functions
from tangent_like.rules.masks import missing
from tangent_like.rules.registry import composed, elementwise, linear, rule
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.symbolic import apply, is_symbolic, rank

LOG_2_PI = math.log(2 * math.pi)
INF = math.inf
Formula = Callable[..., Any]


def _composed(functions: Any, formula: Formula, *, samples: Any, note: str = "") -> None:
    """Register a formula of real numbers: of complex ones SciPy drops parts, or raises."""

    @functools.wraps(formula)
    def of_reals(*operands: Any, **named: Any) -> Any:
        if any(is_symbolic(x) and facts.is_complex(x.fact) for x in operands):
            raise NotYetSupported("a distribution of complex numbers", hint="give it real ones")
        return formula(*operands, **named)

    composed(functions, of_reals, samples=samples, note=note)


def _split(parameters: tuple[Any, ...], count: int) -> tuple[tuple[Any, ...], Any, Any]:
    """The shape parameters, the location and the scale."""
    given = parameters[count:]
    loc = given[0] if given else 0.0
    return parameters[:count], loc, given[1] if len(given) > 1 else 1.0


def _standardised(
    method: Any, formula: Formula, samples: Any, support: tuple[float, float] = (-INF, INF)
) -> None:
    """A method, from its formula for location 0 and scale 1; the derivative is 0 outside of the
    support.  `formula(z, log_scale, *shapes)`; the method takes location and scale last."""
    count = len(samples[0]) - 1

    def whole(x: Any, *parameters: Any) -> Any:
        shapes, loc, scale = _split(parameters, count)
        z = np.subtract(x, loc) / scale
        if support == (-INF, INF):
            return formula(z, np.log(scale), *shapes)
        inside = (z >= support[0]) & (z <= support[1])
        middle = support[0] + 0.5
        found = formula(apply(np.where, inside, z, middle), np.log(scale), *shapes)
        return apply(np.where, inside, found, 0.0)

    _composed(method, whole, samples=[*samples, (*samples[0], 0.1, 1.7)])


def _density(
    distribution: Any,
    log_density: Formula,
    samples: Any,
    support: tuple[float, float] = (-INF, INF),
) -> None:
    """logpdf and pdf from the logarithm of the standardised density, `log_density(z, *shapes)`."""
    _standardised(
        distribution.logpdf,
        lambda z, log_scale, *shapes: log_density(z, *shapes) - log_scale,
        samples,
        support,
    )
    _standardised(
        distribution.pdf,
        lambda z, log_scale, *shapes: np.exp(log_density(z, *shapes) - log_scale),
        samples,
        support,
    )


def _cumulative(
    distribution: Any, below: Formula, above: Formula, samples: Any,
    support: tuple[float, float] = (-INF, INF), logarithms: tuple[Any, Any] | None = None,
) -> None:  # fmt: skip
    """cdf and sf, and their logarithms: `logarithms`, or what follows from the two."""
    log_below, log_above = logarithms or (
        lambda z, *shapes: np.log(below(z, *shapes)),
        lambda z, *shapes: np.log(above(z, *shapes)),
    )
    for name, function in (
        ("cdf", below), ("sf", above), ("logcdf", log_below), ("logsf", log_above),
    ):  # fmt: skip
        _standardised(
            getattr(distribution, name),
            lambda z, log_scale, *shapes, f=function: f(z, *shapes),
            samples,
            support,
        )


def _quantiles(distribution: Any, quantile: Formula, samples: Any) -> None:
    """ppf and isf, from the quantiles of the standardised distribution."""
    count = len(samples[0]) - 1

    def ppf(q: Any, *parameters: Any) -> Any:
        shapes, loc, scale = _split(parameters, count)
        return quantile(q, *shapes) * scale + loc

    given = [*samples, (*samples[0], 0.1, 1.7)]
    _composed(distribution.ppf, ppf, samples=given)
    _composed(distribution.isf, lambda q, *parameters: ppf(1 - q, *parameters), samples=given)


def _number(x: Any) -> Any:
    """A constant as a plain number, which does not lengthen float32."""
    return x if is_symbolic(x) else float(x)


# --- densities --------------------------------------------------------------------------------


def _log_beta(a: Any, b: Any) -> Any:
    return special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)


def _log_t(z: Any, df: Any) -> Any:
    half = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * np.log(df * math.pi)
    return _number(half) - (df + 1) / 2 * np.log1p(z * z / df)


def _log_gamma(z: Any, a: Any) -> Any:
    return special.xlogy(a - 1, z) - z - special.gammaln(a)


_POSITIVE = (0.0, INF)
_density(stats.norm, lambda z: -z * z / 2 - LOG_2_PI / 2, [(0.7,), (-1.2,)])
_density(stats.t, _log_t, [(0.7, 3.5), (-1.2, 2.5)])
_density(
    stats.beta,
    lambda z, a, b: special.xlogy(a - 1, z) + special.xlog1py(b - 1, -z) - _log_beta(a, b),
    [(0.4, 2.5, 1.5)],
    (0.0, 1.0),
)
_density(stats.gamma, _log_gamma, [(0.7, 2.5)], _POSITIVE)
_density(stats.chi2, lambda z, df: _log_gamma(z / 2, df / 2) - math.log(2), [(0.7, 3.5)], _POSITIVE)
_density(stats.expon, lambda z: -z, [(0.7,)], _POSITIVE)

# --- cumulative distributions and quantiles ---------------------------------------------------

_cumulative(
    stats.norm, special.ndtr, lambda z: special.ndtr(-z), [(0.7,), (-1.2,)],
    logarithms=(special.log_ndtr, lambda z: special.log_ndtr(-z)),
)  # fmt: skip
_cumulative(
    stats.t,
    lambda z, df: apply(special.stdtr, df, z),
    lambda z, df: apply(special.stdtr, df, -z),
    [(0.7, 3), (-1.2, 4)],
)
_cumulative(
    stats.beta,
    lambda z, a, b: apply(special.betainc, a, b, z),
    lambda z, a, b: apply(special.betainc, b, a, 1 - z),
    [(0.4, 2, 3)],
    (0.0, 1.0),
)
_cumulative(
    stats.gamma,
    lambda z, a: apply(special.gammainc, a, z),
    lambda z, a: apply(special.gammaincc, a, z),
    [(0.7, 2)],
    _POSITIVE,
)
_cumulative(
    stats.chi2,
    lambda z, df: apply(special.gammainc, df / 2, z / 2),
    lambda z, df: apply(special.gammaincc, df / 2, z / 2),
    [(0.7, 3)],
    _POSITIVE,
)
_cumulative(
    stats.expon, lambda z: -np.expm1(-z), lambda z: np.exp(-z), [(0.7,)], _POSITIVE,
    (lambda z: np.log(-np.expm1(-z)), lambda z: -z),
)  # fmt: skip

_SHAPE = "with respect to a parameter of shape"
elementwise(
    special.stdtr,
    lambda df, z, y: (missing(f"`stdtr` {_SHAPE}"), np.exp(_log_t(z, df))),
    samples=[(3, 0.7)],
)
elementwise(
    special.stdtrit,
    lambda df, q, y: (missing(f"`stdtrit` {_SHAPE}"), np.exp(-_log_t(y, df))),
    samples=[(3, 0.7), (4, 0.2)],
)
elementwise(
    special.gammaincinv,
    lambda a, q, y: (missing(f"`gammaincinv` {_SHAPE}"), np.exp(-_log_gamma(y, a))),
    samples=[(2, 0.7), (3, 0.2)],
)
elementwise(
    special.betaincinv,
    lambda a, b, q, y: (
        missing(f"`betaincinv` {_SHAPE}"),
        missing(f"`betaincinv` {_SHAPE}"),
        np.exp(_number(_log_beta(a, b)) - special.xlogy(a - 1, y) - special.xlog1py(b - 1, -y)),
    ),
    samples=[(2, 3, 0.4), (3, 2, 0.7)],
)
_quantiles(stats.norm, special.ndtri, [(0.7,), (0.2,)])
_quantiles(stats.t, lambda q, df: apply(special.stdtrit, df, q), [(0.7, 3)])
_quantiles(stats.beta, lambda q, a, b: apply(special.betaincinv, a, b, q), [(0.7, 2, 3)])
_quantiles(stats.gamma, lambda q, a: apply(special.gammaincinv, a, q), [(0.7, 2)])
_quantiles(stats.chi2, lambda q, df: 2 * apply(special.gammaincinv, df / 2, q), [(0.7, 3)])
_quantiles(stats.expon, lambda q: -np.log1p(-q), [(0.7,)])

# --- discrete distributions -------------------------------------------------------------------


def _log_poisson(k: Any, mu: Any, loc: Any = 0) -> Any:
    counts = np.subtract(k, loc)
    return special.xlogy(counts, mu) - mu - apply(special.gammaln, counts + 1)


_composed(
    stats.poisson.logpmf,
    _log_poisson,
    samples=[(2, 0.7), (0, 1.3), (3, 1.3, 1)],
    note="k and loc are integers",
)
_composed(
    stats.poisson.pmf,
    lambda k, mu, loc=0: np.exp(_log_poisson(k, mu, loc)),
    samples=[(2, 0.7), (0, 1.3), (3, 1.3, 1)],
    note="k and loc are integers",
)

# --- distributions of vectors -----------------------------------------------------------------


def _multivariate_normal(x: Any, mean: Any = None, cov: Any = 1) -> Any:
    """Only the lower triangle of the covariance is read."""
    cov = _covariance(mean, cov)
    cov = np.tril(cov) + np.transpose(np.tril(cov, -1))
    gap = x if mean is None else x - mean
    solved = np.linalg.solve(cov, np.expand_dims(gap, -1))[..., 0]
    found = -0.5 * (
        np.sum(gap * solved, axis=-1) + np.linalg.slogdet(cov)[1] + np.shape(cov)[-1] * LOG_2_PI
    )
    lengths = facts.dims(x.fact)
    return found if lengths is not None and 1 not in lengths[:-1] else np.squeeze(found)


def _covariance(mean: Any, cov: Any) -> Any:
    """SciPy takes a number or the diagonal too."""
    axes = rank(cov)
    if axes == 1:
        return np.diag(cov)
    if axes == 0 and rank(mean) == 1:
        return cov * apply(np.eye, np.shape(mean)[0])
    if axes != 2:
        raise NotYetSupported(
            "a `cov` of unknown shape, or a number without a mean", hint="pass a matrix as `cov`"
        )
    return cov


def _normal_samples() -> Any:
    x, mean, cov = reals(2), reals(2, seed=1), np.eye(2) * 2 + 0.3
    return [(x, mean, cov), (reals(3, 2), mean, cov), (x, None, cov), (x, mean, positive(2)),
            (x, mean, 1.3)]  # fmt: skip


AT_POINTS = "at several points, or at one that is a vector"

_composed(
    stats.multivariate_normal.logpdf, _multivariate_normal, samples=_normal_samples, note=AT_POINTS
)
_composed(
    stats.multivariate_normal.pdf,
    lambda x, mean=None, cov=1: np.exp(_multivariate_normal(x, mean, cov)),
    samples=_normal_samples,
    note=AT_POINTS,
)


def _log_dirichlet(x: Any, alpha: Any) -> Any:
    """x has a component for each of alpha, or the last one is what is left of 1."""
    whole = apply(scipy_runtime.completed, x, alpha)
    powers = alpha - 1
    if rank(x) != 1:  # a column for each point
        powers = apply(scipy_runtime.as_column_of, powers, x)
    normaliser = special.gammaln(np.sum(alpha)) - np.sum(special.gammaln(alpha))
    return np.sum(special.xlogy(powers, whole), axis=0) + normaliser


rule(
    scipy_runtime.completed,
    jvp=lambda tangents, y, x, alpha: (
        None if tangents[0] is None else apply(scipy_runtime.completed_change, tangents[0], alpha)
    ),
    vjp=lambda g, y, x, alpha: (apply(scipy_runtime.uncompleted, g, x), None),
    samples=lambda: [(positive(2) / 9, positive(3)), (positive(2, 4) / 9, positive(3))],
)
linear(
    scipy_runtime.completed_change,
    lambda g, x, alpha: apply(scipy_runtime.uncompleted, g, x),
    samples=lambda: [(reals(2), np.ones(3, int)), (reals(3), np.ones(3, int))],
)
linear(
    scipy_runtime.uncompleted,
    lambda h, g, x: apply(scipy_runtime.completed_change, h, g),
    samples=lambda: [(reals(3), np.ones(2, int)), (reals(3), np.ones(3, int))],
)
linear(
    scipy_runtime.as_column_of,
    lambda g, w, x: np.reshape(g, np.shape(w)),
    samples=lambda: [(reals(3), np.ones((3, 2), int)), (reals(3), np.ones(3, int))],
)


def _like(array: Any, shape: Any) -> Fact:
    return Array(facts.dtype(array.fact), shape)


def _completed_fact(x: Any, alpha: Any) -> Fact:
    """As many rows as alpha has; which of the two ways is taken depends on the lengths."""
    rows, dims = facts.dims(alpha.fact), facts.dims(x.fact)
    return _like(x, (rows[0], *dims[1:]) if rows and dims else None)


infer.special[scipy_runtime.completed] = _completed_fact
infer.special[scipy_runtime.completed_change] = _completed_fact
infer.special[scipy_runtime.uncompleted] = lambda g, x: _like(g, facts.dims(x.fact))


def _dirichlet_samples() -> Any:
    points = np.array([[0.2, 0.3], [0.5, 0.1]])
    return [(points[0], positive(3)), (points, positive(3))]


_composed(stats.dirichlet.logpdf, _log_dirichlet, samples=_dirichlet_samples)
_composed(
    stats.dirichlet.pdf,
    lambda x, alpha: np.exp(_log_dirichlet(x, alpha)),
    samples=_dirichlet_samples,
)
