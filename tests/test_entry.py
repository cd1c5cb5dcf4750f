"""Choosing the compiled version at a call: at once where arguments are like those of the version
compiled last, and always the right one."""

import math
import pickle
import sys
import types
from dataclasses import dataclass

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NeverSupported
from tests.derivatives import define

FACTOR = 2.0


def product(a, b, c, d):
    return a * b * c * d


def scaled(x):
    return x * x * FACTOR


def square(x):
    return x * x


def total(x):
    return np.sum(x * x)


def layer(p, x):
    return np.sum(p["w"] * x + p["b"][0])


def horner(coefficients, x):
    y = 0.0
    for c in coefficients:
        y = y * x + c
    return y


@dataclass
class Line:
    slope: float
    at: np.ndarray
    name: str = "line"


def on_line(line, x):
    return np.sum(line.slope * line.at * x)


def calls_of(function, *args, **keywords):
    """The names of the Python functions that a call enters."""
    entered = []

    def profile(frame, event, argument):
        if event == "call":
            entered.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function(*args, **keywords)
    finally:
        sys.setprofile(before)
    return entered


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (product, (1.0, 2.0, 3.0, 4.0)),
        (product, (1, 2, True, 4.0)),
        (square, (np.float64(3.0),)),
        (total, (np.ones(3),)),
        (total, (np.ones((20, 30)),)),
        (scaled, (1.5,)),
        (layer, ({"w": np.ones(2), "b": (1.0, 3)}, np.ones(2))),
        (horner, ([1.0, 2.0, 3.0], 0.5)),
        (horner, ((1.0, 2.0, 3.0), 0.5)),
    ],
)
def test_the_second_call_enters_one_function_and_the_generated_one(function, args):
    gradient = tl.grad(function)
    gradient(*args)
    name = f"{function.__name__}_grad"
    entered = calls_of(gradient, *args)
    assert entered[:2] == [name, name]
    assert "choose" not in entered


@pytest.mark.parametrize(
    "x", [3.0, 3, np.float64(3.0), np.float32(3.0), np.int64(3), np.array(3.0), 3j]
)
@pytest.mark.parametrize("before", [2.0, 2, np.float64(2.0), np.ones(4)])
def test_each_kind_of_argument_is_served_after_each_other(before, x):
    cube = tl.vjp(square, before)[1]  # compiled for another kind first
    assert cube is not None
    gradient = tl.elementwise_grad(square)
    gradient(before)
    for _ in range(2):
        assert gradient(x) == 2 * x
        assert np.all(gradient(before) == 2 * before)


def test_shapes_and_element_types_after_one_another():
    gradient = tl.grad(total)
    for shape in [(3,), (4,), (1,), (2, 3), (3,), (0,)]:
        for dtype in ("float64", "float32"):
            x = np.full(shape, 1.5, dtype)
            found = gradient(x)
            assert found.shape == shape and found.dtype == dtype and np.all(found == 3.0)


def test_subclasses_are_not_taken_for_their_classes():
    class Length(float):
        pass

    gradient = tl.grad(square)
    assert gradient(2.0) == 4.0
    assert gradient(Length(3.0)) == 6.0


def test_defaults_and_keywords():
    def f(x, k=2.0, *, shift=0.0):
        return x**2 * k + shift * x

    gradient = tl.grad(f)
    for _ in range(2):
        assert gradient(3.0) == 12.0
        assert gradient(3.0, 5.0) == 30.0
        assert gradient(3.0, k=5.0) == 30.0
        assert gradient(x=3.0, shift=1.0) == 13.0
    f.__defaults__ = (4.0,)
    assert gradient(3.0) == 24.0


@pytest.mark.parametrize(
    ("args", "keywords"), [((), {}), ((1.0, 2.0), {}), ((1.0,), {"q": 1.0}), ((1.0,), {"x": 1.0})]
)
def test_wrong_arguments_are_refused_also_after_right_ones(args, keywords):
    gradient = tl.grad(square)
    assert gradient(1.0) == 2.0
    with pytest.raises(TypeError, match=r"square_grad.*(argument|values)"):
        gradient(*args, **keywords)


