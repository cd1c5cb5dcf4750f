"""What functions return and what derivatives give back: structures, seeds, values, aliases."""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import NotYetSupported
from tests.derivatives import assert_derivatives, check_slopes

VECTOR = np.array([0.3, -1.2, 2.1])


def pair(x, y):
    return x * y, np.sin(x) + y


def test_tuple_result():
    assert_derivatives(pair, 0.7, 0.4, complex_ok=True)
    assert_derivatives(pair, VECTOR, 0.4, complex_ok=True)


def nested_result(x):
    return x * x, (np.sin(x), x), 2.0


def test_nested_tuple_result():
    assert_derivatives(nested_result, 0.7, complex_ok=True)


def single(x):
    return (x * x,)


def test_tuple_of_one_result():
    assert_derivatives(single, 0.7, complex_ok=True)


def array_result(x, y):
    return np.outer(x, x) * y


def test_array_result():
    assert_derivatives(array_result, VECTOR, 0.4, complex_ok=True)


def mixed_result(x):
    return np.sum(x * x), x * 2.0, x[0]


def test_result_of_scalars_and_arrays():
    assert_derivatives(mixed_result, VECTOR, complex_ok=True)


def result_is_the_argument(x):
    return x


def result_twice(x):
    y = x * x
    return y, y


def result_and_argument(x, y):
    return y, x, y


def test_results_that_are_arguments_or_one_another():
    assert_derivatives(result_is_the_argument, VECTOR, complex_ok=True)
    assert_derivatives(result_twice, VECTOR, complex_ok=True)
    assert_derivatives(result_and_argument, VECTOR, 0.4, complex_ok=True)


def inactive_output(x, y):
    return x * x, 5.0, y


def test_one_inactive_output_of_several():
    assert_derivatives(inactive_output, 0.7, 0.4, complex_ok=True)
    assert_derivatives(inactive_output, 0.7, 0.4, wrt=0, complex_ok=True)
    tangent = tl.jvp(inactive_output, (0.7, 0.4), (1.0, 0.0))[1]
    assert tangent == (1.4, 0.0, 0.0)


def results_from_branches(x):
    if x > 0.0:
        return x * x, x
    return np.sin(x), 1.0


@pytest.mark.parametrize("x", [0.7, -0.7])
def test_tuple_result_of_two_returns(x):
    assert_derivatives(results_from_branches, x)


def results_from_a_loop(x, n):
    for i in range(n):
        if x > 2.0:
            return x, x * i
        x = x * 1.5
    return x * x, x


@pytest.mark.parametrize("n", [0, 2, 9])
def test_tuple_result_returned_from_a_loop(n):
    assert_derivatives(results_from_a_loop, 0.7, n, wrt=0)


def tuple_kept_in_a_name(x, y):
    t = (x, x * y)
    u = (t, y)
    (a, b), c = u
    return a * b * c + t[1]


def test_tuples_packed_and_unpacked():
    assert_derivatives(tuple_kept_in_a_name, 0.7, 0.4, complex_ok=True)


def tuple_carried_by_a_loop(x, n):
    state = (x, 1.0)
    for _ in range(n):
        state = (state[1] * x, state[0] + state[1])
    return state[0] * state[1]


@pytest.mark.parametrize("n", [0, 1, 4])
def test_tuple_carried_by_a_loop(n):
    assert_derivatives(tuple_carried_by_a_loop, 0.7, n, wrt=0, complex_ok=True)


def tuple_chosen_by_a_branch(x):
    p = (x, x * x) if x > 0.0 else (np.sin(x), 2.0)
    return p[0] * p[1]


@pytest.mark.parametrize("x", [0.7, -0.7])
def test_tuple_chosen_by_a_branch(x):
    assert_derivatives(tuple_chosen_by_a_branch, x)


def nothing(x):
    x = x * x


def test_function_without_a_result():
    assert tl.jvp(nothing, (0.7,), (1.0,))[0] is None
    with pytest.raises(tl.errors.TangentLikeError):
        tl.grad(nothing)(0.7)


def loss_with_aux(w, x):
    prediction = w * x
    return np.sum((prediction - 1.0) ** 2), prediction


