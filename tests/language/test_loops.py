"""Loops: `for` over ranges, arrays, lists and tuples, `while`, and what they carry."""

# The programs below are written as they are on purpose.
# ruff: noqa: B007, PLR1704, F821, F841, RUF021

import math

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])
MATRIX = np.array([[0.3, -1.2, 0.5], [0.7, 0.2, -0.4]])


def static_count(x):
    y = x
    for _ in range(4):
        y = y * np.sin(x + y)
    return y


def test_for_with_static_count():
    assert_derivatives(static_count, 0.7, complex_ok=True)


def dynamic_count(x, n):
    y = 1.0
    for i in range(n):
        y = y * x + i
    return y


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_for_with_dynamic_count(n):
    assert_derivatives(dynamic_count, 0.7, n, wrt=0, complex_ok=True)


def logistic_map(r, x, n):
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


@pytest.mark.parametrize("n", [0, 1, 20])
def test_logistic_map(n):
    assert_derivatives(logistic_map, 2.9, 0.3, n, wrt=(0, 1), complex_ok=True)


def ranges_with_start_and_step(x, n):
    y = x
    for i in range(2, n):
        y = y + i * x * y
    for i in range(n, 0, -2):
        y = y * (x + 1.0 / i)
    return y


@pytest.mark.parametrize("n", [0, 3, 4])
def test_range_with_start_and_negative_step(n):
    assert_derivatives(ranges_with_start_and_step, 0.4, n, wrt=0, complex_ok=True)


