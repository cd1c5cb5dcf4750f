"""Rules of Python's operators, which are also those of NumPy's arithmetic, and of built-ins.

`y` is the result.  Quotients are written so that nothing overflows where the primal does not.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.facts import Scalar
from tangent_like.rules.masks import choose, divide
from tangent_like.rules.registry import elementwise, named, rule
from tangent_like.rules.symbolic import apply, is_symbolic

# --- arithmetic -------------------------------------------------------------------------------

PAIRS = [(1.3, 0.7), (-0.4, 2.5), (0.6, -1.7)]

elementwise((operator.add, np.add), lambda x, w, y: (1, 1), samples=PAIRS)
elementwise((operator.sub, np.subtract), lambda x, w, y: (1, -1), samples=PAIRS)
elementwise((operator.mul, np.multiply), lambda x, w, y: (w, x), samples=PAIRS)
elementwise(
    (operator.truediv, np.true_divide),
    lambda x, w, y: (_reciprocal(x, w), -y * y if _is_one(x) else -y / w),
    samples=PAIRS,
)
elementwise((operator.neg, np.negative), lambda x, y: -1, samples=[(1.3,), (-0.4,)])
elementwise((operator.pos, np.positive), lambda x, y: 1, samples=[(1.3,), (-0.4,)])
elementwise(
    (operator.mod, np.remainder),
    lambda x, w, y: (1, -(x // w)),
    samples=[(7.3, 2.0), (-7.3, 2.1), (7.3, -3.0)],
    note="1 and -(x // w), also at the jumps",
)
elementwise(
    (np.fmod, math.fmod),
    lambda x, w, y: (1, -np.trunc(x / w)),
    samples=[(7.3, 2.0), (-7.3, 2.1), (7.3, -3.0)],
    note="1 and -trunc(x / w), also at the jumps",
)
elementwise(
    math.remainder,
    lambda x, w, y: (1, (y - x) / w),
    samples=[(7.3, 2.0), (-7.3, 2.1), (7.3, -3.0)],
)
rule(
    (divmod, np.divmod),
    jvp=lambda tangents, y, x, w: (None, _remainder_tangent(tangents, y, w)),
    vjp=lambda g, y, x, w: (None, None) if g[1] is None else (g[1], -g[1] * y[0]),
    samples=[(7.3, 2.0), (-7.3, 2.1)],
    note="the remainder has the derivatives 1 and -(x // w), also at the jumps",
)


def _remainder_tangent(tangents: tuple[Any, ...], y: Any, w: Any) -> Any:
    dx, dw = tangents
    if dw is None:
        return dx
    return -dw * y[0] if dx is None else dx - dw * y[0]


def _reciprocal(x: Any, w: Any) -> Any:
    """1 / w, infinite where w is 0 if x is NumPy's, as the quotient is: Python's own division
    would raise an exception."""
    if type(w) in (int, float) and w == 0:
        return math.inf
    if _is_of_numpy(x) and is_symbolic(w) and isinstance(w.fact, Scalar) and not w.fact.numpy:
        return apply(np.divide, 1, w)
    return 1 / w


def _is_of_numpy(x: Any) -> bool:
    """Whether x may be an array or a number of NumPy's, which are divided by zero."""
    return not _is_scalar(x) or (is_symbolic(x) and x.fact.numpy)


def _is_one(x: Any) -> bool:
    """Whether an operand is a literal 1: its quotient's square then costs no division."""
    return type(x) in (int, float) and x == 1


# --- powers -----------------------------------------------------------------------------------


def power_partials(x: Any, n: Any, y: Any) -> tuple[Any, Any]:
    return _power_base(x, n, y), _power_exponent(x, n, y)


def _power_base(x: Any, n: Any, y: Any) -> Any:
    """n x^(n-1), and 0 wherever n is 0."""
    if not is_symbolic(x):
        return None
    if is_symbolic(n):
        return _power_base_general(x, n)
    if np.ndim(n):
        return n * np.where((x == 0) & (n == 0), 1, x) ** (n - 1)
    if isinstance(n, float) and n == int(n) if np.isfinite(n) else False:
        n = int(n)
    if n in (0, 1):
        return int(n)
    if n == 2:
        return 2 * x
    if isinstance(n, int) and n < 0:
        return n * y / x
    if n == 0.5:
        return divide(0.5, y) if not _is_scalar(x) else _at_zero(x, lambda: 0.5 / y)
    if isinstance(n, (int, complex)) or n > 1 or not _is_scalar(x):
        return n * x ** (n - 1)
    return _at_zero(x, lambda: n * x ** (n - 1))


