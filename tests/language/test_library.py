"""Python's own containers and tools: sets, counters, queues, `itertools`, attributes by name.

Each program is the body of a function of a vector `x` of four numbers, `a` and `b`, and `n` = 3.
"""

import collections
import dataclasses
import enum
import functools
import itertools
import math
import operator
import textwrap
import types

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives, check_second_slopes, check_slopes, define

VECTOR = np.array([0.4, 1.2, -0.7, 2.1])


class Kind(enum.Enum):
    RELU = "relu"
    TANH = "tanh"


@dataclasses.dataclass
class Box:
    w: float
    h: float = 2.0

    @functools.cached_property
    def area(self):
        return self.w * self.h

    @property
    def double(self):
        return 2.0 * self.w

    @double.setter
    def double(self, value):
        self.w = value / 2.0


@functools.singledispatch
def size_of(thing):
    raise TypeError("neither")


@size_of.register
def _(thing: Box):
    return thing.w * thing.h


@size_of.register(list)
def _(thing):
    return sum(v * v for v in thing)


Pair = collections.namedtuple("Pair", "left right")
FROZEN = {"bias", "scale"}
PLACES = frozenset({1, 3})

SETS = {
    "a display": "y = sum(v for k, v in enumerate([a, b, a * b]) if k in {0, 2})",
    "sorted": "y = sum(a ** k for k in sorted({3, 1, 2}))",
    "of visited places": (
        "seen, y = set(), 0.0\nfor i in [0, 1, 1, 2, 0]:\n    if i in seen:\n        continue\n"
        "    seen.add(i)\n    y += x[i] ** 2"
    ),
    "of places known at run time": (
        "seen, y, i = set(), 0.0, 0\nwhile i not in seen:\n    seen.add(i)\n    y += x[i] ** 2\n"
        "    i = (i * 3 + 1) % n"
    ),
    "added to a display": (
        "seen, y = {0}, 0.0\nfor i in range(n):\n    if i not in seen:\n        y += x[i] ** 2\n"
        "    seen.add(i % 2)"
    ),
    "operators": "y = a * len({1, 2} | {2, 3}) + b * len({1, 2} & {2}) * len({1, 2} - {1})",
    "comparisons": "y = a if {1} <= {1, 2} and {1, 2} == {2, 1} and {1} != {2} else b * b",
    "methods": (
        "s = {1, 2}\ns.discard(5)\ns.remove(1)\ns.update([7, 8])\ny = a * len(s) + b * max(s)"
    ),
    "comprehension": "y = sum(a ** k for k in sorted({i % 3 for i in range(7)}))",
    "frozen": (
        "keep = frozenset(('w', 'b'))\n"
        "y = sum(v for k, v in {'w': a, 'c': b}.items() if k in keep)"
    ),
    "outside": "y = sum(v * v for k, v in {'w': a, 'bias': b}.items() if k not in FROZEN)",
    "outside, at run time": "y = sum(x[i] ** 2 for i in range(n + 1) if i in PLACES)",
    "is one": "y = a * a if isinstance({1}, set) else b",
}

DICTS = {
    "pop with a default": "d = {'p': a, 'q': b}\ny = d.pop('p', 1.0) * d.pop('r', 2.0) * d['q']",
    "pop at run time": (
        "d = {}\nfor i in range(n):\n    d[i] = x[i] ** 2\ny = d.pop(1, 0.0) * a + d.pop(77, b)\n"
        "y = y * sum(d.values())"
    ),
    "clear": "d = {'p': a}\ny = d['p'] * b\nd.clear()\nd['q'] = y\ny = d['q'] * len(d)",
    "clear at run time": (
        "d, y = {}, 0.0\nfor i in range(n):\n    d[i] = x[i]\n    if i == 1:\n"
        "        y += d[0] * d[1]\n        d.clear()\ny = y + d[2] ** 2"
    ),
    "popitem": "d = {'p': a, 'q': b}\nk, v = d.popitem()\ny = v * v * d['p'] * len(k)",
    "popitem at run time": (
        "d = {i: x[i] ** 2 for i in range(n)}\nk, v = d.popitem()\ny = v * (k + 1)"
    ),
    "update": (
        "d = {'p': a}\nd.update(q=b, p=a * b)\nd.update([('r', a)])\ny = d['p'] * d['q'] + d['r']"
    ),
    "setdefault": (
        "d = {}\nd.setdefault('p', []).append(a)\nd.setdefault('p', []).append(b)\n"
        "y = d['p'][0] * d['p'][1]"
    ),
    "fromkeys": "d = dict.fromkeys(('p', 'q'), a * b)\ny = d['p'] * d['q']",
    "in order": (
        "d = collections.OrderedDict(p=a, q=b)\nd.move_to_end('p')\n"
        "y = sum((i + 1) * v * v for i, v in enumerate(d.values()))\n"
        "k, v = d.popitem(last=False)\ny = y * v"
    ),
    "the key of the largest": "d = {'p': a, 'q': b}\ny = d[max(d, key=d.get)] ** 2",
    "a method kept": "parts = []\nadd = parts.append\nadd(a)\nadd(b)\ny = parts[0] * parts[1]",
    "with types as keys": "y = {float: math.sin, list: sum}[type([a])]([a, b]) * a",
    "names put together": (
        "d = {}\nfor i, v in enumerate([a, b]):\n    d[f'w{i}'] = v\n"
        "y = d['w{}'.format(0)] * d['_'.join(['w1'])] * d[' W1 '.strip().lower()]"
    ),
    "names taken apart": (
        "y = sum({'p': a, 'q': b}[k] ** int(e) for k, e in [t.split(':') for t in "
        "'p:2,q:3'.split(',')])"
    ),
}

