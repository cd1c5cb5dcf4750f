"""Identities of what is added to places of arrays in derivative code.

    z = zeros_like(x)
    z = scatter_add(z, i, a)       ──▶      bx = scatter_add(b, i, a)
    bx = b + z
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from tangent_like import facts, runtime
from tangent_like.identities.terms import Rule, Scope, Term, alike, call, seeks
from tangent_like.ir import Atom, Const, Op


def _same(a: Atom, b: Atom) -> bool:
    """Whether two indices are known to be the same."""
    if isinstance(a, Const) and isinstance(b, Const):
        kinds = (int, slice, tuple)
        return type(a.value) is type(b.value) and isinstance(a.value, kinds) and a.value == b.value
    return a is b


@seeks(runtime.scatter_add)
def _add_at_once(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """Two additions to one place are one."""
    array, index, g = args
    made = scope.made(array, runtime.scatter_add)
    if made is None or not scope.once(array) or not alike(made.args[2].fact, g.fact):
        return None
    if not _same(index, made.args[1]):
        return None
    return call(runtime.scatter_add, made.args[0], index, call(operator.add, made.args[2], g))


@seeks(runtime.scatter_add)
def into_places(scope: Scope, args: tuple[Atom, ...]) -> Term | None:
    """What was added to places of zeros is added to these places of the other summand, if that is
    an array made here, which can be changed in place."""
    for whole, part in (args, args[::-1]):
        chain = _places_of_zeros(scope, part) if scope.maker(whole) in _FRESH else []
        if chain and alike(whole.fact, part.fact) and facts.rank(whole.fact):
            term: Term = whole
            for op in chain:
                term = call(runtime.scatter_add, term, *op.args[1:])
            return term
    return None


_FRESH = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, runtime.scatter_add,
})  # fmt: skip
"""What makes a new array."""

_MOST_PLACES = 16


def _places_of_zeros(scope: Scope, atom: Atom) -> list[Op]:
    """The additions to an array of zeros that made an atom, the first one first."""
    found: list[Op] = []
    for _ in range(_MOST_PLACES):
        op = scope.made(atom, runtime.scatter_add)
        if op is None or not op.derivative or not scope.once(atom):
            break
        found.insert(0, op)
        atom = op.args[0]
    return found if scope.made(atom, runtime.zeros_like) and scope.once(atom) else []


RULES: Mapping[Any, tuple[Rule, ...]] = {runtime.scatter_add: (_add_at_once,)}
