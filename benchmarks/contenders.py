"""Who takes part: the primal, the hand-written and generated derivatives, differences, peers."""

from __future__ import annotations

import copy
import functools
import importlib.util
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.problem import Problem
from benchmarks.timing import seconds

Call = Callable[[], Any]

DIFFERENCES = 20
"""Finite differences are measured for so many inputs at most, and for two of a slow function; the
rest takes as long each."""

SLOW = 0.02
"""Seconds."""


@dataclass(frozen=True)
class Contender:
    """`make` gives the call to be timed, which returns the gradient as a tuple, or raises.

    The seconds of a call are multiplied by `factor`: a gradient by differences is measured for a
    part of its inputs.
    """

    name: str
    make: Callable[[Problem], Call]
    is_derivative: bool = True
    factor: Callable[[Problem], float] = lambda problem: 1.0


def contenders() -> list[Contender]:
    """All that can run here; those whose package is missing are left out."""
    found = [
        Contender("primal", primal, is_derivative=False),
        Contender("by hand", by_hand),
        Contender("generated", generated),
        Contender("differences", differences, is_derivative=False, factor=share_of_differences),
    ]
    if is_installed("numba"):
        found += [
            Contender("primal, Numba", primal_numba, is_derivative=False),
            Contender("by hand, Numba", by_hand_numba),
            Contender("generated, Numba", generated_numba),
        ]
    peers = {"autograd": by_autograd, "jax": by_jax, "torch": by_torch}
    return found + [Contender(name, make) for name, make in peers.items() if is_installed(name)]


def is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


class Absent(Exception):
    """A contender does not take part, and why."""


def fresh(problem: Problem) -> tuple[Any, ...]:
    """The arguments, so that nobody sees what another contender did to them."""
    return copy.deepcopy(problem.args)


def primal(problem: Problem) -> Call:
    args = fresh(problem)
    return lambda: problem.primal(*args)


def by_hand(problem: Problem) -> Call:
    args = fresh(problem)
    return lambda: problem.by_hand(*args)


def generated(problem: Problem) -> Call:
    args = fresh(problem)
    derivative = problem.generate(problem.primal, problem.wrt)
    return lambda: derivative(*args)


# --- finite differences -------------------------------------------------------------------------


def inputs(problem: Problem) -> int:
    return int(sum(np.size(problem.args[i]) for i in problem.wrt))


def differences(problem: Problem) -> Call:
    """Forward differences for the first inputs, in the plainest way."""
    if not problem.is_gradient:
        raise Absent("not a gradient")
    args = list(fresh(problem))
    places = [(i, k) for i in problem.wrt for k in range(np.size(args[i]))][: measured(problem)]

    def slopes() -> list[float]:
        start = problem.primal(*args)
        return [(moved(problem.primal, args, i, k) - start) / 1e-7 for i, k in places]

    return slopes


@functools.cache
def measured(problem: Problem) -> int:
    """For how many inputs differences are measured."""
    slow = seconds(lambda: problem.primal(*problem.args)) > SLOW
    return min(inputs(problem), 2 if slow else DIFFERENCES)


def moved(primal: Callable[..., Any], args: list[Any], i: int, k: int) -> Any:
    changed = list(args)
    changed[i] = np.array(args[i]) if np.ndim(args[i]) else args[i] + 1e-7
    if np.ndim(args[i]):
        changed[i].flat[k] += 1e-7
    return primal(*changed)


def share_of_differences(problem: Problem) -> float:
    """What a whole gradient takes for each part that was measured."""
    return (inputs(problem) + 1) / (measured(problem) + 1)


# --- Numba --------------------------------------------------------------------------------------


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled by Numba, after the helpers of its module that it calls."""
    import numba

    scope = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(scope.get(name), types.FunctionType):
            scope[name] = compiled(scope[name])
    return numba.njit(with_globals(function, scope))


def with_globals(function: Callable[..., Any], scope: dict[str, Any]) -> Any:
    made = types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__)
    made.__module__ = function.__module__
    return made


def primal_numba(problem: Problem) -> Call:
    call, args = compiled(problem.primal), fresh(problem)
    return lambda: call(*args)


def by_hand_numba(problem: Problem) -> Call:
    if problem.by_hand_numba is None:
        raise Absent("not written")
    call, args = compiled(problem.by_hand_numba), fresh(problem)
    return lambda: call(*args)


def generated_numba(problem: Problem) -> Call:
    args = fresh(problem)
    derivative = problem.generate(problem.primal, problem.wrt, backend="numba")
    return lambda: derivative(*args)


# --- peers --------------------------------------------------------------------------------------


def written_for(problem: Problem, tool: str, numpy: Any) -> Any:
    """The primal as a tool needs it: given, or the same source with the tool's NumPy."""
    if not problem.is_gradient:
        raise Absent("not a gradient")
    given = problem.peers.get(tool, problem.primal)
    if given is None:
        raise Absent("not in its language")
    return given if tool in problem.peers else on_numpy(given, numpy)


def on_numpy(function: Any, numpy: Any) -> Any:
    """The function, and the helpers it calls, with another NumPy for `np` and `math`."""
    scope = {**function.__globals__, "np": numpy, "math": _Renamed(numpy)}
    for name in function.__code__.co_names:
        if isinstance(scope.get(name), types.FunctionType):
            scope[name] = on_numpy(scope[name], numpy)
    return with_globals(function, scope)


class _Renamed:
    """`math` on a NumPy: the few names that differ."""

    names = ("asin", "acos", "atan", "pow")

    def __init__(self, numpy: Any):
        self.numpy = numpy

    def __getattr__(self, name: str) -> Any:
        return getattr(self.numpy, f"arc{name[1:]}" if name in self.names[:3] else name)


def by_autograd(problem: Problem) -> Call:
    import autograd
    import autograd.numpy

    function = written_for(problem, "autograd", autograd.numpy)
    args = fresh(problem)
    derivative = autograd.grad(function, problem.wrt)
    return lambda: derivative(*args)


def by_jax(problem: Problem) -> Call:
    import jax

    jax.config.update("jax_enable_x64", True)
    function = written_for(problem, "jax", jax.numpy)
    fixed = tuple(i for i, a in enumerate(problem.args) if isinstance(a, int))
    derivative = jax.jit(jax.grad(function, problem.wrt), static_argnums=fixed)
    args = [a if isinstance(a, int) else jax.numpy.asarray(a) for a in problem.args]
    return lambda: jax.block_until_ready(derivative(*args))


def by_torch(problem: Problem) -> Call:
    import torch

    torch.set_num_threads(1)
    function = written_for(problem, "torch", torch)
    args = [a if isinstance(a, int) else torch.tensor(a, dtype=torch.float64) for a in problem.args]
    leaves = [args[i].requires_grad_() for i in problem.wrt]
    return lambda: torch.autograd.grad(function(*args), leaves)
