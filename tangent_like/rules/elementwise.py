"""Rules of element-wise functions of NumPy and `math`: one line of partials each.

`y` is the result.  Formulas are in the form that overflows least; where the result makes the
partial cheaper it is used.  Python's own numbers raise exceptions where arrays give infinity:
`divide` and `choose` keep a derivative from raising where its primal does not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.masks import choose, divide, raises_at_zero
from tangent_like.rules.registry import elementwise, linear, named, rule
from tangent_like.rules.symbolic import apply

REAL = [(0.3,), (-1.2,), (2.1,)]
POSITIVE = [(0.3,), (1.2,), (2.1,)]
UNIT = [(0.3,), (-0.6,)]
ABOVE_ONE = [(1.3,), (2.6,)]
PAIRS = [(1.3, 0.7), (-0.4, 2.5), (0.6, -1.7)]
LOG_2, LOG_10 = math.log(2), math.log(10)

# --- exponentials and logarithms --------------------------------------------------------------

elementwise((np.exp, math.exp), lambda x, y: y, samples=REAL)
elementwise((np.exp2, *named(math, "exp2")), lambda x, y: y * LOG_2, samples=REAL)
elementwise((np.expm1, math.expm1), lambda x, y: np.exp(x), samples=REAL)
elementwise(np.log, lambda x, y: 1 / x, samples=POSITIVE, note="inf at 0")
elementwise((np.log2, math.log2), lambda x, y: 1 / (x * LOG_2), samples=POSITIVE)
elementwise((np.log10, math.log10), lambda x, y: 1 / (x * LOG_10), samples=POSITIVE)
elementwise((np.log1p, math.log1p), lambda x, y: 1 / (1 + x), samples=POSITIVE)

def _logaddexp_partials(x: Any, w: Any, y: Any) -> tuple[Any, Any]:
    """exp(x - y), exp(w - y); the logistic function of the other operand beside a literal 0."""
    if _is_literal_zero(x):
        return None, _logistic(w)
    if _is_literal_zero(w):
        return _logistic(x), None
    return np.exp(_below(x, y)), np.exp(_below(w, y))


def _is_literal_zero(x: Any) -> bool:
    return type(x) in (int, float) and x == 0


def _logistic(x: Any) -> Any:
    """1 / (1 + exp(-x)), cut off where it is as good as zero, before the exponential overflows."""
    largest = 80.0 if facts.dtype(x.fact) == "float32" else 700.0
    return 1.0 / (1.0 + np.exp(np.minimum(-x, largest)))


elementwise(
    np.logaddexp,
    _logaddexp_partials,
    samples=[*PAIRS, (0.0, 0.7), (0.0, -0.7)],
    note="the larger of two operands has partial 1 where it is infinite",
)
elementwise(
    np.logaddexp2,
    lambda x, w, y: (np.exp2(_below(x, y)), np.exp2(_below(w, y))),
    samples=PAIRS,
    note="the larger of two operands has partial 1 where it is infinite",
)


def _below(x: Any, y: Any) -> Any:
    """x - y <= 0, also where both are infinite."""
    return choose(x == y, 0.0, lambda: x - y)


def _log_partials(x: Any, *base_and_result: Any) -> Any:
    """`math.log(x)` and `math.log(x, base)`."""
    if len(base_and_result) == 1:
        return 1 / x
    base, y = base_and_result
    log_base = apply(math.log, base)
    return 1 / (x * log_base), -y / (base * log_base)


elementwise(math.log, _log_partials, samples=[(0.3,), (2.1,), (1.7, 3.2), (1.7, 10)])

# --- roots and reciprocals --------------------------------------------------------------------

elementwise((np.sqrt, math.sqrt), lambda x, y: divide(0.5, y), samples=POSITIVE, note="inf at 0")
elementwise(
    (np.cbrt, *named(math, "cbrt")),
    lambda x, y: divide(1, 3 * y * y),
    samples=REAL,
    note="inf at 0",
)
elementwise(np.reciprocal, lambda x, y: -y * y, samples=REAL)
elementwise(
    (np.hypot, math.hypot),
    lambda *operands: tuple(x / _nonzero(operands[-1]) for x in operands[:-1]),
    samples=PAIRS,
    note="0 where all operands are 0",
)


def _nonzero(y: Any) -> Any:
    return choose(y == 0, 1, y)


# --- trigonometry -----------------------------------------------------------------------------

elementwise((np.sin, math.sin), lambda x, y: np.cos(x), samples=REAL)
elementwise((np.cos, math.cos), lambda x, y: -np.sin(x), samples=REAL)
elementwise((np.tan, math.tan), lambda x, y: 1 + y * y, samples=UNIT)
elementwise(
    (np.arcsin, math.asin), lambda x, y: divide(1, np.sqrt(1 - x * x)), samples=UNIT,
    note="inf at -1 and 1",
)  # fmt: skip
elementwise(
    (np.arccos, math.acos), lambda x, y: divide(-1, np.sqrt(1 - x * x)), samples=UNIT,
    note="-inf at -1 and 1",
)  # fmt: skip
elementwise((np.arctan, math.atan), lambda x, y: 1 / (1 + x * x), samples=REAL)
elementwise(
    (np.arctan2, math.atan2),
    lambda x, w, y: _arctan2_partials(x, w, x * x + w * w),
    samples=PAIRS,
    note="NaN where both operands are 0",
)
elementwise((np.deg2rad, np.radians, math.radians), lambda x, y: math.pi / 180, samples=REAL)
elementwise((np.rad2deg, np.degrees, math.degrees), lambda x, y: 180 / math.pi, samples=REAL)
elementwise(
    np.sinc,
    lambda x, y: apply(runtime.sinc_derivative, x, 1),
    samples=[(0.3,), (-1.2,), (0.0,), (3.0,)],
    note="all derivatives exact at 0",
)


def _arctan2_partials(x: Any, w: Any, square: Any) -> tuple[Any, Any]:
    """Arrays give NaN of themselves for 0 / 0."""
    safe = choose(square == 0, math.nan, square) if raises_at_zero(square) else square
    return w / safe, -x / safe


# --- hyperbolic functions ---------------------------------------------------------------------

elementwise((np.sinh, math.sinh), lambda x, y: np.cosh(x), samples=REAL)
elementwise((np.cosh, math.cosh), lambda x, y: np.sinh(x), samples=REAL)
elementwise((np.tanh, math.tanh), lambda x, y: 1 - y * y, samples=REAL)
elementwise((np.arcsinh, math.asinh), lambda x, y: 1 / np.sqrt(x * x + 1), samples=REAL)
elementwise(
    (np.arccosh, math.acosh), lambda x, y: divide(1, np.sqrt(x - 1) * np.sqrt(x + 1)),
    samples=ABOVE_ONE, note="inf at 1",
)  # fmt: skip


def _slope_of_arctanh(x: Any, y: Any) -> Any:
    return 1 / (1 - x * x)


elementwise(np.arctanh, _slope_of_arctanh, samples=UNIT, note="inf at -1 and 1")
elementwise(math.atanh, _slope_of_arctanh, samples=UNIT)

# --- special functions ------------------------------------------------------------------------

TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)

elementwise(math.erf, lambda x, y: TWO_OVER_ROOT_PI * np.exp(-x * x), samples=REAL)
elementwise(math.erfc, lambda x, y: -TWO_OVER_ROOT_PI * np.exp(-x * x), samples=REAL)
elementwise(
    math.gamma, lambda x, y: y * apply(runtime.polygamma, 0, x), samples=[(0.7,), (3.2,), (-1.4,)]
)
elementwise(
    math.lgamma, lambda x, y: apply(runtime.polygamma, 0, x), samples=[(0.7,), (3.2,), (-1.4,)]
)
elementwise(
    runtime.polygamma,
    lambda n, x, y: (None, apply(runtime.polygamma, n + 1, x)),
    samples=[(0, 0.7), (1, 3.2), (0, -1.4)],
)
elementwise(
    runtime.sinc_derivative,
    lambda x, n, y: (apply(runtime.sinc_derivative, x, n + 1), None),
    samples=[(0.3, 1), (-1.2, 2), (0.0, 2), (2.5, 3)],
)
elementwise(np.i0, lambda x, y: apply(runtime.bessel_i, 1, x), samples=REAL)
elementwise(
    runtime.bessel_i,
    lambda n, x, y: (
        None,
        0.5 * (apply(runtime.bessel_i, n - 1, x) + apply(runtime.bessel_i, n + 1, x)),
    ),
    samples=[(0, 0.3), (1, -1.2), (2, 4.0)],
)

# --- signs, bounds and conditions -------------------------------------------------------------


def _clip_partials(x: Any, *bounds_and_result: Any) -> tuple[Any, ...]:
    """1 inside and at the bounds; a lower bound above the upper one has no say."""
    low, high, *_ = (*bounds_and_result[:-1], None, None)
    above = None if low is None else x >= low
    below = None if high is None else x <= high
    inside = below if above is None else above if below is None else above & below
    crossed = None if low is None or high is None else low > high
    at_low = None if low is None else x < low if crossed is None else (x < low) & (low <= high)
    at_high = None if high is None else x > high if crossed is None else (x > high) | crossed
    return (1 if inside is None else inside, at_low, at_high)[: len(bounds_and_result)]


elementwise(
    np.clip,
    _clip_partials,
    samples=[(0.3, -1.0, 1.0), (1.7, -1.0, 1.0), (-1.7, -1.0, 1.0), (0.3, 0.5, None)],
    note="1 inside and at the bounds",
)
elementwise(
    np.fmax,
    lambda x, w, y: _of_numbers(x, w, x > w, w > x),
    samples=PAIRS,
    note="ties share equally; a NaN is passed over",
)
elementwise(
    np.fmin,
    lambda x, w, y: _of_numbers(x, w, x < w, w < x),
    samples=PAIRS,
    note="ties share equally; a NaN is passed over",
)


def _of_numbers(x: Any, w: Any, first: Any, second: Any) -> tuple[Any, Any]:
    return (
        choose(x == w, 0.5, first | np.isnan(w)),
        choose(x == w, 0.5, second | np.isnan(x)),
    )


elementwise(
    (np.copysign, math.copysign),
    lambda x, w, y: (np.sign(x) * np.copysign(1.0, w), None),
    samples=PAIRS,
    note="0 at 0",
)
elementwise(np.heaviside, lambda x, w, y: (None, x == 0), samples=PAIRS)


def _finite(
    x: Any, y: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    if copy is not True:
        raise NotYetSupported("`nan_to_num` in place", hint="leave `copy` out")
    return np.isfinite(x)


elementwise(np.nan_to_num, _finite, samples=REAL, note="0 where the element is replaced")
elementwise(np.nextafter, lambda x, towards, y: (1, None), samples=PAIRS)
elementwise(
    named(math, "nextafter"), lambda x, towards, y, *, steps=None: (1, None), samples=PAIRS
)
elementwise(
    np.unwrap,
    lambda x, y, discont=None, axis=-1, period=None: 1,
    samples=lambda: [(np.array([0.1, 3.0, 6.5, -0.5, 2.0]),)],
)
elementwise(np.real_if_close, lambda x, y, tol=100: 1, samples=REAL)
linear(
    (np.ldexp, math.ldexp),
    lambda g, x, n: np.ldexp(g, n),
    samples=[(0.3, 2), (-1.2, -1)],
)
rule(
    (np.modf, math.modf),
    jvp=lambda tangents, y, x: (tangents[0], None),
    vjp=lambda g, y, x: g[0],
    samples=[(1.3,), (-2.4,)],
)
rule(
    (np.frexp, math.frexp),
    jvp=lambda tangents, y, x: (np.ldexp(tangents[0], -y[1]), None),
    vjp=lambda g, y, x: None if g[0] is None else np.ldexp(g[0], -y[1]),
    samples=[(1.3,), (-2.4,)],
)
