"""What recording adds to the forward sweep: pushes, counters, and results of branches.

The changes are collected while the reverse sweep is walked and applied in one rebuild.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from tangent_like import facts, ir
from tangent_like.errors import NOWHERE, Place
from tangent_like.ir import Atom, Block, Const, If, Loop, Op, Statement, Value


@dataclass(eq=False, slots=True)
class Changes:
    missing: Const = ir.UNDEFINED
    """What a branch hands out for the values of the other branch."""

    tapes: dict[tuple[Block, Value, Value | None], Value] = field(default_factory=dict)
    pushes: dict[Block, list[tuple[Value, Value]]] = field(default_factory=dict)
    """For each block the values to push in it, each with its tape."""

    exports: dict[Block, dict[Value, Value]] = field(default_factory=dict)
    exporting: dict[If, list[tuple[Block, Value, Value]]] = field(default_factory=dict)
    reads: dict[Op, tuple[Op, ...]] = field(default_factory=dict)
    """What is read before a store, since that overwrites it."""

    counters: dict[Loop, tuple[tuple[Block, ...], Value]] = field(default_factory=dict)

    def tape(self, path: tuple[Block, ...], value: Value, undone: Value | None = None) -> Value:
        """The tape of a value; the push goes where only iterations to be reversed pass.  What pops
        it to get at an array that is `undone` has a tape of its own."""
        block = path[-1]
        key = (block, value, undone)
        if key not in self.tapes:
            name = f"{value.name}_tape" if value.name else "tape"
            self.tapes[key] = Value(name, facts.Tape(facts.defined(value.fact)))
            self.pushes.setdefault(block, []).append((self.tapes[key], value))
        return self.tapes[key]

    def export(self, statement: If, home: Block, value: Value) -> Value:
        """The result through which a branch hands one of its values out."""
        table = self.exports.setdefault(home, {})
        if value not in table:
            table[value] = Value(value.name, self.exported_fact(value.fact))
            self.exporting.setdefault(statement, []).append((home, value, table[value]))
        return table[value]

    def exported_fact(self, fact: facts.Fact) -> facts.Fact:
        """A value that is None on the other path is of unknown type."""
        inner = facts.defined(fact)
        if self.missing is ir.UNDEFINED or isinstance(inner, facts.Scalar):
            return inner
        return facts.UNKNOWN

    def count(self, loop: Loop, path: tuple[Block, ...]) -> Value:
        """The number of iterations to be reversed."""
        if loop not in self.counters:
            self.counters[loop] = (path, Value("count", facts.INT))
        return self.counters[loop][1]


def apply_changes(forward: Block, changes: Changes) -> Block:
    """The forward sweep with its pushes, counters and extra results; tapes are made before the
    statement that fills them."""
    statements: list[Statement] = []
    opened: set[Value] = set()
    for statement in forward.statements:
        rebuilt = _statement(statement, changes)
        for tape in _filled(rebuilt):
            if tape not in opened and tape in set(changes.tapes.values()):
                opened.add(tape)
                statements.append(Op(tape, ir.new_tape, (), (), statement.place))
        statements.append(rebuilt)
    return Block(tuple(statements), forward.results)


def _filled(statement: Statement) -> Iterator[Value]:
    for block in ir.blocks_of(statement):
        for inner in ir.walk(block):
            if isinstance(inner, Op) and inner.fn is ir.push and isinstance(inner.args[0], Value):
                yield inner.args[0]


def _block(block: Block, changes: Changes) -> Block:
    pushes: dict[Value, list[Value]] = {}
    for tape, value in changes.pushes.get(block, ()):
        pushes.setdefault(value, []).append(tape)
    rebuilt = [new for old in block.statements for new in _with_reads(old, changes)]
    here = {v for s in rebuilt for v in ir.defined_by(s)}
    place = block.statements[0].place if block.statements else NOWHERE
    statements: list[Statement] = [
        _push(tape, value, place)
        for value, tapes in pushes.items()
        for tape in tapes
        if value not in here
    ]
    for statement in rebuilt:
        statements.append(statement)
        for value in ir.defined_by(statement):
            statements += (_push(t, value, statement.place) for t in pushes.get(value, ()))
    return Block(tuple(statements), block.results)


def _with_reads(statement: Statement, changes: Changes) -> Iterator[Statement]:
    if isinstance(statement, Op):
        yield from changes.reads.get(statement, ())
    yield _statement(statement, changes)


def _push(tape: Value, value: Value, place: Place) -> Op:
    return Op(Value("", facts.Opaque("NoneType")), ir.push, (tape, value), (), place)


def _statement(statement: Statement, changes: Changes) -> Statement:
    if isinstance(statement, If):
        return _if(statement, changes)
    if not isinstance(statement, Loop):
        return statement
    body = _block(statement.body, changes)
    rebuilt = replace(statement, body=body)
    if statement in changes.counters:
        path, result = changes.counters[statement]
        sides = [_last_if(outer).then is inner for outer, inner in pairwise(path)]
        return _counted(rebuilt, sides, result)
    return rebuilt


def _if(statement: If, changes: Changes) -> If:
    then, orelse = _block(statement.then, changes), _block(statement.orelse, changes)
    results = list(statement.results)
    for home, value, result in changes.exporting.get(statement, ()):
        in_then = home is statement.then
        results.append(result)
        then = Block(then.statements, (*then.results, value if in_then else changes.missing))
        orelse = Block(orelse.statements, (*orelse.results, changes.missing if in_then else value))
    return replace(statement, results=tuple(results), then=then, orelse=orelse)


def _last_if(block: Block) -> If:
    last = block.statements[-1]
    assert isinstance(last, If)
    return last


def _counted(loop: Loop, sides: list[bool], result: Value) -> Loop:
    """The loop with a counter of the iterations that take these sides of its last branches."""
    param = Value("count", facts.INT)
    body, after = _count(loop.body, sides, param)
    return replace(
        loop,
        results=(*loop.results, result),
        inits=(*loop.inits, Const(0)),
        params=(*loop.params, param),
        body=Block(body.statements, (*body.results, after)),
    )


def _count(block: Block, sides: list[bool], param: Value) -> tuple[Block, Atom]:
    if not sides:
        after = Value("count", facts.INT)
        place = block.statements[-1].place if block.statements else NOWHERE
        step = Op(after, operator.add, (param, Const(1)), (), place)
        return Block((*block.statements, step), block.results), after
    last = _last_if(block)
    staying, leaving = (last.then, last.orelse) if sides[0] else (last.orelse, last.then)
    counted, inner = _count(staying, sides[1:], param)
    counted = Block(counted.statements, (*counted.results, inner))
    left = Block(leaving.statements, (*leaving.results, param))
    then, orelse = (counted, left) if sides[0] else (left, counted)
    result = Value("count", facts.INT)
    rebuilt = replace(last, results=(*last.results, result), then=then, orelse=orelse)
    return Block((*block.statements[:-1], rebuilt), block.results), result
