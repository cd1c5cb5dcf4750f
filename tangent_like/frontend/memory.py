"""Which memory a value lives in, while a function is lowered.

    u = np.zeros(5)      u1            buffer 1 holds u1
    v = u[1:]            v1 = u1[1:]   v1: buffer 1 through [1:]
    v[0] = 2.0           u2 = store(u1, 2.0, 1:, 0)       buffer 1 holds u2
    return sum(v)        v2 = u2[1:];  sum(v2)            v1 is stale: v is read anew

The list has values only.  A name holds the value that it was bound to; where the buffer of that
value has been written since, reading the name makes the same view of what the buffer holds now.
So names alias exactly as arrays do.  What a branch chose from several arrays is read and written
by the same test again (`Chosen`).  Where it is not known which memory two values share (results of
loops, functions that may return a view), their buffers are *tangled*: after a write to one,
reading the other is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from tangent_like import facts, ir, list_runtime, runtime
from tangent_like.analysis.memory import allocates
from tangent_like.build import Builder
from tangent_like.errors import NeverSupported, NotYetSupported, SharedMemory
from tangent_like.frontend.layouts import assumed, in_rows
from tangent_like.frontend.scope import Binding, Buffer, Carried, Chosen, Conflict, Home
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Op, Value
from tangent_like.records import (
    attribute,
    display_of,
    is_display,
    is_mutable_display,
    is_named_tuple,
)
from tangent_like.stores import Store, is_basic

_VIEWS: frozenset[Any] = frozenset({
    np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze,
    np.permute_dims, np.matrix_transpose, np.diagonal, np.broadcast_to, np.flip, np.fliplr,
    np.flipud, np.rot90, np.atleast_1d, np.atleast_2d, np.atleast_3d, ir.defined, runtime.bound,
})  # fmt: skip
_NEW = (np.array, np.copy, getattr(np, "astype", np.copy))
"""What makes a new array, whatever is known of the operands."""
_NEW_LISTS: frozenset[Any] = frozenset({
    operator.getitem, operator.add, operator.mul, runtime.repeated, ir.freeze, runtime.ordering,
    list_runtime.joined, list_runtime.spliced,
})  # fmt: skip
"""What makes a new list, whose items are those of the operands."""


SHARED = "it may share memory with what was written into"


def may_alias(fact: facts.Fact) -> bool:
    """Whether a value of this fact may be memory that can be written into."""
    fact = facts.defined(fact)
    if isinstance(fact, facts.Tuple):
        return any(map(may_alias, fact.items))
    if isinstance(fact, facts.Record) and is_named_tuple(fact.type):
        return any(map(may_alias, fact.items))
    if isinstance(fact, facts.Array):
        return fact.dims is None or bool(fact.dims)
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
    if takes_item(op):
        return item_view(state, op) or _item_of(state, value, op.args[0])
    part = _part_of_item(state, op)
    if part is not None:
        return part
    return _rooted(state, value, () if _is_new(op) else op.atoms)


def _is_new(op: Op) -> bool:
    if allocates(op) or is_display(op.fn):
        return True
    if _in(op.fn, _NEW_LISTS) and _is_flat(op.result.fact):
        return op.fn is not operator.getitem or not isinstance(op.args[1].fact, facts.Scalar)
    return op.fn in _NEW and not any(key == "copy" for key, _ in op.keywords)


def _is_same(op: Op) -> bool:
    """Whether an operation gives the array that it is given."""
    if op.fn not in (np.asarray, np.asanyarray) or op.keywords or len(op.args) != 1:
        return False
    return isinstance(op.args[0], Value) and isinstance(op.args[0].fact, facts.Array)


def _in(fn: Any, table: frozenset[Any]) -> bool:
    return getattr(type(fn), "__hash__", None) is not None and fn in table


def _is_flat(fact: facts.Fact) -> bool:
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
    if not is_apart(state, inner.buffer):
        return None
    slot = Buffer(op.result)
    path = (*inner.path, op)
    inner.buffer.slots.append((len(path), slot))
    return Home(inner.buffer, path, inner.root, slot)


def _part_of_item(state: Lowering, op: Op) -> Home | None:
    """Where an attribute, or an item under a known key, lives of an object in a list."""
    if op.fn not in (operator.getitem, attribute) or not isinstance(op.args[0], Value):
        return None
    owner = op.args[0]
    made = state.builder.definitions.get(owner)
    if not isinstance(owner.fact, facts.STRUCTURES) or made is None or is_display(made.fn):
        return None
    inner = home_of(state, owner)
    if inner.slot is None:
        return None
    return Home(inner.buffer, (*inner.path, op), inner.root, inner.slot)


def is_apart(state: Lowering, buffer: Buffer) -> bool:
    """Whether the items of a list are known to share no memory with one another."""
    if buffer.apart is None:
        buffer.apart = _is_apart_at_first(state, buffer.root)
    return buffer.apart


def _is_apart_at_first(state: Lowering, root: Value) -> bool:
    if _is_flat(root.fact):
        return True
    made = state.builder.definitions.get(root)
    if made is None or not is_display(made.fn):
        return made is not None and made.fn is ir.freeze and made.args[0] in state.apart
    return _are_apart(state, made.args)


def _are_apart(state: Lowering, items: Sequence[Atom]) -> bool:
    parts = [b for item in items for b in buffers_of(state, item)]
    together = any(may_share([a], parts[:k]) for k, a in enumerate(parts))
    return not together and all(is_apart(state, b) for b in parts if _holds_items(b.root.fact))


def note_items(state: Lowering, buffer: Buffer, value: Atom) -> None:
    """Remember if a structure holds one thing twice from here on."""
    made = state.builder.definitions.get(value) if isinstance(value, Value) else None
    if made is not None and is_display(made.fn) and is_apart(state, buffer):
        if not _are_apart(state, made.args):
            _mingle(state, buffer)


def _mingle(state: Lowering, buffer: Buffer) -> None:
    buffer.apart = False
    state.mingled += 1


def _holds_items(fact: facts.Fact) -> bool:
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
        not _holds_items(value.fact) or is_apart(state, buffer)
    )


def put_in(state: Lowering, owner: Value, value: Atom) -> None:
    """A list of unknown length now holds a value: who writes into one changes the other."""
    if not may_alias(value.fact):
        return
    own = home_of(state, owner).buffer
    mark = 0 if own.root.serial >= state.iteration else state.iteration
    if is_apart(state, own) and not is_new(state, value, mark):
        _mingle(state, own)
    items = set(buffers_of(state, value))
    enlist(state, items, [own])
    own.held |= items


def forget_slots(state: Lowering, home: Home, place: Any) -> None:
    """The items of a list may be others from here on: views of them cannot be read any more."""
    for depth, slot in home.buffer.slots:
        if depth > len(home.path):
            state.memory[slot] = Conflict(home.buffer.name, place, "the list was changed")


def _item_of(state: Lowering, value: Value, items: Atom) -> Home:
    """An item of a list: memory of its own, which the list holds."""
    buffer = Buffer(value)
    enlist(state, {buffer}, buffers_of(state, items))
    return Home(buffer, (), value)


def note_taken_out(state: Lowering, item: Atom, owner: Value) -> None:
    """An item that leaves a list or dict: memory of its own, unless it may be there twice."""
    if isinstance(item, Value):
        state.homes[item] = Home(Buffer(item), (), item)
        source = home_of(state, owner).buffer
        if may_alias(item.fact) and not is_apart(state, source):
            enlist(state, buffers_of(state, item), [source])


def enlist(state: Lowering, items: Iterable[Buffer], lists: Iterable[Buffer]) -> None:
    """Note that lists of unknown length may hold buffers."""
    containers = set(lists)
    state.lists |= containers
    for item in items:
        state.listed.add(item)
        item.holders |= containers


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
        yield home_of(state, atom).buffer


def containers_in(
    state: Lowering, atom: Atom | None, fact: facts.Fact | None = None
) -> Iterator[Value]:
    """The lists, dicts and objects that a display is made of, outer ones first; only those that
    `fact` tells of, if there is one."""
    op = state.builder.definitions.get(atom) if isinstance(atom, Value) else None
    if op is None or not is_display(op.fn) or not isinstance(atom, Value):
        return
    if fact is not None and not isinstance(fact, facts.STRUCTURES):
        return
    if is_mutable_display(op.fn):
        yield atom
    inner = fact.items if fact is not None else [None] * len(op.args)
    for item, own in zip(op.args, inner):
        yield from containers_in(state, item, own)


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
                for each in (other, *other.tangled):
                    link(own, each)
    for k, item in enumerate(op.args):
        tie(state, item, [_part(state, source, k) for source in sources])


def _part(state: Lowering, source: Atom, k: int) -> Atom:
    op = state.builder.definitions.get(source) if isinstance(source, Value) else None
    return op.args[k] if op is not None and is_display(op.fn) and k < len(op.args) else source


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
        return isinstance(op.args[0].fact, facts.Array) and is_basic(op.args[1])
    if not isinstance(facts.defined(op.args[0].fact), (facts.Array, facts.Unknown)):
        return False
    try:
        if op.fn in _VIEWS:
            return True
        return in_rows(op) and assumed(state, op.args[0]) is not None
    except TypeError:  # a callable that cannot be hashed
        return False


# --- reading ------------------------------------------------------------------------------------


def fresh(state: Lowering, atom: Atom, node: Any) -> Atom:
    """What an atom is now: its buffer, or that of something it holds, may have been written."""
    if not state.written or not isinstance(atom, Value):
        return atom
    if not may_alias(atom.fact):
        return _unchanged(state, atom, node)
    op = state.builder.definitions.get(atom)
    if op is not None and is_display(op.fn) and not is_mutable_display(op.fn):
        return _with_fresh_items(state, atom, op, node)
    choice = choice_of(state, atom)
    if choice is not None:
        return _chosen(state, atom, choice, node)
    home = home_of(state, atom)
    now = held(state, home, node)
    if home.path and now is not atom:
        now = fresh(state, now, node)
    if now is not home.root:
        atom = _seen(state, home, now)
    op = state.builder.definitions.get(atom) if isinstance(atom, Value) else None
    if op is None or not is_display(op.fn):
        return atom
    assert isinstance(atom, Value)
    current = _with_fresh_items(state, atom, op, node)
    if current is not atom:
        adopt(state, home.buffer, current)
    return current


def _unchanged(state: Lowering, atom: Value, node: Any) -> Atom:
    """A number as it is; refused where it may be an array without axes that `+=` has changed under
    another name, here or before the loop that carries it."""
    if not state.changed:
        return atom
    sources = state.builder.sources.get(atom, ())
    entering = sources[0] if len(sources) == 1 else None
    for value, own in ((atom, ""), (entering, atom.name)):
        found = state.memory.get(state.changed[value]) if value in state.changed else None
        if isinstance(found, Conflict) and found.name != own:
            raise _tangled(state, found, node)
    return atom


def _seen(state: Lowering, home: Home, now: Atom) -> Atom:
    """The view of a home, of what its buffer holds now."""
    _note_order(state, home)
    for step in home.path:
        now = state.builder.op(step.fn, (now, *step.args[1:]), name=step.result.name)
    return now


def _note_order(state: Lowering, home: Home) -> None:
    """Note which arguments have to be in order for the steps to a view to give views."""
    for step in home.path:
        if in_rows(step):
            state.in_order |= assumed(state, step.args[0]) or set()


def _chosen(state: Lowering, atom: Value, choice: Chosen, node: Any) -> Atom:
    """What a value that is one of several arrays is now."""
    now = {home.buffer: held(state, home, node) for home in choice.leaves()}
    if all(now[home.buffer] is home.root for home in choice.leaves()):
        return atom

    def seen(home: Home) -> list[Atom]:
        return [_seen(state, home, now[home.buffer])]

    (result,) = pick(state.builder, choice, seen, [atom.name])
    if isinstance(result, Value):
        buffer = Buffer(result)
        tangle(buffer, home_of(state, atom).buffer)
        state.homes[result] = Home(buffer, (), result)
        state.choices[result] = choice.mapped(
            lambda home: Home(home.buffer, home.path, now[home.buffer])  # type: ignore[arg-type]
        )
    return result


def pick(
    builder: Builder, choice: Chosen | Home, build: Callable[[Home], Sequence[Atom]],
    names: Sequence[str],
) -> Sequence[Atom]:  # fmt: skip
    """What `build` makes of the home that the tests choose at run time."""
    if isinstance(choice, Home):
        return build(choice)
    return builder.branch(
        choice.test,
        lambda: pick(builder, choice.then, build, names),
        lambda: pick(builder, choice.orelse, build, names),
        names,
    )


def fresh_buffer(state: Lowering, buffer: Buffer, node: Any) -> None:
    """Let a buffer that holds a structure hold its items as they are now, or a conflict if they
    cannot be read any more."""
    try:
        _refresh(state, buffer, node)
    except SharedMemory:
        state.memory[buffer] = Conflict(buffer.name, state.place(node), SHARED)


def _refresh(state: Lowering, buffer: Buffer, node: Any) -> None:
    now = state.memory.get(buffer, buffer.root)
    op = state.builder.definitions.get(now) if isinstance(now, Value) else None
    if op is not None and is_display(op.fn):
        assert isinstance(now, Value)
        current = _with_fresh_items(state, now, op, node)
        if current is not now:
            adopt(state, buffer, current)


def is_refreshed(state: Lowering, old: Any, new: Any) -> bool:
    """Whether a structure holds the same memory as before: only what is in that has changed."""
    if old is new:
        return True
    if not isinstance(old, Value) or not isinstance(new, Value):
        return False
    before, after = (state.builder.definitions.get(value) for value in (old, new))
    if before is not None and after is not None and is_display(before.fn):
        same = before.fn == after.fn and len(before.args) == len(after.args)
        return same and all(map(partial(_same_memory, state), before.args, after.args))
    return False


def _same_memory(state: Lowering, old: Atom, new: Atom) -> bool:
    if old is new or not (isinstance(old, Value) and isinstance(new, Value)):
        return old is new
    made = state.builder.definitions.get(old)
    if made is not None and is_display(made.fn) and not is_mutable_display(made.fn):
        return is_refreshed(state, old, new)
    homes = home_of(state, old), home_of(state, new)
    return may_alias(old.fact) and homes[0].buffer is homes[1].buffer and not any(
        home.path for home in homes
    )


def _with_fresh_items(state: Lowering, atom: Value, op: Op, node: Any) -> Atom:
    items = [fresh(state, item, node) for item in op.args]
    same = all(map(operator.is_, items, op.args))
    return atom if same else state.builder.op(op.fn, items, name=atom.name)


def held(state: Lowering, home: Home, node: Any) -> Atom:
    """What a buffer holds now."""
    lost = state.memory.get(home.slot) if home.slot is not None else None
    if isinstance(lost, Conflict):
        raise _tangled(state, lost, node)
    found = state.memory.get(home.buffer)
    if found is None:
        _check_item(state, home.buffer.root, node)
        _check_sources(state, home.buffer.root, node)
        return home.buffer.root
    if isinstance(found, Conflict):
        raise _tangled(state, found, node)
    if isinstance(found, Carried):
        found = state.memory[home.buffer] = carried_atom(state, found)
    return found


def _check_item(state: Lowering, root: Value, node: Any) -> None:
    """An item of a list cannot be read once what may be the same item was written."""
    if state.unreadable is None or root.serial > state.unreadable[0]:
        return
    op = state.builder.definitions.get(root)
    sources = state.builder.sources.get(root, ()) if op is None else op.args[:1]
    if len(sources) == 1 and isinstance(sources[0].fact, facts.ListOf):
        raise _tangled(state, state.unreadable[1], node)


def _check_sources(state: Lowering, root: Value, node: Any) -> None:
    """What may be a view of something cannot be read once that was written."""
    op = state.builder.definitions.get(root)
    sources = state.builder.sources.get(root, ()) if op is None else op.atoms
    if op is not None and (_is_new(op) or takes_item(op)):
        return
    if op is None and len(sources) == 1 and isinstance(sources[0].fact, facts.ListOf):
        return
    for source in sources:
        if fresh(state, source, node) is not source:
            assert isinstance(source, Value)
            raise _tangled(state, Conflict(source.name, state.place(node), ""), node)


def fresh_or_conflict(state: Lowering, binding: Binding, node: Any) -> Binding:
    """What a name holds where a block begins or ends; a conflict, if that can no longer be
    read."""
    if isinstance(binding, Carried) and isinstance(binding.atom, Value):
        now = fresh_or_conflict(state, binding.atom, node)
        return binding if now is binding.atom else now
    if isinstance(binding, (Carried, Conflict)):
        return binding
    try:
        return fresh(state, binding, node)
    except SharedMemory:
        return Conflict("", state.place(node), SHARED)


def _tangled(state: Lowering, conflict: Conflict, node: Any) -> SharedMemory:
    name = f"`{conflict.name}`" if conflict.name else "an array"
    return SharedMemory(
        f"this may share memory with {name}, which was written into in line {conflict.place.line}",
        state.place(node),
        "copy one of them before writing: `.copy()`",
    )


# --- what loops carry ----------------------------------------------------------------------------


def carried_atom(state: Lowering, carried: Carried) -> Atom:
    """The value that a loop hands to this iteration, made when it is first read."""
    if carried.atom is None:
        carried.atom = _carried(state, carried.name, carried.fact, carried.leaves)
        if isinstance(carried.key, Buffer) and isinstance(carried.atom, Value):
            state.homes[carried.atom] = Home(carried.key, (), carried.atom)
        if carried.on_read is not None:
            carried.on_read(carried.leaves, carried.atom)
    return carried.atom


def _carried(state: Lowering, name: str, fact: facts.Fact, leaves: list[Value]) -> Atom:
    if isinstance(fact, facts.STRUCTURES):
        items = [_carried(state, "", item, leaves) for item in fact.items]
        return state.outer_display(display_of(fact), items)
    if isinstance(fact, facts.Undefined):
        leaves.append(Value(name, fact))
        return ir.UNDEFINED
    leaves.append(Value(name, fact))
    return leaves[-1]


# --- writing ------------------------------------------------------------------------------------


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
    if facts.rank(target.fact) == 0:
        raise NotYetSupported(
            "writing into an array without axes", place, "use a number, or an array of one element"
        )
    choice = choice_of(state, target)
    if choice is not None and not any(_is_listed(state, home.buffer) for home in choice.leaves()):
        _write_chosen(state, node, choice, (index, value, combine))
        return
    home = home_of(state, target)
    _check_writable(state, node, home.buffer)
    if isinstance(target.fact, _LISTS) and index is not None and may_alias(value.fact):
        forget_slots(state, home, place)
    root = as_value(state, home, held(state, home, node), node)
    if any(takes_item(step) for step in home.path) and not is_apart(state, home.buffer):
        raise _items_shared(state, node)
    result = _store(state, node, home, root, index, value, combine)
    set_held(state, home.buffer, result, place, deep=bool(home.path))


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
    _note_order(state, home)
    steps = [(step.fn, step.args[1:]) for step in home.path if step.fn is not ir.defined]
    if index is None and steps and steps[-1][0] is attribute:
        raise NotYetSupported(
            "changing a list inside an object inside a list", state.place(node),
            "set the attribute anew",
        )  # fmt: skip
    if index is not None:
        steps.append((operator.getitem, (index,)))
    elif steps and combine is not None and steps[-1][0] is not operator.getitem:
        steps.append((operator.getitem, (Const(...),)))
    store = Store(tuple(fn for fn, _ in steps), tuple(len(own) for _, own in steps), combine)
    operands = [atom for _, own in steps for atom in own]
    name = root.name if isinstance(root, Value) else home.buffer.name
    return state.builder.op(store, (root, value, *operands), name=name, place=state.place(node))


def write_whole(state: Lowering, node: Any, target: Value, value: Atom) -> None:
    """An item of a list is another list, or another object, from here on, for all who hold it."""
    forget_slots(state, home_of(state, target), state.place(node))
    write(state, node, target, None, value)


_LISTS = (facts.ListOf, facts.List, facts.DictOf, facts.Record)


def _items_shared(state: Lowering, node: Any) -> NotYetSupported:
    return NotYetSupported(
        "writing into an item of a list whose items may be one and the same",
        state.place(node), "make each item anew: `[[0.0] * n for _ in range(m)]`",
    )  # fmt: skip


def as_value(state: Lowering, home: Home, root: Atom, node: Any) -> Atom:
    """What a buffer holds, as a value: a list or dict that was taken apart is put together."""
    op = state.builder.definitions.get(root) if isinstance(root, Value) else None
    if op is None or not is_display(op.fn) or not isinstance(root.fact, facts.STRUCTURES):
        return root
    root = fresh(state, root, node)
    note_items(state, home.buffer, root)
    op = state.builder.definitions[root]  # type: ignore[index]
    fact = any_of(root.fact)
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
    home.buffer.held |= inside
    return made


def any_of(fact: facts.Fact) -> facts.Fact | None:
    """The fact of a list or dict of known structure as one of any length; None where its items
    are not alike."""
    empty: facts.Fact = facts.List(())
    if isinstance(fact, facts.Record):
        empty = facts.DictOf(facts.NOTHING, facts.NOTHING)
    found = facts.without_values(facts.join(fact, empty))
    if not isinstance(found, (facts.ListOf, facts.DictOf)) or found.item == facts.UNKNOWN:
        return None
    return found


def set_held(
    state: Lowering, buffer: Buffer, value: Atom, place: Any, deep: bool = False
) -> None:
    """Note what a buffer holds from here on; what is tangled with it, and lists that hold it,
    cannot be read any more.  `deep`: neither can what it holds, which was written into."""
    state.written += 1
    adopt(state, buffer, value)
    pending, seen = [*buffer.tangled, *_with_tangled(buffer.holders)], {buffer}
    if deep:
        pending += _with_tangled(buffer.held)
    while pending:
        other = pending.pop()
        if other not in seen:
            seen.add(other)
            pending.extend(_with_tangled(other.holders))
            state.memory[other] = Conflict(buffer.name, place, "it may share memory")
    if _is_listed(state, buffer):
        conflict = Conflict(buffer.name, place, "it may share memory")
        state.memory.update(dict.fromkeys((state.listed | state.lists) - {buffer}, conflict))
        state.unreadable = (ir.next_serial(), conflict)


def _is_listed(state: Lowering, buffer: Buffer) -> bool:
    """Whether a list of unknown length may hold the memory of a buffer."""
    around = {buffer, *buffer.tangled}
    if not around.isdisjoint(state.listed):
        return True
    return buffer not in state.lists and not around.isdisjoint(state.lists)


def _with_tangled(buffers: Iterable[Buffer]) -> list[Buffer]:
    return [other for buffer in buffers for other in (buffer, *buffer.tangled)]


def adopt(state: Lowering, buffer: Buffer, value: Any) -> None:
    """Let a buffer hold a value."""
    state.memory[buffer] = value
    if isinstance(value, Value):
        state.homes[value] = Home(buffer, (), value)
