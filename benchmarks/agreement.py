"""Nobody's time counts before everybody's numbers agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.problem import Problem

TOLERANCE = 1e-6


class Disagreement(Exception):
    """Two contenders give different derivatives."""


def flat(gradient: Any) -> Any:
    """All numbers of a gradient in one vector."""
    parts = gradient if isinstance(gradient, (tuple, list)) else (gradient,)
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in parts])


def check_agreement(name: str, found: Any, wanted: Any) -> None:
    """Raises Disagreement where two gradients differ by more than 1e-6 of the larger one."""
    have, want = flat(found), flat(wanted)
    if have.shape != want.shape:
        raise Disagreement(f"{name}: {have.size} numbers where {want.size} are expected")
    size = max(1.0, float(np.max(np.abs(want), initial=0.0)))
    error = float(np.max(np.abs(have - want), initial=0.0)) / size
    if not error <= TOLERANCE:
        raise Disagreement(f"{name}: off by {error:.1e}")


def check_by_differences(problem: Problem, gradient: Any) -> None:
    """Raises Disagreement where the slope of the primal in a fixed direction is another one."""
    rng = np.random.default_rng(0)
    step = 1e-6
    directions = [rng.normal(size=np.shape(problem.args[i])) for i in problem.wrt]
    ends = []
    for sign in (1.0, -1.0):
        args = list(problem.args)
        for i, direction in zip(problem.wrt, directions):
            args[i] = args[i] + sign * step * direction
            if not np.ndim(args[i]):
                args[i] = float(args[i])
        ends.append(problem.primal(*args))
    slope = (ends[0] - ends[1]) / (2.0 * step)
    expected = flat(gradient) @ flat(directions)
    if not abs(slope - expected) <= 1e-5 * max(1.0, abs(expected), abs(ends[0])):
        raise Disagreement(f"differences give {slope}, the hand-written gradient {expected}")
