"""Programs of the kinds that Numba's users write: answers as without Numba."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import tangent_like as tl
from benchmarks import others, workloads
from tangent_like.errors import NotYetSupported
from tests.numba.agreement import NUMBA, assert_backends_agree, same
from tests.numba.corpus import in_language
from tests.test_golden import CASES, Case

X = np.array([0.5, 1.5, 2.7, 3.1])
A = np.array([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]])


REFUSED = {"dict of parameters": "pyobject"}
"""Why the derivative of what Numba takes as it stands is refused."""


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if "error" not in case.sections],
    ids=lambda case: f"{case.file.stem}: {case.name}",
)
@pytest.mark.numba
def test_golden_programs(case: Case, tmp_path: Path) -> None:
    """What Numba compiles as it stands has derivatives with Numba, the same as without; all else
    has them too, or is refused at a line of the user's."""
    f, args = case.function(tmp_path), list(case.arguments.values())
    reason = REFUSED.get(case.name)
    try:
        assert_backends_agree(f, *args, rtol=float(case.sections.get("accuracy", 1e-12)))
    except NotYetSupported as error:
        assert reason in error.message if reason else not in_language(f, args), error
        assert error.place.line > 0 or "recursive" in error.message
    else:
        assert reason is None


PROBLEMS = [p for p in workloads.problems(True, None) + others.problems(True, None)
            if p.is_gradient]  # fmt: skip


@pytest.mark.numba
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_second_derivatives(problem) -> None:
    first = problem.wrt[0]
    direction = np.ones(np.shape(problem.args[first]))[()]
    for operator, more in ((tl.hvp, (direction,)), (tl.hessian, ())):
        got = operator(problem.primal, first, **NUMBA)(*problem.args, *more)
        want = operator(problem.primal, first)(*problem.args, *more)
        same(got, want, f"the {operator.__name__}", 1e-9)


# --- numbers ------------------------------------------------------------------------------------


def powers(x: float, k: int) -> float:
    return x**3 + x**k + 2.0**x + abs(-x) ** 1.5


def choices(x: float, y: float) -> float:
    return max(x, y) * min(x * y, 3.0) + (x if x > y else y * y)


def trips(x: float) -> float:
    total = 0.0
    for i in range(2, 11, 3):
        for j in range(i, 0, -2):
            total = total * 0.5 + math.sin(x * i) * j
    return total


def early_exits(x: float, n: int) -> float:
    y = x
    for i in range(n):
        if i == 1:
            continue
        y = y * 1.3 + math.exp(-y)
        if y > 4.0:
            break
    else:
        y = 2.0 * y
    return y


def states(x: float, n: int) -> float:
    a, b = x, 1.0
    for _ in range(n):
        a, b = b, a * b + 0.1
    return a * b


def collatz(x: float) -> float:
    y, steps = x, 0
    while y < 30.0 and steps < 50:
        y = y * 1.7 if steps % 2 else y + x * x
        steps += 1
    return y


def branches_in_loops(x: float, n: int) -> float:
    total = 0.0
    for i in range(n):
        if i % 3 == 0:
            y = math.sin(x * i)
            total += y * y
        elif total > 1.0:
            total *= x
        else:
            total -= x / (i + 1)
    return total


def of_tuples(p: tuple[float, float], q: float) -> Any:
    a, b = p
    return a * b * q, (a + q, b)


