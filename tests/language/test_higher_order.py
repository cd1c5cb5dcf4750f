"""Derivatives of derivatives: nested to any depth, in every mix, also inside the user's code."""

import math

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, complex_step, define

VECTOR = np.array([0.3, -1.2, 2.1])


def cubic(x):
    return x * x * x


def wave(x):
    return np.sin(2.0 * x) * x


def sine(x):
    return math.sin(x)


def branch(x):
    if x > 1.0:
        return x * x * x * x
    return np.sin(x)


def looped_power(x, n=5):
    y = 1.0
    for _ in range(n):
        y = y * x
    return y


def stops_early(x):
    y = x
    for i in range(10):
        if y > 8.0:
            return y * x * i
        y = y * x
    return y


def helped(x):
    return cubic(x) * looped_power(x, 2) + recursive(x, 3)


def recursive(x, n):
    return 1.0 if n == 0 else x * recursive(x, n - 1)


def falling(x, n, k):
    """The k-th derivative of x^n."""
    return math.perm(n, k) * x ** (n - k) if k <= n else 0.0


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5, 6])
def test_derivatives_of_a_power_by_a_loop(order):
    x = 1.3
    want = falling(x, 5, order)
    assert tl.derivative(looped_power, order=order)(x) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_a_sine(order):
    want = math.sin(0.7 + order * math.pi / 2)
    assert tl.derivative(sine, order=order)(0.7) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_a_branch(order):
    derivative = tl.derivative(branch, order=order)
    assert derivative(1.5) == pytest.approx(falling(1.5, 4, order), rel=1e-13)
    assert derivative(0.5) == pytest.approx(math.sin(0.5 + order * math.pi / 2), rel=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_a_loop_that_returns(order):
    """1.9^4 > 8: the value is 3 x^5 there."""
    want = 3.0 * falling(1.9, 5, order)
    assert tl.derivative(stops_early, order=order)(1.9) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_through_calls_and_recursion(order):
    want = falling(1.3, 5, order) + falling(1.3, 3, order)
    assert tl.derivative(helped, order=order)(1.3) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_gradient_of_gradient_of_gradient(order):
    f = looped_power
    for _ in range(order):
        f = tl.grad(f)
    assert f(1.3) == pytest.approx(falling(1.3, 5, order), rel=1e-12)


def pushed(f):
    """x -> f'(x) by forward mode."""

    def push(x):
        return tl.jvp(f, (x,), (1.0,))[1]

    return push


def pulled(f):
    """x -> f'(x) by reverse mode, through `vjp`."""

    def pull(x):
        _, pullback = tl.vjp(f, x)
        (bx,) = pullback(1.0)
        return bx

    return pull


def valued(f):
    """x -> f'(x) by reverse mode, through `value_and_grad`."""

    def gradient(x):
        _, bx = tl.value_and_grad(f)(x)
        return bx

    return gradient


OPERATORS = {"grad": tl.grad, "jvp": pushed, "vjp": pulled, "value_and_grad": valued}


@pytest.mark.parametrize("outer", OPERATORS)
@pytest.mark.parametrize("inner", OPERATORS)
@pytest.mark.parametrize("f", [cubic, looped_power, branch, stops_early, helped, wave],
                         ids=lambda f: f.__name__)  # fmt: skip
def test_second_order_in_every_mix(f, inner, outer):
    second = OPERATORS[outer](OPERATORS[inner](f))
    assert second(1.9) == pytest.approx(_second(f, 1.9), rel=1e-11)


def _second(f, x):
    """f'' in closed form."""
    forms = {
        "cubic": lambda: 6.0 * x,
        "looped_power": lambda: 20.0 * x**3,
        "branch": lambda: 12.0 * x * x,
        "stops_early": lambda: 60.0 * x**3,
        "helped": lambda: 20.0 * x**3 + 6.0 * x,
        "wave": lambda: 4.0 * math.cos(2.0 * x) - 4.0 * x * math.sin(2.0 * x),
    }
    return forms[f.__name__]()


@pytest.mark.parametrize("outer", OPERATORS)
@pytest.mark.parametrize("middle", OPERATORS)
@pytest.mark.parametrize("inner", OPERATORS)
def test_third_order_of_a_loop_in_every_mix(inner, middle, outer):
    third = OPERATORS[outer](OPERATORS[middle](OPERATORS[inner](looped_power)))
    assert third(1.3) == pytest.approx(60.0 * 1.3**2, rel=1e-11)


def confused_reverse(x):
    return x * tl.grad(lambda y: x + y)(1.0)


def confused_forward(x):
    return x * tl.jvp(lambda y: x + y, (1.0,), (1.0,))[1]


def nested_gradient(x):
    def inner(y):
        return x * y * y

    return x * tl.grad(inner)(x)


def nested_tangent(x):
    def inner(y):
        return x * y * y

    return x * tl.jvp(inner, (x,), (1.0,))[1]


@pytest.mark.parametrize("outer", OPERATORS)
def test_perturbations_are_not_confused(outer):
    """d/dx [x d/dy (x + y)] = 1, not 2."""
    assert OPERATORS[outer](confused_reverse)(3.0) == 1.0
    assert OPERATORS[outer](confused_forward)(3.0) == 1.0


@pytest.mark.parametrize("outer", OPERATORS)
def test_gradient_inside_a_function_whose_inner_function_captures(outer):
    """x d/dy (x y^2) at y = x is 2 x^3; its derivative is 6 x^2."""
    assert OPERATORS[outer](nested_gradient)(1.5) == pytest.approx(13.5)
    assert OPERATORS[outer](nested_tangent)(1.5) == pytest.approx(13.5)


def tangent_depends_on_the_input(x):
    return tl.jvp(cubic, (2.0,), (x,))[1] + tl.jvp(cubic, (x,), (x,))[1]


def test_tangent_that_depends_on_the_input():
    """12 x + 3 x^3."""
    for operator in OPERATORS.values():
        assert operator(tangent_depends_on_the_input)(1.5) == pytest.approx(12.0 + 9.0 * 2.25)


def sine_of_numpy(x):
    return np.sin(x)


def seed_depends_on_the_input(x):
    value, pullback = tl.vjp(sine_of_numpy, x)
    return pullback(x * value)[0]


def test_cotangent_that_depends_on_the_input():
    assert_derivatives(seed_depends_on_the_input, 0.7)


def newton_step(x, a):
    def residual(t):
        return t * t * t - a

    value, slope = tl.value_and_grad(residual)(x)
    return x - value / slope


def newton(a, n):
    x = 1.0
    for _ in range(n):
        x = newton_step(x, a)
    return x


def test_gradient_inside_a_loop():
    root = 2.0 ** (1.0 / 3.0)
    assert tl.grad(newton)(2.0, 8) == pytest.approx(root / 6.0, rel=1e-12)
    assert_derivatives(newton, 2.0, 3, wrt=0)


def gradient_in_a_branch(x):
    if x > 0.0:
        return tl.grad(cubic)(x) * x
    return tl.grad(wave)(x)


@pytest.mark.parametrize("x", [0.7, -0.7])
def test_gradient_inside_a_branch(x):
    assert_derivatives(gradient_in_a_branch, x)


def energy(q):
    return np.sum(np.sin(q) * q) + q[0] * q[1] * q[2]


def leapfrog(q, p, steps, dt):
    force = tl.grad(energy)
    for _ in range(steps):
        p = p - 0.5 * dt * force(q)
        q = q + dt * p
        p = p - 0.5 * dt * force(q)
    return np.sum(q * p)


def test_gradient_of_an_array_inside_a_loop():
    assert_derivatives(leapfrog, VECTOR, VECTOR[::-1] * 0.5, 3, 0.1, wrt=(0, 1, 3))


def gradient_descent(rate, x, steps):
    for _ in range(steps):
        x = x - rate * tl.grad(energy)(x)
    return energy(x)


def test_learning_rate_differentiated_through_training():
    assert_derivatives(gradient_descent, 0.05, VECTOR, 4, wrt=(0, 1))


def test_operators_called_on_operators_made_outside():
    inner = tl.grad(cubic)
    f = define("def f(x):\n    return x * inner(x)\n", "f", inner=inner)
    assert tl.grad(f)(2.0) == pytest.approx(9.0 * 4.0)
    assert tl.jvp(f, (2.0,), (1.0,))[1] == pytest.approx(9.0 * 4.0)


def two_arguments(x, y):
    return x * x * y * y * y


def test_mixed_partials():
    assert tl.grad(tl.grad(two_arguments, wrt=1), wrt=0)(2.0, 3.0) == pytest.approx(2 * 2 * 3 * 9)
    assert tl.grad(tl.grad(two_arguments, wrt=0), wrt=1)(2.0, 3.0) == pytest.approx(2 * 2 * 3 * 9)


def test_hessian_of_a_vector_function():
    f = define("def f(x):\n    return np.sum(x ** 3) + x[0] * x[1] * x[2]\n", "f")
    x = VECTOR
    want = np.diag(6.0 * x) + np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]])
    np.testing.assert_allclose(tl.hessian(f)(x), want, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tl.hvp(f)(x, x[::-1]), want @ x[::-1], rtol=1e-12)
    np.testing.assert_allclose(tl.jacobian(tl.grad(f))(x), want, rtol=1e-12, atol=1e-12)


