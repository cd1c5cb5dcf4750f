"""Rules of operations that only move elements: each is linear, and gives its transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.rules.registry import constant, linear, named, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, is_symbolic

linear(
    np.transpose,
    lambda g, x, axes=None: np.transpose(g) if axes is None else np.transpose(g, inverse(axes)),
    samples=lambda: [(reals(2, 3),), (reals(2, 3, 4), (1, 2, 0)), (reals(2, 3, 4), (-1, 0, 1))],
)
linear(
    np.reshape,
    lambda g, x, shape, order="C", *, copy=None: np.reshape(g, np.shape(x), **ordered(order)),
    samples=lambda: [
        (reals(2, 3), (3, 2)),
        ((reals(2, 3), (3, 2)), {"copy": True}),
        (reals(2, 3), -1),
        ((reals(2, 3), (3, 2)), {"order": "F"}),
        (0.7, (1, 1)),
    ],
)


def inverse(axes: Any) -> Any:
    """The axes that undo a transposition."""
    if _all_ints(axes):
        return tuple(int(i) for i in np.argsort([axis % len(axes) for axis in axes]))
    return apply(np.argsort, axes)


def one_axis(axis: Any) -> Any:
    """An axis that may also be given as a tuple of one."""
    return axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis


def _all_ints(axes: Any) -> bool:
    return isinstance(axes, (tuple, list)) and all(isinstance(axis, int) for axis in axes)


def ordered(order: Any) -> dict[str, Any]:
    """The keyword that says so, where the order is not the usual one."""
    return {} if order == "C" else {"order": order}


linear(
    np.ravel,
    lambda g, x, order="C": np.reshape(g, np.shape(x), **ordered(order)),
    samples=lambda: [(reals(2, 3),), ((reals(2, 3),), {"order": "F"}), (0.7,)],
)
linear(
    np.swapaxes,
    lambda g, x, a, b: np.swapaxes(g, a, b),
    samples=lambda: [(reals(2, 3, 4), 0, 2), (reals(2, 3, 4), -1, 1)],
)
linear(
    np.moveaxis,
    lambda g, x, source, destination: np.moveaxis(g, destination, source),
    samples=lambda: [(reals(2, 3, 4), 0, -1), (reals(2, 3, 4), (0, 1), (-1, 0))],
)
linear(
    np.rollaxis,
    lambda g, x, axis, start=0: moved_back(np.rollaxis, g, x, axis, start),
    samples=lambda: [(reals(2, 3, 4), 2), (reals(2, 3, 4), -1, 1), (reals(2, 3, 4), 0, 3)],
)
linear(
    (*named(np, "matrix_transpose"), *named(np.linalg, "matrix_transpose")),
    lambda g, x: np.swapaxes(g, -1, -2),
    samples=lambda: [(reals(2, 3),), (reals(2, 3, 4),)],
)
linear(
    np.expand_dims,
    lambda g, x, axis: np.squeeze(g, axis),
    samples=lambda: [(reals(2, 3), 0), (reals(2, 3), (0, -1)), (reals(3), -1), (0.7, 0)],
)
linear(
    np.squeeze,
    lambda g, x, axis=None: np.reshape(g, np.shape(x)),
    samples=lambda: [(reals(1, 3, 1),), (reals(1, 3, 1), 0), (reals(1, 3, 1), (0, -1))],
)
linear(
    np.broadcast_to,
    lambda g, x, shape, subok=False: g,
    samples=lambda: [(reals(3), (2, 3)), (reals(2, 1), (4, 2, 3)), (0.7, (2,)), (reals(1), 3)],
)
rule(
    np.broadcast_arrays,
    jvp=lambda tangents, y, *xs: tuple(
        None if dx is None else apply(runtime.broadcast_like, dx, y[i])
        for i, dx in enumerate(tangents)
    ),
    vjp=lambda g, y, *xs: tuple(g[i] for i in range(len(xs))),
    samples=lambda: [(reals(3), reals(2, 1))],
)
for _atleast in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    linear(
        _atleast,
        lambda g, *xs: _reshaped(g, xs),
        wrt=None,
        samples=lambda: [(reals(3),), (0.7,), (reals(2, 3),), (0.7, reals(3))],
    )


def _reshaped(g: Any, xs: tuple[Any, ...]) -> tuple[Any, ...]:
    parts = (g,) if len(xs) == 1 else tuple(g[i] for i in range(len(xs)))
    return tuple(
        None if p is None else np.reshape(p, np.shape(x)) for p, x in zip(parts, xs, strict=False)
    )


# --- flips, rolls and repeats -----------------------------------------------------------------

linear(
    np.flip,
    lambda g, x, axis=None: _flipped(g, axis),
    samples=lambda: [(reals(2, 3),), (reals(2, 3), 0), (reals(2, 3), (0, -1))],
)
linear(np.fliplr, lambda g, x: np.fliplr(g), samples=lambda: [(reals(2, 3),)])
linear(np.flipud, lambda g, x: np.flipud(g), samples=lambda: [(reals(2, 3),), (reals(3),)])
linear(
    np.rot90,
    lambda g, x, k=1, axes=(0, 1): np.rot90(g, -k, axes),
    samples=lambda: [(reals(2, 3),), (reals(2, 3), 2), (reals(2, 3, 4), -1, (1, 2))],
)
linear(
    np.roll,
    lambda g, x, shift, axis=None: np.roll(g, _negated(shift), *along(axis)),
    samples=lambda: [
        (reals(5), 2), (reals(2, 3), 1, 1), (reals(2, 3), 1, 0), (reals(2, 3), 1),
        (reals(2, 3), (1, -1), (0, 1)),
    ],
)  # fmt: skip
linear(
    np.tile,
    lambda g, x, reps: moved_back(np.tile, g, x, reps),
    samples=lambda: [(reals(3), 2), (reals(2, 3), (2, 1)), (reals(3), (2, 2)), (0.7, 3)],
)
linear(
    np.repeat,
    lambda g, x, repeats, axis=None: moved_back(np.repeat, g, x, repeats, *along(axis)),
    samples=lambda: [
        (reals(3), 2), (reals(2, 3), 2, 1), (reals(2, 3), 2), (reals(3), np.array([1, 0, 2])),
        (reals(2, 3), 2, 0), (reals(1, 3), 3, 0),
    ],
)  # fmt: skip
linear(
    np.resize,
    lambda g, x, shape: moved_back(np.resize, g, x, shape),
    samples=lambda: [(reals(3), (2, 4)), (reals(2, 3), 4)],
)


def _flipped(g: Any, axis: Any) -> Any:
    return np.flip(g) if axis is None else np.flip(g, axis)


def along(axis: Any) -> tuple[Any, ...]:
    """An axis as it is written; None, which means all elements in order, is not."""
    return () if axis is None else (axis,)


def given(option: Any) -> tuple[Any, ...]:
    """An option as it is written: not at all where it is what is meant anyway."""
    return () if option is None or (type(option) is int and option == 0) else (option,)


def _negated(shift: Any) -> Any:
    return tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift


def moved_back(function: Any, g: Any, x: Any, *how: Any, **named_how: Any) -> Any:
    """The cotangent of x where each element of the result is one of x's: where each came from
    is found by moving positions in place of numbers."""
    moved = apply(function, apply(runtime.positions, x), *how, **named_how)
    return apply(runtime.move_back, g, moved, x)


linear(
    runtime.move_back,
    lambda h, g, source, x: apply(runtime.taken, h, source),
    samples=lambda: [(reals(4), np.array([0, 2, 2, -1]), reals(3))],
)
linear(
    runtime.taken,
    lambda h, x, source: apply(runtime.move_back, h, source, x),
    samples=lambda: [(reals(3), np.array([0, 2, 2, -1])), (reals(2, 3), np.array([[5, 0]]))],
)
constant(runtime.positions)

# --- diagonals and triangles ------------------------------------------------------------------

linear(
    np.tril,
    lambda g, x, k=0: np.tril(g, *given(k)),
    samples=lambda: [(reals(3, 3),), (reals(2, 3), 1)],
)
linear(
    np.triu,
    lambda g, x, k=0: np.triu(g, *given(k)),
    samples=lambda: [(reals(3, 3),), (reals(2, 3), 1)],
)
linear(
    np.diag,
    lambda g, x, k=0: _diag_back(np.diag, g, x, k),
    samples=lambda: [(reals(3),), (reals(3), 1), (reals(3, 3),), (reals(2, 3), -1)],
)
linear(
    np.diagflat,
    lambda g, x, k=0: np.reshape(np.diagonal(g, k), np.shape(x)),
    samples=lambda: [(reals(3),), (reals(2, 2), 1)],
)
linear(
    np.diagonal,
    lambda g, x, offset=0, axis1=0, axis2=1: _diagonal_back(g, x, offset, axis1, axis2),
    samples=lambda: [(reals(3, 3),), (reals(2, 3), 1), (reals(2, 3, 3), 0, 1, 2)],
)
linear(
    named(np.linalg, "diagonal"),
    lambda g, x, offset=0: _diagonal_back(g, x, offset, -2, -1),
    samples=lambda: [(reals(3, 3),), (reals(2, 3, 3),)],
)


def is_square(x: Any) -> bool:
    """Whether the two axes of a matrix are known to have one length."""
    sizes = facts.dims(x.fact) if is_symbolic(x) else np.shape(x)
    return sizes is not None and len(sizes) == 2 and sizes[0] == sizes[1]


def _diagonal_back(g: Any, x: Any, offset: Any, axis1: Any, axis2: Any) -> Any:
    """A matrix with g on its diagonal, where that is known to have the shape of x."""
    if not is_symbolic(offset) and offset == 0 and is_square(x):
        return np.diag(g)
    return moved_back(np.diagonal, g, x, offset, axis1, axis2)


def _diag_back(function: Any, g: Any, x: Any, *how: Any) -> Any:
    """As `moved_back`, where the result also has zeros that are no element of x."""
    count = np.ndim(x)
    if isinstance(count, int) and count == 2 and how == (0,) and is_square(x):
        return np.diag(g)
    if isinstance(count, int):
        return np.diagonal(g, *how) if count == 1 else moved_back(function, g, x, *how)
    marked = apply(function, apply(runtime.positions, x) + 1, *how) - 1
    return apply(runtime.move_back, g, marked, x)
