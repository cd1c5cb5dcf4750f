"""Nested functions that write variables of the function around them."""

import functools
import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported, TangentLikeError
from tests.derivatives import assert_derivatives


def accumulates(x):
    count = 0
    total = 0.0

    def add(v):
        nonlocal count, total
        count += 1
        total += v * x

    add(x)
    add(2.0)
    for i in range(3):
        add(x * i)
    return total * count


def recurrence(x, n=4):
    state = x

    def step(v):
        nonlocal state
        state = state * 0.5 + v
        return state * v

    out = 0.0
    for i in range(n):
        out += step(x * i)
    return out + state


def counters(x):
    def make(start):
        n = start

        def count():
            nonlocal n
            n = n * x
            return n

        return count

    c, d = make(1.0), make(x)
    c()
    c()
    return c() + d() * 2.0 + d()


def in_a_branch(x, n=4):
    best = 0.0

    def see(v):
        nonlocal best
        if v > best:
            best = v * 1.0

    for i in range(n):
        see(math.sin(x * (i + 1)))
    return best * x


def called_in_a_branch(x):
    y = x

    def double():
        nonlocal y
        y = y * x * 2.0

    if x > 0.5:
        double()
    else:
        y = 3.0
    double()
    return y


def passed_to_another_function(x, n=3):
    total = 0.0

    def add(v):
        nonlocal total
        total = total * x + v

    apply_to_each(add, x, n)
    return total


def apply_to_each(f, x, n):
    for i in range(n):
        if i != 1:
            f(x + i)


def two_levels(x):
    a = x

    def middle():
        b = x * 2.0

        def inner():
            nonlocal a, b
            a = a * b
            b = b + a

        inner()
        inner()
        return b

    return middle() + a


def a_parameter(x, y=2.0):
    def scale():
        nonlocal x
        x = x * y

    scale()
    scale()
    return x * x


def while_loop(x):
    n = 0

    def done():
        nonlocal n
        n += 1
        return x * n > 3.0

    while not done():
        x = x * 1.1
    return x * n


def in_comprehensions(x):
    total = x

    def add(v):
        nonlocal total
        total = total + v * x
        return total

    return sum([add(v) for v in (1.0, x, 2.0)]) + sum(map(add, [x, x])) + total


def in_a_comprehension_of_unknown_length(x):
    total = 0.0

    def add(v):
        nonlocal total
        total = total + v * v
        return total

    return sum([add(v) for v in x if v > 0.0]) * total


def folded(x):
    calls = 0

    def step(a, b):
        nonlocal calls
        calls += 1
        return a * b + calls

    return functools.reduce(step, [x, 2.0, x])


def arrays(x):
    total = np.zeros(3)

    def add(v):
        nonlocal total
        total = total + v * x

    for k in range(3):
        add(x[k])
    return np.sum(total * total)


def arrays_in_place(x):
    total = np.zeros(3)
    count = 0

    def add(v):
        nonlocal total, count
        total += v * x
        count += 1

    add(x[0])
    add(x[1] * count)
    return np.sum(total * total)


def chosen_functions(x, k=1):
    a = x

    def up():
        nonlocal a
        a = a * x

    def down():
        nonlocal a
        a = a + 2.0 * x

    for i in range(3):
        [up, down][(i + k) % 2]()
    return a


def unbound_until_called(x):
    def start():
        nonlocal y
        y = x * x

    start()
    if x > 100.0:
        y = 0.0
    y = y * 2.0
    return y


def early_return(x):
    seen = 0.0

    def look(v):
        nonlocal seen
        seen = seen + v
        if v > 1.0:
            return v * x
        seen = seen * 2.0
        return v

    return look(x) + look(2.0 * x) + seen


@pytest.mark.parametrize(
    "function",
    [
        accumulates, recurrence, counters, in_a_branch, called_in_a_branch,
        passed_to_another_function, two_levels, a_parameter, while_loop, in_comprehensions,
        folded, chosen_functions, unbound_until_called, early_return,
    ],
)  # fmt: skip
@pytest.mark.parametrize("x", [0.7, 0.31])
def test_a_variable_that_a_nested_function_writes(function, x):
    assert_derivatives(function, x)


@pytest.mark.parametrize(
    "function", [arrays, arrays_in_place, in_a_comprehension_of_unknown_length]
)
def test_an_array_that_a_nested_function_writes(function):
    assert_derivatives(function, np.array([0.3, 0.7, -0.4]))


def reads_too_soon(x):
    def add():
        nonlocal y
        y = y + x

    add()
    y = x
    return y


def test_reading_before_writing_raises_what_python_raises():
    with pytest.raises(NameError):
        reads_too_soon(0.7)
    with pytest.raises(NameError):
        tl.grad(reads_too_soon)(0.7)


def recursive(x, n=3):
    total = 0.0

    def visit(k):
        nonlocal total
        total = total + x * k
        if k > 0:
            visit(k - 1)

    visit(n)
    return total


def differentiated_inside(x):
    calls = 0

    def square(v):
        nonlocal calls
        calls = calls + 1
        return v * v

    return tl.grad(square)(x) * calls


def test_a_recursive_function_writes_a_variable_around_it():
    assert_derivatives(recursive, 0.7)


def test_where_it_is_not_known_how_often_it_is_written():
    with pytest.raises(TangentLikeError) as raised:
        tl.grad(differentiated_inside)(0.7)
    assert raised.value.place.line > 0


TOTAL = 0.0


def writes_a_global(x):
    global TOTAL
    TOTAL = x
    return x * TOTAL


def test_global_variables_are_not_written():
    with pytest.raises(NotYetSupported, match="TOTAL"):
        tl.grad(writes_a_global)(0.7)