def test_has_aux():
    gradient, aux = tl.grad(loss_with_aux, has_aux=True)(0.5, VECTOR)
    assert gradient == pytest.approx(np.sum(2.0 * (0.5 * VECTOR - 1.0) * VECTOR))
    np.testing.assert_array_equal(aux, 0.5 * VECTOR)
    (value, aux), gradient = tl.value_and_grad(loss_with_aux, has_aux=True)(0.5, VECTOR)
    assert value == loss_with_aux(0.5, VECTOR)[0]
    np.testing.assert_array_equal(aux, 0.5 * VECTOR)


def three(x, y, z):
    return x * y * y * z * z * z


def test_wrt_by_position_and_by_name():
    args = (2.0, 3.0, 5.0)
    want = (9.0 * 125.0, 2.0 * 6.0 * 125.0, 2.0 * 9.0 * 75.0)
    assert tl.grad(three)(*args) == want[0]
    assert tl.grad(three, wrt=2)(*args) == want[2]
    assert tl.grad(three, wrt="y")(*args) == want[1]
    assert tl.grad(three, wrt=(0, 2))(*args) == (want[0], want[2])
    assert tl.grad(three, wrt=("z", "x"))(*args) == (want[2], want[0])
    assert tl.grad(three, wrt=(1,))(*args) == (want[1],)
    assert tl.value_and_grad(three, wrt="z")(*args) == (three(*args), want[2])


def test_negative_wrt_counts_from_the_end():
    assert tl.grad(three, wrt=-1)(2.0, 3.0, 5.0) == 2.0 * 9.0 * 75.0


def elementwise(x, k):
    return np.sin(k * x)


def test_elementwise_grad():
    want = 2.0 * np.cos(2.0 * VECTOR)
    np.testing.assert_allclose(tl.elementwise_grad(elementwise)(VECTOR, 2.0), want, rtol=1e-14)


def test_vector_seed():
    pullback = tl.vjp(array_result, VECTOR, 0.4)[1]
    seed = np.arange(9.0).reshape(3, 3)
    bx, by = pullback(seed)
    np.testing.assert_allclose(bx, 0.4 * (seed + seed.T) @ VECTOR, rtol=1e-14)
    assert by == pytest.approx(VECTOR @ seed @ VECTOR)
    np.testing.assert_array_equal(seed, np.arange(9.0).reshape(3, 3))


def test_pullback_is_linear_and_repeatable():
    def loop(x, n):
        for _ in range(n):
            x = np.sin(x) * x
        return x

    pullback = tl.vjp(loop, VECTOR, 3)[1]
    first = pullback(np.ones(3))[0]
    np.testing.assert_array_equal(pullback(np.zeros(3))[0], np.zeros(3))
    np.testing.assert_allclose(pullback(np.full(3, 2.0))[0], 2.0 * first, rtol=1e-14)
    np.testing.assert_array_equal(pullback(np.ones(3))[0], first)


def linear(x, y):
    return np.sum(x * 1.0 + y)


def product(x, y):
    return np.sum(x * y)


def passes_on(x, y):
    return x, x + y


@pytest.mark.parametrize("f", [linear, product], ids=lambda f: f.__name__)
def test_gradients_share_no_memory_with_one_another_or_the_arguments(f):
    x, y = VECTOR.copy(), VECTOR[::-1].copy()
    gx, gy = tl.grad(f, wrt=(0, 1))(x, y)
    assert not np.shares_memory(gx, gy)
    for gradient in (gx, gy):
        assert not np.shares_memory(gradient, x)
        assert not np.shares_memory(gradient, y)
        gradient[:] = 0.0


def test_pulled_back_cotangents_share_no_memory_with_the_seed():
    seed = (np.ones(3), np.ones(3) * 2.0)
    bx, by = tl.vjp(passes_on, VECTOR, VECTOR)[1](seed)
    np.testing.assert_array_equal(bx, np.full(3, 3.0))
    bx *= 0.0
    by *= 0.0
    np.testing.assert_array_equal(seed[0], np.ones(3))
    np.testing.assert_array_equal(seed[1], np.full(3, 2.0))
    (bx,) = tl.vjp(result_is_the_argument, VECTOR)[1](seed[0])
    bx *= 0.0
    np.testing.assert_array_equal(seed[0], np.ones(3))


def blocked(x):
    return x * tl.stop_gradient(x * x)


