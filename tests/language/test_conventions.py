"""Derivatives at the edges: the limit, else the subgradient of least norm, else inf or NaN."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tests.derivatives import define

INF, NAN = np.inf, np.nan
TINY = 1e-300
"""What is as good as zero: an exponential that is cut off before it overflows."""

# expression in x, point, derivative there
SCALAR = [
    ("abs(x)", 0.0, 0.0),
    ("np.abs(x)", 0.0, 0.0),
    ("np.fabs(x)", 0.0, 0.0),
    ("math.fabs(x)", 0.0, 0.0),
    ("np.sign(x)", 0.0, 0.0),
    ("np.sqrt(x)", 0.0, INF),
    ("math.sqrt(x)", 0.0, INF),
    ("np.cbrt(x)", 0.0, INF),
    ("x ** 0.5", 0.0, INF),
    ("x ** 0", 0.0, 0.0),
    ("x ** 0", 2.0, 0.0),
    ("x ** 0.0", 0.0, 0.0),
    ("np.power(x, 0)", 0.0, 0.0),
    ("x ** 1", 0.0, 1.0),
    ("x ** 1.0", 0.0, 1.0),
    ("x ** 2", 0.0, 0.0),
    ("x ** 2", -3.0, -6.0),
    ("x ** 2.0", -3.0, -6.0),
    ("x ** 3", -2.0, 12.0),
    ("x ** -1", -2.0, -0.25),
    ("x ** 1.5", 0.0, 0.0),
    ("2.0 ** x", 0.0, math.log(2.0)),
    ("0.0 ** x", 2.0, 0.0),
    ("np.log(x)", 0.0, INF),
    ("np.log2(x)", 0.0, INF),
    ("np.log1p(x)", -1.0, INF),
    ("np.arcsin(x)", 1.0, INF),
    ("np.arccos(x)", 1.0, -INF),
    ("np.arctanh(x)", 1.0, INF),
    ("np.arccosh(x)", 1.0, INF),
    ("np.sinc(x)", 0.0, 0.0),
    ("np.hypot(x, 0.0)", 0.0, 0.0),
    ("math.hypot(x, 0.0)", 0.0, 0.0),
    ("np.maximum(x, 1.0)", 1.0, 0.5),
    ("np.minimum(x, 1.0)", 1.0, 0.5),
    ("np.fmax(1.0, x)", 1.0, 0.5),
    ("np.fmin(1.0, x)", 1.0, 0.5),
    ("np.maximum(x, x)", 1.0, 1.0),
    ("np.clip(x, 0.0, 1.0)", 0.0, 1.0),
    ("np.clip(x, 0.0, 1.0)", 0.5, 1.0),
    ("np.clip(x, 0.0, 1.0)", 1.0, 1.0),
    ("np.clip(x, 0.0, 1.0)", 1.5, 0.0),
    ("np.clip(x, 0.0, 1.0)", -0.5, 0.0),
    ("np.where(x > 0.0, x, 0.0)", 0.0, 0.0),
    ("x * (x > 0.0)", 0.0, 0.0),
    ("np.floor(x)", 2.0, 0.0),
    ("np.ceil(x)", 2.5, 0.0),
    ("np.round(x)", 2.5, 0.0),
    ("np.trunc(x)", 2.0, 0.0),
    ("np.heaviside(x, 0.5)", 0.0, 0.0),
    ("np.logaddexp(x, x)", 2.0, 1.0),
    ("np.logaddexp(x, -np.inf)", 2.0, 1.0),
    ("np.logaddexp(x, 0.0)", -1000.0, 0.0),
    ("np.arctan2(x, 0.0)", 1.0, 0.0),
    ("np.tanh(x)", 1000.0, 0.0),
    ("np.exp(x)", -np.inf, 0.0),
    ("x * 0", 5.0, 0.0),
]


def scalar(expression):
    return define(f"def f(x):\n    return {expression}\n", "f", math=math)


@pytest.mark.parametrize("expression, x, want", SCALAR, ids=str)
def test_scalar_at_an_edge(expression, x, want):
    f = scalar(expression)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(tl.grad(f)(x), want, rtol=1e-15, atol=TINY)
        np.testing.assert_allclose(tl.jvp(f, (x,), (1.0,))[1], want, rtol=1e-15, atol=TINY)


@pytest.mark.parametrize("expression, x, want", SCALAR, ids=str)
def test_element_at_an_edge(expression, x, want):
    if "math." in expression:
        expression = expression.replace("math.", "np.")
    f = scalar(f"{expression} + 0.0 * np.array([1.0, 1.0])")
    point = np.array([x, x])
    with np.errstate(all="ignore"):
        gradient = tl.vjp(f, point)[1](np.ones(2))[0]
        np.testing.assert_allclose(gradient, [want, want], rtol=1e-15, atol=TINY)
        tangent = tl.jvp(f, (point,), (np.ones(2),))[1]
        np.testing.assert_allclose(tangent, [want, want], rtol=1e-15, atol=TINY)


# expression in the vector x, point, gradient there
VECTOR = [
    ("np.max(x)", [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    ("np.min(x)", [2.0, 2.0, 2.0], [1 / 3, 1 / 3, 1 / 3]),
    ("x.max()", [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    ("np.amax(x)", [3.0, 3.0, 1.0], [0.5, 0.5, 0.0]),
    ("np.prod(x)", [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    ("np.prod(x)", [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
    ("np.prod(x)", [-1.0, 2.0, 3.0], [6.0, -3.0, -2.0]),
    ("np.linalg.norm(x)", [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    ("np.linalg.norm(x)", [3.0, 0.0, 4.0], [0.6, 0.0, 0.8]),
    ("np.std(x)", [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]),
    ("np.var(x)", [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]),
    ("np.hypot(x[0], x[1])", [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
    ("np.maximum(x[0], x[1])", [2.0, 2.0, 1.0], [0.5, 0.5, 0.0]),
    ("np.minimum(x[0], x[1])", [2.0, 2.0, 1.0], [0.5, 0.5, 0.0]),
    ("x[0] ** x[1]", [0.0, 2.0, 1.0], [0.0, 0.0, 0.0]),
    ("x[0] ** x[1]", [2.0, 0.0, 1.0], [0.0, math.log(2.0), 0.0]),
    ("np.sum(np.maximum(x, 0.0))", [0.0, -1.0, 1.0], [0.0, 0.0, 1.0]),
    ("np.sum(x) * 0.0", [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]),
]


@pytest.mark.parametrize("expression, point, want", VECTOR, ids=str)
def test_vector_at_an_edge(expression, point, want):
    f, x = scalar(expression), np.array(point)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(tl.grad(f)(x), want, rtol=1e-15, atol=1e-16)
        units = np.eye(3)
        tangents = [tl.jvp(f, (x,), (units[i],))[1] for i in range(3)]
    np.testing.assert_allclose(tangents, want, rtol=1e-15, atol=1e-16)


def test_second_derivative_of_sinc_at_zero():
    f = scalar("np.sinc(x)")
    want = -(math.pi**2) / 3.0
    assert tl.grad(tl.grad(f))(0.0) == pytest.approx(want, rel=1e-12)
    assert tl.jvp(tl.grad(f), (0.0,), (1.0,))[1] == pytest.approx(want, rel=1e-12)
    assert tl.derivative(f, order=2)(0.0) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("expression, x, want", [
    ("x ** 2", 0.0, 2.0), ("x ** 2.0", 0.0, 2.0), ("x ** 3", 0.0, 0.0), ("x ** 1", 0.0, 0.0),
    ("x ** 0", 0.0, 0.0), ("x ** 2", -1.0, 2.0), ("np.power(x, 2)", 0.0, 2.0),
    ("np.square(x)", 0.0, 2.0), ("abs(x)", 0.0, 0.0), ("x * abs(x)", 2.0, 2.0),
    ("np.clip(x, 0.0, 1.0) ** 2", 1.0, 2.0), ("np.where(x > 0.0, x * x, x)", 2.0, 2.0),
    ("np.sign(x) * x * x", 2.0, 2.0),
])  # fmt: skip
def test_second_derivative_at_an_edge(expression, x, want):
    f = scalar(expression)
    assert tl.grad(tl.grad(f))(x) == want
    assert tl.jvp(tl.grad(f), (x,), (1.0,))[1] == want


def test_second_derivative_of_prod_with_a_zero():
    x = np.array([0.0, 2.0, 3.0])
    want = [[0.0, 3.0, 2.0], [3.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    np.testing.assert_allclose(tl.hessian(scalar("np.prod(x)"))(x), want, atol=1e-15)


@pytest.mark.parametrize("expression", [
    "x * 2.0 + x * x", "np.sin(x)", "np.sqrt(x)", "np.log(x)", "np.tanh(x)", "np.exp(x) * x",
    "x / (1.0 + x)", "np.logaddexp(x, 0.0)", "np.hypot(x, 1.0)", "x ** 3",
])  # fmt: skip
def test_nan_propagates(expression):
    f = scalar(expression)
    with np.errstate(all="ignore"):
        assert math.isnan(tl.grad(f)(NAN))
        assert math.isnan(tl.jvp(f, (NAN,), (1.0,))[1])


def test_ties_of_maximum_share_between_arrays():
    f = define("def f(x, y):\n    return np.sum(np.maximum(x, y) * np.arange(1.0, 4.0))\n", "f")
    x, y = np.array([1.0, 5.0, 2.0]), np.array([1.0, 4.0, 3.0])
    gx, gy = tl.grad(f, wrt=(0, 1))(x, y)
    np.testing.assert_array_equal(gx, [0.5, 2.0, 0.0])
    np.testing.assert_array_equal(gy, [0.5, 0.0, 3.0])


def test_ties_of_max_along_an_axis():
    f = scalar("np.sum(np.max(x, axis=1) * np.array([1.0, 10.0]))")
    x = np.array([[1.0, 1.0, 0.0], [2.0, 3.0, 1.0]])
    np.testing.assert_array_equal(tl.grad(f)(x), [[0.5, 0.5, 0.0], [0.0, 10.0, 0.0]])
    x = np.array([[NAN, 1.0, 0.0], [2.0, 3.0, 1.0]])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(tl.grad(f)(x)[1], [0.0, 10.0, 0.0])
