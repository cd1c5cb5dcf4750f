"""Jacobians that are bands, from the coefficients of their diagonals."""

import re

import numpy as np
import pytest

import tangent_like as tl

W = np.linspace(0.5, 1.5, 40)


def stored(x):
    y = np.zeros(len(x) + 2)
    y[1:-1] = x * x
    y[3:] = np.sin(y[2:-1])
    y[2:] += y[:-2] * 0.5
    return y


def diffusion(x):
    y = x.copy()
    y[1:-1] += 0.1 * (x[2:] - 2.0 * x[1:-1] + x[:-2]) * x[1:-1]
    y[1:-1] += 0.1 * (y[2:] - 2.0 * y[1:-1] + y[:-2])
    return y


def limited(x):
    return np.where(x[1:] > 0.0, np.maximum(x[1:], x[:-1]), 2.0 * x[:-1])


def shared(x):
    return tl.grad(lambda x: np.sum(x[2:] ** 2 * x[:-2]) + np.sum(np.sqrt(x * x + 1.0)))(x)


BANDS = [
    (lambda x: np.sin(x) * x, 1),
    (lambda x: x[1:] * x[:-1], 2),
    (lambda x: x[3:] * 2.0, 1),
    (lambda x: np.diff(x * x, 2), 3),
    (lambda x: x[2:][1:] - x[:-3], 2),
    (lambda x: (x * W[: len(x)])[1:-1] / (1.0 + x[2:] ** 2), 2),
    (stored, 4),
    (diffusion, 5),
    (limited, 2),
    (shared, 3),
]

DENSE = [
    lambda x: x * x[0],
    lambda x: x[:1] * x[1:],
    lambda x: x * np.sum(x),
    lambda x: x[::-1] * x,
    lambda x: x[::2] * 3.0,
    lambda x: x[-3:] ** 2,
    lambda x: np.cumsum(x) * x,
    lambda x: np.concatenate([x[1:], x[:1]]),
    lambda x: np.roll(x, 1) * x,
    lambda x: x[np.arange(len(x)) // 2],
    lambda x: np.convolve(x, np.array([1.0, 2.0]), "same"),
    lambda x: np.outer(x, x)[0],
]


def point(n):
    return np.cos(1.7 * np.arange(n)) + 0.1 * np.arange(n)


def diagonals_of(text):
    """For how many diagonals generated code computes coefficients."""
    (offsets,) = re.findall(r"from_diagonals\(.*?, \((.*?)\),", text)
    return len(offsets.strip(",").split(","))


def by_columns(f, x):
    columns = [tl.jvp(f, (x,), (e,))[1] for e in np.eye(len(x))]
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize(("f", "count"), BANDS)
def test_coefficients_for_each_diagonal(f, count):
    jacobian = tl.jacobian(f)
    for n in (2, 3, 4, 5, 9, 20):
        want = by_columns(f, point(n))
        for _ in range(2):
            np.testing.assert_allclose(tl.jacfwd(f)(point(n)), want, rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(jacobian(point(n)), want, rtol=1e-12, atol=1e-15)
    forward = tl.jacfwd(f)
    forward(point(20))
    (found,) = forward.bands.values()
    assert diagonals_of(found.text) == count


@pytest.mark.parametrize("f", DENSE)
def test_other_jacobians_are_dense(f):
    forward = tl.jacfwd(f)
    for n in (5, 9):
        np.testing.assert_allclose(forward(point(n)), by_columns(f, point(n)), atol=1e-15)
    assert not forward.bands


def test_of_one_argument_among_others():
    def f(pair, x, y):
        return pair[0] * x[1:] * y[:-1] ** 2 + pair[1]

    pair, x, y = (2.0, 3.0), point(7), point(7) + 1.0
    by_x, by_y = tl.jacfwd(f, wrt=(1, 2))(pair, x, y)
    np.testing.assert_allclose(by_x, by_columns(lambda x: f(pair, x, y), x))
    np.testing.assert_allclose(by_y, by_columns(lambda y: f(pair, x, y), y))


def test_the_hessian_of_a_separable_function_is_a_diagonal():
    hessian = tl.hessian(lambda x: np.sum(np.exp(x) * x))
    x = point(6)
    np.testing.assert_allclose(hessian(x), np.diag((x + 2.0) * np.exp(x)))
    (found,) = hessian.bands.values()
    assert diagonals_of(found.text) == 1


def test_entries_beside_the_band_are_zero_where_others_are_infinite():
    x = np.array([1.0, 0.0, 4.0, 2.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = tl.jacfwd(lambda x: np.sqrt(x[1:]) + x[:-1])(x)
    assert found[0, 1] == np.inf
    np.testing.assert_array_equal(found[1], [0.0, 1.0, 0.25, 0.0])
    np.testing.assert_array_equal(found[2], [0.0, 0.0, 1.0, 0.5 / np.sqrt(2.0)])


def test_new_code_and_other_arguments_are_seen():
    def cube(x):
        return x**3

    jacobian = tl.jacobian(cube)
    x = np.array([1.0, 2.0])
    for _ in range(2):
        np.testing.assert_allclose(jacobian(x), np.diag(3.0 * x**2))
        np.testing.assert_allclose(jacobian(x=x[:1]), [[3.0]])
        np.testing.assert_allclose(jacobian(2.0), 12.0)
    cube.__code__ = (lambda x: x**4).__code__
    for _ in range(2):
        np.testing.assert_allclose(jacobian(x), np.diag(4.0 * x**3))
