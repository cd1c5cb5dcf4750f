"""`*items` in displays and calls: the items of a sequence of known length."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import gast

from tangent_like import facts
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const


def starred_items(state: Lowering, nodes: Sequence[Any]) -> list[Atom]:
    """The atoms of expressions, some of which may be starred, in Python's order."""
    found: list[Atom] = []
    for node in nodes:
        if isinstance(node, gast.Starred):
            found += items_of(state, state.expression(node.value), node)
        else:
            found.append(state.expression(node))
    return found


def items_of(state: Lowering, sequence: Atom, node: Any) -> list[Atom]:
    """The items of a tuple or list, or of another sequence whose length is known."""
    items = known_items(state, sequence)
    if items is None:
        raise NotYetSupported(
            f"`*` before {facts.describe(sequence.fact)}",
            state.place(node),
            "write the items out, or use a tuple",
        )
    return items


def known_items(state: Lowering, sequence: Atom) -> list[Atom] | None:
    """The items of a sequence whose length is known at compile time, else None."""
    fact = sequence.fact
    if isinstance(sequence, Const) and isinstance(sequence.value, (str, tuple, list, range)):
        return [Const(item) for item in sequence.value]
    if not isinstance(fact, facts.Tuple | facts.List):
        return None
    return [
        state.builder.op(operator.getitem, (sequence, Const(i))) for i in range(len(fact.items))
    ]
