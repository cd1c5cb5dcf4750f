"""What the iterations of a loop need of one another.

    for i in range(n):             the adjoint of an iteration needs x[i] and d alone: it can be
        d = x[i] - 1.0             swept forward and back by itself, with nothing saved
        e += k * d * d

A loop like this one only accumulates, and so does its mirror: sums may be taken in any order.
Integers that it carries (`place += 2`) count along: the iterations are gone through in their order.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tangent_like import effects, facts, ir, runtime
from tangent_like.ir import Atom, Block, If, Loop, Op, Statement, Value

Counts = Mapping[Any, int]
_ADDING = (operator.add, runtime.add, runtime.scatter_add)


def counts_of(forward: Loop, mirrored: Block) -> list[Value] | None:
    """The integers that a loop carries and that the mirror of an iteration needs, if it needs
    nothing else of what the loop carries: all that it reads can be computed again from these, from
    the loop variable and from around the loop, without an effect.  None where it cannot."""
    if forward.exits or forward.iterable is None:
        return None
    if not all(map(_repeatable, ir.walk(forward.body))):
        return None
    sources: dict[Value, list[Atom]] = {}
    _note(forward.body, (), sources)
    carried = dict(zip(forward.params, forward.nexts, strict=True))
    read = [*ir.free_values(mirrored), *_gone_through(mirrored), *_asked_for(forward.body)]
    pending: list[Atom] = [v for v in read if v in sources or v in carried]
    seen = set(pending)
    while pending:
        value = pending.pop()
        if value in carried and value.fact != facts.INT:
            return None
        found = (carried[value],) if value in carried else sources.get(value, ())  # type: ignore[arg-type]
        pending += [a for a in found if isinstance(a, Value) and a not in seen]
        seen.update(found)
    return [param for param in forward.params if param in seen]


def _asked_for(body: Block) -> list[Atom]:
    """What raises an exception where it has no value: it is asked again when it is swept again."""
    return [s.args[0] for s in ir.walk(body) if isinstance(s, Op) and s.fn is ir.defined]


def _gone_through(mirrored: Block) -> list[Atom]:
    """What the loops inside that are mirrored go through: their mirrors will do so backwards."""
    loops = [s for s in ir.walk(mirrored) if isinstance(s, Loop) and s.mirror is not None]
    return [s.mirror.statement.iterable for s in loops if s.mirror.statement.iterable is not None]


def measured_before(loop: Loop) -> Loop:
    """The loop in which lengths of arrays that it carries are taken of those before it, where
    these are as long."""
    before = {
        param: init
        for param, init in zip(loop.params, loop.inits, strict=True)
        if facts.dims(param.fact) and facts.dims(param.fact) == facts.dims(init.fact)
    }
    statements = tuple(
        ir.with_operands(s, before) if isinstance(s, Op) and s.fn is len else s
        for s in loop.body.statements
    )
    return replace(loop, body=replace(loop.body, statements=statements))


def wanted_of(forward: Block, reverse: Block) -> set[Atom]:
    """What a reverse sweep needs of the forward sweep, itself or for computing it."""
    sources: dict[Value, list[Atom]] = {}
    _note(forward, (), sources)
    seen: set[Atom] = set()
    pending: list[Atom] = list(ir.free_values(reverse))
    while pending:
        atom = pending.pop()
        if isinstance(atom, Value) and atom not in seen:
            seen.add(atom)
            pending += sources.get(atom, ())
    return seen


def takes_long(block: Block) -> bool:
    """Whether more is computed than a little arithmetic: in a loop, or by a function."""
    return any(not isinstance(s, Op) or s.fn not in _QUICK for s in ir.walk(block))


_QUICK = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.getitem,
    operator.pow, operator.floordiv, operator.mod, ir.make_tuple, len, getattr, range, slice,
)  # fmt: skip


def _repeatable(statement: Statement) -> bool:
    if not isinstance(statement, Op):
        return True
    if isinstance(statement.fn, (ir.Procedure, ir.Hook)):
        return False
    return statement.fn is ir.defined or effects.is_pure(statement.fn)


def _note(block: Block, control: tuple[Atom, ...], sources: dict[Value, list[Atom]]) -> None:
    """What each value in and below the block is made of, and what decides whether it is."""
    for statement in block.statements:
        if isinstance(statement, Op):
            sources[statement.result] = [*statement.atoms, *control]
        elif isinstance(statement, If):
            inner = (*control, statement.test)
            for result, *found in zip(
                statement.results, statement.then.results, statement.orelse.results
            ):
                sources[result] = [*found, *inner]
            _note(statement.then, inner, sources)
            _note(statement.orelse, inner, sources)
        else:
            _note_loop(statement, control, sources)


def _note_loop(loop: Loop, control: tuple[Atom, ...], sources: dict[Value, list[Atom]]) -> None:
    ends = loop.body.results[:1] if loop.exits else ()
    inner = (*control, *(() if loop.iterable is None else (loop.iterable,)), *ends)
    for param, init, after, result in zip(loop.params, loop.inits, loop.nexts, loop.results):
        sources[param] = [init, after, *inner]
        sources[result] = [init, after, *inner]
    if loop.item is not None:
        sources[loop.item] = list(inner)
    _note(loop.body, inner, sources)


def can_start_again(iterable: Atom, definitions: Mapping[Value, Op]) -> bool:
    """Whether a second loop may go through an iterable, made anew where it is an iterator."""
    made = definitions.get(iterable) if isinstance(iterable, Value) else None
    if made is not None and made.fn in (zip, reversed, enumerate):
        return all(can_start_again(part, definitions) for part in made.args)
    fact = facts.defined(iterable.fact)
    return fact == facts.Opaque("range") or isinstance(fact, (facts.Array, facts.Tuple, facts.List))


# --- sums -------------------------------------------------------------------------------------


def only_accumulates(params: Iterable[Value], nexts: Iterable[Atom], body: Block) -> bool:
    """Whether each of the values that a loop carries is only added to."""
    counts = ir.count_uses(body)
    return all(_reaches(body, param, after, counts) for param, after in zip(params, nexts))


def _reaches(block: Block, value: Atom, wanted: Atom, counts: Counts) -> bool:
    """Whether `wanted` is `value` with other values added to it, and nothing else reads it."""
    for statement in block.statements:
        if value is wanted:
            break
        found = _continued(statement, value, counts)
        if found is not None:
            value = found
    return value is wanted and isinstance(value, Value) and counts.get(value, 0) == 1


def _continued(statement: Statement, value: Atom, counts: Counts) -> Atom | None:
    """The sum that a statement makes of a value, if that is all that is done with it."""
    if not isinstance(value, Value):
        return None
    if isinstance(statement, Op):
        adds = statement.fn in _ADDING or statement.fn is operator.sub
        reads = adds and statement.args[0] is value and value not in statement.args[1:]
        return statement.result if reads and counts[value] == 1 else None
    if isinstance(statement, If):
        return _joined(statement, value, counts)
    for param, init, after, result in zip(
        statement.params, statement.inits, statement.nexts, statement.results
    ):
        alone = init is value and counts[value] == 1
        if alone and not statement.exits and _reaches(statement.body, param, after, counts):
            return result
    return None


def _joined(statement: If, value: Value, counts: Counts) -> Atom | None:
    inside = [ir.count_uses(block).get(value, 0) for block in (statement.then, statement.orelse)]
    if counts[value] != sum(inside) or max(inside) > 1 or statement.test is value:
        return None
    for result, *ends in zip(statement.results, statement.then.results, statement.orelse.results):
        sides = zip((statement.then, statement.orelse), ends)
        if all(_reaches(block, value, end, {**counts, value: 1}) for block, end in sides):
            return result
    return None
