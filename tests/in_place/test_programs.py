"""Programs whose arrays change in place, as people write them."""

import math

import numpy as np
import pytest

from tests.derivatives import assert_derivatives

RNG = np.random.default_rng(5)
U = RNG.normal(size=7)
M = RNG.normal(size=(4, 4)) + 4.0 * np.eye(4)
S = M @ M.T
B = RNG.normal(size=4)
DISTANCES = RNG.uniform(0.2, 1.0, size=(3, 4))
OBSERVED = RNG.normal(size=5)


def heat(u0, k, steps):
    """Explicit time stepping with index loops."""
    u = u0.copy()
    new = np.zeros_like(u0)
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            new[i] = u[i] + k * (u[i - 1] - 2.0 * u[i] + u[i + 1])
        new[0] = u[0]
        new[-1] = u[-1]
        u, new = new, u
    return np.sum(u * u)


def burgers(u0, k, steps):
    """Explicit time stepping with slices."""
    u = u0.copy()
    for _ in range(steps):
        flux = 0.5 * u * u
        u[1:-1] -= k * (flux[2:] - flux[:-2])
        u[1:-1] += 0.1 * k * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        u[0] = u[-2]
        u[-1] = u[1]
    return np.sum(u**2)


def gauss_seidel(a, b, sweeps):
    x = np.zeros(len(b))
    for _ in range(sweeps):
        for i in range(len(b)):
            s = 0.0
            for j in range(len(b)):
                if j != i:
                    s += a[i, j] * x[j]
            x[i] = (b[i] - s) / a[i, i]
    return np.sum(x * x)


