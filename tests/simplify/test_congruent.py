"""What a loop carries twice is carried once, and nothing else is."""

import math

import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives


def square_and_shift(c):
    z = 0.0
    for _ in range(5):
        z = z * z + c
    return z


def alike_at_first(c):
    a = 0.0
    b = 0.0
    for i in range(4):
        a = a * c + 1.0
        b = b * c + (1.0 if i < 2 else c)
    return a * b


def crossing(c):
    a = c
    b = c
    for _ in range(3):
        a, b = b * c, a * c + 1.0
    return a - b


def alike(c):
    a = 1.0
    b = 1.0
    for _ in range(3):
        a = math.sin(a * c)
        b = math.sin(b * c)
    return a * b


@pytest.mark.parametrize("f", [square_and_shift, alike_at_first, crossing, alike])
def test_derivatives(f):
    assert_derivatives(f, 0.3, order=2)


def test_a_second_derivative_has_each_tangent_once():
    source = tl.derivative(square_and_shift, order=2).source(0.3)
    assert "ddz" in source
    assert "dz1" not in source


def test_the_lines_of_the_user_stay():
    source = tl.value_and_grad(alike).source(0.3)
    assert "a = math.sin(" in source
    assert "b = math.sin(" in source
