"""W3v: Burgers' equation, 200 cells, 500 steps, slices that write into an array."""

import numpy as np

from benchmarks.problem import Problem
from benchmarks.workloads.burgers_indices import by_hand_numba


def burgers_slices(u0, nu, steps):
    u = u0.copy()
    for _ in range(steps):
        diffusion = nu * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        u[1:-1] += diffusion - 0.1 * u[1:-1] * (u[2:] - u[:-2])
    return np.sum(u * u)


def by_hand(u0, nu, steps):
    u = u0.copy()
    tape = []
    for _ in range(steps):
        tape.append(u.copy())
        left, middle, right = u[:-2], u[1:-1], u[2:]
        u[1:-1] += nu * (right - 2.0 * middle + left) - 0.1 * middle * (right - left)
    bnu = 0.0
    bu = 2.0 * u
    for u in reversed(tape):
        left, middle, right = u[:-2], u[1:-1], u[2:]
        g = bu[1:-1].copy()
        difference = right - left
        curvature = right - 2.0 * middle
        curvature += left
        bnu += g @ curvature
        slope = middle * g
        slope *= 0.1
        difference *= 0.1
        difference += 2.0 * nu
        difference *= g
        g *= nu
        bu[1:-1] -= difference
        bu[:-2] += g
        bu[:-2] += slope
        bu[2:] += g
        bu[2:] -= slope
    return bu, bnu


def rebinding(u0, nu, steps):
    """Without writes, for tools that have none."""
    import autograd.numpy as np

    u = u0
    for _ in range(steps):
        diffusion = nu * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        inner = u[1:-1] + diffusion - 0.1 * u[1:-1] * (u[2:] - u[:-2])
        u = np.concatenate((u[:1], inner, u[-1:]))
    return np.sum(u * u)


def by_fori(u0, nu, steps):
    """The loop as JAX compiles it quickly."""
    import jax

    def step(u, _):
        diffusion = nu * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        return u.at[1:-1].add(diffusion - 0.1 * u[1:-1] * (u[2:] - u[:-2])), None

    u, _ = jax.lax.scan(step, u0, None, length=steps)
    return (u * u).sum()


def problems(tiny, data):
    rng = np.random.default_rng(3)
    cells, steps = (8, 3) if tiny else (200, 500)
    args = (rng.normal(size=cells) * 0.1, 0.2, steps)
    return [Problem(
        "W3v", "Burgers, 200 cells × 500 steps, slices", burgers_slices, args, (0, 1), by_hand,
        by_hand_numba=by_hand_numba, peers={"autograd": rebinding, "jax": by_fori, "torch": None},
    )]  # fmt: skip
