"""What a mirrored loop runs over: the iterable backwards, a tape, or a counter."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tangent_like import facts, infer, ir
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Const, Loop, Op, Value
from tangent_like.recomputation import Plan
from tangent_like.undoing import Undo, is_feasible, plan_undo

if TYPE_CHECKING:
    from tangent_like.recording.recorder import Recorder


@dataclass(eq=False, slots=True)
class Backwards:
    """Choosing what a mirrored loop runs over."""

    recorder: Recorder
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
        return undo if is_feasible(undo, body, computed_late(plan, undo)) else None

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
            return builder.op(range, (builder.op(len, (_measured(parts[0], definitions),)),))
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


def _with_used(supply: Block, body: Block) -> Block:
    """The body after those operations of the supply that it uses."""
    for statement in reversed(supply.statements):
        assert isinstance(statement, Op)
        if statement.result in ir.free_values(body):
            body = Block((statement, *body.statements), body.results)
    return body


def computed_late(plan: Plan, undo: Undo | None) -> dict[Value, Op]:
    """What is computed from older versions of arrays, which are there later only."""
    found: dict[Value, Op] = {}
    versions = {} if undo is None else undo.versions
    for op in plan.recomputed:
        if any(a in versions or a in found for a in op.atoms):
            found[op.result] = op
    return found
