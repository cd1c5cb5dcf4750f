"""Exits: `break`, `continue`, `for/else`, `while/else`, and `return` from any depth."""

# The programs below are written as they are on purpose.
# ruff: noqa: B007, PLW0120

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives

VECTOR = np.array([0.3, -1.2, 2.1, 0.4])


def breaks(x, n):
    y = x
    for i in range(n):
        y = y * (1.0 + 0.3 * x)
        if y > 2.0:
            break
        y = y + 0.1 * i
    return y


@pytest.mark.parametrize("n", [0, 1, 3, 20])
def test_break(n):
    assert_derivatives(breaks, 0.7, n, wrt=0)


def breaks_at_once(x):
    for _ in range(5):
        break
    return x * x


def test_break_in_the_first_statement():
    assert_derivatives(breaks_at_once, 0.7, complex_ok=True)


def breaks_with_a_change(x):
    y = x
    for i in range(10):
        if y > 1.5:
            y = y * y * i
            break
        y = y + x * x
    return y


@pytest.mark.parametrize("x", [0.3, 0.7, 1.7])
def test_break_after_a_change(x):
    assert_derivatives(breaks_with_a_change, x)


def newton_sqrt(a, x):
    for _ in range(50):
        step = 0.5 * (x - a / x)
        if abs(step) < 1e-12:
            break
        x = x - step
    return x


def test_newton_square_root():
    gradient = tl.grad(newton_sqrt, wrt=(0, 1))(2.0, 1.5)
    assert abs(gradient[0] - 0.5 / np.sqrt(2.0)) < 1e-12
    assert abs(gradient[1]) < 1e-5
    assert tl.jvp(newton_sqrt, (2.0, 1.5), (1.0, 0.0))[1] == pytest.approx(0.5 / np.sqrt(2.0))


def continues(x, n):
    y = x
    for i in range(n):
        if i % 3 == 1:
            continue
        y = y * x + i
        if y > 3.0:
            y = 0.5 * y
            continue
        y = np.sin(y)
    return y


@pytest.mark.parametrize("n", [0, 2, 7])
def test_continue(n):
    assert_derivatives(continues, 1.3, n, wrt=0)


def continue_in_while(x):
    i = 0
    while i < 6:
        i += 1
        if i == 3:
            continue
        x = np.sin(x) * i
    return x


def test_continue_in_while():
    assert_derivatives(continue_in_while, 0.7, complex_ok=True)


def break_in_while(x):
    i = 0
    while True:
        x = x * 0.7 + 0.1 * np.sin(x)
        i += 1
        if x < 0.3 or i > 20:
            break
    return x * i


@pytest.mark.parametrize("x", [0.2, 1.7, 5.0])
def test_break_out_of_an_endless_loop(x):
    assert_derivatives(break_in_while, x)


def break_and_continue(x, n):
    y = 1.0
    for i in range(n):
        if i == 2:
            continue
        if i == 5:
            break
        y = y * (x + i)
    return y * i


@pytest.mark.parametrize("n", [1, 3, 5, 9])
def test_break_and_continue(n):
    assert_derivatives(break_and_continue, 0.7, n, wrt=0, complex_ok=True)


def break_inner(x, n):
    y = x
    for i in range(n):
        for j in range(n):
            if j > i:
                break
            y = y + x * np.sin(j * y)
        y = 0.7 * y
    return y


def test_break_of_the_inner_loop():
    assert_derivatives(break_inner, 0.7, 3, wrt=0, complex_ok=True)


def break_both(x):
    y = x
    for _ in range(5):
        for _ in range(5):
            y = y * 1.2
            if y > 2.0:
                break
        if y > 2.0:
            y = y * x
            break
        y = y + x
    return y


@pytest.mark.parametrize("x", [0.3, 0.7, 1.9])
def test_break_of_both_loops(x):
    assert_derivatives(break_both, x)


def for_else(x, limit):
    y = x
    for i in range(4):
        y = y * 1.3
        if y > limit:
            y = y * x
            break
    else:
        y = np.sin(y) + i
    return y


@pytest.mark.parametrize("limit", [1.0, 1.5, 100.0])
def test_for_else(limit):
    assert_derivatives(for_else, 0.7, limit, wrt=0)


def for_else_without_break(x, n):
    y = x
    for _ in range(n):
        y = y * x
    else:
        y = y * y
    return y


