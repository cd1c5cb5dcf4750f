"""Functions, methods and objects of which it is known only at run time which one is meant."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import SharedMemory
from tests.derivatives import assert_derivatives


def square(x):
    return x * x


def cube(x):
    return x * x * x


def wave(x):
    return math.sin(x) * 2.0


LIST = [square, cube, wave]
TUPLE = (square, cube, math.sin, lambda x: x / (1.0 + x * x))
TABLE = {"square": square, "cube": cube, "sin": math.sin}
NUMBERED = {0: square, 1: cube}
NESTED = [(1.0, (square, cube)), (2.0, (wave, math.cos))]


def from_a_list_in_a_loop(x, n):
    total = 0.0
    for i in range(n):
        total += LIST[i % 3](x) * (i + 1.0)
    return total


def from_a_list_backwards(x, k):
    return LIST[k](x) * LIST[-1](x) + LIST[k - 3](x)


def from_a_tuple_twice(x, k):
    f = TUPLE[k]
    return f(f(x))


def from_a_dict(x, key):
    return TABLE[key](x) * x


def from_a_dict_of_numbers(x, k):
    return NUMBERED[k](x) * x


def from_a_dict_with_a_default(x, key):
    return TABLE.get(key, wave)(x) + (x if key in TABLE else 0.0)


def from_nested_tuples(x, k, j):
    weight, pair = NESTED[k]
    return weight * pair[j](x)


def closures(x, k):
    a = x * 2.0
    fs = [lambda v: v * a, lambda v: v + a * a, wave]
    return fs[k](x)


def closures_in_a_dict(x, key):
    fs = {"a": lambda v: v * x, "b": square}
    return fs[key](x)


def in_a_branch(x, k):
    if x > 0.5:
        return LIST[k](x)
    f = LIST[k - 1]
    return f(x) * 2.0


def passed_on(x, k):
    def twice(f, v):
        return f(f(v))

    return twice(LIST[k], x)


def by_the_data(x):
    return LIST[int(x * 4.0) % 3](x)


def appended(x, n):
    fs = []
    for f in (square, cube):
        fs.append(f)
    for i in range(n):
        x = fs[i % 2](x) * 1.1
    return x


@pytest.mark.parametrize(
    ("function", "rest"),
    [
        (from_a_list_in_a_loop, (4,)),
        (from_a_list_backwards, (2,)),
        (from_a_list_backwards, (0,)),
        *((from_a_tuple_twice, (k,)) for k in range(4)),
        *((from_a_dict, (key,)) for key in TABLE),
        (from_a_dict_of_numbers, (1,)),
        (from_a_dict_with_a_default, ("cube",)),
        (from_a_dict_with_a_default, ("no such key",)),
        (from_nested_tuples, (0, 1)),
        (from_nested_tuples, (1, 0)),
        (closures, (0,)),
        (closures, (1,)),
        (closures_in_a_dict, ("a",)),
        (in_a_branch, (1,)),
        (passed_on, (2,)),
        (by_the_data, ()),
        (appended, (5,)),
    ],
    ids=lambda given: getattr(given, "__name__", str(given)),
)
def test_a_function_from_a_container(function, rest):
    assert_derivatives(function, 0.7, *rest, wrt=0)


def test_one_compiled_version_serves_every_index():
    gradient = tl.grad(from_a_list_backwards)
    gradient(0.7, 1)
    text = gradient.source(0.7, 1)
    assert gradient.source(0.7, 2) == text
    assert gradient(0.7, 2) == pytest.approx(
        (from_a_list_backwards(0.7 + 1e-6, 2) - from_a_list_backwards(0.7 - 1e-6, 2)) / 2e-6
    )


@pytest.mark.parametrize(
    ("function", "key", "error"),
    [
        (from_a_list_backwards, 3, IndexError),
        (from_a_tuple_twice, -5, IndexError),
        (from_a_dict, "none", KeyError),
        (from_a_list_backwards, 1.0, TypeError),
    ],
)
def test_an_index_that_is_not_there_raises_what_python_raises(function, key, error):
    with pytest.raises(error) as plain:
        function(0.7, key)
    with pytest.raises(error) as derived:
        tl.grad(function)(0.7, key)
    assert str(derived.value) == str(plain.value)


class Linear:
    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        return x * self.w

    def twice(self, x):
        return self(self(x))


class Quadratic:
    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        return x * x + self.w

    def twice(self, x):
        return self(self(x)) * self.w


def bound_methods(x, k):
    layer = Linear(x + 1.0)
    fs = [layer.twice, layer, square]
    return fs[k](x)


def objects_of_one_class(x, k):
    layers = [Linear(x), Linear(x * 2.0), Linear(3.0)]
    return layers[k].twice(x) + layers[k].w


def objects_of_several_classes(x, k):
    layers = [Linear(x), Quadratic(x * 2.0), Linear(2.0)]
    return layers[k](x) + layers[k].twice(x) * layers[k].w


def objects_in_a_loop(x, n):
    layers = [Linear(x), Quadratic(x * 2.0)]
    for i in range(n):
        x = layers[i % 2](x)
    return x


OUTSIDE = [Linear(2.0), Quadratic(0.5)]


def objects_outside(x, k):
    return OUTSIDE[k](x) * OUTSIDE[1 - k].twice(x)


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize(
    "function",
    [bound_methods, objects_of_one_class, objects_of_several_classes, objects_outside],
)
def test_an_object_or_method_from_a_list(function, k):
    assert_derivatives(function, 0.7, k, wrt=0)


def test_an_object_from_a_list_in_a_loop():
    assert_derivatives(objects_in_a_loop, 0.7, 3, wrt=0)


def writes_into_one_of_them(x, k):
    layers = [Linear(x), Linear(x * 2.0)]
    layer = layers[k]
    layer.w = layer.w * x
    return layers[0].w + 2.0 * layers[1].w


def test_a_write_into_a_picked_object_is_refused():
    with pytest.raises(SharedMemory, match="may share memory"):
        tl.grad(writes_into_one_of_them)(0.7, 1)


def leaves_a_loop_over_functions(x):
    for f in LIST:
        if f(x) > 0.45:
            return f(x) * x
    return x


def test_a_loop_over_functions_that_is_left_early():
    assert_derivatives(leaves_a_loop_over_functions, 0.7)
    assert_derivatives(leaves_a_loop_over_functions, 0.2)


def test_arrays():
    assert_derivatives(lambda x, k: np.sum(LIST[k](x)), np.array([0.3, 0.7]), 1, wrt=0)


def compared(x, k):
    f = LIST[k]
    if f is square:
        x = x * 3.0
    return f(x) if f != wave else x * x


@pytest.mark.parametrize("k", [0, 1, 2])
def test_a_picked_function_is_compared(k):
    assert_derivatives(compared, 0.7, k, wrt=0)
