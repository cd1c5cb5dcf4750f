"""What derivatives are at special points: ties, zeros, infinities, NaN, bounds.

Where a limit exists it is the derivative; otherwise the subgradient of least norm; otherwise
infinity or NaN.  Plain Python numbers must not raise an exception where the primal does not.
"""

import math
from typing import Any

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.rules import registry
from tests.derivatives import define
from tests.rules.evaluate import forward, one_operation, reverse, traced

INF, NAN = math.inf, math.nan


def differentiate(program: Any, values: Any) -> tuple[Any, list[Any]]:
    """The derivatives by reverse mode, held to forward mode along each coordinate."""
    with np.errstate(all="ignore"):
        straight, results = program.trace(values)
        seeds = [np.ones_like(y) if np.ndim(y) else 1.0 for y in results]
        found = reverse(straight).run(values, seeds)
        for i, x in enumerate(values):
            for place in np.ndindex(np.shape(x)):
                directions = [np.zeros_like(v) if np.ndim(v) else 0.0 for v in values]
                directions[i] = unit(x, place)
                tangents = forward(straight).run(values, directions)
                slope = sum(np.sum(t) for t in tangents)
                if not np.isnan(slope):  # the other directions' zeros times infinity
                    np.testing.assert_allclose(
                        slope, np.real(np.asarray(found[i])[place]), rtol=1e-12
                    )
    return straight, found


def unit(x: Any, place: Any) -> Any:
    if not np.ndim(x):
        return 1.0
    direction = np.zeros_like(x)
    direction[place] = 1.0
    return direction


def partials(fn: Any, *args: Any, known: bool = True, **keywords: Any) -> list[Any]:
    """The derivatives of the sum of the results with respect to each float operand."""
    program, values = one_operation(fn, args, keywords, known)
    return differentiate(program, values)[1]


def slope(function: Any, *values: Any, known: bool = True) -> Any:
    """The derivative with respect to the first operand of a function of symbolic operands."""
    return differentiate(traced(function, values, known), values)[1][0]


def curvature(fn: Any, *args: Any, **keywords: Any) -> list[Any]:
    """The second derivatives along (1, 1, ...), by both modes over reverse mode."""
    with np.errstate(all="ignore"):
        program, values = one_operation(fn, args, keywords, True)
        straight, results = program.trace(values)
        seeds = [np.ones_like(y) if np.ndim(y) else 1.0 for y in results]
        ones = [np.ones_like(x) if np.ndim(x) else 1.0 for x in values]
        first = reverse(straight).trace(values, seeds)[0]
        found = forward(first).run(values, [*seeds, *ones])
        again = reverse(first).run(values, [*seeds, *ones])
    for a, b in zip(found, again, strict=True):
        np.testing.assert_allclose(a, b)
    return list(found)


def expect(found: Any, *wanted: Any) -> None:
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def both(x: float) -> list[Any]:
    """A Python float, and an array of it."""
    return [x, np.array([x])]


# ---------------------------------------------------------------- absolute values and roots


@pytest.mark.parametrize("fn", [abs, np.abs, np.absolute, np.fabs])
@pytest.mark.parametrize("known", [True, False])
def test_absolute_value(fn: Any, known: bool) -> None:
    for x, wanted in ((0.0, 0.0), (-2.0, -1.0), (3.0, 1.0), (INF, 1.0), (-INF, -1.0)):
        for operand in both(x):
            expect(np.ravel(partials(fn, operand, known=known)[0]), wanted)
            if np.isfinite(x):
                expect(np.ravel(curvature(fn, operand)[0]), 0.0)
    assert np.isnan(partials(fn, np.array([NAN]))[0])


def test_absolute_value_of_complex_numbers() -> None:
    z = np.array([3 + 4j, 0j])
    expect(partials(np.abs, z)[0], 0.6 - 0.8j, 0)
    expect([slope(lambda z: np.abs(z) ** 2, z)[0]], 6 - 8j)


@pytest.mark.parametrize("fn", [np.sqrt, math.sqrt])
def test_square_root_at_zero(fn: Any) -> None:
    expect(partials(fn, 0.0), INF)
    expect(partials(fn, 4.0), 0.25)


def test_cube_root_at_zero() -> None:
    expect(partials(np.cbrt, 0.0), INF)
    if hasattr(math, "cbrt"):
        expect(partials(math.cbrt, 0.0), INF)


@pytest.mark.parametrize("x", [1.0, -1.0])
def test_inverse_functions_at_the_ends_of_their_domain(x: float) -> None:
    for fn in (np.arcsin, math.asin):
        expect(partials(fn, x), INF)
    for fn in (np.arccos, math.acos):
        expect(partials(fn, x), -INF)
    for fn in (np.arccosh, math.acosh):
        expect(partials(fn, 1.0), INF)


