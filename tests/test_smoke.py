"""What shows on each interpreter, without any extra installed, that the package works at all."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

import tangent_like as tl

pytestmark = pytest.mark.smoke


@dataclass
class Spring:
    stiffness: float
    rest: float

    def energy(self, length):
        return 0.5 * self.stiffness * (length - self.rest) ** 2


def work(x, n):
    """A loop with an exit, a closure, a list that grows, a generator, `try`."""
    kept = [x]
    scale = lambda u: u * math.sin(x)
    for i in range(n):
        if kept[-1] > 5.0:
            break
        kept.append(kept[-1] * 1.1 + scale(i + 1.0))
    try:
        total = sum(k * k for k in kept)
    finally:
        kept = []
    return total


def relax(u, steps):
    """An array written into element by element."""
    u = u.copy()
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            u[i] = 0.5 * (u[i - 1] + u[i + 1])
    return np.sum(u**3)


def layer(w, x):
    return np.sum(np.tanh(x @ w["weights"] + w["bias"]) ** 2)


def slope(f, x, h=1e-6):
    return (f(x + h) - f(x - h)) / (2 * h)


def test_a_function_of_numbers():
    for x in (0.4, 2.0):
        want = slope(lambda t: work(t, 6), x)
        assert tl.grad(work)(x, 6) == pytest.approx(want, rel=1e-7)
        assert tl.jvp(work, (x, 6), (1.0, 0))[1] == pytest.approx(want, rel=1e-7)
        second = slope(lambda t: tl.grad(work)(t, 6), x)
        assert tl.grad(tl.grad(work))(x, 6) == pytest.approx(second, rel=1e-6)


def test_arrays_in_place():
    u = np.linspace(0.2, 1.4, 6) ** 2
    gradient, hessian = tl.grad(relax)(u, 3), tl.hessian(relax)(u, 3)
    for k, e in enumerate(np.eye(6)):
        want = slope(lambda t, e=e: relax(u + t * e, 3), 0.0)
        assert gradient[k] == pytest.approx(want, rel=1e-7)
        column = slope(lambda t, e=e: tl.grad(relax)(u + t * e, 3), 0.0)
        np.testing.assert_allclose(hessian[:, k], column, rtol=1e-6, atol=1e-8)


def test_structures():
    w = {"weights": np.linspace(-1.0, 1.0, 6).reshape(3, 2), "bias": np.array([0.1, -0.2])}
    x = np.linspace(0.1, 1.2, 12).reshape(4, 3)
    tl.check_grads(layer, (w, x))
    spring = tl.grad(lambda s, length: s.energy(length))(Spring(2.0, 0.5), 1.5)
    assert (type(spring), spring.stiffness, spring.rest) == (Spring, 0.5, -2.0)


def test_the_source_is_plain_python():
    text = tl.grad(work).source(0.4, 6)
    found = {"math": math}
    exec(compile(text, "work_grad.py", "exec"), found)
    assert found["work_grad"](0.4, 6) == tl.grad(work)(0.4, 6)
