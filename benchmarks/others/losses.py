"""Losses of statistics and learning, on whole arrays."""

import numpy as np

from benchmarks.problem import Problem


def ridge(w, x, y, penalty):
    r = x @ w - y
    return np.sum(r**2) + penalty * np.sum(w**2)


def ridge_by_hand(w, x, y, penalty):
    g = (x @ w - y) @ x
    g += penalty * w
    g *= 2.0
    return (g,)


def cross_entropy(w, b, x, labels):
    logits = x @ w + b
    top = np.max(logits, axis=1, keepdims=True)
    normaliser = np.log(np.sum(np.exp(logits - top), axis=1)) + top[:, 0]
    chosen = np.sum(logits * labels, axis=1)
    return np.mean(normaliser - chosen)


def cross_entropy_by_hand(w, b, x, labels):
    p = x @ w
    p += b
    p -= p.max(axis=1, keepdims=True)
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)
    p -= labels
    p /= len(x)
    return x.T @ p, p.sum(axis=0)


def huber(w, x, y):
    r = x @ w - y
    size = np.abs(r)
    return np.sum(np.where(size < 1.0, 0.5 * r * r, size - 0.5))


def huber_by_hand(w, x, y):
    r = x @ w - y
    return (np.clip(r, -1.0, 1.0) @ x,)


def poisson(w, x, counts):
    rates = x @ w
    return np.sum(np.exp(rates) - counts * rates)


def poisson_by_hand(w, x, counts):
    r = np.exp(x @ w)
    r -= counts
    return (r @ x,)


def factorisation(u, v, ratings, known):
    difference = known * (ratings - u @ v.T)
    return np.sum(difference**2) + 0.1 * (np.sum(u**2) + np.sum(v**2))


def factorisation_by_hand(u, v, ratings, known):
    g = u @ v.T
    g -= ratings
    g *= known
    g *= known
    bu = g @ v
    bu += 0.1 * u
    bu *= 2.0
    bv = g.T @ u
    bv += 0.1 * v
    bv *= 2.0
    return bu, bv


def problems(tiny, data):
    rng = np.random.default_rng(22)
    n, k = (5, 3) if tiny else (500, 20)
    w, x, y = rng.normal(size=k), rng.normal(size=(n, k)), rng.normal(size=n)
    labels = np.eye(10)[rng.integers(0, 10, n)]
    return [
        Problem("ridge", "least squares with a penalty", ridge, (w, x, y, 0.1), (0,),
                ridge_by_hand),
        Problem("cross entropy", "ten classes", cross_entropy,
                (rng.normal(size=(k, 10)), rng.normal(size=10), x, labels), (0, 1),
                cross_entropy_by_hand, peers={"torch": None}),
        Problem("Huber", "a loss with np.where", huber, (w, x, y), (0,), huber_by_hand),
        Problem("Poisson", "regression of counts", poisson,
                (0.1 * w, x, rng.integers(0, 5, n).astype(float)), (0,), poisson_by_hand),
        Problem("factorisation", "two matrices and a mask", factorisation,
                (rng.normal(size=(n // 2, k)), rng.normal(size=(n // 3, k)),
                 rng.normal(size=(n // 2, n // 3)),
                 rng.integers(0, 2, (n // 2, n // 3)).astype(float)), (0, 1),
                factorisation_by_hand),
    ]  # fmt: skip
