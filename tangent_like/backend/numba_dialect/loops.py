"""Numba has no `reversed`, and takes neither tapes nor slices of ranges apart: loops count.

    for i in reversed(range(n)):           for i in range(n - 1, -1, -1):
    for x in reversed(x_tape):     ──▶     for k in range(len(x_tape) - 1, -1, -1):
                                               x = x_tape[k]

Iterables side by side of which one is a tape have equal lengths, since the reverse sweep mirrors
the forward one; others end with the shortest, as `zip` does.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect.rebuild import (
    appended,
    bounds,
    definitions_of,
    is_constant,
    made_by,
    rebuilt,
)
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Const, Function, Loop, Op, Statement, Value

_ONE = Const(1)
_RANGE = facts.Opaque("range")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One of the iterables of a loop; `count` is how many items of a range are gone through."""

    base: Atom
    backwards: bool = False
    count: Atom | None = None


def count_loops(function: Function) -> Function:
    definitions = definitions_of(function)

    def visit(statement: Statement) -> Iterator[Statement]:
        if isinstance(statement, Loop) and statement.iterable is not None:
            sources = sources_of(statement, definitions)
            if needs_counting(sources, statement, definitions):
                yield from counted(statement, sources, definitions)
                return
        yield statement

    return rebuilt(function, visit)


def sources_of(loop: Loop, definitions: Mapping[Value, Op]) -> list[Source]:
    """What a loop goes through.  One that takes values off tapes, and does not read its own item,
    may as well go backwards: then the item says where on the tape they are."""
    sources = [source_of(part, definitions) for part in ir.components(loop.iterable, definitions)]
    pops = any(isinstance(s, Op) and s.fn is ir.pop for s in ir.walk(loop.body))
    if len(sources) == 1 and pops and loop.item not in ir.free_values(loop.body):
        return [replace(sources[0], backwards=True)]
    return sources


def source_of(part: Atom, definitions: Mapping[Value, Op]) -> Source:
    turned = made_by(part, definitions, reversed)
    base = turned.args[0] if turned is not None else part
    cut = made_by(base, definitions, operator.getitem)
    if cut is not None and cut.args[0].fact == _RANGE:
        limit = made_by(cut.args[1], definitions, slice)
        if limit is not None and len(limit.args) == 3 and limit.args[0].fact == Const(None).fact:
            return Source(cut.args[0], turned is not None, limit.args[1])
    return Source(base, turned is not None)


def needs_counting(
    sources: Sequence[Source], loop: Loop, definitions: Mapping[Value, Op]
) -> bool:
    if any(s.backwards or isinstance(s.base.fact, facts.Tape) for s in sources):
        return True
    pushes = any(isinstance(s, Op) and s.fn is ir.push for s in ir.walk(loop.body))
    plain = len(sources) == 1 and sources[0].base.fact == _RANGE
    return (pushes or len(sources) > 1 or sources[0].count is not None) and not plain


def counted(
    loop: Loop, sources: Sequence[Source], definitions: Mapping[Value, Op]
) -> Iterator[Statement]:
    """The loop over a range, its former items read by their number."""
    builder = Builder(loop.place, derivative=True)
    if len(sources) == 1 and (found := backwards_range(builder, sources[0], definitions)):
        yield from appended(builder)
        yield replace(loop, iterable=found)
        return
    index = Value("", facts.INT)
    length, down = span(builder, sources, definitions)
    trips = (length,) if not down else (minus_one(builder, length), Const(-1), Const(-1))
    iterable = builder.op(range, trips)
    heads = Builder(loop.place, derivative=True)
    items = [item(heads, s, index, down, definitions) for s in sources]
    assert loop.item is not None
    body = with_items(loop.body, loop.item, items, len(sources) > 1, heads)
    yield from appended(builder)
    yield replace(loop, iterable=iterable, item=index, body=body)


