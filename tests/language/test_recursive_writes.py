"""Functions that call themselves and write into lists, dicts and variables around them, or into
those that they are given."""

import math
from collections import defaultdict

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives


def memo_in_a_dict(x, n):
    memo = {}
    def fib(k):
        if k in memo:
            return memo[k]
        v = x if k < 2 else fib(k - 1) + fib(k - 2) * x
        memo[k] = v
        return v
    return fib(n)


def memo_as_an_argument(x, n):
    return fibonacci(n, x, {})


def fibonacci(k, x, memo):
    if k in memo:
        return memo[k]
    v = x if k < 2 else fibonacci(k - 1, x, memo) + fibonacci(k - 2, x, memo) * x
    memo[k] = v
    return v


def leaves_gathered(x, n):
    out = []
    def walk(k, v):
        if k == 0:
            out.append(v)
            return
        walk(k - 1, v * x)
        walk(k - 1, v + x)
    walk(n, x)
    s = 0.0
    for i, o in enumerate(out):
        s += o * (i + 1)
    return s


def memo_in_a_list(x, n):
    memo = [-1.0] * (n + 1)
    def fib(k):
        if memo[k] < 0:
            memo[k] = x if k < 2 else fib(k - 1) + fib(k - 2) * x
        return memo[k]
    return fib(n)


def array_of_the_function_around(x, n):
    v = np.arange(1.0, n + 1) * x
    def go(k):
        if k > 0:
            v[k] = v[k - 1] * x + v[k]
            go(k - 1)
    go(n - 1)
    return np.sum(v * v)


def two_functions_share_two_containers(x, n):
    memo = {}
    seen = []
    def f(k):
        if k in memo:
            return memo[k]
        seen.append(k * x)
        v = 1.0 if k < 1 else g(k - 1) * x + 1
        memo[k] = v
        return v
    def g(k):
        seen.append(x * x)
        return f(k) + f(k - 1) if k > 1 else x
    r = f(n)
    return r * len(seen) + seen[-1] * seen[0]


def keys_are_tuples(x, n):
    memo = {}
    def paths(i, j):
        key = (i, j)
        if key not in memo:
            if i == 0 or j == 0:
                memo[key] = x
            else:
                memo[key] = paths(i - 1, j) + x * paths(i, j - 1)
        return memo[key]
    return paths(n, n) + paths(2, 1) + len(memo)


def memo_changed_between_calls(x, n):
    memo = {0: x, 1: x * x}
    def f(k):
        if k not in memo:
            memo[k] = f(k - 1) * 0.5 + f(k - 2) * x
        return memo[k]
    a = f(n)
    memo[0] = 5.0 * x
    b = f(n + 2)
    memo.clear()
    memo[0] = 3 * x
    memo[1] = x
    return a + b * f(n)


def best_in_a_list(x, n):
    best = [0.0]
    def go(k, v):
        if k == 0:
            if v > best[0]:  # noqa: PLR1730
                best[0] = v
            return
        go(k - 1, v * x)
        go(k - 1, v + x)
    go(n, 1.0)
    return best[0]


def totals_in_a_list(x, n):
    total = [0.0, x]
    def dfs(k, w):
        total[0] += w * x
        total[1] *= 1.1
        for i in range(k):
            dfs(i, w * 0.5)
    dfs(n, 1.0)
    return total[0] * total[1]


def tree_in_dicts(x, n):
    left = {0: 1, 1: 3, 2: 5}
    right = {0: 2, 1: 4}
    order = []
    def visit(k, v):
        if k in left:
            visit(left[k], v * x)
        order.append(v + k)
        if k in right:
            visit(right[k], v + x)
    visit(0, x)
    s = 0.0
    for k in range(len(order)):
        s = s * 0.3 + order[k] * (k + 1)
    return s


def towers(x, n):
    cost = [0.0]
    def move(k, s, t, u):
        if k == 0:
            return
        move(k - 1, s, u, t)
        cost[0] += x * k + s * t
        move(k - 1, u, t, s)
    move(n, 0, 2, 1)
    return cost[0]


