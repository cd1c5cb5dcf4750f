"""Arrays that change in place, with Numba."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import tangent_like as tl
from tangent_like.errors import ArgumentError
from tests.numba.agreement import assert_backends_agree

X = np.array([0.5, 1.5, 2.7, 3.1])
SPD = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])


def diffusion(u0, k: float, steps: int):
    u = u0.copy()
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            u[i] += k * (u[i - 1] - 2.0 * u[i] + u[i + 1])
    return np.sum(u * u)


def double_buffer(u0, k: float, steps: int):
    u = u0.copy()
    for _ in range(steps):
        old = u.copy()
        for i in range(1, len(u) - 1):
            u[i] = old[i] + k * old[i] * (old[i + 1] - old[i - 1])
    return np.sum(u**3)


def prefix_sums(x):
    y = np.zeros(len(x))
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i]
        y[i] = total
    return np.sum(y * y)


def factorised(a):
    """The logarithm of a determinant, by Cholesky's loops."""
    n = len(a)
    low = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            if i == j:
                low[i, j] = np.sqrt(s)
            else:
                low[i, j] = s / low[j, j]
    total = 0.0
    for i in range(n):
        total += 2.0 * np.log(low[i, i])
    return total


def slices(u0, steps: int):
    u = u0.copy()
    for _ in range(steps):
        u[1:-1] += 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u * u)


def whole(x):
    y = x * 2.0
    y *= x
    y += 1.0
    y[x > 1.0] = 0.5
    return np.sum(y * x)


def parts_of_rows(a, n: int):
    total = 0.0
    for i in range(n):
        if i % 2 == 0:
            total += np.sum(a[i] * a[i, 1])
        else:
            total += np.sum(a[:, i] ** 2)
    return total


def one_side(x):
    y = x.copy()
    if x[0] > 0.0:
        y[1:] *= x[:-1]
    else:
        y[:2] -= x[2:]
    return np.sum(y * y)


def in_a_while_loop(x, n: int):
    y = x
    k = 0
    while k < n and y[0] < 4.0:
        x += 0.5 * y[1]
        if y[2] > 0.0:
            y *= 0.7
        k += 1
    return np.sum(y * x)


def through_another_shape(m):
    v = m.ravel()
    v[0] = m[1, 1] ** 2
    return np.sum(m * m)


def moved(x):
    y = x * x
    y[1:] = y[:-1]
    return np.sum(y * X)


def turned_round(x):
    y = x * x
    y[...] = y[::-1]
    y[0] /= x[1]
    return np.sum(y * X)


def running_sums(x):
    y = x * x
    y[1:] += y[:-1]
    y *= y[:1]
    return np.sum(y * X)


def onto_its_own_columns(m):
    y = m * m
    y *= y.T
    y[:, 1:] -= y[:, :-1]
    y[1:] = y[:-1]
    return np.sum(y * SPD)


CASES: list[tuple[Any, tuple[Any, ...]]] = [
    (diffusion, (X, 0.2, 3)), (double_buffer, (X, 0.2, 4)), (prefix_sums, (X,)),
    (factorised, (SPD,)), (in_a_while_loop, (X, 2)), (through_another_shape, (SPD,)),
    (moved, (X,)),
]  # fmt: skip
SLOW: list[tuple[Any, tuple[Any, ...]]] = [
    (slices, (X, 3)), (whole, (X,)),
    (parts_of_rows, (SPD, 3)), (one_side, (X,)), (one_side, (-X,)), (turned_round, (X,)),
    (running_sums, (X,)), (onto_its_own_columns, (SPD,)),
]  # fmt: skip


@pytest.mark.parametrize(("f", "args"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_programs(f: Any, args: Any) -> None:
    assert_backends_agree(f, *args)


@pytest.mark.numba
@pytest.mark.parametrize(("f", "args"), SLOW, ids=lambda value: getattr(value, "__name__", ""))
def test_slow_programs(f: Any, args: Any) -> None:
    assert_backends_agree(f, *args)


def test_parts_are_changed_through_views() -> None:
    lines = tl.grad(slices, backend="numba").source(X, 3).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.lstrip().startswith("#"))
    assert "u[1:-1]\n" in text
    assert not any(sign in text for sign in ("[1:-1] +=", "[2:] +=", "[:-2] +="))


def mixture(w, x):
    """Rows of zeros that do not outlive an iteration, and the same exponentials in each."""
    total = 0.0
    for i in range(len(x)):
        terms = np.zeros(len(w))
        for j in range(len(w)):
            z = np.exp(w[j]) * x[i]
            terms[j] += z * z
        total += np.log(np.sum(terms))
    return total


def test_zeros_and_tapes_that_are_kept_or_left_out() -> None:
    text = tl.grad(mixture, (0, 1), backend="numba").source(X, X)
    assert text.index("terms_room = np.empty(") < text.index("terms = terms_room")
    assert "np.zeros(len(w))\n        for" not in text
    assert "exp_tape" not in text
    assert_backends_agree(mixture, X, X, modes=("rev",))


def test_an_argument_in_another_order_is_refused() -> None:
    with pytest.raises(ArgumentError, match="do not lie in order"):
        tl.grad(through_another_shape, backend="numba")(np.asfortranarray(SPD))


def test_arguments_that_share_memory_are_refused() -> None:
    def f(u, v):
        u[0] = 2.0 * v[1]
        return np.sum(u * v)

    gradient = tl.grad(f, (0, 1), backend="numba")
    plain = tl.grad(f, (0, 1))
    for got, want in zip(gradient(X, X[::-1].copy()), plain(X, X[::-1].copy()), strict=True):
        assert np.allclose(got, want, rtol=1e-14)
    with pytest.raises(ArgumentError, match="share memory"):
        gradient(X, X)
    with pytest.raises(ArgumentError, match="share memory"):
        gradient(X[1:], X[:-1])
