"""Arrays that change in place: who shares memory with whom."""

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported, TangentLikeError
from tests.derivatives import assert_derivatives, define

X = np.array([0.7, -1.3, 2.1, 0.4])
Y = np.array([1.1, 0.6, -0.8, 1.9])
A = np.array([[0.5, 1.2, -0.3], [2.0, -0.7, 0.9], [1.4, 0.1, 1.6]])


def two_names(x):
    y = x * 1.0
    z = y
    z *= 2.0
    return np.sum(y * y) + z[0]


def slice_view(x):
    y = x * x
    v = y[1:]
    v *= 3.0
    v[0] = x[0]
    return np.sum(y * x)


def view_of_view(x):
    y = x * 2.0
    v = y[1:]
    w = v[::-1]
    w[0] *= x[1]
    v[0] += 5.0 * x[2]
    return np.sum(y**2) + w[1]


def reshape_view(x):
    y = np.zeros(4)
    y[:] = x
    m = y.reshape(2, 2)
    m[0, 1] = x[3] ** 2
    m[1] *= 2.0
    return np.sum(y * x)


def ravel_view(x):
    m = np.zeros((2, 2))
    flat = m.ravel()
    for i in range(4):
        flat[i] = x[i] * x[0]
    return m[0, 1] * m[1, 1] + np.sum(m)


def transpose_view(a):
    b = a * 1.0
    c = b.T
    c[0, 2] = a[1, 1] ** 2
    c[1] += a[0]
    return np.sum(b * a)


def row_of_matrix(a):
    b = np.copy(a)
    row = b[1]
    row *= b[0]
    b[1, 0] = row[2] * row[1]
    return np.sum(b**2)


def rows_in_a_loop(a):
    b = a * 1.0
    for row in b:
        row *= row[0]
        row[1] += 1.0
    return np.sum(b * b)


def rows_and_the_matrix(a):
    b = a * 1.0
    total = 0.0
    for i, row in enumerate(b):
        b[2, 0] += row[1]
        total += row[0] * (i + 1)
    return total * b[2, 0]


def change(v, s):
    v *= s
    v[0] = s * s


def mutating_callee(x):
    y = x * 1.0
    change(y, x[1])
    change(y[2:], x[0])
    return np.sum(y * y)


def change_and_return(v):
    v[1] *= 3.0
    return v


def returned_argument(x):
    y = x * x
    z = change_and_return(y)
    z[0] += y[1]
    return np.sum(y) * z[1]


def argument_before_the_call(x):
    y = x * 1.0
    return np.sum(y * change_and_return(y)) + y[1]


def out_of_itself(x):
    y = x * 1.0
    np.multiply(y, y, out=y)
    np.sin(y, out=y)
    return np.sum(y * x)


def out_of_a_view(x):
    y = np.ones(4)
    np.multiply(x[:2], x[2:], out=y[1:3])
    z = np.add(y, x, out=y)
    z[0] *= 2.0
    return np.sum(y**2)


def saved_and_changed(x):
    c = np.ones(4)
    y = c * x
    s = np.sum(y * c)
    c[1] = 7.0
    return s + np.sum(c * x) * s


def swapped_names(x, w):
    u, v = x * 1.0, w * 1.0
    u, v = v, u
    u[0] = v[1] ** 2
    v *= u
    return np.sum(u * v)


def swapped_elements(x):
    y = x * x
    y[0], y[2] = y[2], y[0]
    y[1], y[3] = y[3] * y[0], y[1]
    return np.sum(y * np.arange(1.0, 5.0))


def swapped_rows(a):
    b = a * a
    b[[0, 2]] = b[[2, 0]]
    t = b[1].copy()
    b[1] = b[2]
    b[2] = t
    return np.sum(b * np.arange(9.0).reshape(3, 3))


def rows_swapped_without_a_copy(a):
    b = a * a
    b[0], b[2] = b[2], b[0]
    return np.sum(b * np.arange(9.0).reshape(3, 3))


def in_a_tuple(x):
    y = x * 1.0
    pair = (y, x)
    y[0] = 3.0 * x[1]
    return np.sum(pair[0] * pair[1])


def in_a_list(x):
    rows = [x * 1.0, x * 2.0]
    rows[0][1] = x[0]
    rows[1] *= rows[0]
    return np.sum(rows[0]) * np.sum(rows[1])


