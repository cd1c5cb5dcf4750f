"""The invariants of a Wengert list, stated as checks.

1. A value is defined once, before it is used, in this block or one around it.
2. Blocks of an `If` yield as many results as it has; so do a loop's body, inits and params.
3. What a statement tests and iterates over is an atom; a loop without iterable exits by itself.
"""

from __future__ import annotations

from tangent_like import ir
from tangent_like.errors import InternalError, Place
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Statement, Value


def verify(function: Function) -> Function:
    """The function itself, or an InternalError that names the broken invariant."""
    seen: set[Value] = set()
    define(function.params, seen, function.place)
    check_block(function.body, set(function.params), seen)
    return function


def check_block(block: Block, visible: set[Value], seen: set[Value]) -> None:
    inside = set(visible)
    for statement in block.statements:
        for atom in ir.read_by(statement):
            check_use(atom, inside, statement.place)
        check_statement(statement, inside, seen)
        defined = ir.defined_by(statement)
        define(defined, seen, statement.place)
        inside.update(defined)
    for atom in block.results:
        place = block.statements[-1].place if block.statements else Place("", 0)
        check_use(atom, inside, place)


def check_statement(statement: Statement, inside: set[Value], seen: set[Value]) -> None:
    if isinstance(statement, If):
        for block in (statement.then, statement.orelse):
            expect(len(block.results) == len(statement.results), "unequal results", statement)
            check_block(block, inside, seen)
    elif isinstance(statement, Loop):
        count = len(statement.params)
        expect(len(statement.inits) == count == len(statement.results), "unequal carry", statement)
        expect(len(statement.nexts) == count, "unequal next values", statement)
        expect(statement.iterable is not None or statement.exits, "an endless loop", statement)
        own = statement.params + ((statement.item,) if statement.item is not None else ())
        define(own, seen, statement.place)
        check_block(statement.body, inside | set(own), seen)
    else:
        expect(isinstance(statement, Op), "an unknown statement", statement)


def define(values: tuple[Value, ...], seen: set[Value], place: Place) -> None:
    for value in values:
        if value in seen:
            raise InternalError(f"{value!r} is defined twice", place)
        seen.add(value)


def check_use(atom: Atom, inside: set[Value], place: Place) -> None:
    if isinstance(atom, Value) and atom not in inside:
        raise InternalError(f"{atom!r} is used where it is not defined", place)


def expect(holds: bool, what: str, statement: Statement) -> None:
    if not holds:
        raise InternalError(what, statement.place)
