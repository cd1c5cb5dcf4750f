"""Roots and fixed points by the implicit function theorem, trajectories by the adjoint method."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, define

MATRIX = np.array([[2.0, 0.3], [0.1, 1.5]])
TIMES = np.linspace(0.0, 2.0, 5)


def cubic(x, a):
    return x**3 + a * x - 2.0


def coupled(x, a, b):
    u, v = x
    return [u * np.cos(v) - a, u * v - v - b]


def pendulum(y, t, friction, gravity):
    angle, speed = y
    return [speed, -friction * speed - gravity * np.sin(angle)]


# ---------------------------------------------------------------- roots without SciPy


def test_root_as_a_plain_function():
    x = tl.root(cubic, 1.0, (1.5,))
    assert type(x) is float
    assert x == pytest.approx(0.8796149, abs=1e-7)
    y = tl.root(coupled, np.ones(2), (4.0, 5.0))
    np.testing.assert_allclose(coupled(y, 4.0, 5.0), 0.0, atol=1e-12)
    assert tl.fixed_point(np.cos, 0.5) == pytest.approx(0.7390851332151607, abs=1e-12)
    np.testing.assert_allclose(tl.fixed_point(np.cos, np.ones(2)), 0.7390851332151607, atol=1e-12)


def test_root_keeps_the_type_of_its_start():
    x = tl.root(lambda x: x**2 - 2.0, np.ones(2, np.float32), tol=1e-6)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, np.sqrt(2.0), rtol=1e-6)
    z = tl.root(lambda z: z * z + 1.0, 0.3 + 0.8j)
    assert z == pytest.approx(1j, abs=1e-12)


def test_root_that_does_not_exist():
    with pytest.raises(RuntimeError, match="no step makes"):
        tl.root(lambda x: x**2 + 1.0, 3.0)
    with pytest.raises(RuntimeError, match="no convergence in 20 steps"):
        tl.fixed_point(lambda x: 2.0 * x + 1.0, 1.0, max_steps=20)


def test_argument_of_a_root():
    assert_derivatives(lambda a: tl.root(cubic, 1.0, (a,)) ** 2, 1.5)


def test_what_the_function_captures():
    assert_derivatives(lambda a: tl.root(lambda x: x**3 + a * x - 2.0, 1.0) ** 2, 1.5)


def test_root_of_a_system():
    def f(a, b):
        x = tl.root(lambda x: MATRIX @ x + a * np.tanh(x) - b, np.zeros(2))
        return np.sum(x**2 * np.array([1.0, 3.0]))

    assert_derivatives(f, 1.5, np.array([1.0, -2.0]))


def test_root_of_a_matrix_equation():
    def f(a):
        x = tl.root(lambda x: x @ x - a, np.eye(2))
        return np.sum(x * MATRIX)

    assert_derivatives(f, np.array([[4.0, 0.5], [0.2, 3.0]]))


def test_third_derivative():
    def f(a):
        return tl.root(cubic, 1.0, (a,))

    def direct(a):
        half = np.sqrt(1.0 + a**3 / 27.0)
        return np.cbrt(1.0 + half) + np.cbrt(1.0 - half)

    for order in (1, 2, 3, 4):
        got = tl.derivative(f, order=order)(1.5)
        assert got == pytest.approx(tl.derivative(direct, order=order)(1.5), rel=1e-8)


def test_start_has_derivative_zero():
    assert tl.grad(lambda x0: tl.root(cubic, x0, (1.5,)))(1.0) == 0.0
    assert tl.jvp(lambda x0: tl.root(cubic, x0, (1.5,)), (1.0,), (1.0,))[1] == 0.0


def test_fixed_point():
    def f(a, b):
        return np.sum(tl.fixed_point(lambda x: np.cos(a * x) + b, np.ones(2)) ** 2)

    assert_derivatives(f, 0.5, np.array([0.1, -0.2]))
    assert_derivatives(lambda a: tl.fixed_point(lambda x, s: np.cos(s * x), 0.5, (a,)), 0.8)


def test_root_inside_a_loop():
    def f(a, n):
        total = 0.0
        for i in range(n):
            a = a + 0.1 * tl.root(lambda x: x**3 + a * x - 2.0 - i, 1.0)
            total = total + a * a
        return total

    assert_derivatives(f, 1.5, 3, wrt=0)


def test_root_of_a_function_with_a_root_inside():
    def inner(a):
        return tl.root(cubic, 1.0, (a,))

    assert_derivatives(lambda b: tl.root(lambda x: x + inner(x * b) - 2.0, 1.0), 0.7)


def test_function_with_loops_and_branches():
    def residual(x, a):
        total = 0.0
        for k in range(3):
            if k % 2 == 0:
                total = total + x**k * a
            else:
                x = 0.5 * x
                total = total - x
        return total

    assert_derivatives(lambda a: tl.root(residual, 0.2, (a,)), 0.2)


def test_arguments_in_a_tuple():
    def f(a, b):
        parameters = (a, b)
        return np.sum(tl.root(coupled, np.ones(2), args=parameters))

    assert_derivatives(f, 4.0, 5.0)


def test_linear_equation_is_solved_once():
    text = tl.source(lambda a: tl.root(cubic, 1.0, (a,)), types={"a": 1.5})
    assert text.count("affine_root(") == 1


def test_function_known_only_at_run_time():
    with pytest.raises(NotYetSupported, match="known only at run time"):
        tl.grad(lambda x: tl.root(x, 1.0))(2.0)


def test_scipy_stays_unloaded():
    code = (
        "import sys, numpy as np, tangent_like as tl\n"
        "from tests.derivatives import define\n"
        "f = define('def f(a):\\n    return tl.root(lambda x: np.sin(x) - a, 0.1)', 'f')\n"
        "g = define('def g(x):\\n    return np.sum(np.linalg.inv(x) * np.sinc(x))', 'g')\n"
        "tl.hessian(f)(0.3), tl.grad(g)(np.eye(2)), tl.jvp(g, (np.eye(2),), (np.eye(2),))\n"
        "found = [name for name in sys.modules if name.split('.')[0] == 'scipy']\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- SciPy's solvers of equations


@pytest.fixture(scope="module")
def optimize():
    return pytest.importorskip("scipy.optimize")


@pytest.mark.parametrize("name", ["brentq", "brenth", "bisect", "ridder", "toms748"])
def test_bracketing_solvers(optimize, name):
    solver = getattr(optimize, name)
    assert_derivatives(lambda a: solver(cubic, 0.0, 2.0, args=(a,), xtol=1e-14) ** 2, 1.5)
    assert_derivatives(lambda a: solver(lambda x: cubic(x, a), 0.0, 2.0, xtol=1e-14) ** 2, 1.5)


def test_newton(optimize):
    assert_derivatives(lambda a: optimize.newton(cubic, 1.0, args=(a,), tol=1e-14) ** 2, 1.5)


def test_newton_of_an_array(optimize):
    def f(a):
        return np.sum(optimize.newton(lambda x: x**3 + a * x - 2.0, np.ones(2), tol=1e-14) ** 2)

    assert_derivatives(f, np.array([1.5, 0.7]))


def test_fsolve(optimize):
    def f(a, b):
        return np.sum(optimize.fsolve(coupled, [1.0, 1.0], args=(a, b), xtol=1e-13))

    assert_derivatives(f, 4.0, 5.0)


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_root_of_scipy(optimize, method):
    def f(a, b):
        found = optimize.root(coupled, np.array([1.0, 1.0]), args=(a, b), method=method, tol=1e-14)
        scale = 2.0 if found.success else 0.0
        return scale * np.sum(found.x**2)

    assert_derivatives(f, 4.0, 5.0)


def test_root_scalar(optimize):
    def f(a):
        return optimize.root_scalar(cubic, args=(a,), bracket=(0.0, 2.0), xtol=1e-14).root

    assert_derivatives(f, 0.9)


def test_fixed_point_of_scipy(optimize):
    def f(a):
        return optimize.fixed_point(lambda x: np.cos(a * x), 0.5, xtol=1e-14)

    assert_derivatives(f, 0.9)


def test_options_that_are_refused(optimize):
    with pytest.raises(NotYetSupported, match="`newton` with `fprime`"):
        tl.grad(lambda a: optimize.newton(cubic, 1.0, np.cos, args=(a,)))(1.5)
    with pytest.raises(NotYetSupported, match="`fsolve` with `full_output`"):
        tl.grad(lambda a: optimize.fsolve(cubic, 1.0, (a,), full_output=True)[0][0])(1.5)


# ---------------------------------------------------------------- differential equations


@pytest.fixture(scope="module")
def integrate():
    return pytest.importorskip("scipy.integrate")


Y0 = np.array([0.5, 0.1])
ACCURATE = {"rtol": 1e-11, "atol": 1e-11}


def held_to_differences(f, *args, order=2):
    tl.check_grads(f, args, order=order, atol=2e-6, rtol=2e-6)


def test_odeint(integrate):
    def f(y0, friction, gravity):
        y = integrate.odeint(pendulum, y0, TIMES, args=(friction, gravity), rtol=1e-11, atol=1e-11)
        return np.sum(y[1:] ** 2 * np.array([1.0, 2.0]))

    held_to_differences(f, Y0, 0.3, 2.0)


def test_odeint_against_the_solution(integrate):
    """y' = -k y has y = y0 exp(-k t), and all derivatives of that."""

    def f(y0, k):
        return integrate.odeint(lambda y, t: -k * y, y0, TIMES, rtol=1e-12, atol=1e-12)[-1, 0]

    def exact(y0, k):
        return y0 * np.exp(-k * 2.0)

    for wrt in (0, 1):
        got = tl.value_and_grad(f, wrt=wrt)(1.3, 0.7)
        assert got == pytest.approx(tl.value_and_grad(exact, wrt=wrt)(1.3, 0.7), rel=1e-8)
    got = tl.hessian(f, wrt=1)(1.3, 0.7)
    assert got == pytest.approx(tl.hessian(exact, wrt=1)(1.3, 0.7), rel=1e-7)


