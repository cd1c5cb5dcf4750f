"""Functions with a mistake in them: an error that says where, and never one of the compiler's own.

What Python raises only when it gets there may stand where it never gets: it is refused all the
same, with its place.
"""

import math
import operator
import warnings

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import InternalError, TangentLikeError
from tangent_like.frontend import lower
from tests.derivatives import define

REFUSED = [
    "helper ** 2 + x",
    "x * helper",
    "x * np",
    "-math * x",
    "np.sin(helper) * x",
    "math.sin(np.cos) * x",
    "x if helper < 2.0 else 1.0",
    "(lambda u: u) * x",
    "helper[0] * x",
    "np.array([x, x])[helper]",
    "(x, x)[2] * x",
    "[x, 2.0][-3]",
    "(x,)[::-1][1]",
    "{'a': x}['b']",
    "sorted()[0] * x",
    "min() * x",
    "list(map(helper))[0] * x",
    "functools.partial() * x",
    "sum(zip(x, [2.0]), extra=3.0)",
    "np.sum(x, extra=1)",
    "np.maximum(x)",
    "abs(x, x)",
    "helper(x, 3.0)",
    "helper(y=x)",
    "helper.missing * x",
    "math.missing(x)",
    "np.missing(x)",
    "x.missing",
    "x.missing()",
    "[x, x] + (x,)",
    "(x, x) * 2.0",
]


@pytest.mark.parametrize("expression", REFUSED)
@pytest.mark.parametrize("mode", [tl.grad, tl.derivative])
def test_a_mistake_is_refused_in_its_line(expression, mode):
    import functools

    source = f"def helper(x):\n    return x * x\n\ndef f(x):\n    return {expression}\n"
    f = define(source, "f", math=math, functools=functools)
    with pytest.raises(TangentLikeError) as caught:
        mode(f)(0.7)
    assert not isinstance(caught.value, InternalError)
    assert (caught.value.place.file, caught.value.place.line) == (f.__code__.co_filename, 5)


@pytest.mark.parametrize("expression", [
    "x + 'text'", "x + None", "x @ x", "len(x) * x", "np.zeros(x)[0]",
    "np.reshape(x, (3, 3))", "math.sin() * x", "isinstance(x, 3)", "x[0]", "(x, 1.0)[::0]",
    "np.expand_dims(x)",
    "float('text') * x",
])  # fmt: skip
def test_what_python_raises_arrives(expression):
    """An operation that cannot work raises in the derivative what it raises in the function."""
    f = define(f"def f(x):\n    y = {expression}\n    return y * x\n", "f", math=math)
    with pytest.raises(Exception) as plain:
        f(0.7)
    for derivative in (lambda: tl.grad(f)(0.7), lambda: tl.jvp(f, (0.7,), (1.0,))):
        with pytest.raises((plain.type, TangentLikeError)) as caught:
            derivative()
        assert not isinstance(caught.value, InternalError)


def test_a_function_that_returns_what_print_returns(capsys):
    f = define("def f(x):\n    return print(x)\n", "f")
    assert tl.jvp(f, (0.7,), (1.0,)) == (None, None)
    assert capsys.readouterr().out == "0.7\n"


def test_a_fault_of_the_compiler_says_where_it_was(monkeypatch):
    monkeypatch.setitem(lower._HANDLERS, lower.gast.Pass, operator.sub)
    f = define("def f(x):\n    y = x * x\n    pass\n    return y\n", "f")
    with pytest.raises(InternalError) as caught:
        tl.grad(f)(0.7)
    assert caught.value.place.line == 3
    assert "TypeError: unsupported operand" in str(caught.value)
    assert "report it" in str(caught.value)
    assert isinstance(caught.value.__cause__, TypeError)


def test_what_the_users_rule_raises_arrives():
    def strange(x):
        return x * x

    def partial(x, y):
        raise ZeroDivisionError("a rule of the user's")

    tl.elementwise(strange, partial, samples=[(0.3,)])
    f = define("def f(x):\n    return strange(x)\n", "f", strange=strange)
    with pytest.raises(ZeroDivisionError, match="a rule of the user's"):
        tl.grad(f)(0.7)


def test_numbers_of_several_types_are_no_mistake():
    """What looks like arithmetic with classes: types that are joined, arrays of bools."""
    source = "def f(x):\n    if isinstance(x, int | float):\n        return x * x\n    return x\n"
    assert tl.grad(define(source, "f"))(0.7) == 1.4
    assert np.all(tl.grad(lambda x: np.sum(x[x > 0.0] ** 2))(np.array([0.5, -1.0])) == [1.0, 0.0])


def test_what_python_warns_of_in_the_users_text_is_not_said_again():
    source = "def f(x):\n    return x * x if x > 0.0 else [x]['key']\n"
    with pytest.warns(SyntaxWarning, match="indices must be integers"):
        f = define(source, "f")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tl.grad(f)(3.0) == 6.0
