"""Functions of functions, comprehensions, generator expressions, iterators, static dicts.

Each program is the body of a function of a vector `x` of three numbers, `a`, `b` and `c`.
"""

import textwrap

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])

FUNCTIONS_OF_FUNCTIONS = {
    "map": "y = sum(map(np.sin, [a, b * c]))",
    "map over an array": "y = sum(map(np.sin, x)) * a",
    "map of two sequences": "y = sum(map(lambda p, q: p * q, x, x * 2.0))",
    "map of a lambda that captures": "y = list(map(lambda t: t * c, (a, b)))[1]",
    "starmap": "y = sum(itertools.starmap(math.atan2, [(a, b), (b, c)]))",
    "filter on constants": "y = sum(filter(lambda k: k % 2, range(5))) * a",
    "reduce": "y = functools.reduce(lambda p, q: p * q, [a, b, c])",
    "reduce with a start": "y = functools.reduce(lambda p, q: p * q + a, (b, c), a)",
    "reduce over an array": "y = functools.reduce(lambda p, q: np.sin(p) * q, x)",
    "reduce over an array with a start": "y = functools.reduce(lambda p, q: p * q + b, x, b)",
    "reduce with an operator": "y = functools.reduce(operator.mul, x)",
    "partial": (
        "g = functools.partial(lambda p, q, r=1.0: p * q * r, a, r=c)\ny = g(b) * g(b, r=2.0)"
    ),
    "partial of a partial": "g = functools.partial(functools.partial(pow, a), 3)\ny = g()",
    "partial of NumPy": "y = functools.partial(np.sum, axis=0)(np.outer(x, x))",
    "functions in a list": "y = [g(a) for g in (np.sin, np.cos, lambda t: t * t)]\ny = y[0] * y[2]",
    "functions beside values": "y = sum(g(v) for g, v in zip([np.sin, np.cos], (a, b)))",
    "functions in a dict": "fs = {'s': np.sin, 'c': lambda t: t * b}\ny = fs['s'](a) * fs['c'](c)",
    "function as an argument": "y = (lambda g, v: g(g(v)))(lambda t: t * t + b, a)",
    "function returned": "y = (lambda k: lambda t: t ** k * b)(3)(a)",
    "a pipeline": "for g in (np.sin, np.exp, lambda t: t * x):\n    x = g(x)\ny = x",
    "itemgetter": "y = operator.itemgetter(1)(x) * a",
    "itemgetter of several": "p, q = operator.itemgetter(2, 0)(x)\ny = p * q",
}

ITERATORS = {
    "enumerate": "y = 0.0\nfor i, v in enumerate(x):\n    y += i * v * v",
    "enumerate from one": "y = sum(i * v for i, v in enumerate(x, 1)) * a",
    "enumerate of a list": "y = sum(i * v for i, v in enumerate([a, b * c], start=2))",
    "enumerate of rows": "y = 0.0\nfor i, r in enumerate(np.outer(x, x)):\n    y += r[i] * i",
    "zip": "y = 0.0\nfor v, w in zip(x, x[::-1]):\n    y = y + v * v * w",
    "zip with a tuple": "y = 0.0\nfor v, w in zip((a, b), x):\n    y += v * w * w",
    "zip of different lengths": "y = 0.0\nfor v, w in zip(x, x[1:]):\n    y += v * v * w",
    "zip with a range": "y = 0.0\nfor i, v in zip(range(1, 9), x):\n    y += i * v * v",
    "zip with a range backwards": (
        "y = 0.0\nfor i, v in zip(reversed(range(3)), x):\n    y += i * v * x[i]"
    ),
    "zip of three": "y = sum(u * v * w for u, v, w in zip(x, x[::-1], x * a))",
    "zip left early": (
        "y = 0.0\nfor i, v in zip(range(2, 7), x):\n    if v > 2.0:\n        break\n"
        "    y += i * v * v"
    ),
    "chain": "y = sum(itertools.chain([a, b], (c,)))",
    "chain of several": "y = sum(itertools.chain.from_iterable([[a], (b, c)])) * a",
    "product": "y = sum(p * q for p, q in itertools.product((a, b), (b, c)))",
    "combinations": "y = sum(p * q for p, q in itertools.combinations([a, b, c], 2))",
    "permutations": "y = sum(p - q * q for p, q in itertools.permutations([a, b]))",
    "pairwise": "y = sum(q * q - p for p, q in itertools.pairwise([a, b, c]))",
    "pairwise of an array": "y = sum(q * q - p for p, q in itertools.pairwise(x))",
    "accumulate": "y = list(itertools.accumulate([a, b, c], operator.mul))[2]",
    "accumulate with a start": "y = sum(itertools.accumulate([a, b], initial=c)) * a",
    "islice": "y = sum(itertools.islice([a, b, c], 1, None)) * a",
    "repeat": "y = sum(itertools.repeat(a * b, 3))",
    "zip_longest": "y = sum(p * q for p, q in itertools.zip_longest([a, b], [c], fillvalue=a))",
    "reversed": "y = 0.0\nfor v in reversed(x):\n    y = y * v + v",
    "an iterator handed on": "it = map(np.sin, (a, b))\ny = (lambda values: sum(values))(it)",
}

