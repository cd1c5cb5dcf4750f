"""Binding what stands on the left of an assignment."""

from __future__ import annotations

import operator
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.facts import Fact
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Value


def bind(state: Lowering, target: Any, value: Atom) -> None:
    """Assignment to a name, or to a tuple of targets."""
    if isinstance(target, gast.Name):
        state.frame.env[target.id] = named(value, target.id)
    elif isinstance(target, (gast.Tuple, gast.List)):
        _unpack(state, target, value)
    elif isinstance(target, gast.Starred):
        raise NotYetSupported("a starred target", state.place(target), "slice the sequence")
    else:
        what = "an array or container" if isinstance(target, gast.Subscript) else "an object"
        raise NotYetSupported(
            f"writing into {what} in place", state.place(target), "build a new one"
        )


def named(value: Atom, name: str) -> Atom:
    """The value under the user's name: a temporary takes it, a named value keeps its own."""
    if isinstance(value, Value) and not value.name:
        value.name = name
    return value


def _unpack(state: Lowering, target: Any, value: Atom) -> None:
    if any(isinstance(item, gast.Starred) for item in target.elts):
        raise NotYetSupported("a starred target", state.place(target), "slice the sequence")
    length = _length(value.fact)
    if length is not None and length != len(target.elts):
        raise NeverSupported(
            f"unpacking {length} values into {len(target.elts)} names", state.place(target)
        )
    if length is None:
        value = state.builder.op(ir.unpack, (value, Const(len(target.elts))))
    items = [
        state.builder.op(operator.getitem, (value, Const(i))) for i in range(len(target.elts))
    ]
    for inner, item in zip(target.elts, items):
        bind(state, inner, item)


def _length(fact: Fact) -> int | None:
    if isinstance(fact, (facts.Tuple, facts.List)):
        return len(fact.items)
    return None
