"""Guards against zero go where a number cannot be zero, and only there."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives


def source(f, *args):
    return tl.grad(f, wrt=tuple(range(len(args)))).source(*args)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: math.sqrt(x * x + y * y + 1.0),
        lambda x, y: math.sqrt(1.0 + abs(x) + math.exp(y)),
        lambda x, y: math.sqrt(math.sqrt(x**2 + 0.5) + y**2),
        lambda x, y: math.sqrt(x * x + (y * y + 1e-300)),
    ],
)
def test_root_of_what_is_positive(f):
    assert " if " not in source(f, 0.3, -0.7)
    for x, y in ((0.3, -0.7), (-2.0, 1e2)):
        assert_derivatives(f, x, y, wrt=(0, 1))
    assert all(map(math.isfinite, tl.grad(f, wrt=(0, 1))(0.0, 0.0)))


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: math.sqrt(x * x + y * y),
        lambda x, y: math.sqrt(x * y + 1.0),
        lambda x, y: math.sqrt(x * x + y * y - 0.0),
        lambda x, y: math.sqrt(x**3 + 1.0 + y),
        lambda x, y: math.sqrt(math.exp(x) * 0.0 + y * y),
        lambda x, y: math.sqrt(x * x + y + 1.0),
    ],
)
def test_root_of_what_may_be_zero(f):
    assert " if " in source(f, 0.3, 0.7)


def test_nan_and_infinity_go_through():
    def f(x):
        return math.sqrt(x * x + 1.0)

    assert math.isnan(tl.grad(f)(math.nan))
    assert math.isnan(tl.grad(f)(math.inf))


def test_complex_square_may_be_negative():
    def f(x):
        return np.sqrt(x * x + 1.0)

    assert tl.grad(lambda x: np.real(f(x)))(0.5 + 0.5j) == pytest.approx(
        np.conj((0.5 + 0.5j) / np.sqrt((0.5 + 0.5j) ** 2 + 1.0)).conjugate()
    )
