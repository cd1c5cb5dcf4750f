"""Rules of built-in functions, and of those of `math` that take several operands or sequences."""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numpy as np

from tangent_like import facts, infer, ir, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.masks import choose, times
from tangent_like.rules.registry import composed, constant, elementwise, linear, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import Symbolic, apply, rank


def _float_partial(x: Any, y: Any) -> int:
    """Of a number; arrays of one element are taken by nobody but older versions of NumPy."""
    if rank(x):
        raise NotYetSupported("`float` of an array with axes", hint="take its element: `x[0]`")
    return 1


elementwise(float, _float_partial, samples=[(1.3,), (-0.4,), (np.array(0.7),)])
elementwise(complex, lambda x, *w_and_y: (1, 1j)[: len(w_and_y)], samples=[(1.3, 0.7), (0.4,)])

# --- sums -------------------------------------------------------------------------------------


def _sum_cotangent(g: Any, items: Any, start: Any = 0) -> Any:
    if isinstance(items, (tuple, list)):
        return tuple(g for _ in items), g
    return apply(runtime.spread_over, g, items), g


linear(
    sum,
    _sum_cotangent,
    wrt=(0, 1),
    sequences=True,
    samples=lambda: [
        ([0.3, 0.7, -1.2],), ((0.3, 0.7), 0.4), (reals(3),), (reals(2, 3),),
        ([reals(2), reals(2)],), ([reals(3), reals(1), 0.7],), ([0.7, reals(1)], reals(2, 3)),
    ],
)  # fmt: skip
linear(
    math.fsum,
    lambda g, items: _sum_cotangent(g, items)[0],
    sequences=True,
    samples=lambda: [([0.3, 0.7, -1.2],), (reals(3),)],
)
linear(
    runtime.spread_over,
    lambda h, g, items: apply(runtime.broadcast_like, apply(sum, h), g),
    sequences=True,
    samples=lambda: [
        (0.7, np.zeros(3)), (0.7, [0.0, 0.0]), (reals(3), [np.zeros(3), np.zeros(1), 0.0]),
        (reals(3), [0.0, np.zeros(1)]),
    ],
)

# --- the largest and the smallest -------------------------------------------------------------


def _operands(args: tuple[Any, ...]) -> Any:
    """What max compares: the operands, or the items of the only one."""
    found = args if len(args) > 1 else args[0]
    if isinstance(found, (tuple, list)) and any(rank(x) for x in found if x is not None):
        raise NotYetSupported("comparing arrays of one element", hint="compare numbers: x[0]")
    return found


def _number(x: Any) -> Any:
    return apply(runtime.number, x) if rank(x) is None else x


def _two_shares(x: Any, w: Any, better: Any) -> tuple[Any, Any]:
    """Python keeps the first operand unless the second is better; ties share equally here."""
    x, w = _number(x), _number(w)
    second = better(w, x)
    return choose(x == w, 0.5, choose(second, 0, 1)), choose(x == w, 0.5, second)


def _shares(items: Any, y: Any, better: Any) -> Any:
    if isinstance(items, Symbolic):
        return apply(runtime.equal_shares, items, y)
    if len(items) == 1:
        return (1,)
    if len(items) == 2:
        return _two_shares(items[0], items[1], better)
    items = [_number(x) for x in items]
    shares = apply(runtime.equal_shares, apply(np.array, items), y)
    return tuple(shares[i] for i in range(len(items)))


def _extreme(function: Any, better: Any) -> None:
    def jvp(tangents: Any, y: Any, *args: Any) -> Any:
        items = _operands(args)
        given = _operands(tangents)
        shares = _shares(items, y, better)
        if isinstance(items, Symbolic):
            return np.sum(shares * apply(np.asarray, given))
        terms = [
            times(dx, share) for dx, share in zip(given, shares, strict=False) if dx is not None
        ]
        if not terms:  # constants, in a slice of what varies
            return None
        total = functools.reduce(operator.add, terms)
        unknown = any(rank(x) is None for x in items)  # perhaps arrays without axes
        return apply(runtime.as_type, total, y) if unknown else total

    def vjp(g: Any, y: Any, *args: Any) -> Any:
        items = _operands(args)
        shares = _shares(items, y, better)
        if isinstance(items, Symbolic):
            return apply(runtime.unarray, g * shares, items)
        found = tuple(times(g, share) for share in shares)
        return found if len(args) > 1 else (found,)

    rule(
        function,
        jvp=jvp,
        vjp=vjp,
        sequences=True,
        samples=lambda: [
            (0.3, 0.7), (0.7, 0.3), (0.3, 0.7, 0.5), ([0.3, 0.7, 0.9],), ([0.3, 0.7],), (reals(4),),
        ],
        note="ties share equally; of numbers, not of arrays of one element",
    )  # fmt: skip


_extreme(max, lambda w, x: w > x)
_extreme(min, lambda w, x: w < x)
constant(runtime.equal_shares, runtime.number, runtime.ordering, runtime.raised_by)
infer.special[runtime.drain] = infer.special[ir.freeze]
infer.special[runtime.ordering] = lambda *operands: facts.ListOf(facts.INT)

# --- sequences in math ------------------------------------------------------------------------

composed(
    math.dist,
    lambda p, q: apply(np.linalg.norm, _array(p) - _array(q)),
    sequences=True,
    samples=lambda: [([0.3, 0.7], [1.1, -0.4])],
    note="0 where the points are equal",
)
composed(
    math.prod,
    lambda items, start=1: np.prod(_array(items)) * start,
    sequences=True,
    samples=lambda: [([0.3, 0.7, 1.2],), ((0.3, 0.0, 2.0),)],
    note="exact where elements are 0",
)
composed(
    named(math, "sumprod"),
    lambda p, q: np.dot(_array(p), _array(q)),
    sequences=True,
    samples=lambda: [([0.3, 0.7], [1.1, -0.4])],
)


def _array(items: Any) -> Any:
    return items if isinstance(items, Symbolic) and items.is_array else apply(np.array, items)
