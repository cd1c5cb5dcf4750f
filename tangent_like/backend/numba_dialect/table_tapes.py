"""A tape of what a table holds is not needed: the mirror reads the table.

    for j in range(k):                        for j in range(k):
        e = table[j]                              e = table[j]
        e_tape[j] = e              ──▶            ...
        ...                                   for j in range(k):
    for j in range(k):                            e = table[j]
        e = e_tape[j]                             ...

The table is filled by a statement of the function's own, before the loops.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tangent_like import facts, ir
from tangent_like.backend.numba_dialect.lanes import set_element
from tangent_like.backend.numba_dialect.places import Places, operations_in, places_of
from tangent_like.backend.numba_dialect.rebuild import operations, rebuilt
from tangent_like.ir import Atom, Block, Function, Op, Statement, Value


def read_tables(function: Function) -> Function:
    places = places_of(function)
    reads = Counter(ir.atoms_in(function.body))
    tables = dict(tables_of(function.body, reads))
    if not tables:
        return function
    held: dict[Atom, Value] = {}
    for op in operations(function):
        if op.fn is ir.put:
            table = table_of(op, tables, places)
            if table is not None and is_tape_of(op.args[0], tables[table], reads):
                held[op.args[0]] = table

    def visit(statement: Statement) -> Iterator[Statement]:
        if not isinstance(statement, Op) or not statement.args or statement.args[0] not in held:
            yield statement
        elif statement.fn is ir.fetch:
            args = (held[statement.args[0]], statement.args[1])
            yield replace(statement, fn=operator.getitem, args=args)

    return rebuilt(function, visit)


def tables_of(
    body: Block, reads: Counter[Atom]
) -> Iterator[tuple[Value, Sequence[Statement]]]:
    """The arrays that one statement of the body fills and no other changes, with what follows."""
    made = {s.result for s in body.statements if isinstance(s, Op) and s.fn is np.empty}
    for k, statement in enumerate(body.statements):
        if isinstance(statement, Op):
            continue
        filling = [op for op in operations_in((statement,)) if op.fn is set_element]
        later = body.statements[k + 1 :]
        for table in made.intersection(op.args[0] for op in filling):
            readings = [op for op in operations_in(later) if is_reading(op, table)]
            if reads[table] == len(readings) + sum(op.args[0] is table for op in filling):
                yield table, later


def is_reading(op: Op, table: Value) -> bool:
    """Whether an operation reads one element of an array."""
    scalar = facts.is_scalar(op.result.fact)
    return op.fn is operator.getitem and op.args[0] is table and scalar


def table_of(put: Op, tables: dict[Value, Sequence[Statement]], places: Places) -> Value | None:
    """The table that holds, at the same place, what is put on a tape."""
    _, index, value = put.args
    made = places.definitions.get(value) if isinstance(value, Value) else None
    if made is None or made.fn is not operator.getitem:
        return None
    array, place = made.args
    known = isinstance(array, Value) and array in tables
    return array if known and places.key(place) == places.key(index) else None  # type: ignore[return-value]


def is_tape_of(tape: Atom, later: Sequence[Statement], reads: Counter[Atom]) -> bool:
    """Whether a tape is filled once, and all that is read of it are elements, after the table is
    filled."""
    elements = [
        op for op in operations_in(later)
        if op.fn in (ir.put, ir.fetch) and op.args[0] is tape
    ]  # fmt: skip
    once = sum(op.fn is ir.put for op in elements) == 1
    return once and len(elements) == reads[tape]
