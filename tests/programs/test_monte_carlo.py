"""Options by Monte Carlo with a fixed seed, beside the formula of Black and Scholes."""

import math
from collections import namedtuple
from functools import partial

import numpy as np

import tangent_like as tl

Market = namedtuple("Market", ["spot", "rate", "volatility"])


def norm_cdf(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def black_scholes(market, strike, maturity):
    spot, rate, volatility = market
    spread = volatility * math.sqrt(maturity)
    d1 = (math.log(spot / strike) + (rate + 0.5 * volatility**2) * maturity) / spread
    d2 = d1 - spread
    return spot * norm_cdf(d1) - strike * math.exp(-rate * maturity) * norm_cdf(d2)


def simulate(market, maturity, num_steps, num_paths, seed=42, antithetic=True):
    """Paths of the price, one a row."""
    rng = np.random.default_rng(seed)
    dt = maturity / num_steps
    drift = (market.rate - 0.5 * market.volatility**2) * dt
    paths = [np.full(num_paths, market.spot)]
    for _ in range(num_steps):
        if antithetic:
            half = rng.standard_normal(num_paths // 2)
            z = np.concatenate([half, -half])
        else:
            z = rng.standard_normal(num_paths)
        paths.append(paths[-1] * np.exp(drift + market.volatility * np.sqrt(dt) * z))
    return np.stack(paths, axis=1)


def european(paths, strike):
    return np.maximum(paths[:, -1] - strike, 0.0)


def asian(paths, strike):
    return np.maximum(paths[:, 1:].mean(axis=1) - strike, 0.0)


def lookback(paths, strike):
    return np.maximum(paths.max(axis=1) - strike, 0.0)


def smoothed_barrier(paths, strike, level, width=2.0):
    """Knocked out softly, so that its value has a derivative."""
    survival = 1.0 / (1.0 + np.exp((paths - level) / width))
    return np.prod(survival, axis=1) * european(paths, strike)


PAYOFFS = {
    "european": european,
    "asian": asian,
    "lookback": lookback,
    "barrier": partial(smoothed_barrier, level=130.0),
}


def price(spot, rate, volatility, *, payoff, strike=102.0, maturity=1.0, steps=4, paths=200):
    market = Market(spot=spot, rate=rate, volatility=volatility)
    value = PAYOFFS[payoff](simulate(market, maturity, steps, paths), strike)
    return math.exp(-rate * maturity) * np.mean(value)


class Portfolio:
    """Positions in several options on one market."""

    def __init__(self):
        self.positions = []

    def buy(self, quantity, payoff, **terms):
        self.positions.append((quantity, payoff, terms))
        return self

    def value(self, market):
        total = 0.0
        for quantity, payoff, terms in self.positions:
            total += quantity * price(*market, payoff=payoff, **terms)
        return total


def hedged(spot, rate, volatility):
    book = Portfolio().buy(1.0, "asian").buy(-0.5, "european", strike=105.0, maturity=0.5)
    return book.buy(0.25, "lookback", steps=3).value((spot, rate, volatility))


def implied_volatility(target, market, strike, maturity):
    """Newton's method on the formula; the derivative goes through all of its steps."""
    volatility = 0.3
    for _ in range(20):
        value, vega = tl.value_and_grad(
            lambda v: black_scholes((market[0], market[1], v), strike, maturity)
        )(volatility)
        step = (value - target) / vega
        volatility -= step
        if abs(step) < 1e-13:
            break
    return volatility


def check_slopes(f, *at):
    """Against differences over so short a way that no path crosses a strike."""
    slopes = tl.grad(f, wrt=(0, 1, 2))(*at)
    for slope, step in zip(slopes, 1e-7 * np.eye(3)):
        between = (f(*(at + step)) - f(*(at - step))) / 2e-7
        assert abs(slope - between) < 1e-4 * abs(between)


def test_each_payoff():
    for payoff in PAYOFFS:
        check_slopes(partial(price, payoff=payoff), 100.0, 0.03, 0.25)


def test_a_soft_barrier_to_second_order():
    tl.check_grads(
        lambda s, v: price(s, 0.03, v, payoff="barrier", strike=60.0, paths=20), (100.0, 0.25)
    )


def test_a_portfolio():
    check_slopes(hedged, 100.0, 0.03, 0.25)


def test_the_formula():
    tl.check_grads(lambda s, r, v: black_scholes((s, r, v), 105.0, 0.75), (100.0, 0.03, 0.2))


def test_simulated_sensitivities_are_near_the_formula():
    by_paths = partial(price, payoff="european", strike=100.0, paths=20_000)
    simulated = tl.grad(by_paths, wrt=(0, 1, 2))
    exact = tl.grad(lambda s, r, v: black_scholes((s, r, v), 100.0, 1.0), wrt=(0, 1, 2))
    for a, b in zip(simulated(100.0, 0.03, 0.2), exact(100.0, 0.03, 0.2)):
        assert abs(a - b) < 0.03 * abs(b)


def test_implied_volatility():
    target = black_scholes((100.0, 0.03, 0.22), 105.0, 0.75)
    slope = tl.grad(implied_volatility)(target, (100.0, 0.03), 105.0, 0.75)
    vega = tl.grad(lambda v: black_scholes((100.0, 0.03, v), 105.0, 0.75))(0.22)
    assert abs(slope * vega - 1.0) < 1e-9
