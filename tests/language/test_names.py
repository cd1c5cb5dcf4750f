"""Names: overwritten, shadowing, colliding with names that generated code likes to use."""

import keyword
import math

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import assert_derivatives, define

VECTOR = np.array([0.3, -1.2, 2.1])


def squared_twice(x):
    x = x * x
    x = x * x
    return x


def test_name_overwritten_twice():
    assert_derivatives(squared_twice, 1.3, complex_ok=True)


def overwritten_inputs(x, y):
    x = x * y
    y = x * y
    x = np.sin(x) * y
    return x + y


def test_overwritten_inputs():
    assert_derivatives(overwritten_inputs, 1.3, -0.4, complex_ok=True)


def overwritten_by_a_constant(x, y):
    z = x * y
    x = 2.0
    y = x * y
    return z * x + y


def test_input_overwritten_by_a_constant():
    assert_derivatives(overwritten_by_a_constant, 1.3, -0.4, complex_ok=True)


def input_never_read(x, y):
    x = y * y
    return x


def test_input_overwritten_before_it_is_read():
    assert_derivatives(input_never_read, 1.3, -0.4, complex_ok=True)
    assert tl.grad(input_never_read)(1.3, -0.4) == 0.0


def changes_kind(x):
    y = x
    y = (y, y * y)
    y = y[0] * y[1]
    y = np.array([1.0, 2.0]) * y
    y = np.sum(y)
    return y


def test_name_that_changes_its_kind():
    assert_derivatives(changes_kind, 1.3, complex_ok=True)


def underscore(x):
    _ = x * x
    __ = _ * x
    return _ + __


def test_underscores_as_names():
    assert_derivatives(underscore, 1.3, complex_ok=True)


LIKELY_NAMES = [
    "bx", "by", "dx", "dy", "d", "da", "b", "bb", "db", "bdx", "dbx", "ddx", "bbx", "g", "by_",
    "_stack", "stack", "t", "t0", "t1", "_t0", "v1", "tmp", "temp", "tape", "x_tape", "y_tape",
    "cond", "branch", "count", "trips", "result", "value", "seed", "primal", "tangent", "adjoint",
    "cotangent", "gradient", "pullback", "tl", "tangent_like", "runtime", "numpy", "np2", "x_",
    "x1",
    "x2", "y1", "f", "f_fwd", "f_bwd", "f_grad", "f_jvp", "args", "kwargs", "wrt", "self", "one",
    "zero", "zeros", "undefined", "Undefined", "unbroadcast", "add", "load", "i_", "step", "done",
    "_", "__", "_x", "bx1", "dx1", "bi", "di",
]  # fmt: skip


@pytest.mark.parametrize("name", LIKELY_NAMES)
def test_user_variable_called(name):
    """One program with branches, loops and an overwritten value, whose local has the name."""
    assert not keyword.iskeyword(name)
    source = (
        f"def f(x, y):\n"
        f"    {name} = x * y\n"
        f"    for i in range(3):\n"
        f"        if {name} > 0.5:\n"
        f"            {name} = {name} * np.sin({name} + x)\n"
        f"        {name} = {name} + y * x\n"
        f"    return {name} * x\n"
    )
    assert_derivatives(define(source, "f"), 1.3, 0.7)


@pytest.mark.parametrize("name", LIKELY_NAMES)
def test_user_argument_called(name):
    source = (
        f"def f(x, {name}):\n"
        f"    y = x * {name}\n"
        f"    {name} = y * np.exp({name})\n"
        f"    return {name} * y\n"
    )
    assert_derivatives(define(source, "f"), 1.3, 0.7, complex_ok=True)


BUILTINS = ["sum", "len", "range", "float", "reversed", "list", "type", "zip", "abs", "max",
            "tuple", "print", "int", "object", "id", "input", "slice", "iter", "next"]  # fmt: skip


@pytest.mark.parametrize("name", BUILTINS)
def test_user_variable_that_hides_a_builtin(name):
    source = (
        f"def f(x, n):\n"
        f"    {name} = x * x\n"
        f"    i = 0\n"
        f"    while i < n:\n"
        f"        {name} = {name} * np.cos(x * {name})\n"
        f"        i = i + 1\n"
        f"    return {name} + x\n"
    )
    assert_derivatives(define(source, "f"), 1.3, 3, wrt=0, complex_ok=True)


@pytest.mark.parametrize("name", BUILTINS)
def test_user_argument_that_hides_a_builtin(name):
    source = (
        f"def f(x, {name}):\n"
        f"    y = x\n"
        f"    for a in (1.0, x, {name}):\n"
        f"        y = y * {name} + a\n"
        f"    return y\n"
    )
    assert_derivatives(define(source, "f"), 1.3, 0.7, complex_ok=True)


