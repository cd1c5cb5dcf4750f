"""Which arrays are copied by the derivative of code that writes elements: none in a loop."""

import ast
import inspect

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives
from tests.in_place import test_programs as programs


def copies_in_loops(source):
    """The calls of a copy inside loops, as text."""
    loops = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.For, ast.While))]
    calls = {n for loop in loops for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Call)}
    return [text for text in map(ast.unparse, calls) if text.split("(")[0].endswith("copy")]


ELEMENT_BY_ELEMENT = [
    (programs.prefix_sums, (programs.U,), 1), (programs.lu_solve, (programs.M, programs.B), 2),
    (programs.horner_table, (programs.U, 0.7), 1), (programs.kalman, (0.4, 0.7, programs.U), 0),
    (programs.soft_alignment, (programs.DISTANCES, 0.5), 0),
    (programs.butterflies, (np.ones(8), np.ones(8)), 2),
]  # fmt: skip


@pytest.mark.simplified
@pytest.mark.parametrize("mode", ["adjoint", "tangent"])
@pytest.mark.parametrize(("f", "args", "count"), ELEMENT_BY_ELEMENT,
                         ids=lambda v: getattr(v, "__name__", ""))  # fmt: skip
def test_elements_are_written_without_copies_in_loops(f, args, count, mode):
    wrt = tuple(i for i, a in enumerate(args) if not isinstance(a, int))
    types = dict(zip(inspect.signature(f).parameters, args, strict=True))
    source = tl.source(f, mode, wrt=wrt, types=types)
    assert copies_in_loops(source) == []
    if mode == "adjoint":
        assert source.count("copy(") == count


@pytest.mark.simplified
def test_rows_read_beside_elements_written_are_copied_alone():
    source = tl.source(programs.cholesky, types={"a": programs.S})
    assert sorted(copies_in_loops(source)) == ["item.copy()", "item.copy()", "item1.copy()"]
    assert source.count("copy(") == 3


@pytest.mark.simplified
def test_buffers_that_swap_are_written_without_copies():
    types = {"u0": programs.U, "k": 0.1, "steps": 3}
    assert copies_in_loops(tl.source(programs.heat, types=types)) == []


def three_buffers(x, n):
    """Buffers that go round: what is written is another array in each iteration."""
    a, b, c = x.copy(), 2.0 * x, np.zeros(len(x))
    for _ in range(n):
        for i in range(1, len(x)):
            c[i] = a[i] * b[i - 1]
            c[0] = b[0]
        a, b, c = b, c, a
    return np.sum(a * b + c)


def one_array_twice(x, n):
    """Both names hold one array from the second iteration on."""
    a, b = x.copy(), 2.0 * x
    total = 0.0
    for i in range(n):
        total += a[0] * b[1]
        b[i] = a[i] * total
        a = b
    return total + np.sum(a * b)


def swapped_now_and_then(x, n):
    a, b = x.copy(), 2.0 * x
    for i in range(n):
        b[i] += a[i] * a[i + 1]
        if i % 2:
            a, b = b, a
    return np.sum(a * a * b)


def a_view_of_the_other(x, n):
    a, b = x.copy(), 2.0 * x
    for i in range(n):
        b[i] = a[i] * a[i + 1]
        part = a[1:]
        a[i] = b[i] * part[0]
        b[i + 1] *= part[0]
        a, b = b, a
    return np.sum(a * a * b)


@pytest.mark.parametrize(
    "f", [three_buffers, one_array_twice, swapped_now_and_then, a_view_of_the_other]
)
@pytest.mark.parametrize("n", [0, 1, 4])
def test_buffers_that_change_their_names(f, n):
    assert_derivatives(f, programs.U, n, wrt=0)


def elements_of_rows(a):
    total = 0.0
    for row in a:
        total += row[1] * row[2]
    for i in range(len(a)):
        for j in range(len(a)):
            total += a[i][j] ** 2 * a[j][i]
    return total


@pytest.mark.simplified
def test_reading_an_element_of_a_row_makes_no_row_of_zeros():
    assert "np.zeros(len(" not in tl.source(elements_of_rows, types={"a": programs.S})
    assert_derivatives(elements_of_rows, programs.S)


def test_a_copy_of_a_list_keeps_the_order_of_elements_in_memory():
    def f(x, n):
        kept = [x.T * np.sum(x) for _ in range(n + 1)]
        kept[1] *= 0.83
        return np.sum(kept[0] * np.cos(kept[0]))

    x = np.random.default_rng(3).normal(size=(30, 40))  # sums add up in the order of memory
    assert tl.jvp(f, (x, 2), (x, None))[0] == f(x, 2)
