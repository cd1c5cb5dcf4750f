"""The recorder: block by block, what the reverse sweep needs is brought to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tangent_like import ir
from tangent_like.adjoint import Sweeps
from tangent_like.analysis.iterations import (
    can_start_again,
    counts_of,
    measured_before,
    only_accumulates,
    takes_long,
    wanted_of,
)
from tangent_like.analysis.numbering import repeated
from tangent_like.build import Builder
from tangent_like.forward_changes import Changes, apply_changes
from tangent_like.gradient_block import without_gradient_blocks
from tangent_like.ir import Atom, Block, Const, If, Loop, Op, Statement, Value
from tangent_like.recomputation import Need, Plan, choose
from tangent_like.recording.backwards import Backwards, computed_late
from tangent_like.recording.index import changing_arrays, indexed
from tangent_like.simplify.dead import prune
from tangent_like.sweep import Mirror
from tangent_like.undoing import Undo, Weaver


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Both sweeps, well-formed: the reverse sweep reads only what is in scope at its start."""

    forward: Block
    reverse: Block


def record(sweeps: Sweeps, missing: Const = ir.UNDEFINED, in_iteration: bool = False) -> Joint:
    """Decide for all values; a branch not taken hands out `missing` for its values.

    `in_iteration`: these are the sweeps of a single iteration, so that what its loops save is
    little, and is saved rather than computed again at length.
    """
    first = repeated(sweeps.forward)
    changing = changing_arrays(sweeps.forward)
    recorder = Recorder(*indexed(sweeps.forward, first), Changes(missing), first, changing)
    builder = Builder()
    recorder.builder = builder
    mirrored = ir.substitute(sweeps.reverse, first)
    if in_iteration:
        recorder.wanted = wanted_of(sweeps.forward, mirrored)
    reverse = builder.collect(lambda: recorder.block(mirrored, (sweeps.forward,), in_loop=False))
    forward = apply_changes(sweeps.forward, recorder.changes)
    return Joint(without_gradient_blocks(forward), reverse)


