"""An index of several parts is written where it is used.

    items = i, j                     t = a[i, j]
    t = a[items]           ──▶       ba[i, j] += bt
    ba[items] += bt
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tangent_like import ir, runtime
from tangent_like.ir import Block, Function, Op, Statement, Value
from tangent_like.simplify.dead import remove_dead
from tangent_like.stores import Store

_INDEXED = (operator.getitem, runtime.scatter_add, runtime.scatter_add_into)


def with_own_indices(function: Function) -> Function:
    uses = ir.count_uses(function.body)
    tuples = {
        s.result: s
        for s in ir.walk(function.body)
        if isinstance(s, Op) and s.fn is ir.make_tuple and uses[s.result] > 1
    }
    if not tuples:
        return function
    return remove_dead(replace(function, body=_block(function.body, tuples)))


def _block(block: Block, tuples: Mapping[Value, Op]) -> Block:
    statements = [new for old in block.statements for new in _statement(old, tuples)]
    return Block(tuple(statements), block.results)


def _statement(statement: Statement, tuples: Mapping[Value, Op]) -> Iterator[Statement]:
    if not isinstance(statement, Op):
        yield ir.with_blocks(statement, lambda inner: _block(inner, tuples))
    elif statement.fn in _INDEXED or isinstance(statement.fn, Store):
        own = {
            index: Value("", index.fact)
            for index in statement.args[1:]
            if isinstance(index, Value) and index in tuples
        }
        yield from (replace(tuples[index], result=result) for index, result in own.items())
        yield ir.with_operands(statement, own)
    else:
        yield statement
