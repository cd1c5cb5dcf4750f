"""What is added to one place of an adjoint is added once."""

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives

X = np.array([0.3, -0.7, 1.2, 0.5, -0.4])


def neighbours(x, k):
    total = 0.0
    for i in range(1, len(x) - 1):
        total += x[i] * x[i - 1] * k - (x[i - 1] + x[i + 1]) ** 3
    return total


def the_same_place_by_two_names(x, k):
    total = 0.0
    for i in range(len(x)):
        j = (i * i) % len(x)
        total += x[i] * x[j] * x[i] - k * x[j]
    return total


def read_between(x, k):
    y = np.zeros(3)
    y[0] = x[0] * x[1]
    y[1] = y[0] * x[0]
    y[0] = y[1] * x[0] * k
    return y[0] * y[1] + x[0]


def in_a_branch(x, k):
    total = x[0] * k
    if k > 1.0:
        total += x[0] * x[1] + x[0] ** 2
    return total * x[0]


def slices(x, k):
    return np.sum(x[1:] * x[:-1]) + k * np.sum(np.sin(x[1:])) + np.sum(x[:-1] ** 2)


@pytest.mark.parametrize(
    "f", [neighbours, the_same_place_by_two_names, read_between, in_a_branch, slices]
)
def test_additions(f):
    assert_derivatives(f, X, 1.7, wrt=(0, 1))


def test_each_place_once():
    source = tl.grad(neighbours).source(X, 1.7)
    assert source.count("bx[") == 3
