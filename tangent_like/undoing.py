"""Undo what a loop has written, rather than save arrays as they were.

    for i in range(n):                          for i in range(n):
        s = sum(a[i] * x)                           x_i_tape.append(x[i])
        x[i] = s * s                                x[i] = sum(a[i] * x) ** 2
    --- reverse, reads x of the iteration       for i in reversed(range(n)):
        ... x ...                      ──▶          x[i] = x_i_tape.pop()
                                                    ... x ...

The mirrored loop carries the array backwards: it starts from what the loop has left, and where an
older version is read, the stores since then are undone one by one.  So an array of which elements
or rows are written costs no copy in each iteration.  It is done where a version would have to be
saved as a whole, and where every store in the iteration writes a small part.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

from tangent_like import facts, ir, runtime
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, If, Loop, Op, Value
from tangent_like.stores import Store, index_parts

Undone = Mapping[tuple[Loop, int], Value]
"""For loops of the forward sweep, by the number of what they carry: the result of the mirrored
loop that is the array as it was before the loop."""


Supply = Callable[[Block, Block], Block]
"""Gives what undoes a side of a branch what it needs of that side."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """From a version of an array to the next: by a store, by a branch whose `sides` store, or by a
    loop that is undone, where `result` is what the mirrored loop gives.

    `old` is what the store overwrites, and `reads` are what reads it in the forward sweep.
    """

    before: Value
    after: Value
    block: Block
    store: Op | None = None
    old: Value | None = None
    reads: tuple[Op, ...] = ()
    branch: If | None = None
    sides: tuple[tuple[Step, ...], ...] = ()
    result: Value | None = None

    @property
    def operands(self) -> tuple[Atom, ...]:
        """What names the place of a store."""
        if self.store is None:
            return ()
        return self.store.args[2:] if isinstance(self.store.fn, Store) else self.store.args[1:2]

    def stores(self) -> Iterator[Step]:
        """The step itself, or those inside, that store."""
        if self.store is not None:
            yield self
        for side in self.sides:
            for step in side:
                yield from step.stores()


@dataclass(frozen=True, slots=True, eq=False)
class Undo:
    """What a mirrored loop undoes: for each number of what the loop carries the steps from the
    array at the start of an iteration to its end, and the number under which it ends."""

    loop: Loop
    chains: Mapping[int, tuple[Step, ...]]
    ends: Mapping[int, int]
    backs: Mapping[int, Value]
    """What the mirrored loop carries backwards: the arrays as they are at the end."""

    blocks: Mapping[Step, Block] = field(default_factory=dict)
    """What undoes each step."""

    @property
    def versions(self) -> dict[Value, tuple[int, int]]:
        """All versions of the arrays in an iteration: of which chain, and after how many steps."""
        found = {}
        for k, steps in self.chains.items():
            found[self.loop.params[k]] = k, 0
            found.update({step.after: (k, i) for i, step in enumerate(steps, 1)})
        return found

    @property
    def stores(self) -> list[Step]:
        return [s for steps in self.chains.values() for step in steps for s in step.stores()]

    @property
    def needs(self) -> list[Value]:
        """What undoing reads of an iteration, but for the arrays."""
        found = {v: None for block in self.blocks.values() for v in ir.free_values(block)}
        return [v for v in found if v not in self.versions]

    def built(
        self, supply: Callable[[Value, Block, Block], Block], first: Mapping[Value, Value]
    ) -> Undo:
        """With the blocks that undo the steps; `supply` is also told the array.  What is computed
        twice is taken for the `first` one."""
        blocks: dict[Step, Block] = {}
        for steps in self.chains.values():
            for step in steps:
                if step.result is None:
                    builder = Builder(derivative=True)
                    build = partial(_undone, builder, [step], partial(supply, step.after))
                    blocks[step] = ir.substitute(builder.collect(build), first)
        return replace(self, blocks=blocks)


def _undone(builder: Builder, steps: Sequence[Step], supply: Supply) -> list[Atom]:
    """Append what undoes steps, the last one first; the array before them."""
    array: Atom = steps[-1].after
    for step in reversed(steps):
        if step.branch is not None:
            then, orelse = (
                supply(builder.collect(partial(_side, builder, inner, array, supply)), block)
                for inner, block in zip(step.sides, ir.blocks_of(step.branch))
            )
            (array,) = builder.join(step.branch.test, then, orelse, [step.before.name])
            continue
        assert step.store is not None and step.old is not None
        fn = step.store.fn
        store = fn.assigning() if isinstance(fn, Store) else Store((operator.getitem,), (1,))
        operands = (array, step.old, *step.operands)
        array = builder.op(store, operands, name=step.before.name, place=step.store.place)
    return [array]


def _side(builder: Builder, steps: Sequence[Step], array: Atom, supply: Supply) -> list[Atom]:
    """Append what undoes one side of a branch that ends with `array`."""
    if not steps:
        return [array]
    built = builder.collect(partial(_undone, builder, steps, supply))
    built = ir.substitute(built, {steps[-1].after: array})
    for statement in built.statements:
        builder.append(statement)
    return list(built.results)


def plan_undo(
    loop: Loop, path: Sequence[Block], saved: Collection[Value], undone: Undone
) -> Undo | None:
    """How to undo what the loop writes so that arrays need not be saved; None where it cannot be,
    or where it costs more than that.  An iteration runs through the blocks of `path`."""
    steps = _single([step for block in path for step in _steps(block, undone, path)])
    nexts = _nexts(loop, path)
    chains: dict[int, tuple[Step, ...]] = {}
    ends: dict[int, int] = {}
    pending = [
        k
        for k, param in enumerate(loop.params)
        if any(v in saved for v in (param, *(s.after for s in _chain(param, steps))))
    ]
    while pending:
        k = pending.pop()
        if k in chains:
            continue
        chain = _chain(loop.params[k], steps)
        end = chain[-1].after if chain else loop.params[k]
        if end not in nexts:
            return None
        chains[k], ends[k] = chain, nexts.index(end)
        pending.append(ends[k])
    if len(set(ends.values())) < len(ends) or not any(chains.values()):
        return None
    last = {ends[k]: c[-1].after if c else loop.params[k] for k, c in chains.items()}
    backs = {end: Value(value.name, value.fact) for end, value in last.items()}
    return Undo(loop, chains, ends, backs)


def _nexts(loop: Loop, path: Sequence[Block]) -> list[Atom]:
    """What a complete iteration hands on, where the one that leaves the loop changes nothing."""
    nexts = list(loop.nexts)
    for outer, inner in pairwise(path):
        last = outer.statements[-1]
        assert isinstance(last, If)
        leaving = last.orelse if last.then is inner else last.then
        staying, left = (dict(zip(last.results, b.results)) for b in (inner, leaving))
        for k, (after, param) in enumerate(zip(nexts, loop.params)):
            if isinstance(after, Value):
                unchanged = left.get(after, after) is param
                nexts[k] = staying.get(after, after) if unchanged else ir.UNDEFINED
    return nexts


def _chain(value: Value, steps: Mapping[Value, Step]) -> tuple[Step, ...]:
    found = []
    while value in steps:
        found.append(steps[value])
        value = steps[value].after
    return tuple(found)


def _single(steps: Sequence[Step]) -> dict[Value, Step]:
    """The steps by the version that each starts from, where that is only one."""
    found: dict[Value, list[Step]] = {}
    for step in steps:
        found.setdefault(step.before, []).append(step)
    return {before: alike[0] for before, alike in found.items() if len(alike) == 1}


def _steps(block: Block, undone: Undone, path: Sequence[Block] = ()) -> Iterator[Step]:
    for statement in block.statements:
        if any(inner in path for inner in ir.blocks_of(statement)):
            continue  # the branch by which an iteration goes on
        if isinstance(statement, Op):
            if isinstance(statement.fn, Store) or statement.fn is runtime.scatter_add:
                array = statement.args[0]
                if isinstance(array, Value) and _is_array(array) and _writes_little(statement):
                    yield _of_store(statement, array, block)
        elif isinstance(statement, If):
            yield from _of_branch(statement, block)
        else:
            for k, init in enumerate(statement.inits):
                result = undone.get((statement, k))
                if result is not None and isinstance(init, Value):
                    yield Step(init, statement.results[k], block, result=result)


def _is_array(value: Value) -> bool:
    return isinstance(value.fact, facts.Array) and bool(value.fact.dims)


def _writes_little(op: Op) -> bool:
    """Whether a store writes an element, a row, or a part of one."""
    operands = op.args[2:] if isinstance(op.fn, Store) else op.args[1:2]
    return any(
        isinstance(part, facts.Scalar) and part.type == "int"
        for index in operands
        for part in index_parts(index)
    )


def _of_store(op: Op, array: Value, block: Block) -> Step:
    """A store, with what it overwrites."""
    for other in block.statements:  # that may have been read for other reasons
        if isinstance(other, Op) and other.fn is operator.getitem and other.args[0] is array:
            path = op.fn.path if isinstance(op.fn, Store) else (operator.getitem,)
            index = op.args[-1] if isinstance(op.fn, Store) else op.args[1]
            if len(path) == 1 and other.args[1] is index:
                return Step(array, op.result, block, op, other.result)
    builder = Builder(op.place)
    old: Atom = array
    steps = [(operator.getitem, op.args[1:2])]
    if isinstance(op.fn, Store):
        steps = op.fn.steps(op.args[2:])
    for step, own in steps:
        old = builder.op(step, (old, *own))
    assert isinstance(old, Value)
    reads = [s for s in builder.finish(()).statements if isinstance(s, Op)]
    return Step(array, op.result, block, op, old, tuple(reads))


def _of_branch(statement: If, block: Block) -> Iterator[Step]:
    """For each array that a branch writes into, what its sides do."""
    inner = [
        {step.after: step for step in _single(list(_steps(side, {}))).values()}
        for side in (statement.then, statement.orelse)
    ]
    for k, result in enumerate(statement.results):
        if not _is_array(result):
            continue
        sides, sources = [], []
        for steps, side in zip(inner, ir.blocks_of(statement)):
            source, found = side.results[k], []
            while source in steps:
                found.append(steps[source])
                source = found[-1].before
            sides.append(tuple(reversed(found)))
            sources.append(source)
        if sources[0] is sources[1] and isinstance(sources[0], Value) and any(sides):
            yield Step(sources[0], result, block, branch=statement, sides=tuple(sides))


# --- weaving the undoing into a mirrored block --------------------------------------------------


@dataclass(eq=False, slots=True)
class Weaver:
    """Appends the statements of a mirrored block, each after what it needs: what is computed from
    versions of the arrays (`late`) comes right before it is read, and before the array is changed.
    """

    undo: Undo
    builder: Builder
    table: dict[Value, Atom]
    late: dict[Value, Op]
    order: Mapping[Value, int]
    reached: dict[int, int] = field(default_factory=dict)
    """How many steps of each chain are not undone yet."""

    versions: dict[Value, tuple[int, int]] = field(default_factory=dict)

    def block(self, block: Block) -> tuple[Atom, ...]:
        """Append the block; its results, and after them the arrays as they were before."""
        self.versions = self.undo.versions
        for k, steps in self.undo.chains.items():
            self.reached[k] = len(steps)
            last = steps[-1].after if steps else self.undo.loop.params[k]
            self.table[last] = self.undo.backs[self.undo.ends[k]]
        for statement in block.statements:
            self.demand(ir.free_values(Block((statement,), ())))
            (done,) = ir.substitute(Block((statement,), ()), self.table).statements
            self.builder.append(done)
            self.pass_loops(ir.defined_by(done))
        self.demand(dict.fromkeys(a for a in block.results if isinstance(a, Value)))
        results = ir.replaced(block.results, self.table)
        for k in self.undo.chains:
            self.descend(k, 0)
        return (*results, *(self.table[self.undo.loop.params[k]] for k in sorted(self.undo.backs)))

    def demand(self, values: Collection[Value]) -> None:
        known = [v for v in values if v in self.versions or v in self.late]
        for value in sorted(known, key=self.order.__getitem__, reverse=True):
            self.provide(value)

    def provide(self, value: Value) -> None:
        if value in self.table:
            return
        if value in self.versions:
            self.descend(*self.versions[value])
        else:
            op = self.late[value]
            self.demand(dict.fromkeys(a for a in op.atoms if isinstance(a, Value)))
            self.compute(op)

    def compute(self, op: Op) -> None:
        named = {key: ir.replaced((a,), self.table)[0] for key, a in op.keywords}
        args = ir.replaced(op.args, self.table)
        self.table[op.result] = self.builder.op(
            op.fn, args, named, name=op.result.name, place=op.place
        )

    def descend(self, k: int, until: int) -> None:
        """Undo the steps of a chain down to a version."""
        while self.reached[k] > until:
            step = self.undo.chains[k][self.reached[k] - 1]
            self.read_before_it_changes(step.after)
            assert step.result is None  # a loop is undone by its mirror, which comes before
            self.reached[k] -= 1
            block = ir.substitute(self.undo.blocks[step], self.table)
            for statement in block.statements:
                self.builder.append(statement)
            (self.table[step.before],) = block.results

    def read_before_it_changes(self, array: Value) -> None:
        for value, op in self.late.items():
            if value not in self.table and array in op.atoms:
                if all(a in self.table or not self.is_due(a) for a in op.atoms):
                    self.compute(op)

    def is_due(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and (atom in self.versions or atom in self.late)

    def pass_loops(self, results: Sequence[Value]) -> None:
        """Go on from what a mirrored loop has undone."""
        for k, steps in self.undo.chains.items():
            at = self.reached[k]
            found = steps[at - 1].result if at else None
            if found is not None and found in results:
                self.reached[k] -= 1
                self.table[steps[at - 1].before] = found


def is_feasible(undo: Undo, block: Block, late: Mapping[Value, Op]) -> bool:
    """Whether each version is read after what was written since then can be undone."""
    versions = undo.versions

    def reached(values: Collection[Atom]) -> Iterator[tuple[int, int]]:
        pending = list(values)
        seen: set[Atom] = set()
        while pending:
            atom = pending.pop()
            if atom in seen or not isinstance(atom, Value):
                continue
            seen.add(atom)
            if atom in versions:
                yield versions[atom]
            elif atom in late:
                pending += late[atom].atoms

    loops = {
        k: [i for i, step in enumerate(steps, 1) if step.result is not None]
        for k, steps in undo.chains.items()
    }
    for statement in block.statements:
        for k, i in reached(ir.free_values(Block((statement,), ()))):
            if loops[k] and i < loops[k][-1]:
                return False
        for k, steps in undo.chains.items():
            if loops[k] and steps[loops[k][-1] - 1].result in ir.defined_by(statement):
                loops[k].pop()
    return not any(loops.values())
