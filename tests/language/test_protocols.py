"""Operators and built-in functions on objects of the user's classes: arguments, locals, globals."""

import enum
import math
import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives


class Vector:
    """A class that defines what has little to do with its two attributes."""

    def __init__(self, a, b):
        self.a = a
        self.b = b

    def __len__(self):
        return 5

    def __iter__(self):
        return iter([self.a, self.b, self.a * self.b])

    def __getitem__(self, k):
        return (self.a, self.b)[k]

    def __setitem__(self, k, v):
        self.b = v * 2.0

    def __contains__(self, v):
        return self.a > v

    def __bool__(self):
        return False

    def __abs__(self):
        return self.a * self.a

    def __float__(self):
        return self.a * 1.0

    def __neg__(self):
        return Vector(-self.a, self.b)

    def __iadd__(self, other):
        self.a = self.a + other
        return self

    def __add__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(self.a + other.a, self.b + other.b)

    def __eq__(self, other):
        return self.a == other.a

    __hash__ = None


class Override(Vector):
    def __radd__(self, other):
        return Vector(self.a, 20.0 * other.a)


class Right:
    def __init__(self, c):
        self.c = c

    def __radd__(self, other):
        return other.a * self.c


V = Vector(2.0, 3.0)
W = Right(1.5)


def its_length(x):
    return len(Vector(x, x)) * x * len(V)


def its_items(x):
    total = 0.0
    for v in Vector(x, x):
        total += v * v
    for v in V:
        total += v * x
    return total


def its_items_in_functions(x):
    return sum(list(Vector(x, x))) * sum(Vector(x, 2.0)) + max(V) * x


def its_items_in_comprehensions(x):
    return sum(v * x for v in V) + sum(a * b for a, b in zip(Vector(x, 2.0), Vector(3.0, x)))


def unpacked(x):
    a, b, c = Vector(x, 2.0)
    return a * b * c + max(*V) * x


def contains(x):
    return x * x if 0.1 in Vector(x, 2.0) and 9.0 not in V else 0.0


def truth(x):
    y = x * x if Vector(x, 2.0) else x
    return y * 3.0 if not V else y


def functions(x):
    return abs(Vector(x, 2.0)) + abs(V) * x + float(Vector(x, 1.0)) * float(V)


def negated(x):
    return (-Vector(x, x)).a + (-V).a * x * x


def augmented(x):
    v = Vector(x, 2.0)
    w = v
    v += x * x
    return v.a * w.a


def written(x):
    v = Vector(x, 2.0)
    v[0] = x * x
    v[1] *= x
    return v.b * v.a


def not_implemented(x):
    return (Vector(x, 2.0) + Right(x)) * (V + W) + (V + Vector(x, x)).a


def overriding(x):
    return (Vector(x, 2.0) + Override(x, x)).b


def x_and_one(x):
    return Vector(x, 1.0)


def compared(x):
    y = x if Vector(x, 2.0) == Vector(x, 3.0) else x * x
    return y * y if x_and_one(x) != V else y


@pytest.mark.parametrize(
    "function",
    [
        its_length, its_items, its_items_in_functions, its_items_in_comprehensions, unpacked,
        contains, truth, functions, negated, augmented, written, not_implemented, overriding,
        compared,
    ],
)  # fmt: skip
def test_what_a_class_says(function):
    assert_derivatives(function, 0.7)


class Matrix:
    def __init__(self, rows):
        self.rows = rows

    def __matmul__(self, v):
        return [sum(a * b for a, b in zip(row, v)) for row in self.rows]

    def __getitem__(self, k):
        return self.rows[k]

    def __len__(self):
        return len(self.rows)

    def __mul__(self, c):
        return Matrix([[a * c for a in row] for row in self.rows])

    def __rmul__(self, c):
        return self * c

    def __call__(self, v, *, scale=1.0):
        return (self @ v)[0] * scale

    def __iter__(self):
        return iter(self.rows)

    def trace(self):
        return sum(self.rows[i][i] for i in range(len(self)))

    @property
    def first(self):
        return self.rows[0][0]


M = Matrix([[1.0, 2.0], [3.0, 4.0]])


def product(x):
    return (M @ [x, x * x])[1]


def items(x, k=1):
    return M[0][1] * x + M[k][0] * x * x


def scaled(x):
    return (M * x).trace() * x + (x * M).first


def called(x):
    return M([x, x * x], scale=x)


def method_and_property(x):
    return M.trace() * x * M.first * len(M)


def rows(x):
    total = 0.0
    for a, b in M:
        total += a * x * x + b * x
    return total


def in_a_loop(x, n=3):
    v = [x, x * x]
    for _ in range(n):
        v = M @ [v[0] * 0.1, v[1] * 0.1]
    return v[0] + v[1]


@pytest.mark.parametrize(
    "function", [product, items, scaled, called, method_and_property, rows, in_a_loop]
)
def test_an_object_outside_the_function(function):
    assert_derivatives(function, 0.7)


def called_with_keywords(x):
    local = Matrix([[x, 2.0], [3.0, x]])
    return local([x, 1.0], scale=x * 2.0)


def test_keywords_of_a_called_object():
    assert_derivatives(called_with_keywords, 0.7)


def test_attributes_of_an_object_outside_are_read_when_the_derivative_is_called():
    own = Matrix([[1.0, 2.0], [3.0, 4.0]])

    def f(x):
        return (own @ [x, x])[0]

    gradient = tl.grad(f)
    assert gradient(0.7) == 3.0
    own.rows[0][0] = 10.0
    assert gradient(0.7) == 12.0


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Count(enum.IntEnum):
    ONE = 1
    TWO = 2


LEVEL = Level.HIGH


def with_enums(x):
    if LEVEL == Level.HIGH:
        x = x * x
    if LEVEL is Level.LOW:
        x = x * 3.0
    return x * Count.TWO


def test_enums_are_compared():
    assert_derivatives(with_enums, 0.7)


@pytest.mark.parametrize(
    "function", [lambda x: np.sum(M) * x, lambda x: math.sin(V) * x, lambda x: M - x]
)
def test_objects_are_no_numbers(function):
    with pytest.raises(NotYetSupported, match=r"`?(Matrix|Vector)"):
        tl.grad(function)(0.7)


ENDLESS = """
    import numpy as np
    import tangent_like as tl

    class Endless:
        def __getitem__(self, k):
            return 1.0
        def __len__(self):
            return 3
        def __mul__(self, other):
            return other * 2.0

    E = Endless()

    def f(x):
        return np.sum(E * x) + E[0] * np.sum(x) * len(E)

    print(tl.grad(f)(np.array([1.0, 2.0])))
"""


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))


def test_compiling_does_not_go_through_an_object_without_end(tmp_path):
    """NumPy reads the items of a sequence until one is missing."""
    file = tmp_path / "endless.py"
    file.write_text(textwrap.dedent(ENDLESS))
    root = str(Path(tl.__file__).parents[1])
    found = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, check=False,
        preexec_fn=limit_memory, timeout=60, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    assert found.stdout.strip() == "[5. 5.]", found.stderr
