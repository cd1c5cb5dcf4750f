"""Algebra in derivative code: what becomes shorter, what stays, and that values are the same."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

from tangent_like import facts, identities
from tangent_like.dispatch import Derivative
from tangent_like.ir import Const
from tangent_like.simplify.algebra import simplify_algebra
from tangent_like.simplify.dead import remove_dead
from tests import test_golden as golden
from tests.simplify.lists import FLOAT, SINGLE, VECTOR, function, lines, operations, run

ADD, SUB, MUL, DIV, NEG = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg,
)  # fmt: skip


def simplified(before):
    return remove_dead(simplify_algebra(before))


CASES = {
    "one times": (lambda b, x, y: b.op(MUL, (Const(1.0), x)), ["return x"]),
    "times one": (lambda b, x, y: b.op(MUL, (x, Const(1))), ["return x"]),
    "over one": (lambda b, x, y: b.op(DIV, (x, Const(1.0))), ["return x"]),
    "plus zero": (lambda b, x, y: b.op(ADD, (Const(0.0), x)), ["return x"]),
    "minus one times": (lambda b, x, y: b.op(MUL, (Const(-1.0), x)), ["v1 = -x", "return v1"]),
    "twice negative": (lambda b, x, y: b.op(NEG, (b.op(NEG, (x,)),)), ["return x"]),
    "plus negative": (
        lambda b, x, y: b.op(ADD, (x, b.op(NEG, (y,)))), ["v1 = x - y", "return v1"],
    ),
    "negative plus": (
        lambda b, x, y: b.op(ADD, (b.op(NEG, (x,)), y)), ["v1 = y - x", "return v1"],
    ),
    "minus negative": (
        lambda b, x, y: b.op(SUB, (x, b.op(NEG, (y,)))), ["v1 = x + y", "return v1"],
    ),
    "sign moves out of a product and into the sum": (
        lambda b, x, y: b.op(ADD, (x, b.op(MUL, (b.op(NEG, (x,)), y)))),
        ["v1 = x * y", "v2 = x - v1", "return v2"],
    ),
    "sign moves out of a quotient": (
        lambda b, x, y: b.op(SUB, (x, b.op(DIV, (x, b.op(NEG, (y,)))))),
        ["v1 = x / y", "v2 = x + v1", "return v2"],
    ),
    "reciprocal": (
        lambda b, x, y: b.op(MUL, (x, b.op(DIV, (Const(1), y)))), ["v1 = x / y", "return v1"],
    ),
    "constants first": (
        lambda b, x, y: b.op(MUL, (x, Const(2.0))), ["v1 = 2.0 * x", "return v1"],
    ),
    "constants together": (
        lambda b, x, y: b.op(MUL, (Const(2.0), b.op(MUL, (Const(0.25), x)))),
        ["v1 = 0.5 * x", "return v1"],
    ),
    "sum of equals": (lambda b, x, y: b.op(ADD, (x, x)), ["v1 = 2.0 * x", "return v1"]),
    "common factor": (
        lambda b, x, y: b.op(ADD, (b.op(MUL, (x, y)), b.op(MUL, (x, b.op(math.sin, (y,)))))),
        ["v1 = math.sin(y)", "v2 = y + v1", "v3 = x * v2", "return v3"],
    ),
    "square": (lambda b, x, y: b.op(operator.pow, (x, Const(2))), ["v1 = x * x", "return v1"]),
}  # fmt: skip


@pytest.mark.parametrize("build, after", CASES.values(), ids=CASES)
def test_becomes_shorter(build, after):
    before = function(build, FLOAT, FLOAT)
    found = simplified(before)
    assert lines(found) == after
    for x, y in ((0.7, 1.3), (-2.5, 3.1)):
        assert run(found, x, y) == pytest.approx(run(before, x, y), rel=1e-15)


STAY = {
    "times zero": lambda b, x, y: b.op(MUL, (Const(0.0), x)),
    "minus itself": lambda b, x, y: b.op(SUB, (x, x)),
    "over itself": lambda b, x, y: b.op(DIV, (x, x)),
    "zero over": lambda b, x, y: b.op(DIV, (Const(0.0), x)),
    "times infinity": lambda b, x, y: b.op(MUL, (Const(math.inf), x)),
    "product that would overflow": lambda b, x, y: b.op(
        MUL, (Const(1e200), b.op(MUL, (Const(1e200), x)))
    ),
    "division by zero": lambda b, x, y: b.op(DIV, (Const(1.0), Const(0.0))),
    "root": lambda b, x, y: b.op(operator.pow, (x, Const(0.5))),
}


@pytest.mark.parametrize("build", STAY.values(), ids=STAY)
def test_stays(build):
    before = function(build, FLOAT, FLOAT)
    assert lines(simplified(before)) == lines(before)


@pytest.mark.parametrize("build", [case[0] for case in CASES.values()], ids=CASES)
def test_operations_of_the_user_stay(build):
    before = function(build, FLOAT, FLOAT, derivative=False)
    assert lines(simplified(before)) == lines(before)


def test_an_int_stays_a_float_after_one_times():
    before = function(lambda b, x, y: b.op(MUL, (Const(1.0), x)), facts.INT, FLOAT)
    assert lines(simplified(before)) == lines(before)


def test_unknown_operands_stay():
    before = function(lambda b, x, y: b.op(MUL, (Const(1.0), x)), facts.UNKNOWN, FLOAT)
    assert lines(simplified(before)) == lines(before)


def test_single_precision_stays_single():
    before = function(lambda b, x: b.op(MUL, (Const(1.0), x)), SINGLE)
    assert lines(simplified(before)) == ["return x"]


def spread(b, s, x):
    return b.op(np.broadcast_to, (s, b.op(getattr, (x, Const("shape")))))


@pytest.mark.parametrize("sign", [MUL, DIV, ADD, SUB], ids=lambda f: f.__name__)
def test_a_number_keeps_its_shape(sign):
    before = function(lambda b, s, x: b.op(sign, (spread(b, s, x), x)), FLOAT, VECTOR)
    found = simplified(before)
    assert operations(found) == [sign]
    x = np.array([0.5, -1.5, 2.0])
    np.testing.assert_array_equal(run(found, 3.0, x)[0], run(before, 3.0, x)[0])


def test_a_number_takes_its_shape_late():
    def build(b, s, x):
        return b.op(MUL, (Const(2.0), b.op(NEG, (spread(b, s, x),))))

    found = simplified(function(build, FLOAT, VECTOR))
    assert operations(found)[-2:] == [np.broadcast_to, NEG] or np.broadcast_to in operations(found)
    x = np.ones(3)
    np.testing.assert_array_equal(run(found, 3.0, x)[0], np.full(3, -6.0))


def test_spread_of_a_number_over_single_precision_stays():
    """The number would make the product single, where the spread array makes it double."""
    before = function(lambda b, s, x: b.op(MUL, (spread(b, s, x), x)), FLOAT, SINGLE)
    assert np.broadcast_to in operations(simplified(before))


def test_sum_of_products_is_a_dot_product():
    before = function(lambda b, x, y: b.op(np.sum, (b.op(MUL, (x, y)),)), VECTOR, VECTOR)
    assert lines(simplified(before)) == ["v1 = x @ y", "return v1"]


def test_copy_of_a_spread_number_is_a_full_array():
    from tangent_like import runtime

    before = function(lambda b, s, x: b.op(runtime.copy, (spread(b, s, x),)), FLOAT, VECTOR)
    assert np.full in operations(simplified(before))


def test_names_of_the_user_are_kept():
    """What is called `bz` stays on a line of its own, with its sign."""

    def build(b, x, y):
        bz = b.op(NEG, (x,), name="bz")
        return b.op(MUL, (bz, y)), bz

    before = function(build, FLOAT, FLOAT)
    assert lines(simplified(before)) == lines(before)


def test_is_linear_in_the_length():
    import time

    def build(b, x):
        total = x
        for _ in range(5000):
            total = b.op(ADD, (total, b.op(MUL, (Const(1.0), b.op(NEG, (total,))))), name="bx")
        return total

    before = function(build, FLOAT)
    start = time.process_time()
    simplify_algebra(before)
    assert time.process_time() - start < 4.0


def test_rules_that_are_passed_by_have_no_answer(monkeypatch, tmp_path):
    """What a rule says that it seeks is all that it can do anything about."""
    fitting, passed_by = identities.fitting, 0

    def all_of(rules, makers):
        kept = fitting(rules, makers)
        return tuple(rule if rule in kept else silent(rule) for rule in rules)

    def silent(rule):
        def answer(*asked):
            nonlocal passed_by
            passed_by += 1
            assert rule(*asked) is None

        return answer

    monkeypatch.setattr(identities, "fitting", all_of)
    for case in golden.CASES:
        if "adjoint" in case.sections:
            derivative = Derivative(case.function(tmp_path), "vjp", 0, cache=False)
            derivative.for_types(case.arguments)
    assert passed_by > 1000
