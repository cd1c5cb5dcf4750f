"""What derivatives make sure of when they run, for Numba: how many axes and elements there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core.errors import TypingError

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.numba_runtime.writing import implements, literal

Implementation = Callable[..., Any] | None


def _axes(kind: Any) -> int:
    return kind.ndim if isinstance(kind, types.Array) else 0


@implements(runtime.number)
def _number(x: Any) -> Implementation:
    if _axes(x):
        raise TypingError("arrays of one element are compared; compare numbers: x[0]")
    return lambda x: x


@implements(runtime.with_axes)
def _with_axes(x: Any, fewest: Any, most: Any = 64) -> Implementation:
    if not literal(fewest) <= _axes(x) <= literal(most):
        raise TypingError(f"the derivative of a function of an array of {_axes(x)} axes")
    return lambda x, fewest, most=64: x


@implements(runtime.nonempty)
def _nonempty(x: Any) -> Implementation:
    if not isinstance(x, types.Array):
        return lambda x: x

    def nonempty(x: Any) -> Any:
        if x.size == 0:
            raise NotYetSupported("the derivative of a function of no numbers")
        return x

    return nonempty


@implements(runtime.beside_numbers)
def _beside_numbers(x: Any, w: Any) -> Implementation:
    def beside_numbers(x: Any, w: Any) -> Any:
        runtime.nonempty(w)
        return runtime.nonempty(x)

    return beside_numbers
