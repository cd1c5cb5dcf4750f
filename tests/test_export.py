"""Exported modules stand alone: they are run where this package cannot be imported."""

from __future__ import annotations

import ast
import copy
import importlib.util
import inspect
import itertools
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError, NotYetSupported
from tangent_like.rules import registry
from tests.derivatives import define, same
from tests.test_golden import CASES

_numbers = itertools.count()

# Runs modules in a process in which every import of this package fails.
DRIVER = """
import importlib.util, pickle, sys

class Refusing:
    def find_spec(self, name, *rest):
        if name.split(".")[0] == "tangent_like":
            raise ImportError("an exported module imports " + name)

sys.meta_path.insert(0, Refusing())
results = []
for path, name, args in pickle.load(sys.stdin.buffer):
    spec = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    results.append(getattr(module, name)(*args))
assert not any(name.startswith("tangent_like") for name in sys.modules)
pickle.dump(results, sys.stdout.buffer)
"""


def run_alone(calls: list[tuple[Path, str, tuple[Any, ...]]]) -> list[Any]:
    """The results of functions of exported modules, in a process without this package."""
    data = pickle.dumps([(str(path), name, args) for path, name, args in calls])
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], input=data, capture_output=True, check=False,
        env=environment, cwd=calls[0][0].parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return list(pickle.loads(done.stdout))


def last_function(path: Path) -> str:
    """The derivative is the last function before the helpers, and the only one documented so."""
    text = path.read_text()
    return text.split("`")[1]


