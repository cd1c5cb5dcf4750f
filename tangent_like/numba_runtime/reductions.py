"""Reductions over any axes, with `keepdims`, which Numba's own do not take.

The axes and `keepdims` are literals, so that the shape of the result is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from tangent_like.numba_runtime.writing import (
    function_from,
    implements,
    literal,
    nested,
    tuple_text,
)


def sum_over(x: Any, axis: Any, keepdims: bool) -> Any:
    """The sum over axes."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def prod_over(x: Any, axis: Any, keepdims: bool) -> Any:
    """The product over axes."""
    return np.prod(x, axis=axis, keepdims=keepdims)


def max_over(x: Any, axis: Any, keepdims: bool) -> Any:
    """The largest elements along axes, nan where there is one."""
    return np.max(x, axis=axis, keepdims=keepdims)


def min_over(x: Any, axis: Any, keepdims: bool) -> Any:
    """The smallest elements along axes, nan where there is one."""
    return np.min(x, axis=axis, keepdims=keepdims)


def any_over(x: Any, axis: Any, keepdims: bool) -> Any:
    """Whether any element along axes is true."""
    return np.any(x, axis=axis, keepdims=keepdims)


def all_over(x: Any, axis: Any, keepdims: bool) -> Any:
    """Whether all elements along axes are true."""
    return np.all(x, axis=axis, keepdims=keepdims)


