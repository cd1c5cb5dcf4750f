"""Kinds of values: ints, float32, complex, empty and huge, constants, and what is not active."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NeverSupported, NotYetSupported
from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])


def polynomial(x, y):
    return x * x * y + x / y


def test_int_arguments_are_taken_as_floats():
    assert_derivatives(polynomial, 3, 2, complex_ok=True)
    assert tl.grad(polynomial)(3, 2) == 12.5
    assert isinstance(tl.grad(polynomial)(3, 2), float)


def test_numpy_scalars():
    assert_derivatives(polynomial, np.float64(3.0), np.float64(2.0), complex_ok=True)


def int_division(x):
    return x // 2 + x / 2


def test_int_argument_that_is_floor_divided():
    assert tl.grad(int_division)(7) == 0.5


@pytest.mark.parametrize("operation", [
    "x * 2.0 + np.sin(x)", "x ** 2", "np.exp(x) / (x + 3.0)", "np.sum(x) * x", "x @ x",
    "np.mean(x * x)", "x[0] * x[1:]", "np.where(x > 0, x * x, 0.5)", "np.maximum(x, 0.5) * x",
])  # fmt: skip
def test_float32_stays_float32(operation):
    f = define(f"def f(x):\n    return np.sum({operation})\n", "f")
    x = np.array([0.3, -1.2, 2.1], dtype=np.float32)
    value, gradient = tl.value_and_grad(f)(x)
    assert value.dtype == f(x).dtype == np.float32
    assert value == f(x)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, tl.grad(f)(x.astype(float)), rtol=1e-5)
    tangent = tl.jvp(f, (x,), (np.ones_like(x),))[1]
    assert tangent.dtype == np.float32
    assert tangent == pytest.approx(np.sum(gradient), rel=1e-5)


def mixed_precision(x, y):
    return np.sum(x * y)


def test_gradients_of_mixed_precision_have_their_arguments_precision():
    x, y = VECTOR.astype(np.float32), VECTOR[::-1] * 0.5
    gradient = tl.grad(mixed_precision, wrt=(0, 1))(x, y)
    assert gradient[0].dtype == np.float32
    assert gradient[1].dtype == np.float64
    np.testing.assert_allclose(gradient[0], y, rtol=1e-6)
    np.testing.assert_allclose(gradient[1], x, rtol=1e-6)


def squared_modulus(z):
    return np.real(z * np.conj(z))


def test_complex_argument_follows_the_convention_of_jax():
    """For |z|^2 the gradient at 3+4j is 6-8j."""
    assert tl.grad(squared_modulus)(3.0 + 4.0j) == 6.0 - 8.0j
    assert tl.jvp(squared_modulus, (3.0 + 4.0j,), (1.0 + 0.0j,))[1] == 6.0
    assert tl.jvp(squared_modulus, (3.0 + 4.0j,), (0.0 + 1.0j,))[1] == 8.0


def through_complex_numbers(x):
    z = x * (1.0 + 2.0j) + np.exp(1j * x)
    return np.real(z * z) + np.imag(z)


def test_complex_intermediate_values():
    assert_derivatives(through_complex_numbers, 0.7)


def unused(x, y):
    return x * x


def test_unused_argument_has_zeros_of_its_shape():
    assert_derivatives(unused, 0.7, VECTOR.reshape(3, 1), complex_ok=True)
    assert_derivatives(unused, 0.7, (1.5, VECTOR), complex_ok=True)
    gradient = tl.grad(unused, wrt=1)(0.7, VECTOR.astype(np.float32))
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(gradient, np.zeros(3))


def constant(x):
    return 3.0


def test_constant_function():
    assert_derivatives(constant, 0.7, complex_ok=True)
    assert_derivatives(constant, VECTOR, complex_ok=True)


def constant_in_one_branch(x):
    if x > 0.0:
        return x * x
    return 3.0


@pytest.mark.parametrize("x", [0.7, -0.7])
def test_constant_in_one_branch(x):
    assert_derivatives(constant_in_one_branch, x)


def times_zero(x):
    return x * 0 + x**0


def test_times_zero_and_to_the_power_zero_keep_their_shape():
    assert_derivatives(times_zero, VECTOR)
    assert_derivatives(times_zero, 0.7)
    value, tangent = tl.jvp(times_zero, (VECTOR,), (VECTOR,))
    assert value.shape == tangent.shape == VECTOR.shape
    assert math.isnan(tl.value_and_grad(lambda x: x * 0)(math.inf)[0])


def zero_size(x):
    return np.sum(x * x) + np.prod(x) * np.sum(np.sin(x), axis=None)


def test_zero_size_arrays():
    assert_derivatives(zero_size, np.zeros(0))
    assert_derivatives(zero_size, np.zeros((2, 0)))


def where_guard(x):
    return np.where(x > 0.0, np.sqrt(x), 0.0)


def test_where_does_not_leak_an_infinite_derivative():
    """sqrt'(0) is infinite, but `where` does not take that branch: inf times zero is no answer."""
    with np.errstate(all="ignore"):
        assert tl.grad(where_guard)(0.0) == 0.0
        np.testing.assert_array_equal(
            tl.vjp(where_guard, np.array([0.0, 4.0]))[1](np.ones(2))[0], [0.0, 0.25]
        )


