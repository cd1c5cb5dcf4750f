"""Whether arguments share memory, found out where Numba compiled the derivative."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numba import types
from numba.extending import register_jitable

from tangent_like import runtime
from tangent_like.errors import ArgumentError
from tangent_like.numba_runtime.writing import function_from, implements, items_of


@register_jitable
def extent(x: Any) -> Any:
    """The first address of an array and the one after its last."""
    low = high = x.ctypes.data
    for length, stride in zip(x.shape, x.strides):
        reach = (length - 1) * stride
        if reach < 0:
            low += reach
        else:
            high += reach
    return low, high + x.itemsize


@register_jitable
def may_share(x: Any, w: Any) -> bool:
    """Whether the stretches of memory that two arrays lie in overlap."""
    if x.size == 0 or w.size == 0:
        return False
    (low, high), (other_low, other_high) = extent(x), extent(w)
    return bool(low < other_high and other_low < high)


def arrays_in(kind: Any, name: str) -> Iterator[str]:
    """The expressions of the arrays in an argument of this type."""
    if isinstance(kind, types.Array):
        yield name
    elif isinstance(kind, types.BaseTuple):
        for k, inner in enumerate(items_of(kind)):
            yield from arrays_in(inner, f"{name}[{k}]")


@implements(runtime.check_separate)
def _check_separate(*arrays: Any) -> Any:
    kinds = arrays[0] if len(arrays) == 1 and isinstance(arrays[0], tuple) else arrays
    found = [list(arrays_in(kind, f"arrays[{k}]")) for k, kind in enumerate(kinds)]
    pairs = [(a, b) for k, own in enumerate(found) for other in found[:k]
             for a in own for b in other]  # fmt: skip
    message = "two arguments share memory that the function writes into: pass a copy of one"
    checks = [f"    if may_share({a}, {b}): raise ArgumentError({message!r})" for a, b in pairs]
    return function_from(
        ["def written(*arrays):", *(checks or ["    pass"])],
        may_share=may_share, ArgumentError=ArgumentError,
    )  # fmt: skip


@implements(runtime.check_in_order)
def _check_in_order(*arrays: Any) -> Any:
    kinds = arrays[0] if len(arrays) == 1 and isinstance(arrays[0], tuple) else arrays
    message = "the elements of an argument do not lie in order: pass np.ascontiguousarray(x)"
    checks = [
        f"    if not arrays[{k}].flags.c_contiguous: raise ArgumentError({message!r})"
        for k, _ in enumerate(kinds)
    ]
    return function_from(
        ["def written(*arrays):", *(checks or ["    pass"])], ArgumentError=ArgumentError
    )