@pytest.mark.parametrize("n", [0, 2])
def test_for_else_without_break(n):
    assert_derivatives(for_else_without_break, 0.7, n, wrt=0, complex_ok=True)


def while_else(x, limit):
    n = 0
    while n < 5:
        x = x * 1.3
        n += 1
        if x > limit:
            break
    else:
        x = x * x
    return x


@pytest.mark.parametrize("limit", [0.1, 1.5, 100.0])
def test_while_else(limit):
    assert_derivatives(while_else, 0.7, limit, wrt=0)


def else_of_the_inner_loop_breaks_the_outer(x, n):
    y = x
    for i in range(n):
        for j in range(3):
            y = y + 0.1 * x * j
            if y > 1.0 + i:
                break
        else:
            y = y * x
            break
        y = y * 1.1
    return y


@pytest.mark.parametrize("x", [0.4, 0.9, 1.9])
def test_else_of_the_inner_loop_breaks_the_outer(x):
    assert_derivatives(else_of_the_inner_loop_breaks_the_outer, x, 4, wrt=0)


def two_returns(x):
    if x > 0.0:
        return x * x
    return np.sin(x)


@pytest.mark.parametrize("x", [0.7, -0.7])
def test_two_returns(x):
    assert_derivatives(two_returns, x)


def returns_in_both_arms(x):
    if x > 0.0:
        y = x * x
        return y * x
    else:
        y = x * 3.0
        return y * y


@pytest.mark.parametrize("x", [0.7, -0.7])
def test_return_in_both_arms(x):
    assert_derivatives(returns_in_both_arms, x)


def many_returns(x, y):
    if x > 1.0:
        if y > 1.0:
            return x * y
        x = x * y
        if x > 1.0:
            return x - y
    elif x > 0.0:
        return y * y * x
    y = y * x
    if y < -1.0:
        return y
    return x * np.sin(y)


@pytest.mark.parametrize("x", [1.5, 0.5, -1.5])
@pytest.mark.parametrize("y", [1.7, 0.7, 0.2, -0.8])
def test_many_returns(x, y):
    assert_derivatives(many_returns, x, y)


def returns_from_a_loop(x, n):
    y = x
    for i in range(n):
        y = y * (1.0 + x)
        if y > 2.0:
            return y * i
        y = y + 0.1
    return np.sin(y)


@pytest.mark.parametrize("n", [0, 1, 2, 20])
def test_return_inside_a_loop(n):
    assert_derivatives(returns_from_a_loop, 0.7, n, wrt=0)


def returns_at_once(x):
    for a in (x, x * x):
        return a * x
    return x


def test_return_in_the_first_iteration():
    assert_derivatives(returns_at_once, 0.7, complex_ok=True)


def returns_from_nested_loops(x, n):
    y = x
    for i in range(n):
        for j in range(n):
            if i * j == 2:
                continue
            y = y + 0.2 * x * j
            while y > 1.5:
                y = y * 0.5
                if y < 0.8:
                    return y * x + i
        if y > 1.2:
            break
    else:
        return y * y
    return y * 3.0


@pytest.mark.parametrize("x", [0.1, 0.45, 0.7, 1.1, 1.22, 1.9, 6.1])
def test_return_from_nested_loops(x):
    assert_derivatives(returns_from_nested_loops, x, 3, wrt=0)


def returns_inside_else(x, n):
    for i in range(n):
        if x > 1.0 + i:
            break
        x = x * 1.5
    else:
        return x * x
    return np.sin(x) * n


@pytest.mark.parametrize("x", [0.1, 0.9, 1.4])
@pytest.mark.parametrize("n", [0, 2])
def test_return_inside_loop_else(x, n):
    assert_derivatives(returns_inside_else, x, n, wrt=0)


def returns_from_while(x):
    while True:
        x = x * 0.7
        if x < 1.0:
            return x * x


@pytest.mark.parametrize("x", [0.5, 9.0])
def test_return_from_an_endless_loop(x):
    assert_derivatives(returns_from_while, x)


def code_after_return(x):
    y = x * x
    return y
    y = y * 1000.0
    return y


def test_code_after_return():
    assert_derivatives(code_after_return, 0.7, complex_ok=True)


def finds_first_negative(xs):
    for i in range(len(xs)):
        if xs[i] < 0.0:
            return xs[i] * i + xs[0]
    return np.sum(xs)


