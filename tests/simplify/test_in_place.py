"""Updates in place: where they are made, where a copy comes first, and that nobody notices."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

import tangent_like as tl
from tangent_like import facts, ir, runtime
from tangent_like.ir import Const, Value
from tangent_like.simplify.in_place import update_in_place
from tangent_like.stores import Store
from tests.derivatives import assert_derivatives
from tests.simplify.lists import FLOAT, VECTOR, function, operations, run

X = np.array([0.5, 1.5, 2.5])
WRITTEN = Store((operator.getitem,), (1,), into=True)


def scattered(b, array, index=0, g=None):
    return b.op(runtime.scatter_add, (array, Const(index), g or Const(1.0)))


def check(before, *args):
    """The arguments stay as they are, and so do the results."""
    given = [np.copy(a) if isinstance(a, np.ndarray) else a for a in args]
    want = run(before, *given)
    after = update_in_place(before)
    got = run(after, *args)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(args, given, strict=True):
        np.testing.assert_array_equal(a, b)
    return operations(after)


def test_fresh_array_is_updated_in_place():
    def build(b, x):
        return scattered(b, scattered(b, b.op(runtime.zeros_like, (x,))), 1)

    found = check(function(build, VECTOR), X)
    first = Store((operator.getitem,), (1,), into=True)
    assert found == [runtime.zeros_like, first, runtime.scatter_add_into]


def test_argument_is_not():
    found = check(function(scattered, VECTOR), X)
    assert found == [runtime.scatter_add]


def test_array_that_is_read_later_is_not():
    def build(b, x):
        zeros = b.op(runtime.zeros_like, (x,))
        return scattered(b, zeros), zeros

    assert runtime.scatter_add in check(function(build, VECTOR), X)


def test_array_whose_view_is_read_later_is_not():
    def build(b, x):
        made = b.op(operator.mul, (x, Const(2.0)))
        view = b.op(np.transpose, (made,))
        return scattered(b, made), b.op(operator.mul, (view, Const(1.0)))

    assert runtime.scatter_add in check(function(build, VECTOR), X)


def test_array_on_a_tape_is_not():
    def build(b, x):
        tape = Value("tape", facts.Tape(VECTOR))
        b.append(ir.Op(tape, ir.new_tape, ()))
        made = b.op(operator.mul, (x, Const(2.0)))
        b.op(ir.push, (tape, made))
        return scattered(b, made), b.op(ir.pop, (tape,))

    assert runtime.scatter_add in check(function(build, VECTOR), X)


def test_view_that_is_dead_does_no_harm():
    def build(b, x):
        made = b.op(operator.mul, (x, Const(2.0)))
        total = b.op(np.sum, (b.op(np.transpose, (made,)),))
        return scattered(b, made), total

    assert runtime.scatter_add_into in check(function(build, VECTOR), X)


def loop(b, init, body, count=3):
    param = Value("p", VECTOR)
    item = Value("i", facts.INT)
    indices = b.op(range, (Const(count),))
    return b.loop(indices, item, [init], [param], lambda: [body(param, item)])[0]


def added(b, param, item):
    return b.op(runtime.scatter_add, (param, item, Const(1.0)))


def test_loop_over_a_fresh_array():
    def build(b, x):
        zeros = b.op(runtime.zeros_like, (x,))
        return loop(b, zeros, lambda p, i: added(b, p, i))

    found = check(function(build, VECTOR), X)
    assert WRITTEN in found and runtime.copy not in found


def test_loop_over_an_argument_starts_from_a_copy():
    found = check(function(lambda b, x: loop(b, x, lambda p, i: added(b, p, i)), VECTOR), X)
    assert found.count(runtime.copy) == 1 and runtime.scatter_add_into in found


def test_nested_loops_copy_once():
    def build(b, x):
        return loop(b, x, lambda p, i: loop(b, p, lambda q, j: added(b, q, j)))

    after = update_in_place(function(build, VECTOR))
    copies = [s for s in after.body.statements if isinstance(s, ir.Op) and s.fn is runtime.copy]
    assert len(copies) == 1 and operations(after).count(runtime.copy) == 1


def test_loops_one_after_another_copy_once():
    def build(b, x):
        first = loop(b, x, lambda p, i: added(b, p, i))
        return loop(b, first, lambda p, i: added(b, p, i))

    assert check(function(build, VECTOR), X).count(runtime.copy) == 1


def test_loop_that_saves_the_array_copies_each_time():
    def build(b, x):
        tape = Value("tape", facts.Tape(VECTOR))
        b.append(ir.Op(tape, ir.new_tape, ()))

        def body(p, i):
            b.op(ir.push, (tape, p))
            return added(b, p, i)

        final = loop(b, b.op(runtime.zeros_like, (x,)), body)
        return final, b.op(ir.pop, (tape,))

    assert runtime.scatter_add in check(function(build, VECTOR), X)


def test_branch_that_hands_on_either_array():
    def build(b, x, y):
        test = b.op(operator.gt, (y, Const(0.0)))
        zeros = b.op(runtime.zeros_like, (x,))
        (joined,) = b.branch(test, lambda: [scattered(b, zeros)], lambda: [zeros])
        (other,) = b.branch(test, lambda: [joined], lambda: [x])
        return scattered(b, other), joined

    for y in (1.0, -1.0):
        found = check(function(build, VECTOR, FLOAT), X, y)
        assert found.count(runtime.scatter_add) == 1


def test_sum_of_contributions():
    def build(b, x):
        first = b.op(operator.mul, (x, Const(2.0)), name="bx")
        second = b.op(operator.add, (first, x), name="bx")
        return b.op(operator.sub, (second, b.op(operator.mul, (x, x))), name="bx")

    found = check(function(build, VECTOR), X)
    assert runtime.add_into in found and runtime.subtract_into in found


def test_copy_of_what_nobody_else_holds_is_left_out():
    def build(b, x, y):
        fresh = b.op(operator.mul, (x, Const(2.0)))
        return b.op(runtime.copy, (fresh,)), b.op(runtime.copy, (y,))

    assert check(function(build, VECTOR, VECTOR), X, X + 1).count(runtime.copy) == 1


def test_two_results_never_share_memory():
    def build(b, x):
        fresh = b.op(operator.mul, (x, Const(2.0)))
        return b.op(runtime.copy, (fresh,)), b.op(runtime.copy, (fresh,))

    first, second = run(update_in_place(function(build, VECTOR)), X)
    assert not np.shares_memory(first, second)


# --- through the public operators ----------------------------------------------------------------


def same_twice(x, y):
    return np.sum(x + y)


def product(x, y):
    return x @ y


def row_sums(A, v):
    s = 0.0
    for row in A:
        s += np.sum(row * v)
    return s


@pytest.mark.parametrize(
    "f, args",
    [(same_twice, (X, X + 1)), (product, (X, X + 1)), (row_sums, (np.ones((2, 3)), X))],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_gradients_share_no_memory(f, args):
    gradients = tl.grad(f, wrt=(0, 1))(*args)
    everything = [*gradients, *args]
    for i, a in enumerate(everything):
        for b in everything[:i]:
            assert not np.shares_memory(a, b)
    for g in gradients:
        g += 1.0  # may be written to


def squares(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return s


def test_reading_elements_costs_the_same_for_each():
    """An adjoint array that were copied for each element would make the gradient quadratic."""
    text = tl.source(squares, types={"x": X})
    assert "bx[i] = 2.0 * " in text and "copy" not in text


def from_the_end(x):
    s = 0.0
    for i in range(len(x) - 1, -1, -1):
        s += x[i] ** 2 * i
    return s


def numbered(x):
    s = 0.0
    for i, v in enumerate([2.0, 3.0, 0.5]):
        s += x[i] ** 3 * v
    return s


def round_the_corner(x):
    s = 0.0
    for i in range(-3, 3):
        s += x[i] ** 2 * (i + 4)
    return s


def by_turns(x):
    s = 0.0
    for i in range(6):
        s += x[i % 3] ** 2 * x[i // 2]
    return s


def twice_each(x):
    s = 0.0
    for i in range(len(x)):
        for _ in range(2):
            s += math.sin(x[i]) * s + x[i]
    return s


def to_both_sides(x):
    s = 0.0
    for i in range(1, len(x)):
        s += x[i] * x[i - 1]
    return s


@pytest.mark.parametrize(
    ("f", "writes"),
    [
        (squares, True), (from_the_end, True), (numbered, False), (round_the_corner, False),
        (by_turns, False), (twice_each, False), (to_both_sides, False),
    ],
)  # fmt: skip
def test_places_that_only_one_iteration_adds_to_are_written(f, writes):
    assert_derivatives(f, X, order=2)
    assert ("bx[i] = " in tl.source(f, types={"x": X})) is writes


def test_lists_are_written_too():
    def f(c, x: float):
        y = 0.0
        for a in c:
            y = y * x + a
        return y

    gradient = tl.grad(f, wrt=(0, 1))
    assert gradient([0.5, 2.0, -1.0], 1.5) == ([2.25, 1.5, 1.0], 3.5)
    assert "bc[i] = by" in gradient.source()
