"""Comprehensions with conditions over displays, whose items are of different kinds or lengths."""

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives, define


def lengths(x):
    u, z = np.array([x, 2.0, 1.0]), np.zeros(6) + x
    kept = [a for a in [u, z] if a[0] < 5]
    q = kept[0]
    return np.sum(q * np.arange(1.0, 1.0 + q.size)) * np.sum(kept[1])


def filtered_lengths(x):
    u, z = np.array([x, 2.0, 1.0]), np.zeros(6) + x
    q = list(filter(lambda a: a[0] < 5, [u, z]))[0]  # noqa: RUF015
    return np.sum(q * np.arange(1.0, 1.0 + q.size))


def one_beside_more(x):
    kept = [a for a in [np.array([x]), np.array([x, 1.0])] if a[0] > 0.1]
    return np.sum(kept[0] * kept[1])


def whole_numbers_and_floats(x):
    kept = [a for a in [1, x, x * x, 2] if a > 0.1]
    return np.sum(kept[0] * x) + np.sum(kept[1]) * 3


def whole_numbers_last(x):
    kept = [a for a in [x, x * x, 2] if a > 0.1]
    return kept[0] * kept[1] + kept[-1] * x


def numbers_and_arrays(x):
    z = np.zeros(6) + x
    kept = [a for a in [x * z, x, z] if np.sum(a) < 9]
    return np.sum(kept[0] * z) + np.sum(kept[1]) * 3


def lists_of_numbers(x):
    kept = [a for a in [[x], [x, x * x], [2.0, 1]] if a[0] > 0.1]
    return kept[0][0] * x + kept[1][1] * 3


def nothing_or_a_number(x):
    kept = [a for a in [None, x, x * x] if a is not None and a > 0.1]
    return kept[0] * x


def products_of_two(x):
    parts = [np.array([x]), np.array([x, 1.0])]
    kept = [a * b for a in parts for b in [x, np.array([2.0, x])] if a[0] > 0.1]
    return np.sum(kept[0] * kept[1]) + np.sum(kept[3])


@pytest.mark.parametrize("f", [
    lengths, filtered_lengths, one_beside_more, whole_numbers_and_floats, whole_numbers_last,
    numbers_and_arrays, lists_of_numbers, nothing_or_a_number, products_of_two,
])  # fmt: skip
def test_items_that_a_condition_keeps(f):
    assert_derivatives(f, 0.7)


def test_the_sum_of_a_number_that_may_be_whole():
    def f(x, k):
        w = 1 if x > k else x * 2
        return np.sum(w * x) + np.sum(w) * 3

    for k in (0, 1):
        assert_derivatives(f, 0.7, k, wrt=0)
        assert tl.jvp(f, (0.7, k), (1.0, 0))[0] == f(0.7, k)


def dict_of_kept_arrays(x):
    u, z = np.array([x, 2.0, 1.0]), np.zeros(6) + x
    kept = {i: a for i, a in enumerate([u, z]) if a[0] < 5}
    return np.sum(kept[0] * np.arange(1.0, 1.0 + kept[0].size)) * np.sum(kept[1] * 2)


def keys_put_in_by_branches(x):
    kept = {}
    if x < 5:
        kept[0] = np.array([x, 2.0])
    if x < 6:
        kept[1] = np.zeros(6) + x
    return np.sum(kept[0]) * np.sum(kept[1])


@pytest.mark.parametrize("f", [dict_of_kept_arrays, keys_put_in_by_branches])
def test_items_of_dicts_that_a_condition_keeps(f):
    assert_derivatives(f, 0.7)


# --- sums of items whose shapes differ ------------------------------------------------------------

SUMS = {
    "numbers and an array": "t = [x * x for i in range(n)]\n    t[0] = np.zeros(3) + x",
    "one beside more": "t = [x * np.ones(1) for i in range(n)]\n    t[0] = np.zeros(3) + x",
    "rows and columns": (
        "t = [x * np.ones((1, 3)), x * np.ones((2, 1)), x]\n"
        "    if n > 2:\n        t.append(x * np.ones(3))"
    ),
    "of a branch": "t = [x * np.ones(1), np.array(x), np.ones(3) * x] if n > 2 else [x, x]",
}


@pytest.mark.parametrize("total", [
    "sum(t)", "sum([e * e for e in t])", "sum(t, np.ones((2, 1)) * x)", "np.sum(sum(t)) * sum(t)",
])  # fmt: skip
@pytest.mark.parametrize("made", SUMS)
def test_sums_of_items_of_different_shapes(made, total):
    text = f"def f(x, n):\n    {SUMS[made]}\n    return np.sum({total} * np.array([1.0, 2.0, 3.0]))"
    assert_derivatives(define(text, "f", np=np), 0.7, 3, wrt=0)
