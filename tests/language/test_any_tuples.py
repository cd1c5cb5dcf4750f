"""Tuples whose length is known only at run time: how one is made, and what is done with it.

Each program is the body of a function of a list `xs` of three numbers and a number `y`.
"""

import copy
import dataclasses
import functools
import math
import textwrap

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, check_second_slopes, check_slopes, define

ARGUMENTS = ([0.5, 1.25, -0.75], 0.8)


@dataclasses.dataclass
class Box:
    v: tuple


def part(t, y):
    if y > 0:
        return sum(t) * y
    return t[0]


def deep_sum(t):
    if len(t) == 0:
        return 0.0
    return t[0] + deep_sum(t[1:])


MADE = [
    "t = tuple(xs)",
    "t = tuple(x * y for x in xs)",
    "o = []\nfor x in xs:\n    o.append(math.sin(x) * y)\nt = tuple(o)",
    "t = tuple(sorted(xs))",
    "t = tuple(map(lambda u: u * u, xs))",
    "t = tuple(np.array(xs) * y)",
    "t = (*xs, y)",
    "t = (y, *xs, *xs)",
    "t = tuple(xs) + (y,)",
    "t = (y, y * y) + tuple(xs)",
    "t = tuple(xs) * 2",
    "t = tuple(xs)\nt += (y,)",
    "t = tuple(xs) if y > 0 else (y, y * y)",
    "t = tuple(x for x in xs if x > 0.0)",
    "a0, *r0 = tuple(xs)\nt = (a0, *r0)",
    "t = tuple(xs)\nfor k in range(2):\n    t = t + (t[0] * y,)",
    "t = tuple(xs)\nfor k in range(2):\n    t = tuple(u * y for u in t)",
    "t = tuple(xs)\nwhile len(t) < 6:\n    t = (*t, t[-1] * y)",
    "t = {'a': tuple(xs)}['a']",
    "t = Box(tuple(xs)).v",
    "t = tuple(p[0] * p[1] for p in tuple((x, y) for x in xs))",
    "t = copy.copy(tuple(xs))",
    "t = tuple(x * k for k, x in enumerate(xs))",
]
USED = [
    "return t",
    "return t, y",
    "return [t, t]",
    "return {'a': t}",
    "return t[0] * t[-1]",
    "k = len(t) - 1\nreturn t[k] * y",
    "s = 0.0\nfor u in t:\n    s += u * u\nreturn s",
    "return sum(u * v for u, v in zip(t, xs))",
    "return np.array(t) * y",
    "return np.stack(t)",
    "return max(t) * y",
    "a, *b = t\nreturn a * sum(b)",
    "q = list(t)\nq.append(y)\nreturn sum(u * u for u in q)",
    "return t[::-1]",
    "return y if isinstance(t, tuple) and type(t) is tuple else y * y",
    "return y if t == list(t) else y * y",
    "u = t\nu += (y,)\nreturn sum(t) * u[-1]",
    "return math.prod(t)",
    "s = f'{t}'\nreturn y * len(s[:1])",
    "return tuple((u, y) for u in t)",
    "return tuple(tuple(v * u for v in t) for u in t)",
    "return part(t, y)",
    "s = y\nfor k in range(2):\n    for u in t:\n        s = math.sin(s * u)\nreturn s",
    "if y > 5:\n    return t\nreturn t + (y,)",
    "return min(t, key=lambda u: -u) * y",
    "return deep_sum(t) * y",
]


def function(body):
    names = {"np": np, "math": math, "copy": copy, "functools": functools, "Box": Box}
    source = f"def f(xs, y):\n{textwrap.indent(body, '    ')}\n"
    return define(source, "f", part=part, deep_sum=deep_sum, **names)


@pytest.mark.parametrize("turn", range(len(MADE) + len(USED)))
def test_derivatives(turn):
    f = function(f"{MADE[turn % len(MADE)]}\n{USED[turn % len(USED)]}")
    check_slopes(f, *ARGUMENTS, wrt=(0, 1), turn=turn)
    if turn % 4 == 0:
        check_second_slopes(f, ARGUMENTS, (0, 1), turn)


@pytest.mark.parametrize("used", [0, 1, 2, 3, 19, 20, 23])
def test_results_have_the_types_of_the_function(used):
    f = function(f"{MADE[0]}\n{USED[used]}")
    value = f(*copy.deepcopy(ARGUMENTS))
    assert repr(tl.vjp(f, *ARGUMENTS)[0]) == repr(value)
    primal, tangent = tl.jvp(f, ARGUMENTS, ([1.0, 0.0, 0.0], 0.0))
    assert repr(primal) == repr(value)
    assert type(tangent) is type(value)


def test_other_names_keep_the_tuple():
    f = function("t = tuple(xs)\nu = t\nu += (y,)\nxs[0] = y\nreturn sum(t) * len(u)")
    assert tl.grad(f, wrt=(0, 1))([1.0, 2.0], 3.0) == ([3.0, 3.0], 0.0)


@pytest.mark.parametrize(
    "body",
    [
        "t = tuple(range(len(xs) - 2))\nreturn np.ones(3)[t] * y",
        "t = tuple(xs)\nt[0] = y\nreturn t[0]",
        "t = tuple(xs)\ndel t[0]\nreturn t[0]",
        "return (tuple(xs) + [y])[0]",
        "rows = [np.ones(2) * x for x in xs]\nt = tuple(rows)\nrows[0][0] = y\nreturn t[0][0]",
    ],
)
def test_refused(body):
    with pytest.raises(NotYetSupported) as caught:
        tl.grad(function(body), wrt=1)(*ARGUMENTS)
    assert caught.value.place.line >= 2
    assert caught.value.hint


def test_how_a_tuple_is_written():
    source = tl.source(
        function("o = []\nfor x in xs:\n    o.append(x * y)\nreturn tuple(o)"),
        types={"xs": [0.5, 1.5], "y": 0.8},
    )
    assert "bo = list(by)" in source


def test_a_tuple_whose_items_a_loop_carries_on():
    def f(x, n):
        items = [x, 2.0]
        items.insert(n, 0.5)
        for item in tuple(items):
            items = [v for v in items if v] + [item, item]
        return 0.5 + 0.0 * items[0]

    assert_derivatives(f, 0.7, 1, wrt=0)
