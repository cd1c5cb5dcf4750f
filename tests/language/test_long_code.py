"""Long functions and long expressions: compiled in linear time, within the recursion limit."""

import cProfile
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import define


def long_function(statements):
    """`statements` lines over four names that are overwritten all the time; tame for |x| < 1."""
    names = ["a", "b", "c", "x"]
    forms = [
        "{0} = {1} * 0.5 + np.sin({2})",
        "{0} = {0} * {1} - 0.25 * {2}",
        "{0} += 0.1 * {1} * {3}",
        "{0} = np.cos({1}) * {2}",
        "{0} -= {2} / (2.0 + {3} * {3})",
    ]
    lines = ["def f(x):", "    a = x * 0.5", "    b = np.sin(a)", "    c = a * b"]
    for k in range(statements - 4):
        order = names[k % 4 :] + names[: k % 4]
        lines.append("    " + forms[k % len(forms)].format(*order))
    lines.append("    return np.tanh(a) + np.tanh(b) + np.tanh(c)")
    return "\n".join(lines) + "\n"


def long_sum(terms):
    body = " + ".join(f"x * {k}.0" if k % 2 else f"np.sin(x) * {k}.0" for k in range(terms))
    return f"def f(x):\n    return {body}\n"


def grouped_sum(groups, size):
    group = " + ".join(f"x * {k}.0" for k in range(size))
    body = " + ".join(f"({group}) * {g}.0" for g in range(groups))
    return f"def f(x):\n    return {body}\n"


def sum_gradient(terms, x):
    odd = sum(k for k in range(terms) if k % 2)
    even = sum(k for k in range(terms) if not k % 2)
    return odd + even * np.cos(x)


@contextmanager
def recursion_limit(limit):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def assert_first_order(f, x):
    value, gradient = tl.value_and_grad(f)(x)
    assert value == f(x)
    want = np.imag(f(x + 1e-30j)) / 1e-30
    assert gradient == pytest.approx(want, rel=1e-9)
    assert tl.jvp(f, (x,), (1.0,))[1] == pytest.approx(want, rel=1e-9)


def test_function_of_five_thousand_statements():
    assert_first_order(define(long_function(5000), "f"), 0.3)


def test_function_of_a_thousand_statements_in_a_loop():
    body = long_function(1000).splitlines()
    lines = [body[0], *body[1:4], "    for i in range(2):"]
    lines += ["    " + line for line in body[4:-1]] + [body[-1]]
    assert_first_order(define("\n".join(lines) + "\n", "f"), 0.3)


def test_expression_of_many_terms():
    """As many terms as Python 3.11 compiles within its usual limit."""
    f = define(long_sum(2200), "f")
    assert tl.grad(f)(0.3) == pytest.approx(sum_gradient(2200, 0.3))
    assert tl.jvp(f, (0.3,), (1.0,))[1] == pytest.approx(sum_gradient(2200, 0.3))


def test_expression_of_five_thousand_terms():
    """Python itself needs a higher limit to compile this one; its derivative must not."""
    with recursion_limit(50_000):
        f = define(long_sum(5000), "f")
    assert sys.getrecursionlimit() < 50_000
    assert tl.grad(f)(0.3) == pytest.approx(sum_gradient(5000, 0.3))
    assert tl.jvp(f, (0.3,), (1.0,))[1] == pytest.approx(sum_gradient(5000, 0.3))


def test_expression_of_five_thousand_terms_in_groups():
    f = define(grouped_sum(100, 50), "f")
    want = sum(range(100)) * sum(range(50))
    assert tl.grad(f)(0.3) == pytest.approx(want)
    assert tl.jvp(f, (0.3,), (1.0,))[1] == pytest.approx(want)


def nest_of_loops(depth):
    """A sum in each of so many loops inside one another, all of which begin with an int."""
    lines, indent = ["def f(x, n):"], "    "
    for k in range(depth):
        lines += [f"{indent}s{k} = 0", f"{indent}for i{k} in range(n):"]
        indent += "    "
    lines.append(f"{indent}s{depth - 1} += x * x")
    for k in reversed(range(depth - 1)):
        indent = indent[:-4]
        lines.append(f"{indent}s{k} += s{k + 1}")
    return "\n".join([*lines, "    return s0"]) + "\n"


def test_loops_inside_one_another_are_not_lowered_again_and_again():
    """A loop whose facts change is lowered twice; the innermost one must not be 2 ** 13 times."""
    f = define(nest_of_loops(13), "f")
    start = time.process_time()
    assert tl.grad(f)(0.3, 1) == pytest.approx(0.6)
    assert time.process_time() - start < 2.5
    assert tl.grad(f)(0.3, 2) == pytest.approx(0.6 * 2**13)


