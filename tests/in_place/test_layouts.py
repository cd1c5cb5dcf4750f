"""`reshape` and `ravel`, which give views of arrays whose elements lie in order."""

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError, NotYetSupported
from tests.derivatives import assert_derivatives

M = np.arange(1.0, 7.0).reshape(2, 3) / 5
X = np.array([0.3, -0.7, 1.1, 0.4])


def of_an_argument(m):
    m = 1.0 * m
    v = m.ravel()
    v[1:] *= v[:-1]
    return np.sum(np.sin(m) * m)


def of_the_argument_itself(m):
    v = m.reshape(3, 2)
    v[1] = np.sin(v[0]) * m[1, 0]
    m[0] *= 2.0
    return np.sum(v**2) + np.sum(m)


def of_results(m):
    y = np.sin(m) * m + m[0]
    w = y.reshape(-1)
    y[1] *= w[2]
    w[::2] += y[0, 1]
    return np.sum(w * w)


def of_rows(m):
    r = m[1:].ravel()
    r[0] = np.cos(m[1, 2])
    m[1, 1] *= r[0]
    return np.sum(m * m) + np.sum(r)


def after_a_loop(m):
    y = np.cos(m)
    for i in range(3):
        y[0, i] *= y[1, i]
    v = y.ravel()
    for i in range(len(v)):
        v[i] += np.sin(y[0, 1] * v[i - 1])
    return np.sum(y * y)


def in_a_loop(m):
    for _ in range(2):
        v = m.ravel()
        v[2] *= np.sin(m[0, 0])
        m += v[3]
    return np.sum(m * m)


def of_products(m):
    g = m @ m.T
    v = g.ravel()
    v *= g[0, 1]
    return np.sum(g * g)


def of_one_axis(x):
    v = x.reshape(2, 2)
    v[0] *= v[1]
    w = v.ravel()
    w[-1] = x[0] ** 2
    return np.sum(x * np.sin(x))


PROGRAMS = [
    of_an_argument, of_the_argument_itself, of_results, of_rows, after_a_loop, in_a_loop,
    of_products,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS)
def test_views_in_another_shape(f):
    def on_a_copy(m):
        return f(m.copy())

    assert_derivatives(on_a_copy, M)
    assert_derivatives(f, M) if f in PROGRAMS[2:] else None


def test_views_of_one_axis():
    assert_derivatives(lambda x: of_one_axis(1.0 * x), X)


def written_through(m):
    v = m.ravel()
    v[0] = m[1, 1] ** 2
    return np.sum(m * m)


def test_an_argument_in_another_order_is_refused():
    with pytest.raises(ArgumentError, match="do not lie in order"):
        tl.grad(written_through)(np.asfortranarray(M))
    with pytest.raises(ArgumentError, match="do not lie in order"):
        tl.jvp(written_through, (np.ones((6, 4))[::2, ::2],), (np.ones((3, 2)),))


def test_an_argument_in_order_is_left_as_it_is():
    given = M.copy()
    gradient = tl.grad(written_through)(given)
    np.testing.assert_array_equal(given, M)
    np.testing.assert_allclose(gradient, [[0, 0.8, 1.2], [1.6, 6.0, 2.4]])


def flattened(m):
    y = m * 2.0
    v = y.flatten()
    v[0] = m[1, 1] ** 2
    y[0, 1] *= v[1]
    return np.sum(v * v) + np.sum(y * y)


def copied_in_order(m):
    y = m.T.copy()
    v = y.ravel()
    v[1] *= m[0, 1]
    return np.sum(y**3) * v[1]


@pytest.mark.parametrize("f", [flattened, copied_in_order])
def test_copies(f):
    assert_derivatives(f, M)


def added_up(m):
    m[0, 1] = m[1, 1]
    y = np.sin(m)
    z = y
    s = np.sum(z)
    z[0] *= 3.0
    w, v = z.copy(), np.copy(z)
    return s * np.sum(z), np.sum(w), np.sum(v)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_elements_are_added_up_in_the_order_of_the_plain_call(order):
    x = np.random.default_rng(0).normal(size=(5, 7, 6)).transpose(order)
    want = added_up(np.copy(x))
    assert tl.jvp(added_up, (x,), (x,))[0] == want
    assert tl.vjp(added_up, x)[0] == want


def transposed(m):
    v = m.T.ravel()
    v[0] = 2.0
    return np.sum(m * m)


def column_by_column(m):
    v = m.ravel("F")
    v[0] = 2.0
    return np.sum(m * m)


@pytest.mark.parametrize("f", [transposed, column_by_column])
def test_what_may_be_a_copy_is_refused(f):
    with pytest.raises(NotYetSupported, match="may share memory"):
        tl.grad(f)(M)