def lu_solve(a, b):
    """LU factorisation in the argument itself, then both substitutions."""
    n = len(b)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    x = b.copy()
    for i in range(n):
        for j in range(i):
            x[i] -= a[i, j] * x[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= a[i, j] * x[j]
        x[i] /= a[i, i]
    return np.sum(x**3)


def cholesky(a):
    n = a.shape[0]
    low = np.zeros((n, n))
    for j in range(n):
        low[j, j] = np.sqrt(a[j, j] - np.sum(low[j, :j] ** 2))
        for i in range(j + 1, n):
            low[i, j] = (a[i, j] - np.sum(low[i, :j] * low[j, :j])) / low[j, j]
    total = 0.0
    for i in range(n):
        total += math.log(low[i, i])
    return total + low[2, 1]


def forward_substitution(low, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - low[i, :i] @ x[:i]) / low[i, i]
    return x


def prefix_sums(x):
    s = x.copy()
    for i in range(1, len(s)):
        s[i] += s[i - 1]
    return np.sum(s * s)


def kalman(q, r, observed):
    n = len(observed)
    means, variances = np.zeros(n), np.zeros(n)
    m, p = 0.0, 1.0
    for t in range(n):
        p = p + q * q
        gain = p / (p + r * r)
        m = m + gain * (observed[t] - m)
        p = (1.0 - gain) * p
        means[t] = m
        variances[t] = p
    return np.sum(means**2) + np.sum(np.log(variances))


def soft_alignment(d, gamma):
    """Soft dynamic time warping (Cuturi, Blondel 2017)."""
    n, m = d.shape
    table = np.full((n + 1, m + 1), 30.0)
    table[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            e = np.exp(-table[i - 1, j - 1] / gamma)
            e += np.exp(-table[i - 1, j] / gamma) + np.exp(-table[i, j - 1] / gamma)
            table[i, j] = d[i - 1, j - 1] - gamma * np.log(e)
    return table[n, m]


def butterflies(re, im):
    """A Fourier transform of eight numbers in bit-reversed order, in place."""
    n, half = 8, 1
    while half < n:
        for start in range(0, n, 2 * half):
            for k in range(half):
                a, b = start + k, start + k + half
                c, s = math.cos(math.pi * k / half), -math.sin(math.pi * k / half)
                tr = re[b] * c - im[b] * s
                ti = re[b] * s + im[b] * c
                re[b], im[b] = re[a] - tr, im[a] - ti
                re[a] += tr
                im[a] += ti
        half *= 2
    return np.sum(re**2 * np.arange(8.0)) + np.sum(im**3)


def cells(grid, rate, steps):
    """A cellular update with masks."""
    for _ in range(steps):
        around = np.zeros_like(grid)
        around[1:] += grid[:-1]
        around[:-1] += grid[1:]
        around[:, 1:] += grid[:, :-1]
        around[:, :-1] += grid[:, 1:]
        crowded = around > 1.0
        grid[crowded] *= 1.0 - rate
        grid[~crowded] += rate * around[~crowded] ** 2
    return np.sum(grid**2)


def smooth_life(grid, steps):
    """A game of life with smooth rules on a torus."""
    n, m = grid.shape
    for _ in range(steps):
        old = grid.copy()
        for i in range(n):
            for j in range(m):
                s = 0.0
                for di in (-1, 0, 1):
                    for dj in (-1, 0, 1):
                        if di or dj:
                            s += old[(i + di) % n, (j + dj) % m]
                grid[i, j] = np.exp(-((s - 3.0 + old[i, j]) ** 2))
    return np.sum(grid * grid)


def lstm(weights, state, xs):
    """A cell whose state is overwritten: rows of `state` are hidden and cell, layer by layer."""
    total = 0.0
    for t in range(xs.shape[0]):
        x = xs[t]
        for layer in range(0, len(state), 2):
            w = weights[layer]
            b = weights[layer + 1]
            forget = 1.0 / (1.0 + np.exp(-(x * w + b)))
            keep = np.tanh(state[layer] * w + b)
            state[layer + 1] = state[layer + 1] * forget + keep * x
            state[layer] = forget * np.tanh(state[layer + 1])
            x = state[layer]
        total += np.sum(x * xs[t])
    return total


def fourier(re, im):
    """A Fourier transform in place, of complex numbers."""
    y = re + 1j * im
    n = len(y)
    j = 0
    for i in range(1, n):  # bit reversal
        bit = n >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
        if i < j:
            y[i], y[j] = y[j], y[i]
    half = 1
    while half < n:
        for start in range(0, n, 2 * half):
            for k in range(half):
                a, b = start + k, start + k + half
                t = np.exp(-1j * np.pi * k / half) * y[b]
                y[b] = y[a] - t
                y[a] += t
        half *= 2
    return np.sum(np.abs(y) ** 2 * np.arange(float(n))) + np.sum(y.imag ** 3)


def fourier_by_slices(re, im):
    """The same, all butterflies of a stage at once, through a view of two axes."""
    y = re + 1j * im
    y = y[np.array([0, 4, 2, 6, 1, 5, 3, 7])]
    half = 1
    while half < len(y):
        w = np.exp(-1j * np.pi * np.arange(half) / half)
        blocks = y.reshape(-1, 2 * half)
        t = w * blocks[:, half:]
        blocks[:, half:] = blocks[:, :half] - t
        blocks[:, :half] += t
        half *= 2
    return np.sum(y.real * np.arange(8.0)) + np.sum(y.imag ** 3)


def adbench_lstm(main, extra, start, sequence):
    """The language model of ADBench: its state, and the gates, are overwritten."""
    b = sequence.shape[1]
    state = start.copy()
    total = 0.0
    for t in range(len(sequence) - 1):
        x = sequence[t] * extra[0]
        for k in range(0, len(state), 2):
            weight, bias = main[k], main[k + 1]
            gates = weight.copy()
            gates[:b] *= x
            gates[2 * b : 3 * b] *= x
            gates[b : 2 * b] *= state[k]
            gates[3 * b :] *= state[k]
            gates += bias
            gates[: 3 * b] = 1.0 / (1.0 + np.exp(-gates[: 3 * b]))
            gates[3 * b :] = np.tanh(gates[3 * b :])
            state[k + 1] *= gates[:b]
            state[k + 1] += gates[b : 2 * b] * gates[3 * b :]
            state[k] = gates[2 * b : 3 * b] * np.tanh(state[k + 1])
            x = state[k]
        y = x * extra[1] + extra[2]
        total += np.sum(sequence[t + 1] * (y - np.log(np.sum(np.exp(y)) + 2.0)))
    return -total / ((len(sequence) - 1) * b)


def back_substitution(up, b):
    """In the right side itself."""
    for i in range(len(b) - 1, -1, -1):
        b[i] /= up[i, i]
        b[:i] -= up[:i, i] * b[i]
    return b


def stepped(u0, k, steps):
    """Explicit time stepping with two buffers and slices."""
    old, new = u0.copy(), np.empty_like(u0)
    for _ in range(steps):
        new[1:-1] = old[1:-1] + k * (old[2:] - 2.0 * old[1:-1] + old[:-2])
        new[0], new[-1] = old[1], old[-2]
        old, new = new, old
    return np.sum(old**2)


def bubble_sort(x):
    for last in range(len(x) - 1, 0, -1):
        for i in range(last):
            if x[i] > x[i + 1]:
                x[i], x[i + 1] = x[i + 1], x[i]
    return np.sum(x * np.arange(1.0, len(x) + 1.0) ** 2)


def horner_table(c, x):
    """Synthetic division, again and again: the Taylor coefficients at x."""
    c = c.copy()
    n = len(c)
    for k in range(n):
        for i in range(n - 2, k - 1, -1):
            c[i] += x * c[i + 1]
    return np.sum(np.sin(c))


PROGRAMS = [
    (heat, (U, 0.2, 3)), (burgers, (U, 0.1, 3)), (gauss_seidel, (M, B, 3)), (lu_solve, (M, B)),
    (cholesky, (S,)), (forward_substitution, (np.tril(M), B)), (prefix_sums, (U,)),
    (kalman, (0.4, 0.7, OBSERVED)), (soft_alignment, (DISTANCES, 0.5)),
    (butterflies, (RNG.normal(size=8), RNG.normal(size=8))),
    (cells, (RNG.uniform(0.1, 0.7, size=(3, 4)), 0.3, 2)),
    (smooth_life, (RNG.uniform(size=(3, 3)), 2)),
    (lstm, (RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3)))),
    (fourier, (RNG.normal(size=8), RNG.normal(size=8))),
    (fourier_by_slices, (RNG.normal(size=8), RNG.normal(size=8))),
    (adbench_lstm, tuple(RNG.normal(size=n) for n in [(4, 12), (3, 3), (4, 3), (4, 3)])),
    (back_substitution, (np.triu(M), B)), (stepped, (U, 0.2, 3)),
    (bubble_sort, (U,)), (horner_table, (RNG.normal(size=5), 0.7)),
]  # fmt: skip


def test_the_transforms_are_right():
    re, im = RNG.normal(size=8), RNG.normal(size=8)
    want = np.fft.fft(re + 1j * im)
    weighed = np.abs(want) ** 2 * np.arange(8.0)
    np.testing.assert_allclose(fourier(re, im), np.sum(weighed) + np.sum(want.imag**3))
    weighed = want.real * np.arange(8.0)
    np.testing.assert_allclose(fourier_by_slices(re, im), np.sum(weighed) + np.sum(want.imag**3))


@pytest.mark.parametrize(("f", "args"), PROGRAMS, ids=lambda v: getattr(v, "__name__", ""))
def test_programs(f, args):
    wrt = [i for i, a in enumerate(args) if not isinstance(a, int)]
    assert_derivatives(f, *args, wrt=wrt)
