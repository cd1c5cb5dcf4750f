"""The derivatives of lists that are put together, changed in the middle, or turned round.

    y = joined(a, b)                   ba += by[:n];  bb += by[n:]
    y = spliced(a, i, j, b)            ba += spliced(by, i, i + n, zeros);  bb += by[i:i + n]
    y = swapped(a, i, j)               ba += swapped(by, i, j)

The tangent of each is the same of the tangents.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tangent_like import facts, infer, list_runtime, runtime, trees
from tangent_like.build import Builder
from tangent_like.facts import Fact
from tangent_like.ir import Atom, Const, Op
from tangent_like.rules.registry import constant
from tangent_like.trees import Tree

constant(
    list_runtime.place_within, list_runtime.place_of_item, list_runtime.ends_of_slice,
)  # fmt: skip


def _joined_fact(a: Atom, b: Atom) -> Fact:
    """A list of any length, whose items are alike."""
    lists = [facts.without_values(_as_list(atom.fact)) for atom in (a, b)]
    return facts.join(facts.join(*lists), facts.List(()))


def _as_list(fact: Fact) -> Fact:
    if isinstance(fact, facts.TupleOf):
        return facts.ListOf(fact.item)
    return facts.List(fact.items) if isinstance(fact, facts.Tuple) else fact


infer.special[list_runtime.joined] = _joined_fact
infer.special[list_runtime.spliced] = lambda items, start, stop, more: _joined_fact(items, more)
infer.special[list_runtime.swapped] = lambda items, i, j: items.fact
infer.special[list_runtime.ends_of_slice] = lambda items, where: facts.Tuple(
    (facts.INT, facts.INT)
)
for _place in (
    list_runtime.place_within, list_runtime.place_of_item, operator.indexOf, operator.countOf,
):  # fmt: skip
    infer.special[_place] = lambda items, value: facts.INT


def cotangents(builder: Builder, op: Op, g: Atom) -> list[tuple[Atom, Tree]]:
    """What each operand gets from the cotangent of the list."""
    return _COTANGENTS[op.fn](builder, g, *op.args)


def tangent(builder: Builder, op: Op, operands: list[Tree]) -> Tree:
    """The tangent of the list, from the tangents of its operands; the places have none."""
    filled = [
        atom if tree is None and _is_place(atom) else trees.materialised(builder, tree, atom)
        for tree, atom in zip(operands, op.args)
    ]
    return builder.op(op.fn, filled)


def _is_place(atom: Atom) -> bool:
    return not facts.may_be_differentiated(atom.fact) and isinstance(atom.fact, facts.Scalar)


def _part(builder: Builder, g: Atom, start: Atom, stop: Atom, like: Atom) -> Tree:
    """What of the cotangent belongs to items that stand side by side in the list."""
    between = builder.op(slice, (start, stop))
    part = builder.op(operator.getitem, (g, between))
    return trees.dissolve(builder, part, like.fact)


_START, _END = Const(None), Const(None)


def _of_joined(builder: Builder, g: Atom, a: Atom, b: Atom) -> list[tuple[Atom, Tree]]:
    count = builder.op(len, (a,))
    return [(a, _part(builder, g, _START, count, a)), (b, _part(builder, g, count, _END, b))]


def _of_spliced(
    builder: Builder, g: Atom, items: Atom, start: Atom, stop: Atom, more: Atom
) -> list[tuple[Atom, Tree]]:
    end = builder.op(operator.add, (start, builder.op(len, (more,))))
    gone = builder.op(operator.getitem, (items, builder.op(slice, (start, stop))))
    zeros = builder.op(runtime.zero_list, (gone,))
    before = builder.op(list_runtime.spliced, (g, start, end, zeros))
    whole = trees.dissolve(builder, before, items.fact)
    return [(items, whole), (more, _part(builder, g, start, end, more))]


def _of_swapped(
    builder: Builder, g: Atom, items: Atom, i: Atom, j: Atom
) -> list[tuple[Atom, Tree]]:
    return [(items, builder.op(list_runtime.swapped, (g, i, j)))]


_COTANGENTS: dict[Any, Callable[..., list[tuple[Atom, Tree]]]] = {
    list_runtime.joined: _of_joined,
    list_runtime.spliced: _of_spliced,
    list_runtime.swapped: _of_swapped,
}
FUNCTIONS = tuple(_COTANGENTS)

