"""What the passes of the dialect share: rebuilding a list statement by statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from tangent_like import ir
from tangent_like.build import Builder
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Statement, Value

Definitions = Mapping[Value, Op]
Visit = Callable[[Statement], Iterable[Statement]]


def rebuilt(function: Function, visit: Visit) -> Function:
    """The function with each statement replaced by those that `visit` gives, inner ones first."""
    return replace(function, body=rebuilt_block(function.body, visit))


def rebuilt_block(block: Block, visit: Visit) -> Block:
    statements: list[Statement] = []
    for statement in block.statements:
        statements += visit(ir.with_blocks(statement, lambda inner: rebuilt_block(inner, visit)))
    return Block(tuple(statements), block.results)


def followed(table: Mapping[Value, Atom]) -> dict[Value, Atom]:
    """A table in which what stands for a value has itself nothing that stands for it: inner blocks
    are rebuilt before the blocks around, where more may be replaced."""

    def last(atom: Atom) -> Atom:
        while isinstance(atom, Value) and atom in table:
            atom = table[atom]
        return atom

    return {value: last(atom) for value, atom in table.items()}


def operations(function: Function) -> Iterator[Op]:
    return (s for s in ir.walk(function.body) if isinstance(s, Op))


def definitions_of(function: Function) -> dict[Value, Op]:
    """The operation that defines each value."""
    return {op.result: op for op in operations(function)}


def made_by(atom: Atom | None, definitions: Mapping[Value, Op], fn: object) -> Op | None:
    """The operation that made the atom, if it calls `fn`."""
    made = definitions.get(atom) if isinstance(atom, Value) else None
    return made if made is not None and made.fn is fn else None


def is_in_tables(op: Op) -> bool:
    """Whether the function of an operation can be looked up: callable objects may have no hash."""
    return getattr(type(op.fn), "__hash__", None) is not None


def bounds(made: Op) -> tuple[Atom, Atom, Atom]:
    """Start, stop and step of a `range`."""
    args = made.args
    if len(args) == 1:
        return ir.Const(0), args[0], ir.Const(1)
    return args[0], args[1], args[2] if len(args) == 3 else ir.Const(1)


def is_constant(atom: Atom, value: object) -> bool:
    return isinstance(atom, ir.Const) and type(atom.value) is int and atom.value == value


def appended(builder: Builder) -> tuple[Statement, ...]:
    return builder.finish(()).statements


def defined_in(statement: Loop | If) -> set[Value]:
    """Everything that a loop defines for its body, and what is defined in it, or in branches."""
    found = set(ir.items_and_params(statement)) if isinstance(statement, Loop) else set()
    for block in ir.blocks_of(statement):
        for inner in ir.walk(block):
            found.update(ir.defined_by(inner))
            if isinstance(inner, Loop):
                found.update(ir.items_and_params(inner))
    return found