def lint(*paths: Path) -> str:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select",
               "E,W,F,I,B,UP,C4,PIE,RET,SIM,RUF", "--ignore", "SIM108,RET504,RET505"]  # fmt: skip
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"exported_{next(_numbers)}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exported(f, path: Path, *args, **options):
    """The exported derivative, linted."""
    tl.export(f, path, *args, **options)
    assert lint(path) == ""
    assert "tangent_like" not in {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    return getattr(loaded(path), last_function(path))


# --- many functions ------------------------------------------------------------------------------


def golden_exports(folder):
    """The exported modules of the golden cases, with arguments and what must come out."""
    for number, case in enumerate(case for case in CASES if "error" not in case.sections):
        home = folder / f"case_{number}"
        home.mkdir()
        f = case.function(home)
        args = tuple(case.arguments.values())
        value, pullback = tl.vjp(f, *args)
        seed = (1.0,) if np.ndim(value) == 0 else (value,)
        cotangents = pullback(*seed)
        path = folder / f"module_{number}.py"
        tl.export(f, path, types=case.arguments)
        gradients = tuple(g for g in cotangents if g is not None)
        found = gradients if len(gradients) > 1 else gradients[0]
        if np.ndim(value) == 0:
            active = tuple(i for i, g in enumerate(cotangents) if g is not None)
            found = tl.grad(f, wrt=active if len(active) > 1 else active[0])(*args)
            seed = ()
        yield path, (*args, *seed), found
        path = folder / f"module_{number}_tangent.py"
        tl.export(f, path, "tangent", types=case.arguments)
        chosen = tuple(g for g in cotangents if g is not None)  # any tangents will do
        yield path, (*args, *chosen), tl.jvp(f, args, cotangents)


def test_golden_cases_give_the_same_numbers_alone(tmp_path):
    found = list(golden_exports(tmp_path))
    assert len(found) > 30
    results = run_alone([(path, last_function(path), args) for path, args, _ in found])
    for (path, _, expected), result in zip(found, results, strict=True):
        assert same(result, expected), path.read_text()
    assert lint(*[path for path, _, _ in found]) == ""


UNTYPED = {
    "broadcasting": ("def f(x, w): return np.mean(np.exp(x[:, None] * w) + w)", (3,), (4,)),
    "a matrix product": ("def f(x, w): return np.sum(np.tanh(x @ w) ** 2)", (2, 3), (3,)),
    "picking": ("def f(x, w): return x[1] * w[0] + np.max(x[::2]) - np.sort(w)[-1]", (5,), (3,)),
    "joining": ("def f(x, w): return np.sum(np.concatenate([x, w]) ** 3)", (2,), (3,)),
    "a decomposition": ("def f(x, w): return np.linalg.slogdet(x @ x.T + 1.0)[1] * w.sum()",
                        (2, 2), (3,)),
    "products": ("def f(x, w): return np.prod(x) * np.cumprod(w)[-1]", (3,), (2,)),
    "powers": ("def f(x, w): return np.sum(x ** 2.5) + np.linalg.norm(w)", (3,), (2,)),
    "an einsum": ("def f(x, w): return np.einsum('ij,j->', x, w)", (2, 3), (3,)),
    "a loop": ("def f(x, w):\n    s = 0.0\n    for a in x:\n        s = s + a * w[0]\n"
               "    return s", (4,), (2,)),
    "a recursion": ("def p(x, n):\n    return 1.0 if n == 0 else x * p(x, n - 1)\n"
                    "def f(x, w): return p(x[0], 3) * w[0]", (2,), (2,)),
}  # fmt: skip


def test_untyped_functions_and_the_helpers_that_they_need(tmp_path):
    rng = np.random.default_rng(0)
    calls, expected = [], []
    for number, (text, *shapes) in enumerate(UNTYPED.values()):
        f = define(text, "f")
        args = tuple(rng.uniform(0.5, 2.0, shape) for shape in shapes)
        path = tmp_path / f"module_{number}.py"
        tl.export(f, path, wrt=(0, 1))
        calls.append((path, "f_grad", args))
        expected.append(tl.grad(f, wrt=(0, 1))(*args))
    assert lint(*[path for path, _, _ in calls]) == ""
    for name, result, right in zip(UNTYPED, run_alone(calls), expected, strict=True):
        for a, b in zip(result, right, strict=True):
            assert np.allclose(a, b, rtol=1e-13), name


def test_what_it_says_of_itself(tmp_path):
    f = define("def loss(w, b: float, n: int):\n    return np.sum(w ** n) * b\n", "loss")
    path = tmp_path / "module.py"
    derivative = exported(f, path, types={"w": np.ones(3)})
    assert inspect.getdoc(derivative) == (
        "The gradient of `loss` with respect to `w` and `b`, as a tuple.\n\n"
        "w: a float64 array of 1 axis\nb: a float\nn: an int"
    )
    assert (loaded(path).__doc__ or "").startswith("`loss_grad`: a derivative of `loss`.\n")
    tangent = exported(f, path, "tangent", "b", types={"w": np.ones(3)})
    assert tangent.__doc__.startswith(
        "The value of `loss` and its tangent, for the tangent `db` of `b`."
    )
    vector = exported(lambda x: 2.0 * x, path, types={"x": np.ones(3)})
    assert vector.__doc__.startswith("The cotangent of `x` for the cotangent `by` of the result")
    assert np.array_equal(vector(np.ones(3), np.arange(3.0)), [0.0, 2.0, 4.0])


def test_ints_are_floats(tmp_path):
    derivative = exported(define("def f(x: float): return x ** -2", "f"), tmp_path / "m.py")
    assert derivative(2) == derivative(np.float64(2.0)) == -0.25
    assert type(derivative(np.float64(2.0))) is float
    with pytest.raises(TypeError):
        derivative(np.ones(3))


# --- what lies outside ---------------------------------------------------------------------------


OUTSIDE = """
rate = 0.1
count = 3
data = np.array([[1.5, 2.5], [0.1, np.inf]])[:, :1]
small = np.array([1, 2], dtype=np.float32)
empty = np.zeros((0, 2))
whole = np.array([3, 4])
pair = (0.1, (2, -1e-300))
single = np.float32(0.1)
z = 1.0 - 2.0j
missing = float("nan")
settings = type("Settings", (), {"scale": 4.0})
far = -float("inf")

def f(x):
    s = x * rate * count + np.sum(data) * x + np.sum(small * x) + np.sum(empty * x)
    return s + whole[0] * x + pair[0] * x + pair[1][1] * x + single * x + (z * x).real
"""


def test_numbers_and_arrays_become_constants(tmp_path):
    f = define(OUTSIDE, "f")
    derivative = exported(f, tmp_path / "m.py", types={"x": 2.0})
    assert derivative(2.0) == tl.grad(f)(2.0)
    text = (tmp_path / "m.py").read_text()
    assert "RATE = 0.1\n" in text
    assert "# The global variable `rate`, as it was when this was written.\n" in text
    for name in ("data", "small", "whole", "pair", "single", "z"):
        constant = getattr(loaded(tmp_path / "m.py"), name.upper())
        value = f.__globals__[name]
        assert same(constant, value) and getattr(constant, "dtype", 0) == getattr(value, "dtype", 0)


@pytest.mark.parametrize("name", ["missing", "far"])
def test_numbers_that_are_none(tmp_path, name):
    f = define(OUTSIDE + f"\ndef g(x): return x * {name}\n", "g")
    derivative = exported(f, tmp_path / "m.py", types={"x": 2.0})
    assert np.array_equal(derivative(2.0), f.__globals__[name], equal_nan=True)


def test_attributes_and_cells(tmp_path):
    f = define(OUTSIDE + "\ndef g(x): return x * settings.scale\n", "g")
    assert exported(f, tmp_path / "m.py", types={"x": 2.0})(2.0) == 4.0
    make = define("def make(k):\n    return lambda x: x * k\n", "make")
    assert exported(make(7.0), tmp_path / "m.py", types={"x": 2.0})(2.0) == 7.0


def test_constants_do_not_follow(tmp_path):
    f = define("rate = 2.0\ndef f(x): return x * rate", "f")
    derivative = exported(f, tmp_path / "m.py", types={"x": 2.0})
    f.__globals__["rate"] = 5.0
    assert derivative(1.0) == 2.0 and tl.grad(f)(1.0) == 5.0


def test_data_is_refused(tmp_path):
    f = define("data = np.zeros(5000)\ndef f(x): return np.sum(data * x)", "f")
    with pytest.raises(NotYetSupported, match="`data`, an array of 5000 elements") as caught:
        tl.export(f, tmp_path / "m.py", types={"x": 1.0})
    assert caught.value.place.line == 2 and "argument" in str(caught.value)
    assert not (tmp_path / "m.py").exists()


# --- other functions -----------------------------------------------------------------------------


@pytest.fixture
def registered(monkeypatch):
    """Registers rules that are forgotten after the test."""
    for table in ("rules", "own"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))


