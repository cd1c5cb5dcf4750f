"""`try` with handlers that run, and context managers of the user's.

Each program is the body of a function of `x`, `y`, an array `v` of three numbers and `n`.
"""

import collections
import contextlib
import functools
import math
import textwrap
import time

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, check_second_slopes, check_slopes, define

VECTOR = np.array([0.4, 1.2, -0.7])


class TooLarge(ValueError):
    def __init__(self, size):
        self.size = size


def inverse(x):
    return 1.0 / x


def checked(x):
    if x > 1.0:
        raise TooLarge(x)
    return x * x


class Timer:
    def __init__(self, calls=0):
        self.calls, self.total = calls, 0.0

    def __enter__(self):
        self.start = time.perf_counter()
        return self

    def __exit__(self, kind, value, traceback):
        self.total += time.perf_counter() - self.start
        self.calls += 1
        return False


class Model:
    def __init__(self, w):
        self.w, self.depth = w, 0

    def timer(self):
        return Timer()

    @contextlib.contextmanager
    def nested(self, by=1):
        self.depth += by
        try:
            yield self.depth
        finally:
            self.depth -= by

    def __call__(self, x):
        with self.timer():
            h = self.w * x
        with self.nested() as one, self.nested(2) as two:
            h = h * one + two * x
        return h * (self.depth + 1)


class Swallowing:
    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return True


@contextlib.contextmanager
def squared(x):
    y = x * x
    yield y
    print("left")


