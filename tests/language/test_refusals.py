"""What this version does not differentiate is refused, at the right line, with a way out.

In every source below the comment `# HERE` marks the line, or the lines, that the error may name.
"""

import inspect
from contextlib import suppress

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import InternalError, NeverSupported, NotYetSupported, TangentLikeError
from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])

ARRAY_WRITES = {
    "resize": "y = x * 1.0\n    y.resize(5)  # HERE",
    "shuffle": "y = x * 1.0\n    np.random.shuffle(y)  # HERE",
    "multiply.at with two axes": (
        "y = x * 1.0\n    np.multiply.at(y, np.array([[0, 0]]), x[:2])  # HERE"
    ),
    "where as a number": "y = x * 1.0\n    np.sin(x, out=y, where=x)  # HERE",
}

CONTAINER_WRITES = {
    "list remove": "parts = [x, x]\n    parts.remove(x)  # HERE\n    y = parts[0]",
    "a number as a key": "d = {'a': x}\n    d[x[0]] = x  # HERE\n    y = d['a']",
    "things of different kinds": (
        "d = {'a': x, 'b': 'text'}\n    d[str(x[0])] = x  # HERE\n    y = d['a']"
    ),
    "attribute": "box.value = x  # HERE\n    y = box.value",
}

STATEMENTS = {
    "context manager": "with open('file'):  # HERE\n        y = x * x",
    "return in finally": "try:  # HERE\n        y = x\n    finally:\n        return np.sum(x)",
    "global write": "global counter\n    counter = x  # HERE\n    y = x * counter",
    "range pattern": "match range(3):\n        case [a, b]: # HERE\n            y = x",
    "starred target": "first, *rest = x  # HERE\n    y = first * rest[0] * rest[-1]",
    "starred display": "y = np.stack([*x, x[0]])  # HERE",
    "bare raise": "y = x\n    if x[0] > 3.0:\n        raise  # HERE",
    "missing module": "import no_such_module  # HERE\n    y = x",
    "class": "class Box:  # HERE\n        value = 1.0\n    y = x * Box.value",
    "dict of run-time length": "y = {a: x for a in x}[x[0]]  # HERE",
    "a set gone through": "y = sum(x * k for k in {1, 2})  # HERE",
}

ALWAYS_REFUSED = {
    "yield": "y = x * x\n    yield y  # HERE",
    "yield from": "y = x * x\n    yield from y  # HERE",
    "exec": "exec('x = 2.0')  # HERE\n    y = x",
    "eval": "y = eval('x * x')  # HERE",
    "locals": "y = locals()['x'] * 2.0  # HERE",
    "globals": "y = globals()['np'].sin(x)  # HERE",
}

COROUTINES = {
    "async function": "async def f(x):  # HERE\n    return np.sum(x)\n",
    "await": "async def f(x):  # HERE\n    return await x\n",
    "async for": "async def f(x):  # HERE\n    async for a in x:\n        x *= a\n    return x\n",
}

STARS_AND_CELLS = {
    "star argument": "def f(*x):  # HERE\n    return np.sum(x[0] * x[0])\n",
    "double star argument": "def f(x, **more):  # HERE\n    return np.sum(x * x)\n",
    "star in a call": "def f(x):\n    return np.sum(np.multiply(*(x, x)))  # HERE\n",
    "double star in a call": "def f(x):\n    return np.sum(x, **{'axis': 0})  # HERE\n",
    "nonlocal write": (
        "def f(x):\n    y = x\n    def inner():\n        nonlocal y\n        y = y * x  # HERE\n"
        "    inner()\n    return np.sum(y)\n"
    ),
}

