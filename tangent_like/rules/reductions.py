"""Rules of reductions and cumulative operations.

A reduction's cotangent has lost the reduced axes: `expanded` gives them back as axes of length 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.rules.masks import choose, times
from tangent_like.rules.registry import composed, linear, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import Symbolic, apply


def expanded(g: Any, axis: Any, keepdims: Any) -> Any:
    """A reduction's result with the reduced axes as axes of length 1; one number as it is."""
    return g if axis is None or keepdims is True else np.expand_dims(g, axis)


def axis_samples(**keywords: Any) -> Any:
    """Samples over all common ways to say which axes are reduced."""
    x = reals(2, 3)
    return [
        ((x,), keywords),
        ((x, 0), keywords),
        ((x,), {"axis": -1, "keepdims": True, **keywords}),
        ((reals(2, 3, 2),), {"axis": (0, -1), **keywords}),
        ((x,), {"keepdims": True, **keywords}),
        ((reals(1, 4), 0), keywords),
        ((reals(3, 0), 0), keywords),
        ((0.7,), keywords),
    ]


def _sum_cotangent(
    g: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = 0, where: Any = True,
) -> Any:  # fmt: skip
    spread = np.broadcast_to(expanded(g, axis, keepdims), np.shape(x))
    return spread if where is True else choose(where, spread, 0.0)


linear(np.sum, _sum_cotangent, drop=("initial",), samples=axis_samples)


def _mean_cotangent(
    g: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    where: Any = True,
) -> Any:  # fmt: skip
    share = expanded(g, axis, keepdims) / count(x, axis, where)
    spread = np.broadcast_to(share, np.shape(x))
    return spread if where is True else choose(where, spread, 0.0)


def count(x: Any, axis: Any, where: Any = True) -> Any:
    """How many elements are reduced into one (with axes kept where a mask says which)."""
    if where is not True:
        mask = np.broadcast_to(where, np.shape(x))
        return apply(np.sum, mask, **({} if axis is None else {"axis": axis, "keepdims": True}))
    if axis is None:
        return np.size(x)
    if isinstance(axis, tuple):
        total: Any = 1
        for one in axis:
            total = total * np.shape(x)[one]
        return total
    return np.shape(x)[axis]


linear(np.mean, _mean_cotangent, samples=axis_samples)

# --- reductions by the partial of each element ------------------------------------------------


def gradient_rule(functions: Any, partial: Any, *, samples: Any, note: str = "") -> None:
    """A reduction, by the partial of its result with respect to each element.

    `partial(y, x, axis, **keywords)` sees the result with the reduced axes as axes of length 1.
    """

    def jvp(
        tangents: Any, y: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None,
        keepdims: Any = False, **keywords: Any,
    ) -> Any:  # fmt: skip
        each = times(tangents[0], partial(expanded(y, axis, keepdims), x, axis, **keywords))
        total = apply(np.sum, each, **_axes(axis), **_how(keepdims))
        return real_if(y, total)

    def vjp(
        g: Any, y: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None,
        keepdims: Any = False, **keywords: Any,
    ) -> Any:  # fmt: skip
        each = partial(expanded(y, axis, keepdims), x, axis, **keywords)
        return times(expanded(g, axis, keepdims), each)

    rule(functions, jvp=jvp, vjp=vjp, samples=samples, note=note)


def _axes(axis: Any) -> dict[str, Any]:
    return {} if axis is None else {"axis": axis}


def real_if(y: Any, dx: Any) -> Any:
    """The real part of a tangent where the result is real."""
    complex_result = facts.is_complex(y.fact)
    if facts.is_complex(dx.fact) is False or complex_result:
        return dx
    return np.real(dx) if complex_result is False else apply(runtime.as_type, dx, y)


def conj(x: Any) -> Any:
    """The conjugate: nothing to do for what is known to be real."""
    return x.conj() if isinstance(x, Symbolic) else np.conj(x)


def nonzero(y: Any) -> Any:
    return choose(y == 0, 1, y)