def permutations_by_swaps(x, n):
    items = [x * (i + 1) for i in range(n)]
    total = [0.0]
    def permute(k):
        if k == n:
            s = 0.0
            for i in range(n):
                s = s * 0.5 + items[i]
            total[0] += s * s
            return
        for i in range(k, n):
            items[k], items[i] = items[i], items[k]
            permute(k + 1)
            items[k], items[i] = items[i], items[k]
    permute(0)
    return total[0]


def two_names_of_one_list(x, n):
    A = [1.0, x]
    B = A
    def f(k):
        if k == 0:
            return B[0]
        A[0] = A[0] * x + B[1]
        return f(k - 1) + B[0]
    return f(n)


def lambda_with_a_memo(x, n):
    memo = {}
    f = lambda k: (
        memo[k] if k in memo else memo.setdefault(k, x if k < 2 else f(k - 1) + x * f(k - 2))
    )
    return f(n)


def items_gone_through(x, n):
    memo = {0: x}
    def f(k):
        if k == 0:
            s = 0.0
            for a, b in memo.items():
                s += b * (a + 1)
            return s
        memo[k] = f(k - 1) * x
        s = 0.0
        for a, b in memo.items():
            s += b * (a + 1)
        return s
    return f(n)


def memo_bound_anew_in_a_loop(x, n):
    tot = 0.0
    memo = {}
    def f(k):
        if k in memo:
            return memo[k]
        memo[k] = x if k == 0 else f(k - 1) * x + k
        return memo[k]
    for i in range(n):
        tot += f(i) * len(memo)
        if i == 2:
            memo = {}
    return tot + f(n)


def function_and_memo_made_in_a_loop(x, n):
    tot = 0.0
    for i in range(n):
        memo = {}
        def f(k):
            if k in memo:
                return memo[k]
            memo[k] = x if k == 0 else f(k - 1) * x + k
            return memo[k]
        tot += f(i) * len(memo)
    return tot


def log_grows_in_a_loop(x, n):
    log = []
    def f(k):
        log.append(k * x)
        if k > 0:
            f(k - 1)
    for i in range(n):
        f(i)
        log[0] = log[-1] * x + log[0]
    return sum(log) * log[0]


def list_bound_anew_between_calls(x, n):
    log = [x]
    def f(k):
        log.append(k * x + log[-1])
        if k > 0:
            f(k - 1)
    f(n)
    old = log
    log = [2 * x]
    f(n)
    return sum(old) + sum(log) * x


class Graph:
    def __init__(self, x):
        self.w = [x, 2 * x, x * x, 0.5]
        self.seen = []
    def dfs(self, k, acc):
        acc.append(self.w[k] * len(acc))
        if k + 1 < len(self.w):
            self.dfs(k + 1, acc)


def method_with_a_list(x, n):
    g = Graph(x)
    acc = [x]
    g.dfs(0, acc)
    return sum(acc) * acc[-1]


class Node:
    def __init__(self, v, kids):
        self.v, self.kids = v, kids


def flatten(node, out, d):
    out.append(node.v * d)
    for k in node.kids:
        flatten(k, out, d + 1)


def tree_of_objects_flattened(x, n):
    t = Node(x, [Node(x * x, [Node(x + 1, [])]), Node(3 * x, [])])
    out = []
    flatten(t, out, 1)
    s = 0.0
    for i in range(len(out)):
        s += out[i] * (i + 1)
    return s


def quicksort_of_a_list_in_place(x, n):
    a = [math.sin(3 * i + x) for i in range(n + 3)]
    def sort(lo, hi):
        if lo >= hi:
            return
        p = a[hi]
        i = lo
        for j in range(lo, hi):
            if a[j] < p:
                a[i], a[j] = a[j], a[i]
                i += 1
        a[i], a[hi] = a[hi], a[i]
        sort(lo, i - 1)
        sort(i + 1, hi)
    sort(0, len(a) - 1)
    s = 0.0
    for k in range(len(a)):
        s = s * 0.5 + a[k] * k
    return s


def quicksort_of_an_array_in_place(x, n):
    a = np.sin(3.0 * np.arange(n + 3) + x)
    def sort(a, lo, hi):
        if lo >= hi:
            return
        p = a[hi]
        i = lo
        for j in range(lo, hi):
            if a[j] < p:
                a[i], a[j] = a[j], a[i]
                i += 1
        a[i], a[hi] = a[hi], a[i]
        sort(a, lo, i - 1)
        sort(a, i + 1, hi)
    sort(a, 0, len(a) - 1)
    return np.sum(a * np.arange(n + 3))


