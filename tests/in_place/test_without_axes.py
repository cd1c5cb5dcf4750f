"""Numbers, which `+=` binds anew, and arrays without axes, which it changes."""

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, define

X = np.array([0.7, -1.3, 2.1, 0.4])


def number_and_its_old_value(s, x):
    t = s
    t += 1.0
    return s * t * np.sum(x)


def element_of_an_array(s, x):
    y = x * s
    e = y[1]
    e += 1.0
    y[1] *= 3.0
    return e * np.sum(y)


def sums_that_go_on(s, x):
    total = np.sum(x)
    old = total
    for v in x:
        total += v * old
    return total * old * s


def argument_with_one_name(s, x):
    for i in range(3):
        if x[i] > 0.0:
            s += x[i] * s
        s *= 0.5
    return s * s


def made_with_one_name(s, x):
    t = np.where(s > 0.0, x[0], x[1])
    t += x[2] * s
    u = np.array(s * x[3])
    for v in x:
        u *= v + t
    return t * u


@pytest.mark.parametrize("s", [0.3, np.float64(0.3), np.array(0.3)], ids=["float", "NumPy", "0-d"])
@pytest.mark.parametrize("f", [element_of_an_array, sums_that_go_on, argument_with_one_name,
                               made_with_one_name])  # fmt: skip
def test_one_name(f, s):
    assert_derivatives(f, s, X)


def test_a_number_with_two_names():
    assert_derivatives(number_and_its_old_value, 0.3, X)


def called(v, e):
    v += e


TWO_NAMES = {
    "a name": "t = s\n    t += x[0]",
    "in a loop": "t = s\n    for v in x:\n        t *= v",
    "both in a loop": "t = s\n    for v in x:\n        t += v\n        s = s * v",
    "in a branch": "t = s\n    if x[0] > 0.0:\n        t += x[1]",
    "in a list": "t = [s, x]\n    s += x[0]\n    s = t[0]",
    "a function": "called(s, x[0])",
    "made": "s = np.array(x[0])\n    t = s\n    t += x[1]",
    "passed on": "t = np.asarray(s)\n    t -= x[1]",
}


@pytest.mark.parametrize("body", TWO_NAMES.values(), ids=TWO_NAMES.keys())
def test_an_array_with_two_names_is_refused(body):
    f = define(f"def f(s, x):\n    {body}\n    return np.sum(s * x)\n", "f", called=called)
    with pytest.raises(NotYetSupported, match="share memory") as caught:
        tl.grad(f)(np.array(0.3), X)
    assert caught.value.place.line > 0


@pytest.mark.parametrize("body", [
    "s[()] = x[0]", "s[...] = x[0]", "s[()] *= x[0]", "s.fill(x[0])", "np.multiply(s, x[0], out=s)",
    "np.copyto(s, x[0])",
])  # fmt: skip
def test_what_writes_into_an_array_without_axes_is_refused(body):
    f = define(f"def f(x):\n    s = np.array(x[1])\n    {body}\n    return s * x[2]\n", "f")
    with pytest.raises(NotYetSupported, match="without axes") as caught:
        tl.grad(f)(X)
    assert caught.value.place.line == 3
