"""Arrays that change between where an iterator, a dict or a partial function is made and used."""

import functools

import numpy as np
import pytest

from tests.derivatives import assert_derivatives

VECTOR = np.array([0.3, -1.2, 2.1])


def zip_before_the_write(x):
    y = x * x
    pairs = zip(y, x)
    y[0] = 3.0 * x[1]
    total = 0.0
    for a, b in pairs:
        total = total + a * a * b
    return total


def map_before_the_write(x):
    y = x * x
    sines = map(np.sin, y)
    y[1:] *= x[0]
    return sum(sines)


def generator_before_the_write(x):
    y = x * x
    squares = (v * v for v in y)
    y[2] = x[0] * x[1]
    return sum(squares)


def enumerate_before_the_write(x):
    y = x * 1.0
    numbered = enumerate(y)
    y += x * x
    return sum([i * v * v for i, v in numbered])


def dict_before_the_write(x):
    box = {"y": x * x, "z": x * 2.0}
    box["y"][0] = x[1] * x[2]
    y = box["y"]
    y[1] = 3.0 * x[0]
    total = np.sum(box.get("y") * box["z"])
    for name, value in box.items():
        if name == "y":
            total = total + np.sum(value * value)
    return total + np.sum(box["y"] * x)


def partial_before_the_write(x):
    y = x * x
    product = functools.partial(np.dot, y)
    y[0] = x[1]
    return product(x)


def reduce_with_a_function_that_writes(x):
    y = x * x

    def step(total, v):
        y[2] = total * x[0]
        return total + v * y[2]

    return functools.reduce(step, (y[0], y[1], y[2], x[2]))


def comprehension_after_the_write(x):
    y = x * x
    rows = [y * v for v in x]
    y[0] = x[2]
    return sum([np.sum(row * y) for row in rows])


def unpacked_rows(x):
    y = np.outer(x, x)
    first, *rest = [y[0], y[1], y[2]]
    y[1, 0] = x[0] * 5.0
    first[1] = x[2]
    return np.sum(y * y) + np.sum(rest[0] * first)


@pytest.mark.parametrize("f", [
    zip_before_the_write, map_before_the_write, generator_before_the_write,
    enumerate_before_the_write, dict_before_the_write, partial_before_the_write,
    reduce_with_a_function_that_writes, comprehension_after_the_write, unpacked_rows,
])  # fmt: skip
def test_what_is_read_is_what_is_there_then(f):
    assert_derivatives(f, VECTOR)
