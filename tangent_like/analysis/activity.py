"""Which values vary with the differentiated inputs.

A value is varied if an operand of its operation is and its type can carry a derivative.  What
does not influence the output needs no analysis: no adjoint ever reaches it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from tangent_like import facts, ir
from tangent_like.effects import is_inert
from tangent_like.ir import Atom, Block, If, Loop, Op, Statement, Value
from tangent_like.rules import registry
from tangent_like.rules.apply import rule_of


def varied(block: Block, inputs: Iterable[Value]) -> set[Value]:
    """The values in and below the block that vary with the inputs."""
    found = set(inputs)
    while True:
        before = len(found)
        _block(block, found)
        if len(found) == before:
            return found


def check_rules(block: Block, active: set[Value], special: Container[Any]) -> None:
    """Refuse an operation that has no rule and reads an active value: it would count as
    constant."""
    for statement in ir.walk(block):
        if not isinstance(statement, Op) or isinstance(statement.fn, (ir.Procedure, ir.Hook)):
            continue
        if statement.fn in special or statement.fn in registry.solvers or is_inert(statement.fn):
            continue
        if any(atom in active for atom in statement.atoms):
            rule_of(statement)


def _block(block: Block, found: set[Value]) -> None:
    for statement in block.statements:
        _statement(statement, found)


def _statement(statement: Statement, found: set[Value]) -> None:
    if isinstance(statement, Op):
        _op(statement, found)
    elif isinstance(statement, If):
        _block(statement.then, found)
        _block(statement.orelse, found)
        for result, a, b in zip(
            statement.results, statement.then.results, statement.orelse.results
        ):
            _spread((a, b), result, found)
    else:
        _loop(statement, found)


def _op(op: Op, found: set[Value]) -> None:
    if op.fn is ir.push:
        tape, value = op.args
        assert isinstance(tape, Value)
        _spread((value,), tape, found)
        return
    rule = registry.find(op.fn)
    if rule is None or rule.kind != "constant":
        _spread(op.atoms, op.result, found)


def _loop(loop: Loop, found: set[Value]) -> None:
    if loop.item is not None and loop.iterable is not None:
        _spread((loop.iterable,), loop.item, found)
    for init, param in zip(loop.inits, loop.params):
        _spread((init,), param, found)
    while True:
        _block(loop.body, found)
        before = len(found)
        for after, param in zip(loop.nexts, loop.params):
            _spread((after,), param, found)
        if len(found) == before:
            break
    for init, after, result in zip(loop.inits, loop.nexts, loop.results):
        _spread((init, after), result, found)


def _spread(sources: Iterable[Atom], target: Value, found: set[Value]) -> None:
    if any(isinstance(s, Value) and s in found for s in sources):
        if facts.may_be_differentiated(target.fact):
            found.add(target)
