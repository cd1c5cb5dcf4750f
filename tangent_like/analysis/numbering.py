"""When two operations are certain to have the same result.

Operations of the same function on the same operands have equal keys.  What allocates an array that
may be changed later is not shared, nor is what has an effect, or reads something that may change.
"""

from __future__ import annotations

import operator
from collections import ChainMap
from collections.abc import Hashable, MutableMapping
from typing import Any

import numpy as np

from tangent_like import effects, facts, ir, list_runtime, runtime
from tangent_like.ir import Atom, Block, Const, Op, Value
from tangent_like.records import MakeRecord
from tangent_like.stores import Store

COMMUTING = (operator.add, operator.mul)
_NEVER_SHARED: frozenset[Any] = frozenset({
    runtime.zeros_like, runtime.zero_list, runtime.copy, np.zeros, np.zeros_like, np.full, np.ones,
    np.empty, np.copy, np.array, ir.make_list, ir.new_tape, ir.defined, ir.live, list, zip,
    reversed, enumerate, np.errstate, np.printoptions, list_runtime.zero_lists,
    list_runtime.lists_of,
})  # fmt: skip


def may_share(op: Op) -> bool:
    """Whether one operation can stand for all that have its key."""
    if isinstance(op.fn, (Store, MakeRecord)) or not effects.is_pure(op.fn):
        return False
    if op.fn in _NEVER_SHARED or op.result.fact == facts.NONE:
        return False
    # An item or attribute of what is no array may be another one the next time.
    return op.fn not in (operator.getitem, getattr) or isinstance(
        op.args[0].fact, (facts.Array, facts.Tuple)
    )


def key_of(op: Op) -> Hashable:
    """What operations with the same result have in common."""
    args = _keys_of(op.args)
    if op.fn in COMMUTING and all(map(_is_numeric, op.args)):
        args = tuple(sorted(args, key=hash))
    if not op.keywords:
        return op.fn, args
    return op.fn, args, tuple((key, atom_key(a)) for key, a in op.keywords)


def _is_numeric(atom: Atom) -> bool:
    return isinstance(atom.fact, (facts.Scalar, facts.Array))


def _keys_of(atoms: tuple[Atom, ...]) -> tuple[Hashable, ...]:
    return tuple([a if isinstance(a, Value) else atom_key(a) for a in atoms])


def atom_key(atom: Atom) -> Hashable:
    """A value is itself; equal constants are of one type, and 0.0 is not -0.0."""
    if isinstance(atom, Value):
        return atom
    value = atom.value
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None), type(...))):
        return type(value), repr(value)
    if isinstance(value, tuple):
        return tuple, tuple(atom_key(Const(item)) for item in value)
    if isinstance(value, slice):
        return slice, tuple(atom_key(Const(v)) for v in (value.start, value.stop, value.step))
    return "object", id(value)


def repeated(block: Block) -> dict[Value, Value]:
    """For each value that was computed before, in its block or one around it, the first one."""
    table: dict[Value, Value] = {}

    def visit(inner: Block, known: MutableMapping[Hashable, Value]) -> None:
        for statement in inner.statements:
            if isinstance(statement, Op):
                if may_share(statement):
                    key = key_of(ir.with_operands(statement, table))
                    first = known.setdefault(key, statement.result)
                    if first is not statement.result and first.fact == statement.result.fact:
                        table[statement.result] = first
                continue
            for nested in ir.blocks_of(statement):
                visit(nested, ChainMap({}, known))

    visit(block, {})
    return table
