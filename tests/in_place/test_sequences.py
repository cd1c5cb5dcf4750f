"""Arrays that change between where an iterator, a dict or a partial function is made and used."""

import functools

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported, SharedMemory
from tests.derivatives import assert_derivatives, check_slopes, define

VECTOR = np.array([0.3, -1.2, 2.1])


def zip_before_the_write(x):
    y = x * x
    pairs = zip(y, x)
    y[0] = 3.0 * x[1]
    total = 0.0
    for a, b in pairs:
        total = total + a * a * b
    return total


def map_before_the_write(x):
    y = x * x
    sines = map(np.sin, y)
    y[1:] *= x[0]
    return sum(sines)


def generator_before_the_write(x):
    y = x * x
    squares = (v * v for v in y)
    y[2] = x[0] * x[1]
    return sum(squares)


def enumerate_before_the_write(x):
    y = x * 1.0
    numbered = enumerate(y)
    y += x * x
    return sum([i * v * v for i, v in numbered])


def dict_before_the_write(x):
    box = {"y": x * x, "z": x * 2.0}
    box["y"][0] = x[1] * x[2]
    y = box["y"]
    y[1] = 3.0 * x[0]
    total = np.sum(box.get("y") * box["z"])
    for name, value in box.items():
        if name == "y":
            total = total + np.sum(value * value)
    return total + np.sum(box["y"] * x)


def partial_before_the_write(x):
    y = x * x
    product = functools.partial(np.dot, y)
    y[0] = x[1]
    return product(x)


def reduce_with_a_function_that_writes(x):
    y = x * x

    def step(total, v):
        y[2] = total * x[0]
        return total + v * y[2]

    return functools.reduce(step, (y[0], y[1], y[2], x[2]))


def comprehension_after_the_write(x):
    y = x * x
    rows = [y * v for v in x]
    y[0] = x[2]
    return sum([np.sum(row * y) for row in rows])


def unpacked_rows(x):
    y = np.outer(x, x)
    first, *rest = [y[0], y[1], y[2]]
    y[1, 0] = x[0] * 5.0
    first[1] = x[2]
    return np.sum(y * y) + np.sum(rest[0] * first)


@pytest.mark.parametrize("f", [
    zip_before_the_write, map_before_the_write, generator_before_the_write,
    enumerate_before_the_write, dict_before_the_write, partial_before_the_write,
    reduce_with_a_function_that_writes, comprehension_after_the_write, unpacked_rows,
])  # fmt: skip
def test_what_is_read_is_what_is_there_then(f):
    assert_derivatives(f, VECTOR)


def appended_and_written_through_an_item(x, n):
    parts = []
    for k in range(n):
        y = x * (k + 1)
        parts.append(y)
    last = parts[n - 1]
    last[0] = x[1] ** 2
    return np.sum(y * y)


def appended_and_written_afterwards(x, n):
    parts = []
    for k in range(n):
        y = x * (k + 1)
        parts.append(y)
    y[0] = x[1] ** 2
    return np.sum(parts[n - 1] ** 2)


def appended_in_a_branch(x, n):
    parts = []
    for _ in range(n):
        if x[0] > 0.0:
            y = x * 2.0
            parts.append(y)
        else:
            y = x * 3.0
            parts.append(y)
    y[0] = x[1] ** 2
    return np.sum(parts[n - 1] ** 2)


def one_array_many_times(x, n):
    y = x * 1.0
    parts = [y for _ in range(n)]
    parts[1][0] = x[1] ** 2
    return np.sum(y**2)


def the_same_item_twice(x, n):
    parts = [x * k for k in range(n)]
    one = parts[1]
    other = parts[1]
    one[0] = x[1] ** 2
    return np.sum(other**2)


def rows_in_a_list(x, n):
    table = np.outer(x, x)
    rows = [row[:2] for row in table]
    table[0] = x
    return np.sum(rows[0]) + n


@pytest.mark.parametrize("f", [
    appended_and_written_through_an_item, appended_and_written_afterwards, appended_in_a_branch,
    one_array_many_times, rows_in_a_list,
])  # fmt: skip
def test_what_a_list_may_hold_cannot_be_read_once_it_may_have_changed(f):
    with pytest.raises(SharedMemory, match="which was written into"):
        tl.grad(f)(VECTOR, 3)


def copies_in_a_list(x, n):
    parts = []
    y = x * 1.0
    for _ in range(n):
        y[1] *= y[0]
        parts.append(y.copy())
    return np.sum(parts[n - 1] ** 2) + parts[0][1] * y[1]


def written_before_it_is_appended(x, n):
    parts = []
    h = x * 1.0
    for _ in range(n):
        y = h * 1.0
        y[0] = h[1] ** 2
        h = y
        parts.append(h)
    s = 0.0
    for part in parts:
        s += np.sum(part) * h[0]
    return s


def elements_of_an_item_swapped(x, n):
    parts = [x * 0.7 for _ in range(n)]
    parts[0] **= 2
    parts[1] //= 0.3
    parts[1] += parts[0][0]
    parts[-1][0], parts[0][2] = parts[0][2], parts[-1][0]
    return np.sum(parts[-1] * np.cos(x)) + np.sum(parts[0])


