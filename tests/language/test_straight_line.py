"""Straight-line code: operators, calls of NumPy and math, assignments in every form."""

import math

import numpy as np
import pytest

from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])


def survey(x1, x2):
    return math.log(x1) + x1 * x2 - math.sin(x2)


def test_survey_function():
    """ln x1 + x1 x2 - sin x2 at (2, 5), from Baydin and Pearlmutter's survey."""
    assert_derivatives(survey, 2.0, 5.0)


OPERATORS = {
    "add": ("x + y", "x + 3.0", "3.0 + x"),
    "subtract": ("x - y", "x - 3.0", "3.0 - x"),
    "multiply": ("x * y", "x * 3.0", "3.0 * x"),
    "divide": ("x / y", "x / 3.0", "3.0 / x"),
    "power": ("x ** y", "x ** 3.0", "3.0 ** x"),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_of_two_variables(name):
    f = define(f"def f(x, y):\n    return {OPERATORS[name][0]}\n", "f")
    assert_derivatives(f, 1.7, 0.6, complex_ok=True)
    assert_derivatives(f, abs(VECTOR), abs(VECTOR[::-1]) + 1.0, complex_ok=True)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_with_constant_on_the_right(name):
    f = define(f"def f(x):\n    return {OPERATORS[name][1]}\n", "f")
    assert_derivatives(f, 1.7, complex_ok=True)
    assert_derivatives(f, VECTOR)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_with_constant_on_the_left(name):
    f = define(f"def f(x):\n    return {OPERATORS[name][2]}\n", "f")
    assert_derivatives(f, 1.7, complex_ok=True)
    assert_derivatives(f, VECTOR)


@pytest.mark.parametrize(
    "expression", ["x % y", "x // y + x", "np.remainder(x, y) * x", "np.fmod(x, y)"]
)
def test_remainders(expression):
    f = define(f"def f(x, y):\n    return {expression}\n", "f")
    assert_derivatives(f, 7.3, 2.1)
    assert_derivatives(f, -7.3, 2.1)


def identity(x):
    return x


def negate(x):
    return -x


def plus(x):
    return +x * x


def copied(x):
    y = x
    return y * y


@pytest.mark.parametrize("f", [identity, negate, plus, copied], ids=lambda f: f.__name__)
def test_identity_negate_and_copy(f):
    assert_derivatives(f, 1.7, complex_ok=True)
    assert_derivatives(f, VECTOR)


def saxpy_expression(a, x, y):
    return a * x + y


def saxpy_steps(a, x, y):
    u = a * x
    return u + y


def saxpy_calls(a, x, y):
    return np.add(np.multiply(a, x), y)


def saxpy_reordered(a, x, y):
    u = a * x
    v = y + u
    return v


@pytest.mark.parametrize(
    "f",
    [saxpy_expression, saxpy_steps, saxpy_calls, saxpy_reordered],
    ids=lambda f: f.__name__,
)
def test_saxpy(f):
    assert_derivatives(f, 2.0, 1.5, -0.7, complex_ok=True)
    assert_derivatives(f, 2.0, VECTOR, VECTOR * VECTOR, complex_ok=True)


def cube_power(x):
    return x**3


def cube_product(x):
    return x * x * x


def cube_steps(x):
    y = x * x
    return y * x


@pytest.mark.parametrize("f", [cube_power, cube_product, cube_steps], ids=lambda f: f.__name__)
def test_cube(f):
    assert_derivatives(f, -1.3, complex_ok=True)
    assert_derivatives(f, VECTOR, complex_ok=True)


def augmented(x, y):
    x += y
    x *= 3.0
    x -= x * y
    x /= 1.0 + y * y
    x **= 2
    return x


def test_augmented_assignment_of_scalars():
    assert_derivatives(augmented, 1.2, 0.7, complex_ok=True)


def remainders_augmented(x, y):
    x %= y
    z = x * x
    z //= 0.3
    return x * y + z


def test_augmented_remainder_and_floor():
    assert_derivatives(remainders_augmented, 7.3, 2.2)


def augmented_by_itself(x):
    x += x
    x *= x
    x -= 0.5 * x
    return x


def test_augmented_assignment_by_itself():
    assert_derivatives(augmented_by_itself, 1.3, complex_ok=True)


def chained(x):
    a = b = x * x
    a = a * 2.0
    return a * b


def test_chained_assignment():
    assert_derivatives(chained, 1.3, complex_ok=True)


def unpacked(x, y):
    a, b = x * y, x + y
    (c, d), e = (a * b, a - b), a / b
    return c * d * e


def test_tuple_assignment():
    assert_derivatives(unpacked, 1.7, 0.4, complex_ok=True)


def swapped(x, y):
    x, y = y, x
    x, y = y * y, x + y
    return x - 2.0 * y


def test_swap():
    assert_derivatives(swapped, 1.7, 0.4, complex_ok=True)


def rotated(x, y, z):
    x, y, z = y, z, x
    x, y, z = y, z, x
    return x + 2.0 * y * y + 3.0 * z * x


def test_rotation_of_three_names():
    assert_derivatives(rotated, 1.7, 0.4, -0.9, complex_ok=True)


def uses_one_value_often(x):
    y = np.sin(x)
    return y + y * y + y * y * y + y / x + x


def test_one_value_used_many_times():
    assert_derivatives(uses_one_value_often, 1.1, complex_ok=True)


def same_operand_twice(x):
    return (x + x) * (x - x) + x * x + x / x + x**x


def test_same_operand_on_both_sides():
    assert_derivatives(same_operand_twice, 1.4, complex_ok=True)


def documented(x):
    """A docstring is no statement of the program."""
    y = x * x  # nor is a comment
    "nor a lone string"
    ...
    pass
    return y


def test_docstring_and_statements_without_effect():
    assert_derivatives(documented, 1.3, complex_ok=True)


def annotated(x: float, y: "float" = 2.0) -> float:
    z: float = x * y
    w: float
    w = z * x
    return w


def test_annotations():
    assert_derivatives(annotated, 1.3, 0.7, complex_ok=True)


def semicolons(x):
    y = x * x; z = y * x  # fmt: skip  # noqa: E702
    return y + z


def test_two_statements_on_one_line():
    assert_derivatives(semicolons, 1.3, complex_ok=True)


def over_many_lines(x, y):
    return (
        x
        * y
        + np.sin(
            x
            / y
        )
    )  # fmt: skip


def test_expression_over_many_lines():
    assert_derivatives(over_many_lines, 1.3, 0.7, complex_ok=True)


def scalars_of_math(x):
    return math.exp(math.tanh(x)) + math.sqrt(1.0 + x * x) * math.atan2(x, 2.0)


def test_math_functions():
    assert_derivatives(scalars_of_math, 0.8)


def methods(x):
    return (x * x).sum() + x.mean() * x.max() - x.T.dot(x)


def test_array_methods():
    assert_derivatives(methods, VECTOR)


def products(x, y):
    return x @ y + np.dot(x, x) * np.inner(y, y) + np.sum(np.outer(x, y) ** 2)


def test_products_of_vectors():
    assert_derivatives(products, VECTOR, VECTOR[::-1] * 0.5, complex_ok=True)


def bilinear_layer(x, w, y, b):
    return np.tanh(x @ w @ y + b)


def test_bilinear_layer():
    rng = np.random.default_rng(1)
    w = rng.normal(size=(3, 2)) * 0.5
    assert_derivatives(bilinear_layer, VECTOR, w, np.array([0.2, -0.4]), 0.1, complex_ok=True)


def logistic_loss(w, b, inputs, labels):
    z = inputs @ w + b
    return np.mean(np.logaddexp(0.0, z) - labels * z)


def test_logistic_regression():
    rng = np.random.default_rng(2)
    inputs, labels = rng.normal(size=(6, 3)), np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    assert_derivatives(logistic_loss, VECTOR, 0.2, inputs, labels, wrt=(0, 1))
    assert_derivatives(logistic_loss, VECTOR, 0.2, inputs, labels, wrt=(2,))


def softmax_cross_entropy(z, target):
    shifted = z - np.max(z, axis=-1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    return -np.sum(target * log_p)


def test_softmax_cross_entropy():
    rng = np.random.default_rng(3)
    z, target = rng.normal(size=(4, 3)), np.eye(3)[[0, 2, 1, 1]]
    assert_derivatives(softmax_cross_entropy, z, target, wrt=0)


def keyword_calls(x):
    return np.sum(a=x * x, axis=0) + np.clip(x, a_min=-1.0, a_max=1.0).prod(axis=0)


def test_numpy_calls_with_keywords():
    assert_derivatives(keyword_calls, np.array([[0.3, -1.7], [0.8, 0.4]]))


def not_active(x, n):
    k = n + 1
    scale = k * 2 - n // 2
    return x * scale


def test_whole_number_arithmetic_beside_the_derivative():
    assert_derivatives(not_active, 1.3, 5, wrt=0)


def bitwise(x, n):
    return x * ((n & 6) | 1) + x * (n ^ 3) + x * (n << 1) - x * (n >> 1) + x * ~n


def test_bit_operators_on_whole_numbers():
    assert_derivatives(bitwise, 1.3, 5, wrt=0)


def comparisons_as_numbers(x):
    return x * (x > 0.0) - 2.0 * x * (x <= 0.0)


def test_comparison_used_as_a_number():
    assert_derivatives(comparisons_as_numbers, VECTOR)
    assert_derivatives(comparisons_as_numbers, 1.2)