def _at_zero(x: Any, otherwise: Any) -> Any:
    """Infinite at zero, where Python's numbers would raise an exception."""
    return choose(x == 0, math.inf, otherwise)


def _is_scalar(x: Any) -> bool:
    return facts.is_scalar(x.fact) if is_symbolic(x) else np.ndim(x) == 0


def _power_base_general(x: Any, n: Any) -> Any:
    if not (_is_scalar(x) and _is_scalar(n)):
        return n * np.where((x == 0) & (n == 0), 1, x) ** (n - 1)
    at_zero = choose(n < 1, lambda: choose(n == 0, 0.0, math.inf), lambda: choose(n == 1, 1.0, 0.0))
    return choose(x == 0, at_zero, lambda: n * x ** (n - 1))


def _power_exponent(x: Any, n: Any, y: Any) -> Any:
    """y log x; 0 where x is 0, NaN where it is negative."""
    if not is_symbolic(n):
        return None
    if not is_symbolic(x):
        if np.ndim(x) == 0 and not isinstance(x, complex) and x > 0:
            return y * float(np.log(x))
        return y * np.log(np.where(x == 0, 1, x))
    if not _is_scalar(x) or facts.is_complex(x.fact) is not False:
        return y * np.log(np.where(x == 0, 1, x))
    return choose(x > 0, lambda: y * apply(math.log, x), choose(x == 0, 0.0, math.nan))


elementwise(
    (operator.pow, pow, np.power, np.float_power, math.pow),
    power_partials,
    samples=[(1.3, 0.7), (0.4, 2.5), (0.6, -1.7), (1.2, 3), (1.5, -2), (0.7, 0.5), (1.1, 2.0)],
    note="x**0 has derivative 0 everywhere; 0**n has derivative 0 with respect to n",
)
elementwise(np.square, lambda x, y: 2 * x, samples=[(1.3,), (-0.4,)])

# --- absolute value ---------------------------------------------------------------------------


def _absolute_tangent(tangents: tuple[Any, ...], y: Any, x: Any) -> Any:
    if facts.is_complex(x.fact) is False:
        return tangents[0] * np.sign(x)
    return np.real(tangents[0] * _direction(x, y))


def _absolute_cotangent(g: Any, y: Any, x: Any) -> Any:
    return g * (np.sign(x) if facts.is_complex(x.fact) is False else _direction(x, y))


def _direction(x: Any, y: Any) -> Any:
    """conj(x) / |x|, and 0 at 0."""
    if facts.is_complex(x.fact) is None:
        return np.conj(apply(runtime.direction, x))
    return np.conj(x) / np.where(y == 0, 1, y)


rule(
    (abs, operator.abs, np.absolute, np.fabs, math.fabs),
    jvp=_absolute_tangent,
    vjp=_absolute_cotangent,
    samples=[(1.3,), (-0.4,)],
    note="0 at 0",
)

# --- largest and smallest of two --------------------------------------------------------------


def _larger(x: Any, w: Any, y: Any) -> tuple[Any, Any]:
    return _share(x, w, x > w, w > x)


def _smaller(x: Any, w: Any, y: Any) -> tuple[Any, Any]:
    return _share(x, w, x < w, w < x)


def _share(x: Any, w: Any, first: Any, second: Any) -> tuple[Any, Any]:
    """Ties share equally, but against a literal 0 they are relu's: derivative 0."""
    if _is_literal_zero(x) or _is_literal_zero(w):
        return first, second
    return choose(x == w, 0.5, first), choose(x == w, 0.5, second)


def _is_literal_zero(x: Any) -> bool:
    return type(x) in (int, float) and x == 0


elementwise(
    named(np, "maximum"), _larger, samples=PAIRS,
    note="ties share equally; maximum(x, 0) has derivative 0 at 0",
)  # fmt: skip
elementwise(
    named(np, "minimum"), _smaller, samples=PAIRS,
    note="ties share equally; minimum(x, 0) has derivative 0 at 0",
)  # fmt: skip
