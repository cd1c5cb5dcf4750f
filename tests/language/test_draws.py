"""Random draws: made once, constants but for the parameters of their distribution."""

from typing import Any

import numpy as np
import pytest

import tangent_like as tl
from tangent_like.errors import TangentLikeError
from tests.derivatives import assert_derivatives

RNG = np.random.default_rng(5)


def seeded_inside(mean: Any, scale: Any) -> Any:
    rng = np.random.default_rng(7)
    noise = rng.standard_normal(3)
    return np.sum(np.tanh(rng.normal(mean, scale, size=3) * noise)) + rng.uniform(mean, 3.0)


def seeded_module(x: Any, scale: Any) -> Any:
    np.random.seed(3)
    return np.sum(x * np.random.normal(0.0, scale, 3)) * np.random.exponential(scale)


def keyword_only(x: Any, s: Any) -> Any:
    rng = np.random.RandomState(2)
    return np.sum(rng.normal(size=3, scale=s) * x) + rng.laplace(scale=s, loc=x[0])


def dropout(x: Any, p: float) -> Any:
    rng = np.random.default_rng(0)
    kept = rng.random(x.shape) > p
    return np.sum(np.where(kept, x, 0.0) ** 2)


def monte_carlo(s0: Any, sigma: Any) -> Any:
    rng = np.random.default_rng(1)
    total = 0.0
    for _ in range(20):
        s = s0 * np.exp(-0.5 * sigma**2 + sigma * rng.standard_normal())
        if s > 1.0:
            total = total + (s - 1.0)
    return total / 20


@pytest.mark.parametrize(
    ("f", "args", "wrt"),
    [
        (seeded_inside, (0.3, 1.2), None),
        (seeded_module, (np.array([0.3, -0.7, 1.1]), 1.4), None),
        (keyword_only, (np.array([0.3, -0.7, 1.1]), 1.4), None),
        (dropout, (np.array([0.3, -0.7, 1.1]), 0.4), 0),
        (monte_carlo, (1.1, 0.3), None),
    ],
)
def test_derivatives(f: Any, args: Any, wrt: Any) -> None:
    assert_derivatives(f, *args, wrt=wrt)


def global_generator(x: Any) -> Any:
    total = 0.0
    for _ in range(3):
        total += np.sin(x * RNG.normal(x, 2.0))
    return total


def test_a_derivative_draws_what_its_function_draws() -> None:
    """Not more, not less, and none while compiling; so the generator ends where it would."""
    state = RNG.bit_generator.state
    plain = global_generator(0.7)
    after = RNG.bit_generator.state
    gradient = tl.value_and_grad(global_generator)
    for _ in range(2):  # the first call compiles
        RNG.bit_generator.state = state
        assert gradient(0.7)[0] == plain
        assert RNG.bit_generator.state == after
    RNG.bit_generator.state = state
    assert tl.jvp(global_generator, (0.7,), (1.0,))[0] == plain
    assert RNG.bit_generator.state == after


def test_the_global_state_is_left_alone_while_compiling() -> None:
    def f(x: Any) -> Any:
        return np.sum(x * np.random.standard_normal(3))

    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    tl.source(f, types={"x": 1.5})
    assert np.array_equal(np.random.get_state()[1], before)


def test_a_generator_as_an_argument() -> None:
    def f(x: Any, rng: Any) -> Any:
        return x * rng.normal(x, 2.0)

    noise = np.random.default_rng(4).normal()
    got = tl.grad(f)(0.7, np.random.default_rng(4))
    assert got == pytest.approx(2 * 0.7 + 2.0 * noise, rel=1e-14)


def noisy(x: Any) -> Any:
    return RNG.standard_normal(3) * x


def noisy_module(x: Any) -> Any:
    return helper(x)


def helper(x: Any) -> Any:
    return np.random.standard_normal(3) * x


def noisy_sum(x: Any) -> Any:
    return np.sum(RNG.standard_normal(3) * x**2)


@pytest.mark.parametrize("operator", [tl.jacobian, tl.jacfwd, tl.jacrev])
@pytest.mark.parametrize("f", [noisy, noisy_module])
def test_all_of_a_jacobian_is_of_the_same_draws(operator: Any, f: Any) -> None:
    state = RNG.bit_generator.state
    np.random.seed(5)
    plain, after = f(np.ones(3)), RNG.bit_generator.state
    RNG.bit_generator.state = state
    np.random.seed(5)
    np.testing.assert_array_equal(operator(f)(np.ones(3)), np.diag(plain))
    assert RNG.bit_generator.state == after


def test_all_of_a_hessian_is_of_the_same_draws() -> None:
    state = RNG.bit_generator.state
    noise = RNG.standard_normal(3)
    RNG.bit_generator.state = state
    np.testing.assert_allclose(tl.hessian(noisy_sum)(np.ones(3)), np.diag(2 * noise))


def test_jacobian_with_a_generator_as_an_argument() -> None:
    def f(x: Any, rng: Any) -> Any:
        return rng.standard_normal(3) * x

    noise = np.random.default_rng(4).standard_normal(3)
    got = tl.jacobian(f)(np.ones(3), np.random.default_rng(4))
    np.testing.assert_array_equal(got, np.diag(noise))


def test_a_pullback_is_of_the_draws_of_its_value() -> None:
    value, pullback = tl.vjp(noisy, np.ones(3))
    np.testing.assert_array_equal(pullback(np.ones(3))[0], value)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.random.gamma(x, 2.0),
        lambda x: RNG.poisson(x) * 1.0,
        lambda x: RNG.choice(x * np.ones(3)),
        lambda x: RNG.permutation(x * np.ones(3))[0],
    ],
)
def test_refused(f: Any) -> None:
    """A derivative of zero would be wrong here: the draw moves with its parameter."""
    with pytest.raises(TangentLikeError) as caught:
        tl.grad(f)(1.5)
    assert caught.value.place.line > 0
    assert caught.value.hint
