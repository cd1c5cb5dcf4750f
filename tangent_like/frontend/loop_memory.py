"""Which memory the names share that a loop carries.

    for k in range(n):
        new[1:] = old[1:] + old[:-1]
        old, new = new, old

Where an iteration begins, what a name holds has a buffer of its own.  That is tangled with the
buffers around the loop that the name may hold then, and with that of another name if both may
hold the same: in the first iteration, or after any one.  In the example nothing is tangled:
`old` and `new` are different arrays where the loop is entered and where an iteration ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from tangent_like import facts, ir
from tangent_like.frontend.memory import adopt, buffers_of, link, may_alias, may_share
from tangent_like.frontend.scope import Binding, Buffer, Carried, Environment
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Value
from tangent_like.records import is_display

Leaf = tuple[Any, int]
"""One of the values that a name stands for, or that a buffer holds: the name or buffer, and which
of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Sharing:
    """For each leaf the buffers around the loop that it may be, and which leaves may be alike."""

    outer: Mapping[Leaf, frozenset[Buffer]] = field(default_factory=dict)
    ties: frozenset[frozenset[Leaf]] = frozenset()
    listed: frozenset[Leaf] = frozenset()
    """Those that lists of unknown length may hold."""

    lists: frozenset[Leaf] = frozenset()
    """Those that are such lists."""

    def same_as(self, other: Sharing) -> bool:
        return (self.outer, self.ties, self.listed, self.lists) == (
            other.outer, other.ties, other.listed, other.lists,
        )  # fmt: skip

    def with_(self, other: Sharing) -> Sharing:
        """What either knows of: what is learnt of a loop only grows, so that learning ends."""
        outer = {
            leaf: self.outer.get(leaf, frozenset()) | other.outer.get(leaf, frozenset())
            for leaf in {**self.outer, **other.outer}
        }
        return Sharing(
            outer, self.ties | other.ties, self.listed | other.listed, self.lists | other.lists
        )


@dataclass(eq=False, slots=True)
class Buffers:
    """The buffers of the leaves in one lowering of the body, made as they are read."""

    state: Lowering
    sharing: Sharing
    made: dict[Leaf, Buffer] = field(default_factory=dict)

    def make(self, name: Any, leaves: Iterable[Value]) -> None:
        for k, value in enumerate(leaves):
            if may_alias(value.fact):
                self.made[name, k] = self.buffer((name, k), value)

    def buffer(self, leaf: Leaf, value: Value) -> Buffer:
        buffer = Buffer(value)
        adopt(self.state, buffer, value)
        if leaf in self.sharing.listed:
            self.state.listed.add(buffer)
        if leaf in self.sharing.lists:
            self.state.lists.add(buffer)
        others = [*self.sharing.outer.get(leaf, ())]
        others += [b for key, b in self.made.items() if frozenset((key, leaf)) in self.sharing.ties]
        for other in others:
            link(buffer, other)
        return buffer


def observed(
    state: Lowering, before: Environment, after: Environment, buffers: Buffers,
    names: Iterable[Any], mark: int,
) -> Sharing:  # fmt: skip
    """What the leaves share, seen from what the names hold before the loop and after the body;
    values made before the loop have serial numbers below `mark`."""
    entering = dict(_leaves(state, before, names))
    leaving = dict(_leaves(state, after, names))
    own = {buffer: leaf for leaf, buffer in buffers.made.items()}
    outer = {leaf: set(_around(found, mark)) for leaf, found in entering.items()}
    for leaf, found in leaving.items():
        outer.setdefault(leaf, set()).update(_around(found, mark))
    passed_on = {leaf: {own[b] for b in found if b in own} for leaf, found in leaving.items()}
    while _grown(outer, passed_on):
        pass
    ties = {
        frozenset(pair)
        for table in (entering, leaving)
        for pair in combinations(table, 2)
        if may_share(table[pair[0]], table[pair[1]])
    }
    listed, lists = (
        frozenset(
            leaf
            for table in (entering, leaving)
            for leaf, found in table.items()
            if any(not marked.isdisjoint((b, *b.tangled)) for b in found)
        )
        for marked in (state.listed, state.lists)
    )
    return Sharing(
        {leaf: frozenset(found) for leaf, found in outer.items()}, frozenset(ties), listed, lists
    )


def _leaves(
    state: Lowering, environment: Environment, names: Iterable[Any]
) -> Iterator[tuple[Leaf, set[Buffer]]]:
    for name in names:
        missing = name.root if isinstance(name, Buffer) else ir.UNDEFINED
        binding: Binding = environment.get(name, missing)
        if isinstance(name, Buffer) and not isinstance(
            getattr(binding, "fact", None), facts.STRUCTURES
        ):
            continue
        held = binding.atom if isinstance(binding, Carried) else binding
        if isinstance(held, Value):
            for k, atom in enumerate(_parts(state, held)):
                yield (name, k), set(buffers_of(state, atom))


def _parts(state: Lowering, atom: Atom) -> Iterator[Atom]:
    """The values that a display holds, however deep."""
    op = state.builder.definitions.get(atom) if isinstance(atom, Value) else None
    if op is not None and is_display(op.fn):
        for item in op.args:
            yield from _parts(state, item)
    else:
        yield atom


def _around(found: Iterable[Buffer], mark: int) -> Iterator[Buffer]:
    """The buffers that are there before the loop, with those tangled with them."""
    for buffer in found:
        for other in (buffer, *buffer.tangled):
            if other.root.serial < mark:
                yield other


def _grown(outer: dict[Leaf, set[Buffer]], passed_on: Mapping[Leaf, set[Leaf]]) -> bool:
    """Hand what a leaf may be to the leaf that it becomes in the next iteration."""
    before = sum(map(len, outer.values()))
    for leaf, sources in passed_on.items():
        for source in sources:
            outer[leaf] |= outer.get(source, set())
    return sum(map(len, outer.values())) > before


def written_around(
    before: Environment, after: Environment, mark: int
) -> Iterator[Buffer]:
    """The buffers from before a block that it has written into."""
    for key, binding in after.items():
        if isinstance(key, Buffer) and key.root.serial < mark:
            if binding is not before.get(key, key.root):
                yield key
