"""Rules of reductions and cumulative operations that leave NaN out."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like.rules.masks import choose
from tangent_like.rules.reductions import (
    BOUNDS,
    MASK,
    MOMENTS,
    axes_of,
    axis_samples,
    conj,
    extreme_shares,
    free,
    gradient_rule,
    how,
    nonzero,
    root_of,
    typed,
    variance,
)
from tangent_like.rules.registry import composed
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply


def _without_nan(x: Any, instead: float = 0.0) -> Any:
    return apply(np.where, np.isnan(x), instead, x)


def nan_samples() -> Any:
    x = reals(2, 3)
    x[0, 1] = np.nan
    return [(x,), (x, 0), ((x,), {"axis": -1, "keepdims": True})]


def _masked(where: Any) -> dict[str, Any]:
    return {} if where is True or where is np._NoValue else {"where": where}


def _nan_reduction(function: Any, neutral: float) -> Any:
    def formula(
        x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
        initial: Any = None, where: Any = True,
    ) -> Any:  # fmt: skip
        first = {} if initial is None or initial is np._NoValue else {"initial": initial}
        return apply(
            function, _without_nan(x, neutral), **axes_of(axis), **how(keepdims), **first,
            **_masked(where),
        )  # fmt: skip

    return formula


def _nan_options() -> Any:
    more = [{"axis": 1, "where": MASK}, {"initial": 0.5}]
    return [*nan_samples(), *(((reals(2, 3),), keywords) for keywords in more)]


composed(np.nansum, _nan_reduction(np.sum, 0.0), samples=_nan_options)
composed(
    np.nanprod,
    _nan_reduction(np.prod, 1.0),
    samples=_nan_options,
    note="exact where elements are 0",
)


def _present(x: Any, axis: Any, where: Any) -> Any:
    """Which elements count, and how many they are."""
    present = ~np.isnan(x) if where is True else ~np.isnan(x) & where
    kept = {} if axis is None else {"axis": axis, "keepdims": True}
    return present, typed(apply(np.sum, present, **kept), x)


def _nan_mean(y: Any, x: Any, axis: Any, where: Any = True) -> Any:
    present, number = _present(x, axis, where)
    return choose(present, 1 / number, 0.0)


def _nan_variance(
    y: Any, x: Any, axis: Any, ddof: Any = 0, where: Any = True, correction: Any = None
) -> Any:
    """The partials of half the variance, centred twice as in `reductions.recentred`."""
    kept = {} if axis is None else {"axis": axis, "keepdims": True}
    mean = apply(np.nanmean, x, **kept, **_masked(where))
    present, number = _present(x, axis, where)
    d = apply(np.where, present, x - mean, 0.0)
    d = apply(np.where, present, d - apply(np.sum, d, **kept) / number, 0.0)
    return conj(d) / free(number, ddof, correction)


def _about(
    x: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, where: Any = True, correction: Any = None, mean: Any = None,
) -> Any:  # fmt: skip
    """The variance about a given mean."""
    present = ~np.isnan(x) if where is True else ~np.isnan(x) & where
    x = apply(np.where, present, x, 0.0)
    return variance(x, axis, None, None, ddof, keepdims, present, correction, mean)


def _nan_moments() -> Any:
    more = [{"ddof": 1}, {"axis": 1, "where": MASK}]
    return [nan_samples()[0], nan_samples()[2], *(((reals(2, 3),), k) for k in more)]


gradient_rule(
    np.nanmean,
    _nan_mean,
    ("dtype", "out", "keepdims", "where"),
    samples=lambda: [*nan_samples(), _nan_moments()[-1]],
)
gradient_rule(
    np.nanvar,
    lambda y, x, axis, **how: 2 * _nan_variance(y, x, axis, **how),
    MOMENTS,
    formula=_about,
    samples=lambda: [*_nan_moments(), ((nan_samples()[0][0],), {"mean": 0.3})],
)
gradient_rule(
    np.nanstd,
    lambda y, x, axis, **how: _nan_variance(y, x, axis, **how) / nonzero(y),
    MOMENTS,
    formula=root_of(_about),
    samples=_nan_moments,
    note="0 where all elements are equal",
)
gradient_rule(
    (np.nanmax, np.nanmin),
    extreme_shares,
    BOUNDS,
    samples=lambda: [*axis_samples(), *nan_samples(), ((reals(4),), {"initial": 0.5})],
    note="ties share equally",
)
composed(
    np.nancumsum,
    lambda x, axis=None, dtype=None, out=None: np.cumsum(_without_nan(x), axis),
    samples=lambda: nan_samples()[:2],
)
composed(
    np.nancumprod,
    lambda x, axis=None, dtype=None, out=None: np.cumprod(_without_nan(x, 1.0), axis),
    samples=lambda: nan_samples()[:2],
    note="exact where elements are 0",
)
