"""When each value is alive, as stretches of positions in the printed order.

Every statement has a position.  A value is alive from its definition to its last use; around a
loop to the end of the loop where it is used inside; in a branch only where that branch needs it.
Two values can share a name if their stretches do not overlap.
"""

from __future__ import annotations

import operator
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tangent_like.facts import Tuple, Zip
from tangent_like.ir import (
    Atom,
    Block,
    Const,
    Function,
    If,
    Loop,
    Op,
    Statement,
    Value,
    defined_by,
    read_by,
)

Stretch = tuple[int, int]
_FOREVER = sys.maxsize


@dataclass(eq=False, slots=True)
class Span:
    """The positions of a block, from before its first statement to after its last."""

    start: int
    end: int
    parent: Span | None
    is_loop: bool
    statement_start: int
    statement_end: int = 0


@dataclass(eq=False, slots=True)
class Lifetimes:
    stretches: dict[Value, list[Stretch]] = field(default_factory=dict)
    spans: dict[Block, Span] = field(default_factory=dict)
    positions: dict[Statement, int] = field(default_factory=dict)
    ends: dict[Statement, int] = field(default_factory=dict)
    defined: dict[Value, tuple[Span, int]] = field(default_factory=dict)
    uses: dict[Value, list[tuple[Span, int]]] = field(default_factory=dict)


def lifetimes(
    function: Function,
    inlined: Mapping[Value, Op | If],
    in_place: Callable[[object], bool] = lambda fn: False,
    of_memory: bool = False,
) -> Lifetimes:
    """Lifetimes of the values; what is printed inside an expression is read where that is.
    `of_memory`: what a loop runs over is read in each iteration; a name for it only at the head.

    `by = bx; by[i] += g` is printed where an operation that is `in_place` changes bx and gives by:
    the result has its name before the other operands are read.
    """
    found = Lifetimes()
    _Numbering(found, inlined, in_place, of_memory).function(function)
    for value, (span, position) in found.defined.items():
        found.stretches[value] = _stretches(span, position, found.uses.get(value, []))
    for statement in found.ends:
        _add_copies(found, statement)
        if isinstance(statement, Loop):
            _add_targets(found, statement, inlined)
    return found


class _Numbering:
    """Number the statements and note definitions and uses."""

    def __init__(
        self,
        found: Lifetimes,
        inlined: Mapping[Value, Op | If],
        in_place: Callable[[object], bool],
        of_memory: bool,
    ):
        self.found = found
        self.of_memory = of_memory
        self.inlined = inlined
        self.in_place = in_place
        self.clock = 0

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def function(self, function: Function) -> None:
        root = Span(0, 0, None, False, 0)
        for param in function.params:
            self.found.defined[param] = (root, 0)
        self.block(function.body, root)

    def block(self, block: Block, span: Span) -> None:
        self.found.spans[block] = span
        for statement in block.statements:
            self.statement(statement, span)
        span.end = self.tick()
        self.use(block.results, span, span.end)

    def statement(self, statement: Statement, span: Span) -> None:
        start = self.tick()
        self.found.positions[statement] = start
        if all(value in self.inlined for value in defined_by(statement)) and defined_by(statement):
            return
        if isinstance(statement, Loop):
            self.use(statement.inits, span, start)
        elif isinstance(statement, Op) and self.in_place(statement.fn):
            changed, *others = statement.atoms
            self.use((changed,), span, start)
            self.use(others, span, self.tick(), changed)
        else:
            self.use(read_by(statement), span, start)
        if isinstance(statement, If):
            for block in (statement.then, statement.orelse):
                inner = Span(self.tick(), 0, span, False, start)
                self.block(block, inner)
                inner.statement_end = self.clock
        elif isinstance(statement, Loop):
            self.loop(statement, span, start)
        end = self.tick() if not isinstance(statement, Op) else start
        self.found.ends[statement] = end
        for value in defined_by(statement):
            self.found.defined[value] = (span, end)

    def loop(self, loop: Loop, span: Span, start: int) -> None:
        inner = Span(self.tick(), 0, span, True, start)
        if loop.iterable is not None:  # read after the parameters have their first values
            self.use((loop.iterable,), span, inner.start + 1)
        own = loop.params + ((loop.item,) if loop.item is not None else ())
        for value in own:
            self.found.defined[value] = (inner, inner.start)
        self.block(loop.body, inner)
        if loop.exits:  # it is tested when the parameters have their next values
            self.use(loop.body.results[:1], inner, inner.end + 1)
        inner.statement_end = self.clock
        if loop.iterable is not None and self.of_memory:
            self.use((loop.iterable,), span, inner.statement_end)

    def use(
        self, atoms: Iterable[Atom], span: Span, position: int, besides: Atom | None = None
    ) -> None:
        pending = list(atoms)
        while pending:
            atom = pending.pop()
            inner = self.inlined.get(atom) if isinstance(atom, Value) else None
            if isinstance(inner, Op):
                pending.extend(inner.atoms)
            elif inner is not None:
                pending.extend((inner.test, *inner.then.results, *inner.orelse.results))
            elif isinstance(atom, Value) and atom is not besides:
                self.found.uses.setdefault(atom, []).append((span, position))