CONSUMERS = {
    "sum": "y = sum(x) * sum([a, b * c]) + sum((a, b), c)",
    "sum of arrays": "y = sum([x, x * x])",
    "max of operands": "y = max(a, b, c) * a + min(a, b)",
    "max of a list": "y = max([a, b]) * b + min((a, b, c))",
    "max with a key": "y = max(a, b, c, key=abs) + min([a, b], key=lambda t: -t)",
    "max of tuples with a key": "y = max([(a, 1.0), (b, c)], key=lambda t: t[0] * t[0])[1]",
    "max of an array with a key": "y = max(x, key=abs) * min(x, key=lambda t: t * t)",
    "max with a default": "y = max([a], default=1.0) + max([], default=b) + max(x, default=0.0)",
    "max of a generator": "y = max(v * a for v in x)",
    "max of constants in a slice": "y = a * max([b, 0.2, -0.7][1:]) + b * min((a, 2.0)[1:])",
    "sorted": "y = sorted([a, b, c])[0] * c + sorted(x)[1]",
    "sorted with a key": "y = sorted((a, b, c), key=lambda v: -v * v)[0] * a",
    "sorted backwards": "y = np.array(sorted(x, reverse=True)) * x",
    "sorted array with a key": "y = sorted(x, key=abs)[0] * a",
    "sorted tuples": "y = sorted([(a, b), (b, c)], key=lambda p: p[1], reverse=True)[0][0]",
    "any and all": "y = any(v > 0.0 for v in x) * a + all([a > 0.0, b > 0.0]) * b",
    "list of an array": "y = np.array(list(x)) * 2.0",
    "list and tuple": "y = tuple([a, b])[0] * list((a, b))[1] + tuple(v * v for v in (a, b))[1]",
    "sums of math": "y = math.fsum(v * v for v in x) + math.prod(v for v in (a, b))",
    "unpacked": "p, q = (v * v for v in (a, b))\ny = p * q",
    "starred": "y = max(*x[:0].shape, *[a, b]) + np.hypot(*map(np.sin, (a, b)))",
}

COMPREHENSIONS = {
    "over a tuple": "y = [v * v for v in (a, b)]\ny = y[0] * y[1]",
    "over a short range": "y = [x[i] * i for i in range(3)]\ny = y[1] * y[2]",
    "over an array": "y = np.array([v * v for v in x])",
    "of arrays": "y = np.stack([x * v for v in x])",
    "with a condition": "y = np.array([v * a for v in x if v > 0.0])",
    "with two conditions": "y = sum(v for v in x if v > 0.0 if v < 2.0) / a",
    "with constant conditions": "y = sum([x[i] for i in range(6) if i % 2 if i < 3])",
    "over a range known at run time": "y = sum(x[i] * x[i + 1] for i in range(len(x) - 1))",
    "two loops": "y = sum(v * w * w for v in x for w in (a, v))",
    "two loops at run time": "y = sum([x[i] * x[j] for i in range(len(x)) for j in range(i)])",
    "nested": "y = np.array([[v * w for v in x] for w in x]) * a",
    "nested lists": "r = [[v * w for w in x] for v in x]\ny = r[1][2] * a",
    "of tuples": "y = [(v, v * v) for v in x]\ny = y[1][1] * y[0][0]",
    "iterated over": "y = 0.0\nfor v in [u * u for u in x]:\n    y += v * a",
    "used twice": "v = [u * a for u in x]\ny = sum(v) * len(v) + v[-1]",
    "that shadows a name": "y = x * x\ny = sum([y * y for y in y]) * y[0]",
    "in a loop": "y = 0.0\nfor i in range(3):\n    y += sum([v * y + i for v in x])",
    "in a branch": (
        "if a > 0.0:\n    v = [u * u for u in x]\nelse:\n    v = [u for u in x]\ny = np.array(v)"
    ),
    "mean": "y = np.mean([v ** 2 for v in x]) + np.linalg.norm([v for v in x])",
    "with a walrus around": "y = sum(v * k for v in x) if (k := a * b) < 3.0 else k",
    "ragged": "y = sum([np.sum(x[i:] * x[: 3 - i]) for i in range(len(x))])",
    "generator kept": "g = (v * v for v in x)\ny = sum(g)",
    "generator of a generator": "y = sum(v * a for v in (u * u for u in x))",
    "of an empty range": "y = sum([v for v in x[:0]], a)",
}

