"""Functions with derivatives of their own: `custom_vjp` and `custom_jvp`."""

import functools
import math
import pickle

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import ArgumentError, NeverSupported, NoRuleError

VECTOR = np.array([0.3, -1.2, 2.1])


@tl.custom_vjp
def f(x, y):
    """The sine of one number times another."""
    return np.sin(x) * y


def f_fwd(x, y):
    return f(x, y), (np.cos(x), np.sin(x), y)


def f_bwd(residuals, g):
    cos_x, sin_x, y = residuals
    return cos_x * y * g, sin_x * g


f.defvjp(f_fwd, f_bwd)


@tl.custom_jvp
def h(x, y):
    return np.sin(x) * y


@h.defjvp
def h_jvp(primals, tangents):
    x, y = primals
    dx, dy = tangents
    return h(x, y), np.cos(x) * dx * y + np.sin(x) * dy


@tl.custom_jvp
def by_arguments(x, y):
    return np.sin(x) * y


by_arguments.defjvps(lambda dx, z, x, y: np.cos(x) * dx * y, lambda dy, z, x, y: np.sin(x) * dy)


def plain(x, y):
    return np.sin(x) * y


CUSTOM = pytest.mark.parametrize("custom", [f, h, by_arguments], ids=["vjp", "jvp", "jvps"])


def around(custom):
    def inside(x, y):
        z = custom(x * y, y) ** 2
        return z * custom(z, x)

    return inside


# ---------------------------------------------------------------- rules that are right


@CUSTOM
def test_function_itself(custom):
    assert custom(0.7, 2.0) == plain(0.7, 2.0)
    assert tl.grad(custom, wrt=(0, 1))(0.7, 2.0) == tl.grad(plain, wrt=(0, 1))(0.7, 2.0)
    assert tl.jvp(custom, (0.7, 2.0), (1.0, -1.0)) == tl.jvp(plain, (0.7, 2.0), (1.0, -1.0))
    assert tl.vjp(custom, 0.7, 2.0)[1](3.0) == pytest.approx(tl.vjp(plain, 0.7, 2.0)[1](3.0))


@CUSTOM
def test_inside_a_function(custom):
    tl.check_grads(around(custom), (0.7, 2.0))
    got = tl.grad(around(custom), wrt=(0, 1))(0.7, 2.0)
    assert got == pytest.approx(tl.grad(around(plain), wrt=(0, 1))(0.7, 2.0), rel=1e-13)


@CUSTOM
def test_third_order(custom):
    got = tl.derivative(around(custom), order=3)(0.7, 2.0)
    assert got == pytest.approx(tl.derivative(around(plain), order=3)(0.7, 2.0), rel=1e-11)
    got = tl.hvp(tl.grad(around(custom)))(0.7, 2.0, 1.0)
    assert got == pytest.approx(tl.hvp(tl.grad(around(plain)))(0.7, 2.0, 1.0), rel=1e-11)


@CUSTOM
def test_arrays_broadcast_by_the_caller(custom):
    tl.check_grads(lambda x, y: np.sum(custom(x, y) ** 2), (VECTOR, 0.5 * VECTOR))


@CUSTOM
def test_in_loops_and_branches(custom):
    def inside(x, n):
        total = 0.0
        for i in range(n):
            if i % 2 == 0:
                x = custom(x, 1.5)
            else:
                total = total + custom(2.0, x)
        return total * x

    tl.check_grads(inside, (0.7, 5))


@CUSTOM
def test_one_active_argument(custom):
    assert tl.grad(lambda x: custom(x, 2.0))(0.7) == pytest.approx(2.0 * math.cos(0.7))
    assert tl.grad(lambda y: custom(0.7, y))(2.0) == pytest.approx(math.sin(0.7))
    assert tl.jvp(lambda y: custom(0.7, y), (2.0,), (1.0,))[1] == pytest.approx(math.sin(0.7))


@CUSTOM
def test_keyword_and_default_arguments(custom):
    assert tl.grad(lambda x: custom(y=x, x=0.7))(2.0) == pytest.approx(math.sin(0.7))


def test_metadata():
    assert f.__name__ == "f"
    assert f.__doc__ == "The sine of one number times another."
    assert pickle.loads(pickle.dumps(f)) is f