class Pair:
    def __init__(self, p, q):
        self.p = p
        self.q = q


def in_an_object_with_its_row(x, n):
    table = np.outer(x, x)
    for row in table:
        pair = Pair(table, row)
        pair.q[0] *= pair.p[n - 2, 1]
    return np.sum(table * np.sin(table))


def an_item_written(x, n):
    parts = [x * (k + 1) for k in range(n)]
    one = parts[1]
    one[0] = x[1] ** 2
    return np.sum(one**2)


def added_to_the_last(x, n):
    kept = [x[:1] * 1.0]  # whose tangent is a view of the direction
    for _ in range(n - 3):
        kept.append(np.sin(x[1] + kept[-1]))
    kept[-1] += np.sin(x[2])
    return np.sum(x * np.cos(x)) + np.sum(kept[-1] * 1.5)


@pytest.mark.parametrize("f", [
    copies_in_a_list, written_before_it_is_appended, an_item_written, the_same_item_twice,
    in_an_object_with_its_row, elements_of_an_item_swapped, added_to_the_last,
])  # fmt: skip
def test_items_of_lists(f):
    assert_derivatives(f, VECTOR, 3, wrt=0)


def test_a_direction_is_not_written():
    dx = np.array([1.0, 2.0, 3.0])
    tl.jvp(added_to_the_last, (VECTOR, 3), (dx, 0))
    np.testing.assert_array_equal(dx, [1.0, 2.0, 3.0])


def the_next_item_replaced(x):
    items, total = [x * 1.0, x * 2.0, x * 3.0], 0.0
    for item in items:
        items[1] = item * x
        total += np.sum(item**2)
    return total


def the_next_item_replaced_by_number(x):
    items, total = [x[0], x[1], x[2]], 0.0
    for k, item in enumerate(items):
        items[2] = item * x[1]
        items[k] = 5.0
        total += item * (k + 1.0)
    return total + items[0]


class Holder:
    def __init__(self, items):
        self.items = items


def an_item_before_replaced(x):
    holder, total = Holder([x[0], x[1], x[2]]), 0.0
    for item in holder.items:
        holder.items[2] = item * 3.0
        total += item * x[1]
    for item in reversed(holder.items):
        holder.items[0] = item * x[2]
        total += item
    return total


@pytest.mark.parametrize(
    "f", [the_next_item_replaced, the_next_item_replaced_by_number, an_item_before_replaced]
)
def test_items_of_a_list_are_read_when_their_turn_comes(f):
    assert_derivatives(f, VECTOR)


REPLACED = {
    "item": "y = a[0]; a[0] = m; return np.sum(y * y)",
    "tuple": "y, a[0] = a[0], m; return np.sum(y * y) + np.sum(a[0])",
    "kept in a tuple": "t = (a[0], 1.0); a[0] = m; return np.sum(t[0] * t[0]) + np.sum(a[0])",
    "kept in a list": "t = [a[0], x]; a[0] = m; return np.sum(t[0] * t[0]) + np.sum(a[0])",
    "slice": "y = a[0]; a[:1] = [m]; return np.sum(y * y)",
    "popped": "y = a[0]; a.pop(0); return np.sum(y * y) + np.sum(a[0])",
    "in a branch": "y = a[0]\n    if n > 1:\n        a[0] = m\n    return np.sum(y * y)",
    "in a loop": "y = a[0]\n    for k in range(n):\n        a[k] = m * k\n    return np.sum(y * y)",
    "of a dict": "d = {i: x * i for i in range(n)}; y = d[1]; d[1] = m; return np.sum(y * y)",
}


@pytest.mark.parametrize("body", REPLACED.values(), ids=REPLACED.keys())
def test_an_array_that_was_read_of_a_list_before_another_one_took_its_place(body):
    """Right or refused: the item that is there now is another one. Found by random programs."""
    source = f"def f(x, m, n):\n    a = [x * (i + 2.0) for i in range(n)]\n    {body}\n"
    check_or_refused(source)


ELSEWHERE = {
    "a copied list": "b = list(a); a[1] += m; return np.sum(b[1] * a[1])",
    "a list of some items": "b = [r for r in a if n]; a[1][0] = m[0]; return np.sum(b[1] * a[1])",
    "a written copy": "b = list(a); b[1][0] = m[0]; return np.sum(b[1] * a[1])",
    "a dict under a key": "d = {0: x, 1: x * m}\n    for k in range(2): d[k][0] = m[0] * k\n"
    "    return np.sum(d[0] * d[1])",
    "one array": "c = [x * m] * 3\n    for k in range(2):\n        y = c[k]\n    c[2][0] = m[1]\n"
    "    return np.sum(y * c[1])",
}


@pytest.mark.parametrize("body", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_items_that_others_hold_too(body):
    """Right or refused: what is written through one of them is read through another."""
    source = f"def f(x, m, n):\n    a = [x * (i + 2.0) for i in range(n)]\n    {body}\n"
    check_or_refused(source)


def check_or_refused(source):
    f = define(source, "f", np=np)
    try:
        check_slopes(f, np.array([0.5, -0.3]), np.array([1.0, 4.0]), 3, wrt=(0, 1))
    except NotYetSupported as error:
        assert error.place.line > 2
