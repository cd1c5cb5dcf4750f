"""Update arrays in place where nobody else can see it, and leave out copies nobody needs.

    bx = zeros_like(x)                       bx = zeros_like(x)
    loop i, bx = bx:                         loop i, bx = bx:
        bx = scatter_add(bx, i, g)   ──▶         bx = scatter_add_into(bx, i, g)
    bx = copy(bx)                            return bx
    return bx

An array may be overwritten if this function made it and nothing that may share its memory is read
afterwards.  Where the array that a loop starts from does not allow that, the loop starts from a
copy, so that an update of one element in a loop never copies the array.

This pass comes last: from here on an operation may change a value that is already there.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tangent_like import facts, ir, runtime
from tangent_like.analysis.first_writes import finds_zeros
from tangent_like.analysis.lifetimes import lifetimes
from tangent_like.analysis.ownership import Plan, loops_around
from tangent_like.ir import Atom, Block, Function, If, Loop, Op, Statement, Value
from tangent_like.stores import Store, copy_of, is_basic, on_a_copy

_LISTS = (runtime.appended, runtime.without_last)
_ZEROS = (runtime.zeros_like, np.zeros)
_IN_PLACE: dict[Any, Any] = {
    runtime.appended: runtime.append_into,
    runtime.without_last: runtime.remove_last,
    runtime.scatter_add: runtime.scatter_add_into,
    operator.add: runtime.add_into,
    operator.sub: runtime.subtract_into,
}


def update_in_place(function: Function) -> Function:
    around = loops_around(function)
    params = {p for loops in around.values() for loop in loops for p in loop.params}
    candidates = {op: None for op in around if _is_candidate(op, params)}
    if not candidates:
        return function
    plan = Plan(function, lifetimes(function, {}, of_memory=True), around, candidates)
    while not plan.settled():
        pass
    body = _rebuilt(function.body, plan)
    return replace(function, body=ir.substitute(body, _kept(plan)))


def _is_candidate(op: Op, params: set[Value]) -> bool:
    if isinstance(op.fn, Store) or op.fn in _LISTS:
        return isinstance(op.args[0], Value)
    if isinstance(op.fn, ir.Procedure) or not op.derivative:
        return False
    if op.fn is runtime.scatter_add or op.fn is runtime.copy:
        return isinstance(op.args[0], Value)
    return op.fn in (operator.add, operator.sub) and _accumulates(op, params)


def _accumulates(op: Op, params: set[Value]) -> bool:
    """Whether a sum is the next contribution to an array of the same shape and type."""
    first, result = op.args[0], op.result.fact
    if not isinstance(first, Value) or not isinstance(result, facts.Array) or not result.dims:
        return False
    same = result == first.fact and result.dtype is not None
    return same and ((bool(first.name) and first.name == op.result.name) or first in params)


def _kept(plan: Plan) -> dict[Value, Atom]:
    """What stands for the results of the copies that are left out."""
    table: dict[Value, Atom] = {}
    for op in plan.candidates:
        if op.fn is runtime.copy:
            source = op.args[0]
            table[op.result] = table.get(source, source)  # type: ignore[arg-type]
    return table


def _rebuilt(block: Block, plan: Plan) -> Block:
    return Block(
        tuple(s for old in block.statements for s in _statements(old, plan)), block.results
    )


def _copied(init: Atom, param: Value, plan: Plan, loop: Loop) -> Op:
    """What a loop starts from: a copy, made at once where the original is a number spread out."""
    made = plan.definitions.get(init) if isinstance(init, Value) else None
    fn: Any = copy_of(param)
    args: tuple[Atom, ...] = (init,)
    if made and made.fn is np.broadcast_to and facts.is_scalar(made.args[0].fact):
        fn, args = np.full, (made.args[1], made.args[0])
    return Op(Value(param.name, init.fact), fn, args, (), loop.place, True)


def _statements(statement: Statement, plan: Plan) -> Iterator[Statement]:
    if isinstance(statement, If):
        then, orelse = _rebuilt(statement.then, plan), _rebuilt(statement.orelse, plan)
        yield replace(statement, then=then, orelse=orelse)
    elif isinstance(statement, Loop):
        inits = list(statement.inits)
        for k, param in enumerate(statement.params):
            if (statement, k) in plan.cuts:
                copied = _copied(inits[k], param, plan, statement)
                inits[k] = copied.result
                yield copied
        yield replace(statement, inits=tuple(inits), body=_rebuilt(statement.body, plan))
    elif isinstance(statement.fn, Store):
        yield from _stored(statement, plan)
    elif statement in plan.snapshots:
        yield from _pushed(statement) if statement.fn is ir.push else _read(statement)
    elif statement not in plan.candidates:
        yield statement
    elif statement.fn is runtime.scatter_add and _is_first(statement, plan):
        array, index, g = statement.args
        store = Store((operator.getitem,), (1,), into=True)
        yield replace(statement, fn=store, args=(array, g, index))
    elif statement.fn is not runtime.copy:
        yield replace(statement, fn=_IN_PLACE[statement.fn])


def _is_first(op: Op, plan: Plan) -> bool:
    """Whether an addition at a place is the first to an array of zeros: it assigns."""
    array, index, g = op.args
    if not is_basic(index) or not _is_found_zero(op, plan):
        return False
    if isinstance(array.fact, facts.ListOf):
        return isinstance(g.fact, facts.Scalar) and g.fact == array.fact.item
    name = facts.dtype(array.fact)
    return isinstance(array.fact, facts.Array) and name is not None and facts.dtype(g.fact) == name


def _is_found_zero(op: Op, plan: Plan) -> bool:
    """Whether an addition finds zeros at its place."""
    array = op.args[0]
    made = plan.definitions.get(array) if isinstance(array, Value) else None
    if made is not None:
        return made.fn in _ZEROS
    loops = plan.around.get(op, ())
    return any(finds_zeros(op, loop, plan.definitions, _ZEROS) for loop in loops[-1:])


def _stored(op: Op, plan: Plan) -> Iterator[Statement]:
    """A store into the array itself, or into a copy."""
    assert isinstance(op.fn, Store)
    if op in plan.candidates:
        yield replace(op, fn=op.fn.written_into())
    else:
        yield from on_a_copy(op)


def _read(op: Op) -> Iterator[Statement]:
    """A part of an array, as a copy of its own."""
    view = Value("", op.result.fact)
    yield replace(op, result=view)
    yield Op(op.result, runtime.copy, (view,), (), op.place, True)


def _pushed(op: Op) -> Iterator[Statement]:
    tape, value = op.args
    copied = Value("", value.fact)
    yield Op(copied, runtime.copy, (value,), (), op.place, True)
    yield replace(op, args=(tape, copied))
