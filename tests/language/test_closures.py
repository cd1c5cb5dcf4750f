"""Closures, nested functions, lambdas and globals: read when the derivative is called."""

# The programs below are written as they are on purpose.
# ruff: noqa: PLC3002

import functools
import math
import textwrap

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NeverSupported, NotYetSupported
from tests.derivatives import assert_derivatives, check_slopes, define

VECTOR = np.array([0.3, -1.2, 2.1])
SCALE = 3.0
WEIGHTS = np.array([0.5, -0.25, 2.0])


def make_power(n):
    def power(x):
        return x**n

    return power


def test_closure_over_a_constant():
    assert_derivatives(make_power(3), 0.7, complex_ok=True)


def test_two_closures_of_one_function_with_different_values():
    square, cube = make_power(2), make_power(3)
    assert tl.grad(square)(2.0) == 4.0
    assert tl.grad(cube)(2.0) == 12.0
    assert tl.grad(square)(2.0) == 4.0


def test_one_function_calls_two_closures():
    f = define("def f(x):\n    return a(x) + 2.0 * b(x) + a(b(x))\n", "f", a=make_power(2),
               b=make_power(3))  # fmt: skip
    assert_derivatives(f, 0.7, complex_ok=True)


def make_counter(start):
    factor = start

    def scaled(x):
        return factor * x * x

    def change(value):
        nonlocal factor
        factor = value

    return scaled, change


def test_closure_cell_is_read_at_the_call():
    scaled, change = make_counter(1.0)
    gradient = tl.grad(scaled)
    assert gradient(3.0) == 6.0
    change(10.0)
    assert gradient(3.0) == 60.0
    change(VECTOR)
    value, tangent = tl.jvp(scaled, (3.0,), (1.0,))
    np.testing.assert_array_equal(value, VECTOR * 9.0)
    np.testing.assert_array_equal(tangent, VECTOR * 6.0)


def make_from_array(weights):
    def score(x):
        return np.sum(weights * np.sin(x))

    return score


def test_closure_over_an_array_changed_in_place():
    weights = np.array([1.0, 2.0, 3.0])
    score = make_from_array(weights)
    gradient = tl.grad(score)
    np.testing.assert_allclose(gradient(VECTOR), weights * np.cos(VECTOR), rtol=1e-14)
    weights[:] = [5.0, 6.0, 7.0]
    np.testing.assert_allclose(gradient(VECTOR), weights * np.cos(VECTOR), rtol=1e-14)
    assert_derivatives(score, VECTOR, complex_ok=True)


def test_returned_gradient_does_not_alias_a_captured_array():
    weights = np.array([1.0, 2.0, 3.0])

    def linear(x):
        return np.sum(weights * x)

    gradient = tl.grad(linear)(VECTOR)
    gradient *= 0.0
    np.testing.assert_array_equal(weights, [1.0, 2.0, 3.0])


def reads_globals(x):
    return SCALE * np.sum(WEIGHTS * x * x)


def test_globals():
    assert_derivatives(reads_globals, VECTOR, complex_ok=True)


def test_globals_are_read_at_the_call(monkeypatch):
    gradient = tl.grad(reads_globals)
    np.testing.assert_allclose(gradient(VECTOR), 6.0 * WEIGHTS * VECTOR)
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    np.testing.assert_allclose(gradient(VECTOR), 10.0 * WEIGHTS * VECTOR)
    monkeypatch.setitem(globals(), "WEIGHTS", 2.0)
    np.testing.assert_allclose(gradient(VECTOR), 20.0 * VECTOR)


def test_module_of_the_function_is_left_as_it_was():
    f = define(
        "SCALE = 2.0\ndef g(x):\n    return SCALE * x\ndef f(x):\n    return g(x) * x\n", "f"
    )
    before = dict(f.__globals__)
    tl.grad(f)(0.7)
    tl.jvp(f, (0.7,), (1.0,))
    assert f.__globals__ == before


def reads_its_global_and_a_helper_reads_it_too(x):
    return SCALE * reads_globals(x)