def test_accuracy_known_at_run_time_only(integrate):
    """As a variable around the function, an argument, and another one at each step of a loop."""
    tol = 1e-12

    def of_odeint(y0, k):
        return np.sum(integrate.odeint(lambda y, t: -k * y * y, y0, TIMES, rtol=tol, atol=tol)[-1])

    def of_ivp(y0, k, tol=1e-12):
        found = integrate.solve_ivp(lambda t, y: -k * y * y, (0, 2), y0, rtol=tol, atol=tol)
        return np.sum(found.y[:, -1])

    def of_several(y0, k):
        y = y0
        for accuracy in (1e-11, 1e-12):
            y = integrate.odeint(lambda y, t: -k * y * y, y, TIMES, rtol=accuracy, atol=1e-12)[-1]
        return np.sum(y)

    for f in (of_odeint, of_ivp, of_several):
        held_to_differences(f, Y0, 0.7)


def test_odeint_with_time_first_and_time_in_the_rates(integrate):
    def f(y0, a):
        y = integrate.odeint(
            lambda t, y: -a * y + np.cos(a * t), y0, TIMES, tfirst=True, rtol=1e-11, atol=1e-11
        )
        return np.sum(y**2)

    held_to_differences(f, Y0, 0.7)


def test_odeint_from_a_list_and_with_a_matrix(integrate):
    def f(a, x):
        y = integrate.odeint(lambda y, t: np.tanh(a @ y), [x, 1.0], TIMES, rtol=1e-11, atol=1e-11)
        return np.sum(y[-1])

    held_to_differences(f, MATRIX, 0.3)


