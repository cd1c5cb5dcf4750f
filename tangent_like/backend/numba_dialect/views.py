"""The same part of an array is taken once in a block.

    item = u[1:-1]                   item = u[1:-1]
    y = 2.0 * item                   y = 2.0 * item
    part = u[1:-1]         ──▶       item += y
    part += y
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tangent_like import ir
from tangent_like.backend.numba_dialect.places import Places, is_view, places_of
from tangent_like.ir import Atom, Block, Function, Op, Statement, Value


def share_views(function: Function) -> Function:
    places, table = places_of(function), dict[Value, Atom]()
    body = _block(function.body, places, table)
    return replace(function, body=ir.substitute(body, table))


def _block(block: Block, places: Places, table: dict[Value, Atom]) -> Block:
    return Block(tuple(_shared(block, places, table)), block.results)


def _shared(block: Block, places: Places, table: dict[Value, Atom]) -> Iterator[Statement]:
    known: dict[Any, Value] = {}
    for statement in block.statements:
        if isinstance(statement, Op) and is_view(statement):
            kept = _kept(statement, places, known)
            if kept is not None:
                table[statement.result] = kept
                continue
        yield ir.with_blocks(statement, lambda inner: _block(inner, places, table))


def _kept(op: Op, places: Places, known: dict[Any, Value]) -> Value | None:
    """The same part of the same value, taken before.  An array that was written into since is
    another value: who reads it keeps the writing alive."""
    array, index = op.args
    found = known.setdefault((array, places.key(index)), op.result)
    return found if found is not op.result else None
