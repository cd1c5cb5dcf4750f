"""Which values of an iteration to compute again rather than save.

A cheap value (scalar arithmetic, an index, a view, a shape) is computed again if that needs at
most one more saved value than saving it would, and only a few operations.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tangent_like import facts, ir
from tangent_like.ir import Block, Op, Value

_COST_LIMIT = 5

_ARITHMETIC: frozenset[Any] = frozenset({
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pos,
    operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge, operator.not_,
    operator.floordiv, operator.mod,
})  # fmt: skip
_VIEWS: frozenset[Any] = frozenset({
    operator.getitem, getattr, len, range, slice, ir.make_tuple, np.transpose,
})  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    value: Value
    definition: Op | None


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    taped: list[Value]
    recomputed: list[Op]


def choose(
    needs: Sequence[Need],
    definitions: Mapping[Value, Op],
    homes: Mapping[Value, Block],
    path: tuple[Block, ...],
    available: Collection[Value],
    order: Mapping[Value, int],
    changing: frozenset[Value] = frozenset(),
) -> Plan:
    """What to save and what to compute again, later values first; what is read of arrays that are
    `changing` is saved."""
    wanted = {need.value for need in needs} - set(available)
    recomputed: list[Op] = []
    pending = sorted(wanted, key=order.__getitem__)
    taped: list[Value] = []
    while pending:
        value = pending.pop()
        op = definitions.get(value)
        inner = _operands(op, homes, path) if op is not None else []
        known = (wanted, available, definitions, homes, path)
        read = op is not None and op.fn in _VIEWS and not changing.isdisjoint(op.atoms)
        if op is not None and not read and _worthwhile(op, inner, *known):
            recomputed.append(op)
            new = [v for v in inner if v not in wanted and v not in available]
            wanted.update(new)
            pending = sorted({*pending, *new}, key=order.__getitem__)
        else:
            taped.append(value)
    recomputed.reverse()
    taped.reverse()
    return Plan(taped, recomputed)


def _operands(op: Op, homes: Mapping[Value, Block], path: tuple[Block, ...]) -> list[Value]:
    """The operands that belong to the same iteration."""
    return [a for a in op.atoms if isinstance(a, Value) and homes.get(a) in path]


def _worthwhile(
    op: Op,
    inner: Sequence[Value],
    wanted: Collection[Value],
    available: Collection[Value],
    definitions: Mapping[Value, Op],
    homes: Mapping[Value, Block],
    path: tuple[Block, ...],
) -> bool:
    """Whether computing again costs little and needs at most one value that is not saved yet."""
    if not _is_cheap(op):
        return False
    known = set(wanted) | set(available)
    new = {v for v in inner if v not in known}
    if len(new) > 1:
        leaves = _leaves(op, known, definitions, homes, path, _COST_LIMIT)
        if leaves is None or any(isinstance(v.fact, facts.Array) for v in leaves):
            return False
    if op.fn in _VIEWS and any(isinstance(v.fact, _WRITTEN) for v in new):
        return False  # what was read of an array is saved rather than the array
    return _cost(op, known, definitions, homes, path, _COST_LIMIT) <= _COST_LIMIT


_WRITTEN = (facts.Array, facts.ListOf, facts.DictOf)


def _leaves(
    op: Op,
    known: Collection[Value],
    definitions: Mapping[Value, Op],
    homes: Mapping[Value, Block],
    path: tuple[Block, ...],
    limit: int,
) -> set[Value] | None:
    """What would have to be saved for computing an operation again; None for more than a few."""
    found: set[Value] = set()
    for value in _operands(op, homes, path):
        if value in known:
            continue
        inner = definitions.get(value)
        if inner is None or not _is_cheap(inner) or limit <= 0:
            found.add(value)
            continue
        below = _leaves(inner, known, definitions, homes, path, limit - 1)
        if below is None:
            return None
        found |= below
    return found if len(found) <= 1 else None


def _is_cheap(op: Op) -> bool:
    if op.fn in _VIEWS:
        return True
    return op.fn in _ARITHMETIC and all(facts.is_scalar(a.fact) for a in op.atoms)


def _cost(
    op: Op,
    known: Collection[Value],
    definitions: Mapping[Value, Op],
    homes: Mapping[Value, Block],
    path: tuple[Block, ...],
    limit: int,
) -> int:
    """Operations until values that are known or saved anyway; stops counting past the limit."""
    total = 1
    for value in _operands(op, homes, path):
        inner = definitions.get(value)
        if value not in known and inner is not None and _is_cheap(inner) and total <= limit:
            total += _cost(inner, known, definitions, homes, path, limit - total)
    return total


