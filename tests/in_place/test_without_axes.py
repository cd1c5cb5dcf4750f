"""Numbers, which `+=` binds anew, and arrays without axes, which it changes."""

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives, check_second_order, define, scalarise

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


HELPER = """
def called(v, e):
    v += e
    return v
"""

BODIES = {
    "a name": "t = s; t += x[0]",
    "in a loop": "t = s\n    for v in x:\n        t *= v",
    "in a branch": "t = s\n    if x[0] > 0.0:\n        t += x[1]",
    "in a list": "t = [s, x]\n    s += x[0]\n    s = t[0]",
    "a function": "t = called(s, x[0]); t *= x[1]",
    "made": "s = np.array(x[0]); t = s; t += x[1]",
    "passed on": "t = np.asarray(s); t -= x[1]",
    "copied": "t = np.array(s); t -= x[1]",
    "views": "u, v, w = s.T, s[...], s.reshape(()); s *= x[1]; v += u; s = s * w",
    "read as a number": "t = s[()]; s += x[1]; s = s * t",
    "assigned": "t = s; s[()] = x[0]; s = s * t; t[...] = s",
    "methods and functions":
        "t = s; s.fill(x[0]); np.multiply(s, x[1], out=t); np.copyto(s, s * t)",
    "stretched": "s = np.array(x[0]); y = np.broadcast_to(s, (4,)); s += 1.0; x = x * y",
    "swapped in a loop":
        "t = np.array(x[1])\n    for v in x:\n        t *= v + s\n        s, t = t, s",
    "chosen": "t = np.array(x[1]); u = s if x[0] > 0 else t; u *= x[2]; s = s * t",
    "an element": "y = x * 1.0; e = y[1, ...]; y[1] = 5.0 * x[0]; e *= x[2]; x = y * e",
    "an element of a row": "y = np.outer(x, x); e = y[1:].T[2, 0, ...]; e[()] = x[0]; x = y @ x",
    "an element each time":
        "y = x * s\n    for i in range(3):\n        e = y[i, ...]; e += y[i + 1] * e\n    x = y",
    "a part in another shape": "y = x * s; e = y[:1].reshape(()); y[0] = x[1]; s = s * e",
    "an index": "k = np.array(1); k += 1; y = x * s; y[k] = x[k] ** 2; x = y",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_arrays_that_change(body):
    f = define(f"{HELPER}\ndef f(s, x):\n    {body}\n    return np.sum(s * x)\n", "f", np=np)

    def on_copies(s, x):
        return f(np.array(s), x)

    given = np.array(0.3)
    assert_derivatives(on_copies, 0.3, X)
    derivatives = (tl.grad(g, wrt=(0, 1))(given, X) for g in (f, on_copies))
    for one, other in zip(*derivatives):
        np.testing.assert_allclose(one, other, rtol=1e-14)
    assert given == 0.3


REFUSED = {
    "t = s\n    for v in x:\n        t += v\n        s = s * v": "share memory",
    "v = s[None]; v[0] = x[1]": "without axes",
    "y = x * s; e = y[:1].reshape(()); e += x[0]": "without axes",
    "k = np.array(1); k[()] = x[1]": "integers",
    "t = s if x[0] > 0 else 2.0; t += 1.0": "share memory",
}


@pytest.mark.parametrize(("body", "message"), REFUSED.items())
def test_what_is_not_known_to_be_an_array_is_refused(body, message):
    f = define(f"def f(s, x):\n    {body}\n    return np.sum(s * x)\n", "f", np=np)
    with pytest.raises(TangentLikeError, match=message) as caught:
        tl.grad(f)(np.array(0.3), X)
    assert caught.value.place.line > 1


def test_an_array_of_a_shorter_type_with_two_names_is_refused():
    def f(s, x):
        t = s
        t += x[0]
        return s * t

    with pytest.raises(TangentLikeError, match="share memory"):
        tl.grad(f)(np.array(0.3, dtype=np.float32), X)


def takes_from_an_axis_of_length_one(x, s):
    y = x.reshape(3, 1) * 1.0
    for k in range(3):
        s = s * y[k, 0]
    return s


def test_a_number_stays_a_number_beside_axes_of_length_one():
    x = np.array([0.3, -1.2, 2.1])
    assert_derivatives(takes_from_an_axis_of_length_one, x, 0.7)
    assert isinstance(tl.grad(takes_from_an_axis_of_length_one, 1)(x, 0.7), float)


def of_either_in_a_loop(m, c):
    p = m * 1.0
    if p[1]:
        pass
    else:
        m, p = (p, m)
    s, e = 0.5, m[0, ...]
    for _ in range(1):
        s += np.sin(c + e)
        p[...] = 0.5
    return np.cos(m) + s


def test_the_adjoint_of_a_number_is_no_view_of_the_adjoint_of_an_array():
    """Reverse over reverse: what was added to it changed the array (random program 35028/7)."""
    m, c = np.array([0.4, 0.3, -0.3]), 0.83
    check_second_order(scalarise(of_either_in_a_loop, (m, c), np.array([0.3, -0.8, 1.2])), (m, c))


def row_at(x, places):
    m = np.outer(x, x)
    row = m[places[0]]
    m[1, 2] = x[0] * 5.0
    return np.sum(row * x)


def row_of_its_own_at(x, places):
    m = np.outer(x, x)
    row = m[places[0]].copy()
    m[1, 2] = x[0] * 5.0
    return np.sum(row * x)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int8, np.uint8])
def test_a_number_of_an_array_of_short_integers_names_a_view(dtype):
    """It was taken for an array, which names a copy: values and derivatives were wrong."""
    x, places = np.array([0.7, -1.3, 0.9, 1.6]), np.array([1, 2], dtype)
    assert_derivatives(row_of_its_own_at, x, places, wrt=0)
    if dtype is np.int64:
        assert_derivatives(row_at, x, places, wrt=0)
    else:
        with pytest.raises(TangentLikeError, match="may share memory with `m`"):
            tl.grad(row_at)(x, places)