def mean_over(x: Any, axis: Any, keepdims: bool) -> Any:
    """The mean over axes."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def var_over(x: Any, axis: Any, keepdims: bool, ddof: Any) -> Any:
    """The variance over axes."""
    return np.var(x, axis=axis, keepdims=keepdims, ddof=ddof)


def std_over(x: Any, axis: Any, keepdims: bool, ddof: Any) -> Any:
    """The standard deviation over axes."""
    return np.std(x, axis=axis, keepdims=keepdims, ddof=ddof)


def reduced_axes(axis: Any, count: int) -> tuple[int, ...]:
    """The axes that are reduced, counted from the start."""
    if axis is None:
        return tuple(range(count))
    chosen = axis if isinstance(axis, tuple) else (axis,)
    if not all(-count <= a < count for a in chosen):
        raise ValueError(f"axis {axis} is out of bounds for an array of {count} axes")
    return tuple(sorted({a % count for a in chosen}))


def folded(count: int, axes: tuple[int, ...], keepdims: bool, step: str) -> list[str]:
    """The lines of a loop over `x` in the order of memory that takes each element into `out`.

    `step` says what becomes of `total` with the element `v`.
    """
    indices = [f"i{k}" for k in range(count)]
    place = ", ".join(i if k not in axes else "0" for k, i in enumerate(indices)
                      if keepdims or k not in axes)  # fmt: skip
    loops = [(i, f"x.shape[{k}]") for k, i in enumerate(indices)]
    element = f"v = x[{', '.join(indices)}]"
    if not place:
        return nested(loops, [element, f"total = {step}"])
    if count - 1 not in axes:
        return nested(loops, [f"total = out[{place}]", element, f"out[{place}] = {step}"])
    inner = [f"    {line}" for line in (element, f"total = {step}")]
    head = f"for {loops[-1][0]} in range({loops[-1][1]}):"
    body = [f"total = out[{place}]", head, *inner, f"out[{place}] = total"]
    return nested(loops[:-1], body)


def result_shape(count: int, axes: tuple[int, ...], keepdims: bool) -> str:
    kept = [f"x.shape[{k}]" if k not in axes else "1" for k in range(count)
            if keepdims or k not in axes]  # fmt: skip
    return tuple_text(kept)


def written(
    x: Any, axis: Any, keepdims: Any, step: str, start: Any, dtype: Any, *checks: str
) -> Callable[..., Any] | None:
    """The implementation of a reduction for an array type, or None where it has none."""
    if not isinstance(x, types.Array):
        return None
    axes, keep = reduced_axes(literal(axis), x.ndim), literal(keepdims)
    shape = result_shape(x.ndim, axes, keep)
    made = f"out = np.full({shape}, start, dtype)" if shape != "()" else "total = start"
    lines = ["def written(x, axis, keepdims):", *checks, f"    {made}",
             *folded(x.ndim, axes, keep, step),
             f"    return {'out' if shape != '()' else 'total'}"]  # fmt: skip
    kind = np.dtype(str(dtype))
    return function_from(lines, start=kind.type(start), dtype=kind)


def _sum_type(x: Any) -> Any:
    """NumPy sums bools and small integers as int64."""
    exact = isinstance(x.dtype, (types.Boolean, types.Integer))
    return types.int64 if exact else x.dtype


_NOT_EMPTY = "    if x.size == 0: raise ValueError('reduction of an array without elements')"


@implements(sum_over)
def _sum(x: Any, axis: Any, keepdims: Any) -> Any:
    return written(x, axis, keepdims, "total + v", 0, _sum_type(x))


@implements(prod_over)
def _prod(x: Any, axis: Any, keepdims: Any) -> Any:
    return written(x, axis, keepdims, "total * v", 1, _sum_type(x))


def _extreme(dtype: Any, sign: int) -> Any:
    kind = np.dtype(str(dtype))
    if kind.kind == "f":
        return sign * np.inf
    limits = np.iinfo(kind)
    return limits.max if sign > 0 else limits.min


@implements(max_over)
def _max(x: Any, axis: Any, keepdims: Any) -> Any:
    start = _extreme(x.dtype, -1)
    step = "v if v > total or v != v else total"
    return written(x, axis, keepdims, step, start, x.dtype, _NOT_EMPTY)


@implements(min_over)
def _min(x: Any, axis: Any, keepdims: Any) -> Any:
    start = _extreme(x.dtype, 1)
    step = "v if v < total or v != v else total"
    return written(x, axis, keepdims, step, start, x.dtype, _NOT_EMPTY)


@implements(any_over)
def _any(x: Any, axis: Any, keepdims: Any) -> Any:
    return written(x, axis, keepdims, "total or v != 0", False, "bool")


@implements(all_over)
def _all(x: Any, axis: Any, keepdims: Any) -> Any:
    return written(x, axis, keepdims, "total and v != 0", True, "bool")


def _count(x: Any, axes: tuple[int, ...]) -> str:
    """The text of how many elements there are for each place of the result."""
    return " * ".join(f"x.shape[{k}]" for k in axes) or "1"


@implements(mean_over)
def _mean(x: Any, axis: Any, keepdims: Any) -> Any:
    over, keep = literal(axis), literal(keepdims)
    exact = isinstance(x.dtype, (types.Boolean, types.Integer))
    dtype = np.float64 if exact else np.dtype(str(x.dtype)).type
    count = _count(x, reduced_axes(over, x.ndim))
    return function_from(
        ["def written(x, axis, keepdims):",
         f"    return sum_over(x, {over}, {keep}) / dtype({count})"],
        sum_over=sum_over, dtype=dtype,
    )  # fmt: skip


@implements(var_over)
def _var(x: Any, axis: Any, keepdims: Any, ddof: Any) -> Any:
    over, keep = literal(axis), literal(keepdims)
    count = _count(x, reduced_axes(over, x.ndim))
    return function_from(
        ["def written(x, axis, keepdims, ddof):",
         f"    away = np.abs(x - mean_over(x, {over}, True))",
         f"    return sum_over(away * away, {over}, {keep}) / ({count} - ddof)"],
        sum_over=sum_over, mean_over=mean_over,
    )  # fmt: skip


@implements(std_over)
def _std(x: Any, axis: Any, keepdims: Any, ddof: Any) -> Any:
    return function_from(
        ["def written(x, axis, keepdims, ddof):",
         f"    return np.sqrt(var_over(x, {literal(axis)}, {literal(keepdims)}, ddof))"],
        var_over=var_over,
    )  # fmt: skip