def test_function_that_is_passed_keeps_its_derivative():
    doubled = tl.custom_vjp(plain)
    doubled.defvjp(lambda x, y: (plain(x, y), None), lambda r, g: (2.0 * g, None))
    assert tl.grad(doubled, wrt=(0, 1))(0.7, 2.0) == (2.0, 0.0)
    assert tl.grad(plain)(0.7, 2.0) == 2.0 * np.cos(0.7)


def test_rule_is_used_instead_of_the_body():
    @tl.custom_vjp
    def rounded(x):
        return np.round(x)

    rounded.defvjp(lambda x: (np.round(x), None), lambda r, g: (g,))
    np.testing.assert_array_equal(tl.grad(lambda x: np.sum(rounded(x) * x))(VECTOR),
                                  np.round(VECTOR) + VECTOR)  # fmt: skip


def test_residuals_of_any_kind():
    @tl.custom_vjp
    def g(x):
        return np.sum(x * x)

    def fwd(x):
        return np.sum(x * x), (x, "text", None, 2, (x, [x]))

    def bwd(residuals, by):
        _, _, _, two, (_, (again,)) = residuals
        return (two * again * by,)

    g.defvjp(fwd, bwd)
    np.testing.assert_array_equal(tl.grad(g)(VECTOR), 2 * VECTOR)


def test_structured_arguments_and_results():
    @tl.custom_vjp
    def g(p, x):
        a, b = p
        return a * x, b * x

    def fwd(p, x):
        return g(p, x), (p, x)

    def bwd(residuals, by):
        (a, b), x = residuals
        by1, by2 = by
        return (by1 * x, by2 * x), by1 * a + by2 * b

    g.defvjp(fwd, bwd)

    def use(p, x):
        y, z = g(p, x)
        return y * z * z

    tl.check_grads(use, ((2.0, 3.0), 0.5))
    tl.check_grads(lambda p, x: g(p, x)[0], ((2.0, 3.0), 0.5), order=1)


# ---------------------------------------------------------------- arguments that stay constant


@functools.partial(tl.custom_vjp, nondiff_argnums=(0, 2))
def applied(function, x, power):
    return function(x) ** power


def applied_bwd(function, power, x, g):
    return (g * power * function(x) ** (power - 1) * tl.grad(function)(x),)


applied.defvjp(lambda function, x, power: (function(x) ** power, x), applied_bwd)


def test_nondiff_argnums():
    got = tl.grad(lambda x: applied(sine, x, 2))(0.7)
    assert got == pytest.approx(2 * math.sin(0.7) * math.cos(0.7))


def sine(x):
    return math.sin(x)


def test_nondiff_argument_of_custom_jvp():
    @functools.partial(tl.custom_jvp, nondiff_argnums=(1,))
    def power(x, n):
        return x**n

    @power.defjvp
    def power_jvp(n, primals, tangents):
        (x,), (dx,) = primals, tangents
        return power(x, n), n * x ** (n - 1) * dx

    assert tl.grad(lambda x: power(x, 3))(2.0) == 12.0
    assert tl.jvp(lambda x: power(x, 3), (2.0,), (1.0,)) == (8.0, 12.0)


# ---------------------------------------------------------------- rules that only one mode has


@tl.custom_vjp
def clipped(low, high, x):
    """The identity; what flows back is clipped."""
    return x


clipped.defvjp(
    lambda low, high, x: (x, (low, high)),
    lambda residuals, g: (None, None, np.clip(g, residuals[0], residuals[1])),
)


def test_cotangent_that_is_clipped():
    gradient = tl.grad(lambda x: np.sum(4.0 * clipped(-0.75, 0.75, np.sin(x))))(VECTOR)
    np.testing.assert_allclose(gradient, 0.75 * np.cos(VECTOR))


def test_backward_function_that_is_not_linear_has_no_forward_mode():
    with pytest.raises(NeverSupported, match="not linear in the cotangent") as caught:
        tl.jvp(lambda x: clipped(-1.0, 1.0, x), (0.5,), (1.0,))
    assert caught.value.place.file == __file__
    assert "custom_jvp" in caught.value.hint


@pytest.mark.parametrize("step", [np.sign, np.floor, np.round])
def test_step_function_of_the_cotangent_has_no_forward_mode(step):
    @tl.custom_vjp
    def g(x):
        return x

    g.defvjp(lambda x: (x, None), lambda r, by: (step(by),))
    assert tl.grad(lambda x: 2.6 * g(x))(1.0) == step(2.6)
    with pytest.raises(NeverSupported, match="not linear"):
        tl.jvp(g, (0.5,), (1.0,))


