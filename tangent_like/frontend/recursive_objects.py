"""Objects that recursive functions write into: each part that changes is given back by itself.

    def f(self, k):                        def f(self, k):
        self.total += k           ->           ...
        self.log.append(k)                     return (result, total, log)

    _, total, log = f(p, k)                    p.total is total; what p.log is holds log

A part is called by its path: the places of the items that lead to it.  Scalars are set anew where
the function is called.  An array, list or dict of numbers holds there what it was left with; where
it may have become another one, which nothing else holds, that one is put in, and what the old one
holds is not known any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tangent_like import facts
from tangent_like.frontend.homes import (
    buffers_of,
    home_of,
    is_flat,
    may_alias,
    may_share,
    tangle,
)
from tangent_like.frontend.memory import adopt, fresh, set_held, set_lost
from tangent_like.frontend.scope import Buffer, Conflict
from tangent_like.frontend.state import Lowering
from tangent_like.frontend.storing import as_value, of_any_length
from tangent_like.frontend.structures import hold, write_key
from tangent_like.ir import Atom, Op, Value
from tangent_like.records import is_display, is_named_tuple

Path = tuple[int, ...]


class Refused(Exception):
    """Something was changed in a way that cannot be given back."""


def is_plain(fact: facts.Fact) -> bool:
    """Whether something is an array, or a list or dict of what cannot be written into."""
    if isinstance(fact, facts.Record) and fact.type is not dict:
        return False
    if isinstance(fact, (facts.List, facts.Record)):
        return not any(map(may_alias, fact.items))
    return isinstance(fact, facts.Array) or is_flat(fact)


def buffers_in(state: Lowering, atom: Atom) -> Iterator[Buffer]:
    """The buffers of an opened structure and of its parts, at first."""
    if isinstance(atom, Value) and may_alias(atom.fact):
        yield home_of(state, atom).buffer
        for item in _parts(state, atom):
            yield from buffers_in(state, item)


def changes(
    state: Lowering, atom: Atom, mark: int, path: Path = ()
) -> Iterator[tuple[Path, Atom | None]]:
    """The paths of the parts of an opened structure that were written into since; where a part may
    be another list, array or dict by now, this one.  What is older than `mark` is not its own."""
    if not isinstance(atom, Value) or not may_alias(atom.fact):
        return
    now = state.memory.get(home_of(state, atom).buffer, atom)
    if is_plain(atom.fact):
        if isinstance(now, Conflict) or not is_plain(now.fact):
            raise Refused
        if now is not atom:
            yield path, None
        return
    before, after = _parts(state, atom), _parts(state, now)
    if isinstance(now, Conflict) or len(before) != len(after):
        raise Refused
    if not before and now is not atom:
        raise Refused
    for k, (old, new) in enumerate(zip(before, after)):
        if old is new or _is_same(state, old, new):
            yield from changes(state, old, mark, (*path, k))
        elif may_alias(old.fact) or may_alias(new.fact) or not isinstance(atom.fact, facts.Record):
            if not _may_replace(state, atom, old, new, mark):
                raise Refused
            yield (*path, k), new
        else:
            yield (*path, k), None


def _may_replace(state: Lowering, owner: Value, old: Atom, new: Atom, mark: int) -> bool:
    """Whether an item that may be another one by now shares memory with the old one at most."""
    if not isinstance(owner.fact, facts.Record) or is_named_tuple(owner.fact.type):
        return False
    if not (isinstance(old, Value) and isinstance(new, Value) and may_alias(new.fact)):
        return False
    home, before = home_of(state, new), home_of(state, old).buffer
    shared = {home.buffer, *home.buffer.tangled} - {before}
    own = all(buffer.root.serial >= mark and not buffer.holders for buffer in shared)
    return own and is_plain(old.fact) and is_plain(new.fact) and not home.path


def are_apart(state: Lowering, atoms: Sequence[Atom]) -> bool:
    """Whether parts that may be other ones share no memory with one another."""
    buffers = [home_of(state, atom).buffer for atom in atoms if isinstance(atom, Value)]
    return not any(may_share([b], buffers[:k]) for k, b in enumerate(buffers))


def _is_same(state: Lowering, old: Atom, new: Atom) -> bool:
    """Whether an item is the same list, array or object, whatever it holds by now."""
    if not (isinstance(old, Value) and isinstance(new, Value)):
        return False
    if not may_alias(old.fact) or not may_alias(new.fact):
        return False
    homes = home_of(state, old), home_of(state, new)
    return homes[0].buffer is homes[1].buffer and not any(home.path for home in homes)


def _parts(state: Lowering, atom: Any) -> Sequence[Atom]:
    made = made_of(state, atom)
    return made.args if made is not None else ()


def made_of(state: Lowering, atom: Any) -> Op | None:
    """The display that a structure is; also one of a function around."""
    around: Lowering | None = state
    while around is not None and isinstance(atom, Value):
        found = around.builder.definitions.get(atom)
        if found is not None:
            return found if is_display(found.fn) else None
        around = around.around.state if around.around is not None else None
    return None


def at(state: Lowering, node: Any, atom: Atom, path: Path) -> Atom:
    """The part of a structure that a path leads to, as it is now."""
    now = fresh(state, atom, node)
    for k in path:
        now = fresh(state, _parts(state, now)[k], node)
    return now


def give(state: Lowering, node: Any, owner: Value, path: Path, part: Atom) -> None:
    """Let a part of a structure be what a call has left in it."""
    old = at(state, node, owner, path)
    if path and not may_alias(old.fact):
        _put(state, node, owner, path, part)
    elif isinstance(old.fact, facts.Array):
        assert isinstance(old, Value)
        set_held(state, home_of(state, old).buffer, part, state.place(node))
    else:
        assert isinstance(old, Value)
        hold(state, node, old, part)


def replace(
    state: Lowering, node: Any, owner: Value, path: Path, part: Atom, result: Atom
) -> None:
    """Let a part of a structure be another one, which the result of the call may share; what the
    old one holds is not known from here on."""
    old = at(state, node, owner, path)
    assert isinstance(old, Value) and isinstance(part, Value)
    own = Buffer(part)
    adopt(state, own, part)
    for other in buffers_of(state, result):
        tangle(own, other)
    _put(state, node, owner, path, part)
    set_lost(state, home_of(state, old), old.name, state.place(node))


def _put(state: Lowering, node: Any, owner: Value, path: Path, part: Atom) -> None:
    around = at(state, node, owner, path[:-1])
    assert isinstance(around, Value) and isinstance(around.fact, facts.Record)
    write_key(state, node, around, around.fact.keys[path[-1]], part)


def can_be_given(state: Lowering, owner: Atom, path: Path) -> bool:
    """Whether a call may be handed a structure of which it writes a part: each of its parts is
    known, and no two share memory."""
    if not path:
        return True
    found = list(buffers_of(state, owner))
    if any(b.outside or may_share([b], found[:k]) for k, b in enumerate(found)):
        return False
    now: Atom = owner
    for k in path:
        parts = _parts(state, now)
        fact = now.fact
        if k >= len(parts) or (isinstance(fact, facts.Record) and is_named_tuple(fact.type)):
            return k < len(parts) and may_alias(parts[k].fact)
        now = parts[k]
    return True


def grown_as_any(
    state: Lowering, node: Any, atom: Atom, known: Sequence[facts.Fact]
) -> Atom:
    """A structure, with the lists and dicts in it that are longer than in one of the calls around,
    where it was `known`, as ones of any length."""
    if not isinstance(atom, Value) or not isinstance(atom.fact, facts.STRUCTURES):
        return atom
    home = home_of(state, atom)
    if is_plain(atom.fact):
        if home.path or not any(_is_longer(atom.fact, before) for before in known):
            return atom
        fact = of_any_length(atom.fact)
        return as_value(state, home, atom, node, fact) if is_flat(fact) else atom
    changed = False
    for k, part in enumerate(_parts(state, atom)):
        own = [b.items[k] for b in known if type(b) is type(atom.fact) and len(b.items) > k]
        new = grown_as_any(state, node, part, own)
        if new is not part:
            assert isinstance(part, Value)
            adopt(state, home_of(state, part).buffer, new)
            changed = True
    if not changed:
        return atom
    state.written += 1
    return fresh(state, atom, node)


def _is_longer(fact: facts.Fact, before: facts.Fact) -> bool:
    if not isinstance(fact, (facts.List, facts.Record)) or not isinstance(before, type(fact)):
        return False
    return len(fact.items) > len(before.items)
