"""Differentiating straight-line operations, as a rule does that is given by a formula.

    tangents_of(builder, ops, {x: dx})       tangents of every result, in the order of `ops`
    cotangents_of(builder, ops, {y: by})     cotangents of everything that `ops` read

The passes proper do the same for whole programs, with branches and loops.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tangent_like import facts, ir, runtime
from tangent_like.build import Builder
from tangent_like.ir import Atom, Const, Op
from tangent_like.rules.registry import find

Tangent = Callable[[Builder, Op, Sequence[Any]], Any]
Cotangents = Callable[[Builder, Op, Any, Sequence[bool]], list[Any]]


def tangents_of(
    builder: Builder, ops: Iterable[Op], tangents: dict[Any, Any], tangent: Tangent
) -> None:
    """Add the tangents of results to `tangents`; a result without one has tangent zero."""
    for op in ops:
        found = _tangent(builder, op, [tangents.get(atom) for atom in op.args], tangent)
        if found is not None:
            tangents[op.result] = found


def _tangent(builder: Builder, op: Op, tangents: list[Any], tangent: Tangent) -> Any:
    if op.fn in (ir.make_tuple, ir.make_list):
        return None if all(t is None for t in tangents) else tuple(tangents)
    if is_constant(op) or all(t is None for t in tangents):
        return None
    if op.fn is operator.getitem and isinstance(tangents[0], tuple):
        return tangents[0][_index_of(op)]
    return tangent(builder, op, tangents)


def _index_of(op: Op) -> Any:
    assert isinstance(op.args[1], Const)
    return op.args[1].value


def active_in(ops: Iterable[Op], inputs: Iterable[Any]) -> set[Any]:
    """The inputs, and what depends on them differentiably."""
    active = set(inputs)
    for op in ops:
        reached = any(atom in active for atom in op.args) and not is_constant(op)
        if reached and facts.may_be_differentiated(op.result.fact):
            active.add(op.result)
    return active


def is_constant(op: Op) -> bool:
    """Whether an operation has derivative zero: its rule says so, or it reads a shape."""
    if op.fn is getattr:
        return True
    rule = find(op.fn)
    return rule is not None and rule.kind == "constant"


def cotangents_of(
    builder: Builder,
    ops: Sequence[Op],
    adjoints: dict[Any, Any],
    active: set[Any],
    cotangents: Cotangents,
) -> None:
    """Add to `adjoints`, which holds those of the results, the adjoints of what `ops` read."""
    for op in reversed(ops):
        g = adjoints.get(op.result)
        if g is None or op.result not in active:
            continue
        for atom, part in zip(
            op.args, _cotangents(builder, op, g, active, cotangents), strict=False
        ):
            if part is not None and atom in active:
                adjoints[atom] = _sum(builder, adjoints.get(atom), part)


def _cotangents(
    builder: Builder, op: Op, g: Any, active: set[Any], cotangents: Cotangents
) -> list[Any]:
    if op.fn in (ir.make_tuple, ir.make_list):
        return [_item(builder, g, i) for i in range(len(op.args))]
    container = op.args[0].fact if op.args else None
    if op.fn is operator.getitem and isinstance(container, (facts.Tuple, facts.List)):
        items: list[Any] = [None] * len(container.items)
        items[_index_of(op)] = g
        return [tuple(items), None]
    return cotangents(builder, op, g, [atom in active for atom in op.args])


def _item(builder: Builder, g: Any, i: int) -> Any:
    return g[i] if isinstance(g, tuple) else builder.op(operator.getitem, (g, Const(i)))


def _sum(builder: Builder, a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, tuple) and isinstance(b, tuple):
        return tuple(_sum(builder, x, y) for x, y in zip(a, b, strict=True))
    a, b = _whole(builder, a), _whole(builder, b)
    known = facts.dims(a.fact) is not None and facts.dims(b.fact) is not None
    return builder.op(operator.add if known else runtime.add, (a, b))


def _whole(builder: Builder, tree: Any) -> Atom:
    """A tree of cotangents as one value."""
    if isinstance(tree, tuple):
        return builder.op(ir.make_tuple, [_whole(builder, item) for item in tree])
    return Const(None) if tree is None else tree
