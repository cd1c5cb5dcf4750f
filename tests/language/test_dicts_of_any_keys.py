"""Dicts whose keys are known only at run time: made, copied, merged, grown, made smaller."""

import collections
import copy
import math

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives

X = 0.7
NAMES = ["a", "bb", "ccc"]


def of_pairs(x, names):
    d = dict(zip(names, [x, 2.0 * x, x * x]))
    return d[names[0]] * x + sum(d.values())


def of_pairs_and_keywords(x, names):
    d = dict([(n, x * len(n)) for n in names], z=x * x)
    return sum(v * v for v in d.values())


def ordered_of_a_generator(x, names):
    d = collections.OrderedDict((k, x * i) for i, k in enumerate(names))
    counts = collections.Counter(names)
    return sum(d[k] * counts[k] for k in d)


def display(x, names):
    d = {names[0]: x, "z": x * x}
    d = {"z": 2.0, **d, names[1]: math.sin(x)}
    return sum(v * (k + 1) for k, v in enumerate(d.values()))


def of_the_same_item(x, names):
    d = dict.fromkeys(names, 0.0)
    for n in names:
        d[n] += x
    return sum(v * v for v in d.values())


def copied(x, names):
    d = {}
    for k in names:
        d[k] = x * len(k)
    e, f, g, h = d.copy(), dict(d), copy.copy(d), copy.deepcopy(d)
    d[names[0]] = e[names[1]] = f[names[2]] = g["q"] = h["r"] = x * x
    return sum(sum(v) * i for i, v in enumerate([t.values() for t in (d, e, f, g, h)]))


def copy_of_a_defaultdict(x, names):
    d = collections.defaultdict(float)
    for k in names:
        d[k] += x
    e = d.copy()
    e["new"] += x * x
    return sum(e.values()) * sum(d.values())


def merged(x, names):
    d = {n: x * len(n) for n in names}
    e = {k + "b": v * v for k, v in d.items()}
    d |= {names[1]: x * x}
    return sum((d | e).values()) * sum((e | {"z": x}).values())


def updated(x, names):
    d, e = {"z": x}, {n: x * len(n) for n in names}
    d.update(e)
    d.update(zip(names, [x, 3.0]))
    d.update((n, v * 2.0) for n, v in e.items() if len(n) > 2)
    return sum(v * (k + 1) for k, v in enumerate(d.values()))


def removed(x, names):
    d = {"a": x, "bb": x * x, "ccc": math.sin(x)}
    del d[names[1]]
    d.pop(names[0])
    d.pop(names[0], None)
    return sum(d.values()) + d.pop("zz", x) + d.pop(names[2], 1.0)


def made_anew_without(x, names):
    d = {n: np.array([x, 1.0]) for n in names}
    d = {k: v * x for k, v in d.items() if k != names[0]}
    return sum(v.sum() for v in d.values())


@pytest.mark.parametrize("f", [
    of_pairs, of_pairs_and_keywords, ordered_of_a_generator, display, of_the_same_item, copied,
    copy_of_a_defaultdict, merged, updated, removed, made_anew_without,
])  # fmt: skip
def test_dicts_of_any_keys(f):
    assert_derivatives(f, X, NAMES, wrt=(0,))


# --- dicts that get keys in loops -----------------------------------------------------------------


def with_one_key(x, n):
    d = {}
    for _ in range(n):
        d["k"] = x * x
    return x * d["k"]


def with_the_item_of_before(x, n):
    d = {}
    for i in range(n):
        if i > 0:
            x = x + d["k"] * 0.5 + d["m"]
        d["k"] = x * x
        d["m"] = x
    return x


def with_get(x, n):
    d = {}
    for _ in range(n):
        x = x + d.get("k", 1.0)
        d["k"] = x * x
    return x


def with_a_test(x, n):
    d = {}
    for _ in range(n):
        if "k" in d:
            x = x + d["k"]
        d["k"] = x * x
    return x


def in_one_of_two_branches(x, n):
    d = {"a": x}
    for i in range(n):
        if i > 1:
            x = x + d["b"] * 0.5
        else:
            d["b"] = x
    return x * d["a"]


def of_items_of_two_kinds(x, n):
    d = {}
    for i in range(n):
        if i > 0:
            x = x + d["k"][0] * 0.5 + d["m"]
        d["k"] = [x * x]
        d["m"] = x
    return x


@pytest.mark.parametrize("f", [
    with_one_key, with_the_item_of_before, with_get, with_a_test, in_one_of_two_branches,
    of_items_of_two_kinds,
])  # fmt: skip
@pytest.mark.parametrize("n", [1, 4])
def test_keys_that_come_in_loops(f, n):
    assert_derivatives(f, X, n, wrt=(0,))


class Momentum:
    def __init__(self):
        self.state = {}

    def step(self, name, g):
        if name not in self.state:
            self.state[name] = {"m": 0.0 * g, "t": 0}
        own = self.state[name]
        own["m"] = 0.9 * own["m"] + g
        own["t"] += 1
        return own["m"] / own["t"]


def trained(p, n):
    rule = Momentum()
    p = dict(p)
    for _ in range(n):
        for name in p:
            p[name] = p[name] - 0.1 * rule.step(name, p[name] ** 2)
    return sum(np.sum(v) for v in p.values())


def test_an_optimiser_with_a_state_for_each_parameter():
    assert_derivatives(trained, {"w": 0.7, "b": 0.2}, 3, wrt=(0,))


# --- what only raises, where it may not be reached ------------------------------------------------


def of_the_first(x, n):
    found = []
    if n > 5:
        return found[0]
    return x * x


def of_a_place_beyond(x, n):
    pair = (x, x * x)
    return pair[5] if n > 5 else pair[1]


def of_a_missing_key(x, n):
    d = {"a": x}
    for i in range(n):
        x = x * (d["b"] if i > 5 else d["a"])
    return x


@pytest.mark.parametrize(("f", "error"), [
    (of_the_first, IndexError), (of_a_place_beyond, IndexError), (of_a_missing_key, KeyError),
])  # fmt: skip
def test_what_only_raises_does_so_when_it_is_reached(f, error):
    assert_derivatives(f, X, 2, wrt=(0,))
    for derive in (tl.grad(f), lambda x, n: tl.jvp(f, (x, n), (1.0, None))):
        with pytest.raises(error):
            derive(X, 7)
