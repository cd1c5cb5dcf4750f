"""The special functions of `tangent_like.runtime` for Numba, number by number.

The formulas are those of the functions there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from tangent_like import runtime
from tangent_like.numba_runtime.writing import implements, is_number

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


@register_jitable
def _factorial(n: int) -> float:
    found = 1.0
    for k in range(2, n + 1):
        found *= k
    return found


@register_jitable
def _polygamma(n: int, x: float) -> float:
    z, total = x, 0.0
    while z < 15 + n:
        total += _factorial(n) / z ** (n + 1)
        z += 1.0
    if n == 0:
        tail = math.log(z) - 0.5 / z
        for k in range(1, 9):
            tail -= _BERNOULLI[k - 1] / (2 * k * z ** (2 * k))
        return tail - total
    tail = _factorial(n - 1) / z**n + _factorial(n) / (2 * z ** (n + 1))
    for k in range(1, 9):
        factor = _BERNOULLI[k - 1] * _factorial(2 * k + n - 1) / _factorial(2 * k)
        tail += factor / z ** (2 * k + n)
    sign = 1.0 if n % 2 else -1.0
    return sign * (tail + total)


@register_jitable
def _sinc_derivative(x: float, n: int) -> float:
    t = math.pi * x
    if abs(t) < n + 2:
        return math.pi**n * _sinc_series(t, n)
    found = math.sin(t) / t
    for k in range(1, n + 1):
        found = (math.sin(t + k * math.pi / 2) - k * found) / t
    return math.pi**n * found


@register_jitable
def _sinc_series(t: float, n: int) -> float:
    series, term = 0.0, 1.0
    for m in range(30 + 6 * n):
        turn = (m + n + 1) % 4
        if turn == 1:
            series += term / (m + n + 1)
        elif turn == 3:
            series -= term / (m + n + 1)
        term *= t / (m + 1)
    return series


def _of_each(number: Any, x: Any) -> Callable[..., Any]:
    """What gives `number(element)` for a number or an array."""
    if is_number(x):
        return lambda x, n: number(x, n)  # noqa: PLW0108 - parameters go by their names

    def of_each(x: Any, n: Any) -> Any:
        flat = np.ascontiguousarray(x).reshape(-1)
        found = np.empty(flat.shape)
        for k in range(len(flat)):
            found[k] = number(flat[k], n)
        return found.reshape(x.shape)

    return of_each


@implements(runtime.sinc_derivative)
def _sinc(x: Any, n: Any) -> Callable[..., Any]:
    return _of_each(_sinc_derivative, x)


@implements(runtime.polygamma)
def _psi(n: Any, x: Any) -> Callable[..., Any] | None:
    if not isinstance(n, types.Integer):
        return None
    each = register_jitable(_of_each(register_jitable(lambda x, n: _polygamma(n, x)), x))
    return lambda n, x: each(x, n)
