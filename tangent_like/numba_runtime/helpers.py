"""The helpers of `tangent_like.runtime` for Numba: one implementation for the types of a call.

Only the forms that occur in Numba's language are here: no lists of arrays of different types, no
structures inside structures but tuples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from tangent_like import runtime
from tangent_like.numba_runtime.reductions import max_over
from tangent_like.numba_runtime.writing import (
    function_from,
    implements,
    is_inexact,
    is_number,
    is_real,
    literal,
    nested,
    tuple_text,
)

Implementation = Callable[..., Any] | None


def item_by_item(call: str, params: str, count: int, **namespace: Any) -> Callable[..., Any]:
    """An implementation for tuples: `call` for each item, which it names `{k}`."""
    parts = tuple_text([call.format(k=k) for k in range(count)])
    return function_from([f"def written({params}):", f"    return {parts}"], **namespace)


# --- shapes and types ---------------------------------------------------------------------------


@implements(runtime.unbroadcast)
def _unbroadcast(g: Any, like: Any) -> Implementation:
    if isinstance(g, types.NoneType):
        return lambda g, like: None
    if is_number(like) and is_number(g):
        return (lambda g, like: float(g)) if is_real(g) else (lambda g, like: g.real)
    if is_number(like):
        return (lambda g, like: np.sum(g)) if is_real(g) else (lambda g, like: np.sum(g).real)
    if isinstance(like, types.Array) and isinstance(g, types.Array) and g.ndim >= like.ndim:
        return _summed(g, like)
    return None


def _summed(g: Any, like: Any) -> Callable[..., Any]:
    """The cotangent added up over the axes along which the operand was repeated."""
    extra = g.ndim - like.ndim
    letters = [f"i{k}" for k in range(g.ndim)]
    steps = [f"m{k}" for k in range(extra, g.ndim)]
    lines = [f"    {m} = 0 if like.shape[{k}] == 1 else 1" for k, m in enumerate(steps)]
    place = ", ".join(f"{i} * {m}" for i, m in zip(letters[extra:], steps, strict=True)) or "()"
    loops = [(i, f"g.shape[{k}]") for k, i in enumerate(letters)]
    element = f"g[{', '.join(letters) or '()'}]"
    if is_real(like) and not is_real(g):
        element += ".real"
    same = ["    if g.shape == like.shape: return g.astype(dtype)"] if not extra else []
    dtype = like.dtype if is_inexact(like.dtype) else g.dtype
    return function_from(
        ["def written(g, like):", *(same if is_real(like) == is_real(g) else ()), *lines,
         "    out = np.zeros(like.shape, dtype)",
         *nested(loops, [f"out[{place}] += {element}"]), "    return out"],
        dtype=np.dtype(str(dtype)),
    )  # fmt: skip


@implements(runtime.broadcast_like)
def _broadcast_like(g: Any, like: Any) -> Implementation:
    if isinstance(like, types.Array):
        if like.dtype in (types.float32, types.complex64):
            return lambda g, like: np.broadcast_to(runtime.as_type(g, like), like.shape)
        if isinstance(g, types.Array) and g.ndim == like.ndim and g.layout == "C" and g.mutable:
            return _spread  # of the type of `g`, as lists of arrays need it
        return lambda g, like: np.broadcast_to(g, like.shape)
    return (lambda g, like: g) if is_number(like) else None


def _spread(g: Any, like: Any) -> Any:
    return g if g.shape == like.shape else np.broadcast_to(g, like.shape).copy()


@implements(runtime.as_type)
def _as_type(g: Any, like: Any) -> Implementation:
    dtype = like.dtype if isinstance(like, types.Array) else like
    own = g.dtype if isinstance(g, types.Array) else g
    if not is_real(g) and is_real(like):
        return lambda g, like: g.real
    if own == dtype or not isinstance(dtype, types.Float) or dtype == types.float64:
        return lambda g, like: g
    kind = np.dtype(str(dtype))
    if isinstance(g, types.Array):
        return lambda g, like: g.astype(kind)
    cast = kind.type
    return lambda g, like: cast(g)


@implements(runtime.zeros_like)
def _zeros_like(x: Any) -> Implementation:
    if isinstance(x, types.Optional):
        return _zeros_where_bound(x.type)
    if isinstance(x, types.Array):
        dtype = _inexact(x)
        return lambda x: np.zeros(x.shape, dtype)
    if isinstance(x, types.BaseTuple):
        return item_by_item("zeros_like(x[{k}])", "x", len(x), zeros_like=runtime.zeros_like)
    if isinstance(x, types.List):
        return lambda x: [runtime.zeros_like(item) for item in x]
    if isinstance(x, types.NoneType):
        return lambda x: None
    if is_number(x):
        zero = np.dtype(str(x)).type(0) if x == types.float32 else 0.0 if is_real(x) else 0j
        return lambda x: zero
    return None


def _zeros_where_bound(kind: Any) -> Implementation:
    """The zeros of an array that is None on a path on which its name is not bound."""
    if not isinstance(kind, types.Array):
        return None
    dtype = _inexact(kind)
    return lambda x: None if x is None else np.zeros(x.shape, dtype)


def _inexact(array: Any) -> Any:
    return np.dtype(str(array.dtype if is_inexact(array.dtype) else types.float64))


@implements(runtime.add)
def _add(a: Any, b: Any) -> Implementation:
    if isinstance(a, types.NoneType):
        return lambda a, b: b
    if isinstance(b, types.NoneType):
        return lambda a, b: a
    if isinstance(a, types.BaseTuple):
        return item_by_item("add(a[{k}], b[{k}])", "a, b", len(a), add=runtime.add)
    if isinstance(a, types.List):
        return lambda a, b: [runtime.add(x, y) for x, y in zip(a, b)] if a and b else a or b
    return lambda a, b: a + b


@implements(runtime.copy)
def _copy(x: Any) -> Implementation:
    if isinstance(x, types.Array):
        return lambda x: x.copy()
    if isinstance(x, types.BaseTuple):
        return item_by_item("copy(x[{k}])", "x", len(x), copy=runtime.copy)
    if isinstance(x, types.List):
        return lambda x: [runtime.copy(item) for item in x]
    return lambda x: x


@implements(runtime.direction)
def _direction(x: Any) -> Implementation:
    if is_real(x):
        return lambda x: np.sign(x)  # noqa: PLW0108 - the parameter must be named x
    return lambda x: x / np.where(x == 0, 1, np.abs(x))


@implements(runtime.unarray)
def _unarray(g: Any, x: Any) -> Implementation:
    if isinstance(x, types.BaseTuple):
        return item_by_item("unarray(g[{k}], x[{k}])", "g, x", len(x), unarray=runtime.unarray)
    return None if isinstance(x, types.List) else lambda g, x: g


# --- along axes ----------------------------------------------------------------------------------


@implements(runtime.finite_max)
def _finite_max(x: Any, axis: Any) -> Implementation:
    return function_from(
        ["def written(x, axis):",
         f"    largest = max_over(x, {literal(axis)}, True)",
         "    return np.where(np.isfinite(largest), largest, 0.0)"],
        max_over=max_over,
    )  # fmt: skip


@implements(runtime.undiff)
def _undiff(g: Any, axis: Any, like: Any = None) -> Implementation:
    if literal(axis) % g.ndim != g.ndim - 1:
        return None
    last = g.ndim - 1
    length = f"g.shape[{last}] + 1" if like is None else f"like.shape[{last}]"
    shape = tuple_text([*(f"g.shape[{k}]" for k in range(last)), length])
    return function_from([
        "def written(g, axis, like=None):",
        f"    out = np.zeros({shape}, g.dtype)",
        "    out[..., 1:] += g",
        "    out[..., :-1] -= g",
        "    return out",
    ])  # fmt: skip


def _is_vector(kind: Any) -> bool:
    return isinstance(kind, types.Array) and kind.ndim == 1


@implements(runtime.preceding)
def _preceding(x: Any, axis: Any, first: Any) -> Implementation:
    if not _is_vector(x):
        return None
    dtype = np.dtype(str(x.dtype))

    def preceding(x: Any, axis: Any, first: Any) -> Any:
        found = np.empty(x.shape, dtype)
        found[:1] = first
        found[1:] = x[:-1]
        return found

    return preceding


@implements(runtime.recurrence)
def _recurrence(a: Any, b: Any, axis: Any) -> Implementation:
    if not _is_vector(a) or not _is_vector(b):
        return None
    dtype = np.result_type(np.dtype(str(a.dtype)), np.dtype(str(b.dtype)))

    def recurrence(a: Any, b: Any, axis: Any) -> Any:
        y = b.astype(dtype)
        for i in range(1, len(y)):
            y[i] += a[i] * y[i - 1]
        return y

    return recurrence


# --- sequences ----------------------------------------------------------------------------------


@implements(runtime.spread_over)
def _spread_over(g: Any, items: Any) -> Implementation:
    if isinstance(items, types.Array):
        return lambda g, items: np.broadcast_to(g, items.shape)
    if isinstance(items, types.BaseTuple):
        return item_by_item("g", "g, items", len(items))
    return lambda g, items: [g for _ in items]


@implements(runtime.equal_shares)
def _equal_shares(items: Any, y: Any) -> Implementation:
    if not isinstance(items, types.Array):
        return None

    def equal_shares(items: Any, y: Any) -> Any:
        chosen = items == y
        return chosen / np.sum(chosen)

    return equal_shares


# --- products -----------------------------------------------------------------------------------


def _axes(kind: Any) -> int:
    return kind.ndim if isinstance(kind, types.Array) else 0


@implements(runtime.matmul_left)
def _matmul_left(g: Any, x: Any, w: Any) -> Implementation:
    match _axes(x), _axes(w):
        case 1, 1:
            return lambda g, x, w: g * w
        case 2, 1:
            return lambda g, x, w: np.outer(g, w)
        case 1, 2:
            return lambda g, x, w: w @ g
        case 2, 2:
            return lambda g, x, w: g @ w.T
    return None


@implements(runtime.matmul_right)
def _matmul_right(g: Any, x: Any, w: Any) -> Implementation:
    match _axes(x), _axes(w):
        case 1, 1:
            return lambda g, x, w: g * x
        case 2, 1:
            return lambda g, x, w: x.T @ g
        case 1, 2:
            return lambda g, x, w: np.outer(x, g)
        case 2, 2:
            return lambda g, x, w: x.T @ g
    return None


@implements(runtime.dot_left)
def _dot_left(g: Any, x: Any, w: Any) -> Implementation:
    if 0 in (_axes(x), _axes(w)):
        return lambda g, x, w: runtime.unbroadcast(g * w, x)
    found: Implementation = _matmul_left(g, x, w)
    return found


@implements(runtime.dot_right)
def _dot_right(g: Any, x: Any, w: Any) -> Implementation:
    if 0 in (_axes(x), _axes(w)):
        return lambda g, x, w: runtime.unbroadcast(g * x, w)
    found: Implementation = _matmul_right(g, x, w)
    return found


@implements(runtime.last_two_swapped)
def _last_two_swapped(x: Any) -> Implementation:
    if _axes(x) < 2:
        return lambda x: x
    return (lambda x: x.T) if x.ndim == 2 else (lambda x: np.swapaxes(x, -1, -2))


@implements(runtime.convolve_full)
def _convolve_full(a: Any, v: Any) -> Implementation:
    return lambda a, v: np.convolve(a, v)  # noqa: PLW0108 - as above


@implements(runtime.product_of_others)
def _product_of_others(x: Any, axis: Any) -> Implementation:
    if literal(axis) is not None and not (x.ndim == 1 and literal(axis) in (0, -1)):
        return None

    def product_of_others(x: Any, axis: Any) -> Any:
        flat = np.ascontiguousarray(x).reshape(-1)
        found = np.ones(flat.shape, flat.dtype)
        before = flat.dtype.type(1)
        for k in range(len(flat)):
            found[k] = before
            before *= flat[k]
        after = flat.dtype.type(1)
        for k in range(len(flat) - 1, -1, -1):
            found[k] *= after
            after *= flat[k]
        return found.reshape(x.shape)

    return product_of_others


# --- linear algebra, of single matrices -----------------------------------------------------------


@implements(runtime.per_matrix)
def _per_matrix(g: Any) -> Implementation:
    if is_number(g):
        return lambda g: np.full((1, 1), g)
    shape = tuple_text([*(f"g.shape[{k}]" for k in range(g.ndim)), "1", "1"])
    return function_from(
        ["def written(g):", f"    return np.ascontiguousarray(g).reshape({shape})"]
    )


@implements(runtime.half_unit)
def _half_unit(x: Any) -> Implementation:
    if x.ndim != 2 or x.dtype != types.float64:
        return None
    return lambda x: np.eye(x.shape[-2], x.shape[-1]) / 2


@implements(runtime.cofactors)
def _cofactors(x: Any) -> Implementation:
    if x.ndim != 2 or x.dtype != types.float64:
        return None

    def cofactors(x: Any) -> Any:
        u, s, vh = np.linalg.svd(np.ascontiguousarray(x))
        sign = np.linalg.det(np.dot(u, vh))
        return sign * np.dot(u * runtime.product_of_others(s, None), vh)

    return cofactors