TRIED = {
    "a default made where the function has not returned": (
        "try:\n    if y > 9.0:\n        return y\n    z = y * y\n"
        "    def scaled(u, w=z):\n        return u * w\n    r = scaled(1.0 / x)\n"
        "except ZeroDivisionError:\n    return 3.0 * y\nreturn r * y"
    ),
    "an array of a partial made where the function has not returned": (
        "try:\n    if y > 9.0:\n        return y\n    z = v * y\n"
        "    scaled = functools.partial(np.multiply, z)\n    r = scaled(1.0 / x)[0]\n"
        "except ZeroDivisionError:\n    return 3.0 * y\nreturn r * y"
    ),
    "a handler that never runs": """
        z = (x, y)
        with contextlib.suppress(KeyError):
            z, w = inverse(x + 2.0) * z[1], [y, x]
            w[0] *= math.sin(x)
            if x > 5.0:
                raise OverflowError("x")
        return z * w[0]
    """,
    "a return": "try:\n    return inverse(x) * y\nexcept ZeroDivisionError:\n    return y * y",
    "an assignment": "try:\n    z = y / x\nexcept ZeroDivisionError:\n    z = y * y\nreturn z * y",
    "one of several": (
        "try:\n    z = v[n] * math.log(x)\nexcept IndexError:\n    z = y\n"
        "except (ValueError, TypeError):\n    z = y * y\nreturn z * y"
    ),
    "of the user's": "try:\n    z = checked(x)\nexcept TooLarge:\n    z = y * x\nreturn z * y",
    "a base class": "try:\n    z = checked(x)\nexcept Exception:\n    z = y * x\nreturn z * y",
    "any": "try:\n    z = checked(x) / x\nexcept:\n    z = y * y\nreturn z * y",
    "with else": (
        "try:\n    z = y / x\nexcept ZeroDivisionError:\n    z = y\n"
        "else:\n    z = z * z\nreturn z * y"
    ),
    "with finally": (
        "z = 1.0\ntry:\n    z = y / x\nexcept ZeroDivisionError:\n    z = y * y\n"
        "finally:\n    z = z * y\nreturn z"
    ),
    "a loop that ends so": (
        "z, i = 0.0, 0\nwhile True:\n    try:\n        z += v[i] ** 2\n    except IndexError:\n"
        "        break\n    i += 1\nreturn z * y"
    ),
    "what is skipped": (
        "z = y\nfor i in range(n + 3):\n    try:\n"
        "        e = v[i % 5] * math.sqrt(v[i % 5] + x * x)\n"
        "    except (IndexError, ValueError):\n        continue\n    z = z + e * e\nreturn z"
    ),
    "an append": (
        "parts = []\nfor e in [x, y, 0.0]:\n    try:\n        parts.append(y / e)\n"
        "    except ZeroDivisionError:\n        parts.append(y * y)\nreturn parts[0] * parts[2]"
    ),
    "a store": (
        "u = np.zeros(3)\nfor i in range(5):\n    try:\n        u[i] = v[i] ** 2\n"
        "    except IndexError:\n        u[0] = u[0] * y\nreturn np.sum(u * u)"
    ),
    "raised again": (
        "try:\n    try:\n        z = checked(x)\n    except ValueError:\n        raise\n"
        "except TooLarge:\n    z = y * y\nreturn z * y"
    ),
    "raised as another": (
        "try:\n    try:\n        z = checked(x)\n    except ValueError as error:\n"
        "        raise KeyError('x') from error\nexcept KeyError:\n    z = y * y\nreturn z * y"
    ),
    "a key that is not there": (
        "try:\n    z = {'a': x}['b']\nexcept KeyError:\n    z = y\nreturn z * y"
    ),
    "an attribute that is not there": (
        "try:\n    z = Timer().depth * x\nexcept AttributeError:\n    z = y\nreturn z * y"
    ),
    "an item that is not there": (
        "try:\n    z = [x, y][2]\nexcept LookupError:\n    z = y\nreturn z * y"
    ),
    "a key of run time": (
        "d = {i: v[i] ** 2 for i in range(min(n, 3))}\ntry:\n    z = d[2]\nexcept KeyError:\n"
        "    z = y\nreturn z * y"
    ),
    "suppressed": (
        "z = y\nwith contextlib.suppress(ZeroDivisionError):\n    z = y / x\nreturn z * y"
    ),
    "names that the handler binds": (
        "try:\n    w = y * y\n    z = w / x\nexcept ZeroDivisionError:\n    w = y\n    z = w\n"
        "return z * w"
    ),
    "recursion inside": (
        "def down(k):\n    return 1.0 / x if k == 0 else down(k - 1) * y\n"
        "try:\n    z = down(n)\nexcept ZeroDivisionError:\n    z = y * y\nreturn z * y"
    ),
    "the message": (
        "try:\n    z = y / x\nexcept ZeroDivisionError as error:\n"
        "    z = y * len(str(error)) ** 0\nreturn z * y"
    ),
}
MANAGED = {
    "a class": "with Timer(2) as t:\n    z = x * y\nreturn z * z * t.calls",
    "methods": "return Model(x)(y) * x",
    "a generator": "with squared(x) as z:\n    z = z * y\nreturn z * z",
    "a generator inside": (
        "@contextlib.contextmanager\ndef scaled(k):\n    yield k * x\n"
        "with scaled(2.0) as z:\n    z = z * y\nreturn z * z"
    ),
    "one made before": "manager = squared(x)\nwith manager as z:\n    z = z * y\nreturn z * z",
    "left early": (
        "with Timer() as t, squared(y) as z:\n    if n > 1:\n        return x * z\n"
        "    z = z * x\nreturn z * z"
    ),
    "in a loop": (
        "z = x\nfor _ in range(n):\n    with Timer() as t:\n        z = z * y\nreturn z * t.calls"
    ),
}


def function(body):
    head = "def f(x, y, v, n):\n"
    return define(head + textwrap.indent(body, "    ") + "\n", "f", **NAMES)


NAMES = {
    "math": math, "contextlib": contextlib, "collections": collections, "inverse": inverse,
    "functools": functools,
    "checked": checked, "TooLarge": TooLarge, "Timer": Timer, "Model": Model, "squared": squared,
    "Swallowing": Swallowing, "KEYS": {"0": 0.5, "1": 1.5},
}  # fmt: skip
POINTS = [(0.0, 1.3, 1), (0.7, 1.3, 1), (1.6, -0.4, 4)]


@pytest.mark.parametrize("turn, name", list(enumerate({**TRIED, **MANAGED})))
def test_derivatives(turn, name):
    """Also where an exception is raised: with respect to the others then."""
    f = function({**TRIED, **MANAGED}[name])
    for x, y, n in POINTS:
        arguments = (x, y, VECTOR, n)
        wrt = (0, 1, 2) if x else (1, 2)
        check_slopes(f, *arguments, wrt=wrt, turn=turn)
        if x == 0.7:
            check_second_slopes(f, arguments, wrt, turn)


