"""Rules of `scipy.signal`, read only if the user has imported it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from tangent_like.errors import NotYetSupported
from tangent_like.rules.reductions import conj
from tangent_like.rules.registry import bilinear, composed
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply


def _left(g: Any, x: Any, w: Any, mode: Any = "full", method: Any = "auto") -> Any:
    if mode == "full":
        return apply(signal.correlate, g, conj(w), "valid")
    if mode == "valid":
        return apply(signal.correlate, g, conj(w), "full")
    raise NotYetSupported(f"`convolve` with mode {mode!r}")


def _right(g: Any, x: Any, w: Any, mode: Any = "full", method: Any = "auto") -> Any:
    if mode == "full":
        return apply(signal.correlate, g, conj(x), "valid")
    if mode == "valid":
        return np.flip(apply(signal.correlate, x, conj(g), "valid"))
    raise NotYetSupported(f"`convolve` with mode {mode!r}")


bilinear(
    (signal.convolve, signal.fftconvolve),
    _left,
    _right,
    samples=lambda: [
        (reals(5), reals(3, seed=1)),
        (reals(5), reals(3, seed=1), "valid"),
        (reals(3, 4), reals(2, 2, seed=1)),
        ((reals(3, 4), reals(2, 2, seed=1)), {"mode": "valid"}),
    ],
)
composed(
    signal.correlate,
    lambda x, w, mode="full", method="auto": apply(signal.convolve, x, np.flip(conj(w)), mode=mode),
    samples=lambda: [
        (reals(5), reals(3, seed=1)),
        (reals(5), reals(3, seed=1), "valid"),
        (reals(3, 4), reals(2, 2, seed=1)),
    ],
)
