"""W6: log-likelihood of a Gaussian mixture on whole arrays, d=10, K=25, n=1000."""

import numpy as np

from benchmarks.problem import Problem


def gaussian_mixture(alphas, means, roots, x):
    """`roots[k]` is a square root of the precision: the exponent is -|roots[k] (x - mean)|² / 2."""
    centred = x - means[:, None, :]
    z = centred @ np.swapaxes(roots, 1, 2)
    logits = alphas[:, None] + np.linalg.slogdet(roots)[1][:, None] - 0.5 * np.sum(z * z, axis=2)
    top = np.max(logits, axis=0)
    likelihoods = top + np.log(np.sum(np.exp(logits - top), axis=0))
    weights = np.log(np.sum(np.exp(alphas)))
    return np.sum(likelihoods) - len(x) * weights


def by_hand(alphas, means, roots, x):
    centred = x - means[:, None, :]
    z = centred @ np.swapaxes(roots, 1, 2)
    logits = np.einsum("kni,kni->kn", z, z)
    logits *= -0.5
    logits += (alphas + np.linalg.slogdet(roots)[1])[:, None]
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    counts = logits.sum(axis=1)
    weights = np.exp(alphas)
    weights *= len(x) / weights.sum()
    z *= logits[:, :, None]
    bmeans = (z.sum(axis=1)[:, None, :] @ roots)[:, 0, :]
    broots = np.swapaxes(z, 1, 2) @ centred
    np.negative(broots, out=broots)
    broots += counts[:, None, None] * np.swapaxes(np.linalg.inv(roots), 1, 2)
    return counts - weights, bmeans, broots


def problems(tiny, data):
    rng = np.random.default_rng(6)
    d, k, n = (2, 3, 5) if tiny else (10, 25, 1000)
    args = (
        rng.normal(size=k), rng.normal(size=(k, d)),
        np.eye(d) + 0.1 * rng.normal(size=(k, d, d)), rng.normal(size=(n, d)),
    )  # fmt: skip
    return [Problem(
        "W6", "Gaussian mixture, d=10, K=25, n=1000", gaussian_mixture, args, (0, 1, 2), by_hand,
        peers={"torch": None},
    )]  # fmt: skip
