"""Rules of the methods of ufuncs: `np.add.reduce`, `np.multiply.outer`, `np.maximum.accumulate`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.rules.reductions import MASK, axes_of, how
from tangent_like.rules.registry import composed, constant, linear, refuse, rule
from tangent_like.rules.samples import positive, reals
from tangent_like.rules.shapes import one_axis
from tangent_like.rules.symbolic import apply, rank

# --- reduce -----------------------------------------------------------------------------------


def _reduction(function: Any) -> Any:
    """The reduction of the same name, along the first axis unless told otherwise."""

    def formula(
        x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, *, keepdims: Any = False,
        initial: Any = None, where: Any = True,
    ) -> Any:  # fmt: skip
        axis = None if rank(x) == 0 else axis
        x = apply(np.atleast_1d, x) if rank(x) is None else x
        first = {} if initial is None else {"initial": initial}
        masked = {} if where is True else {"where": where}
        return apply(function, x, **axes_of(axis), **how(keepdims), **first, **masked)

    return formula


def _reduced() -> Any:
    return [
        (positive(4),), (positive(2, 3),), (positive(2, 3), 1), ((positive(2, 3),), {"axis": None}),
        ((positive(2, 3),), {"axis": (0, 1)}), ((positive(2, 3),), {"axis": -1, "keepdims": True}),
        ((positive(2, 3),), {"axis": 1, "initial": 0.5}),
        ((positive(2, 3),), {"axis": 1, "initial": 0.5, "where": MASK}),
    ]  # fmt: skip


for _ufunc, _function, _note in (
    (np.add, np.sum, ""),
    (np.multiply, np.prod, "exact where elements are 0"),
    (np.maximum, np.max, "ties share equally"),
    (np.minimum, np.min, "ties share equally"),
):
    composed(_ufunc.reduce, _reduction(_function), samples=_reduced, note=_note)


def _log_of_sum(
    x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, *, keepdims: Any = False
) -> Any:
    axis = None if rank(x) == 0 else axis
    x = apply(np.atleast_1d, x) if rank(x) is None else x
    shift = apply(runtime.finite_max, x, axis)
    total = np.log(apply(np.sum, np.exp(x - shift), **axes_of(axis), **how(keepdims)))
    return total + (shift if keepdims is True else apply(np.sum, shift, **axes_of(axis)))


composed(np.logaddexp.reduce, _log_of_sum, samples=lambda: _reduced()[:6])
constant(runtime.finite_max)

# --- accumulate -------------------------------------------------------------------------------


def _along(axis: Any) -> Any:
    """Of a vector the axis may be None."""
    return 0 if axis is None else one_axis(axis)


composed(
    np.add.accumulate,
    lambda x, axis=0, dtype=None, out=None: np.cumsum(x, _along(axis)),
    samples=lambda: [(reals(4),), (reals(2, 3),), (reals(2, 3), 1)],
)
composed(
    np.multiply.accumulate,
    lambda x, axis=0, dtype=None, out=None: np.cumprod(x, _along(axis)),
    samples=lambda: [(reals(4),), (reals(2, 3),), (np.array([0.5, 0.0, 2.0]),)],
)
for _extreme in (np.maximum, np.minimum):
    rule(
        _extreme.accumulate,
        jvp=lambda tangents, y, x, axis=0, dtype=None, out=None: np.take_along_axis(
            tangents[0], apply(runtime.running_places, x, y, _along(axis)), _along(axis)
        ),
        vjp=lambda g, y, x, axis=0, dtype=None, out=None: apply(
            runtime.untake_along_axis, g, apply(runtime.running_places, x, y, _along(axis)), x,
            _along(axis),
        ),
        samples=lambda: [(reals(5),), (reals(3, 3),), (reals(2, 4), -1)],
        note="of equal elements the last one counts",
    )  # fmt: skip
constant(runtime.running_places)

# --- outer ------------------------------------------------------------------------------------


def _outer(function: Any) -> Any:
    """The function of all pairs: axes of length 1 behind those of the first operand."""

    def formula(x: Any, w: Any) -> Any:
        axes = rank(w)
        if axes is None:
            return apply(function, apply(runtime.before_axes, x, w), w)
        new = -1 if axes == 1 else tuple(range(-axes, 0))
        return apply(function, np.expand_dims(x, new) if axes else x, w)

    return formula


linear(
    runtime.before_axes,
    lambda g, x, w: np.reshape(g, np.shape(x)),
    samples=lambda: [(reals(2), np.zeros((2, 3))), (reals(2, 2), np.zeros(3))],
)


for _pairwise in (
    np.add, np.subtract, np.multiply, np.true_divide, np.power, np.maximum, np.minimum, np.hypot,
    np.arctan2, np.logaddexp,
):  # fmt: skip
    composed(
        _pairwise.outer,
        _outer(_pairwise),
        samples=lambda: [
            (positive(2), positive(3, seed=1)), (positive(2, 2), positive(3, seed=1)),
            (positive(2), positive(1, seed=2)),
        ],
    )  # fmt: skip
refuse(
    *(ufunc.reduceat for ufunc in (np.add, np.multiply, np.maximum, np.minimum)),
    reason="reduces slices whose places it is told",
    instead="reduce each slice, or use np.bincount with weights",
)