def test_global_read_in_caller_and_callee(monkeypatch):
    assert_derivatives(reads_its_global_and_a_helper_reads_it_too, VECTOR, complex_ok=True)
    monkeypatch.setitem(globals(), "SCALE", 0.5)
    assert_derivatives(reads_its_global_and_a_helper_reads_it_too, VECTOR, complex_ok=True)


def nested_function(x, y):
    def inner(t):
        return t * t + y

    return inner(x) * inner(y)


def test_nested_function():
    assert_derivatives(nested_function, 0.7, -0.4, complex_ok=True)


def nested_with_default(x):
    def inner(t, scale=x * x):
        return t * scale

    y = inner(x)
    x = x + 100.0
    return y + inner(x, 0.5) + inner(1.0)


def test_default_of_a_nested_function_is_taken_at_its_definition():
    assert_derivatives(nested_with_default, 0.7, complex_ok=True)


def late_binding(x):
    y = x

    def inner(t):
        return t * y

    a = inner(2.0)
    y = x * x
    b = inner(3.0)
    return a + b


def test_nested_function_reads_names_when_called():
    assert_derivatives(late_binding, 0.7, complex_ok=True)


def defined_before_its_names(x):
    def inner():
        return later * later

    later = x * 3.0
    return inner()


def test_nested_function_uses_a_name_bound_later():
    assert_derivatives(defined_before_its_names, 0.7, complex_ok=True)


def closures_two_deep(x, y):
    def middle(a):
        def inner(b):
            return a * b * x

        return inner(y) + inner(a)

    return middle(x * y)


def test_nested_function_inside_a_nested_function():
    assert_derivatives(closures_two_deep, 0.7, -0.4, complex_ok=True)


def own_locals(x):
    t = x * x

    def inner(x):
        t = x * 3.0
        return t * x

    return inner(t) + t * x


def test_nested_function_has_its_own_locals():
    assert_derivatives(own_locals, 0.7, complex_ok=True)


def nested_recursion(x, n):
    def power(k):
        return 1.0 if k == 0 else x * power(k - 1)

    return power(n)


def test_nested_function_that_calls_itself():
    assert_derivatives(nested_recursion, 0.7, 4, wrt=0, complex_ok=True)


def defined_in_a_loop(x, n):
    s = 0.0
    for i in range(n):

        def inner(t, i=i):
            return t * i * x

        s = s + inner(x + s)
    return s


def test_nested_function_defined_in_a_loop():
    assert_derivatives(defined_in_a_loop, 0.3, 4, wrt=0, complex_ok=True)


def defined_in_a_branch(x):
    if x > 0.0:

        def inner(t):
            return t * t * x
    else:

        def inner(t):
            return t - x * x

    return inner(x) * 2.0


@pytest.mark.parametrize("x", [0.7, -0.7])
def test_nested_function_defined_in_a_branch(x):
    assert_derivatives(defined_in_a_branch, x)


def lambdas(x, y):
    f = lambda t: t * t + y
    g = lambda a, b=x: a * b
    return f(x) * g(y) + (lambda: x * y)()


def left_early(x, n):
    t = 0.5
    if n > 0:
        t = 0.6
    else:
        for _ in range(1, 4):
            if x[0] > 9.0:
                return 0.7
            t = t * x[0]
    return np.mean([t * u for u in x]) + t


def left_early_and_read_in_a_branch(x, n):
    if n < 0:
        return 0.7
    elif n > 1:
        t = x
    else:
        t = x * x

    def helper(u):
        if u > 0.5:
            return t * u
        return u

    return helper(x) + t


@pytest.mark.parametrize("n", [-1, 0, 1, 2])
def test_a_name_that_a_return_leaves_undefined_is_read_by_an_inner_function(n):
    """It is read again where the inner block has ended."""
    assert_derivatives(lambda x: left_early(x, n), np.array([0.3, 0.4, 0.5]))
    assert_derivatives(lambda x: left_early_and_read_in_a_branch(x, n), 0.7)
    assert_derivatives(lambda x: left_early_and_read_in_a_branch(x, n), 0.3)


def test_lambda():
    assert_derivatives(lambdas, 0.7, -0.4, complex_ok=True)


