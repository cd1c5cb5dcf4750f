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
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from tangent_like import facts, ir
from tangent_like.build import Builder
from tangent_like.errors import SharedMemory
from tangent_like.frontend.homes import (
    buffers_of,
    choice_of,
    home_of,
    is_made_anew,
    may_alias,
    takes_item,
    tangle,
)
from tangent_like.frontend.layouts import assumed, in_rows
from tangent_like.frontend.live import as_now, is_live, shows_the_same
from tangent_like.frontend.scope import Binding, Buffer, Carried, Chosen, Conflict, Home
from tangent_like.frontend.state import Around, Lowering
from tangent_like.ir import Atom, Op, Value
from tangent_like.records import (
    display_of,
    is_display,
    is_mutable_display,
)

SHARED = "it may share memory with what was written into"
SHOWN = "it shows what a list or dict holds at the time"


def fresh(state: Lowering, atom: Atom, node: Any) -> Atom:
    """What an atom is now: its buffer, or that of something it holds, may have been written."""
    if state.around is not None and isinstance(atom, Value):
        atom = at_call(state.around, atom, node)
    if not state.written or not isinstance(atom, Value):
        return atom
    shown = state.live.get(atom)
    if shown is not None:
        return as_now(state, atom, shown)
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


def at_call(around: Around, atom: Value, node: Any) -> Atom:
    """What a recursive function reads of the one around it, as it is where it is called."""
    if atom.serial > around.since or atom in around.made:
        return atom
    if atom not in around.values:
        now = around.values[atom] = fresh(around.state, atom, node)
        if isinstance(now, Value) and now is not atom:
            around.made[now] = atom
            now.serial = min(now.serial, around.since)  # it is made there, before the body
    return around.values[atom]


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
    note_order(state, home)
    for step in home.path:
        now = state.builder.op(step.fn, (now, *step.args[1:]), name=step.result.name)
    return now


def note_order(state: Lowering, home: Home) -> None:
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
    if _is_loop_item(sources):
        raise _tangled(state, state.unreadable[1], node)


def _check_sources(state: Lowering, root: Value, node: Any) -> None:
    """What may be a view of something cannot be read once that was written."""
    op = state.builder.definitions.get(root)
    sources = state.builder.sources.get(root, ()) if op is None else op.atoms
    if op is not None and is_made_anew(op):
        return
    if takes_item(op) if op is not None else _is_loop_item(sources):
        _check_list(state, sources[0], node)
        return
    for source in sources:
        if shows_the_same(state, source):
            continue
        if _is_overwritten(state, source) or fresh(state, source, node) is not source:
            assert isinstance(source, Value)
            raise _tangled(state, Conflict(source.name, state.place(node), ""), node)


def _is_loop_item(sources: Sequence[Atom]) -> bool:
    return len(sources) == 1 and isinstance(sources[0].fact, facts.ListOf)


def _check_list(state: Lowering, items: Atom, node: Any) -> None:
    """An item cannot be read once the items of its list were written under another name."""
    for buffer in buffers_of(state, items):
        now = state.memory.get(buffer)
        if isinstance(now, Conflict):
            raise _tangled(state, now, node)
        if now is None:
            _check_sources(state, buffer.root, node)
    made = state.builder.definitions.get(items) if isinstance(items, Value) else None
    for held_item in made.args if made is not None and is_display(made.fn) else ():
        if fresh(state, held_item, node) is not held_item:
            assert isinstance(held_item, Value)
            raise _tangled(state, Conflict(held_item.name, state.place(node), ""), node)


def _is_overwritten(state: Lowering, source: Atom) -> bool:
    """Whether a structure has other items by now, of which the one asked about may be one."""
    home = state.homes.get(source) if isinstance(source, Value) else None
    now = state.memory.get(home.buffer) if home is not None else None
    made = state.builder.definitions.get(now) if isinstance(now, Value) else None
    return now is not source and made is not None and is_display(made.fn)


def fresh_or_conflict(state: Lowering, binding: Binding, node: Any) -> Binding:
    """What a name holds where a block begins or ends; a conflict, if that can no longer be
    read."""
    if isinstance(binding, Carried) and isinstance(binding.atom, Value):
        now = fresh_or_conflict(state, binding.atom, node)
        return binding if now is binding.atom else now
    if isinstance(binding, (Carried, Conflict)):
        return binding
    if is_live(state, binding):
        return Conflict("", state.place(node), SHOWN)
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


def set_held(
    state: Lowering, buffer: Buffer, value: Atom, place: Any, deep: bool = False,
    arrays: bool = True,
) -> None:  # fmt: skip
    """Note what a buffer holds from here on; what is tangled with it, and lists that hold it,
    cannot be read any more.  `deep`: neither can what it holds, which was written into, but for
    `arrays` if the write changed one of the lists or objects in it only."""
    adopt(state, buffer, value)
    _lose_others(state, buffer, Conflict(buffer.name, place, "it may share memory"), deep, arrays)


def set_lost(state: Lowering, home: Home, name: str, place: Any) -> None:
    """Note that it is not known what a buffer holds from here on."""
    conflict = Conflict(name, place, "it may have been changed")
    state.memory[home.buffer] = conflict
    _lose_others(state, home.buffer, conflict, deep=bool(home.path))


def _lose_others(
    state: Lowering, buffer: Buffer, conflict: Conflict, deep: bool, arrays: bool = True
) -> None:
    """What may share memory with a buffer that was written into cannot be read any more."""
    state.written += 1
    pending, seen = [*buffer.tangled, *_with_tangled(buffer.holders)], {buffer}
    if deep:
        pending += _held_by(buffer, arrays)
    while pending:
        other = pending.pop()
        if other not in seen and not _are_parted(buffer, other):
            seen.add(other)
            pending.extend(_with_tangled(other.holders))
            if deep:  # a copy of a list holds the same items
                pending.extend(_held_by(other, arrays))
            state.memory[other] = conflict
    if is_listed(state, buffer):
        around = set(_with_tangled(state.listed | state.lists)) - {buffer}
        reached = [other for other in around if not _are_parted(buffer, other)]
        state.memory.update(dict.fromkeys(reached, conflict))
        state.unreadable = (ir.next_serial(), conflict)


def _held_by(container: Buffer, arrays: bool) -> list[Buffer]:
    inside = _with_tangled(container.held)
    return [b for b in inside if arrays or not isinstance(b.root.fact, facts.Array)]


def _are_parted(a: Buffer, b: Buffer) -> bool:
    """Whether one was taken out of the other, or both out of one list, and not put back."""
    return a in b.left or b in a.left or not a.left.isdisjoint(b.left)


def is_listed(state: Lowering, buffer: Buffer) -> bool:
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
