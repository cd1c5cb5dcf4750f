"""Wrong use: each case gives one of this package's errors, that says what to do."""

import importlib
import math
import sys

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import (
    ArgumentError,
    InternalError,
    NoRuleError,
    SourceError,
    TangentLikeError,
)
from tests.derivatives import define

VECTOR = np.array([0.3, -1.2, 2.1])


def product(x, y):
    return x * y


def total(x):
    return np.sum(x * x)


def kind(thing):
    return type(thing).__name__


def error_of(call, expected=TangentLikeError):
    """The error that `call()` raises, which must be of the expected kind."""
    with pytest.raises(expected) as caught:
        call()
    assert not isinstance(caught.value, InternalError), caught.value
    return caught.value


# ---------------------------------------------------------------- the function


def without_source(text="def f(x):\n    return x * x\n"):
    module = {"np": np}
    exec(text, module)
    return module["f"]


def test_missing_source():
    error = error_of(lambda: tl.grad(without_source())(2.0), SourceError)
    assert "source" in str(error)
    assert error.hint


def test_missing_source_of_a_helper():
    f = define("def f(x):\n    return helper(x) * x  # HERE\n", "f", helper=without_source())
    error = error_of(lambda: tl.grad(f)(2.0))
    assert (error.place.file, error.place.line) == (f.__code__.co_filename, 2)


def test_c_function_without_a_rule():
    special = pytest.importorskip("scipy.special")
    text = "def f(x):\n    y = x * x\n    return special.struve(0, y) * x  # HERE\n"
    f = define(text, "f", special=special)
    error = error_of(lambda: tl.grad(f)(2.0), NoRuleError)
    assert (error.place.file, error.place.line) == (f.__code__.co_filename, 3)
    assert "struve" in error.message
    assert "elementwise" in error.hint


def test_numpy_function_without_a_rule():
    f = define("def f(x):\n    y = x * x\n    return np.sum(np.poly(y)) * x[0]  # HERE\n", "f")
    error = error_of(lambda: tl.grad(f)(VECTOR))
    assert (error.place.file, error.place.line) == (f.__code__.co_filename, 3)
    assert "poly" in error.message


def test_function_without_a_rule_on_constants_is_harmless():
    f = define("def f(x, n):\n    return math.ulp(2.0) * x + math.gcd(n, 6) * x\n", "f", math=math)
    assert tl.grad(f)(2.0, 4) == 2.0 + math.ulp(2.0)


def test_builtin_function_as_the_differentiated_function():
    error = error_of(lambda: tl.grad(math.nextafter)(2.0, 9.0))
    assert "nextafter" in str(error)


@pytest.mark.parametrize("thing", [3.0, None, "np.sin", VECTOR, [math.sin]], ids=kind)
def test_something_that_is_not_a_function(thing):
    error = error_of(lambda: tl.grad(thing)(2.0), ArgumentError)
    assert isinstance(error, TypeError)


