"""Branches on one test that follow each other are one branch; indices stand where they are used."""

import math

import numpy as np

import tangent_like as tl
from tests.derivatives import assert_derivatives


def sweeps(a, b, start, count):
    x = start.copy()
    for _ in range(count):
        for i in range(len(x)):
            total = b[i]
            for j in range(len(x)):
                if j != i:
                    total -= a[i, j] * x[j]
            x[i] = total / a[i, i]
    return np.sum(x * x)


def both_sides(x, k):
    total = 0.0
    for i in range(len(x)):
        y = x[i] * k
        if y > 0.2:
            total += math.sin(y) * y
        else:
            total -= y * y * total
    return total


def the_users_own(x, k):
    large = k > 1.0
    if large:
        y = x[0] * k
    if large:
        y = y * x[1]
        y = y + k
    else:
        y = x[2]
    return y * k


A = np.array([[4.0, 1.0, 0.5], [0.3, 5.0, 1.0], [0.2, 0.7, 6.0]])
X = np.array([0.3, -0.7, 1.2])


def test_derivatives():
    assert_derivatives(sweeps, A, X, X, 2, wrt=(0, 1, 2))
    for k in (0.4, 1.7):
        assert_derivatives(both_sides, X, k, wrt=(0, 1))
        assert_derivatives(the_users_own, X, k, wrt=(0, 1))


def test_one_branch_for_what_is_computed_again_and_its_adjoint():
    reverse = tl.grad(sweeps).source(A, X, X, 2).split("# reverse sweep")[1]
    assert reverse.count("if ") == 1


def test_the_users_branches_stay_apart():
    source = tl.jvp(the_users_own, (X, 0.4), (X, 0.0)) and tl.source(the_users_own, "tangent")
    assert source.count("if ") == 2


def test_indices_of_several_parts():
    source = tl.grad(sweeps).source(A, X, X, 2)
    assert "ba[i, j] +=" in source or "ba[i, j] -=" in source
    assert "items" not in source
