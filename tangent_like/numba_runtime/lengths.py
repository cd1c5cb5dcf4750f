"""Lengths that are found out when the derivative runs: an axis of length 1 is spread."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import register_jitable

from tangent_like.numba_runtime.writing import implements


@register_jitable
def step_of(length: Any, count: Any) -> Any:
    """How far to go from element to element of what is spread over `count` places; a negative
    number where the length does not fit."""
    if length == count:
        return 1
    return 0 if length == 1 else -1


@register_jitable
def step_of_part(length: Any, like: Any, count: Any) -> Any:
    """The same for a part of an array that gathers what belongs to `like` elements."""
    return step_of(length, count) if length == like else -1


@register_jitable
def if_fitting(count: Any, step: Any, misfits: Any) -> Any:
    """How many elements a loop goes through: none where a step says that lengths do not fit,
    which is noted in an array of one flag."""
    if step < 0:
        misfits[0] = True
        return 0
    return count


@register_jitable
def check_lengths(misfits: Any) -> None:
    """Raise ValueError where lengths did not fit."""
    if misfits[0]:
        raise ValueError("operands could not be broadcast together")


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
    if len(like) != 1:
        raise ValueError("operands could not be broadcast together")
    total = like[:1].astype(g.dtype)
    total[0] = g.sum()
    return total
