"""Write into copies: what in-place updates become without looking who else needs the array.

    y' = store(y, e, i)     ──▶     y' = copy(y)
                                    y' = store_into(y', e, i)

For lists that are printed without being simplified.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tangent_like import ir
from tangent_like.ir import Block, Function, Op, Statement
from tangent_like.stores import Store, on_a_copy


def write_into_copies(function: Function) -> Function:
    return replace(function, body=_block(function.body))


def _block(block: Block) -> Block:
    return Block(tuple(s for old in block.statements for s in _statements(old)), block.results)


def _statements(statement: Statement) -> Iterator[Statement]:
    if isinstance(statement, Op) and isinstance(statement.fn, Store) and not statement.fn.into:
        yield from on_a_copy(statement)
    else:
        yield ir.with_blocks(statement, _block)
