"""W8: Rosenbrock's function: its gradient, n = 10,000; Hessian-vector product, Hessian, n = 100."""

import numpy as np

import tangent_like as tl
from benchmarks.problem import Problem


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def by_hand(x):
    a = x[:-1]
    d = a * a
    np.subtract(x[1:], d, out=d)
    d *= 200.0
    g = np.empty_like(x)
    inner = g[:-1]
    np.multiply(a, d, out=inner)
    inner *= -2.0
    inner += 2.0 * a
    inner -= 2.0
    g[-1] = 0.0
    g[1:] += d
    return (g,)


def by_hand_numba(x):
    g = np.zeros_like(x)
    for i in range(len(x) - 1):
        d = 200.0 * (x[i + 1] - x[i] * x[i])
        g[i] += 2.0 * (x[i] - 1.0) - 2.0 * x[i] * d
        g[i + 1] += d
    return (g,)


def product(x, v):
    return rosenbrock(x)


def product_by_hand(x, v):
    a, b, va = x[:-1], x[1:], v[:-1]
    h = np.zeros_like(x)
    h[:-1] = (1200.0 * a * a - 400.0 * b + 2.0) * va - 400.0 * a * v[1:]
    h[1:] += 200.0 * v[1:] - 400.0 * a * va
    return (h,)


def hessian_by_hand(x):
    n = len(x)
    h = np.zeros((n, n))
    a = x[:-1]
    diagonal = h.reshape(-1)[:: n + 1]
    diagonal[:-1] = 1200.0 * a * a - 400.0 * x[1:] + 2.0
    diagonal[1:] += 200.0
    h.reshape(-1)[1 :: n + 1] = -400.0 * a
    h.reshape(-1)[n :: n + 1] = -400.0 * a
    return (h,)


def hessian_vector(primal, wrt, **options):
    return tl.hvp(rosenbrock, wrt=wrt, **options)


def hessian(primal, wrt, **options):
    derived = tl.hessian(primal, **options)
    return lambda x: (derived(x),)


def problems(tiny, data):
    rng = np.random.default_rng(8)
    x = rng.normal(size=6 if tiny else 10_000)
    y, v = rng.normal(size=(2, 5 if tiny else 100))
    return [
        Problem(
            "W8", "Rosenbrock, gradient, n=10,000", rosenbrock, (x,), (0,), by_hand,
            by_hand_numba=by_hand_numba,
        ),
        Problem(
            "W8 HVP", "Rosenbrock, Hessian-vector product, n=100", product, (y, v), (0,),
            product_by_hand, generate=hessian_vector, is_gradient=False,
        ),
        Problem(
            "W8 Hessian", "Rosenbrock, Hessian, n=100", rosenbrock, (y,), (0,), hessian_by_hand,
            generate=hessian, is_gradient=False,
        ),
    ]  # fmt: skip
