"""`benchmark`: what a derivative costs, and how exact it is, beside finite differences.

Four other ways to the same derivative are measured beside the generated forward and reverse
mode: forward differences (f(x + h) − f(x)) / h, central differences (f(x + h) − f(x − h)) / 2h,
and the complex step Im f(x + ih) / h (Squire and Trapp 1998), which is exact to rounding but only
there for analytic functions that take complex numbers.
"""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tangent_like import facts
from tangent_like.benchmark_plot import draw
from tangent_like.dispatch import Derivative, Wrt, convert, make_request, underlying
from tangent_like.errors import ArgumentError, TangentLikeError

if TYPE_CHECKING:
    from pathlib import Path

_SLICE = 2e-3
"""Seconds that one measurement of one method takes, at least."""

_FORWARD_STEP, _CENTRAL_STEP, _COMPLEX_STEP = 1.5e-8, 6e-6, 1e-30
"""Near the best for doubles: the square and the cube root of the rounding unit; any small one."""

Derivatives = Callable[[], Sequence[Any]]


class Row(NamedTuple):
    """One way to the derivative: seconds for the whole of it, those over the primal's, and the
    largest error relative to the derivative's size (None for the primal)."""

    method: str
    seconds: float
    ratio: float
    error: float | None


class Benchmark(NamedTuple):
    """The measurements of one function; `str()` is a table, `plot(path)` draws two pictures."""

    name: str
    inputs: int
    outputs: int
    rows: tuple[Row, ...]
    problem: Problem

    def __str__(self) -> str:
        what = f"{_count(self.inputs, 'input')}, {_count(self.outputs, 'output')}"
        lines = [
            f"{self.name}: {what}",
            f"{'method':<22}{'time':>12}{'÷ primal':>11}{'max. error':>13}",
        ]
        for row in self.rows:
            error = "" if row.error is None else f"{row.error:.1e}"
            lines.append(
                f"{row.method:<22}{_duration(row.seconds):>12}{row.ratio:>11.2f}{error:>13}".rstrip()
            )
        return "\n".join(lines)

    def plot(self, path: str | Path) -> None:
        """Write two pictures side by side: time against the number of inputs, and error against
        the step size.  The suffix of `path` says the format.  Needs matplotlib."""
        exact = next(row.error for row in self.rows if row.method == "forward mode")
        draw(path, self.name, scaling(self.problem), errors(self.problem), exact or 0.0)


def benchmark(
    f: Callable[..., Any], *args: Any, wrt: Wrt | None = None, rounds: int = 7
) -> Benchmark:
    """Measure the derivative of `f` at `args`, each way, in `rounds` interleaved rounds.

    `wrt` is all arguments that can have a derivative by default.  The time is that of the whole
    gradient (or Jacobian, where the result is no scalar), the median of the rounds.  The error is
    the largest difference from the generated reverse mode; that of the generated forward mode
    says how well the two agree.

    Raises ArgumentError for arguments other than real numbers and arrays.
    """
    problem = Problem(underlying(f), tuple(convert(a, type(a) is not int) for a in args), wrt)
    methods = problem.methods()
    exact = problem.matrix("reverse mode", methods["reverse mode"]())
    seconds = _interleaved([problem.primal, *methods.values()], rounds)
    size = max(float(np.max(np.abs(exact), initial=0.0)), np.finfo(float).tiny)
    rows = [Row("primal", seconds[0], 1.0, None)]
    for (name, method), time_taken in zip(methods.items(), seconds[1:], strict=True):
        error = float(np.max(np.abs(problem.matrix(name, method()) - exact), initial=0.0)) / size
        rows.append(Row(name, time_taken, time_taken / seconds[0], error))
    name = getattr(f, "__name__", "f")
    return Benchmark(name, problem.inputs, problem.outputs, tuple(rows), problem)