def local_named_np(x):
    np = x * x
    return np * math.sin(np)


def test_local_called_np():
    assert_derivatives(local_named_np, 1.3)


def local_named_np_beside_loops(x, n):
    np = x
    for i in range(n):
        if np > 0.5:
            np = np * 0.7
        np = np + x * i
    return np


def test_local_called_np_in_a_loop():
    assert_derivatives(local_named_np_beside_loops, 1.3, 3, wrt=0)


def argument_named_np(np, math):
    return np * math * np


def test_arguments_called_np_and_math():
    assert_derivatives(argument_named_np, 1.3, 0.7, complex_ok=True)
    assert_derivatives(argument_named_np, VECTOR, VECTOR[::-1] * 2.0, complex_ok=True)


def helper_with_np(np):
    y = np * np
    return y * 2.0


def calls_helper_with_np(x):
    return np.sum(helper_with_np(x) * np.sin(x))


def test_helper_whose_argument_is_called_np():
    assert_derivatives(calls_helper_with_np, VECTOR, complex_ok=True)


def test_numpy_and_math_under_other_names():
    source = (
        "import numpy as jnp\nimport math as m\nfrom numpy import sin as s, sum\n"
        "from math import exp\n\n"
        "def f(x):\n    return sum(jnp.tanh(x) * s(x)) * exp(0.5) * m.sqrt(2.0)\n"
    )
    assert_derivatives(define(source, "f"), VECTOR, complex_ok=True)


def test_other_things_called_np_in_the_users_module():
    source = "np = 3.0\nmath = 2.0\n\ndef f(x):\n    y = abs(x) * np\n    return y * math * x\n"
    assert_derivatives(define(source, "f"), -1.3)


def test_function_called_like_a_derivative():
    source = "def f_grad(x):\n    return x * x\n\ndef f(x):\n    return f_grad(x) * x\n"
    assert_derivatives(define(source, "f"), 1.3, complex_ok=True)


def test_function_whose_argument_has_its_own_name():
    assert_derivatives(define("def f(f):\n    f = f * f\n    return f * f\n", "f"), 1.3)


def test_local_with_the_name_of_a_called_function():
    source = (
        "def helper(x):\n    helper = x * x\n    return helper\n\n"
        "def f(x):\n    y = helper(x)\n    return y * helper(y)\n"
    )
    assert_derivatives(define(source, "f"), 1.3, complex_ok=True)


def test_ligature_identifiers_are_one_name():
    """Python reads `ﬁ` as `fi` (NFKC)."""
    source = "def f(ﬁ):\n    y = fi * ﬁ\n    ﬁ = y * fi\n    return fi + y\n"
    assert_derivatives(define(source, "f"), 1.3, complex_ok=True)
    assert tl.grad(define(source, "f"), wrt="fi")(1.0) == 5.0


def test_greek_identifiers():
    source = "def f(α, β):\n    μ = α * β\n    σ = np.sin(μ) * α\n    return μ + σ\n"
    assert_derivatives(define(source, "f"), 1.3, 0.7, complex_ok=True)


def test_name_of_two_leading_underscores_outside_a_class():
    source = "def f(__x):\n    __y = __x * __x\n    return __y * __x\n"
    assert_derivatives(define(source, "f"), 1.3, complex_ok=True)


def names_that_differ_by_their_case(x, X):
    Y = x * X
    y = Y * X
    return y + Y


def test_names_that_differ_by_case():
    assert_derivatives(names_that_differ_by_their_case, 1.3, 0.7, complex_ok=True)


def primal_and_its_adjoint_names(x, bx, dx, bbx, ddx, dbx, bdx):
    x = x * bx
    bx = dx * x
    dx = bbx * bx
    return x * ddx + bx * dbx + dx * bdx


def test_every_name_of_second_order_taken():
    args = (1.3, 0.7, -0.4, 0.9, 1.1, -0.6, 0.8)
    assert_derivatives(primal_and_its_adjoint_names, *args, complex_ok=True)


def test_a_name_that_only_a_loop_without_turns_would_read_unbound():
    def f(s, y, n):
        for i in range(n):
            i, last = last, i  # noqa: F821, F841
            s += y.max()
        return s

    y = np.array([[0.3, 0.7], [1.3, 0.2]])
    assert tl.grad(f, wrt=(0, 1))(0.4, y, 0)[0] == 1.0
    with pytest.raises(UnboundLocalError, match="last"):
        tl.grad(f, wrt=(0, 1))(0.4, y, 2)
