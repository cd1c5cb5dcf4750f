"""Functions that no one knows before the derivative runs: arguments, and what loops hand on."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError, NotYetSupported, TangentLikeError
from tests.derivatives import assert_derivatives


def square(x):
    return x * x


def cube(x):
    return x * x * x


def wave(x):
    return math.sin(x) * 2.0


def appended(x, n=4):
    fs = []
    for i in range(n):
        fs.append(square if i % 2 else cube)
    total = 0.0
    for f in fs:
        total = total + f(x)
    return total * fs[0](x)


def collected(x, n=4):
    fs = [wave if i > 1 else cube for i in range(n)]
    return sum(f(x) for f in fs) + fs[n - 1](x)


def handed_on(x, n=5):
    f = square
    for i in range(n):
        x = f(x)
        f = cube if i % 2 else wave
    return f(x)


def handed_on_by_a_while_loop(x):
    f, g = square, wave
    while x < 3.0:
        x = f(x) + 1.0
        f, g = g, f
    return x


def perhaps_none(x, n=3):
    f = None
    for i in range(n):
        if f is not None:
            x = f(x)
        f = wave if i == 0 else cube
    return x


def with_its_weight(x, k=1):
    pair = (2.0, square) if k else (3.0, math.exp)
    weight, f = pair
    return weight * f(x)


@pytest.mark.parametrize(
    "function",
    [
        appended, collected, handed_on, handed_on_by_a_while_loop, perhaps_none, with_its_weight,
    ],
)  # fmt: skip
def test_functions_that_loops_hand_on(function):
    assert_derivatives(function, 0.7)


def once(f, x):
    return f(x) * x


def twice(f, x):
    return f(f(x)) * x


def in_a_loop(f, x):
    for _ in range(3):
        x = f(x) * 1.1
    return np.sum(x)


def in_a_branch(f, x):
    if np.sum(x) > 0.0:
        x = f(x)
    return np.sum(x * x)


def from_a_list(fs, x):
    total = 0.0
    for f in fs:
        total = total + f(x) * x
    return np.sum(total)


def from_a_dict(p, x):
    return np.sum(p["activation"](p["w"] * x) * x)


def of_two_operands(f, x):
    return np.sum(f(x, 2.0 * x) * x)


def differences(f, x, h=1e-5):
    """The gradient of f by central differences."""
    x = np.asarray(x, dtype=float)
    found = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[place] = h
        found[place] = (f((x + step)[()]) - f((x - step)[()])) / (2.0 * h)
    return found


CASES = [
    (once, square, 0.7),
    (once, math.sin, 0.7),
    (once, lambda x: x / (1.0 + x), 0.7),
    (twice, np.tanh, np.float64(0.7)),
    (in_a_loop, np.tanh, np.array([0.7, -0.3])),
    (in_a_loop, square, 0.7),
    (in_a_branch, square, np.array([0.7, -0.3])),
    (from_a_list, [square, np.exp, lambda x: x / 2.0], np.array([0.7, -0.3])),
    (from_a_dict, {"activation": np.tanh, "w": 1.3}, np.array([0.7, -0.3])),
    (of_two_operands, lambda x, y: x * y + x, np.array([0.7, -0.3])),
]


@pytest.mark.parametrize(("function", "given", "x"), CASES)
def test_a_function_as_an_argument(function, given, x):
    """The tests of derivatives take numbers only, so the four mixes are written out."""
    gradient = tl.grad(function, wrt=1)
    want = differences(lambda v: function(given, v), x)
    np.testing.assert_allclose(gradient(given, x), want, rtol=1e-7)
    u = np.ones_like(x) * 0.5
    value, tangent = tl.jvp(function, (given, x), (None, u))
    assert value == pytest.approx(function(given, x), rel=1e-15)
    np.testing.assert_allclose(tangent, np.sum(want * u), rtol=1e-7)
    second = differences(lambda v: np.sum(gradient(given, v) * u), x)
    forward_over_reverse = tl.jvp(gradient, (given, x), (None, u))[1]
    np.testing.assert_allclose(forward_over_reverse, second, rtol=1e-6)

    def along(g, v):
        return tl.jvp(function, (g, v), (None, u))[1]

    def slope(g, v):
        return np.sum(tl.grad(function, wrt=1)(g, v) * u)

    for mixed in (along, slope):
        found = tl.grad(mixed, wrt=1)(given, x)
        np.testing.assert_allclose(found, forward_over_reverse, rtol=1e-10)


def test_one_compiled_version_serves_all_functions():
    gradient = tl.grad(once, wrt=1)
    assert gradient(square, 2.0) == 12.0
    text = gradient.source(square, 2.0)
    assert gradient(cube, 2.0) == 32.0
    assert gradient.source(cube, 2.0) == text


def test_a_gradient_keeps_the_functions_of_a_dict():
    found = tl.grad(from_a_dict)({"activation": np.tanh, "w": 1.3}, np.array([0.7, -0.3]))
    assert found["activation"] is np.tanh
    want = differences(
        lambda w: from_a_dict({"activation": np.tanh, "w": w}, np.array([0.7, -0.3])), 1.3
    )
    assert found["w"] == pytest.approx(float(want))


def calls_a_number(x, k):
    return k(x) * x


def calls_its_argument(x):
    return x(2.0) * x


def calls_a_name_that_is_nowhere(x):
    return nowhere(x) * x  # noqa: F821 - what is tested


@pytest.mark.parametrize(
    ("function", "args", "kind"),
    [
        (calls_a_number, (0.7, 3.0), TypeError),
        (calls_its_argument, (0.7,), TypeError),
        (calls_a_name_that_is_nowhere, (0.7,), NameError),
    ],
)
def test_what_cannot_be_called_raises_what_python_raises(function, args, kind):
    with pytest.raises(kind) as plain:
        function(*args)
    with pytest.raises(kind) as derived:
        tl.grad(function)(*args)
    assert str(derived.value) == str(plain.value)


def only_where_nobody_comes(x):
    return nowhere(x) if x > 10.0 else x * x  # noqa: F821 - what is tested


def test_a_name_that_is_nowhere_where_nobody_comes():
    assert tl.grad(only_where_nobody_comes)(0.7) == 1.4


def changes_its_argument(y):
    y[0] = 2.0
    return y


def draws(x):
    return x * np.random.default_rng(0).normal()


def gives_two(x):
    return x, x


def test_functions_that_must_be_known():
    x = np.array([0.7, -0.3])
    with pytest.raises(ValueError, match="read-only"):
        tl.grad(in_a_loop, wrt=1)(changes_its_argument, x)
    with pytest.raises(NotYetSupported, match="random numbers"):
        tl.grad(once, wrt=1)(draws, 0.7)
    with pytest.raises(NotYetSupported, match="returns a tuple"):
        tl.grad(once, wrt=1)(gives_two, 0.7)
    with pytest.raises(ArgumentError, match="a function"):
        tl.grad(once)(square, 0.7)
    with pytest.raises(TangentLikeError, match="source"):
        tl.grad(once, wrt=1)(eval("lambda x: x * x"), 0.7)


def closures_of_an_iteration(x, n=3):
    fs = []
    for i in range(n):
        fs.append(lambda v, i=i: v * i * x)
    return sum(f(x) for f in fs)


def nested_function_handed_on(x, n=3):
    def double(v):
        return v * 2.0 * x

    f = square
    for _ in range(n):
        x = f(x)
        f = double
    return x


@pytest.mark.parametrize("function", [closures_of_an_iteration, nested_function_handed_on])
def test_nested_functions_are_not_values(function):
    with pytest.raises(NotYetSupported, match="nested function"):
        tl.grad(function)(0.7)
