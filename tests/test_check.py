"""`check_grads` passes right derivatives, and says where wrong ones are wrong."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError

VECTOR = np.array([0.3, -1.2, 2.1])


def wrong(x):
    """A function whose registered derivative is one percent too large."""
    return math.cosh(x)


def wrong_later(x):
    """A function whose first derivative is right, and its second is not."""
    return math.sinh(x)


def its_slope(x):
    return math.cosh(x)


@pytest.fixture(autouse=True)
def wrong_rules(monkeypatch):
    registry = tl.rules.registry
    monkeypatch.setattr(registry, "rules", dict(registry.rules))
    tl.elementwise(wrong, lambda x, y: 1.01 * np.sinh(x))
    tl.elementwise(wrong_later, lambda x, y: tl.rules.symbolic.apply(its_slope, x))
    tl.elementwise(its_slope, lambda x, y: 1.01 * np.sinh(x))


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: math.sin(x) * x, (0.7,)),
        (lambda x, y: math.exp(x) * y, (0.7, -1.2)),
        (lambda x: np.sum(np.tanh(x) * x), (VECTOR,)),
        (lambda x, w: np.tanh(x * w), (VECTOR, 0.5)),
        (lambda p: p[0] * p[1][0] * p[1][1], ((0.3, [0.5, 2.0]),)),
        (lambda x: (x * x, [np.sin(x), x[0]]), (VECTOR,)),
        (lambda x, n: x**n, (1.3, 3)),
        (lambda x, flag: x * x if flag else x, (1.3, True)),
        (lambda x, y, n=2.0: x * y * n, (0.7, 1.3)),
        (lambda x: np.sum(x * x), (1e6 * VECTOR,)),
        (lambda x: 1e-3 * x * x, (1e5,)),
        (lambda x: np.sum(x * x), (np.zeros(0),)),
    ],
)
def test_right_derivatives_pass(f, args):
    tl.check_grads(f, args)


def test_float32():
    tl.check_grads(lambda x: np.sum(np.sin(x) * x), (VECTOR.astype(np.float32),))


def test_complex():
    tl.check_grads(lambda z: z * z, (3.0 + 4.0j,), order=1)
    tl.check_grads(lambda z: abs(z) ** 2, (3.0 + 4.0j,), order=1)


def test_third_order():
    tl.check_grads(lambda x: math.sin(x) * x, (0.7,), order=3)


def test_loop():
    def f(x, n):
        for _ in range(n):
            x = 3.1 * x * (1.0 - x)
        return x

    tl.check_grads(f, (0.3, 4))


@pytest.mark.parametrize(
    ("modes", "mode"), [(("fwd",), "forward"), (("rev",), "reverse"), (("fwd", "rev"), "forward")]
)
def test_wrong_derivative_is_found(modes, mode):
    with pytest.raises(AssertionError) as caught:
        tl.check_grads(lambda x, w: w * wrong(x), (0.7, 2.0), modes=modes)
    message = str(caught.value)
    assert "argument `x`" in message
    assert f"{mode} mode (order 1)" in message
    assert "differ by" in message


def test_operand_that_is_wrong_is_named():
    with pytest.raises(AssertionError, match="argument `w`"):
        tl.check_grads(lambda x, w: x * wrong(w), (0.7, 2.0))


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
def test_wrong_second_derivative_is_found(modes):
    tl.check_grads(wrong_later_of, (0.7,), modes=modes, order=1)
    with pytest.raises(AssertionError, match=r"over (forward|reverse) mode \(order 2\)"):
        tl.check_grads(wrong_later_of, (0.7,), modes=modes)


def wrong_later_of(x):
    return wrong_later(x)


def test_item_of_the_result_is_named():
    with pytest.raises(AssertionError, match=r"result\[1\]"):
        tl.check_grads(lambda x: (x, wrong(x)), (0.7,))


def test_tolerances_are_taken():
    tl.check_grads(lambda x: 2.0 * wrong(x), (0.7,), order=1, rtol=0.02)
    with pytest.raises(AssertionError):
        tl.check_grads(lambda x: x * math.exp(x), (0.7,), order=1, eps=0.1)


def test_kink_is_found():
    with pytest.raises(AssertionError):
        tl.check_grads(lambda x: abs(x) * 3.0, (1e-9,), order=1, modes=("fwd",), eps=1e-3)


def slightly_different(x):
    """A function whose modes differ by less than finite differences can tell."""
    return math.cosh(x)


def test_modes_are_compared_more_closely_than_differences():
    tl.rules.registry.rule(
        slightly_different,
        jvp=lambda tangents, y, x: tangents[0] * np.sinh(x),
        vjp=lambda g, y, x: g * np.sinh(x) * (1 + 1e-8),
    )
    with pytest.raises(AssertionError, match="reverse against forward mode"):
        tl.check_grads(lambda x: x * slightly_different(x), (0.7,), order=1)


def test_arguments_stay_as_they_are():
    x = VECTOR.copy()
    tl.check_grads(lambda x: np.sum(x * x), (x,))
    np.testing.assert_array_equal(x, VECTOR)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tl.check_grads(math.sin, (2.0,), modes=("backward",)),
        lambda: tl.check_grads(lambda x: x, (2.0,), order=0),
        lambda: tl.check_grads(lambda x: x, (2,)),
        lambda: tl.check_grads(lambda x: x, ("text",)),
        lambda: tl.check_grads(3.0, (2.0,)),
    ],
)
def test_wrong_use(call):
    with pytest.raises(ArgumentError):
        call()
