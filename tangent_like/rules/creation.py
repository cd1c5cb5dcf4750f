"""Rules of what creates arrays from numbers: grids, meshes, windows, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.registry import composed, constant, linear
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.symbolic import Symbolic, apply, emitted, is_symbolic, rank

# --- grids ------------------------------------------------------------------------------------

constant(runtime.numbers_of_range, runtime.as_column)
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
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, retstep: Any = False,
    dtype: Any = None, axis: Any = 0,
) -> Any:  # fmt: skip
    points = _points(start, stop, num, endpoint, axis)
    if retstep is False:
        return points
    return points, (stop - start) / (num - 1 if endpoint else num)


def _points(start: Any, stop: Any, num: Any, endpoint: Any, axis: Any) -> Any:
    how = {} if endpoint is True else {"endpoint": endpoint}
    grid = emitted((start, stop), np.linspace, 0.0, 1.0, num, **how)
    wide = np.maximum(np.ndim(start), np.ndim(stop))
    if isinstance(wide, Symbolic):
        grid = apply(runtime.as_column, grid, start, stop)
    elif wide:
        grid = np.reshape(grid, (-1, *[1] * int(wide)))
    points = start * (1 - grid) + stop * grid
    return points if axis == 0 else np.moveaxis(points, 0, axis)


composed(
    np.linspace,
    _linspace,
    samples=lambda: [
        (0.3, 1.7, 4), ((0.3, 1.7, 4), {"endpoint": False}), (reals(2), 1.7, 3),
        ((reals(2), reals(2, seed=1), 3), {"axis": -1}), ((0.3, 1.7, 4), {"retstep": True}),
        (0.3, 1.7, 4, False, True),
    ],
)  # fmt: skip
composed(
    np.logspace,
    lambda start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0: np.power(
        base, np.linspace(start, stop, num, endpoint=endpoint, axis=axis)
    ),
    samples=lambda: [
        (0.3, 0.7, 4), ((0.3, 0.7, 4), {"base": 2.0}), (0.3, 0.7, 4, True, 2.5),
        ((reals(2), 0.7, 3), {"axis": 1}),
    ],
)  # fmt: skip
composed(
    np.geomspace,
    lambda start, stop, num=50, endpoint=True, dtype=None, axis=0: np.moveaxis(
        start * np.exp(_points(0.0 * stop, np.log(stop / start), num, endpoint, 0)), 0, axis
    ),
    samples=lambda: [
        (0.3, 1.7, 4), (-0.3, -1.7, 4), (positive(2), 2.7, 3), ((positive(2), 2.7, 3), {"axis": -1})
    ],
)


def _arange(*bounds: Any, dtype: Any = None) -> Any:
    """start + step * i."""
    if len(bounds) == 1:
        return None
    step = bounds[2] if len(bounds) == 3 else 1
    return bounds[0] + step * apply(runtime.numbers_of_range, *bounds)


composed(np.arange, _arange, samples=lambda: [(0.3, 3.2), (0.3, 1.25, 0.2)])


def _unmeshed(g: Any, *xs: Any, indexing: Any = "xy", sparse: Any = False, copy: Any = True) -> Any:
    """Each coordinate varies along one axis of its mesh only."""
    found = []
    for i in range(len(xs)):
        own = 1 - i if indexing == "xy" and i < 2 and len(xs) > 1 else i
        others = tuple(k for k in range(len(xs)) if k != own)
        axes = others[0] if len(others) == 1 else others
        total = g[i] if g[i] is None or not others else np.sum(g[i], axis=axes)
        flat = total is None or rank(xs[i]) in (0, 1)
        found.append(total if flat else np.reshape(total, np.shape(xs[i])))
    return tuple(found)


linear(
    np.meshgrid,
    _unmeshed,
    wrt=None,
    samples=lambda: [
        (reals(2), reals(3)),
        ((reals(2), reals(3)), {"indexing": "ij"}),
        ((reals(2), reals(3)), {"sparse": True}),
        (reals(2), reals(3), reals(4)),
        (reals(3),),
        (0.7, reals(3)),
        (reals(2, 2), reals(3)),
    ],
)
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

# --- windows and histograms ---------------------------------------------------------------------

composed(
    np.kaiser,
    lambda M, beta: _kaiser(apply(np.arange, M), (M - 1) / 2, beta),
    samples=lambda: [(5, 2.3), (4, 1.2)],
)


def _kaiser(n: Any, middle: Any, beta: Any) -> Any:
    """The quotient of Bessel functions that defines the window."""
    return np.i0(beta * np.sqrt(1 - ((n - middle) / middle) ** 2)) / np.i0(beta)


def _edges(
    x: Any, bins: Any = 10, range: Any = None, weights: Any = None
) -> Any:
    """From the smallest to the largest element, where the edges are not given."""
    if not isinstance(bins, int):
        if isinstance(bins, str):
            raise NotYetSupported("bins chosen by a rule", hint="give their number or their edges")
        return bins
    if range is not None:
        return None
    x = apply(runtime.nonempty, x)
    return np.linspace(np.min(x), np.max(x), bins + 1)


def _histogram(
    x: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    if weights is not None:
        raise NotYetSupported(
            "`histogram` of weights",
            hint="np.bincount(np.digitize(x, edges[1:-1]), weights)",
        )
    edges = _edges(x, bins, range)
    if not density or edges is None or not is_symbolic(edges):
        return None, edges
    counts = apply(np.histogram, x, bins, range)[0]
    return counts / np.diff(edges) / np.sum(counts), edges


composed(
    np.histogram,
    _histogram,
    samples=lambda: [
        (reals(5), 3), (reals(5), np.array([-2.0, 0.3, 2.0])), ((reals(5), 3), {"density": True}),
        ((reals(5), np.array([-2.0, 0.3, 2.0])), {"density": True}),
    ],
    note="counts are constant, edges are not; of one number at least",
)
composed(
    np.histogram_bin_edges,
    _edges,
    samples=lambda: [(reals(5), 3)],
    note="of one number at least",
)
