"""Calls that make sets, counters and bounded queues, or read them as a whole."""

from __future__ import annotations

import collections
from typing import Any

import gast

from tangent_like import facts
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.application import Application, Handler
from tangent_like.frontend.collected import STANDS_FOR, Counts, Members, Window
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.objects import Taken
from tangent_like.frontend.protocols import class_of
from tangent_like.frontend.sequences import lower_list
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.structures import read_attribute
from tangent_like.ir import Atom, Const


def set_of(own: Application) -> Atom:
    """`set(items)`."""
    if not own.args:
        return own.invoke(Const(Members), [])
    given = own.args[0]
    inside = behind(own.state, own.node, given)
    return own.invoke(Const(Members), [given if inside is not None else _listed(own, given)])


def _listed(own: Application, atom: Atom) -> Atom:
    """A sequence whose items are known, as a tuple of them."""
    sequence = own.sequence(atom, Taken.ALL)
    items = own.items(sequence)
    return sequence if items is None else own.display(items)


def counter(own: Application) -> Atom:
    """`Counter(items)`."""
    return own.invoke(Const(Counts), [_listed(own, atom) for atom in own.args], own.keywords)


def queue(own: Application) -> Atom:
    """`deque`: a list, of which the first item can be taken off."""
    length = own.argument(1, "maxlen")
    items: list[Atom] = [own.sequence(atom, Taken.ALL) for atom in own.args[:1]]
    if length is None or (isinstance(length, Const) and length.value is None):
        return own.invoke(Const(list), items)
    if not isinstance(length, Const) or length.value == 0:
        raise own.refusal("a `deque` whose `maxlen` is 0, or no constant", "write the number")
    return own.invoke(Const(Window), [*(items or [own.listed(())]), length])


def behind(state: Lowering, node: Any, atom: Atom) -> Atom | None:
    """What a set or queue holds, for functions that read it as a whole; None for other things."""
    name = {Members: "items", Window: "queue"}.get(class_of(atom))
    return None if name is None else read_attribute(state, node, fresh(state, atom, node), name)


def lower_set(state: Lowering, node: Any) -> Atom:
    """`{a, b}`."""
    items = state.expression(gast.copy_location(gast.List(node.elts, gast.Load()), node))
    made: Atom = state.module.call(state, node, Const(Members), (items,), {})
    return made


def lower_set_comprehension(state: Lowering, node: Any) -> Atom:
    made: Atom = state.module.call(state, node, Const(Members), (lower_list(state, node),), {})
    return made


def refuse_in_result(state: Lowering, fact: facts.Fact, node: Any) -> None:
    """These classes are no types of results."""
    if isinstance(fact, facts.Record) and fact.type in STANDS_FOR:
        raise NotYetSupported(
            f"returning a {STANDS_FOR[fact.type].__name__}", state.place(node),
            "return a list of what it holds",
        )  # fmt: skip
    inside = fact.items if isinstance(fact, facts.STRUCTURES) else ()
    for item in (*inside, *([fact.item] if isinstance(fact, (facts.ListOf, facts.DictOf)) else ())):
        refuse_in_result(state, item, node)


HANDLERS: dict[Any, Handler] = {
    set: set_of,
    frozenset: set_of,
    collections.Counter: counter,
    collections.deque: queue,
}
EXPRESSIONS: dict[type, Any] = {
    gast.Set: lower_set,
    gast.SetComp: lower_set_comprehension,
}
