"""W2: Lotka–Volterra by explicit Euler, 1000 steps on Python floats, four parameters."""

import numpy as np

from benchmarks.problem import Problem


def lotka_volterra(a, b, c, d, steps):
    x = 1.0
    y = 0.5
    for _ in range(steps):
        dx = a * x - b * x * y
        dy = c * x * y - d * y
        x += 0.01 * dx
        y += 0.01 * dy
    return x * x + y * y


def by_hand(a, b, c, d, steps):
    xs, ys = [], []
    x = 1.0
    y = 0.5
    for _ in range(steps):
        xs.append(x)
        ys.append(y)
        xy = x * y
        x += 0.01 * (a * x - b * xy)
        y += 0.01 * (c * xy - d * y)
    bx = 2.0 * x
    by = 2.0 * y
    ba = bb = bc = bd = 0.0
    for x, y in zip(reversed(xs), reversed(ys)):
        xy = x * y
        ba += bx * x
        bb -= bx * xy
        bc += by * xy
        bd -= by * y
        t = 0.01 * (c * by - b * bx)
        bx += 0.01 * a * bx + t * y
        by += t * x - 0.01 * d * by
    return 0.01 * ba, 0.01 * bb, 0.01 * bc, 0.01 * bd


def by_hand_numba(a, b, c, d, steps):
    xs, ys = np.empty(steps), np.empty(steps)
    x = 1.0
    y = 0.5
    for i in range(steps):
        xs[i] = x
        ys[i] = y
        xy = x * y
        x += 0.01 * (a * x - b * xy)
        y += 0.01 * (c * xy - d * y)
    bx = 2.0 * x
    by = 2.0 * y
    ba = bb = bc = bd = 0.0
    for i in range(steps - 1, -1, -1):
        x = xs[i]
        y = ys[i]
        xy = x * y
        ba += bx * x
        bb -= bx * xy
        bc += by * xy
        bd -= by * y
        t = 0.01 * (c * by - b * bx)
        bx += 0.01 * a * bx + t * y
        by += t * x - 0.01 * d * by
    return 0.01 * ba, 0.01 * bb, 0.01 * bc, 0.01 * bd


def by_scan(a, b, c, d, steps):
    """The loop as JAX compiles it quickly."""
    import jax

    def step(state, _):
        x, y = state
        return (x + 0.01 * (a * x - b * x * y), y + 0.01 * (c * x * y - d * y)), None

    (x, y), _ = jax.lax.scan(step, (1.0, 0.5), None, length=steps)
    return x * x + y * y


def problems(tiny, data):
    args = (1.1, 0.4, 0.3, 0.8, 5 if tiny else 1000)
    return [Problem(
        "W2", "Lotka–Volterra, 1000 Euler steps", lotka_volterra, args, (0, 1, 2, 3), by_hand,
        by_hand_numba=by_hand_numba, peers={"jax": by_scan},
    )]  # fmt: skip