DICTS = {
    "display": "d = {'u': a, 'v': b * c}\ny = d['u'] * d['v'] + len(d) + d.get('w', 2.0)",
    "values": "y = sum({'u': a, 'v': b}.values()) * c",
    "items": (
        "y = 0.0\nfor k, v in {'p': a, 'q': b}.items():\n"
        "    y += v * v * (2.0 if k == 'q' else 1.0)"
    ),
    "keys": "d = {1: a, 2: b}\ny = sum(k * d[k] for k in d)",
    "call": "d = dict(p=a, q=b)\ny = d['p'] * d['q']",
    "call with pairs": "d = dict([('p', a)], q=b)\ny = d['p'] * d['q']",
    "merged": "d = {'p': a, 'q': a}\ny = {**d, 'q': b}\ny = y['p'] * y['q'] + d['q']",
    "membership": "d = {'p': a}\ny = d['p'] if 'p' in d and 'q' not in d else b",
    "comprehension": "d = {k: v * v for k, v in zip('pq', (a, b))}\ny = d['p'] * d['q']",
    "nested": "d = {'w': {'v': a}, 'l': [b, c]}\ny = d['w']['v'] * d['l'][1]",
    "keyword arguments": "d = {'p': a, 'q': b}\ny = (lambda p, q, r=1.0: p * q * r)(r=c, **d)",
}

QUESTIONS = {
    "isinstance of an array": "y = x * x if isinstance(x, np.ndarray) else 'never'",
    "isinstance of a number": (
        "y = a if isinstance(a, (int, float)) and not isinstance(a, str) else x"
    ),
    "isinstance of a tuple": "y = a if isinstance((a, b), tuple) else None",
    "isinstance of None": "k = None\ny = a if not isinstance(k, float) else b",
    "callable": "y = np.sin(a) if callable(np.sin) and not callable(a) else b",
    "abs, pow, round, divmod": "y = abs(a) * pow(b, 2) * round(c) * divmod(c, 2.0)[1]",
    "float, int, bool": "y = float(a) * int(c) * bool(b)",
}

ALL = {
    **FUNCTIONS_OF_FUNCTIONS, **ITERATORS, **CONSUMERS,
    **{f"comprehension {k}": v for k, v in COMPREHENSIONS.items()},
    **{f"dict {k}": v for k, v in DICTS.items()}, **QUESTIONS,
}  # fmt: skip


def function(body, result="np.sum(y)"):
    head = "import functools, itertools, math, operator\n"
    head += "def f(x):\n    a, b, c = x[0], x[1], x[2]\n"
    return define(head + textwrap.indent(body, "    ") + f"\n    return {result}\n", "f")


@pytest.mark.parametrize("name", ALL)
def test_derivatives(name):
    assert_derivatives(function(ALL[name]), VECTOR)


REFUSED = {
    "an iterator used twice": "g = map(np.sin, x)\ny = sum(g) + sum(g)",
    "an iterator used in a loop": (
        "g = (v for v in x)\ny = a\nfor _ in range(2):\n    y = y + sum(g)"
    ),
    "an iterator over what its loop changes": (
        "y = a\nfor v in (u * y for u in (a, b)):\n    y = y + v"
    ),
    "an iterator where an array is meant": "y = np.sum(map(np.sin, x))",
    "a dict with keys of run time": "y = {v: v for v in x}[a]",
    "a key of run time": "d = {0: a, 1: 'text'}\ny = d[int(c) % 2]",
    "a missing key": "d = {'p': a}\ny = d['q']",
    "a starred array": "y = max(*x)",
    "a list of methods of run-time length": "y = [x.sum for v in x][0]()",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    f = function(REFUSED[name])
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(VECTOR)
    assert caught.value.place.line >= 4
    assert caught.value.hint


@pytest.mark.parametrize("result", ["map(np.sin, x)", "(y, map(np.sin, x))"])
def test_iterators_are_no_results(result):
    with pytest.raises(TangentLikeError, match="returning"):
        tl.jvp(function("y = a", result), (VECTOR,), (VECTOR,))


def test_a_list_of_run_time_length_as_the_result():
    f = function("y = [v * v for v in x]", "y")
    value, pullback = tl.vjp(f, VECTOR)
    np.testing.assert_array_equal(value, VECTOR**2)
    (cotangent,) = pullback([1.0, 2.0, 3.0])
    np.testing.assert_allclose(cotangent, 2.0 * VECTOR * [1.0, 2.0, 3.0])
    tangent = tl.jvp(f, (VECTOR,), (np.ones(3),))[1]
    np.testing.assert_allclose(tangent, 2.0 * VECTOR)


def test_how_a_comprehension_is_written():
    f = function("squares = [v * v for v in x]", "np.sum(np.array(squares) ** 2)")
    source = tl.source(f, types={"x": VECTOR})
    assert "squares.append(v * v)" in source


def effects_of_the_items(x):
    values = map(lambda v: (print(v), v * v)[1], (x, 2.0 * x))  # noqa: C417
    print("made")
    return sum(values)


def test_items_are_made_when_they_are_used(capsys):
    effects_of_the_items(0.5)
    expected = capsys.readouterr().out
    assert tl.grad(effects_of_the_items)(0.5) == 5.0
    assert capsys.readouterr().out == expected
