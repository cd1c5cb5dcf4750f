"""The reverse sweep under construction: adjoints, and the mirrors of statements.

Each block of the primal has a mirror in the reverse sweep: an `If` is mirrored by an `If` on the
same test, a `Loop` by a loop over its iterations backwards (`adjoint_loops.py`).  Adjoints are
trees (`trees.py`), created by their first contribution.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tangent_like import facts, ir, trees
from tangent_like.build import Builder, visit
from tangent_like.gradient_block import GradientBlock
from tangent_like.ir import Atom, Block, Const, If, Loop, Op, Value
from tangent_like.records import MakeRecord
from tangent_like.rules import apply, registry
from tangent_like.stores import Store
from tangent_like.trees import Tree
from tangent_like.undefined import Unsettled

BACKWARDS = Const("backwards")
"""Stands for the iterable of a mirrored loop until `recording` has chosen it."""


@dataclass(frozen=True, slots=True, eq=False)
class Mirror:
    """What a statement of the reverse sweep mirrors.

    `path` holds the forward blocks that one iteration runs through, outermost first: the body of
    the loop, and where only complete iterations are visited, the branches that go on.
    """

    statement: If | Loop
    path: tuple[Block, ...] = ()


PullbackOfCall = Callable[["Sweep", Op, Tree], None]


@dataclass(eq=False, slots=True)
class Sweep:
    """The reverse sweep under construction."""

    builder: Builder
    active: set[Value]
    special: Mapping[Any, Callable[[Sweep, Op], None]]
    """The operations that are no rules: displays, reading an element, tapes."""

    mirror_loop: Callable[[Sweep, Loop, Sequence[Tree]], None]
    pullback_of_call: PullbackOfCall
    adjoints: dict[Value, Tree] = field(default_factory=dict)
    tapes: dict[Value, list[Value]] = field(default_factory=dict)
    """The adjoint tapes of each tape: one for each place that reads it."""

    unsettled: set[Value] = field(default_factory=set)
    """Values that are undefined on some path."""

    readers: dict[Any, Value] = field(default_factory=dict)
    """The adjoint tape of each place that reads a tape: a pop, or a component of a loop."""

    waiting: dict[Value, list[Any]] = field(default_factory=dict)
    """Who reads the tapes that were saved on another tape: their adjoint tapes are made anew each
    time."""

    items: set[Value] = field(default_factory=set)
    """The variables of loops."""

    begun: set[Op] = field(default_factory=set)
    """What was mirrored where its block began."""

    openings: dict[Op, Op] = field(default_factory=dict)
    """The beginning of each `with` by its end."""

    # --- contributions ------------------------------------------------------------------

    def is_active(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and atom in self.active

    def contribute(self, atom: Atom, tree: Tree) -> None:
        """Add a cotangent to the adjoint of an atom, if that is active."""
        if tree is None or not self.is_active(atom):
            return
        assert isinstance(atom, Value)
        if isinstance(facts.defined(atom.fact), facts.Tape):
            self.tapes.setdefault(atom, []).append(tree)
            return
        if isinstance(tree, tuple) and not isinstance(atom.fact, facts.STRUCTURES):
            tree = trees.materialised(self.builder, tree, atom)
        if isinstance(facts.defined(atom.fact), facts.Scalar) and self.is_view(tree):
            # `g[0, ...]` is a view, which the next contribution to a number would be added into.
            tree = self.builder.op(operator.getitem, (tree, Const(())))
        total = trees.add(self.builder, self.adjoints.get(atom), tree, atom.fact)
        self.adjoints[atom] = named_tree(total, atom)

    def is_view(self, tree: Tree) -> bool:
        """Whether a cotangent is an array without axes, and part of another array."""
        made = self.builder.definitions.get(tree) if isinstance(tree, Value) else None
        if made is None or made.fn not in _GIVING_VIEWS or made.args[1:] == (Const(()),):
            return False
        array, part = made.args[0].fact, made.result.fact
        if not isinstance(array, facts.Array) or not isinstance(part, facts.Array):
            return False
        return part.dims == ()

    def tape_adjoint(self, tape: Value) -> Tree:
        """The adjoint tape of a tape that was handed in: the sum of those of its readers."""
        total: Tree = None
        for adjoint_tape in self.tapes.get(tape, ()):
            total = trees.add(self.builder, total, adjoint_tape, tape.fact)
        return total

    def output(self, value: Value) -> Atom:
        """The adjoint of an input, as something that nothing else holds."""
        tree = trees.dissolve(self.builder, self.adjoints.get(value), value.fact)
        return trees.materialised(self.builder, trees.copied(self.builder, tree), value, keep=True)

    # --- statements ---------------------------------------------------------------------

    def run(self, block: Block) -> None:
        visit(self, reversed(block.statements))

    def op(self, op: Op) -> None:
        if op in self.begun:
            return
        kind = type(op.fn) if isinstance(op.fn, (GradientBlock, MakeRecord, Store)) else op.fn
        special = self.special.get(kind) if not isinstance(op.fn, ir.Procedure) else None
        if special is not None:
            special(self, op)
            return
        g = self.adjoints.pop(op.result, None)
        if g is None or not self.is_active(op.result):
            return
        if isinstance(op.fn, ir.Procedure):
            self.pullback_of_call(self, op, g)
            return
        if op.fn in registry.solvers:
            registry.solvers[op.fn].pullback(self, op, g)
            return
        op = apply.by_position(op, self.is_active)
        wanted = [self.is_active(atom) for atom in op.args]
        for atom, tree in zip(op.args, apply.cotangents(self.builder, op, g, wanted)):
            self.contribute(atom, tree)

    # --- branches -----------------------------------------------------------------------

    def branch(self, statement: If) -> None:
        seeds = [self.adjoints.pop(result, None) for result in statement.results]
        captured = self.captured((statement.then, statement.orelse))
        if all(s is None for s in seeds) and not has_tapes(statement):
            return
        sides = []
        for block in (statement.then, statement.orelse):
            sides.append(self.side(block, seeds, captured))
        keys = [(value, path) for value in captured for path, _ in trees.paths(value.fact)]
        then, orelse, names, changed = self.even_out(sides, keys)
        mirrored = If(
            tuple(
                Value(name, trees.derivative_fact(fact))
                for name, fact in zip(names, self.facts_of(changed))
            ),
            statement.test, then, orelse, statement.place, "if", Mirror(statement),
        )  # fmt: skip
        if then.statements or orelse.statements or mirrored.results:
            self.builder.append(mirrored)
        alike = {key: a for key, a, b in zip(keys, *(s.leaves for s in sides)) if a is b}
        alike = {key: leaf for key, leaf in alike.items() if leaf is not None}
        self.take({**alike, **dict(zip(changed, mirrored.results))}, captured)

    def captured(self, blocks: Sequence[Block], bound: tuple[Value, ...] = ()) -> list[Value]:
        """The active values from around the blocks, in order of use."""
        found: dict[Value, None] = {}
        for block in blocks:
            found.update(ir.free_values(block, bound))
        return [v for v in found if v in self.active and not _iterates(v.fact)]

    def side(self, block: Block, seeds: Sequence[Tree], captured: Sequence[Value]) -> _Side:
        """The mirror of one branch, and the adjoints of captured values after it."""
        outer = self.adjoints
        self.adjoints = {v: outer[v] for v in captured if v in outer}

        def build() -> tuple[Atom, ...]:
            for atom, seed in zip(block.results, seeds):
                self.contribute(atom, seed)
            self.begin((block,))
            self.run(block)
            for value in captured:
                tree = trees.dissolve(self.builder, self.adjoints.get(value), value.fact)
                leaves.extend(trees.leaves(tree, value.fact))
            return ()

        leaves: list[Atom | None] = []
        built = self.builder.collect(build)
        self.adjoints = outer
        return _Side(built, leaves)

    def even_out(
        self, sides: Sequence[_Side], keys: Sequence[Any]
    ) -> tuple[Block, Block, list[str], list[Any]]:
        """Both branches yield the same adjoints: zeros where one of them contributes nothing."""
        wanted = [
            k for k, (a, b) in enumerate(zip(sides[0].leaves, sides[1].leaves)) if a is not b
        ]
        blocks = []
        for side in sides:
            extra = self.builder.collect(partial(self.filled_leaves, side, keys, wanted))
            blocks.append(Block(side.block.statements + extra.statements, extra.results))
        names = [self.leaf_name(*keys[k]) for k in wanted]
        return blocks[0], blocks[1], names, [keys[k] for k in wanted]

    def filled_leaves(
        self, side: _Side, keys: Sequence[Any], wanted: Sequence[int]
    ) -> list[Atom]:
        return [self.filled(side.leaves[k], keys[k]) for k in wanted]

    def filled(self, leaf: Atom | None, key: tuple[Value, tuple[int, ...]]) -> Atom:
        if leaf is not None:
            return leaf
        return self.zero(*key)

    def zero(self, value: Value, path: tuple[int, ...]) -> Atom:
        """A zero of the shape of a leaf of a value."""
        fact = facts.defined(fact_at(value.fact, path))
        if value in self.unsettled and not isinstance(fact, facts.Scalar):
            raise Unsettled(value)
        leaf = trees.at(self.builder, value, path)
        if isinstance(fact, facts.Scalar):
            return trees.zero(self.builder, leaf)
        return trees.zeros_to_add_to(self.builder, leaf)

    def leaf_name(self, value: Value, path: tuple[int, ...]) -> str:
        return trees.derivative_name("b", value) + "".join(f"_{i}" for i in path)

    def facts_of(self, keys: Sequence[tuple[Value, tuple[int, ...]]]) -> Iterator[facts.Fact]:
        for value, path in keys:
            yield fact_at(value.fact, path)

    def take(self, changed: Mapping[Any, Atom], captured: Sequence[Value]) -> None:
        """The adjoints of captured values after a mirrored statement."""
        for value in captured:
            keys = [(value, path) for path, _ in trees.paths(value.fact)]
            if not any(key in changed for key in keys):
                continue
            old = trees.dissolve(self.builder, self.adjoints.get(value), value.fact)
            merged = [
                changed.get(key, leaf) for key, leaf in zip(keys, trees.leaves(old, value.fact))
            ]
            self.adjoints[value] = trees.from_leaves(iter(merged), value.fact)

    # --- loops --------------------------------------------------------------------------

    def loop(self, loop: Loop) -> None:
        seeds = [self.adjoints.pop(result, None) for result in loop.results]
        if all(s is None for s in seeds) and not has_tapes(loop):
            return
        self.mirror_loop(self, loop, seeds)

    # --- tapes --------------------------------------------------------------------------

    def open_tapes(self, block: Block) -> None:
        """An adjoint tape for each place that reads an active tape."""
        self.items.update(s.item for s in ir.walk(block) if isinstance(s, Loop) and s.item)
        for statement in ir.walk(block):
            if isinstance(statement, Op) and statement.fn is ir.pop:
                self.open_tape(statement.args[0], "pop")
            elif isinstance(statement, Loop):
                for k, part in enumerate(self.components(statement)):
                    if isinstance(part.fact, facts.Tape):
                        self.open_tape(self.tape_behind(part), (statement, k))

    def open_tape(self, tape: Atom, reader: Any) -> None:
        key = (tape, reader) if reader == "pop" else reader
        if self.is_active(tape) and key not in self.readers:
            assert isinstance(tape, Value)
            made = self.builder.definitions.get(tape)
            if tape in self.items or (made and made.fn in (operator.getitem, ir.pop)):
                self.waiting.setdefault(tape, []).append(key)
            else:
                self.open_anew(tape, key)

    def open_anew(self, tape: Value, key: Any) -> None:
        self.readers[key] = adjoint = trees.new_tape(self.builder, tape)
        self.tapes.setdefault(tape, []).append(adjoint)

    def open_waiting(self, tape: Value | None) -> None:
        for key in self.waiting.get(tape, ()) if tape is not None else ():
            self.open_anew(tape, key)  # type: ignore[arg-type]

    def begin(self, blocks: Sequence[Block], item: Value | None = None) -> None:
        """What the mirror of blocks begins with.

        A tape that comes from another tape gets adjoint tapes of its own.  The adjoint of a tape
        that was saved on another is needed before what was pushed to it is mirrored, also where
        it was saved first and filled then.
        """
        self.open_waiting(item)
        for statement in (s for block in blocks for s in block.statements):
            if not isinstance(statement, Op):
                continue
            self.open_waiting(statement.result)
            if statement.fn is ir.push and isinstance(statement.args[1].fact, facts.Tape):
                self.op(statement)
                self.begun.add(statement)

    def components(self, loop: Loop) -> tuple[Atom, ...]:
        return ir.components(loop.iterable, self.builder.definitions)

    def tape_behind(self, part: Atom) -> Atom:
        """The tape that `reversed(tape)` goes through."""
        definition = self.builder.definitions.get(part)  # type: ignore[arg-type]
        return definition.args[0] if definition is not None and definition.fn is reversed else part


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    block: Block
    leaves: list[Atom | None]


def has_tapes(statement: ir.Statement) -> bool:
    """Whether the statement saves to or reads from a tape, so that its mirror must as well."""
    if isinstance(statement, Op):
        return statement.fn in (ir.push, ir.pop)
    if isinstance(statement, Loop) and statement.iterable is not None:
        if any(isinstance(f, facts.Tape) for f in _iterable_facts(statement.iterable.fact)):
            return True
    return any(has_tapes(s) for block in ir.blocks_of(statement) for s in block.statements)


def _iterates(fact: facts.Fact) -> bool:
    return isinstance(fact, (facts.Tape, facts.Zip))


def _iterable_facts(fact: facts.Fact) -> tuple[facts.Fact, ...]:
    if isinstance(fact, facts.Zip):
        return fact.sources
    return (fact,)


def fact_at(fact: facts.Fact, path: tuple[int, ...]) -> facts.Fact:
    for i in path:
        assert isinstance(fact, facts.STRUCTURES)
        fact = fact.items[i]
    return fact


def named_tree(tree: Tree, value: Value) -> Tree:
    """Give the adjoint of a named value its name."""
    if isinstance(tree, Value) and not tree.name:
        tree.name = trees.derivative_name("b", value)
    return tree


_GIVING_VIEWS = (operator.getitem, np.reshape, np.squeeze)