def test_keywords_and_defaults_enter_at_once():
    def f(x, k=2.0, *, shift=0.5):
        return x * x * k + shift * x

    gradient = tl.grad(f)
    assert gradient(3.0) == 12.5
    for keywords in ({}, {"k": 2.0}, {"shift": 0.5}, {"shift": 0.5, "k": 2.0}):
        assert "choose" not in calls_of(gradient, 3.0, **keywords)
    assert gradient(k=5.0, x=3.0) == 30.5
    f.__kwdefaults__["shift"] = 1.5
    assert gradient(3.0) == 13.5
    f.__kwdefaults__ = None
    with pytest.raises(tl.errors.ArgumentError, match="shift"):
        gradient(3.0)
    assert gradient(3.0, shift=2.5) == 14.5


def test_parameters_named_like_words_of_the_entry():
    def f(type, call, more=3.0):
        return type * call**2 * more

    def g(call, absent, known=3.0, *, root=1.0):
        return call * absent**2 * known * root

    for function in (f, g):
        gradient = tl.grad(function, wrt=1)
        for _ in range(2):
            assert gradient(2.0, 5.0) == 60.0
            assert gradient(2.0, 5.0, 6.0) == 120.0


def test_an_argument_left_out_before_a_named_one_is_missing():
    gradient = tl.grad(lambda x, y: x * y)
    assert gradient(2.0, 3.0) == 3.0
    with pytest.raises(tl.errors.ArgumentError, match="x"):
        gradient(y=3.0)


def test_globals_of_other_kinds_and_missing_ones(monkeypatch):
    gradient = tl.grad(scaled)
    assert gradient(3.0) == 12.0
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    assert gradient(3.0) == 30.0
    monkeypatch.setitem(globals(), "FACTOR", np.float64(7.0))
    assert gradient(3.0) == 42.0
    monkeypatch.setitem(globals(), "FACTOR", 2)
    assert gradient(3.0) == 12.0
    monkeypatch.delitem(globals(), "FACTOR")
    with pytest.raises(NameError):
        gradient(3.0)
    monkeypatch.setitem(globals(), "FACTOR", 2.5)
    assert gradient(3.0) == 15.0


def test_cells_that_change():
    def maker():
        def f(x):
            return helper(x) * k

        def bind(new_k, new_helper):
            nonlocal k, helper
            k, helper = new_k, new_helper

        k, helper = 2.0, square
        return f, bind

    f, bind = maker()
    gradient = tl.grad(f)
    assert gradient(3.0) == 12.0
    bind(3.0, square)
    assert gradient(3.0) == 18.0
    bind(3.0, math.sin)
    assert gradient(3.0) == pytest.approx(3.0 * math.cos(3.0))
    bind(np.array([1.0, 2.0]), square)
    with pytest.raises(tl.errors.ArgumentError):
        gradient(3.0)
    bind(2.0, square)
    assert gradient(3.0) == 12.0


def test_attributes_of_things_outside():
    settings = types.SimpleNamespace(rate=2.0, inner=types.SimpleNamespace(power=2.0))

    def f(x):
        return settings.rate * x**settings.inner.power

    gradient = tl.grad(f)
    assert gradient(3.0) == 12.0
    settings.rate = 1.0
    assert gradient(3.0) == 6.0
    settings.inner = types.SimpleNamespace(power=3.0)
    assert gradient(3.0) == 27.0
    del settings.rate
    with pytest.raises((AttributeError, tl.errors.TangentLikeError)):
        gradient(3.0)


def test_a_helper_with_other_code_or_defaults():
    source = "def h(x, k=2.0):\n    return k * x\ndef f(x):\n    return h(x) * x\n"
    f = define(source, "f")
    helper = f.__globals__["h"]
    gradient = tl.grad(f)
    assert gradient(3.0) == 12.0
    helper.__defaults__ = (5.0,)
    assert gradient(3.0) == 30.0
    helper.__code__ = define("def h(x, k):\n    return k * x * x\n", "h").__code__
    assert gradient(3.0) == 5.0 * 27.0