def test_search_that_returns():
    assert_derivatives(finds_first_negative, VECTOR)
    assert_derivatives(finds_first_negative, np.abs(VECTOR))


def skips_elements(xs):
    s = 0.0
    for a in xs:
        if a < 0.0:
            continue
        s = s + a * a * s + a
    return s


def test_continue_over_elements():
    assert_derivatives(skips_elements, VECTOR)


def raises_in_the_middle(x, n):
    y = x
    for _ in range(n):
        y = y * 2.0
    z = y / (x - 1.0)
    for _ in range(n):
        z = z * y
    return z


def test_exception_in_mid_sweep_leaves_the_next_call_right():
    gradient = tl.grad(raises_in_the_middle)
    before = gradient(3.0, 3)
    with pytest.raises(ZeroDivisionError):
        gradient(1.0, 3)
    assert gradient(3.0, 3) == before
    assert_derivatives(raises_in_the_middle, 3.0, 3, wrt=0)


def exit_path_depends_on_state(x, n):
    s = 0.0
    p = 1.0
    for i in range(n):
        p = p * (x + 0.5)
        if p > 4.0:
            s = s + p
            break
        if p < 0.2:
            s = s - p * p
            continue
        s = s + i * p * x
    return s * p


@pytest.mark.parametrize("x", [-0.1, 0.2, 0.9, 1.4])
def test_exit_paths_that_change_the_result(x):
    assert_derivatives(exit_path_depends_on_state, x, 5, wrt=0)


def continues_always(x, n):
    k = 0
    while k < n:
        k += 1
        if 0 * k < 2:
            continue
        x, k = x * x, k + 1
    return x * x


@pytest.mark.parametrize("n", [0, 3])
def test_name_assigned_only_after_a_certain_continue(n):
    """The loop carries `x` although no iteration reaches its assignment."""
    assert_derivatives(continues_always, 0.7, n, wrt=0)


# Names keep their kind on the path that goes on, whatever they hold where the function has
# returned.


def tuple_on_the_path_that_has_returned(x, y):
    if x > 0.5:
        if y > 1.0:
            x = (x, y)
            return x[0] * y
        y = y * 2.0
    x *= y
    return x


def array_on_the_path_that_has_returned(x, y):
    a = x * y
    if x > 0.5:
        if y > 1.0:
            a = np.array([x, y])
            return np.sum(a)
        y = y * 2.0
    a *= y
    return a


def tuples_on_the_path_that_goes_on(x, y):
    p = 1.0
    if x > 0.5:
        if y > 1.0:
            p = x
            return p * y
        p = (np.array([x, y]), (y, x * y))
    else:
        p = (np.array([y, x]), (x, x + y))
    a, (b, c) = p
    b *= c
    return np.sum(a * b)


def tuple_where_a_loop_is_left(x, y):
    p = np.array([x, y])
    for i in range(4):
        if y > 1.0:
            if x > 0.9:
                p = (x, y)
                return p[0] * p[1] * i
            x = x + 0.2 * y
        p = p * x
    return np.sum(p)


@pytest.mark.parametrize("x, y", [(0.3, 0.7), (0.7, 0.8), (0.7, 1.3), (0.2, 1.5)])
@pytest.mark.parametrize("f", [
    tuple_on_the_path_that_has_returned, array_on_the_path_that_has_returned,
    tuples_on_the_path_that_goes_on, tuple_where_a_loop_is_left,
])  # fmt: skip
def test_names_of_a_path_that_has_returned(f, x, y):
    assert_derivatives(f, x, y)


def closures_of_a_path_that_has_returned(x, y):
    def pick():
        scale = y
        if x > 0.5:
            if y > 1.0:
                scale = np.array([x, y])
                return lambda t: t * scale[0]
            scale = 3.0
        return lambda t: t + scale

    return pick()(x * y)


@pytest.mark.parametrize("x, y", [(0.3, 0.7), (0.7, 0.8), (0.7, 1.3), (0.2, 1.5)])
def test_closures_of_a_path_that_has_returned(x, y):
    """What a returned function captured is read after the return."""
    assert_derivatives(closures_of_a_path_that_has_returned, x, y)


def returns_tuples_from_a_loop(s):
    for i in [s, 0.5, 0.5]:
        if s < 0.3:
            if i > 0.4:
                return (np.abs(s), s)
            s *= 2.0
        if i > 0.7:
            return (0.4, 0.5)
    return (s, s)