def sum_of_squares(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return s


def test_sum_over_indices():
    assert_derivatives(sum_of_squares, VECTOR, complex_ok=True)
    assert_derivatives(sum_of_squares, np.zeros(0))


def over_an_array(x):
    p = 1.0
    for a in x:
        p = p * (1.0 + a * a)
    return p


def test_for_over_an_array():
    assert_derivatives(over_an_array, VECTOR, complex_ok=True)
    assert_derivatives(over_an_array, np.zeros(0))


def over_the_rows(w, x):
    s = x
    for row in w:
        s = np.tanh(row * s + np.sum(row))
    return np.sum(s)


def test_for_over_the_rows_of_a_matrix():
    assert_derivatives(over_the_rows, MATRIX, VECTOR, complex_ok=True)


def over_a_tuple_display(x, y):
    s = 0.0
    for a in (x, y, x * y):
        s = s + a * a * x
    return s


def test_for_over_a_tuple_of_active_values():
    assert_derivatives(over_a_tuple_display, 0.7, -0.4, complex_ok=True)


def over_a_list_display(x):
    s = x
    for c in [1.0, 2.0, 3.0]:
        s = np.sin(c * s)
    return s


def test_for_over_a_list_of_constants():
    assert_derivatives(over_a_list_display, 0.7, complex_ok=True)


def over_an_argument(parts, x):
    s = x
    for part in parts:
        s = s * part + x
    return s


def test_for_over_a_tuple_argument():
    assert_derivatives(over_an_argument, (0.7, -0.4, 1.3), 0.9, complex_ok=True)


def test_for_over_a_list_argument():
    assert_derivatives(over_an_argument, [0.7, -0.4, 1.3], 0.9, complex_ok=True)


def test_for_over_an_empty_tuple_argument():
    assert_derivatives(over_an_argument, (), 0.9)


def over_pairs(x):
    s = 0.0
    for a, (b, c) in ((x, (1.0, x * x)), (2.0, (x, 3.0))):
        s = s + a * b * c
    return s


def test_for_with_unpacked_target():
    assert_derivatives(over_pairs, 0.7, complex_ok=True)


def nested_loops(x, n):
    y = x
    for i in range(n):
        for j in range(i):
            y = y + x * j * np.sin(y)
        y = y * 0.5
    return y


@pytest.mark.parametrize("n", [0, 1, 4])
def test_nested_loops_with_dependent_counts(n):
    assert_derivatives(nested_loops, 0.7, n, wrt=0, complex_ok=True)


def matrix_power_by_loops(a, x, n):
    for _ in range(n):
        x = a @ x
        for i in range(2):
            x = x * (1.0 + 0.1 * x[i])
    return x


def test_nested_loops_over_arrays():
    a = np.array([[0.6, -0.3], [0.2, 0.5]])
    x = np.array([0.7, -0.9])
    assert_derivatives(matrix_power_by_loops, a, x, 3, wrt=(0, 1), complex_ok=True)


def loops_in_branches(x, n):
    if x > 0.0:
        y = 1.0
        for _ in range(n):
            y = y * x
    else:
        y = x
        for _ in range(n):
            y = y - 0.4 * np.sin(y)
    return y


@pytest.mark.parametrize("x", [0.7, -0.7])
@pytest.mark.parametrize("n", [0, 3])
def test_loop_in_a_branch(x, n):
    assert_derivatives(loops_in_branches, x, n, wrt=0)


def branches_in_loops(x, n):
    y = x
    z = 1.0
    for i in range(n):
        if i % 2 == 0:
            y = y * x
        elif y > 0.2:
            z = z + y * y
        else:
            y = y + 1.0
    return y * z


@pytest.mark.parametrize("x", [0.7, -0.7, 1.4])
def test_branch_in_a_loop(x):
    assert_derivatives(branches_in_loops, x, 6, wrt=0)


def halve_until_small(x):
    n = 0
    while x > 0.1:
        x = 0.5 * x * (1.0 + 0.1 * x)
        n = n + 1
    return x * n


@pytest.mark.parametrize("x", [5.0, 0.9, 0.05])
def test_while_with_data_dependent_count(x):
    assert_derivatives(halve_until_small, x)


def while_with_counter(x, n):
    i = 0
    while i < n:
        x = np.sin(x) + i * x
        i += 1
    return x


@pytest.mark.parametrize("n", [0, 1, 4])
def test_while_with_counter(n):
    assert_derivatives(while_with_counter, 0.7, n, wrt=0, complex_ok=True)


def nested_while(x):
    i = 0
    s = x
    while i < 3:
        j = i
        while j > 0:
            s = s * np.cos(x * j)
            j -= 1
        i += 1
    return s


def test_nested_while():
    assert_derivatives(nested_while, 0.7, complex_ok=True)


def while_with_two_conditions(x, y):
    while x < 3.0 and y > 0.1 or x < 0.0:
        x, y = x + y * y, y * 0.7
    return x * y


@pytest.mark.parametrize("x", [-0.5, 0.4, 3.4])
def test_while_with_boolean_operators(x):
    assert_derivatives(while_with_two_conditions, x, 1.7)


def carried_swap(x, y, n):
    for _ in range(n):
        x, y = y * y - x, x
    return x + 2.0 * y


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_values_swapped_by_a_loop(n):
    assert_derivatives(carried_swap, 0.7, 0.4, n, wrt=(0, 1), complex_ok=True)


def three_term_recurrence(x, n):
    older, newer = 1.0, x
    for k in range(1, n):
        older, newer = newer, ((2 * k + 1) * x * newer - k * older) / (k + 1)
    return newer


@pytest.mark.parametrize("n", [1, 2, 6])
def test_legendre_polynomial_by_recurrence(n):
    assert_derivatives(three_term_recurrence, 0.4, n, wrt=0, complex_ok=True)


def rotating_names(a, b, c, n):
    for _ in range(n):
        a, b, c = b, c, a
    return a + 2.0 * b * b + 3.0 * c * a


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_names_rotated_by_a_loop(n):
    assert_derivatives(rotating_names, 0.7, 0.4, -0.9, n, wrt=(0, 1, 2), complex_ok=True)


def used_after(x, n):
    i = 10
    y = x
    for i in range(n):
        y = y * x
    return y * i


@pytest.mark.parametrize("n", [0, 1, 4])
def test_loop_variable_used_after_the_loop(n):
    assert_derivatives(used_after, 0.7, n, wrt=0, complex_ok=True)


def element_used_after(xs):
    for a in xs:
        pass
    return a * a


def test_active_loop_variable_used_after_the_loop():
    assert_derivatives(element_used_after, VECTOR, complex_ok=True)
    assert_derivatives(element_used_after, (0.3, 0.4), complex_ok=True)


def reassigned_in_the_loop(x, n):
    y = x
    for i in range(n):
        i = i * i + 1
        y = y + i * x * y
    return y * i


def test_loop_variable_reassigned_in_the_loop():
    assert_derivatives(reassigned_in_the_loop, 0.3, 4, wrt=0, complex_ok=True)


def loop_variable_hides_an_argument(x, n):
    y = x * x
    for x in range(n):
        y = y * 0.5 + x
    return y * x


def test_loop_variable_hides_an_argument():
    assert_derivatives(loop_variable_hides_an_argument, 0.3, 3, wrt=0, complex_ok=True)
    assert_derivatives(loop_variable_hides_an_argument, 0.3, 0, wrt=0, complex_ok=True)


def same_loop_variable_nested(x):
    y = x
    for i in range(3):
        for i in range(2):
            y = y * x + i
        y = y + i
    return y


def test_same_loop_variable_in_nested_loops():
    assert_derivatives(same_loop_variable_nested, 0.3, complex_ok=True)


def bounds_change_in_the_loop(x, n):
    y = x
    for _ in range(n):
        n = 1
        y = y * x * n
    return y * n


def test_count_is_taken_when_the_loop_begins():
    assert_derivatives(bounds_change_in_the_loop, 0.3, 4, wrt=0, complex_ok=True)


def iterated_name_is_rebound(x):
    s = 0.0
    for a in x:
        x = a * a
        s = s + x * a
    return s + x


def test_iterated_name_rebound_in_the_loop():
    assert_derivatives(iterated_name_is_rebound, VECTOR, complex_ok=True)


def temporaries_in_a_loop(x, n):
    s = 0.0
    for i in range(n):
        t = x * i
        t = np.sin(t)
        u = t * t
        t = u + x
        s = s + t * u
    return s


def test_names_assigned_afresh_in_every_iteration():
    assert_derivatives(temporaries_in_a_loop, 0.3, 4, wrt=0, complex_ok=True)


def defined_in_an_earlier_iteration(x, n):
    y = x
    for i in range(n):
        if i > 0:
            y = y + last * x
        last = y * y
    return y


@pytest.mark.parametrize("n", [0, 1, 3])
def test_name_from_an_earlier_iteration(n):
    assert_derivatives(defined_in_an_earlier_iteration, 0.3, n, wrt=0, complex_ok=True)


def defined_only_in_the_loop(x, n):
    for i in range(n):
        y = x * i + x * x
    return y


@pytest.mark.parametrize("n", [1, 3])
def test_name_defined_only_in_a_loop_used_after_it(n):
    assert_derivatives(defined_only_in_the_loop, 0.3, n, wrt=0, complex_ok=True)


def becomes_active_late(x, n):
    a, b, c = 1.0, 2.0, x
    for _ in range(n):
        a, b = b, c * b
    return a


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_value_that_becomes_active_after_iterations(n):
    assert_derivatives(becomes_active_late, 0.3, n, wrt=0, complex_ok=True)


def changes_type_in_the_loop(x, n):
    y = 0
    for i in range(n):
        y = y + x * i
    return y * x


@pytest.mark.parametrize("n", [1, 3])
def test_int_that_becomes_float_in_a_loop(n):
    assert_derivatives(changes_type_in_the_loop, 0.3, n, wrt=0, complex_ok=True)


def grows_to_an_array(x, n):
    y = 0.0
    for i in range(n):
        y = y + x * i
    return np.sum(y * x)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_scalar_that_becomes_an_array_in_a_loop(n):
    assert_derivatives(grows_to_an_array, VECTOR, n, wrt=0, complex_ok=True)


def count_from_the_data(x):
    y = x
    for _ in range(3 if x > 0.0 else 0):
        y = y * np.sin(y)
    return y


@pytest.mark.parametrize("x", [0.8, -0.8])
def test_count_chosen_by_the_data(x):
    assert_derivatives(count_from_the_data, x)


def count_by_truncation(x):
    y = x
    for i in range(int(x)):
        y = y * 0.5 + i * x * x
    return y


@pytest.mark.parametrize("x", [0.5, 2.5])
def test_count_by_truncation_of_an_active_value(x):
    assert_derivatives(count_by_truncation, x)


def two_loops_share_names(x, n):
    y = x
    for i in range(n):
        y = y * x + i
    for i in range(n + 1):
        y = np.sin(y) + i
    return y


def test_two_loops_with_the_same_names():
    assert_derivatives(two_loops_share_names, 0.3, 3, wrt=0, complex_ok=True)


def rnn(w, u, xs, h):
    loss = 0.0
    for x in xs:
        h = np.tanh(w @ h + u @ x)
        loss = loss + np.sum(h * h)
    return loss


def test_recurrent_network():
    rng = np.random.default_rng(3)
    w, u = rng.normal(size=(2, 2)) * 0.5, rng.normal(size=(2, 3)) * 0.5
    xs, h = rng.normal(size=(4, 3)), rng.normal(size=2)
    assert_derivatives(rnn, w, u, xs, h, complex_ok=True)


def power_series(x):
    term = total = 1.0
    for k in range(1, 12):
        term = term * x / k
        total += term
    return total - math.exp(x) + x * total


def test_power_series():
    assert_derivatives(power_series, 0.9)


def gradient_descent(w, inputs, targets, rate, steps):
    for _ in range(steps):
        residual = inputs @ w - targets
        w = w - rate * (inputs.T @ residual)
    return np.sum(w * w)


def test_gradient_descent_differentiated_through():
    rng = np.random.default_rng(4)
    inputs, targets = rng.normal(size=(5, 2)), rng.normal(size=5)
    assert_derivatives(
        gradient_descent, np.array([0.3, -0.2]), inputs, targets, 0.05, 6, wrt=(0, 2, 3),
        complex_ok=True,
    )  # fmt: skip


def test_nineteen_nested_loops():
    lines = ["def f(x):", "    y = x"]
    for depth in range(1, 20):
        lines.append("    " * depth + f"for i{depth} in range({2 if depth % 7 == 0 else 1}):")
    lines += ["    " * 20 + "y = np.sin(y) + x * i7", "    return y"]
    assert_derivatives(define("\n".join(lines) + "\n", "f"), 0.7, complex_ok=True)


def long_loop(x, n):
    y = x
    for _ in range(n):
        y = y + 1e-6 * np.sin(y)
    return y


def test_loop_of_ten_thousand_iterations():
    assert_derivatives(long_loop, 0.7, 10_000, wrt=0, order=1, complex_ok=True)


def replaced_array(x, k, n):
    y = x
    for _ in range(n):
        y = np.ones(1) * k
    return np.sum(y)


def replaced_list(x, k, n):
    ys = [x[0], 0.2, k]
    for _ in range(n):
        ys = [k, 0.5 * x[1]]
    return sum(ys) * k


def replaced_by_a_number(x, k, n):
    y = x
    for _ in range(n):
        y = k * k
    return np.sum(y)


@pytest.mark.parametrize("f", [replaced_array, replaced_list, replaced_by_a_number])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_what_a_loop_replaces_by_something_of_another_shape(f, n):
    """What came in has a cotangent of its own shape, zero."""
    x = np.array([0.3, -0.7, 1.1])
    assert_derivatives(f, x, 1.7, n, wrt=(0, 1))
    assert tl.grad(f)(x, 1.7, n).shape == x.shape


def counted_for_nobody(x, n):
    y = x[0]
    for _ in range(1, n):
        if y > 0.0:
            k = 0
            while k < 2:
                k += 1
        y += np.sin(x[1])
    return y * x[2]


def test_a_loop_whose_count_nobody_reads():
    assert_derivatives(counted_for_nobody, VECTOR, 4, wrt=0)


def test_second_derivative_of_a_loop_over_an_array_and_its_numbers():
    def f(x):
        table = np.zeros(3)
        for k, weight in enumerate(np.array([0.5, 0.3, 0.8])):
            table[k] = np.sin(weight * x)
        return np.sum(table * table)

    for mixed in (tl.grad(tl.grad(f)), tl.derivative(tl.grad(f)), tl.grad(tl.derivative(f))):
        assert np.isclose(mixed(0.7), sum(2 * w * w * np.cos(1.4 * w) for w in (0.5, 0.3, 0.8)))
