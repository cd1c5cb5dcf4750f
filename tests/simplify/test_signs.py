"""Guards against zero go where a number cannot be zero, and only there."""

import math
import operator

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.facts import FLOAT, Array, Scalar
from tangent_like.ir import Const
from tangent_like.simplify.algebra import finish_algebra, simplify_algebra
from tests.derivatives import assert_derivatives
from tests.simplify.lists import function, operations, run


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
    def build(b, z):
        square = b.op(operator.mul, (z, z))
        return b.op(operator.eq, (b.op(operator.add, (square, Const(1.0))), Const(0)))

    for fact, stays in ((Scalar("complex"), True), (FLOAT, False)):
        after = simplify_algebra(function(build, fact))
        assert (operator.eq in operations(after)) is stays


@pytest.mark.parametrize("dtype", ["bool", "float64"])
def test_a_quotient_that_would_overflow_stays(dtype):
    """`a (b / c)` with tiny c: `a / c` is infinite, and infinity times 0 is NaN."""

    def build(b, x, y, z):
        return b.op(operator.mul, (x, b.op(operator.truediv, (y, z))))

    column = Array("float64", (2, 1))
    after = finish_algebra(function(build, column, Array(dtype, (2, 3)), column))
    tiny = 1.0 if dtype == "bool" else 1e-320
    y = np.zeros((2, 3), dtype)
    (found,) = run(after, np.ones((2, 1)), y, np.full((2, 1), tiny))
    np.testing.assert_array_equal(found, np.zeros((2, 3)))
