"""Binding what stands on the left of an assignment."""

from __future__ import annotations

import operator
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.facts import Fact
from tangent_like.frontend import dicts, edits, syntax
from tangent_like.frontend.homes import may_alias
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import Taken, consumed
from tangent_like.frontend.protocols import call_special, special_method
from tangent_like.frontend.scope import Cell, Frame
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import write_attribute
from tangent_like.frontend.writes import write_item
from tangent_like.ir import Atom, Const, Value


def bind(state: Lowering, target: Any, value: Atom) -> None:
    """Assignment to a name, or to a tuple of targets."""
    if isinstance(target, gast.Name):
        bind_name(state, target.id, value, target)
    elif isinstance(target, (gast.Tuple, gast.List)):
        _unpack(state, target, consumed(state, value, target, taken=Taken.ALL))
    elif isinstance(target, gast.Subscript):
        container, index = state.expression(target.value), state.expression(target.slice)
        write_item(state, target, container, index, value)
    elif isinstance(target, gast.Attribute):
        owner = state.expression(target.value)
        write_attribute(state, target, owner, target.attr, fresh(state, value, target))
    else:
        raise NotYetSupported(
            "writing into an object in place", state.place(target), "build a new one"
        )


def delete_item(state: Lowering, target: Any) -> bool:
    """`del d[k]` of a dict or list; False for other things."""
    owner, key = state.expression(target.value), state.expression(target.slice)
    owner = fresh(state, owner, target)
    fact = owner.fact
    if special_method(owner, "__delitem__") is not None:
        call_special(state, target, "__delitem__", owner, (key,))
        return True
    is_list = isinstance(fact, (facts.List, facts.ListOf)) and not isinstance(fact, facts.TupleOf)
    if is_list and isinstance(owner, Value):
        edits.remove(state, target, owner, key)
        return True
    if not (isinstance(fact, facts.DictOf) or getattr(fact, "type", None) is dict):
        return False
    assert isinstance(owner, Value)
    dicts.remove(state, target, owner, key)
    return True


def bind_name(state: Lowering, name: str, value: Atom, node: Any) -> None:
    """Assignment to a local name; others are outside the function, and never written to."""
    cell = cell_of(state, name, node)
    if cell is not None:
        state.cells[cell] = named(value, name)
        return
    if name not in state.frame.locals:
        raise NotYetSupported(
            f"writing to `{name}`, a variable outside the function",
            state.place(node),
            "return the value instead",
        )
    state.frame.env[name] = named(value, name)


def cell_of(state: Lowering, name: str, node: Any) -> Cell | None:
    """The key of a variable that nested functions write, where the current one may write it."""
    frame: Frame | None = state.frame
    if frame is not None and name not in frame.locals:
        if name not in syntax.nonlocal_names(frame.node):
            return None
        while frame is not None and name not in frame.locals:
            frame = frame.parent
    cell = frame.cells.get(name) if frame is not None else None
    if cell is not None and cell not in state.cells:
        if state.around is not None:
            state.around.cells[cell] = None
        raise NotYetSupported(
            f"writing `{name}` in a function that calls itself or is handed to a library",
            state.place(node), "return the value instead",
        )  # fmt: skip
    return cell


def named(value: Atom, name: str) -> Atom:
    """The value under the user's name: a temporary takes it, a named value keeps its own."""
    if isinstance(value, Value) and not value.name and not name.startswith("%"):
        value.name = name
    return value


def _unpack(state: Lowering, target: Any, value: Atom) -> None:
    length = _length(value.fact)
    stars = [k for k, item in enumerate(target.elts) if isinstance(item, gast.Starred)]
    if stars:
        _unpack_with_star(state, target, value, length, stars[0])
        return
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


def _unpack_with_star(
    state: Lowering, target: Any, value: Atom, length: int | None, star: int
) -> None:
    """`a, *b, c = items`: the items that are left over become a list."""
    after = len(target.elts) - star - 1
    if length is None:
        _bind_parts(state, target, _slices(state, target, value, star, after))
        return
    if length < star + after:
        raise NeverSupported(
            f"unpacking {length} values into at least {star + after} names", state.place(target)
        )
    items = [state.builder.op(operator.getitem, (value, Const(i))) for i in range(length)]
    rest = state.builder.op(ir.make_list, items[star : length - after])
    _bind_parts(state, target, [*items[:star], rest, *items[length - after :]])


def _slices(state: Lowering, target: Any, value: Atom, star: int, after: int) -> list[Atom]:
    """The items and the rest of a list whose length is known only at run time; ValueError where
    there are too few."""
    if not isinstance(value.fact, facts.ListOf) or may_alias(value.fact.item):
        raise NotYetSupported(
            f"a starred target for {facts.describe(value.fact)}",
            state.place(target),
            "slice it: `first, rest = x[0], x[1:]`",
        )

    def part(of: Atom, first: int | None, last: int | None) -> Atom:
        return state.builder.op(operator.getitem, (of, Const(slice(first, last))))

    def items(of: Atom, count: int) -> list[Atom]:
        whole = state.builder.op(ir.unpack, (of, Const(count)))
        return [state.builder.op(operator.getitem, (whole, Const(i))) for i in range(count)]

    heads = items(part(value, None, star), star) if star else []
    rest = part(value, star, None)
    if not after:
        return [*heads, rest]
    return [*heads, part(rest, None, -after), *items(part(rest, -after, None), after)]


def _bind_parts(state: Lowering, target: Any, parts: list[Atom]) -> None:
    for inner, item in zip(target.elts, parts, strict=True):
        bind(state, inner.value if isinstance(inner, gast.Starred) else inner, item)


def _length(fact: Fact) -> int | None:
    if isinstance(fact, (facts.Tuple, facts.List)):
        return len(fact.items)
    return None