OTHER_PYTHON = {
    "deleted element": "y = [x, x]\n    del y[0]  # HERE\n    y = y[0]",
    "possible view": (
        "y = np.asarray(x)\n    z = np.asarray(y)\n    z[0] = 2.0\n    y = y + z  # HERE"
    ),
    "slice of a list": "parts = [x, x]\n    parts[:1] = [x]  # HERE\n    y = parts[0]",
    "list sort": "parts = [x[0], x[1]]\n    parts.sort()  # HERE\n    y = parts[0]",
    "dict display": "y = {'a': x, 'b': x * x}['b']  # HERE",
    "dict call": "y = dict(a=x * x)['a']  # HERE",
    "set display": "y = x * len({1, 2})  # HERE",
    "zip": "y = 0.0\n    for a, b in zip(x, x[::-1]):  # HERE\n        y = y + a * a * b",
    "enumerate": "y = 0.0\n    for i, a in enumerate(x):  # HERE\n        y = y + i * a * a",
    "reversed": "y = 0.0\n    for a in reversed(x):  # HERE\n        y = y * a + a",
    "reversed range": "y = 0.0\n    for i in reversed(range(3)):  # HERE\n        y = y * x + i",
    "builtin sum": "y = sum(x)  # HERE",
    "builtin sum of a display": "y = sum([x[0], x[1] * x[2]])  # HERE",
    "builtin pow": "y = pow(x, 3)  # HERE",
    "builtin round": "y = x * round(x[2])  # HERE",
    "builtin map": "y = sum(map(np.sin, x))  # HERE",
    "sorted": "y = sorted(x)[0]  # HERE",
    "isinstance": "y = x * x if isinstance(x, np.ndarray) else x  # HERE",
    "augmented array": "y = x * x\n    y += x  # HERE",
    "augmented alias": "y = x * x\n    z = y\n    z *= 2.0  # HERE",
    "augmented view": "y = x * x\n    z = y[1:]\n    z *= 2.0  # HERE",
    "augmented argument": "x *= 2.0  # HERE\n    y = x * x",
    "augmented row": "y = np.outer(x, x)\n    for row in y:\n        row *= 2.0  # HERE",
    "complex step inside": "y = np.imag(np.exp(x + 0.5j))  # HERE",
    "string method": "y = x * len('abc'.upper())  # HERE",
    "list repeated": "y = np.stack([x, x * x] * 2)  # HERE",
    "list sum": "y = np.stack([x] + [x * x])  # HERE",
    "tuple sum": "y = (x, 1.0) + (x * x,)  # HERE\n    y = y[2]",
    "ellipsis of a method": "y = x.__mul__(x)  # HERE",
    "unary invert": "y = x * ~np.array([True, False, True])  # HERE",
    "matmul assignment": "y = np.outer(x, x)\n    y @= np.eye(3)  # HERE",
    "star in a nested function": "def g(*a):  # HERE\n        return a[0]\n    y = g(x, x)  # HERE",
}


def function(body):
    """A function of one vector around `body`, which assigns `y`."""
    result = "" if "yield" in body else "    return np.sum(y)\n"
    return f"def f(x):\n    {body}\n{result}"


def marked_lines(source):
    return {n for n, line in enumerate(source.splitlines(), 1) if "# HERE" in line}


def assert_located(error, file, lines):
    """The error names the place, quotes the line and says what to do instead."""
    assert not isinstance(error, InternalError), error
    assert error.place.file == file, str(error)
    assert error.place.line in lines, str(error)
    assert error.message
    assert error.hint, "no way out is given"
    assert "# HERE" in str(error), "the user's line is not quoted"


class Box:
    value = 0.0


def forward(f):
    return lambda x: tl.jvp(f, (x,), (np.ones(3),))


MODES = {"reverse": tl.grad, "forward": forward}
STRICT = {**ARRAY_WRITES, **CONTAINER_WRITES, **STATEMENTS}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STRICT)
def test_not_yet_supported(name, mode):
    source = function(STRICT[name])
    f = define(source, "f", box=Box(), Box=Box)
    with pytest.raises(TangentLikeError) as caught:
        MODES[mode](f)(VECTOR.copy())
    assert_located(caught.value, f.__code__.co_filename, marked_lines(source))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ALWAYS_REFUSED)
def test_always_refused(name, mode):
    source = function(ALWAYS_REFUSED[name])
    f = define(source, "f")
    with pytest.raises(TangentLikeError) as caught:
        MODES[mode](f)(VECTOR.copy())
    assert_located(caught.value, f.__code__.co_filename, marked_lines(source))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", COROUTINES)
def test_coroutines(name, mode):
    f = define(COROUTINES[name], "f")
    with pytest.raises(TangentLikeError) as caught:
        MODES[mode](f)(VECTOR.copy())
    assert_located(caught.value, f.__code__.co_filename, {1})


@pytest.mark.parametrize("name", STARS_AND_CELLS)
def test_stars_and_written_cells_are_right_or_refused(name):
    source = STARS_AND_CELLS[name]
    right_or_refused(define(source, "f"), source)


@pytest.mark.parametrize("name", OTHER_PYTHON)
def test_the_rest_of_python_is_right_or_refused(name):
    source = function(OTHER_PYTHON[name])
    right_or_refused(define(source, "f"), source)