@dataclass(eq=False, slots=True)
class Recorder:
    homes: dict[Value, Block]
    definitions: dict[Value, Op]
    order: dict[Value, int]
    blocks: dict[Statement, Block]
    changes: Changes
    first: Mapping[Value, Value] = field(default_factory=dict)
    """For what is computed twice the first one."""

    changing: frozenset[Value] = frozenset()
    """The arrays in loops that are written into later."""

    wanted: set[Atom] = field(default_factory=set)
    """What is computed in an iteration in any case."""

    builder: Builder = field(default_factory=Builder)
    undone: dict[tuple[Loop, int], Value] = field(default_factory=dict)
    """The results of mirrored loops that are arrays as they were before the loops."""

    def block(
        self, block: Block, path: tuple[Block, ...], in_loop: bool
    ) -> tuple[Atom, ...]:
        """Append the recorded form of a mirrored block; its results."""
        for statement in block.statements:
            self.statement(statement, in_loop)
        return block.results

    def statement(self, statement: Statement, in_loop: bool) -> None:
        if isinstance(statement, Op) or statement.mirror is None:
            self.builder.append(statement)
        elif isinstance(statement, If):
            self.branch(statement, in_loop)
        else:
            self.loop(statement, in_loop)

    # --- branches -------------------------------------------------------------------------

    def branch(self, statement: If, in_loop: bool) -> None:
        mirrored: If = statement.mirror.statement
        sides = (
            self.side(statement.then, mirrored, mirrored.then, in_loop),
            self.side(statement.orelse, mirrored, mirrored.orelse, in_loop),
        )
        self.builder.append(replace(statement, then=sides[0], orelse=sides[1], mirror=None))

    def side(self, block: Block, mirrored: If, home: Block, in_loop: bool) -> Block:
        built = self.builder.collect(lambda: self.block(block, (home,), in_loop))
        needed = self.needed(built, (home,))
        if in_loop:
            return self.supplied(built, needed, (home,), None)[0]
        table = {value: self.changes.export(mirrored, home, value) for value in needed}
        for result in table.values():
            self.place(result, mirrored)
        return ir.substitute(built, table)

    def place(self, result: Value, statement: Statement) -> None:
        """Note a value that the forward sweep gains as a result of a statement."""
        self.homes[result] = self.blocks[statement]
        self.order.setdefault(result, len(self.order))

    def needed(self, block: Block, path: tuple[Block, ...]) -> list[Value]:
        """The values that the block reads and that its mirror image defines."""
        return [v for v in ir.free_values(block) if self.homes.get(v) in path]

    # --- values inside loops ----------------------------------------------------------------

    def supplied(
        self,
        block: Block,
        needed: Sequence[Value],
        path: tuple[Block, ...],
        items: dict[Value, Atom] | None,
        undo: Undo | None = None,
        undone: Value | None = None,
    ) -> tuple[Block, list[tuple[Value, Value]]]:
        """The block with its needs popped or recomputed; also the tapes, with what they hold."""
        changing = self.changing if items is None else frozenset()
        plan = self.plan(needed, path, items or {}, undo, changing)
        late = computed_late(plan, undo)
        table: dict[Value, Atom] = dict(items or {})
        tapes: list[tuple[Value, Value]] = []

        def build() -> tuple[Atom, ...]:
            for value in plan.taped:
                tape = self.changes.tape(path, value, undone)
                table[value] = self.builder.op(ir.pop, (tape,), name=value.name)
                tapes.append((tape, table[value]))  # type: ignore[arg-type]
            for op in plan.recomputed:
                if op.result in late:
                    continue
                args = tuple(_mapped(a, table) for a in op.args)
                named = {k: _mapped(a, table) for k, a in op.keywords}
                table[op.result] = self.builder.op(
                    op.fn, args, named, name=op.result.name, place=op.place
                )
            if undo is not None:
                weaver = Weaver(undo, self.builder, table, late, self.order)
                return weaver.block(block)
            replaced = ir.substitute(block, table)
            for statement in replaced.statements:
                self.builder.append(statement)
            return replaced.results

        return self.builder.collect(build), tapes

    def plan(
        self,
        needed: Sequence[Value],
        path: tuple[Block, ...],
        available: Mapping[Value, Atom],
        undo: Undo | None = None,
        changing: frozenset[Value] = frozenset(),
    ) -> Plan:
        """What of the needs of an iteration, or of a side of a branch, is saved and what computed
        again; what is read of arrays that are `changing` is saved."""
        first = Plan([], [])
        if undo is not None:  # what undoing reads must not depend on what it undoes
            own = [v for v in undo.needs if self.homes.get(v) in path]
            first = self.chosen(own, path, available, changing)
            known = (*first.taped, *(op.result for op in first.recomputed), *undo.versions)
            available = {**available, **dict.fromkeys(known, ir.UNDEFINED)}
        rest = self.chosen([v for v in needed if v not in available], path, available, changing)
        return Plan(first.taped + rest.taped, first.recomputed + rest.recomputed)

    def chosen(
        self,
        needed: Sequence[Value],
        path: tuple[Block, ...],
        available: Mapping[Value, Atom],
        changing: frozenset[Value],
    ) -> Plan:
        return choose(
            [Need(v, self.definitions.get(v)) for v in sorted(needed, key=self.order.__getitem__)],
            self.definitions, self.homes, path, available, self.order, changing,
        )  # fmt: skip

    def side_supplied(self, undone: Value, block: Block, side: Block) -> Block:
        """The block, which undoes one side of a branch, with what it needs of that."""
        return self.supplied(block, self.needed(block, (side,)), (side,), None, undone=undone)[0]

    # --- loops --------------------------------------------------------------------------------

    def loop(self, statement: Loop, in_loop: bool) -> None:
        mirror: Mirror = statement.mirror
        forward = mirror.statement
        assert isinstance(forward, Loop)
        alone = self.by_itself(forward, statement, mirror)
        if alone is not None:
            self.builder.append(alone)
            return
        built = self.builder.collect(lambda: self.block(statement.body, mirror.path, True))
        plan = Backwards(self, forward, statement, mirror.path, in_loop)
        self.builder.append(plan.loop(built))


    def by_itself(self, forward: Loop, mirrored: Loop, mirror: Mirror) -> Loop | None:
        """The loop that sweeps each iteration forward and back, with nothing saved from the
        forward sweep; None where an iteration needs what others have computed."""
        assert mirrored.item is not None
        if not self.wanted.isdisjoint(forward.results) and takes_long(forward.body):
            return None
        forward = measured_before(forward)
        counts = counts_of(forward, mirrored.body) if len(mirror.path) == 1 else None
        if counts is None:
            return None
        assert forward.iterable is not None
        any_order = only_accumulates(mirrored.params, mirrored.nexts, mirrored.body)
        if not any_order or not can_start_again(forward.iterable, self.definitions):
            return None
        sweeps = Sweeps(Block(forward.body.statements, ()), mirrored.body)
        both = record(sweeps, self.changes.missing, in_iteration=True)
        nexts = dict(zip(forward.params, forward.nexts, strict=True))
        results = (*both.reverse.results, *(nexts[count] for count in counts))
        whole = prune(Block(both.forward.statements + both.reverse.statements, results))
        return Backwards(self, forward, mirrored, mirror.path, False).forwards(whole, counts)


def _mapped(atom: Atom, table: dict[Value, Atom]) -> Atom:
    return table.get(atom, atom) if isinstance(atom, Value) else atom