@pytest.mark.parametrize("fn", [np.hypot, math.hypot])
def test_hypot_at_the_origin(fn: Any) -> None:
    expect(partials(fn, 0.0, 0.0), 0.0, 0.0)
    expect(partials(fn, 3e200, 4e200), 0.6, 0.8)


def test_norm_at_zero() -> None:
    expect(partials(np.linalg.norm, np.zeros(3)), np.zeros(3))
    expect(partials(np.linalg.norm, np.zeros((2, 2)), axis=0), np.zeros((2, 2)))
    expect(partials(math.dist, [0.5, 1.0], [0.5, 1.0]), 0, 0, 0, 0)
    expect(partials(np.std, np.ones(3)), np.zeros(3))


def test_arctan2_at_the_origin_is_undefined() -> None:
    for fn in (np.arctan2, math.atan2):
        assert np.all(np.isnan(partials(fn, 0.0, 0.0)))


# ---------------------------------------------------------------- powers


@pytest.mark.parametrize("fn", [pow, np.power, math.pow])
@pytest.mark.parametrize("n", [0, 0.0])
def test_power_zero_is_constant(fn: Any, n: Any) -> None:
    for x in (0.0, 2.0, -3.0):
        expect(partials(fn, x, 0), 0.0)
        expect(curvature(fn, x, 0), 0.0)
        found = partials(fn, x, 0.0)
        expect(found[:1], 0.0)


@pytest.mark.parametrize("fn", [pow, np.power, math.pow])
def test_power_of_zero(fn: Any) -> None:
    expect(partials(fn, 0.0, 2), 0.0)
    expect(curvature(fn, 0.0, 2), 2.0)
    expect(partials(fn, 0.0, 1), 1.0)
    expect(partials(fn, 0.0, 2.0), 0.0, 0.0)
    expect(partials(fn, 0.0, 1.0), 1.0, 0.0)
    expect(partials(fn, 0.0, 0.0), 0.0, 0.0)
    expect(partials(fn, 0.0, 0.5), INF, 0.0)


def test_power_of_zero_in_arrays() -> None:
    n = np.array([0.0, 1.0, 2.0, 3.0])
    expect(partials(np.power, np.zeros(4), n), [0, 1, 0, 0], np.zeros(4))
    expect([slope(lambda x: x**n, np.zeros(4))], [0, 1, 0, 0])


def test_power_of_a_negative_number() -> None:
    for fn in (pow, np.power, math.pow):
        expect(partials(fn, -2.0, 3), 12.0)
        found = partials(fn, -2.0, 3.0)
        expect(found[:1], 12.0)
        assert np.isnan(found[1])
        expect(partials(fn, -2.0, -1), -0.25)


def test_quotient_does_not_overflow() -> None:
    import operator

    expect(partials(operator.truediv, 1e-200, 1e-200), 1e200, -1e200)
    expect(partials(pow, 1e-160, -1), -INF)


# ---------------------------------------------------------------- largest and smallest


@pytest.mark.parametrize("known", [True, False])
def test_ties_of_two_share_equally(known: bool) -> None:
    for fn in (np.maximum, np.minimum, np.fmax, np.fmin, max, min):
        expect(partials(fn, 0.7, 0.7, known=known), 0.5, 0.5)
    x, w = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    for fn in (np.maximum, np.fmax):
        expect(partials(fn, x, w, known=known), [0.5, 0, 1], [0.5, 1, 0])
    for fn in (np.minimum, np.fmin):
        expect(partials(fn, x, w, known=known), [0.5, 1, 0], [0.5, 0, 1])


@pytest.mark.parametrize("x", both(0.0))
def test_relu_at_zero(x: Any) -> None:
    expect([slope(lambda x: np.maximum(x, 0), x)], x)
    expect([slope(lambda x: np.maximum(0.0, x), x)], x)
    expect([slope(lambda x: np.minimum(x, 0), x)], x)


def test_ties_in_reductions_share_equally() -> None:
    x = np.array([[1.0, 3.0, 3.0], [3.0, 0.0, 0.0]])
    expect(partials(np.max, x), [[0, 1 / 3, 1 / 3], [1 / 3, 0, 0]])
    expect(partials(np.max, x, 0), [[0, 1, 1], [1, 0, 0]])
    expect(partials(np.min, x, axis=1, keepdims=True), [[1, 0, 0], [0, 0.5, 0.5]])
    expect(partials(max, [2.0, 3.0, 3.0]), 0, 0.5, 0.5)
    expect(partials(max, 2.0, 2.0, 2.0), 1 / 3, 1 / 3, 1 / 3)
    expect(partials(np.max, np.array([1.0, 2.0]), initial=5.0), [0, 0])


