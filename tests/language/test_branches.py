"""Branches: if, elif, else, conditional expressions, `and`, `or`, `not`, comparisons."""

# The programs below are written as they are on purpose.
# ruff: noqa: SIM108, PLR5501, RUF021

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])


def one_armed(x):
    y = x * x
    if x > 1.0:
        y = y * x
    return y + x


def test_if_without_else():
    assert_derivatives(one_armed, 1.5)
    assert_derivatives(one_armed, 0.5)


def two_armed(x):
    if x > 0.0:
        y = np.sin(x)
    else:
        y = np.exp(x) * 2.0
    return y * x


def test_if_else():
    assert_derivatives(two_armed, 0.7)
    assert_derivatives(two_armed, -0.7)


def many_armed(x):
    if x < -1.0:
        y = x
    elif x < 0.0:
        y = x * x
    elif x < 1.0:
        y = x * x * x
    else:
        y = np.sin(x)
    return y


@pytest.mark.parametrize("x", [-1.5, -0.5, 0.5, 1.5])
def test_elif(x):
    assert_derivatives(many_armed, x)


def nested(x, y):
    if x > 0.0:
        if y > 0.0:
            z = x * y
        else:
            z = x - y
        z = z * z
    else:
        if y > 0.0:
            z = np.exp(x)
        elif y < -1.0:
            z = y * y
        else:
            z = x * y * y
    return z + x


@pytest.mark.parametrize("x", [0.6, -0.6])
@pytest.mark.parametrize("y", [0.8, -0.8, -1.8])
def test_nested_branches(x, y):
    assert_derivatives(nested, x, y)


def branch_after_branch(x):
    y = x
    if x > 0.0:
        y = y * x
    if y > 1.0:
        y = np.sin(y)
    if x < y:
        x = y * y
    return x * y


@pytest.mark.parametrize("x", [0.4, 1.3, 2.2, -0.5])
def test_branches_in_sequence(x):
    assert_derivatives(branch_after_branch, x)


def branch_overwrites_its_condition(x):
    if x > 1.0:
        x = 1.0 / x
    if x > 1.0:
        x = x * 100.0
    return x * x


@pytest.mark.parametrize("x", [0.5, 2.0])
def test_branch_that_overwrites_the_tested_name(x):
    assert_derivatives(branch_overwrites_its_condition, x)


def branch_on_a_local_that_changes(x):
    c = x > 0.0
    if c:
        y = x * x
        c = False
    else:
        y = x
        c = True
    if c:
        y = y * 3.0
    return y


@pytest.mark.parametrize("x", [0.5, -2.0])
def test_condition_name_rebound_inside_its_branch(x):
    assert_derivatives(branch_on_a_local_that_changes, x)


def empty_branches(x):
    if x > 0.0:
        pass
    else:
        ...
    return x * x


def test_branches_that_do_nothing():
    assert_derivatives(empty_branches, 0.5)


def type_changes(x):
    y = x
    if x > 0.0:
        y = np.array([1.0, 2.0]) * x
        y = np.sum(y * y)
    else:
        y = (x, x * x)
        y = y[0] * y[1]
    return y


@pytest.mark.parametrize("x", [0.5, -2.0])
def test_name_that_changes_its_type_in_a_branch(x):
    assert_derivatives(type_changes, x)


def different_kinds_flow_out(x):
    y = 0.0
    if x[0] > 0.0:
        y = x
    return np.sum(y * x[1])


@pytest.mark.parametrize("first", [0.5, -0.5])
def test_scalar_and_array_from_two_branches(first):
    assert_derivatives(different_kinds_flow_out, np.array([first, 1.7, -0.3]))


def active_in_one_branch(x):
    y = 2.0
    if x > 0.0:
        y = x
    return y * y * x


@pytest.mark.parametrize("x", [0.5, -0.5])
def test_value_active_in_one_branch_only(x):
    assert_derivatives(active_in_one_branch, x)


