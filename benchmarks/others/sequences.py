"""Loops over arrays: element by element, and with a state that is an array."""

import math

import numpy as np

from benchmarks.problem import Problem


def kalman(observations, noise, drift):
    """The log-likelihood of a random walk observed with noise, up to a constant."""
    mean = 0.0
    variance = 1.0
    total = 0.0
    for y in observations:
        variance = variance + drift
        spread = variance + noise
        surprise = y - mean
        total -= 0.5 * (math.log(spread) + surprise * surprise / spread)
        gain = variance / spread
        mean = mean + gain * surprise
        variance = variance * (1.0 - gain)
    return total


def kalman_by_hand(observations, noise, drift):
    variances, spreads, surprises = [], [], []
    mean = 0.0
    variance = 1.0
    for y in observations:
        variance = variance + drift
        spread = variance + noise
        surprise = y - mean
        variances.append(variance)
        spreads.append(spread)
        surprises.append(surprise)
        gain = variance / spread
        mean = mean + gain * surprise
        variance = variance * (1.0 - gain)
    bmean = bvariance = bnoise = bdrift = 0.0
    for variance, spread, surprise in zip(
        reversed(variances), reversed(spreads), reversed(surprises)
    ):
        gain = variance / spread
        bgain = bmean * surprise - bvariance * variance
        ratio = surprise / spread
        bspread = 0.5 * (ratio * ratio - 1.0 / spread) - bgain * gain / spread
        bnoise += bspread
        bmean += ratio - bmean * gain
        bvariance = bvariance * (1.0 - gain) + bgain / spread + bspread
        bdrift += bvariance
    return bnoise, bdrift


def total_energy(x, k):
    e = 0.0
    for i in range(len(x)):
        d = x[i] - 1.0
        e += k * d * d
    return e


def total_energy_by_hand(x, k):
    bx = np.zeros_like(x)
    bk = 0.0
    twice = 2.0 * k
    for i in range(len(x)):
        d = x[i] - 1.0
        bk += d * d
        bx[i] = twice * d
    return bx, bk


def lennard_jones(x, y):
    """The energy of all pairs of points in a plane."""
    total = 0.0
    n = len(x)
    for i in range(n):
        for j in range(i):
            dx = x[i] - x[j]
            dy = y[i] - y[j]
            r2 = dx * dx + dy * dy
            s = 1.0 / (r2 * r2 * r2)
            total += 4.0 * (s * s - s)
    return total


def lennard_jones_by_hand(x, y):
    n = len(x)
    bx = np.zeros(n)
    by = np.zeros(n)
    for i in range(n):
        for j in range(i):
            dx = x[i] - x[j]
            dy = y[i] - y[j]
            r2 = dx * dx + dy * dy
            s = 1.0 / (r2 * r2 * r2)
            g = -24.0 * s * (2.0 * s - 1.0) / r2
            gx = g * dx
            gy = g * dy
            bx[i] += gx
            bx[j] -= gx
            by[i] += gy
            by[j] -= gy
    return bx, by


def recurrent_network(w, u, b, inputs):
    h = np.zeros(len(b))
    total = 0.0
    for t in range(len(inputs)):
        h = np.tanh(w @ h + u @ inputs[t] + b)
        total += np.sum(h * h)
    return total


def recurrent_network_by_hand(w, u, b, inputs):
    h = np.zeros(len(b))
    states = [h]
    for t in range(len(inputs)):
        h = np.tanh(w @ h + u @ inputs[t] + b)
        states.append(h)
    bw, bu, bb = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    bh = np.zeros(len(b))
    for t in range(len(inputs) - 1, -1, -1):
        h = states[t + 1]
        bz = (bh + 2.0 * h) * (1.0 - h * h)
        bw += np.outer(bz, states[t])
        bu += np.outer(bz, inputs[t])
        bb += bz
        bh = bz @ w
    return bw, bu, bb


def gradient_descent(a, b, rate, steps):
    """The loss after some steps of descent, as a function of the step size."""
    x = np.zeros(a.shape[1])
    for _ in range(steps):
        x = x - rate * (a.T @ (a @ x - b))
    r = a @ x - b
    return 0.5 * np.sum(r * r)


def gradient_descent_by_hand(a, b, rate, steps):
    x = np.zeros(a.shape[1])
    slopes = []
    for _ in range(steps):
        slope = (a @ x - b) @ a
        slopes.append(slope)
        x = x - rate * slope
    bx = (a @ x - b) @ a
    brate = 0.0
    for slope in reversed(slopes):
        brate -= bx @ slope
        bx = bx - rate * ((a @ bx) @ a)
    return (brate,)


def problems(tiny, data):
    rng = np.random.default_rng(21)
    n = 5 if tiny else 300
    few = 4 if tiny else 30
    width = 3 if tiny else 20
    return [
        Problem("Kalman filter", "a scalar filter over an array", kalman,
                (rng.normal(size=n), 0.5, 0.1), (1, 2), kalman_by_hand),
        Problem("energy", "a sum over the elements of an array", total_energy,
                (rng.normal(size=n), 1.7), (0, 1), total_energy_by_hand),
        Problem("Lennard-Jones", "a double loop over points", lennard_jones,
                (np.arange(few) + 0.1 * rng.normal(size=few), rng.normal(size=few)), (0, 1),
                lennard_jones_by_hand),
        Problem("recurrent network", "a state that is an array", recurrent_network,
                (0.3 * rng.normal(size=(width, width)), rng.normal(size=(width, 4)),
                 rng.normal(size=width), rng.normal(size=(few, 4))), (0, 1, 2),
                recurrent_network_by_hand),
        Problem("step size", "through the steps of an optimiser", gradient_descent,
                (rng.normal(size=(n, width)) / n, rng.normal(size=n), 0.3, 10 if tiny else 50),
                (2,), gradient_descent_by_hand),
    ]  # fmt: skip
