"""Operands of different shapes: every derivative has the shape of its own operand."""

import numpy as np
import pytest

from tests.derivatives import assert_derivatives, define

SHAPES = [
    ((), (3,)),
    ((3,), ()),
    ((3,), (1,)),
    ((1,), (3,)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 3), (2, 1)),
    ((2, 1), (1, 3)),
    ((1, 3), (2, 1)),
    ((1, 1), (3,)),
    ((2, 3), ()),
    ((2, 1, 3), (4, 1)),
    ((1,), ()),
    ((0,), (1,)),
    ((2, 0), (2, 1)),
]
FUNCTIONS = [
    "x + y", "x - y", "x * y", "x / y", "x ** y", "np.maximum(x, y)", "np.minimum(x, y)",
    "np.arctan2(x, y)", "np.hypot(x, y)", "np.logaddexp(x, y)", "np.where(x > y, x, y * y)",
    "x % y", "np.add(x, y) * np.multiply(y, x)",
]  # fmt: skip


def sample(shape, seed):
    """Positive numbers, distinct within and between operands; a float for no shape."""
    value = np.random.default_rng(seed).uniform(0.5, 2.0, shape)
    return value if shape else float(value)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_two_operands(function, shapes):
    f = define(f"def f(x, y):\n    return {function}\n", "f")
    assert_derivatives(f, sample(shapes[0], 1), sample(shapes[1], 2))


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_one_operand_a_constant(shapes):
    f = define("def f(x, y):\n    return np.sum(x * y + x / y - y ** x)\n", "f")
    assert_derivatives(f, sample(shapes[0], 1), sample(shapes[1], 2), wrt=0)
    assert_derivatives(f, sample(shapes[0], 1), sample(shapes[1], 2), wrt=1)


def zero_dimensional(x, y):
    return np.sum(x * y) * x + y


def test_zero_dimensional_arrays():
    assert_derivatives(zero_dimensional, np.array(0.7), np.array([0.3, 0.4]), complex_ok=True)
    assert_derivatives(zero_dimensional, np.array(0.7), 1.3, complex_ok=True)


def bias(w, x, b):
    return np.tanh(x @ w + b)


def test_bias_added_to_a_batch():
    rng = np.random.default_rng(3)
    x, w, b = rng.normal(size=(4, 2)), rng.normal(size=(2, 3)), rng.normal(size=3)
    assert_derivatives(bias, w, x, b, complex_ok=True)


def normalised(x):
    return (x - np.mean(x, axis=0)) / np.sqrt(np.var(x, axis=0) + 0.1)


def test_normalisation_over_an_axis():
    assert_derivatives(normalised, np.random.default_rng(4).normal(size=(4, 2)))


def pairwise_distances(x, y):
    return np.sum((x[:, None, :] - y[None, :, :]) ** 2, axis=-1)


def test_pairwise_distances():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
    assert_derivatives(pairwise_distances, x, y, complex_ok=True)


def scalar_grows(x, y):
    x = x * y
    x = x + y * x
    return x


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_overwritten_name_that_grows_by_broadcasting(shapes):
    assert_derivatives(scalar_grows, sample(shapes[0], 1), sample(shapes[1], 2), complex_ok=True)


def same_value_in_two_shapes(x):
    row, column = x[None, :], x[:, None]
    return np.sum(np.sin(row * column) * row)


def test_value_broadcast_against_itself():
    assert_derivatives(same_value_in_two_shapes, np.array([0.3, -1.2, 2.1]), complex_ok=True)


def branches_of_where(x, y):
    return np.where(x > 1.0, np.sin(x) * y, 2.0) + np.where(x > 1.0, 0.5, y)


def test_where_with_scalars_and_smaller_branches():
    assert_derivatives(branches_of_where, sample((2, 3), 1), sample((3,), 2))
    assert_derivatives(branches_of_where, sample((2, 3), 1), 0.7)


def test_scalar_that_meets_arrays_in_a_loop():
    source = (
        "def f(s, v):\n    t = s\n    for a in v:\n        t = t * s + a * np.sum(v * t)\n"
        "    return t\n"
    )
    assert_derivatives(define(source, "f"), 0.7, np.array([0.3, -0.2, 0.5]), complex_ok=True)


def test_known_equal_shapes_then_others():
    """One derivative, called with shapes that broadcast after shapes that do not."""
    f = define("def f(x, y):\n    return np.sum(x * y * y)\n", "f")
    for shapes in [((3,), (3,)), ((3,), (1,)), ((1,), (3,)), ((2, 3), (3,)), ((3,), (3,))]:
        assert_derivatives(f, sample(shapes[0], 1), sample(shapes[1], 2), complex_ok=True)