def deviation(x: Any, axis: Any, where: Any) -> Any:
    """x - mean, and 0 where a mask leaves elements out."""
    if where is True:
        return x - (np.mean(x) if axis is None else np.mean(x, axis=axis, keepdims=True))
    return choose(where, x - np.mean(x, axis=axis, keepdims=True, where=where), 0.0)


def less(number: Any, ddof: Any) -> Any:
    return number if type(ddof) is int and ddof == 0 else number - ddof


gradient_rule(
    np.var,
    lambda y, x, axis, ddof=0, where=True: (
        2 * conj(deviation(x, axis, where)) / less(count(x, axis, where), ddof)
    ),
    samples=lambda: [*axis_samples(), ((reals(4),), {"ddof": 1})],
)
gradient_rule(
    np.std,
    lambda y, x, axis, ddof=0, where=True: (
        conj(deviation(x, axis, where)) / (less(count(x, axis, where), ddof) * nonzero(y))
    ),
    samples=lambda: (
        [*[s for s in axis_samples() if np.ndim(s[0][0])][:5], ((reals(4),), {"ddof": 1})]
    ),
    note="0 where all elements are equal",
)
gradient_rule(
    np.prod,
    lambda y, x, axis, initial=1: _scaled(apply(runtime.product_of_others, x, axis), initial),
    samples=lambda: [
        *axis_samples(),
        (np.array([0.0, 2.0, 3.0]),),
        ((reals(3),), {"initial": 2.0}),
    ],
    note="exact where elements are 0",
)


def _scaled(x: Any, factor: Any) -> Any:
    return x if factor == 1 else x * factor


def _others_formula(x: Any, axis: Any) -> Any:
    """The product of what stands before an element, and of what stands after it."""
    if axis is None:
        return np.reshape(apply(runtime.product_of_others, np.ravel(x), 0), np.shape(x))
    if isinstance(axis, tuple):
        return _others_of_axes(x, axis)
    before = np.cumprod(apply(runtime.preceding, x, axis, 1), axis)
    after = np.cumprod(apply(runtime.preceding, np.flip(x, axis), axis, 1), axis)
    return before * np.flip(after, axis)


def _others_of_axes(x: Any, axis: tuple[Any, ...]) -> Any:
    if len(axis) == 1:
        return apply(runtime.product_of_others, x, axis[0])
    products = np.prod(x, axis=axis[0], keepdims=True)
    others = apply(runtime.product_of_others, x, axis[0])
    return others * apply(runtime.product_of_others, products, axis[1:])


composed(
    runtime.product_of_others,
    _others_formula,
    samples=lambda: [
        (reals(4), None), (reals(2, 3), 1), (reals(2, 3), (0, -1)), (np.array([0.0, 2.0, 0.0]), 0),
    ],
)  # fmt: skip
rule(
    runtime.preceding,
    jvp=lambda tangents, y, x, axis, first: apply(runtime.preceding, tangents[0], axis, 0),
    vjp=lambda g, y, x, axis, first: np.flip(
        apply(runtime.preceding, np.flip(g, axis), axis, 0), axis
    ),
    samples=lambda: [(reals(4), 0, 0), (reals(2, 3), -1, 1)],
)


def _extreme(y: Any, x: Any, axis: Any, initial: Any = None, where: Any = True) -> Any:
    """The largest (or smallest) elements share equally; none may be one, given an initial value."""
    chosen = x == y if where is True else (x == y) & where
    number = apply(np.sum, chosen, **_axes(axis), **({} if axis is None else {"keepdims": True}))
    return typed(chosen / (number if initial is None else np.maximum(number, 1)), x)


def typed(value: Any, x: Any) -> Any:
    """A quotient of counts in the type of `x`, where that may be a shorter one."""
    return value if facts.dtype(x.fact) == "float64" else apply(runtime.as_type, value, x)


