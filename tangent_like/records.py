"""Dicts with known keys, named tuples and objects with known attributes, as values.

    {"w": w, "b": b}     MakeRecord(dict, ("w", "b"))(w, b)
    Point(x=x, y=y)      MakeRecord(Point, ("x", "y"))(x, y)

Such a value is a tuple of its items that knows how they are called.  Nothing ever changes it: after
`p["w"] = v` the name `p` stands for another record.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tangent_like import facts, ir, runtime
from tangent_like.facts import Fact, Record
from tangent_like.parts import is_named_tuple


@dataclass(frozen=True, slots=True)
class MakeRecord:
    """The operation that makes a dict or an object of its items."""

    type: Any
    keys: tuple[Any, ...]

    @property
    def __name__(self) -> str:
        return str(self.type.__name__)

    def __call__(self, *items: Any) -> Any:
        pairs = dict(zip(self.keys, items, strict=True))
        return pairs if self.type is dict else runtime.make_object(self.type, **pairs)


def attribute(owner: Any, name: str) -> Any:
    """The operation that reads an attribute of an object whose attributes are its items."""
    return getattr(owner, name)


def is_display(fn: Any) -> bool:
    """Whether an operation puts its operands together to a structure."""
    return fn is ir.make_tuple or fn is ir.make_list or isinstance(fn, MakeRecord)


def is_mutable_display(fn: Any) -> bool:
    """Whether a display makes something that can be written into."""
    if isinstance(fn, MakeRecord):
        return not is_named_tuple(fn.type)
    return fn is ir.make_list


def display_of(fact: Fact) -> Callable[..., Any]:
    """The display that makes a structure of this fact."""
    if isinstance(fact, Record):
        return MakeRecord(fact.type, fact.keys)
    return ir.make_list if isinstance(fact, (facts.List, facts.ListOf)) else ir.make_tuple


def reading(fact: Fact, place: int) -> tuple[Callable[..., Any], ir.Const]:
    """The operation, with its second operand, that reads an item of a structure."""
    if not isinstance(fact, Record):
        return operator.getitem, ir.Const(place)
    if fact.type is dict:
        return operator.getitem, ir.Const(fact.keys[place])
    if is_named_tuple(fact.type):
        return operator.getitem, ir.Const(place)
    return attribute, ir.Const(fact.keys[place])


def place_of(fact: Fact, fn: Any, key: Any) -> int | None:
    """Which item of a record an operation reads with a key that is known."""
    if not isinstance(fact, Record):
        return None
    by_place = fn is operator.getitem and is_named_tuple(fact.type)
    if by_place and isinstance(key, int) and -len(fact.items) <= key < len(fact.items):
        return key % len(fact.items)
    try:
        return None if by_place else fact.keys.index(key)
    except ValueError:
        return None


__all__ = [
    "MakeRecord", "attribute", "display_of", "is_display", "is_mutable_display", "is_named_tuple",
    "place_of", "reading",
]  # fmt: skip
