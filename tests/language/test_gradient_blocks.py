"""`with grad_of(x) as g:`: code that runs in the reverse sweep."""

import numpy as np
import pytest

import tangent_like as tl


def scaled(x, w):
    y = x * w
    with tl.grad_of(y) as g:
        g = g * w
    return y * y


def test_the_primal_skips_the_block():
    assert scaled(2.0, 3.0) == 36.0


def test_the_block_replaces_the_adjoint():
    """By = 2 y = 12, scaled by w = 3."""
    assert tl.grad(scaled, ("x", "w"))(2.0, 3.0) == (108.0, 72.0)


def test_forward_mode_ignores_the_block():
    assert tl.jvp(scaled, (2.0, 3.0), (1.0, 0.0)) == (36.0, 36.0)


def test_second_order_differentiates_the_block():
    """The gradient is 2 x w^3 for x, so its derivative is 2 w^3."""
    assert tl.hvp(scaled)(2.0, 3.0, 1.0) == pytest.approx(54.0, rel=1e-14)
    assert tl.grad(tl.grad(scaled))(2.0, 3.0) == pytest.approx(54.0, rel=1e-14)


def clipped(x):
    with tl.grad_of(x) as g:
        g = np.clip(g, -1.0, 1.0)
    return np.sum(x**3)


def test_clipping_an_array():
    x = np.array([0.1, 2.0, -3.0])
    np.testing.assert_array_equal(tl.grad(clipped)(x), np.clip(3.0 * x**2, -1.0, 1.0))


def halved_in_a_loop(x, n):
    for _ in range(n):
        with tl.grad_of(x) as g:
            g = 0.5 * g
        x = x * x
    return x


@pytest.mark.parametrize("n", [0, 1, 4])
def test_block_in_a_loop(n):
    full = (2**n) * 1.1 ** (2**n - 1)
    assert tl.grad(halved_in_a_loop)(1.1, n) == pytest.approx(full * 0.5**n, rel=1e-13)


def test_the_users_lines_stand_in_the_reverse_sweep():
    text = tl.source(scaled, types={"x": float, "w": float})
    assert "g" in text and "grad_of" not in text


def leaves_early(x):
    with tl.grad_of(x) as g:
        return g
    return x


def other_manager(x):
    with open("file"):
        y = x * x
    return y


@pytest.mark.parametrize("f", [leaves_early, other_manager])
def test_other_forms_are_refused(f):
    with pytest.raises(tl.errors.NotYetSupported) as caught:
        tl.grad(f)(1.0)
    assert caught.value.place.line > 0
