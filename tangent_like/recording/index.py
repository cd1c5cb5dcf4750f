"""Where each value of the forward sweep is defined, and which arrays change later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tangent_like import facts, ir, runtime
from tangent_like.ir import Atom, Block, Loop, Op, Statement, Value
from tangent_like.stores import Store


def indexed(
    forward: Block, first: Mapping[Value, Value]
) -> tuple[dict[Value, Block], dict[Value, Op], dict[Value, int], dict[Statement, Block]]:
    """Where each value is defined, by what, and in which order; where each statement stands.

    What is computed twice is taken for the first one: the user writes `u[i + 1]` where it is
    needed, and the reverse sweep reads it once."""
    homes: dict[Value, Block] = {}
    definitions: dict[Value, Op] = {}
    blocks: dict[Statement, Block] = {}

    def visit(block: Block) -> None:
        for statement in block.statements:
            if isinstance(statement, Op):
                definitions[statement.result] = ir.with_operands(statement, first)
            if isinstance(statement, Loop):
                own = statement.params + ((statement.item,) if statement.item else ())
                homes.update(dict.fromkeys(own, statement.body))
            for inner in ir.blocks_of(statement):
                visit(inner)
            homes.update(dict.fromkeys(ir.defined_by(statement), block))
            blocks[statement] = block

    visit(forward)
    _measure_outside(forward, homes, definitions)
    return homes, definitions, {value: i for i, value in enumerate(homes)}, blocks


def _measure_outside(
    forward: Block, homes: Mapping[Value, Block], definitions: dict[Value, Op]
) -> None:
    """Let the length of an array that a loop carries be that of an argument as long as it."""
    at_hand: dict[facts.Dim, Value] = {}
    for atom in ir.atoms_in(forward):
        if isinstance(atom, Value) and atom not in homes and facts.rank(atom.fact):
            at_hand.setdefault(_first_length(atom), atom)
    for value, op in definitions.items():
        if op.fn is len and isinstance(op.args[0], Value) and facts.rank(op.args[0].fact):
            length = _first_length(op.args[0])
            if length in at_hand:
                definitions[value] = replace(op, args=(at_hand[length],))


def _first_length(array: Value) -> facts.Dim:
    sizes = facts.dims(array.fact)
    assert sizes
    return sizes[0]


def changing_arrays(forward: Block) -> frozenset[Value]:
    """The arrays in loops that are written into after what reads them."""
    found: set[Atom] = set()
    for statement in reversed(list(ir.walk(forward))):
        if isinstance(statement, Op) and _writes(statement):
            found.add(statement.args[0])
        elif isinstance(statement, Loop):
            found.update(i for i, p in zip(statement.inits, statement.params) if p in found)
    outside = {value for s in forward.statements for value in ir.defined_by(s)}
    return frozenset(v for v in found if isinstance(v, Value) and v not in outside)


def _writes(op: Op) -> bool:
    """Whether an operation gives its first operand with something else in one place."""
    return isinstance(op.fn, Store) or op.fn is runtime.scatter_add