def test_infinite_elements_are_compared_too() -> None:
    expect(partials(np.maximum, np.array([INF, -INF]), np.zeros(2)), [1, 0], [0, 1])
    expect(partials(np.maximum, np.array([-INF]), np.array([-INF])), [0.5], [0.5])


def test_fmax_passes_over_nan() -> None:
    expect(partials(np.fmax, np.array([NAN, 1.0]), np.array([2.0, NAN])), [0, 1], [1, 0])


def test_sort_is_stable() -> None:
    x = np.array([2.0, 1.0, 2.0])
    weights = np.array([1.0, 10.0, 100.0])
    expect([slope(lambda x: np.sum(np.sort(x) * weights), x)], [10, 1, 100])


def test_nan_propagates() -> None:
    x = np.array([1.0, NAN])
    for fn in (np.max, np.sqrt, np.tanh, np.abs, np.linalg.norm, np.var):
        assert np.isnan(np.ravel(partials(fn, x)[0])[-1]), fn


# ---------------------------------------------------------------- bounds and conditions


@pytest.mark.parametrize("known", [True, False])
def test_clip(known: bool) -> None:
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    program, values = one_operation(np.clip, (x, -1, 1), {}, known)
    expect(differentiate(program, values)[1], [0, 1, 1, 1, 0])
    expect(partials(np.clip, x, -1.0, 1.0), [0, 1, 1, 1, 0], 1.0, 1.0)
    expect(partials(np.clip, 0.0, 1.0, -1.0), 0, 0, 1)
    expect(partials(np.clip, 2.0, None, 1.0), 0, 1)


def test_where_ignores_the_other_branch() -> None:
    x = np.array([0.0, 4.0])
    with np.errstate(all="ignore"):
        expect([slope(lambda x: np.where(x > 0, np.log(x), 0.0), x)], [0, 0.25])
        expect([slope(lambda x: np.where(x > 0, np.sqrt(x), x), x)], [1, 0.25])
        expect([slope(lambda x: np.where(x == 0, 0.0, 1 / x), x)], [0, -1 / 16])
        expect([slope(lambda x: np.sqrt(np.maximum(x, 0)), np.array([-1.0, 4.0]))], [0, 0.25])


def test_infinite_cotangent_meets_a_condition() -> None:
    expect([slope(lambda x: np.sqrt(np.clip(x, 0.0, 1.0)), np.array([-1.0, 0.25]))], [0.0, 1.0])


# ---------------------------------------------------------------- products, sinc, logarithms


def test_product_with_zeros_is_exact() -> None:
    expect(partials(np.prod, np.array([0.0, 2.0, 3.0])), [6, 0, 0])
    expect(partials(np.prod, np.array([0.0, 2.0, 0.0])), [0, 0, 0])
    expect(curvature(np.prod, np.array([0.0, 2.0, 0.0])), [2, 0, 2])
    expect(partials(math.prod, [0.0, 2.0, 3.0]), 6, 0, 0)
    expect(partials(np.cumprod, np.array([2.0, 0.0, 3.0])), [1, 8, 0])


def test_leading_zeros_of_polynomials_are_left_out() -> None:
    p, q, weights = np.array([0.0, 0.7, -0.3]), np.array([1.3, 0.4]), np.array([1.0, 10.0, 100.0])
    assert len(np.polymul(p, q)) == 3
    expect([slope(lambda q: np.sum(np.polymul(p, q) * weights), q)], [0.7 - 3, 7 - 30])


def test_sinc_at_zero() -> None:
    for x in both(0.0):
        expect(np.ravel(partials(np.sinc, x)[0]), 0)
        expect(np.ravel(curvature(np.sinc, x)[0]), -(math.pi**2) / 3)
    expect(partials(np.sinc, 1e-8), -1e-8 * math.pi**2 / 3)


def test_logaddexp_at_infinity() -> None:
    expect(partials(np.logaddexp, INF, 1.0), 1, 0)
    expect(partials(np.logaddexp, -INF, 1.0), 0, 1)
    expect(partials(np.logaddexp, 0.0, 1000.0), 0, 1)
    expect(partials(np.logaddexp, 2.0, 2.0), 0.5, 0.5)
    expect([slope(lambda x: np.logaddexp(0.0, x), np.array([INF, -INF]))], [1, 0])


