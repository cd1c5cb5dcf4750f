"""Rules of differences, integrals by the trapezoidal rule, gradients of samples, and traces."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.joining import along
from tangent_like.rules.registry import composed, constant, linear, named
from tangent_like.rules.samples import reals
from tangent_like.rules.shapes import given, is_square
from tangent_like.rules.symbolic import Symbolic, apply, rank


def _diff_cotangent(
    g: Any, x: Any, n: Any = 1, axis: Any = -1, prepend: Any = None, append: Any = None
) -> Any:
    if _absent(prepend) and _absent(append):
        return _undiff(g, x, n, axis), None, None
    for _ in range(n):
        g = apply(runtime.undiff, g, axis)
    return _unjoined(g, x, axis, prepend, append)


def _undiff(g: Any, x: Any, n: int, axis: int) -> Any:
    """Each n-th difference adds to n + 1 parts of its array, times binomial coefficients."""
    axes = rank(x)
    axis = axis % axes if axes else axis
    found = apply(runtime.zeros_like, x)
    for k in range(n + 1):
        times = (-1) ** (n - k) * math.comb(n, k)
        part = g if times == 1 else -g if times == -1 else float(times) * g
        place = along(axis, slice(k or None, k - n or None))
        found = apply(runtime.scatter_add, found, place, part)
    return found


def _absent(edge: Any) -> bool:
    return edge is None or edge is np._NoValue


def _unjoined(g: Any, x: Any, axis: Any, prepend: Any, append: Any) -> Any:
    """The cotangents of the parts that were put together before the differences."""
    before = 0 if _absent(prepend) else _length(prepend, axis)
    middle = before + np.shape(x)[axis]
    first, second, third = (
        g[along(axis, slice(*bounds))]
        for bounds in ((None, before), (before, middle), (middle, None))
    )
    return (
        second,
        None if _absent(prepend) else _edge(first, prepend, axis),
        None if _absent(append) else _edge(third, append, axis),
    )


def _length(edge: Any, axis: Any) -> Any:
    return 1 if np.ndim(edge) == 0 else np.shape(edge)[axis]


def _edge(g: Any, edge: Any, axis: Any) -> Any:
    return np.sum(g) if np.ndim(edge) == 0 else g


linear(
    np.diff,
    _diff_cotangent,
    wrt=(0, 3, 4),
    samples=lambda: [
        (reals(4),), (reals(4), 2), (reals(2), 4), ((reals(2, 3),), {"axis": 0}),
        (reals(2, 3), 1, 1),
        (reals(4), 1, -1, 0.7), (reals(4), 1, -1, 0.7, 0.3), (reals(2, 3), 2, 0, reals(2, 3)),
        ((reals(2, 3),), {"prepend": 0.0}), ((reals(4),), {"append": 1.5}),
    ],
)  # fmt: skip
constant(runtime.gradient_matrix)
linear(
    runtime.undiff,
    lambda h, g, axis, like=None: np.diff(h, axis=axis),
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
        return np.moveaxis(_gradient_by_places(np.moveaxis(f, axis, 0), h, edge_order), 0, axis)
    unit = apply(np.eye, np.shape(f)[axis])
    where = () if uniform else (h,)
    matrix = apply(runtime.gradient_matrix, unit, edge_order, *where)
    slopes = np.moveaxis(np.tensordot(matrix, f, (1, axis)), 0, axis)
    return slopes / h if uniform and not (isinstance(h, float) and h == 1.0) else slopes


def _gradient_by_places(f: Any, x: Any, edge_order: int) -> Any:
    """By parabolas through three neighbours, along the first axis, at places that may vary."""
    h = _as_columns(x[1:] - x[:-1], f)
    a, b = h[:-1], h[1:]
    inside = ((f[2:] - f[1:-1]) * a / b + (f[1:-1] - f[:-2]) * b / a) / (a + b)
    first, last = (f[1:2] - f[:1]) / h[:1], (f[-1:] - f[-2:-1]) / h[-1:]
    if edge_order == 2:
        first = 2 * first - _parabola(f[:3], h[:1], h[1:2])
        last = 2 * last - _parabola(f[-3:], h[-2:-1], h[-1:])
    return apply(np.concatenate, (first, inside, last))


def _parabola(f: Any, a: Any, b: Any) -> Any:
    """The slope at the middle one of three points."""
    return ((f[2:] - f[1:2]) * a / b + (f[1:2] - f[:1]) * b / a) / (a + b)


def _as_columns(h: Any, f: Any) -> Any:
    """Steps along the first axis, so that they broadcast with `f`."""
    count = np.ndim(f)
    if not isinstance(count, int):
        raise NotYetSupported("`gradient` where the number of axes is not known")
    return np.reshape(h, (-1, *[1] * (count - 1)))


composed(
    np.gradient,
    _gradient,
    samples=lambda: [
        (reals(4),), (reals(4), 0.3), (reals(3, 4),), ((reals(3, 4),), {"axis": 1}),
        ((reals(4),), {"edge_order": 2}), (reals(4), np.array([0.0, 0.4, 1.1, 1.5])),
        ((reals(4), np.array([0.0, 0.4, 1.1, 1.5])), {"edge_order": 2}),
        ((reals(2, 4), np.array([0.0, 0.4, 1.1, 1.5])), {"axis": 1}), (reals(3, 4), 0.3, 0.7),
    ],
)  # fmt: skip


def _trace_cotangent(
    g: Any, x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None,
    out: Any = None,
) -> Any:  # fmt: skip
    """A multiple of the unit matrix."""
    if rank(x) == 2 and (axis1, axis2) in ((0, 1), (-2, -1)):
        rows, columns = np.shape(x)[0], np.shape(x)[1]
        return g * _unit_matrix(rows, None if is_square(x) else columns, offset)
    places = apply(np.diagonal, apply(runtime.positions, x), offset, axis1, axis2)
    return apply(runtime.move_back, np.expand_dims(g, -1), places, x)


def _unit_matrix(rows: Any, columns: Any, offset: Any) -> Any:
    if columns is None and type(offset) is int and offset == 0:
        return apply(np.eye, rows)
    return apply(np.eye, rows, columns, *given(offset))


linear(
    np.trace,
    _trace_cotangent,
    samples=lambda: [
        (reals(3, 3),), (reals(2, 3), 1), (reals(2, 3, 3), 0, 1, 2), (reals(2, 3),),
        (reals(2, 3), 1, 1, 0),
    ],
)  # fmt: skip
linear(
    named(np.linalg, "trace"),
    lambda g, x, *, offset=0, dtype=None: _trace_cotangent(g, x, offset, -2, -1),
    samples=lambda: [(reals(3, 3),), (reals(2, 3, 3),), ((reals(2, 3),), {"offset": 1})],
)
