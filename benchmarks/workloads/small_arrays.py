"""W9: fifteen NumPy operations on arrays of 10: what a call costs."""

import numpy as np

from benchmarks.problem import Problem


def small_arrays(x, y):
    a = np.sin(x) * y
    b = np.exp(-a * a) + x
    c = np.tanh(b - y) / (1.0 + x * x)
    d = np.sqrt(c * c + 1.0)
    return np.sum(d * b)


def by_hand(x, y):
    sine = np.sin(x)
    a = sine * y
    gauss = np.exp(-a * a)
    b = gauss + x
    t = np.tanh(b - y)
    q = 1.0 + x * x
    c = t / q
    d = np.sqrt(c * c + 1.0)
    bc = b * c / d / q
    binner = bc * (1.0 - t * t)
    bb = d + binner
    ba = -2.0 * bb * gauss * a
    return bb + ba * y * np.cos(x) - 2.0 * bc * c * x, ba * sine - binner


def problems(tiny, data):
    rng = np.random.default_rng(9)
    args = tuple(rng.normal(size=(2, 10)))
    return [Problem(
        "W9", "15 NumPy operations on arrays of 10", small_arrays, args, (0, 1), by_hand,
        by_hand_numba=by_hand,
    )]  # fmt: skip
