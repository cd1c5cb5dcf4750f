"""Rules of what creates arrays from numbers, and of statistics defined by a formula."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.reductions import axis_samples, conj
from tangent_like.rules.registry import composed, constant, linear, named
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.symbolic import Symbolic, apply

# --- grids ------------------------------------------------------------------------------------

constant(
    runtime.numbers_of_range,
    runtime.as_column,
    runtime.gradient_matrix,
    runtime.floor_index,
    runtime.ceil_index,
)
linear(
    np.full,
    lambda g, shape, value, dtype=None, order="C": g,
    wrt=(1,),
    samples=lambda: [((2, 3), 0.7), (3, 0.7), ((2, 3), reals(3))],
)
linear(
    np.full_like,
    lambda g, like, value, dtype=None, order="K", subok=True, shape=None: g,
    wrt=(1,),
    samples=lambda: [(reals(2, 3), 0.7), (reals(2, 3), reals(3))],
)


def _linspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, dtype: Any = None, axis: Any = 0
) -> Any:
    grid = np.linspace(0.0, 1.0, num, endpoint=endpoint)
    wide = np.maximum(np.ndim(start), np.ndim(stop))
    if isinstance(wide, Symbolic):
        grid = apply(runtime.as_column, grid, start, stop)
    else:
        grid = np.reshape(grid, (-1, *[1] * int(wide)))
    points = start * (1 - grid) + stop * grid
    return points if axis == 0 else np.moveaxis(points, 0, axis)


composed(
    np.linspace,
    _linspace,
    samples=lambda: [
        (0.3, 1.7, 4), ((0.3, 1.7, 4), {"endpoint": False}), (reals(2), 1.7, 3),
        ((reals(2), reals(2, seed=1), 3), {"axis": -1}),
    ],
)  # fmt: skip
composed(
    np.logspace,
    lambda start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0: np.power(
        base, np.linspace(start, stop, num, endpoint=endpoint, axis=axis)
    ),
    samples=lambda: [(0.3, 0.7, 4), ((0.3, 0.7, 4), {"base": 2.0})],
)
composed(
    np.geomspace,
    lambda start, stop, num=50, endpoint=True, dtype=None, axis=0: (
        start * np.exp(np.log(stop / start) * np.linspace(0.0, 1.0, num, endpoint=endpoint))
    ),
    samples=lambda: [(0.3, 1.7, 4)],
)


def _arange(*bounds: Any, dtype: Any = None) -> Any:
    """start + step * i."""
    if len(bounds) == 1:
        return None
    step = bounds[2] if len(bounds) == 3 else 1
    return bounds[0] + step * apply(runtime.numbers_of_range, *bounds)


composed(np.arange, _arange, samples=lambda: [(0.3, 3.2), (0.3, 1.25, 0.2)])
linear(
    np.meshgrid,
    lambda g, *xs, indexing="xy", sparse=False, copy=True: tuple(
        apply(runtime.unmesh, part, i, x, indexing) for i, (part, x) in enumerate(_parts(g, xs))
    ),
    wrt=None,
    samples=lambda: [
        (reals(2), reals(3)),
        ((reals(2), reals(3)), {"indexing": "ij"}),
        ((reals(2), reals(3)), {"sparse": True}),
        (reals(2), reals(3), reals(4)),
        (reals(3),),
    ],
)
linear(
    runtime.unmesh,
    lambda h, g, i, x, indexing: apply(runtime.meshed, h, i, g, indexing),
    samples=lambda: [(reals(3, 2), 0, np.zeros(2), "xy"), (reals(3, 2), 1, np.zeros(2), "ij")],
)
linear(
    runtime.meshed,
    lambda h, x, i, like, indexing: apply(runtime.unmesh, h, i, x, indexing),
    samples=lambda: [(reals(2), 0, np.zeros((3, 2)), "xy")],
)


def _parts(g: Any, xs: tuple[Any, ...]) -> Any:
    zeros = (np.zeros_like(x) for x in xs)
    parts = [g[i] for i in range(len(xs))]
    return [(z if p is None else p, x) for p, x, z in zip(parts, xs, zeros, strict=False)]


composed(
    np.vander,
    lambda x, N=None, increasing=False: _vander(x, N, increasing),
    samples=lambda: [(reals(3), 4), ((reals(3), 3), {"increasing": True}), (reals(3),)],
)


def _vander(x: Any, count: Any, increasing: Any) -> Any:
    powers = apply(np.arange, np.size(x) if count is None else count)
    return x[:, None] ** (powers if increasing else powers[::-1])


linear(
    np.bincount,
    lambda g, x, weights, minlength=0: g[x],
    wrt=(1,),
    samples=lambda: [
        (np.array([0, 2, 2]), reals(3)),
        ((np.array([0, 2]), reals(2)), {"minlength": 5}),
    ],
)

# --- statistics -------------------------------------------------------------------------------


def _average(
    x: Any, axis: Any = None, weights: Any = None, returned: Any = False, keepdims: Any = False
) -> Any:
    named_axes = {} if axis is None else {"axis": axis}
    kept = {"keepdims": True} if keepdims is True else {}
    if returned is not False:
        raise NotYetSupported("`average` with the keyword `returned`")
    if weights is None:
        return apply(np.mean, x, **named_axes, **kept)
    if isinstance(axis, int):
        weights = apply(runtime.along_axis, weights, x, axis)
    return apply(np.sum, x * weights, **named_axes, **kept) / apply(
        np.sum, np.broadcast_to(weights, np.shape(x)), **named_axes, **kept
    )


composed(
    np.average,
    _average,
    samples=lambda: [
        (reals(4),), (reals(2, 3), 0), (reals(4), None, positive(4)),
        (reals(2, 3), 1, positive(3)), (reals(2, 3), 0, positive(2, 3)),
    ],
)  # fmt: skip
linear(
    runtime.along_axis,
    lambda g, w, x, axis: np.reshape(g, np.shape(w)),
    samples=lambda: [(reals(3), np.zeros((2, 3)), 1), (reals(2), np.zeros((2, 3)), 0)],
)


def _order_statistic(sorted_x: Any, place: Any) -> Any:
    """Between two neighbours on the last axis."""
    low, high = apply(runtime.floor_index, place), apply(runtime.ceil_index, place)
    share = apply(runtime.as_type, place - low, sorted_x)
    return np.take(sorted_x, low, axis=-1) * (1 - share) + np.take(sorted_x, high, axis=-1) * share


def _merged(x: Any, axis: Any) -> Any:
    """The reduced axes as one, the last."""
    if axis is None:
        return np.ravel(x)
    return (
        apply(runtime.merge_axes, x, axis) if isinstance(axis, tuple) else np.moveaxis(x, axis, -1)
    )


def _with_axes(result: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    if keepdims is not True:
        return result
    if axis is None:
        count = np.ndim(x)
        if not isinstance(count, int):
            raise NotYetSupported("`keepdims` where the number of axes is not known")
        return np.reshape(result, (1,) * count)
    return np.expand_dims(result, axis)


def _quantile(
    x: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
    method: Any = "linear", keepdims: Any = False,
) -> Any:  # fmt: skip
    if method != "linear":
        raise NotYetSupported(f"`quantile` with method {method!r}")
    ordered = np.sort(_merged(x, axis))
    place = q * (np.shape(ordered)[-1] - 1)
    found = _order_statistic(ordered, place)
    if np.ndim(q) == 0:
        return _with_axes(found, x, axis, keepdims)
    if keepdims is True:
        raise NotYetSupported("`quantile` of several with `keepdims`")
    return np.moveaxis(found, -1, 0)


def _several_quantiles() -> Any:
    x = reals(4, 3)
    return [(x, 0.3), (x, 0.3, 0), ((x, 0.6), {"axis": -1, "keepdims": True}), (x, 0.3, (0, 1)),
            (x, np.array([0.1, 0.62]), 0)]  # fmt: skip


composed(np.quantile, _quantile, samples=_several_quantiles)
composed(
    np.percentile,
    lambda x, q, *how, **named_how: _quantile(x, q / 100, *how, **named_how),
    samples=lambda: [((s[0][0], s[0][1] * 100, *s[0][2:]), s[1]) if isinstance(s[-1], dict)
                     else (s[0], s[1] * 100, *s[2:]) for s in _several_quantiles()],
)  # fmt: skip
composed(
    np.median,
    lambda x, axis=None, out=None, overwrite_input=False, keepdims=False: _quantile(
        x, 0.5, axis, keepdims=keepdims
    ),
    samples=axis_samples,
    note="of an even number the two in the middle share equally",
)
linear(
    runtime.merge_axes,
    lambda g, x, axis: apply(
        runtime.move_back, g, apply(runtime.merge_axes, apply(runtime.positions, x), axis), x
    ),
    samples=lambda: [(reals(2, 3, 2), (0, 2))],
)


def _covariance(
    m: Any, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None
) -> Any:
    if y is not None:
        m = apply(np.vstack, (np.atleast_2d(m), np.atleast_2d(y)))
    x = np.atleast_2d(m)
    if rowvar is not True and np.ndim(m) != 1:
        x = np.transpose(x)
    d = x - np.mean(x, axis=1, keepdims=True)
    free = np.shape(x)[1] - ((0 if bias else 1) if ddof is None else ddof)
    return np.squeeze(np.matmul(d, np.transpose(conj(d))) / free)


composed(
    np.cov,
    _covariance,
    samples=lambda: [(reals(2, 5),), (reals(4),), (reals(4), reals(4, seed=1)),
                     ((reals(5, 2),), {"rowvar": False}), ((reals(2, 5),), {"bias": True})],
)  # fmt: skip


def _correlation(x: Any, y: Any = None, rowvar: Any = True) -> Any:
    c = np.atleast_2d(_covariance(x, y, rowvar))
    spread = np.sqrt(np.real(np.diagonal(c)))
    return np.squeeze(c / spread[:, None] / spread)


composed(
    np.corrcoef,
    _correlation,
    samples=lambda: [(reals(2, 5),), (reals(4), reals(4, seed=1))],
)

# --- differences and integrals ----------------------------------------------------------------


def _diff_cotangent(g: Any, x: Any, n: Any = 1, axis: Any = -1) -> Any:
    for _ in range(n):
        g = apply(runtime.undiff, g, axis)
    return g


linear(
    np.diff,
    _diff_cotangent,
    samples=lambda: [
        (reals(4),), (reals(4), 2), ((reals(2, 3),), {"axis": 0}), (reals(2, 3), 1, 1),
    ],
)  # fmt: skip
linear(
    runtime.undiff,
    lambda h, g, axis: np.diff(h, axis=axis),
    samples=lambda: [(reals(3), 0), (reals(2, 3), -1)],
)


def _ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    flat = np.ravel(x)
    between = flat[1:] - flat[:-1]
    parts = [np.ravel(p) for p in (to_begin,) if p is not None] + [between]
    parts += [np.ravel(p) for p in (to_end,) if p is not None]
    return between if len(parts) == 1 else apply(np.concatenate, parts)


composed(np.ediff1d, _ediff1d, samples=lambda: [(reals(4),), ((reals(4), 0.3, 0.7))])


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    heights = np.moveaxis(y, axis, -1)
    between = (heights[..., 1:] + heights[..., :-1]) / 2
    if x is None:
        return np.sum(between * dx, axis=-1)
    places = x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1)
    return np.sum(between * (places[..., 1:] - places[..., :-1]), axis=-1)


composed(
    named(np, "trapezoid", "trapz"),
    _trapezoid,
    samples=lambda: [
        (reals(4),), (reals(4), np.array([0.0, 0.4, 1.1, 1.5])), (reals(4), None, 0.3),
        ((reals(2, 3),), {"axis": 0}), (reals(2, 3), np.array([0.0, 0.4, 1.1])),
    ],
)  # fmt: skip


def _gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """Along one axis the product with a matrix: the gradient of the unit vectors."""
    count = np.ndim(f)
    if axis is None and not isinstance(count, int):
        raise NotYetSupported("`gradient` where the number of axes is not known")
    axes = list(range(count)) if axis is None else [axis] if isinstance(axis, int) else list(axis)
    steps = list(spacing) * (len(axes) if len(spacing) == 1 else 1) or [1.0] * len(axes)
    found = [_gradient_along(f, a, h, edge_order) for a, h in zip(axes, steps, strict=False)]
    return found[0] if len(found) == 1 else tuple(found)


def _gradient_along(f: Any, axis: int, h: Any, edge_order: int) -> Any:
    uniform = np.ndim(h) == 0
    if not uniform and isinstance(h, Symbolic):
        raise NotYetSupported("`gradient` with a spacing that is an array computed here")
    unit = apply(np.eye, np.shape(f)[axis])
    where = () if uniform else (h,)
    matrix = apply(runtime.gradient_matrix, unit, edge_order, *where)
    slopes = np.moveaxis(np.tensordot(matrix, f, (1, axis)), 0, axis)
    return slopes / h if uniform and not (isinstance(h, float) and h == 1.0) else slopes


composed(
    np.gradient,
    _gradient,
    samples=lambda: [
        (reals(4),), (reals(4), 0.3), (reals(3, 4),), ((reals(3, 4),), {"axis": 1}),
        ((reals(4),), {"edge_order": 2}),
    ],
)  # fmt: skip
composed(
    np.trace,
    lambda x, offset=0, axis1=0, axis2=1, dtype=None, out=None: np.sum(
        np.diagonal(x, offset, axis1, axis2), axis=-1
    ),
    samples=lambda: [(reals(3, 3),), (reals(2, 3), 1), (reals(2, 3, 3), 0, 1, 2)],
)
composed(
    named(np.linalg, "trace"),
    lambda x, offset=0, dtype=None: np.sum(np.diagonal(x, offset, -2, -1), axis=-1),
    samples=lambda: [(reals(3, 3),), (reals(2, 3, 3),)],
)
