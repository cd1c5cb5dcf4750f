"""Questions about objects by name, and the tools of `dataclasses`, worked out while lowering.

    getattr(p, "w", 0.0)       p.w
    setattr(p, "w" + "1", e)   p.w1 = e
    asdict(p)                  {"w": p.w, "h": p.h}
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import numpy as np

from tangent_like import facts
from tangent_like.frontend.application import Application, Handler
from tangent_like.frontend.homes import home_of
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import make_table
from tangent_like.frontend.protocols import class_of, is_object
from tangent_like.frontend.scope import Buffer, Home
from tangent_like.frontend.structures import remove_attribute, type_of, write_attribute
from tangent_like.ir import Atom, Const, Value
from tangent_like.trees import item


def _name(own: Application) -> str | None:
    """The name that is asked for, where it is known and can be written."""
    name = own.args[1]
    known = isinstance(name, Const) and isinstance(name.value, str) and name.value.isidentifier()
    return name.value if known else None  # type: ignore[union-attr]


def _has(owner: Atom, name: str) -> bool | None:
    """Whether something has an attribute; None where that is known at run time only."""
    if is_object(owner):
        fact = owner.fact
        assert isinstance(fact, facts.Record)
        defined = inspect.getattr_static(fact.type, name, None) is not None
        if name in fact.keys or defined:
            return True
        return None if hasattr(fact.type, "__getattr__") else False
    return hasattr(owner.value, name) if isinstance(owner, Const) else None


def read_by_name(own: Application) -> Atom | None:
    """`getattr`."""
    owner, _, *default = own.args
    name = _name(own)
    if name is None or (not isinstance(owner, Const) and class_of(owner) is None):
        return None
    if default and _has(owner, name) is not True:
        return default[0] if _has(owner, name) is False else None
    outer = own.enter({"owner": owner})
    try:
        return own.state.expression(own.written(f"owner.{name}").value)
    finally:
        own.state.frame = outer


def has_attribute(own: Application) -> Atom | None:
    """`hasattr`."""
    name = _name(own)
    found = None if name is None else _has(own.args[0], name)
    return None if found is None else Const(found)


def write_by_name(own: Application) -> Atom:
    """`setattr`."""
    owner, _, value = own.args
    name = _name(own)
    if name is None:
        raise own.refusal("`setattr` with a name known only at run time", "use a dict")
    write_attribute(own.state, own.node, owner, name, value)
    return Const(None)


def delete_by_name(own: Application) -> Atom:
    """`delattr`."""
    name = _name(own)
    if name is None:
        raise own.refusal("`delattr` with a name known only at run time", "use a dict")
    remove_attribute(own.state, own.node, own.args[0], name)
    return Const(None)


def attributes(own: Application) -> Atom:
    """`vars(p)`: to be read, until an attribute is written."""
    (owner,) = own.args or (None,)
    if not isinstance(owner, Value) or not is_object(owner):
        raise own.refusal("`vars` of this", "name what you need")
    made = make_table(own.state, _items(own, owner))
    if isinstance(made, Value):
        here, there = Buffer(made, outside=True), home_of(own.state, owner).buffer
        here.tangled.add(there)
        there.tangled.add(here)
        own.state.homes[made] = Home(here, (), made)
    return made


def type_of_value(own: Application) -> Atom | None:
    """`type(x)`, where it is known."""
    kind = type_of(own.args[0]) if len(own.args) == 1 else None
    return None if kind is None else Const(kind)


def _items(own: Application, owner: Atom) -> dict[Any, Atom]:
    fact = owner.fact
    assert isinstance(fact, facts.Record)
    found = {key: item(own.state.builder, owner, k) for k, key in enumerate(fact.keys)}
    return {key: fresh(own.state, atom, own.node) for key, atom in found.items()}


# --- dataclasses --------------------------------------------------------------------------------


def fields(own: Application) -> Atom:
    """`dataclasses.fields`."""
    owner = own.args[0]
    kind = owner.value if isinstance(owner, Const) and isinstance(owner.value, type) else None
    kind = kind or class_of(owner)
    if kind is None or not dataclasses.is_dataclass(kind):
        raise own.refusal("`fields` of this", "give it an object of a dataclass")
    return own.display([Const(field) for field in dataclasses.fields(kind)])


def as_dict(own: Application) -> Atom:
    """`dataclasses.asdict`."""
    return _rebuilt(own, own.args[0], lambda items: make_table(own.state, items))


def as_tuple(own: Application) -> Atom:
    """`dataclasses.astuple`."""
    return _rebuilt(own, own.args[0], lambda items: own.display(list(items.values())))


def _rebuilt(own: Application, owner: Atom, make: Any) -> Atom:
    kind = class_of(owner)
    if own.keywords or not isinstance(owner, Value) or not dataclasses.is_dataclass(kind):
        raise own.refusal(f"`{own.function.__name__}` of this", "give it an object of a dataclass")
    given = _items(own, owner)
    names = [field.name for field in dataclasses.fields(kind)]
    return make({name: _inside(own, given[name], make) for name in names})  # type: ignore[no-any-return]


def _inside(own: Application, atom: Atom, make: Any) -> Atom:
    """What a field holds, with dataclasses inside it taken apart as well."""
    fact = atom.fact
    if isinstance(fact, facts.Record) and dataclasses.is_dataclass(fact.type):
        return _rebuilt(own, atom, make)
    if isinstance(fact, (facts.Tuple, facts.List)):
        inner = [_inside(own, one, make) for one in own.items(atom) or ()]
        return own.display(inner) if isinstance(fact, facts.Tuple) else own.listed(inner)
    if isinstance(fact, facts.Record) and fact.type is dict:
        items = _items(own, atom).items()
        return make_table(own.state, {key: _inside(own, one, make) for key, one in items})
    if isinstance(fact, (facts.Record, facts.ListOf, facts.DictOf)):
        raise own.refusal(f"{facts.describe(fact)} in a dataclass that is taken apart", "name it")
    return own.op(np.copy, atom) if isinstance(fact, facts.Array) else atom


HANDLERS: dict[Any, Handler] = {
    getattr: read_by_name,
    hasattr: has_attribute,
    setattr: write_by_name,
    delattr: delete_by_name,
    vars: attributes,
    type: type_of_value,
    dataclasses.fields: fields,
    dataclasses.asdict: as_dict,
    dataclasses.astuple: as_tuple,
}