def defined_in_one_branch(x):
    if x > 0.0:
        y = x * x
    return y


def test_name_defined_in_one_branch_keeps_its_error():
    assert_derivatives(defined_in_one_branch, 1.5)
    for derivative in (tl.grad(defined_in_one_branch), tl.value_and_grad(defined_in_one_branch)):
        with pytest.raises(UnboundLocalError, match="y"):
            derivative(-1.5)
    with pytest.raises(UnboundLocalError, match="y"):
        tl.jvp(defined_in_one_branch, (-1.5,), (1.0,))


def defined_in_one_branch_unused(x):
    if x > 0.0:
        y = x * x
        z = y * x
    else:
        z = 3.0 * x
    return z


def test_name_defined_in_one_branch_and_not_used_after():
    assert_derivatives(defined_in_one_branch_unused, 1.5)
    assert_derivatives(defined_in_one_branch_unused, -1.5)


def guarded_definition(x):
    flag = x > 0.0
    if flag:
        y = x * x
    z = x
    if flag:
        z = y * 2.0
    return z


def test_name_defined_and_used_under_the_same_condition():
    assert_derivatives(guarded_definition, 1.5)
    assert_derivatives(guarded_definition, -1.5)


def ternary(x):
    y = x * x if x > 0.0 else -x
    return y * (2.0 if y > 1.0 else y)


@pytest.mark.parametrize("x", [0.5, 1.5, -0.5, -1.5])
def test_conditional_expression(x):
    assert_derivatives(ternary, x)


def nested_ternary(x):
    return x if x > 1.0 else x * x if x > 0.0 else (np.sin(x) if x > -1.0 else np.cos(x))


@pytest.mark.parametrize("x", [1.5, 0.5, -0.5, -1.5])
def test_nested_conditional_expression(x):
    assert_derivatives(nested_ternary, x)


def guarded_ternary(x):
    return np.log(x) if x > 0.0 else 0.0


def test_conditional_expression_evaluates_one_side():
    assert_derivatives(guarded_ternary, 2.0)
    with np.errstate(all="raise"):
        assert tl.grad(guarded_ternary)(-2.0) == 0.0


def guarded_division(x):
    if x != 0.0 and 1.0 / x > 0.5:
        return x * x
    return 3.0 * x


def test_and_does_not_evaluate_its_second_operand():
    assert_derivatives(guarded_division, 1.5)
    assert_derivatives(guarded_division, 2.5)
    assert tl.grad(guarded_division)(0.0) == 3.0


def guarded_by_or(x):
    if x == 0.0 or 1.0 / x < 0.5:
        return x * x * x
    return 3.0 * x


def test_or_does_not_evaluate_its_second_operand():
    assert_derivatives(guarded_by_or, 1.5)
    assert_derivatives(guarded_by_or, 2.5)
    assert tl.grad(guarded_by_or)(0.0) == 0.0


def operands_of_or(x, y):
    z = x or y
    w = x and y
    return z * z + 3.0 * w


@pytest.mark.parametrize("y", [0.0, 1.5])
def test_and_or_return_their_operands(y):
    assert_derivatives(operands_of_or, 0.7, y, wrt=0)
    assert tl.grad(operands_of_or, wrt=(0, 1))(0.7, 1.5) == (2 * 0.7, 3.0)
    assert tl.grad(operands_of_or, wrt=(0, 1))(0.0, 1.5) == (3.0, 3.0)


def long_boolean(x, y, z):
    picked = x > 0.0 and y > 0.0 or not z > 0.0
    return x * y if picked else y * z


@pytest.mark.parametrize("x", [0.5, -0.5])
@pytest.mark.parametrize("y", [0.6, -0.6])
@pytest.mark.parametrize("z", [0.7, -0.7])
def test_boolean_operators(x, y, z):
    assert_derivatives(long_boolean, x, y, z)


def chained_comparison(x):
    if -1.0 < x <= 1.0 < 2.0 * x + 1.0:
        return x * x
    return x * x * x


