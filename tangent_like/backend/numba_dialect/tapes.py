"""A tape whose length is known at the start is an array with a place an iteration.

    x_tape = []                                  x_tape = np.empty(max(n, 0))
    for i in range(n):                           for i in range(n):
        x_tape.append(x)                 ──▶         x_tape[i] = x
        ...                                          ...
    for i in range(n - 1, -1, -1):               for i in range(n - 1, -1, -1):
        x = x_tape.pop()                             x = x_tape[i]

This holds where the loops around the one push go through ranges that are known before the outermost
of them starts, and each read stands in loops that mirror these, iteration for iteration.  In
nested loops the array has an axis for each.  A tape of arrays whose lengths are known has theirs
as its last axes.  Every other tape stays a list.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect.known import Known, length_of, lengths_of
from tangent_like.backend.numba_dialect.rebuild import (
    appended,
    bounds,
    defined_in,
    definitions_of,
    is_constant,
    made_by,
)
from tangent_like.build import Builder
from tangent_like.facts import Dim
from tangent_like.ir import Atom, Block, Const, Function, If, Loop, Op, Statement, Value

_TYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_, "complex": np.complex128}
_ARRAY_TYPES = {"float64": np.float64, "int64": np.int64, "bool": np.bool_}
_MOST_AXES = 4
Loops = tuple[Loop, ...]


Fillings = Mapping[Value, Loop]
"""For tapes of one value an iteration, the loop that fills them."""


@dataclass(eq=False, slots=True)
class Tape:
    """Where a tape is made, filled and read; `plain_reads` name their place, or its length.

    `filling` is the statement, in the block that makes the tape, in which the last push stands.
    """

    value: Value
    made_in: Loops
    depth: int
    filling: Loop | If | None = None
    pushes: list[tuple[Op, Loops, bool]] = field(default_factory=list)
    pops: list[tuple[Op, Loops]] = field(default_factory=list)
    plain_reads: list[Op] = field(default_factory=list)
    other_uses: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """The array that stands for a tape: the loops around its push, outermost first, and the
    lengths of what is saved in each iteration."""

    tape: Tape
    loops: Loops
    dtype: type
    dims: tuple[Dim, ...]
    before: Loop | If
    """Where the array is made."""


def preallocate(function: Function) -> Function:
    definitions = definitions_of(function)
    known = Known(definitions, lengths_of(function))
    tapes = found_tapes(function)
    fillings = {t.value: loop for t in tapes if (loop := filled_by(t)) is not None}
    rooms = [r for t in tapes if (r := room_for(t, known, fillings))]
    if not rooms:
        return function
    rewriting = _Rewriting(rooms, known)
    body = rewriting.block(function.body)
    return replace(function, body=ir.substitute(body, rewriting.lengths))


# --- which tapes --------------------------------------------------------------------------------


def found_tapes(function: Function) -> list[Tape]:
    search = _Search({})
    search.block(function.body, (), True)
    return list(search.tapes.values())


@dataclass(eq=False, slots=True)
class _Search:
    tapes: dict[Value, Tape]
    path: list[Loop | If] = field(default_factory=list)

    def block(self, block: Block, loops: Loops, certain: bool) -> None:
        for statement in block.statements:
            if isinstance(statement, Op):
                self.op(statement, loops, certain)
                continue
            self.others(ir.read_by(statement))
            inner = (*loops, statement) if isinstance(statement, Loop) else loops
            self.path.append(statement)
            for nested in ir.blocks_of(statement):
                self.block(nested, inner, isinstance(statement, Loop))
            self.path.pop()
        self.others(block.results)

    def op(self, op: Op, loops: Loops, certain: bool) -> None:
        if op.fn is ir.new_tape:
            self.tapes[op.result] = Tape(op.result, loops, len(self.path))
            return
        first = op.args[0] if op.args else None
        tape = self.tapes.get(first) if isinstance(first, Value) else None
        if tape is None or op.fn not in (ir.push, ir.pop, ir.fetch, len):
            self.others(op.atoms)
        elif op.fn is ir.push:
            tape.pushes.append((op, loops, certain))
            tape.filling = self.path[tape.depth] if len(self.path) > tape.depth else None
            self.others(op.args[1:])
        elif op.fn is ir.pop:
            tape.pops.append((op, loops))
        else:
            tape.plain_reads.append(op)

    def others(self, atoms: Sequence[Atom]) -> None:
        for atom in atoms:
            if isinstance(atom, Value) and atom in self.tapes:
                self.tapes[atom].other_uses += 1


def filled_by(tape: Tape) -> Loop | None:
    """The loop that pushes one value in each iteration, and does nothing else to the tape."""
    if len(tape.pushes) != 1 or tape.pops or tape.other_uses:
        return None
    _, around, certain = tape.pushes[0]
    loops = inside_of(tape.made_in, around)
    return loops[0] if certain and loops is not None and len(loops) == 1 else None


def room_for(tape: Tape, known: Known, fillings: Fillings) -> Room | None:
    """The array for a tape, or None where it must stay a list."""
    dtype, dims = saved_in(tape.value, known)
    if dtype is None:
        return None
    if len(tape.pushes) != 1 or tape.other_uses:
        return None
    _, around, certain = tape.pushes[0]
    loops = inside_of(tape.made_in, around)
    if loops is None or not 0 < len(loops) <= _MOST_AXES:
        return None
    if tape.plain_reads and (len(loops) > 1 or not certain):
        return None
    if tape.filling is None:
        return None
    regular = all(is_regular(loop, tape.filling, known) for loop in loops)
    if not regular or not all(
        mirrors(tape, reads, loops, known, fillings) for _, reads in tape.pops
    ):
        return None
    return Room(tape, loops, dtype, dims, tape.filling)


def saved_in(tape: Value, known: Known) -> tuple[type | None, tuple[Dim, ...]]:
    """The type of the elements that a tape holds, if one array can hold them, and the lengths of
    the arrays that are saved."""
    item = tape.fact.item if isinstance(tape.fact, facts.Tape) else facts.UNKNOWN
    if isinstance(item, facts.Scalar):
        return _TYPES.get(item.type), ()
    if not isinstance(item, facts.Array) or not item.dims or item.dtype is None:
        return None, ()
    if not all(isinstance(d, int) or _is_known(d, known) for d in item.dims):
        return None, ()
    return _ARRAY_TYPES.get(item.dtype), item.dims


def _is_known(size: facts.Size, known: Known) -> bool:
    return not size.varies and size.base in known.lengths


def inside_of(outer: Loops, loops: Loops) -> Loops | None:
    """The loops that stand inside `outer`; None where they are not all inside."""
    return loops[len(outer) :] if loops[: len(outer)] == outer else None


def is_regular(loop: Loop, filling: Loop | If, known: Known) -> bool:
    """Whether a loop goes through all of a range that is known before `filling` starts."""
    made = made_by(loop.iterable, known.definitions, range)
    if made is None or loop.exits or not is_constant(bounds(made)[2], 1):
        return False
    inside = defined_in(filling)
    return all(known.outside(a, inside) for a in made.args)


def mirrors(tape: Tape, reads: Loops, loops: Loops, known: Known, fillings: Fillings) -> bool:
    """Whether the loops around a read go back through the ranges of those around the push."""
    inner = inside_of(tape.made_in, reads)
    if inner is None or len(inner) != len(loops):
        return False
    return all(goes_back(m, loop, known, fillings) for m, loop in zip(inner, loops, strict=True))


def goes_back(mirror: Loop, loop: Loop, known: Known, fillings: Fillings) -> bool:
    """`range(stop - 1, start - 1, -1)` against `range(start, stop)`; or from the length of that
    range, or of a tape that the loop fills."""
    made = made_by(mirror.iterable, known.definitions, range)
    if made is None or mirror.exits or not is_constant(bounds(made)[2], -1):
        return False
    last, before, _ = bounds(made)
    start, stop, _ = bounds(known.definitions[loop.iterable])  # type: ignore[index]
    less = made_by(last, known.definitions, operator.sub)
    length = made_by(less.args[0], known.definitions, len) if less is not None else None
    if less is not None and length is not None and is_constant(less.args[1], 1):
        whole = length.args[0] is loop.iterable and is_constant(start, 0)
        filled = fillings.get(length.args[0]) is loop  # type: ignore[arg-type]
        if is_constant(before, -1) and (whole or filled):
            return True
    return known.one_less(last, stop) and known.one_less(before, start)


# --- rewriting ----------------------------------------------------------------------------------


class _Rewriting:
    def __init__(self, rooms: Sequence[Room], known: Known):
        self.known = known
        self.definitions = known.definitions
        self.made = {room.tape.value for room in rooms}
        self.starts: dict[Loop | If, list[Room]] = {}
        self.accesses: dict[Op, tuple[Room, Loops]] = {}
        self.measured: dict[Value, list[Value]] = {}
        """For each tape the values that hold its length."""

        self.lengths: dict[Value, Atom] = {}
        for room in rooms:
            self.starts.setdefault(room.before, []).append(room)
            for op, loops in (room.tape.pushes[0][:2], *room.tape.pops):
                self.accesses[op] = room, loops[len(room.tape.made_in) :]
            self.measured[room.tape.value] = [
                op.result for op in room.tape.plain_reads if op.fn is len
            ]

    def block(self, block: Block) -> Block:
        statements = tuple(new for old in block.statements for new in self.statement(old))
        return Block(statements, block.results)

    def statement(self, statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Op):
            yield from self.operation(statement)
            return
        for room in self.starts.get(statement, ()):
            yield from self.reserved(room)
        yield ir.with_blocks(statement, self.block)

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
            first = start if loop is filled else self.start_of(builder, loop)
            if not is_constant(first, 0):
                item = builder.op(operator.sub, (item, first))
            places.append(item)
        return places[0] if len(places) == 1 else builder.op(ir.make_tuple, places)

    def start_of(self, builder: Builder, mirror: Loop) -> Atom:
        """The last number of a range that is counted down."""
        before = bounds(self.definitions[mirror.iterable])[1]  # type: ignore[index]
        less = made_by(before, self.definitions, operator.sub)
        if less is not None and is_constant(less.args[1], 1):
            return less.args[0]
        return builder.op(operator.add, (before, Const(1)))

    def reserved(self, room: Room) -> Iterator[Statement]:
        """`np.empty` with the lengths of the loops, before what fills it."""
        builder = Builder(room.before.place, derivative=True)
        inside = defined_in(room.before)
        counts = [self.count(builder, loop, inside) for loop in room.loops]
        lengths = [self.not_negative(builder, count) for count in counts]
        lengths += [self.length(builder, dim) for dim in room.dims]
        length = lengths[0] if len(lengths) == 1 else builder.op(ir.make_tuple, lengths)
        args = (length,) if room.dtype is np.float64 else (length, Const(room.dtype))
        tape = room.tape.value
        # Only the ends of ranges read the length, which are empty for negative numbers too.
        self.lengths.update(dict.fromkeys(self.measured[tape], counts[0]))
        yield from appended(builder)
        yield Op(tape, ir.reserve, args, (), room.before.place, True)

    def length(self, builder: Builder, dim: Dim) -> Atom:
        return Const(dim) if isinstance(dim, int) else self.known.measured(builder, dim)

    def count(self, builder: Builder, loop: Loop, inside: set[Value]) -> Atom:
        """How many numbers a range has, or a negative number for none."""
        start, stop, _ = bounds(self.definitions[loop.iterable])  # type: ignore[index]
        count = self.known.again(builder, stop, inside)
        if is_constant(start, 0):
            return count
        return builder.op(operator.sub, (count, self.known.again(builder, start, inside)))

    def not_negative(self, builder: Builder, count: Atom) -> Atom:
        if isinstance(count, Const):
            return Const(max(count.value, 0))
        size = length_of(count)
        if size is not None and not size.offset:
            return count
        return builder.op(max, (count, Const(0)))
