"""Objects of the user's program that exist while it is lowered, and not in generated code.

They are the values of constants, like functions are: an iterator, a function of which some
arguments are given.  Dicts are records (`records.py`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tangent_like import effects, facts, ir, runtime
from tangent_like.errors import NotYetSupported
from tangent_like.frontend import syntax
from tangent_like.frontend.collected import Members
from tangent_like.frontend.homes import buffers_of
from tangent_like.frontend.live import behind, length_changes, show
from tangent_like.frontend.memory import fresh, is_refreshed
from tangent_like.frontend.protocols import call_special, class_of, is_protocol_object
from tangent_like.frontend.scope import (
    Buffer,
    Cell,
    Environment,
    Frame,
    LocalFunction,
    found_too_late,
)
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Value
from tangent_like.records import MakeRecord
from tangent_like.trees import item


class ItemsAct(NotYetSupported):
    """Making the items of an iterator does something that would be noticed."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """How a generator expression is gone through until an item is found: `lower` takes a test and a
    result, which are expressions of an item, and the result where there is no such item."""

    item: Any
    lower: Callable[[Any, Any, Atom], Atom]


@dataclass(slots=True, eq=False)
class Deferred:
    """What `map`, `zip`, a generator expression give: a sequence that is made when it is used,
    once.  `mentions` are the names that its items are made of then."""

    state: Lowering
    make: Callable[[], Atom]
    mentions: frozenset[str] = frozenset()
    sources: list[Atom] = field(default_factory=list)
    """Arrays, lists and objects that are read when its items are made, and not again later."""

    around: Sequence[Deferred] = ()
    """The iterators that it takes items from."""

    used: bool = False
    loops: int = 0
    """How many loops are around the place where it was made."""

    search: Search | None = None

    def __post_init__(self) -> None:
        self.loops = self.state.loops

    def all_sources(self) -> list[Atom]:
        return [*self.sources, *(source for one in self.around for source in one.all_sources())]

    def is_at_hand(self, state: Lowering) -> bool:
        """Whether it is used for the first time, and where this happens once."""
        return not self.used and state is self.state and state.loops == self.loops


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """A function with its first arguments and some keywords."""

    callee: Const
    args: Sequence[Atom]
    keywords: Mapping[str, Atom]

    def __call__(self, *args: object) -> object:
        raise found_too_late("a partial function")


@dataclass(frozen=True, slots=True, eq=False)
class Endless:
    """An iterator without end: `count()`, `repeat(x)`, `cycle(items)`."""

    item: Callable[[Atom], Atom]
    """The item at a place."""

    first: Callable[[Atom, int | None], Atom]
    """The items at the places of a sequence, which are so many, if that is known."""

    sources: Sequence[Atom] = ()
    """What its items are read of."""


INTERNAL = (Deferred,)


class Moment:
    """What names, cells and buffers hold at some time."""

    def __init__(self, state: Lowering):
        self.scope, self._resized = state.scope(), len(state.resized)

    def resized_since(self, state: Lowering) -> set[Buffer]:
        return set(state.resized[self._resized :])


def make_table(state: Lowering, items: Mapping[Any, Atom]) -> Atom:
    """A dict of these items."""
    return state.builder.op(MakeRecord(dict, tuple(items)), list(items.values()))


def table_of(state: Lowering, atom: Atom) -> dict[Any, Atom] | None:
    """The items of a dict; None for other things."""
    if isinstance(atom, Const) and type(atom.value) is dict:
        return {key: Const(value) for key, value in atom.value.items()}
    fact = atom.fact
    if not isinstance(fact, facts.Record) or fact.type is not dict:
        return None
    return {key: item(state.builder, atom, k) for k, key in enumerate(fact.keys)}


def table_now(state: Lowering, atom: Atom, node: Any) -> dict[Any, Atom]:
    """The items of a dict of known keys as they are now."""
    table = table_of(state, fresh(state, atom, node))
    if table is None:
        raise length_changes(state.place(node))
    return table


class Taken(enum.Enum):
    """How many items of an iterator are asked for, and when."""

    ALL = "at once"
    IN_TURN = "with something else between them"
    SOME = "until one is found"


def consumed(
    state: Lowering, atom: Atom, node: Any, writes: frozenset[str] = frozenset(),
    taken: Taken = Taken.IN_TURN,
) -> Atom:  # fmt: skip
    """The sequence behind an iterator, which is used up; anything else as it is now.

    `writes` are the names that are assigned while the iterator is used.
    """
    if class_of(atom) is Members:
        raise NotYetSupported(
            "going through a set, whose order is not defined", state.place(node),
            "go through `sorted(...)` of it",
        )  # fmt: skip
    if isinstance(atom, Const) and isinstance(atom.value, enum.EnumMeta):
        return state.builder.op(ir.make_tuple, [Const(member) for member in atom.value])  # type: ignore[var-annotated]
    if hasattr(class_of(atom), "__next__"):
        raise NotYetSupported(
            f"going through the iterator `{class_of(atom).__name__}`, which has a `__next__`",
            state.place(node), "write a generator function, or call `next` in a loop",
        )  # fmt: skip
    if is_protocol_object(atom):
        return consumed(state, call_special(state, node, "__iter__", atom), node, writes)
    if table_of(state, atom) is not None:
        def keys() -> list[Atom]:
            return list(map(Const, table_now(state, atom, node)))

        return show(state, keys, [atom], state.place(node), fixed=True)
    if isinstance(atom.fact, facts.DictOf):
        return state.builder.op(runtime.keys_of, (fresh(state, atom, node),))
    if isinstance(atom, Const) and isinstance(atom.value, Endless):
        raise NotYetSupported(
            "an iterator without end here", state.place(node), "loop over a range"
        )
    if not (isinstance(atom, Const) and isinstance(atom.value, Deferred)):
        return _with_these_keys(state, fresh(state, atom, node))
    deferred = atom.value
    if not deferred.is_at_hand(state):
        raise NotYetSupported(
            "an iterator that is used twice, or in a loop", state.place(node), "make a list of it"
        )
    if deferred.mentions & writes:
        raise NotYetSupported(
            "an iterator over what its loop changes", state.place(node), "make a list before it"
        )
    deferred.used = True
    return _made(state, deferred, node, taken)


def _made(state: Lowering, deferred: Deferred, node: Any, taken: Taken) -> Atom:
    """All items of an iterator; refused where making them does what would be noticed if fewer were
    made, or later."""
    before, mark = Moment(state), ir.next_serial()
    block = state.builder.collect(lambda: [deferred.make()])
    if taken is not Taken.ALL and _acts(state, block, before, mark, taken):
        state.enter(before.scope)
        deferred.used = False
        raise ItemsAct(
            "an iterator whose items change something, draw random numbers, print or raise while"
            " they are taken one by one", state.place(node), "make a list before, or write a loop",
        )  # fmt: skip
    state.builder.extend(block)
    return block.results[0]


def _acts(
    state: Lowering, block: ir.Block, before: Moment, mark: int, taken: Taken
) -> bool:
    operations = [s.fn for s in ir.walk(block) if isinstance(s, ir.Op)]
    if any(effects.may_not_move(fn) for fn in operations):
        return True
    if taken is Taken.SOME and not {ir.fail, print}.isdisjoint(operations):
        return True
    written = [b for b in state.memory if b.root.serial < mark]
    cells = [cell for cell in state.cells if cell in before.scope]
    read: list[Buffer | Cell] = [*written, *cells]
    return any(_is_changed(state, key, before.scope) for key in read)


def _with_these_keys(state: Lowering, sequence: Atom) -> Atom:
    """The keys of a dict as they are when a loop begins: while it goes on there are no others."""
    made = state.builder.definitions.get(sequence) if isinstance(sequence, Value) else None
    if made is None or made.fn is not runtime.keys_of:
        return sequence
    return state.builder.op(runtime.keys_of, made.args)


def iterators_in(atoms: Iterable[Atom | None]) -> list[Deferred]:
    values = [atom.value for atom in atoms if isinstance(atom, Const)]
    return [value for value in values if isinstance(value, Deferred)]


def deferred(
    state: Lowering, make: Callable[[], Atom], names: frozenset[str] = frozenset(),
    sources: list[Atom] | None = None, around: Iterable[Atom | None] = (),
) -> Const:  # fmt: skip
    """An iterator whose items `make` makes of names, sources (which it may add to), and the
    iterators `around`."""
    inner = iterators_in(around)
    names = names.union(*(one.mentions for one in inner))
    return Const(Deferred(state, make, names, [] if sources is None else sources, inner))


def reached(frame: Frame | None, names: Iterable[str]) -> tuple[frozenset[str], list[Atom]]:
    """Names that are read in a frame and those around it, with those that nested functions among
    them read, and the values that they stand for."""
    values: list[Atom] = []
    pending, seen = [(name, frame) for name in names], set[tuple[str, int]]()
    while pending:
        name, around = pending.pop()
        while around is not None and name not in around.env:
            around = around.parent
        if (name, id(around)) in seen:
            continue
        seen.add((name, id(around)))
        bound = around.env[name] if around is not None else None
        if isinstance(bound, Value):
            values.append(bound)
        elif isinstance(bound, Const) and isinstance(bound.value, LocalFunction):
            inner = bound.value
            pending += [(n, inner.frame) for n in syntax.names_from_outside(inner.node)]
    return frozenset(name for name, _ in seen), values


def refuse_changes(state: Lowering, node: Any, given: Atom, before: Moment) -> None:
    """Refuse a loop over an iterator that writes into what the iterator reads: Python would make
    the next item of what is there then."""
    for iterator in iterators_in([given]):
        cells = [cell for cell in state.cells if cell.name in iterator.mentions]
        refuse_changed(state, node, iterator.all_sources(), before, cells)


def refuse_changed(
    state: Lowering, node: Any, sources: Iterable[Atom], before: Moment,
    cells: Iterable[Cell] = (),
) -> None:  # fmt: skip
    """Refuse to go through what has been changed since."""
    buffers = {b for atom in behind(state, sources) for b in buffers_of(state, atom)}
    read: list[Any] = [other for buffer in buffers for other in (buffer, *buffer.tangled)]
    resized = not before.resized_since(state).isdisjoint(read)
    if resized or any(_is_changed(state, key, before.scope) for key in (*read, *cells)):
        raise NotYetSupported(
            "an iterator over what its loop changes", state.place(node), "make a list before it"
        )


def _is_changed(state: Lowering, key: Buffer | Cell, before: Environment) -> bool:
    missing = key.root if isinstance(key, Buffer) else None
    old, now = before.get(key, missing), state.table_of(key).get(key, missing)
    return old is not now and not is_refreshed(state, old, now)


def refuse_as_result(state: Lowering, atom: Atom, node: Any) -> None:
    """Functions and iterators are no results of a differentiated function."""
    for leaf in facts.leaves(atom.fact):
        if leaf == facts.Opaque("Deferred"):
            raise NotYetSupported(
                "returning an iterator", state.place(node), "return its values as a tuple or list"
            )
