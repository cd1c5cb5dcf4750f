"""Arrays whose older versions the reverse sweep gets by undoing what was written since."""

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives, check_second_order, restrict, scalarise
from tests.in_place import test_programs as programs
from tests.in_place.test_copies import copies_in_loops

X = np.array([0.3, -0.7, 1.1, 0.4, -0.2])
M = np.linspace(-1.0, 1.0, 20).reshape(4, 5) ** 3


def whole_array_read(x):
    for i in range(len(x)):
        x[i] = np.sum(np.sin(x) * x)
    return np.sum(x)


def inner_loop_reads(x):
    for _ in range(2):
        for i in range(len(x)):
            s = 0.0
            for j in range(len(x)):
                s += np.sin(x[j]) * x[i]
            x[i] = s
    return np.sum(x * x)


def two_stores_and_reads_between(x):
    for i in range(1, len(x)):
        t = np.sum(x**2)
        x[i] = t * x[i - 1]
        u = np.sum(np.cos(x) * x)
        x[i - 1] = u * x[i] + t
        x[0] += np.prod(x)
    return np.sum(x)


def rows_of_a_matrix(m):
    for i in range(len(m)):
        m[i] = np.sin(m.sum(axis=0) * m[i - 1])
    return np.sum(m * m)


def columns(m):
    for j in range(m.shape[1]):
        m[:, j] *= np.sin(np.sum(m @ np.ones(m.shape[1])))
        m[1:, j] = np.cos(m[1:, j]) * np.tanh(np.sum(m * m))
    return np.sum(m)


def swapped(x):
    y = np.cos(x)
    for i in range(len(x)):
        y[i] = np.sum(x * x) * y[i]
        x[i - 1] = np.sum(np.sin(y) * y)
        x, y = y, x
    return np.sum(x * y)


def swapped_and_read_by_an_inner_loop(x):
    y = np.cos(x)
    for i in range(len(x)):
        for _ in range(2):
            y[i] = np.tanh(np.sum(x * x)) * y[i]
            x[i - 1] = np.tanh(np.sum(np.sin(y) * y))
            x, y = y, x
        y[0] = np.tanh(np.sum(y)) * x[0]
    return np.sum(x * y)


def accumulated_at(x):
    for i in range(len(x)):
        np.add.at(x, i, np.tanh(np.sum(x * x)))
        x[i] *= np.sin(np.sum(np.sin(x)))
    return np.sum(x)


def at_places_that_were_computed(x):
    k = 0
    for i in range(4):
        s = np.sum(x * np.sin(x))
        k = (3 * k + i) % 5
        x[k] = s
        x[k - 1] = s * np.sum(x**2)
    return np.sum(x)


def the_same_place_twice(x):
    for i in range(3):
        x[i] = np.sum(x * x)
        x[i] = np.sum(np.sin(x) * x)
    return np.sum(x)


def bound_anew(x):
    for i in range(3):
        x[i] = np.sum(x * x)
        x = np.sin(x)
        x[i] *= np.sum(x * x)
    return np.sum(x)


def two_names_from_then_on(x):
    y = np.cos(x)
    for i in range(3):
        y[i] = np.sum(x * y)
        x = y
        x[i + 1] = np.sum(x * np.sin(y))
    return np.sum(x * y)


def leaves_early(x):
    for i in range(len(x)):
        if np.sum(x) > 3.0:
            break
        x[i] = np.sum(np.cos(x) * x) + 1.0
    return np.sum(x * x)


def in_a_branch(x):
    for i in range(len(x)):
        s = np.sum(np.cos(x) * x)
        if i % 2:
            x[i] = s
            x[i - 1] *= np.sum(x * x)
    return np.sum(x)


def no_iterations(x):
    for i in range(len(x) - 5):
        x[i] = np.sum(x * x)
    return np.sum(x * x)


def as_result(x):
    for i in range(len(x)):
        x[i] = np.sum(np.sin(x) * x)
    return x


def a_part_of_it(x):
    v = x[1:]
    for i in range(len(v)):
        v[i] = np.sum(np.sin(x) * x)
    return np.sum(x * x)


def parts_of_known_number(x):
    for i in range(3):
        x[i : i + 2] = np.sin(x[i : i + 2]) * np.sum(x * x)
    return np.sum(x)


def a_while_loop(x):
    i = 0
    while i < len(x):
        x[i] = np.tanh(np.sum(np.sin(x) * x))
        for j in range(i):
            x[j] = np.sin(np.sum(x**2)) * x[j]
        i += 1
    return np.sum(x)


def branches_in_branches(x):
    for i in range(len(x)):
        s = np.sum(np.cos(x) * x)
        if s > 0.5:
            j = i // 2
            if s > 1.0:
                x[j] = s
            else:
                x[j] *= s
                x[i] += np.sin(s)
        else:
            x[i] -= s * np.sum(x)
        x[0] = np.tanh(np.sum(x * x))
    return np.sum(x)


