"""Products and changes of shape that Numba lacks or takes in few forms only."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import types

from tangent_like import runtime
from tangent_like.numba_runtime.writing import (
    function_from,
    implements,
    is_number,
    is_real,
    items_of,
    literal,
    nested,
    tuple_text,
)

# --- einsum, and what is a case of it -----------------------------------------------------------


def einsum(subscripts: str, *operands: Any) -> Any:
    """The sum of products that the subscripts say, as `np.einsum` reads them."""
    return np.einsum(subscripts, *operands)


def matmul(x: Any, w: Any) -> Any:
    """The matrix product of arrays of which one has more than two axes, or of whole numbers."""
    return np.matmul(x, w)


def vdot(x: Any, w: Any) -> Any:
    """The sum of the products of all elements, of arrays of one shape."""
    return np.vdot(x, w)


def loops_of(inputs: Sequence[str], output: str, params: Sequence[str]) -> list[str]:
    """The lines of a sum of products: a loop a letter, those that are summed over innermost."""
    sizes: dict[str, str] = {}
    for param, letters in zip(params, inputs, strict=True):
        for k, letter in enumerate(letters):
            sizes.setdefault(letter, f"{param}.shape[{k}]")
    checks = [
        f"    if {param}.shape[{k}] != {sizes[letter]}: raise ValueError('lengths do not match')"
        for param, letters in zip(params, inputs, strict=True)
        for k, letter in enumerate(letters)
        if sizes[letter] != f"{param}.shape[{k}]"
    ]
    product = " * ".join(f"{p}[{', '.join(letters) or '()'}]" if letters else p
                         for p, letters in zip(params, inputs, strict=True))  # fmt: skip
    summed = [(letter, sizes[letter]) for letter in sizes if letter not in output]
    inner = nested(summed, [f"total += {product}"], 0)
    if not output:
        body = ["    total = dtype(0)", *(f"    {line}" for line in inner), "    return total"]
        return [*checks, *body]
    kept = [(letter, sizes[letter]) for letter in output]
    place = ", ".join(output)
    return [
        *checks,
        f"    out = np.empty({tuple_text([sizes[letter] for letter in output])}, dtype)",
        *nested(kept, ["total = dtype(0)", *inner, f"out[{place}] = total"]),
        "    return out",
    ]


def result_dtype(operands: Sequence[Any]) -> Any:
    found = [np.dtype(str(o.dtype if isinstance(o, types.Array) else o)) for o in operands]
    return np.result_type(*found).type


def parsed(subscripts: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of the operands, which have so many axes, and of the result, as np.einsum reads
    them."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ranks):
        raise ValueError(f"einsum of {len(ranks)} operands by {subscripts!r}")
    if not arrow:
        every = left.replace(",", "").replace(".", "")
        right = "".join(sorted(letter for letter in set(every) if every.count(letter) == 1))
        right = "..." * ("..." in left) + right
    rests = [n - len(i.replace("...", "")) for i, n in zip(inputs, ranks, strict=True)]
    free = [c for c in string.ascii_letters if c not in subscripts]
    named = "".join(free[: max([r for r, i in zip(rests, inputs) if "..." in i], default=0)])
    inputs = [i.replace("...", named[len(named) - r :]) for i, r in zip(inputs, rests)]
    return inputs, right.replace("...", named)


@implements(einsum)
def _einsum(subscripts: Any, *operands: Any) -> Any:
    kinds = operands[0] if len(operands) == 1 and isinstance(operands[0], tuple) else operands
    inputs, output = parsed(literal(subscripts), [getattr(kind, "ndim", 0) for kind in kinds])
    params = [f"operands[{k}]" for k in range(len(kinds))]
    lines = ["def written(subscripts, *operands):", *loops_of(inputs, output, params)]
    return function_from(lines, dtype=result_dtype(kinds))


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@implements(matmul)
def _matmul(x: Any, w: Any) -> Any:
    batch = _LETTERS[: max(x.ndim, w.ndim, 2) - 2]
    left = batch[len(batch) - max(x.ndim - 2, 0) :] + ("ij" if x.ndim > 1 else "j")
    right = batch[len(batch) - max(w.ndim - 2, 0) :] + ("jk" if w.ndim > 1 else "j")
    output = batch + ("i" if x.ndim > 1 else "") + ("k" if w.ndim > 1 else "")
    lines = ["def written(x, w):", *loops_of([left, right], output, ["x", "w"])]
    return function_from(lines, dtype=result_dtype((x, w)))


@implements(vdot)
def _vdot(x: Any, w: Any) -> Any:
    if _counts_differ(x, w):
        return None
    letters = _LETTERS[: x.ndim]
    first = "x" if is_real(x) else "np.conj(x)"
    loops = loops_of([letters, letters], "", ["x", "w"])
    lines = ["def written(x, w):", f"    x = {first}", *loops]
    return function_from(lines, dtype=result_dtype((x, w)))


def _counts_differ(x: Any, w: Any) -> bool:
    """Whether two types are not arrays of equally many axes."""
    arrays = isinstance(x, types.Array) and isinstance(w, types.Array)
    return not arrays or x.ndim != w.ndim


# --- shapes -------------------------------------------------------------------------------------


def reshaped(x: Any, shape: Any) -> Any:
    """The elements in another shape."""
    return np.reshape(x, shape)


@implements(reshaped)
def _reshaped(x: Any, shape: Any) -> Any:
    if is_number(x):
        return lambda x, shape: np.full(1, x).reshape(shape)
    if x.layout == "C":
        return lambda x, shape: x.reshape(shape)
    return lambda x, shape: np.ascontiguousarray(x).reshape(shape)


def clipped(x: Any, low: Any, high: Any) -> Any:
    """np.clip of a number."""
    return np.clip(x, low, high)


@implements(clipped)
def _clipped(x: Any, low: Any, high: Any) -> Callable[..., Any] | None:
    no_low, no_high = (isinstance(b, types.NoneType) for b in (low, high))
    if no_low:
        return lambda x, low, high: high if x > high else x
    if no_high:
        return lambda x, low, high: low if x < low else x
    return lambda x, low, high: high if x > high else (low if x < low else x)


# --- sums at repeated places --------------------------------------------------------------------


def add_at(array: Any, index: Any, g: Any) -> None:
    """`array[index] += g` where an index may occur more than once."""
    np.add.at(array, index, g)


@implements(add_at)
def _add_at(array: Any, index: Any, g: Any) -> Any:
    if isinstance(index, types.List) and isinstance(index.dtype, types.Integer):
        return lambda array, index, g: add_at(array, np.array(index), g)
    parts = items_of(index)
    names = [f"index[{k}]" for k in range(len(parts))] if len(parts) > 1 or parts[0] is not index \
        else ["index"]  # fmt: skip
    vectors = [k for k, part in enumerate(parts) if isinstance(part, types.Array)]
    if not all(isinstance(parts[k].dtype, types.Integer) for k in vectors):
        return None
    if len({parts[k].ndim for k in vectors}) != 1:
        return None
    axes = parts[vectors[0]].ndim
    letters = [f"i{k}" for k in range(axes)]
    first = names[vectors[0]]
    places = [
        f"{name}[{', '.join(letters)}]" if k in vectors else _slice_or(part, name)
        for k, (part, name) in enumerate(zip(parts, names, strict=True))
    ]
    rest = array.ndim - sum(not isinstance(p, types.EllipsisType) for p in parts)
    slices = sum(isinstance(p, types.SliceType) for p in parts) + rest
    if slices and vectors != list(range(len(vectors))):
        return None
    shape = tuple_text([f"{first}.shape[{k}]" for k in range(axes)])
    tail = f" + array[{', '.join(_zeroed(parts, vectors))}].shape" if slices else ""
    given = isinstance(g, types.Array)
    lines = ["def written(array, index, g):"]
    if given:
        lines.append(f"    full = np.broadcast_to(g, {shape}{tail})")
    loops = [(letter, f"{first}.shape[{k}]") for k, letter in enumerate(letters)]
    value = f"full[{', '.join(letters)}]" if given else "g"
    if slices:
        body = [f"part = array[{', '.join(places)}]", f"part += {value}"]
    else:
        body = [f"array[{', '.join(places)}] += {value}"]
    return function_from([*lines, *nested(loops, body)])


def _slice_or(part: Any, name: str) -> str:
    return "..." if isinstance(part, types.EllipsisType) else name


def _zeroed(parts: Sequence[Any], vectors: Sequence[int]) -> list[str]:
    return ["0" if k in vectors else _slice_or(part, f"index[{k}]")
            for k, part in enumerate(parts)]  # fmt: skip


@implements(runtime.cross)
def _cross(x: Any, w: Any) -> Any:
    return lambda x, w: np.cross(x, w)  # noqa: PLW0108 - Numba compiles functions with a source
