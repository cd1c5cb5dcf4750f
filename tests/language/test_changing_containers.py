"""Loops and functions that go through a list or dict which changes meanwhile: Python reads each
item when its turn comes. Each program is right in both modes, or refused; those of `PLAIN` are
right."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from textwrap import indent

import numpy as np
import pytest

from tangent_like.errors import InternalError, TangentLikeError
from tests.derivatives import assert_derivatives, check_slopes, define

X = np.array([0.5, 0.7, 0.9, -0.4])

MADE = {
    "known": "a = [x[0], x[1], x[2]]",
    "run": "a = [x[i] * 1.0 for i in range(n)]",
    "dict": "a = {0: x[0], 1: x[1], 2: x[2]}",
    "run dict": "a = {i: x[i] * 1.0 for i in range(n)}",
}
LOOPS = {
    "for r in a:": "r",
    "for i, r in enumerate(a):": "r * (i + 1)",
    "for r, q in zip(a, a):": "r * q",
    "for r, q in zip(a, range(9)):": "r * (q + 1)",
    "for r, q in zip(a, a[1:]):": "r * q",
    "for r in reversed(a):": "r",
    "for i, (r, q) in enumerate(zip(a, a)):": "r * q * (i + 1)",
    "for r, q in zip(reversed(a), a):": "r * q",
    "for r in iter(a):": "r",
    "for r in map(twice, a):": "r",
    "for r in (w * 2.0 for w in a):": "r",
    "for r in items_of(a):": "r",
    "for r in itertools.chain(a, a):": "r",
    "for r in itertools.islice(a, 3):": "r",
    "for r, q in itertools.pairwise(a):": "r * q",
    "for r, q in itertools.product(a, a):": "r * q",
    "for r, q in itertools.combinations(a, 2):": "r * q",
    "for r in filter(positive, a):": "r",
    "for r in itertools.accumulate(a):": "r",
    "for r, q in itertools.zip_longest(a, a[1:], fillvalue=1.0):": "r * q",
    "for r in tuple(a):": "r",
    "for r in a.copy():": "r",
    "for r in (*a, 1.0):": "r",
}
LOOPS_OF_DICTS = {
    "for k in a:": "a[k]",
    "for k in a.keys():": "a[k]",
    "for r in a.values():": "r",
    "for k, r in a.items():": "r",
    "for i, (k, r) in enumerate(a.items()):": "r * (i + 1)",
    "for r, q in zip(a.values(), a.values()):": "r * q",
    "for r in map(twice, a.values()):": "r",
    "for k, r in list(a.items()):": "r",
    "for r in reversed(a.values()):": "r",
}
CHANGES = [
    "a[2] = v * 3.0", "if len(a) < 5: a.append(v * 2.0)", "if len(a) > 1: a.pop(0)", "a.reverse()",
    "if len(a) < 5: a.insert(2, v * 2.0)", "if v > 0.6: a[2] = v * 3.0", "change(a, v)",
    "write(v)", "b[2] = v * 3.0", "a[2] = v * 3.0; a = [v, v, v]", "a[-1] += v", "a[0] = v * 3.0",
    "if len(a) > 1: a.pop()", "a.clear()", "a[1:] = [v, v * 2.0]", "a[0], a[2] = a[2], a[0] * 2.0",
    "if v > 0.6 and len(a) < 6: a.append(v)", "if len(a) < 5: a += [v]", "del a[-1]",
    "if len(a) < 5: a.insert(0, v)",
]  # fmt: skip
CHANGES_OF_DICTS = [
    "a[2] = v * 3.0", "b[2] += v", "change(a, v)", "write(v)", "a.update({2: v * 2.0})",
    "if v > 0.6: a[2] = v * 3.0", "a[2] = v * 3.0; a = {0: v}", "a[7] = v", "a.pop(2)",
]  # fmt: skip
FUNCTIONS = [
    "sum([g(r) * x[3] for r in a])",
    "sum(g(r) * x[3] for r in a)",
    "sum(map(g, a))",
    "sum({i: g(r) for i, r in enumerate(a)}.values())",
    "sum(filter(lambda r: g(r) > -9.0, a))",
    "functools.reduce(lambda t, r: t + g(r), a, 0.0)",
    "functools.reduce(lambda t, r: t + g(r) * r, a)",
    "sum(itertools.accumulate(a, lambda t, r: t + g(r)))",
    "max(a, key=lambda r: -g(r))",
    "sum([g(r) * q for q in (1.0, 2.0) for r in a])",
    "sum([g(r) * q for r, q in zip(a, a)])",
    "sum([g(r) * 2.0 for r in reversed(a)])",
    "sum([*map(g, a)])",
    "sum(itertools.starmap(lambda r, q: g(r) * q, zip(a, a)))",
    "sum(map(g, map(twice, a)))",
    "sum(map(g, filter(positive, a)))",
    "sum([r * x[3] for r in a if g(r) > -9.0])",
    "sorted(g(r) for r in a)[0]",
]
PLAIN = {
    "known": ["for r in a:", "for i, r in enumerate(a):", "for r, q in zip(a, a):"],
    "run": ["for r in a:"],
    "dict": ["for k in a:", "for r in a.values():", "for k, r in a.items():"],
}
FIRST = """
import functools, itertools

def twice(w):
    return w * 2.0

def positive(w):
    return w > -9.0

def change(a, v):
    a[2] = v * 3.0

def items_of(a):
    for w in a:
        yield w

