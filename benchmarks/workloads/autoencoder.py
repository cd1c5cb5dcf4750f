"""W5: an autoencoder 784-300-100-784 with sigmoids, for a batch of 1 and of 64."""

import itertools

import numpy as np

from benchmarks.problem import Problem


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def autoencoder(w1, b1, w2, b2, w3, b3, x):
    h1 = sigmoid(x @ w1 + b1)
    h2 = sigmoid(h1 @ w2 + b2)
    out = sigmoid(h2 @ w3 + b3)
    return np.mean(np.sum((out - x) ** 2, axis=1))


def activated(x, w, b):
    z = x @ w
    z += b
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += 1.0
    np.reciprocal(z, out=z)
    return z


def by_hand(w1, b1, w2, b2, w3, b3, x):
    h1 = activated(x, w1, b1)
    h2 = activated(h1, w2, b2)
    out = activated(h2, w3, b3)
    g3 = out - x
    g3 *= 2.0 / len(x)
    g3 *= out
    g3 *= 1.0 - out
    g2 = g3 @ w3.T
    g2 *= h2
    g2 *= 1.0 - h2
    g1 = g2 @ w2.T
    g1 *= h1
    g1 *= 1.0 - h1
    return (
        np.dot(x.T, g1), g1.sum(axis=0), np.dot(h1.T, g2), g2.sum(axis=0), np.dot(h2.T, g3),
        g3.sum(axis=0),
    )  # fmt: skip


def problems(tiny, data):
    sizes = (6, 5, 4, 6) if tiny else (784, 300, 100, 784)
    found = []
    for batch in (1, 3 if tiny else 64):
        rng = np.random.default_rng(5)
        args = []
        for rows, columns in itertools.pairwise(sizes):
            args += [rng.normal(size=(rows, columns)) / np.sqrt(rows), rng.normal(size=columns)]
        args.append(rng.uniform(size=(batch, sizes[0])))
        found.append(Problem(
            f"W5 b{batch}", f"autoencoder 784-300-100-784, batch {batch}", autoencoder,
            tuple(args), tuple(range(6)), by_hand,
        ))  # fmt: skip
    return found
