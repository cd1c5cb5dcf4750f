"""Dicts with keys known only at run time, dicts with defaults, ordered dicts and queues."""

import collections

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives

X = np.array([0.3, 0.5, 0.2, 0.7])
WORDS = ["a", "b", "a", "c", "b", "a", "b", "a"] * 5


def memo(x):
    found = {0: x[0], 1: x[1]}
    for n in range(2, 8):
        found[n] = found[n - 1] * found[n - 2] + x[2]
    return found[7]


def memo_from_nothing(x):
    found = {}
    found[0] = x[0]
    for n in range(1, len(x)):
        found[n] = found[n - 1] * x[n]
    return found[2] * found[1]


def counts(x):
    table = {}
    for i, word in enumerate(WORDS):
        if word in table:
            table[word] += x[i % 4] ** 2
        else:
            table[word] = x[i % 4]
    total = 0.0
    for key in table:  # noqa: PLC0206 - as people write it
        total += table[key] ** 2
    return total


def counts_with_get(x):
    table = {}
    for i in range(9):
        key = (7 * i) % 4
        table[key] = table.get(key, 0.1) * x[i % 4] + x[key]
    return table[0] * table[3] + len(table)


def pairs_of_integers(x):
    table = {}
    for i in range(len(x)):
        for j in range(len(x)):
            table[i, j] = x[i] * x[j]
    total = 0.0
    for (i, j), value in table.items():
        total += value**2 * (i + j)
    return total + sum(table.values())


def with_a_default(x):
    table = collections.defaultdict(float)
    for i in range(7):
        table[i % 2] += x[i % 4] ** 2
    return table[0] * table[1] + table[5]


def lists_by_default(x):
    table = collections.defaultdict(list)
    for i in range(7):
        table[i % 3].append(x[i % 4])
    return sum(table[0]) * sum(table[1]) * table[2][0]


def lists_set_by_default(x):
    table = {}
    for i in range(7):
        table.setdefault(i % 3, []).append(x[i % 4])
    return sum(table[0]) * sum(table[1]) * table[2][0]


def arrays_under_keys(x):
    table = {}
    for i in range(6):
        key = i % 3
        table[key] = x * i if key not in table else table[key] * x
    return np.sum(table[0] * table[1]) + np.sum(table[2])


def arrays_written_under_keys(x):
    table = {}
    for i in range(4):
        table[i] = x * (i + 1)
    for i in range(4):
        table[i][0] = x[1] * x[i]
        table[i] += x
    return np.sum(table[0] * table[3])


def keys_removed(x):
    table = {}
    for i in range(5):
        table[i] = x[i % 4] * (i + 1)
    for i in range(2):
        del table[i]
    taken = table.pop(3)
    return taken * table[2] * table[4] + len(table)


def keys_removed_and_put_again(x):
    table = {}
    for i in range(6):
        table[i % 2] = x[i % 4] ** 2
        if i % 3 == 0:
            total = table.pop(i % 2) * 3.0
            table[i % 2] = total * x[0]
    return table[0] * table[1]


def known_keys_read_at_run_time(x):
    table = {0: x[0], 1: x[1] * 2, 2: x[2] * 3}
    total = 0.0
    for i in range(9):
        total += table[i * i % 3] ** 2
    return total


def known_keys_written_at_run_time(x):
    table = {"a": x[0], "b": x[1], "c": x[2]}
    for i, word in enumerate(WORDS):
        table[word] *= x[i % 4]
    return table["a"] * table["b"] + table["c"]


def known_keys_removed(x):
    table = {"a": x[0], "b": x[1]}
    first = table.pop("a")
    second = table.setdefault("c", x[2])
    third = table.pop("z", x[3])
    del table["b"]
    return first * second * third * len(table)


def a_second_name(x):
    table = {}
    other = table
    for i in range(4):
        other[i] = x[i]
    table[0] = x[3] * 2.0
    return other[0] * table[1]


def a_comprehension(x):
    table = {i: x[i] ** 2 for i in range(len(x))}
    table[1] *= 2.0
    return table[0] * table[1] + sum(table.values())


def a_branch_adds(x):
    table = {}
    for i in range(4):
        table[i] = x[i]
    if x[0] > 0.1:
        table[7] = x[1] * x[2]
    return table[7] * table[0] if 7 in table else table[1]


def a_loop_over_items(x):
    table = {}
    for i in range(4):
        table[i] = x[i] ** 2
    scaled = {}
    for key, value in table.items():
        scaled[key + 1] = value * table[0]
    return sum(scaled[k] * k for k in scaled)


def an_ordered_dict(x):
    table = collections.OrderedDict()
    table["a"] = x[0]
    table["b"] = x[1] * x[2]
    total = 0.0
    for _, value in table.items():
        total += value * value
    return total


def a_queue(x):
    queue = collections.deque()
    for v in x:
        queue.append(v * v)
    total = 0.0
    while queue:
        total = total * 0.5 + queue.popleft()
    return total


def a_history(x):
    history = collections.deque([0.1, 0.2, 0.3])
    total = 0.0
    for v in x:
        history.append(v * history[0])
        oldest = history.popleft()
        total += oldest * history[-1]
    return total


@pytest.mark.parametrize("f", [
    memo, memo_from_nothing, counts, counts_with_get, pairs_of_integers, with_a_default,
    lists_by_default, lists_set_by_default, arrays_under_keys, arrays_written_under_keys,
    keys_removed, keys_removed_and_put_again, known_keys_read_at_run_time,
    known_keys_written_at_run_time, known_keys_removed, a_second_name, a_comprehension,
    a_branch_adds, a_loop_over_items, an_ordered_dict, a_queue, a_history,
], ids=lambda f: f.__name__)  # fmt: skip
def test_dicts(f):
    assert_derivatives(f, X)


def test_a_missing_key_is_a_key_error():
    def f(x, n):
        table = {}
        for i in range(3):
            table[i] = x * i
        return table[n]

    with pytest.raises(KeyError):
        tl.grad(f)(0.5, 7)


def a_number_as_a_key(x):
    table = {}
    for i in range(3):
        table[x[i]] = 1.0
    return sum(table.values()) * x[0]


def one_array_under_two_keys(x):
    y = x * 1.0
    table = {}
    for i in range(3):
        table[i] = y
    for i in range(3):
        table[i][0] *= 2.0
    return np.sum(table[0])


@pytest.mark.parametrize("f", [
    a_number_as_a_key, one_array_under_two_keys,
], ids=lambda f: f.__name__)  # fmt: skip
def test_refused(f):
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(X)
    first = f.__code__.co_firstlineno
    assert caught.value.place.line in range(first, first + 8)
