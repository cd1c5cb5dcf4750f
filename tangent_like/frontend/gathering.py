"""New dicts with keys that are known only at run time, of items and of other dicts.

    {name: x, **other}           items = {}
                        ──▶      items[name] = x
                                 for key, item in other.items():
                                     items[key] = item
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tangent_like import facts
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import make_table
from tangent_like.frontend.own_code import run
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Op, Value
from tangent_like.records import MakeRecord

Part = Atom | tuple[Atom, Atom]
"""A dict, a sequence of pairs, or one key and its item."""


def gathered(state: Lowering, node: Any, parts: Sequence[Part]) -> Atom:
    """A new dict of the parts, of which later ones win."""
    made = make_table(state, {})
    fill(state, node, made, parts)
    return fresh(state, made, node)


def copied(state: Lowering, node: Any, table: Atom) -> Atom:
    """A copy of a dict that holds the same items, and makes those that lack as it does."""
    assert isinstance(table.fact, facts.DictOf)
    if table.fact.default is None:
        return gathered(state, node, [table])
    made = Value("", facts.DictOf(facts.NOTHING, facts.NOTHING, table.fact.default))
    state.builder.append(Op(made, MakeRecord(dict, ()), (), (), state.place(node)))
    fill(state, node, made, [table])
    return fresh(state, made, node)


def fill(state: Lowering, node: Any, made: Atom, parts: Sequence[Part]) -> None:
    """Put the parts into a dict."""
    for part in parts:
        if isinstance(part, tuple):
            names = {"items": made, "key": part[0], "item": part[1]}
            run(state, node, names, "items[key] = item")
        else:
            pairs = "more.items()" if is_dict(part) else "more"
            source = f"for key, item in {pairs}:\n    items[key] = item"
            run(state, node, {"items": made, "more": part}, source)


def is_dict(atom: Atom) -> bool:
    fact = atom.fact
    return isinstance(fact, facts.DictOf) or (isinstance(fact, facts.Record) and fact.type is dict)
