"""Calls of other functions: helpers, defaults and keywords, recursion, small and large bodies."""

# The programs below are written as they are on purpose.
# ruff: noqa: SIM108

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])


def square(x):
    return x * x


def scaled(x, factor=2.0, shift=1.0):
    return factor * x + shift


def calls_a_helper(x):
    return square(x) + square(np.sin(x))


def test_call_of_a_helper():
    assert_derivatives(calls_a_helper, 0.7, complex_ok=True)


def nested_calls(x):
    return square(square(square(x) + x) * square(2.0))


def test_nested_calls():
    assert_derivatives(nested_calls, 0.7, complex_ok=True)


def with_defaults(x):
    return scaled(x) * scaled(x, 3.0) * scaled(x, 3.0, x)


def test_default_arguments():
    assert_derivatives(with_defaults, 0.7, complex_ok=True)


def with_keywords(x, y):
    return scaled(x, shift=y) * scaled(shift=x * y, x=y, factor=x)


def test_keyword_arguments():
    assert_derivatives(with_keywords, 0.7, -0.4, complex_ok=True)


def keyword_order(x, y):
    return scaled(shift=np.sin(x), factor=np.exp(y), x=x / y)


def test_keyword_arguments_out_of_order():
    assert_derivatives(keyword_order, 0.7, 0.4, complex_ok=True)


def argument_left_to_its_default(x, y=3.0):
    return x * y * y


def test_default_of_the_differentiated_function():
    assert_derivatives(argument_left_to_its_default, 0.7, complex_ok=True)
    assert tl.grad(argument_left_to_its_default)(0.7) == 9.0
    assert tl.grad(argument_left_to_its_default)(0.7, y=2.0) == 4.0
    assert tl.grad(argument_left_to_its_default)(y=2.0, x=0.7) == 4.0


def keyword_only(x, *, power=2.0):
    return x**power


def calls_keyword_only(x):
    return keyword_only(x) + keyword_only(x, power=3.0)


def test_keyword_only_argument():
    assert_derivatives(calls_keyword_only, 0.7, complex_ok=True)
    assert tl.grad(keyword_only)(0.5, power=2.0) == 1.0


def positional_only(x, /, y):
    return x * y


def calls_positional_only(x):
    return positional_only(x, y=x * x)


def test_positional_only_argument():
    assert_derivatives(calls_positional_only, 0.7, complex_ok=True)


def product(a, b):
    return a * np.sin(b)


def same_argument_twice(x):
    return product(x, x) * product(b=x, a=x)


def test_same_argument_twice():
    assert_derivatives(same_argument_twice, 0.7, complex_ok=True)


def in_a_branch(x):
    if square(x) > 1.0:
        y = square(x)
    else:
        y = scaled(square(x), factor=x)
    return y * x


@pytest.mark.parametrize("x", [0.7, 1.7])
def test_call_in_a_branch_and_in_its_condition(x):
    assert_derivatives(in_a_branch, x)


def in_a_loop(x, n):
    y = x
    for i in range(n):
        y = scaled(square(y), 0.5, i * x)
    return y


@pytest.mark.parametrize("n", [0, 1, 4])
def test_call_in_a_loop(n):
    assert_derivatives(in_a_loop, 0.7, n, wrt=0, complex_ok=True)


def has_a_loop(x, n):
    y = x
    for _ in range(n):
        y = np.sin(y) + x
    return y


def calls_a_loop(x):
    return has_a_loop(x, 3) * has_a_loop(x * x, 2) * has_a_loop(x, 0)


def test_call_of_a_function_with_a_loop():
    assert_derivatives(calls_a_loop, 0.7, complex_ok=True)


def loop_calls_a_loop(x, n):
    y = x
    for i in range(n):
        y = y + 0.1 * has_a_loop(y, i)
    return y


def test_loop_of_calls_of_a_loop():
    assert_derivatives(loop_calls_a_loop, 0.7, 4, wrt=0, complex_ok=True)


def returns_early(x, limit):
    for i in range(10):
        if x > limit:
            return x * i
        x = x + x * x
    return x


def calls_early_return(x):
    y = returns_early(x, 1.0) + returns_early(x * x, 100.0)
    return y * x


@pytest.mark.parametrize("x", [0.2, 0.7, 1.5])
def test_call_of_a_function_that_returns_early(x):
    assert_derivatives(calls_early_return, x)


def branches(x):
    if x > 0.5:
        return square(x)
    return np.sin(x)


