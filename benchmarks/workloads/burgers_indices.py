"""W3s: Burgers' equation, 200 cells, 500 steps, index loops that write into an array."""

import numpy as np

from benchmarks.problem import Problem


def burgers_indices(u0, nu, steps):
    u = u0.copy()
    for _ in range(steps):
        old = u.copy()
        for i in range(1, len(u) - 1):
            diffusion = nu * (old[i + 1] - 2.0 * old[i] + old[i - 1])
            u[i] = old[i] + diffusion - 0.1 * old[i] * (old[i + 1] - old[i - 1])
    return np.sum(u * u)


def by_hand(u0, nu, steps):
    u = u0.copy()
    tape = []
    n = len(u)
    for _ in range(steps):
        old = u.copy()
        tape.append(old)
        for i in range(1, n - 1):
            left, middle, right = old[i - 1], old[i], old[i + 1]
            u[i] = middle + nu * (right - 2.0 * middle + left) - 0.1 * middle * (right - left)
    bnu = 0.0
    bu = 2.0 * u
    for old in reversed(tape):
        bold = np.zeros(n)
        bold[0], bold[-1] = bu[0], bu[-1]
        for i in range(1, n - 1):
            left, middle, right = old[i - 1], old[i], old[i + 1]
            g = bu[i]
            bnu += g * (right - 2.0 * middle + left)
            slope = 0.1 * g * middle
            diffused = g * nu
            bold[i - 1] += diffused + slope
            bold[i] += g - 2.0 * diffused - 0.1 * g * (right - left)
            bold[i + 1] += diffused - slope
        bu = bold
    return bu, bnu


def by_hand_on_lists(u0, nu, steps):
    """The same with lists of floats in place of arrays: another data structure than the primal."""
    u = u0.tolist()
    tape = []
    n = len(u)
    for _ in range(steps):
        old = u
        tape.append(old)
        u = old.copy()
        left, middle = old[0], old[1]
        for i in range(1, n - 1):
            right = old[i + 1]
            u[i] = middle + nu * (right - 2.0 * middle + left) - 0.1 * middle * (right - left)
            left, middle = middle, right
    bnu = 0.0
    bu = [2.0 * v for v in u]
    for old in reversed(tape):
        bold = [0.0] * n
        bold[0], bold[-1] = bu[0], bu[-1]
        left, middle = old[0], old[1]
        for i in range(1, n - 1):
            right = old[i + 1]
            g = bu[i]
            bnu += g * (right - 2.0 * middle + left)
            slope = 0.1 * g * middle
            diffused = g * nu
            bold[i - 1] += diffused + slope
            bold[i] += g - 2.0 * diffused - 0.1 * g * (right - left)
            bold[i + 1] += diffused - slope
            left, middle = middle, right
        bu = bold
    return np.array(bu), bnu


def by_hand_numba(u0, nu, steps):
    n = len(u0)
    states = np.empty((steps + 1, n))
    states[0] = u0
    for t in range(steps):
        old, u = states[t], states[t + 1]
        u[0], u[n - 1] = old[0], old[n - 1]
        for i in range(1, n - 1):
            left, middle, right = old[i - 1], old[i], old[i + 1]
            u[i] = middle + nu * (right - 2.0 * middle + left) - 0.1 * middle * (right - left)
    bnu = 0.0
    bu = 2.0 * states[steps]
    bold = np.empty(n)
    for t in range(steps - 1, -1, -1):
        old = states[t]
        bold[:] = 0.0
        bold[0], bold[n - 1] = bu[0], bu[n - 1]
        for i in range(1, n - 1):
            left, middle, right = old[i - 1], old[i], old[i + 1]
            g = bu[i]
            bnu += g * (right - 2.0 * middle + left)
            slope = 0.1 * g * middle
            diffused = g * nu
            bold[i - 1] += diffused + slope
            bold[i] += g - 2.0 * diffused - 0.1 * g * (right - left)
            bold[i + 1] += diffused - slope
        bu, bold = bold, bu
    return bu, bnu


NO_PEERS = {"autograd": None, "jax": None, "torch": None}


def problems(tiny, data):
    rng = np.random.default_rng(3)
    cells, steps = (8, 3) if tiny else (200, 500)
    args = (rng.normal(size=cells) * 0.1, 0.2, steps)
    return [
        Problem(
            "W3s", "Burgers, 200 cells × 500 steps, index loops", burgers_indices, args, (0, 1),
            by_hand, by_hand_numba=by_hand_numba, peers=NO_PEERS,
        ),
        Problem(
            "W3s (lists)", "the same against a gradient written on lists", burgers_indices, args,
            (0, 1), by_hand_on_lists, peers=NO_PEERS,
            remark="the hand-written gradient leaves NumPy; not in the means",
        ),
    ]  # fmt: skip