@pytest.mark.parametrize("method", ["RK45", "DOP853", "LSODA"])
def test_solve_ivp(integrate, method):
    def f(y0, friction, gravity):
        found = integrate.solve_ivp(
            lambda t, y: pendulum(y, t, friction, gravity), (0.0, 2.0), y0, method=method,
            t_eval=TIMES, rtol=1e-10, atol=1e-10,
        )  # fmt: skip
        return np.sum(found.y[0] ** 2) + found.t[0]

    held_to_differences(f, Y0, 0.3, 2.0, order=2 if method == "DOP853" else 1)


def test_solve_ivp_at_its_own_times(integrate):
    def f(y0, k):
        found = integrate.solve_ivp(
            lambda t, y, k: -k * y, [0.0, 2.0], y0, args=(k,), rtol=1e-10, atol=1e-10
        )
        return np.sum(found.y[:, -1] ** 2)

    held_to_differences(f, Y0, 0.7)


def test_derivative_with_respect_to_times_is_refused(integrate):
    def of_odeint(end):
        return integrate.odeint(lambda y, t: -y, 1.0, np.linspace(0.0, end, 3))[-1, 0]

    def of_ivp(end):
        return integrate.solve_ivp(lambda t, y: -y, (0.0, end), np.ones(1)).y[0, -1]

    for f in (of_odeint, of_ivp):
        with pytest.raises(NotYetSupported, match="with respect to its times"):
            tl.grad(f)(2.0)
        with pytest.raises(NotYetSupported, match="with respect to its times"):
            tl.jvp(f, (2.0,), (1.0,))


