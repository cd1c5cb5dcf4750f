"""What `backend="numba"` promises besides right answers."""

from __future__ import annotations

import contextlib
import math
import pickle
import sys
import warnings
from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

import tangent_like as tl
from tangent_like.backend.numba_dialect import diagnosis
from tangent_like.errors import ArgumentError, NotYetSupported
from tests.numba.agreement import assert_backends_agree

X = np.array([0.5, 1.5, 2.7])
factor = 2.0
weights = np.array([1.0, 2.0, 3.0])


def logistic_map(r: float, x: float, n: int):
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


def weighted(x):
    return factor * np.sum(weights * x * x)


def polynomial(x: float, y: float):
    return x * x * y + y * y


def test_source_is_what_numba_compiles() -> None:
    gradient = tl.grad(logistic_map, (0, 1), backend="numba")
    text = gradient.source(2.9, 0.3, 6)
    assert "@numba.njit\ndef logistic_map_grad(r, x, n):" in text
    assert "x_tape = np.empty(max(n, 0))" in text
    assert "reversed" not in text
    assert isinstance(gradient.generated(2.9, 0.3, 6), numba.core.dispatcher.Dispatcher)


def test_tapes_have_an_axis_for_each_loop() -> None:
    def f(x: float, n: int):
        y = 1.0
        for i in range(1, n):
            for j in range(n):
                y = y * math.sin(x + i * j)
        return y

    text = tl.source(f, types={"x": 0.5, "n": 4}, wrt=0, backend="numba")
    assert "y_tape[i - 1, j] = y" in text
    want = tl.grad(f)(0.5, 4)
    assert tl.grad(f, backend="numba")(0.5, 4) == pytest.approx(want, rel=1e-12)
    assert tl.grad(f, backend="numba")(0.5, -1) == 0.0


def test_what_lies_outside_is_read_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = tl.grad(weighted, backend="numba")
    assert np.allclose(gradient(X), 4.0 * weights * X, rtol=1e-15)
    monkeypatch.setattr(sys.modules[__name__], "factor", 5.0)
    assert np.allclose(gradient(X), 10.0 * weights * X, rtol=1e-15)


def test_gradients_inside_compiled_functions() -> None:
    gradient = tl.grad(weighted, backend="numba")
    both = tl.value_and_grad(polynomial, (0, 1), backend="numba")

    @numba.njit
    def step(x):
        return x - 0.1 * gradient(x)

    @numba.njit
    def total(x, y):
        value, (bx, by) = both(x, y)
        return value + bx + by

    assert np.allclose(step(X), X - 0.4 * weights * X, rtol=1e-15)
    assert total(2.0, 3.0) == 12.0 + 9.0 + 12.0 + 4.0 + 6.0
    assert total(2, 3) == total(2.0, 3.0)


def test_arrays_of_any_length_inside_compiled_functions() -> None:
    """Where only the types are known, neither equal lengths nor lengths of 1 are assumed."""
    gradient = tl.grad(lambda a, b: np.sum(np.sin(a * b) * b), (0, 1), backend="numba")

    @numba.njit
    def call(a, b):
        return gradient(a, b)

    plain = tl.grad(lambda a, b: np.sum(np.sin(a * b) * b), (0, 1))
    for a, b in ((X, X), (X, X[:1].copy()), (X[:1].copy(), X), (X[:2].copy(), X[1:].copy())):
        for got, want in zip(call(a, b), plain(a, b), strict=True):
            assert got.shape == want.shape
            assert np.allclose(got, want, rtol=1e-13)


def test_functions_that_numba_compiled() -> None:
    @numba.njit
    def square(x):
        return x * x

    @numba.njit(parallel=False)
    def f(x, n):
        total = 0.0
        for i in numba.prange(n):
            total += square(x) * i
        return total

    for options in ({}, {"backend": "numba"}):
        assert tl.grad(f, **options)(2.0, 4) == 24.0
        assert tl.value_and_grad(f, **options)(2.0, 4) == (24.0, 24.0)