def rows_of_an_array_around(x, n):
    A = np.ones((n, 3)) * x
    def f(k):
        if k == 0:
            return
        row = A[k - 1]
        row[0] = row[0] * x + A[k - 1, 1]
        A[k - 1, 2] += row[0]
        f(k - 1)
    f(n)
    return np.sum(A * A)


def memo_in_each_call(x, n):
    def outer(k):
        memo = {}
        def f(j):
            if j in memo:
                return memo[j]
            memo[j] = x * k if j == 0 else f(j - 1) * x
            return memo[j]
        if k == 0:
            return f(2)
        return f(k) + outer(k - 1) * len(memo)
    return outer(n)


def log_from_two_depths(x, n):
    log = [0.0]
    def outer(k):
        def f(j):
            log[0] += j * x * k
            if j > 0:
                f(j - 1)
        f(k)
        log.append(log[0] * x)
        if k > 0:
            outer(k - 1)
    outer(n)
    return sum(log) + len(log) * log[-1]


def calls_counted(x, n):
    count = 0
    log = []
    def f(k):
        nonlocal count
        count += 1
        log.append(x * count)
        if k > 0:
            f(k - 1)
    f(n)
    return sum(log)


def stack_popped_and_pushed(x, n):
    stack = [x, 2 * x, 3 * x]
    def f(k):
        if not stack:
            return 1.0
        top = stack.pop()
        if k > 0:
            stack.append(top * 0.5)
            if len(stack) < 5:
                stack.append(top * x)
        return top + f(k - 1) * 0.9
    return f(n)


def numbers_seen(x, n):
    seen = []
    def f(k):
        if k in seen:
            return x
        seen.append(k)
        return f((k * 3 + 1) % 7) * x + k
    return f(n)


def binomials(x, n):
    memo = {}
    def comb(a, b):
        if b == 0 or b == a:  # noqa: PLR1714
            return 1.0
        if (a, b) in memo:
            return memo[a, b]
        r = comb(a - 1, b - 1) + x * comb(a - 1, b)
        memo[(a, b)] = r
        return r
    s = 0.0
    for k in range(n):
        s += comb(n + 2, k) * x
    return s


def knapsack(x, n):
    w = [1, 2, 3, 2]
    v = [x, x * x, 2 * x, 1.5]
    memo = {}
    def best(i, cap):
        if i == len(w):
            return 0.0
        if (i, cap) not in memo:
            r = best(i + 1, cap)
            if w[i] <= cap:
                r = max(r, v[i] + best(i + 1, cap - w[i]))
            memo[(i, cap)] = r
        return memo[(i, cap)]
    return best(0, n)


def path_pushed_and_popped(x, n):
    path = []
    total = [0.0]
    def go(k):
        if k == 0:
            s = 1.0
            for p in path:
                s *= p
            total[0] += s
            return
        for c in (x, 0.5):
            path.append(c * k)
            go(k - 1)
            path.pop()
    go(n)
    return total[0]


def default_dict(x, n):
    acc = defaultdict(float)
    def go(k):
        acc[k % 2] += x * k
        if k > 0:
            go(k - 1)
    go(n)
    return acc[0] * acc[1]


def dict_of_known_keys(x, n):
    state = {"a": x, "b": 1.0}
    def go(k):
        state["a"] *= x
        state["b"] += state["a"]
        if k > 0:
            go(k - 1)
    go(n)
    return state["b"] * state["a"]


def dict_of_numbers_of_two_types(x, n):
    state = {"a": x, "n": 0}
    def go(k):
        state["a"] *= x
        state["n"] += 1
        if k > 0:
            go(k - 1)
    go(n)
    return state["a"] * state["n"]


def accumulator_that_grows(x, n):
    return collected([x, 2 * x, x * x], [], x)[-1]


def collected(items, acc, x):
    if len(items) == 0:
        return acc
    return collected(items[1:], acc + [items[0] * x + len(acc)], x)  # noqa: RUF005


def accumulator_counted_down(x, n):
    return sum(counted_down(n, [], x))


