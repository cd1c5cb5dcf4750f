"""Functions that call themselves and write into objects, sets, and structures of these."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives


class Box:
    def __init__(self, v):
        self.items = [v]
        self.total = 0.0
        self.n = 0
    def add(self, k, x):
        self.items.append(self.items[-1] * x)
        self.total += k * x
        self.n += 1
        if k > 0:
            self.add(k - 1, x)


def method_that_adds(x, n):
    b = Box(x)
    b.add(n, x)
    return b.total * sum(b.items) + b.n


def object_around(x, n):
    b = Box(x)
    def go(k):
        b.items.append(k * x)
        if k > 0:
            go(k - 1)
    go(n)
    return sum(b.items) * b.items[1]


def number_of_an_object_around(x, n):
    b = Box(x)
    def go(k):
        b.total += k * x
        if k > 0:
            go(k - 1)
    go(n)
    return b.total


def set_around(x, n):
    edges = {0: [1, 2], 1: [3], 2: [3], 3: []}
    cost = [0.0]
    visited = set()
    def go(k, d):
        if k in visited:
            return
        visited.add(k)
        cost[0] += d * x ** k
        for j in edges[k]:
            go(j, d * 0.5)
    go(0, x)
    return cost[0] + len(visited)


def dfs(edges, k, seen, out, x):
    if k in seen:
        return
    seen.add(k)
    for j in edges[k]:
        dfs(edges, j, seen, out, x)
    out.append(x * k + len(out))


def set_and_list(x, n):
    edges = [[1, 2], [3], [3], []]
    out = []
    seen = set()
    for k in range(4):
        dfs(edges, k, seen, out, x)
    s = 0.0
    for i, o in enumerate(out):
        s += o * (i + 1)
    return s + len(seen)


class Parser:
    def __init__(self, text, x):
        self.text = text
        self.pos = 0
        self.x = x
    def peek(self):
        return self.text[self.pos] if self.pos < len(self.text) else ""
    def expr(self):
        v = self.term()
        while self.peek() == "+":
            self.pos += 1
            v = v + self.term()
        return v
    def term(self):
        v = self.factor()
        while self.peek() == "*":
            self.pos += 1
            v = v * self.factor()
        return v
    def factor(self):
        c = self.peek()
        self.pos += 1
        if c == "(":
            v = self.expr()
            self.pos += 1
            return v
        if c == "x":
            return self.x
        return float(c)


def recursive_descent_parser(x, n):
    return Parser("(x+2)*x+3*(x*x+1)", x).expr()


class Tally:
    def __init__(self):
        self.count = 0
        self.sum = 0.0


def walk(t, k, x):
    t.count += 1
    t.sum += x * k
    for j in range(k):
        walk(t, j, x * 0.5)


def object_of_numbers(x, n):
    t = Tally()
    walk(t, n, x)
    walk(t, 2, x * x)
    return t.sum / t.count


@dataclass
class Stats:
    best: float = 0.0
    seen: list = field(default_factory=list)
    table: dict = field(default_factory=dict)


def search(s, k, v, x):
    s.seen.append(v)
    s.table[k] = v * x
    if v > s.best:  # noqa: PLR1730
        s.best = v
    if k > 0:
        search(s, k - 1, v * x, x)
        search(s, k - 1, v + x, x)


def dataclass_of_containers(x, n):
    s = Stats()
    search(s, n, x, x)
    return s.best * s.seen[2] + sum(s.seen) * s.table[1]


class Net:
    def __init__(self, x):
        self.w = np.arange(5.0) * x
        self.k = 0
    def step(self, n, x):
        self.w[n] += self.w[n - 1] * x
        self.w *= 1.1
        self.k += 1
        if n > 1:
            self.step(n - 1, x)


def array_of_an_object(x, n):
    m = Net(x)
    m.step(n, x)
    return np.sum(m.w * m.w) * m.k


class Outer:
    def __init__(self, x):
        self.inner = Tally()
        self.x = x
    def go(self, k):
        self.inner.sum += self.x * k
        self.inner.count += 1
        if k > 0:
            self.go(k - 1)


def object_in_an_object(x, n):
    o = Outer(x)
    o.go(n)
    return o.inner.sum * o.inner.count


def one_object_twice(x, n):
    t = Tally()
    def go(a, b, k):
        a.sum += x * k
        b.sum *= x
        if k > 0:
            go(a, b, k - 1)
    go(t, t, n)
    return t.sum


def object_given_and_around(x, n):
    t = Tally()
    def go(a, k):
        a.sum += x * k + t.sum
        if k > 0:
            go(a, k - 1)
    go(t, n)
    return t.sum


def list_bound_anew(x, n):
    b = Box(x)
    def go(b, k):
        b.items = [x * k]
        if k > 0:
            go(b, k - 1)
    go(b, n)
    return sum(b.items)


def tuple_of_containers(x, n):
    a, b = [x], {}
    def go(p, k):
        p[0].append(x * k)
        p[1][k] = p[0][-1] * x
        if k > 0:
            go(p, k - 1)
    go((a, b), n)
    return sum(a) * b[1]


def dict_of_containers(x, n):
    s = {"path": [x], "cost": 0.0, "memo": {}}
    def go(s, k):
        s["path"].append(x * k)
        s["cost"] += s["path"][-2] * x
        s["memo"][k] = s["cost"]
        if k > 0:
            go(s, k - 1)
    go(s, n)
    return sum(s["path"]) * s["cost"] + s["memo"][2]


def dict_of_containers_around(x, n):
    s = {"path": [x], "cost": [0.0], "memo": {}}
    def go(k):
        s["path"].append(x * k)
        s["cost"][0] += s["path"][-2] * x
        s["memo"][k] = s["cost"][0]
        if k > 0:
            go(k - 1)
    go(n)
    return sum(s["path"]) * s["cost"][0] + s["memo"][2]


def list_twice_in_a_dict(x, n):
    kept = [x]
    s = {"a": kept, "b": kept}
    def go(s, k):
        s["a"].append(x * k)
        if k > 0:
            go(s, k - 1)
    go(s, n)
    return sum(s["b"])


def list_in_a_dict_and_around(x, n):
    kept = [x]
    s = {"a": kept, "b": 1.0}
    def go(s, k):
        s["a"].append(x * k + kept[0])
        if k > 0:
            go(s, k - 1)
    go(s, n)
    return sum(kept) * sum(s["a"])


def list_under_two_names(x, n):
    kept = [x]
    s = {"a": kept, "b": 1.0}
    def go(s, k):
        s["a"].append(x * k)
        if k > 0:
            go(s, k - 1)
    go(s, n)
    kept[0] = 3 * x
    return sum(kept) * sum(s["a"])


def counter_around(x, n):
    c = Counter()
    def go(k):
        c[k % 2] += 1
        if k > 0:
            go(k - 1)
    go(n)
    return c[0] * x + c[1] * x * x


class Lin:
    def __init__(self, x):
        self.v = x
        self.kids = []


def object_that_gets_children(x, n):
    root = Lin(x)
    def grow(node, k):
        node.v *= 1.5
        if k > 0:
            node.kids.append(k * x)
            grow(node, k - 1)
    grow(root, n)
    return root.v + sum(root.kids)


def dfs1(edges, k, out, x):
    for j in edges[k]:
        dfs1(edges, j, out, x)
    out.append(x * k + len(out))


def list_in_a_loop(x, n):
    edges = [[1, 2], [3], [3], []]
    out = []
    dfs1(edges, 0, out, x)
    return sum(out) * out[1]


def dfs2(edges, k, seen, x):
    if k in seen:
        return x
    seen.add(k)
    s = 0.0
    for j in edges[k]:
        s += dfs2(edges, j, seen, x)
    return s * x + k


def set_in_a_loop(x, n):
    edges = [[1, 2], [3], [3], []]
    seen = set()
    return dfs2(edges, 0, seen, x) * len(seen)


def dfs3(k, seen, out, x):
    if k in seen:
        return
    seen.add(k)
    if k < 5:
        dfs3(k + 1, seen, out, x)
        dfs3(k + 2, seen, out, x)
    out.append(x * k + len(out))


def set_and_list_twice(x, n):
    out = []
    seen = set()
    dfs3(0, seen, out, x)
    return sum(out) * out[1] * len(seen)


class Pair:
    def __init__(self, v):
        self.items = [v]
        self.other = [v * 2]
        self.total = 0.0


def list_read_after(x, n):
    b = Pair(x)
    kept = b.items
    def go(b, k):
        if k > 0:
            b.items.append(x * k)
            b.total += x
            go(b, k - 1)
    go(b, n)
    return sum(kept) * b.total


def list_replaced(x, n):
    b = Pair(x)
    kept = b.items
    def go(b, k):
        b.items = [x * k]
        if k > 0:
            go(b, k - 1)
    go(b, n)
    return sum(kept) + sum(b.items)


def argument_put_in(x, n):
    b = Pair(x)
    acc = [3 * x]
    def go(b, acc, k):
        b.items = acc
        if k > 0:
            go(b, acc, k - 1)
    go(b, acc, n)
    acc[0] = x * x
    return sum(b.items)


def list_returned(x, n):
    b = Pair(x)
    def go(b, k):
        b.items = [x * k, x]
        if k > 0:
            return go(b, k - 1)
        return b.items
    r = go(b, n)
    r[1] = 5 * x
    return sum(b.items)


def lists_swapped(x, n):
    b = Pair(x)
    def go(b, k):
        b.items, b.other = b.other, b.items
        if k > 0:
            go(b, k - 1)
    go(b, n)
    b.items[0] = 7 * x
    return sum(b.items) * 3 + sum(b.other)


def list_put_in_twice(x, n):
    b = Pair(x)
    def go(b, k):
        new = [x * k]
        b.items = new
        b.other = new
        if k > 0:
            go(b, k - 1)
    go(b, n)
    b.items[0] = 7 * x
    return sum(b.items) * 3 + sum(b.other)


def list_around_put_in(x, n):
    b = Pair(x)
    cap = [x, 4.0]
    def go(b, k):
        b.items = cap
        if k > 0:
            go(b, k - 1)
    go(b, n)
    b.items[0] = 7 * x
    return sum(b.items) * 3 + sum(cap)


def list_replaced_in_a_branch(x, n):
    b = Pair(x)
    def go(b, k):
        b.items = [k * x] if k % 2 else b.items
        b.items.append(x)
        if k > 0:
            go(b, k - 1)
    go(b, n)
    b.items[0] = 7 * x
    return sum(b.items) * 3


def list_replaced_or_not(x, n):
    b = Pair(x)
    kept = b.items
    def go(b, k):
        if k % 2:
            b.items = [k * x]
        b.items.append(x)
        if k > 0:
            go(b, k - 1)
    go(b, n)
    b.items[0] = 7 * x
    return sum(b.items) * 3 + kept[0]


class Lay:
    def __init__(self, x):
        self.w = np.arange(3.0) * x
        self.v = self.w[1:]
        self.n = 0


def array_bound_anew_beside_its_view(x, n):
    m = Lay(x)
    def go(m, k):
        m.w = m.w * x
        if k > 0:
            go(m, k - 1)
    go(m, n)
    return np.sum(m.w * m.w) + np.sum(m.v)


def array_and_view(x, n):
    m = Lay(x)
    def go(m, k):
        m.w *= x
        if k > 0:
            go(m, k - 1)
    go(m, n)
    return np.sum(m.w * m.w) + np.sum(m.v)


class Lay2:
    def __init__(self, x):
        self.w = np.arange(3.0) * x
        self.n = 0


def array_read_after(x, n):
    m = Lay2(x)
    u = m.w
    def go(m, k):
        m.w[0] += x * k
        m.n += 1
        if k > 0:
            go(m, k - 1)
    go(m, n)
    return np.sum(m.w * m.w) + np.sum(u) * m.n


def array_replaced(x, n):
    m = Lay2(x)
    def go(m, k):
        w = m.w
        m.w = np.sin(w) + x
        w[0] = 9.0
        if k > 0:
            go(m, k - 1)
    u = m.w
    go(m, n)
    m.w[1] = 2 * x
    return np.sum(m.w * m.w) + np.sum(u)


def objects_in_a_list(x, n):
    m = Lay2(x)
    ms = [m, Lay2(x * x)]
    def go(m, k):
        m.w[0] += x * k
        m.n += 1
        if k > 0:
            go(m, k - 1)
    go(ms[0], n)
    for q in ms:
        go(q, 1)
    return np.sum(m.w * m.w) * ms[1].n + np.sum(ms[1].w)


def visit(m, k, x):
    m.w[0] += x * k
    m.n += 1
    if k > 0:
        visit(m, k - 1, x)


def object_in_a_loop(x, n):
    m = Lay2(x)
    for i in range(n):
        visit(m, i, x)
        m.w[1] += m.n * x
    return np.sum(m.w * m.w) * m.n


def objects_in_a_list_of_any_length(x, n):
    ms = [Lay2(x * i) for i in range(n)]
    for m in ms:
        visit(m, 2, x)
    visit(ms[1], 2, x)
    return sum(np.sum(m.w * m.w) * m.n for m in ms)


class Seg:
    def __init__(self, data):
        self.data = data
        self.tree = [0.0] * (4 * len(data))
        self.build(1, 0, len(data) - 1)
    def build(self, node, lo, hi):
        if lo == hi:
            self.tree[node] = self.data[lo]
            return
        mid = (lo + hi) // 2
        self.build(2 * node, lo, mid)
        self.build(2 * node + 1, mid + 1, hi)
        self.tree[node] = self.tree[2 * node] * self.tree[2 * node + 1] + self.tree[2 * node]
    def update(self, node, lo, hi, k, v):
        if lo == hi:
            self.tree[node] = v
            return
        mid = (lo + hi) // 2
        if k <= mid:
            self.update(2 * node, lo, mid, k, v)
        else:
            self.update(2 * node + 1, mid + 1, hi, k, v)
        self.tree[node] = self.tree[2 * node] * self.tree[2 * node + 1] + self.tree[2 * node]


def segment_tree(x, n):
    s = Seg([x, x * x, 2.0, x + 1])
    a = s.tree[1]
    s.update(1, 0, 3, 2, x * 3)
    return a * s.tree[1]


class Memo:
    def __init__(self, x):
        self.x = x
        self.memo = {}
        self.calls = 0
    def __call__(self, k):
        self.calls += 1
        if k in self.memo:
            return self.memo[k]
        v = self.x if k < 2 else self(k - 1) + self(k - 2) * self.x
        self.memo[k] = v
        return v


def memo_of_an_object(x, n):
    m = Memo(x)
    return m(n) * m.calls + m(2)


class UF:
    def __init__(self, n):
        self.parent = list(range(n))
        self.size = [1.0] * n
    def find(self, k):
        if self.parent[k] != k:
            self.parent[k] = self.find(self.parent[k])
        return self.parent[k]
    def union(self, a, b, w):
        a, b = self.find(a), self.find(b)
        if a != b:
            self.parent[b] = a
            self.size[a] += self.size[b] * w


def union_find(x, n):
    u = UF(5)
    u.union(0, 1, x)
    u.union(2, 3, x * x)
    u.union(1, 3, 2 * x)
    return u.size[u.find(3)] * u.size[u.find(4)]


class Tree:
    def __init__(self, key, value):
        self.key, self.value, self.left, self.right = key, value, None, None
    def insert(self, key, value):
        if key < self.key:
            if self.left is None:
                self.left = Tree(key, value)
            else:
                self.left.insert(key, value)
        elif self.right is None:
            self.right = Tree(key, value)
        else:
            self.right.insert(key, value)


def search_tree(x, n):
    t = Tree(3, x)
    t.insert(1, 2 * x)
    t.insert(5, x * x)
    t.insert(2, 7.0 * x)
    return t.left.right.value * t.right.value


RIGHT = [
    method_that_adds,
    object_around,
    set_around,
    set_and_list,
    recursive_descent_parser,
    object_of_numbers,
    dataclass_of_containers,
    array_of_an_object,
    object_in_an_object,
    list_bound_anew,
    tuple_of_containers,
    dict_of_containers,
    dict_of_containers_around,
    list_under_two_names,
    counter_around,
    object_that_gets_children,
    list_in_a_loop,
    set_in_a_loop,
    set_and_list_twice,
    list_replaced,
    list_replaced_in_a_branch,
    array_bound_anew_beside_its_view,
    array_replaced,
    objects_in_a_list,
    object_in_a_loop,
    segment_tree,
    memo_of_an_object,
    union_find,
    search_tree,
]


@pytest.mark.parametrize("f", RIGHT)
def test_what_a_recursive_function_writes_into_is_right(f):
    assert_derivatives(lambda x: f(x, 4), 1.1)


REFUSED = [
    number_of_an_object_around,
    one_object_twice,
    object_given_and_around,
    list_twice_in_a_dict,
    list_in_a_dict_and_around,
    list_read_after,
    argument_put_in,
    list_returned,
    lists_swapped,
    list_put_in_twice,
    list_around_put_in,
    list_replaced_or_not,
    array_and_view,
    array_read_after,
    objects_in_a_list_of_any_length,
]


@pytest.mark.parametrize("f", REFUSED)
def test_what_may_share_memory_is_refused(f):
    with pytest.raises(TangentLikeError, match=r"share memory|calls itself") as caught:
        tl.grad(f)(1.1, 4)
    assert caught.value.place.line > 0
    assert caught.value.place.file == __file__