def list_of_the_same(x):
    y = x * 1.0
    both = [y, y]
    for v in both:
        v *= x[1]
    return np.sum(y * y)


def closure_writes(x):
    y = x * 1.0

    def bump(i):
        y[i] += y[i - 1] * x[0]

    bump(1)
    bump(2)
    return np.sum(y**2)


def argument_written(x):
    x[1] = x[0] * x[2]
    x *= x
    return np.sum(x)


def argument_written_in_a_loop(x):
    for i in range(1, 4):
        x[i] = x[i] * x[i - 1]
    return x[3] + x[1]


def argument_and_alias(x, w):
    z = x
    z[0] = w[0]
    w += z
    return np.sum(x * w)


def result_is_the_argument(x):
    x *= 2.0
    return x


def result_is_a_view(x):
    y = x * x
    y[0] = 1.0
    return y[1:]


def in_one_branch(x, flag):
    y = x * 1.0
    v = y[1:]
    if flag > 0:
        v[0] = x[3] ** 2
        y *= 2.0
    else:
        y[2] += x[0]
    return np.sum(y * x) + v[0]


def view_in_one_branch(x, flag):
    y = x * 1.0
    v = y[2:]
    if flag > 0:
        v = y[:2]
    return np.sum(v * v) + y[0]


def copied_in_one_branch(x, flag):
    y = x
    if flag > 0:
        y = x.copy()
    y[0] = x[1] if flag > 5 else 2.0
    return np.sum(y * y)


def fresh_each_time(x, n):
    u = x
    for _ in range(n):
        new = np.zeros(4)
        new[1:] = u[:-1] * x[1:]
        new[0] = u[3]
        u = new
    return np.sum(u * u)


def early_return(x, flag):
    y = x * 1.0
    y[0] = 2.0 * x[1]
    if flag > 0:
        y[1] = x[0]
        return np.sum(y * y)
    y[2] *= 3.0
    return np.sum(y) * y[2]

def written_in_one_branch_and_swapped_in_the_other(x, w, flag):
    y = x * w
    if flag > 0:
        x[2] = w[1] ** 2
    else:
        w, x = x, w
    return np.sum(y * x * w * w)


def swapped_in_a_branch(x, w, flag):
    u, v = x * 1.0, w * 1.0
    if flag > 0:
        u, v = v, u
    u[1] = v[2] ** 2
    return np.sum(u * v * v)


def buffers_swapped_under_a_flag(x, n):
    old, new = x * 1.0, np.zeros(4)
    for k in range(n):
        new[1:] = old[1:] * old[:-1]
        while k > 0 and old[0] > 0.0:
            old[0] -= 1.0
            if old[0] > 5.0:
                return np.sum(old)
        old, new = new, old
    return np.sum(old * old)


def reshaped_and_read_transposed(a):
    y = np.zeros((3, 3))
    y[:] = a
    flat = y.ravel()
    flat[1] = a[1, 1] ** 2
    return np.sum(y.T * a)


def repeats_in_a_row(a):
    b = a * 1.0
    b[2][[1, 1]] *= a[0, 0]
    b.T[[0, 2]] += a[1, 1]
    return np.sum(b * b)


def flattened_copy(x):
    y = np.sin(x)
    m = y.ravel()
    y[3] = x[0] ** 2
    return np.sum(m * x)


def mean_stored_after_an_element_was_read(a):
    y = np.zeros((3, 3))
    y[1] += np.sin(a[2, -1])
    a[0, 1] = np.sin(a.mean())
    return np.sum(a * 1.5) + np.sum(y * y)


def read_through_asarray(x):
    y = np.asarray(x * 1.0)
    z = np.asarray(y)
    y[0] = 1.0
    return np.sum(z)


def augmented_under_another_name(x, n):
    old = x[:]
    part = x[1:]
    for k in range(n):
        old **= 2
        x[k] += part[0] * old[3]
        part *= x[k]
    return np.sum(old * x) + np.sum(part)


def augmented_in_a_while_loop(x, n):
    y = x
    k = 0
    while k < n and y[0] < 4.0:
        x += 0.5 * y[1]
        if y[2] > 0.0:
            y *= 0.7
        k += 1
    return np.sum(y * x)


def rows_read_after_a_write_to_the_matrix(x, n):
    m = x * np.ones((n + 1, 1))
    t = 0.0
    for row in m:
        m[:, 1] += row[0] * m[0, 2]
        t += row[1] * row[2]
    return np.sum(m * m) + t


