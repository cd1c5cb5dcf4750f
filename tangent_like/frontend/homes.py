"""Where values live: which buffer, and the views that lead to it.

    u = np.zeros(5)      buffer 1
    v = u[1:].T          buffer 1, through [1:] and transpose
    w = u[k]             an item of a list: a view of it, if its items are apart
    z = f(u)             a buffer of its own, tangled with buffer 1 if it may be a view of that
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tangent_like import facts, ir, list_runtime, runtime
from tangent_like.analysis.memory import allocates, copies
from tangent_like.frontend.layouts import assumed, in_rows
from tangent_like.frontend.scope import Buffer, Chosen, Conflict, Home
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.records import (
    attribute,
    display_of,
    is_display,
    is_mutable_display,
    is_named_tuple,
)
from tangent_like.stores import index_parts, is_basic

_VIEWS: frozenset[Any] = frozenset({
    np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze,
    np.permute_dims, np.matrix_transpose, np.diagonal, np.broadcast_to, np.flip, np.fliplr,
    np.flipud, np.rot90, np.atleast_1d, np.atleast_2d, np.atleast_3d, ir.defined, runtime.bound,
})  # fmt: skip
SPLITTING: frozenset[Any] = frozenset({
    np.split, np.array_split, np.vsplit, np.hsplit, np.dsplit,
})  # fmt: skip
"""What gives a list of views."""

_NEW = (np.array, np.copy, getattr(np, "astype", np.copy), runtime.keys_of)
"""What makes a new array or list, whatever is known of the operands."""
_NEW_LISTS: frozenset[Any] = frozenset({
    operator.getitem, operator.add, operator.mul, runtime.repeated, ir.freeze, runtime.ordering,
    list_runtime.joined, list_runtime.spliced, tuple,
})  # fmt: skip
"""What makes a new list, whose items are those of the operands."""


def may_alias(fact: facts.Fact) -> bool:
    """Whether a value of this fact may be memory that can be written into."""
    fact = facts.defined(fact)
    if isinstance(fact, facts.Tuple):
        return any(map(may_alias, fact.items))
    if isinstance(fact, facts.Record) and is_named_tuple(fact.type):
        return any(map(may_alias, fact.items))
    if isinstance(fact, facts.Array):
        return fact.dims is None or bool(fact.dims) or facts.is_point(fact)
    return isinstance(
        fact, (facts.Unknown, facts.List, facts.Record, facts.ListOf, facts.DictOf, facts.Zip)
    )


def home_of(state: Lowering, value: Value) -> Home:
    """Where a value lives; values that are no views have a buffer of their own."""
    found = state.homes.get(value)
    if found is None:
        found = state.homes[value] = _home(state, value)
    return found


def _home(state: Lowering, value: Value) -> Home:
    op = state.builder.definitions.get(value)
    if any(value is read for read in state.reads.values()):
        return Home(Buffer(value, outside=True), (), value)
    if op is None:
        sources = state.builder.sources.get(value, ())
        if len(sources) == 1 and isinstance(sources[0].fact, facts.ListOf):
            return _item_of(state, value, sources[0])
        return _rooted(state, value, sources)
    if _is_same(op):
        return home_of(state, op.args[0])  # type: ignore[arg-type]
    if _is_view(state, op):
        inner = home_of(state, op.args[0])  # type: ignore[arg-type]
        return Home(inner.buffer, (*inner.path, op), inner.root, inner.slot)
    split = _split_of(state, op)
    if split is not None:
        inner = home_of(state, split.args[0])  # type: ignore[arg-type]
        return Home(inner.buffer, (*inner.path, split, op), inner.root, inner.slot)
    if takes_item(op):
        return item_view(state, op) or _item_of(state, value, op.args[0])
    part = _part_of_item(state, op)
    if part is not None:
        return part
    return _rooted(state, value, () if is_made_anew(op) else op.atoms)


def _split_of(state: Lowering, op: Op) -> Op | None:
    """The operation that cut an array into parts, where another one takes one of these."""
    if op.fn is not operator.getitem or not isinstance(op.args[1], Const):
        return None
    made = state.builder.definitions.get(op.args[0])  # type: ignore[arg-type]
    if made is None or made.keywords or not _in(made.fn, SPLITTING):
        return None
    return made if isinstance(made.args[0].fact, facts.Array) else None


def _is_slice(key: Atom) -> bool:
    return isinstance(key.fact, facts.Opaque) and key.fact.kind == "slice"


def is_made_anew(op: Op) -> bool:
    if allocates(op) or is_display(op.fn):
        return True
    if _in(op.fn, _NEW_LISTS) and is_flat(op.result.fact):
        return op.fn is not operator.getitem or _is_slice(op.args[1])
    return op.fn in _NEW and copies(op)


def _is_same(op: Op) -> bool:
    """Whether an operation gives the array that it is given."""
    if op.fn not in (np.asarray, np.asanyarray) or op.keywords or len(op.args) != 1:
        return False
    return isinstance(op.args[0], Value) and isinstance(op.args[0].fact, facts.Array)


def _in(fn: Any, table: frozenset[Any]) -> bool:
    return getattr(type(fn), "__hash__", None) is not None and fn in table


def is_flat(fact: facts.Fact) -> bool:
    """Whether something is a list whose items cannot be written into."""
    if isinstance(fact, facts.List):
        return not any(map(may_alias, fact.items))
    return isinstance(fact, (facts.ListOf, facts.DictOf)) and not may_alias(fact.item)


def takes_item(op: Op) -> bool:
    """Whether an operation reads an item of a list or dict at a place known only at run time, or
    one of a list of unknown length."""
    if op.fn is not operator.getitem:
        return False
    fact, index = op.args[0].fact, op.args[1]
    if isinstance(fact, facts.DictOf):
        return True
    if not isinstance(index.fact, facts.Scalar):
        return False
    known = isinstance(fact, facts.List) and isinstance(index, Value)
    return known or isinstance(fact, facts.ListOf)


def item_view(state: Lowering, op: Op) -> Home | None:
    """Where an item of a list lives whose items share no memory: a view of the list."""
    assert isinstance(op.args[0], Value)
    inner = home_of(state, op.args[0])
    of_lists = inner.buffer.arrays_shared and holds_items(op.result.fact)
    if not is_apart(state, inner.buffer) and not of_lists:
        return None
    return _in_slot(state, inner, op)


def _in_slot(state: Lowering, inner: Home, op: Op) -> Home:
    """A view of a list through one more step, which cannot be read once that leads elsewhere."""
    slot, path = Buffer(op.result), (*inner.path, op)
    inner.buffer.slots.append((len(path), slot))
    for depth, serial, conflict in inner.buffer.replaced:
        if depth < len(path) and op.result.serial < serial:  # it is asked for only now
            state.memory[slot] = conflict
    return Home(inner.buffer, path, inner.root, slot)


def _part_of_item(state: Lowering, op: Op) -> Home | None:
    """Where an attribute, or an item under a known key, lives of an object in a list."""
    if op.fn not in (operator.getitem, attribute) or not isinstance(op.args[0], Value):
        return None
    owner = op.args[0]
    made = state.builder.definitions.get(owner)
    if not isinstance(owner.fact, facts.STRUCTURES) or made is None or is_display(made.fn):
        return None
    if op.fn is operator.getitem and _is_slice(op.args[1]):  # a list of its own
        return None
    inner = home_of(state, owner)
    return _in_slot(state, inner, op) if inner.slot is not None else None


def is_apart(state: Lowering, buffer: Buffer) -> bool:
    """Whether the items of a list are known to share no memory with one another."""
    if buffer.apart is None:
        buffer.apart = _is_apart_at_first(state, buffer.root)
    return buffer.apart


def _is_apart_at_first(state: Lowering, root: Value) -> bool:
    if is_flat(root.fact):
        return True
    made = state.builder.definitions.get(root)
    if made is None or not is_display(made.fn):
        return made is not None and made.fn is ir.freeze and made.args[0] in state.apart
    return _are_apart(state, made.args)


def _are_apart(state: Lowering, items: Sequence[Atom]) -> bool:
    parts = [b for item in items for b in buffers_of(state, item)]
    together = any(may_share([a], parts[:k]) for k, a in enumerate(parts))
    return not together and all(is_apart(state, b) for b in parts if holds_items(b.root.fact))


def note_items(state: Lowering, buffer: Buffer, value: Atom) -> None:
    """Remember if a structure holds one thing twice from here on."""
    made = state.builder.definitions.get(value) if isinstance(value, Value) else None
    if made is not None and is_display(made.fn) and is_apart(state, buffer):
        if not _are_apart(state, made.args):
            _mingle(state, buffer)


def _mingle(state: Lowering, buffer: Buffer, arrays: bool = False) -> None:
    buffer.apart, buffer.arrays_shared = False, arrays
    state.mingled.append(buffer)


def holds_items(fact: facts.Fact) -> bool:
    return isinstance(fact, (*facts.STRUCTURES, facts.ListOf, facts.DictOf))


def is_new(state: Lowering, value: Atom, mark: int) -> bool:
    """Whether a value shares no memory with anything made before `mark`, nor its items with one
    another, and no list holds it."""
    if not isinstance(value, Value) or not may_alias(value.fact):
        return True
    op = state.builder.definitions.get(value)
    if op is not None and is_display(op.fn):
        if not all(is_new(state, item, mark) for item in op.args):
            return False
        if not is_mutable_display(op.fn):
            return _are_apart(state, op.args)
    home = home_of(state, value)
    buffer = home.buffer
    known = home.path or buffer.root.serial < mark
    shared = buffer.outside or buffer.tangled or buffer.holders
    return not known and not shared and (
        not holds_items(value.fact) or is_apart(state, buffer)
    )


def put_in(state: Lowering, owner: Value, value: Atom) -> None:
    """A list of unknown length now holds a value: who writes into one changes the other."""
    if not may_alias(value.fact):
        return
    own = home_of(state, owner).buffer
    mark = 0 if own.root.serial >= state.iteration else state.iteration
    if not is_new(state, value, mark):
        array = isinstance(value.fact, facts.Array)
        if is_apart(state, own) or (own.arrays_shared and not array):
            _mingle(state, own, array)
    items = set(buffers_of(state, value))
    enlist(state, items, [own])


def forget_slots(state: Lowering, home: Home, place: Any) -> None:
    """The items of a list may be others from here on: views of them cannot be read any more."""
    conflict = Conflict(home.buffer.name, place, "the list was changed")
    home.buffer.replaced.append((len(home.path), ir.next_serial(), conflict))
    for depth, slot in home.buffer.slots:
        if depth > len(home.path):
            state.memory[slot] = conflict


def _item_of(state: Lowering, value: Value, items: Atom) -> Home:
    """An item of a list: memory of its own, which the list holds."""
    buffer = Buffer(value)
    enlist(state, {buffer}, buffers_of(state, items))
    tangle_with_items(state, buffer, items)
    return Home(buffer, (), value)


def tangle_with_items(state: Lowering, buffer: Buffer, items: Atom) -> None:
    """Note that a buffer may be one of the items of a display, or hold them."""
    made = state.builder.definitions.get(items) if isinstance(items, Value) else None
    if made is not None and is_display(made.fn):
        for item in made.args:
            for other in buffers_of(state, item):
                tangle(buffer, other)


def note_taken_out(state: Lowering, item: Atom, owner: Value) -> None:
    """An item that leaves a list or dict: whatever was put in or read may be the same, and copies
    of the list hold it still.  The list does not, unless it may be there twice."""
    if not isinstance(item, Value):
        return
    own = Buffer(item)
    state.homes[item] = Home(own, (), item)
    source = home_of(state, owner).buffer
    if not may_alias(item.fact):
        return
    for other in source.held:
        link(own, other)
    copies = [other for other in source.tangled if holds_items(other.root.fact)]
    if copies:
        enlist(state, [own], copies)
    if is_apart(state, source):
        own.left.add(source)
    else:
        enlist(state, [own], [source])


def enlist(state: Lowering, items: Iterable[Buffer], lists: Iterable[Buffer]) -> None:
    """Note that lists of unknown length may hold buffers."""
    containers, inside = set(lists), set(items)
    alike = containers.union(*(each.tangled for each in containers))
    state.lists |= containers
    state.listed |= inside
    for item in inside:
        item.holders |= containers
        for each in (item, *item.tangled):
            each.left -= alike
    for container in containers:
        container.held |= inside


def enlist_items(state: Lowering, buffer: Buffer, sources: Iterable[object]) -> set[Buffer]:
    """A list whose length differs between branches or iterations holds what was in it in any of
    them.  What it was not known to hold."""
    known = set(buffer.held)
    for source in sources:
        made = state.builder.definitions.get(source) if isinstance(source, Value) else None
        if made is not None and is_display(made.fn):
            items = {b for item in made.args for b in buffers_of(state, item)} - {buffer}
            if items:
                enlist(state, items, [buffer])
    return buffer.held - known


def enlist_alike(state: Lowering, buffer: Buffer, sources: Iterable[Buffer]) -> None:
    """A buffer that may be one of others is an item of lists, or a list, if they are."""
    around = {other for source in sources for other in (source, *source.tangled)}
    if not around.isdisjoint(state.listed):
        state.listed.add(buffer)
    if not around.isdisjoint(state.lists):
        state.lists.add(buffer)


def _rooted(state: Lowering, value: Value, sources: Sequence[Atom]) -> Home:
    """A value with a buffer of its own, tangled with those of what it may be a view of."""
    buffer = Buffer(value)
    for source in sources:
        for other in buffers_of(state, source):
            tangle(buffer, other)
    return Home(buffer, (), value)


def tangle(a: Buffer, b: Buffer) -> None:
    """Let two buffers, with all that the second is tangled with, be known to share memory."""
    for other in (b, *b.tangled):
        if other is not a:
            link(a, other)


def link(a: Buffer, b: Buffer) -> None:
    """Let just these two buffers be known to share memory."""
    a.tangled.add(b)
    b.tangled.add(a)


def may_share(a: Iterable[Buffer], b: Iterable[Buffer]) -> bool:
    """Whether a buffer of one set may share memory with one of the other."""
    return any(x is y or y in x.tangled for x in a for y in b)


def buffers_of(state: Lowering, atom: Atom) -> Iterator[Buffer]:
    """The buffers in which an atom, or what a display holds, lives."""
    if not isinstance(atom, Value) or not may_alias(atom.fact):
        return
    op = state.builder.definitions.get(atom)
    if op is not None and is_display(op.fn):
        for item in op.args:
            yield from buffers_of(state, item)
    if op is None or not is_display(op.fn) or is_mutable_display(op.fn):
        home = home_of(state, atom)
        yield home.buffer
        if home.slot is not None:  # an item of a list is what that was made of
            now = state.memory.get(home.buffer, home.buffer.root)
            for whole in dict.fromkeys((home.buffer.root, now)):
                made = state.builder.definitions.get(whole) if isinstance(whole, Value) else None
                for item in made.args if made is not None and is_display(made.fn) else ():
                    yield from buffers_of(state, item)


def containers_in(
    state: Lowering, atom: Atom | None, fact: facts.Fact | None = None
) -> Iterator[Value]:
    """The lists, dicts and objects of a structure, outer ones first, as many as `fact` tells of.
    Those in what is no display, such as a slice of a list, share its memory."""
    if not isinstance(atom, Value):
        return
    fact = atom.fact if fact is None else fact
    if not isinstance(fact, facts.STRUCTURES):
        return
    if is_mutable_display(display_of(fact)):
        yield atom
    op = state.builder.definitions.get(atom)
    parts = op.args if op is not None and is_display(op.fn) else ()
    for k, inner in enumerate(fact.items):
        part = parts[k] if len(parts) == len(fact.items) else atom
        yield from containers_in(state, part if isinstance(part, Value) else atom, inner)


def tie(state: Lowering, value: Atom, sources: Sequence[Atom]) -> None:
    """What two branches left in a name, put together again: each list or object in it may be
    that of either branch."""
    op = state.builder.definitions.get(value) if isinstance(value, Value) else None
    if op is None or not is_display(op.fn) or not isinstance(value, Value):
        return
    if is_mutable_display(op.fn):
        own = home_of(state, value).buffer
        for source in sources:
            if isinstance(source, Value):
                other = home_of(state, source).buffer
                for each in {other, *other.tangled} - {own}:
                    link(own, each)
    for k, item in enumerate(op.args):
        tie(state, item, [_part(state, source, k) for source in sources])


def _part(state: Lowering, source: Atom, k: int) -> Atom:
    op = state.builder.definitions.get(source) if isinstance(source, Value) else None
    return op.args[k] if op is not None and is_display(op.fn) and k < len(op.args) else source


def _may_be_element(op: Op) -> bool:
    """Whether integers may name a number, which is no view: as many as there may be axes."""
    if facts.rank(op.args[0].fact) is not None:
        return False
    return all(isinstance(part, facts.Scalar) for part in index_parts(op.args[1]))


def choice_of(state: Lowering, value: Value) -> Chosen | None:
    """Where a value lives that is one of several arrays, or a view of one of them."""
    found = state.choices.get(value)
    op = state.builder.definitions.get(value)
    if found is None and op is not None and state.choices and _is_same(op):
        return choice_of(state, op.args[0])  # type: ignore[arg-type]
    if found is None and op is not None and state.choices and _is_view(state, op):
        inner = choice_of(state, op.args[0])  # type: ignore[arg-type]
        if inner is not None:
            found = inner.mapped(lambda home: Home(home.buffer, (*home.path, op), home.root))
            state.choices[value] = found
    return found


def _is_view(state: Lowering, op: Op) -> bool:
    if op.keywords or not op.args or not isinstance(op.args[0], Value):
        return False
    if op.fn is operator.getitem:
        known = isinstance(op.args[0].fact, facts.Array) and is_basic(op.args[1])
        return known and not _may_be_element(op)
    if not isinstance(facts.defined(op.args[0].fact), (facts.Array, facts.Unknown)):
        return False
    try:
        if op.fn in _VIEWS:
            return True
        return in_rows(op) and assumed(state, op.args[0]) is not None
    except TypeError:  # a callable that cannot be hashed
        return False


