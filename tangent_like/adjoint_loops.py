"""The mirror of a loop in the reverse sweep.

    for i in range(n):              for i in reversed(range(n)):
        x = x * w         ──▶           bw = bw + bx * x
                                        bx = bx * w

The mirrored loop carries the adjoints of what the loop carries, and the sums of the adjoints of
the values from around it.  Where the iteration that leaves a loop changes nothing, only the
complete iterations are visited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tangent_like import facts, ir, runtime, trees
from tangent_like.ir import Atom, Block, Const, If, Loop, Op, Value
from tangent_like.sweep import BACKWARDS, Mirror, Sweep, has_tapes
from tangent_like.trees import Tree


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """The blocks that an iteration to be reversed runs through, and what it hands on."""

    path: tuple[Block, ...]
    nexts: tuple[Atom, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One leaf that the mirrored loop carries: of a carried parameter or a captured value."""

    value: Value
    path: tuple[int, ...]
    param: Value
    init: Atom


def mirror_loop(sweep: Sweep, loop: Loop, seeds: Sequence[Tree]) -> None:
    """Append the mirror of a loop whose results have the cotangents `seeds`."""
    iteration = complete_iteration(sweep, loop) or Iteration((loop.body,), loop.nexts)
    sources = item_sources(sweep, loop)
    own = loop.params + ((loop.item,) if loop.item is not None else ())
    captured = sweep.captured((loop.body,), own)
    captured += [s.value for s in sources if s.kind == "array" and s.value not in captured]
    carried = [(p, r, s) for p, r, s in zip(loop.params, loop.results, seeds) if sweep.is_active(p)]
    slots = [slot for p, r, s in carried for slot in carried_slots(sweep, p, r, s)]
    sums = [slot for v in captured for slot in captured_slots(sweep, v)]
    lists = [listed_slot(sweep, s.value) for s in sources if s.kind == "listed"]
    index = Value(loop.item.name if is_range(loop) and loop.item else "", facts.INT)
    outer = sweep.adjoints
    sweep.adjoints = _trees_of(sums)

    def build() -> list[Atom]:
        _run(sweep, loop, iteration, _trees_of(slots))
        spread = add_items(sweep, loop, sources, index, lists)
        after = {v: trees.dissolve(sweep.builder, t, v.fact) for v, t in sweep.adjoints.items()}
        return [*(_leaf(sweep, loop, after, slot) for slot in slots + sums), *spread]

    body = sweep.builder.collect(build)
    sweep.builder.place = loop.place
    sweep.adjoints = outer
    all_slots = slots + sums + lists
    kept = [k for k, (slot, a) in enumerate(zip(all_slots, body.results)) if slot.param is not a]
    results = _append(sweep, loop, iteration, body, all_slots, kept, index)
    _leave(sweep, results, captured, lists)
    for source in sources:
        if source.kind == "tape" and not source.backwards:
            sweep.builder.op(ir.flip, (source.value,))
    _enter(sweep, loop, slots, results)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where the adjoint of a loop variable (or its `part`, of several) goes.

    `value` is the sequence, or for a tape its adjoint tape; `backwards` marks a tape that the
    loop goes through from its end.
    """

    kind: str
    value: Value
    part: int | None
    backwards: bool = False


def item_sources(sweep: Sweep, loop: Loop) -> list[Source]:
    """The active iterables of a loop."""
    found = []
    parts = sweep.components(loop)
    several = len(parts) > 1 or isinstance(loop.iterable and loop.iterable.fact, facts.Zip)
    for k, atom in enumerate(parts):
        part = k if several else None
        if (loop, k) in sweep.readers:
            backwards = sweep.tape_behind(atom) is not atom
            found.append(Source("tape", sweep.readers[loop, k], part, backwards))
        elif sweep.is_active(atom):
            assert isinstance(atom, Value)
            listed = isinstance(atom.fact, (facts.Tuple, facts.List))
            found.append(Source("listed" if listed else "array", atom, part))
    return found


def add_items(
    sweep: Sweep, loop: Loop, sources: Sequence[Source], index: Value, lists: Sequence[Slot]
) -> list[Atom]:
    """The adjoint of the loop variable goes to its place in each sequence."""
    g: Tree = None
    if loop.item is not None:
        a_tape = isinstance(loop.item.fact, facts.Tape)
        g = sweep.tape_adjoint(loop.item) if a_tape else sweep.adjoints.pop(loop.item, None)
    spread: list[Atom] = []
    remaining = iter(lists)
    for source in sources:
        assert loop.item is not None
        path = () if source.part is None else (source.part,)
        item = trees.at(sweep.builder, loop.item, path)
        part = g
        if source.part is not None and g is not None:
            fact = loop.item.fact
            assert isinstance(fact, facts.Tuple)
            part = trees.split(sweep.builder, g, fact)[source.part]
        spread += _add_item(sweep, source, part, item, index, remaining)
    return spread


def _add_item(
    sweep: Sweep, source: Source, g: Tree, item: Atom, index: Value, lists: Iterator[Slot]
) -> list[Atom]:
    if source.kind == "tape":
        filled = trees.materialised(sweep.builder, g, item)
        sweep.builder.op(ir.push, (source.value, filled))
        return []
    if source.kind == "listed":
        slot = next(lists)
        if g is None:
            return [slot.param]
        filled = trees.materialised(sweep.builder, g, item)
        return [sweep.builder.op(runtime.scatter_add, (slot.param, index, filled))]
    if g is not None:
        filled = trees.materialised(sweep.builder, g, item)
        old = sweep.adjoints[source.value]
        sweep.adjoints[source.value] = sweep.builder.op(
            runtime.scatter_add, (old, index, filled)
        )
    return []


def carried_slots(sweep: Sweep, param: Value, result: Value, seed: Tree) -> list[Slot]:
    found = []
    leaves = list(trees.leaves(trees.dissolve(sweep.builder, seed, param.fact), param.fact))
    for (path, fact), leaf in zip(trees.paths(param.fact), leaves):
        init = leaf
        if init is None:
            init = sweep.zero(result, path)
        adjoint = Value(sweep.leaf_name(param, path), trees.derivative_fact(fact))
        found.append(Slot(param, path, adjoint, init))
    return found


def captured_slots(sweep: Sweep, value: Value) -> list[Slot]:
    return carried_slots(sweep, value, value, sweep.adjoints.get(value))


def listed_slot(sweep: Sweep, source: Value) -> Slot:
    """The list of item adjoints of a tuple that is looped over as a sequence."""
    listed = isinstance(source.fact, facts.TupleOf)
    init = (
        trees.zeros_to_add_to(sweep.builder, source) if listed
        else sweep.builder.op(runtime.zero_list, (source,))
    )  # fmt: skip
    adjoint = Value(trees.derivative_name("b", source), facts.ListOf(facts.UNKNOWN))
    return Slot(source, (), adjoint, init)


def is_range(loop: Loop) -> bool:
    return loop.iterable is not None and loop.iterable.fact == facts.Opaque("range")


def _trees_of(slots: Sequence[Slot]) -> dict[Value, Tree]:
    found: dict[Value, list[Atom]] = {}
    for slot in slots:
        found.setdefault(slot.value, []).append(slot.param)
    return {
        value: trees.from_leaves(iter(leaves), value.fact) for value, leaves in found.items()
    }


def _run(sweep: Sweep, loop: Loop, iteration: Iteration, incoming: dict[Value, Tree]) -> None:
    for param, after in zip(loop.params, iteration.nexts):
        if param in incoming:
            sweep.contribute(after, incoming[param])
    sweep.begin(iteration.path, loop.item)
    for depth, block in reversed(list(enumerate(iteration.path))):
        innermost = depth == len(iteration.path) - 1
        statements = block.statements if innermost else block.statements[:-1]
        sweep.run(Block(statements, ()))


def _leaf(sweep: Sweep, loop: Loop, after: dict[Value, Tree], slot: Slot) -> Atom:
    tree = after.get(slot.value)
    for i in slot.path:
        tree = tree[i] if tree is not None else None
    if tree is None:
        if slot.value in loop.params and not _keeps_its_shape(loop, slot):
            return sweep.zero(slot.value, slot.path)
        return trees.zero(sweep.builder, slot.param)
    assert isinstance(tree, (Value, Const))
    return tree


def _keeps_its_shape(loop: Loop, slot: Slot) -> bool:
    """Whether what is carried is known to have one shape in all iterations."""
    k = loop.params.index(slot.value)
    fact = dict(trees.paths(slot.value.fact))[slot.path]
    if isinstance(facts.defined(fact), facts.Scalar):
        return True
    found = [dict(trees.paths(atom.fact)).get(slot.path) for atom in (loop.inits[k], loop.nexts[k])]
    return all(other is not None and facts.same_shape(other, fact) for other in found)


Results = dict[tuple[Value, tuple[int, ...]], Value]


def _append(
    sweep: Sweep,
    loop: Loop,
    iteration: Iteration,
    body: Block,
    slots: Sequence[Slot],
    kept: Sequence[int],
    index: Value,
) -> Results:
    """Append the mirrored loop, without what passes through it unchanged."""
    chosen = [slots[k] for k in kept]
    unchanged = {s.param: s.init for k, s in enumerate(slots) if k not in set(kept)}
    body = ir.substitute(Block(body.statements, tuple(body.results[k] for k in kept)), unchanged)
    mirrored = Loop(
        tuple(Value(s.param.name, s.param.fact) for s in chosen), BACKWARDS, index,
        tuple(s.init for s in chosen), tuple(s.param for s in chosen), body, False, loop.place,
        Mirror(loop, iteration.path),
    )  # fmt: skip
    if mirrored.results or has_tapes(mirrored):
        sweep.builder.append(mirrored)
    return {(s.value, s.path): r for s, r in zip(chosen, mirrored.results)}


def _leave(
    sweep: Sweep, results: Results, captured: Sequence[Value], lists: Sequence[Slot]
) -> None:
    """The adjoints of captured values after the mirrored loop."""
    sweep.take({key: r for key, r in results.items() if key[0] in set(captured)}, captured)
    for listed in lists:
        if (listed.value, ()) not in results:
            continue
        spread = results[listed.value, ()]
        fact = listed.value.fact
        assert isinstance(fact, (facts.Tuple, facts.List))
        sweep.contribute(listed.value, trees.split(sweep.builder, spread, fact))


def _enter(sweep: Sweep, loop: Loop, slots: Sequence[Slot], results: Results) -> None:
    """What the loop carried in gets the adjoint that the first iteration had of it."""
    for param, init in zip(loop.params, loop.inits):
        leaves = [
            results.get((slot.value, slot.path), slot.init) for slot in slots if slot.value is param
        ]
        if leaves:
            sweep.contribute(init, trees.from_leaves(iter(leaves), param.fact))


def complete_iteration(sweep: Sweep, loop: Loop) -> Iteration | None:
    """The path of an iteration that goes on, if leaving the loop changes nothing."""
    if not loop.exits:
        return None
    path = [loop.body]
    go, nexts = loop.body.results[0], loop.nexts
    while not (isinstance(go, Const) and go.value is True):
        step = _continuing(sweep, loop, path[-1], go, nexts)
        if step is None:
            return None
        block, go, nexts = step
        path.append(block)
    return Iteration(tuple(path), nexts)


def _continuing(
    sweep: Sweep, loop: Loop, block: Block, go: Atom, nexts: tuple[Atom, ...]
) -> tuple[Block, Atom, tuple[Atom, ...]] | None:
    last = block.statements[-1] if block.statements else None
    if not isinstance(last, If) or go not in last.results:
        return None
    place = last.results.index(go)
    for leaving, staying in ((last.then, last.orelse), (last.orelse, last.then)):
        flag = leaving.results[place]
        if not (isinstance(flag, Const) and flag.value is False):
            continue
        if _changes_nothing(sweep, loop, block, last, leaving, nexts):
            return staying, staying.results[place], _through(last, staying, nexts)
    return None


def _through(statement: If, branch: Block, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """The atoms as one branch defines them."""
    table = dict(zip(statement.results, branch.results))
    return tuple(table.get(atom, atom) if isinstance(atom, Value) else atom for atom in atoms)


def _changes_nothing(
    sweep: Sweep, loop: Loop, block: Block, last: If, leaving: Block, nexts: tuple[Atom, ...]
) -> bool:
    kept = all(
        after is param or not sweep.is_active(param)
        for after, param in zip(_through(last, leaving, nexts), loop.params)
    )
    before = Block(block.statements[:-1], ())
    return kept and not any(
        isinstance(s, Op) and s.fn in (ir.push, ir.pop)
        for part in (before, leaving)
        for s in ir.walk(part)
    )

