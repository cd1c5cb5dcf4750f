"""Products of the same factors are added once."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives


def cubes(x):
    return x * x * x


def quartic(x):
    y = x * x
    return y * y / (3.0 * x)


def root_step(x):
    return x - (x * x * x - 2.0) / (3.0 * x * x)


def signs(x):
    y = -x * x
    z = 1.0 - y * x
    return z * y - 2.0 * x * y


def powers(x):
    return x**2 * x * 0.3 + x**3 / x


def in_a_loop(x):
    y = 1.0
    for _ in range(3):
        y = y * x * y - 0.5 * y * y * x * x
    return y


def kept_sums(x):
    y = x * x
    z = y * x
    return z * y + math.sin(y) + z


ONE = [cubes, quartic, root_step, signs, powers, in_a_loop, kept_sums]


@pytest.mark.parametrize("f", ONE)
def test_derivatives(f):
    for x in (0.7, -1.3):
        assert_derivatives(f, x, order=2)


def test_arrays():
    def f(x, w):
        y = x * x
        return np.sum(w * y * x + y[:, None] * w * x)

    assert_derivatives(f, np.array([0.5, -1.5, 0.7]), np.array([1.5, 0.5, -0.3]), order=2)


@pytest.mark.parametrize(
    ("f", "line"),
    [
        (cubes, "bx = 3.0 * x * x"),
        (lambda x, g: g * x * x * x, "bx = 3.0 * g * x * x"),
        (lambda x: 0.5 * x * x * 3.0, "return 3.0 * x"),
        (lambda x: 1.0 / (x * x * x), "bx = -3.0 * "),
    ],
)
def test_one_product_is_left(f, line):
    arguments = (0.7, 0.3)[: f.__code__.co_argcount]
    assert line in tl.grad(f).source(*arguments)


def test_what_may_be_infinite_does_not_cancel():
    f = tl.grad(lambda x, w: w * x * x * x - x * w * x * x)
    assert f(2.0, 0.5) == 0.0
    assert math.isnan(f(math.inf, 0.5))


@pytest.mark.parametrize("number", [1e200, 1e-200, 10**400, math.inf])
def test_numbers_that_are_too_large(number):
    f = tl.grad(lambda x: x * number * x * number * x if x < 0.0 else x)
    assert f(2.0) == 1.0
