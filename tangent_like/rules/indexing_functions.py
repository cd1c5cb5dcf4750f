"""Rules of functions that pick elements: by index, by mask, by order, by condition."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.joining import along
from tangent_like.rules.registry import composed, constant, linear, rule
from tangent_like.rules.samples import complexes, reals
from tangent_like.rules.shapes import moved_back
from tangent_like.rules.symbolic import apply, is_symbolic, rank

# --- by index ---------------------------------------------------------------------------------

linear(
    operator.getitem,
    lambda g, x, index: apply(runtime.scatter_add, apply(runtime.zeros_like, x), index, g),
    sequences=True,
    samples=lambda: [
        (reals(4), 1),
        (reals(4), slice(1, None)),
        (reals(2, 3), (slice(None), 1)),
        (reals(4), np.array([0, 2, 2])),
        (reals(4), np.array([True, False, True, True])),
        (reals(2, 3), (..., None)),
    ],
)
linear(
    runtime.scatter_add,
    lambda g, x, index, part: (g, g[index]),
    sequences=True,
    wrt=(0, 2),
    samples=lambda: [
        (reals(4), 1, 0.7),
        (reals(4), np.array([0, 2, 2]), reals(3)),
        (reals(2, 3), (slice(None), 1), 0.7),
    ],
)
def _take_cotangent(
    g: Any, x: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise"
) -> Any:
    """That of an index, where the places are counted along one axis."""
    if mode == "raise" and (rank(x) == 1 or (rank(x) and isinstance(axis, int))):
        index = along(axis or 0, indices)
        return apply(runtime.scatter_add, apply(runtime.zeros_like, x), index, g)
    return apply(runtime.untake, g, indices, x, axis, mode)


linear(
    np.take,
    _take_cotangent,
    samples=lambda: [
        (reals(4), [0, 2, 2]),
        (reals(2, 3), np.array([[0, 5], [1, 1]])),
        (reals(2, 3), [2, 0], 1),
        (reals(2, 3), 1, 0),
        ((reals(2, 3), [4, -1], 1), {"mode": "wrap"}),
    ],
)
linear(
    runtime.untake,
    lambda h, g, indices, x, axis, mode: np.take(h, indices, axis, mode=mode),
    samples=lambda: [(reals(2, 2), [2, 0], reals(2, 3), 1, "raise")],
)
linear(
    np.take_along_axis,
    lambda g, x, indices, axis=-1: apply(runtime.untake_along_axis, g, indices, x, axis),
    samples=lambda: [
        (reals(2, 3), np.array([[0, 0], [2, 1]]), 1),
        (reals(2, 3), np.array([[0, 0, 1]]), 0),
        (reals(4), np.array([0, 3, 3]), None),
    ],
)
linear(
    runtime.untake_along_axis,
    lambda h, g, indices, x, axis: np.take_along_axis(h, indices, axis),
    samples=lambda: [(reals(2, 2), np.array([[0, 0], [2, 1]]), reals(2, 3), 1)],
)
linear(
    np.compress,
    lambda g, condition, x, axis=None: _picked_back(np.compress, g, condition, x, axis),
    wrt=(1,),
    samples=lambda: [([True, False, True], reals(3)), ([False, True], reals(2, 3), 0)],
)
linear(
    np.extract,
    lambda g, condition, x: _picked_back(np.extract, g, condition, x),
    wrt=(1,),
    samples=lambda: [(np.array([[True, False], [True, True]]), reals(2, 2))],
)
linear(
    np.delete,
    lambda g, x, which, axis=None: moved_back(np.delete, g, x, which, axis),
    samples=lambda: [(reals(4), 1), (reals(2, 3), [0, 2], 1), (reals(2, 3), slice(0, 2))],
)


def _picked_back(pick: Any, g: Any, condition: Any, x: Any, *axis: Any) -> Any:
    picked = apply(pick, condition, apply(runtime.positions, x), *axis)
    return apply(runtime.move_back, g, picked, x)


def _insert_cotangent(g: Any, x: Any, where: Any, values: Any, axis: Any = None) -> Any:
    nothing = apply(runtime.positions, x) * 0 - 1
    kept = apply(np.insert, apply(runtime.positions, x), where, -1, axis)
    added = apply(np.insert, nothing, where, apply(runtime.positions, values), axis)
    return apply(runtime.move_back, g, kept, x), apply(runtime.move_back, g, added, values)


linear(
    np.insert,
    _insert_cotangent,
    wrt=(0, 2),
    samples=lambda: [(reals(4), 1, 0.7), (reals(2, 3), [0, 2], reals(2, 2), 1), (reals(3), 3, 0.2)],
)

linear(
    runtime.placed,
    lambda g, x, mask, values: (apply(np.where, mask, 0.0, g), g[mask]),
    wrt=(0, 2),
    samples=lambda: [
        (reals(3), np.array([True, False, True]), reals(2)),
        (reals(2, 2), np.array([[True, False], [True, True]]), 0.7),
    ],
)

# --- by order ---------------------------------------------------------------------------------


def _order(x: Any, axis: Any) -> Any:
    return np.argsort(x, kind="stable", **({} if axis == -1 else {"axis": axis}))


def _in_order(x: Any, order: Any, axis: Any, one_axis: bool) -> Any:
    return x[order] if one_axis else np.take_along_axis(x, order, axis)


def _unsorted(g: Any, order: Any, x: Any, axis: Any) -> Any:
    """A permutation is undone by the permutation that sorts it."""
    if rank(x) == 1:
        return g[np.argsort(order)]
    if axis is None:
        return np.reshape(g[np.argsort(order)], np.shape(x))
    return np.take_along_axis(g, np.argsort(order, axis=axis), axis)


rule(
    np.sort,
    jvp=lambda tangents, y, x, axis=-1, kind=None, order=None, *, stable=None: _in_order(
        tangents[0], _order(x, axis), axis, rank(x) == 1
    ),
    vjp=lambda g, y, x, axis=-1, kind=None, order=None, *, stable=None: _unsorted(
        g, _order(x, axis), x, axis
    ),
    samples=lambda: [(reals(5),), (reals(2, 3), 0), (reals(2, 3), None), (reals(2, 3),)],
    note="equal elements keep their order",
)
rule(
    np.partition,
    jvp=lambda tangents, y, x, kth, axis=-1, kind="introselect", order=None: np.take_along_axis(
        tangents[0], np.argpartition(x, kth, axis=axis), axis
    ),
    vjp=lambda g, y, x, kth, axis=-1, kind="introselect", order=None: apply(
        runtime.untake_along_axis, g, np.argpartition(x, kth, axis=axis), x, axis
    ),
    samples=lambda: [
        (reals(5), 2), (reals(2, 3), 1, 1), ((reals(3, 2), (0, 2)), {"axis": 0}),
        (reals(2, 3), 2, None),
    ],
)  # fmt: skip
composed(
    np.sort_complex,
    lambda x: np.sort(x) + 0j,
    samples=lambda: [(reals(4),), (complexes(4),)],
)


def _unique(derivative: Any) -> Any:
    """The first of the results moves; the others are places and counts."""

    def found(
        first: Any, y: Any, x: Any, return_index: Any = False, return_inverse: Any = False,
        return_counts: Any = False, axis: Any = None, *, equal_nan: Any = True, sorted: Any = True,
    ) -> Any:  # fmt: skip
        if axis is not None:
            raise NotYetSupported("`unique` along an axis", hint="find the rows with argsort")
        if sorted is not True:
            raise NotYetSupported("`unique` without sorting", hint="leave `sorted` out")
        more = sum(map(bool, (return_index, return_inverse, return_counts)))
        return derivative(first, x, more, equal_nan)

    return found


def _unique_tangent(tangents: Any, x: Any, more: int, equal_nan: Any) -> Any:
    dx = np.take(tangents[0], apply(runtime.first_places, x, equal_nan))
    return (dx, *[None] * more) if more else dx


def _unique_cotangent(g: Any, x: Any, more: int, equal_nan: Any) -> Any:
    g = g[0] if more else g
    if g is None:
        return None
    return apply(runtime.move_back, g, apply(runtime.first_places, x, equal_nan), x)


rule(
    np.unique,
    jvp=_unique(_unique_tangent),
    vjp=_unique(_unique_cotangent),
    samples=lambda: [
        (reals(5),), (reals(2, 2),), ((np.array([0.3, -1.2, 0.7]),), {"return_inverse": True}),
        ((np.array([0.3, -1.2, 0.7]),), {"return_index": True, "return_counts": True}),
    ],
    note="of equal elements the first one has derivative 1; not along an axis",
)  # fmt: skip
constant(runtime.first_places)

# --- by condition -----------------------------------------------------------------------------


def _where_tangent(tangents: tuple[Any, ...], y: Any, test: Any, *branches: Any) -> Any:
    if not branches:
        return None  # the places where the test holds
    _, da, db = tangents
    found = apply(np.where, test, 0.0 if da is None else da, 0.0 if db is None else db)
    return as_wide_as(found, y)


def as_wide_as(dx: Any, y: Any) -> Any:
    """`dx` with the shape of `y`, where it is not known to have it."""
    return dx if facts.same_shape(dx.fact, y.fact) else apply(runtime.broadcast_like, dx, y)


rule(
    np.where,
    jvp=_where_tangent,
    vjp=lambda g, y, test, *branches: (
        None,
        *((apply(np.where, test, g, 0.0), apply(np.where, test, 0.0, g)) if branches else ()),
    ),
    samples=lambda: [
        (reals(3) > 0, reals(3), reals(3, seed=1)),
        (reals(2, 1) > 0, reals(3), 0.7),
        (True, 0.3, 0.7),
        (reals(3) > 0, 0.7, reals(2, 3)),
    ],
    note="what the other branch gives, NaN too, does not matter",
)


def _select_tangent(tangents: Any, y: Any, tests: Any, choices: Any, *default: Any) -> Any:
    given = tangents[1] or [None] * len(choices)
    parts = [np.zeros_like(c) if d is None else d for d, c in zip(given, choices, strict=False)]
    rest = tangents[2] if len(tangents) > 2 and tangents[2] is not None else 0.0
    return as_wide_as(apply(np.select, tests, parts, rest), y)


def _select_cotangent(g: Any, y: Any, tests: Any, choices: Any, *default: Any) -> Any:
    count = len(choices)
    nothing = apply(runtime.zeros_like, g)
    found = tuple(
        apply(np.select, tests, [g if j == i else nothing for j in range(count)], 0.0)
        for i in range(count)
    )
    return None, found, apply(np.select, tests, [nothing] * count, g)


rule(
    np.select,
    jvp=_select_tangent,
    vjp=_select_cotangent,
    sequences=True,
    samples=lambda: [
        ([reals(3) > 1, reals(3) > 0], [reals(3), reals(3, seed=1)], 0.7),
        ([reals(3) > 1], [reals(3)]),
    ],
)


def _choose_tangent(
    tangents: Any, y: Any, which: Any, choices: Any, out: Any = None, mode: Any = "raise"
) -> Any:
    parts = [0.0 if d is None else d for d in tangents[1]]
    how = {} if mode == "raise" else {"mode": mode}
    return as_wide_as(apply(np.choose, which, parts, **how), y)


def _choose_cotangent(
    g: Any, y: Any, which: Any, choices: Any, out: Any = None, mode: Any = "raise"
) -> Any:
    """To each choice the cotangents of the places where it was taken."""
    last = len(choices) - 1
    which = apply(np.asarray, which) if isinstance(which, (tuple, list)) else which
    if mode != "raise":
        which = np.clip(which, 0, last) if mode == "clip" else which % (last + 1)
    return None, tuple(apply(np.where, which == i, g, 0.0) for i in range(last + 1))


rule(
    np.choose,
    jvp=_choose_tangent,
    vjp=_choose_cotangent,
    sequences=True,
    samples=lambda: [
        (np.array([0, 1, 1]), [reals(3), reals(3, seed=1)]),
        ([0, 1, 1], [reals(3), reals(3, seed=1)]),
        ((np.array([0, 3, -1]), [reals(3), reals(3, seed=1)]), {"mode": "wrap"}),
        ((np.array([0, 3, -1]), [reals(3), reals(3, seed=1)]), {"mode": "clip"}),
    ],
)


# --- by interpolation -------------------------------------------------------------------------


def _interp_formula(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Linear between two neighbours; constant outside."""
    if period is not None:
        x, xp, fp, left, right = x % period, *_around(xp % period, fp, period), None, None
    high = np.clip(np.searchsorted(xp, x), 1, np.size(xp) - 1)
    x0, x1, f0, f1 = xp[high - 1], xp[high], fp[high - 1], fp[high]
    between = f0 + (f1 - f0) * ((x - x0) / _width(xp, x1 - x0))
    inside = apply(np.where, x < xp[0], fp[0] if left is None else left, between)
    return apply(np.where, x > xp[-1], fp[-1] if right is None else right, inside)


def _width(xp: Any, width: Any) -> Any:
    """The distance of two neighbours, which is 0 where there is one point only."""
    dims = facts.dims(xp.fact) if is_symbolic(xp) else np.shape(xp)
    return width if dims and dims[0] != 1 else np.where(width == 0, 1, width)


def _around(xp: Any, fp: Any, period: Any) -> tuple[Any, Any]:
    """The points of one period in ascending order, with one more at each end."""
    order = np.argsort(xp)
    xp, fp = xp[order], fp[order]
    places = apply(np.concatenate, (xp[-1:] - period, xp, xp[:1] + period))
    return places, apply(np.concatenate, (fp[-1:], fp, fp[:1]))


composed(
    np.interp,
    _interp_formula,
    samples=lambda: [
        (np.array([0.3, 1.7, -1.0, 9.0]), np.array([0.0, 1.0, 2.5]), reals(3)),
        (0.4, np.array([0.0, 1.0, 2.5]), reals(3)),
        (np.array([0.3, -1.0, 9.0]), np.array([0.0, 1.0, 2.5]), reals(3), 0.7, 1.1),
        ((np.array([0.3, 1.7, -1.0]), np.array([0.5, 4.2, 2.5]), reals(3)), {"period": 3.0}),
    ],
)