def test_lambda_as_the_differentiated_function():
    assert tl.grad(lambda x: x * x * x)(2.0) == 12.0
    assert tl.grad(lambda x, y=3.0: x * y)(2.0) == 3.0


def test_two_lambdas_on_one_line():
    f, g = lambda x: x * x, lambda x: x * x * x
    assert tl.grad(f)(2.0) == 4.0
    assert tl.grad(g)(2.0) == 12.0


def test_equal_lambdas_of_different_closures_on_one_line():
    fs = [lambda x, n=n: x**n for n in (1.0, 2.0, 3.0)]
    assert [tl.grad(f)(2.0) for f in fs] == [1.0, 4.0, 12.0]


def test_lambda_inside_an_expression_of_many_lines():
    value = tl.grad(
        lambda x: (
            x * x
            + 3.0 * x
        )
    )(2.0)  # fmt: skip
    assert value == 7.0


def local_lambda_passed_on(x, y):
    def twice(f, t):
        return f(f(t))

    return twice(lambda t: t * t + y, x)


def test_lambda_passed_to_a_nested_function():
    assert_derivatives(local_lambda_passed_on, 0.7, -0.4, complex_ok=True)


def test_function_defined_inside_a_test():
    factor = 4.0

    def local(x):
        return factor * x * x

    assert_derivatives(local, 0.7, complex_ok=True)


def composed(x):
    def compose(f, g):
        return lambda t: f(g(t))

    h = compose(np.sin, lambda t: t * x)
    return h(x) * h(2.0)


def test_function_that_returns_a_function():
    assert_derivatives(composed, 0.7, complex_ok=True)


def test_closure_over_a_function():
    def make(inner):
        def outer(x):
            return inner(x) * x

        return outer

    assert_derivatives(make(make_power(2)), 0.7, complex_ok=True)
    assert_derivatives(make(np.sin), 0.7, complex_ok=True)


def test_resolved_function_changes_with_its_cell():
    """Two closures of one code object whose cells hold different functions."""

    def make(inner):
        def outer(x):
            return inner(x)

        return outer

    assert tl.grad(make(make_power(2)))(3.0) == 6.0
    assert tl.grad(make(make_power(3)))(3.0) == 27.0


def make_empty_cell():
    def f(x):
        return x * never_set

    if False:
        never_set = 1.0
    return f


def test_empty_cell_raises_its_own_error():
    with pytest.raises(NameError, match="never_set"):
        tl.grad(make_empty_cell())(2.0)


def _square(t):
    return t * t


def _identity(t):
    return t


def chosen_by_elif(x, k):
    if k == 0:
        h = _square
    elif k == 1:
        h = math.sin
    else:
        h = _identity
    return h(x) * h(2.0 * x)


def chosen_by_expressions(x, k):
    h = _square if k == 0 else (math.sin if k == 1 else _identity)
    return h(x) + h(x * x)


def chosen_in_a_loop(x, k):
    s = 0.0
    for i in range(4):
        if i == k:
            h = _square
        elif i > k:
            h = math.sin
        elif i == 0:
            h = _identity
        else:
            h = math.exp
        s += h(x) * x
    return s


@pytest.mark.parametrize("f", [chosen_by_elif, chosen_by_expressions, chosen_in_a_loop])
@pytest.mark.parametrize("k", [0, 1, 2])
def test_one_of_three_functions(f, k):
    assert_derivatives(f, 0.7, k, wrt=0, order=2)


def powers(a, n):
    def count(u, k):
        return u * t if k < 1 else count(u * a, k - 1)

    t = a * a
    return lambda u: count(u, n)


def test_functions_that_call_themselves_made_in_branches_of_a_loop():
    def f(x, y):
        for i in range(3):
            if x > 0.2 * i:
                g = powers(x, i)
            elif x > 5:
                g = powers(y + 1, 2)
            else:
                g = math.cos
            x = x + 0.3 * math.sin(g(y) * x)
        return x

    assert_derivatives(f, 0.5, 0.8)
    assert_derivatives(f, -0.5, 0.8)


# --- recursive functions that read what changes between their calls -------------------------------


def change_first(z, x):
    z[0] = x * x


def top(n, g):
    return g() if n < 1 else top(n - 1, g) * g()