class Problem:
    """A function at a point, as a map from one vector to another."""

    def __init__(self, function: Any, args: tuple[Any, ...], wrt: Wrt | None):
        self.function = function
        self.args = args
        chosen = tuple(i for i, a in enumerate(args) if _is_active(a)) if wrt is None else wrt
        self.wrt = make_request(
            function, "vjp", chosen if isinstance(chosen, tuple) else (chosen,), {}
        ).wrt
        if not self.wrt:
            raise ArgumentError("no argument can have a derivative", hint="pass floats")
        for i in self.wrt:
            if not isinstance(args[i], (float, np.ndarray)) or np.iscomplexobj(args[i]):
                name = list(inspect.signature(function).parameters)[i]
                raise ArgumentError(f"benchmark takes real numbers and arrays for `{name}`")
        value = self.primal()
        if isinstance(value, (tuple, list)):
            raise ArgumentError("benchmark takes a function that returns a number or an array")
        self.outputs = int(np.size(value))
        self.inputs = int(sum(np.size(args[i]) for i in self.wrt))

    def primal(self) -> Any:
        return self.function(*self.args)

    def methods(self) -> dict[str, Derivatives]:
        """Each way to the derivative by name; the complex step only where it works."""
        found: dict[str, Derivatives] = {
            "forward differences": lambda: self.forward_difference(_FORWARD_STEP),
            "central differences": lambda: self.central_difference(_CENTRAL_STEP),
        }
        if self.complex_step_works():
            found["complex step"] = lambda: self.complex_step(_COMPLEX_STEP)
        return {**found, **self.generated()}

    def generated(self) -> dict[str, Derivatives]:
        """Both generated modes: a sweep for each input, and one for each output."""
        tangent = Derivative(self.function, "jvp", self.wrt)
        seeds = list(_units([self.args[i] for i in self.wrt]))
        forward = lambda: [tangent(*self.args, *seed)[1] for seed in seeds]
        value = self.primal()
        if np.ndim(value) == 0:
            gradient = Derivative(self.function, "grad", self.wrt)
            return {"forward mode": forward, "reverse mode": lambda: [gradient(*self.args)]}
        pullback = Derivative(self.function, "vjp", self.wrt)
        rows = list(_units([value]))
        reverse = lambda: [pullback(*self.args, *row) for row in rows]
        return {"forward mode": forward, "reverse mode": reverse}

    def matrix(self, method: str, found: Sequence[Any]) -> Any:
        """What a method has found, as a matrix: outputs by inputs."""
        if method == "reverse mode":
            return np.stack([np.concatenate([np.ravel(part) for part in row]) for row in found])
        return np.stack([np.ravel(column) for column in found], axis=1)

    # --- differences: a column for each input -----------------------------------------------

    def columns(self, column: Callable[[int, int], Any]) -> list[Any]:
        """`column(argument, element)` for every input number."""
        return [column(i, k) for i in self.wrt for k in range(_size(self.args[i]))]

    def moved(self, i: int, k: int, step: Any) -> Any:
        """The function with one number moved by `step`."""
        args = list(self.args)
        if isinstance(args[i], float):
            args[i] = args[i] + step
        else:
            args[i] = args[i].astype(np.result_type(args[i], type(step)))
            args[i].flat[k] += step
        return self.function(*args)

    def forward_difference(self, h: float) -> list[Any]:
        start = self.primal()
        return self.columns(lambda i, k: (self.moved(i, k, h) - start) / h)

    def central_difference(self, h: float) -> list[Any]:
        return self.columns(lambda i, k: (self.moved(i, k, h) - self.moved(i, k, -h)) / (2 * h))

    def complex_step(self, h: float) -> list[Any]:
        return self.columns(lambda i, k: self.moved(i, k, 1j * h).imag / h)

    def complex_step_works(self) -> bool:
        """Whether the function takes complex numbers, and is analytic as far as that shows."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error")
                found = self.matrix("", self.complex_step(_COMPLEX_STEP))
        except Exception:  # whatever the function raises for complex numbers
            return False
        rough = self.matrix("", self.central_difference(_CENTRAL_STEP))
        scale = max(1.0, float(np.max(np.abs(rough), initial=0.0)))
        return bool(np.all(np.abs(found - rough) <= 1e-4 * scale))

    # --- the same function at other sizes ----------------------------------------------------

    def sizes(self) -> Iterator[Problem]:
        """The problem with fewer inputs: shorter arrays, or fewer differentiated scalars."""
        lengths = {len(self.args[i]) for i in self.wrt if np.ndim(self.args[i])}
        if not lengths:
            for count in _powers_below(len(self.wrt)):
                yield Problem(self.function, self.args, self.wrt[:count])
            return
        length = max(lengths)
        for count in _powers_below(length):
            args = tuple(_shortened(a, length, count) for a in self.args)
            try:
                yield Problem(self.function, args, self.wrt)
            except Exception:  # the function needs arrays of its own size
                continue


def _size(value: Any) -> int:
    return int(np.size(value))


def _units(values: Sequence[Any]) -> Iterator[list[Any]]:
    """For every number in the values, all of them as zeros but for a one in its place."""
    for i, value in enumerate(values):
        for k in range(_size(value)):
            unit = [np.zeros_like(v, dtype=float) if np.ndim(v) else 0.0 for v in values]
            if np.ndim(value):
                unit[i].flat[k] = 1.0  # type: ignore[union-attr]
            else:
                unit[i] = 1.0
            yield unit


def _powers_below(top: int) -> list[int]:
    return [*(2**k for k in range(20) if 2**k < top), top]


def _shortened(value: Any, length: int, count: int) -> Any:
    """An array with its axes of one length cut; an int of that length too (`n = len(x)`)."""
    if type(value) is int:
        return count if value == length else value
    for axis, n in enumerate(np.shape(value)):
        if n == length:
            value = np.take(value, range(count), axis)
    return value


def _is_active(value: Any) -> bool:
    return type(value) is not int and facts.may_be_differentiated(facts.of_constant(value))


# --- time --------------------------------------------------------------------------------------


def _interleaved(calls: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """Median seconds of each call, measured in turn, so that a slow moment touches all alike."""
    repeats = [_repeats(call) for call in calls]
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, count, times in zip(calls, repeats, found, strict=True):
            times.append(_seconds(call, count))
    return [sorted(times)[len(times) // 2] for times in found]


def _seconds(call: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def _repeats(call: Callable[[], Any]) -> int:
    call()  # compiles what there is to compile
    once = _seconds(call, 1)
    return max(1, min(100_000, round(_SLICE / max(once, 1e-9))))


def _duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# --- what the pictures show --------------------------------------------------------------------


def scaling(problem: Problem, rounds: int = 5) -> tuple[list[int], dict[str, list[float]]]:
    """Numbers of inputs, and each method's times divided by the primal's."""
    counts: list[int] = []
    found: dict[str, list[float]] = {}
    for smaller in problem.sizes():
        try:
            methods = smaller.methods()
            seconds = _interleaved([smaller.primal, *methods.values()], rounds)
        except TangentLikeError:
            continue
        counts.append(smaller.inputs)
        for name, value in zip(methods, seconds[1:], strict=True):
            found.setdefault(name, []).append(value / seconds[0])
    return counts, {k: v for k, v in found.items() if len(v) == len(counts)}


def errors(problem: Problem) -> tuple[Any, dict[str, Any]]:
    """Step sizes, and the largest relative error of each kind of difference with them."""
    steps = 10.0 ** np.arange(0.0, -20.25, -0.25)
    exact = problem.matrix("reverse mode", problem.generated()["reverse mode"]())
    size = max(float(np.max(np.abs(exact), initial=0.0)), np.finfo(float).tiny)
    ways = {
        "forward differences": problem.forward_difference,
        "central differences": problem.central_difference,
    }
    if problem.complex_step_works():
        ways["complex step"] = problem.complex_step
    found = {}
    with np.errstate(all="ignore"):
        for name, way in ways.items():
            found[name] = np.array([_error(problem, way, h, exact) / size for h in steps])
    return steps, found


def _error(
    problem: Problem, way: Callable[[float], Sequence[Any]], h: float, exact: Any
) -> float:
    """The largest error with step `h`; nan where the function does not take such a step."""
    try:
        found = problem.matrix("", way(float(h)))
    except (ValueError, ArithmeticError):
        return float("nan")
    return float(np.max(np.abs(found - exact), initial=0.0))
