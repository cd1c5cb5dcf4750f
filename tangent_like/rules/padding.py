"""The rule of `np.pad`, by its modes.

What is padded with elements is moved, what is padded with numbers is moved beside constants.
Padding with extremes, means or ramps is a formula: a strip is joined to each side of each axis in
turn, computed of the array that has been made so far, as NumPy does it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.masks import choose
from tangent_like.rules.registry import rule
from tangent_like.rules.samples import reals
from tangent_like.rules.shapes import moved_back
from tangent_like.rules.symbolic import apply, is_symbolic, rank

_MOVED = ("edge", "reflect", "symmetric", "wrap")
_STATISTICS = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}


def _tangent(
    tangents: Any, y: Any, x: Any, width: Any, mode: Any = "constant", constant_values: Any = 0,
    reflect_type: Any = "even", stat_length: Any = None, end_values: Any = 0,
) -> Any:  # fmt: skip
    dx = apply(runtime.zeros_like, x) if tangents[0] is None else tangents[0]
    if mode in _MOVED:
        odd = {} if reflect_type == "even" else {"reflect_type": reflect_type}
        return apply(np.pad, dx, width, mode, **odd)
    if mode != "constant":
        return NotImplemented
    outside = tangents[3] if len(tangents) > 3 else None
    return apply(np.pad, dx, width, **({} if outside is None else {"constant_values": outside}))


def _cotangent(
    g: Any, y: Any, x: Any, width: Any, mode: Any = "constant", constant_values: Any = 0,
    reflect_type: Any = "even", stat_length: Any = None, end_values: Any = 0,
) -> Any:  # fmt: skip
    if mode in _MOVED and reflect_type == "even":
        return moved_back(np.pad, g, x, width, mode)
    if mode != "constant":
        return NotImplemented
    marked = apply(np.pad, apply(runtime.positions, x), width, constant_values=-1)
    inside = apply(runtime.move_back, g, marked, x)
    if not is_symbolic(constant_values):
        return inside
    return inside, None, None, _of_constants(g, x, width, constant_values, marked)


def _of_constants(g: Any, x: Any, width: Any, values: Any, marked: Any) -> Any:
    """What one number, or numbers for the sides, have for the elements that they became."""
    if rank(values) == 0:
        return np.sum(choose(marked < 0, g, 0.0))
    none = apply(np.full, np.shape(x), -1)
    places = apply(np.pad, none, width, constant_values=apply(runtime.positions, values))
    return apply(runtime.move_back, g, places, values)


def _formula(
    x: Any, width: Any, mode: Any = "constant", constant_values: Any = 0,
    reflect_type: Any = "even", stat_length: Any = None, end_values: Any = 0,
) -> Any:  # fmt: skip
    _refuse_other(mode)
    count = rank(x)
    if count is None:
        raise NotYetSupported(f"`pad` with mode {mode!r} of an array with any number of axes")
    lengths, ends = _pairs(stat_length, count), _pairs(end_values, count)
    for axis, widths in enumerate(_pairs(width, count)):
        options = zip(widths, lengths[axis], ends[axis], strict=True)
        first, last = (
            [_strip(x, axis, mode, side, *option)] if option[0] else []
            for side, option in enumerate(options)
        )
        x = apply(np.concatenate, [*first, x, *last], axis) if first or last else x
    return x


def _strip(x: Any, axis: int, mode: str, side: int, count: Any, length: Any, end: Any) -> Any:
    """What is joined to the first side (0) or to the last one (1) of an axis."""
    if mode == "linear_ramp":
        steps = np.arange(count) / count
        ramp = np.reshape(steps[::-1] if side else steps, (-1, *[1] * (np.ndim(x) - axis - 1)))
        edge = x[_along(axis, slice(-1, None) if side else slice(0, 1))]
        return end + (edge - end) * ramp
    if length is not None:
        x = x[_along(axis, slice(-length, None) if side else slice(0, length))]
    return np.repeat(apply(_STATISTICS[mode], x, axis=axis, keepdims=True), count, axis=axis)


def _along(axis: int, part: slice) -> Any:
    return (*[slice(None)] * axis, part)


def _pairs(option: Any, count: int) -> Any:
    """An option for either side of each axis, which may be given for all of them at once."""
    if is_symbolic(option) and rank(option) != 0:
        raise NotYetSupported(
            "`pad` with numbers for each side that are known at run time only, or in a dict",
            hint="write ((before, after), ...)",
        )
    return np.broadcast_to(np.array(option, dtype=object), (count, 2)).tolist()


def _refuse_other(mode: Any) -> None:
    if mode == "empty":
        raise NotYetSupported("`pad` with what memory happens to hold", hint='use mode="constant"')
    if mode in _MOVED:  # and odd
        raise NotYetSupported(
            '`pad` with reflect_type="odd"',
            hint='along one axis write 2 * np.pad(x, n, "edge") - np.pad(x, n, mode)',
        )
    if mode not in _STATISTICS and mode != "linear_ramp":
        raise NotYetSupported("`pad` with a function", hint="join arrays with np.concatenate")


rule(
    np.pad,
    jvp=_tangent,
    vjp=_cotangent,
    otherwise=_formula,
    wrt=(3, 6),
    samples=lambda: [
        (reals(3), 2),
        (reals(2, 3), ((1, 0), (0, 2))),
        ((reals(3), (1, 2)), {"mode": "edge"}),
        ((reals(3), 2), {"mode": "reflect"}),
        ((reals(3), 2), {"mode": "wrap"}),
        ((reals(3), 1), {"constant_values": 5.0}),
        ((reals(2, 3), ((1, 0), (2, 1))), {"mode": "maximum"}),
        ((reals(2, 3), 1), {"mode": "mean", "stat_length": (2, 1)}),
        ((reals(2, 3), 2), {"mode": "linear_ramp", "end_values": 0.3}),
    ],
)