def _stretches(home: Span, position: int, uses: list[tuple[Span, int]]) -> list[Stretch]:
    """Each use keeps the value alive in its block from the block's start, and in the blocks
    around it up to the statement; past that only where there is a later use."""
    ends: dict[int, tuple[Span, int]] = {}
    for span, at in uses:
        current, until = span, at
        while True:
            known = ends.get(id(current))
            if known is None or known[1] < until:
                ends[id(current)] = (current, until)
            if current is home:
                break
            until = current.statement_start
            if current.is_loop:
                until = _after(current)
                ends[id(current)] = (current, max(ends[id(current)][1], until))
            assert current.parent is not None
            current = current.parent
    found = []
    for span, until in ends.values():
        start = position if span is home else span.start
        if until > start:
            found.append((start, until))
    return found or [(position, position)]


def _after(span: Span) -> int:
    """The end of a loop: what it uses from outside must last for all iterations."""
    return span.end + 1


def _add_copies(found: Lifetimes, statement: Statement) -> None:
    """Results take their values where the branches end; loop parameters where the body ends."""
    if isinstance(statement, If):
        for block in (statement.then, statement.orelse):
            end = found.spans[block].end
            for result in statement.results:
                found.stretches[result].append((end, end + 1))
    elif isinstance(statement, Loop):
        end = found.spans[statement.body].end
        start = found.positions[statement]
        header = found.spans[statement.body].start
        if statement.item is not None:
            found.stretches[statement.item].append((header, header + 1))
        for param in statement.params:
            found.stretches[param].append((start, header + 1))
            found.stretches[param].append((end, end + 1))


def _add_targets(found: Lifetimes, loop: Loop, inlined: Mapping[Value, Op | If]) -> None:
    """The items of a `zip` have their values from the head of the loop on."""
    header = found.spans[loop.body].start
    for value in unpacked_items(loop, inlined):
        if value is not None:
            found.stretches[value].append((header, found.defined[value][1] + 1))


def unpacked_items(loop: Loop, inlined: Mapping[Value, Op | If]) -> list[Value | None]:
    """The values that take the items of a `zip`, if that is all the item is used for: they are
    printed as targets of the loop."""
    fact = loop.item.fact if loop.item is not None else None
    if not isinstance(loop.iterable and loop.iterable.fact, Zip):
        return []
    assert isinstance(fact, Tuple)
    found: list[Value | None] = [None] * len(fact.items)
    for s in loop.body.statements:
        if isinstance(s, Op) and s.fn is operator.getitem and s.args[0] is loop.item:
            index = s.args[1]
            if isinstance(index, Const) and s.result not in inlined:
                if found[index.value] is not None:
                    return []
                found[index.value] = s.result
    return found


def normalised(stretches: list[Stretch]) -> list[Stretch]:
    """The same positions as disjoint stretches in order."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def overlap(a: list[Stretch], b: list[Stretch]) -> bool:
    """Whether two normalised lists share a position, in time of the shorter one."""
    few, many = (a, b) if len(a) < len(b) else (b, a)
    return any(start < end and _meets(many, start, end) for start, end in few)


def _meets(stretches: list[Stretch], start: int, end: int) -> bool:
    """Whether a stretch begins before `end` and ends after `start`."""
    for k in range(bisect_left(stretches, (end,)) - 1, -1, -1):
        begin, stop = stretches[k]
        if begin < stop:
            return stop > start
    return False


def united(a: list[Stretch], b: list[Stretch]) -> list[Stretch]:
    """The positions of two normalised lists as one, in time of the shorter one; `a` and `b` are
    used up."""
    few, many = (a, b) if len(a) < len(b) else (b, a)
    for start, end in few:
        first = bisect_left(many, (start,))
        if first and many[first - 1][1] >= start:
            first -= 1
        last = bisect_right(many, (end, _FOREVER), first)
        if first < last:
            start, end = min(start, many[first][0]), max(end, many[last - 1][1])
        many[first:last] = [(start, end)]
    return many
