"""Common subexpressions."""

from __future__ import annotations

import math
import operator
from dataclasses import replace

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.ir import Const
from tangent_like.simplify.common import share_common
from tests.simplify.lists import FLOAT, VECTOR, function, lines, operations


def test_the_second_is_left_out():
    def build(b, x):
        return b.op(operator.add, (b.op(math.sin, (x,)), b.op(math.sin, (x,))))

    found = share_common(function(build, FLOAT))
    assert lines(found) == ["v1 = math.sin(x)", "v2 = v1 + v1", "return v2"]


def test_order_of_a_product_does_not_matter():
    def build(b, x, y):
        return b.op(operator.mul, (x, y)), b.op(operator.mul, (y, x))

    assert operations(share_common(function(build, FLOAT, FLOAT))) == [operator.mul]


def test_order_of_joined_lists_matters():
    def build(b, x, y):
        return b.op(operator.add, (x, y)), b.op(operator.add, (y, x))

    items = facts.ListOf(FLOAT)
    assert len(operations(share_common(function(build, items, items)))) == 2


def test_constants_of_different_type_or_sign_differ():
    def build(b, x):
        return [b.op(math.copysign, (x, Const(c))) for c in (0.0, -0.0, 0, 1, 1.0, True)]

    assert len(operations(share_common(function(build, FLOAT)))) == 6


def test_inner_blocks_use_what_is_outside_but_not_the_other_way_round():
    def build(b, x):
        test = b.op(operator.gt, (x, Const(0.0)))
        first = b.op(math.sin, (x,))
        (inner,) = b.branch(test, lambda: [b.op(math.sin, (x,))], lambda: [b.op(math.cos, (x,))])
        return first, inner, b.op(math.cos, (x,))

    found = share_common(function(build, FLOAT))
    assert operations(found).count(math.sin) == 1
    assert operations(found).count(math.cos) == 2


def test_lines_of_the_user_stay_as_they_are_written():
    def build(b, x):
        return b.op(operator.mul, (b.op(operator.sub, (x, x)), b.op(operator.sub, (x, x))))

    before = function(build, FLOAT, derivative=False)
    assert lines(share_common(before)) == lines(before)


def test_named_values_of_the_user_stay():
    def build(b, x):
        return b.op(math.sin, (x,), name="a"), b.op(math.sin, (x,), name="b")

    before = function(build, FLOAT, derivative=False)
    assert lines(share_common(before)) == lines(before)


def test_the_primal_never_takes_a_derivative_operation():
    """A derivative operation may still be rewritten to one that rounds otherwise."""

    def build(b, x):
        first = b.op(math.sin, (x,))
        b.derivative = False
        return first, b.op(math.sin, (x,))

    assert len(operations(share_common(function(build, FLOAT)))) == 2


def test_arrays_that_are_filled_later_are_not_shared():
    def build(b, x):
        return b.op(runtime.zeros_like, (x,)), b.op(runtime.zeros_like, (x,))

    assert len(operations(share_common(function(build, VECTOR)))) == 2


def test_random_draws_and_tapes_are_not_shared():
    def build(b, x):
        tape = b.op(ir.new_tape, ())
        draws = [b.op(np.random.normal, (x,)) for _ in range(2)]
        return [*draws, *(b.op(ir.pop, (tape,)) for _ in range(2))]

    assert len(operations(share_common(function(build, FLOAT)))) == 5


def test_a_key_may_be_any_constant():
    def build(b, x):
        index = Const(np.array([0, 1]))
        return b.op(operator.getitem, (x, index)), b.op(operator.getitem, (x, index))

    before = function(build, VECTOR)
    assert len(operations(share_common(replace(before)))) == 1