def test_jacobian_of_a_vector_function():
    f = define("def f(x):\n    return np.sin(x[:2]) * np.sum(x * x)\n", "f")
    want = complex_step(f, (VECTOR,), 0)
    np.testing.assert_allclose(tl.jacobian(f)(VECTOR), want, rtol=1e-12)


def test_second_order_of_loops_with_arrays():
    source = (
        "def f(w, x):\n"
        "    for i in range(3):\n"
        "        x = np.tanh(w @ x) + x * x[i % 2]\n"
        "    return np.sum(x * x)\n"
    )
    w = np.array([[0.5, -0.3], [0.8, 0.1]])
    assert_derivatives(define(source, "f"), w, np.array([0.7, -0.4]), complex_ok=True)


def test_third_derivative_keeps_zero_trips_apart():
    third = tl.derivative(looped_power, order=3)
    assert third(1.3, 0) == 0.0
    assert third(1.3, 3) == pytest.approx(6.0)
    assert third(1.3, 4) == pytest.approx(24.0 * 1.3)


def test_an_adjoint_that_takes_over_the_array_of_another():
    """The second reverse sweep prints `bp = bbp` before it reads what was called `bp`."""

    def f(m):
        p = m.copy()
        np.add(p * p, np.tanh(p) * p[::-1], p)
        return np.sum(p * 0.5)

    assert_derivatives(f, np.array([-0.06, -0.52, -1.58]))