def dead_overflow(x):
    y = np.exp(x * 1000.0)
    z = y * y
    return x * x + 0.0 * np.sum(x) + (z > 0.0)


def test_dead_overflowed_value_leaves_the_gradient_finite():
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(tl.grad(dead_overflow)(3.0), 6.0)


def softplus(x):
    return np.logaddexp(0.0, x)


def naive_softplus(x):
    return np.log(1.0 + np.exp(x))


def test_log_of_one_plus_exp_of_a_thousand():
    assert tl.grad(softplus)(1000.0) == 1.0
    assert 0.0 <= tl.grad(softplus)(-1000.0) < 1e-300
    with np.errstate(all="ignore"):
        value, gradient = tl.value_and_grad(naive_softplus)(1000.0)
    assert value == np.inf
    assert gradient == 1.0 or np.isnan(gradient)


def python_max(x, y):
    return max(x, y)


def numpy_max(x, y):
    return np.max(np.stack([x, y]))


def test_python_max_is_not_numpy_max_with_nan():
    """`max` keeps its first argument when a comparison fails; `np.max` propagates NaN."""
    for x, y in [(1.0, math.nan), (math.nan, 1.0)]:
        value, gradient = tl.value_and_grad(python_max, wrt=(0, 1))(x, y)
        assert value == x or (math.isnan(value) and math.isnan(x))
        assert gradient == (1.0, 0.0)
    with np.errstate(all="ignore"):
        assert math.isnan(tl.value_and_grad(numpy_max)(1.0, math.nan)[0])


def nan_propagates(x, y):
    return np.sum(x * y * y)


def test_nan_propagates_to_the_derivatives_it_touches():
    x, y = np.array([1.0, math.nan, 3.0]), np.array([1.0, 2.0, math.nan])
    gx, gy = tl.grad(nan_propagates, wrt=(0, 1))(x, y)
    np.testing.assert_array_equal(gx, [1.0, 4.0, math.nan])
    np.testing.assert_array_equal(gy, [2.0, math.nan, math.nan])


def fortran_order(x):
    return np.sum(x * np.arange(6.0).reshape(2, 3)) * x[1, 2]


def test_memory_order_of_the_argument_does_not_matter():
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3) * 0.3)
    assert_derivatives(fortran_order, x, complex_ok=True)
    assert_derivatives(fortran_order, np.arange(24.0).reshape(4, 6)[::2, ::2] * 0.1)


def test_read_only_argument():
    x = VECTOR.copy()
    x.flags.writeable = False
    assert_derivatives(define("def f(x):\n    return np.sum(np.sin(x) * x)\n", "f"), x)


def one_value_through_int_and_bool(x):
    return x * int(x) + x * bool(x) + float(x) * float(2)


