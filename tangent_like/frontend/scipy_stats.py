"""Calls of the methods of `scipy.stats`' distributions; read only if it is imported.

Their parameters may be given by name, and before: `norm(loc, scale).logpdf(x)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scipy import stats

from tangent_like.errors import ArgumentError
from tangent_like.frontend.scope import Bound, Outcome
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const
from tangent_like.rules import (
    registry,
    scipy_stats,  # noqa: F401 - the rules of the methods
)

_METHODS = ("logpdf", "pdf", "logpmf", "pmf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")
_OF_NUMBERS: tuple[Any, ...] = (
    stats.norm, stats.t, stats.beta, stats.gamma, stats.chi2, stats.expon, stats.poisson,
)  # fmt: skip
_OF_VECTORS: tuple[Any, ...] = (stats.multivariate_normal, stats.dirichlet)


def parameters(distribution: Any) -> dict[str, Any]:
    """The names of the parameters, in order, with their defaults."""
    if distribution is stats.multivariate_normal:
        return {"mean": None, "cov": 1}
    if distribution is stats.dirichlet:
        return {"alpha": _NEEDED}
    shapes = distribution.shapes.split(", ") if distribution.shapes else []
    scale = {} if distribution is stats.poisson else {"scale": 1.0}
    loc = 0 if distribution is stats.poisson else 0.0
    return {**dict.fromkeys(shapes, _NEEDED), "loc": loc, **scale}


_NEEDED = object()


def ordered(
    state: Lowering,
    node: Any,
    distribution: Any,
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> list[Atom]:
    """The parameters by position; those at their default at the end are left out."""
    known = parameters(distribution)
    given = dict(zip(known, args))
    wrong = [name for name in keywords if name not in known or name in given]
    if wrong or len(args) > len(known):
        what = f"`{wrong[0]}`" if wrong else f"{len(args)} parameters"
        raise ArgumentError(f"this distribution does not take {what} here", state.place(node))
    given.update(keywords)
    last = max((i for i, name in enumerate(known) if name in given), default=-1)
    found = []
    for name, default in list(known.items())[: last + 1]:
        if name not in given and default is _NEEDED:
            raise ArgumentError(f"the call misses the parameter `{name}`", state.place(node))
        found.append(given[name] if name in given else Const(default))
    return found


def _method(distribution: Any, method: Any) -> Callable[..., Atom]:
    def lower(
        state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
    ) -> Atom:
        named = dict(keywords)
        first = [args[0]] if args else [named.pop(n) for n in ("x", "k", "q") if n in named]
        if not first:
            raise ArgumentError("the call misses its first argument", state.place(node))
        rest = ordered(state, node, distribution, args[1:], named)
        return state.builder.op(method, (*first, *rest), place=state.place(node))

    return lower


def _frozen(distribution: Any) -> Callable[..., Atom]:
    """`norm(loc, scale)`: an object whose methods have the parameters already."""

    def lower(
        state: Lowering, node: Any, args: Sequence[Atom], keywords: Mapping[str, Atom]
    ) -> Atom:
        rest = tuple(ordered(state, node, distribution, args, keywords))
        methods = {
            name: Const(Bound(getattr(distribution, name), rest))
            for name in _METHODS
            if registry.rules.get(getattr(distribution, name, None)) is not None
        }
        return Const(Outcome(Const(distribution), methods))

    return lower


for _distribution in (*_OF_NUMBERS, *_OF_VECTORS):
    registry.calls[_distribution] = _frozen(_distribution)
    for _name in _METHODS:
        _function = getattr(_distribution, _name, None)
        if registry.rules.get(_function) is not None:
            registry.calls[_function] = _method(_distribution, _function)