def rows_of_two_lengths(x, n):
    m = x * np.ones((n + 1, 1))
    t = 0.0
    for a, row in zip(x, m):
        m[1:, 1] += row[0] * a
        t += row[1] * row[2]
    return np.sum(m * m) + t


def a_list_that_is_not_used_again(x, n):
    y = x * 2.0
    if n > 1:
        for _ in range(n):
            pair = [y, y]
            pair[0][1] = np.sin(x[0])
        y[0] = y[1]
    y[2] = y[0] * y[1]
    return np.sum(y * y)


def bound_now_and_then(x, n):
    y, last = x, 0.0
    for k in range(n):
        if k % 2:
            pair = x
            last = pair[1] * y[0]
        y **= 2
    return np.sum(y) * last


def bound_by_an_inner_loop(x, n):
    y = x
    t = 0.0
    for k in range(n):
        for part in (x[:-1], x[1:]):
            t += part[k % 2] ** 2
        np.copyto(y, np.sin(x) * t)
    return np.sum(x * y) + t


CASES = [
    (bound_now_and_then, (X, 3)), (bound_by_an_inner_loop, (X, 2)),
    (read_through_asarray, (X,)), (augmented_under_another_name, (X, 3)),
    (augmented_in_a_while_loop, (X, 3)), (rows_read_after_a_write_to_the_matrix, (X, 2)),
    (rows_of_two_lengths, (X, 2)), (a_list_that_is_not_used_again, (X, 2)),
    (two_names, (X,)), (slice_view, (X,)), (view_of_view, (X,)), (reshape_view, (X,)),
    (ravel_view, (X,)), (transpose_view, (A,)), (row_of_matrix, (A,)), (rows_in_a_loop, (A,)),
    (mutating_callee, (X,)), (returned_argument, (X,)),
    (argument_before_the_call, (X,)), (out_of_itself, (X,)), (out_of_a_view, (X,)),
    (saved_and_changed, (X,)), (swapped_names, (X, Y)), (swapped_elements, (X,)),
    (swapped_rows, (A,)), (rows_swapped_without_a_copy, (A,)), (in_a_tuple, (X,)),
    (list_of_the_same, (X,)), (closure_writes, (X,)),
    (argument_written, (X,)), (argument_written_in_a_loop, (X,)), (argument_and_alias, (X, Y)),
    (result_is_the_argument, (X,)), (result_is_a_view, (X,)), (in_one_branch, (X, 1)),
    (in_one_branch, (X, -1)), (view_in_one_branch, (X, 1)), (view_in_one_branch, (X, -1)),
    (fresh_each_time, (X, 0)), (fresh_each_time, (X, 3)), (early_return, (X, 1)),
    (early_return, (X, -1)), (reshaped_and_read_transposed, (A,)), (repeats_in_a_row, (A,)),
    (written_in_one_branch_and_swapped_in_the_other, (X, Y, 1)),
    (written_in_one_branch_and_swapped_in_the_other, (X, Y, -1)),
    (mean_stored_after_an_element_was_read, (A,)),
    (swapped_in_a_branch, (X, Y, 1)), (swapped_in_a_branch, (X, Y, -1)),
    (buffers_swapped_under_a_flag, (X, 3)), (flattened_copy, (X,)),
]  # fmt: skip