RULED = """
import math
from functools import partial
half = 0.5

def part(x):
    return math.exp(x) * half

def soft(x: float, *, by: float = 1.0) -> float:
    y: float = part(x)
    return math.log(1.0 + y) * by

def f(x: float):
    return soft(x) * x
"""


def test_functions_with_rules_are_copied(tmp_path, registered):
    f = define(RULED, "f")
    tl.elementwise(f.__globals__["soft"], lambda x, y: 1 - np.exp(-y))
    derivative = exported(f, tmp_path / "m.py")
    assert derivative(0.3) == tl.grad(f)(0.3)
    text = (tmp_path / "m.py").read_text()
    assert "def soft(x, *, by=1.0):\n    y = part(x)\n" in text
    assert "half = 0.5" in text and "import math" in text and "partial" not in text
    (result,) = run_alone([(tmp_path / "m.py", "f_grad", (0.3,))])
    assert result == tl.grad(f)(0.3)


@pytest.mark.parametrize(
    "text, why",
    [
        ("import functools\n@functools.lru_cache\ndef g(x):\n    return x\n", "`g`"),
        ("class G:\n    def __call__(self, x):\n        return x\ng = G()\n", "`.*G"),
        ("def plain(h):\n    return h\n@plain\ndef g(x):\n    return x\n", "decorated"),
        ("def make(k):\n    def g(x):\n        return x + k\n    return g\ng = make(1.0)\n",
         "variables around it"),
        ("box = object()\ndef g(x):\n    return x if box else x\n", "`box`"),
    ],
)
def test_what_cannot_be_copied_is_refused(tmp_path, registered, text, why):
    f = define(f"{text}def f(x: float):\n    return g(x) * x\n", "f")
    tl.elementwise(f.__globals__["g"], lambda x, y: x * 1.0)
    with pytest.raises(NotYetSupported, match=why) as caught:
        tl.export(f, tmp_path / "m.py")
    assert caught.value.place.line > 0


def test_a_rule_for_a_function_with_a_cache_is_used(registered):
    text = "import functools\n@functools.lru_cache\ndef g(x):\n    return x\n"
    f = define(f"{text}def f(x: float):\n    return g(x) * x\n", "f")
    assert tl.grad(f)(3.0) == 6.0
    tl.elementwise(f.__globals__["g"], lambda x, y: x * 1.0)
    assert tl.grad(f)(3.0) == 12.0


CUSTOM = """
@tl.custom_vjp
def clipped(x):
    return x * x

def forward(x):
    return clipped(x), x

def backward(x, g):
    return (min(g, 1.0) * x,)

clipped.defvjp(forward, backward)

def f(x: float):
    return clipped(x) * 3.0
"""