@pytest.mark.parametrize("s", [0.1, 0.25, 0.6, 0.9])
def test_tuples_returned_from_a_loop(s):
    assert_derivatives(returns_tuples_from_a_loop, s)


def lists_of_two_lengths(x):
    for _ in range(2):
        if x > 0.3:
            return [x, x * 2.0]
        x = x * 1.5
    return [x * x, 1.0, x * 3.0]


def tuples_from_everywhere(x, n):
    for i in range(n):
        for j in range(2):
            if x * i > 0.5:
                return x, (x * j, x)
            if i > 2:
                return (x * 5.0,)
        x = x * 1.5
    while x > 3.0:
        x = x - 1.0
        if x < 2.5:
            return x, x, x
    return x, x * x


@pytest.mark.parametrize("x", [0.7, 0.25, 0.1])
def test_a_return_in_a_loop_of_another_length(x):
    def first_two(x):
        y = lists_of_two_lengths(x)
        return y[0] * 2.0 + y[1] * 3.0

    assert_derivatives(first_two, x)
    assert_derivatives(lists_of_two_lengths, x)


@pytest.mark.parametrize(("x", "n"), [(0.7, 3), (0.4, 2), (0.01, 5), (1.9, 1), (2.9, 1), (2.1, 1)])
def test_returns_of_several_structures(x, n):
    def first(x):
        return tuples_from_everywhere(x, n)[0] * 2.0

    assert_derivatives(first, x)


def leaves_one_of_a_few(x):
    """A loop over known items is written out; `break` inside of branches does not return."""
    y = x
    for a, *b in ([x, 1.0], [2.0, x, x]):
        b = b[0]
        if x > 0.2:
            if x < 0.5:
                y = y + b
                if y > 1.2:
                    break
        if y * a > 1.0:
            return x * y * a
        y = y * 1.1
    return x * y


@pytest.mark.parametrize("x", [0.1, 0.15, 0.3, 0.45, 0.6, 0.7, 1.3])
def test_breaks_in_branches_of_a_loop_that_is_written_out(x):
    assert_derivatives(leaves_one_of_a_few, x, complex_ok=False)


def leaves_at_once(x, items):
    while x > -9.0:
        while 2:
            return items
    return [x]


def test_a_loop_of_which_nothing_is_left():
    assert_derivatives(leaves_at_once, 0.7, [0.3, 0.4])


def binds_a_pair_in_an_else(x):
    total = 0.0
    for p in [total, 0.2, x[0]]:
        for c in "ab":
            if len(c) > 1:
                pair = total
        else:
            name, pair = c, x
        total = total + p * x[1]
    return total * pair[0] * pair[1] * len(name)


def test_a_pair_that_a_loop_binds_behind_another():
    assert_derivatives(binds_a_pair_in_an_else, (0.7, -1.3))


def test_the_test_of_a_loop_outlives_what_the_loop_carries_on():
    """Whether to go on had the name of a zero tangent that the end of the body computes."""

    def f(v):
        k = 0
        while k < 4:
            k += 1
            t = 0.8 * v[0]
            v = np.sin(v * v - t)
            if t < -50.0:
                return divmod(v + 3.0, 50.0)
        return np.cos(v[2]) * 0.4, np.arctan(v[0])

    assert_derivatives(f, VECTOR)
    value, _ = tl.jvp(f, (VECTOR,), (VECTOR,))
    assert value == f(VECTOR)


def returns_beside_a_list_of_another_length(x, items):
    if x > 0.2:
        if x > 0.6:
            return items[0] * x
        items = [x, 0.4]
    return items[0] * items[1] * x


def breaks_beside_a_list_of_another_length(x, items):
    total = x
    for k in range(3):
        if x > 0.2:
            if x * k > 0.6:
                break
            items = [x * k, 0.4]
        total = total + items[0] * items[-1]
    return total + items[0]


@pytest.mark.parametrize("x", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("f", [
    returns_beside_a_list_of_another_length, breaks_beside_a_list_of_another_length,
])  # fmt: skip
def test_a_list_of_another_length_beside_an_exit(f, x):
    assert_derivatives(f, x, [0.3, -0.7])
    assert_derivatives(f, x, [0.3, -0.7, 1.1])
