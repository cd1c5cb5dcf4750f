"""Copies of structures, and structures with other items: `copy`, `dataclasses`, named tuples.

    deepcopy({"w": w, "n": [x]})      {"w": np.copy(w), "n": [x]}, made anew
    replace(p, h=e)                   Rect(w=p.w, h=e)
"""

from __future__ import annotations

import copy
import dataclasses
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.errors import ArgumentError
from tangent_like.frontend.application import Application, Handler
from tangent_like.frontend.gathering import copied
from tangent_like.frontend.homes import home_of, is_apart, may_alias
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.names import attribute_of_constant
from tangent_like.frontend.objects import make_table
from tangent_like.frontend.protocols import class_of
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import read_attribute
from tangent_like.ir import Atom, Const, Value
from tangent_like.records import MakeRecord, display_of
from tangent_like.trees import item


def shallow(own: Application) -> Atom:
    return _copied(own, own.args[0], deep=False)


def deep(own: Application) -> Atom:
    return _copied(own, own.args[0], deep=True)


def _copied(own: Application, atom: Atom, deep: bool) -> Atom:
    atom = fresh(own.state, atom, own.node)
    fact = facts.defined(atom.fact)
    if isinstance(fact, facts.Array):
        return own.op(np.copy, atom)
    if isinstance(fact, (facts.Scalar, facts.Opaque)) and class_of(atom) is None:
        return atom
    if isinstance(fact, facts.STRUCTURES) and isinstance(atom, Value):
        return _copied_structure(own, atom, deep)
    if isinstance(fact, facts.ListOf) and not (deep and may_alias(fact.item)):
        return own.op(operator.getitem, atom, Const(slice(None)))
    if isinstance(fact, facts.ListOf):
        return own.looped([atom], lambda row: _copied(own, row[0], deep))
    if isinstance(fact, facts.DictOf) and not (deep and may_alias(fact.item)):
        return copied(own.state, own.node, atom)
    raise own.refusal(f"a copy of {facts.describe(fact)}", "make one of its items")


def _copied_structure(own: Application, atom: Value, deep: bool) -> Atom:
    fact = atom.fact
    assert isinstance(fact, facts.STRUCTURES)
    name = "__deepcopy__" if deep else "__copy__"
    if isinstance(fact, facts.Record) and hasattr(fact.type, name):
        raise own.refusal(f"`{name}` of a `{fact.type.__name__}`", "call a method of your own")
    if deep and may_alias(fact) and not is_apart(own.state, home_of(own.state, atom).buffer):
        raise own.refusal("a deep copy of what holds one thing twice", "copy each item")
    items = [item(own.state.builder, atom, k) for k in range(len(fact.items))]
    if deep:
        items = [_copied(own, one, deep) for one in items]
    return own.op(display_of(fact), *items)


def replaced(own: Application) -> Atom:
    """`dataclasses.replace`: the class is called with its fields."""
    owner, *_ = own.args
    kind = class_of(owner)
    if kind is None or not dataclasses.is_dataclass(kind):
        raise own.refusal("`replace` of this", "give it an object of a dataclass")
    named = dict(own.keywords)
    for field in dataclasses.fields(kind):
        if field.init and field.name not in named:
            named[field.name] = _attribute(own, owner, field.name)
    return own.invoke(Const(kind), [], named)


def _attribute(own: Application, owner: Atom, name: str) -> Atom:
    if isinstance(owner, Const):
        return attribute_of_constant(own.state, owner, name, own.node)
    return read_attribute(own.state, own.node, owner, name)


# --- named tuples -------------------------------------------------------------------------------


def _with_items(
    state: Lowering, node: Any, owner: Atom, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    """`p._replace(y=e)`."""
    fact = owner.fact
    assert isinstance(fact, facts.Record)
    unknown = set(keywords) - set(fact.keys)
    if args or unknown:
        raise ArgumentError(f"`_replace` has no field {sorted(unknown)}", state.place(node))
    items = [
        keywords.get(str(key), item(state.builder, owner, k)) for k, key in enumerate(fact.keys)
    ]
    return state.builder.op(MakeRecord(fact.type, fact.keys), items, place=state.place(node))


def _as_dict(
    state: Lowering, node: Any, owner: Atom, args: Sequence[Atom], keywords: Mapping[str, Atom]
) -> Atom:
    fact = owner.fact
    assert isinstance(fact, facts.Record)
    return make_table(
        state, {key: item(state.builder, owner, k) for k, key in enumerate(fact.keys)}
    )


NAMED_TUPLES: dict[str, Any] = {"_replace": _with_items, "_asdict": _as_dict}
HANDLERS: dict[Any, Handler] = {
    copy.copy: shallow,
    copy.deepcopy: deep,
    dataclasses.replace: replaced,
}
