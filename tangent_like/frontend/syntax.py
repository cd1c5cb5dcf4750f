"""Questions about syntax trees that need no lowering: which names a block assigns, whether it
can run to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import gast

_SCOPES = (gast.FunctionDef, gast.AsyncFunctionDef, gast.Lambda, gast.ClassDef)
_COMPREHENSIONS = frozenset({gast.ListComp, gast.SetComp, gast.DictComp, gast.GeneratorExp})


def statements_below(nodes: Sequence[Any]) -> Iterator[Any]:
    """Every node below, leaving out the bodies of nested functions and classes."""
    pending = list(reversed(nodes))
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, _SCOPES):
            continue
        for name in reversed(node._fields):
            child = getattr(node, name, None)
            if isinstance(child, gast.AST):
                pending.append(child)
            elif isinstance(child, list):
                pending.extend(part for part in reversed(child) if isinstance(part, gast.AST))


@lru_cache(maxsize=256)
def nodes_of_body(function: Any) -> tuple[Any, ...]:
    """Every node in the body of a function or lambda, leaving out the bodies of nested ones."""
    body = function.body if isinstance(function.body, list) else [function.body]
    return tuple(statements_below(body))


def assigned_names(nodes: Sequence[Any]) -> Mapping[str, None]:
    """The names that the statements bind, in order of appearance; comprehensions have names of
    their own."""
    return _assigned_names(tuple(nodes))


def augmented_names(nodes: Sequence[Any]) -> frozenset[str]:
    """The names that the statements bind by augmented assignments alone, as in `y += e`."""
    return _augmented_names(tuple(nodes))


def contains(nodes: Sequence[Any], *kinds: type) -> bool:
    """Whether a node of one of these kinds lies below, outside nested functions."""
    return not _kinds_below(tuple(nodes)).isdisjoint(kinds)


# A body is lowered several times, in a loop that is in a loop many times; its tree stays.


@lru_cache(maxsize=4096)
def _assigned_names(nodes: tuple[Any, ...]) -> dict[str, None]:
    return _names_bound_by(statements_below(nodes))


@lru_cache(maxsize=4096)
def _augmented_names(nodes: tuple[Any, ...]) -> frozenset[str]:
    below = list(statements_below(nodes))
    targets = {
        id(node.target): node.target.id
        for node in below
        if isinstance(node, gast.AugAssign) and isinstance(node.target, gast.Name)
    }
    others = _names_bound_by(node for node in below if id(node) not in targets)
    return frozenset(targets.values()).difference(others)


@lru_cache(maxsize=4096)
def _kinds_below(nodes: tuple[Any, ...]) -> frozenset[type]:
    return frozenset(map(type, statements_below(nodes)))


def _names_bound_by(nodes: Iterable[Any]) -> dict[str, None]:
    names: dict[str, None] = {}
    below = list(nodes)
    own = {
        id(target)
        for node in below
        if type(node) in _COMPREHENSIONS
        for generator in node.generators
        for target in gast.walk(generator.target)
    }
    for node in below:
        bound_by = _BOUND_BY.get(type(node))
        name = bound_by(node) if bound_by is not None and id(node) not in own else None
        if name is not None:
            names[name] = None
    return names


def _name_of_target(node: Any) -> str | None:
    return node.id if isinstance(node.ctx, (gast.Store, gast.Del)) else None


_BOUND_BY: dict[type, Callable[[Any], str | None]] = {
    gast.Name: _name_of_target,
    gast.FunctionDef: lambda node: node.name,
    gast.ClassDef: lambda node: node.name,
    gast.MatchAs: lambda node: node.name,
    gast.MatchStar: lambda node: node.name,
    gast.MatchMapping: lambda node: node.rest,
    gast.alias: lambda node: (node.asname or node.name).split(".")[0],
}
"""The name that a node of each kind binds, if it does."""


def parameter_nodes(arguments: Any) -> list[Any]:
    """The nodes of all parameters, in the order of the signature."""
    rest = [arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    return [*arguments.posonlyargs, *arguments.args, *(node for node in rest if node is not None)]


@lru_cache(maxsize=256)
def local_names(function: Any) -> frozenset[str]:
    """The local variables of a function or lambda."""
    nodes = nodes_of_body(function)
    names = {node.id for node in parameter_nodes(function.args)}
    outer = {
        name
        for node in nodes
        if isinstance(node, (gast.Global, gast.Nonlocal))
        for name in node.names
    }
    return frozenset(names.union(_names_bound_by(nodes)) - outer)


@lru_cache(maxsize=256)
def nonlocal_names(function: Any) -> frozenset[str]:
    """The variables of functions around it that a function declares `nonlocal`, or that a
    comprehension binds by `:=`."""
    if type(function) in _COMPREHENSIONS:
        return frozenset(_named_by(function))
    found = (node.names for node in nodes_of_body(function) if isinstance(node, gast.Nonlocal))
    return frozenset(name for names in found for name in names)


@lru_cache(maxsize=256)
def names_written_inside(function: Any) -> frozenset[str]:
    """The local variables of a function that functions defined inside declare `nonlocal`, and
    those that comprehensions bind by `:=`."""
    named = {
        name
        for node in nodes_of_body(function)
        if type(node) in _COMPREHENSIONS
        for name in _named_by(node)
    }
    declared = {
        name
        for scope in nodes_of_body(function)
        if isinstance(scope, _SCOPES)
        for node in gast.walk(scope)
        if isinstance(node, gast.Nonlocal)
        for name in node.names
    }
    return local_names(function) & (named | declared)


def _named_by(node: Any) -> Iterator[str]:
    below = statements_below([node])
    return (part.target.id for part in below if isinstance(part, gast.NamedExpr))


@lru_cache(maxsize=256)
def first_yield(function: Any) -> Any:
    """The first `yield` or `await` of a function; None in one that is no generator."""
    kinds = (gast.Yield, gast.YieldFrom, gast.Await)
    return next((node for node in nodes_of_body(function) if isinstance(node, kinds)), None)


@lru_cache(maxsize=256)
def captured_names(function: Any) -> frozenset[str]:
    """The names that functions and lambdas defined inside the function mention."""
    return frozenset(
        node.id
        for scope in nodes_of_body(function)
        if isinstance(scope, _SCOPES)
        for node in gast.walk(scope)
        if isinstance(node, gast.Name)
    )


def mentioned_names(nodes: Sequence[Any]) -> frozenset[str]:
    """Every name below, also in nested functions."""
    below = (inner for node in nodes for inner in gast.walk(node))
    return frozenset(node.id for node in below if isinstance(node, gast.Name))


def names_from_outside(function: Any) -> frozenset[str]:
    """The names that a function mentions, but for its own local variables."""
    mentioned = (part.id for part in gast.walk(function) if isinstance(part, gast.Name))
    return frozenset(mentioned) - local_names(function)


def breaks_out(nodes: Sequence[Any]) -> bool:
    """Whether a `break` below belongs to the loop around `nodes`."""
    for node in nodes:
        if isinstance(node, gast.Break):
            return True
        if isinstance(node, (gast.For, gast.While)):
            if breaks_out(node.orelse):
                return True
        elif isinstance(node, gast.Match):
            if any(breaks_out(case.body) for case in node.cases):
                return True
        elif isinstance(node, (gast.If, gast.With, gast.Try)):
            inner = [*node.body, *getattr(node, "orelse", []), *getattr(node, "finalbody", [])]
            inner += [s for h in getattr(node, "handlers", []) for s in h.body]
            if breaks_out(inner):
                return True
    return False


def is_endless(loop: Any) -> bool:
    """Whether a `while` has no end but by what is around it."""
    forever = isinstance(loop.test, gast.Constant) and bool(loop.test.value)
    ends = breaks_out(loop.body) or contains(loop.body, gast.Return, gast.Raise)
    return forever and not ends


def may_fall_through(nodes: Sequence[Any]) -> bool:
    """Whether control can reach the end of the statements; True where that is not certain."""
    return all(_falls(node) for node in nodes)


def _falls(node: Any) -> bool:
    if isinstance(node, (gast.Return, gast.Break, gast.Continue, gast.Raise)):
        return False
    if isinstance(node, gast.If):
        return may_fall_through(node.body) or may_fall_through(node.orelse)
    if isinstance(node, gast.While):
        endless = isinstance(node.test, gast.Constant) and bool(node.test.value)
        return not endless or breaks_out(node.body)
    return True


def may_exit(nodes: Sequence[Any]) -> bool:
    """Whether a `return`, `break` or `continue` below can leave the statements."""
    return contains(nodes, gast.Return, gast.Break, gast.Continue)
