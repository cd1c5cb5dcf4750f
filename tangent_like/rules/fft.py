"""Rules of Fourier transforms.

The matrix of a transform is symmetric, and cotangents are not conjugated, so a full transform is
its own transpose, scaled alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tangent_like import runtime
from tangent_like.rules.registry import composed, constant, linear, named, refuse
from tangent_like.rules.samples import complexes, reals
from tangent_like.rules.symbolic import apply

OPPOSITE: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "ortho": "ortho",
    "forward": "backward",
}
"""The scaling of a transform's transpose, where that is a transform the other way."""


def _cut(g: Any, x: Any, n: Any) -> Any:
    """`g` in the shape of x, where the transform cut x short or extended it."""
    return g if n is None else apply(runtime.fit_length, g, x)


linear(
    runtime.fit_length,
    lambda h, g, x: apply(runtime.fit_length, h, g),
    samples=lambda: [(reals(3, 2), np.zeros((2, 4)))],
)

# --- along one axis ---------------------------------------------------------------------------


def _samples(make: Any = complexes) -> Any:
    return [
        (make(4),),
        (make(5),),
        (make(4), 6),
        (make(4), 3),
        ((make(2, 3),), {"axis": 0}),
        ((make(4),), {"norm": "ortho"}),
        ((make(4),), {"norm": "forward"}),
    ]


for _transform in (np.fft.fft, np.fft.ifft):
    linear(
        _transform,
        lambda g, x, n=None, axis=-1, norm=None, *, f=_transform: _cut(
            apply(f, g, axis=axis, **_scaled(norm)), x, n
        ),
        samples=lambda: [*_samples(), *_samples(reals)],
    )


def _scaled(norm: Any) -> dict[str, Any]:
    return {} if norm is None else {"norm": norm}


def _rfft_cotangent(g: Any, x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    """Padded with zeros to full length by `n`."""
    length = np.shape(x)[axis] if n is None else n
    full = np.real(np.fft.fft(g, n=length, axis=axis, **_scaled(norm)))
    return _cut(full, x, n)


linear(np.fft.rfft, _rfft_cotangent, samples=lambda: _samples(reals))


def _irfft_cotangent(g: Any, z: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    """Each frequency but the first and, of an even number, the last stands for two."""
    length = 2 * (np.shape(z)[axis] - 1) if n is None else n
    spectrum = np.conj(np.fft.rfft(g, axis=axis, norm=OPPOSITE[norm]))
    doubled = spectrum * apply(runtime.frequency_weights, spectrum, length, axis)
    return _cut(doubled, z, n)


constant(runtime.frequency_weights)
linear(np.fft.irfft, _irfft_cotangent, samples=_samples)
composed(
    np.fft.hfft,
    lambda z, n=None, axis=-1, norm=None: np.fft.irfft(
        np.conj(z), n=n, axis=axis, norm=OPPOSITE[norm]
    ),
    samples=_samples,
)
composed(
    np.fft.ihfft,
    lambda x, n=None, axis=-1, norm=None: np.conj(
        np.fft.rfft(x, n=n, axis=axis, norm=OPPOSITE[norm])
    ),
    samples=lambda: _samples(reals),
)

# --- along several axes -----------------------------------------------------------------------


def _several(make: Any = complexes) -> Any:
    return [
        (make(3, 4),),
        ((make(3, 4),), {"s": (2, 6), "axes": (0, 1)}),
        ((make(2, 3, 4),), {"axes": (0, 2)}),
        ((make(3, 4),), {"norm": "ortho"}),
    ]


def _of_all_axes() -> Any:
    return [((complexes(2, 3, 2),), {"axes": None})]


def _short() -> Any:
    """Of lengths without axes, which are the last ones."""
    return [((complexes(2, 3),), {"s": (2,), "axes": None})]


def _last(s: Any) -> tuple[int, ...] | None:
    return None if s is None else tuple(range(-len(s), 0))


USUAL_AXES = {np.fft.fft2: (-2, -1), np.fft.ifft2: (-2, -1), np.fft.fftn: None, np.fft.ifftn: None}


def _over(axes: Any, transform: Any) -> dict[str, Any]:
    return {} if axes == USUAL_AXES[transform] else {"axes": axes}


for _several_axes, _axes in USUAL_AXES.items():
    linear(
        _several_axes,
        lambda g, x, s=None, axes=_axes, norm=None, *, f=_several_axes: _cut(
            apply(f, g, **_over(_last(s) if axes is None else axes, f), **_scaled(norm)), x, s
        ),
        samples=lambda: [*_several(), *_of_all_axes(), *_short()],
    )


def _plan(x: Any, s: Any, axes: Any) -> Any:
    """Each axis with its length, None for the length that it has."""
    if axes is None:
        axes = range(-np.ndim(x), 0) if s is None else _last(s)
    if s is None:
        return [(axis, None) for axis in axes]
    own = [type(n) is int and n == -1 for n in s]
    return [(a, np.shape(x)[a] if o else n) for a, n, o in zip(axes, s, own, strict=False)]


def _rfftn(x: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    *others, (last, length) = _plan(x, s, axes)
    y = np.fft.rfft(x, n=length, axis=last, norm=norm)
    for axis, n in reversed(others):
        y = np.fft.fft(y, n=n, axis=axis, norm=norm)
    return y


def _irfftn(z: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    *others, (last, length) = _plan(z, s, axes)
    for axis, n in others:
        z = np.fft.ifft(z, n=n, axis=axis, norm=norm)
    return np.fft.irfft(z, n=length, axis=last, norm=norm)


composed(np.fft.rfftn, _rfftn, samples=lambda: _several(reals))
composed(np.fft.irfftn, _irfftn, samples=_several)
composed(
    np.fft.rfft2,
    lambda x, s=None, axes=(-2, -1), norm=None: _rfftn(x, s, axes, norm),
    samples=lambda: _several(reals),
)
composed(
    np.fft.irfft2,
    lambda z, s=None, axes=(-2, -1), norm=None: _irfftn(z, s, axes, norm),
    samples=_several,
)
linear(
    np.fft.fftshift,
    lambda g, x, axes=None: np.fft.ifftshift(g, axes),
    samples=lambda: [(reals(5),), (reals(2, 3),), (reals(2, 3), 1)],
)
linear(
    np.fft.ifftshift,
    lambda g, x, axes=None: np.fft.fftshift(g, axes),
    samples=lambda: [(reals(5),), (reals(2, 3),), (reals(2, 3), (0,))],
)
constant(np.fft.fftfreq, np.fft.rfftfreq)
refuse(
    *named(np.fft, "test"),
    reason="reads or changes NumPy's settings",
    instead="do it outside of the differentiated function",
)
