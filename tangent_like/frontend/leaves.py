"""Structures that branches and loops hand on leaf by leaf, so that they stay dissolved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tangent_like import facts, ir
from tangent_like.facts import Fact
from tangent_like.frontend.run_time_functions import at_run_time
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Block
from tangent_like.records import display_of, reading
from tangent_like.trees import item


def whole_structure(fact: Fact) -> Fact | None:
    return fact if isinstance(fact, facts.STRUCTURES) else None


def shared_structure(a: Fact, b: Fact) -> Fact | None:
    """The structure that both share; None where they are to be joined as one value.  What has no
    value on one side has the structure of the other, of items without a value."""
    if isinstance(a, facts.Undefined) or isinstance(b, facts.Undefined):
        return whole_structure(b if isinstance(a, facts.Undefined) else a)
    if isinstance(a, facts.STRUCTURES) and isinstance(b, facts.STRUCTURES) and _same_kind(a, b):
        inner = [shared_structure(x, y) for x, y in zip(a.items, b.items)]
        return facts.with_items(a, tuple(facts.UNKNOWN if s is None else s for s in inner))
    return None


def _same_kind(a: facts.Structure, b: facts.Structure) -> bool:
    if isinstance(a, facts.Record) and isinstance(b, facts.Record):
        return a.type is b.type and a.keys == b.keys
    return type(a) is type(b) and len(a.items) == len(b.items)


def count_leaves(structure: Fact | None) -> int:
    if isinstance(structure, facts.STRUCTURES):
        return sum(map(count_leaves, structure.items))
    return 1


def with_leaves(
    state: Lowering, block: Block, bound: Sequence[tuple[Atom, Fact | None]]
) -> Block:
    extra = state.builder.collect(
        lambda: [leaf for atom, structure in bound for leaf in leaves_of(state, atom, structure)]
    )
    return Block(block.statements + extra.statements, extra.results)


def leaves_of(state: Lowering, atom: Atom, structure: Fact | None) -> list[Atom]:
    """The leaves of a value along a structure, reading items where it is not dissolved yet."""
    if not isinstance(structure, facts.STRUCTURES):
        return [at_run_time(state, atom)]
    if atom is ir.UNDEFINED:
        return [atom] * count_leaves(structure)
    items = (_item(state, atom, structure, i) for i in range(len(structure.items)))
    return [
        leaf
        for part, inner in zip(items, structure.items)
        for leaf in leaves_of(state, part, inner)
    ]


def _item(state: Lowering, atom: Atom, structure: facts.Structure, place: int) -> Atom:
    """An item of a value that has a structure, of which perhaps nothing else is known."""
    if isinstance(facts.defined(atom.fact), facts.STRUCTURES):
        return item(state.builder, atom, place)
    fn, key = reading(structure, place)
    return state.builder.op(fn, (atom, key))


def rebuild(state: Lowering, structure: Fact | None, leaves: Any) -> Atom:
    """The value of this structure from its leaves."""
    if not isinstance(structure, facts.STRUCTURES):
        leaf: Atom = next(leaves)
        return leaf
    items = [rebuild(state, inner, leaves) for inner in structure.items]
    return state.builder.op(display_of(structure), items)
