"""GMM of ADBench in loops over numbers: the gradient of the log-posterior of a Gaussian mixture.

`icf` holds for each component the logarithms of the diagonal of a triangular matrix, then its
strict lower triangle by columns.  The constant of the Wishart prior is left out: it has no
derivative.
"""

import math

import numpy as np

from benchmarks.problem import Problem
from benchmarks.workloads.adbench_files import read_gmm


def gmm(alphas, means, icf, x, gamma, m):
    n, d = x.shape
    k = len(alphas)
    total = 0.0
    for i in range(n):
        terms = np.zeros(k)
        for j in range(k):
            logdet = 0.0
            square = 0.0
            for a in range(d):
                logdet += icf[j, a]
                z = math.exp(icf[j, a]) * (x[i, a] - means[j, a])
                place = d + a - 1
                for b in range(a):
                    z += icf[j, place] * (x[i, b] - means[j, b])
                    place += d - 2 - b
                square += z * z
            terms[j] = alphas[j] + logdet - 0.5 * square
        top = np.max(terms)
        likelihood = 0.0
        for j in range(k):
            likelihood += math.exp(terms[j] - top)
        total += top + math.log(likelihood)
    weight = 0.0
    for j in range(k):
        weight += math.exp(alphas[j])
    prior = 0.0
    for j in range(k):
        for a in range(d):
            root = math.exp(icf[j, a])
            prior += 0.5 * gamma * gamma * root * root - m * icf[j, a]
        for a in range(d, icf.shape[1]):
            prior += 0.5 * gamma * gamma * icf[j, a] * icf[j, a]
    return total - n * math.log(weight) + prior


def by_hand(alphas, means, icf, x, gamma, m):
    n, d = x.shape
    k = len(alphas)
    roots = np.exp(icf[:, :d])
    balphas = np.zeros(k)
    bmeans = np.zeros((k, d))
    bicf = np.zeros(icf.shape)
    terms = np.zeros(k)
    z = np.zeros((k, d))
    for i in range(n):
        for j in range(k):
            logdet = 0.0
            square = 0.0
            for a in range(d):
                logdet += icf[j, a]
                t = roots[j, a] * (x[i, a] - means[j, a])
                place = d + a - 1
                for b in range(a):
                    t += icf[j, place] * (x[i, b] - means[j, b])
                    place += d - 2 - b
                z[j, a] = t
                square += t * t
            terms[j] = alphas[j] + logdet - 0.5 * square
        top = np.max(terms)
        likelihood = 0.0
        for j in range(k):
            terms[j] = math.exp(terms[j] - top)
            likelihood += terms[j]
        for j in range(k):
            g = terms[j] / likelihood
            balphas[j] += g
            for a in range(d):
                bz = -g * z[j, a]
                root = roots[j, a]
                bicf[j, a] += g + bz * root * (x[i, a] - means[j, a])
                bmeans[j, a] -= bz * root
                place = d + a - 1
                for b in range(a):
                    bicf[j, place] += bz * (x[i, b] - means[j, b])
                    bmeans[j, b] -= bz * icf[j, place]
                    place += d - 2 - b
    weights = np.exp(alphas)
    balphas -= n / weights.sum() * weights
    bicf[:, :d] += gamma * gamma * roots * roots - m
    bicf[:, d:] += gamma * gamma * icf[:, d:]
    return balphas, bmeans, bicf


def problems(tiny, data):
    sizes = [(2, 3, 5)] if tiny else [(2, 5, 1000), (10, 25, 1000)]
    found = []
    for d, k, n in sizes:
        rng = np.random.default_rng(d)
        args = (
            rng.normal(size=k), rng.normal(size=(k, d)), rng.normal(size=(k, d * (d + 1) // 2)),
            rng.normal(size=(n, d)), 1.0, 0.0,
        )  # fmt: skip
        if data is not None:
            args = read_gmm(data / "gmm" / f"gmm_d{d}_K{k}.txt")
        found.append(Problem(
            f"GMM {d}/{k}", f"ADBench's GMM in loops, d={d}, K={k}, n={n}", gmm, args, (0, 1, 2),
            by_hand, by_hand_numba=by_hand, peers={"autograd": None, "jax": None, "torch": None},
        ))  # fmt: skip
    return found
