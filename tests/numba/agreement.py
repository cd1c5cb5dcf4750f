"""The derivatives of both backends at one point, held against each other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tangent_like as tl
from tangent_like.errors import ArgumentError
from tests.derivatives import is_real, leaves, numbers

NUMBA: Any = {"backend": "numba"}


def assert_backends_agree(
    f: Callable[..., Any],
    *args: Any,
    modes: Sequence[str] = ("fwd", "rev"),
    rtol: float = 1e-12,
    **options: Any,
) -> None:
    """Gradient (or pullback) and tangent of `f` with Numba are those of plain Python.

    Equal to `rtol` relative to the number, or to the largest of its array; in structure too; and
    the arguments stay as they are.
    """
    before, wrt = copy.deepcopy(args), positions(args)
    if "rev" in modes:
        got = reverse(f, args, wrt, **NUMBA, **options)
        same(got, reverse(f, args, wrt), "the gradient", rtol)
    if "fwd" in modes:
        got = forward(f, args, wrt, **NUMBA, **options)
        same(got, forward(f, args, wrt), "the tangent", rtol)
    for old, new in zip(before, args, strict=True):
        assert np.array_equal(numbers(old), numbers(new), equal_nan=True)


def positions(args: Sequence[Any]) -> tuple[int, ...]:
    return tuple(i for i, a in enumerate(args) if any(map(is_real, leaves(a))))


def reverse(
    f: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int], **options: Any
) -> Any:
    try:
        return tl.value_and_grad(f, tuple(wrt), **options)(*args)
    except ArgumentError:
        value, pullback = tl.vjp(f, *args, **options)
        return value, [g for g in pullback(value) if g is not None]


def forward(
    f: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int], **options: Any
) -> Any:
    tangents = [copy.deepcopy(a) if i in wrt else None for i, a in enumerate(args)]
    return tl.jvp(f, args, tangents, **options)


def same(got: Any, want: Any, what: str, rtol: float) -> None:
    found, wanted = leaves(got), leaves(want)
    assert len(found) == len(wanted), f"{what} is {got}, without Numba {want}"
    for a, b in zip(found, wanted, strict=True):
        assert np.shape(a) == np.shape(b), f"{what} is {got}, without Numba {want}"
        scale = float(np.max(np.abs(b[np.isfinite(b)] if np.ndim(b) else b), initial=0.0))
        tolerance = rtol * (scale if np.isfinite(scale) else 0.0)
        close = np.allclose(a, b, rtol=rtol, atol=tolerance, equal_nan=True)
        assert close, f"{what} is {got}, without Numba {want}"
