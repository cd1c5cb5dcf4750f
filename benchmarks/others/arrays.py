"""Array programs of other kinds: kernels, attention, normalisation, linear algebra, signals."""

import math

import numpy as np

from benchmarks.problem import Problem


def kernel_sum(points, scale):
    """The sum of a Gaussian kernel over all pairs of points."""
    squares = np.sum(points * points, axis=1)
    distances = squares[:, None] + squares[None, :] - 2.0 * points @ points.T
    return np.sum(np.exp(-distances / scale))


def kernel_sum_by_hand(points, scale):
    squares = (points * points).sum(axis=1)
    distances = points @ points.T
    distances *= -2.0
    distances += squares[:, None]
    distances += squares
    weights = distances * (-1.0 / scale)
    np.exp(weights, out=weights)
    bscale = np.vdot(weights, distances) / (scale * scale)
    bpoints = weights @ points
    bpoints -= weights.sum(axis=1)[:, None] * points
    bpoints *= 4.0 / scale
    return bpoints, bscale


def attention(q, k, v):
    scores = q @ k.T / math.sqrt(q.shape[1])
    weights = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    weights = weights / np.sum(weights, axis=1, keepdims=True)
    return np.sum(np.tanh(weights @ v))


def attention_by_hand(q, k, v):
    scale = 1.0 / math.sqrt(q.shape[1])
    p = q @ k.T
    p *= scale
    p -= p.max(axis=1, keepdims=True)
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)
    out = np.tanh(p @ v)
    g = 1.0 - out * out
    bv = p.T @ g
    bp = g @ v.T
    bp -= (bp * p).sum(axis=1, keepdims=True)
    bp *= p
    bp *= scale
    return bp @ k, bp.T @ q, bv


def normalised(x, gain, shift, target):
    mean = np.mean(x, axis=1, keepdims=True)
    spread = np.sqrt(np.var(x, axis=1, keepdims=True) + 1e-5)
    y = (x - mean) / spread * gain + shift
    return np.sum((y - target) ** 2)


def normalised_by_hand(x, gain, shift, target):
    n = x.shape[1]
    z = x - x.mean(axis=1, keepdims=True)
    inverse = 1.0 / np.sqrt(np.einsum("ij,ij->i", z, z)[:, None] / n + 1e-5)
    z *= inverse
    by = z * gain
    by += shift
    by -= target
    by *= 2.0
    bgain = np.einsum("ij,ij->j", by, z)
    bshift = by.sum(axis=0)
    by *= gain
    by -= by.mean(axis=1, keepdims=True) + z * (np.einsum("ij,ij->i", by, z)[:, None] / n)
    by *= inverse
    return by, bgain, bshift


def gaussian_process(logscale, lognoise, x, y):
    """The negative log-likelihood of a Gaussian process, up to a constant."""
    d = (x[:, None] - x[None, :]) ** 2
    k = np.exp(-0.5 * d * np.exp(-2.0 * logscale)) + np.exp(lognoise) * np.eye(len(x))
    return 0.5 * y @ np.linalg.solve(k, y) + 0.5 * np.linalg.slogdet(k)[1]


def gaussian_process_by_hand(logscale, lognoise, x, y):
    d = (x[:, None] - x[None, :]) ** 2
    precision = math.exp(-2.0 * logscale)
    noise = math.exp(lognoise)
    kernel = np.exp(d * (-0.5 * precision))
    inverse = np.linalg.inv(kernel + noise * np.eye(len(x)))
    alpha = inverse @ y
    trace = np.trace(inverse)
    d *= kernel
    inner = np.vdot(inverse, d) - alpha @ (d @ alpha)
    return 0.5 * precision * inner, 0.5 * noise * (trace - alpha @ alpha)


def smoothness(signal, weight):
    """A signal's distance from its own moving average, and its roughness."""
    average = (signal[:-2] + signal[1:-1] + signal[2:]) / 3.0
    rough = np.diff(signal, 2)
    return np.sum((signal[1:-1] - average) ** 2) + weight * np.sum(np.sqrt(rough * rough + 0.01))


def smoothness_by_hand(signal, weight):
    r = signal[2:] + signal[:-2]
    r -= 2.0 * signal[1:-1]
    root = r * r
    root += 0.01
    np.sqrt(root, out=root)
    bweight = root.sum()
    g = weight * r
    g /= root
    r *= 2.0 / 9.0
    g += r
    bsignal = np.zeros_like(signal)
    bsignal[2:] = g
    bsignal[:-2] += g
    g *= 2.0
    bsignal[1:-1] -= g
    return bsignal, bweight


def problems(tiny, data):
    rng = np.random.default_rng(23)
    n, k = (5, 3) if tiny else (100, 10)
    x = np.linspace(0.0, 4.0, n)
    return [
        Problem("kernel", "all pairs of points", kernel_sum, (rng.normal(size=(n, k)), 2.0),
                (0, 1), kernel_sum_by_hand),
        Problem("attention", "a head of a transformer", attention,
                tuple(rng.normal(size=(3, n, k))), (0, 1, 2), attention_by_hand,
                peers={"torch": None}),
        Problem("normalisation", "mean and variance of each row", normalised,
                (rng.normal(size=(n, k)), rng.normal(size=k), rng.normal(size=k),
                 rng.normal(size=(n, k))), (0, 1, 2), normalised_by_hand, peers={"torch": None}),
        Problem("Gaussian process", "solve and determinant", gaussian_process,
                (0.1, -1.0, x, np.sin(x)), (0, 1), gaussian_process_by_hand,
                peers={"torch": None}),
        Problem("smoothness", "differences of neighbours", smoothness,
                (rng.normal(size=10 * n), 0.5), (0, 1), smoothness_by_hand,
                peers={"torch": None}),
    ]  # fmt: skip
