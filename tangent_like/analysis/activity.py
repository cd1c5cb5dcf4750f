"""Which values vary with the differentiated inputs.

A value is varied if an operand of its operation is and its type can carry a derivative.  What
does not influence the output needs no analysis: no adjoint ever reaches it.  Only what cancels in
the output (`shifts.py`) is left out.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from tangent_like import facts, ir
from tangent_like.analysis.shifts import cancelling
from tangent_like.effects import is_inert
from tangent_like.errors import NeverSupported
from tangent_like.ir import Atom, Block, If, Loop, Op, Statement, Value
from tangent_like.rules import registry
from tangent_like.rules.apply import rule_of
from tangent_like.stores import Store


def varied(block: Block, inputs: Iterable[Value]) -> set[Value]:
    """The values in and below the block that vary with the inputs."""
    readers: dict[Atom, list[Value]] = {}
    for statement in ir.walk(block):
        for source, target in _flows(statement):
            readers.setdefault(source, []).append(target)
    found = set(inputs)
    pending = list(found)
    passed_by = cancelling(block)
    while pending:
        for target in readers.get(pending.pop(), ()):
            if target in found or target in passed_by:
                continue
            if facts.may_be_differentiated(target.fact):
                found.add(target)
                pending.append(target)
    return found


def check_rules(block: Block, active: set[Value], special: Container[object]) -> None:
    """Refuse an operation that has no rule and reads an active value: it would count as
    constant."""
    for statement in ir.walk(block):
        if not isinstance(statement, Op) or isinstance(statement.fn, (ir.Procedure, ir.Hook)):
            continue
        if isinstance(statement.fn, Store):
            _check_store(statement, active)
            continue
        fn = statement.fn
        if type(fn) in special or fn in special or active.isdisjoint(statement.atoms):
            continue
        if not (fn in registry.solvers or is_inert(fn)):
            rule_of(statement)


def _check_store(op: Op, active: set[Value]) -> None:
    """What varies must not go where it cannot be held: its derivative would be lost."""
    value = op.args[1]
    if value in active and not facts.may_be_differentiated(op.result.fact):
        raise NeverSupported(
            "storing a value to be differentiated in an array of "
            f"{facts.dtype(op.result.fact) or 'objects'}",
            op.place,
            "make the array with a floating-point type",
        )


def _flows(statement: Statement) -> Iterator[tuple[Atom, Value]]:
    """Which value a statement makes from which, leaving out those inside its blocks."""
    if isinstance(statement, Op):
        yield from _flows_of_op(statement)
    elif isinstance(statement, If):
        for block in ir.blocks_of(statement):
            yield from zip(block.results, statement.results)
    else:
        yield from _flows_of_loop(statement)


def _flows_of_op(op: Op) -> Iterator[tuple[Atom, Value]]:
    if op.fn is ir.push:
        tape, value = op.args
        assert isinstance(tape, Value)
        yield value, tape
        return
    rule = registry.find(op.fn)
    if rule is None or rule.kind != "constant":
        for atom in op.atoms:
            if isinstance(atom, Value):
                yield atom, op.result


def _flows_of_loop(loop: Loop) -> Iterator[tuple[Atom, Value]]:
    if loop.item is not None and loop.iterable is not None:
        yield loop.iterable, loop.item
    for sources in (loop.inits, loop.nexts):
        yield from zip(sources, loop.params)
        yield from zip(sources, loop.results)