REFUSED = {
    "a name that may be bound": (
        "try:\n    w = y * y\n    z = w / x\nexcept ZeroDivisionError:\n    z = w\nreturn z"
    ),
    "an array that may be changed": (
        "u = np.zeros(3)\ntry:\n    u[0] = y\n    z = y / x\nexcept ZeroDivisionError:\n    z = y\n"
        "return z * u[0]"
    ),
    "a list that may be longer": (
        "p = []\ntry:\n    p.append(y)\n    p.append(y / x)\nexcept ZeroDivisionError:\n    z = y\n"
        "return p[0] * y"
    ),
    "a body that prints": (
        "try:\n    print('in')\n    z = y / x\nexcept ZeroDivisionError:\n    z = y\nreturn z"
    ),
    "a manager that swallows exceptions": "with Swallowing():\n    z = y * y\nreturn z",
    "what is no class of exceptions": (
        "with contextlib.suppress(KeyError, 7):\n    y = y * y\nreturn y"
    ),
    "a class chosen at run time": (
        "try:\n    z = y / x\nexcept (ZeroDivisionError if n else KeyError):\n    z = y\nreturn z"
    ),
    "a generator with two yields": (
        "@contextlib.contextmanager\ndef twice():\n    yield\n    yield\nwith twice():\n    z = y\n"
        "return z"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    f = function(REFUSED[name])
    with pytest.raises(NotYetSupported) as caught:
        tl.grad(f, wrt=1)(0.0, 1.3, VECTOR, 1)
    assert caught.value.place.line >= 2
    assert caught.value.hint


def test_an_exception_that_no_handler_takes_arrives():
    f = function("try:\n    return y / x\nexcept KeyError:\n    return y")
    with pytest.raises(ZeroDivisionError):
        tl.grad(f, wrt=1)(0.0, 1.3, VECTOR, 1)


def test_what_a_manager_does_is_done_once(capsys):
    f = function(MANAGED["a generator"])
    f(0.7, 1.3, VECTOR, 1)
    expected = capsys.readouterr().out
    tl.grad(f, wrt=1)(0.7, 1.3, VECTOR, 1)
    assert capsys.readouterr().out == expected
    tl.jvp(f, (0.7, 1.3, VECTOR, 1), (1.0, 1.0, VECTOR, 0.0))
    assert capsys.readouterr().out == expected


def test_a_body_that_prints_is_differentiated_where_nothing_is_raised(capsys):
    f = function(REFUSED["a body that prints"])
    assert tl.grad(f, wrt=1)(2.0, 1.3, VECTOR, 1) == 0.5
    assert capsys.readouterr().out == "in\n"


@pytest.mark.parametrize(
    ("kind", "body", "runs"),
    [
        ("KeyError", "z = y / x", False),
        ("OSError", "z = max(v) * y", False),
        ("ValueError", "z = math.sqrt(x)", True),
        ("Exception", "z = y / x", True),
        ("LookupError", "z = v[n]", True),
        ("KeyError", "z = {k: y for k in range(n)}[n - 1]", True),
        ("KeyError", "z = checked(x)", False),
        ("KeyError", "z = KEYS['01'[n]] * y", True),
        ("TooLarge", "z = checked(x)", True),
    ],
)
def test_handlers_stay_where_they_may_run(kind, body, runs):
    f = function(f"try:\n    {body}\nexcept {kind}:\n    z = 3.0 * y\nreturn z * y")
    types = {"x": 0.3, "y": 1.3, "v": VECTOR, "n": 1}
    assert ("raised_by" in tl.source(f, wrt=1, types=types)) is runs


def test_how_a_handler_is_written():
    source = tl.source(function(TRIED["a return"]))
    assert "error = raised_by(f_try, (x, y), ZeroDivisionError)" in source




def nested_functions_in_a_try(x):
    w, z = math.tanh(x), math.sin(x)
    try:

        def one(n):
            return w if n < 1 else math.tanh(other(n - 1)) * z + w

        def other(n):
            return z if n < 1 else math.tanh(one(n - 1)) * w + w

        a = one(2)
        if a > 100.0:
            raise ValueError("large")
    except ValueError:
        a = 0.0
    return a


def tries_again_and_again(x, n):
    return nested_functions_in_a_try(x) * (tries_again_and_again(math.sin(x), n - 1) if n else 1.0)


def test_recursive_functions_of_a_try_inside_a_recursive_function():
    assert_derivatives(nested_functions_in_a_try, 0.7)
    assert_derivatives(tries_again_and_again, 0.7, 2, wrt=0)
