"""The invariants of a Wengert list are noticed where they do not hold."""

import operator

import pytest

from tangent_like.errors import InternalError
from tangent_like.facts import BOOL, FLOAT
from tangent_like.ir import Block, Const, Function, If, Loop, Op, Value
from tangent_like.verify import verify


def double(x, name="y"):
    result = Value(name, FLOAT)
    return Op(result, operator.add, (x, x)), result


def listed(params, *statements, result):
    return Function("f", params, Block(statements, (result,)))


def test_what_a_branch_defines_is_not_seen_outside_it():
    x, test = Value("x", FLOAT), Value("test", BOOL)
    op, y = double(x)
    both = If((Value("z", FLOAT),), test, Block((op,), (y,)), Block((), (x,)))
    assert verify(listed((x, test), both, result=both.results[0]))
    with pytest.raises(InternalError, match="used where it is not defined"):
        verify(listed((x, test), both, result=y))


def test_one_branch_does_not_see_what_the_other_defines():
    x, test = Value("x", FLOAT), Value("test", BOOL)
    op, y = double(x)
    both = If((Value("z", FLOAT),), test, Block((op,), (y,)), Block((), (y,)))
    with pytest.raises(InternalError, match="used where it is not defined"):
        verify(listed((x, test), both, result=both.results[0]))


def test_what_a_loop_carries_is_not_seen_outside_it():
    x, n = Value("x", FLOAT), Value("n", BOOL)
    inner = Value("s", FLOAT)
    op, y = double(inner)
    loop = Loop((Value("s", FLOAT),), n, None, (x,), (inner,), Block((op,), (y,)))
    assert verify(listed((x, n), loop, result=loop.results[0]))
    for hidden in (inner, y):
        with pytest.raises(InternalError, match="used where it is not defined"):
            verify(listed((x, n), loop, result=hidden))


def test_a_value_is_defined_once():
    x = Value("x", FLOAT)
    op, y = double(x)
    with pytest.raises(InternalError, match="defined twice"):
        verify(listed((x,), op, op, result=y))


def test_branches_hand_out_as_much_as_there_are_results():
    x, test = Value("x", FLOAT), Value("test", BOOL)
    both = If((Value("z", FLOAT),), test, Block((), (x,)), Block((), ()))
    with pytest.raises(InternalError, match="unequal results"):
        verify(listed((x, test), both, result=Const(1.0)))
