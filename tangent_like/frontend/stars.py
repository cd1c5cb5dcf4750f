"""`*items` and `**items` in displays, calls and parameter lists.

They stand for the items of a sequence of known length, or of a dict with known keys.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import gast

from tangent_like import facts, ir
from tangent_like.errors import ArgumentError, NotYetSupported
from tangent_like.frontend import edits
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import Taken, consumed, make_table, table_of
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const
from tangent_like.parts import is_named_tuple


def starred_items(state: Lowering, nodes: Sequence[Any]) -> list[Atom]:
    """The atoms of expressions, some of which may be starred, in Python's order."""
    found: list[Atom] = []
    for node in nodes:
        if isinstance(node, gast.Starred):
            found += items_of(state, state.expression(node.value), node)
        else:
            found.append(state.expression(node))
    return found


def list_display(state: Lowering, node: Any) -> Atom:
    """`[a, *b, c]`: lists of a length known only at run time are joined with what is between."""
    joined, parts = _joined(state, node)
    last = _made(state, node, parts)
    return last if joined is None else edits.joined(state, node, joined, last)


def tuple_display(state: Lowering, node: Any) -> Atom:
    """`(a, *b, c)`, likewise."""
    joined, parts = _joined(state, node, copied=True)
    if joined is None:
        return _made(state, node, parts, ir.make_tuple)
    if isinstance(joined.fact, facts.TupleOf) and not parts:
        return joined
    found = edits.joined(state, node, joined, _made(state, node, parts)) if parts else joined
    return state.builder.op(tuple, (found,), place=state.place(node))


def _joined(
    state: Lowering, node: Any, copied: bool = False
) -> tuple[Atom | None, list[Atom]]:  # fmt: skip
    """What the last sequence of unknown length and all before it make, and what comes after;
    the sequence itself where it comes first and will be copied."""
    joined: Atom | None = None
    parts: list[Atom] = []
    for part in node.elts:
        if not isinstance(part, gast.Starred):
            parts.append(state.expression(part))
            continue
        value = consumed(state, state.expression(part.value), part, taken=Taken.ALL)
        if not isinstance(value.fact, facts.ListOf):
            parts += items_of(state, value, part)
            continue
        if copied and joined is None and not parts:
            joined = value
            continue
        before = _made(state, node, parts)
        before = before if joined is None else edits.joined(state, node, joined, before)
        joined, parts = edits.joined(state, node, before, value), []
    return joined, parts


def _made(state: Lowering, node: Any, items: Sequence[Atom], display: Any = ir.make_list) -> Atom:
    now = [fresh(state, item, node) for item in items]
    return state.builder.op(display, now, place=state.place(node))


def items_of(state: Lowering, sequence: Atom, node: Any) -> list[Atom]:
    """The items of a tuple or list, or of another sequence whose length is known."""
    items = known_items(state, consumed(state, sequence, node, taken=Taken.ALL))
    if items is None:
        raise NotYetSupported(
            f"`*` before {facts.describe(sequence.fact)}",
            state.place(node),
            "write the items out, or pass the sequence as it is",
        )
    return items


def known_items(state: Lowering, sequence: Atom) -> list[Atom] | None:
    """The items of a sequence whose length is known at compile time, else None."""
    fact = sequence.fact
    if isinstance(sequence, Const) and isinstance(sequence.value, (str, tuple, list, range)):
        return [Const(item) for item in sequence.value]
    if not isinstance(fact, facts.Tuple | facts.List | facts.Record):
        return None
    if isinstance(fact, facts.Record) and not is_named_tuple(fact.type):
        return None
    return [
        state.builder.op(operator.getitem, (sequence, Const(i))) for i in range(len(fact.items))
    ]


def named_items(state: Lowering, keywords: Sequence[Any], node: Any) -> dict[str, Atom]:
    """The keyword arguments of a call, with those from `**items`."""
    found: dict[str, Atom] = {}
    for keyword in keywords:
        value = state.expression(keyword.value)
        own = {keyword.arg: value} if keyword.arg is not None else _entries(state, value, node)
        twice = found.keys() & own.keys()
        if twice:
            raise ArgumentError(f"the call passes `{min(twice)}` twice", state.place(node))
        found.update(own)
    return found


def _entries(state: Lowering, value: Atom, node: Any) -> dict[str, Atom]:
    table = table_of(state, value)
    if table is None or not all(isinstance(key, str) for key in table):
        raise NotYetSupported(
            f"`**` before {facts.describe(value.fact)}",
            state.place(node),
            "write the keyword arguments out",
        )
    return table


def collect(
    state: Lowering,
    node: Any,
    arguments: Any,
    positional: Sequence[str],
    by_name: Collection[str],
    args: Sequence[Atom],
    keywords: Mapping[str, Atom],
) -> tuple[dict[str, Atom], Sequence[Atom], Mapping[str, Atom]]:
    """What `*args` and `**kwargs` of a parameter list take, and the arguments that are left."""
    env: dict[str, Atom] = {}
    if arguments.vararg is not None:
        rest = args[len(positional) :]
        env[arguments.vararg.id] = state.builder.op(ir.make_tuple, rest, place=state.place(node))
        args = args[: len(positional)]
    if arguments.kwarg is not None:
        more = {key: atom for key, atom in keywords.items() if key not in by_name}
        env[arguments.kwarg.id] = make_table(state, more)
        keywords = {key: atom for key, atom in keywords.items() if key in by_name}
    return env, args, keywords
