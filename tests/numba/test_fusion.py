"""Operations on arrays that become loops over their elements: the same answers, no arrays between.

What is written here by turns with what is read tells whether a loop respects the order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import tangent_like as tl
from tests.in_place.test_programs import adbench_lstm, butterflies
from tests.numba.agreement import NUMBA, assert_backends_agree

X = np.array([0.5, 1.5, -2.7, 3.1, 0.9])
Y = np.array([1.1, -0.4, 0.3, 0.8, -1.2])
A = np.array([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]])
B = np.array([[1.1, -0.2, 0.7], [0.4, 0.9, -1.6]])


def chain(x, y):
    a = np.sin(x) * y
    b = np.exp(-a * a) + x
    return np.sum(np.tanh(b - y) / (1.0 + x * x) * b)


def shifted(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def stepping(u0, k: float, steps: int):
    u = u0.copy()
    for _ in range(steps):
        u[1:-1] += k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) - u[1:-1] * (u[2:] - u[:-2])
    return np.sum(u * u)


def reversed_view(x):
    y = x * x
    y[::-1] += 2.0 * y * x
    return np.sum(y * np.sin(y))


def overwritten(x, y):
    z = x * y
    w = z + x
    z[:] = np.cos(w)
    z *= w
    z += z * x
    return np.sum(z * w)


def rows(a, n: int):
    state = a.copy()
    total = 0.0
    for k in range(n):
        low, high = state[k], state[k + 1]
        state[k + 1] = np.tanh(low * high)
        state[k] = low + state[k + 1] * high
        total += np.sum(state[k] * state[k])
    return total


def matrices(a, b):
    c = np.exp(a) * b + a
    d = c / (1.0 + c * c)
    return np.sum(d * c) + np.sum(np.where(d > 0.2, d * d, np.maximum(c, b)))


def spread_columns(a, v):
    c = a * v + a[:, :1]
    return np.sum(np.tanh(c) * c)


def normalised(x):
    e = np.exp(x - np.max(x))
    p = e / np.sum(e)
    return np.sum(p * np.log(p) * x) + x @ p


def masks(x, y):
    inside = (x > 0.4) & (y < 1.0)
    z = np.where(inside, x * y, x - y)
    return np.sum(z * z * inside)


def powers(x):
    return np.sum(x**2 * np.abs(x) ** 1.5 + (x * x + 0.1) ** -1 + 2.0**x)


def parts_of_unknown_length(x, w):
    n = len(x)
    first = 1.0 / (1.0 + np.exp(-(x * w[:n])))
    second = np.tanh(x * w[n : 2 * n] + first)
    return np.sum(first * second)


def carried(x, n: int):
    h = np.zeros(len(x))
    c = np.ones(len(x))
    for _ in range(n):
        f = 1.0 / (1.0 + np.exp(-h * x))
        c = c * f + np.tanh(h + x)
        h = f * np.tanh(c)
    return np.sum(h * c)


def gated(w, x, n: int):
    """Rows of a matrix are used in parts, and each step makes another state."""
    b = len(x)
    total = 0.0
    for k in range(n):
        row = w[k]
        x = x * row[:b] + x * x * row[b:]
        total += np.sum(x)
    return total


def sums_of_rows(w, x):
    total = 0.0
    for k in range(len(w)):
        row = w[k]
        for j in range(len(x)):
            total += row[j] * row[j] * x[j]
        total += row[0]
    return total


def four_axes(a, b):
    c = np.exp(a * b[..., :1]) + b
    return np.sum(c / np.sum(c, axis=-1, keepdims=True) * a)


FOUR = np.arange(24.0).reshape(2, 1, 3, 4) / 9
WIDE = np.arange(30.0).reshape(3, 10) % 7 / 7
CASES: dict[str, tuple[Any, ...]] = {
    "chain": (chain, X, Y),
    "shifted": (shifted, X),
    "time steps": (stepping, X, 0.1, 3),
    "backwards": (reversed_view, X),
    "overwritten": (overwritten, X, Y),
    "rows": (rows, A[:, :2].T @ A, 1),
    "matrices": (matrices, A, B),
    "spread columns": (spread_columns, A, X[:3]),
    "normalised": (normalised, X),
    "masks": (masks, X, Y),
    "powers": (powers, X),
    "parts": (parts_of_unknown_length, X, np.concatenate((X, Y))),
    "a part of length 1": (parts_of_unknown_length, X, np.array([0.3, 0.1, 0.2, 0.7, 1.0, 0.4])),
    "carried": (carried, X, 4),
    "lengths of tapes": (butterflies, np.tile(X, 2)[:8], np.tile(Y, 2)[:8]),
    "parts written one after the other": (
        adbench_lstm, np.arange(48.0).reshape(4, 12) % 7 / 7, np.arange(9.0).reshape(3, 3) / 9,
        np.arange(12.0).reshape(4, 3) / 12, np.arange(12.0).reshape(4, 3) % 5 / 5,
    ),
    "four axes": (four_axes, FOUR, 1.0 - FOUR[:, :, :, ::-1] ** 2),
    "gates": (gated, WIDE, X, 3),
    "gates that are spread": (gated, WIDE[:, :2].copy(), X[:1], 3),
    "sums of rows": (sums_of_rows, WIDE, X),
    "no element": (chain, X[:0], Y[:0]),
    "one element": (chain, X[:1], Y[:1]),
}
QUICK = ("gates", "chain", "lengths of tapes", "time steps", "a part of length 1")


@pytest.mark.parametrize("name", QUICK)
def test_quick_programs(name: str) -> None:
    f, *args = CASES[name]
    assert_backends_agree(f, *args, modes=("rev",))


@pytest.mark.numba
@pytest.mark.parametrize("name", CASES)
def test_programs(name: str) -> None:
    f, *args = CASES[name]
    assert_backends_agree(f, *args)


def code(f: Any, *args: Any, wrt: Any = 0) -> str:
    """The generated text without its remarks."""
    text = tl.grad(f, wrt, **NUMBA).source(*args)
    return "\n".join(line for line in text.splitlines() if line.strip()[:1] != "#")


def test_one_loop_and_no_array_between() -> None:
    text = code(chain, X, Y, wrt=(0, 1))
    assert text.count("for ") == 1
    assert text.count("np.empty(") == 2  # the gradients


def test_what_later_steps_would_overwrite_is_read_before() -> None:
    """A cell is only changed once its neighbours have been read: in a loop after that."""
    text = code(stepping, X, 0.1, 3, wrt=(0, 1))
    step = text[text.index("for _ in range(steps)") : text.index("bu =")]
    assert step.count("for j in range") == 1
    assert "item1[i] =" not in step


def test_tapes_of_arrays_are_arrays() -> None:
    text = code(carried, X, 4)
    assert "= []" not in text
    assert "tapes = np.empty((6, max(n, 0), len(x)))" in text


def test_tapes_of_one_shape_share_an_allocation() -> None:
    text = code(stepping, X, 0.1, 3, wrt=(0, 1))
    tapes = text[: text.index("for _ in range(steps)")]
    assert tapes.count("np.empty((") == 1
    assert "tapes = np.empty((3, max(steps, 0), len(u0) - 2))" in tapes
    for cells, steps in ((5, 3), (5, 1), (5, 0), (2, 3), (1, 3)):
        assert_backends_agree(stepping, X[:cells], 0.1, steps, modes=("rev",))


def test_arrays_that_nothing_keeps_are_made_before_the_loop() -> None:
    text = code(stepping, X, 0.1, 3, wrt=(0, 1))
    for sweep in text.split("bu = ")[:2]:
        assert "np.empty(" not in sweep[sweep.index("for ") :].split("return")[0]
    assert "np.empty(max(len(u0) - 2, 0))" in text


def widening(u, k: int):
    """The loop changes arrays of another length in each iteration."""
    v = u.copy()
    for i in range(1, k):
        v[i:] += np.sin(v[:-i]) * v[i:]
    return v @ v


def test_arrays_whose_length_changes_stay_in_the_loop() -> None:
    assert_backends_agree(widening, X, 4, modes=("rev",))


def test_contributions_go_where_they_belong() -> None:
    """Cotangents of parts of a row are added in one row, which is not made in each iteration."""
    text = code(gated, WIDE, X, 3)
    assert "bw = np.zeros(" in text
    assert "np.zeros(" not in text.split("bw = ")[1][len("np.zeros(") :]
    loop = text.split("bw = ")[1]
    assert "bw[k] = brow_room" in loop
    assert "np.empty(" not in loop


def test_a_state_made_anew_in_each_iteration_is_one_array() -> None:
    text = code(gated, WIDE, X, 3)
    assert "np.empty(" not in text.split("bw = ")[1]
    assert "bx[j] = " in text
    assert "x1 = np.empty(n)" in text  # the first x is the caller's


def test_division_by_zero_is_that_of_arrays() -> None:
    def f(x, y):
        z = x / y
        return np.sum(z * y) + z @ x

    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0, 1.0])
    with np.errstate(all="ignore"):
        plain = tl.grad(f, (0, 1))(x, y)
    for got, want in zip(tl.grad(f, (0, 1), **NUMBA)(x, y), plain, strict=True):
        assert np.array_equal(got, want, equal_nan=True)


def test_lengths_that_do_not_fit_raise() -> None:
    gradient = tl.grad(parts_of_unknown_length, (0, 1), **NUMBA)
    gradient(X, np.concatenate((X, Y)))
    with pytest.raises(ValueError, match="broadcast"):
        gradient(X, np.concatenate((X, Y[:3])))
    with pytest.raises(ValueError, match="broadcast"):
        gradient(X, X[:0])


def test_lengths_that_do_not_fit_are_found_before_they_become_an_index() -> None:
    def f(x, w, table):
        z = np.sin(x * w[: len(x)]) + x
        return np.sum(z * z) * table[int(z[0])]

    text = code(f, X, Y, X)
    assert text.index("check_lengths(misfits)") < text.index("for ")
    gradient = tl.grad(f, (0, 1), **NUMBA)
    for got, want in zip(gradient(X, Y, X), tl.grad(f, (0, 1))(X, Y, X), strict=True):
        assert np.allclose(got, want, rtol=1e-13)
    with pytest.raises(ValueError, match="broadcast"):
        gradient(X, Y[:2], X)


def test_loops_are_left_to_numba_where_it_runs_them_in_parallel() -> None:
    text = tl.grad(chain, (0, 1), parallel=True, **NUMBA).source(X, Y)
    assert "for " not in text
