"""`filter`, `reduce`, `partial` and caches, `**` in recursion, named tuples."""

import collections
import functools
import math
import operator

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives

V = np.array([0.3, 0.7, 1.2])


def filtered(x):
    return sum(v * v for v in filter(lambda v: v > 0.5, x))


def filtered_list(x):
    kept = list(filter(lambda v: v > 0.5, x))
    return kept[0] * kept[1] * len(kept)


def filtered_by_truth(x):
    total = 0.0
    for v in filter(None, x):
        total += v * v
    return total


def filtered_list_of_known_length(x):
    a, b, c = x[0], x[1], x[2]
    return sum(filter(lambda v: v > a, [a * b, b * c, c])) * a


def filtered_in_a_loop(x):
    total = 0.0
    for i in range(3):
        total += sum(filter(lambda v: v > 0.2 * i, x)) * x[i]
    return total


def filtered_while_counting(x):
    asked = 0

    def large(v):
        nonlocal asked
        asked += 1
        return v > 0.5

    return sum(filter(large, x)) * asked


@pytest.mark.parametrize(
    "function",
    [
        filtered, filtered_list, filtered_by_truth, filtered_list_of_known_length,
        filtered_in_a_loop, filtered_while_counting,
    ],
)  # fmt: skip
def test_filter_on_values(function):
    assert_derivatives(function, V)


def scaled(x, n, **options):
    if n == 0:
        return x * options["scale"] + options.get("shift", 0.0)
    return math.sin(scaled(x, n - 1, **options)) * x


def changing(x, n, **options):
    if n == 0:
        return x * options["scale"]
    return changing(x, n - 1, scale=options["scale"] * x, other=options["other"] + x) * x


def stars(n, *xs):
    if n == 0:
        return xs[0] * xs[1]
    return stars(n - 1, xs[1], math.sin(xs[0]))


def shrinking(*xs):
    if not xs:
        return 0.0
    return xs[0] * xs[0] + shrinking(*xs[1:])


RECURSIONS = [
    lambda x: scaled(x, 3, scale=x * 2.0),
    lambda x: scaled(x, 3, scale=2.0, shift=x),
    lambda x: changing(x, 3, scale=x, other=1.0),
    lambda x: stars(3, x, 2.0),
    lambda x: shrinking(x, x * 2.0, 3.0),
]


@pytest.mark.parametrize("function", RECURSIONS)
def test_recursion_with_stars(function):
    assert_derivatives(function, 0.7)


Pair = collections.namedtuple("Pair", "a b")


def replaced(x):
    p = Pair(x, x * x)
    q = p._replace(a=p.b * 2.0)
    return q.a * q.b + p.a


def as_a_dict(x):
    d = Pair(x, x * x)._asdict()
    d["c"] = x
    return d["a"] * d["b"] * d["c"]


def by_their_names(x):
    p = Pair(x, x * x)
    return sum(getattr(p, name) * (k + 1.0) for k, name in enumerate(p._fields))


def replaced_in_a_loop(x, n=3):
    p = Pair(x, 1.0)
    for _ in range(n):
        p = p._replace(a=p.a * x, b=p.b + p.a)
    return p.a * p.b


@pytest.mark.parametrize("function", [replaced, as_a_dict, by_their_names, replaced_in_a_loop])
def test_methods_of_named_tuples(function):
    assert_derivatives(function, 0.7)


def no_such_field(x):
    return Pair(x, x)._replace(c=x).a


def test_a_field_that_is_not_there():
    with pytest.raises(TangentLikeError, match="c"):
        tl.grad(no_such_field)(0.7)


@functools.cache
def cached(x):
    return math.sin(x) * x


@functools.cache
def cached_recursion(x, n):
    return x if n == 0 else cached_recursion(x, n - 1) * x + 1.0


def with_caches(x):
    return cached(x) + cached(2.0 * x) * cached_recursion(x, 3)


def partials(x):
    power = functools.partial(pow, x)
    triple = functools.partial(functools.partial(lambda a, b, c=1.0: a * b * c, x), c=2.0)
    return power(2) + triple(x) + power.args[0] * triple.keywords["c"] + power.func(x, 3)


def folds(x):
    product = functools.reduce(operator.mul, [x, 2.0, x])
    return product + functools.reduce(lambda a, b: a * b, (x, 3.0), 1.0)


def composed(x):
    return functools.reduce(lambda f, g: lambda v: g(f(v)), [math.sin, cached, math.exp])(x)


@pytest.mark.parametrize("function", [with_caches, partials, folds, composed])
def test_tools_of_functions(function):
    assert_derivatives(function, 0.7)


def writes_by_the_chosen_one(x, k=1):
    y = np.ones(3)
    f = first if k else second
    return f(y, x) * np.sum(y * y)


def first(y, x):
    y[0] = x
    return 1.0


def second(y, x):
    y[1] = x * x
    return 2.0


def test_only_the_chosen_function_writes():
    assert_derivatives(writes_by_the_chosen_one, 0.7)
    assert_derivatives(writes_by_the_chosen_one, 0.7, 0, wrt=0)


class Held:
    def __init__(self, value):
        self.value = value

    def read(self, weight):
        return self.value * weight


def changed_behind_a_partial(x, n):
    held, items = Held(x), [x, 0.5]
    of_held = functools.partial(lambda h, w: h.value * w, held)
    of_items = functools.partial(lambda w, u: u[0] * w, u=items)
    read = held.read
    total = of_held(1.0) + of_items(1.0) + read(1.0)
    for _ in range(n):
        held.value = held.value * x
        items[0] = items[0] * np.sin(x)
        total = total + of_held(0.5) * of_items(2.0) + read(0.3)
    return total


def test_partial_functions_and_methods_hold_objects_not_values():
    assert_derivatives(changed_behind_a_partial, 0.7, 3, wrt=0)


def called_in_the_test_of_a_loop(x, n):
    h = x * 2.0

    def smaller():
        nonlocal h
        h = h * 0.8
        return 0.5

    k = 0
    while k < n and Held(h).value[0] + smaller() < 4.0:
        k += 1
    return 2.0 * np.sum(h)


def test_a_variable_that_the_test_of_a_loop_changes():
    assert_derivatives(called_in_the_test_of_a_loop, np.array([0.8, -0.6]), 3, wrt=0)
