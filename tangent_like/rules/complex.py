"""Rules of real and imaginary parts and what is made of them.

Cotangents are not conjugated: with L real and z = x + iy, the cotangent of z is dL/dx - i dL/dy.
So a holomorphic function has its complex derivative as partial, and |z|^2 the gradient 2 conj(z).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tangent_like import facts, runtime
from tangent_like.rules.registry import linear, rule
from tangent_like.rules.samples import complexes, positive, reals
from tangent_like.rules.symbolic import Symbolic, apply


def known_real(x: Any) -> bool:
    if isinstance(x, Symbolic):
        return facts.is_complex(x.fact) is False
    return not np.iscomplexobj(x)


def _samples() -> Any:
    return [(reals(2, 3),), (complexes(2, 3),), (0.7,), (0.7 - 0.4j,)]


linear(np.real, lambda g, x: g, samples=_samples)
linear(np.imag, lambda g, x: None if known_real(x) else -(1j * g), samples=_samples)
linear((np.conj, np.conjugate), lambda g, x: np.conj(g), samples=_samples)
rule(
    np.angle,
    jvp=lambda tangents, y, x, deg=False: (
        None if known_real(x) else np.imag(tangents[0] / x) * _unit(deg)
    ),
    vjp=lambda g, y, x, deg=False: None if known_real(x) else -(1j * g * _unit(deg)) / x,
    samples=lambda: [(positive(2, 3),), *_samples()],
)


def _unit(deg: Any) -> float:
    return 180 / math.pi if deg else 1.0


def _sign_tangent(tangents: tuple[Any, ...], y: Any, x: Any) -> Any:
    """i y Im(conj(y) dx) / |x|: only the direction of a complex number can turn."""
    if known_real(x):
        return None
    return _as(1j * y * np.imag(np.conj(y) * tangents[0]) / _nonzero_length(x), y)


def _sign_cotangent(g: Any, y: Any, x: Any) -> Any:
    if known_real(x):
        return None
    return 1j * np.conj(y) * np.imag(g * y) / _nonzero_length(x)


def _as(dx: Any, y: Any) -> Any:
    return dx if facts.is_complex(y.fact) else apply(runtime.as_type, dx, y)


def _nonzero_length(x: Any) -> Any:
    return np.abs(np.where(x == 0, 1, x))


rule(
    (np.sign, runtime.direction),
    jvp=_sign_tangent,
    vjp=_sign_cotangent,
    samples=_samples,
    note="constant if real",
)
