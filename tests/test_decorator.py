"""The decorator: a function with its derivatives as attributes."""

import concurrent.futures
import inspect
import math
import multiprocessing
import pickle

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError, NotYetSupported


@tl.differentiate
def f(x, y):
    """The product of a square and a number."""
    return x * x * y


@tl.differentiate(wrt="y")
def by_y(x, y=3.0):
    return math.sin(x) * y * y


@tl.differentiate(wrt=("y", 0))
def by_both(x, y, n=2):
    return x * y**n


@tl.differentiate
def annotated(x: float, n: int):
    return x**n


@tl.differentiate
def of_array(x, scale=2.0):
    return scale * np.sum(x * x)


class Model:
    rate = 2.0

    @tl.differentiate
    def loss(self, x):
        return self.rate * x

    @staticmethod
    @tl.differentiate
    def square(x):
        return x * x


def test_function_is_the_original_one():
    def g(x):
        return x

    assert tl.differentiate(g) is g
    assert f(2.0, 5.0) == 20.0
    assert f.__doc__ == "The product of a square and a number."
    assert str(inspect.signature(f)) == "(x, y)"
    assert "x * x * y" in inspect.getsource(f)
    assert inspect.isfunction(f)


def test_gradient_of_all_float_arguments():
    assert f.grad(2.0, 5.0) == (20.0, 4.0)
    assert f.value_and_grad(2.0, 5.0) == (20.0, (20.0, 4.0))


def test_one_float_argument_gives_one_gradient():
    assert annotated.grad(3.0, 2) == 6.0
    assert annotated.grad(3, 2) == 6.0
    assert f.grad(2.0, 5) == 20.0


def test_default_values_count_as_arguments():
    gradient, by_scale = of_array.grad(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(gradient, [4.0, 8.0])
    assert by_scale == 5.0


def test_named_arguments():
    assert by_y.grad(0.5) == 6.0 * math.sin(0.5)
    assert by_y.grad(x=0.5, y=1.0) == 2.0 * math.sin(0.5)
    assert by_both.grad(2.0, 3.0) == (12.0, 9.0)


def test_keyword_arguments():
    assert f.grad(y=5.0, x=2.0) == (20.0, 4.0)


def test_both_modes():
    assert f.jvp((2.0, 5.0), (1.0, 0.0)) == (20.0, 20.0)
    value, pullback = f.vjp(2.0, 5.0)
    assert value == 20.0
    assert pullback(0.5) == (10.0, 2.0)


def test_second_order():
    assert f.hessian(2.0, 5.0) == ((10.0, 4.0), (4.0, 0.0))
    assert f.hvp(2.0, 5.0, 1.0, 2.0) == (18.0, 4.0)
    np.testing.assert_array_equal(by_y.jacobian(0.5), 6.0 * math.sin(0.5))


def test_texts():
    assert "def f_grad(x, y" in f.source()
    assert "def f_jvp(x, y, dx, dy" in f.source("tangent")
    assert "bx" not in by_y.source()
    assert "x * x" in f.wengert()


def test_check_and_benchmark():
    f.check(2.0, 5.0)
    rows = f.benchmark(2.0, 5.0, rounds=1).rows
    assert rows[0].method == "primal"


def test_decorated_functions_call_each_other():
    @tl.differentiate
    def g(x):
        return f(x, x) + by_y(x)

    assert g.grad(2.0) == pytest.approx(3 * 4.0 + 9.0 * math.cos(2.0))


def test_function_and_attributes_pickle():
    assert pickle.loads(pickle.dumps(f)) is f
    assert pickle.loads(pickle.dumps(f.grad))(2.0, 5.0) == (20.0, 4.0)
    assert pickle.loads(pickle.dumps(f.jvp))((2.0, 5.0), (1.0, 0.0)) == (20.0, 20.0)


def test_attributes_run_in_other_processes():
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(f.grad, 2.0, 5.0).result() == (20.0, 4.0)


def test_static_method():
    assert Model.square.grad(3.0) == 6.0


def test_method_is_refused_where_its_derivative_is_called():
    model = Model()
    assert model.loss(3.0) == 6.0
    with pytest.raises(NotYetSupported, match=r"method `Model\.loss`") as caught:
        model.loss.grad(3.0)
    assert caught.value.place.file == __file__
    assert "self" in caught.value.hint


@pytest.mark.parametrize("call", [f.grad, f.hessian, f.hvp], ids=lambda a: a.name)
def test_wrong_number_of_arguments(call):
    with pytest.raises(ArgumentError, match="f: missing a required argument: 'y'"):
        call(2.0)


def test_no_float_argument():
    with pytest.raises(ArgumentError, match="no argument of `f` is a float") as caught:
        f.grad(2, 5)
    assert "wrt=" in caught.value.hint


def test_unknown_argument():
    @tl.differentiate(wrt="z")
    def g(x):
        return x

    assert g(2.0) == 2.0
    with pytest.raises(ArgumentError, match="no argument 'z'"):
        g.grad(2.0)


def test_backend_that_there_is_not():
    with pytest.raises(ArgumentError, match="fortran"):
        tl.differentiate(backend="fortran")


@pytest.mark.parametrize("thing", [3.0, len, Model, np.sin])
def test_something_that_is_no_function(thing):
    with pytest.raises(ArgumentError, match="decorates a function"):
        tl.differentiate(thing)
