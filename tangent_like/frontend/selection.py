"""One of several functions or objects, picked by a number or a key that is known at run time.

    fs = [f, g, h]                 place = [0, 1, 2][i]
    y = fs[i](x)            ──▶    y = if place == 0: f(x)
                                       else: if place == 1: g(x)
                                             else: h(x)

The place is read from a list of numbers as long as `fs`, so that an index out of range, or a key
that is missing, raises what Python raises.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from tangent_like import facts, ir
from tangent_like.errors import NotYetSupported
from tangent_like.frontend.choices import choose
from tangent_like.frontend.homes import tie
from tangent_like.frontend.joins import choosable
from tangent_like.frontend.memory import fresh
from tangent_like.frontend.protocols import class_of, is_object
from tangent_like.frontend.run_time_functions import exists_at_compile_time
from tangent_like.frontend.scope import Choice
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.records import is_display


def holds_functions(state: Lowering, atom: Atom) -> bool:
    """Whether an atom is a function, or a structure with one in it: something that generated code
    knows by name only."""
    if isinstance(atom, Const):
        return atom is not ir.UNDEFINED and exists_at_compile_time(atom.value)
    made = display_behind(state, atom)
    return made is not None and any(holds_functions(state, item) for item in made.args)


def display_behind(state: Lowering, atom: Atom) -> Op | None:
    """The operation that puts a structure together, where it is known."""
    made = state.builder.definitions.get(atom) if isinstance(atom, Value) else None
    return made if made is not None and is_display(made.fn) else None


def picked_from_sequence(state: Lowering, node: Any, sequence: Atom, index: Atom) -> Atom | None:
    """`sequence[index]` where the items are functions or objects and the index is not known;
    None for other items, which are read as they are."""
    made = display_behind(state, sequence)
    known = isinstance(index, Const) or not isinstance(index.fact, facts.Scalar)
    if made is None or known or not isinstance(sequence.fact, (facts.Tuple, facts.List)):
        return None
    if not any(is_picked(state, item) for item in made.args):
        return None
    numbers = [Const(k) for k in range(len(made.args))]
    place = state.builder.op(
        operator.getitem, (state.builder.op(made.fn, numbers), index), place=state.place(node)
    )
    return picked(state, node, made.args, place)


def is_picked(state: Lowering, item: Atom) -> bool:
    """Whether an item is picked by branches, and not read at run time."""
    return isinstance(item.fact, facts.Record) or holds_functions(state, item)


def picked(state: Lowering, node: Any, items: Sequence[Atom], place: Atom) -> Atom:
    """A chain of branches over the items; the last one needs no test."""
    tests = [
        state.builder.op(operator.eq, (place, Const(k)), place=state.place(node))
        for k in range(len(items) - 1)
    ]
    found = items[-1]
    for test, item in zip(reversed(tests), reversed(items[:-1]), strict=True):
        found = _either(state, node, test, item, found)
    return found


def _either(state: Lowering, node: Any, test: Atom, then: Atom, orelse: Atom) -> Atom:
    """One of two items; structures that hold functions are chosen item by item."""
    if _by_name(then) and _by_name(orelse) and not _of_one_class(then, orelse):
        return Const(Choice(test, then, orelse))
    if not (holds_functions(state, then) or holds_functions(state, orelse)):
        return choose(state, node, test, lambda: then, lambda: orelse, "ifexp")
    left, right = display_behind(state, then), display_behind(state, orelse)
    if left is None or right is None or left.fn != right.fn or len(left.args) != len(right.args):
        raise NotYetSupported(
            "one of several things, among them functions", state.place(node),
            "use `if` and call each",
        )  # fmt: skip
    items = [_either(state, node, test, a, b) for a, b in zip(left.args, right.args)]
    made = state.builder.op(left.fn, items, place=state.place(node))
    tie(state, made, (then, orelse))
    return made


def _by_name(atom: Atom) -> bool:
    """Whether it is a function or an object, of which both need not exist as one value."""
    return choosable(atom, atom) or class_of(atom) is not None


def _of_one_class(then: Atom, orelse: Atom) -> bool:
    return class_of(then) is class_of(orelse) is not None and is_object(then) and is_object(orelse)


def of_either(
    state: Lowering, node: Any, choice: Choice, read: Callable[[Atom], Atom]
) -> Atom:
    """What `read` makes of either side of a choice: an attribute, a method, a comparison."""
    return choose(
        state, node, choice.test,
        lambda: read(fresh(state, choice.then, node)),
        lambda: read(fresh(state, choice.orelse, node)), "ifexp",
    )  # fmt: skip
