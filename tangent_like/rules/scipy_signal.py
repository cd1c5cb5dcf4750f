"""Rules of `scipy.signal`, read only if the user has imported it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from tangent_like import runtime, scipy_runtime
from tangent_like.errors import NotYetSupported
from tangent_like.rules.reductions import conj
from tangent_like.rules.registry import bilinear, composed, rule
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply, rank

# --- convolutions -----------------------------------------------------------------------------


def _left(g: Any, x: Any, w: Any, mode: Any = "full", method: Any = "auto") -> Any:
    if mode == "full":
        return apply(signal.correlate, g, conj(w), "valid")
    return apply(scipy_runtime.convolve_left, g, x, w, mode)


def _right(g: Any, x: Any, w: Any, mode: Any = "full", method: Any = "auto") -> Any:
    if mode == "full":
        return apply(signal.correlate, g, conj(x), "valid")
    return apply(scipy_runtime.convolve_right, g, x, w, mode)


def _samples() -> Any:
    x, w, long = reals(5), reals(3, seed=1), reals(4, seed=2)
    image, kernel = reals(3, 4), reals(2, 2, seed=1)
    return [
        (x, w), (x, w, "valid"), (w, x, "valid"), (x, w, "same"), (x, long, "same"),
        (long, x, "same"), (image, kernel), ((image, kernel), {"mode": "valid"}),
        (image, kernel, "same"),
    ]  # fmt: skip


bilinear(signal.convolve, _left, _right, samples=_samples)
bilinear(
    scipy_runtime.convolve_left,
    lambda h, g, x, w, mode: apply(signal.convolve, h, w, mode),
    lambda h, g, x, w, mode: apply(scipy_runtime.convolve_right, g, h, w, mode),
    wrt=(0, 2),
    samples=lambda: [
        (reals(3), np.zeros(5), reals(3), "valid"), (reals(5), np.zeros(5), reals(4), "same"),
    ],
)  # fmt: skip
bilinear(
    scipy_runtime.convolve_right,
    lambda h, g, x, w, mode: apply(signal.convolve, x, h, mode),
    lambda h, g, x, w, mode: apply(scipy_runtime.convolve_left, g, x, h, mode),
    samples=lambda: [
        (reals(3), reals(5), np.zeros(3), "valid"), (reals(5), reals(5), np.zeros(4), "same"),
    ],
)  # fmt: skip


def _correlate(x: Any, w: Any, mode: Any = "full", method: Any = "auto") -> Any:
    return apply(signal.convolve, x, np.flip(conj(w)), mode)


composed(signal.correlate, _correlate, samples=_samples)

_NOT_EMPTY = "of one number at least"


def _of_numbers(x: Any, w: Any) -> Any:
    """The operands, neither of them empty: of such SciPy makes a vector without elements."""
    return apply(runtime.beside_numbers, x, w), apply(runtime.beside_numbers, w, x)


def _by_fft(x: Any, w: Any, mode: Any = "full", axes: Any = None) -> Any:
    if axes is not None:
        raise NotYetSupported("a convolution along some axes", hint="loop over the others")
    return apply(signal.convolve, *_of_numbers(x, w), mode)


composed(
    (signal.fftconvolve, signal.oaconvolve),
    _by_fft,
    samples=_samples,
    note=f"along all axes; {_NOT_EMPTY}",
)


def _only_filled(boundary: Any, fillvalue: Any) -> None:
    if boundary != "fill" or fillvalue != 0:
        raise NotYetSupported(f"the boundary {boundary!r}", hint="pad the first operand")


def _convolve2d(
    x: Any, w: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0
) -> Any:
    _only_filled(boundary, fillvalue)
    return apply(signal.convolve, *_of_numbers(x, w), mode)


def _correlate2d(
    x: Any, w: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0
) -> Any:
    """Its "same" is another part than that of `correlate`, by one for even lengths."""
    _only_filled(boundary, fillvalue)
    if mode == "same":
        raise NotYetSupported('`correlate2d` with mode "same"', hint="use `correlate`")
    x, w = _of_numbers(x, w)
    return _correlate(x, w, mode)


def _images(*modes: str) -> Any:
    return [(reals(3, 4), reals(2, 2, seed=1), mode) for mode in modes]


_modes = ("full", "same", "valid")
composed(signal.convolve2d, _convolve2d, samples=lambda: _images(*_modes), note=_NOT_EMPTY)
composed(
    signal.correlate2d, _correlate2d, samples=lambda: _images("full", "valid"), note=_NOT_EMPTY
)

# --- filters ----------------------------------------------------------------------------------


def _one(a: Any) -> Any:
    """The polynomial 1."""
    return apply(np.ones_like, a[:1])


def _filtered(b: Any, a: Any, x: Any, axis: Any) -> Any:
    return apply(signal.lfilter, b, a, x, axis)


def _backwards(b: Any, a: Any, g: Any, axis: Any) -> Any:
    """The transpose of a filter: it runs from the end to the start."""
    return np.flip(_filtered(b, a, np.flip(g, axis), axis), axis)


def _filter(b: Any, a: Any, zi: Any) -> Any:
    """The coefficients of a filter that has a derivative."""
    if 0 in (rank(b), rank(a)):
        raise NotYetSupported("`lfilter` of numbers", hint="write the coefficients as arrays")
    if zi is not None:
        raise NotYetSupported("`lfilter` with `zi`", hint="put the past in front of x")
    b, a = (v if rank(v) else apply(runtime.with_axes, v, 1) for v in (b, a))
    return b, a


def _lfilter_tangent(
    tangents: Any, y: Any, b: Any, a: Any, x: Any, axis: Any = -1, zi: Any = None
) -> Any:
    """a * y = b * x, so a * dy = db * x + b * dx - da * y (* a convolution)."""
    b, a = _filter(b, a, zi)
    db, da, dx = tangents[:3]
    one, change = _one(a), None
    for coefficients, sequence, sign in ((db, x, 1), (b, dx, 1), (da, y, -1)):
        if coefficients is not None and sequence is not None:
            numbers = apply(runtime.nonempty, sequence)
            term = sign * _filtered(coefficients, one, numbers, axis)
            change = term if change is None else change + term
    return _filtered(one, a, change, axis)


def _lfilter_cotangent(
    g: Any, y: Any, b: Any, a: Any, x: Any, axis: Any = -1, zi: Any = None
) -> Any:
    b, a = _filter(b, a, zi)
    h = _backwards(_one(a), a, apply(runtime.nonempty, g), axis)
    return (
        apply(scipy_runtime.lagged_sums, h, x, np.shape(b)[0], axis),
        -apply(scipy_runtime.lagged_sums, h, y, np.shape(a)[0], axis),
        _backwards(b, _one(a), h, axis),
    )


def _filters() -> Any:
    b, a = np.array([1.0, -0.4, 0.3]), np.array([1.2, 0.5])
    return [(b, a, reals(5)), (b, a, reals(2, 4)), ((b, a, reals(4, 2)), {"axis": 0})]


rule(
    signal.lfilter, jvp=_lfilter_tangent, vjp=_lfilter_cotangent, samples=_filters,
    note=f"coefficients are arrays; {_NOT_EMPTY}",
)  # fmt: skip
bilinear(
    scipy_runtime.lagged_sums,
    lambda g, h, x, count, axis: _filtered(g, _one(g), x, axis),
    lambda g, h, x, count, axis: _backwards(g, _one(g), h, axis),
    samples=lambda: [(reals(4), reals(4, seed=1), 3, -1), (reals(4, 2), reals(4, 2), 2, 0)],
)
