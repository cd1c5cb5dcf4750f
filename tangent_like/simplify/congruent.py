"""Carry once what a loop carries twice.

    loop z = z0, dz = 0.0, dw = 0.0:         loop z = z0, dz = 0.0:
        dz' = 2.0 * dz * z                       dz' = 2.0 * dz * z
        dw' = 2.0 * dw * z          ──▶          z' = z * z
        z' = z * z                               next z', dz'
        next z', dz', dw'

Variables that start alike are taken to be equal, and parted as far as one iteration makes them
different, until nothing changes.  Derivatives of derivatives carry the same tangent several times.
The variables of the user's own lines stay as they are.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from tangent_like import ir
from tangent_like.analysis.numbering import atom_key, key_of, may_share
from tangent_like.ir import Atom, Block, Function, Loop, Op, Value


def merge_equal_variables(function: Function) -> Function:
    table: dict[Value, Atom] = {}
    body = ir.map_loops(function.body, lambda loop: _loop(loop, table))
    return replace(function, body=ir.substitute(body, table)) if table else function


def _loop(loop: Loop, table: dict[Value, Atom]) -> Loop:
    classes = _classes(loop)
    first: dict[int, int] = {}
    merged = set()
    updates = {s.result: (n, s) for n, s in enumerate(loop.body.statements) if isinstance(s, Op)}
    found = [updates.get(a) if isinstance(a, Value) else None for a in loop.nexts]
    # The update that stands first is the one that stays, with its name.
    places = [-1 if update is None else update[0] for update in found]
    for k in sorted(range(len(classes)), key=places.__getitem__):
        update, number = found[k], classes[k]
        if first.setdefault(number, k) != k and update is not None and update[1].derivative:
            table[loop.params[k]] = loop.params[first[number]]
            table[loop.results[k]] = loop.results[first[number]]
            merged.add(k)
    return _without(loop, merged) if merged else loop


def _classes(loop: Loop) -> list[int]:
    """For each carried variable the number of its class: those of one class are always equal."""
    keys: list[Hashable] = [
        (atom_key(init), param.fact) for init, param in zip(loop.inits, loop.params, strict=True)
    ]
    classes = _numbered(keys)
    while len(set(classes)) < len(classes):
        nexts = _after_one_iteration(loop, classes)
        finer = _numbered(list(zip(classes, nexts, strict=True)))
        if finer == classes:
            break
        classes = finer
    return classes


def _numbered(keys: list[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _after_one_iteration(loop: Loop, classes: list[int]) -> list[Hashable]:
    """A key for what follows each variable, where those of one class are equal."""
    same: dict[Value, Atom] = {}
    for k, number in enumerate(classes):
        same[loop.params[k]] = loop.params[classes.index(number)]
    made: dict[Hashable, Value] = {}
    for statement in loop.body.statements:
        if isinstance(statement, Op) and may_share(statement):
            key = key_of(ir.with_operands(statement, same))
            same[statement.result] = made.setdefault(key, statement.result)
    return [atom_key(atom) for atom in ir.replaced(loop.nexts, same)]


def _without(loop: Loop, merged: set[int]) -> Loop:
    kept = [k for k in range(len(loop.params)) if k not in merged]
    flag = loop.body.results[:1] if loop.exits else ()
    return replace(
        loop,
        results=tuple(loop.results[k] for k in kept),
        inits=tuple(loop.inits[k] for k in kept),
        params=tuple(loop.params[k] for k in kept),
        body=Block(loop.body.statements, flag + tuple(loop.nexts[k] for k in kept)),
    )
