"""Decide how each value of the forward sweep reaches the reverse sweep.

    for i in range(n):                          x_tape = []
        x = r * x * (1 - x)                     for i in range(n):
    --- reverse, with free references             x_tape.append(x)
    for ... backwards:                 ──▶          x = r * x * (1 - x)
        br += bx * x{of the iteration} ...      for x in reversed(x_tape):
                                                    br += bx * x * ...

Innermost blocks first, for each value that a mirrored block reads and that its own iteration
defined: a value outside all loops is in scope (a branch hands it out); a cheap expression is
computed again; everything else is pushed where it is defined and popped where it is read.
Loops run backwards over the iterable, over a tape, or over a counter.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tangent_like import facts, infer, ir
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
from tangent_like.simplify.dead import prune
from tangent_like.stores import Store
from tangent_like.sweep import Mirror
from tangent_like.undoing import Undo, Weaver, is_feasible, plan_undo


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
    changing = _changing(sweeps.forward)
    recorder = _Recorder(*_index(sweeps.forward, first), Changes(missing), first, changing)
    builder = Builder()
    recorder.builder = builder
    mirrored = ir.substitute(sweeps.reverse, first)
    if in_iteration:
        recorder.wanted = wanted_of(sweeps.forward, mirrored)
    reverse = builder.collect(lambda: recorder.block(mirrored, (sweeps.forward,), in_loop=False))
    forward = apply_changes(sweeps.forward, recorder.changes)
    return Joint(without_gradient_blocks(forward), reverse)


def _index(
    forward: Block, first: Mapping[Value, Value]
) -> tuple[dict[Value, Block], dict[Value, Op], dict[Value, int], dict[Statement, Block]]:
    """Where each value is defined, by what, and in which order; where each statement stands.

    What is computed twice is taken for the first one: the user writes `u[i + 1]` where it is
    needed, and the reverse sweep reads it once."""
    homes: dict[Value, Block] = {}
    definitions: dict[Value, Op] = {}
    blocks: dict[Statement, Block] = {}

    def visit(block: Block) -> None:
        for statement in block.statements:
            if isinstance(statement, Op):
                definitions[statement.result] = ir.with_operands(statement, first)
            if isinstance(statement, Loop):
                own = statement.params + ((statement.item,) if statement.item else ())
                homes.update(dict.fromkeys(own, statement.body))
            for inner in ir.blocks_of(statement):
                visit(inner)
            homes.update(dict.fromkeys(ir.defined_by(statement), block))
            blocks[statement] = block

    visit(forward)
    _measure_outside(forward, homes, definitions)
    return homes, definitions, {value: i for i, value in enumerate(homes)}, blocks


def _measure_outside(
    forward: Block, homes: Mapping[Value, Block], definitions: dict[Value, Op]
) -> None:
    """Let the length of an array that a loop carries be that of an argument as long as it."""
    at_hand: dict[facts.Dim, Value] = {}
    for atom in ir.atoms_in(forward):
        if isinstance(atom, Value) and atom not in homes and facts.rank(atom.fact):
            at_hand.setdefault(_first_length(atom), atom)
    for value, op in definitions.items():
        if op.fn is len and isinstance(op.args[0], Value) and facts.rank(op.args[0].fact):
            length = _first_length(op.args[0])
            if length in at_hand:
                definitions[value] = replace(op, args=(at_hand[length],))


def _first_length(array: Value) -> facts.Dim:
    sizes = facts.dims(array.fact)
    assert sizes
    return sizes[0]


def _changing(forward: Block) -> frozenset[Value]:
    """The arrays in loops that are written into after what reads them."""
    found: set[Atom] = set()
    for statement in reversed(list(ir.walk(forward))):
        if isinstance(statement, Op) and isinstance(statement.fn, Store):
            found.add(statement.args[0])
        elif isinstance(statement, Loop):
            found.update(i for i, p in zip(statement.inits, statement.params) if p in found)
    outside = {value for s in forward.statements for value in ir.defined_by(s)}
    return frozenset(v for v in found if isinstance(v, Value) and v not in outside)


@dataclass(eq=False, slots=True)
class _Recorder:
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
        late = _late(plan, undo)
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
        plan = _Backwards(self, forward, statement, mirror.path, in_loop)
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
        return _Backwards(self, forward, mirrored, mirror.path, False).forwards(whole, counts)


@dataclass(eq=False, slots=True)
class _Backwards:
    """Choosing what a mirrored loop runs over."""

    recorder: _Recorder
    forward: Loop
    mirrored: Loop
    path: tuple[Block, ...]
    in_loop: bool

    def parts(self) -> tuple[Atom, ...]:
        return ir.components(self.forward.iterable, self.recorder.definitions)

    def loop(self, body: Block) -> Loop:
        recorder = self.recorder
        index = self.mirrored.item
        assert index is not None
        direct: list[tuple[Atom, Value]] = []
        by_index = self.forward.exits or index in ir.free_values(body) or not self.agree()
        supply, items = self.item_supply(index, direct, by_index)
        needed = [v for v in recorder.needed(body, self.path) if v not in items]
        undo = self.undo(body, needed, items)
        supplied, tapes = recorder.supplied(body, needed, self.path, items, undo)
        mirrored = self.mirrored if undo is None else self.undoing(undo)
        supplied = _with_used(supply, supplied)
        used = ir.free_values(supplied)
        used_directly = [pair for pair in direct if pair[1] in used]
        return replace(self, mirrored=mirrored).over(supplied, tapes, index, used_directly)

    def undo(
        self, body: Block, needed: Sequence[Value], items: Mapping[Value, Atom]
    ) -> Undo | None:
        """How to get at older versions of arrays that would have to be saved as a whole."""
        recorder = self.recorder
        if not recorder.changing:
            return None
        taped = recorder.plan(needed, self.path, items).taped
        arrays = {v for v in taped if facts.rank(v.fact) and isinstance(v.fact, facts.Array)}
        undo = plan_undo(self.forward, self.path, arrays, recorder.undone) if arrays else None
        if undo is None:
            return None
        for step in undo.stores:
            assert step.old is not None and step.store is not None
            recorder.homes[step.old] = step.block
            recorder.order.setdefault(step.old, recorder.order[step.after])
            recorder.changes.reads[step.store] = step.reads
        undo = undo.built(recorder.side_supplied, recorder.first)
        plan = recorder.plan(needed, self.path, items, undo)
        return undo if is_feasible(undo, body, _late(plan, undo)) else None

    def undoing(self, undo: Undo) -> Loop:
        """The mirrored loop, which carries the arrays backwards as well."""
        recorder, mirrored = self.recorder, self.mirrored
        numbers = sorted(undo.backs)
        results = tuple(Value(undo.backs[k].name, undo.backs[k].fact) for k in numbers)
        found = dict(zip(numbers, results))
        recorder.undone.update(
            {(self.forward, k): found[k] for k, end in undo.ends.items() if k == end}
        )
        return replace(
            mirrored,
            results=(*mirrored.results, *results),
            inits=(*mirrored.inits, *(self.forward.results[k] for k in numbers)),
            params=(*mirrored.params, *(undo.backs[k] for k in numbers)),
        )

    def is_numbered(self) -> bool:
        """Whether the index is the number of the iteration, rather than the item of a range: the
        user goes through several sequences side by side (those with tapes are our own)."""
        parts = self.parts()
        return len(parts) > 1 and not any(isinstance(p.fact, facts.Tape) for p in parts)

    def agree(self) -> bool:
        """Whether what the loop goes through side by side is known to be of one length."""
        if not self.is_numbered():
            return True
        sizes = {_length_of(part, self.recorder.definitions) for part in self.parts()}
        return len(sizes) == 1 and None not in sizes

    def forwards(self, body: Block, counts: Sequence[Value]) -> Loop:
        """The loop over complete iterations, the first one first, which carries the counts too."""
        index, item = self.mirrored.item, self.forward.item
        assert index is not None
        builder = self.recorder.builder
        if index in ir.free_values(body):
            supply, items = self.item_supply(index, [], True)
            body = _with_used(supply, ir.substitute(body, items))
            iterable, turned = self.indices()
            iterable = builder.op(reversed, (iterable,)) if turned else iterable
        else:
            assert self.forward.iterable is not None and item is not None
            iterable, index = self.anew(self.forward.iterable), item
        new, *own = (Value(v.name, v.fact) for v in (index, *counts))
        table: dict[Value, Atom] = dict(zip((index, *counts), (new, *own), strict=True))
        inits = dict(zip(self.forward.params, self.forward.inits, strict=True))
        return replace(
            self.mirrored, iterable=iterable, item=new, body=ir.refreshed(body, table), mirror=None,
            results=(*self.mirrored.results, *(Value(v.name, v.fact) for v in counts)),
            inits=(*self.mirrored.inits, *(inits[v] for v in counts)),
            params=(*self.mirrored.params, *own),
        )  # fmt: skip

    def anew(self, iterable: Atom) -> Atom:
        """The iterable, made once more where it is an iterator."""
        made = self.recorder.definitions.get(iterable)  # type: ignore[arg-type]
        if made is None or made.fn not in (zip, reversed, enumerate):
            return iterable
        return self.recorder.builder.op(made.fn, [self.anew(part) for part in made.args])

    def item_supply(
        self, index: Value, direct: list[tuple[Atom, Value]], by_index: bool
    ) -> tuple[Block, dict[Value, Atom]]:
        """Operations that give the loop variable of this iteration, and its atom.

        `direct` gains what the loop is to go through itself: tapes, and unless it counts anyway
        (`by_index`) the arrays.
        """
        item = self.forward.item
        if item is None:
            return Block((), ()), {}
        builder = self.recorder.builder
        is_zip = isinstance(self.forward.iterable and self.forward.iterable.fact, facts.Zip)

        def build() -> list[Atom]:
            atoms = [
                self.part_supply(builder, part, index, direct, by_index) for part in self.parts()
            ]
            return [builder.op(ir.make_tuple, atoms) if is_zip else atoms[0]]

        supply = builder.collect(build)
        found = supply.results[0]
        if isinstance(found, Value) and not found.name:
            found.name = item.name
        return supply, {item: found}

    def part_supply(
        self,
        builder: Builder,
        part: Atom,
        index: Value,
        direct: list[tuple[Atom, Value]],
        by_index: bool,
    ) -> Atom:
        if part.fact == facts.Opaque("range"):
            return self.number_supply(builder, part, index)
        if isinstance(part.fact, facts.Array) and not by_index:
            value = Value("", infer.item_of_iterable(part))
            direct.append((part, value))
            return value
        if isinstance(part.fact, facts.Tape):
            value = Value("", part.fact.item)
            direct.append((part, value))
            return value
        return builder.op(operator.getitem, (part, index))

    def number_supply(self, builder: Builder, part: Atom, index: Value) -> Atom:
        """The item of a range; beside other sequences the index is the number of the iteration."""
        definition = self.recorder.definitions.get(part)  # type: ignore[arg-type]
        if not self.is_numbered() or _counts_from_zero(definition):
            return index
        if definition is not None and definition.fn is reversed:
            last = builder.op(operator.sub, (Const(-1), index))
            return builder.op(operator.getitem, (definition.args[0], last))
        return builder.op(operator.getitem, (part, index))

    def over(
        self,
        body: Block,
        tapes: list[tuple[Value, Value]],
        index: Value,
        direct: list[tuple[Atom, Value]],
    ) -> Loop:
        """The loop over the cheapest thing that gives what the body reads."""
        uses_index = index in ir.free_values(body)
        builder = self.recorder.builder
        sources: list[tuple[Atom, Value]] = []
        for part, value in direct:
            sources.append((self.backwards(part), value))
        saved = any(isinstance(part.fact, facts.Tape) for part, _ in direct)
        if not saved and tapes and not self.in_loop:
            body, drained = _drained(body, tapes)
            sources.extend((builder.op(reversed, (tape,)), value) for tape, value in drained)
        if uses_index:
            sources.insert(0, (self.backwards_indices(), index))
            index.name = index.name or ("i" if len(sources) > 1 else "")
        if not sources:
            sources.append((self.trips(), index))
        return self.assemble(body, sources)

    def assemble(self, body: Block, sources: list[tuple[Atom, Value]]) -> Loop:
        builder = self.recorder.builder
        if len(sources) == 1:
            iterable, item = sources[0]
            return replace(self.mirrored, iterable=iterable, item=item, body=body, mirror=None)
        iterable = builder.op(zip, [source for source, _ in sources])
        item = Value("", infer.item_of_iterable(iterable))
        heads = tuple(
            Op(value, operator.getitem, (item, Const(i)), (), self.forward.place)
            for i, (_, value) in enumerate(sources)
        )
        body = Block(heads + body.statements, body.results)
        return replace(self.mirrored, iterable=iterable, item=item, body=body, mirror=None)

    def backwards(self, part: Atom) -> Atom:
        """A tape or an array from its end."""
        if isinstance(part.fact, facts.Array):
            turned = Const(slice(None, None, -1))
            return self.recorder.builder.op(operator.getitem, (part, turned))
        return self.reversed_tape(part)

    def reversed_tape(self, part: Atom) -> Atom:
        definition = self.recorder.definitions.get(part)  # type: ignore[arg-type]
        if definition is not None and definition.fn is reversed:
            return definition.args[0]
        return self.recorder.builder.op(reversed, (part,))

    def backwards_indices(self) -> Atom:
        """The indices of the iterations, the last one first."""
        builder = self.recorder.builder
        indices, turned = self.indices()
        if self.forward.exits:
            bound = builder.op(slice, (Const(None), self.count(), Const(None)))
            indices = builder.op(operator.getitem, (indices, bound))
        return indices if turned else builder.op(reversed, (indices,))

    def indices(self) -> tuple[Atom, bool]:
        """The range that the loop goes through, and whether it does so backwards."""
        builder = self.recorder.builder
        parts = self.parts()
        if self.is_numbered():
            return self.numbers(parts), False
        for part in parts:
            if part.fact == facts.Opaque("range"):
                definition = self.recorder.definitions.get(part)  # type: ignore[arg-type]
                if definition is not None and definition.fn is reversed:
                    return definition.args[0], True
                return part, False
        length = builder.op(len, (parts[0],))
        return builder.op(range, (length,)), False

    def numbers(self, parts: tuple[Atom, ...]) -> Atom:
        """The numbers of the iterations over several sequences: as many as the shortest has."""
        builder, definitions = self.recorder.builder, self.recorder.definitions
        if self.agree():
            for part in parts:
                if _counts_from_zero(definitions.get(part)):  # type: ignore[arg-type]
                    return part
            return builder.op(range, (builder.op(len, (parts[0],)),))
        lengths = [builder.op(len, (_measured(part, definitions),)) for part in parts]
        return builder.op(range, (builder.op(min, lengths),))

    def trips(self) -> Atom:
        """Something with as many items as there were iterations."""
        builder = self.recorder.builder
        if self.forward.exits:
            return builder.op(range, (self.count(),))
        first = self.parts()[0]
        if isinstance(first.fact, facts.Tape):
            return self.reversed_tape(first)
        return self.indices()[0]

    def count(self) -> Atom:
        count = self.recorder.changes.count(self.forward, self.path)
        self.recorder.place(count, self.forward)
        return count


def _drained(
    body: Block, tapes: list[tuple[Value, Value]]
) -> tuple[Block, list[tuple[Value, Value]]]:
    """The body without its pops: the loop itself goes through the tapes."""
    popped = {value for _, value in tapes}
    kept = tuple(s for s in body.statements if not (isinstance(s, Op) and s.result in popped))
    return Block(kept, body.results), tapes


def _with_used(supply: Block, body: Block) -> Block:
    """The body after those operations of the supply that it uses."""
    for statement in reversed(supply.statements):
        assert isinstance(statement, Op)
        if statement.result in ir.free_values(body):
            body = Block((statement, *body.statements), body.results)
    return body


def _late(plan: Plan, undo: Undo | None) -> dict[Value, Op]:
    """What is computed from older versions of arrays, which are there later only."""
    found: dict[Value, Op] = {}
    versions = {} if undo is None else undo.versions
    for op in plan.recomputed:
        if any(a in versions or a in found for a in op.atoms):
            found[op.result] = op
    return found


def _mapped(atom: Atom, table: dict[Value, Atom]) -> Atom:
    return table.get(atom, atom) if isinstance(atom, Value) else atom


def free_of(joint: Joint) -> Iterator[Value]:
    """The values of the forward sweep that the reverse sweep reads."""
    yield from ir.free_values(joint.reverse)


def _counts_from_zero(definition: Op | None) -> bool:
    return definition is not None and definition.fn is range and len(definition.args) == 1


def _measured(part: Atom, definitions: Mapping[Value, Op]) -> Atom:
    """What has the length of a sequence that may be gone through backwards."""
    definition = definitions.get(part) if isinstance(part, Value) else None
    return definition.args[0] if definition is not None and definition.fn is reversed else part


def _length_of(part: Atom, definitions: Mapping[Value, Op]) -> facts.Dim | None:
    """The length of a sequence, where its fact tells it."""
    measured = _measured(part, definitions)
    definition = definitions.get(measured) if isinstance(measured, Value) else None
    if definition is not None and _counts_from_zero(definition):
        count = definition.args[0].fact
        return count.size if isinstance(count, facts.Scalar) else None
    if isinstance(measured.fact, facts.Tuple | facts.List):
        return len(measured.fact.items)
    dims = facts.dims(measured.fact)
    return dims[0] if dims else None
