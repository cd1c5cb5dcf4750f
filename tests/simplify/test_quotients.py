"""Of a quotient, both operands' cotangents share one division."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.dispatch import Derivative
from tests.derivatives import assert_derivatives


def of_numbers(x, w):
    return math.sin(x / w)


def of_arrays(x, w):
    return np.sum(np.sin(x / w) * w)


def of_a_number_and_an_array(x, w):
    return np.sum(x / np.exp(w) + w)


def in_a_loop(x, w):
    for _ in range(3):
        x = x / w if w < 2.0 else x * w
    return x


def of_a_multiple(x, w):
    for _ in range(2):
        x = x - (x * x * x - w) / (3.0 * x * x)
    return x


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (of_a_multiple, (0.9, 1.7)),
        (of_numbers, (0.3, 1.7)),
        (of_arrays, (np.array([0.3, -0.7]), np.array([1.3, 0.4]))),
        (of_arrays, (np.array([[0.3], [-0.7]]), np.array([1.3, 0.4]))),
        (of_a_number_and_an_array, (0.3, np.array([1.3, 0.4]))),
        (in_a_loop, (0.3, 1.7)),
        (in_a_loop, (0.3, 2.7)),
    ],
)
def test_quotients(f, args):
    assert_derivatives(f, *args, wrt=(0, 1))


def test_one_division_for_both_operands():
    source = tl.grad(of_numbers, wrt=(0, 1)).source(0.3, 1.7)
    assert source.count(" / w") == 2  # one of them the user's own


def test_one_division_beside_a_number():
    reverse = tl.grad(of_a_multiple).source(0.9, 1.7).split("# reverse sweep")[1]
    assert reverse.count(" / ") == 2  # one of them the user's own, computed again


def test_the_denominator_alone_divides_what_does_not_overflow():
    """g / w would be infinite here, and infinity times 0 no number."""
    assert tl.grad(lambda w: 2e5 * (0.0 / w))(1e-305) == 0.0


def test_a_pullback_takes_what_the_forward_sweep_computed():
    def f(x):
        return np.cos(x) * np.sin(x)

    x, g = np.array([0.3, 0.4]), np.array([1.0, -2.0])
    _, pullback = tl.vjp(f, x)
    np.testing.assert_allclose(pullback(g)[0], g * np.cos(2 * x), rtol=1e-14)
    forward, backward = Derivative(f, "split").source(x).split("def f_pullback")
    assert "np.cos" in forward
    assert "np.cos" not in backward
