"""The facts of element-wise operations, which are the most frequent: computed directly.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.facts import (
    NUMERIC,
    Array,
    Dim,
    Fact,
    Scalar,
    Size,
)
from tangent_like.infer.representatives import FAILED, SHORT, attempt

_INEXACT = ("float16", "float32", "float64", "complex64", "complex128")


def elementwise(fn: Any, operands: tuple[Fact, ...], atoms: tuple[ir.Atom, ...]) -> Fact | None:
    types = tuple([f.type for f in operands if isinstance(f, Scalar)])
    if len(types) == len(operands):
        own = tuple([f.numpy for f in operands if isinstance(f, Scalar)])
        return _shifted(fn, operands, atoms) or _result_scalar(fn, types, own)
    if not all(isinstance(f, (Scalar, Array)) for f in operands):
        return NUMERIC if all(facts.is_numeric(f) for f in operands) else None
    dims = broadcast([facts.dims(f) for f in operands])
    dtype = None
    if any(isinstance(f, Array) and facts.dtype(f) in _INEXACT for f in operands):
        # Beside an inexact array it does not matter which kind of real number a scalar is.
        operands = tuple(facts.FLOAT if f == Scalar("real") else f for f in operands)
    if all(facts.dtype(f) for f in operands):
        dtype = _result_dtype(fn, tuple(_pattern(f) for f in operands))
        if dtype in SHORT and any(isinstance(f, Scalar) and f.numpy for f in operands):
            dtype = None
    return array_of(dtype, dims)




def _shifted(fn: Any, operands: tuple[Fact, ...], atoms: tuple[ir.Atom, ...]) -> Fact | None:
    """`len(x) - 1` is a length too."""
    if fn is not operator.add and fn is not operator.sub:
        return None
    left = operands[0]
    step = atoms[1].value if isinstance(atoms[1], ir.Const) else None
    if isinstance(left, Scalar) and isinstance(left.size, Size) and type(step) is int:
        return Scalar("int", left.size.shifted(step if fn is operator.add else -step))
    return None


@lru_cache(maxsize=4096)
def _result_scalar(fn: Any, types: tuple[str, ...], numpy: tuple[bool, ...]) -> Scalar | None:
    if fn is operator.pow and set(types) <= {"bool", "int", "real"}:
        return Scalar("real")
    if "number" in types:
        return Scalar("number")
    mixed = "real" in types
    for real in (0.6, 1.6):  # the second for acosh and the like
        dummies = {"bool": True, "int": 1, "float": real, "complex": 0.6 + 0.1j, "real": real}
        args = [np.array(dummies[t])[()] if own else dummies[t] for t, own in zip(types, numpy)]
        result = attempt(fn, tuple(args), {})
        if result is not FAILED:
            break
    fact = facts.of_constant(result)
    if not isinstance(fact, Scalar):
        return None
    return Scalar("real" if mixed and fact.type == "float" else fact.type, numpy=fact.numpy)


def _pattern(fact: Fact) -> tuple[str, bool]:
    return (facts.dtype(fact) or "", isinstance(fact, Scalar))


@lru_cache(maxsize=4096)
def _result_dtype(fn: Any, patterns: tuple[tuple[str, bool], ...]) -> str | None:
    python = {"bool": True, "int64": 1, "float64": 0.6, "complex128": 0.6 + 0.1j}
    dummies = tuple(
        python[name] if scalar else np.full((1,), 0.6).astype(name) for name, scalar in patterns
    )
    result = attempt(fn, dummies, {})
    return result.dtype.name if isinstance(result, np.ndarray) else None


def broadcast(shapes: list[tuple[Dim, ...] | None]) -> tuple[Dim, ...] | None:
    """The broadcast shape; None where not even the number of axes is known."""
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    count = max(map(len, known))
    return tuple(
        _broadcast_axis([s[i - count + len(s)] for s in known if i >= count - len(s)])
        for i in range(count)
    )


def _broadcast_axis(lengths: list[Dim]) -> Dim:
    different = list(dict.fromkeys(length for length in lengths if length != 1))
    if not different:
        return 1
    if len(different) == 1:
        return different[0]
    certain = [d for d in different if isinstance(d, int) or d.plural]
    return certain[0] if certain else facts.fresh_size()


def array_of(dtype: str | None, sizes: tuple[Dim, ...] | None) -> Fact:
    """The fact of what NumPy returns: a scalar rather than an array without axes."""
    if sizes == () and dtype in ("float64", "int64", "bool", "complex128"):
        return Scalar(dtype.rstrip("0123456789"), numpy=True)
    return Array(dtype, sizes)
