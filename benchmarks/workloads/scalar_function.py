"""W1: a scalar function of six floats, about 25 operations of `math`, all six partials."""

import math

from benchmarks.problem import Problem


def scalar_function(a, b, c, d, e, g):
    u = math.sin(a * b) + math.exp(-c * c)
    v = math.log(1.0 + d * d) * math.cos(u + e)
    w = math.sqrt(u * u + v * v + 1.0)
    s = math.tanh(w - g) + a * v / w
    return s * s + b * math.exp(-w) + c * d * e


def by_hand(a, b, c, d, e, g):
    ab = a * b
    gauss = math.exp(-c * c)
    u = math.sin(ab) + gauss
    q = 1.0 + d * d
    log = math.log(q)
    angle = u + e
    cosine = math.cos(angle)
    v = log * cosine
    w = math.sqrt(u * u + v * v + 1.0)
    bend = math.tanh(w - g)
    ratio = v / w
    decay = math.exp(-w)
    bs = 2.0 * (bend + a * ratio)
    bbend = bs * (1.0 - bend * bend)
    t = bs * a / w
    k = (bbend - t * ratio - b * decay) / w
    bv = t + k * v
    bangle = -bv * log * math.sin(angle)
    bu = k * u + bangle
    bab = bu * math.cos(ab)
    return (
        bs * ratio + bab * b,
        bab * a + decay,
        d * e - 2.0 * c * gauss * bu,
        2.0 * bv * cosine * d / q + c * e,
        bangle + c * d,
        -bbend,
    )


def problems(tiny, data):
    args = (0.7, 1.3, 0.4, 0.9, 1.1, 0.2)
    return [Problem(
        "W1", "scalar function of 6 floats", scalar_function, args, tuple(range(6)), by_hand,
        by_hand_numba=by_hand,
    )]  # fmt: skip
