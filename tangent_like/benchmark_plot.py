"""The two pictures of a benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

# Colours that people with any colour vision tell apart (Okabe and Ito), and markers besides.
_STYLES = {
    "forward differences": ("#E69F00", "o"),
    "central differences": ("#56B4E9", "s"),
    "complex step": ("#CC79A7", "^"),
    "forward mode": ("#009E73", "D"),
    "reverse mode": ("#0072B2", "v"),
}
_FINEST = 1e-17
"""Errors of zero are drawn here, on the lower edge."""


def draw(
    path: str | Path,
    name: str,
    times: tuple[list[int], dict[str, list[float]]],
    errors: tuple[Any, dict[str, Any]],
    exact: float,
) -> None:
    """Write both pictures to `path`: `times` by number of inputs, `errors` by step size.

    `exact` is the error of forward mode, which has no step.
    """
    # Only those who draw need matplotlib, and only they wait for it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(11, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw_times(left, *times)
    _draw_errors(right, *errors, exact)
    for axes in (left, right):
        axes.grid(True, which="major", color="0.9", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"The derivative of {name}")
    figure.savefig(path, dpi=150)


def _draw_times(axes: Any, counts: list[int], times: dict[str, list[float]]) -> None:
    for name, values in times.items():
        colour, marker = _STYLES[name]
        axes.plot(counts, values, color=colour, marker=marker, markersize=5, label=name)
    axes.axhline(1.0, color="0.4", linewidth=1, linestyle="--")
    axes.annotate(
        "one evaluation of the function", (0.99, 1.0), (0, -10), ha="right", fontsize=8,
        color="0.4", xycoords=("axes fraction", "data"), textcoords="offset points",
    )  # fmt: skip
    axes.set(xlabel="number of inputs", ylabel="time of the derivative ÷ time of the function",
             title="Time", xscale="log", yscale="log")  # fmt: skip
    axes.set_xticks(counts, [str(n) for n in counts])
    axes.minorticks_off()
    axes.set_ylim(bottom=min(0.5, axes.get_ylim()[0]))
    axes.legend(frameon=False, fontsize=9)


def _draw_errors(axes: Any, steps: Any, found: dict[str, Any], exact: float) -> None:
    for name, values in found.items():
        colour, marker = _STYLES[name]
        shown = np.maximum(values, _FINEST)
        axes.plot(steps, shown, color=colour, marker=marker, markersize=3, linewidth=1, label=name)
    colour = _STYLES["forward mode"][0]
    axes.axhline(max(exact, _FINEST), color=colour, linewidth=1.5, linestyle="--",
                 label="forward mode (has no step)")  # fmt: skip
    axes.set(xlabel="step size h", ylabel="largest relative error", title="Error",
             xscale="log", yscale="log", ylim=(_FINEST / 3, 30.0))  # fmt: skip
    axes.invert_xaxis()
    axes.legend(frameon=False, fontsize=9)
