"""Rules of the helpers in `runtime.py`, so that derivatives of derivatives work."""

from __future__ import annotations

import numpy as np

from tangent_like import runtime
from tangent_like.rules.registry import bilinear, constant, linear
from tangent_like.rules.samples import reals
from tangent_like.rules.symbolic import apply

# --- shapes and types -------------------------------------------------------------------------

linear(
    runtime.unbroadcast,
    lambda g, x, like: apply(runtime.broadcast_like, g, x),
    sequences=True,
    samples=lambda: [(reals(2, 3), reals(3)), (reals(2, 3), reals(2, 1)), (reals(2), 1.0)],
)
linear(
    runtime.broadcast_like,
    lambda g, x, like: apply(runtime.unbroadcast, g, x),
    sequences=True,
    samples=lambda: [(reals(3), reals(2, 3)), (reals(2, 1), reals(2, 3)), (0.7, reals(2))],
)
linear(
    runtime.as_type,
    lambda g, x, like: apply(runtime.as_type, g, x),
    sequences=True,
    samples=lambda: [(reals(3), reals(3)), (0.7, 1.0)],
)
linear(runtime.add, lambda g, a, b: (g, g), wrt=(0, 1), sequences=True,
       samples=lambda: [(reals(3), reals(3))])
linear(runtime.copy, lambda g, x: g, sequences=True, samples=lambda: [(reals(3),), (0.7,)])
constant(runtime.zeros_like)

# --- products of operands whose number of axes is not known ----------------------------------

bilinear(
    runtime.matmul_left,
    lambda h, g, x, w: np.matmul(h, w),
    lambda h, g, x, w: apply(runtime.matmul_right, g, h, w),
    wrt=(0, 2),
    samples=lambda: [(reals(2, 4), reals(2, 3), reals(3, 4)), (reals(2), reals(2, 3), reals(3))],
)
bilinear(
    runtime.matmul_right,
    lambda h, g, x, w: np.matmul(x, h),
    lambda h, g, x, w: apply(runtime.matmul_left, g, x, h),
    samples=lambda: [(reals(2, 4), reals(2, 3), reals(3, 4)), (reals(2), reals(2, 3), reals(3))],
)
bilinear(
    runtime.dot_left,
    lambda h, g, x, w: np.dot(h, w),
    lambda h, g, x, w: apply(runtime.dot_right, g, h, w),
    wrt=(0, 2),
    samples=lambda: [(reals(2, 4), reals(2, 3), reals(3, 4)), (0.3, reals(3), reals(3))],
)
bilinear(
    runtime.dot_right,
    lambda h, g, x, w: np.dot(x, h),
    lambda h, g, x, w: apply(runtime.dot_left, g, x, h),
    samples=lambda: [(reals(2, 4), reals(2, 3), reals(3, 4)), (0.3, reals(3), reals(3))],
)