def test_casts():
    assert_derivatives(one_value_through_int_and_bool, 2.7)


def array_display(x, y):
    v = np.array([x, x * y, 2.0])
    return np.sum(v * v * np.array([[1.0, 2.0, 3.0]]))


def test_array_made_of_active_scalars():
    assert_derivatives(array_display, 0.7, -0.4, complex_ok=True)


def huge_and_tiny(x):
    return (x * 1e200) * 1e-200 * x


def test_large_factors_are_not_reassociated_into_overflow():
    assert_derivatives(huge_and_tiny, 0.7)
    assert tl.grad(huge_and_tiny)(1e80) == pytest.approx(2e80)


def extreme_of_mixed_types(x, n):
    return max(n, x, x * x) * x - min(n, x) * max([n, 2.0 * x])


@pytest.mark.parametrize("n", [-3, 0, 5])
def test_extremes_of_whole_numbers_and_others(n):
    assert_derivatives(extreme_of_mixed_types, 0.7, n, wrt=0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, s: np.sum(x * np.sin(s)),
        lambda x, s: np.sum(np.copysign(x, s) * np.maximum(x, s)),
        lambda x, s: np.sum(x * (np.sqrt(s) if s > 0.5 else s)),
        lambda x, s: x[0] * np.float64(2.0) + s,
    ],
)
def test_float32_beside_numbers(f):
    """Gradients of float32 are float32, also where NumPy's numbers make the result float64."""
    x = np.array([1.0, 2.0], np.float32)
    assert tl.grad(f, wrt=(0, 1))(x, 0.7)[0].dtype == np.float32
    assert np.asarray(tl.jvp(f, (x, 0.7), (x, 1.0))[1]).dtype == np.asarray(f(x, 0.7)).dtype


def test_float32_in_a_loop_with_a_number():
    def f(x):
        scale = 1.0
        for k in range(3):
            x = x * scale
            scale = np.cos(scale + k)
        return np.sum(x)

    assert tl.grad(f)(np.ones(2, np.float32)).dtype == np.float32


@pytest.mark.parametrize("n", [0, 0.0])
def test_array_divided_by_zero(n):
    """Infinite, as the quotient is: Python's own division would raise."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bx = tl.grad(lambda x, n: np.sum(x / n) + np.sum(2.0 * x / n))(np.array([1.0, 2.0]), n)
    np.testing.assert_array_equal(bx, [np.inf, np.inf])


def test_differences_of_no_numbers():
    for f in (lambda x: np.sum(np.diff(x)), lambda x: np.sum(np.diff(x, 2))):
        for n in (0, 1, 2):
            assert tl.grad(f)(np.zeros(n)).shape == (n,)


def test_ufuncs_with_and_without_a_place_for_the_result():
    x = np.array([1.0, 2.0])
    for f in (lambda x: np.sum(np.maximum(x, x, x, x)), lambda x: np.sum(np.exp(x, x, x))):
        with pytest.raises(NeverSupported, match="operands"):
            tl.grad(f)(x)
    assert_derivatives(lambda x: np.sum(np.maximum(x, 1.5, out=None, where=True)), x)
    assert_derivatives(lambda x: np.sum(np.exp(x, where=x > 1.5, out=np.zeros(2))), x)
    assert_derivatives(lambda x: np.sum(np.divide(x, 0.5, np.zeros(2))), x)
    with pytest.raises(NotYetSupported, match="`exp` with the argument `where`"):
        tl.grad(lambda x: np.sum(np.exp(x, where=x > 1.5)))(x)


def test_powers_of_a_number_whose_type_is_known_only_at_run_time():
    """Its rule asks what the base and exponent are; the answers not taken must not count."""

    def f(x):
        tape = np.zeros(3)
        for j, u in enumerate(x):
            tape[j] = u
        items = [0.4, 0.6, 0.9]
        items.insert(x.shape[0] % 2, tape[0])
        b = items[1]
        return (b**2) ** b

    for first in (-1.26, 0.7, 1.0, 2.3):
        assert_derivatives(f, np.array([first, 1.8, 1.04]))
