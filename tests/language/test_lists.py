"""Lists that grow and change."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives

X = np.array([0.7, -1.3, 2.1, 0.4])


def appended_in_a_loop(x, n):
    states = []
    h = x
    for _ in range(n):
        h = np.tanh(h * 1.1 + 0.1)
        states.append(h)
    return np.sum(np.stack(states) ** 2) + states[-1][0]


def numbers_appended(x, n):
    found = [x[0]]
    for i in range(n):
        found.append(found[-1] * x[1] + found[i])
    return sum(found) + found[2]


def table_of_numbers(x, n):
    table = [0.0] * (n + 1)
    table[0] = x
    for i in range(1, n + 1):
        table[i] = table[i - 1] * x + math.sin(table[i - 1])
    return table[n]


def a_stack(x):
    stack = [x[0], x[1] * x[2]]
    stack.append(x[3])
    top = stack.pop()
    stack.insert(0, top * x[0])
    stack.extend([x[1], top])
    stack[1] = stack[0] * stack[2]
    stack[-1] += x[2]
    stack.reverse()
    return stack[0] * stack[1] + stack[-1] + len(stack)


def two_names_of_a_list(x):
    a = [x[0], x[1]]
    b = a
    b[0] = x[2]
    c = list(a)
    c[1] = 5.0
    return a[0] * a[1] + c[0] * c[1]


def list_argument(items):
    items[0] = items[1] * 2.0
    total = 0.0
    for v in items:
        total += v * v
    return total


def nested_lists(x):
    m = [[x[0], x[1]], [x[2], x[3]]]
    m[0][1] = m[1][0] * m[0][0]
    m[1] = [m[0][1], 2.0]
    row = m[0]
    row[0] += x[3]
    return m[0][0] * m[0][1] + m[1][0]


def in_a_branch(x, flag):
    parts = [x[0]]
    if flag > 0:
        parts.append(x[1] * x[2])
    else:
        parts.append(x[3])
    return parts[0] * parts[1]


def popped_in_a_loop(x, n):
    found = []
    for i in range(n):
        found.append(x * (i + 1.0))
    total = 0.0
    for i in range(n):
        total += math.sin(found.pop()) * (i + 1.0)
    return total


def while_appending(x):
    found = [x]
    while found[-1] < 20.0:
        found.append(found[-1] * 1.7 + 1.0)
    return found[-1] + found[0]


def callee_appends(x):
    found = []

    def note(v):
        found.append(v * v)

    note(x[0])
    note(x[1])
    return found[0] * found[1]


@pytest.mark.parametrize("f", [
    a_stack, two_names_of_a_list, nested_lists, callee_appends,
], ids=lambda f: f.__name__)  # fmt: skip
def test_lists_of_known_length(f):
    assert_derivatives(f, X)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_a_list_of_arrays_built_in_a_loop(n):
    assert_derivatives(appended_in_a_loop, X, n, wrt=0)


@pytest.mark.parametrize("n", [2, 5])
def test_a_list_of_numbers_built_in_a_loop(n):
    assert_derivatives(numbers_appended, X[:2], n, wrt=0)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_table(n):
    assert_derivatives(table_of_numbers, 0.4, n, wrt=0)


@pytest.mark.parametrize("n", [0, 3])
def test_a_list_that_shrinks(n):
    assert_derivatives(popped_in_a_loop, 0.4, n, wrt=0)


@pytest.mark.parametrize("flag", [1, -1])
def test_a_list_in_a_branch(flag):
    assert_derivatives(in_a_branch, X, flag, wrt=0)


def test_while():
    assert_derivatives(while_appending, 1.3)


def test_a_list_as_argument_is_not_changed():
    items = [1.0, 2.0, 3.0]
    gradient = tl.grad(list_argument)(items)
    assert items == [1.0, 2.0, 3.0]
    assert gradient == [0.0, 2 * 4.0 * 2.0 + 2 * 2.0, 6.0]


CALLS = []
TABLE = {"a": 1.0}


def appends_outside(x):
    CALLS.append(x)
    return x * x


def writes_outside(x):
    table = TABLE
    table["a"] = x
    return table["a"] * x


@pytest.mark.parametrize("f", [appends_outside, writes_outside])
def test_what_lives_outside_is_not_written(f):
    with pytest.raises(TangentLikeError, match="outside"):
        tl.grad(f)(2.0)
