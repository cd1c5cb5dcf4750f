"""A tape of numbers whose length is known at the start is an array with a place an iteration.

    x_tape = []                                  x_tape = np.empty(max(n, 0))
    for i in range(n):                           for i in range(n):
        x_tape.append(x)                 ──▶         x_tape[i] = x
        ...                                          ...
    for i in range(n - 1, -1, -1):               for i in range(n - 1, -1, -1):
        x = x_tape.pop()                             x = x_tape[i]

This holds where the loops around the one push go through ranges that are known before the outermost
of them starts, and each read stands in loops that mirror these, iteration for iteration.  In
nested loops the array has an axis for each.  Every other tape stays a list.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect.rebuild import (
    appended,
    bounds,
    definitions_of,
    is_constant,
    made_by,
)
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Statement, Value

_TYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_, "complex": np.complex128}
_MOST_AXES = 4
Definitions = Mapping[Value, Op]
Loops = tuple[Loop, ...]


@dataclass(eq=False, slots=True)
class Tape:
    """Where a tape is made, filled and read; `plain_reads` name their place, or its length."""

    value: Value
    made_in: Loops
    pushes: list[tuple[Op, Loops, bool]] = field(default_factory=list)
    pops: list[tuple[Op, Loops]] = field(default_factory=list)
    plain_reads: list[Op] = field(default_factory=list)
    other_uses: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """The array that stands for a tape: the loops around its push, outermost first."""

    tape: Tape
    loops: Loops
    dtype: type


def preallocate(function: Function) -> Function:
    definitions = definitions_of(function)
    rooms = [r for t in found_tapes(function) if (r := room_for(t, definitions))]
    if not rooms:
        return function
    return replace(function, body=_Rewriting(rooms, definitions).block(function.body))


# --- which tapes --------------------------------------------------------------------------------


def found_tapes(function: Function) -> list[Tape]:
    search = _Search({})
    search.block(function.body, (), True)
    return list(search.tapes.values())


@dataclass(eq=False, slots=True)
class _Search:
    tapes: dict[Value, Tape]

    def block(self, block: Block, loops: Loops, certain: bool) -> None:
        for statement in block.statements:
            if isinstance(statement, Op):
                self.op(statement, loops, certain)
                continue
            self.others(ir.read_by(statement))
            inner = (*loops, statement) if isinstance(statement, Loop) else loops
            for nested in ir.blocks_of(statement):
                self.block(nested, inner, isinstance(statement, Loop))
        self.others(block.results)

    def op(self, op: Op, loops: Loops, certain: bool) -> None:
        if op.fn is ir.new_tape:
            self.tapes[op.result] = Tape(op.result, loops)
            return
        first = op.args[0] if op.args else None
        tape = self.tapes.get(first) if isinstance(first, Value) else None
        if tape is None or op.fn not in (ir.push, ir.pop, ir.fetch, len):
            self.others(op.atoms)
        elif op.fn is ir.push:
            tape.pushes.append((op, loops, certain))
            self.others(op.args[1:])
        elif op.fn is ir.pop:
            tape.pops.append((op, loops))
        else:
            tape.plain_reads.append(op)

    def others(self, atoms: Sequence[Atom]) -> None:
        for atom in atoms:
            if isinstance(atom, Value) and atom in self.tapes:
                self.tapes[atom].other_uses += 1


def room_for(tape: Tape, definitions: Definitions) -> Room | None:
    """The array for a tape, or None where it must stay a list."""
    item = tape.value.fact.item if isinstance(tape.value.fact, facts.Tape) else facts.UNKNOWN
    if not isinstance(item, facts.Scalar) or item.type not in _TYPES:
        return None
    if len(tape.pushes) != 1 or tape.other_uses:
        return None
    _, around, certain = tape.pushes[0]
    loops = inside_of(tape.made_in, around)
    if loops is None or not 0 < len(loops) <= _MOST_AXES:
        return None
    if tape.plain_reads and (len(loops) > 1 or not certain):
        return None
    regular = all(is_regular(loop, loops[0], definitions) for loop in loops)
    if not regular or not all(mirrors(tape, p[1], loops, definitions) for p in tape.pops):
        return None
    return Room(tape, loops, _TYPES[item.type])


def inside_of(outer: Loops, loops: Loops) -> Loops | None:
    """The loops that stand inside `outer`; None where they are not all inside."""
    return loops[len(outer) :] if loops[: len(outer)] == outer else None


def is_regular(loop: Loop, outermost: Loop, definitions: Definitions) -> bool:
    """Whether a loop goes through all of a range that is known before `outermost` starts."""
    made = made_by(loop.iterable, definitions, range)
    if made is None or loop.exits or not is_constant(bounds(made)[2], 1):
        return False
    inside = defined_in(outermost)
    return all(is_known(a, inside, definitions) for a in made.args)


def is_known(atom: Atom, inside: set[Value], definitions: Definitions) -> bool:
    """Whether an atom can be computed outside: from constants, outer values, and lengths."""
    if isinstance(atom, Const) or atom not in inside:
        return True
    made = definitions.get(atom)
    if made is None or not is_repeatable(made):
        return False
    return all(is_known(a, inside, definitions) for a in made.atoms)


def is_repeatable(op: Op) -> bool:
    """Whether an operation on lengths gives the same wherever it stands."""
    if op.fn is operator.getitem:
        return isinstance(op.args[0].fact, facts.Tuple)
    return op.fn in (len, getattr, operator.add, operator.sub, operator.mul)


def defined_in(loop: Loop) -> set[Value]:
    found = set(ir.items_and_params(loop))
    for statement in ir.walk(loop.body):
        found.update(ir.defined_by(statement))
        if isinstance(statement, Loop):
            found.update(ir.items_and_params(statement))
    return found


def mirrors(tape: Tape, reads: Loops, loops: Loops, definitions: Definitions) -> bool:
    """Whether the loops around a read go back through the ranges of those around the push."""
    inner = inside_of(tape.made_in, reads)
    if inner is None or len(inner) != len(loops):
        return False
    return all(goes_back(m, loop, definitions) for m, loop in zip(inner, loops, strict=True))


def goes_back(mirror: Loop, loop: Loop, definitions: Definitions) -> bool:
    """`range(stop - 1, start - 1, -1)` against `range(start, stop)`."""
    made = made_by(mirror.iterable, definitions, range)
    if made is None or mirror.exits or not is_constant(bounds(made)[2], -1):
        return False
    last, before, _ = bounds(made)
    start, stop, _ = bounds(definitions[loop.iterable])  # type: ignore[index]
    return one_less(last, stop, definitions) and one_less(before, start, definitions)


def one_less(a: Atom, b: Atom, definitions: Definitions) -> bool:
    """Whether a is written as b - 1."""
    if isinstance(a, Const) and isinstance(b, Const):
        return bool(a.value == b.value - 1)
    made = made_by(a, definitions, operator.sub)
    return made is not None and is_constant(made.args[1], 1) and same(made.args[0], b, definitions)


def same(a: Atom, b: Atom, definitions: Definitions) -> bool:
    """Whether two atoms are one value, or the same operation on the same values."""
    if a is b:
        return True
    if isinstance(a, Const) and isinstance(b, Const):
        return type(a.value) is type(b.value) and bool(a.value == b.value)
    one = definitions.get(a) if isinstance(a, Value) else None
    two = definitions.get(b) if isinstance(b, Value) else None
    if one is None or two is None or one.fn is not two.fn or not is_repeatable(one):
        return False
    return len(one.atoms) == len(two.atoms) and all(
        same(x, y, definitions) for x, y in zip(one.atoms, two.atoms, strict=True)
    )


# --- rewriting ----------------------------------------------------------------------------------


class _Rewriting:
    def __init__(self, rooms: Sequence[Room], definitions: Definitions):
        self.definitions = definitions
        self.made = {room.tape.value for room in rooms}
        self.starts: dict[Loop, list[Room]] = {}
        self.accesses: dict[Op, tuple[Room, Loops]] = {}
        for room in rooms:
            self.starts.setdefault(room.loops[0], []).append(room)
            for op, loops in (room.tape.pushes[0][:2], *room.tape.pops):
                self.accesses[op] = room, loops[len(room.tape.made_in) :]

    def block(self, block: Block) -> Block:
        statements = tuple(new for old in block.statements for new in self.statement(old))
        return Block(statements, block.results)

    def statement(self, statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Op):
            yield from self.operation(statement)
        elif isinstance(statement, If):
            then, orelse = self.block(statement.then), self.block(statement.orelse)
            yield replace(statement, then=then, orelse=orelse)
        else:
            for room in self.starts.get(statement, ()):
                yield from self.reserved(room)
            yield replace(statement, body=self.block(statement.body))

    def operation(self, op: Op) -> Iterator[Statement]:
        if op.result in self.made:
            return
        if op not in self.accesses:
            yield op
            return
        builder = Builder(op.place, derivative=True)
        place = self.place(builder, *self.accesses[op])
        yield from appended(builder)
        fn = ir.put if op.fn is ir.push else ir.fetch
        yield replace(op, fn=fn, args=(op.args[0], place, *op.args[1:]))

    def place(self, builder: Builder, room: Room, loops: Loops) -> Atom:
        """The place of this iteration: the items of the loops, counted from their starts."""
        places: list[Atom] = []
        for loop, filled in zip(loops, room.loops, strict=True):
            start = bounds(self.definitions[filled.iterable])[0]  # type: ignore[index]
            assert loop.item is not None
            item: Atom = loop.item
            if not is_constant(start, 0):
                item = builder.op(operator.sub, (item, self.start_of(builder, loop, start)))
            places.append(item)
        return places[0] if len(places) == 1 else builder.op(ir.make_tuple, places)

    def start_of(self, builder: Builder, loop: Loop, start: Atom) -> Atom:
        """The first number of a loop, as it is known where the loop stands."""
        made = self.definitions[loop.iterable]  # type: ignore[index]
        first, before, step = bounds(made)
        if is_constant(step, 1):
            return first
        return builder.op(operator.add, (before, Const(1)))

    def reserved(self, room: Room) -> Iterator[Statement]:
        """`np.empty` with the lengths of the loops, before the outermost one."""
        builder = Builder(room.loops[0].place, derivative=True)
        inside = defined_in(room.loops[0])
        lengths = [self.length(builder, loop, inside) for loop in room.loops]
        length = lengths[0] if len(lengths) == 1 else builder.op(ir.make_tuple, lengths)
        args = (length,) if room.dtype is np.float64 else (length, Const(room.dtype))
        yield from appended(builder)
        tape = room.tape.value
        yield Op(tape, ir.reserve, args, (), room.loops[0].place, True)

    def length(self, builder: Builder, loop: Loop, inside: set[Value]) -> Atom:
        start, stop, _ = bounds(self.definitions[loop.iterable])  # type: ignore[index]
        is_length = made_by(stop, self.definitions, len) is not None
        count = self.outside(builder, stop, inside)
        if not is_constant(start, 0):
            first = self.outside(builder, start, inside)
            count, is_length = builder.op(operator.sub, (count, first)), False
        if isinstance(count, Const):
            return Const(max(count.value, 0))
        return count if is_length else builder.op(max, (count, Const(0)))

    def outside(self, builder: Builder, atom: Atom, inside: set[Value]) -> Atom:
        """The atom where the loops have not started yet, computed there if it is not."""
        if isinstance(atom, Const) or atom not in inside:
            return atom
        made = self.definitions[atom]
        return builder.op(made.fn, [self.outside(builder, a, inside) for a in made.args])