"""


def loop(made: str, head: str, change: str, leaves: bool = False) -> str:
    """A function that goes through a container as `head` says and makes a change at each item;
    one with `leaves` may leave the loop."""
    value = {**LOOPS, **LOOPS_OF_DICTS}[head]
    of_dict = "dict" in made
    body = [f"v = {value}", change, "s += v * x[3]", *["if s > 100.0: break"] * leaves]
    lines = [
        MADE[made], "b = a", "def write(v): b[2] = v * 3.0", "s = 0.0", head,
        *(f"    {line}" for line in body),
        f"return s + sum(a{'.values()' * of_dict}) * x[3]",
    ]  # fmt: skip
    return FIRST + "def f(x, n):\n" + indent("\n".join(lines), "    ")


def calls(made: str, expression: str, change: str) -> str:
    """A function whose `g` makes a change each time that it is called."""
    lines = [
        MADE[made], "def g(v):", f"    {change}", "    return v",
        f"s = {expression}", "return s + sum(a) * x[3]",
    ]  # fmt: skip
    return FIRST + "def f(x, n):\n" + indent("\n".join(lines), "    ")


def programs(few: bool) -> Iterator[str]:
    for made, number in itertools.product(("known", "run"), range(len(LOOPS))):
        head = list(LOOPS)[number]
        for k, change in enumerate(CHANGES):
            if not few or (k + number) % 7 == 0:
                yield loop(made, head, change, leaves=(k + number) % 2 == 0)
    for made, head in itertools.product(("dict", "run dict"), LOOPS_OF_DICTS):
        changes = CHANGES_OF_DICTS[: 2 if few else None]
        yield from (loop(made, head, change) for change in changes)
    for made, number in itertools.product(("known", "run"), range(len(FUNCTIONS))):
        for k, change in enumerate(CHANGES[:6]):
            if not few or (k + number) % 4 == 0:
                yield calls(made, FUNCTIONS[number], change)


def check(source: str) -> None:
    f = define(source, "f")
    try:
        f(X.copy(), 3)
    except Exception:  # Python refuses it, or the list has become too short for its statements
        return
    try:
        check_slopes(f, X, 3, wrt=(0,))
    except TangentLikeError as error:
        assert error.place.line > len(FIRST.splitlines()) and not isinstance(error, InternalError)


@pytest.mark.parametrize("part", range(8))
def test_right_or_refused(part: int) -> None:
    for source in list(programs(few=True))[part::8]:
        check(source)


@pytest.mark.matrix
@pytest.mark.parametrize("part", range(8))
def test_all_right_or_refused(part: int) -> None:
    for source in list(programs(few=False))[part::8]:
        check(source)


@pytest.mark.parametrize("change", CHANGES[:6])
@pytest.mark.parametrize(("made", "head"), [(m, h) for m, hs in PLAIN.items() for h in hs])
def test_right(made: str, head: str, change: str) -> None:
    if "dict" in made:
        change = CHANGES_OF_DICTS[CHANGES.index(change)]
    source = loop(made, head, change)
    assert_derivatives(define(source, "f"), X, 3, wrt=(0,))


VIEWS = {
    "values of nothing yet": "d = {}; v = d.values(); d[0] = x[0] * x[1]; return sum(v)",
    "items of nothing yet": "d = {}; v = d.items(); d[0] = x[0]; return sum(k + r for k, r in v)",
    "keys of nothing yet": "d = {}; v = d.keys(); d[0] = x[0]; return sum(d[k] * x[1] for k in v)",
    "how many": "d = {0: x[0]}; v = d.keys(); d[1] = x[1]\n"
    "    return x[2] * len(v) + x[0] * (1 in v)",
    "in a tuple": "d = {0: x[0]}; t = (d.values(), 1); d[0] = x[1] * x[2]; return sum(t[0])",
    "returned": "d = {0: x[0]}; v = (lambda: d.values())(); d[0] = x[1] * x[2]; return sum(v)",
    "chosen": "d = {0: x[0]}; e = {0: x[1]}; v = d.values() if x[2] > 0 else e.values()\n"
    "    d[0] = x[2] * 5.0; return sum(v)",
    "bound in a branch": "d = {0: x[0]}; e = {0: x[1]}; v = e.values()\n"
    "    if x[2] > 0: v = d.values()\n    d[0] = x[2] * 5.0; return sum(v)",
    "bound in a loop": "d = {0: x[0]}; v = (); s = 0.0\n    for k in range(n):\n"
    "        s += sum(v); v = d.values(); d[0] = d[0] * x[1]\n    return s",
    "run, values": "d = {i: x[i] for i in range(n)}; v = d.values(); d[7] = x[0]\n"
    "    return sum(v) * len(v)",
    "run, items": "d = {i: x[i] for i in range(n)}; v = d.items(); d[7] = x[0] * x[1]\n"
    "    return sum(k * r for k, r in v)",
    "run, keys": "d = {i: x[i] for i in range(n)}; v = d.keys(); d[7] = x[0]\n"
    "    return sum(d[k] for k in v)",
    "cycle": "a = [x[0], x[1]]; s = 0.0\n    for k, r in zip(range(5), itertools.cycle(a)):\n"
    "        s += r * x[2]; a[1] = s\n    return s",
}  # fmt: skip


@pytest.mark.parametrize("body", VIEWS.values(), ids=VIEWS.keys())
def test_views_that_have_names(body: str) -> None:
    check(FIRST + f"def f(x, n):\n    {body}\n")
