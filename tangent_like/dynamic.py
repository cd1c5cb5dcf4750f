"""Calls of functions that are known only when the derivative runs.

    y = call(f, x)               dy = applied(tangent_of(f, 1, x), x, dx)
                                 bx += applied(cotangent_of(f, 0, x), x, by)

The functions that `tangent_of` and `cotangent_of` make are compiled when they are called, as
every derivative is, and kept; they are Python functions again, so that the derivative of their
calls needs nothing of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tangent_like.errors import NotYetSupported

_NUMBERS = (bool, int, float, complex, np.generic, np.ndarray)
_MOST = 512
_makers: dict[str, Callable[..., Any]] = {}
_made: dict[Any, tuple[Any, Any]] = {}


def register(tangent: Callable[..., Any], cotangent: Callable[..., Any]) -> None:
    """Say how the functions are made: by the compiler, which generated code does not import."""
    _makers.update(tangent=tangent, cotangent=cotangent)


def call(function: Any, *operands: Any) -> Any:
    """The value of a function that the user's code calls.

    It gets arrays that cannot be written into: what it changes would be seen by nobody.  Raises
    NotYetSupported where the value is no number or array.
    """
    return _number(function, function(*map(_read_only, operands)))


def applied(function: Any, *operands: Any) -> Any:
    """The value of a function that `tangent_of` or `cotangent_of` has made."""
    return function(*operands)


def _read_only(operand: Any) -> Any:
    if not isinstance(operand, np.ndarray):
        return operand
    seen = operand.view()
    seen.flags.writeable = False
    return seen


def _number(function: Any, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value if value.flags.writeable else value.copy()
    if value is None or isinstance(value, _NUMBERS):
        return value
    name = getattr(function, "__qualname__", repr(function))
    raise NotYetSupported(
        f"`{name}`, known only at run time, which returns a {type(value).__name__}",
        hint="return a number or an array",
    )


def tangent_of(function: Any, varied: int, *operands: Any) -> Any:
    """The tangent as a function of the operands and the tangents of those whose bits are set."""
    return _derived("tangent", function, varied, operands)


def cotangent_of(function: Any, place: int, *operands: Any) -> Any:
    """The cotangent of the operand at a place as a function of the operands and of the seed."""
    return _derived("cotangent", function, place, operands)


def _derived(kind: str, function: Any, which: int, operands: tuple[Any, ...]) -> Any:
    key = kind, id(function), which, len(operands)
    if key not in _made:
        if len(_made) >= _MOST:
            _made.clear()
        _made[key] = function, _makers[kind](function, which, operands)
    return _made[key][1]
