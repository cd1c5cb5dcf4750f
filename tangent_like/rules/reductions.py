"""Rules of reductions and cumulative operations.

A reduction's cotangent has lost the reduced axes: `expanded` gives them back as axes of length 1.
"""

from __future__ import annotations

import inspect
import operator
from functools import wraps
from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.rules.masks import choose, times
from tangent_like.rules.registry import composed, linear, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.signatures import OPERAND, named_values, with_parameters
from tangent_like.rules.symbolic import Symbolic, apply, rank


def expanded(g: Any, axis: Any, keepdims: Any) -> Any:
    """A reduction's result with the reduced axes as axes of length 1; one number as it is."""
    return g if axis is None or keepdims is True else np.expand_dims(g, axis)


def _axes_there(x: Any, axis: Any) -> Any:
    """The axes that are reduced, of those which the operand has: NumPy also reduces a number along
    axis 0."""
    if rank(x) == 0:
        return None
    if rank(x) is not None or not isinstance(axis, int):
        return axis
    return apply(operator.getitem, (axis,), apply(slice, np.ndim(x)))


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
    spread = np.broadcast_to(expanded(g, _axes_there(x, axis), keepdims), np.shape(x))
    return spread if where is True else choose(where, spread, 0.0), g


MASK = np.array([[True, False, True], [True, True, False]])

linear(
    np.sum,
    _sum_cotangent,
    wrt=(0, 5),
    drop=("initial",),
    samples=lambda: [
        *axis_samples(), ((reals(2, 3),), {"axis": 1, "where": MASK}),
        ((reals(2, 3),), {"axis": 0, "initial": 0.7}), ((reals(2, 3), None, None, None, True), {}),
    ],
)  # fmt: skip


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
        mask = apply(np.broadcast_to, where, np.shape(x))
        return apply(np.sum, mask, **({} if axis is None else {"axis": axis, "keepdims": True}))
    if axis is None:
        return np.size(x)
    if isinstance(axis, tuple):
        total: Any = 1
        for one in axis:
            total = total * np.shape(x)[one]
        return total
    return np.shape(x)[axis]


linear(
    np.mean,
    _mean_cotangent,
    samples=lambda: [*axis_samples(), ((reals(2, 3),), {"axis": 1, "where": MASK})],
)

# --- reductions by the partial of each element ------------------------------------------------


def gradient_rule(
    functions: Any,
    partial: Any,
    options: tuple[str, ...],
    *,
    formula: Any = None,
    samples: Any,
    note: str = "",
) -> None:
    """A reduction, by the partial of its result with respect to each element.

    `partial(y, x, axis, **keywords)` sees the result with the reduced axes as axes of length 1.
    `options` are the names of what may stand behind `axis`, in NumPy's order.  Where a `mean` is
    given, the `formula` holds, which is differentiable in it.
    """

    def jvp(tangents: Any, y: Any, x: Any, axis: Any, keepdims: Any, keywords: Any) -> Any:
        if keywords.get("mean") is not None:
            return NotImplemented
        x, axis = _with_axes(x, axis)
        each = times(tangents[0], partial(expanded(y, axis, keepdims), x, axis, **keywords))
        if each is None:
            return None
        return real_if(y, apply(np.sum, each, **axes_of(axis), **how(keepdims)))

    def vjp(g: Any, y: Any, x: Any, axis: Any, keepdims: Any, keywords: Any) -> Any:
        if keywords.get("mean") is not None:
            return NotImplemented
        x, axis = _with_axes(x, axis)
        each = partial(expanded(y, axis, keepdims), x, axis, **keywords)
        return times(expanded(g, axis, keepdims), each)

    rule(
        functions,
        jvp=_with_options(jvp, options),
        vjp=_with_options(vjp, options),
        otherwise=formula,
        wrt=() if formula is None else (2 + options.index("mean"),),
        samples=samples,
        note=note,
    )


def _with_axes(x: Any, axis: Any) -> tuple[Any, Any]:
    """The operand, and which of its axes are reduced: NumPy also reduces a number along axis 0."""
    if axis is None or rank(x) == 0:
        return x, None
    return (apply(np.atleast_1d, x) if rank(x) is None else x), axis


_IGNORED = ("dtype", "out", "keepdims")
_NOT_GIVEN: dict[str, Any] = {"keepdims": False, "where": True, "ddof": 0, "initial": None}


def _with_options(derivative: Any, options: tuple[str, ...]) -> Any:
    """A function of a rule with the parameters `x, axis=None` and these options."""

    def found(first: Any, y: Any, x: Any, *given: Any, **named: Any) -> Any:
        keywords = named_values(("axis", *options), given, named)
        axis, keepdims = keywords.pop("axis", None), keywords.pop("keepdims", False)
        kept = {k: v for k, v in keywords.items() if k not in _IGNORED and v is not np._NoValue}
        if kept.get("mean", 0) is None:
            del kept["mean"]
        return derivative(first, y, x, axis, keepdims, kept)

    optional = [
        inspect.Parameter(name, OPERAND, default=_NOT_GIVEN.get(name))
        for name in ("axis", *options)
    ]
    return with_parameters(found, 2, [inspect.Parameter("x", OPERAND), *optional])


def how(keepdims: Any) -> dict[str, Any]:
    return {"keepdims": True} if keepdims is True else {}


def axes_of(axis: Any) -> dict[str, Any]:
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


def recentred(x: Any, axis: Any, where: Any) -> Any:
    """x - mean, and once more, which leaves nothing of equal numbers but the rounding of zero."""
    return deviation(deviation(x, axis, where), axis, where)