def counted_down(k, acc, x):
    if k == 0:
        return acc
    return counted_down(k - 1, acc + [k * x + len(acc)], x)  # noqa: RUF005


def list_that_always_grows(x, n):
    out = []
    grow(n, out, x)
    return sum(out) * out[0]


def grow(k, out, x):
    out.append(k * x)
    if k > 0:
        grow(k - 1, out, x)
    out.append(out[-1] * x)


def count_and_best(x, n):
    count, best = 0, 0.0
    def f(k, v):
        nonlocal count, best
        count += 1
        if v > best:  # noqa: PLR1730
            best = v
        if k > 0:
            f(k - 1, v * x)
            f(k - 1, v + x * count)
    f(n, x)
    return best * count


def total_of_two_depths(x, n):
    total = 0.0
    def outer(k):
        nonlocal total
        def f(j):
            nonlocal total
            total += j * x
            if j > 0:
                f(j - 1)
        f(k)
        total *= x
        if k > 0:
            outer(k - 1)
    outer(n)
    return total


def variable_read_by_another_function(x, n):
    total = x
    def get():
        return total * x
    def f(j):
        nonlocal total
        total = get() + j
        if j > 0:
            f(j - 1)
    for i in range(n):
        f(i)
        total = total / (1 + total)
    return total


def best_that_is_none_at_first(x, n):
    best = None
    def f(j, v):
        nonlocal best
        if best is None or v > best:
            best = v
        if j > 0:
            f(j - 1, v * x)
    f(n, x)
    return best


def mutual_recursion_counted(x, n):
    depth = 0
    def even(k):
        nonlocal depth
        depth += 1
        return x if k == 0 else odd(k - 1) * x
    def odd(k):
        nonlocal depth
        depth += 2
        return x * depth if k == 0 else even(k - 1) + x
    return even(n) * depth


def rows_of_a_known_list(x, n):
    m = [[x, 1.0], [2.0, x]]
    def go(row, k):
        row[0] *= x
        if k > 0:
            go(row, k - 1)
    go(m[0], n)
    go(m[1], 2)
    return m[0][0] + m[1][0] * m[1][1]


def rows_of_a_list_of_any_length(x, n):
    m = [[x * i, 1.0] for i in range(n)]
    def go(row, k):
        row[0] *= x
        row.append(row[0])
        if k > 0:
            go(row, k - 1)
    go(m[1], n)
    go(m[n - 1], 2)
    return m[1][0] + m[n - 1][0] * len(m[1]) + sum(m[1])


class Table:
    def __init__(self, x):
        self.d = {0: x, 1: 2.0}
        self.t = [x, 1.0]


def sum_that_the_call_changes(x, n):
    total = [x]
    def go(k):
        if k > 0:
            total[0] += go(k - 1) * x
        total[0] *= 1.5
        return total[0] + k
    return go(n) * total[0]


def variable_that_the_call_changes(x, n):
    count = x
    def go(k):
        nonlocal count
        if k > 0:
            count += go(k - 1) * x
        count *= 1.5
        return count + k
    return go(n) * count


def calls_in_a_test(x, n):
    out = [x]
    def go(k):
        out.append(k * x + len(out))
        if k > 0 and (go(k - 1) > 2 or go(k - 2) > 1):
            out[0] += out[-1]
        return out[0] * 1.0
    return go(n) + sum(out)


def calls_in_a_generator(x, n):
    memo = {}
    def go(k):
        if k in memo:
            return memo[k]
        memo[k] = x + sum(go(j) * 0.5 for j in range(k))
        return memo[k]
    return sum([go(j) for j in range(n)]) + sum(map(go, range(3))) * len(memo)


def call_in_a_while(x, n):
    left = [n * 1.0]
    def step(k):
        left[0] -= x
        return left[0] if k == 0 else step(k - 1)
    s = 0.0
    while step(1) > 0:
        s += left[0] ** 2
        if s > 100:
            break
    return s + left[0]


def writes_in_finally(x, n):
    out = [x]
    def go(k):
        try:
            out.append(out[-1] * x)
            if k > 0:
                go(k - 1)
        finally:
            out[0] += x
    go(n)
    return sum(out)