gradient_rule(
    (np.max, np.min, *named(np, "amax", "amin")),
    _extreme,
    samples=lambda: [
        *axis_samples(), ((reals(4),), {"initial": 0.5}),
        ((reals(4),), {"initial": 0.5, "where": np.array([True, False, True, True])}),
    ],
    note="ties share equally",
)  # fmt: skip
gradient_rule((np.nanmax, np.nanmin), _extreme, samples=axis_samples, note="ties share equally")
composed(
    np.ptp,
    lambda x, axis=None, out=None, keepdims=False: (
        np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)
    ),
    samples=axis_samples,
)

# --- leaving NaN out --------------------------------------------------------------------------


def _without_nan(x: Any, instead: float = 0.0) -> Any:
    return apply(np.where, np.isnan(x), instead, x)


def _nan_samples() -> Any:
    x = reals(2, 3)
    x[0, 1] = np.nan
    return [(x,), (x, 0), ((x,), {"axis": -1, "keepdims": True})]


def _how(keepdims: Any) -> dict[str, Any]:
    return {"keepdims": True} if keepdims is True else {}


composed(
    np.nansum,
    lambda x, axis=None, dtype=None, out=None, keepdims=False: apply(
        np.sum, _without_nan(x), **_axes(axis), **_how(keepdims)
    ),
    samples=_nan_samples,
)
composed(
    np.nanprod,
    lambda x, axis=None, dtype=None, out=None, keepdims=False: apply(
        np.prod, _without_nan(x, 1.0), **_axes(axis), **_how(keepdims)
    ),
    samples=_nan_samples,
)


def _present(x: Any, axis: Any) -> Any:
    """How many elements are no NaN."""
    kept = {} if axis is None else {"axis": axis, "keepdims": True}
    return typed(apply(np.sum, ~np.isnan(x), **kept), x)


def _nan_deviation(x: Any, axis: Any) -> Any:
    mean = np.nanmean(x) if axis is None else np.nanmean(x, axis=axis, keepdims=True)
    return conj(apply(np.where, np.isnan(x), 0.0, x - mean))


gradient_rule(
    np.nanmean,
    lambda y, x, axis: choose(np.isnan(x), 0.0, 1 / _present(x, axis)),
    samples=_nan_samples,
)
gradient_rule(
    np.nanvar,
    lambda y, x, axis, ddof=0: 2 * _nan_deviation(x, axis) / less(_present(x, axis), ddof),
    samples=_nan_samples,
)
gradient_rule(
    np.nanstd,
    lambda y, x, axis, ddof=0: (
        _nan_deviation(x, axis) / (less(_present(x, axis), ddof) * nonzero(y))
    ),
    samples=lambda: [_nan_samples()[0], _nan_samples()[2]],
    note="0 where all elements are equal",
)

# --- cumulative -------------------------------------------------------------------------------


def _cumsum_cotangent(g: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g))), np.shape(x))
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
    if axis is None:
        x, dx, axis = np.ravel(x), np.ravel(dx), 0
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


def _initial(first: Any, terms: Any, x: Any, axis: Any, include_initial: Any) -> Any:
    """Cumulative operations of the array API, with the neutral element in front if wanted."""
    if include_initial is not True:
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
        lambda x, axis=None, dtype=None, out=None, include_initial=False, f=_plain, e=_first: (
            _initial(e, f(x, 0 if axis is None else axis), x, 0 if axis is None else axis,
                     include_initial)
        ),
        samples=lambda: [
            (reals(4),), ((reals(2, 3),), {"axis": 1}), ((reals(4),), {"include_initial": True}),
        ],
    )  # fmt: skip
composed(
    np.nancumsum,
    lambda x, axis=None, dtype=None, out=None: np.cumsum(_without_nan(x), axis),
    samples=lambda: _nan_samples()[:2],
)
composed(
    np.nancumprod,
    lambda x, axis=None, dtype=None, out=None: np.cumprod(_without_nan(x, 1.0), axis),
    samples=lambda: _nan_samples()[:2],
)
