"""The invariants of a Wengert list, stated as checks.

1. A value is defined once, before it is used, in this block or one around it.
2. Blocks of an `If` yield as many results as it has; so do a loop's body, inits and params.
3. What a statement tests and iterates over is an atom; a loop without iterable exits by itself.
"""

from __future__ import annotations

from tangent_like import ir
from tangent_like.errors import NOWHERE, InternalError, Place
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Statement, Value


def verify(function: Function) -> Function:
    """The function itself, or an InternalError that names the broken invariant."""
    seen: set[Value] = set()
    define(function.params, seen, function.place)
    check_block(function.body, set(function.params), seen)
    return function


def check_block(block: Block, visible: set[Value], seen: set[Value]) -> None:
    """Check a block that may use the values in `visible`, which is afterwards as it was."""
    own: list[Value] = []
    for statement in block.statements:
        check_uses(ir.read_by(statement), visible, statement.place)
        check_statement(statement, visible, seen)
        defined = ir.defined_by(statement)
        define(defined, seen, statement.place)
        visible.update(defined)
        own += defined
    check_uses(block.results, visible, block.statements[-1].place if block.statements else NOWHERE)
    visible.difference_update(own)


def check_statement(statement: Statement, visible: set[Value], seen: set[Value]) -> None:
    if isinstance(statement, Op):
        return
    if isinstance(statement, If):
        for block in (statement.then, statement.orelse):
            expect(len(block.results) == len(statement.results), "unequal results", statement)
            check_block(block, visible, seen)
    elif isinstance(statement, Loop):
        count = len(statement.params)
        expect(len(statement.inits) == count == len(statement.results), "unequal carry", statement)
        expect(len(statement.nexts) == count, "unequal next values", statement)
        expect(statement.iterable is not None or statement.exits, "an endless loop", statement)
        own = ir.items_and_params(statement)
        define(own, seen, statement.place)
        visible.update(own)
        check_block(statement.body, visible, seen)
        visible.difference_update(own)
    else:
        raise InternalError(f"an unknown statement {statement!r}", NOWHERE)


def define(values: tuple[Value, ...], seen: set[Value], place: Place) -> None:
    for value in values:
        if value in seen:
            raise InternalError(f"{value!r} is defined twice", place)
        seen.add(value)


def check_uses(atoms: tuple[Atom, ...], visible: set[Value], place: Place) -> None:
    for atom in atoms:
        if isinstance(atom, Value) and atom not in visible:
            raise InternalError(f"{atom!r} is used where it is not defined", place)


def expect(holds: bool, what: str, statement: Statement) -> None:
    if not holds:
        raise InternalError(what, statement.place)