def test_file_edited_after_import(tmp_path, monkeypatch):
    path = tmp_path / "module_edited_after_import.py"
    path.write_text("def f(x):\n    return x * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    f = importlib.import_module("module_edited_after_import").f
    path.write_text("def f(x):\n    return x * x * x\n")
    error = error_of(lambda: tl.grad(f)(2.0), SourceError)
    assert error.place.file == str(path)
    assert "changed" in str(error) or "edited" in str(error)


def test_lines_inserted_above_a_function_after_import(tmp_path, monkeypatch):
    path = tmp_path / "module_with_new_lines.py"
    path.write_text("def g(x):\n    return x\n\n\ndef f(x):\n    return x * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    f = importlib.import_module("module_with_new_lines").f
    path.write_text("# new\n# lines\n\n\n" + path.read_text())
    try:
        assert tl.grad(f)(2.0) == 4.0
    except SourceError as error:
        assert error.place.file == str(path)


def test_file_deleted_after_import(tmp_path, monkeypatch):
    path = tmp_path / "module_deleted_after_import.py"
    path.write_text("def f(x):\n    return x * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    f = importlib.import_module("module_deleted_after_import").f
    path.unlink()
    error_of(lambda: tl.grad(f)(2.0), SourceError)


def test_source_that_is_only_in_memory():
    assert tl.grad(define("def f(x):\n    return x * x\n", "f"))(2.0) == 4.0


# ---------------------------------------------------------------- the arguments


@pytest.mark.parametrize("wrt", ["z", 2, -3, (0, "z"), (0, 5)], ids=str)
def test_unknown_wrt(wrt):
    error = error_of(lambda: tl.grad(product, wrt=wrt)(2.0, 3.0), ArgumentError)
    assert isinstance(error, TypeError)
    assert "x" in str(error)
    assert "y" in str(error)


@pytest.mark.parametrize("wrt", [None, 1.5, [0, 1.5], {"x": 1}], ids=str)
def test_wrt_of_a_wrong_type(wrt):
    assert isinstance(error_of(lambda: tl.grad(product, wrt=wrt)(2.0, 3.0)), TypeError)


@pytest.mark.parametrize("args", [(), (2.0,), (2.0, 3.0, 4.0)], ids=str)
def test_wrong_number_of_arguments(args):
    for derivative in (tl.grad(product), tl.value_and_grad(product)):
        with pytest.raises(TypeError, match=r"product|argument"):
            derivative(*args)


def test_unknown_keyword_argument():
    with pytest.raises(TypeError, match="z"):
        tl.grad(product)(2.0, 3.0, z=4.0)


def test_argument_given_twice():
    with pytest.raises(TypeError, match="x"):
        tl.grad(product)(2.0, x=3.0)


def test_wrong_number_of_primals():
    assert isinstance(error_of(lambda: tl.jvp(product, (2.0,), (1.0,)), TypeError), TypeError)
    assert isinstance(error_of(lambda: tl.vjp(product, 2.0), TypeError), TypeError)


def test_wrong_number_of_tangents():
    error_of(lambda: tl.jvp(product, (2.0, 3.0), (1.0,)), ArgumentError)


def test_tangent_of_another_shape():
    error_of(lambda: tl.jvp(total, (VECTOR,), (np.ones(4),)), ArgumentError)
    error_of(lambda: tl.jvp(total, (VECTOR,), ((1.0, 1.0, 1.0),)), ArgumentError)


def test_cotangent_of_another_shape():
    pullback = tl.vjp(lambda x: x * x, VECTOR)[1]
    error_of(lambda: pullback(np.ones(4)), ArgumentError)


@pytest.mark.parametrize("mode", [tl.grad, tl.value_and_grad], ids=lambda f: f.__name__)
def test_integer_array(mode):
    error = error_of(lambda: mode(total)(np.array([1, 2, 3])), ArgumentError)
    assert isinstance(error, TypeError)
    assert "astype(float)" in str(error)
    assert "x" in error.message


def test_boolean_array():
    error = error_of(lambda: tl.grad(total)(np.array([True, False])), ArgumentError)
    assert isinstance(error, TypeError)


def test_integer_array_that_is_not_differentiated():
    gradient = tl.grad(lambda x, k: np.sum(x * k))(VECTOR, np.array([1, 2, 3]))
    np.testing.assert_array_equal(gradient, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("thing", ["text", None, object(), np.array(["a"]), {1, 2}], ids=kind)
def test_argument_that_has_no_derivative(thing):
    assert "x" in str(error_of(lambda: tl.grad(lambda x: 1.0)(thing)))


# ---------------------------------------------------------------- the result


@pytest.mark.parametrize(
    "result", ["x", "x[:1]", "x[None, :1]", "(x[0], x[1])", "[x[0]]", "np.outer(x, x)"]
)
def test_result_that_is_not_a_scalar(result):
    f = define(f"def f(x):\n    return {result}\n", "f")
    for mode in (tl.grad, tl.value_and_grad):
        error = error_of(lambda mode=mode: mode(f)(VECTOR))
        assert isinstance(error, TypeError)
        assert "jacobian" in str(error)


@pytest.mark.parametrize("result", ["'text'", "None"])
def test_result_that_is_not_a_number(result):
    f = define(f"def f(x):\n    y = x * x\n    return {result}\n", "f")
    assert isinstance(error_of(lambda: tl.grad(f)(2.0)), TypeError)


def test_has_aux_without_a_pair():
    error_of(lambda: tl.grad(total, has_aux=True)(VECTOR), ArgumentError)


def test_zero_dimensional_result_is_a_scalar():
    f = define("def f(x):\n    return np.array(0.5) * np.squeeze(x)\n", "f")
    np.testing.assert_array_equal(tl.grad(f)(np.array([[3.0]])), [[0.5]])


# ---------------------------------------------------------------- the user's own errors


def fails(x):
    y = x * x
    return y + undefined_name  # noqa: F821


def test_undefined_name_is_the_users_name_error():
    with pytest.raises(NameError, match="undefined_name"):
        tl.grad(fails)(2.0)


def shapes_do_not_fit(x):
    return np.sum(x @ np.ones((5, 2)))


def test_numpy_error_arrives_unchanged():
    with pytest.raises(ValueError, match="matmul"):
        tl.grad(shapes_do_not_fit)(VECTOR)


def test_zero_division_arrives_unchanged():
    with pytest.raises(ZeroDivisionError):
        tl.grad(lambda x, y: x / y)(1.0, 0.0)


def test_math_domain_error_arrives_unchanged():
    with pytest.raises(ValueError, match="domain"):
        tl.grad(lambda x: math.log(x) * x)(-1.0)


def test_a_failed_call_leaves_the_next_one_right():
    gradient = tl.grad(total)
    error_of(lambda: gradient(np.array([1, 2, 3])))
    np.testing.assert_array_equal(gradient(VECTOR), 2.0 * VECTOR)