def test_the_recursion_limit_is_left_as_it_was():
    before = sys.getrecursionlimit()
    f = define(long_sum(1500), "f")
    tl.grad(f)(0.3)
    assert sys.getrecursionlimit() == before


def test_ninety_nested_calls():
    source = "def f(x):\n    return " + "np.sin(" * 90 + "x" + ")" * 90 + "\n"
    assert_first_order(define(source, "f"), 0.3)


def chain_of_elifs(count):
    lines = ["def f(x, n):", "    if n == 0:", "        y = x"]
    for k in range(1, count):
        lines += [f"    elif n == {k}:", f"        y = x * {k}.0 + x * x"]
    return "\n".join([*lines, "    else:", "        y = 0.0", "    return y * x"]) + "\n"


def test_eighty_elifs():
    f = define(chain_of_elifs(80), "f")
    for n in (0, 7, 79):
        want = 2.0 * n * 0.3 + 3.0 * 0.09 if n else 0.6
        assert tl.grad(f)(0.3, n) == pytest.approx(want)
    tangent = tl.jvp(lambda x: f(x, 79), (0.3,), (1.0,))[1]
    assert tangent == pytest.approx(2.0 * 79 * 0.3 + 0.27)
    assert tl.grad(f)(0.3, 80) == 0.0


def test_a_chain_too_long_for_pythons_indentation_is_refused():
    f = define(chain_of_elifs(150), "f")
    with pytest.raises(tl.errors.NotYetSupported, match="inside one another"):
        tl.grad(f)(0.3, 7)


def test_eighty_early_returns():
    lines = ["def f(x, n):", "    y = x"]
    for k in range(80):
        lines += [f"    if n == {k}:", f"        return y * {k}.0", "    y = y + 0.001 * x * x"]
    lines.append("    return y")
    f = define("\n".join(lines) + "\n", "f")
    for n in (0, 7, 79):
        assert tl.grad(f)(0.3, n) == pytest.approx(n * (1.0 + 0.002 * 0.3 * n))
    assert tl.grad(f)(0.3, 1000) == pytest.approx(1.0 + 0.16 * 0.3)


def test_eighty_conditional_exits_of_a_loop():
    lines = ["def f(x, n):", "    y = x", "    for i in range(3):"]
    for k in range(40):
        lines += [f"        if n == {k}:", f"            y = y * {k}.0", "            break"]
        lines += [f"        if n == {-k - 1}:", "            continue"]
    lines += ["        y = y * x", "    return y"]
    f = define("\n".join(lines) + "\n", "f")
    assert tl.grad(f)(0.3, 39) == pytest.approx(39.0)
    assert tl.grad(f)(0.3, -40) == pytest.approx(1.0)
    assert tl.grad(f)(0.3, 1000) == pytest.approx(4.0 * 0.3**3)


def test_three_hundred_helpers():
    lines = ["def f0(x):", "    return x"]
    for k in range(1, 300):
        lines += [f"def f{k}(x):", f"    return f{k - 1}(x) + x * {k}.0"]
    f = define("\n".join(lines) + "\n", "f299")
    assert tl.grad(f)(0.3) == pytest.approx(1.0 + sum(range(300)))


def test_tuple_of_two_thousand_names():
    names = [f"a{k}" for k in range(2000)]
    source = f"def f(x):\n    {', '.join(names)} = {', '.join(['x * 0.5'] * 2000)}\n    return (\n"
    source += "".join(f"        + {name} * {name}\n" for name in names) + "    )\n"
    f = define(source, "f")
    assert tl.grad(f)(0.3) == pytest.approx(2000 * 0.5 * 0.3)


def calls_while_compiling(source, name, mode):
    """How many functions are called when the derivative of `name` is compiled and run."""
    f = define(source, name)
    profile = cProfile.Profile()
    profile.runcall(mode, f)
    return sum(entry.callcount for entry in profile.getstats())


MODES = {"reverse": lambda f: tl.grad(f)(0.3), "forward": lambda f: tl.jvp(f, (0.3,), (1.0,))}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [long_function, long_sum], ids=lambda f: f.__name__)
def test_work_of_the_compiler_grows_with_the_size_of_the_function(make, mode):
    """Four times the code, about four times the calls; quadratic work would take sixteen times."""
    calls_while_compiling(make(100), "f", MODES[mode])
    small = calls_while_compiling(make(250), "f", MODES[mode])
    large = calls_while_compiling(make(1000), "f", MODES[mode])
    assert large < 6.0 * small
