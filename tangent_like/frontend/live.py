"""Sequences that show what others hold: iterators over lists, and the views of a dict.

    for a, b in zip(u, v):          (u[0], v[0]), (u[1], v[1]), ...
        u[1] = a * b                the second pair is read again

Each is a sequence of what there is to go through, mostly a tuple, and remembers how that is read.
Where something was written since, it is read again (`memory.fresh`), so that a loop finds each item
as it is when its turn comes.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from tangent_like import facts, ir, runtime
from tangent_like.errors import Place, SharedMemory
from tangent_like.frontend.scope import Live
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Const, Op, Value

_MORE = 32
"""How many items may be added to a sequence that is written out."""

_COMPARED = (ir.make_tuple, operator.getitem, operator.add)
_PASSED_ON = (zip, runtime.keys_of, runtime.values_of)
"""What is made anew each time, since it may be used up, of things that may be the same."""


def show(
    state: Lowering, read: Callable[[], Sequence[Atom]], of: Sequence[Atom], place: Place,
    fixed: bool = False,
) -> Atom:  # fmt: skip
    """A tuple of what `read` gives of other sequences, now and later."""

    def items() -> Value:
        """A value even where all items are constants, or there are none yet."""
        found = tuple(read())
        made = Value("", facts.Tuple(tuple(item.fact for item in found)))
        state.builder.append(Op(made, ir.make_tuple, found, (), place))
        return made

    return show_as(state, items, of, fixed)


def show_as(
    state: Lowering, read: Callable[[], Atom], of: Sequence[Atom], fixed: bool = False
) -> Atom:
    """A sequence that `read` makes of others, now and later."""
    made = read()
    if isinstance(made, Value):
        state.live[made] = Live(read, of, state.written, fixed)
    return made


def is_live(state: Lowering, binding: object) -> bool:
    """Whether a binding shows what others hold: what a branch or loop hands on would not."""
    return isinstance(binding, Value) and binding in state.live


def as_now(state: Lowering, atom: Value, entry: Live) -> Atom:
    """What a sequence shows now; the same tuple where this is what it was."""
    if entry.written == state.written:
        return atom
    now = show_as(state, entry.read, entry.of, entry.fixed)
    return atom if _are_same(state, atom, now) else now


def shows_the_same(state: Lowering, atom: Atom) -> bool:
    """Whether a sequence that shows what others hold would show the same things now."""
    entry = state.live.get(atom) if isinstance(atom, Value) else None
    if entry is None or entry.written == state.written:
        return entry is not None
    return _are_same(state, atom, entry.read(), (*_COMPARED, *_PASSED_ON))


def _are_same(
    state: Lowering, old: Atom, new: Atom, compared: Sequence[object] = _COMPARED
) -> bool:
    """Whether two values are the same one, or made alike of the same ones."""
    if old is new:
        return True
    if isinstance(old, Const) and isinstance(new, Const):
        return type(old.value) is type(new.value) and bool(old.value == new.value)
    if not (isinstance(old, Value) and isinstance(new, Value)):
        return False
    before, after = (state.builder.definitions.get(value) for value in (old, new))
    if before is None or after is None or before.fn != after.fn or before.fn not in compared:
        return False
    same = len(before.args) == len(after.args)
    pairs = zip(before.args, after.args)
    return same and all(_are_same(state, a, b, compared) for a, b in pairs)


_Item = TypeVar("_Item")


def in_turn(
    state: Lowering, read: Callable[[], Sequence[_Item]], place: Place, fixed: bool = False
) -> Iterator[_Item]:
    """What `read` gives, each item when its turn comes.  `fixed`: the length must not change."""
    written, items = state.written, read()
    count = len(items)
    for k in itertools.count():
        if state.written != written:
            written, items = state.written, read()
        if k == count + _MORE or (fixed and len(items) != count):
            raise length_changes(place)
        if k >= len(items):
            return
        yield items[k]


def behind(state: Lowering, sources: Iterable[Atom]) -> Iterator[Atom]:
    """Values, and those whose items they show."""
    for atom in sources:
        yield atom
        if is_live(state, atom):
            yield from behind(state, state.live[atom].of)  # type: ignore[index]


def length_changes(place: Place) -> SharedMemory:
    """What going through is refused with where the length is known no more."""
    return SharedMemory(
        "going through what has been made longer or shorter meanwhile", place,
        "go through a copy of it: `list(items)`",
    )  # fmt: skip
