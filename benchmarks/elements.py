"""Time for each element that a loop reads or writes: `python -m benchmarks.elements`.

A reverse sweep over n elements is to cost O(n), whatever is read, overwritten or updated.  So each
loop runs over arrays of a thousand to a million elements, and the time of its gradient for each
element must stay what it is.  No number decays on the way: arithmetic with subnormal numbers takes
ten times as long on some processors.
"""

from __future__ import annotations

from benchmarks.timing import use_one_core

if __name__ == "__main__":
    use_one_core()  # before anything imports NumPy

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import tangent_like as tl
from benchmarks.contenders import is_installed
from benchmarks.report import duration, ratio
from benchmarks.timing import interleaved

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)


def reads(x: Any) -> Any:
    """Reads elements, writes none."""
    total = 0.0
    for i in range(1, len(x)):
        total += x[i] * x[i - 1]
    return total


def writes(x: Any) -> Any:
    """Writes each element once, from the one before it."""
    y = np.zeros(len(x))
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = 0.5 * y[i - 1] * x[i] + x[i]
    return y[-1]


def adds(x: Any) -> Any:
    """Adds to elements: nothing has to be saved."""
    y = x.copy()
    for i in range(1, len(x)):
        y[i] += 0.5 * y[i - 1]
    return y[-1]


def scales(x: Any) -> Any:
    """Multiplies elements by what depends on others: what was there is saved."""
    y = x.copy()
    for i in range(1, len(x)):
        y[i] *= 0.5 + y[i - 1] * x[i]
    return np.sum(y)


def swaps(x: Any) -> Any:
    """Exchanges neighbours, in the argument itself."""
    for i in range(1, len(x)):
        x[i], x[i - 1] = 1.0 - x[i - 1], x[i]
    return np.sum(x)


def relaxes(x: Any) -> Any:
    """One sweep of Gauss and Seidel over a line."""
    for i in range(1, len(x) - 1):
        x[i] = 0.5 * (x[i - 1] + x[i + 1]) + 0.1 * x[i] * x[i]
    return x[-2]


def gathers(x: Any) -> Any:
    """Reads elements here and there, writes others."""
    n = len(x)
    y = np.zeros(n)
    for i in range(n):
        y[(7 * i) % n] += x[(13 * i) % n] * x[i]
    return y[0] * y[n // 2]


LOOPS: tuple[Callable[[Any], Any], ...] = (reads, writes, adds, scales, swaps, relaxes, gathers)


@dataclass(frozen=True)
class Line:
    """Seconds of a gradient, and of the function, for each length."""

    name: str
    backend: str
    gradient: dict[int, float]
    primal: dict[int, float]

    def of_one(self, n: int) -> float:
        return self.gradient[n] / n

    @property
    def growth(self) -> float:
        """The exponent p of a time that grows like n ** p, from the shortest to the longest."""
        few, many = min(self.gradient), max(self.gradient)
        return math.log(self.gradient[many] / self.gradient[few]) / math.log(many / few)


def measured(f: Callable[[Any], Any], backend: Any, lengths: Sequence[int], rounds: int) -> Line:
    gradient, primal = tl.grad(f, backend=backend), f
    if backend == "numba":
        import numba

        primal = numba.njit(f)
    times: dict[int, dict[str, float]] = {}
    for n in lengths:
        x = np.random.default_rng(0).uniform(0.5, 1.0, n)
        calls = {"gradient": partial(gradient, x), "primal": lambda: primal(x.copy())}  # noqa: B023
        times[n] = interleaved(calls, rounds if n < 1_000_000 else min(rounds, 3))
    return Line(
        f.__name__,
        "Numba" if backend == "numba" else "plain",
        {n: found["gradient"] for n, found in times.items()},
        {n: found["primal"] for n, found in times.items()},
    )


def table(lines: Sequence[Line]) -> str:
    """For each loop the time of one element at each length, as Markdown."""
    lengths = sorted(lines[0].gradient)
    heads = ["loop", "", *(f"n = {n:,}" for n in lengths), "last ÷ first", "grows like", "÷ primal"]
    rows = [heads, ["---", "---", *("---:" for _ in heads[2:])], *(map(_cells, lines))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _cells(line: Line) -> list[str]:
    lengths = sorted(line.gradient)
    first, last = lengths[0], lengths[-1]
    return [
        line.name, line.backend, *(duration(line.of_one(n)) for n in lengths),
        ratio(line.of_one(last) / line.of_one(first)), f"n^{line.growth:.2f}",
        ratio(line.gradient[last] / line.primal[last]),
    ]  # fmt: skip


def plot(lines: Sequence[Line], path: Path) -> None:
    """Time over length, both logarithmic, beside a line of slope one.  Needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 5))
    for line in lines:
        lengths = sorted(line.gradient)
        style = "--" if line.backend == "Numba" else "-"
        axes.loglog(
            lengths, [line.gradient[n] for n in lengths], style, marker="o", markersize=3,
            label=f"{line.name}, {line.backend}",
        )  # fmt: skip
    ends = [lengths[0], lengths[-1]]
    axes.loglog(ends, [n * 1e-7 for n in ends], ":", color="black", label="proportional to n")
    axes.set_xlabel("elements")
    axes.set_ylabel("seconds of a gradient")
    axes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.elements", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="the best of so many (default 5)")
    parser.add_argument("--longest", type=int, default=LENGTHS[-1], help="elements at most")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a picture")
    options = parser.parse_args()
    lengths = [n for n in LENGTHS if n <= options.longest]
    backends = ["numpy", "numba"] if is_installed("numba") else ["numpy"]
    lines = [measured(f, b, lengths, options.rounds) for b in backends for f in LOOPS]
    print(table(lines))
    if options.plot:
        plot(lines, options.plot)


if __name__ == "__main__":
    main()