def at_a_place_that_a_branch_finds(x):
    for i in range(4):
        s = np.sum(x * np.sin(x))
        if i != 1:
            k = int(np.argmax(x * x)) % 4
            t = x[k] * x[k + 1]
            x[k] = np.tanh(s * t)
        x[i] *= s
    return np.sum(x)


def two_arrays_in_one_branch(x):
    y = np.cos(x)
    for i in range(4):
        s = np.sum(x * np.sin(y))
        if i != 1:
            k = int(np.argmax(x * x)) % 4
            t = x[k] * y[k + 1]
            x[k] = np.tanh(s * t)
            y[k] *= s
        x[i] *= s
    return np.sum(x * y)


def looks_at_elements(x):
    for i in range(len(x)):
        s = np.sum(np.cos(x) * x)
        if x[i] > 0.0:
            x[i] = s
        else:
            x[i - 1] = np.sum(x * s)
    return np.sum(x)


def until_small(x):
    while np.sum(x) > 0.1:
        for i in range(len(x)):
            x[i] -= 0.2 * np.tanh(np.sum(x * x)) + 0.05
    return np.sum(x * x)


def skips(x):
    for i in range(len(x)):
        s = np.sum(np.cos(x) * x)
        if i == 2:
            continue
        x[i] = s
        if s > 2.5:
            break
        x[i - 1] *= s
    return np.sum(x)


def a_loop_between(x):
    for i in range(3):
        s = np.sum(x * x)
        x[i] = np.tanh(s)
        for j in range(len(x)):
            x[j] = np.sin(x[j] + np.sum(x))
        x[i + 1] = np.tanh(np.sum(x * x)) * s
    return np.sum(x)


PROGRAMS = [
    (branches_in_branches, X), (looks_at_elements, X), (two_arrays_in_one_branch, X),
    (at_a_place_that_a_branch_finds, X), (until_small, X), (skips, X), (a_loop_between, X),
    (whole_array_read, X), (inner_loop_reads, X), (two_stores_and_reads_between, X),
    (rows_of_a_matrix, M), (columns, M), (swapped, X), (swapped_and_read_by_an_inner_loop, X),
    (accumulated_at, X), (at_places_that_were_computed, X), (the_same_place_twice, X),
    (bound_anew, X), (two_names_from_then_on, X), (leaves_early, X), (in_a_branch, X),
    (no_iterations, X), (as_result, X), (a_part_of_it, X), (parts_of_known_number, X),
    (a_while_loop, X),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
def test_derivatives(f, x):
    def on_a_copy(x):
        return f(0.5 * x)

    assert_derivatives(on_a_copy, x)


UNDONE = [
    whole_array_read, inner_loop_reads, two_stores_and_reads_between, swapped, accumulated_at,
    the_same_place_twice, at_places_that_were_computed, leaves_early, a_while_loop,
    branches_in_branches, looks_at_elements,
    at_a_place_that_a_branch_finds, two_arrays_in_one_branch, until_small, skips,
    a_loop_between,
]  # fmt: skip


@pytest.mark.simplified
@pytest.mark.parametrize("f", UNDONE)
def test_no_array_is_saved_as_a_whole(f):
    assert copies_in_loops(tl.source(f, types={"x": X})) == []


def test_a_pullback_may_be_called_again():
    y, pullback = tl.vjp(as_result, X)
    seed = np.arange(5.0)
    (first,), (second,) = pullback(seed), pullback(seed)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(y, as_result(X.copy()))


def test_the_value_is_what_the_function_returns():
    value, gradient = tl.value_and_grad(whole_array_read)(X)
    assert value == whole_array_read(X.copy())
    np.testing.assert_array_equal(gradient, tl.grad(whole_array_read)(X))


@pytest.mark.simplified
def test_gauss_seidel_saves_one_number_for_each_element():
    source = tl.source(programs.gauss_seidel, types={"a": programs.M, "b": programs.B, "sweeps": 3})
    assert copies_in_loops(source) == []
    assert "x_i_tape.append(x[i])" in source
    assert "x[i] = x_i" in source


def rows_under_a_test(x, n):
    for r in x:
        for i in range(n):
            if i:
                r[i] += np.sin(r[i])
    return x


def rows_of_two_under_a_test(x, n):
    for k in range(len(x) - 1):
        r, s = x[k], x[k + 1]
        for i in range(n):
            if i > 1:
                r[i] += np.sin(r[i]) * s[0]
            else:
                r[i] *= np.cos(r[i])
    return x


@pytest.mark.parametrize("f", [rows_under_a_test, rows_of_two_under_a_test])
def test_the_adjoint_is_undone_by_what_was_saved_of_it(f):
    """Reverse over reverse: the adjoint changes under a test too, and what it held is saved."""
    active = restrict(f, (M, 4), (0,))
    check_second_order(scalarise(active, (M,), np.cos(M)), (M,))
