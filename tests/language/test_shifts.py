"""Largest elements that cancel are not differentiated; all others are."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives

X = np.array([[0.3, -1.2, 2.1, 0.4], [1.7, 0.2, -0.3, 0.9], [-0.5, 0.8, 0.1, 1.3]])
W = np.cos(np.arange(12.0)).reshape(3, 4)


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return np.sum(W * e / np.sum(e, axis=1, keepdims=True))


def log_sum(x):
    top = x.max(axis=0)
    return np.sum(top + np.log(np.sum(np.exp(x - top), axis=0)))


def log_sum_of_rows(x):
    top = np.max(x, axis=-1, keepdims=True)
    return np.sum(np.sin(np.log(np.exp(x - top).sum(axis=1)) + top[:, 0]))


def log_mean_of_all(x):
    top = np.max(x)
    return top + np.log(np.mean(np.exp(x - top)))


def smallest(x):
    low = np.min(2.0 * x, axis=1)[:, None]
    return np.sum(np.log(np.sum(np.exp(-0.5 * (low - 2.0 * x)), axis=1)) + 0.5 * low[:, 0])


def in_rows(x):
    total = 0.0
    for row in x:
        e = np.exp(row - np.max(row))
        total += np.sum(W[0] * e / np.sum(e))
    return total


def shifted_twice(x):
    z = x - np.max(x, axis=1, keepdims=True)
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return np.sum(W * (e / np.sum(e, axis=1, keepdims=True)) ** 2)


def hinge(x):
    return np.sum((x - np.max(x, axis=1, keepdims=True)) ** 2)


def not_divided(x):
    return np.sum(np.exp(x - np.max(x, axis=1, keepdims=True)))


def divided_along_the_other_axis(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return np.sum(W * e / np.sum(e, axis=0))


def rows_for_columns(x):
    x = x[:, :3]
    e = np.exp(x - np.max(x, axis=1))
    return np.sum(W[:, :3] * e / np.sum(e, axis=1, keepdims=True))


def added_twice(x):
    top = np.max(x, axis=0)
    return np.sum(2.0 * top + np.log(np.sum(np.exp(x - top), axis=0)))


def also_returned(x):
    top = np.max(x, axis=0)
    e = np.exp(x - top)
    return np.sum(W * e / np.sum(e, axis=0)) + np.sum(np.sin(top))


def one_of_them(x):
    top = np.max(x, axis=1, keepdims=True)
    e = np.exp(x - top)
    return np.sum(W * e / np.sum(e, axis=1, keepdims=True)) + top[0, 0]


def weighted(x):
    top = np.max(x, axis=1)
    return np.sum(np.log(np.sum(np.exp(x - top[:, None]), axis=1)) + W[:, 0] * top)


def in_a_branch(x):
    top = np.max(x)
    e = np.exp(x - top)
    if top > 2.0:
        e = e * top
    return np.sum(W * e) / np.sum(e)


def in_the_other_array(x):
    top = np.max(x, axis=1, keepdims=True)
    e = np.exp(x - top)
    return np.sum(W * e / np.sum(np.exp(x - 2.0 * top), axis=1, keepdims=True))


def other_base(x):
    return sum(math.log(np.sum(np.exp(row - np.max(row))), 2.0) for row in x)


CANCELS = [softmax, log_sum, log_sum_of_rows, log_mean_of_all, smallest, in_rows, shifted_twice]
STAYS = [
    hinge, not_divided, divided_along_the_other_axis, rows_for_columns, added_twice,
    also_returned, one_of_them, weighted, in_a_branch, in_the_other_array,
    other_base,
]  # fmt: skip


@pytest.mark.parametrize("f", CANCELS)
def test_what_cancels_is_constant(f):
    assert_derivatives(f, X)
    text = tl.source(f, types={"x": X})
    assert "==" not in text


@pytest.mark.parametrize("f", STAYS)
def test_what_does_not_cancel_varies(f):
    assert_derivatives(f, X)
    assert "==" in tl.source(f, types={"x": X})


def test_the_largest_element_itself_can_be_asked_for():
    def f(x):
        top = np.max(x, axis=0)
        return np.log(np.sum(np.exp(x - top), axis=0)) + top, top

    def largest(x):
        return np.sum(f(x)[1] ** 2)

    assert_derivatives(largest, X)
    _, tangents = tl.jvp(f, (X,), (W,))
    np.testing.assert_allclose(tangents[1], W[np.argmax(X, axis=0), np.arange(4)])