def whole_numbers(x: float, n: int) -> float:
    return x * (n // 2) + x ** (n % 3) + float(n)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (powers, (1.3, 4)), (choices, (0.7, 1.9)), (choices, (1.9, 0.7)), (trips, (0.4,)),
        (early_exits, (0.3, 20)), (early_exits, (0.3, 2)), (states, (0.8, 7)), (states, (0.8, 0)),
        (collatz, (1.2,)), (branches_in_loops, (0.6, 11)), (of_tuples, ((0.5, 1.5), 2.0)),
        (whole_numbers, (1.5, 7)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_numbers(f: Any, args: Any) -> None:
    assert_backends_agree(f, *args)


# --- elements of arrays ---------------------------------------------------------------------------


def stencil(x, k: float):
    total = 0.0
    for i in range(1, len(x) - 1):
        total += k * (x[i - 1] - 2.0 * x[i] + x[i + 1]) ** 2
    return total


def horner(c, x: float):
    y = 0.0
    for a in c:
        y = y * x + a
    return y


def table(a):
    total = 0.0
    for i in range(a.shape[0]):
        row = 1.0
        for j in range(a.shape[1]):
            row = row * a[i, j] + 0.5
        total += row * row
    return total


def backwards(x):
    y = 0.1
    for i in reversed(range(len(x))):
        y = math.tanh(y + x[i])
    return y


def rows(a, v):
    total = 0.0
    for row in a:
        total += math.tanh(row @ v)
    return total


def carried_array(a, x, n: int):
    y = x
    for _ in range(n):
        y = np.tanh(a @ y) + y
    return np.sum(y)


SQUARE = np.array([[0.3, -0.2], [0.5, 0.1]])


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (stencil, (X, 0.7)), (horner, (X, 0.9)), (table, (A,)), (backwards, (X,)),
        (rows, (A, X[:3].copy())),
        (carried_array, (SQUARE, X[:2].copy(), 3)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_elements(f: Any, args: Any) -> None:
    assert_backends_agree(f, *args)


# --- lists ----------------------------------------------------------------------------------------


def left_early(x: float, n: int):
    kept = [x, x * x]
    s = 0.0
    for k, v in enumerate(kept):
        if k == n:
            break
        s += v * v
    return s


def longer_and_shorter(x: float, n: int):
    a = [x, x]
    for _ in range(n):
        if a[-1] < 2.0:  # noqa: SIM108 - a statement is meant
            a = a + [a[-1] * x]  # noqa: RUF005
        else:
            a = a[1:]
    return a[0] + a[-1] * len(a)


def changed_in_the_middle(x: float, n: int):
    a = [x * i for i in range(n)]
    a.insert(1, 2 * x)
    a[1:3] = [x, x, x * x]
    del a[0]
    a[0], a[1] = a[1], a[0]
    b = a * 2
    b.sort(key=lambda v: -v, reverse=True)
    return sum([v * k for k, v in enumerate(b)]) + b.pop()


def doubled(x: float, n: int):
    a = [x * i for i in range(n)]
    a.extend(a)
    s = 0.0
    for v in a:
        s = 0.5 * s + v * v
    return s


def lists_in_a_list(x: float, n: int):
    c = [[0.0, x * x] for _ in range(3)]
    first, rest = c[1][:], c[n][1:]
    first[0] = 0.5 * x
    rest[0] = x * x
    return sum(c[1]) * x + sum(first) + sum(rest) * x


def last_ones(x, n: int):
    kept = [x * 2.0]
    for _ in range(n):
        kept.append(np.sin(x * kept[-1]))
    return np.sum(kept[0] * kept[-1])


def items_of_ranges(x: float, n: int):
    places = range(2, 2 * n, 3)
    return sum([x * places[k] for k in range(len(places))]) + x ** places[-1]


def bound_on_one_path(x: float, y: float):
    p = np.array([x, y])
    if x > 0.5:
        if y > 1.0:
            p = x
            return p * y
        p = np.array([y, x * y])
    return np.sum(p * p)


@pytest.mark.numba
@pytest.mark.parametrize(
    ("f", "args"),
    [
        (left_early, (1.5, 1)), (left_early, (1.5, 5)), (longer_and_shorter, (1.4, 4)),
        (changed_in_the_middle, (1.5, 4)), (doubled, (0.7, 3)), (lists_in_a_list, (0.7, 1)),
        (last_ones, (X, 2)), (items_of_ranges, (1.5, 4)),
        (bound_on_one_path, (0.7, 1.3)), (bound_on_one_path, (0.7, 0.3)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_lists(f: Any, args: Any) -> None:
    assert_backends_agree(f, *args)