@pytest.mark.parametrize("x", [-1.5, -0.5, 0.5, 1.5])
def test_chained_comparison(x):
    assert_derivatives(chained_comparison, x)


_ticks = 0


def tick(x):
    global _ticks
    _ticks += 1
    return x


tl.elementwise(tick, lambda x, y: 1.0)


def evaluated_once(x):
    if 0.0 < tick(x) < 1.0:
        return x * x
    return x


def test_chained_comparison_evaluates_its_middle_once():
    global _ticks
    for derivative in (tl.grad(evaluated_once), tl.value_and_grad(evaluated_once)):
        derivative(0.5)
        _ticks = 0
        derivative(0.5)
        assert _ticks == 1
    assert tl.grad(evaluated_once)(0.5) == 1.0


def identity_tests(x, option):
    if option is None:
        return x * x
    if option is not None and option != "cube":
        return x
    return x * x * x


@pytest.mark.parametrize("option", [None, "cube", "other"])
def test_is_none_and_strings(option):
    assert_derivatives(identity_tests, 1.3, option, wrt=0)


def membership(x, n):
    return x * x if n in (1, 2, 3) else x * n if n not in (4, 5) else x


@pytest.mark.parametrize("n", [2, 4, 7])
def test_in_and_not_in(n):
    assert_derivatives(membership, 1.3, n, wrt=0)


def truth_of_a_number(x, n):
    if n:
        x = x * x
    if not n:
        x = x * x * x
    while n:
        x = x + x * x
        n = n - 1
    return x


@pytest.mark.parametrize("n", [0, 2])
def test_truth_of_a_number(n):
    assert_derivatives(truth_of_a_number, 0.3, n, wrt=0)


def array_condition(x):
    if np.all(x > -2.0) and np.any(x > 2.0):
        return np.sum(x * x)
    return np.sum(x)


def test_condition_on_a_whole_array():
    assert_derivatives(array_condition, VECTOR)
    assert_derivatives(array_condition, VECTOR - 1.0)


def test_thirty_nested_ifs():
    lines = ["def f(x):", "    y = x"]
    for depth in range(1, 31):
        indent = "    " * depth
        lines += [f"{indent}if x < {100 + depth}.0:", f"{indent}    y = y * np.cos(x / {depth}.0)"]
    lines.append("    return y")
    assert_derivatives(define("\n".join(lines) + "\n", "f"), 0.7)


def python_min_and_max(x, y):
    return max(x * x, y) - 2.0 * min(x, y * y)


@pytest.mark.parametrize("x, y", [(1.5, 0.4), (0.3, 0.9), (0.3, 0.4)])
def test_python_min_and_max(x, y):
    assert_derivatives(python_min_and_max, x, y)


def python_abs(x):
    return abs(x) * x + abs(np.sin(x))


@pytest.mark.parametrize("x", [0.7, -0.7])
def test_python_abs(x):
    assert_derivatives(python_abs, x)


def bound_on_one_path(x, y, n):
    if n < 2:
        if x > 0.5:
            return x * y
        r = y * x
    else:
        r = x
    if n > 3:
        r = r * r * y
    return r


def calls_what_binds_on_one_path(x, y):
    s = 0.0
    for n in range(6):
        s = s + bound_on_one_path(x, y, n) * x
    return s


def binds_in_some_iterations(x, y):
    s = 0.0
    for n in range(6):
        if n < 2:
            if x > 0.5:
                s = s * x
            else:
                r = y * x
        else:
            r = np.array([x, y])
        if n > 3:
            r = r * r * y
            s = s + np.sum(r * r)
        s = s + x * y
    return s


@pytest.mark.parametrize("x", [0.2, 0.7])
@pytest.mark.parametrize("f", [calls_what_binds_on_one_path, binds_in_some_iterations])
def test_what_is_saved_of_a_name_that_may_be_unbound(f, x):
    """Nothing is saved in the iterations in which the name has no value."""
    assert_derivatives(f, x, 1.2)
