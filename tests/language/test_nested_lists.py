"""Lists in lists, in dicts and of arrays, read and written at places known only at run time."""

import copy
import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives

X = np.array([0.3, 0.5, 0.2, 0.7])


def a_table(x):
    n = len(x)
    table = [[0.0] * (n + 1) for _ in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            table[i][j] = max(table[i - 1][j], table[i][j - 1]) + x[i - 1] * x[j - 1]
    return table[n][n]


def three_deep(x):
    t = [[[0.0 for _ in range(2)] for _ in range(2)] for _ in range(3)]
    for i in range(3):
        for j in range(2):
            for k in range(2):
                t[i][j][k] = x[j] * x[k] + t[i - 1][k][j]
    return t[2][1][0] * t[1][1][1]


def rows_under_names(x):
    m = [[x[0], x[1]] for _ in range(3)]
    for i in range(3):
        row = m[i]
        row[0] = row[1] * x[2] + i
        row[1] += m[i][0]
    return sum(m[0]) * sum(m[1]) + m[2][1]


def rows_appended(x):
    m = []
    for i in range(3):
        row = []
        for j in range(3):
            row.append(x[i] * x[j])
        m.append(row)
    for i in range(3):
        for j in range(3):
            m[i][j] *= m[j][i]
    return sum(m[0]) + m[2][1] * m[1][2]


def buckets(x):
    m = [[] for _ in range(3)]
    for i in range(9):
        m[i % 3].append(x[i % 4] * i)
    total = 0.0
    for row in m:
        for v in row:
            total += v * row[0] + len(row)
    return total


def inner_pop(x):
    m = [[x[0], x[1], x[2]] for _ in range(3)]
    for i in range(3):
        v = m[i].pop()
        m[i][0] *= v
    return m[0][0] * m[1][0] + len(m[2])


def rows_put_anew(x):
    m = [[x[k], x[1]] for k in range(3)]
    total = 0.0
    for i in range(3):
        row = m[0]
        m[0] = [row[0] * x[3], row[1] + i]
        total += row[1]
    return total * m[0][0]


def rows_in_a_branch(x):
    m = [[x[0], x[1]] for _ in range(3)]
    for i in range(3):
        if m[i][0] > 0.1 * i:
            m[i][1] *= x[2]
        else:
            m[i] = [x[3], x[3]]
    return sum(m[0]) * sum(m[2])


def rows_of_a_loop(x):
    m = [[x[k % 4], x[1]] for k in range(40)]
    for row in m:
        row[0] *= row[1]
        row.append(x[3])
    return m[0][0] * m[1][0] * m[7][2]


def rows_numbered(x):
    m = [[0.0, 0.0] for _ in range(40)]
    for i, row in enumerate(m):
        row[0] = x[i % 4]
        row[1] = row[0] * i
    return m[3][1] * m[2][0]


def _added(m, i, v):
    m[i][0] += v
    return m[i]


def rows_of_a_callee(x):
    m = [[x[0], x[1]] for _ in range(3)]
    for i in range(3):
        row = _added(m, i, x[2])
        row[1] = x[3] * row[0]
    return m[0][1] * m[2][0]


def row_taken_off(x):
    m = [[x[0], x[1]] for _ in range(4)]
    row = m.pop()
    row[0] = x[3]
    for i in range(len(m)):
        m[i][0] *= row[0] * (i + 1)
    return m[0][0] * m[2][0] + len(m)


def rows_copied(x):
    m = [[x[k], x[1]] for k in range(3)]
    n = [list(row) for row in m]
    for i in range(2):
        n[i][0] *= x[3]
    return m[0][0] * m[1][0] + 2 * n[0][0]


def lists_in_a_dict(x):
    d = {"p": [0.0] * 4, "q": [1.0] * 4}
    for i in range(4):
        d["p"][i] = x[i] ** 2
        d["q"][i] += d["p"][i] * x[0]
    return sum(d["p"]) * sum(d["q"])


def arrays_in_a_list(x):
    m = [x * k for k in range(40)]
    for i in range(3):
        m[i] += x
        m[i][1] = x[0] * m[i + 1][0]
        m[i + 1][:2] *= 2.0
    return np.sum(m[0] * m[2])


def arrays_made_in_a_list(x):
    m = [np.zeros(3) for _ in range(len(x))]
    for i in range(len(x)):
        m[i][1] = x[i]
        m[i][2] = m[i][1] * 2
    return np.sum(np.array(m) ** 2)


def list_of_known_length(x):
    m = [x[0], x[1], x[2]]
    for i in range(3):
        m[i] = m[i] * m[0]
    return m[0] * m[1] * m[2]


def items_changed_before_a_loop(x):
    a = x * 1.0
    m = [a, x * 2.0]
    a[0] = 7.0
    for _ in range(3):
        m.append(x * 3.0)
    return np.sum(m[0] * m[1])


def items_changed_before_a_branch(x):
    a = x * 1.0
    m = [a, x * 2.0]
    a[0] = 7.0
    if x[0] > 9:
        m[1] = a * 2
    return np.sum(m[0] * m[1])


def a_slice_of_an_inner_list(x):
    c = [[[x[0], x[1]], [0.3, x[2]]] for _ in range(3)]
    for j in range(2):
        c[j][1][0] += x[3]
    d, e = c[1][:], c[1][::-1]
    d[0] = [x[1], x[1]]
    d[1][0] = 4.0 * x[1]
    e[0] = [x[2] * x[3], 0.1]
    return sum(c[1][0]) * x[0] + sum(d[0]) * sum(d[1]) + sum(c[1][1]) * sum(e[0])


@pytest.mark.parametrize("f", [
    a_table, three_deep, a_slice_of_an_inner_list, rows_under_names, rows_appended, buckets,
    inner_pop, rows_put_anew,
    rows_in_a_branch, rows_of_a_loop, rows_numbered, rows_of_a_callee, row_taken_off, rows_copied,
    lists_in_a_dict, arrays_in_a_list, arrays_made_in_a_list, list_of_known_length,
    items_changed_before_a_loop, items_changed_before_a_branch,
], ids=lambda f: f.__name__)  # fmt: skip
def test_items_that_are_written(f):
    assert_derivatives(f, X)


def forces(bodies):
    found = [[0.0, 0.0] for _ in bodies]
    for i in range(len(bodies)):
        for j in range(len(bodies)):
            if i != j:
                dx = bodies[j][0] - bodies[i][0]
                dy = bodies[j][1] - bodies[i][1]
                r = math.sqrt(dx * dx + dy * dy)
                found[i][0] += dx / r**3
                found[i][1] += dy / r**3
    return found


def moved(bodies, steps):
    return moved_in_place([list(body) for body in bodies], steps)


def moved_in_place(bodies, steps):
    for _ in range(steps):
        acting = forces(bodies)
        for i in range(len(bodies)):
            bodies[i][0] += 0.01 * acting[i][0]
            bodies[i][1] += 0.01 * acting[i][1]
    return sum(x * x + y for x, y in bodies)


BODIES = [[0.3, 0.5], [0.2, 0.7], [1.1, 0.4]]


def test_bodies_as_lists():
    assert_derivatives(moved, BODIES, 2, wrt=0)


def test_an_argument_of_lists_is_written_and_stays_as_it_is():
    bodies = copy.deepcopy(BODIES)
    expected = tl.grad(moved)(bodies, 2)
    np.testing.assert_allclose(tl.grad(moved_in_place)(bodies, 2), expected, rtol=1e-12)
    direction = [[1.0, 2.0], [0.5, -1.0], [0.3, 0.1]]
    _, slope = tl.jvp(moved_in_place, (bodies, 2), (direction, 0))
    np.testing.assert_allclose(slope, np.sum(np.multiply(expected, direction)), rtol=1e-12)
    second, in_place = (tl.hvp(f)(bodies, 2, direction) for f in (moved, moved_in_place))
    np.testing.assert_allclose(in_place, second, rtol=1e-10)
    assert bodies == BODIES


# --- what cannot be told apart is refused -------------------------------------------------------


def one_row_many_times(x):
    m = [[0.0] * 3] * len(x)
    for i in range(2):
        m[i][0] += x[i]
    return m[0][0] * m[1][0]


def one_row_twice(x):
    row = [x[0], x[1]]
    m = [row, row]
    for i in range(2):
        m[i][i] = x[i + 2] * m[1 - i][i]
    return m[0][0] * m[1][1]


def a_row_with_a_name(x):
    row = [x[0], x[1]]
    m = [row, [x[2], x[3]]]
    for i in range(2):
        m[i][0] *= x[3]
    return m[0][0] * m[1][0] + row[0]


def appended_again_and_again(x):
    row = [x[0], x[1]]
    m = []
    for _ in range(3):
        m.append(row)
    for i in range(3):
        m[i][0] *= x[2]
    return m[0][0]


def an_item_appended(x):
    m = [[x[0], x[1]] for _ in range(2)]
    for i in range(3):
        m[-1][0] = x[i]
        m.append(m[0])
    return m[0][0] * m[1][0]


def written_after_it_was_appended(x):
    m = []
    for i in range(3):
        row = [x[i], x[i + 1]]
        m.append(row)
        row[0] = 5.0 * x[0]
    return m[0][0] * m[1][1] + m[2][0]


def a_row_that_was_replaced(x):
    m = [[x[k], x[1]] for k in range(3)]
    row = m[0]
    for i in range(3):
        m[i] = [x[3], x[2] * i]
        row[0] = 9.0 * x[1]
    return sum(m[0]) * m[2][1]


def a_shallow_copy(x):
    m = [[x[k], x[1]] for k in range(3)]
    n = list(m)
    for i in range(2):
        n[i][0] *= x[3]
    return m[0][0] * m[1][0]


def a_slice_of_arrays(x):
    m = [x * k for k in range(40)]
    s = m[1:]
    v = m[1]
    v[0] = 5.0
    return np.sum(s[0])


def either_list(x):
    a = [[x[0]] for _ in range(3)]
    b = [[x[1]] for _ in range(3)]
    for i in range(3):
        t = a if i % 2 else b
        t[i][0] *= x[2]
    return a[1][0] * b[0][0]


def rows_of_one_array(x):
    y = np.outer(x, x)
    m = [y[i] for i in range(4)]
    for i in range(4):
        m[i][0] = x[1]
    return np.sum(y) + np.sum(m[1])


def a_name_for_rows_in_turn(x):
    m = [[x[0], x[1]] for _ in range(3)]
    row = m[0]
    for i in range(3):
        row[0] *= x[2]
        row = m[i]
    return sum(m[0]) * sum(m[2]) + row[0]


def a_second_name_in_a_loop(x):
    a = [x[0], x[1]]
    row = a
    for _ in range(3):
        row[0] *= 2.0
        row = a
    return a[0] * x[2]


def a_second_name_in_a_branch(x):
    a = [x[0], x[1]]
    row = a
    if x[0] > 0:
        row = [x[0], x[1]]
    row[0] *= 2.0
    return a[0] * x[2]


def a_second_name_of_a_dict(x):
    a = {"w": x[0]}
    row = {"w": x[1]}
    for _ in range(3):
        row["w"] *= 2.0
        row = a
    return a["w"] * x[2]


@pytest.mark.parametrize("f", [
    one_row_many_times, one_row_twice, a_row_with_a_name, appended_again_and_again,
    an_item_appended, written_after_it_was_appended, a_row_that_was_replaced, a_shallow_copy,
    a_slice_of_arrays, either_list, rows_of_one_array, a_name_for_rows_in_turn,
    a_second_name_in_a_loop, a_second_name_in_a_branch, a_second_name_of_a_dict,
], ids=lambda f: f.__name__)  # fmt: skip
def test_lists_that_may_be_one_and_the_same_are_refused(f):
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(X)
    first = f.__code__.co_firstlineno
    assert caught.value.place.line in range(first, first + 12)
