"""Decorated functions, `*args` and `**kwargs`, and functions that live in containers outside."""

import functools
import inspect
import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tangent_like.rules import registry
from tests.derivatives import assert_derivatives


def doubled(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return 2.0 * function(*args, **kwargs)

    return wrapper


def of_the_square(factor):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(x, *rest, **more):
            return factor * function(x * x, *rest, **more)

        return wrapper

    return decorate


@doubled
def product(x, y=2.0, *, z=1.0):
    """The product."""
    return x * y * z


@of_the_square(3.0)
@doubled
def decorated_twice(x, y):
    return product(x, y) + product(x, z=y) + product(*[x, y], **{"z": x})


def test_derivative_of_a_decorated_function():
    """`functools.wraps` must not lead around the decorator."""
    assert tl.grad(product)(3.0, 5.0) == 10.0
    assert tl.grad(product, wrt="z")(3.0, z=5.0) == 12.0
    assert_derivatives(decorated_twice, 0.7, 1.3)


def test_signature_of_a_decorated_function():
    gradient = tl.grad(product)
    assert str(inspect.signature(gradient)) == "(x, y=2.0, *, z=1.0)"
    assert inspect.signature(gradient).parameters["z"].kind is inspect.Parameter.KEYWORD_ONLY


def nested_gradient_of_a_decorated_function(x):
    return tl.grad(product, wrt=(0, 2))(x, x * x, z=x)[1] * tl.grad(decorated_twice)(x, x)


def test_nested_gradient_of_a_decorated_function():
    assert_derivatives(nested_gradient_of_a_decorated_function, 0.7)


def replaces_what_it_decorates(function):
    return lambda x: np.cos(x) * 3.0


@replaces_what_it_decorates
def replaced(x):
    return np.sin(x)


def test_a_decorator_that_replaces_the_function():
    assert tl.grad(replaced)(0.5) == pytest.approx(-3.0 * math.sin(0.5), rel=1e-15)


@functools.cache
def cached(x):
    return math.sin(x) * x


def calls_a_cached_function(x):
    return cached(x) * cached(x * x) + cached(x)


def test_a_callee_with_a_cache():
    assert_derivatives(calls_a_cached_function, 0.7)


@functools.lru_cache
def with_a_rule(x):
    return math.sin(x)


def calls_what_has_a_rule(x):
    return with_a_rule(x) * x


def test_a_rule_for_a_function_with_a_cache_counts(monkeypatch):
    monkeypatch.setattr(registry, "rules", dict(registry.rules))
    tl.elementwise(with_a_rule, lambda x, y: 0.0 * x + 7.0)
    assert tl.grad(calls_what_has_a_rule)(2.0) == pytest.approx(14.0 + math.sin(2.0))


def collects(x, *ys, scale=1.0, **named):
    total = x * len(ys)
    for y in ys:
        total = total + y * scale * x
    for name, value in named.items():
        total = total * value if name != "skip" else total
    first, *rest = (x, *ys)
    return total * named.get("power", 1.0) + first * sum(rest)


def passes_in_both_directions(x, y):
    more = {"power": y, "skip": 0.0}
    pair = (x * y, y)
    return collects(x, *pair, scale=y, **more) + collects(x) * collects(*pair, x, **{"q": x})


def test_star_arguments_in_both_directions():
    assert_derivatives(passes_in_both_directions, 0.7, 1.3)


def forwards(function, *args, **kwargs):
    return function(*args, **kwargs)


def forwards_too(*args, **kwargs):
    return args[0](*args[1:], **kwargs)


def forwards_through_several(x):
    return forwards(forwards_too, collects, x, x * x, scale=x)


def test_arguments_forwarded_through_several_functions():
    assert_derivatives(forwards_through_several, 0.7)


def counts_down(x, *ys):
    if not ys:
        return x
    return np.sin(x) * counts_down(*ys)


def test_recursion_that_shortens_its_arguments():
    assert_derivatives(calls_counts_down, 0.7, 1.3)


def calls_counts_down(x, y):
    return counts_down(x, y, x * y)


def misuses(x):
    return product(x, **{"x": x})


def test_misuse_of_star_arguments():
    with pytest.raises(TangentLikeError, match="twice"):
        tl.grad(misuses)(1.0)


OPERATIONS = {"sin": np.sin, "square": lambda t: t * t, "weight": 3.0}
LAYERS = [np.tanh, lambda t, k=2.0: k * t]
hypotenuse = functools.partial(math.hypot, 3.0)
scaled_product = functools.partial(product, z=4.0)
PAIRS = ((np.sin, 2.0), (np.cos, 3.0))


def uses_containers_outside(x):
    for layer in LAYERS:
        x = layer(x)
    for function, factor in PAIRS:
        x = x + function(x) * factor
    y = OPERATIONS["square"](x) + OPERATIONS["sin"](x) * OPERATIONS["weight"]
    return y + hypotenuse(x) + scaled_product(x, 2.0)


def test_functions_in_containers_outside(monkeypatch):
    """What they hold is looked at again at each call."""
    assert_derivatives(uses_containers_outside, 0.7)
    gradient = tl.grad(uses_containers_outside)
    seen = {gradient(0.7)}
    with monkeypatch.context() as patch:
        patch.setitem(OPERATIONS, "square", np.cos)
        seen.add(gradient(0.7))
        assert_derivatives(uses_containers_outside, 0.7)
        patch.setitem(OPERATIONS, "weight", 5.0)
        seen.add(gradient(0.7))
        assert_derivatives(uses_containers_outside, 0.7)
        patch.setattr(f"{__name__}.hypotenuse", functools.partial(math.hypot, 7.0))
        seen.add(gradient(0.7))
        LAYERS.append(np.arctan)
        seen.add(gradient(0.7))
        assert_derivatives(uses_containers_outside, 0.7)
        LAYERS.pop()
    assert len(seen) == 5
    assert gradient(0.7) in seen