def test_given_derivatives(tmp_path):
    f = define(CUSTOM, "f")
    assert exported(f, tmp_path / "m.py")(2.0) == tl.grad(f)(2.0) == 2.0


def test_errors_of_helpers(tmp_path):
    f = define(
        "def f(x, y):\n    for i in range(len(x)):\n        x[i] = x[i] * y[i]\n"
        "    return np.sum(x)\n",
        "f",
    )
    args = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    types = dict(zip("xy", args, strict=True))
    derivative = exported(f, tmp_path / "m.py", types=types)
    assert same(derivative(*args), tl.grad(f, wrt=(0, 1))(*args))
    with pytest.raises(Exception, match="share memory") as caught:
        derivative(args[0], args[0])
    assert type(caught.value).__module__.startswith("exported")


# --- Numba ---------------------------------------------------------------------------------------


def test_modules_for_numba(tmp_path):
    pytest.importorskip("numba")
    f = define(
        "rate = 0.5\nscales = np.array([1.0, 2.0])\n"
        "def f(x, k: float, n: int):\n    s = 0.0\n    for i in range(n):\n"
        "        s = s + np.sin(x[i] * k) * rate * scales[i % 2]\n    return s * s\n",
        "f",
    )
    args = np.linspace(0.0, 1.0, 4), 1.5, 4
    types = {"x": args[0]}
    derivative = exported(f, tmp_path / "m.py", types=types, backend="numba")
    assert type(derivative).__name__ == "CPUDispatcher"
    for a, b in zip(derivative(*args), tl.grad(f, wrt=(0, 1))(*args), strict=True):
        assert np.allclose(a, b, rtol=1e-13)
    (alone,) = run_alone([(tmp_path / "m.py", "f_grad", args)])
    assert same(alone, derivative(*args))


