"""Rules of the distributions of `scipy.stats`, by their formulas; read only if it is imported.

The methods of a distribution are bound methods, which are equal whenever the distribution is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special, stats

from tangent_like.rules.masks import missing
from tangent_like.rules.registry import composed, elementwise
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, is_symbolic

LOG_2_PI = math.log(2 * math.pi)


def _density(distribution: Any, log_density: Any, samples: Any) -> None:
    """logpdf and pdf from the logarithm of the standardised density.

    `log_density(z, *shapes)`; the methods take location and scale after the shapes.
    """
    count = len(samples[0]) - 1

    def logpdf(x: Any, *parameters: Any) -> Any:
        shapes, loc, scale = _split(parameters, count)
        z = (x - loc) / scale
        return log_density(z, *shapes) - np.log(scale)

    composed(distribution.logpdf, logpdf, samples=[*samples, (*samples[0], 0.1, 1.7)])
    composed(
        distribution.pdf,
        lambda x, *parameters: np.exp(logpdf(x, *parameters)),
        samples=[*samples, (*samples[0], 0.1, 1.7)],
    )


def _split(parameters: tuple[Any, ...], count: int) -> tuple[tuple[Any, ...], Any, Any]:
    """The shape parameters, the location and the scale."""
    given = parameters[count:]
    loc = given[0] if given else 0.0
    return parameters[:count], loc, given[1] if len(given) > 1 else 1.0


def _cumulative(method: Any, function: Any, samples: Any) -> None:
    """A cumulative distribution function, from that of the standardised distribution."""
    count = len(samples[0]) - 1

    def formula(x: Any, *parameters: Any) -> Any:
        shapes, loc, scale = _split(parameters, count)
        return function((x - loc) / scale, *shapes)

    composed(method, formula, samples=[*samples, (*samples[0], 0.1, 1.7)])


def _log_beta(a: Any, b: Any) -> Any:
    return special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)


def _log_t(z: Any, df: Any) -> Any:
    half = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * np.log(df * math.pi)
    constant = half if is_symbolic(half) else float(half)
    return constant - (df + 1) / 2 * np.log1p(z * z / df)


_density(stats.norm, lambda z: -z * z / 2 - LOG_2_PI / 2, [(0.7,), (-1.2,)])
_density(stats.t, _log_t, [(0.7, 3.5), (-1.2, 2.5)])
_density(
    stats.beta,
    lambda z, a, b: special.xlogy(a - 1, z) + special.xlog1py(b - 1, -z) - _log_beta(a, b),
    [(0.4, 2.5, 1.5)],
)
_density(stats.gamma, lambda z, a: special.xlogy(a - 1, z) - z - special.gammaln(a), [(0.7, 2.5)])
_density(
    stats.chi2,
    lambda z, df: (
        special.xlogy(df / 2 - 1, z) - z / 2 - special.gammaln(df / 2) - df / 2 * math.log(2)
    ),
    [(0.7, 3.5)],
)
_density(stats.expon, lambda z: -z, [(0.7,)])

_cumulative(stats.norm.cdf, special.ndtr, [(0.7,), (-1.2,)])
_cumulative(stats.norm.logcdf, special.log_ndtr, [(0.7,), (-1.2,)])
_cumulative(stats.norm.sf, lambda z: special.ndtr(-z), [(0.7,)])
_cumulative(stats.norm.logsf, lambda z: special.log_ndtr(-z), [(0.7,)])
_cumulative(stats.gamma.cdf, lambda z, a: apply(special.gammainc, a, z), [(0.7, 2)])
_cumulative(stats.chi2.cdf, lambda z, df: apply(special.gammainc, df / 2, z / 2), [(0.7, 3)])
_cumulative(stats.beta.cdf, lambda z, a, b: apply(special.betainc, a, b, z), [(0.4, 2, 3)])
_cumulative(stats.t.cdf, lambda z, df: apply(special.stdtr, df, z), [(0.7, 3)])
elementwise(
    special.stdtr,
    lambda df, z, y: (
        missing("`stdtr` with respect to the degrees of freedom"),
        np.exp(_log_t(z, df)),
    ),
    samples=[(3, 0.7)],
)

composed(
    stats.poisson.logpmf,
    lambda k, mu: special.xlogy(k, mu) - mu - apply(special.gammaln, k + 1),
    samples=[(2, 0.7), (0, 1.3)],
)


def _multivariate_normal(x: Any, mean: Any, cov: Any) -> Any:
    """Only the lower triangle of the covariance is read."""
    cov = np.tril(cov) + np.transpose(np.tril(cov, -1))
    gap = x - mean
    solved = np.linalg.solve(cov, np.expand_dims(gap, -1))[..., 0]
    return -0.5 * (
        np.sum(gap * solved, axis=-1) + np.linalg.slogdet(cov)[1] + np.shape(cov)[-1] * LOG_2_PI
    )


def _samples() -> Any:
    return [(reals(2), reals(2, seed=1), np.eye(2) * 2 + 0.3)]


composed(stats.multivariate_normal.logpdf, _multivariate_normal, samples=_samples)
composed(
    stats.multivariate_normal.pdf,
    lambda x, mean, cov: np.exp(_multivariate_normal(x, mean, cov)),
    samples=_samples,
)