def calls_branches_in_a_loop(x, n):
    s = 0.0
    for i in range(n):
        s = s + branches(x * i) * x
    return s


def test_loop_of_calls_that_take_different_branches():
    assert_derivatives(calls_branches_in_a_loop, 0.2, 6, wrt=0)


def two_results(x, y):
    return x * y, x + y * y


def unpacks_results(x):
    a, b = two_results(x, x * x)
    c = two_results(a, b)
    return a * b + c[0] * c[1]


def test_call_with_two_results():
    assert_derivatives(unpacks_results, 0.7, complex_ok=True)


def uses_one_result(x):
    _, b = two_results(x, np.sin(x))
    return b * x


def test_call_with_a_result_that_is_not_used():
    assert_derivatives(uses_one_result, 0.7, complex_ok=True)


def no_result(x):
    x = x * 2.0


def calls_for_nothing(x):
    no_result(x)
    square(x)
    return x * x


def test_call_whose_result_is_dropped():
    assert_derivatives(calls_for_nothing, 0.7, complex_ok=True)


def overwrites_its_argument(x):
    x = x * x
    x = x + 1.0
    return x


def keeps_its_own(x):
    y = overwrites_its_argument(x)
    return x * y


def test_callee_that_rebinds_its_argument():
    assert_derivatives(keeps_its_own, 0.7, complex_ok=True)


def inner_names(x):
    y = x * 3.0
    t = y * y
    i = t + x
    return i


def outer_names(x):
    y = np.sin(x)
    t = inner_names(y)
    for i in range(3):
        t = t * 0.1 + inner_names(t * 0.1) * i
    return y * t


def test_same_local_names_in_caller_and_callee():
    assert_derivatives(outer_names, 0.7, complex_ok=True)


def factorial_like(x, n):
    if n == 0:
        return 1.0
    return (x + n) * factorial_like(x, n - 1)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_recursion(n):
    assert_derivatives(factorial_like, 0.7, n, wrt=0, complex_ok=True)


def fibonacci_like(x, n):
    if n < 2:
        return x * n
    return np.sin(fibonacci_like(x, n - 1)) + x * fibonacci_like(x, n - 2)


def test_recursion_with_two_calls():
    assert_derivatives(fibonacci_like, 0.7, 6, wrt=0, complex_ok=True)


def halves(x):
    if x < 0.5:
        return x * x
    return x + halves(0.5 * x) * x


@pytest.mark.parametrize("x", [0.3, 0.8, 7.0])
def test_recursion_with_data_dependent_depth(x):
    assert_derivatives(halves, x)


def even(x, n):
    return x if n == 0 else odd(x * x, n - 1)


def odd(x, n):
    return np.sin(x) if n == 0 else even(x + 0.5, n - 1)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_mutual_recursion(n):
    assert_derivatives(even, 0.7, n, wrt=0, complex_ok=True)