M = np.array([[0.3, -1.2], [0.8, 0.5], [1.1, 2.0]])
HELPERS_FOR_NUMBA = {
    "a reduction": (
        "def f(x, w):\n    return np.sum(np.exp(x * w), axis=0).max()\n", (M, 0.1 * M),
    ),
    "one over two axes": (
        "def f(x):\n    return np.sum(np.sum(x * x, axis=0) ** 2) * np.sum(np.max(x, axis=1))\n",
        (M,),
    ),
    "helpers that call others": (
        "def f(x):\n    return np.sum(x * np.var(x, axis=1, keepdims=True, ddof=1))\n", (M,),
    ),
    "three axes": (
        "def f(x, w):\n    return np.sum(np.einsum('bij,jk->bik', x, w) ** 2)\n",
        (np.stack([M, M + 1.0]), M.T),
    ),
    "stacks of matrices": (
        "def f(x):\n    return np.sum(np.linalg.inv(x @ x.transpose(0, 2, 1) + np.eye(3)))\n",
        (np.stack([M, M + 1.0]),),
    ),
    "arrays that are repeated": (
        "def f(w, x):\n    return np.sum(np.exp(x * w))\n", (np.array([0.5, 2.0]), M),
    ),
    "lists": (
        "def f(xs, n):\n    ys = [x * x for x in xs]\n    s = 0.0\n    for i in range(n):\n"
        "        ys[i % 3] = ys[(i + 1) % 3] * 0.5\n        s = s + ys[0]\n    return s\n",
        ([1.0, 2.0, 3.0], 4),
    ),
    "tuples": (
        "def f(p):\n    return np.sum(np.max(p[0] * p[1], axis=1))\n", ((M, M[0]),),
    ),
    "special functions": (
        "def f(x):\n    return np.sum(np.sinc(x))\n", (M,),
    ),
    "places that occur twice": (
        "def f(x, k):\n    return np.sum(x[k] ** 2)\n", (M, np.array([0, 2, 0])),
    ),
    "arguments of which one is written into": (
        "def f(x, w):\n    for i in range(len(x)):\n        x[i] = x[i] * w[i]\n"
        "    return np.sum(x * x)\n",
        (M[:, 0].copy(), M[:, 1].copy()),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HELPERS_FOR_NUMBA)
def test_helpers_are_written_for_numba(tmp_path, case):
    pytest.importorskip("numba")
    source, args = HELPERS_FOR_NUMBA[case]
    f, path = define(source, "f"), tmp_path / "m.py"
    names = list(inspect.signature(f).parameters)
    types = dict(zip(names, args, strict=True))
    exported(f, path, wrt=0, types=types, backend="numba")
    (alone,) = run_alone([(path, "f_grad", copy.deepcopy(args))])
    assert close(alone, tl.grad(f)(*copy.deepcopy(args)))
    assert path.read_text().count("@numba.njit\ndef ") > 1


def close(got: Any, want: Any) -> bool:
    return all(np.allclose(a, b, rtol=1e-12) for a, b in zip(got, want, strict=True)) \
        if isinstance(want, (list, tuple)) else np.allclose(got, want, rtol=1e-12)  # fmt: skip


def test_helpers_for_numba_say_for_which_types(tmp_path):
    pytest.importorskip("numba")
    source, (x,) = HELPERS_FOR_NUMBA["one over two axes"]
    exported(define(source, "f"), tmp_path / "m.py", types={"x": x}, backend="numba")
    texts = {node.name: ast.get_docstring(node) for node in
             ast.parse((tmp_path / "m.py").read_text()).body if isinstance(node, ast.FunctionDef)}
    assert texts["sum_over"] == "The sum over axes.\n\nx: float64[:, :]\naxis: 0\nkeepdims: False"


def test_helpers_for_numba_serve_arrays_in_any_order_of_memory(tmp_path):
    pytest.importorskip("numba")
    f = define("def f(x):\n    return np.sum(np.max(x, axis=1) ** 2)\n", "f")
    derivative = exported(f, tmp_path / "m.py", types={"x": M}, backend="numba")
    for x in (M, np.asfortranarray(M), M[::-1], M.T):
        assert np.array_equal(derivative(x), tl.grad(f)(x))


def test_helpers_for_numba_need_types(tmp_path):
    pytest.importorskip("numba")
    f = define("def f(x):\n    return np.sum(np.max(x, axis=1) ** 2)\n", "f")
    with pytest.raises(NotYetSupported, match="the argument `x` of an unknown type") as caught:
        tl.export(f, tmp_path / "m.py", wrt=0, backend="numba")
    assert "types={'x': ...}" in str(caught.value)


def test_what_numba_cannot_compile_is_not_exported_with_helpers(tmp_path):
    pytest.importorskip("numba")
    f = define("def f(x):\n    return np.sum(np.max(np.kron(x, x), axis=1))\n", "f")
    with pytest.raises(NotYetSupported, match="Numba cannot compile this derivative"):
        tl.export(f, tmp_path / "m.py", types={"x": np.ones((2, 2, 2))}, backend="numba")


# --- names ---------------------------------------------------------------------------------------


def test_names_of_the_users_that_helpers_have(tmp_path):
    f = define(
        "def f(x, np, unbroadcast, l):\n    add = x * np\n    return (add * unbroadcast * l).sum()",
        "f",
    )
    args = (np.ones((2, 3)), np.ones(3), np.full((2, 1), 2.0), 1.5)
    derivative = exported(f, tmp_path / "m.py", wrt=(0, 1, 2, 3))
    assert same(derivative(*args), tl.grad(f, wrt=(0, 1, 2, 3))(*args))


def test_a_procedure_with_the_name_of_a_helper(tmp_path):
    f = define(
        "def unbroadcast(n):\n    return 1.0 if n == 0 else 2.0 * unbroadcast(n - 1)\n"
        "def f(x, w, n: int):\n    return (x * w).sum() * unbroadcast(n)\n",
        "f",
    )
    with pytest.raises(NotYetSupported, match="another name"):
        tl.export(f, tmp_path / "m.py", wrt=0)


def test_long_expressions_are_broken(tmp_path):
    names = [f"a_rather_long_name_{i}" for i in range(4)]
    text = f"def f({', '.join(names)}):\n    return {' * '.join(f'{n} ** 2' for n in names)}\n"
    f = define(text, "f")
    derivative = exported(f, tmp_path / "m.py", types=dict.fromkeys(names, 1.0))
    args = (1.5, 2.5, 3.5, 4.5)
    assert derivative(*args) == tl.grad(f, wrt=(0, 1, 2, 3))(*args)


# --- misuse --------------------------------------------------------------------------------------


def test_misuse(tmp_path):
    f = define("def f(x: float, n: int): return x * n", "f")
    with pytest.raises(ArgumentError, match="mode"):
        tl.export(f, tmp_path / "m.py", mode="backwards")
    with pytest.raises(ArgumentError, match="no argument"):
        tl.export(f, tmp_path / "m.py", wrt="y")
    with pytest.raises(FileNotFoundError):
        tl.export(f, tmp_path / "nowhere" / "m.py")
