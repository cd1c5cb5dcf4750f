"""The table, the JSON and the plot of a run."""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Result

COLUMNS = (
    ("÷ hand", "generated", "by hand"),
    ("÷ primal", "generated", "primal"),
    ("Numba ÷ hand", "generated, Numba", "by hand, Numba"),
    ("Numba ÷ primal", "generated, Numba", "primal, Numba"),
    ("differences ÷", "differences", "generated"),
    ("Autograd ÷", "autograd", "generated"),
    ("JAX ÷", "jax", "generated"),
    ("PyTorch ÷", "torch", "generated"),
)
"""A heading, and which contender's time is divided by which."""


def shown_columns(results: Sequence[Result]) -> list[tuple[str, str, str]]:
    return [c for c in COLUMNS if any(r.ratio(c[1], c[2]) is not None for r in results)]


def table(results: Sequence[Result]) -> str:
    """Ratios of times; the last columns say how many times as long others take as generated."""
    columns = shown_columns(results)
    heads = ["", "primal", "by hand", "generated", *(head for head, _, _ in columns)]
    rows = [heads, *(row(result, columns) for result in results), means(results, columns)]
    widths = [max(len(r[k]) for r in rows) for k in range(len(heads))]
    return "\n".join(
        "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(r, widths)))
        for r in rows
    )


def markdown(results: Sequence[Result]) -> str:
    """The same table for a document."""
    columns = shown_columns(results)
    heads = ["", "primal", "by hand", "generated", *(head for head, _, _ in columns)]
    rows = [heads, ["---", *("---:" for _ in heads[1:])]]
    rows += [*(row(result, columns) for result in results), means(results, columns)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def row(result: Result, columns: Sequence[tuple[str, str, str]]) -> list[str]:
    times = [duration(result.seconds.get(n)) for n in ("primal", "by hand", "generated")]
    if result.absent.get("generated", "").startswith("refused"):
        times[2] = "refused"
    return [result.name, *times, *(ratio(result.ratio(a, b)) for _, a, b in columns)]


def means(results: Sequence[Result], columns: Sequence[tuple[str, str, str]]) -> list[str]:
    counted = [r for r in results if not r.remark]
    found = [geometric_mean([r.ratio(a, b) for r in counted]) for _, a, b in columns]
    return ["geometric mean", "", "", "", *map(ratio, found)]


def geometric_mean(values: Sequence[float | None]) -> float | None:
    known = [math.log(v) for v in values if v is not None]
    return math.exp(sum(known) / len(known)) if known else None


def ratio(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}" if value < 1e5 else f"{value:.0e}"


def duration(value: float | None) -> str:
    if value is None:
        return ""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * factor >= 1.0:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def notes(results: Sequence[Result]) -> str:
    """Why contenders are missing, and what was allocated."""
    lines = [f"{r.name}: {r.remark}" for r in results if r.remark]
    lines += [f"{r.name}, {who}: {why}" for r in results for who, why in r.absent.items()]
    lines += [
        f"{r.name}, most memory held: "
        + ", ".join(f"{who} {size / 1024:.0f} KiB" for who, size in r.memory.items())
        for r in results
        if r.memory
    ]
    return "\n".join(lines)


def as_json(results: Sequence[Result], compiler: dict[str, Any]) -> str:
    machine = {
        "python": sys.version.split()[0], "numpy": np.__version__, "machine": platform.machine(),
    }  # fmt: skip
    whole = {"machine": machine, "results": [r.as_dict() for r in results], "compiler": compiler}
    return json.dumps(whole, indent=2)


def plot(results: Sequence[Result], path: Path) -> None:
    """Bars: each derivative's time, as a multiple of the hand-written one.  Needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [n for n in ("generated", "generated, Numba", "autograd", "jax", "torch")
             if any(r.ratio(n, "by hand") is not None for r in results)]  # fmt: skip
    figure, axes = pyplot.subplots(figsize=(10, 4.5))
    width = 0.8 / max(len(names), 1)
    for k, name in enumerate(names):
        places = [i + k * width for i, r in enumerate(results) if r.ratio(name, "by hand")]
        heights = [r.ratio(name, "by hand") for r in results if r.ratio(name, "by hand")]
        axes.bar(places, heights, width, label=name)
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_ylabel("time ÷ hand-written gradient in NumPy")
    axes.set_xticks([i + 0.4 - width / 2 for i in range(len(results))])
    axes.set_xticklabels([r.name for r in results], rotation=45, ha="right")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
