"""Lengths that are found out when the derivative runs: an axis of length 1 is spread."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import register_jitable

from tangent_like.numba_runtime.writing import implements


@register_jitable
def step_of(length: Any, count: Any) -> Any:
    """How far to go from element to element of what is spread over `count` places."""
    if length == count:
        return 1
    if length != 1:
        raise ValueError("operands could not be broadcast together")
    return 0


@register_jitable
def step_of_part(length: Any, like: Any, count: Any) -> Any:
    """The same for a part of an array that gathers what belongs to `like` elements."""
    if length != like:
        raise ValueError("operands could not be broadcast together")
    return step_of(length, count)


def gathered(g: Any, like: Any) -> Any:
    """The cotangent of an operand of one axis: `g` itself, or its sum where that was spread."""
    return g if len(g) == len(like) else g.sum(keepdims=True)


@implements(gathered)
def _gathered(g: Any, like: Any) -> Any:
    if not isinstance(g, types.Array) or not isinstance(like, types.Array):
        return None
    if g.layout == "C":
        return lambda g, like: g if len(g) == len(like) else _total(g, like)
    return lambda g, like: g.copy() if len(g) == len(like) else _total(g, like)


@register_jitable
def _total(g: Any, like: Any) -> Any:
    step_of(len(like), len(g))
    total = like[:1].astype(g.dtype)
    total[0] = g.sum()
    return total
