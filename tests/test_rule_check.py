"""`check_rule` passes right rules, and says what is wrong with wrong ones."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError, NotYetSupported
from tangent_like.rules.symbolic import apply

VECTOR = np.array([0.3, -1.2, 2.1])
MATRIX = np.array([[0.4, 1.1, -0.7], [0.2, -0.9, 1.6]])


def scaled(x, factor=1.0):
    """A function that the tests give rules to."""
    return factor * np.sinh(x)


def product(x, w):
    return x * w


def running(x, axis=-1):
    return np.cumsum(x, axis=axis)


@pytest.fixture(autouse=True)
def own_rules(monkeypatch):
    registry = tl.rules.registry
    for table in ("rules", "own"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))


def outcomes(report):
    return dict(report.lines)


def failure(*args, **keywords):
    with pytest.raises(AssertionError) as caught:
        tl.check_rule(*args, **keywords)
    return str(caught.value)


# --- right rules --------------------------------------------------------------------------------


def test_report_of_an_elementwise_rule():
    tl.elementwise(scaled, lambda x, y, factor=1.0: factor * np.cosh(x))
    assert str(tl.check_rule(scaled, 0.3)).splitlines() == [
        "rule of `scaled`",
        "  first derivatives   right",
        "  second derivatives  right",
        "  other shapes        right, 6 combinations",
        "  single precision    right",
        "  unknown types       right",
    ]
    assert outcomes(tl.check_rule(scaled, VECTOR, factor=2.5))["first derivatives"] == "right"


def test_linear_rule_with_options():
    tl.linear(running, lambda g, x, axis=-1: np.flip(np.cumsum(np.flip(g, axis), axis), axis))
    for report in (tl.check_rule(running, MATRIX, 0), tl.check_rule(running, MATRIX, axis=1)):
        assert "WRONG" not in str(report)


def test_bilinear_rule():
    tl.bilinear(product, lambda g, x, w: g * w, lambda g, x, w: g * x)
    report = outcomes(tl.check_rule(product, VECTOR, 0.7))
    assert report["other shapes"] == "right, 12 combinations"


def test_pair():
    tl.rule(
        scaled,
        jvp=lambda tangents, y, x: tangents[0] * np.cosh(x),
        vjp=lambda g, y, x: g * np.cosh(x),
    )
    assert "WRONG" not in str(tl.check_rule(scaled, VECTOR))


@pytest.mark.parametrize("function, args", [
    (np.tanh, (VECTOR,)), (math.exp, (0.7,)), (np.matmul, (MATRIX, VECTOR)), (np.sum, (MATRIX,)),
    (np.linalg.inv, (MATRIX[:, :2],)), (np.concatenate, ((VECTOR, VECTOR),)),
    (np.hypot, (VECTOR, 0.4)),
])  # fmt: skip
def test_rules_of_this_package(function, args):
    tl.check_rule(function, *args)


def test_complex_operands():
    tl.check_rule(np.exp, VECTOR + 0.5j)


def test_custom_functions():
    tl.check_rule(right_vjp(), 0.3, 0.7, broadcast=False)
    tl.check_rule(right_jvp(), VECTOR, VECTOR)


def right_vjp(factor=1.0):
    @tl.custom_vjp
    def f(x, y):
        return np.sin(x) * y

    def forward(x, y):
        return f(x, y), (x, y)

    def backward(residuals, g):
        x, y = residuals
        return factor * np.cos(x) * y * g, np.sin(x) * g

    f.defvjp(forward, backward)
    return f


def right_jvp():
    @tl.custom_jvp
    def f(x, y):
        return np.sin(x) * y

    @f.defjvp
    def tangent(primals, tangents):
        x, y = primals
        dx, dy = tangents
        return f(x, y), np.cos(x) * dx * y + np.sin(x) * dy

    return f


# --- wrong rules --------------------------------------------------------------------------------


def test_wrong_sign():
    tl.elementwise(scaled, lambda x, y: -np.cosh(x))
    text = failure(scaled, 0.3)
    assert "first derivatives   WRONG: argument `x`, forward mode (order 1)" in text
    assert "differ by 1.53" in text


def test_missing_factor():
    tl.elementwise(scaled, lambda x, y, factor=1.0: np.cosh(x))
    tl.check_rule(scaled, 0.3)
    assert "first derivatives   WRONG" in failure(scaled, 0.3, factor=2.5)


def test_operand_that_is_wrong_is_named():
    tl.bilinear(product, lambda g, x, w: g * w, lambda g, x, w: 2 * g * x)
    text = failure(product, VECTOR, 0.7)
    assert "argument `w`, reverse mode (order 1)" in text


def test_modes_that_disagree():
    """The tangent is right, and the cotangent wrong by less than differences see."""
    tl.rule(
        scaled,
        jvp=lambda tangents, y, x: tangents[0] * np.cosh(x),
        vjp=lambda g, y, x: g * np.cosh(x) * (1 + 1e-8),
    )
    assert "reverse against forward mode (order 1)" in failure(scaled, 0.3)


def slope(x):
    return np.cosh(x)


def test_wrong_at_second_order():
    tl.elementwise(scaled, lambda x, y: apply(slope, x))
    tl.elementwise(slope, lambda x, y: -np.sinh(x))
    text = failure(scaled, 0.3)
    assert "first derivatives   right" in text
    assert "second derivatives  WRONG" in text and "(order 2)" in text
    assert outcomes(tl.check_rule(scaled, 0.3, order=1))["second derivatives"] == "not asked for"


def test_wrong_broadcasting():
    """A backward function of operands of one shape does not sum what was broadcast."""
    text = failure(right_vjp(), 0.3, 0.7)
    assert "first derivatives   right" in text
    assert "other shapes        WRONG: operands (3,) with number" in text


def test_wrong_for_arrays_only():
    def partial(x, y):
        return np.cosh(x) if np.ndim(x) == 0 else np.cosh(x[..., :1])

    tl.elementwise(scaled, partial)
    text = failure(scaled, 0.3)
    assert "first derivatives   right" in text and "other shapes        WRONG" in text


def test_wrong_where_nothing_is_known():
    """A rule that asks for the number of axes, and gives a wrong answer where it is not known."""
    tl.linear(running, lambda g, x, axis=-1: (
        np.flip(np.cumsum(np.flip(g, axis), axis), axis) if isinstance(np.ndim(x), int) else g
    ))  # fmt: skip
    text = failure(running, MATRIX)
    assert "second derivatives  right" in text
    assert "unknown types       WRONG: the cotangent of operand 1 differs by" in text


def test_rule_that_raises():
    tl.elementwise(scaled, lambda x, y: x.no_such_attribute)
    assert "no_such_attribute" in failure(scaled, 0.3)


# --- calls that cannot be checked ---------------------------------------------------------------


def test_function_without_rule():
    with pytest.raises(ArgumentError, match="has no rule of its own"):
        tl.check_rule(lambda x: x * x, 0.3)


def test_no_operand():
    with pytest.raises(ArgumentError, match="no argument can have a derivative"):
        tl.check_rule(np.tanh, 3)


def polar(x, y):
    return np.hypot(x, y), np.arctan2(y, x)


def test_results_that_nothing_depends_on():
    tl.rule(
        polar,
        jvp=lambda tangents, out, x, y: (0.0, 0.0),
        vjp=lambda g, out, x, y: ((g[0] * x - g[1] * y / out[0]) / out[0], None),
    )
    assert tl.grad(lambda x, y: polar(x, y)[1])(3.0, 4.0) == pytest.approx(-0.16)


def test_a_rule_holds_for_the_function_itself():
    tl.elementwise(scaled, lambda x, y, factor=1.0: 7.0 * x)
    assert tl.grad(scaled)(2.0) == 14.0
    assert tl.jvp(scaled, (2.0,), (1.0,))[1] == 14.0


def test_too_few_partials():
    tl.elementwise(product, lambda x, w, y: w)
    for derivative in (tl.grad(product), lambda x, w: tl.jvp(product, (x, w), (1.0, 1.0))):
        with pytest.raises(ArgumentError, match="1 partials for 2 operands"):
            derivative(2.0, 3.0)


def test_a_rule_that_branches_on_values():
    tl.elementwise(scaled, lambda x, y, factor=1.0: x if x > 0 else -x)
    with pytest.raises(NotYetSupported, match="the rule of `scaled`, which branches"):
        tl.grad(scaled)(2.0)