QUEUES = {
    "of bounded length": (
        "w, y = collections.deque(maxlen=2), 0.0\nfor v in x:\n    w.append(v)\n"
        "    y += w[0] * w[-1]"
    ),
    "with items": (
        "w, y = collections.deque([0.0, 1.0], maxlen=2), 0.0\nfor v in x:\n    w.append(v * v)\n"
        "    y += sum(w) * w[0] / len(w)"
    ),
    "from the left": (
        "w = collections.deque([a, b, a * b], maxlen=2)\nw.appendleft(a * a)\n"
        "y = w[0] * w[1] * len(w)"
    ),
    "counter": (
        "c = collections.Counter('hello')\ny = a * c['l'] + b ** c['h'] + c['z'] + len(c) * a"
    ),
    "counter in a loop": (
        "c = collections.Counter()\nfor k in [1, 1, 2]:\n    c[k] += 1\n"
        "y = sum(a ** k * m for k, m in c.items())"
    ),
    "most common": "y = sum(a ** k * m for k, m in collections.Counter([2, 1, 2]).most_common(1))",
    "defaultdict": (
        "d = collections.defaultdict(float)\nd['p'] += a\nd['p'] += b\ny = d['p'] ** 2 + d['q']"
    ),
}

ITERATORS = {
    "chain of rows": (
        "rows = [[u * i, a] for i, u in enumerate(x)]\ny = sum(itertools.chain(*rows)) * b\n"
        "for u in itertools.chain(*rows):\n    y = y * 0.5 + u * a\n"
        "y += math.prod(itertools.chain(*[[a, 2.0], (b, n)]))"
    ),
    "chain": "y = sum(v * v for v in itertools.chain(x, x[1:], [a]))",
    "chain of a list of arrays": (
        "y = sum(v * v for v in itertools.chain.from_iterable([x, x[1:]]))"
    ),
    "accumulate": "y = sum(v * v for v in itertools.accumulate(x))",
    "accumulate with a function": "y = sum(itertools.accumulate(x, lambda p, q: p * q, initial=b))",
    "product": "y = sum(p * q * q for p, q in itertools.product(x, x[1:]))",
    "product of ranges": (
        "y = 0.0\nfor i, j in itertools.product(range(len(x)), repeat=2):\n"
        "    y += x[i] * x[j] ** 2"
    ),
    "product of three": (
        "y = sum(p * q * q * r for p, q, r in itertools.product(x[:2], x[1:], (a, b)))"
    ),
    "combinations": "y = sum(x[i] * x[j] ** 2 for i, j in itertools.combinations(range(n), 2))",
    "combinations of three": "y = sum(p * q * r for p, q, r in itertools.combinations(x, 3))",
    "with replacement": (
        "y = sum(p * q * q for p, q in itertools.combinations_with_replacement(x, 2))"
    ),
    "permutations": "y = sum(p * q * q for p, q in itertools.permutations(x, 2))",
    "zip_longest": "y = sum(p * q for p, q in itertools.zip_longest(x, x[1:], fillvalue=b))",
    "takewhile": "y = sum(v * v for v in itertools.takewhile(lambda v: v > 0.0, x))",
    "dropwhile": "y = sum(v * v for v in itertools.dropwhile(lambda v: v > 0.0, x))",
    "filterfalse": "y = sum(v * v for v in itertools.filterfalse(lambda v: v > 0.0, x))",
    "compress": "y = sum(v * v for v in itertools.compress(x, [1, 0, 1, 0]))",
    "islice": "y = sum(v * v for v in itertools.islice(x, n)) + sum(itertools.islice(x, 1, 3)) * a",
    "repeat": "y = a\nfor f in itertools.repeat(2.0, n):\n    y = y * b + f",
    "starmap": "y = sum(itertools.starmap(lambda p, q: p * q * q, zip(x, x[1:])))",
    "count beside": "y = sum(i * v * v for i, v in zip(itertools.count(1), x))",
    "count by tenths": "y = sum(t * v for t, v in zip(itertools.count(0.5, 0.1), [a, b]))",
    "count until": (
        "y = a\nfor k in itertools.count():\n    y = y * b\n    if y > 2.0 or k > 5:\n"
        "        break"
    ),
    "count, going on": (
        "y = a\nfor k in itertools.count(2, 3):\n    if k % 2:\n        continue\n    if k > 9:\n"
        "        break\n    y = y * b + k"
    ),
    "repeat without end": "y = sum(p * q for p, q in zip(itertools.repeat(a), x))",
    "cycle": "y = sum(p * v * v for p, v in zip(itertools.cycle([a, b]), x))",
    "the first that fits": (
        "y = next(v for v in x if v > 1.0) ** 2 * next((v for v in x if v > 9.0), b)"
    ),
    "zip of equal lengths": "y = sum(p * q * q for p, q in zip(x, x[::-1], strict=True))",
    "bound in a comprehension": "y = sum([(w := v) * w for v in (a, b)]) * w",
    "bound in its condition": "y = sum([w for v in x if (w := v * v) > 0.5])",
}