def right_or_refused(f, source):
    """Never a wrong derivative, never an error of another kind."""
    try:
        assert_derivatives(f, VECTOR.copy())
    except TangentLikeError as error:
        assert_located(error, f.__code__.co_filename, marked_lines(source))


def test_in_place_augmented_assignment_does_not_touch_the_arguments():
    f = define("def f(x):\n    x *= 2.0  # HERE\n    return np.sum(x * x)\n", "f")
    x = VECTOR.copy()
    with suppress(TangentLikeError):
        np.testing.assert_array_equal(tl.grad(f)(x), 8.0 * VECTOR)
    np.testing.assert_array_equal(x, VECTOR)


def in_this_file(x):
    y = x * x
    y.resize(5)  # HERE
    return np.sum(y)


def calls_what_is_refused(x):
    return in_this_file(np.sin(x)) * 2.0


def nested_refusal(x):
    def inner(t):
        t.resize(5)  # HERE
        return np.sum(t)

    return inner(x * x)


@pytest.mark.parametrize("f, where", [
    (in_this_file, in_this_file),
    (calls_what_is_refused, in_this_file),
    (nested_refusal, nested_refusal),
], ids=["directly", "in a helper", "in a nested function"])  # fmt: skip
def test_refusal_names_this_file_and_the_line(f, where):
    lines, first = inspect.getsourcelines(where)
    (line,) = (first + n - 1 for n in marked_lines("".join(lines)))
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(VECTOR)
    assert_located(caught.value, __file__, {line})
    assert f"{__file__}:{line}" in str(caught.value)


def test_columns_of_the_place_cover_the_construct():
    f = define("def f(x):\n    y = x * 1.0; y.resize(5)  # HERE\n    return np.sum(y)\n", "f")
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(VECTOR)
    place = caught.value.place
    assert place.line == 2
    assert place.column >= len("    y = x * 1.0;")


def test_refused_code_in_a_branch_not_taken_is_still_refused():
    """A derivative must not be right by luck: it is compiled for every path."""
    f = define(
        "def f(x):\n    y = x * x\n    if x[0] > 100.0:\n        y.resize(5)  # HERE\n"
        "    return np.sum(y)\n",
        "f",
    )
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(VECTOR)
    assert_located(caught.value, f.__code__.co_filename, {4})


def test_refusal_comes_again_at_the_second_call():
    f = define(function(ARRAY_WRITES["resize"]), "f")
    gradient = tl.grad(f)
    for _ in range(2):
        with pytest.raises(TangentLikeError) as caught:
            gradient(VECTOR)
        assert_located(caught.value, f.__code__.co_filename, {3})


def test_float_of_an_array_with_axes():
    def f(x):
        return float(x)

    with pytest.raises(NotYetSupported, match="`float` of an array with axes") as caught:
        tl.grad(f)(np.ones(2))
    assert "return float(x)" in str(caught.value)
    assert tl.grad(f)(np.array(2.0)) == 1.0


def test_what_a_module_does_not_have():
    def f(x):
        return np.linalg.nonexistent(x)

    with pytest.raises(NeverSupported, match=r"`numpy\.linalg` has no attribute `nonexistent`"):
        tl.grad(f)(2.0)


@pytest.mark.parametrize("made", [
    "np.zeros(3, dtype=[('a', float), ('b', int)])", "np.zeros(3, [('a', float), ('b', int)])",
    "np.array([(1.0, 2)], dtype=[('a', float), ('b', int)])",
])  # fmt: skip
def test_arrays_with_fields(made):
    f = define(f"def f(u):\n    d = {made}\n    d['a'] = u\n    return d['a'].sum()", "f", np=np)
    for derive in (tl.grad(f), lambda u: tl.jvp(f, (u,), (u,))):
        with pytest.raises(NotYetSupported, match="an array whose elements have fields"):
            derive(np.ones(3))


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


def over_an_iterator_of_a_class(x):
    return sum(x**k for k in Countdown(3))


def with_next_of_it(x):
    turns = Countdown(3)
    return x ** next(turns) + next(turns) * x


def test_iterators_of_user_classes():
    with pytest.raises(NotYetSupported, match="the iterator `Countdown`, which has a `__next__`"):
        tl.grad(over_an_iterator_of_a_class)(0.7)
    assert_derivatives(with_next_of_it, 0.7)
