"""Rules of cumulative operations: cumsum, cumprod and the recurrence behind its derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.rules.registry import composed, linear, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.shapes import one_axis
from tangent_like.rules.symbolic import apply, rank


def _cumsum_cotangent(g: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    if rank(x) == 1:
        return np.cumsum(g[::-1])[::-1]
    if axis is None:
        return np.reshape(np.cumsum(g[::-1])[::-1], np.shape(x))
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


linear(
    np.cumsum,
    _cumsum_cotangent,
    samples=lambda: [(reals(4),), (reals(2, 3), 0), ((reals(2, 3),), {"axis": -1}), (reals(2, 3),)],
)


def _cumprod_tangent(
    tangents: Any, y: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None
) -> Any:
    """y_i = x_i y_(i-1), so dy_i = x_i dy_(i-1) + dx_i y_(i-1): exact where elements are 0."""
    dx = tangents[0]
    if axis is None or rank(x) == 0:
        x, dx, axis = (x, dx, 0) if rank(x) == 1 else (np.ravel(x), np.ravel(dx), 0)
    elif rank(x) is None:
        x, dx = apply(np.atleast_1d, x), apply(np.atleast_1d, dx)
    return apply(runtime.recurrence, x, dx * apply(runtime.preceding, y, axis, 1), axis)


rule(
    np.cumprod,
    jvp=_cumprod_tangent,
    samples=lambda: [
        (reals(4),), (reals(2, 3), 0), ((reals(2, 3),), {"axis": -1}), (reals(2, 3),),
        (np.array([0.5, 0.0, 2.0, 0.0, 3.0]),),
    ],
    note="exact where elements are 0",
)  # fmt: skip


def _recurrence_tangent(tangents: Any, y: Any, a: Any, b: Any, axis: Any) -> Any:
    da, db, _ = tangents
    terms = None if da is None else da * apply(runtime.preceding, y, axis, 0)
    terms = db if terms is None else terms if db is None else terms + db
    return apply(runtime.recurrence, a, terms, axis)


def _recurrence_cotangent(g: Any, y: Any, a: Any, b: Any, axis: Any) -> Any:
    following = apply(runtime.preceding, np.flip(a, axis), axis, 0)
    total = np.flip(apply(runtime.recurrence, following, np.flip(g, axis), axis), axis)
    return total * apply(runtime.preceding, y, axis, 0), total


rule(
    runtime.recurrence,
    jvp=_recurrence_tangent,
    vjp=_recurrence_cotangent,
    samples=lambda: [(reals(4), reals(4, seed=1), 0), (reals(2, 3), reals(2, 3, seed=1), -1)],
)


def _with_initial(plain: Any, first: Any, x: Any, axis: Any, include_initial: Any) -> Any:
    """Cumulative operations of the array API, with the neutral element in front if wanted."""
    if rank(x) == 0 or (axis is None and rank(x) is None):
        x = np.ravel(x)
    axis = 0 if axis is None else one_axis(axis)
    terms = plain(x, axis)
    if not include_initial:
        return terms
    front = np.zeros_like(np.take(x, [0], axis=axis)) + first
    return apply(np.concatenate, (front, terms), axis)


_CUMULATIVE: list[tuple[Any, Any, int]] = [
    (function, plain, first)
    for name, plain, first in (
        ("cumulative_sum", np.cumsum, 0), ("cumulative_prod", np.cumprod, 1),
    )
    for function in named(np, name)
]  # fmt: skip

for _cumulate, _plain, _first in _CUMULATIVE:
    composed(
        _cumulate,
        lambda x, *, axis=None, dtype=None, out=None, include_initial=False, f=_plain, e=_first: (
            _with_initial(f, e, x, axis, include_initial)
        ),
        samples=lambda: [
            (reals(4),), ((reals(2, 3),), {"axis": 1}), ((reals(4),), {"include_initial": True}),
            ((reals(2, 3),), {"axis": -1, "include_initial": True}),
        ],
    )  # fmt: skip