BY_NAME = {
    "getattr": (
        "p = Box(a, b)\ny = getattr(p, 'w') * getattr(p, 'depth', a) * (hasattr(p, 'h') + 1)"
    ),
    "setattr": (
        "p = Box(a)\nfor k, v in [('h', b), ('d', a)]:\n    setattr(p, k, v)\ny = p.w * p.h * p.d"
    ),
    "delattr": (
        "p = Box(a, b)\ny = p.w * p.h\ndel p.h\n"
        "y = y * p.w * (2.0 if hasattr(p, 'depth') else 3.0)"
    ),
    "vars": "p = Box(a, b)\ny = sum(v * v for v in vars(p).values()) + p.__dict__['w']",
    "the class": "p = Box(a, b)\nq = type(p)(b)\ny = q.w * q.h * len(type(p).__name__) * p.w",
    "fields": "p = Box(a, b)\ny = sum(getattr(p, f.name) ** 2 for f in dataclasses.fields(p))",
    "asdict": "p = Box(a, b)\ny = dataclasses.asdict(p)['w'] * dataclasses.astuple(p)[1]",
    "a cached property": "p = Box(a, b)\ny = p.area * b + p.area ** 2",
    "a setter": "p = Box(a, b)\np.double = b * a\ny = p.w ** 2",
    "a named tuple": (
        "p = Pair._make([a, b])._replace(right=a * b)\ny = p._asdict()['left'] * p.right"
    ),
    "a namespace": "p = types.SimpleNamespace(w=a, h=b)\np.d = p.w * p.h\ny = p.d * p.w",
    "attrgetter": "y = operator.attrgetter('w')(Box(a, b)) * operator.itemgetter(1)([a, b])",
    "singledispatch": "y = size_of(Box(a, b)) * size_of([a, b])",
    "an enumeration": (
        "y = 0.0\nfor k in Kind:\n    y += math.tanh(a) * b if k is Kind.TANH else a * a\n"
        "y = y * {Kind.RELU: a, Kind.TANH: b}[Kind('tanh')] * len(Kind['RELU'].value)"
    ),
    "a decorator inside": (
        "def twice(f):\n    @functools.wraps(f)\n    def g(v):\n        return 2.0 * f(v)\n"
        "    return g\n"
        "@twice\ndef square(v):\n    return v * v\ny = square(a) * b"
    ),
    "a cache inside": (
        "@functools.lru_cache(maxsize=None)\ndef fib(k):\n"
        "    return 1 if k < 2 else fib(k - 1) + fib(k - 2)\ny = a ** fib(4)"
    ),
    "a slice": "s = slice(1, n)\ny = np.sum(x[s] ** 2) + s.start * sum([a, b][slice(1, None)])",
    "a method of an array": "y = x[max(range(n), key=x.__getitem__)] ** 2",
    "an item taken out": "p = [a, 1.0, b]\np.remove(1.0)\ny = p[0] * p[1] * len(p)",
    "a product from a start": "y = math.prod([a, b], start=a)",
}
ALL = {
    f"{what}: {name}": body
    for what, programs in {
        "set": SETS, "dict": DICTS, "queue": QUEUES, "iterator": ITERATORS, "name": BY_NAME,
    }.items() for name, body in programs.items()
}  # fmt: skip


