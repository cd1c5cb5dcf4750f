"""Differentiating what takes any number of arguments, and callables that are no plain functions."""

import functools
import pickle

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError
from tests.derivatives import assert_derivatives


def squares(*xs):
    return sum((i + 1) * x * x for i, x in enumerate(xs))


def options(x, *ys, scale=1.0, **more):
    return x * sum(ys) * scale + sum(v * v for v in more.values())


def by_keyword(x, /, *, y, z=2.0):
    return x * y * z


def test_a_function_of_any_number_of_arguments():
    assert_derivatives(squares, 0.7, -1.3)
    assert_derivatives(squares, 0.7, -1.3, 2.1)
    assert_derivatives(squares, np.array([0.7, 1.0]), np.array([2.0, 3.0]))


def test_positions_count_the_arguments_of_the_call():
    assert tl.grad(squares)(1.0, 2.0) == 2.0
    assert tl.grad(squares, wrt=2)(1.0, 2.0, 3.0) == 18.0
    assert tl.grad(squares, wrt=(0, 2))(1.0, 2.0, 3.0) == (2.0, 18.0)
    assert tl.grad(squares, wrt=-1)(1.0, 2.0, 3.0) == 18.0
    with pytest.raises(ArgumentError, match="no argument 4"):
        tl.grad(squares, wrt=4)(1.0, 2.0)


def test_the_name_of_all_of_them_gives_a_gradient_for_each():
    assert tl.grad(squares, wrt="xs")(1.0, 2.0, 3.0) == (2.0, 8.0, 18.0)
    assert tl.grad(squares, wrt="xs")(1.0) == (2.0,)
    value, (dx, dys, dmore) = tl.value_and_grad(options, wrt=("x", "ys", "more"))(
        1.0, 2.0, 3.0, scale=2.0, a=5.0, b=1.0
    )
    assert (value, dx, dys, dmore) == (36.0, 10.0, (2.0, 2.0), {"a": 10.0, "b": 2.0})


def test_keywords_by_name():
    assert tl.grad(options, wrt=("x", "a"))(1.0, 2.0, 3.0, scale=2.0, a=5.0, b=1.0) == (10.0, 10.0)
    assert tl.grad(options, wrt="scale")(1.0, 2.0, 3.0, scale=2.0) == 5.0
    assert tl.grad(by_keyword, wrt="y")(1.0, y=3.0) == 2.0
    assert tl.grad(by_keyword, wrt=("x", "z"))(1.0, y=3.0) == (6.0, 3.0)
    with pytest.raises(ArgumentError, match="'y'"):
        tl.grad(by_keyword)(1.0)


def test_higher_orders_and_products():
    assert tl.grad(tl.grad(squares))(1.0, 2.0) == 2.0
    assert tl.hvp(squares, wrt=(0, 1))(1.0, 2.0, 1.0, 1.0) == (2.0, 4.0)
    assert tl.jvp(squares, (1.0, 2.0), (1.0, 1.0)) == (9.0, 10.0)
    assert tl.vjp(squares, 1.0, 2.0, 3.0)[1](1.0) == (2.0, 8.0, 18.0)


def test_inside_a_differentiated_function():
    def inner(x):
        return tl.grad(squares, wrt=1)(x, x * x) * tl.grad(options, wrt="a")(x, a=x)

    assert_derivatives(inner, 0.7)


def test_it_pickles():
    assert pickle.loads(pickle.dumps(tl.grad(squares)))(1.0, 2.0) == 2.0
    given = functools.partial(by_keyword, y=2.0)
    assert pickle.loads(pickle.dumps(tl.grad(given)))(1.0) == 4.0


def test_one_derivative_for_each_number_of_arguments():
    gradient = tl.grad(squares)
    gradient(1.0, 2.0)
    assert gradient.serving(2, ()) is gradient.serving(2, ())
    assert gradient(1.0) == 2.0


def test_a_partial_function():
    given = functools.partial(options, 2.0, scale=3.0)
    assert tl.grad(given)(3.0) == 6.0
    assert tl.grad(functools.partial(by_keyword, y=2.0))(3.0) == 4.0
    assert tl.grad(functools.partial(by_keyword, y=2.0), wrt="y")(3.0) == 6.0
    assert_derivatives(functools.partial(by_keyword, y=2.0), 0.7)
    assert_derivatives(functools.partial(squares, 0.5), 0.7, 1.1)
    assert_derivatives(functools.partial(functools.partial(squares, 0.5), 2.0), 0.7, 1.1)


class Layer:
    def __init__(self, w):
        self.w = w
        self.b = 0.5

    def __call__(self, x, power=1.0):
        return np.sum(self.w * x) * power + self.b * x * x

    def scaled(self, x):
        return self(x) * self.b


def test_a_callable_object():
    layer = Layer(np.array([1.0, 2.0]))
    assert_derivatives(layer, 0.7)
    gradient = tl.grad(layer)
    assert gradient(0.5) == 3.5
    layer.b = 2.0  # read when the derivative is called
    assert gradient(0.5) == 5.0
    assert gradient(0.5, power=2.0) == 8.0
    assert tl.hessian(layer)(0.5) == 4.0


def test_a_bound_method():
    layer = Layer(np.array([1.0, 2.0]))
    assert_derivatives(layer.scaled, 0.7)


def default_object(x, layer=Layer(2.0)):  # noqa: B008 - what is tested
    return layer(x) * layer.b


def calls_with_a_default(x):
    return default_object(x) + default_object(x, layer=Layer(x))


def test_an_object_as_a_default():
    assert_derivatives(calls_with_a_default, 0.7)
    assert tl.grad(default_object)(0.7) == pytest.approx((2.0 + 0.7) * 0.5)