def deviation(x: Any, axis: Any, where: Any) -> Any:
    """x - mean, and 0 where a mask leaves elements out."""
    if where is True:
        return x - (np.mean(x) if axis is None else np.mean(x, axis=axis, keepdims=True))
    return choose(where, x - np.mean(x, axis=axis, keepdims=True, where=where), 0.0)


def free(number: Any, ddof: Any, correction: Any) -> Any:
    """The degrees of freedom: `correction` is another name of `ddof`."""
    lost = ddof if correction is None else correction
    return number if type(lost) is int and lost == 0 else number - lost


def variance(
    x: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = False, where: Any = True, correction: Any = None, mean: Any = None,
) -> Any:  # fmt: skip
    """The variance about a given mean."""
    x, axis = _with_axes(x, axis)
    number = free(count(x, axis, where), ddof, correction)
    spread = (x - mean) * conj(x - mean)
    masked = {} if where is True else {"where": where}
    total = apply(np.sum, np.real(spread), **axes_of(axis), keepdims=True, **masked) / number
    return total if keepdims is True else apply(np.sum, total, **axes_of(axis))


def root_of(formula: Any) -> Any:
    """The square root of what a formula gives."""

    @wraps(formula)
    def root(*args: Any, **named: Any) -> Any:
        return np.sqrt(formula(*args, **named))

    return root


MOMENTS = ("dtype", "out", "ddof", "keepdims", "where", "correction", "mean")
BOUNDS = ("out", "keepdims", "initial", "where")

gradient_rule(
    np.var,
    lambda y, x, axis, ddof=0, where=True, correction=None: (
        2 * conj(deviation(x, axis, where)) / free(count(x, axis, where), ddof, correction)
    ),
    MOMENTS,
    formula=variance,
    samples=lambda: [
        *axis_samples(), ((reals(4),), {"ddof": 1}), (reals(2, 3), 0, None, None, 1),
        ((reals(2, 3),), {"axis": 1, "mean": np.array([[0.3], [-0.5]]), "keepdims": True}),
        ((reals(4),), {"correction": 1}), ((reals(2, 3),), {"axis": 1, "where": MASK}),
    ],
)  # fmt: skip
gradient_rule(
    np.std,
    lambda y, x, axis, ddof=0, where=True, correction=None: (
        conj(recentred(x, axis, where))
        / (free(count(x, axis, where), ddof, correction) * nonzero(y))
    ),
    MOMENTS,
    formula=root_of(variance),
    samples=lambda: [
        *[s for s in axis_samples() if np.ndim(s[0][0])][:5], ((reals(4),), {"ddof": 1}),
        ((reals(4),), {"correction": 1}), ((reals(2, 3),), {"axis": 1, "where": MASK}),
    ],
    note="0 where all elements are equal",
)  # fmt: skip


def _product_partial(y: Any, x: Any, axis: Any, initial: Any = None, where: Any = True) -> Any:
    if where is not True:
        x = apply(np.where, where, x, 1.0)
    others = _scaled(apply(runtime.product_of_others, x, axis), initial)
    return others if where is True else choose(where, others, 0.0)


gradient_rule(
    np.prod,
    _product_partial,
    ("dtype", "out", "keepdims", "initial", "where"),
    samples=lambda: [
        *axis_samples(),
        (np.array([0.0, 2.0, 3.0]),),
        ((reals(3),), {"initial": 2.0}),
        ((reals(2, 3),), {"axis": 1, "where": MASK}),
    ],
    note="exact where elements are 0",
)


def _scaled(x: Any, factor: Any) -> Any:
    return x if factor is None or factor is np._NoValue else x * factor


def _others_formula(x: Any, axis: Any) -> Any:
    """The product of what stands before an element, and of what stands after it."""
    if axis is None:
        return np.reshape(apply(runtime.product_of_others, np.ravel(x), 0), np.shape(x))
    if isinstance(axis, tuple):
        return _others_along(x, axis) if axis else None
    before = np.cumprod(apply(runtime.preceding, x, axis, 1), axis)
    after = np.cumprod(apply(runtime.preceding, np.flip(x, axis), axis, 1), axis)
    return before * np.flip(after, axis)


def _others_along(x: Any, axis: tuple[Any, ...]) -> Any:
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
        (reals(2), ()),
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


def extreme_shares(y: Any, x: Any, axis: Any, initial: Any = None, where: Any = True) -> Any:
    """The largest (or smallest) elements share equally; none may be one, given an initial value."""
    chosen = x == y if where is True else (x == y) & where
    number = apply(np.sum, chosen, **axes_of(axis), **({} if axis is None else {"keepdims": True}))
    return typed(chosen / (number if initial is None else np.maximum(number, 1)), x)


def typed(value: Any, x: Any) -> Any:
    """A quotient of counts in the type of `x`, where that may be a shorter one."""
    return value if facts.dtype(x.fact) == "float64" else apply(runtime.as_type, value, x)


gradient_rule(
    (np.max, np.min, *named(np, "amax", "amin")),
    extreme_shares,
    BOUNDS,
    samples=lambda: [
        *axis_samples(), ((reals(4),), {"initial": 0.5}),
        ((reals(4),), {"initial": 0.5, "where": np.array([True, False, True, True])}),
    ],
    note="ties share equally",
)  # fmt: skip
composed(
    np.ptp,
    lambda x, axis=None, out=None, keepdims=False: (
        np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)
    ),
    samples=axis_samples,
    note="ties share equally",
)