def arguments_exchanged(x, n):
    a = [x, 1.0]
    def f(p, q, k):
        p[0] += q[0] * x
        if k > 0:
            f(q, p, k - 1)
    b = [x * x]
    f(a, b, n)
    return a[0] * b[0]


def array_and_its_reverse(x, n):
    a = np.array([x, 1.0, x * x])
    def f(k):
        a[k] = a[k - 1] * x
        b = a[::-1]
        b[0] += 1.0
        if k > 0:
            f(k - 1)
            b[1] *= x
    f(2)
    return np.sum(a * np.arange(3.0))


def dict_of_an_object_under_its_own_name(x, n):
    b = Table(x)
    m = b.d
    def go(k):
        m[k] = b.d[0] * x + len(b.d)
        b.d[0] = m[k] * 0.5
        if k > 0:
            go(k - 1)
    go(n)
    return sum(m.values()) + b.d[1]


def function_that_reads_what_is_written(x, n):
    out = [x]
    def last():
        return out[-1]
    def go(k):
        out.append(k * x + last())
        if k > 0:
            go(k - 1)
        out[0] += last()
    go(n)
    return sum(out) * last()


def list_sorted_on_the_way(x, n):
    out = [x, 0.3, 2.0 * x]
    def go(k):
        out.append(math.sin(k * x))
        out.sort()
        if k > 0:
            go(k - 1)
        out.reverse()
    go(n)
    return sum(v * i for i, v in enumerate(out))


def variables_of_two_depths(x, n):
    tot = x
    def outer(k):
        nonlocal tot
        t = 0.0
        def inner(j):
            nonlocal t, tot
            t += tot * j
            tot += x * 0.1
            if j > 0:
                inner(j - 1)
        inner(k)
        if k > 0:
            t += outer(k - 1)
        return t
    return outer(n) * tot


RIGHT = [
    sum_that_the_call_changes,
    variable_that_the_call_changes,
    calls_in_a_test,
    calls_in_a_generator,
    call_in_a_while,
    writes_in_finally,
    arguments_exchanged,
    array_and_its_reverse,
    dict_of_an_object_under_its_own_name,
    function_that_reads_what_is_written,
    list_sorted_on_the_way,
    variables_of_two_depths,
    memo_in_a_dict,
    memo_as_an_argument,
    leaves_gathered,
    memo_in_a_list,
    array_of_the_function_around,
    two_functions_share_two_containers,
    keys_are_tuples,
    memo_changed_between_calls,
    best_in_a_list,
    totals_in_a_list,
    tree_in_dicts,
    towers,
    permutations_by_swaps,
    two_names_of_one_list,
    lambda_with_a_memo,
    items_gone_through,
    memo_bound_anew_in_a_loop,
    function_and_memo_made_in_a_loop,
    log_grows_in_a_loop,
    list_bound_anew_between_calls,
    method_with_a_list,
    tree_of_objects_flattened,
    quicksort_of_a_list_in_place,
    quicksort_of_an_array_in_place,
    rows_of_an_array_around,
    memo_in_each_call,
    log_from_two_depths,
    calls_counted,
    stack_popped_and_pushed,
    numbers_seen,
    binomials,
    knapsack,
    path_pushed_and_popped,
    default_dict,
    dict_of_known_keys,
    dict_of_numbers_of_two_types,
    accumulator_that_grows,
    accumulator_counted_down,
    list_that_always_grows,
    count_and_best,
    total_of_two_depths,
    variable_read_by_another_function,
    best_that_is_none_at_first,
    mutual_recursion_counted,
    rows_of_a_known_list,
    rows_of_a_list_of_any_length,
]


@pytest.mark.parametrize("f", RIGHT)
def test_what_a_recursive_function_writes_into_is_right(f):
    assert_derivatives(lambda x: f(x, 4), 1.1)


def test_nothing_is_written_twice():
    """The caller's list is as one call leaves it, whichever derivative is taken."""
    given = [0.5, 2.0]

    def f(x):
        items = list(given)

        def go(k):
            items.append(x * k)
            if k > 0:
                go(k - 1)

        go(2)
        return sum(items)

    assert tl.value_and_grad(f)(1.5) == (2.5 + 3 * 1.5, 3.0)
    assert given == [0.5, 2.0]