def noisy(x, n):
    rng = np.random.default_rng(1)
    s = 0.0
    for _ in range(n):
        s = s + np.sin(x * rng.standard_normal() * (s + 1))
    return s


def descended(x, n):
    """A loop whose iterations take gradients of loops: their tapes are saved on tapes."""
    for _ in range(n):
        x = x - 0.3 * tl.grad(noisy)(x, n)
    return noisy(x, n)


def test_tapes_that_are_saved_on_tapes():
    assert_derivatives(descended, 0.05, 2, wrt=0)
    assert_derivatives(descended, 0.05, 3, wrt=0)


def adds_to_a_list_of_a_dict(m, v):
    v["k"].append(np.arctan(m))
    return m * sum(v["k"]) + v["m"][0]


def test_second_order_where_a_list_in_an_argument_grows():
    v = {"k": [-1.0, 1.79], "m": [0.5]}
    assert_derivatives(adds_to_a_list_of_a_dict, 0.3, v, wrt=(0, 1))

    def slope(m, v):
        return tl.jvp(adds_to_a_list_of_a_dict, (m, v), (0.7, {"k": [0.1, 0.2], "m": [0.4]}))[1]

    assert_derivatives(slope, 0.3, v, wrt=(0, 1))
    assert v == {"k": [-1.0, 1.79], "m": [0.5]}


def writes_into_one(a, b):
    a[0] = a[1] * 2.0
    return np.sum(a * b)


def test_a_derivative_inside_checks_that_what_is_written_into_is_apart():
    def slope(x):
        return tl.jvp(writes_into_one, (x, x), (x, x))[1]

    with pytest.raises(tl.errors.TangentLikeError, match="share"):
        tl.grad(slope)(np.array([0.3, 0.4]))


def test_jvp_of_a_function_known_only_at_run_time_is_refused():
    def square(z):
        return z * z

    def slope(v, f=square):
        return tl.jvp(f, (v,), (1.0,))[1]

    with pytest.raises(NotYetSupported, match="`jvp` of a function that is known only at run time"):
        tl.grad(slope)(0.7)
