"""Cases that are easy to get wrong: loops that never run, names never bound, many blocks."""

import math
import tracemalloc

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("head", [
    "for i in range(n):", "for i in list(range(n)):", "for i in np.ones(n):",
    "k = 0\n    while k < n:\n        k = k + 1", "for i, w in zip(range(n), (1.0, 2.0, 3.0)):",
])  # fmt: skip
def test_loops_that_may_run_zero_times(head, n):
    source = f"def f(x, n):\n    y = x\n    {head}\n        y = y * math.sin(x)\n    return y * x\n"
    assert_derivatives(define(source, "f", math=math), 0.7, n, wrt=0)


def bound_in_one_branch(x):
    if x > 0.5:
        y = x * x
    return y * x


@pytest.mark.parametrize("derivative", [
    tl.grad(bound_in_one_branch), lambda x: tl.jvp(bound_in_one_branch, (x,), (1.0,)),
])  # fmt: skip
def test_a_name_bound_in_one_branch_only_keeps_its_error(derivative):
    assert_derivatives(bound_in_one_branch, 0.7)
    with pytest.raises(UnboundLocalError, match="y"):
        derivative(0.3)


@pytest.mark.parametrize("form", ["if x > {k}.0 / 100.0:", "for _ in range(2 - {k} % 2):"])
def test_more_than_twenty_nested_blocks(form):
    """CPython itself allows twenty loops; branches may be nested as deep as indentation goes."""
    depth = 30 if form.startswith("if") else 12
    lines = ["def f(x):", "    y = x"]
    for k in range(depth):
        lines.append("    " * (k + 1) + form.format(k=k))
        lines.append("    " * (k + 2) + "y = y + math.sin(x) / 50.0")
    f = define("\n".join([*lines, "    return y * y\n"]), "f", math=math)
    assert_derivatives(f, 0.7, order=2 if form.startswith("if") else 1)


def long_loop(x, n):
    y = x
    for _ in range(n):
        y = 0.5 * math.sin(y) + 0.5 * x
    return y


def test_memory_of_a_loop_of_a_million_steps():
    """One number is kept for each step: some 40 bytes, in a list."""
    derivative = tl.grad(long_loop)
    want = derivative(0.7, 1000)
    tracemalloc.start()
    try:
        got = derivative(0.7, 1_000_000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert math.isclose(got, want)
    assert most < 100e6


def test_the_logarithm_of_one_and_a_large_exponential():
    """The user's formula overflows, and the derivative of what overflowed is no number: 0 * inf
    must not be made of it where the formula that does not overflow is used."""
    with np.errstate(over="ignore", invalid="ignore"):
        naive = tl.grad(lambda x: np.log(1.0 + np.exp(x)))(1000.0)
    assert naive == 1.0 or math.isnan(naive)
    assert tl.grad(lambda x: np.logaddexp(0.0, x))(1000.0) == 1.0
    assert tl.grad(lambda x: np.log1p(np.exp(x)))(10.0) == pytest.approx(1 / (1 + math.exp(-10.0)))


def test_maximum_of_python_and_of_numpy_with_nan():
    """Python's `max` keeps what it has where a comparison is false; NumPy's gives NaN."""
    nan = float("nan")
    assert tl.grad(lambda x: max(x * 2.0, nan))(0.7) == 2.0
    assert tl.grad(lambda x: min(x * 2.0, nan))(0.7) == 2.0
    assert tl.value_and_grad(lambda x: max(nan, x))(0.7)[1] == 0.0
    assert math.isnan(tl.value_and_grad(lambda x: np.maximum(x, nan))(0.7)[0])


def identity(x):
    return x


def negated(x):
    return -x


def copied(x):
    y = x.copy()
    return y * y


def extended_slices(x):
    return x[::2] * x[::-2] + x[-1::-2]


def row_stores(x):
    """A recurrent network that keeps its states in the rows of an array."""
    states = np.zeros((4, 3))
    for t in range(3):
        states[t + 1] = np.tanh(states[t] * 0.5 + x)
    return states[-1] * states[1]


@pytest.mark.parametrize("f", [identity, negated, copied, extended_slices, row_stores])
def test_arrays_from_the_tests_of_tangent(f):
    assert_derivatives(f, VECTOR)


def nested_dicts(p):
    inner = dict(a=p["net"]["w"] * p["scale"])  # noqa: C408 - as it was written
    inner["b"] = inner["a"] * p["net"]["b"]
    return np.sum(inner["a"] * inner["b"])


def test_nested_dicts_as_arguments():
    assert_derivatives(nested_dicts, {"net": {"w": VECTOR, "b": 0.4}, "scale": 1.3})


class Growth:
    __rate = 1.5

    def __init__(self, start):
        self.__size = start

    def __grown(self, x):
        self.__size = self.__size * x + self.__rate
        return self

    def after(self, x):
        return self.__grown(x).__grown(x).__size


def private_names(start, x):
    return Growth(start).after(x)


def test_methods_with_private_names():
    assert_derivatives(private_names, 0.7, 1.3)