def test_determinant_of_a_singular_matrix() -> None:
    expect(partials(np.linalg.det, np.array([[1.0, 2.0], [2.0, 4.0]])), [[4, -2], [-2, 1]])


def test_eigenvalues_of_a_multiple_of_the_unit_matrix() -> None:
    expect(partials(np.linalg.eigvalsh, 2 * np.eye(2)), np.eye(2))


# ---------------------------------------------------------------- constants


def test_jumps_have_derivative_zero() -> None:
    for fn in (np.floor, np.round, np.sign, np.rint, math.floor, np.heaviside):
        args = (0.7, 0.5) if fn is np.heaviside else (0.7,)
        assert partials(fn, *args)[0] == 0


def test_remainder() -> None:
    import operator

    expect(partials(operator.mod, 7.5, 2.0), 1, -3)
    expect(partials(np.fmod, -7.5, 2.0), 1, 3)


# ---------------------------------------------------------------- arguments of derivatives


def test_unused_argument_has_zeros_of_its_shape() -> None:
    f = define("def f(x, w, z):\n    return np.sum(x * x)\n", "f")
    found = tl.grad(f, (1, 2))(np.ones(2), np.ones((2, 3), np.float32), 0.7)
    np.testing.assert_array_equal(found[0], np.zeros((2, 3)))
    assert found[0].dtype == np.float32
    assert found[1] == 0.0 and isinstance(found[1], float)


def test_python_int_is_taken_as_a_float() -> None:
    f = define("def f(x):\n    return x * x * x\n", "f")
    for found, wanted in ((tl.grad(f)(2), 12.0), (tl.grad(tl.grad(f))(2), 12.0)):
        assert type(found) is float and found == wanted
    assert tl.jvp(f, (2,), (1.0,)) == (8.0, 12.0)


def test_integer_array_is_an_error_that_says_how_to_cast() -> None:
    f = define("def f(x):\n    return np.sum(x * x)\n", "f")
    with pytest.raises(TypeError, match="float"):
        tl.grad(f)(np.array([1, 2]))
    with pytest.raises(TypeError, match="float"):
        tl.jvp(f, (np.array([1, 2]),), (np.ones(2),))


def test_float32_stays_float32() -> None:
    f = define("def f(x):\n    return np.sum(np.tanh(2.0 * x) ** 2 + 0.5)\n", "f")
    x = np.array([0.3, -1.2], np.float32)
    u = np.ones(2, np.float32)
    value, slope = tl.jvp(f, (x,), (u,))
    assert {tl.grad(f)(x).dtype, value.dtype, slope.dtype} == {np.dtype(np.float32)}
    assert tl.hvp(f)(x, u).dtype == np.float32


def test_complex_gradient_is_that_of_jax() -> None:
    f = define("def f(z):\n    return np.abs(z) ** 2\n", "f")
    assert tl.grad(f)(3 + 4j) == pytest.approx(6 - 8j)


def test_gradient_of_an_array_names_jacobian() -> None:
    f = define("def f(x):\n    return x * x\n", "f")
    with pytest.raises(TypeError, match="jacobian"):
        tl.grad(f)(np.ones(2))


# ---------------------------------------------------------------- what the documentation says

NOTED = {
    (abs, np.abs, np.fabs, math.fabs): "0 at 0",
    (np.maximum, np.minimum): "maximum(x, 0) has derivative 0 at 0",
    (max, min, np.max, np.amin, np.ptp, np.nanmin): "ties share equally",
    (np.fmax, np.fmin, np.maximum.reduce): "ties share equally",
    (np.sort,): "equal elements keep their order",
    (np.clip,): "1 inside and at the bounds",
    (np.sqrt, math.sqrt, np.cbrt): "inf at 0",
    (pow, np.power, math.pow): "x**0 has derivative 0 everywhere",
    (np.linalg.norm, np.hypot, math.hypot): "0 where",
    (np.std, np.nanstd): "0 where all elements are equal",
    (np.prod, np.nanprod, math.prod, np.cumprod, np.multiply.reduce): "exact where elements are 0",
    (np.sinc,): "exact at 0",
    (np.arctan2,): "NaN where both operands are 0",
    (np.where,): "what the other branch gives",
}


@pytest.mark.parametrize("functions", NOTED, ids=lambda fs: fs[0].__name__)
def test_conventions_are_documented(functions: tuple[Any, ...]) -> None:
    for function in functions:
        note = registry.find(function).note
        if function in (np.maximum, np.minimum):
            note = note.replace("minimum(", "maximum(")
        assert NOTED[functions] in note, function