def power_by_squaring(x, n):
    if n == 0:
        return 1.0
    half = power_by_squaring(x, n // 2)
    if n % 2 == 1:
        return x * half * half
    return half * half


@pytest.mark.parametrize("n", [0, 1, 6, 11])
def test_power_by_squaring(n):
    assert_derivatives(power_by_squaring, 1.1, n, wrt=0, complex_ok=True)


def recursion_in_a_loop(x, n):
    if n == 0:
        return np.sin(x)
    s = 0.0
    for k in range(n):
        s = s + recursion_in_a_loop(x * (1.0 + 0.1 * k), k)
    return s * x


def test_recursion_in_a_loop():
    assert_derivatives(recursion_in_a_loop, 0.7, 4, wrt=0, complex_ok=True)


def deep_recursion(x, n):
    return x if n == 0 else deep_recursion(np.sin(x), n - 1)


def test_recursion_two_hundred_calls_deep():
    assert_derivatives(deep_recursion, 0.7, 200, wrt=0, order=1, complex_ok=True)


def simpson(f_at, a, b, n):
    h = (b - a) / n
    total = f_at(a) + f_at(b)
    for k in range(1, n):
        total = total + (4.0 if k % 2 == 1 else 2.0) * f_at(a + k * h)
    return total * h / 3.0


def integrates(a, b):
    return simpson(square, a, b, 4) + simpson(np.cos, a, b, 4)


def test_function_passed_as_an_argument():
    assert_derivatives(integrates, 0.2, 1.9, complex_ok=True)


def picks_a_function(x):
    f = square if x > 1.0 else np.sin
    return f(x) * x


@pytest.mark.parametrize("x", [0.7, 1.7])
def test_function_chosen_by_a_branch(x):
    assert_derivatives(picks_a_function, x)


def renamed_function(x):
    f = square
    g = f
    return g(x) * f(g(x))


def test_function_bound_to_other_names():
    assert_derivatives(renamed_function, 0.7, complex_ok=True)


SAME_NAME = "def helper(x):\n    return {}\n\ndef f(x):\n    return helper(x) * x\n"


def test_same_named_helpers_of_two_modules():
    first = define(SAME_NAME.format("np.sin(x)"), "f")
    second = define(SAME_NAME.format("x * x * x"), "f")
    both = define("def f(x):\n    return first(x) + second(x) * x\n", "f", first=first,
                  second=second)  # fmt: skip
    assert_derivatives(both, 0.7, complex_ok=True)


def test_helper_found_through_a_module_attribute():
    module = type(np)("a_module_of_helpers")
    module.helper = define(SAME_NAME.format("np.exp(x)"), "helper")
    f = define("def f(x):\n    return module.helper(x) * x\n", "f", module=module)
    assert_derivatives(f, 0.7, complex_ok=True)


def long_helper(x, y):
    a = x * y
    b = np.sin(a) + x
    c = b * b - a
    d = np.exp(-c * c) + b
    for k in range(3):
        d = d * np.cos(a + k) + c
        if d > 1.0:
            d = d / (1.0 + a * a)
        a = a + 0.1 * d
    e = d * c + a
    f = e / (1.0 + b * b)
    return f, e - f, a


def calls_a_long_helper(x, y):
    p, q, r = long_helper(x, y)
    s = long_helper(y, p * 0.3)[1]
    return p * q + r * s


def test_call_of_a_long_function():
    assert_derivatives(calls_a_long_helper, 0.7, 0.4)


def array_helper(w, x):
    return np.tanh(w @ x), np.sum(w * w)


def calls_an_array_helper(w, x):
    h, penalty = array_helper(w, x)
    h, other = array_helper(w * 0.5, h)
    return np.sum(h * x) + penalty * other


def test_call_with_arrays():
    w = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.6], [0.2, 0.2, 0.9]])
    assert_derivatives(calls_an_array_helper, w, VECTOR, complex_ok=True)


def helper_for_any_kind(a, b):
    return a * b + a


def called_with_different_kinds(x, v):
    s = helper_for_any_kind(x, x)
    u = helper_for_any_kind(v, x)
    w = helper_for_any_kind(s, v)
    return np.sum(helper_for_any_kind(u, w)) + s


def test_one_helper_called_with_scalars_and_arrays():
    assert_derivatives(called_with_different_kinds, 0.7, VECTOR, complex_ok=True)


def constant_helper():
    return 3.0


def constant_argument(x):
    return x * constant_helper() * square(4.0)


def test_call_without_active_arguments():
    assert_derivatives(constant_argument, 0.7, complex_ok=True)


def two_kinds_of_calls(x):
    return x * x


def test_one_function_called_with_several_kinds():
    for args in [(2.0,), (2,), (VECTOR,), (np.float32(2.0),), (VECTOR.reshape(3, 1),), (2.0,)]:
        value, tangent = tl.jvp(two_kinds_of_calls, args, (np.ones_like(args[0]) * 1.0,))
        np.testing.assert_array_equal(value, args[0] * args[0])
        np.testing.assert_array_equal(tangent, 2.0 * args[0])


def recursion_with_a_loop(x, n):
    if n < 1:
        return x
    y = x
    for _ in range(n):
        y = np.sin(y) * x
    return np.tanh(recursion_with_a_loop(y, n - 1)) * y


def test_recursion_with_a_loop():
    assert_derivatives(recursion_with_a_loop, 0.7, 3, wrt=0, complex_ok=True)


def longer_each_time(x, parts, n):
    if n < 1:
        return parts[0] * x
    return longer_each_time(x, [x * parts[-1], *parts], n - 1)  # HERE


def test_recursion_with_a_longer_list_each_time():
    assert_derivatives(lambda x: longer_each_time(x, [x, 0.5], 3), 0.7)
    assert_derivatives(longer_each_time, 0.7, [0.5], 3, wrt=(0, 1))


def test_recursion_with_a_longer_list_of_arrays_each_time_is_refused():
    u = np.array([0.5, -0.2])
    with pytest.raises(NotYetSupported, match="with a longer list") as caught:
        tl.grad(lambda x, n: np.sum(longer_each_time(x, [x * u, u], n)))(0.7, 3)
    assert "# HERE" in str(caught.value)