def g(x, n):
    memo = [None] * (n + 1)
    def fib(k):
        if memo[k] is None:
            memo[k] = x if k < 2 else fib(k - 1) + fib(k - 2) * x
        return memo[k]
    return fib(n)


def al3(x, n):
    A = [1.0, x]
    B = [x, 2.0]
    C = A if n > 2 else B
    def f(k):
        if k == 0:
            return C[0]
        A[0] = A[0] * x + C[1]
        return f(k - 1) + C[0]
    return f(n)


def itr(x, n):
    A = [1.0, x, 2.0]
    z = zip(A, A)
    def f(k):
        if k == 0:
            s = 0.0
            for p, q in z:
                s += p * q
            return s
        A[0] = A[0] * x
        return f(k - 1)
    return f(n)


def viewk(x, n):
    memo = {0: x}
    ks = memo.keys()
    def f(k):
        if k in ks:
            return memo[k] * len(ks)
        memo[k] = f(k - 1) * x
        return memo[k]
    return f(n)


def both(x, n):
    memo = {}
    def f(k, m):
        if k in m:
            return m[k]
        m[k] = x if k == 0 else f(k - 1, memo) * x
        return m[k]
    return f(n, memo)


def al(x, n):
    A = np.ones((n, 3)) * x
    row = A[0]
    def f(k):
        if k == 0:
            return row[0]
        A[0, 0] = A[0, 0] * x + row[1]
        return f(k - 1) + row[0]
    return f(n)


def transp(x, n):
    A = np.ones((n, 3)) * x
    B = A.T
    def f(k):
        if k == 0:
            return
        B[0, k - 1] *= x
        f(k - 1)
    f(n)
    return np.sum(A * A * np.arange(3))


def queue(x, n):
    out = [x]
    def go(v, k):
        if k > 0:
            out.append(v * x)
            go(v * x, k - 1)
    s = 0.0
    for v in out:
        if len(out) < 9:
            go(v, 2)
        s += v
    return s


def passkeys(x, n):
    d = {0: x, 1: 2.0}
    def go(d, ks, k):
        if k in ks:
            return d[k] * len(ks)
        d[k] = go(d, ks, k - 1) * x
        return d[k] + len(ks)
    return go(d, d.keys(), n)


def values_of_an_argument(x, n):
    d = {0: x, 1: 2.0}
    vs = d.values()

    def go(d, k):
        d[0] = d[0] * x + k
        if k > 0:
            return go(d, k - 1) + sum(vs)
        return sum(vs) * 1.0

    return go(d, n)


def values_as_an_argument(x, n):
    d = {0: x, 1: 2.0}

    def go(d, vs, k):
        d[0] = d[0] * x + k
        if k > 0:
            return go(d, vs, k - 1) + sum(vs)
        return sum(vs) * 1.0

    return go(d, d.values(), n)


def values_in_a_list(x, n):
    d = {0: x, 1: 2.0}
    shown = [d.values(), d.keys()]

    def go(k):
        d[0] *= x
        if k > 0:
            return go(k - 1) + sum(shown[0]) * len(shown[1])
        return 0.0

    return go(n)


def items_of_an_object(x, n):
    c = Table(x)
    its = c.d.items()

    def go(c, k):
        c.d[0] = c.d[0] * x + k
        c.t[1] += x
        if k > 0:
            return go(c, k - 1) + sum(a * b for a, b in its)
        return c.t[1]

    return go(c, n)


REFUSED = [
    (values_of_an_argument, "`vs`, which shows"),
    (values_as_an_argument, "which shows"),
    (values_in_a_list, "`shown`, which shows"),
    (items_of_an_object, "`its`, which shows"),
    (g, "`memo`"),
    (al3, "share memory"),
    (itr, "iterator"),
    (viewk, "`ks`, which shows"),
    (both, "share memory"),
    (al, "share memory"),
    (transp, "`B`"),
    (queue, "longer or shorter"),
    (passkeys, "which shows"),
]


@pytest.mark.parametrize(("f", "says"), REFUSED)
def test_what_is_not_sure_is_refused(f, says):
    with pytest.raises(TangentLikeError, match=says) as caught:
        tl.grad(f)(1.1, 4)
    assert caught.value.place.line > 0
    assert caught.value.place.file == __file__