def test_rules_registered_later():
    def twice(x):
        return 2.0 * x

    def f(x):
        return twice(x)

    gradient = tl.grad(f)
    assert gradient(3.0) == 2.0
    tl.elementwise(twice, lambda x, y: 7.0)
    assert gradient(3.0) == 7.0


def test_seeds_and_tangents_come_after_defaults():
    def f(x, k=2.0):
        return k * x * x

    derivative = tl.dispatch.Derivative(f, "jvp", 0)
    for _ in range(2):
        assert derivative(3.0, 1.0) == (18.0, 12.0)
        assert derivative(3.0, 1.0, k=3.0) == (27.0, 18.0)
        assert derivative(3.0, 5.0, 1.0) == (45.0, 30.0)


def test_it_stays_a_callable_object():
    gradient = tl.grad(square)
    assert callable(gradient) and gradient(1.0) == 2.0
    again = pickle.loads(pickle.dumps(gradient))
    assert again(2.0) == 4.0 and again(2.0) == 4.0
    assert "square_grad" in repr(gradient.__call__)


def test_the_user_sees_the_error_of_the_generated_code():
    def f(x):
        return math.log(x)

    gradient = tl.grad(f)
    assert gradient(2.0) == 0.5
    with pytest.raises(ZeroDivisionError):
        gradient(0.0)
    assert gradient(4.0) == 0.25


def test_containers_of_other_kinds_one_after_another():
    gradient = tl.grad(horner, wrt=1)
    for coefficients in (
        [1.0, 2.0, 3.0], [1.0, 2.0], [1.0, 2], [], (1.0, 2.0, 3.0), [np.float64(1.0), 2.0],
        [np.array(1.0), 2.0], [1.0, 2.0, 3.0],
    ):  # fmt: skip
        want = sum((len(coefficients) - 1 - k) * c * 0.5 ** max(len(coefficients) - 2 - k, 0)
                   for k, c in enumerate(coefficients))  # fmt: skip
        assert gradient(coefficients, 0.5) == pytest.approx(float(want))


def test_dicts_of_other_kinds_one_after_another():
    gradient = tl.grad(layer)
    x = np.array([2.0, 3.0])
    for p in (
        {"w": np.ones(2), "b": (1.0, 3)}, {"b": (1.0, 3), "w": np.ones(2)},
        {"w": 1.0, "b": (1.0, 3)}, {"w": np.ones(2, np.float32), "b": [1.0]},
        {"w": np.ones(2), "b": (1.0, 3), "unused": 1.0}, {"w": np.ones(2), "b": np.ones(3)},
        {"w": np.ones(2), "b": (1.0, 3)},
    ):  # fmt: skip
        found = gradient(p, x)
        assert list(found) == list(p)
        np.testing.assert_array_equal(found["w"], x if np.ndim(p["w"]) else 5.0)
        assert type(found["b"]) is type(p["b"])
        assert found["b"][0] == 2.0
    with pytest.raises((KeyError, NeverSupported), match="'w'"):
        gradient({"b": (1.0, 3)}, x)


def test_objects_of_other_kinds_one_after_another():
    gradient = tl.grad(on_line)
    x = np.array([2.0, 3.0])
    for line in (
        Line(2.0, np.ones(2)), Line(2.0, np.ones(2), "other"), Line(np.ones(2), np.ones(2)),
        Line(2.0, np.ones(1)), Line(3, np.ones(2)), Line(2.0, np.ones(2)),
    ):  # fmt: skip
        found = gradient(line, x)
        assert found.name == line.name
        np.testing.assert_array_equal(found.at, np.sum(line.slope * x) if len(line.at) == 1
                                      else line.slope * x)  # fmt: skip