def backwards_range(
    builder: Builder, source: Source, definitions: Mapping[Value, Op]
) -> Atom | None:
    """`range(stop - 1, start - 1, -1)` for a range whose step is 1; None for anything else."""
    made = made_by(source.base, definitions, range)
    if made is None or not source.backwards:
        return None
    start, stop, step = bounds(made)
    if not is_constant(step, 1):
        return None
    if source.count is not None:
        stop = added(builder, start, source.count)
    ends = [minus_one(builder, stop), minus_one(builder, start), Const(-1)]
    return builder.op(range, ends)


def added(builder: Builder, a: Atom, b: Atom) -> Atom:
    return b if is_constant(a, 0) else builder.op(operator.add, (a, b))


def minus_one(builder: Builder, atom: Atom) -> Atom:
    return builder.op(operator.sub, (atom, _ONE))


def span(
    builder: Builder, sources: Sequence[Source], definitions: Mapping[Value, Op]
) -> tuple[Atom, bool]:
    """How many iterations there are, and whether they are counted down."""
    recorded = any(isinstance(s.base.fact, facts.Tape) for s in sources)
    if recorded or len(sources) == 1:
        chosen = next((s for s in sources if s.base.fact == _RANGE), sources[0])
        return length_of(builder, chosen, definitions), all(s.backwards for s in sources)
    lengths = [length_of(builder, s, definitions) for s in sources]
    return builder.op(min, lengths), False


def length_of(builder: Builder, source: Source, definitions: Mapping[Value, Op]) -> Atom:
    if source.count is not None:
        return source.count
    made = made_by(source.base, definitions, range)
    if made is not None:
        start, stop, step = bounds(made)
        if is_constant(start, 0) and is_constant(step, 1) and _is_length(stop, definitions):
            return stop
    return builder.op(len, (source.base,))


def _is_length(atom: Atom, definitions: Mapping[Value, Op]) -> bool:
    """Whether a number is certain not to be negative."""
    if isinstance(atom, Const):
        return type(atom.value) is int and atom.value >= 0
    return made_by(atom, definitions, len) is not None


def item(
    builder: Builder, source: Source, index: Value, down: bool, definitions: Mapping[Value, Op]
) -> Atom:
    """The item of this iteration.  Counted down, the number is the item's own."""
    place: Atom = index
    if source.backwards and not down:
        last = minus_one(builder, length_of(builder, source, definitions))
        place = builder.op(operator.sub, (last, index))
    made = made_by(source.base, definitions, range)
    if made is not None:
        start, _, step = bounds(made)
        if not is_constant(step, 1):
            place = builder.op(operator.mul, (place, step))
        return added(builder, start, place)
    fn = ir.fetch if isinstance(source.base.fact, facts.Tape) else operator.getitem
    return builder.op(fn, (source.base, place))


def with_items(
    body: Block, whole: Value, items: Sequence[Atom], is_zip: bool, heads: Builder
) -> Block:
    """The body that reads `items` where it read those of `whole`."""
    table: dict[Value, Atom] = {}
    if is_zip:
        kept = []
        for s in body.statements:
            if isinstance(s, Op) and s.fn is operator.getitem and s.args[0] is whole:
                table[s.result] = _named(items[s.args[1].value], s.result)  # type: ignore[union-attr]
            else:
                kept.append(s)
        body = Block(tuple(kept), body.results)
        if whole in ir.free_values(body):
            table[whole] = heads.op(ir.make_tuple, items)
    else:
        table[whole] = _named(items[0], whole)
    body = ir.substitute(body, table)
    return Block((*appended(heads), *body.statements), body.results)


def _named(atom: Atom, like: Value) -> Atom:
    """The atom under the name of the value that it stands for."""
    if isinstance(atom, Value) and not atom.name:
        atom.name = like.name
        atom.fact = like.fact if isinstance(atom.fact, facts.Unknown) else atom.fact
    return atom
