"""Functions as they come: from notebooks, prompts, doctests, several modules, one line."""

# The programs below are written as they are on purpose.
# ruff: noqa: PLW0108, PLC3002

import doctest
import linecache
import math
import os
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import SourceError, TangentLikeError
from tests.derivatives import assert_derivatives, define

CELL = "def f(x):\n    y = x * x\n    if x > 1.0:\n        y = y * scale\n    return np.sin(y)\n"


def run_as(filename, source, **names):
    """What a notebook or a prompt does with a cell: compile it, and keep its text."""
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    module = {"__name__": "__main__", "np": np, "tl": tl, **names}
    exec(compile(source, filename, "exec"), module)
    return module


@pytest.mark.parametrize("filename", [
    "<ipython-input-3-0123456789ab>", "/tmp/ipykernel_4711/1234567890.py", "<python-input-7>",
    "<doctest a.b[3]>", "cell 2",
])  # fmt: skip
@pytest.mark.parametrize("x", [0.7, 1.7])
def test_cells(filename, x):
    assert_derivatives(run_as(filename, CELL, scale=2.0)["f"], x)


def test_a_cell_that_is_run_again():
    """The second cell has another name, and the first function is still the first."""
    first = run_as("<ipython-input-8-aa>", "def f(x):\n    return x * x\n")["f"]
    second = run_as("<ipython-input-9-bb>", "def f(x):\n    return x * x * x\n")["f"]
    assert (tl.grad(first)(2.0), tl.grad(second)(2.0)) == (4.0, 12.0)


def test_errors_in_cells_name_the_cell():
    f = run_as("<ipython-input-10-cc>", "def f(x):\n    return eval('x')\n")["f"]
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(1.0)
    assert "<ipython-input-10-cc>:2" in str(caught.value)
    assert "return eval('x')" in str(caught.value)


def test_exec_without_text_is_refused_with_a_way_out():
    module = {}
    exec("def f(x):\n    return x * x\n", module)
    with pytest.raises(SourceError) as caught:
        tl.grad(module["f"])(1.0)
    assert "file or a notebook" in str(caught.value)


DOCTEST = """
>>> import tangent_like as tl
>>> def cube(x):
...     return x * x * x
>>> tl.grad(cube)(2.0)
12.0
>>> square = lambda x: x * x
>>> tl.derivative(square, order=2)(3.0)
2.0
"""


def test_doctest():
    test = doctest.DocTestParser().get_doctest(DOCTEST, {}, "example", None, 0)
    results = doctest.DocTestRunner(verbose=False).run(test, out=lambda text: None)
    assert results.attempted == 5
    assert results.failed == 0


def python(*arguments):
    """A Python of its own that finds this package."""
    path = os.pathsep.join([str(Path(tl.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


def test_a_script_and_python_c(tmp_path):
    """A script's functions have a source; those of `python -c` have none before Python 3.13."""
    text = "import tangent_like as tl\ndef f(x):\n    return x * x\nprint(tl.grad(f)(3.0))\n"
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    done = python(script)
    assert done.stdout == "6.0\n", done.stderr
    done = python("-c", text)
    assert done.stdout == "6.0\n" or "SourceError" in done.stderr
    assert "KeyError" not in done.stderr


SESSION = """
import tangent_like as tl
def f(x):
    y = x * x
    return y

tl.grad(f)(3.0)
"""


def test_an_interactive_session():
    """The prompt keeps what was typed from Python 3.13 on; before, the way out is named."""
    done = subprocess.run(
        [sys.executable, "-i", "-q"], input=SESSION, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(tl.__file__).parents[1])},
    )  # fmt: skip
    if sys.version_info >= (3, 13):
        assert done.stdout == "6.0\n", done.stderr
    else:
        assert "SourceError" in done.stderr
        assert "file or a notebook" in done.stderr


two = (lambda x: x * x, lambda x: x * x * x)


def test_two_lambdas_on_one_line():
    assert (tl.grad(two[0])(2.0), tl.grad(two[1])(2.0)) == (4.0, 12.0)
    assert_derivatives(two[1], 0.7)


def calls_two_lambdas(x):
    f, g = lambda t: t * t, lambda t: np.sin(t)
    return f(x) * g(x) + (lambda t: t + x)(x) * (lambda t: t - x * x)(x)


def test_lambdas_on_one_line_inside():
    assert_derivatives(calls_two_lambdas, 0.7)


def test_helpers_of_one_name_from_two_modules():
    one = define("def helper(x):\n    return x * x\n", "helper")
    other = define("def helper(x):\n    return np.sin(x)\n", "helper")
    one_module, other_module = types.ModuleType("one"), types.ModuleType("other")
    one_module.helper, other_module.helper = one, other
    source = textwrap.dedent("""
        def helper(x):
            return x + 1.0
        def f(x):
            return one.helper(x) * other.helper(x) * helper(x)
    """)
    assert_derivatives(define(source, "f", one=one_module, other=other_module), 0.7)


def test_recursive_helpers_of_one_name_from_two_modules():
    text = "def helper(x, n):\n    return x if n == 0 else {} * helper(x, n - 1)\n"
    one, other = define(text.format("x"), "helper"), define(text.format("2.0"), "helper")
    f = define("def f(x):\n    return one(x, 2) * other(x, 3)\n", "f", one=one, other=other)
    assert tl.grad(f)(1.5) == pytest.approx(8.0 * 4.0 * 1.5**3, rel=1e-14)
    assert_derivatives(f, 0.7)


def make(factor):
    return lambda x: factor * x * x


def test_closures_of_one_definition_with_different_values():
    assert [tl.grad(make(k))(1.0) for k in (1.0, 2.0, 3.0)] == [2.0, 4.0, 6.0]
    f, g = make(2.0), make(5.0)
    both = define("def both(x):\n    return f(x) * g(x)\n", "both", f=f, g=g)
    assert_derivatives(both, 0.7)


COLLIDING = [
    "unbroadcast", "zeros_like", "x_tape", "indices", "bx", "dx", "t", "result", "returned",
    "broke", "saved", "count", "f_grad", "error", "array", "format", "outside", "handler_refused",
    "scatter_add_into", "order", "ordering", "drain", "item", "sequence", "total", "np", "math",
]  # fmt: skip


@pytest.mark.parametrize("name", COLLIDING)
def test_names_of_ours_as_names_of_the_users(name):
    source = textwrap.dedent(f"""
        import numpy
        def f(x, n):
            {name} = x
            for i in range(n):
                try:
                    {name} = {name} * x + numpy.sum(numpy.array([{name}, x])[[0, 0]])
                except KeyError:
                    pass
                print(f"{{{name}:.1f}}", end="")
                if {name} > 50.0:
                    return {name} * sum(sorted([u * x for u in numpy.array([{name}, x])]))
            return {name} * math_sin({name})
    """)
    f = define(source, "f", math_sin=math.sin)
    for x, n in ((0.7, 3), (1.9, 5)):
        assert_derivatives(f, x, n, wrt=0, order=1)