def test_stop_gradient():
    assert blocked(3.0) == 27.0
    assert tl.value_and_grad(blocked)(3.0) == (27.0, 9.0)
    assert tl.jvp(blocked, (3.0,), (1.0,)) == (27.0, 9.0)
    assert tl.grad(tl.grad(blocked))(3.0) == 0.0


def test_value_is_exact_where_rounding_shows():
    """(0.1 + 0.2) + 0.3 and 0.1 + (0.2 + 0.3) differ; a derivative computes what is written."""

    def sums(x, y, z):
        return (x + y) + z - (x + (y + z)) + x / 3.0 * 3.0 + (x * y) / y

    assert_derivatives(sums, 0.1, 0.2, 0.3, complex_ok=True)


def _log_determinant(a):
    return np.linalg.slogdet(a).logabsdet


def _of_eigenvalues(a):
    found = np.linalg.eigh(a + a.T)
    return np.sum(found.eigenvalues**3) + np.sum(found.eigenvectors**2)


def _of_factors(a):
    parts = np.linalg.svd(a)
    lower = np.linalg.qr(a)
    return np.sum(parts.S) + np.sum((parts.U * parts.S) @ parts.Vh) + np.sum(lower.Q @ lower.R)


@pytest.mark.parametrize("f", [_log_determinant, _of_eigenvalues, _of_factors])
def test_items_that_numpy_names(f):
    assert_derivatives(f, np.array([[1.3, 0.4], [-0.2, 0.9]]), order=2)


def test_a_name_that_numpy_does_not_give():
    def f(a):
        return np.linalg.slogdet(a).nonsense

    with pytest.raises(NotYetSupported, match="`nonsense`"):
        tl.grad(f)(np.eye(2))


class Reading(NamedTuple):
    size: float
    log: Any


def test_early_returns_of_records_that_hold_different_things():
    def f(x, y):
        if x > 0.3:
            x = x * y
            if y > 0.1:
                return Reading(x, [y, x, y])
        return Reading(y, [math.sin(x), y])

    def g(x, y):
        size, log = f(x, y)
        return size * sum(log) + f(y, x).log[1]

    for at in ((0.7, 0.4), (0.7, 0.05), (0.2, 0.4)):
        assert_derivatives(g, *at)
        value, pullback = tl.vjp(f, *at)
        assert type(value) is Reading and value == f(*at)
        assert pullback(Reading(1.0, [0.0] * len(value.log))) == tl.grad(
            lambda x, y: f(x, y).size, wrt=(0, 1)
        )(*at)


@dataclasses.dataclass
class Box:
    items: list
    reading: Reading
    named: dict

    def __call__(self, factor):
        return factor * self.reading.log


def test_early_returns_of_objects_of_which_little_is_known():
    def f(x, y, n):
        if n > 1.0:
            if x > 1.0:
                return Box([sum(u) for u in [y, y]], Reading(x, x), {"k": x, "m": 0.3})
            if x > 0.8:
                return Box(y, Reading(x, 0.2), {"k": x, "m": x})
        elif n > 0.5:
            if x > 1.0:
                return Box([x, 0.3], Reading(x, 0.6), {"k": x, "m": 0.8})
        return Box([x, 2.0 * x], Reading(-x, 0.6), {"k": x, "m": 0.4})

    def g(x, y, n):
        box = f(x, y, n)
        total = box.items[0] * box.items[1] + sum(box.items) * box.reading.size
        return total + box(box.named["k"]) + box.named["m"]

    for x, n in ((0.5, 0.0), (0.9, 2.0), (1.5, 0.7), (1.5, 2.0)):
        assert_derivatives(g, x, [1.0, 2.0], n, wrt=(0, 1))


@pytest.mark.parametrize("x", [0.3, 0.55, 0.7])
def test_early_returns_from_a_loop_of_records_that_hold_different_things(x):
    """One path returns what is there, one goes on, one puts together what is unbound elsewhere."""

    def f(reading, x):
        n = 0
        while n < 3.0 * x:
            n += 1
            if x > 0.6:
                return reading
            if n * x > 0.5:
                continue
            return Reading(x * reading.size, reading)
        return reading

    check_slopes(f, Reading(1.3, 0.4), x, wrt=(0, 1))
