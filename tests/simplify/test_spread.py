"""The cotangent of a sum's items is one number: no list of it is made."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives


def of_numbers(xs, k):
    return sum(math.sin(k * x) for x in xs)


def of_elements(x, k):
    return k * sum(x[i] * x[i + 1] for i in range(len(x) - 1))


def of_arrays(xs, k):
    return np.sum(sum([k * x * x for x in xs]))


def of_chosen(xs, k):
    return sum(k * x for x in xs if x > 0.0) + sum([x * x for x in xs])


def of_a_list_read_again(xs, k):
    ys = [k * x * x for x in xs]
    return sum(ys) * ys[0]


@pytest.mark.parametrize(
    ("f", "xs"),
    [
        (of_numbers, [0.3, -0.7]),
        (of_elements, np.array([0.3, -0.7, 0.2])),
        (of_arrays, [np.array([0.3, -0.7]), np.array([1.3, 0.4])]),
        (of_chosen, [0.3, -0.7, 0.4]),
        (of_a_list_read_again, [0.3, -0.7]),
    ],
)
def test_sums_of_what_a_comprehension_makes(f, xs):
    assert_derivatives(f, xs, 1.7, wrt=(0, 1))


def test_no_list_in_the_gradient():
    source = tl.grad(of_numbers, wrt=(0, 1)).source([1.0, 2.0], 3.0)
    assert "append" not in source
    assert "pop" not in source


def test_adjoints_of_a_list_are_written_in_place():
    def f(xs, w):
        ys = [math.tanh(w * x) for x in xs]
        return sum(y * y for y in ys)

    source = tl.grad(f, wrt=1).source([1.0, 2.0], 3.0)
    assert "bys[i] = by" in source
    assert_derivatives(f, [0.3, -0.7], 1.7, wrt=(0, 1))
