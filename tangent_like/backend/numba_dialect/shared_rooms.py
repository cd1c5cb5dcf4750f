"""Tapes of arrays that have one shape share one allocation.

    tape = np.empty((n, m))             both = np.empty((2, n, m))
    tape1 = np.empty((n, m))    ──▶     tape = both[0]
                                        tape1 = both[1]

When blocks are freed at the end of a call, the allocator of the C library hands memory back to the
system if that is more than twice the largest block so far, and the next call has to fetch it again
page by page: of several blocks of one size that took longer than the derivative of a time step.
"""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterator
from dataclasses import replace

from tangent_like import ir
from tangent_like.backend.numba_dialect.rebuild import Definitions, definitions_of
from tangent_like.ir import Atom, Block, Const, Function, Op, Statement, Value

_OF_LENGTHS = (max, len, operator.add, operator.sub, operator.mul, ir.make_tuple)


def share_rooms(function: Function) -> Function:
    definitions = definitions_of(function)

    def block(old: Block) -> Block:
        groups: dict[Hashable, list[Op]] = {}
        for s in old.statements:
            if isinstance(s, Op) and s.fn is ir.reserve and len(_lengths(s, definitions)) > 1:
                groups.setdefault(tuple(_key(a, definitions) for a in s.args), []).append(s)
        firsts = {group[0]: group for group in groups.values() if len(group) > 1}
        others = {op for group in firsts.values() for op in group[1:]}
        statements: list[Statement] = []
        for s in old.statements:
            if s in firsts:
                statements += _shared(firsts[s], definitions)
            elif s not in others:
                statements.append(ir.with_blocks(s, block))
        return Block(tuple(statements), old.results)

    return replace(function, body=block(function.body))


def _shared(group: list[Op], definitions: Definitions) -> Iterator[Op]:
    """One array for all of a group, and the tapes as its parts."""
    first = group[0]
    shape = Value("", first.args[0].fact)
    lengths = (Const(len(group)), *_lengths(first, definitions))
    yield Op(shape, ir.make_tuple, lengths, (), first.place, True)
    whole = Value("tapes", first.result.fact)
    yield Op(whole, ir.reserve, (shape, *first.args[1:]), (), first.place, True)
    for k, op in enumerate(group):
        yield Op(op.result, operator.getitem, (whole, Const(k)), (), op.place, True)


def _lengths(op: Op, definitions: Definitions) -> tuple[Atom, ...]:
    """The lengths of an array along its axes, if it has several."""
    shape = op.args[0]
    made = definitions.get(shape) if isinstance(shape, Value) else None
    return made.args if made is not None and made.fn is ir.make_tuple else ()


def _key(atom: Atom, definitions: Definitions) -> Hashable:
    """The same for lengths that are computed alike."""
    if isinstance(atom, Const):
        return (type(atom.value), atom.value)
    made = definitions.get(atom)
    if made is None or made.fn not in _OF_LENGTHS or made.keywords:
        return atom
    return (made.fn, tuple(_key(a, definitions) for a in made.args))