@pytest.mark.parametrize(("f", "args"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_aliases(f, args):
    wrt = [i for i, a in enumerate(args) if isinstance(a, np.ndarray)]
    assert_derivatives(f, *args, wrt=wrt)


def another_name_written_in_an_inner_loop(x, n):
    y = x * 1.0
    z = y
    for _ in range(n):
        y[0] = 3.0 * x[1]
        for _ in range(2):
            z *= 2.0
        y = y * x
    return np.sum(z) + np.sum(y * x)


def elements_or_rows_swapped(x, n):
    y = x * 1.0
    if n > 1:
        y = np.outer(x, x)
    y[0], y[1] = y[1], y[0]
    return np.sum(y * np.cos(x))


REFUSED = [
    (elements_or_rows_swapped, (X, 1)), (elements_or_rows_swapped, (X, 2)),
    (another_name_written_in_an_inner_loop, (X, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("f", "args"), REFUSED, ids=lambda v: getattr(v, "__name__", ""))
def test_refused_where_aliases_are_not_known(f, args):
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(*args)
    assert isinstance(caught.value, NotYetSupported)
    assert caught.value.place.line > 0
    assert "copy" in caught.value.hint


def writes_one_of_two(x, w):
    x[0] = w[1]
    return np.sum(x * w)


def test_one_array_as_two_arguments():
    both = X.copy()
    with pytest.raises(TangentLikeError, match="share memory"):
        tl.grad(writes_one_of_two)(both, both)
    with pytest.raises(TangentLikeError, match="share memory"):
        tl.grad(writes_one_of_two)(both[:3], both[1:])
    tl.grad(writes_one_of_two)(both[:2], both[2:])


def reads_both(x, w):
    return np.sum(x * w)


def test_one_array_as_two_arguments_that_are_only_read():
    both = X.copy()
    np.testing.assert_allclose(tl.grad(reads_both)(both, both), X)


def test_gradients_share_no_memory():
    def f(x, w):
        x += w
        return np.sum(x * x)

    bx, bw = tl.grad(f, wrt=(0, 1))(X, Y)
    assert not np.shares_memory(bx, bw)
    _, pullback = tl.vjp(lambda x: x[::-1], X)
    seed = np.ones(4)
    (bx,) = pullback(seed)
    assert not np.shares_memory(bx, seed)


def test_an_element_read_as_a_view_of_what_is_not_written():
    assert_derivatives(lambda x: x[1, ...] * x[..., 0], X)


def rows_exchanged_in_a_loop_that_writes(x, m):
    for i in range(3):
        row = x[i]
        for _ in range(3):
            row, m = m, row
        x[-1][0] **= 2
    return np.sum(m) + np.sum(x)


def names_in_a_ring(x, m):
    a, b, c = x[0], x[1] * 1.0, m * 1.0
    for _ in range(2):
        a, b, c = b[:3], c, a
    x[0, 0] = 2.0
    return np.sum(b) + np.sum(x)


@pytest.mark.parametrize("f", [rows_exchanged_in_a_loop_that_writes, names_in_a_ring])
def test_names_that_a_loop_exchanges_may_be_views_of_what_is_written_behind_it(f):
    x, m = np.arange(1.0, 13.0).reshape(3, 4) / 7, np.ones(4)
    with pytest.raises(NotYetSupported, match="may share memory"):
        tl.grad(f)(x, m)
    with pytest.raises(NotYetSupported, match="may share memory"):
        tl.jvp(f, (x, m), (x, m))


def test_arrays_that_a_loop_exchanges_and_nothing_else():
    def f(x, m):
        a, b = x[0] * 2.0, m * m
        for _ in range(3):
            a, b = b, a
        a[1] = b[0] * 3.0
        return np.sum(a * a) + np.sum(x)

    assert_derivatives(f, np.arange(1.0, 7.0).reshape(2, 3) / 7, np.array([0.3, 0.7, -0.2]))


ITEMS_OF_ROWS = {
    "list": "list(w)[0]",
    "named": "(rows := list(w))[0]",
    "comprehension": "[r for r in w][0]",
    "zip": "list(zip(w, w))[0][1]",
    "map": "list(map(lambda r: r, w))[1]",
    "pop": "list(w).pop()",
    "at run time": "list(w)[n - 3]",
    "of a list of lists": "[[r] for r in w][0][0]",
    "reversed": "list(reversed(w))[0]",
    "chain": "list(itertools.chain(w, w))[0]",
}


@pytest.mark.parametrize("item", ITEMS_OF_ROWS)
def test_items_of_a_list_of_rows_share_memory_with_the_array(item):
    f = define(
        f"""
import itertools

def f(x, n):
    w = np.outer(x[:2], x) + 1.0
    y = {ITEMS_OF_ROWS[item]}
    y[0] = x[1] * 2.0
    return np.sum(w * w)
""",
        "f",
        np=np,
    )
    with pytest.raises(NotYetSupported, match="share memory"):
        tl.grad(f)(np.array([0.8, -0.6, 1.3]), 3)


def parts_of_flat(x):
    w = np.outer(x, x)
    y = w.flat[:3]
    y[0] = x[1] * 2.0
    w.flat[4] = y[1] * x[0]
    w.flat[5:7] += y[:2]
    return np.sum(w * w) + np.sum(y) + w.flat[0]


def test_a_part_of_flat_is_a_copy():
    assert_derivatives(parts_of_flat, np.array([0.8, -0.6, 1.3]))
