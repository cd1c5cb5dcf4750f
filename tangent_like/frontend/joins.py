"""Joining the environments of two branches.

Names that hold the same on both sides stay as they are; for the others the `If` has a result.
A tuple of the same structure on both sides is joined item by item, so that it stays dissolved.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from tangent_like import facts, ir
from tangent_like.build import fact_of
from tangent_like.facts import Fact
from tangent_like.frontend.names import carried_atom
from tangent_like.frontend.scope import Binding, Carried, Choice, Conflict
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Block, Const

Environment = dict[str, Binding]


def join_environments(
    state: Lowering,
    test: Atom,
    then: Block,
    then_env: Environment,
    orelse: Block,
    else_env: Environment,
    node: Any,
) -> Environment:
    """Append the `If` and return the environment after it."""
    joined: Environment = {}
    pairs: list[tuple[str, Atom, Atom]] = []
    for name in {**then_env, **else_env}:
        a, b = then_env.get(name, ir.UNDEFINED), else_env.get(name, ir.UNDEFINED)
        if a is b or same_constant(a, b):
            joined[name] = a
            continue
        left, right = settled(state, a), settled(state, b)
        if isinstance(left, Conflict) or isinstance(right, Conflict):
            joined[name] = left if isinstance(left, Conflict) else right
        elif left is right or same_constant(left, right):
            joined[name] = left
        elif choosable(left, right):
            joined[name] = Const(Choice(test, left, right))  # type: ignore[arg-type]
        elif not joinable(left, right):
            joined[name] = Conflict(name, state.place(node), "the branches bind different things")
        else:
            pairs.append((name, left, right))
    joined.update(join_pairs(state, test, then, orelse, pairs))
    return joined


def shown(name: str) -> str:
    """The name under which a reader sees one of the flags."""
    return {"%value": "result", "%returned": "returned", "%broke": "broke"}.get(
        name, "" if name.startswith("%") else name
    )


def settled(state: Lowering, binding: Binding) -> Atom | Conflict:
    return carried_atom(state, binding) if isinstance(binding, Carried) else binding


def same_constant(a: Binding, b: Binding) -> bool:
    if not (isinstance(a, Const) and isinstance(b, Const)):
        return False
    x, y = a.value, b.value
    if type(x) is not type(y):
        return False
    if isinstance(x, (bool, int, str, type(None), float, complex)):
        return repr(x) == repr(y)
    return x is y


def choosable(a: Atom, b: Atom) -> bool:
    """Two functions: which one it is can be decided where it is called."""
    return all(
        isinstance(x, Const) and x is not ir.UNDEFINED and callable(x.value) for x in (a, b)
    )


def joinable(a: Atom, b: Atom) -> bool:
    """Compile-time objects (functions, modules) exist in generated code only by name."""
    return not any(
        isinstance(x, Const) and x is not ir.UNDEFINED and _exists_at_compile_time(x.value)
        for x in (a, b)
    )


def _exists_at_compile_time(value: object) -> bool:
    return callable(value) or type(value).__name__ == "module"


def join_pairs(
    state: Lowering,
    test: Atom,
    then: Block,
    orelse: Block,
    pairs: Sequence[tuple[str, Atom, Atom]],
) -> Environment:
    """The `If` with a result for each leaf of the pairs, and what each name holds after it."""
    structures = [_structure(fact_of(a), fact_of(b)) for _, a, b in pairs]
    then = _with_leaves(state, then, [(a, s) for (_, a, _), s in zip(pairs, structures)])
    orelse = _with_leaves(state, orelse, [(b, s) for (_, _, b), s in zip(pairs, structures)])
    names = [
        shown(name) if structure is None else ""
        for (name, _, _), structure in zip(pairs, structures)
        for _ in range(count_leaves(structure))
    ]
    results = iter(state.builder.join(test, then, orelse, names))
    return {
        name: rebuild(state, structure, results)
        for (name, _, _), structure in zip(pairs, structures)
    }


def _structure(a: Fact, b: Fact) -> Fact | None:
    """The structure that both share; None where they are to be joined as one value."""
    if isinstance(a, facts.Tuple | facts.List) and type(a) is type(b):
        assert isinstance(b, facts.Tuple | facts.List)
        if len(a.items) == len(b.items):
            inner = [_structure(x, y) for x, y in zip(a.items, b.items)]
            return type(a)(tuple(facts.UNKNOWN if s is None else s for s in inner))
    return None


def count_leaves(structure: Fact | None) -> int:
    if isinstance(structure, facts.Tuple | facts.List):
        return sum(map(count_leaves, structure.items))
    return 1


def _with_leaves(
    state: Lowering, block: Block, bound: Sequence[tuple[Atom, Fact | None]]
) -> Block:
    extra = state.builder.collect(
        lambda: [leaf for atom, structure in bound for leaf in leaves_of(state, atom, structure)]
    )
    return Block(block.statements + extra.statements, extra.results)


def leaves_of(state: Lowering, atom: Atom, structure: Fact | None) -> list[Atom]:
    """The leaves of a value along a structure, reading items where it is not dissolved yet."""
    if not isinstance(structure, facts.Tuple | facts.List):
        return [atom]
    items = (
        state.builder.op(operator.getitem, (atom, Const(i))) for i in range(len(structure.items))
    )
    return [
        leaf
        for item, inner in zip(items, structure.items)
        for leaf in leaves_of(state, item, inner)
    ]


def rebuild(state: Lowering, structure: Fact | None, leaves: Any) -> Atom:
    """The value of this structure from its leaves."""
    if not isinstance(structure, facts.Tuple | facts.List):
        leaf: Atom = next(leaves)
        return leaf
    display = ir.make_tuple if isinstance(structure, facts.Tuple) else ir.make_list
    return state.builder.op(
        display, [rebuild(state, inner, leaves) for inner in structure.items]
    )
