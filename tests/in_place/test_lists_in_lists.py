"""Lists, dicts and objects inside lists whose length is known only at run time: what is put into
them, under several names, and what they are known to hold afterwards."""

import collections

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported, SharedMemory
from tests.derivatives import assert_derivatives, define

X, N = 0.3, 3


def row(x):
    return np.array([x, x * x, 1.5])


class Part:
    def __init__(self, a):
        self.a, self.b, self.c, self.s = a, [], {}, None


NAMES = {"np": np, "row": row, "Part": Part, "defaultdict": collections.defaultdict}


def right_or_refused(body):
    """The value and its derivatives are those of the function, or it says that it cannot tell."""
    text = "def f(x, n):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    f = define(text, "f", **NAMES)
    slope = (f(X + 1e-6, N) - f(X - 1e-6, N)) / 2e-6
    for derive in (
        lambda: tl.value_and_grad(f)(X, N),
        lambda: tl.jvp(f, (X, N), (1.0, 0)),
    ):
        try:
            found = derive()
        except (NotYetSupported, SharedMemory) as reason:
            assert reason.place.line
        else:
            assert np.isclose(found[0], f(X, N), rtol=1e-12), text
            assert np.isclose(found[1], slope, rtol=1e-5), text


CONTAINERS = {
    "a list of lists": "d = [[] for i in range(n)]",
    "a dict of lists": "d = {i: [] for i in range(n)}",
    "a defaultdict": "d = defaultdict(list)",
    "lists that hold something": "d = [[row(x * i)] for i in range(n)]",
}
THINGS = {"an array": "u = row(x)", "a list": "u = [x, 1.0]"}
WRITES = [
    "d[0].append(u)\nu[0] = x * 5",
    "d[0].append(u)\nd[0][-1][0] = x * 5",
    "d[0].append(u)\nd[1].append(u)\nd[0][-1][0] = x * 5",
    "d[0].append(u)\nd[0].append(u)\nd[0][-2][0] = x * 5",
    "d[0].append(u)\nd[1].append(d[0][0])\nd[0][0][0] = x * 5",
    "d[0].append(u)\nd[1].append(u)\nw = d[0].pop()\nw[0] = x * 5",
    "d[1].append(u)\nd[0] = d[1]\nd[0][-1] = row(x * 5)",
    "for i in range(2):\n    d[i].append(u)\nu[0] = x * 5",
    "for i in range(2):\n    d[i].append(row(x * i))\nd[1][-1][0] = x * 5",
]
READS = ["u[0]", "d[0][-1][0] if len(d[0]) else x", "d[1][-1][0] if len(d[1]) else x"]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("thing", THINGS)
def test_what_lists_in_a_list_share(container, thing):
    for write in WRITES:
        for read in READS:
            right_or_refused(f"{CONTAINERS[container]}\n{THINGS[thing]}\n{write}\nreturn {read}")


INSIDE = [
    "g = [{'b': []} for i in range(n)]\ng[0]['b'].append(x)\nreturn len(g[0]['b']) * x",
    "g = [{'b': []} for i in range(n)]\ng[0]['b'].append(x)\nreturn sum(g[0]['b']) * 2 + x",
    "g = [[x, []] for i in range(n)]\ng[0][1].append(x)\nreturn len(g[0][1]) * x",
    "g = [[x, []] for i in range(n)]\ng[0][1].append(x)\nt = x\nfor e in g[0][1]:\n"
    "    t += e\nreturn t",
    "g = [(x, []) for i in range(n)]\ng[0][1].append(x)\nreturn x + sum(g[0][1])",
    "g = {i: (x, []) for i in range(n)}\ng[0][1].append(x)\nreturn x + sum(g[0][1])",
    "g = [[[], []] for i in range(n)]\ng[0][1].append(x)\ng[0][0].append(x * x)\n"
    "return x + sum(g[0][1]) * sum(g[0][0])",
    "g = [Part(x) for i in range(n)]\ng[0].b.append(x)\nreturn sum(g[0].b) * 2 + x",
    "g = [Part(x) for i in range(n)]\nfor p in g:\n    p.b.append(x)\nreturn len(g[0].b) * x",
    "g = [Part(x) for i in range(n)]\ng[0].c['q'] = x\nreturn len(g[0].c) * x",
    "u = row(x)\ng = [{'a': u, 'b': []} for i in range(n)]\ng[0]['b'].append(x)\n"
    "return len(g[0]['b']) * x",
    "u = row(x)\ng = [{'a': u, 'b': [x]} for i in range(n)]\ng[0]['b'].append(x)\n"
    "return sum(g[0]['b'])",
    "u = row(x)\ng = [[u, [x]] for i in range(n)]\ng[0][1].append(x * 5)\nreturn sum(g[0][1])",
    "u = row(x)\ng = [{'a': u * i, 'b': []} for i in range(n)]\ng[1]['b'] = g[0]['b']\n"
    "g[0]['b'].append(u * 2)\nreturn np.sum(g[1]['b'][0])",
    "u = row(x)\ng = [{'a': u * i} for i in range(n)]\ng[1]['a'] = g[2]['a']\n"
    "g[2]['a'][0] = x * 5\nreturn g[1]['a'][0]",
]


@pytest.mark.parametrize("body", INSIDE)
def test_a_list_inside_what_a_list_holds(body):
    right_or_refused(body)


# --- what must work -------------------------------------------------------------------------------


def rows_in_groups(x, n):
    groups, rows = collections.defaultdict(list), np.outer(row(x), row(x))
    for i in range(n):
        groups[int(rows[i, 0] > 0.05)].append(rows[i])
    return sum(np.sum(np.mean(np.stack(g), axis=0) ** 2) for g in groups.values())


def one_array_in_several_lists(x, n):
    u, lists = row(x), [[] for i in range(n)]
    for i in range(n):
        lists[i].append(u * i)
    for i in range(n - 1):
        lists[i + 1].append(u)
    return sum(np.sum(r) for held in lists for r in held) * u[0]


def objects_step_by_step(x, n):
    parts = [Part(row(x * i)) for i in range(n)]
    for p in parts:
        p.s = x * 2
    for p in parts:
        p.a = p.a * p.s
    for p in parts:
        p.a[0] = p.s
    parts[1].a = row(x * 2)
    parts[1].a[0] = x * 7
    return sum(p.s * np.sum(p.a) for p in parts)


def dicts_step_by_step(x, n):
    layers = [{"W": np.outer(row(x), row(x * i)), "b": row(x)} for i in range(n)]
    for layer in layers:
        layer["W"] = layer["W"] - 0.1 * np.outer(layer["b"], layer["b"])
        layer["b"] = layer["b"] * 0.9
    h = row(x)
    for layer in layers:
        h = np.tanh(layer["W"] @ h + layer["b"])
    return np.sum(h)


def lists_of_rows(x, n):
    lists = [[] for i in range(n)]
    for k in range(n):
        lists[k].append([x * k, 1.0])
        lists[k].append([x, 2.0])
    lists[1][0][0] = x * 5
    return sum(a[0] * a[1] for held in lists for a in held)


@pytest.mark.parametrize("f", [
    rows_in_groups, one_array_in_several_lists, objects_step_by_step, dicts_step_by_step,
    lists_of_rows,
])  # fmt: skip
def test_lists_that_hold_lists_and_objects(f):
    assert_derivatives(f, X, N, wrt=0)