def test_tangent_that_is_not_linear_has_no_reverse_mode():
    @tl.custom_jvp
    def g(x):
        return x * x

    g.defjvp(lambda primals, tangents: (g(primals[0]), tangents[0] ** 2))
    assert tl.jvp(g, (3.0,), (2.0,)) == (9.0, 4.0)
    with pytest.raises(NeverSupported, match="not linear in the tangents"):
        tl.grad(g)(3.0)


# ---------------------------------------------------------------- functions that cannot be compiled

calls = []


@tl.custom_vjp
def opaque(x):
    calls.append("f")
    return float(math.erfc(x))


def opaque_fwd(x):
    calls.append("fwd")
    with np.errstate(all="ignore"):
        return opaque(x), x


def opaque_bwd(x, g):
    calls.append("bwd")
    with np.errstate(all="ignore"):
        return (-g * 2.0 / math.sqrt(math.pi) * math.exp(-x * x),)


opaque.defvjp(opaque_fwd, opaque_bwd)


def test_what_cannot_be_compiled_is_called():
    calls.clear()
    got = tl.grad(lambda x: opaque(x) * x)(0.5)
    assert got == pytest.approx(math.erfc(0.5) - math.exp(-0.25) / math.sqrt(math.pi))
    assert calls == ["fwd", "f", "bwd"]


def test_what_cannot_be_compiled_has_no_second_derivative():
    with pytest.raises(NoRuleError, match="opaque") as caught:
        tl.grad(tl.grad(lambda x: opaque(x) * x))(0.5)
    assert caught.value.place.file == __file__
    with pytest.raises(NeverSupported, match="could not be compiled"):
        tl.jvp(opaque, (0.5,), (1.0,))


# ---------------------------------------------------------------- rules that are wrong


@pytest.mark.parametrize("decorator", [tl.custom_vjp, tl.custom_jvp])
@pytest.mark.parametrize("use", [tl.grad, tl.derivative])
def test_missing_rule(decorator, use):
    g = decorator(plain)
    with pytest.raises(ArgumentError, match="`plain` has no rule") as caught:
        use(lambda x: g(x, 2.0))(0.7)
    assert "def" in caught.value.hint
    assert caught.value.place.file == __file__


def test_rule_given_later_is_noticed():
    g = tl.custom_vjp(plain)
    gradient = tl.grad(g)
    g.defvjp(lambda x, y: (plain(x, y), None), lambda r, by: (1.0 * by, None))
    assert gradient(0.7, 2.0) == 1.0
    g.defvjp(lambda x, y: (plain(x, y), None), lambda r, by: (3.0 * by, None))
    assert gradient(0.7, 2.0) == 3.0


@pytest.mark.parametrize(
    ("forward", "backward", "message"),
    [
        (lambda x, y: (x * y, x), lambda r, g: (g,), "1 cotangents for 2 arguments"),
        (lambda x, y: (x * y, x), lambda r, g: g, "returns no tuple"),
        (lambda x, y: x * y, lambda r, g: (g, g), r"returns \(value, residuals\)"),
        (lambda x: (x, x), lambda r, g: (g, g), "2 positional arguments where 1"),
        (lambda x, y: (x * y, x), lambda r: (r, r), "2 positional arguments where 1"),
    ],
)
def test_rule_of_a_wrong_form(forward, backward, message):
    g = tl.custom_vjp(plain)
    g.defvjp(forward, backward)
    with pytest.raises(ArgumentError, match=message):
        tl.grad(g)(0.7, 2.0)


def test_cotangent_of_a_wrong_shape():
    g = tl.custom_vjp(plain)
    g.defvjp(lambda x, y: (x * y, y), lambda y, by: (np.sum(by), by))
    with pytest.raises(ArgumentError, match="0 axes, its argument 1"):
        tl.grad(lambda x: np.sum(g(x, x)))(VECTOR)


def test_differentiating_an_argument_that_is_declared_constant():
    with pytest.raises(ArgumentError, match="nondiff_argnums"):
        tl.grad(lambda p: applied(sine, 0.7, p))(2.0)


@pytest.mark.parametrize("thing", [3.0, math.sin, int], ids=str)
def test_something_that_is_no_function(thing):
    with pytest.raises(ArgumentError):
        tl.custom_vjp(thing)
    with pytest.raises(ArgumentError):
        tl.custom_jvp(thing)
    with pytest.raises(ArgumentError):
        tl.custom_vjp(plain).defvjp(thing, plain)
