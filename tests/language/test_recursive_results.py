"""Recursive functions that return lists, arrays, tuples, dicts and objects."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, define

U = np.array([0.3, -0.7, 1.1, 0.4])
LIST = "sum(v * i for i, v in enumerate({}))"


def quicksort(items):
    if len(items) <= 1:
        return items
    first = items[0]
    less = quicksort([v for v in items[1:] if v < first])
    return less + [first] + quicksort([v for v in items[1:] if v >= first])  # noqa: RUF005


def unpacked(items):
    if len(items) > 1:
        first, *rest = items
        small, large = [v for v in rest if v < first], [v for v in rest if v >= first]
        return [*unpacked(small), first, *unpacked(large)]
    return list(items)


def merged(a, b):
    found = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            found.append(a[i])
            i += 1
        else:
            found.append(b[j])
            j += 1
    return found + a[i:] + b[j:]


def mergesort(items):
    half = len(items) // 2
    return items if half < 1 else merged(mergesort(items[:half]), mergesort(items[half:]))


def zipped(a, b):
    if not a:
        return b
    if not b:
        return a
    return [a[0], *zipped(a[1:], b)] if a[0] <= b[0] else [b[0], *zipped(a, b[1:])]


def zipsort(items):
    return items if len(items) < 2 else zipped(zipsort(items[::2]), zipsort(items[1::2]))


def deepened(items, n=2):
    return items if n == 0 else deepened([sum(items), *items], n - 1)


@pytest.mark.parametrize("sort", [quicksort, unpacked, mergesort, zipsort, deepened])
def test_lists(sort):
    f = define(f"def f(u):\n    return {LIST.format('sort([v * v for v in u])')}", "f", sort=sort)
    assert_derivatives(f, U)


@pytest.mark.parametrize("sort", [quicksort, unpacked, mergesort, zipsort])
def test_lists_of_known_length(sort):
    given = LIST.format("sort([x, y, 2.0, x * y])")
    assert_derivatives(define(f"def f(x, y):\n    return {given}", "f", sort=sort), 0.7, 1.3)


def test_a_nested_function():
    def f(x, y):
        def sort(items):
            if len(items) <= 1:
                return items
            first = items[0]
            more = sort([v for v in items[1:] if v >= first])
            less = sort([v for v in items[1:] if v < first])
            return less + [first * x] + more  # noqa: RUF005

        return sum(v * i for i, v in enumerate(sort([x, y, 2.0, x * y])))

    assert_derivatives(f, 0.7, 1.3)


def moves(n, a, b, c):
    return [] if n == 0 else [*moves(n - 1, a, c, b), (a, b), *moves(n - 1, c, b, a)]


def test_a_list_of_pairs():
    assert_derivatives(
        lambda x, n: sum(x**i * (a + 2 * b) for i, (a, b) in enumerate(moves(n, 0, 1, 2))),
        0.7, 3, wrt=(0,),
    )  # fmt: skip


def waves(x):
    n = len(x)
    if n == 1:
        return x
    even, odd = waves(x[::2]), waves(x[1::2])
    turned = np.exp(-2j * np.pi * np.arange(n // 2) / n) * odd
    return np.concatenate([even + turned, even - turned])


def power(a, n):
    if n == 0:
        return np.eye(len(a))
    half = power(a, n // 2)
    return half @ half @ a if n % 2 else half @ half


def bent(x, n):
    return x if n == 0 else np.sin(bent(x * 1.1, n - 1))


@pytest.mark.parametrize(("f", "args"), [
    (lambda u: np.abs(waves(u + 0j)) @ np.arange(1.0, 5.0), (U,)),
    (lambda a: power(a, 5)[0, 1], (np.array([[0.3, 0.1], [0.2, 0.5]]),)),
    (lambda u: bent(u, 3) @ u, (U,)),
])  # fmt: skip
def test_arrays(f, args):
    assert_derivatives(f, *args)


def pair(x, n):
    if n == 0:
        return x, [x]
    a, items = pair(x * 0.5, n - 1)
    return a + x, [*items, a]


def table(x, n):
    if n == 0:
        return {"a": x}
    return {"a": table(x * 0.5, n - 1)["a"] * x}


class Node:
    def __init__(self, value, left=None, right=None):
        self.value, self.left, self.right = value, left, right


def built(items):
    if not items:
        return None
    half = len(items) // 2
    return Node(items[half], built(items[:half]), built(items[half + 1 :]))


def in_order(node):
    return [] if node is None else [*in_order(node.left), node.value, *in_order(node.right)]


def linked(items):
    return None if not items else (items[0], linked(items[1:]))


def length(link):
    return 0.0 if link is None else math.sin(link[0]) + 2.0 * length(link[1])


@pytest.mark.parametrize("f", [
    lambda x, y: pair(x, 3)[0] * sum(pair(y, 2)[1]), lambda x, y: table(x * y, 3)["a"],
    lambda x, y: sum(v * i for i, v in enumerate(in_order(built([x, y, x * y])))),
    lambda x, y: length(linked([x, y, x * y])),
])  # fmt: skip
def test_tuples_dicts_objects(f):
    assert_derivatives(f, 0.7, 1.3)


def handed_back(items, n):
    return items if n == 0 else handed_back(items, n - 1)


@pytest.mark.parametrize("body", [
    "r[0] = x * 9\n    return items[0] * 2 + r[0]", "items[0] = x * 9\n    return r[0] * 2",
])  # fmt: skip
def test_what_may_be_the_argument_is_not_read_once_that_was_written(body):
    head = "def f(x, n):\n    items = [x * i for i in range(n)]\n    r = back(items, n)\n    "
    f = define(head + body, "f", back=handed_back)
    with pytest.raises(NotYetSupported, match="may share memory"):
        tl.grad(f)(0.7, 3)
