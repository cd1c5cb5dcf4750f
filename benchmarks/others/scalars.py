"""Functions of numbers: formulas, recurrences, iterations that stop."""

import math

from benchmarks.problem import Problem


def black_scholes(spot, strike, rate, volatility, time):
    spread = volatility * math.sqrt(time)
    d1 = (math.log(spot / strike) + (rate + 0.5 * volatility**2) * time) / spread
    d2 = d1 - spread
    n1 = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
    n2 = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    return spot * n1 - strike * math.exp(-rate * time) * n2


def black_scholes_by_hand(spot, strike, rate, volatility, time):
    root = math.sqrt(time)
    spread = volatility * root
    d1 = (math.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / spread
    d2 = d1 - spread
    n1 = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
    n2 = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    discounted = strike * math.exp(-rate * time)
    density = spot * math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    paid = discounted * n2
    return (
        n1, -paid / strike, time * paid, density * root,
        rate * paid + 0.5 * density * volatility / root,
    )  # fmt: skip


def polynomial(coefficients, x):
    y = 0.0
    for c in coefficients:
        y = y * x + c
    return y


def polynomial_by_hand(coefficients, x):
    tape = []
    y = 0.0
    for c in coefficients:
        tape.append(y)
        y = y * x + c
    bx = 0.0
    by = 1.0
    bcoefficients = []
    for y in reversed(tape):
        bcoefficients.append(by)
        bx += by * y
        by = by * x
    bcoefficients.reverse()
    return bcoefficients, bx


def logistic_map(r, x, n):
    for _ in range(n):
        x = r * x * (1.0 - x)
    return x


def logistic_map_by_hand(r, x, n):
    tape = []
    for _ in range(n):
        tape.append(x)
        x = r * x * (1.0 - x)
    br = 0.0
    bx = 1.0
    for x in reversed(tape):
        t = bx * (1.0 - x)
        br += t * x
        bx = r * (t - bx * x)
    return br, bx


def cube_root(a, tolerance):
    x = a
    while abs(x * x * x - a) > tolerance:
        x = x - (x * x * x - a) / (3.0 * x * x)
    return x


def cube_root_by_hand(a, tolerance):
    tape = []
    x = a
    while abs((cube := x * x * x) - a) > tolerance:
        tape.append(x)
        x = x - (cube - a) / (3.0 * x * x)
    bx = 1.0
    ba = 0.0
    for x in reversed(tape):
        square = x * x
        ba += bx / (3.0 * square)
        bx *= 2.0 * (1.0 - a / (square * x)) / 3.0
    return (ba + bx,)


def bouncing_ball(height, speed, restitution, steps):
    h = height
    v = speed
    lost = 0.0
    for _ in range(steps):
        v = v - 0.0981 * (1.0 + 0.01 * v * v)
        h = h + 0.01 * v
        if h < 0.0:
            lost = lost + 0.5 * v * v * (1.0 - restitution * restitution)
            h = -h * restitution
            v = -v * restitution
    return h * h + lost


def bouncing_ball_by_hand(height, speed, restitution, steps):
    h = height
    v = speed
    lost = 0.0
    speeds, bounces = [], []
    r = restitution
    kept = 1.0 - r * r
    for _ in range(steps):
        speeds.append(v)
        v = v - 0.0981 * (1.0 + 0.01 * v * v)
        h = h + 0.01 * v
        if h < 0.0:
            bounces.append((h, v))
            lost += 0.5 * v * v * kept
            h = -h * r
            v = -v * r
        else:
            bounces.append(None)
    bh = 2.0 * h
    bv = 0.0
    br = 0.0
    for v, bounce in zip(reversed(speeds), reversed(bounces)):
        if bounce is not None:
            bounced_h, bounced_v = bounce
            br -= bv * bounced_v + bh * bounced_h + r * bounced_v * bounced_v
            bv = kept * bounced_v - bv * r
            bh = -bh * r
        bv += 0.01 * bh
        bv -= 0.001962 * v * bv
    return bh, bv, br


def problems(tiny, data):
    steps = 6 if tiny else 500
    coefficients = [math.sin(k) for k in range(8 if tiny else 200)]
    return [
        Problem("Black–Scholes", "a formula with erf", black_scholes,
                (100.0, 95.0, 0.03, 0.25, 0.75), (0, 1, 2, 3, 4), black_scholes_by_hand),
        Problem("polynomial", "Horner's scheme over a list of numbers", polynomial,
                (coefficients, 0.99), (0, 1), polynomial_by_hand, is_gradient=False),
        Problem("logistic map", "a loop that overwrites its state", logistic_map,
                (2.9, 0.3, steps), (0, 1), logistic_map_by_hand),
        Problem("cube root", "Newton's method with a while loop", cube_root,
                (27.0, 1e-13), (0,), cube_root_by_hand),
        Problem("bouncing ball", "a simulation with a branch", bouncing_ball,
                (1.0, 0.5, 0.8, steps), (0, 1, 2), bouncing_ball_by_hand),
    ]  # fmt: skip
