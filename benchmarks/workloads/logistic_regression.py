"""W4: logistic regression, 1000 observations of 50 features."""

import numpy as np

from benchmarks.problem import Problem


def logistic_regression(w, b, x, y):
    z = x @ w + b
    return np.mean(np.logaddexp(0.0, z) - y * z)


def by_hand(w, b, x, y):
    z = x @ w
    z += b
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1.0
    np.reciprocal(z, out=z)
    z -= y
    z /= len(y)
    return z @ x, z.sum()


def by_hand_numba(w, b, x, y):
    z = x @ w
    for i in range(len(z)):
        z[i] = (1.0 / (1.0 + np.exp(-z[i] - b)) - y[i]) / len(z)
    return z @ x, z.sum()


def problems(tiny, data):
    rng = np.random.default_rng(4)
    rows, columns = (7, 3) if tiny else (1000, 50)
    args = (
        rng.normal(size=columns), 0.1, rng.normal(size=(rows, columns)),
        rng.integers(0, 2, rows).astype(float),
    )  # fmt: skip
    return [Problem(
        "W4", "logistic regression, 1000×50", logistic_regression, args, (0, 1), by_hand,
        by_hand_numba=by_hand_numba,
    )]  # fmt: skip
