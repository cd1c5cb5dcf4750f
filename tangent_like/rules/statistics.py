"""Rules of statistics that formulas define: averages, quantiles, covariances."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.reductions import axis_samples, conj
from tangent_like.rules.registry import composed, constant, linear
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.shapes import moved_back
from tangent_like.rules.symbolic import apply, rank


def _average(
    x: Any, axis: Any = None, weights: Any = None, returned: Any = False, keepdims: Any = False
) -> Any:
    named_axes = {} if axis is None else {"axis": axis}
    kept = {"keepdims": True} if keepdims is True else {}
    if weights is None:
        found = apply(np.mean, x, **named_axes, **kept)
        return found if returned is False else (found, None)
    if axis is not None:
        weights = apply(runtime.along_axis, weights, x, axis)
    total = apply(np.sum, np.broadcast_to(weights, np.shape(x)), **named_axes, **kept)
    found = apply(np.sum, x * weights, **named_axes, **kept) / total
    return found if returned is False else (found, total)


composed(
    np.average,
    _average,
    samples=lambda: [
        (reals(4),), (reals(2, 3), 0), (reals(4), None, positive(4)),
        (reals(2, 3), 1, positive(3)), (reals(2, 3), 0, positive(2, 3)),
        (reals(4), None, positive(4), True), (reals(4), None, None, True),
        ((reals(2, 3), 1, positive(3)), {"keepdims": True}),
        (reals(2, 2, 3), (2, 0), positive(3, 2)),
    ],
)  # fmt: skip
linear(
    runtime.along_axis,
    lambda g, w, x, axis: (
        np.reshape(g, np.shape(w))
        if isinstance(axis, int)
        else moved_back(runtime.along_axis, g, w, x, axis)
    ),
    samples=lambda: [
        (reals(3), np.zeros((2, 3)), 1), (reals(2), np.zeros((2, 3)), 0),
        (reals(2, 3), np.zeros((3, 4, 2)), (-1, 0)),
    ],
)  # fmt: skip


# --- quantiles --------------------------------------------------------------------------------

constant(runtime.floor_index, runtime.ceil_index)

CONTINUOUS = {
    "linear": (1.0, 1.0), "weibull": (0.0, 0.0), "hazen": (0.5, 0.5),
    "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8),
    "interpolated_inverted_cdf": (0.0, 1.0),
}  # fmt: skip
"""The parameters alpha and beta of Hyndman and Fan (1996) for each way to interpolate."""


def _place(q: Any, count: Any, method: Any) -> Any:
    """Where between the sorted elements, counted from 0, a quantile lies."""
    if method in ("linear", "lower", "higher", "midpoint"):
        return q * (count - 1)
    if method not in CONTINUOUS:
        raise NotYetSupported(f"`quantile` with method {method!r}", hint='use method="linear"')
    alpha, beta = CONTINUOUS[method]
    return np.clip(count * q + (alpha + q * (1 - alpha - beta)) - 1, 0, count - 1)


def _between(place: Any, low: Any, high: Any, method: Any) -> Any:
    """The share of the upper neighbour: its place among the two, or what the method says."""
    if method in ("lower", "higher"):
        return 1.0 if method == "higher" else 0.0
    return (low + high) / 2 - low if method == "midpoint" else place - low


def _order_statistic(sorted_x: Any, place: Any, method: Any) -> Any:
    """Between two neighbours on the last axis."""
    low, high = apply(runtime.floor_index, place), apply(runtime.ceil_index, place)
    share = apply(runtime.as_type, _between(place, low, high, method), sorted_x)
    return np.take(sorted_x, low, axis=-1) * (1 - share) + np.take(sorted_x, high, axis=-1) * share


def _merged(x: Any, axis: Any) -> Any:
    """The reduced axes as one, the last."""
    if axis is None:
        return np.ravel(x)
    return (
        apply(runtime.merge_axes, x, axis) if isinstance(axis, tuple) else np.moveaxis(x, axis, -1)
    )


def _with_axes(found: Any, x: Any, q: Any, axis: Any, keepdims: Any) -> Any:
    """Of several quantiles the axis comes first; reduced axes are kept as axes of length 1."""
    several = bool(np.ndim(q))
    if several:
        found = np.moveaxis(found, -1, 0)
    if keepdims is not True:
        return found
    if axis is None:
        count = np.ndim(x)
        if not isinstance(count, int):
            raise NotYetSupported("`keepdims` where the number of axes is not known")
        axis = tuple(range(count))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return np.expand_dims(found, tuple(a + several if a >= 0 else a for a in axes))


def _check_options(overwrite_input: Any, weights: Any) -> None:
    if overwrite_input is not False:
        raise NotYetSupported("`overwrite_input`", hint="leave `overwrite_input` out")
    if weights is not None:
        raise NotYetSupported("quantiles with `weights`")


def _quantile(
    x: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
    method: Any = "linear", keepdims: Any = False, weights: Any = None,
) -> Any:  # fmt: skip
    _check_options(overwrite_input, weights)
    ordered = np.sort(_merged(x, axis))
    place = _place(q, np.shape(ordered)[-1], method)
    return _with_axes(_order_statistic(ordered, place, method), x, q, axis, keepdims)


def _nanquantile(
    x: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
    method: Any = "linear", keepdims: Any = False, weights: Any = None,
) -> Any:  # fmt: skip
    """NaN are sorted to the end, and not counted."""
    _check_options(overwrite_input, weights)
    ordered = np.sort(apply(runtime.nonempty, _merged(x, axis)))
    count = apply(np.sum, ~np.isnan(ordered), axis=-1, keepdims=True)
    place = np.maximum(_place(q, count, method), 0)
    low, high = apply(runtime.floor_index, place), apply(runtime.ceil_index, place)
    share = apply(runtime.as_type, _between(place, low, high, method), ordered)
    below, above = (np.take_along_axis(ordered, i, axis=-1) for i in (low, high))
    found = below * (1 - share) + above * share
    return _with_axes(found if np.ndim(q) else found[..., 0], x, q, axis, keepdims)


def _median(of: Any) -> Any:
    return lambda x, axis=None, out=None, overwrite_input=False, keepdims=False: of(
        x, 0.5, axis, None, overwrite_input, keepdims=keepdims
    )


def _percentile(of: Any) -> Any:
    return lambda x, q, axis=None, out=None, overwrite_input=False, method="linear", \
        keepdims=False, weights=None: of(
            x, q / 100, axis, None, overwrite_input, method, keepdims, weights
        )  # fmt: skip


def _several_quantiles(x: Any, scale: float = 1.0) -> Any:
    few = scale * np.array([0.1, 0.62])
    found = [
        ((10 * x, 0.331 * scale), {}), ((x, 0.3 * scale, 0), {}), ((x, 0.3 * scale, (0, 1)), {}),
        ((x, 0.6 * scale), {"axis": -1, "keepdims": True}), ((x, few, 0), {}),
        ((x, few), {"axis": 1, "keepdims": True}), ((x, few), {"keepdims": True}),
    ]  # fmt: skip
    methods = (*CONTINUOUS, "lower", "higher", "midpoint")
    return [*found, *(((x, 0.37 * scale, 0), {"method": method}) for method in methods)]


def _with_nan() -> Any:
    x = reals(4, 3)
    x[0, 1] = x[2, 2] = np.nan
    return x


composed(
    np.quantile,
    _quantile,
    samples=lambda: _several_quantiles(reals(4, 3)),
    note="of one number at least",
)
composed(
    np.percentile,
    _percentile(_quantile),
    samples=lambda: _several_quantiles(reals(4, 3), 100.0)[:8],
    note="of one number at least",
)
composed(
    np.median,
    _median(_quantile),
    samples=axis_samples,
    note="of an even number the two in the middle share equally; of one number at least",
)
composed(
    np.nanquantile,
    _nanquantile,
    samples=lambda: _several_quantiles(_with_nan()),
    note="of one number at least",
)
composed(
    np.nanpercentile,
    _percentile(_nanquantile),
    samples=lambda: _several_quantiles(_with_nan(), 100.0)[:8],
    note="of one number at least",
)
composed(
    np.nanmedian,
    _median(_nanquantile),
    samples=lambda: [
        *axis_samples()[:5], (_with_nan(),), (_with_nan(), 0),
        ((_with_nan(),), {"axis": 1, "keepdims": True}),
    ],
    note="of an even number the two in the middle share equally; of one number at least",
)  # fmt: skip
linear(
    runtime.merge_axes,
    lambda g, x, axis: apply(
        runtime.move_back, g, apply(runtime.merge_axes, apply(runtime.positions, x), axis), x
    ),
    samples=lambda: [(reals(2, 3, 2), (0, 2))],
)


# --- covariances ------------------------------------------------------------------------------


def _variables(m: Any, rowvar: Any) -> Any:
    """A row for each variable; a vector is one variable either way."""
    x = np.atleast_2d(m)
    return x if rowvar or np.ndim(m) in (0, 1) else np.transpose(x)


def _more_variables(y: Any, rowvar: Any) -> Any:
    x = np.atleast_2d(y)
    return x if rowvar or np.ndim(y) in (0, 1) else apply(runtime.columns_as_rows, x)


linear(
    runtime.columns_as_rows,
    lambda g, x: moved_back(runtime.columns_as_rows, g, x),
    samples=lambda: [(reals(2, 3),), (reals(1, 3),)],
)


def _covariance(
    m: Any, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None,
    fweights: Any = None, aweights: Any = None, dtype: Any = None,
) -> Any:  # fmt: skip
    x = _variables(m, rowvar)
    if y is not None:
        x = apply(np.vstack, (x, _more_variables(y, rowvar)))
    lost = (0 if bias else 1) if ddof is None else ddof
    if fweights is None and aweights is None:
        d = x - np.mean(x, axis=1, keepdims=True)
        free = np.shape(x)[1] - lost
        # Divided by 0, a number of Python would raise where NumPy's covariance is NaN.
        free = free if rank(m) else apply(np.float64, free)
        return np.squeeze(np.matmul(d, np.transpose(conj(d))) / free)
    w = fweights if aweights is None else aweights
    w = w * fweights if fweights is not None and aweights is not None else w
    d = x - np.expand_dims(np.matmul(x, w), 1) / np.sum(w)
    free = np.sum(w) - lost * (1 if aweights is None else np.sum(w * aweights) / np.sum(w))
    return np.squeeze(np.matmul(d * w, np.transpose(conj(d))) / free)


composed(
    np.cov,
    _covariance,
    samples=lambda: [
        (reals(2, 5),), (reals(4),), (reals(4), reals(4, seed=1)),
        ((reals(5, 2),), {"rowvar": False}), ((reals(2, 5),), {"bias": True}),
        ((reals(4), reals(4, 2, seed=1)), {"rowvar": False}),
        ((reals(2, 5),), {"aweights": positive(5)}), ((reals(2, 5),), {"ddof": 0}),
        ((reals(2, 3),), {"fweights": np.array([1, 3, 2])}),
        ((reals(2, 3),), {"fweights": np.array([1, 3, 2]), "aweights": positive(3)}),
        (reals(2, 5), None, True, False, None, None, positive(5)),
    ],
    note="of two observations at least",
)  # fmt: skip


def _correlation(x: Any, y: Any = None, rowvar: Any = True, *, dtype: Any = None) -> Any:
    c = np.atleast_2d(_covariance(x, y, rowvar))
    spread = np.sqrt(np.real(np.diagonal(c)))
    return np.squeeze(c / spread[:, None] / spread)


composed(
    np.corrcoef,
    _correlation,
    samples=lambda: [(reals(2, 5),), (reals(4), reals(4, seed=1))],
    note="of two observations at least",
)
