"""Functions that call themselves and write into their arguments."""

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives

X = np.array([0.7, -1.3, 2.1, 0.4])


def factorial_into(v, n):
    if n > 0:
        v[n] = v[n - 1] * v[n]
        factorial_into(v, n - 1)


def into_a_local(x, n):
    y = x * 1.0
    for k in range(2):
        factorial_into(y, n)
        y *= 0.5 + k
    return np.sum(y * x)


def into_an_argument(x, n):
    factorial_into(x[::-1], n)
    return np.sum(x * x)


def halves(v, k):
    if k == 0:
        v[0] = np.sin(v[0])
        return v[0]
    m = len(v) // 2
    left, right = halves(v[:m], k - 1), halves(v[m:], k - 1)
    v[:m] *= v[m:]
    return left * right


def into_both_halves(x, n):
    y = x * 1.0
    s = halves(y, n)
    return np.sum(y * x) * s


def transform(re, im, k):
    """The fast Fourier transform by Cooley and Tukey, in place."""
    if k > 0:
        m = len(re) // 2
        a, b, u, v = (part.copy() for part in (re[::2], im[::2], re[1::2], im[1::2]))
        transform(a, b, k - 1)
        transform(u, v, k - 1)
        angle = -np.pi * np.arange(m) / m
        c, s = np.cos(angle), np.sin(angle)
        re[:m], re[m:] = a + c * u - s * v, a - c * u + s * v
        im[:m], im[m:] = b + c * v + s * u, b - c * v - s * u


def of_a_transform(x, n):
    re, im = x * 1.0, np.zeros(4)
    transform(re, im, n)
    return np.sum(re**2 * x) + np.sum(im**3)


def calls_itself(x, n):
    if n > 0:
        x[n] *= x[n - 1]
        return calls_itself(x, n - 1) + x[n]
    return np.sum(x * x)


def taking_turns(v, w, n):
    if n > 0:
        v[n] *= w[n - 1]
        taking_turns(w, v, n - 1)


def of_two(x, n):
    y, z = x * 1.0, x * 2.0
    taking_turns(y, z, n)
    return np.sum(y * z * z)


def beside_a_captured_one(x, n):
    w = x * 2.0

    def go(v, k):
        if k > 0:
            v[k] *= w[k - 1]
            go(v, k - 1)

    y = x * 1.0
    go(y, n)
    return np.sum(y * w)


@pytest.mark.parametrize("f", [
    into_a_local, into_an_argument, into_both_halves, of_a_transform, calls_itself, of_two,
    beside_a_captured_one,
])  # fmt: skip
def test_recursions_that_write(f):
    assert_derivatives(f, X, 2, wrt=0)


def test_the_transform_is_right():
    re, im = X.copy(), np.zeros(4)
    transform(re, im, 2)
    np.testing.assert_allclose(re + 1j * im, np.fft.fft(X), atol=1e-15)


def one_array_twice(x):
    y = x * 1.0
    taking_turns(y, y, 2)
    return np.sum(y)


def what_is_captured(x):
    w = x * 2.0

    def go(v, k):
        if k > 0:
            v[k] *= w[k - 1]
            go(v, k - 1)

    go(w, 2)
    return np.sum(w)


def around_it(x):
    w = x * 2.0

    def go(k):
        if k > 0:
            w[k] *= w[k - 1]
            go(k - 1)

    go(2)
    return np.sum(w)


def given_back(v, n):
    if n > 0:
        v[n] *= v[n - 1]
        given_back(v, n - 1)
        return v
    return v


def returned_and_written(x):
    y = x * 1.0
    z = given_back(given_back(y, 1), 2)
    y[0] = 3.0
    return np.sum(z)


@pytest.mark.parametrize("f", [one_array_twice, what_is_captured])
def test_what_may_share_memory_is_refused(f):
    with pytest.raises(TangentLikeError, match="calls itself") as caught:
        tl.grad(f)(X)
    assert caught.value.place.line > 0


def test_an_array_of_the_function_around_is_written():
    assert_derivatives(around_it, X)


def test_the_result_of_a_recursion_may_be_its_argument():
    assert_derivatives(returned_and_written, X)


def two_arguments(v, w, n):
    if n > 0:
        v[n] *= w[n - 1]
        two_arguments(v, w, n - 1)
    return np.sum(v * w)


def test_one_array_as_two_arguments_of_a_recursion():
    with pytest.raises(TangentLikeError, match="share memory"):
        tl.grad(two_arguments)(X, X, 2)
    assert_derivatives(two_arguments, X, X[::-1].copy(), 2, wrt=(0, 1))
