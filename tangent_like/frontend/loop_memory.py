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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from tangent_like import facts, ir
from tangent_like.facts import Fact
from tangent_like.frontend.homes import (
    buffers_of,
    containers_in,
    home_of,
    link,
    may_alias,
    may_share,
)
from tangent_like.frontend.memory import adopt, is_refreshed
from tangent_like.frontend.scope import Binding, Buffer, Carried, Environment
from tangent_like.frontend.state import Lowering
from tangent_like.ir import Atom, Value
from tangent_like.records import is_display

Leaf = tuple[Any, int]
"""One of the values that a name stands for, or that a buffer holds: the name or buffer, and which
of them.  Lists, dicts and objects around those values count from -1 downwards."""


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
    before: Environment
    """What names held before the loop."""

    made: dict[Leaf, Buffer] = field(default_factory=dict)

    def make(self, name: Any, leaves: Iterable[Value], whole: Atom | None = None) -> None:
        for k, value in enumerate(leaves):
            if may_alias(value.fact):
                self.made[name, k] = self.buffer((name, k), value)
            elif isinstance(entering := self.before.get(name), Value):
                self.state.builder.sources.setdefault(value, (entering,))
        for k, container in enumerate(containers_in(self.state, whole)):
            if container is not whole or not isinstance(name, Buffer):
                self.made[name, ~k] = self.buffer((name, ~k), container)

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


def tie_results(
    state: Lowering, buffers: Buffers, after: Environment, guesses: Mapping[Any, Fact]
) -> None:
    """What a loop hands out is what its last iteration left, which lists may hold."""
    for leaf, found in _leaves(state, after, guesses):
        own = buffers.made.get(leaf)
        for other in {each for buffer in found for each in (buffer, *buffer.tangled)} - {own}:
            if own is not None:
                link(own, other)


def exchange_sources(
    state: Lowering, params: Sequence[Value], results: Sequence[Value],
    sources: Sequence[tuple[Atom, Atom]],
) -> None:  # fmt: skip
    """What a loop that writes nothing hands out under a name is what any of the names held before
    that it exchanges with that one, or views of it: `u, v = v, u[1:]`.

    `sources` are the first and the next value of each of the `params`.
    """
    place = {param: k for k, param in enumerate(params)}
    reached = [{k} for k in range(len(params))]
    for k, (_, after) in enumerate(sources):
        for buffer in buffers_of(state, after):
            roots = (each.root for each in (buffer, *buffer.tangled))
            reached[k].update(place[root] for root in roots if root in place)
    grown: list[set[int]] = []
    while grown != reached:
        grown = reached
        reached = [set[int]().union(*(grown[j] for j in found)) for found in grown]
    for result, found in zip(results, reached, strict=True):
        if len(found) > 1:
            state.builder.sources[result] = tuple(a for j in sorted(found) for a in sources[j])


def observed(
    state: Lowering, before: Environment, after: Environment, buffers: Buffers,
    guesses: Mapping[Any, Fact], mark: int, changed: Sequence[Any] = (),
) -> Sharing:  # fmt: skip
    """What the leaves share, seen from what the names hold before the loop and after the body;
    values made before the loop have serial numbers below `mark`."""
    entering = dict(_leaves(state, before, guesses))
    settled = {name: fact for name, fact in guesses.items() if name not in changed}
    leaving = dict(_leaves(state, after, settled))
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
    state: Lowering, environment: Environment, guesses: Mapping[Any, Fact]
) -> Iterator[tuple[Leaf, set[Buffer]]]:
    for name, fact in guesses.items():
        missing = name.root if isinstance(name, Buffer) else ir.UNDEFINED
        binding: Binding = environment.get(name, missing)
        if isinstance(name, Buffer) and not isinstance(fact, facts.STRUCTURES):
            continue
        held = binding.atom if isinstance(binding, Carried) else binding
        if not isinstance(held, Value):
            continue
        for k, found in enumerate(_parts(state, [held], fact)):
            yield (name, k), found
        for k, container in enumerate(containers_in(state, held, fact)):
            if container is not held or not isinstance(name, Buffer):
                yield (name, ~k), {home_of(state, container).buffer}


def _parts(state: Lowering, atoms: Sequence[Atom], fact: Fact) -> Iterator[set[Buffer]]:
    """The buffers of each value in a structure of this fact, however deep, which may be any of
    the atoms."""
    if not isinstance(fact, facts.STRUCTURES):
        yield {buffer for atom in atoms for buffer in buffers_of(state, atom)}
        return
    for k, inner in enumerate(fact.items):
        items = [part for atom in atoms for part in _items(state, atom, k, len(fact.items))]
        yield from _parts(state, items, inner)


def _items(state: Lowering, atom: Atom, k: int, count: int) -> Sequence[Atom]:
    """What an item is; nothing where the structure is another one: then the guess will change."""
    op = state.builder.definitions.get(atom) if isinstance(atom, Value) else None
    if op is None or not is_display(op.fn):
        return [atom] if isinstance(atom.fact, facts.STRUCTURES) else []
    return [op.args[k]] if len(op.args) == count else []


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
    state: Lowering, before: Environment, after: Environment, mark: int
) -> Iterator[Buffer]:
    """The buffers from before a block that it has written into."""
    for key, binding in after.items():
        if isinstance(key, Buffer) and key.root.serial < mark:
            if not is_refreshed(state, before.get(key, key.root), binding):
                yield key