READ = {
    "a number": ("z = x", "z", ["z = x * x", "for i in range(2):\n    z = z * x"]),
    "a constant": ("z = 2.0", "z", ["z = 3.0", "if x > 0.0:\n    z = x"]),
    "an array": ("z = np.array([x, 2.0 * x])", "z[0]", ["z[0] = x * x", "change_first(z, x)"]),
    "a view": (
        "w = np.array([x, 2.0 * x])\nz = w[1:]", "z[0]",
        ["w[1] = x * x", "for i in range(2):\n    w[1] = w[1] * x"],
    ),
    "a list": ("z = [x, 2.0 * x]", "z[0]", ["z[0] = x * x", "z.insert(0, x * x)"]),
    "a list of any length": ("z = [x * v for v in xs]", "z[0]", ["z[0] = x * x", "z.pop(0)"]),
    "a dict": ("z = {'a': x}", "z['a']", ["z['a'] = x * x", "u = z\nu['a'] = x * x"]),
    "a closure": ("c = x\nz = lambda: c * x", "z()", ["c = x * x", "z = lambda: x * x"]),
}  # fmt: skip
RECURSIVE = {
    "nested": ("def r(n):\n    return Z if n < 1 else r(n - 1) * Z", "r(2)"),
    "global": ("g = lambda: Z", "top(2, g)"),
    "in a default": ("def r(n, g=lambda: Z):\n    return g() if n < 1 else r(n - 1) * g()", "r(2)"),
    "in a partial": (
        "def r(n, k):\n    return k if n < 1 else r(n - 1, k) * Z\np = functools.partial(r, k=x)",
        "p(2)",
    ),
    "in a loop": (
        "def r(n):\n    s = Z\n    for i in range(n):\n        s = s + r(i) * Z\n    return s",
        "r(3)",
    ),
}  # fmt: skip
FORMS = [
    "{init}\n{define}\na = {call}\n{change}\nb = {call}\nreturn a * x + b",
    "{init}\n{define}\n{change}\nreturn {call} * x",
    "{init}\n{change}\n{define}\nreturn {call} * x",
    "{init}\n{define}\na = x\nif x > 0.1:\n    a = {call}\n{change}\nb = {call}\nreturn a * x + b",
]


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("turn, kind", list(enumerate(RECURSIVE)))
def test_recursive_functions_read_what_is_there_at_the_call(turn, kind, name):
    init, read, changes = READ[name]
    define_it, call = (text.replace("Z", read) for text in RECURSIVE[kind])
    number = turn + list(READ).index(name)
    form, change = FORMS[number % len(FORMS)], changes[number // 2 % len(changes)]
    body = form.format(init=init, define=define_it, call=call, change=change)
    f = define(
        f"def f(x, xs):\n{textwrap.indent(body, '    ')}\n", "f",
        np=np, functools=functools, change_first=change_first, top=top,
    )  # fmt: skip
    check_slopes(f, 0.9, [0.5, 1.25], wrt=(0, 1), turn=number)


def a_derivative_of_a_closure(x):
    z = x
    slope = tl.grad(lambda u: u * u * z)

    def r(n):
        return slope(x) if n < 1 else r(n - 1) * 1.5

    a = r(2)
    z = x * x
    return a + r(2)


def a_derivative_made_inside(x):
    z = x

    def r(n):
        slope = tl.grad(lambda u: u * u * z)
        return slope(x) if n < 1 else r(n - 1) * 1.5

    a = r(2)
    z = x * x
    return a + r(2)


def a_zero_of_another_sign(x):
    z = 0.0

    def r(n):
        return math.copysign(1.0, z) * x * x if n < 1 else r(n - 1) * 1.5

    a = r(2)
    z = -0.0
    return a + 3.0 * r(2)


def an_array_in_a_tuple(x):
    w = np.array([x, x * x])
    pair = (w, 2.0)

    def r(n):
        return pair[0][0] * pair[1] if n < 1 else r(n - 1) * pair[0][1]

    a = r(2)
    w[0] = x**3
    return a + r(2)


def one_of_two_arrays(x):
    u, v = np.array([x, x * x]), np.array([x * 3.0, x * 2.0])
    z = u if x > 0.5 else v

    def r(n):
        return z[0] if n < 1 else r(n - 1) * z[1]

    a = r(2)
    u[0] = x**3
    v[0] = x
    return a + r(2)


def the_values_of_a_dict(x):
    table = {"a": x, "b": x * x}
    values = table.values()

    def r(n):
        return sum(values) if n < 1 else r(n - 1) * x

    a = r(2)
    table["a"] = x**3
    return a + r(2)


def an_array_that_a_loop_carries(x):
    z, total = np.array([x, x * x]), 0.0

    def r(n):
        return z[0] if n < 1 else r(n - 1) * z[1]

    for _ in range(3):
        total += r(2)
        z[0] = z[0] * x
        total += r(2)
        z = z * x
        total += r(1)
    return total


def a_view_that_is_first_read_in_a_branch(x):
    z, total = np.array([x, x * x]), 0.0
    v = z[::-1]
    z[0] = x**3

    def r(n):
        return v[0] if n < 1 else r(n - 1) * v[1]

    if x > 0.1:
        total += r(2)
    total += r(2) * 2.0
    z[1] = x
    return total + r(2)


def a_variable_that_another_recursive_function_changes(x):
    z = x

    def outer(n, w):
        def inner(k):
            return w * z if k < 1 else inner(k - 1) * w

        a = inner(2)
        w = w * x
        b = inner(2)
        return a + b if n < 1 else other(n - 1, w) * z

    def other(n, w):
        return w * z if n < 1 else outer(n - 1, w * x) + 1.0

    a = outer(2, x)
    z = x * x
    return a + outer(2, x) + other(2, x)


@pytest.mark.parametrize("x", [0.7, 0.3])
@pytest.mark.parametrize("f", [
    a_zero_of_another_sign, an_array_in_a_tuple, one_of_two_arrays, the_values_of_a_dict,
    an_array_that_a_loop_carries, a_view_that_is_first_read_in_a_branch,
    a_variable_that_another_recursive_function_changes,
])  # fmt: skip
def test_recursive_functions_read_what_changes_between_their_calls(f, x):
    assert_derivatives(f, x)


@pytest.mark.parametrize("f", [a_derivative_of_a_closure, a_derivative_made_inside])
def test_recursive_functions_take_derivatives_of_closures_that_change(f):
    slope = 9.0 * 0.7 + 13.5 * 0.7**2  # of 4.5 x**2 + 4.5 x**3
    assert math.isclose(tl.grad(f)(0.7), slope, rel_tol=1e-14)
    assert math.isclose(tl.derivative(f)(0.7), slope, rel_tol=1e-14)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_recursive_function_reads_what_a_loop_binds_before_it_returns(n):
    def f(s, y, v, n):
        def r(k):
            return s if k < 1 else r(k - 1) * 0.5

        for _ in range(n):
            s = s + v
            if s > 1.0:
                s = math.atan(v)
                return r(2)
            y = y * v
        return y

    assert_derivatives(f, 0.5, 0.3, 0.7, n, wrt=(0, 1, 2))
    assert_derivatives(f, 0.1, 0.3, 0.7, n, wrt=(0, 1, 2))


def test_a_recursive_function_is_lowered_once_for_calls_that_read_the_same():
    def f(x):
        z = x

        def r(n):
            return z if n < 1 else r(n - 1) * z

        first = z
        a = r(2)
        z = x * x
        b = r(2) + r(3)
        z = first
        return a + b + r(2) + r(3)

    assert_derivatives(f, 0.7)
    assert tl.derivative(f).source(0.7).count("def r") == 2


def test_a_view_written_in_a_recursive_function_is_refused():
    def f(x):
        z = np.array([x, x])
        v = z[:1]
        z[0] = x * x

        def r(n):
            if n > 0:
                v[0] += n * x
                r(n - 1)

        r(2)
        return z.sum()

    with pytest.raises(NeverSupported, match="writing into `v`, a view or part"):
        tl.grad(f)(0.7)


def test_a_function_found_at_run_time_that_was_made_inside_is_refused():
    def f(x):
        table = {"slope": tl.grad(lambda u: u * u * x)}

        def r(n):
            return table["slope"](x) if n < 1 else r(n - 1) * 1.5

        return r(2)

    with pytest.raises(NotYetSupported, match="calling `grad` of a function, made inside"):
        tl.grad(f)(0.7)


def test_an_object_with_a_nested_function_is_not_handed_to_a_recursive_one():
    class Holder:
        def __init__(self, g):
            self.g = g

        def go(self, n):
            return self.g() if n < 1 else self.go(n - 1) * self.g()

    def f(x):
        return Holder(lambda: x * x).go(2)

    with pytest.raises(NotYetSupported, match="handing what holds a nested function"):
        tl.grad(f)(1.3)


# --- nested functions that call each other and read variables around them -------------------------


def rebound(x, y):
    def r(n):
        if n < 1:
            return x
        return s(n - 1) * y

    def s(n):
        if n < 1:
            return y
        return r(n - 1) + x

    a = r(3)
    x = x * y
    return a * r(2) + s(3)


def one_inside_the_other(x, y):
    def r(n, u):
        k = u * x

        def q(m):
            if m < 1:
                return k
            return q(m - 1) * y + (r(n - 1, k) if n > 0 else x)

        return q(2)

    return r(2, y)


def three(x, y):
    def even(n):
        return x if n == 0 else odd(n - 1) * y

    def odd(n):
        return y * x if n == 0 else even(n - 1) + third(n)

    def third(n):
        return x * y if n < 2 else even(n - 2) * x

    return even(5) + odd(4) * third(6)


def an_array_that_changes(x, y):
    w = np.array([x, y, x * y])

    def r(i):
        return w[i] if i > 1 else s(i + 1) * w[i]

    def s(i):
        return w[i] * 2.0 if i > 1 else r(i + 1) + w[0]

    a = r(0)
    w[1] = a
    return a * r(0) * s(0)


def over_a_structure(x, y):
    def walk(t):
        return both(t) if isinstance(t, tuple) else t * y

    def both(t):
        return walk(t[0]) + walk(t[1]) * x

    return walk(((x, 2.0), x))


def made_in_a_loop(x, y):
    for i in range(2):
        z = x * (i + 1)

        def r(n, z=z):
            return z if n < 1 else s(n - 1) * z

        def s(n):
            return y if n < 1 else r(n - 1) + z

        x = x + r(3)
    return x


def inside_a_recursive_function(x, y):
    def fall(u, n):
        if n < 1:
            return u
        m = np.sin(u)  # read by the calls alone

        def r(k):
            return s(k)

        def s(k):
            if k < 0:
                raise ValueError
            return r(k - 1) * m + y if k > 0 else m * u

        r(2)
        return fall(u * y + (r(1) if n > 1 else x), n - 1)

    return fall(x, 2) * y


@pytest.mark.parametrize(
    "f", [rebound, one_inside_the_other, three, an_array_that_changes, over_a_structure,
          made_in_a_loop, inside_a_recursive_function],
)  # fmt: skip
def test_nested_functions_that_call_each_other(f):
    assert_derivatives(f, 1.1, 0.7)


def keywords_of_python(x, y):
    def r(n, **named):
        return named["in"] * named["no name"] if n < 1 else r(n - 1, **named) * y

    try:
        return r(2, **{"in": x, "no name": y})
    except ZeroDivisionError:
        return x


def alike_in_both(x, y):
    def power(n, t):
        return t if n < 1 else power(n - 1, t) * u + v

    t = x * y
    u, v = (t + x, t + y)
    t = t * 2.0
    return power(2, t) + power(1, u)


@pytest.mark.parametrize("f", [keywords_of_python, alike_in_both])
def test_names_of_what_is_captured(f):
    assert_derivatives(f, 1.1, 0.7)


def test_functions_stay_in_the_branch_that_made_them():
    def composed(*fns):
        def run(u):
            for fn in fns:
                u = fn(u)
            return u

        return run

    def f(x):
        g = math.sin if x < 0.0 else composed(lambda u: u * x, math.cos)
        return g(x)

    with pytest.raises(NotYetSupported, match="a function made in a branch with"):
        tl.grad(f)(0.7)
