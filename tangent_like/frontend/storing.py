"""Writing into what a value is: its buffer holds another value from then on.

    v = u[1:]            v1 = u1[1:]
    v[0] = 2.0           u2 = store(u1, 2.0, 1:, 0)       the buffer of u holds u2
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from tangent_like import facts, ir
from tangent_like.errors import NeverSupported, NotYetSupported
from tangent_like.frontend import points
from tangent_like.frontend.homes import (
    SPLITTING,
    buffers_of,
    choice_of,
    enlist,
    forget_slots,
    home_of,
    is_apart,
    may_alias,
    note_items,
    put_in,
    takes_item,
)
from tangent_like.frontend.memory import fresh, held, is_listed, note_order, pick, set_held
from tangent_like.frontend.scope import Buffer, Chosen, Home
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.records import display_of, is_display, reading
from tangent_like.stores import Store
from tangent_like.trees import item


def write(
    state: Lowering,
    node: Any,
    target: Atom,
    index: Atom | None,
    value: Atom,
    combine: Callable[..., Any] | None = None,
) -> None:
    """`target[index] = value`, or with `combine` an augmented assignment; without an index to the
    whole of the target."""
    place = state.place(node)
    if not isinstance(target, Value):
        raise NeverSupported(f"writing into {facts.describe(target.fact)}", place)
    if facts.rank(target.fact) == 0 and not points.is_written_whole(target, index):
        raise points.refused(state, node)
    choice = choice_of(state, target)
    if choice is not None and not any(is_listed(state, home.buffer) for home in choice.leaves()):
        _write_chosen(state, node, choice, (index, value, combine))
        return
    home = home_of(state, target)
    _check_writable(state, node, home.buffer)
    if isinstance(target.fact, _LISTS) and index is not None and may_alias(value.fact):
        forget_slots(state, home, place)
    root = as_value(state, home, held(state, home, node), node)
    of_lists = combine is None and isinstance(target.fact, _LISTS)
    apart = is_apart(state, home.buffer) or (of_lists and home.buffer.arrays_shared)
    if any(takes_item(step) for step in home.path) and not apart:
        raise _items_shared(state, node)
    result = _store(state, node, home, root, index, value, combine)
    set_held(state, home.buffer, result, place, deep=bool(home.path), arrays=not of_lists)


def _check_writable(state: Lowering, node: Any, buffer: Buffer) -> None:
    if buffer.outside:
        raise NeverSupported(
            f"writing into `{buffer.name}`, which lives outside the function",
            state.place(node),
            "write into a copy of it, or pass it as an argument",
        )
    if buffer in state.element_views:
        raise NotYetSupported(
            "writing into an array of which an element was read with `...`, as a view",
            state.place(node),
            "leave `...` out where the element is read",
        )


def _write_chosen(state: Lowering, node: Any, choice: Chosen, written: Any) -> None:
    """Write into that of several arrays which the tests choose."""
    for home in choice.leaves():
        _check_writable(state, node, home.buffer)
    now = {home.buffer: held(state, home, node) for home in choice.leaves()}

    def after(home: Home) -> list[Atom]:
        new = _store(state, node, home, now[home.buffer], *written)
        return [new if buffer is home.buffer else root for buffer, root in now.items()]

    names = [root.name if isinstance(root, Value) else "" for root in now.values()]
    for buffer, result in zip(now, pick(state.builder, choice, after, names)):
        set_held(state, buffer, result, state.place(node))


def _store(
    state: Lowering, node: Any, home: Home, root: Atom, index: Atom | None, value: Atom,
    combine: Callable[..., Any] | None,
) -> Atom:  # fmt: skip
    """What a buffer holds after a write through a view of it."""
    note_order(state, home)
    if points.leads_to_point(home, root):
        return points.stored(state, node, home, root, value, combine)
    steps = [(step.fn, step.args[1:]) for step in home.path if step.fn is not ir.defined]
    if index is None and home.path:
        around = facts.defined(home.path[-1].args[0].fact)
        if isinstance(around, (facts.Record, facts.Tuple)):
            what, hint = _KINDS.get(getattr(around, "type", tuple), ("an object", "attribute"))
            raise NotYetSupported(
                f"changing a list inside {what} inside a list", state.place(node),
                f"set the {hint} anew",
            )  # fmt: skip
    if index is not None:
        steps.append((operator.getitem, (index,)))
    elif steps and combine is not None and not _is_place(home.path):
        steps.append((operator.getitem, (Const(...),)))
    store = Store(tuple(fn for fn, _ in steps), tuple(len(own) for _, own in steps), combine)
    operands = [atom for _, own in steps for atom in own]
    name = root.name if isinstance(root, Value) else home.buffer.name
    return state.builder.op(store, (root, value, *operands), name=name, place=state.place(node))


_KINDS = {dict: ("a dict", "item"), tuple: ("a tuple", "tuple")}


def _is_place(path: Sequence[Op]) -> bool:
    """Whether what a path leads to is a place in an array, or an item that may be replaced."""
    *before, last = path
    return last.fn is operator.getitem and not (before and before[-1].fn in SPLITTING)


def write_whole(state: Lowering, node: Any, target: Value, value: Atom) -> None:
    """An item of a list is another list, or another object, from here on, for all who hold it."""
    forget_slots(state, home_of(state, target), state.place(node))
    write(state, node, target, None, value)
    made = state.builder.definitions.get(value) if isinstance(value, Value) else None
    if made is not None and is_display(made.fn):
        for k, part in enumerate(made.args):
            if not _is_part(state, part, target, value.fact, k):  # type: ignore[arg-type]
                put_in(state, target, part)


def _is_part(
    state: Lowering, part: Atom, owner: Value, structure: facts.Structure, k: int
) -> bool:
    """Whether something is what is at the same place of its owner already."""
    if not isinstance(part, Value) or not may_alias(part.fact):
        return True
    before, now = home_of(state, owner), home_of(state, part)
    fn, key = reading(structure, k)
    steps = [*((step.fn, step.args[1:]) for step in before.path), (fn, (key,))]
    return (
        now.buffer is before.buffer
        and len(now.path) == len(steps)
        and all(s.fn is fn and _alike(s.args[1:], own) for s, (fn, own) in zip(now.path, steps))
    )


def _alike(a: Sequence[Atom], b: Sequence[Atom]) -> bool:
    return len(a) == len(b) and all(
        x is y or (isinstance(x, Const) and isinstance(y, Const) and x.value == y.value)
        for x, y in zip(a, b)
    )


_LISTS = (facts.ListOf, facts.List, facts.DictOf, facts.Record)


def _items_shared(state: Lowering, node: Any) -> NotYetSupported:
    return NotYetSupported(
        "writing into an item of a list whose items may be one and the same",
        state.place(node), "make each item anew: `[[0.0] * n for _ in range(m)]`",
    )  # fmt: skip


def as_value(
    state: Lowering, home: Home, root: Atom, node: Any, fact: facts.Fact | None = None
) -> Atom:
    """What a buffer holds, as a value: a list or dict that was taken apart is put together, as one
    of any length (of `fact`, where that is more than its items tell)."""
    op = state.builder.definitions.get(root) if isinstance(root, Value) else None
    if not isinstance(root, Value) or not isinstance(root.fact, facts.STRUCTURES):
        return root
    if op is None or not is_display(op.fn):  # such as a slice of a list
        items = [item(state.builder, root, i) for i in range(len(root.fact.items))]
        root = state.builder.op(display_of(root.fact), items, name=root.name)
    root = fresh(state, root, node)
    note_items(state, home.buffer, root)
    op = state.builder.definitions[root]  # type: ignore[index]
    fact = any_of(root.fact) if fact is None else fact
    if fact is None:
        raise NotYetSupported(
            "writing at a place known only at run time into things of different kinds",
            state.place(node), "use a list or dict of things of one kind",
        )  # fmt: skip
    made = Value(home.buffer.name, fact)
    state.builder.append(Op(made, op.fn, op.args, (), state.place(node)))
    state.homes[made] = Home(home.buffer, (), made)
    inside = {other for item in op.args for other in buffers_of(state, item)}
    enlist(state, inside, [home.buffer])
    return made


def of_any_length(fact: facts.Fact) -> facts.Fact:
    """The fact of a list or dict as one of any length, also where it is empty."""
    if isinstance(fact, facts.List):
        item: facts.Fact = facts.NOTHING
        for own in fact.items:
            item = facts.join_known(item, facts.without_values(own))
        return facts.ListOf(item)
    if isinstance(fact, facts.Record):
        fact = facts.join(fact, facts.DictOf(facts.NOTHING, facts.NOTHING))
    return facts.without_values(fact)


def any_of(fact: facts.Fact) -> facts.Fact | None:
    """The fact of a list or dict of known structure as one of any length; None where its items
    are not alike."""
    empty: facts.Fact = facts.List(())
    if isinstance(fact, facts.Record):
        empty = facts.DictOf(facts.NOTHING, facts.NOTHING)
    found = facts.without_values(facts.join(fact, empty))
    if not isinstance(found, (facts.ListOf, facts.DictOf)) or isinstance(found.item, facts.Unknown):
        return None
    return found


