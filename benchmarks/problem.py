"""What one benchmark is: a function, a point, and the derivative that a person would write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tangent_like as tl

Function = Callable[..., Any]


def gradient(primal: Function, wrt: tuple[int, ...], **options: Any) -> Function:
    """The generated gradient, always as a tuple."""
    return tl.grad(primal, wrt=wrt, **options)


@dataclass(frozen=True, eq=False)
class Problem:
    """`by_hand(*args)` returns a tuple of derivatives, one for each argument in `wrt`.

    `by_hand_numba` is the same in Numba's language, to be compiled with `numba.njit`; None where
    nobody has written one.  `generate` makes the generated derivative where that is not the
    gradient.  `peers` holds the primal as another tool needs it written, by the tool's name; the
    primal's own source on that tool's NumPy is used otherwise, and None says that the tool cannot
    run it.
    """

    name: str
    title: str
    primal: Function
    args: tuple[Any, ...]
    wrt: tuple[int, ...]
    by_hand: Function
    by_hand_numba: Function | None = None
    generate: Callable[..., Function] = gradient
    is_gradient: bool = True
    """Whether the derivative is the gradient of a scalar: else peers and differences are left."""

    peers: Mapping[str, Function | None] = field(default_factory=dict)
    remark: str = ""