def test_options_of_trajectories_that_are_refused(integrate):
    def f(y0):
        return integrate.odeint(lambda y, t: -y, y0, TIMES, atol=np.full(2, 1e-9))[-1, 0]

    def g(y0):
        return integrate.solve_ivp(lambda t, y: -y, (0.0, 1.0), y0, dense_output=True).y[0, -1]

    with pytest.raises(NotYetSupported, match="`atol` as an array"):
        tl.grad(f)(Y0)
    with pytest.raises(NotYetSupported, match="`solve_ivp` with `dense_output`"):
        tl.grad(g)(Y0)


def test_neural_differential_equation(integrate):
    """Weights as arguments, in the manner of a neural ODE with one hidden layer."""

    def rates(y, t, w, b, v):
        return v @ np.tanh(w @ y + b * t)

    def loss(w, b, v):
        y = integrate.odeint(rates, Y0, TIMES, args=(w, b, v), rtol=1e-12, atol=1e-12)
        return np.sum((y - 0.3) ** 2)

    random = np.random.default_rng(3)
    w, b, v = random.normal(size=(3, 2)), random.normal(size=3), random.normal(size=(2, 3))
    held_to_differences(loss, w, b, v, order=1)
    assert tl.jvp(loss, (w, b, v), (w, b, v))[1] == pytest.approx(
        sum(np.sum(x * g) for x, g in zip((w, b, v), tl.grad(loss, wrt=(0, 1, 2))(w, b, v))),
        rel=1e-7,
    )


def test_generated_source_names_the_users_function(integrate):
    def f(y0):
        return np.sum(integrate.odeint(pendulum, y0, TIMES, args=(0.1, 2.0)))

    text = tl.source(f, types={"y0": Y0})
    assert "def pendulum(y, t):" in text
    assert "scipy.integrate.odeint(pendulum, y0, " in text


def test_two_functions_of_one_name(integrate):
    code = (
        "def f(a):\n    def g(x):\n        return x * x - a\n    x = tl.root(g, 1.0)\n"
        "    def g(x):\n        return x * x * x - a\n    return x + tl.root(g, 1.0)\n"
    )
    assert_derivatives(define(code, "f"), 1.7)


def test_a_nested_function_that_calls_itself_through_a_solver_is_refused():
    def f(a):
        w = np.tanh(a)

        def r(n):
            return w if n < 1 else tl.root(lambda u: u + u**3 - r(n - 1), 0.5) + w

        return r(2)

    with pytest.raises(NotYetSupported, match="is called by what it hands to a solver"):
        tl.grad(f)(0.7)