def function(body, result="y"):
    head = "def f(x, n=3):\n    a, b = x[0], x[1]\n"
    return define(head + textwrap.indent(body, "    ") + f"\n    return {result}\n", "f", **NAMES)


NAMES = {
    module.__name__: module
    for module in (collections, dataclasses, functools, itertools, math, operator, types)
}
NAMES |= {"Kind": Kind, "Box": Box, "Pair": Pair, "size_of": size_of}
NAMES |= {"FROZEN": FROZEN, "PLACES": PLACES}


@pytest.mark.parametrize("turn,name", list(enumerate(ALL)))
def test_derivatives(turn, name):
    f = function(ALL[name])
    check_slopes(f, VECTOR, wrt=(0,), turn=turn)
    check_second_slopes(f, (VECTOR,), (0,), turn)


REFUSED = {
    "going through a set": "y = sum(v * a for v in {1, 2})",
    "an iterator without end": "y = sum(itertools.count()) * a",
    "all of many": "y = sum(p * q for p, q in itertools.combinations(x, 4))",
    "two firsts of one iterator": "it = iter(x)\ny = next(it) * next(it)",
    "a class that is not known": "y = size_of(x if a > 0 else n)",
    "a member known at run time": "y = a if Kind(n) is Kind.RELU else b",
    "a name known at run time": "p = Box(a, b)\ny = getattr(p, 'wh'[n % 2]) if n else a",
    "attributes that have changed": "p = Box(a, b)\nd = vars(p)\np.w = b\ny = d['w']",
    "writing attributes as items": "p = Box(a, b)\nvars(p)['w'] = b\ny = p.w",
    "an attribute that is deleted": "p = Box(a, b)\ndel p.w\ny = p.w",
    "writing into a set outside": "FROZEN.add('w')\ny = a",
    "a tuple that grows": "t = ()\nfor v in x:\n    t += (v * v,)\ny = sum(t) * t[0]",
    "a bound of run time": "w = collections.deque(maxlen=n)\ny = a",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(function(REFUSED[name]))(VECTOR)
    assert caught.value.place.line >= 3


@pytest.mark.parametrize("result", ["{1, 2}", "(y, collections.Counter('ab'))"])
def test_these_are_no_results(result):
    with pytest.raises(TangentLikeError, match="returning"):
        tl.jvp(function("y = a", result), (VECTOR,), (VECTOR,))


RAISES = {
    "an item that is not there": ("s = {n}\ns.remove(n + 1)\ny = a * len(s)", KeyError),
    "nothing to begin with": ("y = next(v for v in x if v > 9.0)", StopIteration),
    "lengths that differ": ("y = sum(p * q for p, q in zip(x, x[1:], strict=True))", ValueError),
    "a negative bound": ("y = sum(itertools.islice(x, n - 9))", ValueError),
    "an item to remove": ("p = [v for v in x]\np.remove(9.0)\ny = p[0]", ValueError),
    "a key to move": ("d = {n: a}\nd.popitem()\nd.popitem()\ny = a", KeyError),
}


@pytest.mark.parametrize("name", RAISES)
def test_what_python_raises_is_raised(name):
    body, kind = RAISES[name]
    with pytest.raises(kind):
        function(body)(VECTOR)
    with pytest.raises((kind, TangentLikeError)):
        tl.grad(function(body))(VECTOR)


def test_sets_outside_are_watched():
    f = function("y = sum(v * v for k, v in {'w': a, 'bias': b}.items() if k not in FROZEN)")
    np.testing.assert_allclose(tl.grad(f)(VECTOR), [2.0 * VECTOR[0], 0.0, 0.0, 0.0])
    FROZEN.discard("bias")
    try:
        want = [2.0 * VECTOR[0], 2.0 * VECTOR[1], 0.0, 0.0]
        np.testing.assert_allclose(tl.grad(f)(VECTOR), want)
    finally:
        FROZEN.add("bias")


def moving_sum(x):
    window, y = collections.deque([0.0, 1.0]), 0.0
    for v in x:
        window.popleft()
        window.append(v * v)
        y += sum(window) * window[0]
    return y


def test_a_tape_beside_what_a_loop_carries_has_a_name_of_its_own():
    assert_derivatives(moving_sum, VECTOR)
