"""Arrays that reach the place of the write through calls, objects and views of views."""

import copy

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives, same

X = np.array([0.7, -1.3, 2.1, 0.4])
A = np.array([[0.5, 1.2, -0.3], [2.0, -0.7, 0.9], [1.4, 0.1, 1.6]])


def both(v, w):
    v[0] = 2.0 * w[1]
    w[1] *= v[0]
    return np.sum(v * w)


def one_array_for_two_parameters(x):
    y = x * x
    return both(y, y) + y[1]


def overlapping_parts_for_two_parameters(x):
    y = x * x
    return both(y[1:], y[:-1]) * y[2]


def an_array_and_its_view_for_two_parameters(a):
    b = a * a
    return both(b[1], b.T[1]) * np.sum(b)


class Box:
    def __init__(self, v):
        self.v = v

    def scale(self, s):
        self.v *= s
        return self


def in_an_object(x):
    y = x * x
    box = Box(y)
    box.v[0] = x[1] * 3.0
    y[1] *= x[0]
    return np.sum(box.v * y)


def by_a_method(x):
    y = x * x
    box = Box(y[1:]).scale(x[0])
    box.v[0] += x[3]
    return np.sum(y * x) + box.scale(x[2]).v[1]


def in_a_dict(x):
    held = {"a": x * x}
    y = held["a"]
    y[0] = x[1]
    held["a"][1] *= 2.0
    held["b"] = held["a"]
    held["b"][2] = x[0] ** 2
    return np.sum(y * held["a"])


def views_of_views(a):
    b = a * 1.0
    c = b.T[1:]
    d = c[:, ::-1]
    e = d[0]
    e[1] = a[0, 0] ** 2
    d *= a[2, 2]
    c[0, 0] += a[1, 0]
    return np.sum(b * a) + e[0]


CASES = [
    (one_array_for_two_parameters, X), (overlapping_parts_for_two_parameters, X),
    (an_array_and_its_view_for_two_parameters, A), (in_an_object, X), (by_a_method, X),
    (in_a_dict, X), (views_of_views, A),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_the_array_is_the_same(f, x):
    assert_derivatives(f, x)


def overwrites_its_arguments(x, a):
    x[1:] *= x[:-1]
    a[0] = x[:3]
    a.sort(axis=1)
    x.fill(x[0])
    return np.sum(a * a) + np.sum(x)


@pytest.mark.parametrize("operator", [
    lambda f, *args: tl.grad(f, wrt=(0, 1))(*args),
    lambda f, *args: tl.value_and_grad(f)(*args),
    lambda f, *args: tl.jvp(f, args, args),
    lambda f, *args: tl.vjp(f, *args)[1](1.0),
    lambda f, *args: tl.hessian(f)(*args),
])  # fmt: skip
def test_the_callers_data_stays_as_it_is(operator):
    args = (X.copy(), A.copy())
    before = copy.deepcopy(args)
    operator(overwrites_its_arguments, *args)
    assert same(args, before)