def test_options_reach_numba() -> None:
    fast = tl.grad(polynomial, (0, 1), backend="numba", fastmath=True, parallel=True)
    assert "@numba.njit(fastmath=True, parallel=True)" in fast.source(2.0, 3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", numba.core.errors.NumbaPerformanceWarning)
        assert fast(2.0, 3.0) == (12.0, 10.0)


def neighbours(x):
    return x[2:] * x[:-2] + 3.0 * x[1:-1]


def chain(x):
    return np.sum((x[1:] - x[:-1] ** 2) ** 2)


def in_a_loop(x):
    total = 0.0
    for i in range(1, len(x)):
        total += math.sin(x[i] * x[i - 1]) * x[0]
    return total


def by_order(x):
    return np.sum(np.sort(x) ** 2 * x)


def recurrent(x):
    """Its tapes hold arrays, and in many directions stacks of them."""
    w = np.outer(x, x) + np.eye(len(x))
    h = np.zeros(len(x))
    total = 0.0
    for k in range(3):
        h = np.tanh(w @ h + x * k)
        total += np.sum(h * h)
    return total


@pytest.mark.parametrize("function", [chain, in_a_loop, by_order, recurrent])
def test_hessians_in_many_directions(function) -> None:
    hessian, plain = tl.hessian(function, backend="numba"), tl.hessian(function)
    for x in (X, X[:2], X):
        assert np.allclose(hessian(x), plain(x), rtol=1e-12, atol=1e-12)


def test_jacobians_with_a_band() -> None:
    jacobian = tl.jacobian(neighbours, backend="numba")
    for x in (X, np.linspace(-1.0, 1.0, 6), X):
        assert np.array_equal(jacobian(x), tl.jacobian(neighbours)(x))


def repeated(x):
    return np.repeat(x, 2) * np.concatenate((x, x))


def turned(x):
    return np.roll(x, 1) * np.flip(x)


def triangle(x):
    return np.trace(np.outer(x, x)) * np.tril(np.outer(x, x))[1]


@pytest.mark.parametrize("function", [repeated, turned, triangle])
def test_jacobians_that_numba_compiles_in_one_direction_only(function) -> None:
    jacobian = tl.jacobian(function, backend="numba")
    for _ in range(2):
        assert np.allclose(jacobian(X), tl.jacobian(function)(X), rtol=1e-12, atol=1e-12)


def test_decorator() -> None:
    @tl.differentiate(backend="numba")
    def f(x: float, y: float):
        return x * y * y

    assert f(2.0, 3.0) == 18.0
    assert f.grad(2.0, 3.0) == (9.0, 12.0)
    assert "@numba.njit" in f.source()


def test_every_operator() -> None:
    how: Any = {"backend": "numba"}
    assert tl.derivative(lambda x: x**4, order=2, **how)(2.0) == 48.0
    assert tl.hvp(polynomial, **how)(2.0, 3.0, 1.0) == 6.0
    assert np.allclose(tl.hessian(weighted, **how)(X), 2.0 * factor * np.diag(weights))
    assert np.allclose(tl.jacobian(np_square, **how)(X), np.diag(2.0 * X))
    assert np.allclose(tl.elementwise_grad(np_square, **how)(X), 2.0 * X)
    assert tl.jvp(polynomial, (2.0, 3.0), (1.0, 0.0), **how) == (21.0, 12.0)
    _, pullback = tl.vjp(np_square, X, **how)
    assert np.allclose(pullback(np.ones(3))[0], 2.0 * X)


def np_square(x):
    return x * x


def test_pickles() -> None:
    gradient = pickle.loads(pickle.dumps(tl.grad(polynomial, backend="numba")))
    assert gradient(2.0, 3.0) == 12.0


def test_exceptions_of_the_function_arrive() -> None:
    with pytest.raises(ZeroDivisionError):
        tl.grad(lambda x: 1.0 / x, backend="numba")(0.0)


# --- errors -------------------------------------------------------------------------------------


def spectrum(x):
    y = 2.0 * x
    z = np.fft.fft(y)
    return np.sum(np.abs(z) ** 2)


def test_what_numba_cannot_compile_names_the_line() -> None:
    with pytest.raises(NotYetSupported) as caught:
        tl.grad(spectrum, backend="numba")(X)
    assert caught.value.place.quoted.strip() == "z = np.fft.fft(y)"
    assert "Numba cannot compile the derivative of `spectrum`" in str(caught.value)
    assert "fft" in caught.value.message


def test_handlers_that_may_run_are_refused() -> None:
    def f(x, y):
        with contextlib.suppress(KeyError):
            y = y / x
        try:
            z = math.sqrt(x)
        except ValueError:
            z = 3.0 * y
        return z * y

    with pytest.raises(NotYetSupported, match="`try` with handlers") as caught:
        tl.grad(f, backend="numba")(2.0, 3.0)
    assert caught.value.place.quoted.strip() == "try:"


def test_recursion_is_refused() -> None:
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    with pytest.raises(NotYetSupported, match="recursive functions"):
        tl.grad(power, backend="numba")(2.0, 3)
    with pytest.raises(NotYetSupported, match="recursive functions"):
        tl.jvp(power, (2.0, 3), (1.0, None), backend="numba")


@pytest.mark.parametrize(
    "options", [{"backend": "fortran"}, {"fastmath": True}, {"parallel": True}]
)
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        tl.grad(polynomial, **options)


def test_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == "numba" or "numba_dialect" in name:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ArgumentError, match="not installed"):
        tl.grad(polynomial, backend="numba")
    assert tl.grad(polynomial)(2.0, 3.0) == 12.0


def ratios(x, y: float):
    t = x[0] / x[1] + 1.0 / x[2]
    if y > 1.0:
        t += np.sum(x) / np.min(x) + x[0] // x[1] + x[0] % x[1]
    return t * (2.0 / y)


@pytest.mark.parametrize("x", [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [1.0, 3.0, 2.0]])
def test_numbers_of_numpy_are_divided_by_zero(x: list[float]) -> None:
    with np.errstate(all="ignore"):
        assert_backends_agree(ratios, np.array(x), 2.0, modes=("rev",))


def test_numbers_of_python_are_not() -> None:
    def f(x: float):
        return 1.0 / x

    with pytest.raises(ZeroDivisionError):
        tl.grad(f, backend="numba")(0.0)


def test_elements_are_divided_by_zero() -> None:
    def f(x):
        y = x * x
        y[1] /= x[2]
        y[0] %= x[2]
        return y[0] + y[1]

    with np.errstate(all="ignore"):
        assert_backends_agree(f, np.array([1.0, 2.0, 0.0]), modes=("rev",))


@pytest.mark.parametrize(("said", "words"), [
    ("Untyped global name 'without_key': Cannot determine Numba type of <class 'function'>",
     "it has no form of `without_key`"),
    ("No implementation of function Function(<function add_at at 0x7f573a6a71a0>) found for "
     "signature:\n \n >>> add_at(int64)",
     "No implementation of function `add_at` found for signature add_at(int64)"),
])  # fmt: skip
def test_what_numba_says_of_helpers(said: str, words: str) -> None:
    found = diagnosis.explained(Exception(said), "f", dict)
    assert found.message == f"Numba cannot compile the derivative of `f`: {words}"
